//! What can be asked of objects, and what is answered. The same commands drive both engines and the reference model.

use bytes::Bytes;
use lifecycle::{BlobName, Cause, Condition, ContainerId, Guard, Kind, Time, VersionId};
use std::time::Duration;

/// One command to one object. Commands that queue together are carried out in one transaction; one that is refused
/// does not fail its neighbours.
#[derive(Clone, Debug)]
pub enum ObjectCommand {
    /// A row for bytes that are about to be stored.
    Stage(Stage),
    /// A version becomes readable.
    Publish(Box<Publish>),
    /// The current version, or a given one, is removed.
    Delete(Delete),
    /// A removed version comes back.
    Restore(Restore),
}

/// Puts down what is about to be written where, before the first byte of it (rule R5).
#[derive(Clone, Debug)]
pub struct Stage {
    /// The contents that the version will probably hang on.
    pub contents: ContainerId,
    /// The version to be.
    pub version: VersionId,
    /// Named, unnamed or alias.
    pub kind: Kind,
    /// The object's name.
    pub name: String,
    /// The blob that will hold the bytes.
    pub blob: BlobName,
    /// Who writes.
    pub actor: String,
}

/// Whether the object must be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// It may be new.
    Any,
    /// It must exist (SCSP UPDATE).
    Required,
}

/// Where a published version's bytes are.
#[derive(Clone, Debug)]
pub enum Body {
    /// In this command; stored beside the rows, in the same commit.
    Inline {
        /// The blob's name.
        blob: BlobName,
        /// How `bytes` are to be read back.
        format: i64,
        /// The bytes as they lie at rest.
        bytes: Bytes,
    },
    /// In the object store, under the blob of the version's staged row.
    Staged {
        /// How the bytes are to be read back.
        format: i64,
    },
}

/// Makes a version readable, as its object's current one.
#[derive(Clone, Debug)]
pub struct Publish {
    /// The domain around the bucket; must be live.
    pub domain: ContainerId,
    /// The bucket; must be live.
    pub bucket: ContainerId,
    /// The version; of a staged body, the staged row's.
    pub version: VersionId,
    /// Named, unnamed or alias.
    pub kind: Kind,
    /// The object's name.
    pub name: String,
    /// Size of the content in bytes.
    pub size: u64,
    /// MD5 of the content.
    pub md5: [u8; 16],
    /// The headers to echo, as the door encodes them.
    pub headers: String,
    /// What refuses its deletion.
    pub guard: Guard,
    /// When it goes by itself.
    pub expires_at: Option<Time>,
    /// The user it belongs to.
    pub owner: Option<String>,
    /// Who writes.
    pub actor: String,
    /// Whether the object must be there already.
    pub existence: Existence,
    /// What must be true of the current version.
    pub condition: Condition,
    /// Grace of the version that this one overwrites, where the bucket has none of its own.
    pub grace: Duration,
    /// The bytes.
    pub body: Body,
}

/// Removes an object's current version, or one given version.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The domain around the bucket; must be live.
    pub domain: ContainerId,
    /// The bucket; must be live.
    pub bucket: ContainerId,
    /// The object's name.
    pub name: String,
    /// This version and no other; `None`: the current one.
    pub version: Option<VersionId>,
    /// What must be true of the current version.
    pub condition: Condition,
    /// Why.
    pub cause: Cause,
    /// By whom.
    pub actor: String,
    /// Grace, where the bucket has none of its own.
    pub grace: Duration,
}

/// Which removed version comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreWhat {
    /// The one of this name that was removed last.
    Latest(String),
    /// This one.
    Version(VersionId),
}

/// Brings a removed version back as its object's current one.
#[derive(Clone, Debug)]
pub struct Restore {
    /// The domain around the bucket; must be live.
    pub domain: ContainerId,
    /// The bucket; must be live.
    pub bucket: ContainerId,
    /// Which version.
    pub what: RestoreWhat,
    /// Under another name than it had.
    pub as_name: Option<String>,
    /// Remove a current version that is in the way, instead of refusing.
    pub replace: bool,
    /// Who restores.
    pub actor: String,
    /// Grace of a version that is replaced, where the bucket has none of its own.
    pub grace: Duration,
}

/// What a command did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The row stands.
    Staged,
    /// Readable from now on.
    Published(Published),
    /// Invisible from now on.
    Deleted(Deleted),
    /// Readable again.
    Restored(Restored),
}

/// A version that became readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its id.
    pub version: VersionId,
    /// Its position in its bucket.
    pub seq: i64,
    /// When it became readable.
    pub at: Time,
    /// The version whose place it took.
    pub replaced: Option<VersionId>,
}

/// A version that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Its id.
    pub version: VersionId,
    /// Its headers, as the door encoded them.
    pub headers: String,
    /// When it had been written.
    pub created_at: Time,
    /// The user it belonged to.
    pub owner: Option<String>,
    /// Its size in bytes.
    pub size: u64,
    /// Until when it can be restored.
    pub purge_after: Time,
}

/// A version that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Its id.
    pub version: VersionId,
    /// The name it has now.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The version it displaced.
    pub replaced: Option<VersionId>,
}

impl ObjectCommand {
    /// The domain and bucket that a command concerns; staging concerns none yet.
    pub(crate) fn place(&self) -> Option<(ContainerId, ContainerId)> {
        match self {
            ObjectCommand::Stage(_) => None,
            ObjectCommand::Publish(c) => Some((c.domain, c.bucket)),
            ObjectCommand::Delete(c) => Some((c.domain, c.bucket)),
            ObjectCommand::Restore(c) => Some((c.domain, c.bucket)),
        }
    }
}
