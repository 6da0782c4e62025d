//! Reading an object that was made of parts: its blobs one behind the other, each opened when the one before it has ended.

use super::Error;
use super::hashing::{Digest, HashType};
use super::pinned::pinned;
use super::read::{broke_off, cut};
use super::verify::{same, watched};
use crate::Gateway;
use crate::http::Body;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use lifecycle::{Blob, BlobName, Place, VersionId, Violation};
use metadata::Found;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// How many blobs one query reads.
const PAGE: u32 = 256;

type Chunks = BoxStream<'static, Result<Bytes, Error>>;

/// Whether bytes are taken for what they were when they were stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// They are.
    Take,
    /// Each blob is compared with its own MD5 as it is read. Whole blobs only.
    Verify,
}

/// The blobs of a version. A change of its headers alone passes them to another version, in one transaction, and perhaps in
/// the middle of a read: so they are looked for by one of their own names, and never by the version.
#[derive(Clone, Copy)]
struct Parts {
    version: VersionId,
    one: Option<BlobName>,
}

impl Parts {
    fn of(found: &Found) -> Self {
        Parts { version: found.version.id, one: found.part }
    }

    /// The blobs from the one that holds the byte `at` on, without empty ones.
    async fn from(&self, gateway: &Gateway, at: u64) -> Result<Vec<Blob>, Error> {
        let one = self.one.ok_or_else(|| missing(self.version, at))?;
        let mut page = gateway.metadata.blobs_beside(one, at, PAGE).await?;
        page.retain(|blob| blob.size > 0);
        Ok(page)
    }
}

/// What is still to be read.
struct Rest {
    gateway: Gateway,
    parts: Parts,
    range: Range<u64>,
    blobs: VecDeque<Blob>,
    trust: Trust,
}

/// The bytes of `range`, which is not empty. The first blob is opened at once, so that what cannot be read at all is an
/// error and not a body that breaks off.
pub(super) async fn content(
    gateway: &Gateway,
    found: &Found,
    range: Range<u64>,
    trust: Trust,
) -> Result<Body, Error> {
    let length = range.end.saturating_sub(range.start);
    let (parts, version) = (Parts::of(found), found.version.id);
    let pin = gateway.metadata.pin_read(found, "GET").await?;
    let mut rest = Rest { gateway: gateway.clone(), parts, range, blobs: VecDeque::new(), trust };
    let first = rest.next().await?.unwrap_or_else(|| stream::empty().boxed());
    let others = stream::try_unfold(rest, |mut rest| async move {
        let chunks = rest.next().await?;
        Ok::<_, Error>(chunks.map(|chunks| (chunks, rest)))
    });
    let metrics = Arc::clone(&gateway.metrics);
    let chunks = pinned(gateway, pin, first.chain(others.try_flatten()));
    let chunks = chunks.map_err(move |error| broke_off(&metrics, version, error));
    Ok(Body::stream(length, chunks))
}

/// All blobs that hold bytes of what was found, some at a time, in order. Ends with [`Error::Violated`] where one is missing
/// between them.
pub(super) fn all(
    gateway: &Gateway,
    found: &Found,
) -> impl Stream<Item = Result<Vec<Blob>, Error>> + Send + Unpin + use<> {
    let (parts, size) = (Parts::of(found), found.version.size);
    let state = (gateway.clone(), 0);
    let pages = stream::try_unfold(state, move |(gateway, mut at)| async move {
        if at >= size {
            return Ok(None);
        }
        let page = parts.from(&gateway, at).await?;
        let first = at;
        for blob in &page {
            if blob.start != at {
                return Err(missing(parts.version, at));
            }
            at += blob.size;
        }
        if at == first {
            return Err(missing(parts.version, at));
        }
        Ok(Some((page, (gateway, at))))
    });
    pages.boxed()
}

fn missing(version: VersionId, at: u64) -> Error {
    let finding = format!("version {version} has no blob that holds its byte {at}");
    Error::Violated(Violation::new("R1", finding))
}

/// The bytes of a blob that lies in the database.
pub(super) async fn inline(gateway: &Gateway, version: VersionId, blob: &Blob) -> Result<Bytes, Error> {
    let Some(stored) = gateway.metadata.inline_bytes(blob.name).await? else {
        let finding = format!("inline bytes of version {version} are missing");
        return Err(Error::Violated(Violation::new("R1", finding)));
    };
    Ok(blobs::inline::decode(blob.format, stored)?)
}

impl Rest {
    /// The bytes of the next blob that are wanted; `None` at the end.
    async fn next(&mut self) -> Result<Option<Chunks>, Error> {
        if self.range.is_empty() {
            return Ok(None);
        }
        if self.blobs.is_empty() {
            self.blobs = self.parts.from(&self.gateway, self.range.start).await?.into();
        }
        let Some(blob) = self.blobs.pop_front().filter(|blob| blob.start <= self.range.start) else {
            return Err(missing(self.parts.version, self.range.start));
        };
        let end = self.range.end.min(blob.start + blob.size);
        let part = self.range.start - blob.start..end - blob.start;
        self.range.start = end;
        let chunks = match blob.place {
            Place::Store => self.gateway.blobs.open_range(&blob, part).await?.map_err(Error::from).boxed(),
            Place::Inline => {
                let bytes = cut(inline(&self.gateway, self.parts.version, &blob).await?, &part)?;
                stream::iter([Ok(bytes)]).boxed()
            }
        };
        match self.trust {
            Trust::Take => Ok(Some(chunks)),
            Trust::Verify => self.verified(chunks, &blob).map(Some),
        }
    }

    fn verified(&self, chunks: Chunks, blob: &Blob) -> Result<Chunks, Error> {
        let (version, part) = (self.parts.version, blob.part_no);
        let Some(md5) = blob.md5 else {
            let finding = format!("part {part} of version {version} has no MD5");
            return Err(Error::Violated(Violation::new("R1", finding)));
        };
        let said = Digest::md5(md5);
        let judge = move |digests: &super::Digests| same(version, digests.get(HashType::Md5)?, &said);
        Ok(watched(chunks, &[HashType::Md5], judge).boxed())
    }
}
