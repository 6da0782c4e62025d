//! What comes behind a body that is sent in chunks: read by `s3s` where the request is signed, and else by `framing`.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::TrailingHeaders;
use std::sync::{Arc, OnceLock};

const ANNOUNCED: &str = "x-amz-trailer";
/// What `x-amz-content-sha256` says of a body in chunks that have no signatures.
pub(super) const UNSIGNED_TRAILER: &[u8] = b"STREAMING-UNSIGNED-PAYLOAD-TRAILER";
/// The most bytes of a trailer.
pub(super) const TRAILER_MAX: usize = 4 << 10;

/// A trailer that `framing` reads, once it is there.
pub(super) type Own = Arc<OnceLock<HeaderMap>>;

/// A trailer, to be looked at behind the body.
#[derive(Clone)]
pub(super) enum Trailers {
    /// Of a signed request.
    Signed(TrailingHeaders),
    /// Of one that nobody has signed.
    Own(Own),
}

impl Trailers {
    /// The lines; `None` while the body is not over.
    pub(super) fn take(&self) -> Option<HeaderMap> {
        match self {
            Trailers::Signed(trailers) => trailers.take(),
            Trailers::Own(own) => own.get().cloned(),
        }
    }
}

/// `s3s` takes no body that could have a trailer unless it is told which; where nothing signs it, it need have none. So a
/// request that was checked and announces none announces nothing.
pub(super) fn announced(parts: &mut Parts) {
    let form = parts.headers.get("x-amz-content-sha256").map(HeaderValue::as_bytes);
    if form == Some(UNSIGNED_TRAILER) {
        parts.headers.entry(ANNOUNCED).or_insert(HeaderValue::from_static(""));
    }
}

/// Whether a trailer is announced.
pub(super) fn is_announced(headers: &HeaderMap) -> bool {
    headers.get(ANNOUNCED).is_some_and(|names| !names.is_empty())
}

/// Reads the lines of a trailer, up to the empty one that ends it. `None` for what is no trailer, or is cut.
pub(super) fn read(text: &[u8]) -> Option<HeaderMap> {
    let (mut rest, mut lines) = (text, HeaderMap::new());
    loop {
        let end = rest.windows(2).position(|at| at == b"\r\n")?;
        let (line, behind) = (&rest[..end], &rest[end + 2..]);
        if line.is_empty() {
            return behind.is_empty().then_some(lines);
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = Bytes::copy_from_slice(line[colon + 1..].trim_ascii());
        lines.append(name, HeaderValue::from_maybe_shared(value).ok()?);
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_is_lines_and_an_empty_one() {
        let lines = read(b"x-amz-checksum-crc32: AA==\r\nb:c\r\n\r\n").unwrap();
        assert_eq!((lines.len(), &lines["x-amz-checksum-crc32"]), (2, &HeaderValue::from_static("AA==")));
        assert!(read(b"\r\n").unwrap().is_empty());
        for bad in [
            "",
            "a:b",
            "a:b\r\n",
            "a\r\n\r\n",
            ":b\r\n\r\n",
            "a b:c\r\n\r\n",
            "a:b\r\n\r\nmore",
            "a:\0\r\n\r\n",
        ] {
            assert!(read(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }
}
