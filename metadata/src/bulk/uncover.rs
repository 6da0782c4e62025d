//! What was covered by a version that was purged, and is not purged itself, is shown.

use crate::objects::expiry::{Aged, Expiry, lifepoint};
use crate::sql::{Conn, DbError, args};
use lifecycle::{ContainerId, ExpiryRule, Guard, Kind, VersionId};

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
            "SELECT v.id, v.kind, v.marker, v.headers, v.created_at, v.guard_from, v.guard_until, v.hold, v.expiry_rule
             FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.state = 'live' AND v.is_current = 0
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
    let (id, kind, marker) = (row.need_id(VersionId::from_bytes)?, row.need_text()?, row.need_bool()?);
    if marker {
        return Ok(());
    }
    let kind = Kind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of object")))?;
    let (headers, created_at) = (row.text()?.unwrap_or_default(), row.need_time()?);
    let guard = Guard { from: row.time()?, until: row.time()?, hold: row.need_bool()? };
    let by_rule = row.text()?.is_some();
    let planned = (by_rule || !rules.lifecycle.is_empty()).then(|| {
        let kept = rules.kept && kind != Kind::Unnamed;
        let aged = Aged { kind, name, created_at, superseded_at: None, guard, kept };
        Expiry::of(&rules.lifecycle, aged, lifepoint(&headers))
    });
    let (at, rule) = planned.as_ref().map_or((None, None), |new| (new.at, new.rule.as_deref()));
    conn.execute(
        "UPDATE versions SET is_current = 1, conflict = 0, superseded_at = NULL, superseded_seq = NULL,
            expires_at = CASE WHEN $2 = 1 THEN $3 ELSE expires_at END,
            expiry_rule = CASE WHEN $2 = 1 THEN $4 ELSE expiry_rule END
         WHERE id = $1 AND state = 'live'",
        args![id, planned.is_some(), at, rule],
    )
    .await?;
    Ok(())
}
