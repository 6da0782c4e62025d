//! Who follows the changes and purges of a bucket, and how far each has come.
//!
//! A follower is registered before it is relied on: what it has not passed stays in the ledger until it has, or until somebody
//! deregisters it. Whoever registers and does not say how far it has come holds back everything.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Conn, DbError, Row, args};
use crate::writer::Urgency;
use lifecycle::{ContainerId, Refusal, Time};
use std::time::Duration;

/// What a follower may be.
pub const FOLLOWER_KINDS: [&str; 3] = ["index", "replica", "consumer"];
/// A follower that has not been seen for longer, and has not come to the end, is reported.
pub const LAG_TIME: Duration = Duration::from_hours(24);
/// A follower with more purges before it is reported.
pub const LAG_PURGES: i64 = 1_000;

/// One follower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// What it calls itself.
    pub id: String,
    /// One of [`FOLLOWER_KINDS`].
    pub kind: String,
    /// The last change it has applied; `None`: it has not said.
    pub change_seq: Option<i64>,
    /// The last purge it has applied; `None`: it has not said, and holds the ledger back.
    pub purge_seq: Option<i64>,
    /// What it wants kept, as JSON.
    pub memo: Option<String>,
    /// Who registered it.
    pub actor: String,
    /// When.
    pub registered_at: Time,
    /// When it last said how far it has come.
    pub seen_at: Time,
    /// Changes that it has not applied, at most.
    pub changes_behind: i64,
    /// Purges that it has not applied.
    pub purges_behind: i64,
    /// Whether it is to be looked after: see [`LAG_TIME`] and [`LAG_PURGES`].
    pub lagging: bool,
}

/// How a follower registers, or tells how far it has come.
#[derive(Clone, Debug, Default)]
pub struct FollowOrder {
    /// What it calls itself.
    pub id: String,
    /// One of [`FOLLOWER_KINDS`]; `None`: as it was, and a consumer if it is new.
    pub kind: Option<String>,
    /// The last change it has applied; `None`: as it was.
    pub change_seq: Option<i64>,
    /// The last purge it has applied; `None`: as it was.
    pub purge_seq: Option<i64>,
    /// What it wants kept, as JSON; `None`: as it was.
    pub memo: Option<String>,
    /// Who says so.
    pub actor: String,
}

/// A follower that has fallen behind, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lagging {
    /// The domain's name.
    pub domain: String,
    /// The bucket's name.
    pub bucket: String,
    /// Who.
    pub follower: Follower,
}

macro_rules! columns {
    () => {
        "f.id, f.kind, f.change_seq, f.purge_seq, f.memo, f.actor, f.registered_at, f.seen_at,
         b.change_seq, b.purge_seq, b.purges_upto"
    };
}
const OF_BUCKET: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM buckets b JOIN followers f ON f.bucket_id = b.id WHERE b.id = $1 AND f.id > $2 ORDER BY f.id LIMIT $3"
);
const ONE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM buckets b JOIN followers f ON f.bucket_id = b.id WHERE b.id = $1 AND f.id = $2"
);
const LAGGING: &str = concat!(
    "SELECT d.name, b.name, ",
    columns!(),
    " FROM followers f JOIN buckets b ON b.id = f.bucket_id AND b.state = 'live'
        JOIN domains d ON d.id = b.domain_id AND d.state = 'live'
      WHERE b.purge_seq - COALESCE(f.purge_seq, b.purges_upto) > $1 OR (f.seen_at < $2
        AND (f.purge_seq IS NULL OR f.purge_seq < b.purge_seq OR f.change_seq IS NULL OR f.change_seq < b.change_seq))
      ORDER BY f.seen_at LIMIT $3"
);

impl Metadata {
    /// Registers a follower of a live bucket, or moves it on, and tells how it stands now. Cursors only grow, and never past
    /// what there is.
    ///
    /// # Errors
    /// [`Refusal::CursorOutOfRange`]; [`Refusal::HistoryTruncated`] if purges behind its cursor are kept no longer, so that it
    /// has to begin anew; [`Refusal::NoSuchBucket`]. Nothing has changed then.
    pub async fn follow(&self, bucket: ContainerId, order: FollowOrder) -> Result<Follower, Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let order = order.clone();
                Box::pin(async move { follow(conn, now, bucket, &order).await })
            })
            .await
    }

    /// Followers of a bucket by their ids, behind `after`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn followers(
        &self,
        bucket: ContainerId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Follower>, Failure> {
        let now = self.clock.now();
        let rows = self.readers.fetch(OF_BUCKET, args![bucket, after.unwrap_or_default(), limit]).await?;
        rows.into_iter().map(|mut row| Ok(read(&mut row, now)?)).collect()
    }

    /// One follower of a bucket.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn follower(&self, bucket: ContainerId, id: &str) -> Result<Option<Follower>, Failure> {
        let row = self.readers.fetch_one(ONE, args![bucket, id]).await?;
        Ok(row.map(|mut row| read(&mut row, self.clock.now())).transpose()?)
    }

    /// Forgets a follower of a bucket: what it has not passed is held back for it no longer. Tells whether it was there.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn deregister(&self, bucket: ContainerId, id: &str) -> Result<bool, Failure> {
        let id = id.to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, _now| {
                let id = id.clone();
                Box::pin(async move {
                    let text = "DELETE FROM followers WHERE bucket_id = $1 AND id = $2";
                    Ok(conn.execute(text, args![bucket, id]).await? > 0)
                })
            })
            .await
    }

    /// Followers of live buckets that have fallen behind; who was seen longest ago first.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn followers_lagging(&self, limit: u32) -> Result<Vec<Lagging>, Failure> {
        let now = self.clock.now();
        let rows = self.readers.fetch(LAGGING, args![LAG_PURGES, now.minus(LAG_TIME), limit]).await?;
        let mut lagging = Vec::with_capacity(rows.len());
        for mut row in rows {
            let (domain, bucket) = (row.need_text()?, row.need_text()?);
            lagging.push(Lagging { domain, bucket, follower: read(&mut row, now)? });
        }
        Ok(lagging)
    }
}

async fn follow(
    conn: &mut Conn,
    now: Time,
    bucket: ContainerId,
    order: &FollowOrder,
) -> Result<Follower, Failure> {
    // The bucket's row first: what is pruned, and what is purged, waits for it too.
    let row = conn
        .fetch_one(
            "UPDATE buckets SET purges_upto = purges_upto WHERE id = $1 AND state = 'live' AND hidden = 0
             RETURNING change_seq, purge_seq, purges_upto",
            args![bucket],
        )
        .await?;
    let Some(mut row) = row else { return Err(Refusal::NoSuchBucket.into()) };
    let (changes, purges, pruned) = (row.need_int()?, row.need_int()?, row.need_int()?);
    let known = conn.fetch_one(ONE, args![bucket, order.id.as_str()]).await?;
    let known = known.map(|mut row| read(&mut row, now)).transpose()?;
    let (had_change, had_purge) = known.as_ref().map_or((None, None), |f| (f.change_seq, f.purge_seq));
    in_range(order.change_seq, had_change, changes)?;
    in_range(order.purge_seq, had_purge, purges)?;
    if order.purge_seq.is_some_and(|at| at < pruned) {
        return Err(Refusal::HistoryTruncated { oldest: pruned + 1 }.into());
    }
    conn.execute(
        "INSERT INTO followers (bucket_id, id, kind, change_seq, purge_seq, memo, actor, registered_at, seen_at)
         VALUES ($1, $2, COALESCE($3, 'consumer'), $4, $5, $6, $7, $8, $8)
         ON CONFLICT (bucket_id, id) DO UPDATE SET kind = COALESCE($3, followers.kind),
            change_seq = COALESCE($4, followers.change_seq), purge_seq = COALESCE($5, followers.purge_seq),
            memo = COALESCE($6, followers.memo), seen_at = $8",
        args![
            bucket,
            order.id.as_str(),
            order.kind.as_deref(),
            order.change_seq,
            order.purge_seq,
            order.memo.as_deref(),
            order.actor.as_str(),
            now
        ],
    )
    .await?;
    let row = conn.fetch_one(ONE, args![bucket, order.id.as_str()]).await?;
    let mut row =
        row.ok_or_else(|| DbError::Row("a follower that was just written is not there".to_owned()))?;
    Ok(read(&mut row, now)?)
}

/// Passes if a cursor may move from `had` to `asked`, where `most` is the last number that was given out.
fn in_range(asked: Option<i64>, had: Option<i64>, most: i64) -> Result<(), Refusal> {
    let least = had.unwrap_or(0);
    match asked {
        Some(asked) if asked < least || asked > most => Err(Refusal::CursorOutOfRange { least, most }),
        Some(_) | None => Ok(()),
    }
}

/// Reads `columns!`.
fn read(row: &mut Row, now: Time) -> Result<Follower, DbError> {
    let (id, kind) = (row.need_text()?, row.need_text()?);
    let (change_seq, purge_seq, memo) = (row.int()?, row.int()?, row.text()?);
    let (actor, registered_at, seen_at) = (row.need_text()?, row.need_time()?, row.need_time()?);
    let (changes, purges, pruned) = (row.need_int()?, row.need_int()?, row.need_int()?);
    let changes_behind = changes - change_seq.unwrap_or(0);
    let purges_behind = purges - purge_seq.unwrap_or(pruned);
    let all_said = change_seq.is_some() && purge_seq.is_some();
    let behind = changes_behind > 0 || purges_behind > 0 || !all_said;
    let lagging = purges_behind > LAG_PURGES || (behind && seen_at < now.minus(LAG_TIME));
    Ok(Follower {
        id,
        kind,
        change_seq,
        purge_seq,
        memo,
        actor,
        registered_at,
        seen_at,
        changes_behind,
        purges_behind,
        lagging,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_grows_and_stays_within_what_there_is() {
        assert_eq!(in_range(None, Some(5), 9), Ok(()));
        for at in [5, 7, 9] {
            assert_eq!(in_range(Some(at), Some(5), 9), Ok(()));
        }
        for at in [-1, 4, 10] {
            assert_eq!(in_range(Some(at), Some(5), 9), Err(Refusal::CursorOutOfRange { least: 5, most: 9 }));
        }
        assert_eq!(in_range(Some(0), None, 0), Ok(()));
    }
}
