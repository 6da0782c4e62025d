//! Versioning that was switched off: the versions that are not current are removed in the background, each with its grace,
//! so that whoever regrets the switch can still have them back.

use crate::Metadata;
use crate::error::Failure;
use crate::objects::{Numbers, Removal, Usage, lock_domains, remove_versions, touch_bucket};
use crate::sql::{Conn, DbError, Row, args};
use crate::writer::Urgency;
use lifecycle::lifecycle::{Facts, Move, step};
use lifecycle::{Cause, ContainerId, Grace, Guard, State, Time, VersionId};
use std::collections::BTreeSet;
use std::time::Duration;

/// What one step over a bucket's history did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryStep {
    /// Versions that were removed.
    pub removed: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions that stay because a guard protects them.
    pub guarded: u64,
}

impl Metadata {
    /// Buckets whose versioning was switched off and in which older versions may be left, after `after`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn buckets_erasing(
        &self,
        after: Option<ContainerId>,
        limit: u32,
    ) -> Result<Vec<ContainerId>, Failure> {
        let after = after.unwrap_or(ContainerId::from_bytes([0; 16]));
        let text = "SELECT id FROM buckets WHERE erase_history = 1 AND id > $1 ORDER BY id LIMIT $2";
        let mut buckets = Vec::new();
        for mut row in self.readers.fetch(text, args![after, limit]).await? {
            buckets.push(row.need_id(ContainerId::from_bytes)?);
        }
        Ok(buckets)
    }

    /// Removes up to `limit` versions of a bucket that are not current, with their grace. When none is left that is not
    /// guarded, the bucket is done; guarded ones keep it on the list.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn erase_history(
        &self,
        bucket: ContainerId,
        grace: Duration,
        limit: u32,
    ) -> Result<HistoryStep, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move { Ok(erase(conn, now, bucket, grace, limit).await?) })
            })
            .await
    }
}

async fn erase(
    conn: &mut Conn,
    now: Time,
    bucket: ContainerId,
    grace: Duration,
    limit: u32,
) -> Result<HistoryStep, DbError> {
    let mut done = HistoryStep::default();
    let domain = conn.fetch_one("SELECT domain_id FROM buckets WHERE id = $1", args![bucket]).await?;
    let Some(mut domain) = domain else { return Ok(done) };
    let domain = domain.need_id(ContainerId::from_bytes)?;
    let live = lock_domains(conn, &BTreeSet::from([domain])).await?;
    let touched = touch_bucket(conn, bucket, domain, Numbers::changes(i64::from(limit))).await?;
    // Timers never act inside a container that is not live.
    let Some(touched) = touched.filter(|_| live.contains(&domain)) else { return Ok(done) };
    let contents = touched.contents();
    let promise = Grace::For(touched.facts.object_grace.unwrap_or(grace)).purge_after(now);
    let off = !touched.keeps();
    // Switched on again meanwhile: what was superseded before stays gone, and what came since is kept.
    let upto = if off { i64::MAX } else { touched.facts.erase_upto };
    // Each its own, or one page of changes would have to hold them all. What is left over is a gap, and no harm.
    let mut change_seq = touched.change_seq - i64::from(limit);
    let rows = conn
        .fetch(
            // What a guard protects stands behind the rest, or it would fill the limit for ever. What goes last comes back
            // first by its name: no marker, and the newest.
            "SELECT id, size, guard_from, guard_until, hold FROM versions
             WHERE contents_id = $1 AND state = 'live' AND is_current = 0
                AND ((superseded_seq IS NULL AND $4 = 1) OR superseded_seq <= $3)
             ORDER BY CASE WHEN hold = 1 OR (guard_until > $2 AND (guard_from IS NULL OR guard_from <= $2))
                THEN 1 ELSE 0 END, marker DESC, seq LIMIT $5",
            args![contents, now, upto, off, limit],
        )
        .await?;
    let mut removals = Vec::new();
    for mut row in rows {
        change_seq += 1;
        match removal(&mut row, contents, now, promise, change_seq)? {
            Some(removal) => removals.push(removal),
            None => done.guarded += 1,
        }
    }
    done.removed = removals.len() as u64;
    done.bytes = removals.iter().map(|removal| removal.size).sum();
    let mut usage = Usage::default();
    remove_versions(conn, &removals, now, &mut usage).await?;
    usage.apply(conn).await?;
    if removals.is_empty() && done.guarded == 0 {
        conn.execute("UPDATE buckets SET erase_history = 0 WHERE id = $1", args![bucket]).await?;
    }
    Ok(done)
}

fn removal(
    row: &mut Row,
    contents: ContainerId,
    now: Time,
    purge_after: Time,
    change_seq: i64,
) -> Result<Option<Removal>, DbError> {
    let (id, size) = (row.need_id(VersionId::from_bytes)?, row.need_size()?);
    let guard = Guard { from: row.time()?, until: row.time()?, hold: row.need_bool()? };
    if step(State::Live, Move::Remove, &Facts { now, guard, ..Facts::default() }).is_err() {
        return Ok(None);
    }
    Ok(Some(Removal {
        id,
        contents,
        size,
        purge_after,
        due_at: guard.due_at(purge_after),
        cause: Cause::Versioning,
        actor: "versioning".to_owned(),
        change_seq,
        guard: None,
    }))
}
