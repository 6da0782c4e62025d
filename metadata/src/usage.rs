//! What is stored, by bucket and by state: the counters, shown by the effective state (rule R11).

use crate::Metadata;
use crate::error::Failure;
use crate::objects::read_quota;
use crate::sql::args;
use lifecycle::{ContainerId, Quota, State};

/// Objects and bytes of one bucket's contents in one effective state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// The domain's name.
    pub domain: String,
    /// The domain's UUID.
    pub domain_id: ContainerId,
    /// The bucket's name; empty for the domain's unnamed and alias objects.
    pub bucket: String,
    /// The bucket's UUID.
    pub bucket_id: ContainerId,
    /// The contents' UUID: another one than the bucket holds now, if the bucket was emptied.
    pub contents_id: ContainerId,
    /// The state of the domain, bucket and contents, the worst of them.
    pub container_state: State,
    /// The effective state: the worst of row, contents, bucket and domain.
    pub state: State,
    /// Versions.
    pub objects: i64,
    /// Their bytes.
    pub bytes: i64,
    /// How much the bucket may hold.
    pub quota: Option<Quota>,
}

impl Metadata {
    /// Objects and bytes by bucket and effective state.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn usage(&self) -> Result<Vec<UsageRow>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT d.name, d.id, b.name, b.id, c.id, d.state, b.state, c.state, u.state, u.objects, u.bytes, b.quota
                 FROM usage u JOIN contents c ON c.id = u.contents_id JOIN buckets b ON b.id = c.bucket_id
                    JOIN domains d ON d.id = b.domain_id
                 WHERE u.objects <> 0 OR u.bytes <> 0
                 ORDER BY d.name, b.name, b.id, c.id, u.state",
                args![],
            )
            .await?;
        let mut usage = Vec::with_capacity(rows.len());
        for mut row in rows {
            let (domain, domain_id) = (row.need_text()?, row.need_id(ContainerId::from_bytes)?);
            let (bucket, bucket_id) = (row.need_text()?, row.need_id(ContainerId::from_bytes)?);
            let contents_id = row.need_id(ContainerId::from_bytes)?;
            let above = row.need_state()?.under(row.need_state()?).under(row.need_state()?);
            let own = row.need_state()?;
            usage.push(UsageRow {
                domain,
                domain_id,
                bucket,
                bucket_id,
                contents_id,
                container_state: above,
                state: own.under(above),
                objects: row.need_int()?,
                bytes: row.need_int()?,
                quota: read_quota(&mut row)?,
            });
        }
        Ok(usage)
    }
}
