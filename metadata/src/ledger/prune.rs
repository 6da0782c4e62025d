//! How much of the ledger is kept: so many of the newest entries, and whatever some follower has not passed. A follower that
//! has not said yet how far it has come has passed nothing: absence is no consent. Nobody who asks for what is gone is
//! failed: `purges_upto` tells how far it reaches.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Conn, DbError, args};
use crate::writer::Urgency;
use lifecycle::ContainerId;

/// What pruning a ledger came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Entries that were dropped.
    pub dropped: u64,
    /// Entries beyond the limit that are kept because some follower has not passed them.
    pub held: u64,
    /// Whether more could be dropped at once.
    pub more: bool,
}

impl Metadata {
    /// Live buckets, behind `after`, whose ledgers have more entries than their limit.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn ledgers_over(
        &self,
        after: Option<ContainerId>,
        limit: u32,
    ) -> Result<Vec<ContainerId>, Failure> {
        let after = after.unwrap_or(ContainerId::from_bytes([0; 16]));
        let text = "SELECT b.id FROM buckets b JOIN domains d ON d.id = b.domain_id AND d.state = 'live'
             WHERE b.id > $1 AND b.state = 'live' AND b.purge_seq - b.purges_upto > b.purged_infos_limit
             ORDER BY b.id LIMIT $2";
        let mut buckets = Vec::new();
        for mut row in self.readers.fetch(text, args![after, limit]).await? {
            buckets.push(row.need_id(ContainerId::from_bytes)?);
        }
        Ok(buckets)
    }

    /// Drops up to `limit` entries of a live bucket's ledger that are beyond its limit and that every follower has passed.
    ///
    /// # Errors
    /// [`Failure::Unavailable`]; also if a follower's cursor cannot be read. Then nothing is dropped.
    pub async fn prune_ledger(&self, bucket: ContainerId, limit: u32) -> Result<Pruned, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                Box::pin(async move { Ok(prune(conn, bucket, limit).await?) })
            })
            .await
    }
}

async fn prune(conn: &mut Conn, bucket: ContainerId, limit: u32) -> Result<Pruned, DbError> {
    // The bucket's row first: whoever registers, and whoever purges, waits for it too.
    let row = conn
        .fetch_one(
            "UPDATE buckets SET purges_upto = purges_upto WHERE id = $1 AND state = 'live'
             RETURNING purge_seq, purges_upto, purged_infos_limit",
            args![bucket],
        )
        .await?;
    // What is inside a removed container is left as it is: it may come back.
    let Some(mut row) = row else { return Ok(Pruned::default()) };
    let (newest, upto, keep) = (row.need_int()?, row.need_int()?, row.need_int()?);
    let mut cursors = Vec::new();
    for mut row in conn.fetch("SELECT purge_seq FROM followers WHERE bucket_id = $1", args![bucket]).await? {
        cursors.push(row.int()?);
    }
    let over = newest.saturating_sub(keep).max(upto);
    let may = droppable(over, upto, &cursors);
    let to = may.min(upto.saturating_add(i64::from(limit)));
    let mut pruned = Pruned { dropped: 0, held: u64::try_from(over - may).unwrap_or(0), more: to < may };
    if to > upto {
        pruned.dropped = conn
            .execute("DELETE FROM purges WHERE bucket_id = $1 AND purge_seq <= $2", args![bucket, to])
            .await?;
        // Nobody can ask for it by its id any more; the record of deletions keeps what came of it.
        let text = "DELETE FROM purge_jobs WHERE bucket_id = $1 AND purge_seq <= $2 AND state <> 'running'";
        conn.execute(text, args![bucket, to]).await?;
        conn.execute("UPDATE buckets SET purges_upto = $2 WHERE id = $1", args![bucket, to]).await?;
    }
    Ok(pruned)
}

/// The number up to which entries may go: those beyond the limit (up to `over`) that all have passed. `upto`: what is gone
/// already.
fn droppable(over: i64, upto: i64, cursors: &[Option<i64>]) -> i64 {
    let passed = cursors.iter().map(|cursor| cursor.unwrap_or(upto)).min();
    passed.map_or(over, |passed| passed.min(over)).max(upto)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_limit_goes_once_everybody_has_passed_it() {
        assert_eq!(droppable(140, 0, &[]), 140);
        assert_eq!(droppable(140, 0, &[Some(30), Some(90)]), 30);
        assert_eq!(droppable(140, 0, &[Some(150)]), 140);
        assert_eq!(droppable(140, 0, &[Some(150), None]), 0);
        assert_eq!(droppable(140, 20, &[None]), 20);
        assert_eq!(droppable(140, 20, &[Some(3)]), 20);
    }
}
