//! The directories between the root and the blobs, each made durable before the first blob in it is acknowledged.
//!
//! `object_store` would make them too, and sync those it made itself. But when two writers arrive at once, the second
//! finds the directory that the first has made and not synced yet, syncs its own file only, and answers: a power cut
//! in that moment loses an acknowledged write together with its directory. Here nobody passes before the entries of
//! both levels are on disk.

use crate::BlobError;
use crate::name::leaf_of;
use lifecycle::BlobName;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Which directories are known to be on disk. 8 KiB.
#[derive(Debug)]
pub(crate) struct Fanout {
    root: PathBuf,
    fsync: bool,
    /// One bit per second-level directory.
    durable: Box<[AtomicU64]>,
    /// One lock per first-level directory; whether it is known itself.
    first: Box<[Mutex<bool>]>,
}

impl Fanout {
    pub(crate) fn new(root: PathBuf, fsync: bool) -> Self {
        let durable = (0..1024).map(|_| AtomicU64::new(0)).collect();
        Fanout { root, fsync, durable, first: (0..256).map(|_| Mutex::new(false)).collect() }
    }

    /// Forgets everything: the root is another directory now.
    pub(crate) fn forget(&self) {
        for first in &self.first {
            *first.lock().unwrap_or_else(PoisonError::into_inner) = false;
        }
        self.durable.iter().for_each(|word| word.store(0, Ordering::Release));
    }

    fn knows(&self, (a, b): (u8, u8)) -> bool {
        let (word, bit) = place(a, b);
        self.durable[word].load(Ordering::Acquire) & bit != 0
    }

    fn learn(&self, (a, b): (u8, u8)) {
        let (word, bit) = place(a, b);
        self.durable[word].fetch_or(bit, Ordering::Release);
    }

    /// Makes the directory, or learns that it is there. Blocks for up to three syncs.
    fn make(&self, leaf @ (a, b): (u8, u8)) -> io::Result<()> {
        let mut first = self.first[usize::from(a)].lock().unwrap_or_else(PoisonError::into_inner);
        let above = self.root.join(format!("{a:02x}"));
        if !*first {
            make_dir(&above)?;
            self.sync(&self.root)?;
            // Seen before the sync, hence durable after it; one sync answers for all that earlier runs left here.
            let seen: Vec<u8> =
                fs::read_dir(&above)?.filter_map(|entry| second_level(&entry.ok()?)).collect();
            if !seen.is_empty() {
                self.sync(&above)?;
            }
            seen.into_iter().for_each(|b| self.learn((a, b)));
            *first = true;
        }
        if !self.knows(leaf) {
            make_dir(&above.join(format!("{b:02x}")))?;
            self.sync(&above)?;
            self.learn(leaf);
        }
        Ok(())
    }

    fn sync(&self, dir: &Path) -> io::Result<()> {
        if self.fsync { File::open(dir)?.sync_all() } else { Ok(()) }
    }
}

/// Sees to it that the directory of `name` is there and durable.
pub(crate) async fn prepare(local: &Arc<crate::local::LocalRoot>, name: BlobName) -> Result<(), BlobError> {
    let leaf = leaf_of(name);
    if local.fanout.knows(leaf) {
        return Ok(());
    }
    let local = Arc::clone(local);
    let made = tokio::task::spawn_blocking(move || local.fanout.make(leaf)).await;
    made.map_err(|e| BlobError::cut_short(&e))?.map_err(|e| {
        BlobError::local(&format!("making directory {:02x}/{:02x} of the blob root", leaf.0, leaf.1), &e)
    })
}

fn place(a: u8, b: u8) -> (usize, u64) {
    let index = usize::from(a) << 8 | usize::from(b);
    (index / 64, 1 << (index % 64))
}

/// One level only: a root that has vanished is not made anew.
fn make_dir(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

fn second_level(entry: &fs::DirEntry) -> Option<u8> {
    let name = entry.file_name();
    let value = u8::from_str_radix(name.to_str()?, 16).ok()?;
    (name == *format!("{value:02x}") && entry.file_type().ok()?.is_dir()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_made_once_and_those_of_earlier_runs_are_learnt_together() {
        let root = tempfile::tempdir().unwrap();
        let fanout = Fanout::new(root.path().to_owned(), true);
        fanout.make((0xab, 0xcd)).unwrap();
        fanout.make((0xab, 0x00)).unwrap();
        assert!(fanout.knows((0xab, 0xcd)) && !fanout.knows((0xcd, 0xab)));

        let later = Fanout::new(root.path().to_owned(), true);
        later.make((0xab, 0x01)).unwrap();
        assert!(later.knows((0xab, 0xcd)) && later.knows((0xab, 0x00)) && later.knows((0xab, 0x01)));
        later.forget();
        assert!(!later.knows((0xab, 0xcd)));
    }

    #[test]
    fn a_root_that_vanished_is_not_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let gone = root.path().join("gone");
        assert!(Fanout::new(gone.clone(), true).make((0, 0)).is_err());
        assert!(!gone.exists());
    }
}
