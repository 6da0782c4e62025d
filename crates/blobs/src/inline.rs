//! Small bodies, which lie in the metadata database instead of the store. How they look there is decided here too.

use crate::{BlobError, format};
use bytes::Bytes;

/// The bytes to store for a body, and the tag that tells [`decode`] how.
pub fn encode(body: Bytes) -> (i64, Bytes) {
    (format::WRITTEN, body)
}

/// The body that `stored` is.
///
/// # Errors
/// [`BlobError::UnknownFormat`] if this version does not know the tag.
pub fn decode(format: i64, stored: Bytes) -> Result<Bytes, BlobError> {
    format::check(format)?;
    Ok(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_comes_back_as_it_was_and_an_unknown_format_is_refused() {
        let (format, stored) = encode(Bytes::from_static(b"ashes"));
        assert_eq!(decode(format, stored), Ok(Bytes::from_static(b"ashes")));
        assert_eq!(decode(7, Bytes::new()), Err(BlobError::UnknownFormat(7)));
    }
}
