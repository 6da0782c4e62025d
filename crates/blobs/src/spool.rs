//! The part of a body that is being collected for a remote store: on disk, in a file without a name.
//!
//! Remote parts are large, and a thousand slow clients would fill the memory with parts half complete.

use crate::BlobError;
use bytes::Bytes;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// One upload's file. It is opened when first needed and vanishes with the upload, or with the process.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    file: Option<Arc<File>>,
    len: usize,
}

impl Spool {
    /// A spool in `dir` that has not touched the disk yet.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Spool { dir, file: None, len: 0 }
    }

    /// Bytes collected.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds to what is collected.
    pub(crate) async fn append(&mut self, chunks: Vec<Bytes>) -> Result<(), BlobError> {
        let (dir, file, start) = (self.dir.clone(), self.file.clone(), self.len);
        let written = spawn_blocking(move || {
            let file = match file {
                Some(file) => file,
                None => Arc::new(tempfile::tempfile_in(dir)?),
            };
            let mut at = start;
            for chunk in &chunks {
                file.write_all_at(chunk, at as u64)?;
                at += chunk.len();
            }
            Ok((file, at))
        });
        let (file, len) = self.settled(written.await)?;
        (self.file, self.len) = (Some(file), len);
        Ok(())
    }

    /// Takes out everything collected; the next part starts afresh in the same file.
    pub(crate) async fn take(&mut self) -> Result<Bytes, BlobError> {
        let Some(file) = self.file.clone() else { return Ok(Bytes::new()) };
        let len = self.len;
        let read = spawn_blocking(move || {
            let mut bytes = vec![0; len];
            file.read_exact_at(&mut bytes, 0)?;
            Ok(Bytes::from(bytes))
        });
        let bytes = self.settled(read.await)?;
        self.len = 0;
        Ok(bytes)
    }

    fn settled<T>(&self, done: Result<std::io::Result<T>, tokio::task::JoinError>) -> Result<T, BlobError> {
        done.map_err(|e| BlobError::cut_short(&e))?
            .map_err(|e| BlobError::local(&format!("collecting a part in {}", self.dir.display()), &e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_comes_out_as_it_went_in_and_the_next_starts_afresh() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(dir.path().to_owned());
        assert_eq!(spool.take().await, Ok(Bytes::new()));
        spool.append(vec![Bytes::from_static(b"dust "), Bytes::from_static(b"to ")]).await.unwrap();
        spool.append(vec![Bytes::from_static(b"dust")]).await.unwrap();
        assert_eq!(spool.take().await, Ok(Bytes::from_static(b"dust to dust")));
        spool.append(vec![Bytes::from_static(b"ash")]).await.unwrap();
        assert_eq!(spool.take().await, Ok(Bytes::from_static(b"ash")));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "its file has no name");
    }
}
