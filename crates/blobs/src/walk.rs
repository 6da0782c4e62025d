//! Listing a local root: two levels down, following no links, entering no foreign directory.

use crate::error::BlobError;
use crate::list::Listed;
use crate::name::{Found, judge};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use lifecycle::Time;
use std::collections::VecDeque;
use std::fs::{self, Metadata};
use std::io;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

/// Entries gathered before they are handed over from the thread that reads directories.
const BATCH: usize = 1_024;

/// Lists the root, directory by directory.
pub(crate) fn walk(root: PathBuf) -> BoxStream<'static, Result<Listed, BlobError>> {
    let start = Walk { root, waiting: VecDeque::from([String::new()]) };
    stream::try_unfold(start, |mut walk| async move {
        if walk.waiting.is_empty() {
            return Ok::<_, BlobError>(None);
        }
        let read = tokio::task::spawn_blocking(move || walk.batch().map(|batch| (batch, walk)));
        let (batch, walk) = read.await.map_err(|e| BlobError::cut_short(&e))??;
        Ok(Some((stream::iter(batch.into_iter().map(Ok)), walk)))
    })
    .try_flatten()
    .boxed()
}

struct Walk {
    root: PathBuf,
    /// Directories still to be read, relative to the root: "", "ab" or "ab/cd".
    waiting: VecDeque<String>,
}

impl Walk {
    fn batch(&mut self) -> Result<Vec<Listed>, BlobError> {
        let mut found = Vec::new();
        while found.len() < BATCH
            && let Some(dir) = self.waiting.pop_front()
        {
            self.read(&dir, &mut found)
                .map_err(|e| BlobError::local(&format!("listing {}", self.root.join(&dir).display()), &e))?;
        }
        Ok(found)
    }

    fn read(&mut self, dir: &str, found: &mut Vec<Listed>) -> io::Result<()> {
        let mut inside = Vec::new();
        for entry in fs::read_dir(self.root.join(dir))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if dir.is_empty() { name.clone() } else { format!("{dir}/{name}") };
            // Between reading the directory and looking at the entry, a blob may be destroyed or an upload finished.
            let meta = match entry.metadata() {
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                meta => meta?,
            };
            if meta.is_dir() && dir.len() < "ab/cd".len() && is_level(&name) {
                inside.push(path);
            } else if let Some(listed) = listed(path, &meta) {
                found.push(listed);
            }
        }
        // Depth first, so that few directories wait at a time.
        inside.into_iter().for_each(|path| self.waiting.push_front(path));
        Ok(())
    }
}

fn is_level(name: &str) -> bool {
    name.len() == 2 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn listed(path: String, meta: &Metadata) -> Option<Listed> {
    let (size, modified) = (meta.len(), modified(meta));
    match judge(&path) {
        Found::Installation => None,
        Found::Blob(name) if meta.is_file() => Some(Listed::Blob { name, size, modified }),
        Found::Leftover(name) if meta.is_file() => Some(Listed::Leftover { name, size, modified }),
        Found::Blob(_) | Found::Leftover(_) | Found::Foreign => Some(Listed::Foreign(path)),
    }
}

fn modified(meta: &Metadata) -> Time {
    let since = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    Time::from_micros(0).plus(since)
}
