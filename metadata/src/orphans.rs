//! Bytes that no row names: since when that is known, and the proof that they may be destroyed.
//!
//! A pass over the store writes them down. A later one, at least a day after, may condemn what it meets again: one
//! statement proves that there still is no row, that the day is over and that the bytes are older than any upload, and
//! writes down that they are condemned; its transaction makes the [`Orphan`], which alone destroys. What is not met
//! again, or has got a row, is struck off.

use crate::error::Failure;
use crate::sql::args;
use crate::writer::Urgency;
use crate::{Metadata, halted};
use lifecycle::orphan::{SEEN_FOR, age_min};
use lifecycle::{BlobName, Orphan, Time};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// Bytes that a pass over the store met, and found to have no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Their name.
    pub name: BlobName,
    /// How many there are.
    pub size: u64,
    /// When they were last written to, by the store's clock.
    pub modified: Time,
}

/// What is known of bytes without a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orphans {
    /// How many names.
    pub known: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Since when the first of them is known.
    pub since: Option<Time>,
    /// How many of them may be destroyed, if somebody says so.
    pub ripe: u64,
    /// The bytes of those.
    pub ripe_bytes: u64,
}

/// Which bytes to condemn.
#[derive(Clone, Copy, Debug)]
pub struct CondemnOrder {
    /// Only what a pass met that began no earlier than this.
    pub seen_since: Time,
    /// How old a staged version may become: see [`age_min`].
    pub staged_expiry: Duration,
    /// Only names behind this one.
    pub after: Option<BlobName>,
    /// The most names.
    pub limit: u32,
}

/// What may be condemned: the SQL twin of `lifecycle::orphan::ripe_at`. `$1` is the latest first sight, `$2` the latest
/// writing, `$3` the earliest last sight, and no row may name it.
macro_rules! ripe {
    () => {
        "first_seen_at <= $1 AND modified_at <= $2 AND last_seen_at >= $3
            AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.name = orphans.name)"
    };
}

impl Metadata {
    /// Which of these blobs a version's row names.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn known_blobs(
        &self,
        names: impl IntoIterator<Item = BlobName>,
    ) -> Result<HashSet<BlobName>, Failure> {
        let rows = names.into_iter().map(|name| args![name]).collect();
        let found = self
            .readers
            .fetch_padded(
                "SELECT b.name FROM (VALUES {rows}) AS wanted CROSS JOIN blobs b WHERE b.name = wanted.column1",
                &[],
                rows,
            )
            .await?;
        found.into_iter().map(|mut row| Ok(row.need_id(BlobName::from_bytes)?)).collect()
    }

    /// Writes down what the pass that began at `pass` met without a row. What has got one meanwhile is passed over.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn note_orphans(&self, pass: Time, seen: Vec<Sighting>) -> Result<(), Failure> {
        // A blob and a temporary file may carry one name.
        let mut by_name: BTreeMap<BlobName, Sighting> = BTreeMap::new();
        for sighting in seen {
            let known = by_name.entry(sighting.name).or_insert(sighting);
            known.size = known.size.max(sighting.size);
            known.modified = known.modified.max(sighting.modified);
        }
        let trust_db_clock = self.trust_db_clock;
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                let rows = by_name.values().map(|seen| args![seen.name, seen.size, seen.modified]).collect();
                Box::pin(async move {
                    // By the later of the two clocks: the day is over when the slower one says so.
                    let now = if trust_db_clock { now.max(conn.db_now().await?) } else { now };
                    conn.execute_rows(
                        "INSERT INTO orphans (name, size, modified_at, first_seen_at, last_seen_at)
                         SELECT column1, column2, column3, $1, $2 FROM (VALUES {rows}) AS seen
                         WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.name = seen.column1)
                         ON CONFLICT (name) DO UPDATE SET
                            size = CASE WHEN excluded.size > orphans.size THEN excluded.size ELSE orphans.size END,
                            modified_at = CASE WHEN excluded.modified_at > orphans.modified_at
                                THEN excluded.modified_at ELSE orphans.modified_at END,
                            last_seen_at = CASE WHEN excluded.last_seen_at > orphans.last_seen_at
                                THEN excluded.last_seen_at ELSE orphans.last_seen_at END",
                        &[now.into(), pass.into()],
                        rows,
                    )
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Strikes off what the pass that began at `pass`, and has met everything there is, did not meet, and what a row
    /// names. Tells how many that were.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn strike_off_orphans(&self, pass: Time) -> Result<u64, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                Box::pin(async move {
                    let gone = conn
                        .execute(
                            "DELETE FROM orphans WHERE last_seen_at < $1
                                OR EXISTS (SELECT 1 FROM blobs b WHERE b.name = orphans.name)",
                            args![pass],
                        )
                        .await?;
                    Ok(gone)
                })
            })
            .await
    }

    /// What is known of bytes without a row at `now`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn orphans(&self, now: Time, staged_expiry: Duration) -> Result<Orphans, Failure> {
        let row = self
            .readers
            .fetch_one(
                "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT), MIN(first_seen_at),
                    CAST(COALESCE(SUM(CASE WHEN first_seen_at <= $1 AND modified_at <= $2 THEN 1 ELSE 0 END), 0) AS BIGINT),
                    CAST(COALESCE(SUM(CASE WHEN first_seen_at <= $1 AND modified_at <= $2 THEN size ELSE 0 END), 0) AS BIGINT)
                 FROM orphans",
                args![now.minus(SEEN_FOR), now.minus(age_min(staged_expiry))],
            )
            .await?;
        let Some(mut row) = row else { return Ok(Orphans::default()) };
        Ok(Orphans {
            known: row.need_size()?,
            bytes: row.need_size()?,
            since: row.time()?,
            ripe: row.need_size()?,
            ripe_bytes: row.need_size()?,
        })
    }

    /// Condemns bytes: from here on they may be destroyed. In the order of their names; nothing left: none.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], also while purging is halted.
    pub async fn condemn_orphans(&self, order: CondemnOrder) -> Result<Vec<Orphan>, Failure> {
        let trust_db_clock = self.trust_db_clock;
        let after = order.after.map_or(Vec::new(), |name| name.as_bytes().to_vec());
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                let after = after.clone();
                Box::pin(async move {
                    halted::refuse(conn).await?;
                    let now = if trust_db_clock { now.min(conn.db_now().await?) } else { now };
                    let won = conn
                        .fetch(
                            concat!(
                                "UPDATE orphans SET condemned_at = COALESCE(condemned_at, $4)
                                 WHERE name IN (SELECT name FROM orphans WHERE name > $5 AND ",
                                ripe!(),
                                " ORDER BY name LIMIT $6) AND ",
                                ripe!(),
                                " RETURNING name, size, first_seen_at, condemned_at"
                            ),
                            args![
                                now.minus(SEEN_FOR),
                                now.minus(age_min(order.staged_expiry)),
                                order.seen_since,
                                now,
                                after,
                                order.limit
                            ],
                        )
                        .await?;
                    let mut condemned = Vec::with_capacity(won.len());
                    for mut row in won {
                        let (name, size) = (row.need_id(BlobName::from_bytes)?, row.need_size()?);
                        let (seen, at) = (row.need_time()?, row.need_time()?);
                        #[allow(clippy::disallowed_methods, reason = "the condemning transaction")]
                        condemned.push(Orphan::condemned_in_the_database(name, size, seen, at)?);
                    }
                    condemned.sort_by_key(Orphan::name);
                    Ok(condemned)
                })
            })
            .await
    }

    /// Writes down that the bytes of these are gone. Tells how many entries went.
    ///
    /// # Errors
    /// [`Failure::Unavailable`]; a later pass then finds that the bytes are gone.
    pub async fn bury_orphans(&self, gone: Vec<Orphan>) -> Result<u64, Failure> {
        let names: Vec<BlobName> = gone.iter().map(Orphan::name).collect();
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                let rows = names.iter().map(|name| args![*name]).collect();
                Box::pin(async move {
                    let gone = conn
                        .execute_rows(
                            "DELETE FROM orphans WHERE condemned_at IS NOT NULL
                                AND name IN (SELECT column1 FROM (VALUES {rows}) AS gone)",
                            &[],
                            rows,
                        )
                        .await?;
                    Ok(gone)
                })
            })
            .await
    }
}
