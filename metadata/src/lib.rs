//! The truth in SQL: domains, buckets, objects, versions and tombstones, on SQLite and on Postgres alike.
//!
//! One method is one transaction is one move of the lifecycle, with the whole guard in its statements. What a client can
//! cause to be refused comes back as a [`Failure::Refused`] value; nothing has changed then.
//!
//! Commands to objects go through one writer per process that groups them; reads go past it.

mod accounts;
mod bulk;
mod changes;
mod check;
mod containers;
mod deletions;
mod error;
mod exports;
mod followers;
mod foretell;
mod gather;
mod gauges;
mod halted;
mod keys;
mod ledger;
mod list;
mod lives;
mod lookup;
mod members;
mod migrate;
mod notices;
mod objects;
mod open;
mod orphans;
mod past;
mod quotas;
mod reclaim;
mod rehearsal;
mod revisions;
mod scrub;
mod settings;
mod sql;
mod tags;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod tombstones;
mod upkeep;
mod uploads;
mod usage;
mod writer;

pub use accounts::{Account, AccountChange, NewAccount};
pub use bulk::{
    Accepted, AtPosition, LAST_POSITION, Positions, PurgeBound, PurgeCount, PurgeJob, PurgeNames,
    PurgeSelector, PurgeState, PurgeVersions, StreamState,
};
pub use changes::{CHANGES_MAX, Change, ChangesPage, Tell};
pub use check::Checked;
pub use containers::{
    Allowed, Changed, Container, ContainerKind, ContainerPage, ContextChange, DeletedContext, DeletionRow,
    Empty, HistoryStep, Lifecycle, LifecycleChange, NewContainer, PLAN_VALID, Policies, PurgeOrder,
    PurgePlan, PurgeStep, Removal, RemoveOrder, Removed, Replan, ReplanAt, ReplanProgress, ReplanStep,
    RestoreOrder, StreamRules,
};
pub use deletions::{DeletionsOrder, DeletionsPage};
pub use error::Failure;
pub use exports::LiveRevision;
pub use followers::{FOLLOWER_KINDS, FollowOrder, Follower, LAG_PURGES, LAG_TIME, Lagging};
pub use foretell::{Foretelling, Foretold, ForetoldRule};
pub use gauges::ContainerCount;
pub use halted::{BRAKE_SAYS, CLOCK_LEAP_MAX, Halt};
pub use keys::{AccessKey, KeyAccount, KeyChange, KeyStanding, OldKey, Secret, write_private};
pub use ledger::{PURGES_MAX, Pruned, Purge, PurgesPage};
pub use list::{
    BadDelimiter, Delimiter, Entry, Expired, Held, ListOrder, Listed, ListedVersion, Page, PageOfUploads,
    PageOfVersions, UploadsOrder, VersionMarker, VersionPage, VersionsOrder,
};
pub use lives::{Inside, Life};
pub use lookup::{Found, Located, Sought, Version, VersionPart};
pub use members::{Cut, MemberGauges, MemberSettings, Members, Pin, Reads};
pub use notices::{Addressed, Backlog, Delivery, Notice};
pub use objects::{
    Body, Delete, Deleted, Existence, Import, ImportBody, ImportState, Imported, LockChange, LockOrder,
    Locked, Markers, ObjectCommand, Outcome, Publish, Published, Rename, Restore, RestoreWhat, Restored,
    RollUp, Stage, Which, Written,
};
pub use open::{Metadata, Settings};
pub use orphans::{CondemnOrder, Orphans, Sighting};
pub use past::{Past, PastGround, TakenOut, Then};
pub use quotas::{AccountUsage, QuotaStanding};
pub use reclaim::{ClaimOrder, Waiting};
pub use revisions::{
    Lacking, MarkersGo, MissingOrder, PairPurged, PurgeInfo, PurgePair, RevisionLimits, RevisionPurge,
    RevisionsPurged, StaleMarker,
};
pub use scrub::{BlobPlace, Owned, Owner};
pub use settings::{Setting, SettingChanges, SettingKind};
pub use sql::Engine;
pub use tasks::TaskRow;
#[cfg(feature = "testing")]
pub use testing::fresh_schema;
pub use tombstones::{Tombstone, TombstoneKind, TombstonePage, TombstoneScope, UUID_VERSIONS_MAX};
pub use upkeep::Compacted;
pub use uploads::{NewPart, NewUpload, Part, PartBody, Upload, UploadEnd, UploadMode};
pub use usage::UsageRow;

impl Metadata {
    /// Carries out one command to an object, durably, before it answers.
    ///
    /// # Errors
    /// [`Failure::Refused`] by the lifecycle, a guard or a condition; the world's failures otherwise.
    pub async fn object(&self, command: ObjectCommand) -> Result<Outcome, Failure> {
        self.writer.object(command).await
    }

    /// Carries out many commands; each has its own answer, in order. `in_background`: behind whatever clients ask for.
    pub async fn objects(
        &self,
        commands: Vec<ObjectCommand>,
        in_background: bool,
    ) -> Vec<Result<Outcome, Failure>> {
        let urgency = if in_background { writer::Urgency::Background } else { writer::Urgency::Foreground };
        self.writer.objects(urgency, commands).await
    }

    /// How often the database has asked this process to run a transaction again, which was then done: deadlocks, and
    /// names that two processes took in the same moment. For metrics.
    pub fn transactions_run_again(&self) -> u64 {
        self.writer.run_again()
    }
}
