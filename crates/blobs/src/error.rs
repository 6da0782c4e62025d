//! What can go wrong with bytes.

use lifecycle::{BlobName, InstallationId};
use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why bytes were not written, read or destroyed. All but [`BlobError::UnknownFormat`] are the world's doing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// The store did not answer, answered with an error, or is not the store it was. Whether the operation took
    /// effect is not known.
    #[error("the blob store is unavailable: {what}")]
    Unavailable {
        /// What was seen, with the store's own words.
        what: String,
        /// Whether doing it again may help without anybody changing the configuration.
        retryable: bool,
    },
    /// Free space has fallen to the reserve, or the device is full.
    #[error("no space for new bytes: {free} bytes are free and {reserve} bytes are held in reserve")]
    NoSpace {
        /// Bytes free for this process, as far as is known.
        free: u64,
        /// Bytes below which nothing is created.
        reserve: u64,
    },
    /// The name was used before, or is being written now.
    #[error("blob {0} exists already")]
    AlreadyExists(BlobName),
    /// The root is the installation's own, and the blob is not there.
    #[error("blob {0} is missing")]
    Missing(BlobName),
    /// The blob is there, and not as its row describes it.
    #[error("blob {name} is damaged: {what}")]
    Damaged {
        /// The blob.
        name: BlobName,
        /// How it differs.
        what: String,
    },
    /// The row's format tag is not one that this version writes or reads.
    #[error("blob format {0} is not known to this version, which knows only 0")]
    UnknownFormat(i64),
}

impl BlobError {
    /// A failure that may pass by itself.
    pub(crate) fn passing(what: impl Into<String>) -> Self {
        BlobError::Unavailable { what: what.into(), retryable: true }
    }

    /// A failure that stays until somebody changes something.
    pub(crate) fn lasting(what: impl Into<String>) -> Self {
        BlobError::Unavailable { what: what.into(), retryable: false }
    }

    /// A failure of the local file system, in its own words.
    pub(crate) fn local(doing: &str, error: &io::Error) -> Self {
        if is_full(error) {
            BlobError::NoSpace { free: 0, reserve: 0 }
        } else {
            Self::passing(format!("{doing}: {error}"))
        }
    }

    /// A task that did not come to its end, because it panicked or the process is shutting down.
    pub(crate) fn cut_short(error: &tokio::task::JoinError) -> Self {
        Self::passing(format!("a task on the blob store was cut short: {error}"))
    }

    /// What `object_store` reported about something other than one blob's presence.
    pub(crate) fn of_store(error: &object_store::Error) -> Self {
        if is_full(error) {
            return BlobError::NoSpace { free: 0, reserve: 0 };
        }
        let retryable = !matches!(
            error,
            object_store::Error::InvalidPath { .. }
                | object_store::Error::NotSupported { .. }
                | object_store::Error::NotImplemented { .. }
                | object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. }
                | object_store::Error::UnknownConfigurationKey { .. }
        );
        BlobError::Unavailable { what: error.to_string(), retryable }
    }
}

/// Whether the device or the owner's quota is full, however deep in the chain of causes that is said.
fn is_full(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<io::Error>()
            && matches!(io.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        {
            return true;
        }
        next = cause.source();
    }
    false
}

/// Why the blob root was not opened. Nothing was changed, except that a root which did not exist may now do so.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is not one that Barrow understands.
    #[error(
        "blobs.url = {url:?}: {reason}; allowed are file:PATH, memory:, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX and az://CONTAINER/PREFIX"
    )]
    BadUrl {
        /// As configured.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The local root cannot be used.
    #[error("blob root {}: {reason}", root.display())]
    BadRoot {
        /// The directory.
        root: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The root belongs to another installation.
    #[error(
        "blob root {root} belongs to installation {found}, and the metadata to installation {expected}; they do not go together"
    )]
    OtherInstallation {
        /// The root.
        root: String,
        /// Whose blobs lie there.
        found: InstallationId,
        /// Whose metadata is in use.
        expected: InstallationId,
    },
    /// Blobs lie there, and nothing says whose they are.
    #[error("blob root {root} holds blobs (such as {example}) and no file {file}, so that nobody can tell whose they are; restore that file, or name an empty root", file = crate::open::INSTALLATION)]
    IdAbsent {
        /// The root.
        root: String,
        /// One of the blobs.
        example: String,
    },
    /// The id's file holds something else.
    #[error("blob root {root}: {file} holds {text:?}, which is not an installation id of 32 hexadecimal digits", file = crate::open::INSTALLATION)]
    BadId {
        /// The root.
        root: String,
        /// The beginning of what was read.
        text: String,
    },
    /// So much lies there that is not Barrow's that looking for blobs was given up.
    #[error(
        "blob root {root} holds more than {foreign} files that are not Barrow's; give it a directory or prefix of its own"
    )]
    Crowded {
        /// The root.
        root: String,
        /// How many were looked at.
        foreign: usize,
    },
    /// The store did not answer as it should.
    #[error(transparent)]
    Store(#[from] BlobError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_device_is_recognised_behind_the_store_s_own_error() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = object_store::Error::Generic { store: "test", source: Box::new(full) };
        assert!(matches!(BlobError::of_store(&error), BlobError::NoSpace { .. }));
    }

    #[test]
    fn a_refusal_of_credentials_is_not_worth_repeating_and_a_timeout_is() {
        let refused = object_store::Error::PermissionDenied { path: "p".into(), source: "no".into() };
        let timeout = object_store::Error::Generic { store: "test", source: "timed out".into() };
        assert!(matches!(BlobError::of_store(&refused), BlobError::Unavailable { retryable: false, .. }));
        assert!(matches!(BlobError::of_store(&timeout), BlobError::Unavailable { retryable: true, .. }));
    }
}
