//! Small bodies, which lie in the metadata database instead of the store. How they look there is decided here too.

use crate::{BlobError, Verdict, format};
use bytes::Bytes;
use lifecycle::Blob;
use md5::{Digest, Md5};

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

/// Whether `stored`, as it lies at rest, is the body that the row describes; `None`: nothing lies there.
///
/// # Errors
/// [`BlobError::UnknownFormat`] if this version does not know the row's tag.
pub fn examine(blob: &Blob, stored: Option<Bytes>) -> Result<Verdict, BlobError> {
    let Some(stored) = stored else {
        format::check(blob.format)?;
        return Ok(Verdict::Missing);
    };
    let body = decode(blob.format, stored)?;
    let found = body.len() as u64;
    if found != blob.size {
        return Ok(Verdict::of_size(found, blob.size));
    }
    Ok(Verdict::of_digest(blob.md5, Md5::digest(&body).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::row;
    use lifecycle::BlobName;

    #[test]
    fn a_body_is_held_against_its_row() {
        let body = Bytes::from_static(b"ashes");
        let md5 = Some(Md5::digest(&body).into());
        let blob = Blob { md5, ..row(BlobName::random(), 5) };
        let verdict = |stored: &'static [u8]| examine(&blob, Some(Bytes::from_static(stored)));
        assert_eq!(verdict(b"ashes"), Ok(Verdict::Sound));
        assert_eq!(verdict(b"ash"), Ok(Verdict::Shorter { found: 3 }));
        assert_eq!(verdict(b"ashes!"), Ok(Verdict::Longer { found: 6 }));
        assert!(matches!(verdict(b"Ashes"), Ok(Verdict::Different { .. })));
        assert_eq!(examine(&blob, None), Ok(Verdict::Missing));
        assert_eq!(examine(&Blob { md5: None, ..blob.clone() }, Some(body)), Ok(Verdict::Unrecorded));
        assert_eq!(examine(&Blob { format: 7, ..blob }, None), Err(BlobError::UnknownFormat(7)));
    }

    #[test]
    fn a_body_comes_back_as_it_was_and_an_unknown_format_is_refused() {
        let (format, stored) = encode(Bytes::from_static(b"ashes"));
        assert_eq!(decode(format, stored), Ok(Bytes::from_static(b"ashes")));
        assert_eq!(decode(7, Bytes::new()), Err(BlobError::UnknownFormat(7)));
    }
}
