//! The truth table of rule R10: every lock × every moment × every way into removal and purge. What may go is told by the one
//! pure predicate; what has gone is read from the rows.

use super::ways::{ALL, Scene, Stage, Way};
use crate::world::*;
use lifecycle::RetentionMode::{Compliance, Governance};
use lifecycle::guard::may_purge;
use lifecycle::{ContainerId, Guard, Lock, RetentionMode, State, Time};
use std::time::Duration;

/// What guards the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Nothing,
    By(RetentionMode),
    Lifepoint,
}

/// When it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Before,
    AtItsEnd,
    After,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    way: Way,
    kept: Kept,
    hold: bool,
    when: When,
    /// The caller holds the right to pass by GOVERNANCE, and says so. Where there is no such word, he holds all rights.
    bypass: bool,
}

impl Cell {
    fn all(ways: &[Way]) -> Vec<Cell> {
        let mut cells = Vec::new();
        for &way in ways {
            for kept in [Kept::Nothing, Kept::By(Governance), Kept::By(Compliance), Kept::Lifepoint] {
                // What is removed has the lifepoint that it had.
                if (way.stage(), kept) == (Stage::Removed, Kept::Lifepoint) {
                    continue;
                }
                for hold in [false, true] {
                    for when in [When::Before, When::AtItsEnd, When::After] {
                        for bypass in [false, true] {
                            if !bypass || way.can_bypass() {
                                cells.push(Cell { way, kept, hold, when, bypass });
                            }
                        }
                    }
                }
            }
        }
        cells
    }

    fn lock(self, until: Time) -> Lock {
        let (lifepoint, retention) = match self.kept {
            Kept::Nothing => (Guard::NONE, None),
            Kept::By(mode) => (Guard::NONE, super::until(mode, until)),
            Kept::Lifepoint => (Guard { from: None, until: Some(until), hold: false }, None),
        };
        Lock { lifepoint, retention, hold: self.hold }
    }
}

/// Whether a version may go, as somebody believes: by its lock, whether GOVERNANCE is passed by, and the time.
type Predicate = fn(Lock, bool, Time) -> bool;

/// The one that is in force, of what is live and of what is removed and due.
fn is_free(lock: Lock, bypass: bool, now: Time) -> bool {
    let may = lock.permits_removal(bypass, now).is_ok();
    assert!(bypass || may == may_purge(Some(Time::from_secs(0)), lock.guard(), now).is_ok());
    may
}

/// What happened in one cell.
struct Seen {
    cell: Cell,
    lock: Lock,
    now: Time,
    gone: bool,
}

async fn play(world: &World, number: usize, cell: Cell) -> Seen {
    let until = Time::from_secs(world.now().plus(HOUR).micros() / 1_000_000 + 1);
    let lock = cell.lock(until);
    let scene = cell.way.prepare(world, &format!("b{number}"), lock).await;
    world.later(match cell.when {
        When::Before => 2 * SECOND,
        When::AtItsEnd => until.since(world.now()),
        When::After => until.since(world.now()) + Duration::from_micros(1),
    });
    let now = world.now();
    cell.way.attempt(&scene, cell.bypass).await;
    let gone = scene.is_gone(cell.way.stage()).await;
    rows_are_as_they_should_be(world, &scene, cell, lock, gone).await;
    Seen { cell, lock, now, gone }
}

/// What stays has its bytes and its whole lock; what is purged has neither.
async fn rows_are_as_they_should_be(world: &World, scene: &Scene, cell: Cell, lock: Lock, gone: bool) {
    let row = scene.by.row(scene.version).await;
    let owner = world.literal(ContainerId::from_bytes(*scene.version.as_bytes()));
    let bytes = world
        .ask(&format!(
            "SELECT b.place FROM blobs b JOIN inline_bytes i ON i.blob = b.name WHERE b.owner = {owner}"
        ))
        .await
        .len();
    assert_eq!(bytes, usize::from(row.state != State::Purged), "{cell:?}: bytes of what is {}", row.state);
    if !gone {
        assert_eq!((row.guard, row.retention), (lock.guard(), lock.retention), "{cell:?}");
    }
    if row.state == State::Purged {
        assert_eq!((row.guard, row.retention), (Guard::NONE, None), "{cell:?}: a tombstone is stripped");
    }
}

/// The cells in which not that happened which the predicate says.
fn wrong(seen: &[Seen], predicate: Predicate) -> Vec<String> {
    let differs = |seen: &&Seen| seen.gone != predicate(seen.lock, seen.cell.bypass, seen.now);
    seen.iter().filter(differs).map(|seen| format!("{:?}: gone {}", seen.cell, seen.gone)).collect()
}

async fn holds_for(world: &World, ways: &[Way]) -> Vec<Seen> {
    let mut seen = Vec::new();
    for (number, cell) in Cell::all(ways).into_iter().enumerate() {
        seen.push(play(world, number, cell).await);
    }
    let wrong = wrong(&seen, is_free);
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), seen.len(), wrong.join("\n"));
    seen
}

/// Predicates that are broken in one place each. A table that agrees with one of them looks at too little.
const BROKEN: [(&str, Predicate); 5] = [
    ("nothing is ever guarded", |_, _, _| true),
    ("a hold does not bind", |lock, bypass, now| is_free(Lock { hold: false, ..lock }, bypass, now)),
    ("COMPLIANCE does not bind", |lock, bypass, now| {
        let kept = lock.retention.filter(|kept| kept.mode == Governance);
        is_free(Lock { retention: kept, ..lock }, bypass, now)
    }),
    ("a retention binds at its end", |lock, bypass, now| {
        is_free(lock, bypass, now.minus(Duration::from_micros(1)))
    }),
    ("a retention ends early", |lock, bypass, now| is_free(lock, bypass, now.plus(HOUR))),
];

fn every_broken_one_is_noticed(seen: &[Seen]) {
    for (how, predicate) in BROKEN {
        assert!(!wrong(seen, predicate).is_empty(), "{how}, and nobody notices");
    }
    if seen.iter().any(|seen| seen.cell.bypass) {
        let all: [(&str, Predicate); 3] = [
            ("the word passes by nothing", |lock, _, now| is_free(lock, false, now)),
            ("the word passes by everything", |lock, bypass, now| bypass || is_free(lock, false, now)),
            ("nobody need say it", |lock, _, now| is_free(lock, true, now)),
        ];
        for (how, predicate) in all {
            assert!(!wrong(seen, predicate).is_empty(), "{how}, and nobody notices");
        }
    }
}

/// A part of the ways, so that several tests share the work.
fn part(number: usize) -> Vec<Way> {
    ALL.into_iter().enumerate().filter(|(at, _)| at % 4 == number).map(|(_, way)| way).collect()
}

on_both_engines! {
    async fn no_way_passes_a_lock_1(world: World) {
        every_broken_one_is_noticed(&holds_for(world, &part(0)).await);
    }

    async fn no_way_passes_a_lock_2(world: World) {
        every_broken_one_is_noticed(&holds_for(world, &part(1)).await);
    }

    async fn no_way_passes_a_lock_3(world: World) {
        every_broken_one_is_noticed(&holds_for(world, &part(2)).await);
    }

    async fn no_way_passes_a_lock_4(world: World) {
        every_broken_one_is_noticed(&holds_for(world, &part(3)).await);
    }
}
