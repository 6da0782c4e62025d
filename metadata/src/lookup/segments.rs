//! Where a version's bytes lie, beyond what a read of its row tells.

use crate::Metadata;
use crate::error::Failure;
use crate::reclaim::read_blob;
use crate::sql::args;
use bytes::Bytes;
use lifecycle::{Blob, BlobName, VersionId};

impl Metadata {
    /// The blobs of a version from the one that holds byte `from` on, in order, at most `limit`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn blobs(&self, version: VersionId, from: u64, limit: u32) -> Result<Vec<Blob>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT name, part_no, start, size, md5, format, place FROM blobs
                 WHERE owner = $1 AND start + size > $2 ORDER BY part_no LIMIT $3",
                args![version, from, limit],
            )
            .await?;
        let mut blobs = Vec::with_capacity(rows.len());
        for mut row in rows {
            blobs.push(read_blob(&mut row)?);
        }
        Ok(blobs)
    }

    /// As [`Metadata::blobs`], of the version that has the blob `one` now. Versions hand all of their blobs over at once,
    /// and blobs never change: a reader that holds on to one of them finds the others whatever becomes of the version.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn blobs_beside(&self, one: BlobName, from: u64, limit: u32) -> Result<Vec<Blob>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT b.name, b.part_no, b.start, b.size, b.md5, b.format, b.place
                 FROM blobs known JOIN blobs b ON b.owner = known.owner
                 WHERE known.name = $1 AND b.start + b.size > $2 ORDER BY b.part_no LIMIT $3",
                args![one, from, limit],
            )
            .await?;
        rows.into_iter().map(|mut row| Ok(read_blob(&mut row)?)).collect()
    }

    /// The bytes of an inline blob as they lie at rest.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn inline_bytes(&self, blob: BlobName) -> Result<Option<Bytes>, Failure> {
        let row =
            self.readers.fetch_one("SELECT bytes FROM inline_bytes WHERE blob = $1", args![blob]).await?;
        match row {
            Some(mut row) => Ok(row.bytes()?.map(Bytes::from)),
            None => Ok(None),
        }
    }
}
