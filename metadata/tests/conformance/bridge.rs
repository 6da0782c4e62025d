//! The SQL against the law, for versions: a row in every state, every move through the public API, under every kind of
//! circumstance, and the outcome compared with `lifecycle::step` under the same facts. All cells, no sample.

use crate::world::*;
use lifecycle::lifecycle::{Above, Facts, Move, step};
use lifecycle::{Claim, ContainerId, Guard, MemberId, Refusal, State, VersionId};
use metadata::{ContainerKind, Waiting};
use std::time::Duration;

/// What the cells lie in, and what else is true of them when the move is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Circumstance {
    Due,
    InGrace,
    /// Removed without a timer.
    PromisedNever,
    GuardedUntilLater,
    Held,
    ClaimedByAnother,
    Removed(ContainerKind),
    Purging(ContainerKind),
    PurgingAndHeld(ContainerKind),
}

/// One version in one state in a bucket of its own, for one move.
struct Cell {
    state: State,
    mv: Move,
    by: Caller,
    contents: ContainerId,
    version: VersionId,
    /// The claim under which it is purging, or one that somebody made up.
    claim: Option<Claim>,
}

/// A claim that no database gave.
#[allow(clippy::disallowed_methods, reason = "what a forged claim can do is under test: nothing")]
fn forged(version: VersionId, contents: ContainerId) -> Claim {
    let (holder, until) = (MemberId::random(), lifecycle::Time::NEVER);
    Claim::won_in_the_database(version, contents, State::Purging, holder, until, Vec::new()).unwrap()
}

impl Circumstance {
    fn above(self) -> Above {
        match self {
            Circumstance::Removed(_) => Above::Removed,
            Circumstance::Purging(_) | Circumstance::PurgingAndHeld(_) => Above::Purging,
            _ => Above::Live,
        }
    }

    /// Puts a version into `state`, an hour before the move is tried.
    async fn prepare(self, by: Caller, state: State, mv: Move) -> Cell {
        let contents = by.contents().await;
        let guard = match self {
            Circumstance::GuardedUntilLater => {
                let from = Some(by.now().plus(Duration::from_micros(1)));
                Guard { from, until: Some(by.now().plus(30 * DAY)), hold: false }
            }
            _ => Guard::NONE,
        };
        // Purging and purged are reached at once; what stays removed has the grace that the circumstance wants.
        let grace = match self {
            Circumstance::InGrace => DAY,
            Circumstance::PromisedNever => Duration::MAX,
            _ => HOUR,
        };
        let lease = if self == Circumstance::ClaimedByAnother { DAY } else { Duration::ZERO };
        let mut claim = None;
        let version = match state {
            State::Staged => by.stage("x").await,
            _ => by.put("x").guard(guard).await.unwrap().version,
        };
        match state {
            State::Staged | State::Live => {}
            State::Removed => drop(by.delete("x").grace(grace).await.unwrap()),
            State::Purging | State::Purged | State::Forgotten => {
                by.delete("x").at_once().await.unwrap();
                let order = metadata::ClaimOrder { lease, ..by.order() };
                let mut claims = by.m.claim_due(by.waiting().await, order).await.unwrap();
                assert_eq!(claims.len(), 1);
                claim = claims.pop();
            }
        }
        if let (State::Purged | State::Forgotten, Some(claim)) =
            (state, claim.take_if(|_| state != State::Purging))
        {
            let memory = match (state, self) {
                (State::Forgotten, _) => Duration::ZERO,
                (_, Circumstance::InGrace) => DAY,
                _ => HOUR,
            };
            assert_eq!(by.m.finish(vec![claim], memory).await.unwrap().0, 1);
        }
        if state == State::Forgotten {
            assert_eq!(by.m.forget(contents, 1).await.unwrap(), 1);
        }
        assert_eq!(by.state(version).await, state);
        let claim = claim.or_else(|| Some(forged(version, contents)));
        Cell { state, mv, by, contents, version, claim }
    }

    /// Makes true of all cells what has to be true when the move is tried.
    async fn set(self, world: &World, cells: &[Cell], domain: ContainerId) {
        world.later(HOUR);
        let hold = "UPDATE versions SET hold = 1, due_at = NULL WHERE state IN ('live', 'removed')";
        match self {
            Circumstance::Held => drop(world.put_wrong(hold).await),
            Circumstance::Removed(kind) => remove(cells, domain, kind, false).await,
            Circumstance::Purging(kind) | Circumstance::PurgingAndHeld(kind) => {
                remove(cells, domain, kind, true).await;
                world.m.purge_containers(1_000, 36_500 * DAY).await.unwrap();
                if self == Circumstance::PurgingAndHeld(kind) {
                    world.put_wrong(hold).await;
                }
            }
            _ => {}
        }
    }
}

async fn remove(cells: &[Cell], domain: ContainerId, kind: ContainerKind, early: bool) {
    let now = |removal: Rem| if early { removal.early() } else { removal };
    if kind == ContainerKind::Domain {
        let mut by = cells[0].by.clone();
        by.domain = domain;
        now(by.remove_domain()).await.unwrap();
        return;
    }
    for cell in cells {
        let removal =
            if kind == ContainerKind::Bucket { cell.by.remove_bucket() } else { cell.by.empty_bucket() };
        now(removal).await.unwrap();
    }
}

impl Cell {
    /// Tries the move. `Err` tells the refusal, where the API tells one; a claim that is not given has no words.
    async fn attempt(&mut self) -> Result<(), Option<Refusal>> {
        let Cell { by, version, contents, .. } = &*self;
        let order = metadata::ClaimOrder { holder: MemberId::random(), ..by.order() };
        let won = |claims: Vec<Claim>| match claims.as_slice() {
            [] => Err(None),
            [claim] => {
                assert_eq!(claim.version(), *version);
                Ok(())
            }
            more => panic!("{} claims on one version", more.len()),
        };
        let told = |answer: Result<(), Refusal>| answer.map_err(Some);
        match self.mv {
            Move::Publish => told(by.put_staged("x", *version, 7).await.map(drop)),
            Move::Remove => told(by.delete("x").version(*version).await.map(drop)),
            Move::Restore => told(by.restore_version(*version).await.map(drop)),
            Move::Abandon => {
                let swept = by.m.claim_abandoned(*contents, by.now(), order).await.unwrap();
                let failed = by.m.claim_failed_upload(*version, order).await.unwrap();
                won(swept.into_iter().chain(failed).collect())
            }
            Move::Purge => {
                let from = Waiting {
                    domain: by.domain,
                    bucket: by.bucket,
                    contents: *contents,
                    above: State::Live,
                    objects: 1,
                    bytes: 1,
                };
                let due = by.m.claim_due(from, order).await.unwrap();
                let lapsed = by.m.claim_lapsed(*contents, order).await.unwrap();
                won(due.into_iter().chain(lapsed).collect())
            }
            Move::Cascade => won(by.m.claim_cascade(*contents, order).await.unwrap()),
            Move::Reclaim => {
                let claim = self.claim.take().into_iter().collect();
                if self.by.m.finish(claim, MEMORY).await.unwrap().0 == 1 { Ok(()) } else { Err(None) }
            }
            Move::Release => {
                let claim = self.claim.take().into_iter().collect();
                self.by.m.release(claim).await.unwrap();
                // It tells nothing; that it stays purging, and claimable at once, is what can be seen.
                let claimable = self.by.m.claim_lapsed(self.contents, order).await.unwrap();
                if claimable.is_empty() { Err(None) } else { Ok(()) }
            }
            Move::HandOver => {
                let held = by.m.version(*version).await.unwrap().is_some_and(|row| row.guard.hold);
                let done = by.put("x").taking_over(*version).await;
                if let Ok(new) = &done {
                    assert_eq!(by.row(new.version).await.guard.hold, held, "a hold passes on with the bytes");
                }
                told(done.map(drop))
            }
            Move::Forget => {
                if by.m.forget(*contents, 10).await.unwrap() == 1 {
                    Ok(())
                } else {
                    Err(None)
                }
            }
        }
    }

    /// The facts of the law, as the row and the circumstance tell them.
    async fn facts(&self, circumstance: Circumstance) -> Facts {
        let row = self.by.m.version(self.version).await.unwrap();
        let mut facts = Facts {
            now: self.by.now(),
            purge_after: row.as_ref().and_then(|row| row.purge_after),
            guard: row.as_ref().map_or(Guard::NONE, |row| row.guard),
            above: circumstance.above(),
            forget_after: row.as_ref().and_then(|row| row.forget_after),
            claimed: circumstance == Circumstance::ClaimedByAnother,
        };
        // A staged version is not in its contents yet: publishing asks for the bucket, whatever that holds by now.
        let taken_out = matches!(
            circumstance,
            Circumstance::Removed(ContainerKind::Contents)
                | Circumstance::Purging(ContainerKind::Contents)
                | Circumstance::PurgingAndHeld(ContainerKind::Contents)
        );
        // A hold passes on with the bytes, whatever the headers say: whoever has seen to that says so by facts without it.
        if self.mv == Move::HandOver {
            facts.guard.hold = false;
        }
        if self.mv == Move::Publish && taken_out {
            facts.above = Above::Live;
        }
        facts
    }
}

/// Whether `said` is a way of telling a client what the law calls `law`.
fn tells(said: &Refusal, law: &Refusal, state: State, mv: Move, above: Above) -> bool {
    match mv {
        // Deletes and restores of a client name an object: what is not live in a live bucket is simply not there.
        Move::Remove if above != Above::Live => {
            matches!(said, Refusal::ContainerGone | Refusal::NoSuchVersion)
        }
        Move::Remove if state != State::Live => *said == Refusal::NoSuchVersion,
        // The container is told of first, whatever has become of what was in it.
        Move::Restore if above != Above::Live => *said == Refusal::ContainerGone || said == law,
        Move::Publish if above != Above::Live && *said == Refusal::ContainerGone => true,
        // Whoever changes headers names an object too, and read a version of it that is not current any more; what guards
        // it would be lost, and that has words of its own.
        Move::HandOver if above != Above::Live => matches!(said, Refusal::ContainerGone | Refusal::Conflict),
        Move::HandOver if state != State::Live => *said == Refusal::Conflict,
        Move::HandOver => *said == Refusal::GuardShortened && matches!(law, Refusal::Guarded { .. }),
        // An upload whose row is not staged any more was taken back meanwhile: its client may begin anew.
        Move::Publish => *said == Refusal::Conflict,
        _ => said == law,
    }
}

async fn every_cell_is_as_the_law_says(world: World, circumstance: Circumstance) {
    let domain = world.create_domain("acme.example").await.unwrap();
    let acme = world.in_domain(&domain);
    let mut cells = Vec::new();
    for state in State::ALL {
        for mv in Move::ALL {
            let bucket = acme.create_bucket(&format!("{state}-{}", mv.as_str())).await.unwrap();
            cells.push(circumstance.prepare(acme.in_bucket(&bucket), state, mv).await);
        }
    }
    circumstance.set(&world, &cells, domain.id).await;
    for cell in &mut cells {
        let what = format!("{circumstance:?}: {} of {}", cell.mv.as_str(), cell.state);
        assert_eq!(
            cell.by.state(cell.version).await,
            cell.state,
            "{what}: the cell is not what it should be"
        );
        let law = step(cell.state, cell.mv, &cell.facts(circumstance).await);
        let before = format!("{:?}", cell.by.m.version(cell.version).await.unwrap());
        let outcome = cell.attempt().await;
        let after = cell.by.m.version(cell.version).await.unwrap();
        match (&law, &outcome) {
            (Ok(next), Ok(())) => {
                assert_eq!(after.map_or(State::Forgotten, |row| row.state), *next, "{what}");
            }
            (Err(law), Err(said)) => {
                assert_eq!(format!("{after:?}"), before, "{what}: refused, and yet something changed");
                if let Some(said) = said {
                    let above = circumstance.above();
                    assert!(tells(said, law, cell.state, cell.mv, above), "{what}: {said:?} for {law:?}");
                }
            }
            (law, outcome) => panic!("{what}: the law says {law:?}, the database {outcome:?}"),
        }
    }
    world.finish().await;
}

macro_rules! circumstances {
    ($($name:ident: $circumstance:expr;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn sqlite() {
                every_cell_is_as_the_law_says(World::sqlite().await, $circumstance).await;
            }

            #[tokio::test]
            async fn postgres() {
                every_cell_is_as_the_law_says(World::postgres().await, $circumstance).await;
            }
        }
    )*};
}

circumstances! {
    due: Circumstance::Due;
    in_grace: Circumstance::InGrace;
    promised_never: Circumstance::PromisedNever;
    guarded_until_later: Circumstance::GuardedUntilLater;
    held: Circumstance::Held;
    claimed_by_another: Circumstance::ClaimedByAnother;
    contents_taken_out: Circumstance::Removed(ContainerKind::Contents);
    bucket_removed: Circumstance::Removed(ContainerKind::Bucket);
    domain_removed: Circumstance::Removed(ContainerKind::Domain);
    contents_purging: Circumstance::Purging(ContainerKind::Contents);
    bucket_purging: Circumstance::Purging(ContainerKind::Bucket);
    domain_purging: Circumstance::Purging(ContainerKind::Domain);
    contents_purging_and_held: Circumstance::PurgingAndHeld(ContainerKind::Contents);
    bucket_purging_and_held: Circumstance::PurgingAndHeld(ContainerKind::Bucket);
    domain_purging_and_held: Circumstance::PurgingAndHeld(ContainerKind::Domain);
}
