//! Reading a blob to its end and holding it against its row: is it there, is it whole, is it what was written?

use crate::blobs::Blobs;
use crate::error::BlobError;
use crate::hashing::Hashing;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use lifecycle::Blob;

/// What became of a blob's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are what the row says.
    Sound,
    /// Their number is right, and the row holds no checksum to compare them with.
    Unrecorded,
    /// They are not there, under a root that is verified.
    Missing,
    /// Fewer are there than were written.
    Shorter {
        /// How many.
        found: u64,
    },
    /// More are there than were written.
    Longer {
        /// How many.
        found: u64,
    },
    /// Their number is right, and they are others than were written.
    Different {
        /// The MD5 of what is there.
        found: [u8; 16],
    },
}

impl Verdict {
    pub(crate) fn of_size(found: u64, wanted: u64) -> Self {
        if found < wanted { Verdict::Shorter { found } } else { Verdict::Longer { found } }
    }

    pub(crate) fn of_digest(recorded: Option<[u8; 16]>, found: [u8; 16]) -> Self {
        match recorded {
            None => Verdict::Unrecorded,
            Some(recorded) if recorded == found => Verdict::Sound,
            Some(_) => Verdict::Different { found },
        }
    }
}

/// A blob on its way through an examination. Holds a chunk or two, whatever the blob's size.
pub struct Examination {
    blobs: Blobs,
    blob: Blob,
    hashing: Hashing,
    /// `None` once there is a verdict.
    chunks: Option<BoxStream<'static, Result<Bytes, BlobError>>>,
    verdict: Option<Verdict>,
}

impl Blobs {
    /// Begins to read a blob that lies in the store.
    ///
    /// # Errors
    /// Those of [`Blobs::open_range`], but for what is a verdict: a blob that is missing or has another size.
    pub async fn examine(&self, blob: &Blob) -> Result<Examination, BlobError> {
        let (chunks, verdict) = match self.open_range(blob, 0..blob.size).await {
            Ok(chunks) => (Some(chunks), None),
            Err(error) => (None, Some(judge(self, blob, error).await?)),
        };
        let (blobs, blob) = (self.clone(), blob.clone());
        Ok(Examination { blobs, blob, hashing: Hashing::default(), chunks, verdict })
    }
}

impl Examination {
    /// Reads on, and tells how many bytes came; `None`: there is nothing more to read.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`]: the examination is over, without a verdict.
    pub async fn read(&mut self) -> Result<Option<u64>, BlobError> {
        let Some(chunks) = &mut self.chunks else { return Ok(None) };
        match chunks.next().await {
            Some(Ok(chunk)) => {
                let read = chunk.len() as u64;
                self.hashing.feed(vec![chunk], ()).await?;
                Ok(Some(read))
            }
            Some(Err(error)) => {
                self.chunks = None;
                self.verdict = Some(judge(&self.blobs, &self.blob, error).await?);
                Ok(None)
            }
            None => {
                self.chunks = None;
                let found = self.hashing.finish().await?;
                self.verdict = Some(Verdict::of_digest(self.blob.md5, found));
                Ok(None)
            }
        }
    }

    /// What came out. `None` before all was read.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }
}

/// What an error of reading says about the blob. A stream that ended early under a blob of the right size says nothing.
async fn judge(blobs: &Blobs, blob: &Blob, error: BlobError) -> Result<Verdict, BlobError> {
    match error {
        BlobError::Missing(_) => Ok(Verdict::Missing),
        BlobError::Damaged { name, what } => match blobs.inner.head(name).await? {
            Some(meta) if meta.size != blob.size => Ok(Verdict::of_size(meta.size, blob.size)),
            Some(_) => {
                let what = format!("blob {name} has its size, and could not be read: {what}");
                Err(BlobError::passing(what))
            }
            None => blobs.verify_root().await.map(|()| Verdict::Missing),
        },
        error @ (BlobError::Unavailable { .. }
        | BlobError::NoSpace { .. }
        | BlobError::AlreadyExists(_)
        | BlobError::UnknownFormat(_)) => Err(error),
    }
}

impl std::fmt::Debug for Examination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Examination").field("blob", &self.blob.name).field("verdict", &self.verdict).finish()
    }
}
