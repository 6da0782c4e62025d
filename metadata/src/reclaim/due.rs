//! What waits to be purged, and when: reads only. The walk goes contents by contents, so that rows which are held back in
//! one never starve the rest.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Row, args};
use lifecycle::{Cause, ContainerId, State, Time};

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
            State::Staged => ripe!("v.created_at <= $2 AND v.state = 'staged' AND v.md5 IS NULL"),
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

    /// The earliest moment at which anything removed will be due, versions and containers alike, or at which what was purged
    /// at once may be reclaimed: when to wake up.
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
            // What was purged by its revision waits for nothing but the end of the reads that had begun.
            "SELECT MIN((SELECT MIN(v.claim_until) FROM versions v WHERE v.contents_id = u.contents_id
                AND v.state = 'purging' AND v.claim_by IS NULL))
             FROM usage u WHERE u.state = 'purging' AND u.objects > 0",
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
}
