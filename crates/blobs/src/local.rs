//! A directory of this machine as the root of blobs.

use crate::error::{BlobError, OpenError};
use crate::fanout::Fanout;
use crate::open::INSTALLATION;
use crate::settings::{Reserve, Space};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One file, as distinct from any other that was ever at its path: device, inode, time of writing.
type Mark = (u64, u64, i64, i64);

/// An open root. All its functions block, for microseconds unless the device hangs.
#[derive(Debug)]
pub(crate) struct LocalRoot {
    pub(crate) path: PathBuf,
    pub(crate) fsync: bool,
    pub(crate) fanout: Fanout,
    reserve: Reserve,
    /// The id's file as last verified. Looking at it costs a microsecond, and it changes when the root is unmounted,
    /// mounted or replaced. (The root's own inode would not do: it is used again by whoever makes the directory anew.)
    verified: Mutex<Option<Mark>>,
}

impl LocalRoot {
    /// Opens the root, creating it (mode 0700) if nothing is there.
    ///
    /// # Errors
    /// With the reason, if it is not a directory, is a symbolic link, or nothing can be written into it.
    pub(crate) fn open(root: &Path, fsync: bool, reserve: Reserve) -> Result<Self, OpenError> {
        let refuse = |reason: String| OpenError::BadRoot { root: root.to_owned(), reason };
        match fs::symlink_metadata(root) {
            // A link can be bent while the process runs, and not every operation would notice at the same time.
            Ok(meta) if meta.is_symlink() => {
                return Err(refuse("it is a symbolic link; name the directory itself".into()));
            }
            Ok(meta) if !meta.is_dir() => return Err(refuse("it is not a directory".into())),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                create(root).map_err(|e| refuse(format!("it does not exist and cannot be created: {e}")))?;
            }
            Err(e) => return Err(refuse(format!("it cannot be looked at: {e}"))),
        }
        // Permissions, a read-only mount and a full device all show here, and only here for a privileged user.
        tempfile::tempfile_in(root).map_err(|e| refuse(format!("nothing can be written into it: {e}")))?;
        let path = fs::canonicalize(root).map_err(|e| refuse(format!("its path cannot be resolved: {e}")))?;
        let fanout = Fanout::new(path.clone(), fsync);
        Ok(LocalRoot { path, fsync, fanout, reserve, verified: Mutex::new(None) })
    }

    /// Whether the path still leads to the root that was verified.
    pub(crate) fn is_the_same(&self) -> Result<bool, BlobError> {
        let mark = self.mark()?;
        Ok(mark.is_some() && *self.verified() == mark)
    }

    /// Takes what the path leads to now for the root. For use after the installation id was verified.
    pub(crate) fn accept(&self) -> Result<(), BlobError> {
        let mark = self.mark()?;
        self.fanout.forget();
        *self.verified() = mark;
        Ok(())
    }

    /// The device's free and total bytes.
    pub(crate) fn space(&self) -> Result<Space, BlobError> {
        let device = rustix::fs::statvfs(&self.path).map_err(|e| {
            BlobError::local(&format!("asking for the space at {}", self.path.display()), &e.into())
        })?;
        let bytes = |blocks: u64| blocks.saturating_mul(device.f_frsize);
        Ok(Space { free: bytes(device.f_bavail), total: bytes(device.f_blocks) })
    }

    /// Whether `more` bytes can be written with the reserve left alone.
    pub(crate) fn has_room(&self, more: u64) -> Result<(), BlobError> {
        let Space { free, total } = self.space()?;
        let reserve = self.reserve.bytes(total);
        if free < reserve.saturating_add(more) { Err(BlobError::NoSpace { free, reserve }) } else { Ok(()) }
    }

    /// The refusal to report when the device turned out to be full.
    pub(crate) fn no_space(&self) -> BlobError {
        let Space { free, total } = self.space().unwrap_or(Space { free: 0, total: 0 });
        BlobError::NoSpace { free, reserve: self.reserve.bytes(total) }
    }

    fn mark(&self) -> Result<Option<Mark>, BlobError> {
        match fs::symlink_metadata(self.path.join(INSTALLATION)) {
            Ok(meta) => Ok(Some((meta.dev(), meta.ino(), meta.mtime(), meta.mtime_nsec()))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(BlobError::local(&format!("looking at the blob root {}", self.path.display()), &e)),
        }
    }

    fn verified(&self) -> MutexGuard<'_, Option<Mark>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Creates the directory and those above it, each entry durable.
fn create(root: &Path) -> io::Result<()> {
    let here =
        |path: &'_ Path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() };
    let new: Vec<&Path> = root.ancestors().take_while(|dir| !here(dir).exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(root)?;
    for dir in new {
        if let Some(parent) = dir.parent() {
            File::open(here(parent))?.sync_all()?;
        }
    }
    Ok(())
}
