//! A version arrives: under a name that may have a current one, or under a new name for an object that leaves its old one.

use super::{
    Arrival, BucketFacts, Decision, Effects, Hand, HandOver, Piece, Seen, Slot, VersionFacts,
    check_condition, heed_spec,
};
use crate::objects::command::{Body, Existence, Outcome, Publish, Published, Rename};
use crate::objects::expiry::{Aged, Expiry, Standing};
use lifecycle::lifecycle::{Facts, Move, step};
use lifecycle::retention::permits;
use lifecycle::revision::{Described, Revision};
use lifecycle::{Cause, Guard, Kind, Lock, Refusal, Sealed, VersionId, Versioning};
use std::collections::HashMap;

/// `there`: what has the name already. `before`: what has the name that a rename leaves. `parts`: the finished parts of
/// the upload, as far as the command names them, in its order; `None` if the upload has ended.
pub(crate) fn publish(
    cmd: &Publish,
    there: Seen<'_>,
    before: Option<Seen<'_>>,
    parts: Option<&[VersionFacts]>,
    bucket: &BucketFacts,
    slot: Slot,
) -> Decision {
    bucket.seal.permits_change()?;
    if cmd.rolls_up.is_some() && !bucket.allow_rollup {
        return Err(Refusal::Sealed(Sealed::RollUps));
    }
    let hand = Hand { actor: &cmd.actor, grace: cmd.grace, bucket, slot };
    let occupied = there.visible(slot.now);
    // What the client speaks of: the object that is there, under the name that it has.
    let own = before.unwrap_or(there);
    let visible = own.visible(slot.now);
    if let Some(current) = visible
        && (current.kind == Kind::Unnamed || current.kind != cmd.kind)
    {
        return Err(Refusal::Immutable);
    }
    let required = cmd.existence == Existence::Required || cmd.renames.is_some();
    if required && visible.is_none() {
        return Err(Refusal::NoSuchObject { marker: own.marker().map(|marker| marker.id) });
    }
    check_condition(&cmd.condition, visible)?;
    heed_spec(cmd.heeds_spec, visible)?;
    if cmd.replaces.is_some() && cmd.replaces != visible.map(|current| current.id) {
        return Err(Refusal::Conflict);
    }
    if cmd.renames.is_some() && occupied.is_some() {
        return Err(Refusal::NameInUse);
    }

    let taken_over = visible.filter(|_| matches!(cmd.body, Body::HandOver { .. }));
    let lock = locked(cmd, taken_over, bucket, slot)?;
    let mut effects = Effects::default();
    let (mut seq, mut change) = (slot.seq, slot.change);
    match (&cmd.renames, before) {
        (Some(rename), Some(before)) => {
            leave(cmd, rename, &before, &hand, lock, &mut effects)?;
            seq += i64::from(effects.marker.is_some());
            change += 1;
            // Of a name where nothing is visible, only what has expired is in the way, or an older null version.
            arrive_over(cmd, &there, &hand, lock, &mut effects)?;
        }
        _ => arrive_over(cmd, &there, &hand, lock, &mut effects)?,
    }

    let content = content(cmd, visible, parts)?;
    let parent = there.leaf();
    let revision = Revision::of(&Described {
        parent,
        content_md5: content.md5,
        size: content.size,
        headers: &cmd.headers,
        marker: false,
    });
    let tags = match (cmd.keeps_tags, visible) {
        (true, Some(current)) => current.tags.clone(),
        (true, None) | (false, _) => cmd.tags.clone(),
    };
    let aged = aged(cmd, lock.guard(), content.size, tags.as_deref(), bucket, slot);
    let expiry = Expiry::of(&bucket.rules, aged, cmd.expires_at);
    let by_rule = expiry.by_rule();
    effects.arrival = Some(Arrival {
        contents: bucket.contents,
        seq,
        change_seq: change,
        at: slot.now,
        size: content.size,
        md5: content.md5,
        parts: content.parts,
        renamed: cmd.renames.is_some(),
        null_version: bucket.versioning_of(cmd.kind) != Versioning::Enabled,
        expiry,
        revision,
        parent: parent.map(|parent| parent.hash),
        tags,
        lock,
        pieces: content.pieces,
    });
    let published = Published {
        version: cmd.version,
        seq,
        at: slot.now,
        size: content.size,
        md5: content.md5,
        replaced: occupied.map(|current| current.id),
        expires: by_rule,
        rolled_up: None,
    };
    Ok((effects, Outcome::Published(published)))
}

/// What guards it from the start: what its headers say, and its hold and its retention, or the one that its bucket gives. What
/// takes over the bytes of a version (`from`) has that one's retention and hold too: they are the bytes that were locked.
fn locked(
    cmd: &Publish,
    from: Option<&VersionFacts>,
    bucket: &BucketFacts,
    slot: Slot,
) -> Result<Lock, Refusal> {
    let had = from.and_then(|from| from.retention);
    if cmd.retention.is_some() {
        permits(had, cmd.retention, false, slot.now)?;
    }
    let given = || bucket.keeps.filter(|_| cmd.kind == Kind::Named).map(|keeps| keeps.of(slot.now));
    Ok(Lock {
        lifepoint: Guard { hold: false, ..cmd.guard },
        retention: cmd.retention.or(had).or_else(given),
        hold: cmd.guard.hold || from.is_some_and(|from| from.guard.hold),
    })
}

/// The version as rules look at it.
fn aged<'a>(
    cmd: &'a Publish,
    guard: Guard,
    size: u64,
    tags: Option<&'a str>,
    bucket: &BucketFacts,
    slot: Slot,
) -> Aged<'a> {
    Aged {
        kind: cmd.kind,
        name: &cmd.name,
        marker: false,
        size,
        tags,
        created_at: slot.now,
        standing: Standing::Current,
        guard,
        kept: bucket.versioning_of(cmd.kind) != Versioning::Disabled,
    }
}

/// What becomes of the versions that have the name.
fn arrive_over(
    cmd: &Publish,
    there: &Seen<'_>,
    hand: &Hand<'_>,
    lock: Lock,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let versioning = hand.bucket.versioning_of(cmd.kind);
    let displaced = if cmd.kind == Kind::Unnamed { None } else { hand.displaced(there) };
    if let Some(current) = there.current {
        let lapsed = current.is_expired(hand.slot.now);
        // A rule lets an object go, and where versions are kept that hides it; a lifepoint lets the version go.
        let gives_way = displaced.is_some_and(|null| null.id == current.id);
        let by_rule = current.expiry_rule.is_some();
        let hidden = lapsed && by_rule && versioning != Versioning::Disabled && !gives_way;
        if lapsed && !hidden {
            effects.removals.push(hand.expire(current)?);
        } else if versioning == Versioning::Disabled || displaced.is_some_and(|null| null.id == current.id) {
            overwrite(cmd, current, hand, lock, effects)?;
        } else if matches!(cmd.body, Body::HandOver { .. }) && cmd.renames.is_none() {
            // The older version keeps its bytes, so they cannot pass on.
            return Err(Refusal::Conflict);
        } else {
            effects.turns.push(hand.cover(current));
        }
    }
    if let Some(null) = displaced
        && !null.is_current
    {
        effects.removals.push(hand.remove(null, Cause::Overwrite)?);
    }
    Ok(())
}

/// What becomes of the version at the name that a rename leaves.
fn leave(
    cmd: &Publish,
    rename: &Rename,
    before: &Seen<'_>,
    hand: &Hand<'_>,
    lock: Lock,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let Some(current) = before.current else { return Err(Refusal::Conflict) };
    let versioning = hand.bucket.versioning_of(cmd.kind);
    if versioning == Versioning::Disabled {
        return overwrite(cmd, current, hand, lock, effects);
    }
    if matches!(cmd.body, Body::HandOver { .. }) {
        return Err(Refusal::Conflict);
    }
    let displaced = hand.displaced(before);
    if let Some(null) = displaced {
        effects.removals.push(hand.remove(null, Cause::Delete)?);
    }
    if displaced.is_none_or(|null| null.id != current.id) {
        // A DELETE would be refused, and this hides the object as well.
        if !cmd.may_shorten_guard && current.guard.is_active(hand.slot.now) {
            return Err(Refusal::guarded(current.guard));
        }
        effects.turns.push(hand.cover(current));
    }
    let null_version = versioning == Versioning::Suspended;
    effects.marker = Some(hand.marker(rename.marker, (cmd.kind, &rename.from), Some(current), null_version));
    Ok(())
}

/// A version that is not kept: it is removed, and a guard refuses that as it refuses a delete; or it hands its bytes over,
/// and its guard with them.
fn overwrite(
    cmd: &Publish,
    current: &VersionFacts,
    hand: &Hand<'_>,
    lock: Lock,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let Body::HandOver { memory } = cmd.body else {
        effects.removals.push(hand.remove(current, Cause::Overwrite)?);
        return Ok(());
    };
    let now = hand.slot.now;
    if !cmd.may_shorten_guard {
        current.guard.permits_change(lock.guard(), now)?;
    }
    // The successor carries the guard on, or the caller may drop what of it the headers said.
    step(current.state, Move::HandOver, &Facts { now, ..Facts::default() })?;
    effects.hand_over = Some(HandOver {
        from: current.id,
        to: cmd.version,
        contents: current.contents,
        size: current.size,
        actor: cmd.actor.clone(),
        forget_after: now.plus(memory),
        change_seq: hand.slot.change,
    });
    Ok(())
}

/// What a version consists of.
struct Content {
    size: u64,
    md5: Option<[u8; 16]>,
    parts: Option<u32>,
    pieces: Vec<Piece>,
}

fn content(
    cmd: &Publish,
    visible: Option<&VersionFacts>,
    parts: Option<&[VersionFacts]>,
) -> Result<Content, Refusal> {
    match &cmd.body {
        Body::Inline { .. } | Body::Staged { .. } => {
            Ok(Content { size: cmd.size, md5: Some(cmd.md5), parts: cmd.parts, pieces: Vec::new() })
        }
        Body::HandOver { .. } => {
            let from = visible.ok_or(Refusal::Conflict)?;
            Ok(Content { size: from.size, md5: from.md5, parts: from.parts, pieces: Vec::new() })
        }
        Body::Parts { parts: wanted, .. } => {
            let found = parts.ok_or(Refusal::NoSuchUpload)?;
            let sizes: HashMap<VersionId, u64> = found.iter().map(|part| (part.id, part.size)).collect();
            let mut pieces = Vec::with_capacity(wanted.len());
            let mut start = 0;
            for (number, part) in wanted {
                let size = sizes.get(part).ok_or(Refusal::NoSuchPart { number: *number })?;
                pieces.push(Piece { part: *part, number: *number, start });
                start += size;
            }
            let parts = u32::try_from(pieces.len()).ok();
            Ok(Content { size: start, md5: Some(cmd.md5), parts, pieces })
        }
    }
}
