//! Everything that lies under the root.

use crate::blobs::{Blobs, Inner, Kind};
use crate::error::BlobError;
use crate::name::{Found, judge};
use crate::walk::walk;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt, future};
use lifecycle::{BlobName, Time};
use object_store::ObjectMeta;
use std::sync::Arc;

/// One thing found under the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A blob, complete.
    Blob {
        /// Its name.
        name: BlobName,
        /// Its size at rest, in bytes.
        size: u64,
        /// When it was completed, by the store's clock.
        modified: Time,
    },
    /// A temporary file in a local root: an upload that is running, or one that a crash ended. It is unlinked with
    /// the blob whose name it carries, when that is destroyed.
    Leftover {
        /// The blob it was to become.
        name: BlobName,
        /// Bytes written so far. When a crash struck between linking and unlinking, they are the blob's own, and count once.
        size: u64,
        /// When it was last written to, by the store's clock.
        modified: Time,
    },
    /// Something that Barrow did not put there: its path, relative to the root. Never touched. Of a directory that
    /// is foreign, only the directory is listed.
    Foreign(String),
}

impl Blobs {
    /// Everything under the root, in no promised order.
    ///
    /// The root is verified at the beginning and once more at the end, and the first error ends the stream: only a
    /// listing that ended without one may be taken for the whole.
    pub fn list(&self) -> BoxStream<'static, Result<Listed, BlobError>> {
        let verify =
            |inner: Arc<Inner>| stream::once(async move { inner.verify_root().await.map(|()| None) });
        let begin = verify(Arc::clone(&self.inner));
        let end = verify(Arc::clone(&self.inner));
        let inner = Arc::clone(&self.inner);
        let everything = stream::once(async move { inner }).flat_map(|inner| entries(&inner)).map_ok(Some);
        let all = begin.chain(everything).chain(end).try_filter_map(future::ok);
        let until_first_error = all.scan(false, |failed, item| {
            let ended = std::mem::replace(failed, item.is_err());
            future::ready((!ended).then_some(item))
        });
        until_first_error.boxed()
    }
}

/// Everything under the root, whosever it is.
pub(crate) fn entries(inner: &Inner) -> BoxStream<'static, Result<Listed, BlobError>> {
    match &inner.kind {
        // The store's own listing hides temporary files and follows links.
        Kind::Local(local) => walk(local.path.clone()),
        Kind::Memory | Kind::Remote(_) => inner
            .store
            .list(None)
            .map_err(|e| BlobError::of_store(&e))
            .try_filter_map(|meta| future::ok(listed(&meta)))
            .boxed(),
    }
}

fn listed(meta: &ObjectMeta) -> Option<Listed> {
    let path = meta.location.as_ref();
    let (size, modified) = (meta.size, Time::from_micros(meta.last_modified.timestamp_micros()));
    match judge(path) {
        Found::Blob(name) => Some(Listed::Blob { name, size, modified }),
        Found::Installation => None,
        // Temporary files are made in directories alone: what looks like one here came from elsewhere.
        Found::Leftover(_) | Found::Foreign => Some(Listed::Foreign(path.to_owned())),
    }
}
