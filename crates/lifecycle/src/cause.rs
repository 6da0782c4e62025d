//! Why something was removed. Every removed version and container carries one, beside the actor.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a version or container was removed or purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// A client deleted it.
    Delete,
    /// A newer version took its place in an unversioned bucket.
    Overwrite,
    /// Only its metadata changed; the bytes belong to the newer row. The one overwrite without grace.
    Metadata,
    /// Its lifepoint said so.
    Lifepoint,
    /// A bucket lifecycle rule said so.
    Lifecycle,
    /// A DELETE with `recursive`, or a container's removal by an operator.
    Recursive,
    /// The container around it was purged.
    Cascade,
    /// The bucket was emptied.
    Empty,
    /// An upload that was never finished.
    Abandoned,
    /// A restored version took its place.
    Restore,
    /// An operator purged it early.
    Purge,
    /// Versioning was switched off, and it was not the current version.
    Versioning,
    /// It came from another installation, and what is here won over it.
    Conflict,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Cause; 13] = [
        Cause::Delete,
        Cause::Overwrite,
        Cause::Metadata,
        Cause::Lifepoint,
        Cause::Lifecycle,
        Cause::Recursive,
        Cause::Cascade,
        Cause::Empty,
        Cause::Abandoned,
        Cause::Restore,
        Cause::Purge,
        Cause::Versioning,
        Cause::Conflict,
    ];

    /// The word in SQL, JSON and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Cause::Delete => "delete",
            Cause::Overwrite => "overwrite",
            Cause::Metadata => "metadata",
            Cause::Lifepoint => "lifepoint",
            Cause::Lifecycle => "lifecycle",
            Cause::Recursive => "recursive",
            Cause::Cascade => "cascade",
            Cause::Empty => "empty",
            Cause::Abandoned => "abandoned",
            Cause::Restore => "restore",
            Cause::Purge => "purge",
            Cause::Versioning => "versioning",
            Cause::Conflict => "conflict",
        }
    }

    /// Reads the word; `None` for anything else.
    pub fn parse(word: &str) -> Option<Self> {
        Cause::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
