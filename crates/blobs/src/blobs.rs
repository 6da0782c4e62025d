//! The handle that everything else holds.

use crate::budget::Budget;
use crate::error::BlobError;
use crate::local::LocalRoot;
use crate::open::read_installation;
use crate::register::Register;
use crate::settings::Space;
use lifecycle::{BlobName, InstallationId};
use object_store::{GetOptions, ObjectMeta, ObjectStore};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// The bytes of one installation. Cloning it is cheap, and all clones are one.
#[derive(Clone)]
pub struct Blobs {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) kind: Kind,
    /// The root in an operator's words.
    pub(crate) root: String,
    pub(crate) installation: InstallationId,
    pub(crate) register: Arc<Register>,
    pub(crate) budget: Budget,
}

/// What stands behind the store, as far as it matters here.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A directory: needs syncing, can fill up, can be unmounted.
    Local(Arc<LocalRoot>),
    /// This process's memory.
    Memory,
    /// Something across a network: parts are large and collected in this directory.
    Remote(PathBuf),
}

impl Blobs {
    /// Checks that the root is there and is this installation's.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] if its id is absent, different or cannot be read.
    pub async fn verify_root(&self) -> Result<(), BlobError> {
        self.inner.verify_root().await
    }

    /// The device under a local root; `None` for other stores, and while the root is away.
    pub fn space(&self) -> Option<Space> {
        match &self.inner.kind {
            Kind::Local(local) => local.space().ok(),
            Kind::Memory | Kind::Remote(_) => None,
        }
    }

    /// Refuses when a body of `expected` bytes would touch the reserve. For bodies that are stored beside the metadata
    /// and never come here otherwise.
    ///
    /// # Errors
    /// [`BlobError::NoSpace`], and [`BlobError::Unavailable`] if a local root is not there.
    pub async fn admit(&self, expected: u64) -> Result<(), BlobError> {
        self.inner.admit(expected).await
    }

    /// Whether bytes lie under this name.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] if the store does not say, or if it says no and the root is not this installation's.
    pub async fn exists(&self, name: BlobName) -> Result<bool, BlobError> {
        let found = self.inner.head(name).await?.is_some();
        if !found {
            self.verify_root().await?;
        }
        Ok(found)
    }
}

impl Inner {
    pub(crate) async fn verify_root(&self) -> Result<(), BlobError> {
        match read_installation(&*self.store).await? {
            Some(text) if text.parse() == Ok(self.installation) => Ok(()),
            Some(text) => Err(BlobError::lasting(format!(
                "blob root {} is marked {:?} and not {}, so it is another installation's",
                self.root,
                text.chars().take(40).collect::<String>(),
                self.installation
            ))),
            None => Err(BlobError::passing(format!(
                "blob root {} has lost the mark of this installation; is it mounted?",
                self.root
            ))),
        }
    }

    /// What the store knows of one blob. `None` is only as good as the root: see [`Inner::verify_root`].
    pub(crate) async fn head(&self, name: BlobName) -> Result<Option<ObjectMeta>, BlobError> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        match self.store.get_opts(&crate::name::path_of(name), options).await {
            Ok(found) => Ok(Some(found.meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(BlobError::of_store(&error)),
        }
    }

    /// Whether `more` new bytes may be written: the root is the one that was opened, and the reserve is left alone.
    pub(crate) async fn admit(&self, more: u64) -> Result<(), BlobError> {
        let Kind::Local(local) = &self.kind else { return Ok(()) };
        if !local.is_the_same()? {
            // Mounted anew, or restored from a copy: good if the mark says so. Without it, this is the bare mount
            // point, and what is written here vanishes from sight when the disk comes back.
            self.verify_root().await?;
            local.accept()?;
        }
        local.has_room(more)
    }

    /// What an error of the store means for whoever writes `name`.
    pub(crate) fn blame(&self, name: BlobName, error: &object_store::Error) -> BlobError {
        if matches!(error, object_store::Error::AlreadyExists { .. }) {
            return BlobError::AlreadyExists(name);
        }
        match (BlobError::of_store(error), &self.kind) {
            (BlobError::NoSpace { .. }, Kind::Local(local)) => local.no_space(),
            (other, _) => other,
        }
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blobs").field("root", &self.inner.root).finish_non_exhaustive()
    }
}
