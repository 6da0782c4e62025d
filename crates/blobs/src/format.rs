//! What a blob looks like at rest, as the tag in its row says.

use crate::BlobError;

/// The bytes as the object has them.
pub const PLAIN: i64 = 0;

/// The format in which new blobs are written.
pub const WRITTEN: i64 = PLAIN;

/// Refuses a tag that a later version of Barrow must have written.
pub(crate) fn check(format: i64) -> Result<(), BlobError> {
    if format == PLAIN { Ok(()) } else { Err(BlobError::UnknownFormat(format)) }
}
