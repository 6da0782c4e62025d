//! An object's or a part's content as `s3s` hands it on: unwrapped, its signatures verified as it comes. What `s3s` found
//! wrong with it is named here, for its errors have no types that others may know.

use super::checksums::{self, Wanted};
use super::error::{Trouble, failed, trouble};
use super::exchange::Exchange;
use super::trailers::is_announced;
use super::wire::content_md5;
use crate::objects::{ChecksumAlgorithm, Error, Source};
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt, future};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use s3s::dto::StreamingBlob;
use s3s::stream::ByteStream;
use std::sync::{Arc, Mutex, PoisonError};

/// The largest body of one request: 5 GiB, as in AWS.
const MOST: u64 = 5 << 30;

/// What was wrong with a body, if something was.
#[derive(Clone, Default)]
pub(super) struct Found(Arc<Mutex<Option<Trouble>>>);

/// A body on its way in.
pub(super) struct Content {
    pub(super) source: Source<'static>,
    /// What its MD5 must be.
    pub(super) md5: Option<[u8; 16]>,
    found: Found,
}

impl Content {
    /// The content of a request, with the checksum that its headers speak of.
    ///
    /// # Errors
    /// `MissingContentLength`, `EntityTooLarge`, `InvalidDigest`, and what is wrong with the checksum's headers.
    pub(super) fn of(exchange: &Exchange<'_>, body: Option<StreamingBlob>) -> Result<Self, Trouble> {
        let checksum = checksums::wanted(&exchange.headers, exchange.trailers.clone())?;
        let content = Content::plain(exchange, body)?;
        Ok(content.with_checksum(checksum))
    }

    fn plain(exchange: &Exchange<'_>, body: Option<StreamingBlob>) -> Result<Self, Trouble> {
        let body = body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
        let declared = body.remaining_length().exact().map(|length| length as u64);
        // HTTP takes a request that says nothing for one with an empty body. A body that was lost on the way must not
        // replace an object.
        let framed =
            [CONTENT_LENGTH, TRANSFER_ENCODING].iter().any(|name| exchange.headers.contains_key(name));
        let declared = declared.filter(|_| framed).ok_or_else(|| {
            trouble("MissingContentLength", "You must provide the Content-Length HTTP header.")
        })?;
        if declared > MOST {
            return Err(trouble("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"));
        }
        let (found, broken) = (Found::default(), Arc::clone(&exchange.broken));
        let kept = found.clone();
        let chunks = body.map(move |chunk| {
            chunk.map_err(|error| {
                let trouble =
                    broken.get().map_or_else(|| named(&error.to_string()), |broken| broken.trouble());
                let text = trouble.code().as_str().to_owned();
                kept.keep(trouble);
                Error::BadRequest(text)
            })
        });
        let md5 = content_md5(&exchange.headers)?;
        let chunks = chunks.chain(unannounced(exchange, found.clone()));
        Ok(Content { source: Source::stream(Some(declared), chunks.boxed()), md5, found })
    }

    fn judged(self, checksum: Wanted) -> Self {
        let of = [checksum.algorithm.hash_type()];
        Content { source: self.source.judged(&of, checksum.judge(self.found.clone())), ..self }
    }

    /// A content of another wrapping. Whoever makes it keeps in `found` what was wrong with it.
    pub(super) fn streamed(
        chunks: BoxStream<'static, Result<Bytes, Error>>,
        md5: Option<[u8; 16]>,
        found: Found,
    ) -> Self {
        Content { source: Source::stream(None, chunks), md5, found }
    }

    /// With a checksum. Where the request speaks of none, AWS's own is computed and kept.
    pub(super) fn with_checksum(self, wanted: Option<Wanted>) -> Self {
        self.judged(wanted.unwrap_or_else(|| Wanted::computed(ChecksumAlgorithm::Crc64Nvme)))
    }

    /// What a failed write means: what was wrong with the body, if that was it.
    pub(super) fn trouble(&self, error: Error) -> Trouble {
        self.found.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(|| failed(error))
    }
}

impl Found {
    pub(super) fn keep(&self, trouble: Trouble) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }
}

/// The end of a body whose headers announce no trailer: it fails if one comes all the same.
fn unannounced(exchange: &Exchange<'_>, found: Found) -> impl Stream<Item = Result<Bytes, Error>> + use<> {
    let trailers = exchange.trailers.clone().filter(|_| !is_announced(&exchange.headers));
    let look = async move {
        let came = trailers?.take()?;
        if came.is_empty() {
            return None;
        }
        let text = "the body has trailers that were not announced";
        found.keep(trouble("MalformedTrailerError", text));
        Some(Err(Error::BadRequest(text.to_owned())))
    };
    stream::once(look).filter_map(future::ready)
}

/// What an error of the streams of `s3s` means.
fn named(text: &str) -> Trouble {
    let says = |word: &str| text.contains(word);
    if says("Sha256Mismatch") {
        trouble(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    } else if says("SignatureMismatch") {
        trouble(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing \
             method.",
        )
    } else if says("Trailer") {
        trouble("MalformedTrailerError", "The trailer of the body is malformed.")
    } else {
        trouble(
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_s3s_finds_wrong_has_a_name() {
        for (text, code) in [
            ("UploadStreamError: Sha256Mismatch", "XAmzContentSHA256Mismatch"),
            ("AwsChunkedStreamError: SignatureMismatch", "SignatureDoesNotMatch"),
            ("AwsChunkedStreamError: Incomplete", "IncompleteBody"),
            ("UploadStreamError: LengthMismatch", "IncompleteBody"),
            ("AwsChunkedStreamError: FormatError", "IncompleteBody"),
        ] {
            assert_eq!(named(text).code().as_str(), code);
        }
    }
}
