//! Verifying what is read: looking for its bytes before, and hashing them while they are sent.
//!
//! A digest is known only behind the last byte, when most of the body is on its way already. So the last bytes wait for it
//! ([`crate::http::body`] holds them back), and content that is not what it should be is cut before its end: nobody can
//! take it for whole.

use super::Error;
use super::hashing::{Digest, Digests, HashType, Hashing};
use super::read::{broke_off, content};
use super::segments::{self, Trust};
use super::source::chunks;
use crate::Gateway;
use crate::http::Body;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use http::HeaderMap;
use http_body::Frame;
use lifecycle::{Blob, Place, VersionId, Violation};
use metadata::Found;
use std::sync::Arc;

/// How many blobs are looked for at once.
const AT_ONCE: usize = 16;

/// The whole content of what was found, compared on its way with the MD5 that was stored with it; where it is made of
/// parts, each of these with its own. Content that differs is cut, logged and counted as a broken rule R1.
///
/// # Errors
/// [`Error::BadRequest`] if no MD5 was stored, else as [`content`].
pub async fn validated(gateway: &Gateway, found: &Found) -> Result<Body, Error> {
    let (version, size) = (&found.version, found.version.size);
    if version.parts.is_some() {
        let known = |blob: &Blob| blob.md5.is_some();
        let mut blobs = segments::all(gateway, found);
        while let Some(page) = blobs.try_next().await? {
            if !page.iter().all(known) {
                return Err(nothing_to_compare(version.id));
            }
        }
        drop(blobs);
        if size == 0 {
            return Ok(Body::Empty);
        }
        return segments::content(gateway, found, 0..size, Trust::Verify).await;
    }
    let said = Digest::md5(version.md5.ok_or_else(|| nothing_to_compare(version.id))?);
    let body = content(gateway, found, 0..size).await?;
    let (id, metrics) = (version.id, Arc::clone(&gateway.metrics));
    Ok(checked(body, size, &[HashType::Md5], move |digests| {
        let compared = digests.get(HashType::Md5).and_then(|is| same(id, is, &said));
        compared.map_err(|error| broke_off(&metrics, id, error))
    }))
}

fn nothing_to_compare(version: VersionId) -> Error {
    Error::BadRequest(format!("validate compares with a stored MD5, and version {version} has none"))
}

/// Passes if bytes of `version` are what they were when they were stored.
pub(super) fn same(version: VersionId, is: &Digest, said: &Digest) -> Result<(), Error> {
    is.compare(said).map_err(|differs| {
        let finding = format!("bytes of version {version} have changed since they were stored: {differs}");
        Error::Violated(Violation::new("R1", finding))
    })
}

/// Passes if all bytes of what was found are there, as far as can be told without reading them: every blob, of the size
/// that its row says, and none missing between them.
///
/// # Errors
/// [`Error::Violated`] if something is missing, [`Error::Unavailable`] if that cannot be told now.
pub async fn present(gateway: &Gateway, found: &Found) -> Result<(), Error> {
    let version = &found.version;
    if version.size == 0 {
        return Ok(());
    }
    if version.parts.is_none() {
        let Some(blob) = found.blob.clone() else {
            return Err(Error::Violated(Violation::new("R1", format!("version {} has no blob", version.id))));
        };
        return there(gateway.clone(), version.id, blob, found.inline.clone()).await;
    }
    let mut pages = segments::all(gateway, found);
    while let Some(page) = pages.try_next().await? {
        let looking = page.into_iter().map(|blob| there(gateway.clone(), version.id, blob, None));
        stream::iter(looking).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }
    Ok(())
}

async fn there(gateway: Gateway, version: VersionId, blob: Blob, inline: Option<Bytes>) -> Result<(), Error> {
    match blob.place {
        Place::Store => {
            // No bytes are asked for; that they are there, and how many, is checked by the way.
            drop(gateway.blobs.open_range(&blob, 0..0).await?);
            Ok(())
        }
        Place::Inline => {
            let plain = match inline {
                Some(stored) => blobs::inline::decode(blob.format, stored)?,
                None => segments::inline(&gateway, version, &blob).await?,
            };
            if plain.len() as u64 == blob.size {
                return Ok(());
            }
            let finding =
                format!("{} inline bytes of version {version} are there, not {}", plain.len(), blob.size);
            Err(Error::Violated(Violation::new("R1", finding)))
        }
    }
}

/// `body`, of `length` bytes, hashed on its way. `judge` sees the digests before the last bytes are let go, and may cut
/// them. Without any bytes the answer has no `Content-Length`: it could not be cut.
pub fn checked<F>(body: Body, length: u64, types: &[HashType], judge: F) -> Body
where
    F: FnOnce(&Digests) -> Result<(), Error> + Send + 'static,
{
    let bytes = data(hash(chunks(body), types, |digests| judge(digests).map(|()| None)));
    if length == 0 { Body::chunked(bytes) } else { Body::stream(length, bytes) }
}

/// As [`checked`], and what `judge` gives goes behind the last byte, as trailers.
pub fn trailed<F>(body: Body, length: u64, types: &[HashType], judge: F) -> Body
where
    F: FnOnce(&Digests) -> Result<HeaderMap, Error> + Send + 'static,
{
    Body::trailed(length, hash(chunks(body), types, |digests| judge(digests).map(Some)))
}

/// `source`, hashed on its way; an error of `judge` is its end instead of the end.
pub(super) fn watched<S, F>(
    source: S,
    types: &[HashType],
    judge: F,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<S, F>
where
    S: Stream<Item = Result<Bytes, Error>> + Send + Unpin + 'static,
    F: FnOnce(&Digests) -> Result<(), Error> + Send + 'static,
{
    data(hash(source, types, |digests| judge(digests).map(|()| None)))
}

fn data<S>(frames: S) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<S>
where
    S: Stream<Item = Result<Frame<Bytes>, Error>> + Send,
{
    frames.map_ok(|frame| frame.into_data().unwrap_or_default())
}

fn hash<S, F>(
    source: S,
    types: &[HashType],
    judge: F,
) -> impl Stream<Item = Result<Frame<Bytes>, Error>> + Send + use<S, F>
where
    S: Stream<Item = Result<Bytes, Error>> + Send + Unpin + 'static,
    F: FnOnce(&Digests) -> Result<Option<HeaderMap>, Error> + Send + 'static,
{
    let state = Some((source, Hashing::new(types), judge));
    stream::try_unfold(state, |state| async move {
        let Some((mut source, mut hashing, judge)) = state else { return Ok(None) };
        match source.next().await {
            Some(chunk) => {
                let chunk = chunk?;
                // Hashed while it is being sent: the next one waits for it, this one does not.
                hashing.feed(chunk.clone()).await?;
                Ok(Some((Frame::data(chunk), Some((source, hashing, judge)))))
            }
            None => {
                let trailers = judge(&hashing.finish().await?)?;
                Ok(trailers.map(|trailers| (Frame::trailers(trailers), None)))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::ETAG;
    use http_body::Body as _;
    use http_body_util::BodyExt;

    fn four() -> Body {
        Body::stream(4, stream::iter([Ok::<_, Error>(Bytes::from("fo")), Ok(Bytes::from("ur"))]))
    }

    fn refuse(_: &Digests) -> Result<(), Error> {
        Err(Error::BadRequest("no".to_owned()))
    }

    async fn bytes(mut body: Body) -> (Vec<u8>, Option<HeaderMap>, bool) {
        let (mut bytes, mut trailers) = (Vec::new(), None);
        while let Some(frame) = body.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => bytes.extend_from_slice(&data),
                Ok(Err(other)) => trailers = other.into_trailers().ok(),
                Err(_) => return (bytes, trailers, false),
            }
        }
        (bytes, trailers, true)
    }

    #[tokio::test]
    async fn what_is_judged_good_passes_with_its_length() {
        let types = [HashType::Md5];
        let body = checked(four(), 4, &types, |digests| {
            assert_eq!(digests.get(HashType::Md5)?.to_string(), "8cbad96aced40b3838dd9f07f6ef5772");
            Ok(())
        });
        assert_eq!(body.size_hint().exact(), Some(4));
        assert_eq!(bytes(body).await, (b"four".to_vec(), None, true));
        let empty = checked(Body::Empty, 0, &types, |_| Ok(()));
        assert_eq!(bytes(empty).await, (Vec::new(), None, true));
    }

    #[tokio::test]
    async fn what_is_judged_bad_is_cut_before_its_last_byte_or_its_end() {
        let types = [HashType::Sha512];
        assert_eq!(bytes(checked(four(), 4, &types, refuse)).await, (b"fo".to_vec(), None, false));
        let empty = checked(Body::Empty, 0, &types, refuse);
        assert_eq!(empty.size_hint().exact(), None, "an empty body is cut before its final chunk");
        assert_eq!(bytes(empty).await, (Vec::new(), None, false));
        let trailed = trailed(four(), 4, &types, |digests| refuse(digests).map(|()| HeaderMap::new()));
        assert_eq!(bytes(trailed).await, (b"fo".to_vec(), None, false));
    }

    #[tokio::test]
    async fn the_digest_can_travel_behind_what_it_is_of() {
        let body = trailed(Body::from("four"), 4, &[HashType::Sha1], |digests| {
            let digest = digests.get(HashType::Sha1)?.to_string();
            Ok(HeaderMap::from_iter([(ETAG, HeaderValue::try_from(digest).expect("hexadecimal digits"))]))
        });
        let (sent, trailers, whole) = bytes(body).await;
        assert!(whole && sent == b"four");
        assert_eq!(trailers.unwrap()[ETAG], "9f8f7eec5dea5ac43738721939c120318cbff1df");
    }

    #[tokio::test]
    async fn a_source_that_fails_is_not_judged() {
        let failing = stream::iter([Ok(Bytes::from("fo")), Err("the disk is gone")]);
        let judged = checked(Body::stream(4, failing), 4, &[HashType::Md5], |_| panic!("half a body"));
        assert_eq!(bytes(judged).await, (b"fo".to_vec(), None, false));
    }
}
