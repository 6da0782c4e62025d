//! A version arrives from another installation, with the id, the revision and the history that it has there.
//!
//! What becomes of it is decided by one function over the tree of its name (`decide/import.rs`), so that two installations
//! that have seen the same versions, in whatever order, show the same one. What was deleted or purged here does not come
//! back this way: the id of a dead version is remembered as long as its tombstone, and what the ledger names is refused
//! after that. What is guarded here is neither overwritten nor hidden: the caller is told, and may try again later.

mod effects;
mod facts;
mod settle;

pub(super) use settle::settle_all;

use super::command::Numbers;
use super::decide::{BucketFacts, Ground, Slot, Taken, Verdict, import as decide};
use super::effects::Usage;
use super::group::lock_domains;
use super::plan;
use super::quota::Room;
use super::touch::{Touched, touch_bucket};
use crate::Metadata;
use crate::error::Failure;
use crate::notices::Notices;
use crate::sql::{Conn, args};
use crate::writer::Urgency;
use bytes::Bytes;
use lifecycle::revision::Revision;
use lifecycle::{BlobName, ContainerId, Guard, InstallationId, Refusal, Retention, Time, VersionId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A version of another installation, on its way in.
#[derive(Clone, Debug)]
pub struct Import {
    /// The domain around the bucket; must be live.
    pub domain: ContainerId,
    /// The bucket; must be live.
    pub bucket: ContainerId,
    /// The object's name.
    pub name: String,
    /// Its id, the same everywhere; `None`: a tombstone that no version stands for where it comes from. Where it is taken,
    /// because it was here and was restored elsewhere, the version gets another one here.
    pub version: Option<VersionId>,
    /// Its revision.
    pub revision: Revision,
    /// The revisions before it, the nearest first, each of a generation less.
    pub history: Vec<Revision>,
    /// It says that the object is deleted, and has neither headers nor bytes.
    pub deleted: bool,
    /// The installation where it was written first, and its position there.
    pub origin: (InstallationId, i64),
    /// When it was written.
    pub created_at: Time,
    /// Size of its content in bytes.
    pub size: u64,
    /// MD5 of its content; of an object made of parts, the MD5 over the MD5s of these.
    pub md5: Option<[u8; 16]>,
    /// How many parts it was made of where it was written; here its bytes lie in one piece.
    pub parts: Option<u32>,
    /// Its headers, as the door encodes them.
    pub headers: String,
    /// Its tags, as the door encodes them.
    pub tags: Option<String>,
    /// The checksum that was declared for its content, as the door encodes it.
    pub checksum: Option<String>,
    /// What refuses its deletion.
    pub guard: Guard,
    /// Its retention, whose guard is taken in.
    pub retention: Option<Retention>,
    /// The user it belongs to.
    pub owner: Option<String>,
    /// Who imports.
    pub actor: String,
    /// Grace of what it takes the place of, and its own if it loses, where the bucket has none of its own.
    pub grace: Duration,
    /// How long a tombstone stays that no version stands for.
    pub memory: Duration,
    /// Its bytes.
    pub body: ImportBody,
}

/// Where the bytes of an import are.
#[derive(Clone, Debug)]
pub enum ImportBody {
    /// There are none: a tombstone.
    None,
    /// In the command.
    Inline {
        /// The blob's name.
        blob: BlobName,
        /// How `bytes` are to be read back.
        format: i64,
        /// The bytes as they lie at rest.
        bytes: Bytes,
        /// MD5 of the content.
        md5: [u8; 16],
    },
    /// In the object store, under the blob of this staged row, which goes when the version arrives.
    Staged {
        /// The staged row.
        row: VersionId,
        /// How the bytes are to be read back.
        format: i64,
        /// MD5 of the bytes.
        md5: [u8; 16],
    },
}

/// What became of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// It has arrived, and is what readers are given.
    Current,
    /// It has arrived, and the object is deleted.
    Deleted,
    /// It has arrived and lost: another end of the name's tree wins. Where no versions are kept it is removed already.
    Conflict,
    /// It is here already, or something that descends from it is. Nothing has changed but what is known of its ancestors.
    Known,
    /// It was here, and is deleted or purged: it does not come back this way. Nothing has changed.
    Remembered,
    /// The ledger says that it was purged here. Nothing has changed.
    Purged,
    /// Its id is in use in another bucket, or in what was taken out of one. Nothing has changed.
    Elsewhere,
}

impl ImportState {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            ImportState::Current => "current",
            ImportState::Deleted => "deleted",
            ImportState::Conflict => "conflict",
            ImportState::Known => "known",
            ImportState::Remembered => "remembered",
            ImportState::Purged => "purged",
            ImportState::Elsewhere => "elsewhere",
        }
    }

    /// Whether something new is here.
    pub const fn arrived(self) -> bool {
        matches!(self, ImportState::Current | ImportState::Deleted | ImportState::Conflict)
    }
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// What became of it.
    pub state: ImportState,
    /// The version that it is here.
    pub version: VersionId,
    /// Its position here, if it has one.
    pub seq: Option<i64>,
    /// The version whose place it took.
    pub replaced: Option<VersionId>,
    /// Whether its staged bytes are its own now; otherwise they are the caller's to take back.
    pub keeps_bytes: bool,
}

impl Metadata {
    /// Takes a version of another installation in, or tells why not.
    ///
    /// # Errors
    /// [`Refusal::ContainerGone`]; [`Refusal::QuotaExceeded`]; [`Refusal::Guarded`] where it would overwrite or hide what a guard protects;
    /// [`Refusal::Conflict`] if its staged bytes were taken back meanwhile, or a version is being written under its id.
    pub async fn import(&self, import: Import) -> Result<Imported, Failure> {
        let own = self.installation();
        let retention = import.retention.map_or(Guard::NONE, Retention::guard);
        let import = Import { guard: import.guard.and(retention), ..import };
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let import = import.clone();
                Box::pin(async move { carry_out(conn, now, own, &import).await })
            })
            .await
    }
}

async fn carry_out(
    conn: &mut Conn,
    now: Time,
    own: InstallationId,
    import: &Import,
) -> Result<Imported, Failure> {
    let live = lock_domains(conn, &BTreeSet::from([import.domain])).await?;
    let touched = touch_bucket(conn, import.bucket, import.domain, Numbers::default()).await?;
    let Some(touched) = touched.filter(|_| live.contains(&import.domain)) else {
        return Err(Refusal::ContainerGone.into());
    };
    touched.facts.seal.permits_change()?;
    // The numbers that it would give next.
    let slot = Slot { now, seq: touched.last_seq + 1, change: touched.change_seq + 1 };
    let Touched { facts: bucket, notify, limits, .. } = touched;
    let facts = facts::read(conn, import, &bucket, own).await?;
    let another = facts.same.is_some_and(|same| same.has_gone_on(import));
    let version = import.version.filter(|_| !another).unwrap_or_else(|| VersionId::ordered(now));
    let ground = Ground {
        same: facts.same,
        purged: facts.purged,
        nodes: &facts.nodes,
        current: facts.current.as_ref(),
        others: &facts.conflicts,
        revs_limit: facts.revs_limit,
    };
    let verdict = decide(import, version, &ground, &bucket, slot)?;
    let stays = |state| Imported { state, version, seq: None, replaced: None, keeps_bytes: false };
    match verdict {
        Verdict::Stays(state) => Ok(stays(state)),
        Verdict::Taken(taken) => {
            let mut room = Room::read(conn, vec![(import.bucket, limits)]).await?;
            heed_quotas(&mut room, import, &taken)?;
            let mut usage = Usage::default();
            let imported = take(conn, import, version, &bucket, slot, &taken, &mut usage).await?;
            usage.apply(conn).await?;
            if notify {
                let mut notices = Notices::default();
                if let Some((what, version)) = taken.happened(version) {
                    notices.note(import.bucket, what, version, &import.actor);
                }
                notices.write(conn, now).await?;
            }
            Ok(imported)
        }
    }
}

/// Takes room for what arrives. A delete that arrives is never refused.
fn heed_quotas(room: &mut Room, import: &Import, taken: &Taken) -> Result<(), Refusal> {
    let change = taken.stored(import.size);
    match taken.landing.as_ref().is_some_and(|landing| landing.has_bytes()) {
        true => room.take(import.bucket, change)?,
        false => drop(room.take_anyway(import.bucket, change)),
    }
    Ok(())
}

async fn take(
    conn: &mut Conn,
    import: &Import,
    version: VersionId,
    bucket: &BucketFacts,
    slot: Slot,
    taken: &Taken,
    usage: &mut Usage,
) -> Result<Imported, Failure> {
    let positions = i64::from(taken.landing.as_ref().is_some_and(|landing| landing.takes_position()));
    let changes = i64::from(taken.changes_anything());
    conn.execute(
        "UPDATE buckets SET last_seq = last_seq + $2, change_seq = change_seq + $3 WHERE id = $1",
        args![import.bucket, positions, changes],
    )
    .await?;
    effects::apply(conn, import, version, bucket, slot, taken, usage).await?;
    if bucket.looks_around() {
        plan::settle(conn, &BTreeMap::from([((bucket.contents, import.name.clone()), bucket)])).await?;
    }
    Ok(Imported {
        state: taken.state,
        version,
        seq: (positions > 0).then_some(slot.seq),
        replaced: taken.replaced(),
        keeps_bytes: taken.landing.as_ref().is_some_and(|landing| landing.has_bytes()),
    })
}
