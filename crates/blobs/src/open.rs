//! Opening a root, and making sure that it is the right one.

use crate::blobs::{Blobs, Inner, Kind};
use crate::budget::Budget;
use crate::cloud;
use crate::error::{BlobError, OpenError};
use crate::list::{Listed, entries};
use crate::local::LocalRoot;
use crate::settings::Settings;
use futures_util::TryStreamExt;
use lifecycle::InstallationId;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, PutMode};
use std::path::PathBuf;
use std::sync::Arc;

/// The object at the root that says whose root it is.
pub(crate) const INSTALLATION: &str = "barrow-installation";

/// How many foreign files are looked at before the search for blobs is given up.
const FOREIGN_MOST: usize = 10_000;

impl Blobs {
    /// Opens the root that the settings name, and claims it for `installation` if it is new.
    ///
    /// # Errors
    /// With the reason, if the URL is not understood, if a local root is not a writable directory, or if the root
    /// belongs, or may belong, to another installation.
    pub async fn open(settings: &Settings, installation: InstallationId) -> Result<Blobs, OpenError> {
        let bad = |reason: &str| OpenError::BadUrl { url: settings.url.clone(), reason: reason.to_owned() };
        let (scheme, rest) = settings.url.split_once(':').ok_or_else(|| bad("it has no scheme"))?;
        let (store, kind): (Arc<dyn ObjectStore>, Kind) = match scheme {
            "file" => local(local_path(rest).map_err(bad)?, settings).await?,
            "memory" if rest.trim_matches('/').is_empty() => (Arc::new(InMemory::new()), Kind::Memory),
            "memory" => return Err(bad("memory takes no path")),
            "s3" | "gs" | "az" => {
                let environment = std::env::vars_os()
                    .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
                let spool = settings.spool.clone().unwrap_or_else(std::env::temp_dir);
                (cloud::build(&settings.url, environment)?, Kind::Remote(spool))
            }
            _ => return Err(bad("its scheme is not known")),
        };
        Self::claimed(store, kind, settings.url.clone(), installation).await
    }

    /// Opens any store as if it were in this process's memory. For tests that put faults in between.
    ///
    /// # Errors
    /// If the store belongs, or may belong, to another installation.
    pub async fn over(store: Arc<dyn ObjectStore>, installation: InstallationId) -> Result<Blobs, OpenError> {
        let root = store.to_string();
        Self::claimed(store, Kind::Memory, root, installation).await
    }

    /// Opens any store as if it were across a network: large parts, collected on disk. For tests.
    ///
    /// # Errors
    /// If the store belongs, or may belong, to another installation.
    #[cfg(feature = "conformance")]
    pub async fn over_as_remote(
        store: Arc<dyn ObjectStore>,
        installation: InstallationId,
    ) -> Result<Blobs, OpenError> {
        let root = store.to_string();
        Self::claimed(store, Kind::Remote(std::env::temp_dir()), root, installation).await
    }

    async fn claimed(
        store: Arc<dyn ObjectStore>,
        kind: Kind,
        root: String,
        installation: InstallationId,
    ) -> Result<Blobs, OpenError> {
        let budget = Budget::process();
        let inner = Inner { store, kind, root, installation, register: Arc::default(), budget };
        claim_root(&inner).await?;
        if let Kind::Local(local) = &inner.kind {
            local.accept()?;
        }
        Ok(Blobs { inner: Arc::new(inner) })
    }
}

/// What stands in the root's id file; `None` if there is none.
pub(crate) async fn read_installation(store: &dyn ObjectStore) -> Result<Option<String>, BlobError> {
    let found = match store.get_opts(&Path::from(INSTALLATION), GetOptions::default()).await {
        Ok(found) => found.bytes().await,
        Err(error) => Err(error),
    };
    match found {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(BlobError::of_store(&error)),
    }
}

/// Checks the root's id, writing it if the root is new.
async fn claim_root(inner: &Inner) -> Result<(), OpenError> {
    if let Some(text) = read_installation(&*inner.store).await? {
        return compare(inner, &text);
    }
    refuse_if_used(inner).await?;
    let id = format!("{}\n", inner.installation);
    let written = inner.store.put_opts(&Path::from(INSTALLATION), id.into(), PutMode::Create.into()).await;
    // Whatever the answer was (another process may have been first, or the answer was lost), what stands there counts.
    match (read_installation(&*inner.store).await?, written) {
        (Some(text), _) => compare(inner, &text),
        (None, Err(error)) => Err(BlobError::of_store(&error).into()),
        (None, Ok(_)) => Err(BlobError::passing("the installation id was written and is not there").into()),
    }
}

fn compare(inner: &Inner, text: &str) -> Result<(), OpenError> {
    let root = inner.root.clone();
    match text.parse() {
        Ok(found) if found == inner.installation => Ok(()),
        Ok(found) => Err(OpenError::OtherInstallation { root, found, expected: inner.installation }),
        Err(_) => Err(OpenError::BadId { root, text: text.chars().take(40).collect() }),
    }
}

/// A root without an id must be without blobs as well: if the file was lost, writing a new one would turn every blob
/// of somebody else's into an orphan of ours.
async fn refuse_if_used(inner: &Inner) -> Result<(), OpenError> {
    let mut foreign = 0;
    let mut entries = entries(inner);
    while let Some(entry) = entries.try_next().await? {
        match entry {
            Listed::Blob { name, .. } | Listed::Leftover { name, .. } => {
                return Err(OpenError::IdAbsent { root: inner.root.clone(), example: name.to_string() });
            }
            Listed::Foreign(_) if foreign == FOREIGN_MOST => {
                return Err(OpenError::Crowded { root: inner.root.clone(), foreign });
            }
            Listed::Foreign(_) => foreign += 1,
        }
    }
    Ok(())
}

async fn local(path: PathBuf, settings: &Settings) -> Result<(Arc<dyn ObjectStore>, Kind), OpenError> {
    let (fsync, reserve) = (settings.fsync, settings.reserve);
    let opened = tokio::task::spawn_blocking(move || LocalRoot::open(&path, fsync, reserve));
    let root = opened.await.map_err(|e| BlobError::cut_short(&e))??;
    let store = LocalFileSystem::new_with_prefix(&root.path)
        .map_err(|e| OpenError::BadRoot { root: root.path.clone(), reason: e.to_string() })?
        .with_fsync(fsync);
    Ok((Arc::new(store), Kind::Local(Arc::new(root))))
}

/// The path after `file:`. It is taken literally, because a relative one is not a URL anyway. Slashes at its end go:
/// they would hide that it is a symbolic link.
fn local_path(rest: &str) -> Result<PathBuf, &'static str> {
    let path = match rest.strip_prefix("//") {
        Some(absolute) if absolute.starts_with('/') => absolute,
        Some(_) => return Err("after file: comes a path, and only an absolute one after file://"),
        None => rest,
    };
    if path.is_empty() { Err("it names no path") } else { Ok(PathBuf::from(path).components().collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_url_is_a_path_taken_literally() {
        let path = |text| local_path(text).map(|path| path.display().to_string());
        assert_eq!(path("./data/blobs"), Ok("./data/blobs".into()));
        assert_eq!(path("/srv/blobs/"), Ok("/srv/blobs".into()));
        assert_eq!(path("///srv/with space"), Ok("/srv/with space".into()));
        assert!(path("//host/share").is_err());
        assert!(path("").is_err());
    }
}
