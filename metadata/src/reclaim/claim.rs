//! Claims: the way past the point of no return, each with the whole guard in its outer WHERE.

use super::Waiting;
use crate::error::Failure;
use crate::notices::Notices;
use crate::objects::{Numbers, Usage, lock_domains, touch_bucket};
use crate::sql::{Conn, DbError, Row, args};
use crate::writer::Urgency;
use crate::{Metadata, halted};
use lifecycle::notification::Happening;
use lifecycle::{Blob, BlobName, Claim, ContainerId, MemberId, Place, State, Time, VersionId};
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

impl Metadata {
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
                    let touched = touch_bucket(conn, from.bucket, from.domain, Numbers::default()).await?;
                    let Some(touched) = touched.filter(|_| live.contains(&from.domain)) else {
                        return Ok(Vec::new());
                    };
                    if touched.contents() != from.contents {
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
                    let claims = witness(conn, won, order, now, State::Removed).await?;
                    if touched.notify {
                        let mut notices = Notices::default();
                        for claim in &claims {
                            notices.note(from.bucket, Happening::Purged, claim.version(), "health-processor");
                        }
                        notices.write(conn, now).await?;
                    }
                    Ok(claims)
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

    /// Claims bodies whose writing began before `before` and was never finished. Finished parts of a multipart upload
    /// wait for that to end.
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
                                    AND created_at <= $4 AND md5 IS NULL LIMIT $5)
                                AND state = 'staged' AND created_at <= $4 AND md5 IS NULL
                             RETURNING id, contents_id, state, size",
                            args![order.holder, now.plus(order.lease), contents, before, order.limit],
                        )
                        .await?;
                    witness(conn, won, order, now, State::Staged).await
                })
            })
            .await
    }

    /// Claims one body whose writing has just failed, so that its bytes go at once. A finished part of a multipart upload is
    /// none, whether or not its writer learned that it was finished.
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
                             WHERE id = $3 AND state = 'staged' AND md5 IS NULL RETURNING id, contents_id, state, size",
                            args![order.holder, now.plus(order.lease), version],
                        )
                        .await?;
                    witness(conn, won, order, now, State::Staged).await
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
            // What is staged counts without its bytes: only some of them may be there.
            usage.lose(contents, was, if was == State::Staged { 0 } else { size });
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
