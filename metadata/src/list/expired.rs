//! What has expired and is not yet swept.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use lifecycle::{ContainerId, State, VersionId};

/// A version whose lifepoint, or a rule of its bucket, says that it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The version.
    pub version: VersionId,
    /// Its object's name.
    pub name: String,
    /// Since when.
    pub at: lifecycle::Time,
    /// The lifecycle rule that says so; `None`: its lifepoint.
    pub rule: Option<String>,
    /// Its bucket.
    pub bucket: ContainerId,
    /// Its domain.
    pub domain: ContainerId,
    /// The worst state of contents, bucket and domain.
    pub above: State,
}

impl Metadata {
    /// Versions that have expired and are not yet swept, the earliest first, after `(at, id)`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn list_expired(
        &self,
        after: (lifecycle::Time, VersionId),
        limit: u32,
    ) -> Result<Vec<Expired>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT v.id, v.name, v.expires_at, v.expiry_rule, b.id, b.domain_id, c.state, b.state, d.state
                 FROM versions v JOIN contents c ON c.id = v.contents_id JOIN buckets b ON b.id = c.bucket_id
                    JOIN domains d ON d.id = b.domain_id
                 WHERE v.state = 'live' AND v.expires_at IS NOT NULL AND v.expires_at <= $1
                    AND (v.expires_at, v.id) > ($2, $3)
                 ORDER BY v.expires_at, v.id LIMIT $4",
                args![self.clock.now(), after.0, after.1, limit],
            )
            .await?;
        let mut expired = Vec::with_capacity(rows.len());
        for mut row in rows {
            expired.push(Expired {
                version: row.need_id(VersionId::from_bytes)?,
                name: row.need_text()?,
                at: row.need_time()?,
                rule: row.text()?,
                bucket: row.need_id(ContainerId::from_bytes)?,
                domain: row.need_id(ContainerId::from_bytes)?,
                above: row.need_state()?.under(row.need_state()?).under(row.need_state()?),
            });
        }
        Ok(expired)
    }
}
