//! Writing a blob, once, as its bytes arrive.
//!
//! A body that fits into one part is sent in one piece that the store itself refuses if the name is taken. A longer
//! one goes part by part, at most two of them in flight; nothing is readable before it is complete. Whatever touches
//! the store runs in a task of its own which holds the name's entry in the register, so that hanging up in the middle
//! leaves no write behind that nobody knows of.

use crate::blobs::{Blobs, Inner, Kind};
use crate::budget::Room;
use crate::error::BlobError;
use crate::fanout;
use crate::format;
use crate::hashing::Hashing;
use crate::name::path_of;
use crate::part;
use crate::register::Writing;
use crate::spool::Spool;
use bytes::Bytes;
use lifecycle::BlobName;
use object_store::{MultipartUpload, PutMode, PutMultipartOptions};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// Larger chunks are taken in pieces of this size, so that room is asked for in small amounts.
const PIECE: usize = 256 << 10;
/// What is collected in memory before it goes to the spool of a remote store.
const SPOOL_AT: usize = 64 << 10;

/// A blob that is complete and durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Bytes written.
    pub size: u64,
    /// Their MD5.
    pub md5: [u8; 16],
    /// How they look at rest: the tag for the blob's row.
    pub format: i64,
}

/// A blob being written. Dropped before [`Upload::finish`], it is aborted in the background.
#[derive(Debug)]
#[must_use = "an upload ends in finish or abort"]
pub struct Upload {
    inner: Arc<Inner>,
    name: BlobName,
    writing: Arc<Writing>,
    expected: Option<u64>,
    size: u64,
    hashing: Hashing,
    held: Held,
    spool: Option<Spool>,
    multipart: Option<Box<dyn MultipartUpload>>,
    sent: u64,
    in_flight: JoinSet<object_store::Result<()>>,
    /// False while a write is under way; stays so when one fails or is abandoned, for then bytes are lost.
    sound: bool,
}

/// Bytes collected in memory, and the room they take.
#[derive(Debug, Default)]
struct Held {
    chunks: Vec<Bytes>,
    len: usize,
    room: Vec<Room>,
}

impl Held {
    fn push(&mut self, piece: Bytes, room: Option<Room>) {
        self.len += piece.len();
        self.chunks.push(piece);
        match (self.room.last_mut(), room) {
            (Some(before), Some(room)) => before.merge(room),
            (None, room) => self.room.extend(room),
            (Some(_), None) => {}
        }
    }
}

impl Blobs {
    /// Begins to write a blob. `expected` is the body's length if that is known; it decides how the body is cut and
    /// whether it fits, and is not enforced: compare [`Stored::size`].
    ///
    /// # Errors
    /// [`BlobError::NoSpace`] if the reserve would be touched, [`BlobError::AlreadyExists`] if this process is writing
    /// the name already, [`BlobError::Unavailable`] if the root is not there. That a name was used before shows when
    /// the first part is sent.
    pub async fn create(&self, name: BlobName, expected: Option<u64>) -> Result<Upload, BlobError> {
        self.inner.admit(expected.unwrap_or(0)).await?;
        let writing = self.inner.register.enter(name).ok_or(BlobError::AlreadyExists(name))?;
        let spool = match &self.inner.kind {
            Kind::Remote(dir) => Some(Spool::new(dir.clone())),
            Kind::Local(_) | Kind::Memory => None,
        };
        Ok(Upload {
            inner: Arc::clone(&self.inner),
            name,
            writing,
            expected,
            size: 0,
            hashing: Hashing::default(),
            held: Held::default(),
            spool,
            multipart: None,
            sent: 0,
            in_flight: JoinSet::new(),
            sound: true,
        })
    }
}

impl Inner {
    /// Makes the directories that `name` will lie in.
    async fn prepare(&self, name: BlobName) -> Result<(), BlobError> {
        match &self.kind {
            Kind::Local(local) => fanout::prepare(local, name).await,
            Kind::Memory | Kind::Remote(_) => Ok(()),
        }
    }

    /// Completing a multipart upload overwrites; who would must be refused before. The register keeps this process's
    /// other writers away meanwhile.
    async fn refuse_if_taken(&self, name: BlobName) -> Result<(), BlobError> {
        match self.head(name).await? {
            Some(_) => Err(BlobError::AlreadyExists(name)),
            None => Ok(()),
        }
    }
}

impl Upload {
    /// Adds bytes. Waits while two parts are in flight.
    ///
    /// # Errors
    /// Any [`BlobError`] of writing; the upload is lost then, as it is when the returned future is dropped halfway.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<(), BlobError> {
        self.begin()?;
        while !bytes.is_empty() {
            let space = self.part_size().saturating_sub(self.collected());
            if space == 0 {
                self.send().await?;
                continue;
            }
            let piece = bytes.split_to(bytes.len().min(space).min(PIECE));
            self.size += piece.len() as u64;
            self.collect(piece).await?;
        }
        self.sound = true;
        Ok(())
    }

    /// Completes the blob and makes it durable.
    ///
    /// # Errors
    /// [`BlobError::AlreadyExists`] if bytes lie under the name already; they are untouched. After any other error the
    /// bytes may or may not be there: give the name up, and destroy it like any other.
    pub async fn finish(mut self) -> Result<Stored, BlobError> {
        self.begin()?;
        if self.multipart.is_none() {
            self.put_whole().await?
        } else {
            self.complete().await?
        }
        let md5 = self.hashing.finish().await?;
        Ok(Stored { size: self.size, md5, format: format::WRITTEN })
    }

    /// Gives up. Nothing is readable under the name afterwards; what could not be removed is left to be listed.
    pub async fn abort(mut self) {
        if let Some(cleaning) = self.cleaning() {
            // In a task, so that it is finished even if nobody waits.
            let _panicked = tokio::spawn(cleaning).await;
        }
    }

    fn begin(&mut self) -> Result<(), BlobError> {
        if !std::mem::replace(&mut self.sound, false) {
            return Err(BlobError::lasting(format!(
                "an earlier write to blob {} did not succeed",
                self.name
            )));
        }
        Ok(())
    }

    fn part_size(&self) -> usize {
        part::size(self.spool.is_some(), self.expected, self.sent)
    }

    fn collected(&self) -> usize {
        self.held.len + self.spool.as_ref().map_or(0, Spool::len)
    }

    /// Takes one piece into memory if the budget has room for it, else writes it through without holding it.
    async fn collect(&mut self, piece: Bytes) -> Result<(), BlobError> {
        let room = self.inner.budget.try_collect(piece.len());
        let write_through = room.is_none();
        if write_through && self.spool.is_none() && self.held.len > 0 {
            self.send().await?;
        }
        self.held.push(piece, room);
        match (self.spool.is_some(), write_through) {
            (true, _) if write_through || self.held.len >= SPOOL_AT => self.spill().await,
            (false, true) => {
                self.send().await?;
                self.land(0).await
            }
            _ => Ok(()),
        }
    }

    /// Moves what is held in memory to the spool, hashing it.
    async fn spill(&mut self) -> Result<(), BlobError> {
        let Held { chunks, room, .. } = std::mem::take(&mut self.held);
        if let Some(spool) = &mut self.spool {
            let (hashed, written) =
                tokio::join!(self.hashing.feed(chunks.clone(), room), spool.append(chunks));
            hashed.and(written)?;
        }
        Ok(())
    }

    /// Takes out what was collected, hashed or being hashed, together with the room that it takes.
    async fn take_collected(&mut self) -> Result<(Vec<Bytes>, Arc<Vec<Room>>), BlobError> {
        let spooled = self.spool.as_ref().is_some_and(|spool| spool.len() > 0);
        if spooled && self.held.len > 0 {
            self.spill().await?;
        }
        match &mut self.spool {
            Some(spool) if spooled => {
                let room = self.inner.budget.send(spool.len()).await;
                let part = spool.take().await?;
                Ok((vec![part], Arc::new(room.into_iter().collect())))
            }
            _ => {
                let Held { chunks, room, .. } = std::mem::take(&mut self.held);
                let room = Arc::new(room);
                self.hashing.feed(chunks.clone(), Arc::clone(&room)).await?;
                Ok((chunks, room))
            }
        }
    }

    /// Sends what was collected as one part.
    async fn send(&mut self) -> Result<(), BlobError> {
        self.inner.admit(0).await?;
        self.land(part::AT_ONCE - 1).await?;
        if self.multipart.is_none() {
            self.multipart = Some(self.begin_multipart().await?);
        }
        let (chunks, room) = self.take_collected().await?;
        let Some(multipart) = &mut self.multipart else { return Ok(()) };
        let put = multipart.put_part(chunks.into_iter().collect());
        let writing = Arc::clone(&self.writing);
        self.in_flight.spawn(async move {
            let done = put.await;
            drop((room, writing));
            done
        });
        self.sent += 1;
        Ok(())
    }

    /// Waits until no more than `most` parts are in flight.
    async fn land(&mut self, most: usize) -> Result<(), BlobError> {
        while self.in_flight.len() > most {
            match self.in_flight.join_next().await {
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => return Err(self.inner.blame(self.name, &error)),
                Some(Err(error)) => return Err(BlobError::cut_short(&error)),
                None => break,
            }
        }
        Ok(())
    }

    async fn begin_multipart(&mut self) -> Result<Box<dyn MultipartUpload>, BlobError> {
        self.inner.prepare(self.name).await?;
        self.inner.refuse_if_taken(self.name).await?;
        let (inner, name, writing) = (Arc::clone(&self.inner), self.name, Arc::clone(&self.writing));
        let begin = async move {
            let begun = inner.store.put_multipart_opts(&path_of(name), PutMultipartOptions::default()).await;
            drop(writing);
            begun.map_err(|error| inner.blame(name, &error))
        };
        let begun = match &self.inner.kind {
            // The local store opens its file right here, on the calling thread.
            Kind::Local(_) => {
                let runtime = Handle::current();
                tokio::task::spawn_blocking(move || runtime.block_on(begin)).await
            }
            Kind::Memory | Kind::Remote(_) => tokio::spawn(begin).await,
        };
        begun.map_err(|e| BlobError::cut_short(&e))?
    }

    async fn put_whole(&mut self) -> Result<(), BlobError> {
        self.inner.admit(self.collected() as u64).await?;
        self.inner.prepare(self.name).await?;
        let (chunks, room) = self.take_collected().await?;
        let (inner, name, writing) = (Arc::clone(&self.inner), self.name, Arc::clone(&self.writing));
        let put = tokio::spawn(async move {
            let payload = chunks.into_iter().collect();
            let done = inner.store.put_opts(&path_of(name), payload, PutMode::Create.into()).await;
            drop((room, writing));
            done.map(drop).map_err(|error| inner.blame(name, &error))
        });
        put.await.map_err(|e| BlobError::cut_short(&e))?
    }

    async fn complete(&mut self) -> Result<(), BlobError> {
        if self.collected() > 0 {
            self.send().await?;
        }
        self.land(0).await?;
        self.inner.refuse_if_taken(self.name).await?;
        let Some(mut multipart) = self.multipart.take() else { return Ok(()) };
        let (inner, name, writing) = (Arc::clone(&self.inner), self.name, Arc::clone(&self.writing));
        let completing = tokio::spawn(async move {
            let done = multipart.complete().await;
            if done.is_err() {
                clean(name, multipart).await;
            }
            drop(writing);
            done.map(drop).map_err(|error| inner.blame(name, &error))
        });
        completing.await.map_err(|e| BlobError::cut_short(&e))?
    }

    /// The work of removing what was sent, if anything was.
    fn cleaning(&mut self) -> Option<impl Future<Output = ()> + Send + 'static> {
        let multipart = self.multipart.take()?;
        let mut in_flight = std::mem::take(&mut self.in_flight);
        let (name, writing) = (self.name, Arc::clone(&self.writing));
        Some(async move {
            // A part that arrives after the abort would stay in some stores, and be paid for.
            while in_flight.join_next().await.is_some() {}
            clean(name, multipart).await;
            drop(writing);
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let (Some(cleaning), Ok(runtime)) = (self.cleaning(), Handle::try_current()) {
            drop(runtime.spawn(cleaning));
        }
    }
}

async fn clean(name: BlobName, mut multipart: Box<dyn MultipartUpload>) {
    if let Err(error) = multipart.abort().await {
        tracing::debug!(blob = %name, %error, "an upload that was given up could not be cleaned away at once");
    }
}
