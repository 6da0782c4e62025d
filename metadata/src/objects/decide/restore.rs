//! A removed version comes back: under its own name, at its own place among its versions, or under another name.

use super::{BucketFacts, Decision, Effects, Hand, Return, Seen, Slot, VersionFacts};
use crate::objects::command::{Outcome, Restore, Restored};
use crate::objects::expiry::{Expiry, Standing};
use lifecycle::lifecycle::{Move, step};
use lifecycle::revision::{Described, Revision};
use lifecycle::{Cause, Refusal, Versioning};

/// `seen`: what has the name that it comes back under.
pub(crate) fn restore(
    cmd: &Restore,
    removed: Option<&VersionFacts>,
    seen: Seen<'_>,
    bucket: &BucketFacts,
    slot: Slot,
) -> Decision {
    bucket.seal.permits_change()?;
    let hand = Hand { actor: &cmd.actor, grace: cmd.grace, bucket, slot };
    let Some(removed) = removed else { return Err(Refusal::Unknown) };
    if removed.contents != bucket.contents {
        // It lies in contents that were taken out of the bucket, and comes back with them only.
        return Err(Refusal::ContainerGone);
    }
    step(removed.state, Move::Restore, &removed.lifecycle_facts(slot.now))?;
    // Somebody may have passed by its retention to remove it. It comes back with all that guarded it.
    let whole = removed.retention.map(|_| removed.lock().guard()).filter(|whole| *whole != removed.guard);
    let again = VersionFacts { guard: whole.unwrap_or(removed.guard), ..removed.clone() };
    let name = cmd.as_name.clone().unwrap_or_else(|| removed.name.clone());
    let renamed = name != removed.name;
    let versioning = bucket.versioning_of(removed.kind);
    if removed.marker && versioning == Versioning::Disabled {
        // Nothing is hidden by markers here any more.
        return Err(Refusal::WrongKind);
    }
    let mut effects = Effects::default();
    let mut replaced = None;
    let mut give_way = |version: &VersionFacts, effects: &mut Effects| -> Result<(), Refusal> {
        // An object whose time has come is not in anybody's way.
        let expired = version.is_expired(slot.now);
        if !cmd.replace && !expired {
            return Err(Refusal::NameInUse);
        }
        let removal = if expired { hand.expire(version)? } else { hand.remove(version, Cause::Restore)? };
        effects.removals.push(removal);
        if !expired {
            replaced = Some(version.id);
        }
        Ok(())
    };

    // In a bucket that keeps versions it goes back to its place; at a new name it is the newest.
    let seq = if renamed { slot.seq } else { removed.seq };
    let is_current = if versioning == Versioning::Disabled {
        if let Some(current) = seen.current {
            give_way(current, &mut effects)?;
        }
        true
    } else {
        if renamed && let Some(current) = seen.visible(slot.now) {
            give_way(current, &mut effects)?;
        }
        // Two null versions of one name could not be told apart.
        let null = seen.any_null().filter(|_| removed.null_version);
        if let Some(null) = null.filter(|null| !gone(&effects, null)) {
            give_way(null, &mut effects)?;
        }
        take_place(&hand, &seen, seq, removed.marker, &mut effects)
    };
    // By the rules that are in force now, not by those of the day it went. An expiry that has passed would hide it again in
    // the same second; whoever restores wants it to stay.
    let as_before = Expiry { at: removed.expires_at, rule: removed.expiry_rule.clone() };
    // Where it stands among older ones is looked at once it stands there; a marker is planned then, if at all.
    let standing = match (is_current, removed.marker) {
        (true, _) => Standing::Current,
        (false, true) => Standing::Hiding,
        (false, false) => Standing::Older { since: slot.now, newer: None },
    };
    let expiry = bucket.expiry_anew(&again, standing).unwrap_or(as_before);
    let expiry = if expiry.at.is_some_and(|at| at <= slot.now) { Expiry::default() } else { expiry };
    let restored = Restored {
        version: removed.id,
        name: name.clone(),
        size: removed.size,
        is_current,
        replaced,
        over_quota: false,
    };
    // Whoever follows was told that the name is gone, or something else: only a revision that follows that one is news.
    let alone = seen.current.is_none() && seen.newest.is_none();
    let revision = (is_current && (versioning == Versioning::Disabled || alone || renamed)).then(|| {
        let parent = seen.leaf();
        let of = Described {
            parent,
            content_md5: removed.md5,
            size: removed.size,
            headers: &removed.headers,
            marker: removed.marker,
        };
        (Revision::of(&of), parent.map(|parent| parent.hash))
    });
    effects.comeback = Some(Return {
        id: removed.id,
        contents: removed.contents,
        size: removed.size,
        name,
        expiry,
        change_seq: slot.change,
        seq,
        superseded_seq: slot.seq,
        is_current,
        at: slot.now,
        revision,
        guard: whole,
    });
    Ok((effects, Outcome::Restored(restored)))
}

fn gone(effects: &Effects, version: &VersionFacts) -> bool {
    effects.removals.iter().any(|removal| removal.id == version.id)
}

/// Puts a version at `seq` among those that stay, and tells whether it is the current one now.
fn take_place(hand: &Hand<'_>, seen: &Seen<'_>, seq: i64, marker: bool, effects: &mut Effects) -> bool {
    let stay = |version: &&VersionFacts| !gone(effects, version);
    let current = seen.current.filter(stay);
    let newest = current.or_else(|| [seen.newest, seen.second].into_iter().flatten().find(stay));
    if newest.is_none_or(|newest| newest.seq < seq) {
        effects.turns.extend(current.map(|current| hand.cover(current)));
        return !marker;
    }
    // What has given way may have been the current one: then the newest of the rest shows again.
    if let (None, Some(newest)) = (current, newest)
        && !newest.marker
        && !newest.is_expired(hand.slot.now)
    {
        effects.turns.push(hand.uncover(newest));
    }
    false
}
