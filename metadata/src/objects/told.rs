//! What a command did, for whoever wants to hear of it: a pure function of the command, what was decided and what was
//! answered.

use super::command::{Body, Delete, Deleted, ObjectCommand, Outcome, Publish, Which, Written};
use super::decide::Effects;
use lifecycle::notification::Happening;
use lifecycle::{Cause, VersionId};

/// What happened, in its order.
pub(super) fn happened(
    command: &ObjectCommand,
    effects: &Effects,
    outcome: &Outcome,
) -> Vec<(Happening, VersionId)> {
    match (command, outcome) {
        (ObjectCommand::Publish(c), Outcome::Published(_)) => published(c, effects),
        (ObjectCommand::Delete(c), Outcome::Deleted(deleted)) => gone(c, effects, deleted),
        (ObjectCommand::Restore(_), Outcome::Restored(restored)) => {
            vec![(Happening::Restored, restored.version)]
        }
        _ => Vec::new(),
    }
}

/// Whoever did it, in the words of the audit trail.
pub(super) fn actor(command: &ObjectCommand) -> &str {
    match command {
        ObjectCommand::Stage(c) => &c.actor,
        ObjectCommand::Publish(c) => &c.actor,
        ObjectCommand::Delete(c) => &c.actor,
        ObjectCommand::Restore(c) => &c.actor,
    }
}

fn published(cmd: &Publish, effects: &Effects) -> Vec<(Happening, VersionId)> {
    let mut happened = lapsed(effects);
    if cmd.renames.is_some() {
        let left = match (&effects.marker, &effects.hand_over) {
            (Some(marker), _) => Some((Happening::Marked, marker.id)),
            (None, Some(given)) => Some((Happening::Deleted, given.from)),
            (None, None) => effects.removals.first().map(|removal| (Happening::Deleted, removal.id)),
        };
        happened.extend(left);
    }
    let how = match (&cmd.body, cmd.written) {
        (Body::Parts { .. }, _) => Happening::Completed,
        (_, Written::Put) => Happening::Put,
        (_, Written::Post) => Happening::Post,
        (_, Written::Copied) => Happening::Copied,
    };
    happened.push((how, cmd.version));
    happened
}

/// What a delete did: it removed a version, or hid one, or nothing. What it removes beside to make room is nobody's business.
fn gone(cmd: &Delete, effects: &Effects, deleted: &Deleted) -> Vec<(Happening, VersionId)> {
    let by_clock = matches!(cmd.cause, Cause::Lifepoint | Cause::Lifecycle);
    if deleted.purge_after.is_some() {
        let what = if by_clock { Happening::Expired } else { Happening::Deleted };
        return vec![(what, deleted.version)];
    }
    let mut happened = if cmd.which == Which::Current { lapsed(effects) } else { Vec::new() };
    if let Some(marker) = &effects.marker {
        let what = if by_clock { Happening::ExpiredMarked } else { Happening::Marked };
        happened.push((what, marker.id));
    }
    happened
}

/// What had come to its time, and is taken away on the occasion of something else.
fn lapsed(effects: &Effects) -> Vec<(Happening, VersionId)> {
    let lapsed =
        effects.removals.iter().filter(|gone| matches!(gone.cause, Cause::Lifepoint | Cause::Lifecycle));
    lapsed.map(|gone| (Happening::Expired, gone.id)).collect()
}
