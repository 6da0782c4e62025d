//! What can be asked of objects, and what is answered. The same commands drive both engines and the reference model.

use bytes::Bytes;
use lifecycle::{
    BlobName, Cause, Condition, ContainerId, Guard, Kind, Retention, Time, UploadId, VersionId, Versioning,
};
use std::ops::AddAssign;
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
    /// The multipart upload that it is a part of, and the part's number.
    pub part_of: Option<(UploadId, u32)>,
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
    /// Those of the version that this one takes the place of, which differs in its headers alone: its blobs pass to this
    /// one, and of it a tombstone stays. The one overwrite without grace; [`lifecycle::Refusal::Conflict`] where the
    /// bucket keeps older versions, for these keep their bytes.
    HandOver {
        /// How long the tombstone stays.
        memory: Duration,
    },
    /// Those of an upload's finished parts, in this order, which pass to this version. The upload has ended then; parts
    /// that are not named here are given up.
    Parts {
        /// The upload.
        upload: UploadId,
        /// Number and version of each part, by ascending number.
        parts: Vec<(u32, VersionId)>,
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
    /// Size of the content in bytes. With bytes that are handed over or assembled, theirs counts.
    pub size: u64,
    /// MD5 of the content; of an object made of parts, the MD5 over the MD5s of these. With bytes that are handed over,
    /// theirs counts.
    pub md5: [u8; 16],
    /// How many parts it is made of; `None`: it was written in one piece.
    pub parts: Option<u32>,
    /// Its tags, as the door encodes them; with bytes that are handed over, these too.
    pub tags: Option<String>,
    /// The tags of the version whose place this one takes, and that it names in `replaces`, whatever they are by then: tags
    /// change without another version, and what changed them was answered.
    pub keeps_tags: bool,
    /// The checksum that was declared for its content, as the door encodes it; with bytes that are handed over, this one.
    pub checksum: Option<String>,
    /// How it comes to be written, for whoever is told of it.
    pub written: Written,
    /// The headers to echo, as the door encodes them.
    pub headers: String,
    /// What its headers say against its deletion, and its legal hold.
    pub guard: Guard,
    /// Its retention; `None`: what its bucket gives to new versions. One that takes over bytes has what guarded these.
    pub retention: Option<Retention>,
    /// Its own access list, as the door encodes it; `None`: private.
    pub acl: Option<String>,
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
    /// The version that must be current still, because this one was made from it; otherwise
    /// [`lifecycle::Refusal::Conflict`].
    pub replaces: Option<VersionId>,
    /// The object's name until now, if this renames it. Condition and `replaces` speak of that then.
    pub renames: Option<Rename>,
    /// The caller may shorten or drop what the headers of the version say whose place this one takes. Its retention and
    /// its hold stay.
    pub may_shorten_guard: bool,
    /// An object that carries an authorisation spec (SCSP's `Castor-Authorization`) is not touched before the door has
    /// evaluated that: [`lifecycle::Refusal::Reserved`].
    pub heeds_spec: bool,
    /// What goes with its arrival, beside the version that it overwrites.
    pub rolls_up: Option<RollUp>,
    /// Grace of the version that this one overwrites, and of what is rolled up, where the bucket has none of its own.
    pub grace: Duration,
    /// The bytes.
    pub body: Body,
}

/// What a version purges when it arrives: whatever arrived before it and is not guarded, as JetStream's `Nats-Rollup` does. The
/// bucket must permit it; otherwise [`lifecycle::Refusal::Sealed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollUp {
    /// Under its name.
    Name,
    /// In its bucket.
    Bucket,
}

/// How a version comes to be written, as S3 tells it apart. One that is made of parts is told of as that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Written {
    /// With its content in the request.
    #[default]
    Put,
    /// By a form.
    Post,
    /// From another object, or from itself with other headers.
    Copied,
}

/// An object leaves its name for another.
#[derive(Clone, Debug)]
pub struct Rename {
    /// The name it leaves.
    pub from: String,
    /// The id of the delete marker that stands there afterwards, where the bucket keeps versions.
    pub marker: VersionId,
}

/// How delete markers come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markers {
    /// At most one on top of an object, and none where nothing was (SCSP section 5.4).
    Single,
    /// Always another one (S3).
    Stacked,
}

/// Which version of an object is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The current one.
    Current,
    /// This one and no other, be it current or not.
    Version(VersionId),
    /// The one that was written while versioning was not enabled, be it current or not: S3's `versionId=null`. At most one
    /// is live.
    Null,
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
    /// The current one, which in a bucket that keeps versions a delete marker hides; or one that goes for good, and where
    /// there is none such, [`lifecycle::Refusal::NoSuchVersion`].
    pub which: Which,
    /// The id of the delete marker, if there is to be one.
    pub marker: VersionId,
    /// How delete markers come about.
    pub markers: Markers,
    /// A marker may hide a version that a guard protects: nothing is destroyed by it.
    pub hides_guarded: bool,
    /// The caller may pass by the GOVERNANCE retention of the version that is named, and has said so.
    pub bypass: bool,
    /// An object that carries an authorisation spec is not touched before the door has evaluated that.
    pub heeds_spec: bool,
    /// The version that must be current still, because the caller decided by it; otherwise
    /// [`lifecycle::Refusal::Conflict`].
    pub expects: Option<VersionId>,
    /// What must be true of the current version, or of the one that was named.
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

/// How many of its numbers a bucket is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Positions, whatever the bucket keeps.
    pub(crate) positions: i64,
    /// Positions of delete markers, which stand only where versions are kept.
    pub(crate) markers: i64,
    /// Changes.
    pub(crate) changes: i64,
}

impl Numbers {
    /// So many changes, and no position.
    pub(crate) const fn changes(changes: i64) -> Self {
        Numbers { positions: 0, markers: 0, changes }
    }

    /// The positions that a bucket gives which keeps versions so.
    pub(crate) fn positions_in(self, versioning: Versioning) -> i64 {
        self.positions + if versioning == Versioning::Disabled { 0 } else { self.markers }
    }
}

impl AddAssign for Numbers {
    fn add_assign(&mut self, other: Self) {
        self.positions += other.positions;
        self.markers += other.markers;
        self.changes += other.changes;
    }
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
    /// Its size in bytes.
    pub size: u64,
    /// MD5 of its content, or over the MD5s of its parts.
    pub md5: Option<[u8; 16]>,
    /// The version whose place it took.
    pub replaced: Option<VersionId>,
    /// When a lifecycle rule lets it go, and which of them.
    pub expires: Option<(Time, String)>,
    /// The purge of what it rolls up, which was accepted with it and may be under way still.
    pub rolled_up: Option<ContainerId>,
}

/// A version that was removed, or hidden by a delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Its id; where nothing was to be hidden, the marker's.
    pub version: VersionId,
    /// The delete marker that is on top of the object now.
    pub marker: Option<VersionId>,
    /// Whether what was removed is itself a delete marker.
    pub was_marker: bool,
    /// The version that is current again because this one is not any more.
    pub uncovered: Option<VersionId>,
    /// Its headers, as the door encoded them.
    pub headers: String,
    /// When it had been written.
    pub created_at: Time,
    /// The user it belonged to.
    pub owner: Option<String>,
    /// Its size in bytes.
    pub size: u64,
    /// Until when it can be restored; `None`: it is still there, hidden.
    pub purge_after: Option<Time>,
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
    /// Whether it is its object's current version. In a bucket that keeps versions it returns to its place among them.
    pub is_current: bool,
    /// The version it displaced.
    pub replaced: Option<VersionId>,
    /// Whether the bucket, or the account it belongs to, holds more now than its quota.
    pub over_quota: bool,
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

    /// What it takes at most of its bucket's numbers. Only what arrives takes a position: a version, or the marker that
    /// hides one, and a restored version, which may take a new place.
    pub(crate) fn numbers(&self) -> Numbers {
        match self {
            ObjectCommand::Stage(_) => Numbers::default(),
            ObjectCommand::Publish(c) if c.renames.is_some() => {
                Numbers { positions: 1, markers: 1, changes: 2 }
            }
            ObjectCommand::Publish(_) | ObjectCommand::Restore(_) => {
                Numbers { positions: 1, markers: 0, changes: 1 }
            }
            ObjectCommand::Delete(_) => Numbers { positions: 0, markers: 1, changes: 1 },
        }
    }
}
