//! From removed to purged: claiming a version's bytes for destruction, and writing down that they are gone.
//!
//! A claim says its guard twice: in the inner select, which finds candidates, and in the outer WHERE, which is what
//! holds when another claimer was faster. Bytes first, row last: between claim and finish the process may die anywhere;
//! the claim lapses, somebody claims again, and destroying what is gone already does no harm.

use crate::error::Failure;
use crate::objects::{Usage, lock_domains, touch_bucket};
use crate::sql::{Conn, DbError, Row, Value, args};
use crate::writer::Urgency;
use crate::{Metadata, halted};
use lifecycle::{Blob, BlobName, Cause, Claim, ContainerId, MemberId, Place, State, Time, VersionId};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// Who claims, how much, and how long the claim holds.
#[derive(Clone, Copy, Debug)]
pub struct ClaimOrder {
    /// The claiming process.
    pub holder: MemberId,
    /// The most versions to claim at once.
    pub limit: u32,
    /// How long the claim holds.
    pub lease: Duration,
    /// How long a version must have been invisible: reads that began before may still be running.
    pub drain: Duration,
}

/// Contents in which something waits, and the containers around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The domain.
    pub domain: ContainerId,
    /// The bucket.
    pub bucket: ContainerId,
    /// Its contents.
    pub contents: ContainerId,
    /// The worst state of the three.
    pub above: State,
    /// How many versions the counters tell.
    pub objects: i64,
    /// Their bytes.
    pub bytes: i64,
}

/// Contents that hold something of state $1, and of it something for which `$which` holds: one look into an index each.
macro_rules! ripe {
    ($which:literal) => {
        concat!(
            "SELECT d.id, b.id, c.id, d.state, b.state, c.state, u.objects, u.bytes
             FROM usage u JOIN contents c ON c.id = u.contents_id JOIN buckets b ON b.id = c.bucket_id
                JOIN domains d ON d.id = b.domain_id
             WHERE u.state = $1 AND u.objects > 0
                AND EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = c.id AND ",
            $which,
            ") ORDER BY c.id"
        )
    };
}

/// Reads `domain, bucket, contents`, the states of the three, objects and bytes.
fn read_waiting(rows: Vec<Row>) -> Result<Vec<Waiting>, Failure> {
    let mut waiting = Vec::with_capacity(rows.len());
    for mut row in rows {
        waiting.push(Waiting {
            domain: row.need_id(ContainerId::from_bytes)?,
            bucket: row.need_id(ContainerId::from_bytes)?,
            contents: row.need_id(ContainerId::from_bytes)?,
            above: row.need_state()?.under(row.need_state()?).under(row.need_state()?),
            objects: row.need_int()?,
            bytes: row.need_int()?,
        });
    }
    Ok(waiting)
}

/// No claim passes a guard: the SQL twin of `Guard::is_active`. `$4` is the time. It stands in the inner select too, or
/// what is guarded would fill its limit for ever and starve the rest.
macro_rules! unguarded {
    () => {
        "hold = 0 AND (guard_until IS NULL OR guard_until <= $4 OR guard_from > $4)"
    };
}

impl Metadata {
    /// Contents that hold versions whose own state is `state`, by the counters. The walk goes contents by contents, so
    /// that rows which are held back in one never starve the rest.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn contents_with(&self, state: State) -> Result<Vec<Waiting>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT d.id, b.id, c.id, d.state, b.state, c.state, u.objects, u.bytes
                 FROM usage u JOIN contents c ON c.id = u.contents_id JOIN buckets b ON b.id = c.bucket_id
                    JOIN domains d ON d.id = b.domain_id
                 WHERE u.state = $1 AND u.objects > 0 ORDER BY c.id",
                args![state],
            )
            .await?;
        read_waiting(rows)
    }

    /// Contents in which the clock has something to do at `at`: removed versions that are due, purging ones that nobody
    /// holds any more, staged ones that began before, tombstones whose memory has run out. Nothing for other states.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn contents_due(&self, state: State, at: Time) -> Result<Vec<Waiting>, Failure> {
        let text = match state {
            State::Removed => ripe!("v.due_at <= $2 AND v.state = 'removed'"),
            State::Purging => {
                ripe!("(v.claim_until IS NULL OR v.claim_until <= $2) AND v.state = 'purging'")
            }
            State::Staged => ripe!("v.created_at <= $2 AND v.state = 'staged'"),
            State::Purged => ripe!("v.forget_after <= $2 AND v.state = 'purged'"),
            State::Live | State::Forgotten => return Ok(Vec::new()),
        };
        read_waiting(self.readers.fetch(text, args![state, at]).await?)
    }

    /// Contents that are purging and hold something that must follow them, with how much.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn contents_to_cascade(&self) -> Result<Vec<Waiting>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT d.id, b.id, c.id, d.state, b.state, c.state, CAST(SUM(u.objects) AS BIGINT),
                    CAST(SUM(u.bytes) AS BIGINT)
                 FROM contents c JOIN buckets b ON b.id = c.bucket_id JOIN domains d ON d.id = b.domain_id
                    JOIN usage u ON u.contents_id = c.id
                 WHERE c.state = 'purging' AND u.state IN ('staged', 'live', 'removed') AND u.objects > 0
                 GROUP BY d.id, b.id, c.id, d.state, b.state, c.state ORDER BY c.id",
                args![],
            )
            .await?;
        read_waiting(rows)
    }

    /// Versions and bytes of `contents` that are due at `now`, by the cause of their removal. The earliest `limit`
    /// versions are looked at.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn due_by_cause(
        &self,
        contents: ContainerId,
        now: Time,
        limit: u32,
    ) -> Result<Vec<(Option<Cause>, u64, u64)>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT cause, COUNT(*), CAST(SUM(size) AS BIGINT) FROM (
                    SELECT cause, size FROM versions WHERE contents_id = $1 AND state = 'removed' AND due_at <= $2
                    ORDER BY due_at LIMIT $3) AS due GROUP BY cause",
                args![contents, now, limit],
            )
            .await?;
        let mut causes = Vec::with_capacity(rows.len());
        for mut row in rows {
            causes.push((row.cause()?, row.need_size()?, row.need_size()?));
        }
        Ok(causes)
    }

    /// How many versions of live contents are due now, and their bytes; counting stops at `limit` versions.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn count_due(
        &self,
        contents: ContainerId,
        now: Time,
        limit: u32,
    ) -> Result<(u64, u64), Failure> {
        let row = self
            .readers
            .fetch_one(
                "SELECT COUNT(*), COALESCE(CAST(SUM(size) AS BIGINT), 0) FROM (
                    SELECT size FROM versions WHERE contents_id = $1 AND state = 'removed' AND due_at <= $2 LIMIT $3) AS due",
                args![contents, now, limit],
            )
            .await?;
        Ok(match row {
            Some(mut row) => (row.need_size()?, row.need_size()?),
            None => (0, 0),
        })
    }

    /// The earliest moment at which anything removed will be due, versions and containers alike: when to wake up.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn next_due(&self) -> Result<Option<Time>, Failure> {
        let mut earliest: Option<Time> = None;
        let texts = [
            "SELECT MIN((SELECT MIN(v.due_at) FROM versions v WHERE v.contents_id = u.contents_id AND v.state = 'removed'))
             FROM usage u JOIN contents c ON c.id = u.contents_id JOIN buckets b ON b.id = c.bucket_id
                JOIN domains d ON d.id = b.domain_id
             WHERE u.state = 'removed' AND u.objects > 0 AND c.state = 'live' AND b.state = 'live' AND d.state = 'live'",
            "SELECT MIN(purge_after) FROM domains WHERE state = 'removed'",
            // Nothing happens by itself inside a container that is not live: it is no reason to wake up.
            "SELECT MIN(b.purge_after) FROM buckets b JOIN domains d ON d.id = b.domain_id
             WHERE b.state = 'removed' AND d.state = 'live'",
            "SELECT MIN(c.purge_after) FROM contents c JOIN buckets b ON b.id = c.bucket_id JOIN domains d ON d.id = b.domain_id
             WHERE c.state = 'removed' AND b.state = 'live' AND d.state = 'live'",
            "SELECT v.expires_at FROM versions v CROSS JOIN contents c CROSS JOIN buckets b CROSS JOIN domains d
             WHERE v.state = 'live' AND v.expires_at IS NOT NULL AND c.id = v.contents_id AND c.state = 'live'
                AND b.id = c.bucket_id AND b.state = 'live' AND d.id = b.domain_id AND d.state = 'live'
             ORDER BY v.expires_at LIMIT 1",
        ];
        for text in texts {
            if let Some(mut row) = self.readers.fetch_one(text, Vec::new()).await?
                && let Some(at) = row.time()?
            {
                earliest = Some(earliest.map_or(at, |known| known.min(at)));
            }
        }
        Ok(earliest)
    }

    /// Claims removed versions of live contents whose time has come: the point of no return.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], also while purging is halted.
    pub async fn claim_due(&self, from: Waiting, order: ClaimOrder) -> Result<Vec<Claim>, Failure> {
        let trust_db_clock = self.trust_db_clock;
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    let by_clock = if trust_db_clock { now.min(conn.db_now().await?) } else { now };
                    halted::refuse(conn).await?;
                    let live = lock_domains(conn, &BTreeSet::from([from.domain])).await?;
                    let touched = touch_bucket(conn, from.bucket, from.domain, 0).await?;
                    let holds = match touched {
                        Some(mut row) => {
                            live.contains(&from.domain)
                                && row.need_id(ContainerId::from_bytes)? == from.contents
                        }
                        None => false,
                    };
                    if !holds {
                        return Ok(Vec::new());
                    }
                    let won = conn
                        .fetch(
                            concat!(
                                "UPDATE versions SET state = 'purging', claim_by = $1, claim_until = $2
                                 WHERE id IN (SELECT id FROM versions WHERE contents_id = $3 AND state = 'removed'
                                        AND due_at <= $4 AND removed_at <= $5 AND ",
                                unguarded!(),
                                " ORDER BY due_at LIMIT $6)
                                    AND state = 'removed' AND purge_after <= $4 AND removed_at <= $5 AND ",
                                unguarded!(),
                                " RETURNING id, contents_id, state, size"
                            ),
                            args![
                                order.holder,
                                now.plus(order.lease),
                                from.contents,
                                by_clock,
                                by_clock.minus(order.drain),
                                order.limit
                            ],
                        )
                        .await?;
                    witness(conn, won, order, now, State::Removed).await
                })
            })
            .await
    }

    /// Claims again what somebody claimed and did not finish in time.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], also while purging is halted.
    pub async fn claim_lapsed(
        &self,
        contents: ContainerId,
        order: ClaimOrder,
    ) -> Result<Vec<Claim>, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    halted::refuse(conn).await?;
                    let won = conn
                        .fetch(
                            "UPDATE versions SET claim_by = $1, claim_until = $2
                             WHERE id IN (SELECT id FROM versions WHERE contents_id = $3 AND state = 'purging'
                                    AND (claim_until IS NULL OR claim_until <= $4) LIMIT $5)
                                AND state = 'purging' AND (claim_until IS NULL OR claim_until <= $4)
                             RETURNING id, contents_id, state, size",
                            args![order.holder, now.plus(order.lease), contents, now, order.limit],
                        )
                        .await?;
                    witness(conn, won, order, now, State::Purging).await
                })
            })
            .await
    }

    /// Claims whatever is in contents that are purging: it follows its container, except what a guard protects.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], also while purging is halted.
    pub async fn claim_cascade(
        &self,
        contents: ContainerId,
        order: ClaimOrder,
    ) -> Result<Vec<Claim>, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    halted::refuse(conn).await?;
                    let mut claims = Vec::new();
                    for (state, text) in CASCADE {
                        let won = conn
                            .fetch(
                                text,
                                args![
                                    order.holder,
                                    now.plus(order.lease),
                                    contents,
                                    now,
                                    order.limit,
                                    now.minus(order.drain)
                                ],
                            )
                            .await?;
                        let found = !won.is_empty();
                        claims.extend(witness(conn, won, order, now, state).await?);
                        if found {
                            break;
                        }
                    }
                    Ok(claims)
                })
            })
            .await
    }

    /// Claims uploads that began before `before` and were never finished.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], also while purging is halted.
    pub async fn claim_abandoned(
        &self,
        contents: ContainerId,
        before: Time,
        order: ClaimOrder,
    ) -> Result<Vec<Claim>, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    halted::refuse(conn).await?;
                    let won = conn
                        .fetch(
                            "UPDATE versions SET state = 'purging', cause = 'abandoned', claim_by = $1, claim_until = $2
                             WHERE id IN (SELECT id FROM versions WHERE contents_id = $3 AND state = 'staged'
                                    AND created_at <= $4 LIMIT $5)
                                AND state = 'staged' AND created_at <= $4
                             RETURNING id, contents_id, state, size",
                            args![order.holder, now.plus(order.lease), contents, before, order.limit],
                        )
                        .await?;
                    witness(conn, won, order, now, State::Staged).await
                })
            })
            .await
    }

    /// Claims one upload that has just failed, so that its bytes go at once.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn claim_failed_upload(
        &self,
        version: VersionId,
        order: ClaimOrder,
    ) -> Result<Vec<Claim>, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    let won = conn
                        .fetch(
                            "UPDATE versions SET state = 'purging', cause = 'abandoned', claim_by = $1, claim_until = $2
                             WHERE id = $3 AND state = 'staged' RETURNING id, contents_id, state, size",
                            args![order.holder, now.plus(order.lease), version],
                        )
                        .await?;
                    witness(conn, won, order, now, State::Staged).await
                })
            })
            .await
    }

    /// Writes down that the bytes of `claims` are gone: inline bytes go in this transaction, rows become tombstones.
    /// Tells how many versions and bytes were still ours to finish.
    ///
    /// # Errors
    /// [`Failure::Unavailable`]; the claims then lapse and somebody else finishes.
    pub async fn finish(&self, claims: Vec<Claim>, memory: Duration) -> Result<(u64, u64), Failure> {
        let Some(holder) = claims.first().map(Claim::holder) else { return Ok((0, 0)) };
        let versions: Vec<VersionId> = claims.iter().map(Claim::version).collect();
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                let versions = versions.clone();
                Box::pin(async move { Ok(finish(conn, now, holder, &versions, memory).await?) })
            })
            .await
    }

    /// Gives claims up whose bytes could not all be destroyed. The versions stay purging, and claimable.
    ///
    /// # Errors
    /// [`Failure::Unavailable`]; the claims then lapse by themselves.
    pub async fn release(&self, claims: Vec<Claim>) -> Result<(), Failure> {
        let Some(holder) = claims.first().map(Claim::holder) else { return Ok(()) };
        let versions: Vec<VersionId> = claims.iter().map(Claim::version).collect();
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                let rows = versions.iter().map(|id| args![*id]).collect();
                Box::pin(async move {
                    conn.execute_rows(
                        "UPDATE versions SET claim_by = NULL, claim_until = NULL
                         FROM (VALUES {rows}) AS given WHERE versions.id = given.column1 AND versions.state = 'purging'
                            AND versions.claim_by = $1",
                        &[holder.into()],
                        rows,
                    )
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Drops tombstones whose memory has run out.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], also while forgetting is halted.
    pub async fn forget(&self, contents: ContainerId, limit: u32) -> Result<u64, Failure> {
        let trust_db_clock = self.trust_db_clock;
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    let now = if trust_db_clock { now.min(conn.db_now().await?) } else { now };
                    halted::refuse(conn).await?;
                    let gone = conn
                        .execute(
                            "DELETE FROM versions WHERE id IN (SELECT id FROM versions WHERE contents_id = $1
                                AND state = 'purged' AND forget_after <= $2 ORDER BY forget_after LIMIT $3)
                                AND state = 'purged' AND forget_after <= $2",
                            args![contents, now, limit],
                        )
                        .await?;
                    let mut usage = Usage::default();
                    usage.change(contents, State::Purged, -i64::try_from(gone).unwrap_or(0), 0);
                    usage.apply(conn).await?;
                    Ok(gone)
                })
            })
            .await
    }
}

macro_rules! cascade {
    ($which:literal) => {
        concat!(
            "UPDATE versions SET state = 'purging', is_current = 0, claim_by = $1, claim_until = $2,
                cause = COALESCE(cause, 'cascade'), due_at = NULL
             WHERE id IN (SELECT v.id FROM versions v JOIN contents c ON c.id = v.contents_id
                    WHERE v.contents_id = $3 AND c.state = 'purging' AND c.removed_at <= $6 AND ",
            $which,
            " AND (v.state = 'staged' OR (",
            unguarded!(),
            ")) LIMIT $5)
                AND state IN ('staged', 'live', 'removed') AND (state = 'staged' OR (",
            unguarded!(),
            ")) RETURNING id, contents_id, state, size"
        )
    };
}

/// One statement for each partial index that leads to something still to be destroyed.
const CASCADE: [(State, &str); 4] = [
    (State::Live, cascade!("v.is_current = 1")),
    (State::Live, cascade!("v.state = 'live' AND v.is_current = 0")),
    (State::Removed, cascade!("v.state = 'removed'")),
    (State::Staged, cascade!("v.state = 'staged'")),
];

/// Turns rows that were won into claims, with the blobs they own.
async fn witness(
    conn: &mut Conn,
    won: Vec<Row>,
    order: ClaimOrder,
    now: Time,
    was: State,
) -> Result<Vec<Claim>, Failure> {
    if won.is_empty() {
        return Ok(Vec::new());
    }
    let mut usage = Usage::default();
    let mut versions = Vec::with_capacity(won.len());
    for mut row in won {
        let (id, contents) = (row.need_id(VersionId::from_bytes)?, row.need_id(ContainerId::from_bytes)?);
        let (state, size) = (row.need_state()?, row.need_size()?);
        if was != State::Purging {
            usage.lose(contents, was, size);
            usage.gain(contents, State::Purging, size);
        }
        versions.push((id, contents, state));
    }
    let mut blobs = read_blobs(conn, versions.iter().map(|(id, ..)| *id)).await?;
    usage.apply(conn).await?;
    let until = now.plus(order.lease);
    let mut claims = Vec::with_capacity(versions.len());
    for (id, contents, state) in versions {
        let owned = blobs.remove(&id).unwrap_or_default();
        #[allow(clippy::disallowed_methods, reason = "the claiming transaction")]
        claims.push(Claim::won_in_the_database(id, contents, state, order.holder, until, owned)?);
    }
    Ok(claims)
}

async fn read_blobs(
    conn: &mut Conn,
    owners: impl Iterator<Item = VersionId>,
) -> Result<HashMap<VersionId, Vec<Blob>>, DbError> {
    let rows = owners.map(|id| args![id]).collect();
    let found = conn
        .fetch_rows(
            "SELECT b.owner, b.name, b.part_no, b.start, b.size, b.md5, b.format, b.place
             FROM (VALUES {rows}) AS wanted CROSS JOIN blobs b WHERE b.owner = wanted.column1",
            &[],
            rows,
        )
        .await?;
    let mut blobs: HashMap<VersionId, Vec<Blob>> = HashMap::new();
    for mut row in found {
        let owner = row.need_id(VersionId::from_bytes)?;
        blobs.entry(owner).or_default().push(read_blob(&mut row)?);
    }
    Ok(blobs)
}

/// Reads `name, part_no, start, size, md5, format, place`.
pub(crate) fn read_blob(row: &mut Row) -> Result<Blob, DbError> {
    Ok(Blob {
        name: row.need_id(BlobName::from_bytes)?,
        part_no: row.need_int()?,
        start: row.need_size()?,
        size: row.need_size()?,
        md5: row.digest()?,
        format: row.need_int()?,
        place: {
            let word = row.need_text()?;
            Place::parse(&word).ok_or_else(|| DbError::Row(format!("{word:?} is no place")))?
        },
    })
}

async fn finish(
    conn: &mut Conn,
    now: Time,
    holder: MemberId,
    versions: &[VersionId],
    memory: Duration,
) -> Result<(u64, u64), DbError> {
    let memory = i64::try_from(memory.as_micros()).unwrap_or(i64::MAX);
    let rows: Vec<Vec<Value>> = versions.iter().map(|id| args![*id]).collect();
    // Ours still? Only what this claim holds is finished; the rest belongs to whoever claimed after us.
    let finished = conn
        .fetch_rows(
            "UPDATE versions SET state = 'purged', purged_at = $1, headers = NULL, owner = NULL, md5 = NULL,
                parent_revision = NULL, due_at = NULL, expires_at = NULL, guard_from = NULL, guard_until = NULL,
                claim_by = NULL, claim_until = NULL,
                forget_after = $2 + CASE WHEN purge_after > $1 AND purge_after < $4 THEN purge_after ELSE $1 END
             FROM (VALUES {rows}) AS done
             WHERE versions.id = done.column1 AND versions.state = 'purging' AND versions.claim_by = $3
             RETURNING versions.id, versions.contents_id, versions.size",
            &[now.into(), memory.into(), holder.into(), Time::NEVER.minus(Duration::from_secs(1)).into()],
            rows,
        )
        .await?;
    let mut usage = Usage::default();
    let (mut ours, mut bytes) = (Vec::with_capacity(finished.len()), 0);
    for mut row in finished {
        let (id, contents, size) =
            (row.need_id(VersionId::from_bytes)?, row.need_id(ContainerId::from_bytes)?, row.need_size()?);
        usage.lose(contents, State::Purging, size);
        usage.gain(contents, State::Purged, 0);
        bytes += size;
        ours.push(args![id]);
    }
    let count = ours.len() as u64;
    conn.execute_rows(
        "DELETE FROM inline_bytes WHERE blob IN (
            SELECT b.name FROM (VALUES {rows}) AS done CROSS JOIN blobs b
            WHERE b.owner = done.column1 AND b.place = 'inline')",
        &[],
        ours.clone(),
    )
    .await?;
    conn.execute_rows(
        "DELETE FROM blobs WHERE owner IN (SELECT column1 FROM (VALUES {rows}) AS done)",
        &[],
        ours,
    )
    .await?;
    usage.apply(conn).await?;
    Ok((count, bytes))
}
