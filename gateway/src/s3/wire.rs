//! A request's body on its way to `s3s`: at our pace, of no more than its operation takes, and checked against
//! `Content-MD5` and checksums where `s3s` reads the body itself. Why it broke off is kept here, for `s3s` forgets.

use super::checksums;
use super::error::{Trouble, bad_digest, trouble, unbuilt, unread};
use crate::http::{BodyReader, ReadError};
use crate::objects::{Digest, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

/// The most of a body that is a document: a list of 1,000 keys of 1,024 bytes, with tags and escapes; 10,000 parts.
pub(super) const DOCUMENT_MAX: u64 = 4 << 20;
/// The most of any other document.
pub(super) const SMALL_DOCUMENT_MAX: u64 = 64 << 10;

/// Why a body did not arrive, once it is known.
pub(super) type Broken = Arc<OnceLock<WireError>>;

/// Why a body did not arrive.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum WireError {
    /// It broke off, or came too slowly.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// It is not what this header says.
    #[error("The {0} you specified did not match what we received.")]
    Digest(&'static str),
}

impl WireError {
    /// What the client hears.
    pub(super) fn trouble(&self) -> Trouble {
        match self {
            WireError::Read(error) => unread(error),
            WireError::Digest(_) => bad_digest(self.to_string()),
        }
    }
}

/// A body under watch.
pub(super) struct Wire {
    reader: BodyReader,
    left: Option<u64>,
    /// The most it may be.
    max: u64,
    /// What a document must be, and its bytes until it is all there.
    seals: Vec<(&'static str, Digest)>,
    read: Vec<Bytes>,
    broken: Broken,
}

impl Wire {
    /// Watches `reader`. `document`: the most bytes of a body that is no object's, and whether its checksum is its own.
    ///
    /// # Errors
    /// `InvalidDigest` for a `Content-MD5` that is none, `MaxMessageLengthExceeded` for a length that is too much.
    pub(super) fn new(
        reader: BodyReader,
        headers: &HeaderMap,
        document: Option<(u64, bool)>,
        broken: Broken,
    ) -> Result<Self, Trouble> {
        let mut seals = Vec::new();
        // An object's bytes are checked where they are hashed anyway.
        if let Some((_, its_own)) = document {
            // A framed body is not what these are of.
            if headers
                .get("x-amz-content-sha256")
                .is_some_and(|form| form.as_bytes().starts_with(b"STREAMING"))
            {
                return Err(unbuilt("A document that is sent in chunks"));
            }
            seals.extend(content_md5(headers)?.map(|said| ("Content-MD5", Digest::md5(said))));
            if its_own
                && let Some(said) = checksums::header(headers)?
                && let Some(digest) = said.digest()
            {
                seals.push((said.algorithm.header(), digest));
            }
        }
        let (left, max) = (reader.declared(), document.map_or(u64::MAX, |(max, _)| max));
        if left.is_some_and(|length| length > max) {
            return Err(unread(&ReadError::TooLarge { max }));
        }
        Ok(Wire { reader, left, max, seals, read: Vec::new(), broken })
    }

    /// Whether the document is what it should be.
    fn judge(&mut self) -> Result<(), WireError> {
        if self.seals.is_empty() {
            return Ok(());
        }
        let whole = std::mem::take(&mut self.read).concat();
        let wrong = self.seals.drain(..).find(|(_, said)| digest(said.of(), &whole) != *said);
        wrong.map_or(Ok(()), |(header, _)| Err(WireError::Digest(header)))
    }

    fn broke(&self, error: WireError) -> WireError {
        let _ = self.broken.set(error.clone());
        error
    }
}

/// `Content-MD5`, if it was sent.
///
/// # Errors
/// `InvalidDigest`.
pub(super) fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, Trouble> {
    let Some(text) = headers.get("content-md5") else { return Ok(None) };
    let bytes = STANDARD.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    match bytes {
        Some(bytes) => Ok(Some(bytes)),
        None => Err(trouble("InvalidDigest", "The Content-MD5 you specified is not valid.")),
    }
}

impl http_body::Body for Wire {
    type Data = Bytes;
    type Error = WireError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, WireError>>> {
        let this = self.get_mut();
        let next = ready!(this.reader.poll_next(cx));
        Poll::Ready(match next {
            Ok(Some(bytes)) => {
                let length = bytes.len() as u64;
                if length > this.max {
                    return Poll::Ready(Some(Err(this.broke(ReadError::TooLarge { max: this.max }.into()))));
                }
                this.max -= length;
                this.left = this.left.map(|left| left.saturating_sub(length));
                if !this.seals.is_empty() {
                    this.read.push(bytes.clone());
                }
                Some(Ok(Frame::data(bytes)))
            }
            Ok(None) => this.judge().err().map(|error| Err(this.broke(error))),
            Err(error) => Some(Err(this.broke(error.into()))),
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
