//! The current version goes, or is hidden; or the one that was named goes for good.

use super::{
    BucketFacts, Decision, Effects, Hand, Seen, Slot, VersionFacts, allow_list, check_condition, heed_spec,
};
use crate::objects::command::{Delete, Deleted, Markers, Outcome, Which};
use crate::objects::expiry::Standing;
use crate::objects::plan::Line;
use lifecycle::{Cause, Kind, Refusal, Time, VersionId, Versioning};

/// `named`: the version that the command names, if it is live and has the name. `above`: what of the name is newer than that and
/// not current, where the clock deletes it and its bucket's rules look at that.
pub(crate) fn delete(
    cmd: &Delete,
    seen: Seen<'_>,
    named: Option<&VersionFacts>,
    above: Option<&Line>,
    bucket: &BucketFacts,
    slot: Slot,
) -> Decision {
    permitted_here(cmd, bucket)?;
    let hand = Hand { actor: &cmd.actor, grace: cmd.grace, bucket, slot };
    match cmd.which {
        Which::Version(version) if cmd.cause == Cause::Lifepoint => {
            sweep(cmd, version, seen, (named, above), &hand)
        }
        Which::Version(version) => {
            let current = seen.current.filter(|current| current.id == version);
            delete_version(cmd, current.or(named).filter(|found| found.id == version), seen, &hand)
        }
        // Where no versions are kept, the only one there is counts as the null version, however it was written.
        Which::Null if hand.bucket.versioning_of(Kind::Named) == Versioning::Disabled => {
            delete_version(cmd, seen.current, seen, &hand)
        }
        Which::Null => delete_version(cmd, seen.any_null(), seen, &hand),
        Which::Current => delete_object(cmd, seen, &hand),
    }
}

/// What is forbidden in the bucket. What falls due by itself was promised before, and goes.
fn permitted_here(cmd: &Delete, bucket: &BucketFacts) -> Result<(), Refusal> {
    if matches!(cmd.cause, Cause::Lifepoint | Cause::Lifecycle) {
        return Ok(());
    }
    match cmd.which {
        // A delete marker hides the object, and deletes no version.
        Which::Current if bucket.versioning != Versioning::Disabled => bucket.seal.permits_change(),
        Which::Current | Which::Version(_) | Which::Null => bucket.seal.permits_delete(),
    }
}

/// A client deletes an object.
fn delete_object(cmd: &Delete, seen: Seen<'_>, hand: &Hand<'_>) -> Decision {
    let now = hand.slot.now;
    let Some(current) = seen.visible(now) else { return delete_nothing(cmd, seen, hand) };
    check_condition(&cmd.condition, Some(current))?;
    expected(cmd, current)?;
    permitted(current)?;
    let versioning = hand.bucket.versioning_of(current.kind);
    if versioning == Versioning::Disabled {
        let removal = hand.remove(current, cmd.cause)?;
        let mut deleted = described(current);
        deleted.purge_after = Some(removal.purge_after);
        let effects = Effects { removals: vec![removal], ..Effects::default() };
        return Ok((effects, Outcome::Deleted(deleted)));
    }
    let mut effects = Effects::default();
    let displaced = hand.displaced(&seen);
    if let Some(null) = displaced {
        effects.removals.push(hand.remove(null, cmd.cause)?);
    }
    if displaced.is_none_or(|null| null.id != current.id) {
        if !cmd.hides_guarded && current.guard.is_active(now) {
            return Err(Refusal::guarded(current.guard));
        }
        effects.turns.push(hand.cover(current));
    }
    let null_version = versioning == Versioning::Suspended;
    effects.marker = Some(hand.marker(cmd.marker, (current.kind, &cmd.name), Some(current), null_version));
    let mut deleted = described(current);
    deleted.marker = Some(cmd.marker);
    Ok((effects, Outcome::Deleted(deleted)))
}

/// A client deletes an object that it could not read.
fn delete_nothing(cmd: &Delete, seen: Seen<'_>, hand: &Hand<'_>) -> Decision {
    let versioning = hand.bucket.versioning;
    if cmd.markers == Markers::Stacked {
        // S3 says of what is not there that it is deleted, but not to a client that wants it to be something.
        check_condition(&cmd.condition, None)?;
    }
    let marker = if versioning == Versioning::Disabled { None } else { seen.marker() };
    // To SCSP a condition says nothing of what is not there: it is looked at only where the answer would be a success.
    match (cmd.markers, marker) {
        (Markers::Single, Some(marker)) => {
            check_condition(&cmd.condition, None)?;
            let mut deleted = described(marker);
            deleted.marker = Some(marker.id);
            Ok((Effects::default(), Outcome::Deleted(deleted)))
        }
        (Markers::Stacked, _) if versioning != Versioning::Disabled => {
            let mut effects = Effects::default();
            let displaced = hand.displaced(&seen);
            if let Some(null) = displaced.filter(|null| !null.is_current) {
                effects.removals.push(hand.remove(null, cmd.cause)?);
            }
            if let Some(lapsed) = seen.current {
                // A rule lets an object go, and that hides it; a lifepoint lets the version go.
                let gives_way = displaced.is_some_and(|null| null.id == lapsed.id);
                match lapsed.expiry_rule.is_some() && !gives_way {
                    true => effects.turns.push(hand.cover(lapsed)),
                    false => effects.removals.push(hand.expire(lapsed)?),
                }
            }
            let null_version = versioning == Versioning::Suspended;
            let over = seen.newest.or(seen.current);
            let named = (Kind::Named, cmd.name.as_str());
            let made = hand.marker_after(cmd.marker, named, over, seen.leaf(), null_version);
            let deleted = Deleted {
                version: cmd.marker,
                marker: Some(cmd.marker),
                was_marker: false,
                uncovered: None,
                headers: "[]".to_owned(),
                created_at: made.at,
                owner: None,
                size: 0,
                purge_after: None,
            };
            effects.marker = Some(made);
            Ok((effects, Outcome::Deleted(deleted)))
        }
        (Markers::Single | Markers::Stacked, _) => Err(Refusal::NoSuchObject { marker: None }),
    }
}

/// A client deletes one version for good.
fn delete_version(cmd: &Delete, found: Option<&VersionFacts>, seen: Seen<'_>, hand: &Hand<'_>) -> Decision {
    let now = hand.slot.now;
    let kept = |found: &VersionFacts| hand.bucket.versioning_of(found.kind) != Versioning::Disabled;
    // What a rule hides where versions are kept is still there, under its id.
    let hidden = |found: &VersionFacts| found.is_current && found.expiry_rule.is_some() && kept(found);
    let there = |found: &&VersionFacts| !found.is_expired(now) || hidden(found);
    let Some(found) = found.filter(there).filter(|found| found.is_current || kept(found)) else {
        if cmd.markers == Markers::Stacked {
            check_condition(&cmd.condition, None)?;
        }
        return Err(Refusal::NoSuchVersion);
    };
    check_condition(&cmd.condition, Some(found))?;
    expected(cmd, found)?;
    permitted(found)?;
    let removal = hand.remove_past(found, cmd.cause, cmd.bypass)?;
    let mut deleted = described(found);
    (deleted.purge_after, deleted.was_marker) = (Some(removal.purge_after), found.marker);
    let mut effects = Effects { removals: vec![removal], ..Effects::default() };
    if hand.bucket.versioning_of(found.kind) != Versioning::Disabled {
        let next = next_below(found, &seen);
        let covers = |next: &&VersionFacts| next.is_expired(now) || (found.is_expired(now) && !next.marker);
        if let Some(below) = next.filter(covers) {
            // An object that readers find absent does not show again because the sweep is late.
            let null_version = hand.bucket.versioning == Versioning::Suspended && found.null_version;
            let what = (found.kind, cmd.name.as_str());
            effects.marker = Some(hand.marker(cmd.marker, what, Some(below), null_version));
            deleted.marker = Some(cmd.marker);
            return Ok((effects, Outcome::Deleted(deleted)));
        }
        deleted.marker = next.filter(|next| next.marker).map(|next| next.id);
        if let Some(next) = next.filter(|next| !next.marker) {
            effects.turns.push(hand.uncover(next));
            deleted.uncovered = Some(next.id);
        }
    }
    Ok((effects, Outcome::Deleted(deleted)))
}

/// The version that is the newest once `found` is gone; `None` if `found` is not the newest, or the last.
fn next_below<'a>(found: &VersionFacts, seen: &Seen<'a>) -> Option<&'a VersionFacts> {
    if found.is_current {
        return seen.newest;
    }
    match (seen.current, seen.newest) {
        (None, Some(newest)) if newest.id == found.id => seen.second,
        _ => None,
    }
}

/// The clock deletes a version whose time has come. Older versions stay hidden: what a client was told is gone does not
/// give way to what was there before.
fn sweep(
    cmd: &Delete,
    version: VersionId,
    seen: Seen<'_>,
    (named, above): (Option<&VersionFacts>, Option<&Line>),
    hand: &Hand<'_>,
) -> Decision {
    let current = seen.current.filter(|current| current.id == version);
    let found = current.or(named).filter(|found| found.id == version && found.is_expired(hand.slot.now));
    let found = found.ok_or(Refusal::NoSuchVersion)?;
    still_due(found, standing(found, seen, above), hand)?;
    let versioning = hand.bucket.versioning_of(found.kind);
    let mut deleted = described(found);
    let mut effects = Effects::default();
    if found.is_current && found.expiry_rule.is_some() && versioning != Versioning::Disabled {
        // A rule does what a client's delete does: where versions are kept, it hides.
        let displaced = hand.displaced(&seen);
        if let Some(null) = displaced {
            effects.removals.push(hand.remove(null, Cause::Lifecycle)?);
        }
        if displaced.is_none_or(|null| null.id != found.id) {
            effects.turns.push(hand.cover(found));
        }
        let null_version = versioning == Versioning::Suspended;
        effects.marker = Some(hand.marker(cmd.marker, (found.kind, &cmd.name), Some(found), null_version));
        deleted.marker = Some(cmd.marker);
        return Ok((effects, Outcome::Deleted(deleted)));
    }
    let removal = hand.expire(found)?;
    deleted.purge_after = Some(removal.purge_after);
    effects.removals.push(removal);
    let kept = versioning != Versioning::Disabled;
    if kept && found.is_current && seen.newest.is_some_and(|newest| !newest.marker) {
        effects.marker = Some(hand.marker(cmd.marker, (found.kind, &cmd.name), Some(found), false));
        deleted.marker = Some(cmd.marker);
    }
    Ok((effects, Outcome::Deleted(deleted)))
}

/// What a rule lets go must still be due by the rules that are in force: doubt means keep (rule R8).
fn still_due(found: &VersionFacts, standing: Standing, hand: &Hand<'_>) -> Result<(), Refusal> {
    if found.expiry_rule.is_none() {
        return Ok(());
    }
    let at = hand.bucket.expiry_anew(found, standing).and_then(|expiry| expiry.at);
    match at {
        Some(at) if at <= hand.slot.now => Ok(()),
        at => Err(Refusal::NotDue { due_at: at }),
    }
}

/// Where a version that is to go stands among those that live.
fn standing(found: &VersionFacts, seen: Seen<'_>, above: Option<&Line>) -> Standing {
    if found.is_current {
        return Standing::Current;
    }
    let Some(above) = above else {
        let since = found.superseded_at.unwrap_or(found.created_at);
        return if found.marker { Standing::Hiding } else { Standing::Older { since, newer: None } };
    };
    let alone = seen.second.is_none() && seen.newest.is_some_and(|newest| newest.id == found.id);
    let current = seen.current.map(|current| current.created_at);
    let times = (found.created_at, found.superseded_at);
    above.clone().next((&found.name, found.marker), times, current, alone)
}

/// What the door must have looked at, and has.
fn expected(cmd: &Delete, found: &VersionFacts) -> Result<(), Refusal> {
    if cmd.expects.is_some_and(|version| version != found.id) {
        return Err(Refusal::Conflict);
    }
    heed_spec(cmd.heeds_spec, Some(found))
}

/// The object's own list of methods may leave DELETE out (SCSP section 3.8).
fn permitted(found: &VersionFacts) -> Result<(), Refusal> {
    match allow_list(&found.headers) {
        Some(allow) if !allow.split(',').any(|method| method.trim().eq_ignore_ascii_case("DELETE")) => {
            Err(Refusal::NotAllowed { allow })
        }
        Some(_) | None => Ok(()),
    }
}

fn described(found: &VersionFacts) -> Deleted {
    Deleted {
        version: found.id,
        marker: None,
        was_marker: false,
        uncovered: None,
        headers: found.headers.clone(),
        created_at: found.created_at,
        owner: found.owner.clone(),
        size: found.size,
        purge_after: None::<Time>,
    }
}
