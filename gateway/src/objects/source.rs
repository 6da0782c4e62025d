//! Where the bytes of a new version come from: a request's body, another version, or one behind the other.

use super::hashing::{Digest, Digests, HashType, Hashing, Mismatch};
use super::pieces::Pieces;
use super::{Error, content};
use crate::Gateway;
use crate::http::{Body, BodyReader};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http_body_util::BodyExt;
use metadata::Found;
use std::ops::Range;

/// Bytes on their way into a version.
pub struct Source<'a> {
    stored: Option<Stored>,
    body: Option<&'a mut BodyReader>,
    sealing: Option<Sealing>,
    judging: Option<Judging>,
    pieces: Option<Pieces>,
    /// What is known of the length beforehand, whatever the body says.
    expected: Option<u64>,
}

/// Decides at the end of a body whether it is what it should be, by digests of all bytes, and says what is to be kept of
/// them with the object.
pub type Judge = Box<dyn FnOnce(&Digests) -> Result<Option<String>, Error> + Send>;

/// Hashing for a judge.
struct Judging {
    hashing: Option<Hashing>,
    judge: Option<Judge>,
    verdict: Option<String>,
}

/// The bytes of a version that is there, or of a body that somebody else has unwrapped.
struct Stored {
    length: Option<u64>,
    chunks: BoxStream<'static, Result<Bytes, Error>>,
}

/// The bytes are hashed as they pass.
struct Sealing {
    of: HashType,
    said: Option<Digest>,
    hashing: Option<Hashing>,
    /// Once the end is reached.
    done: Option<Result<Digest, Mismatch>>,
}

impl<'a> Source<'a> {
    /// The body of a request.
    pub fn body(body: &'a mut BodyReader) -> Self {
        Source { stored: None, body: Some(body), sealing: None, judging: None, pieces: None, expected: None }
    }

    /// A body that came in another wrapping than HTTP's, which whoever brings it has taken off. `declared`: its length, if
    /// that is known; who declares it sees to it that it is true.
    pub fn stream(declared: Option<u64>, chunks: BoxStream<'static, Result<Bytes, Error>>) -> Self {
        Source {
            stored: Some(Stored { length: declared, chunks }),
            body: None,
            sealing: None,
            judging: None,
            pieces: None,
            expected: None,
        }
    }

    /// All bytes of a version, and then those of a body, if one is given. The version may lose its place meanwhile; its
    /// bytes stay readable until the last one is read.
    ///
    /// # Errors
    /// As [`content`].
    pub async fn stored(
        gateway: &Gateway,
        found: &Found,
        then: Option<&'a mut BodyReader>,
    ) -> Result<Self, Error> {
        let length = found.version.size;
        let body = content(gateway, found, 0..length).await?;
        let stored = Stored { length: Some(length), chunks: chunks(body) };
        Ok(Source {
            stored: Some(stored),
            body: then,
            sealing: None,
            judging: None,
            pieces: None,
            expected: None,
        })
    }

    /// Some bytes of a version, and no others.
    ///
    /// # Errors
    /// As [`content`].
    pub async fn range(gateway: &Gateway, found: &Found, range: Range<u64>) -> Result<Self, Error> {
        let length = range.end.saturating_sub(range.start);
        let body = content(gateway, found, range).await?;
        Ok(Source::stream(Some(length), chunks(body)))
    }

    /// What is left of a body whose beginning somebody has read, and perhaps read too far: `first` comes again.
    pub fn rest_of(first: Bytes, body: &'a mut BodyReader) -> Self {
        let chunks = futures_util::stream::iter((!first.is_empty()).then_some(Ok(first))).boxed();
        let stored = Stored { length: None, chunks };
        Source { stored: Some(stored), ..Source::body(body) }
    }

    /// The length that is expected of it, by which it is decided where the bytes go. It is not held to it.
    pub(super) fn expecting(self, length: u64) -> Self {
        Source { expected: Some(length), ..self }
    }

    /// With the MD5 over the MD5s of pieces.
    pub(super) fn in_pieces(self, pieces: Option<Pieces>) -> Self {
        Source { pieces, ..self }
    }

    /// The MD5 over the MD5s of the pieces, once the end was reached; `None` if none was wanted.
    pub(super) fn pieces(&self) -> Option<[u8; 16]> {
        self.pieces.as_ref().map(Pieces::digest)
    }

    /// With a judge, who is shown digests made by the functions `of` before the source ends: if they are not right, it ends
    /// in the judge's error instead, and nothing is stored.
    pub fn judged(mut self, of: &[HashType], judge: Judge) -> Self {
        self.judging = Some(Judging { hashing: Some(Hashing::new(of)), judge: Some(judge), verdict: None });
        self
    }

    /// What the judge wants to be kept with the object, once the end was reached.
    pub fn verdict(&self) -> Option<String> {
        self.judging.as_ref()?.verdict.clone()
    }

    /// With a digest made of all bytes by the function `of`; with `said`, it must be that one, or the source ends in an
    /// error instead of its end and nothing is stored.
    pub fn sealed(mut self, of: HashType, said: Option<Digest>) -> Self {
        let hashing = Some(Hashing::new(&[of]));
        self.sealing = Some(Sealing { of, said, hashing, done: None });
        self
    }

    /// The digest of everything that came, once the end was reached; how it differs if it is not the one that was said;
    /// `None` if none was wanted.
    pub fn seal(&self) -> Option<&Result<Digest, Mismatch>> {
        self.sealing.as_ref()?.done.as_ref()
    }

    /// How many bytes will come, if that is known.
    pub fn declared(&self) -> Option<u64> {
        if self.expected.is_some() {
            return self.expected;
        }
        let stored = self.stored.as_ref().map_or(Some(0), |stored| stored.length)?;
        match &self.body {
            Some(body) => Some(stored + body.declared()?),
            None => Some(stored),
        }
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Body`] if the request's body does not arrive as it should, [`Error::BadRequest`] if it is not what its
    /// seal says, and what reading the version says.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let next = self.bring().await?;
        if let (Some(pieces), Some(bytes)) = (&mut self.pieces, &next) {
            pieces.feed(bytes);
        }
        match (&mut self.sealing, &next) {
            (Some(sealing), Some(bytes)) => sealing.feed(bytes.clone()).await?,
            (Some(sealing), None) => sealing.finish().await?,
            (None, _) => {}
        }
        match (&mut self.judging, &next) {
            (Some(judging), Some(bytes)) => judging.feed(bytes.clone()).await?,
            (Some(judging), None) => judging.finish().await?,
            (None, _) => {}
        }
        Ok(next)
    }

    async fn bring(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(stored) = &mut self.stored {
            match stored.chunks.next().await {
                Some(chunk) => return chunk.map(Some),
                None => self.stored = None,
            }
        }
        match &mut self.body {
            Some(body) => Ok(body.next().await?),
            None => Ok(None),
        }
    }
}

impl Judging {
    async fn feed(&mut self, bytes: Bytes) -> Result<(), Error> {
        match &mut self.hashing {
            Some(hashing) => hashing.feed(bytes).await,
            None => Ok(()),
        }
    }

    async fn finish(&mut self) -> Result<(), Error> {
        if let (Some(hashing), Some(judge)) = (self.hashing.take(), self.judge.take()) {
            self.verdict = judge(&hashing.finish().await?)?;
            return Ok(());
        }
        match &self.verdict {
            Some(_) => Ok(()),
            // Judged before, and found wrong or not worth keeping: asked again, the source must not look better.
            None => Err(Error::Unavailable("the digest of a body was judged already".to_owned())),
        }
    }
}

impl Sealing {
    async fn feed(&mut self, bytes: Bytes) -> Result<(), Error> {
        match &mut self.hashing {
            Some(hashing) => hashing.feed(bytes).await,
            None => Ok(()),
        }
    }

    async fn finish(&mut self) -> Result<(), Error> {
        if let Some(hashing) = self.hashing.take() {
            let digests = hashing.finish().await?;
            let is = digests.get(self.of)?;
            let compared = self.said.as_ref().map_or(Ok(()), |said| is.compare(said));
            self.done = Some(compared.map(|()| is.clone()));
        }
        match &self.done {
            Some(Ok(_)) => Ok(()),
            Some(Err(mismatch)) => Err(Error::BadRequest(mismatch.to_string())),
            // The hashes were lost; asked again, the source must not look as if it had ended well.
            None => Err(Error::Unavailable("the seal of a body was lost".to_owned())),
        }
    }
}

/// The bytes of a body, with our own errors.
pub(super) fn chunks(body: Body) -> BoxStream<'static, Result<Bytes, Error>> {
    let chunks = body.into_data_stream();
    chunks
        .map(|chunk| chunk.map_err(|error| Error::Unavailable(format!("reading a version: {error}"))))
        .boxed()
}
