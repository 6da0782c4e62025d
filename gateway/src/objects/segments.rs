//! Reading an object that was made of parts: its blobs one behind the other, each opened when the one before it has ended.

use super::Error;
use super::hashing::{Digest, HashType};
use super::read::{broke_off, cut};
use super::verify::{same, watched};
use crate::Gateway;
use crate::http::Body;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use lifecycle::{Blob, Place, VersionId, Violation};
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

/// What is still to be read.
struct Rest {
    gateway: Gateway,
    version: VersionId,
    range: Range<u64>,
    blobs: VecDeque<Blob>,
    trust: Trust,
}

/// The bytes of `range`, which is not empty. The first blob is opened at once, so that what cannot be read at all is an
/// error and not a body that breaks off.
pub(super) async fn content(
    gateway: &Gateway,
    version: VersionId,
    range: Range<u64>,
    trust: Trust,
) -> Result<Body, Error> {
    let length = range.end.saturating_sub(range.start);
    let mut rest = Rest { gateway: gateway.clone(), version, range, blobs: VecDeque::new(), trust };
    let first = rest.next().await?.unwrap_or_else(|| stream::empty().boxed());
    let others = stream::try_unfold(rest, |mut rest| async move {
        let chunks = rest.next().await?;
        Ok::<_, Error>(chunks.map(|chunks| (chunks, rest)))
    });
    let metrics = Arc::clone(&gateway.metrics);
    let chunks = first.chain(others.try_flatten()).map_err(move |error| broke_off(&metrics, version, error));
    Ok(Body::stream(length, chunks))
}

/// All blobs that hold bytes of a version of `size` bytes, some at a time, in order. Ends with [`Error::Violated`] where one
/// is missing between them.
pub(super) fn all(
    gateway: &Gateway,
    version: VersionId,
    size: u64,
) -> impl Stream<Item = Result<Vec<Blob>, Error>> + Send + Unpin + use<> {
    let state = (gateway.clone(), 0);
    let pages = stream::try_unfold(state, move |(gateway, mut at)| async move {
        if at >= size {
            return Ok(None);
        }
        let mut page = gateway.metadata.blobs(version, at, PAGE).await?;
        page.retain(|blob| blob.size > 0);
        let first = at;
        for blob in &page {
            if blob.start != at {
                return Err(missing(version, at));
            }
            at += blob.size;
        }
        if at == first {
            return Err(missing(version, at));
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
            let mut page = self.gateway.metadata.blobs(self.version, self.range.start, PAGE).await?;
            page.retain(|blob| blob.size > 0);
            self.blobs = page.into();
        }
        let Some(blob) = self.blobs.pop_front().filter(|blob| blob.start <= self.range.start) else {
            return Err(missing(self.version, self.range.start));
        };
        let end = self.range.end.min(blob.start + blob.size);
        let part = self.range.start - blob.start..end - blob.start;
        self.range.start = end;
        let chunks = match blob.place {
            Place::Store => self.gateway.blobs.open_range(&blob, part).await?.map_err(Error::from).boxed(),
            Place::Inline => {
                let bytes = cut(inline(&self.gateway, self.version, &blob).await?, &part)?;
                stream::iter([Ok(bytes)]).boxed()
            }
        };
        match self.trust {
            Trust::Take => Ok(Some(chunks)),
            Trust::Verify => self.verified(chunks, &blob).map(Some),
        }
    }

    fn verified(&self, chunks: Chunks, blob: &Blob) -> Result<Chunks, Error> {
        let (version, part) = (self.version, blob.part_no);
        let Some(md5) = blob.md5 else {
            let finding = format!("part {part} of version {version} has no MD5");
            return Err(Error::Violated(Violation::new("R1", finding)));
        };
        let said = Digest::md5(md5);
        let judge = move |digests: &super::Digests| same(version, digests.get(HashType::Md5)?, &said);
        Ok(watched(chunks, &[HashType::Md5], judge).boxed())
    }
}
