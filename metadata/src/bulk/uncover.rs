//! What was covered by a version that was purged, and is not purged itself, is shown.

use crate::objects::expiry::Standing;
use crate::objects::plan::{Planned, planned_columns};
use crate::sql::{Conn, DbError, args};
use lifecycle::{ContainerId, ExpiryRule};

/// What is in force in the bucket.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) contents: ContainerId,
    /// What was superseded up to this position went for good.
    pub(super) erase_upto: i64,
    /// Older versions are kept.
    pub(super) kept: bool,
    pub(super) lifecycle: Vec<ExpiryRule>,
}

macro_rules! remaining {
    ($order:literal) => {
        concat!(
            "SELECT ",
            planned_columns!(),
            " FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.state = 'live' AND v.is_current = 0
                AND (v.superseded_seq IS NULL OR v.superseded_seq > $3) ORDER BY ",
            $order,
            " LIMIT 1"
        )
    };
}

const NEWEST: &str = remaining!("v.seq DESC");
const GREATEST: &str = remaining!("v.generation DESC, v.revision DESC, v.seq DESC");

/// Shows the newest version of `name` that stays, unless it is a delete marker. Where a name has several ends, that is the
/// greatest of them, which every peer finds to be so.
pub(super) async fn uncover(conn: &mut Conn, rules: &Rules, name: &str) -> Result<(), DbError> {
    let several = conn
        .fetch_one(
            "SELECT v.id FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.state = 'live' AND v.conflict = 1
             LIMIT 1",
            args![rules.contents, name],
        )
        .await?;
    let text = if several.is_some() { GREATEST } else { NEWEST };
    let row = conn.fetch_one(text, args![rules.contents, name, rules.erase_upto]).await?;
    let Some(mut row) = row else { return Ok(()) };
    let version = Planned::read(&mut row)?;
    if version.marker {
        return Ok(());
    }
    let by_rule = version.was.rule.is_some();
    let planned = (by_rule || !rules.lifecycle.is_empty())
        .then(|| version.expiry(&rules.lifecycle, Standing::Current, rules.kept));
    let (at, rule) = planned.as_ref().map_or((None, None), |new| (new.at, new.rule.as_deref()));
    conn.execute(
        "UPDATE versions SET is_current = 1, conflict = 0, superseded_at = NULL, superseded_seq = NULL,
            expires_at = CASE WHEN $2 = 1 THEN $3 ELSE expires_at END,
            expiry_rule = CASE WHEN $2 = 1 THEN $4 ELSE expiry_rule END
         WHERE id = $1 AND state = 'live'",
        args![version.id, planned.is_some(), at, rule],
    )
    .await?;
    Ok(())
}
