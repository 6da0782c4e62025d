//! What another installation is told of a name: the versions that live, and where each was written first.

use crate::Metadata;
use crate::error::Failure;
use crate::lookup::read_revision;
use crate::sql::args;
use lifecycle::revision::Revision;
use lifecycle::{ContainerId, InstallationId, Time, VersionId};

/// A version of a name that lives, be it current or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveRevision {
    /// Its revision.
    pub revision: Revision,
    /// Its id.
    pub version: VersionId,
    /// Its position.
    pub seq: i64,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it is the current one.
    pub is_current: bool,
    /// Whether it is a delete marker.
    pub marker: bool,
    /// Whether it is the other side of a conflict.
    pub conflict: bool,
    /// When it was written.
    pub created_at: Time,
}

impl Metadata {
    /// The newest `limit` versions of a name that live, the newest first. Where older versions are not kept, only the current
    /// one is among them.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn live_revisions(
        &self,
        contents: ContainerId,
        name: &str,
        limit: u32,
    ) -> Result<Vec<LiveRevision>, Failure> {
        macro_rules! rows {
            ($which:literal) => {
                concat!(
                    "SELECT v.generation, v.revision, v.id, v.seq, v.size, v.is_current, v.marker, v.conflict, v.created_at
                     FROM versions v WHERE v.contents_id = $1 AND v.name = $2
                        AND (v.expires_at IS NULL OR v.expires_at > $3) AND ",
                    $which
                )
            };
        }
        let text = concat!(
            "SELECT * FROM (",
            rows!("v.is_current = 1"),
            " UNION ALL SELECT * FROM (",
            rows!(
                "v.state = 'live' AND v.is_current = 0
                 AND (SELECT b.versioning FROM contents c JOIN buckets b ON b.id = c.bucket_id WHERE c.id = $1) <> 'disabled'
                 AND (v.superseded_seq IS NULL OR v.superseded_seq
                    > (SELECT b.erase_upto FROM contents c JOIN buckets b ON b.id = c.bucket_id WHERE c.id = $1))
                 ORDER BY v.seq DESC LIMIT $4"
            ),
            ") AS older) AS found ORDER BY seq DESC LIMIT $4"
        );
        let mut found = Vec::new();
        for mut row in self.readers.fetch(text, args![contents, name, self.clock.now(), limit]).await? {
            let Some(revision) = read_revision(&mut row)? else {
                row.skip(7);
                continue;
            };
            found.push(LiveRevision {
                revision,
                version: row.need_id(VersionId::from_bytes)?,
                seq: row.need_int()?,
                size: row.need_size()?,
                is_current: row.need_bool()?,
                marker: row.need_bool()?,
                conflict: row.need_bool()?,
                created_at: row.need_time()?,
            });
        }
        Ok(found)
    }

    /// The installation where a version was written first, and its position there.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn origin(&self, version: VersionId) -> Result<(InstallationId, i64), Failure> {
        let text = "SELECT origin, origin_seq, seq FROM versions WHERE id = $1";
        let own = self.installation();
        let Some(mut row) = self.readers.fetch_one(text, args![version]).await? else { return Ok((own, 0)) };
        let (origin, origin_seq) = (row.id(InstallationId::from_bytes)?, row.int()?);
        let seq = row.int()?.unwrap_or_default();
        Ok(match origin {
            Some(origin) => (origin, origin_seq.unwrap_or_default()),
            None => (own, seq),
        })
    }
}
