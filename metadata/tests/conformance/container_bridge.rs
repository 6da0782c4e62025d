//! The SQL against the law, for domains, buckets and contents: every state, every move they have, every circumstance.

use crate::world::*;
use lifecycle::lifecycle::{Above, Facts, Move, step};
use lifecycle::{ContainerId, Guard, Refusal, State, Time};
use metadata::ContainerKind;
use std::time::Duration;

/// In the order in which they are made: the steps that make the first ones would go on with the last ones.
const STATES: [State; 5] = [State::Forgotten, State::Purged, State::Purging, State::Removed, State::Live];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Circumstance {
    Due,
    InGrace,
    /// Its own time has come; something inside was promised more.
    PromisedInside,
    /// A guard inside that did not bind when it was removed.
    GuardedInside,
    AboveRemoved,
    /// What is around it passed the point of no return, and it has not followed yet.
    AbovePurging,
}

impl Circumstance {
    const ALL: [Circumstance; 6] = [
        Circumstance::Due,
        Circumstance::InGrace,
        Circumstance::PromisedInside,
        Circumstance::GuardedInside,
        Circumstance::AboveRemoved,
        Circumstance::AbovePurging,
    ];

    fn above(self) -> Above {
        match self {
            Circumstance::AboveRemoved => Above::Removed,
            Circumstance::AbovePurging => Above::Purging,
            _ => Above::Live,
        }
    }
}

/// How a move is asked for. Purge has two doors: the timer's, and that of the purge right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Remove,
    Restore,
    EarlyPurge,
    TimerPurge,
    Cascade,
    Reclaim,
    Forget,
}

/// Doors that concern one container each share a world; those that concern whatever is there have one of their own.
const WORLDS: [&[Door]; 5] = [
    &[Door::Remove, Door::Restore, Door::EarlyPurge],
    &[Door::TimerPurge],
    &[Door::Cascade],
    &[Door::Reclaim],
    &[Door::Forget],
];

impl Door {
    fn mv(self) -> Move {
        match self {
            Door::Remove => Move::Remove,
            Door::Restore => Move::Restore,
            Door::TimerPurge | Door::EarlyPurge => Move::Purge,
            Door::Cascade => Move::Cascade,
            Door::Reclaim => Move::Reclaim,
            Door::Forget => Move::Forget,
        }
    }

    /// The calls that a kind of container has in a circumstance.
    fn exists(self, kind: ContainerKind, circumstance: Circumstance) -> bool {
        let follows = circumstance.above() == Above::Purging;
        let holds_something =
            matches!(circumstance, Circumstance::PromisedInside | Circumstance::GuardedInside);
        match self {
            // Contents are removed by emptying, which takes what the bucket holds at present and asks for nothing else.
            Door::Remove | Door::EarlyPurge => kind != ContainerKind::Contents,
            Door::Restore | Door::Forget => true,
            // One step of the health processor begins, lets follow and closes. Each is looked at where it is the first.
            Door::TimerPurge => !follows,
            Door::Cascade => follows,
            Door::Reclaim => !holds_something,
        }
    }
}

struct Cell {
    kind: ContainerKind,
    id: ContainerId,
    by: Caller,
    state: State,
    door: Door,
    circumstance: Circumstance,
    promise_inside: Option<Time>,
    guard: Guard,
}

async fn state_of(world: &World, kind: ContainerKind, id: ContainerId) -> State {
    if kind != ContainerKind::Contents {
        return world.m.container(kind, id).await.unwrap().map_or(State::Forgotten, |row| row.state);
    }
    let found = world.ask(&format!("SELECT state FROM contents WHERE id = {}", world.literal(id))).await;
    found.first().map_or(State::Forgotten, |word| State::parse(word).unwrap())
}

/// Makes a container of `kind` in `state` inside a domain of its own.
async fn prepare(
    world: &World,
    kind: ContainerKind,
    state: State,
    circumstance: Circumstance,
    door: Door,
) -> Cell {
    let name = format!("{state}-{door:?}-{circumstance:?}.example");
    let acme = world.in_domain(&world.create_domain(&name).await.unwrap());
    let by = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
    let id = match kind {
        ContainerKind::Domain => by.domain,
        ContainerKind::Bucket => by.bucket,
        ContainerKind::Contents => by.contents().await,
    };
    let guard = match circumstance {
        Circumstance::GuardedInside => {
            let from = Some(by.now().plus(Duration::from_micros(1)));
            Guard { from, until: Some(by.now().plus(30 * DAY)), hold: false }
        }
        _ => Guard::NONE,
    };
    let mut promise_inside = None;
    // What is to be closed holds nothing; what is not to be closed before its time holds something.
    if door != Door::Reclaim && !matches!(state, State::Purged | State::Forgotten) {
        by.put("x").guard(guard).await.unwrap();
        if circumstance == Circumstance::PromisedInside {
            promise_inside = by.delete("x").grace(10 * DAY).await.unwrap().purge_after;
        }
    }
    let removal = match kind {
        ContainerKind::Domain => by.remove_domain(),
        ContainerKind::Bucket => by.remove_bucket(),
        ContainerKind::Contents => by.empty_bucket(),
    };
    match state {
        State::Live | State::Staged => {}
        State::Removed => {
            let grace = if circumstance == Circumstance::InGrace { DAY } else { HOUR };
            removal.grace(grace).await.unwrap();
        }
        // Its own row and nothing else, so that closing it is a step of its own.
        State::Purging => {
            removal.early().await.unwrap();
            if kind == ContainerKind::Contents {
                let id = world.literal(id);
                world.put_wrong(&format!("UPDATE contents SET state = 'purging' WHERE id = {id}")).await;
            } else {
                by.purge_early(kind, id).await.unwrap();
            }
        }
        State::Purged | State::Forgotten => {
            removal.early().await.unwrap();
            let memory = match (state, circumstance) {
                (State::Forgotten, _) => Duration::ZERO,
                (_, Circumstance::InGrace) => DAY,
                _ => HOUR,
            };
            world.m.purge_containers(100, memory).await.unwrap();
            if state == State::Forgotten {
                world.m.forget_containers(100).await.unwrap();
            }
        }
    }
    Cell { kind, id, by, state, door, circumstance, promise_inside, guard }
}

impl Cell {
    /// Puts what is around it where the circumstance wants it. Nothing is around what is forgotten.
    async fn set_above(&self) {
        let Cell { kind, by, circumstance, .. } = self;
        if self.state == State::Forgotten || circumstance.above() == Above::Live {
            return;
        }
        let (kind, id, removal) = match kind {
            ContainerKind::Contents => (ContainerKind::Bucket, by.bucket, by.remove_bucket()),
            _ => (ContainerKind::Domain, by.domain, by.remove_domain()),
        };
        if circumstance.above() == Above::Purging {
            removal.early().await.unwrap();
            by.purge_early(kind, id).await.unwrap();
        } else {
            removal.await.unwrap();
        }
    }

    /// Tries the move where it concerns this container alone.
    async fn attempt(&self) -> Option<Answer<()>> {
        let Cell { kind, id, by, .. } = self;
        let contents = *kind == ContainerKind::Contents;
        Some(match self.door {
            Door::Remove if *kind == ContainerKind::Domain => by.remove_domain().await.map(drop),
            Door::Remove => by.remove_bucket().await.map(drop),
            Door::Restore if contents => by.restore_contents(*id, Some("other")).await.map(drop),
            Door::Restore => by.restore_container(*kind, *id, None).await.map(drop),
            Door::EarlyPurge => by.purge_early(*kind, *id).await.map(drop),
            Door::TimerPurge | Door::Cascade | Door::Reclaim | Door::Forget => return None,
        })
    }

    /// The facts of the law, as `prepare` has made them true an hour ago.
    fn facts(&self) -> Facts {
        let now = self.by.now();
        let in_grace = now.minus(HOUR).plus(DAY);
        let own = if self.circumstance == Circumstance::InGrace { in_grace } else { now };
        let promised = self.promise_inside.map_or(own, |inside| own.max(inside));
        Facts {
            now,
            // The purge right moves the promise to now.
            purge_after: Some(if self.door == Door::EarlyPurge { now } else { promised }),
            guard: self.guard,
            above: self.circumstance.above(),
            forget_after: (self.state == State::Purged).then_some(own),
            claimed: false,
        }
    }

    /// Whether another move comes first in the step of the health processor that would reclaim it.
    fn moves_first(&self) -> bool {
        let facts = self.facts();
        self.door == Door::Reclaim
            && self.state != State::Purging
            && [Move::Purge, Move::Cascade].into_iter().any(|mv| step(self.state, mv, &facts).is_ok())
    }

    /// Whether `said` is a way of telling what the law calls `law`.
    fn tells(&self, said: &Refusal, law: &Refusal) -> bool {
        match (self.door, law) {
            (Door::Remove | Door::EarlyPurge, Refusal::Guarded { .. }) => {
                matches!(said, Refusal::HoldsGuarded { .. })
            }
            // To a client that removes it, what is not live or lies in something that is not is simply not there.
            (Door::Remove, _) if self.kind == ContainerKind::Domain => *said == Refusal::NoSuchDomain,
            (Door::Remove, _) => *said == Refusal::NoSuchBucket,
            _ => said == law,
        }
    }

    async fn compare(&self, world: &World, said: Option<Answer<()>>) {
        let Cell { kind, state, door, circumstance, .. } = self;
        let what = format!("{circumstance:?}: {door:?} of {state} {}", kind.as_str());
        let after = state_of(world, *kind, self.id).await;
        let law = step(*state, door.mv(), &self.facts());
        let wanted = law.clone().unwrap_or(*state);
        assert_eq!(after, wanted, "{what}: the law says {law:?}, and was answered with {said:?}");
        match (&law, &said) {
            (_, None) | (Ok(_), Some(Ok(()))) => {}
            (Err(law), Some(Err(said))) => assert!(self.tells(said, law), "{what}: {said:?} for {law:?}"),
            (law, said) => panic!("{what}: the law says {law:?}, the database {said:?}"),
        }
    }
}

async fn every_cell_is_as_the_law_says(world: World, kind: ContainerKind, doors: &[Door]) {
    let mut cells = Vec::new();
    for state in STATES {
        for circumstance in Circumstance::ALL {
            if kind == ContainerKind::Domain && circumstance.above() != Above::Live {
                continue;
            }
            for door in doors.iter().filter(|door| door.exists(kind, circumstance)) {
                cells.push(prepare(&world, kind, state, circumstance, *door).await);
            }
        }
    }
    world.later(HOUR);
    cells.retain(|cell| !cell.moves_first());
    let mut said = Vec::new();
    for cell in &cells {
        cell.set_above().await;
    }
    for cell in &cells {
        let what = format!("a {} that was to be tried in {:?}", kind.as_str(), cell.circumstance);
        assert_eq!(state_of(&world, kind, cell.id).await, cell.state, "{what}");
        said.push(cell.attempt().await);
    }
    match doors {
        [Door::TimerPurge | Door::Cascade | Door::Reclaim] => {
            world.m.purge_containers(1_000, MEMORY).await.unwrap();
        }
        [Door::Forget] => drop(world.m.forget_containers(1_000).await.unwrap()),
        _ => {}
    }
    for (cell, said) in cells.iter().zip(said) {
        cell.compare(&world, said).await;
    }
    world.finish().await;
}

async fn every_door(kind: ContainerKind, sqlite: bool) {
    for doors in WORLDS {
        let world = if sqlite { World::sqlite().await } else { World::postgres().await };
        every_cell_is_as_the_law_says(world, kind, doors).await;
    }
}

macro_rules! kinds {
    ($($name:ident: $kind:expr;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn sqlite() {
                every_door($kind, true).await;
            }

            #[tokio::test]
            async fn postgres() {
                every_door($kind, false).await;
            }
        }
    )*};
}

kinds! {
    domains: ContainerKind::Domain;
    buckets: ContainerKind::Bucket;
    contents: ContainerKind::Contents;
}
