//! What is promised, and what has to be met on the way so that keeping it means something.

use super::database::Event;
use super::model::Barrier;
use super::process::{Reading, Reclaim, Write};
use super::world::World;
use lifecycle::State;
use lifecycle::barrier::Wait;
use stateright::Property;

/// After a purge was answered, no member begins to answer from the bucket or goes on with it, fenced or not.
pub(crate) const SILENT: &str = "R1 nobody answers from a bucket whose purge was answered";
/// Bytes are not destroyed while any member would send the next chunk of them.
pub(crate) const UNREAD: &str = "R1 bytes are not destroyed under a download";
/// What a lookup finds has its bytes.
pub(crate) const WHOLE: &str = "R1 nothing readable lacks its bytes";
/// What was purged is never restored.
pub(crate) const ONE_WINS: &str = "R6 a restore and a purge do not both win";
/// Every move is one that `lifecycle::step` permits.
pub(crate) const LAWFUL: &str = "R7 every move is lawful";
/// An acknowledged removal or delete is seen by every lookup after it, until an acknowledged restore.
pub(crate) const GONE: &str = "R12 what was removed or deleted is not visible";
/// An acknowledged upload is there whenever its bucket is.
pub(crate) const STORED: &str = "R4 an acknowledged upload is there, after a restore too";
/// What a fenced run had begun to commit never appears.
pub(crate) const LOST: &str = "R4 what fencing has refused never appears";
/// Once the barrier holds for a removal, no work in the bucket is waited for as long as that stays removed. What is fenced
/// before its lease is over is waited for again until then, which does no harm.
pub(crate) const STABLE: &str = "the barrier, once open, finds no work again";

type Condition = fn(&Barrier, &World) -> bool;

fn always(name: &'static str, condition: Condition) -> Property<Barrier> {
    Property::always(name, condition)
}

fn sometimes(name: &'static str, condition: Condition) -> Property<Barrier> {
    Property::sometimes(name, condition)
}

pub(crate) fn promises() -> Vec<Property<Barrier>> {
    vec![
        always(SILENT, |_, world| {
            !world.is_purged() || !world.nodes.iter().any(|node| node.process.sends(world.database.now))
        }),
        always(UNREAD, |_, world| {
            !world.destroyed || !world.nodes.iter().any(|node| node.process.sends(world.database.now))
        }),
        always(WHOLE, |_, world| !world.destroyed || !world.database.shows_old()),
        always(ONE_WINS, |_, world| world.promised.purged == world.is_purged()),
        always(LAWFUL, |_, world| !world.database.lawless),
        always(GONE, |_, world| {
            let removed =
                world.promised.removed && (world.database.shows_old() || world.database.shows_new());
            let deleted = world.promised.deleted && world.database.shows_old();
            !removed && !deleted
        }),
        always(STORED, |_, world| {
            !world.promised.stored || world.database.bucket != State::Live || world.database.shows_new()
        }),
        always(LOST, |_, world| !world.promised.lost || !matches!(world.database.new, Some(State::Live))),
        always(STABLE, |model, world| {
            let held = world.promised.open.is_some() && world.promised.open == world.database.removed_epoch;
            !held || world.spent.strays > 0 || !world.some_wait(model.rules, |wait| *wait != Wait::LeaseRuns)
        }),
    ]
}

/// What is met on the way, or keeping the promises proves nothing: while members beat, lapse and are fenced.
pub(crate) fn waiting() -> Vec<Property<Barrier>> {
    vec![
        sometimes("a purge waits for a member that has not drained", |model, world| {
            world.some_wait(model.rules, |wait| matches!(wait, Wait::NotDrained))
        }),
        sometimes("a purge waits for the lease of a fenced member", |model, world| {
            world.some_wait(model.rules, |wait| matches!(wait, Wait::LeaseRuns))
        }),
        sometimes("a purge waits for a member that has to be fenced", |model, world| {
            world.some_wait(model.rules, |wait| matches!(wait, Wait::Lapsed))
        }),
        sometimes("a bucket is purged", |_, world| world.is_purged()),
        sometimes("a member that was fenced has registered anew", |_, world| {
            world.nodes.iter().any(|node| node.row.run > 1 && node.row.is_active() && node.process.runs())
        }),
    ]
}

/// While there is a download.
pub(crate) fn downloads() -> Vec<Property<Barrier>> {
    vec![
        sometimes("a purge waits for a download", |model, world| {
            world.some_wait(model.rules, |wait| matches!(wait, Wait::Holds(_)))
        }),
        sometimes("a bucket is purged while a download that was cut has not noticed", |_, world| {
            world.is_purged() && world.some_process(|process| process.read.cut)
        }),
        sometimes("a download finds, having pinned, that the object is gone", |_, world| {
            !world.database.shows_old()
                && world.some_process(|process| process.read.at == Reading::Pinned && process.read.late)
        }),
        sometimes("a download goes on in a run that did not begin it", |_, world| {
            let now = world.database.now;
            world
                .nodes
                .iter()
                .any(|node| node.row.run > 1 && node.process.read.cut && node.process.may_answer(now))
        }),
    ]
}

/// While there is an upload.
pub(crate) fn uploads() -> Vec<Property<Barrier>> {
    vec![
        sometimes("a fenced member wakes with an open commit", |_, world| {
            world.spent.pauses > 0
                && world.nodes.iter().any(|node| match node.process.write {
                    Write::Commits { run } => node.process.runs() && !node.is_active(run),
                    Write::No | Write::Pinned | Write::Staged => false,
                })
        }),
        sometimes("a purge waits for an upload", |model, world| {
            world.some_wait(model.rules, |wait| matches!(wait, Wait::Holds(_)))
        }),
        sometimes("an upload is stored, removed and restored", |_, world| {
            world.promised.stored && world.database.shows_new() && world.database.epoch == 2
        }),
        sometimes("an upload is purged with its bucket", |_, world| {
            world.promised.stored && world.is_purged()
        }),
    ]
}

/// While a bucket is removed, restored and removed again.
pub(crate) fn again() -> Vec<Property<Barrier>> {
    vec![
        sometimes("a restore wins against a purge that was found to be permitted", |_, world| {
            world.promised.open.is_some() && world.database.bucket == State::Live
        }),
        sometimes("what was found of the first removal is asked of the second", |model, world| {
            let epoch = world.database.removed_epoch;
            epoch > world.promised.open
                && world.promised.open.is_some()
                && world.some_wait(model.rules, |wait| matches!(wait, Wait::NotDrained))
        }),
        sometimes("a download outlives a removal and a restore", |_, world| {
            world.database.epoch == 2 && world.some_process(|process| process.read.at == Reading::Flows)
        }),
        sometimes("the second removal is purged", |_, world| world.is_purged() && world.database.epoch == 3),
    ]
}

/// While the bytes of a deleted object are destroyed in a live bucket.
pub(crate) fn destruction() -> Vec<Property<Barrier>> {
    vec![
        sometimes("bytes are destroyed", |_, world| world.destroyed),
        sometimes("a download is cut because its version is being purged", |_, world| {
            !world.promised.removed && world.some_process(|process| process.read.cut)
        }),
        sometimes("bytes wait for a member to tell what it reads", |_, world| {
            world.nodes.iter().zip(world.nodes.iter().rev()).any(|(node, other)| match node.process.reclaim {
                Reclaim::Asked { epoch } => other.row.is_active() && other.row.drained < epoch,
                Reclaim::No | Reclaim::Claimed | Reclaim::Unread => false,
            })
        }),
        sometimes("bytes wait because a member told that it reads them", |_, world| {
            world.nodes.iter().zip(world.nodes.iter().rev()).any(|(node, other)| match node.process.reclaim {
                Reclaim::Asked { epoch } => other.row.drained >= epoch && other.row.reads,
                Reclaim::No | Reclaim::Claimed | Reclaim::Unread => false,
            })
        }),
        sometimes("who found that nobody reads them is fenced before it destroys them", |_, world| {
            world.nodes.iter().any(|node| node.process.reclaim == Reclaim::Unread && !node.row.is_active())
        }),
    ]
}

/// While a bucket is purged to the end.
pub(crate) fn to_the_end() -> Vec<Property<Barrier>> {
    vec![
        sometimes("a bucket is purged to the end", |_, world| world.database.bucket == State::Purged),
        sometimes("a restore is asked of a bucket whose bytes are gone, and refused", |model, world| {
            world.destroyed
                && world.is_purged()
                && world.database.count(Event::Restore) < model.bounds.restores
        }),
        sometimes("two members destroy the same bytes", |_, world| {
            world.nodes.iter().all(|node| node.process.reclaim != Reclaim::No)
        }),
    ]
}
