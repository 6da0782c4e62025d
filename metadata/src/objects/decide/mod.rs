//! What a command does to what is there: a pure function from facts to effects or a refusal.
//!
//! The facts are read after the bucket's row was locked and its liveness found, so nobody changes them meanwhile.

use super::command::{Delete, Deleted, Existence, Outcome, Publish, Published, Restore, Restored};
use lifecycle::lifecycle::{Facts, Move, step};
use lifecycle::revision::{Described, Revision};
use lifecycle::{Cause, ContainerId, Grace, Guard, Kind, Refusal, State, Time, VersionId};
use std::time::Duration;

/// A version as the decision needs it.
#[derive(Clone, Debug)]
pub(crate) struct VersionFacts {
    pub(crate) id: VersionId,
    pub(crate) contents: ContainerId,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) is_current: bool,
    pub(crate) size: u64,
    pub(crate) headers: String,
    pub(crate) owner: Option<String>,
    pub(crate) created_at: Time,
    pub(crate) guard: Guard,
    pub(crate) expires_at: Option<Time>,
    pub(crate) purge_after: Option<Time>,
    pub(crate) revision: Option<Revision>,
}

impl VersionFacts {
    /// Expired counts as absent in the second it falls due, whatever the sweeper does.
    pub(crate) fn is_expired(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    fn lifecycle_facts(&self, now: Time) -> Facts {
        Facts { now, purge_after: self.purge_after, guard: self.guard, ..Facts::default() }
    }
}

/// The bucket as the decision needs it, from the statement that locked it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BucketFacts {
    pub(crate) contents: ContainerId,
    pub(crate) object_grace: Option<Duration>,
}

/// Time and position that a command is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) now: Time,
    pub(crate) seq: i64,
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
}

/// A version becomes live and current.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) contents: ContainerId,
    pub(crate) seq: i64,
    pub(crate) at: Time,
    pub(crate) revision: Revision,
    pub(crate) parent: Option<[u8; 16]>,
}

/// A removed version becomes live and current again.
#[derive(Clone, Debug)]
pub(crate) struct Return {
    pub(crate) id: VersionId,
    pub(crate) contents: ContainerId,
    pub(crate) size: u64,
    pub(crate) name: String,
    pub(crate) expires_at: Option<Time>,
    pub(crate) change_seq: i64,
}

/// Everything that one command changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    pub(crate) removal: Option<Removal>,
    pub(crate) arrival: Option<Arrival>,
    pub(crate) comeback: Option<Return>,
}

type Decision = Result<(Effects, Outcome), Refusal>;

/// A version arrives under a name that may have a current one.
pub(crate) fn publish(
    cmd: &Publish,
    current: Option<&VersionFacts>,
    bucket: BucketFacts,
    slot: Slot,
) -> Decision {
    let visible = current.filter(|current| !current.is_expired(slot.now));
    if let Some(current) = visible
        && (current.kind == Kind::Unnamed || current.kind != cmd.kind)
    {
        return Err(Refusal::Immutable);
    }
    if cmd.existence == Existence::Required && visible.is_none() {
        return Err(Refusal::NoSuchObject { marker: None });
    }
    check_condition(&cmd.condition, visible)?;
    // What is overwritten is removed, and a guard refuses that as it refuses a delete.
    let removal = match current {
        None => None,
        Some(current) if current.is_expired(slot.now) => {
            Some(remove(current, Cause::Lifepoint, "lifepoint", cmd.grace, bucket, slot)?)
        }
        Some(current) => Some(remove(current, Cause::Overwrite, &cmd.actor, cmd.grace, bucket, slot)?),
    };
    let parent = visible.and_then(|current| current.revision);
    let revision = Revision::of(&Described {
        parent,
        content_md5: Some(cmd.md5),
        size: cmd.size,
        headers: &cmd.headers,
        marker: false,
    });
    let arrival = Arrival {
        contents: bucket.contents,
        seq: slot.seq,
        at: slot.now,
        revision,
        parent: parent.map(|parent| parent.hash),
    };
    let published = Published {
        version: cmd.version,
        seq: slot.seq,
        at: slot.now,
        replaced: visible.map(|current| current.id),
    };
    Ok((Effects { removal, arrival: Some(arrival), comeback: None }, Outcome::Published(published)))
}

/// The current version, or the one that was named, is removed.
pub(crate) fn delete(
    cmd: &Delete,
    found: Option<&VersionFacts>,
    bucket: BucketFacts,
    slot: Slot,
) -> Decision {
    let swept = cmd.cause == Cause::Lifepoint;
    let meant = |found: &&VersionFacts| {
        found.is_current
            && found.is_expired(slot.now) == swept
            && cmd.version.is_none_or(|version| version == found.id)
    };
    let Some(found) = found.filter(meant) else {
        return Err(match cmd.version {
            Some(_) => Refusal::NoSuchVersion,
            None => Refusal::NoSuchObject { marker: None },
        });
    };
    check_condition(&cmd.condition, Some(found))?;
    if !swept && let Some(allow) = allow_list(&found.headers) {
        let permitted = allow.split(',').any(|method| method.trim().eq_ignore_ascii_case("DELETE"));
        if !permitted {
            return Err(Refusal::NotAllowed { allow });
        }
    }
    let removal = remove(found, cmd.cause, &cmd.actor, cmd.grace, bucket, slot)?;
    let deleted = Deleted {
        version: found.id,
        headers: found.headers.clone(),
        created_at: found.created_at,
        owner: found.owner.clone(),
        size: found.size,
        purge_after: removal.purge_after,
    };
    Ok((Effects { removal: Some(removal), ..Effects::default() }, Outcome::Deleted(deleted)))
}

/// A removed version comes back, under its own name or another.
pub(crate) fn restore(
    cmd: &Restore,
    removed: Option<&VersionFacts>,
    current: Option<&VersionFacts>,
    bucket: BucketFacts,
    slot: Slot,
) -> Decision {
    let Some(removed) = removed else { return Err(Refusal::Unknown) };
    if removed.contents != bucket.contents {
        // It lies in contents that were taken out of the bucket, and comes back with them only.
        return Err(Refusal::ContainerGone);
    }
    step(removed.state, Move::Restore, &removed.lifecycle_facts(slot.now))?;
    let removal = match current {
        None => None,
        Some(current) if current.is_expired(slot.now) => {
            Some(remove(current, Cause::Lifepoint, "lifepoint", cmd.grace, bucket, slot)?)
        }
        Some(_) if !cmd.replace => return Err(Refusal::NameInUse),
        Some(current) => Some(remove(current, Cause::Restore, &cmd.actor, cmd.grace, bucket, slot)?),
    };
    let name = cmd.as_name.clone().unwrap_or_else(|| removed.name.clone());
    // An expiry that has passed would hide it again in the same second; whoever restores wants it to stay.
    let expires_at = removed.expires_at.filter(|at| *at > slot.now);
    let restored = Restored {
        version: removed.id,
        name: name.clone(),
        size: removed.size,
        replaced: removal.as_ref().map(|removal| removal.id),
    };
    let comeback = Return {
        id: removed.id,
        contents: removed.contents,
        size: removed.size,
        name,
        expires_at,
        change_seq: slot.seq,
    };
    Ok((Effects { removal, arrival: None, comeback: Some(comeback) }, Outcome::Restored(restored)))
}

fn remove(
    version: &VersionFacts,
    cause: Cause,
    actor: &str,
    grace: Duration,
    bucket: BucketFacts,
    slot: Slot,
) -> Result<Removal, Refusal> {
    step(version.state, Move::Remove, &version.lifecycle_facts(slot.now))?;
    let purge_after = Grace::For(bucket.object_grace.unwrap_or(grace)).purge_after(slot.now);
    Ok(Removal {
        id: version.id,
        contents: version.contents,
        size: version.size,
        purge_after,
        due_at: version.guard.due_at(purge_after),
        cause,
        actor: actor.to_owned(),
        change_seq: slot.seq,
    })
}

fn check_condition(condition: &lifecycle::Condition, visible: Option<&VersionFacts>) -> Result<(), Refusal> {
    if *condition == lifecycle::Condition::NONE {
        return Ok(());
    }
    let etag = visible.map(|version| version.id.to_string());
    let current = visible.zip(etag.as_deref()).map(|(version, etag)| (etag, version.created_at));
    if condition.holds(current) {
        Ok(())
    } else {
        Err(Refusal::ConditionFailed { current: visible.map(|version| version.id) })
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
