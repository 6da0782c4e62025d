//! What a scrape of the metrics asks: counts of containers, and since when the oldest of them waits. One query, which
//! walks containers and never versions.

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

impl Metadata {
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
