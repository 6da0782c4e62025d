//! The parts that a finished multipart object is made of, one by one.

use crate::Metadata;
use crate::error::Failure;
use crate::reclaim::read_blob;
use crate::sql::{DbError, Row, args};
use lifecycle::{Blob, BlobName};

/// One part of a finished object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionPart {
    /// Which it is, from 1, without gaps.
    pub position: u32,
    /// Where its bytes begin in the object, how many they are, and their MD5. Its `part_no` is the number under which it
    /// was uploaded, which may leave gaps.
    pub blob: Blob,
    /// The checksum of its content, as the door encoded it.
    pub checksum: Option<String>,
}

impl Metadata {
    /// The part at `position`, counted from 1, of the version that has the blob `one` now. By one of its own names, because
    /// blobs pass from version to version, all at once, and a reader may be between two looks then
    /// ([`Metadata::blobs_beside`]); [`crate::Found::part`] has such a name.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn part_of_version(
        &self,
        one: BlobName,
        position: u32,
    ) -> Result<Option<VersionPart>, Failure> {
        let Some(after) = position.checked_sub(1) else { return Ok(None) };
        Ok(self.parts_of_version(one, after, 1).await?.pop())
    }

    /// At most `limit` parts behind the position `after`, in order, of the version that has the blob `one` now.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn parts_of_version(
        &self,
        one: BlobName,
        after: u32,
        limit: u32,
    ) -> Result<Vec<VersionPart>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT b.name, b.part_no, b.start, b.size, b.md5, b.format, b.place, b.checksum
                 FROM blobs known JOIN blobs b ON b.owner = known.owner
                 WHERE known.name = $1 ORDER BY b.part_no LIMIT $2 OFFSET $3",
                args![one, limit, after],
            )
            .await?;
        let numbered = rows.into_iter().zip(after.saturating_add(1)..);
        numbered.map(|(mut row, position)| Ok(read_part(&mut row, position)?)).collect()
    }
}

fn read_part(row: &mut Row, position: u32) -> Result<VersionPart, DbError> {
    Ok(VersionPart { position, blob: read_blob(row)?, checksum: row.text()? })
}
