//! The plain case, which is that of a bucket's oldest versions, or of all: by position, without looking at any of them.
//!
//! It is plain while nothing in the bucket is guarded and no name has several ends: then whatever is older than a version that
//! goes, goes before it, and nothing is left that could be shown. Whether it is, is asked in every step, of two indexes.

use super::scan::Through;
use crate::sql::{Conn, DbError, args};
use lifecycle::{ContainerId, Time};

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Swept {
    pub(super) purged: u64,
    pub(super) bytes: u64,
    /// The first and the last position that it met.
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Swept {
    /// How many changes its versions take: one for each position, where there are few holes, and else one for each version.
    pub(super) fn changes(&self) -> i64 {
        let (span, purged) = (self.last - self.first + 1, i64::try_from(self.purged).unwrap_or(i64::MAX));
        if span <= purged.saturating_mul(HOLES) { span } else { purged }
    }

    fn is_dense(&self) -> bool {
        self.changes() == self.last - self.first + 1
    }
}

/// So many times as many numbers as there are versions are given out rather than counting them.
const HOLES: i64 = 4;

/// The positions that are meant: behind the first of these, up to the second.
pub(super) type Span = (i64, i64);

/// Whether nothing among the live versions of `contents` wants to be looked at for itself.
pub(super) async fn is_plain(through: &mut Through<'_>, contents: ContainerId) -> Result<bool, DbError> {
    // Written so that only the index of what is guarded will do: by that of what is live, all of it would be walked.
    let guarded = "SELECT v.id FROM versions v WHERE v.contents_id = $1 AND v.state IN ('live', 'removed')
        AND (v.hold = 1 OR v.guard_until IS NOT NULL) AND v.state || '' = 'live' LIMIT 1";
    if !through.fetch(guarded, args![contents]).await?.is_empty() {
        return Ok(false);
    }
    let conflicts = "SELECT v.id FROM versions v WHERE v.contents_id = $1 AND v.state = 'live' AND v.conflict = 1 LIMIT 1";
    Ok(through.fetch(conflicts, args![contents]).await?.is_empty())
}

/// Counts the next versions of a span, at most `limit`.
pub(super) async fn look(
    through: &mut Through<'_>,
    contents: ContainerId,
    (after, upto): Span,
    limit: u32,
) -> Result<Swept, DbError> {
    let text = "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT), COALESCE(MIN(seq), 0), COALESCE(MAX(seq), 0) FROM (
            SELECT v.seq, v.size FROM versions v WHERE v.contents_id = $1 AND v.state = 'live' AND v.seq > $2
                AND v.seq <= $3 ORDER BY v.seq LIMIT $4) AS page";
    let mut found = through.fetch(text, args![contents, after, upto, limit]).await?.into_iter();
    let Some(mut row) = found.next() else { return Ok(Swept::default()) };
    Ok(Swept {
        purged: row.need_size()?,
        bytes: row.need_size()?,
        first: row.need_int()?,
        last: row.need_int()?,
    })
}

macro_rules! sweep {
    ($set:literal, $change:literal, $which:literal) => {
        concat!(
            "UPDATE versions SET ",
            $set,
            ", is_current = 0, removed_at = $1, purge_after = $2, cause = 'purge', actor = $3, change_seq = $4 + ",
            $change,
            $which,
            " AND versions.state = 'live' AND versions.hold = 0
                AND (versions.guard_until IS NULL OR versions.guard_until <= $1 OR versions.guard_from > $1)"
        )
    };
}
// The position tells the change, where there are few holes ...
macro_rules! dense {
    ($set:literal) => {
        sweep!(
            $set,
            "versions.seq - $6 + 1",
            " WHERE versions.contents_id = $5 AND versions.seq >= $6 AND versions.seq <= $7"
        )
    };
}
// ... and otherwise they are counted.
macro_rules! sparse {
    ($set:literal) => {
        sweep!(
            $set,
            "picked.place",
            " FROM (SELECT v.id, ROW_NUMBER() OVER (ORDER BY v.seq) AS place FROM versions v
                WHERE v.contents_id = $5 AND v.state = 'live' AND v.seq >= $6 AND v.seq <= $7) AS picked
             WHERE versions.id = picked.id"
        )
    };
}

const REMOVE: [&str; 2] = [
    sparse!("state = 'removed', claim_until = NULL, due_at = $8"),
    dense!("state = 'removed', claim_until = NULL, due_at = $8"),
];
// Nobody holds it, and nobody may until then.
const PURGE: [&str; 2] = [
    sparse!("state = 'purging', due_at = NULL, claim_until = $8"),
    dense!("state = 'purging', due_at = NULL, claim_until = $8"),
];

/// How the versions of a step go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Going<'a> {
    pub(super) now: Time,
    /// When the last read that began before has had its time.
    pub(super) drained_at: Time,
    /// Until when they can be restored; `None`: they cannot.
    pub(super) purge_after: Option<Time>,
    pub(super) actor: &'a str,
    /// The last change before these.
    pub(super) change_seq: i64,
}

/// Takes what [`look`] has counted.
pub(super) async fn take(
    conn: &mut Conn,
    contents: ContainerId,
    found: Swept,
    going: Going<'_>,
) -> Result<(), DbError> {
    let [sparse, dense] = if going.purge_after.is_some() { REMOVE } else { PURGE };
    let text = if found.is_dense() { dense } else { sparse };
    let promise = going.purge_after.unwrap_or(going.now);
    let touched = conn
        .execute(
            text,
            args![
                going.now,
                promise,
                going.actor,
                going.change_seq,
                contents,
                found.first,
                found.last,
                going.purge_after.unwrap_or(going.drained_at)
            ],
        )
        .await?;
    if touched == found.purged {
        return Ok(());
    }
    Err(DbError::Retry(format!("purging: {touched} rows instead of {}", found.purged)))
}
