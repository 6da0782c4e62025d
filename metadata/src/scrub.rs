//! What a task needs that reads all bytes again: the blobs in an order that it can go on in, and whose they are.

use crate::Metadata;
use crate::error::Failure;
use crate::reclaim::read_blob;
use crate::sql::args;
use lifecycle::{Blob, BlobName, State, VersionId};

/// A place in the order of all blobs: behind this part of this version.
pub type BlobPlace = (VersionId, i64);

/// One blob and the version that owns it.
#[derive(Clone, Debug)]
pub struct Owned {
    /// The version.
    pub version: VersionId,
    /// Its own state, whatever is around it.
    pub state: State,
    /// The blob.
    pub blob: Blob,
}

impl Owned {
    /// Where it stands in the order of all blobs.
    pub fn place(&self) -> BlobPlace {
        (self.version, self.blob.part_no)
    }
}

/// Whose a blob is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The domain's name.
    pub domain: String,
    /// The bucket's name; empty for the domain's unnamed and alias objects.
    pub bucket: String,
    /// The object's name.
    pub name: String,
    /// The version.
    pub version: VersionId,
    /// The worst state of the version and the containers around it.
    pub state: State,
}

impl Metadata {
    /// The next blobs by the ids of their versions and their places in these. Start with `None`; an empty page ends. Those
    /// of every state: who looks at bytes wants live and removed ones.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn blobs_page(&self, after: Option<BlobPlace>, limit: u32) -> Result<Vec<Owned>, Failure> {
        let (version, part) = after.unwrap_or((VersionId::from_bytes([0; 16]), -1));
        let rows = self
            .readers
            .fetch(
                "SELECT p.owner, v.state, p.name, p.part_no, p.start, p.size, p.md5, p.format, p.place
                 FROM blobs p JOIN versions v ON v.id = p.owner
                 WHERE (p.owner, p.part_no) > ($1, $2) ORDER BY p.owner, p.part_no LIMIT $3",
                args![version, part, limit],
            )
            .await?;
        let mut page = Vec::with_capacity(rows.len());
        for mut row in rows {
            let (version, state) = (row.need_id(VersionId::from_bytes)?, row.need_state()?);
            page.push(Owned { version, state, blob: read_blob(&mut row)? });
        }
        Ok(page)
    }

    /// Whose this blob is at present; `None`: nobody's any more.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn blob_owner(&self, blob: BlobName) -> Result<Option<Owner>, Failure> {
        let row = self
            .readers
            .fetch_one(
                "SELECT d.name, b.name, v.name, v.id, v.state, c.state, b.state, d.state
                 FROM blobs p JOIN versions v ON v.id = p.owner JOIN contents c ON c.id = v.contents_id
                    JOIN buckets b ON b.id = c.bucket_id JOIN domains d ON d.id = b.domain_id
                 WHERE p.name = $1",
                args![blob],
            )
            .await?;
        let Some(mut row) = row else { return Ok(None) };
        Ok(Some(Owner {
            domain: row.need_text()?,
            bucket: row.need_text()?,
            name: row.need_text()?,
            version: row.need_id(VersionId::from_bytes)?,
            state: row
                .need_state()?
                .under(row.need_state()?)
                .under(row.need_state()?)
                .under(row.need_state()?),
        }))
    }
}
