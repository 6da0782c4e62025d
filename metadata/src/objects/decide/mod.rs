//! What a command does to what is there: pure functions from facts to effects or a refusal.
//!
//! The facts are read after the bucket's row was locked and its liveness found, so nobody changes them meanwhile.

mod delete;
mod import;
mod publish;
mod restore;

pub(crate) use delete::delete;
pub(crate) use import::{Ground, Landing, Same, Taken, Verdict, import, settle};
pub(crate) use publish::publish;
pub(crate) use restore::restore;

use super::command::{Numbers, Outcome};
use super::expiry::{Expiry, Standing, lifepoint_guard};
use lifecycle::condition::{There, content_tag};
use lifecycle::lifecycle::{Facts, Move, step};
use lifecycle::quota::{Amount, Change};
use lifecycle::refusal::Reserved;
use lifecycle::revision::Revision;
use lifecycle::{
    Cause, ContainerId, DefaultRetention, ExpiryRule, Grace, Guard, Kind, Lock, Refusal, Retention, Seal,
    State, Time, VersionId, Versioning,
};
use std::time::Duration;

/// A version as the decision needs it.
#[derive(Clone, Debug)]
pub(crate) struct VersionFacts {
    pub(crate) id: VersionId,
    pub(crate) contents: ContainerId,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// 0 while staged.
    pub(crate) seq: i64,
    /// When a later one took its place, and the position at which that happened.
    pub(crate) superseded_at: Option<Time>,
    pub(crate) superseded_seq: Option<i64>,
    pub(crate) state: State,
    pub(crate) is_current: bool,
    pub(crate) marker: bool,
    pub(crate) null_version: bool,
    pub(crate) size: u64,
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) parts: Option<u32>,
    pub(crate) headers: String,
    pub(crate) owner: Option<String>,
    pub(crate) tags: Option<String>,
    pub(crate) created_at: Time,
    pub(crate) guard: Guard,
    pub(crate) retention: Option<Retention>,
    pub(crate) expires_at: Option<Time>,
    /// The lifecycle rule that this comes from; `None`: its lifepoint.
    pub(crate) expiry_rule: Option<String>,
    pub(crate) purge_after: Option<Time>,
    pub(crate) revision: Option<Revision>,
}

impl VersionFacts {
    /// Expired counts as absent in the second it falls due, whatever the sweeper does.
    pub(crate) fn is_expired(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// What its guard consists of.
    pub(crate) fn lock(&self) -> Lock {
        Lock::of(self.guard, lifepoint_guard(&self.headers), self.retention)
    }

    fn lifecycle_facts(&self, now: Time) -> Facts {
        Facts { now, purge_after: self.purge_after, guard: self.guard, ..Facts::default() }
    }
}

/// The live versions of one name that a decision may look at.
///
/// A marker is never current: an object that a marker hides has no current version, and the marker is its newest live
/// one. So what hides objects stands in no index that readers walk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen<'a> {
    /// The current one.
    pub(crate) current: Option<&'a VersionFacts>,
    /// The newest of the others. Read only where versions are kept.
    pub(crate) newest: Option<&'a VersionFacts>,
    /// The newest of the others but one. Read only where the newest is to go.
    pub(crate) second: Option<&'a VersionFacts>,
    /// The null version, if it is not the current one. Read only where another may take its place.
    pub(crate) null: Option<&'a VersionFacts>,
    /// Where nothing of the name lives: the revision that whatever comes next has to follow, or what peers know of the
    /// name would name two things.
    pub(crate) dead: Option<Revision>,
}

impl<'a> Seen<'a> {
    /// Whether there are versions of the name that are not current.
    pub(crate) fn has_history(&self) -> bool {
        self.newest.is_some()
    }

    /// The current version, unless it has expired.
    fn visible(&self, now: Time) -> Option<&'a VersionFacts> {
        self.current.filter(|current| !current.is_expired(now))
    }

    /// The delete marker that hides the object.
    fn marker(&self) -> Option<&'a VersionFacts> {
        match self.current {
            Some(_) => None,
            None => self.newest.filter(|newest| newest.marker),
        }
    }

    /// The revision that the next version of the name follows.
    fn leaf(&self) -> Option<Revision> {
        match self.current.or(self.newest) {
            Some(version) => version.revision,
            None => self.dead,
        }
    }

    /// The null version, wherever it stands.
    fn any_null(&self) -> Option<&'a VersionFacts> {
        self.current.filter(|current| current.null_version).or(self.null)
    }
}

/// The bucket as the decision needs it, from the statement that locked it.
#[derive(Clone, Debug)]
pub(crate) struct BucketFacts {
    pub(crate) contents: ContainerId,
    pub(crate) object_grace: Option<Duration>,
    pub(crate) versioning: Versioning,
    /// What was superseded up to this position went when versioning was switched off.
    pub(crate) erase_upto: i64,
    /// The lifecycle rules in force.
    pub(crate) rules: Vec<ExpiryRule>,
    /// The retention of new versions that come without one.
    pub(crate) keeps: Option<DefaultRetention>,
    /// What is forbidden in it.
    pub(crate) seal: Seal,
    /// How many versions of a name are kept; `None`: all.
    pub(crate) max_per_name: Option<i64>,
    /// Whether whoever writes may let what is older go with it.
    pub(crate) allow_rollup: bool,
}

impl BucketFacts {
    /// What happens to older versions of an object of this kind. Unnamed objects have none, ever.
    pub(crate) fn versioning_of(&self, kind: Kind) -> Versioning {
        if kind == Kind::Unnamed { Versioning::Disabled } else { self.versioning }
    }
}

/// Time, first position and first change that a command is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) now: Time,
    pub(crate) seq: i64,
    pub(crate) change: i64,
}

/// A live version becomes removed.
#[derive(Clone, Debug)]
pub(crate) struct Removal {
    pub(crate) id: VersionId,
    pub(crate) contents: ContainerId,
    pub(crate) size: u64,
    pub(crate) purge_after: Time,
    pub(crate) due_at: Option<Time>,
    pub(crate) cause: Cause,
    pub(crate) actor: String,
    pub(crate) change_seq: i64,
    /// What guards it from now on, where somebody passed by a part of it; `None`: what did before.
    pub(crate) guard: Option<Guard>,
}

/// A live version gives its bytes to its successor; only its tombstone stays.
#[derive(Clone, Debug)]
pub(crate) struct HandOver {
    pub(crate) from: VersionId,
    pub(crate) to: VersionId,
    pub(crate) contents: ContainerId,
    pub(crate) size: u64,
    pub(crate) actor: String,
    pub(crate) forget_after: Time,
    pub(crate) change_seq: i64,
}

/// A live version becomes its object's current one, or ceases to be.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) id: VersionId,
    pub(crate) current: bool,
    pub(crate) at: Time,
    pub(crate) seq: i64,
    /// When it goes by itself from now on; `None`: as before.
    pub(crate) expiry: Option<Expiry>,
}

/// A version becomes live and current.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) contents: ContainerId,
    pub(crate) seq: i64,
    pub(crate) change_seq: i64,
    pub(crate) at: Time,
    pub(crate) size: u64,
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) parts: Option<u32>,
    pub(crate) null_version: bool,
    pub(crate) expiry: Expiry,
    pub(crate) revision: Revision,
    pub(crate) parent: Option<[u8; 16]>,
    pub(crate) tags: Option<String>,
    pub(crate) lock: Lock,
    /// It left another name for this one.
    pub(crate) renamed: bool,
    /// The parts that it is assembled from.
    pub(crate) pieces: Vec<Piece>,
}

/// A finished part on its way into an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) part: VersionId,
    pub(crate) number: u32,
    /// Where its bytes begin in the object.
    pub(crate) start: u64,
}

/// A delete marker becomes an object's newest version.
#[derive(Clone, Debug)]
pub(crate) struct Marker {
    pub(crate) id: VersionId,
    pub(crate) contents: ContainerId,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) seq: i64,
    pub(crate) change_seq: i64,
    pub(crate) at: Time,
    pub(crate) null_version: bool,
    pub(crate) owner: Option<String>,
    pub(crate) revision: Revision,
    pub(crate) parent: Option<[u8; 16]>,
}

/// A removed version becomes live again.
#[derive(Clone, Debug)]
pub(crate) struct Return {
    pub(crate) id: VersionId,
    pub(crate) contents: ContainerId,
    pub(crate) size: u64,
    pub(crate) name: String,
    pub(crate) expiry: Expiry,
    pub(crate) change_seq: i64,
    /// The position it takes: its own, unless it comes back under another name.
    pub(crate) seq: i64,
    /// Where it is not the current one: the position of this change, at which it counts as superseded.
    pub(crate) superseded_seq: i64,
    pub(crate) is_current: bool,
    pub(crate) at: Time,
    /// Its revision from now on, and the hash of that one's parent; `None`: the one it had.
    pub(crate) revision: Option<(Revision, Option<[u8; 16]>)>,
    /// What guards it again, if somebody had passed by a part of that; `None`: what does.
    pub(crate) guard: Option<Guard>,
}

/// Everything that one command changes, in the order in which it is carried out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    pub(crate) removals: Vec<Removal>,
    pub(crate) hand_over: Option<HandOver>,
    pub(crate) turns: Vec<Turn>,
    pub(crate) marker: Option<Marker>,
    pub(crate) arrival: Option<Arrival>,
    pub(crate) comeback: Option<Return>,
}

impl Effects {
    /// How much more is stored by it.
    pub(crate) fn stored(&self) -> Change {
        let mut change = Change::default();
        for removal in &self.removals {
            change.live += amount(-1, removal.size);
            change.removed += amount(1, removal.size);
        }
        if let Some(hand_over) = &self.hand_over {
            change.live += amount(-1, hand_over.size);
        }
        if self.marker.is_some() {
            change.live += amount(1, 0);
        }
        if let Some(arrival) = &self.arrival {
            change.live += amount(1, arrival.size);
        }
        if let Some(comeback) = &self.comeback {
            change.live += amount(1, comeback.size);
            change.removed += amount(-1, comeback.size);
        }
        change
    }

    /// What of the bucket's numbers this takes.
    pub(crate) fn taken(&self) -> Numbers {
        let arrives = i64::from(self.arrival.is_some());
        let positions = arrives + i64::from(self.marker.is_some()) + i64::from(self.comeback.is_some());
        let others = !self.removals.is_empty() || self.hand_over.is_some() || !self.turns.is_empty();
        let changes = match (&self.arrival, positions > 0 || others) {
            (_, false) => 0,
            // A rename: the name it leaves has changed, and the one it takes.
            (Some(arrival), true) if arrival.renamed => 2,
            (_, true) => 1,
        };
        Numbers { positions, markers: 0, changes }
    }
}

/// So many versions of `size` bytes each.
pub(crate) fn amount(objects: i64, size: u64) -> Amount {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    Amount { objects, bytes: objects.saturating_mul(size) }
}

type Decision = Result<(Effects, Outcome), Refusal>;

/// What one command, at one moment, may do to the versions it meets.
#[derive(Clone, Copy)]
struct Hand<'a> {
    actor: &'a str,
    grace: Duration,
    bucket: &'a BucketFacts,
    slot: Slot,
}

impl Hand<'_> {
    /// Removes a live version, unless a guard refuses.
    fn remove(&self, version: &VersionFacts, cause: Cause) -> Result<Removal, Refusal> {
        self.remove_past(version, cause, false)
    }

    /// The same for somebody who may pass by a GOVERNANCE retention, and has said so (`bypass`). What was passed by does not
    /// hold the purge back either; restored, the version has its lock again.
    fn remove_past(&self, version: &VersionFacts, cause: Cause, bypass: bool) -> Result<Removal, Refusal> {
        let guard = if bypass { version.lock().binding(true) } else { version.guard };
        step(version.state, Move::Remove, &Facts { guard, ..version.lifecycle_facts(self.slot.now) })?;
        let grace = Grace::For(self.bucket.object_grace.unwrap_or(self.grace));
        let purge_after = grace.purge_after(self.slot.now);
        let actor = match (cause, &version.expiry_rule) {
            (Cause::Lifepoint, _) => "lifepoint".to_owned(),
            (Cause::Lifecycle, Some(rule)) => format!("lifecycle:{rule}"),
            _ => self.actor.to_owned(),
        };
        Ok(Removal {
            id: version.id,
            contents: version.contents,
            size: version.size,
            purge_after,
            due_at: guard.due_at(purge_after),
            cause,
            actor,
            change_seq: self.slot.change,
            guard: (guard != version.guard).then_some(guard),
        })
    }

    /// Removes a version whose time has come.
    fn expire(&self, version: &VersionFacts) -> Result<Removal, Refusal> {
        let by_rule = version.expiry_rule.is_some();
        self.remove(version, if by_rule { Cause::Lifecycle } else { Cause::Lifepoint })
    }

    /// Hides a version behind a newer one.
    fn cover(&self, version: &VersionFacts) -> Turn {
        Turn {
            id: version.id,
            current: false,
            at: self.slot.now,
            seq: self.slot.seq,
            // Of those that are not current it is the newest from now on.
            expiry: self
                .bucket
                .expiry_anew(version, Standing::Older { since: self.slot.now, newer: Some(0) }),
        }
    }

    /// Shows a version again.
    fn uncover(&self, version: &VersionFacts) -> Turn {
        Turn {
            id: version.id,
            current: true,
            at: self.slot.now,
            seq: self.slot.seq,
            expiry: self.bucket.expiry_anew(version, Standing::Current),
        }
    }

    /// A delete marker on top of `over`, the newest version of the object.
    fn marker(
        &self,
        id: VersionId,
        (kind, name): (Kind, &str),
        over: Option<&VersionFacts>,
        null_version: bool,
    ) -> Marker {
        self.marker_after(id, (kind, name), over, over.and_then(|over| over.revision), null_version)
    }

    /// The same, where its parent is another one than what it hides.
    fn marker_after(
        &self,
        id: VersionId,
        (kind, name): (Kind, &str),
        over: Option<&VersionFacts>,
        parent: Option<Revision>,
        null_version: bool,
    ) -> Marker {
        let revision = Revision::deleted(parent);
        Marker {
            id,
            contents: self.bucket.contents,
            kind,
            name: name.to_owned(),
            seq: self.slot.seq,
            change_seq: self.slot.change,
            at: self.slot.now,
            null_version,
            owner: over.and_then(|over| over.owner.clone()),
            revision,
            parent: parent.map(|parent| parent.hash),
        }
    }

    /// Makes room for a null version: at most one lives of a name. Gives the version that is to be removed for it.
    fn displaced<'a>(&self, seen: &Seen<'a>) -> Option<&'a VersionFacts> {
        match self.bucket.versioning {
            Versioning::Suspended => seen.any_null(),
            Versioning::Disabled | Versioning::Enabled => None,
        }
    }
}

fn check_condition(condition: &lifecycle::Condition, visible: Option<&VersionFacts>) -> Result<(), Refusal> {
    if condition.is_empty() {
        return Ok(());
    }
    let Some(version) = visible else {
        return if condition.holds(None) { Ok(()) } else { Err(Refusal::ConditionFailed { current: None }) };
    };
    let (id, content) = (version.id.to_string(), version.md5.map(|md5| content_tag(md5, version.parts)));
    let there =
        There { version: &id, content: content.as_deref(), size: version.size, changed: version.created_at };
    if condition.holds(Some(there)) {
        Ok(())
    } else {
        Err(Refusal::ConditionFailed { current: Some(version.id) })
    }
}

/// An object with an authorisation spec of its own waits for the door to evaluate that.
fn heed_spec(heeds: bool, visible: Option<&VersionFacts>) -> Result<(), Refusal> {
    match visible {
        Some(version) if heeds && version.headers.contains("\"castor-authorization\"") => {
            let (headers, owner) = (version.headers.clone(), version.owner.clone());
            Err(Refusal::Reserved(Box::new(Reserved { version: version.id, headers, owner })))
        }
        Some(_) | None => Ok(()),
    }
}

/// The stored `Allow` header, if there is one (SCSP section 3.8). Headers are stored as JSON pairs.
fn allow_list(headers: &str) -> Option<String> {
    if !headers.contains("\"allow\"") {
        return None;
    }
    let pairs: Vec<(String, String)> = serde_json::from_str(headers).ok()?;
    pairs.into_iter().find(|(name, _)| name == "allow").map(|(_, value)| value)
}
