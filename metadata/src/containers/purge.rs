//! Purging a container from the top: its own row becomes *purging* by one guarded update, from then on every restore is
//! refused; what is inside follows by cascade; its row becomes *purged* last, when nothing inside is left to destroy.

use super::remove::refuse_guarded;
use super::restore::{above, end_deletion};
use super::{Container, ContainerKind, event, find};
use crate::error::Failure;
use crate::members::Asking;
use crate::sql::{Conn, DbError, args};
use crate::writer::Urgency;
use crate::{Metadata, halted};
use lifecycle::grace::container_due;
use lifecycle::guard::may_purge;
use lifecycle::lifecycle::Above;
use lifecycle::{BarrierOpen, ContainerId, Guard, MemberId, Refusal, Time};
use serde::Serialize;
use std::time::Duration;

/// What one step over the purging containers did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PurgeStep {
    /// Containers that passed the point of no return because their time had come.
    pub begun: u64,
    /// Containers that followed the one around them.
    pub cascaded: u64,
    /// Containers of which only the tombstone is left now.
    pub purged: u64,
    /// Containers that are due but refused, by a guard inside.
    pub kept: u64,
    /// Containers that are due and wait for members that have not let go of them yet.
    pub waiting: u64,
    /// One of these members, and what it is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// Members that are silent past their lease.
    #[serde(skip)]
    pub lapsed: Vec<MemberId>,
    /// Those that have begun.
    #[serde(skip)]
    pub started: Vec<ContainerId>,
    /// Those of which only the tombstone is left now, the ones that followed among them.
    #[serde(skip)]
    pub ended: Vec<ContainerId>,
}

impl PurgeStep {
    fn waits(&mut self, open: &BarrierOpen) {
        self.waiting += 1;
        self.waits_for = open.waiting.first().map(|(member, wait)| format!("{}: {wait}", member.node));
        self.lapsed.extend(open.lapsed());
    }

    /// What a second step did after this one.
    fn add(&mut self, again: PurgeStep) {
        self.begun += again.begun;
        self.cascaded += again.cascaded;
        self.purged += again.purged;
        self.started.extend(again.started);
        self.ended.extend(again.ended);
        (self.kept, self.waiting, self.waits_for) = (again.kept, again.waiting, again.waits_for);
    }
}

impl Metadata {
    /// Takes every container whose time has come past the point of no return, lets what is inside follow, and closes
    /// those in which nothing is left. Bounded: at most `limit` containers of each kind.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], also while purging is halted.
    pub async fn purge_containers(&self, limit: u32, memory: Duration) -> Result<PurgeStep, Failure> {
        self.members.beat_now().await?;
        let mut step = self.purge_step(limit, memory).await?;
        if self.fence_lapsed(&step.lapsed).await? {
            let again = self.purge_step(limit, memory).await?;
            step.add(again);
        }
        Ok(step)
    }

    async fn purge_step(&self, limit: u32, memory: Duration) -> Result<PurgeStep, Failure> {
        let asking = self.asking();
        let trust_db_clock = self.trust_db_clock;
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    let lease_clock = now;
                    let now = if trust_db_clock { now.min(conn.db_now().await?) } else { now };
                    halted::refuse(conn).await?;
                    let mut step = PurgeStep::default();
                    let mut begun = Vec::new();
                    for kind in [ContainerKind::Domain, ContainerKind::Bucket, ContainerKind::Contents] {
                        for id in due(conn, kind, now, limit).await? {
                            match try_begin(conn, kind, id, now, (asking, lease_clock)).await {
                                Ok(name) => begun.push((id, name)),
                                Err(Failure::Refused(Refusal::BarrierOpen(open))) => {
                                    tracing::info!(kind = kind.as_str(), %id, ?open, "waits for members");
                                    step.waits(&open);
                                }
                                Err(Failure::Refused(refusal)) => {
                                    tracing::info!(kind = kind.as_str(), %id, %refusal, "kept although due");
                                    step.kept += 1;
                                }
                                Err(failure) => return Err(failure),
                            }
                        }
                    }
                    step.cascaded = cascade(conn, now, limit).await?;
                    step.ended = close(conn, now, limit, memory).await?;
                    step.purged = step.ended.len() as u64;
                    step.begun = begun.len() as u64;
                    step.started = begun.iter().map(|(id, _)| *id).collect();
                    for (id, name) in begun {
                        event(conn, now, "purge", id, &name, "health-processor").await?;
                    }
                    Ok(step)
                })
            })
            .await
    }

    /// Drops the rows of containers whose memory has run out and in which no tombstone is left.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], also while forgetting is halted.
    pub async fn forget_containers(&self, limit: u32) -> Result<u64, Failure> {
        let trust_db_clock = self.trust_db_clock;
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    let now = if trust_db_clock { now.min(conn.db_now().await?) } else { now };
                    halted::refuse(conn).await?;
                    Ok(forget(conn, now, limit).await?)
                })
            })
            .await
    }
}

/// Locks a container's row and reads it.
pub(super) async fn lock(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
) -> Result<Container, Failure> {
    let text = match kind {
        ContainerKind::Domain => "UPDATE domains SET changed_at = changed_at WHERE id = $1",
        ContainerKind::Bucket | ContainerKind::Contents => {
            "UPDATE buckets SET changed_at = changed_at WHERE id = $1"
        }
    };
    conn.execute(text, args![id]).await?;
    Ok(find(conn, kind, id).await?.ok_or(Refusal::Unknown)?)
}

/// A version in contents `c` has been promised more time than `$1`. One look at the end of the index.
macro_rules! promised {
    () => {
        "EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = c.id AND v.state = 'removed' AND v.due_at > $1)"
    };
}

/// Removed containers whose own promise has run out, and every promise made inside. A timer never acts inside a container
/// that is not live. [`try_begin`] says the same again; what still has to wait must not fill the limit here.
async fn due(
    conn: &mut Conn,
    kind: ContainerKind,
    now: Time,
    limit: u32,
) -> Result<Vec<ContainerId>, DbError> {
    let text = match kind {
        ContainerKind::Domain => {
            concat!(
                "SELECT d.id FROM domains d WHERE d.state = 'removed' AND d.purge_after <= $1 AND (d.early = 1 OR (
                    NOT EXISTS (SELECT 1 FROM buckets b WHERE b.domain_id = d.id AND b.state = 'removed' AND b.early = 0
                        AND b.purge_after > $1)
                    AND NOT EXISTS (SELECT 1 FROM buckets b JOIN contents c ON c.bucket_id = b.id
                        WHERE b.domain_id = d.id AND c.state = 'removed' AND c.early = 0 AND c.purge_after > $1)
                    AND NOT EXISTS (SELECT 1 FROM buckets b JOIN contents c ON c.bucket_id = b.id WHERE b.domain_id = d.id AND ",
                promised!(),
                "))) ORDER BY d.purge_after LIMIT $2"
            )
        }
        ContainerKind::Bucket => {
            concat!(
                "SELECT b.id FROM buckets b JOIN domains d ON d.id = b.domain_id
                 WHERE b.state = 'removed' AND b.purge_after <= $1 AND d.state = 'live' AND (b.early = 1 OR (
                    NOT EXISTS (SELECT 1 FROM contents c WHERE c.bucket_id = b.id AND c.state = 'removed' AND c.early = 0
                        AND c.purge_after > $1)
                    AND NOT EXISTS (SELECT 1 FROM contents c WHERE c.bucket_id = b.id AND ",
                promised!(),
                "))) ORDER BY b.purge_after LIMIT $2"
            )
        }
        ContainerKind::Contents => {
            concat!(
                "SELECT c.id FROM contents c JOIN buckets b ON b.id = c.bucket_id JOIN domains d ON d.id = b.domain_id
                 WHERE c.state = 'removed' AND c.purge_after <= $1 AND b.state = 'live' AND d.state = 'live'
                    AND (c.early = 1 OR NOT ",
                promised!(),
                ") ORDER BY c.purge_after LIMIT $2"
            )
        }
    };
    let mut ids = Vec::new();
    for mut row in conn.fetch(text, args![now, limit]).await? {
        ids.push(row.need_id(ContainerId::from_bytes)?);
    }
    Ok(ids)
}

/// The one guarded way past the point of no return that timers take. Gives the name of what took it.
async fn try_begin(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
    now: Time,
    (asking, lease_clock): (Asking, Time),
) -> Result<String, Failure> {
    refuse_guarded(conn, kind, id, now).await?;
    let own = match kind {
        ContainerKind::Domain => {
            "SELECT name, purge_after, early, removed_epoch, NULL FROM domains WHERE id = $1 AND state = 'removed'"
        }
        ContainerKind::Bucket => {
            "SELECT name, purge_after, early, removed_epoch, domain_id FROM buckets WHERE id = $1 AND state = 'removed'"
        }
        ContainerKind::Contents => {
            "SELECT b.name, c.purge_after, c.early, c.removed_epoch, b.domain_id FROM contents c JOIN buckets b ON b.id = c.bucket_id
             WHERE c.id = $1 AND c.state = 'removed'"
        }
    };
    let Some(mut row) = conn.fetch_one(own, args![id]).await? else { return Err(Refusal::NotRemoved.into()) };
    let (name, promise, early) = (row.need_text()?, row.need_time()?, row.need_bool()?);
    let epoch = row.int()?;
    if let Some(domain) = row.id(ContainerId::from_bytes)?
        && above(conn, domain).await? != Above::Live
    {
        return Err(Refusal::ContainerGone.into());
    }
    let inside = if early { None } else { latest_inside(conn, kind, id).await? };
    may_purge(Some(container_due(promise, inside)), Guard::NONE, now)?;
    asking.require(conn, id, epoch, lease_clock).await?;
    begin(conn, kind, id, now).await?;
    Ok(name)
}

/// The latest promise made to anything inside: an index maximum (rule R2).
async fn latest_inside(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
) -> Result<Option<Time>, DbError> {
    let texts: &[&'static str] = match kind {
        ContainerKind::Domain => &[
            "SELECT MAX(b.purge_after) FROM buckets b WHERE b.domain_id = $1 AND b.state = 'removed' AND b.early = 0",
            "SELECT MAX(c.purge_after) FROM contents c JOIN buckets b ON b.id = c.bucket_id
             WHERE b.domain_id = $1 AND c.state = 'removed' AND c.early = 0",
            "SELECT MAX((SELECT MAX(v.due_at) FROM versions v WHERE v.contents_id = c.id AND v.state = 'removed'))
             FROM contents c JOIN buckets b ON b.id = c.bucket_id WHERE b.domain_id = $1",
        ],
        ContainerKind::Bucket => &[
            "SELECT MAX(c.purge_after) FROM contents c WHERE c.bucket_id = $1 AND c.state = 'removed' AND c.early = 0",
            "SELECT MAX((SELECT MAX(v.due_at) FROM versions v WHERE v.contents_id = c.id AND v.state = 'removed'))
             FROM contents c WHERE c.bucket_id = $1",
        ],
        ContainerKind::Contents => {
            &["SELECT MAX(v.due_at) FROM versions v WHERE v.contents_id = $1 AND v.state = 'removed'"]
        }
    };
    let mut latest = None;
    for text in texts {
        if let Some(mut row) = conn.fetch_one(*text, args![id]).await? {
            latest = latest.max(row.time()?);
        }
    }
    Ok(latest)
}

/// The update that passes it. Nothing comes back to the name any more, so nothing reserves it. The caller writes down the
/// event, last of all: every container move waits for that row.
pub(super) async fn begin(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
    now: Time,
) -> Result<(), Failure> {
    let text = match kind {
        ContainerKind::Domain => {
            "UPDATE domains SET state = 'purging', reserves_name = 0
             WHERE id = $1 AND state = 'removed' AND purge_after <= $2"
        }
        ContainerKind::Bucket => {
            "UPDATE buckets SET state = 'purging', reserves_name = 0
             WHERE id = $1 AND state = 'removed' AND purge_after <= $2"
        }
        ContainerKind::Contents => {
            "UPDATE contents SET state = 'purging' WHERE id = $1 AND state = 'removed' AND purge_after <= $2"
        }
    };
    if conn.execute(text, args![id, now]).await? == 0 {
        return Err(Refusal::Conflict.into());
    }
    conn.execute("UPDATE deletions SET state = 'purging' WHERE target = $1 AND state = 'removed'", args![id])
        .await?;
    Ok(())
}

/// Buckets of purging domains and contents of purging buckets follow.
async fn cascade(conn: &mut Conn, now: Time, limit: u32) -> Result<u64, DbError> {
    let buckets = conn
        .execute(
            "UPDATE buckets SET state = 'purging', removed_at = COALESCE(removed_at, $1),
                purge_after = COALESCE(purge_after, $1), cause = COALESCE(cause, 'cascade')
             WHERE id IN (SELECT b.id FROM buckets b JOIN domains d ON d.id = b.domain_id
                WHERE d.state = 'purging' AND b.state IN ('live', 'removed') LIMIT $2) AND state IN ('live', 'removed')",
            args![now, limit],
        )
        .await?;
    let contents = conn
        .execute(
            "UPDATE contents SET state = 'purging', removed_at = COALESCE(removed_at, $1),
                purge_after = COALESCE(purge_after, $1), cause = COALESCE(cause, 'cascade')
             WHERE id IN (SELECT c.id FROM contents c JOIN buckets b ON b.id = c.bucket_id
                WHERE b.state = 'purging' AND c.state IN ('live', 'removed') LIMIT $2) AND state IN ('live', 'removed')",
            args![now, limit],
        )
        .await?;
    if buckets + contents > 0 {
        // What had been removed by itself cannot be restored any more either.
        conn.execute(
            "UPDATE deletions SET state = 'purging' WHERE state = 'removed' AND target IN (
                SELECT id FROM buckets WHERE state = 'purging' UNION ALL SELECT id FROM contents WHERE state = 'purging')",
            args![],
        )
        .await?;
    }
    Ok(buckets + contents)
}

/// Whether anything of these contents is not yet a tombstone. One look into each partial index.
macro_rules! nothing_left {
    () => {
        "NOT EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = c.id AND v.is_current = 1)
         AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = c.id AND v.state = 'live' AND v.is_current = 0)
         AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = c.id AND v.state = 'removed')
         AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = c.id AND v.state = 'staged')
         AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = c.id AND v.state = 'purging')"
    };
}

/// The SQL twin of `grace::forget_after`: `$2` is the time of the purge, `$3` the memory, `$4` more than any promise.
macro_rules! remembered {
    () => {
        "$3 + CASE WHEN purge_after > $2 AND purge_after < $4 THEN purge_after ELSE $2 END"
    };
}

/// From here on a promise means "until somebody purges it".
fn last_promise() -> Time {
    Time::NEVER.minus(Duration::from_secs(1))
}

/// From the bottom up: contents without anything left, buckets whose contents are all purged, domains likewise.
async fn close(
    conn: &mut Conn,
    now: Time,
    limit: u32,
    memory: Duration,
) -> Result<Vec<ContainerId>, Failure> {
    let (memory, never) = (i64::try_from(memory.as_micros()).unwrap_or(i64::MAX), last_promise());
    let contents = closing(
        conn,
        concat!("SELECT c.id FROM contents c WHERE c.state = 'purging' AND ", nothing_left!(), " LIMIT $1"),
        limit,
    )
    .await?;
    for id in &contents {
        conn.execute("DELETE FROM uploads WHERE contents_id = $1", args![*id]).await?;
        conn.execute(
            concat!(
                "UPDATE contents SET state = 'purged', purged_at = $2, forget_after = ",
                remembered!(),
                " WHERE id = $1 AND state = 'purging'"
            ),
            args![*id, now, memory, never],
        )
        .await?;
    }
    let buckets = closing(
        conn,
        "SELECT b.id FROM buckets b WHERE b.state = 'purging'
         AND NOT EXISTS (SELECT 1 FROM contents c WHERE c.bucket_id = b.id AND c.state <> 'purged') LIMIT $1",
        limit,
    )
    .await?;
    for id in &buckets {
        conn.execute(
            concat!(
                "UPDATE buckets SET state = 'purged', purged_at = $2, reserves_name = 0, headers = '[]', tags = NULL, forget_after = ",
                remembered!(),
                " WHERE id = $1 AND state = 'purging'"
            ),
            args![*id, now, memory, never],
        )
        .await?;
    }
    let domains = closing(
        conn,
        "SELECT d.id FROM domains d WHERE d.state = 'purging'
         AND NOT EXISTS (SELECT 1 FROM buckets b WHERE b.domain_id = d.id AND b.state <> 'purged') LIMIT $1",
        limit,
    )
    .await?;
    for id in &domains {
        conn.execute(
            concat!(
                "UPDATE domains SET state = 'purged', purged_at = $2, reserves_name = 0, headers = '[]', forget_after = ",
                remembered!(),
                " WHERE id = $1 AND state = 'purging'"
            ),
            args![*id, now, memory, never],
        )
        .await?;
    }
    let closed = [contents, buckets, domains].concat();
    for id in &closed {
        end_deletion(conn, *id, "purged", now, "health-processor").await?;
    }
    Ok(closed)
}

async fn closing(conn: &mut Conn, text: &'static str, limit: u32) -> Result<Vec<ContainerId>, DbError> {
    let mut ids = Vec::new();
    for mut row in conn.fetch(text, args![limit]).await? {
        ids.push(row.need_id(ContainerId::from_bytes)?);
    }
    Ok(ids)
}

/// The innermost first; a container waits until the tombstones inside it are forgotten.
async fn forget(conn: &mut Conn, now: Time, limit: u32) -> Result<u64, DbError> {
    let mut forgotten = 0;
    let contents = closing_at(
        conn,
        "SELECT c.id FROM contents c WHERE c.state = 'purged' AND c.forget_after <= $1
         AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = c.id AND v.state = 'purged') LIMIT $2",
        now,
        limit,
    )
    .await?;
    for id in contents {
        conn.execute("DELETE FROM usage WHERE contents_id = $1", args![id]).await?;
        conn.execute("DELETE FROM ancestry WHERE contents_id = $1", args![id]).await?;
        forgotten +=
            conn.execute("DELETE FROM contents WHERE id = $1 AND state = 'purged'", args![id]).await?;
    }
    let buckets = closing_at(
        conn,
        "SELECT b.id FROM buckets b WHERE b.state = 'purged' AND b.forget_after <= $1
         AND NOT EXISTS (SELECT 1 FROM contents c WHERE c.bucket_id = b.id) LIMIT $2",
        now,
        limit,
    )
    .await?;
    for id in buckets {
        for text in [
            "DELETE FROM purges WHERE bucket_id = $1",
            "DELETE FROM followers WHERE bucket_id = $1",
            "DELETE FROM bucket_settings WHERE bucket_id = $1",
            "DELETE FROM purge_jobs WHERE bucket_id = $1",
        ] {
            conn.execute(text, args![id]).await?;
        }
        forgotten +=
            conn.execute("DELETE FROM buckets WHERE id = $1 AND state = 'purged'", args![id]).await?;
    }
    let domains = closing_at(
        conn,
        "SELECT d.id FROM domains d WHERE d.state = 'purged' AND d.forget_after <= $1
         AND NOT EXISTS (SELECT 1 FROM buckets b WHERE b.domain_id = d.id) LIMIT $2",
        now,
        limit,
    )
    .await?;
    for id in domains {
        forgotten +=
            conn.execute("DELETE FROM domains WHERE id = $1 AND state = 'purged'", args![id]).await?;
    }
    Ok(forgotten)
}

async fn closing_at(
    conn: &mut Conn,
    text: &'static str,
    now: Time,
    limit: u32,
) -> Result<Vec<ContainerId>, DbError> {
    let mut ids = Vec::new();
    for mut row in conn.fetch(text, args![now, limit]).await? {
        ids.push(row.need_id(ContainerId::from_bytes)?);
    }
    Ok(ids)
}
