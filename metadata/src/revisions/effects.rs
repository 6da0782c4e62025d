//! Carrying a cut out: rows pass the point of no return, others show again, all by statements that take many rows at once.

use super::rows::Stored;
use crate::objects::Usage;
use crate::objects::expiry::{Aged, Expiry, lifepoint};
use crate::sql::{Conn, DbError, Value, args};
use lifecycle::{ContainerId, ExpiryRule, Guard, Kind, Leaf, State, Time, VersionId};

/// What is purged by whom, and until when nobody destroys its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Going<'a> {
    pub(super) contents: ContainerId,
    pub(super) now: Time,
    /// Reads that began before go on so long.
    pub(super) drained_at: Time,
    pub(super) actor: &'a str,
    pub(super) change_seq: i64,
}

/// What goes is in no tree any more, and what was live or removed is being purged. Nobody holds a claim on it: whoever looks
/// for claims that have lapsed finds it when the reads are over.
pub(super) async fn take_out(
    conn: &mut Conn,
    gone: &[(String, Vec<Stored>)],
    going: Going<'_>,
    usage: &mut Usage,
) -> Result<(), DbError> {
    let all = || gone.iter().flat_map(|(name, stored)| stored.iter().map(move |stored| (name, stored)));
    let (mut purging, mut dead, mut remembered) = (Vec::new(), Vec::new(), Vec::new());
    for (name, stored) in all() {
        match (stored.node.version, stored.state) {
            (Some(id), Some(state @ (State::Live | State::Removed))) => {
                usage.lose(going.contents, state, stored.size);
                usage.gain(going.contents, State::Purging, stored.size);
                purging.push(args![id]);
            }
            (Some(id), _) => dead.push(args![id]),
            (None, _) => {
                let revision = stored.node.revision;
                remembered.push(args![name.as_str(), revision.generation, revision.hash]);
            }
        }
    }
    let wanted = purging.len();
    let head: [Value; 4] =
        [going.now.into(), going.drained_at.into(), going.actor.into(), going.change_seq.into()];
    let touched = conn
        .execute_rows(
            "UPDATE versions SET state = 'purging', is_current = 0, conflict = 0,
                removed_at = COALESCE(versions.removed_at, $1), purge_after = $1, due_at = NULL, cause = 'purge', actor = $3,
                claim_by = NULL, claim_until = $2, change_seq = $4, generation = NULL, revision = NULL,
                parent_revision = NULL
             FROM (VALUES {rows}) AS gone
             WHERE versions.id = gone.column1 AND versions.state IN ('live', 'removed')",
            &head,
            purging,
        )
        .await?;
    if usize::try_from(touched) != Ok(wanted) {
        return Err(DbError::Retry(format!("purging revisions: {touched} rows instead of {wanted}")));
    }
    conn.execute_rows(
        "UPDATE versions SET generation = NULL, revision = NULL, parent_revision = NULL, conflict = 0
         FROM (VALUES {rows}) AS gone WHERE versions.id = gone.column1",
        &[],
        dead,
    )
    .await?;
    conn.execute_rows(
        "DELETE FROM ancestry WHERE contents_id = $1 AND (name, generation, revision) IN (VALUES {rows})",
        &[going.contents.into()],
        remembered,
    )
    .await?;
    Ok(())
}

/// The ends that are left of a name, the winner first: each has changed, and the winner is what readers are given from now
/// on, unless it says that there is no object. `change_seq`: the number before the first of theirs; the winner's is the
/// last, for a name is told of once, where it changed last.
pub(super) async fn show_again(
    conn: &mut Conn,
    left: &[Leaf],
    rules: &[ExpiryRule],
    kept: bool,
    change_seq: &mut i64,
) -> Result<(), DbError> {
    for (at, leaf) in left.iter().enumerate().rev() {
        *change_seq += 1;
        let Some(version) = leaf.version else { continue };
        if at > 0 || leaf.deleted || leaf.current {
            let conflict = at > 0;
            conn.execute(
                "UPDATE versions SET change_seq = $2, conflict = $3 WHERE id = $1 AND state = 'live'",
                args![version, *change_seq, conflict],
            )
            .await?;
            continue;
        }
        let expiry = expiry_of(conn, version, rules, kept).await?;
        conn.execute(
            "UPDATE versions SET is_current = 1, conflict = 0, superseded_at = NULL, superseded_seq = NULL,
                change_seq = $2, expires_at = CASE WHEN $3 = 1 THEN $4 ELSE expires_at END,
                expiry_rule = CASE WHEN $3 = 1 THEN $5 ELSE expiry_rule END
             WHERE id = $1 AND state = 'live'",
            args![
                version,
                *change_seq,
                expiry.is_some(),
                expiry.as_ref().and_then(|expiry| expiry.at),
                expiry.and_then(|expiry| expiry.rule)
            ],
        )
        .await?;
    }
    Ok(())
}

/// When a version that shows again goes by itself; `None`: no rule has ever had a say, and nothing changes.
async fn expiry_of(
    conn: &mut Conn,
    version: VersionId,
    rules: &[ExpiryRule],
    kept: bool,
) -> Result<Option<Expiry>, DbError> {
    let text =
        "SELECT v.kind, v.name, v.created_at, v.headers, v.expiry_rule, v.guard_from, v.guard_until, v.hold
         FROM versions v WHERE v.id = $1";
    let Some(mut row) = conn.fetch_one(text, args![version]).await? else { return Ok(None) };
    let kind = row.need_text()?;
    let kind = Kind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of object")))?;
    let (name, created_at) = (row.need_text()?, row.need_time()?);
    let (headers, rule) = (row.text()?.unwrap_or_default(), row.text()?);
    if rules.is_empty() && rule.is_none() {
        return Ok(None);
    }
    let guard = Guard { from: row.time()?, until: row.time()?, hold: row.need_bool()? };
    let aged = Aged { kind, name: &name, created_at, superseded_at: None, guard, kept };
    Ok(Some(Expiry::of(rules, aged, lifepoint(&headers))))
}
