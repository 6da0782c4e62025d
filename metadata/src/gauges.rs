//! What a scrape of the metrics asks: counts of containers, since when the oldest of them waits, and what should have been
//! purged by now. These queries walk containers, and of versions only the first of an index.

use crate::Metadata;
use crate::containers::{ContainerKind, read_kind};
use crate::error::Failure;
use crate::sql::args;
use lifecycle::{State, Time};

/// Containers of one kind, in one state, under containers of one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerCount {
    /// Domains, buckets, or contents that were taken out of a bucket.
    pub kind: ContainerKind,
    /// The state of their own.
    pub own: State,
    /// The worst of their own and of the containers around them.
    pub effective: State,
    /// How many.
    pub count: u64,
    /// When the first of them was removed; `None` if none was removed by itself.
    pub oldest_removal: Option<Time>,
}

/// No version in contents `c` has been promised more time than `$1`. One look at the end of the index.
macro_rules! no_later_promise {
    () => {
        "NOT EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = c.id AND v.state = 'removed' AND v.due_at > $1)"
    };
}

impl Metadata {
    /// Since when the oldest thing is due at `now` that the health processor may purge: a removed version in live containers,
    /// or a removed container all of whose promises, those made inside among them, have run out. What a guard or hold keeps,
    /// and what only waits with the container around it, does not count.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn oldest_overdue(&self, now: Time) -> Result<Option<Time>, Failure> {
        let texts = [
            "SELECT MIN((SELECT MIN(v.due_at) FROM versions v WHERE v.contents_id = u.contents_id AND v.state = 'removed'
                AND v.due_at <= $1))
             FROM usage u JOIN contents c ON c.id = u.contents_id JOIN buckets b ON b.id = c.bucket_id
                JOIN domains d ON d.id = b.domain_id
             WHERE u.state = 'removed' AND u.objects > 0 AND c.state = 'live' AND b.state = 'live' AND d.state = 'live'",
            concat!(
                "SELECT MIN(d.purge_after) FROM domains d WHERE d.state = 'removed' AND d.purge_after <= $1 AND (d.early = 1 OR (
                    NOT EXISTS (SELECT 1 FROM buckets b WHERE b.domain_id = d.id AND b.state = 'removed' AND b.early = 0
                        AND b.purge_after > $1)
                    AND NOT EXISTS (SELECT 1 FROM buckets b JOIN contents c ON c.bucket_id = b.id
                        WHERE b.domain_id = d.id AND c.state = 'removed' AND c.early = 0 AND c.purge_after > $1)
                    AND NOT EXISTS (SELECT 1 FROM buckets b JOIN contents c ON c.bucket_id = b.id WHERE b.domain_id = d.id
                        AND NOT ",
                no_later_promise!(),
                ")))"
            ),
            concat!(
                "SELECT MIN(b.purge_after) FROM buckets b JOIN domains d ON d.id = b.domain_id
                 WHERE b.state = 'removed' AND b.purge_after <= $1 AND d.state = 'live' AND (b.early = 1 OR (
                    NOT EXISTS (SELECT 1 FROM contents c WHERE c.bucket_id = b.id AND c.state = 'removed' AND c.early = 0
                        AND c.purge_after > $1)
                    AND NOT EXISTS (SELECT 1 FROM contents c WHERE c.bucket_id = b.id AND NOT ",
                no_later_promise!(),
                ")))"
            ),
            concat!(
                "SELECT MIN(c.purge_after) FROM contents c JOIN buckets b ON b.id = c.bucket_id
                    JOIN domains d ON d.id = b.domain_id
                 WHERE c.state = 'removed' AND c.purge_after <= $1 AND b.state = 'live' AND d.state = 'live'
                    AND (c.early = 1 OR ",
                no_later_promise!(),
                ")"
            ),
        ];
        let mut oldest: Option<Time> = None;
        for text in texts {
            if let Some(mut row) = self.readers.fetch_one(text, args![now]).await?
                && let Some(at) = row.time()?
            {
                oldest = Some(oldest.map_or(at, |known| known.min(at)));
            }
        }
        Ok(oldest)
    }

    /// Counts domains, buckets and removed contents by their own and their effective state (rule R11).
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn container_counts(&self) -> Result<Vec<ContainerCount>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT 'domain', state, 'live', 'live', COUNT(*), MIN(removed_at) FROM domains GROUP BY state
                 UNION ALL
                 SELECT 'bucket', b.state, d.state, 'live', COUNT(*), MIN(b.removed_at)
                 FROM buckets b JOIN domains d ON d.id = b.domain_id WHERE b.hidden = 0 GROUP BY b.state, d.state
                 UNION ALL
                 SELECT 'contents', c.state, d.state, b.state, COUNT(*), MIN(c.removed_at)
                 FROM contents c JOIN buckets b ON b.id = c.bucket_id JOIN domains d ON d.id = b.domain_id
                 WHERE c.state = 'removed' GROUP BY c.state, d.state, b.state",
                args![],
            )
            .await?;
        let mut counts = Vec::with_capacity(rows.len());
        for mut row in rows {
            let (kind, own) = (read_kind(&mut row)?, row.need_state()?);
            let above = row.need_state()?.under(row.need_state()?);
            counts.push(ContainerCount {
                kind,
                own,
                effective: own.under(above),
                count: row.need_size()?,
                oldest_removal: row.time()?,
            });
        }
        Ok(counts)
    }
}
