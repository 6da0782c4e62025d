//! Reading: a range of one blob, as a stream.

use crate::blobs::{Blobs, Inner};
use crate::error::BlobError;
use crate::format;
use crate::name::path_of;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use lifecycle::{Blob, BlobName, Place};
use object_store::{GetOptions, GetResultPayload};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// No chunk but the last is smaller.
const CHUNK_LEAST: usize = 128 << 10;
/// How much of a local file is read at once.
const CHUNK_LOCAL: u64 = 256 << 10;

type Chunks = BoxStream<'static, Result<Bytes, BlobError>>;

impl Blobs {
    /// The bytes `range` of a blob that lies in the store, counted from the blob's own first byte. Chunks have at
    /// least 128 KiB, except the last. A stream that has begun ends with exactly the bytes asked for, even if the
    /// blob is destroyed meanwhile (on a local root and in memory), or with an error.
    ///
    /// # Errors
    /// [`BlobError::Missing`] if the root is verified and the blob is not there, [`BlobError::Damaged`] if its size is
    /// not the row's, [`BlobError::UnknownFormat`], and [`BlobError::Unavailable`] for all else, among it a blob that
    /// lies inline and a range that goes beyond its end.
    pub async fn open_range(&self, blob: &Blob, range: Range<u64>) -> Result<Chunks, BlobError> {
        format::check(blob.format)?;
        let name = blob.name;
        if blob.place == Place::Inline {
            return Err(BlobError::lasting(format!(
                "blob {name} lies in the metadata database, not in the store"
            )));
        }
        if range.start > range.end || range.end > blob.size {
            let (start, end, size) = (range.start, range.end, blob.size);
            return Err(BlobError::lasting(format!(
                "bytes {start} to {end} are not within the {size} of blob {name}"
            )));
        }
        let options = if range.is_empty() {
            GetOptions { head: true, ..GetOptions::default() }
        } else {
            GetOptions { range: Some(range.clone().into()), ..GetOptions::default() }
        };
        let found = match self.inner.store.get_opts(&path_of(name), options).await {
            Ok(found) => found,
            Err(error) => return Err(self.inner.unreadable(blob, &error).await),
        };
        right_size(blob, found.meta.size)?;
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        if found.range != range {
            let (start, end) = (found.range.start, found.range.end);
            return Err(damaged(
                name,
                format!("bytes {start} to {end} came instead of {} to {}", range.start, range.end),
            ));
        }
        Ok(match found.payload {
            // `object_store` would cut files into 8 KiB, and turn in circles at the end of one that was truncated.
            GetResultPayload::File(file, _) => chunks_of_file(name, file, range),
            GetResultPayload::Stream(stream) => chunks_of_stream(name, stream, range.end - range.start),
        })
    }
}

impl Inner {
    /// Why a blob could not be opened: the store's error, unless looking again explains it.
    async fn unreadable(&self, blob: &Blob, error: &object_store::Error) -> BlobError {
        if matches!(error, object_store::Error::NotFound { .. }) {
            return self.verify_root().await.err().unwrap_or(BlobError::Missing(blob.name));
        }
        // A range that begins behind the end of a truncated blob is an error without a name.
        match self.head(blob.name).await {
            Ok(Some(meta)) => right_size(blob, meta.size).err().unwrap_or_else(|| BlobError::of_store(error)),
            _ => BlobError::of_store(error),
        }
    }
}

fn right_size(blob: &Blob, found: u64) -> Result<(), BlobError> {
    if found == blob.size {
        return Ok(());
    }
    Err(damaged(blob.name, format!("{found} bytes are there, and its row says {}", blob.size)))
}

fn damaged(name: BlobName, what: String) -> BlobError {
    BlobError::Damaged { name, what }
}

fn chunks_of_file(name: BlobName, file: File, range: Range<u64>) -> Chunks {
    let state = (file, range);
    stream::try_unfold(state, move |(file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let end = range.end.min(range.start.saturating_add(CHUNK_LOCAL));
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; usize::try_from(end - range.start).unwrap_or_default()];
            file.read_exact_at(&mut chunk, range.start).map(|()| (Bytes::from(chunk), (file, end..range.end)))
        });
        match read.await.map_err(|e| BlobError::cut_short(&e))? {
            Ok(next) => Ok(Some(next)),
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(damaged(name, format!("it ended before byte {end}, while it was read")))
            }
            Err(e) => Err(BlobError::local(&format!("reading blob {name}"), &e)),
        }
    })
    .boxed()
}

/// A store's stream with small chunks joined, counted to the end.
struct Joined {
    from: BoxStream<'static, object_store::Result<Bytes>>,
    pending: BytesMut,
    /// Bytes still to come from the store.
    left: u64,
}

fn chunks_of_stream(
    name: BlobName,
    from: BoxStream<'static, object_store::Result<Bytes>>,
    wanted: u64,
) -> Chunks {
    let joined = Joined { from, pending: BytesMut::new(), left: wanted };
    stream::try_unfold(joined, move |mut joined| async move {
        let next = joined.next(name).await?;
        Ok(next.map(|chunk| (chunk, joined)))
    })
    .boxed()
}

impl Joined {
    async fn next(&mut self, name: BlobName) -> Result<Option<Bytes>, BlobError> {
        loop {
            match self.from.next().await {
                Some(Ok(chunk)) => {
                    let more = self.left.checked_sub(chunk.len() as u64);
                    self.left =
                        more.ok_or_else(|| damaged(name, "more bytes came than were asked for".into()))?;
                    if self.pending.is_empty() && chunk.len() >= CHUNK_LEAST {
                        return Ok(Some(chunk));
                    }
                    self.pending.extend_from_slice(&chunk);
                    if self.pending.len() >= CHUNK_LEAST {
                        return Ok(Some(self.pending.split().freeze()));
                    }
                }
                Some(Err(error)) => return Err(BlobError::of_store(&error)),
                None if self.left > 0 => {
                    return Err(damaged(name, format!("it ended {} bytes early", self.left)));
                }
                None if self.pending.is_empty() => return Ok(None),
                None => return Ok(Some(self.pending.split().freeze())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt;

    fn chunks(sizes: &[usize]) -> BoxStream<'static, object_store::Result<Bytes>> {
        let owned: Vec<_> = sizes.iter().map(|&size| Ok(Bytes::from(vec![7; size]))).collect();
        stream::iter(owned).boxed()
    }

    #[tokio::test]
    async fn small_chunks_are_joined_and_large_ones_pass() {
        let joined = chunks_of_stream(BlobName::random(), chunks(&[1_000, 130_072, 200_000, 5]), 331_077);
        let sizes: Vec<_> = joined.map_ok(|chunk| chunk.len()).try_collect().await.unwrap();
        assert_eq!(sizes, [131_072, 200_000, 5]);
    }

    #[tokio::test]
    async fn a_stream_that_ends_early_or_late_is_damage() {
        for wanted in [9, 11] {
            let all: Result<Vec<_>, _> =
                chunks_of_stream(BlobName::random(), chunks(&[10]), wanted).try_collect().await;
            assert!(matches!(all, Err(BlobError::Damaged { .. })), "{wanted}");
        }
    }
}
