//! A request's body on its way to `s3s`: at our pace, of no more than its operation takes, and checked against
//! `Content-MD5` and checksums where `s3s` reads the body itself. Why it broke off is kept here, for `s3s` forgets.

use super::checksums;
use super::documents::{BadDocument, Kind};
use super::error::{Trouble, bad_digest, trouble, unbuilt, unread};
use super::framing::{BadFrame, Chunks, Framing};
use super::trailers::{Own, UNSIGNED_TRAILER};
use crate::http::{BodyReader, ReadError};
use crate::objects::{Digest, HashType, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use sha2::{Digest as _, Sha256};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

/// The most of a body that is a document: a list of 1,000 keys of 1,024 bytes, with tags and escapes; 10,000 parts.
pub(super) const DOCUMENT_MAX: u64 = 4 << 20;
/// The most of any other document.
const SMALL_DOCUMENT_MAX: u64 = 64 << 10;

const CONTENT_SHA256: &str = "x-amz-content-sha256";

/// The most bytes of a document.
fn most(kind: Kind) -> u64 {
    match kind {
        Kind::Delete | Kind::Complete | Kind::Lifecycle => DOCUMENT_MAX,
        Kind::Tagging
        | Kind::Versioning
        | Kind::Cors
        | Kind::Notification
        | Kind::Logging
        | Kind::Payment
        | Kind::Acceleration
        | Kind::Bucket
        | Kind::Acl
        | Kind::PublicBlock
        | Kind::Ownership
        | Kind::ObjectLock
        | Kind::Retention
        | Kind::LegalHold
        | Kind::Other => SMALL_DOCUMENT_MAX,
    }
}

/// Why a body did not arrive, once it is known.
pub(super) type Broken = Arc<OnceLock<WireError>>;

/// The document of a bucket to be made, as [`Kind::rewrite`] writes it, once it is there: `s3s` does not know all of it.
pub(super) type Plain = Arc<OnceLock<String>>;

/// Why a body did not arrive.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum WireError {
    /// It broke off, or came too slowly.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// Its chunks are not all there.
    #[error("{0}")]
    Frame(#[from] BadFrame),
    /// It is no document of its kind.
    #[error("The XML you provided was not well-formed or did not validate against our published schema: {0}")]
    Document(#[from] BadDocument),
    /// It is no access list, for which AWS has a word of its own.
    #[error("The XML you provided was not well-formed or did not validate against our published schema: {0}")]
    List(BadDocument),
    /// It is not what this header says.
    #[error("The {0} you specified did not match what we received.")]
    Digest(&'static str),
}

impl WireError {
    /// What the client hears.
    pub(super) fn trouble(&self) -> Trouble {
        match self {
            WireError::Read(error) => unread(error),
            WireError::Frame(BadFrame::Large) => trouble("InvalidRequest", self.to_string()),
            WireError::Frame(_) => trouble("IncompleteBody", self.to_string()),
            WireError::Document(_) => trouble("MalformedXML", self.to_string()),
            WireError::List(_) => trouble("MalformedACLError", self.to_string()),
            WireError::Digest(CONTENT_SHA256) => trouble(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
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
    /// What a document is and must be, and its bytes until it is all there.
    document: Option<Kind>,
    seals: Vec<(&'static str, Digest)>,
    /// Of a body that is sent in AWS's own chunks.
    framing: Option<Framing>,
    trailers: Own,
    /// The digest of a body that nobody signed, and what it must be.
    hashed: Option<(Sha256, Digest)>,
    read: Vec<Bytes>,
    broken: Broken,
    plain: Plain,
}

impl Wire {
    /// Watches `reader`. `document`: what a body is that is no object's.
    ///
    /// # Errors
    /// `InvalidDigest` for a `Content-MD5` that is none, `MaxMessageLengthExceeded` for a length that is too much.
    pub(super) fn new(
        reader: BodyReader,
        headers: &HeaderMap,
        document: Option<Kind>,
        (signed, broken): (bool, Broken),
    ) -> Result<Self, Trouble> {
        let mut seals = Vec::new();
        let form = headers.get("x-amz-content-sha256").map_or(&b""[..], |form| form.as_bytes());
        let framed = form.starts_with(b"STREAMING");
        // Without a length of what is in the chunks, `s3s` refuses the request.
        let length = headers.get("x-amz-decoded-content-length").and_then(|length| length.to_str().ok());
        let length: Option<u64> = length.and_then(|length| length.parse().ok()).filter(|_| framed);
        let chunks = match form == UNSIGNED_TRAILER {
            true if signed => Chunks::Open,
            true => Chunks::Bare,
            false => Chunks::Signed,
        };
        let framing = length.map(|length| Framing::new(length, chunks));
        // An object's bytes are checked where they are hashed anyway.
        if let Some(kind) = document {
            // A framed body is not what these are of.
            if framed {
                return Err(unbuilt("A document that is sent in chunks"));
            }
            seals.extend(content_md5(headers)?.map(|said| ("Content-MD5", Digest::md5(said))));
            if let Some(digest) = payload(headers) {
                seals.push((CONTENT_SHA256, digest));
            }
            // What stands in the head of a completion is the checksum of the object.
            if kind != Kind::Complete
                && let Some(said) = checksums::header(headers)?
                && let Some(digest) = said.digest()
            {
                seals.push((said.algorithm.header(), digest));
            }
        }
        let bare = framing.is_some() && chunks == Chunks::Bare;
        let left = if bare { length } else { reader.declared() };
        let max = document.map_or(u64::MAX, most);
        if left.is_some_and(|length| length > max) {
            return Err(unread(&ReadError::TooLarge { max }));
        }
        let hashed = payload(headers).filter(|_| !signed && document.is_none());
        let hashed = hashed.map(|said| (Sha256::new(), said));
        // Nobody asks for the bytes of a body without any.
        if left == Some(0) && hashed.as_ref().is_some_and(|(_, said)| *said != digest(HashType::Sha256, b""))
        {
            return Err(WireError::Digest(CONTENT_SHA256).trouble());
        }
        let (read, plain, trailers) = (Vec::new(), Plain::default(), Own::default());
        Ok(Wire { reader, left, max, document, seals, framing, trailers, hashed, read, broken, plain })
    }

    /// Where the trailer will be that nobody else reads.
    pub(super) fn trailers(&self) -> Option<Own> {
        self.framing.as_ref().filter(|framing| framing.is_bare()).map(|_| Arc::clone(&self.trailers))
    }

    /// Where the document will be that `s3s` does not know all of.
    pub(super) fn plain(&self) -> Plain {
        Arc::clone(&self.plain)
    }

    /// Whether the document is what it should be.
    fn judge(&mut self) -> Result<(), WireError> {
        if let Some(framing) = &self.framing {
            framing.end()?;
            if framing.is_bare() {
                let _ = self.trailers.set(framing.trailer().ok_or(BadFrame::Short)?);
            }
        }
        if let Some((hasher, said)) = self.hashed.take()
            && said.bytes() != hasher.finalize().as_slice()
        {
            return Err(WireError::Digest(CONTENT_SHA256));
        }
        let Some(kind) = self.document.take() else { return Ok(()) };
        let whole = std::mem::take(&mut self.read).concat();
        let wrong = self.seals.drain(..).find(|(_, said)| digest(said.of(), &whole) != *said);
        match wrong {
            Some((header, _)) => Err(WireError::Digest(header)),
            None if kind == Kind::Bucket && !whole.is_empty() => {
                let _ = self.plain.set(kind.rewrite(&whole)?);
                Ok(())
            }
            None if kind == Kind::Acl => kind.check(&whole).map_err(WireError::List),
            None => Ok(kind.check(&whole)?),
        }
    }

    fn is_bare(&self) -> bool {
        self.framing.as_ref().is_some_and(Framing::is_bare)
    }

    fn broke(&self, error: WireError) -> WireError {
        let _ = self.broken.set(error.clone());
        error
    }
}

/// The SHA-256 that was signed. `s3s` compares it too, and calls a document that differs an error of its own.
fn payload(headers: &HeaderMap) -> Option<Digest> {
    let text = headers.get("x-amz-content-sha256")?.to_str().ok().filter(|text| text.len() == 64)?;
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    Digest::new(HashType::Sha256, (0..64).step_by(2).map(byte).collect::<Option<_>>()?)
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
                let bytes = match &mut this.framing {
                    None => bytes,
                    Some(framing) => match framing.pass(bytes) {
                        Ok(bytes) => bytes,
                        Err(error) => return Poll::Ready(Some(Err(this.broke(error.into())))),
                    },
                };
                let counted = if this.is_bare() { bytes.len() as u64 } else { length };
                this.left = this.left.map(|left| left.saturating_sub(counted));
                if let Some((hasher, _)) = &mut this.hashed {
                    hasher.update(&bytes);
                }
                if this.document.is_some() {
                    this.read.push(bytes.clone());
                }
                if this.document.is_some() || this.hashed.is_some() {
                    // `s3s` does not ask for more than was declared, and must not find out first what is wrong.
                    if this.left == Some(0)
                        && let Err(error) = this.judge()
                    {
                        return Poll::Ready(Some(Err(this.broke(error))));
                    }
                }
                Some(Ok(Frame::data(bytes)))
            }
            Ok(None) => this.judge().err().map(|error| Err(this.broke(error))),
            Err(error) => Some(Err(this.broke(error.into()))),
        })
    }

    fn size_hint(&self) -> SizeHint {
        // What is cut anew has another length on the way.
        self.left
            .filter(|_| self.framing.is_none() || self.is_bare())
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
