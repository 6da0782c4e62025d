//! How long paths and the ledger are, and what stands in the ledger by name.

use super::missing::read_list;
use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use crate::writer::Urgency;
use lifecycle::{ContainerId, Refusal};

/// What a bucket remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevisionLimits {
    /// So many ids of a path are shown and known.
    pub revs: u64,
    /// So many of the newest entries of the ledger are kept, and whatever somebody who follows has not seen.
    pub purged_infos: u64,
}

/// One purge of a name's revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgeInfo {
    /// Its place in the ledger.
    pub purge_seq: i64,
    /// The name.
    pub name: String,
    /// The revisions that were asked for.
    pub revs: Vec<String>,
}

impl Metadata {
    /// What a live bucket remembers.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Failure::Unavailable`].
    pub async fn revision_limits(&self, bucket: ContainerId) -> Result<RevisionLimits, Failure> {
        let text =
            "SELECT b.revs_limit, b.purged_infos_limit FROM buckets b JOIN domains d ON d.id = b.domain_id
             WHERE b.id = $1 AND b.state = 'live' AND d.state = 'live'";
        match self.readers.fetch_one(text, args![bucket]).await? {
            Some(mut row) => Ok(RevisionLimits { revs: row.need_size()?, purged_infos: row.need_size()? }),
            None => Err(Refusal::NoSuchBucket.into()),
        }
    }

    /// From now on so many ids of a path are shown and known. At least one is.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Failure::Unavailable`].
    pub async fn set_revs_limit(&self, bucket: ContainerId, limit: u64) -> Result<(), Failure> {
        let text = "UPDATE buckets SET revs_limit = $2 WHERE id = $1 AND state = 'live'
             AND domain_id IN (SELECT id FROM domains WHERE state = 'live')";
        self.set_limit(text, bucket, limit).await
    }

    /// From now on so many of the newest entries of the ledger are kept. The rest goes when the ledger is pruned next.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Failure::Unavailable`].
    pub async fn set_purged_infos_limit(&self, bucket: ContainerId, limit: u64) -> Result<(), Failure> {
        let text = "UPDATE buckets SET purged_infos_limit = $2 WHERE id = $1 AND state = 'live'
             AND domain_id IN (SELECT id FROM domains WHERE state = 'live')";
        self.set_limit(text, bucket, limit).await
    }

    async fn set_limit(&self, text: &'static str, bucket: ContainerId, limit: u64) -> Result<(), Failure> {
        let limit = limit.max(1);
        self.writer
            .solo(Urgency::Foreground, move |conn, _now| {
                Box::pin(async move {
                    match conn.execute(text, args![bucket, limit]).await? {
                        0 => Err(Refusal::NoSuchBucket.into()),
                        _ => Ok(()),
                    }
                })
            })
            .await
    }

    /// Purges by name that the ledger of a bucket still holds, after the entry `after`, in their order.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn purge_infos(
        &self,
        bucket: ContainerId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<PurgeInfo>, Failure> {
        let text = "SELECT purge_seq, name, revs FROM purges WHERE bucket_id = $1 AND purge_seq > $2 AND name IS NOT NULL
             ORDER BY purge_seq LIMIT $3";
        let mut infos = Vec::new();
        for mut row in self.readers.fetch(text, args![bucket, after, limit]).await? {
            let (purge_seq, name) = (row.need_int()?, row.need_text()?);
            let revs = read_list(&row.text()?.unwrap_or_else(|| "[]".to_owned()))?;
            infos.push(PurgeInfo { purge_seq, name, revs });
        }
        Ok(infos)
    }
}
