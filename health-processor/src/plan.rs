//! What a cycle of reclaiming is going to do, decided before anything is claimed: claiming is the point of no return,
//! and whatever should have been kept must not get that far. A dry run ends here.

use crate::brake::{Amount, Brake, Tripped, judge};
use lifecycle::{State, Time};
use metadata::Waiting;
use serde::Serialize;
use std::collections::BTreeMap;

/// Contents with removed versions, and how much of them is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) waiting: Waiting,
    pub(crate) due: Amount,
    /// The part of `due` that no request explains.
    pub(crate) unexplained: Amount,
}

/// What the decision rests on.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) now: Time,
    pub(crate) found: Vec<Found>,
    pub(crate) halted: bool,
    pub(crate) dry_run: bool,
    pub(crate) brake: Brake,
    pub(crate) stored_bytes: u64,
    pub(crate) released_until: Option<Time>,
}

/// Why something removed is not reclaimed in this cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// Its time has not come, or a guard or hold binds.
    NotDue,
    /// A container around it is not live: it goes with that, or comes back with it.
    ContainerNotLive,
    /// Purging is halted.
    Halted,
    /// The brake has tripped.
    Brake,
    /// Nobody wants it to be done yet.
    DryRun,
}

/// What to reclaim and what to keep.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// From which contents to claim, and how many versions at most: not more than was looked at.
    pub(crate) reclaim: Vec<(Waiting, u64)>,
    /// How many versions are kept, and why.
    pub(crate) keep: BTreeMap<Reason, u64>,
    /// The brake, if it has tripped.
    pub(crate) tripped: Option<Tripped>,
    /// Everything that is due where timers may act.
    pub(crate) due: Amount,
    /// What of it no request explains.
    pub(crate) unexplained: Amount,
}

pub(crate) fn decide(facts: &Facts) -> Plan {
    let mut plan = Plan::default();
    let acts = |found: &&Found| found.waiting.above == State::Live;
    for found in facts.found.iter().filter(acts) {
        plan.due += found.due;
        plan.unexplained += found.unexplained;
    }
    plan.tripped = judge(&facts.brake, plan.unexplained, facts.stored_bytes, facts.released_until, facts.now);
    for found in &facts.found {
        let all = u64::try_from(found.waiting.objects).unwrap_or(0);
        let mut keep = |reason, objects: u64| {
            if objects > 0 {
                *plan.keep.entry(reason).or_default() += objects;
            }
        };
        if found.waiting.above != State::Live {
            keep(Reason::ContainerNotLive, all);
            continue;
        }
        let due = found.due.objects;
        keep(Reason::NotDue, all.saturating_sub(due));
        if facts.halted {
            keep(Reason::Halted, due);
        } else if plan.tripped.is_some() {
            // All of it waits, the explained too: which is which shows only when the row is claimed.
            keep(Reason::Brake, due);
        } else if facts.dry_run {
            keep(Reason::DryRun, due);
        } else if due > 0 {
            plan.reclaim.push((found.waiting, due));
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifecycle::ContainerId;

    fn found(above: State, objects: i64, due: u64, unexplained: u64) -> Found {
        let id = ContainerId::random();
        let amount = |objects| Amount { objects, bytes: objects * 10 };
        Found {
            waiting: Waiting { domain: id, bucket: id, contents: id, above, objects, bytes: objects * 10 },
            due: amount(due),
            unexplained: amount(unexplained),
        }
    }

    fn facts(found: Vec<Found>) -> Facts {
        let brake = Brake { share: 5, objects: 100, min_objects: 10, min_bytes: u64::MAX };
        let now = Time::from_secs(0);
        Facts {
            now,
            found,
            halted: false,
            dry_run: false,
            brake,
            stored_bytes: 100_000,
            released_until: None,
        }
    }

    fn kept(plan: &Plan) -> Vec<(Reason, u64)> {
        plan.keep.iter().map(|(reason, objects)| (*reason, *objects)).collect()
    }

    #[test]
    fn only_what_is_due_in_live_containers_is_reclaimed() {
        let plan = decide(&facts(vec![
            found(State::Live, 7, 5, 0),
            found(State::Removed, 9, 9, 0),
            found(State::Purging, 4, 4, 0),
            found(State::Live, 3, 0, 0),
        ]));
        assert_eq!(plan.reclaim.iter().map(|(_, due)| *due).collect::<Vec<_>>(), [5]);
        assert_eq!(kept(&plan), [(Reason::NotDue, 5), (Reason::ContainerNotLive, 13)]);
        assert_eq!(plan.due, Amount { objects: 5, bytes: 50 });
    }

    #[test]
    fn halted_braked_or_dry_nothing_is_reclaimed_and_the_reason_is_told() {
        let due = vec![found(State::Live, 7, 5, 0)];
        let halted = decide(&Facts { halted: true, ..facts(due.clone()) });
        assert_eq!(kept(&halted), [(Reason::NotDue, 2), (Reason::Halted, 5)]);
        let dry = decide(&Facts { dry_run: true, ..facts(due) });
        assert_eq!(kept(&dry), [(Reason::NotDue, 2), (Reason::DryRun, 5)]);
        let braked = decide(&facts(vec![found(State::Live, 150, 150, 101), found(State::Live, 1, 1, 0)]));
        assert_eq!(kept(&braked), [(Reason::Brake, 151)]);
        assert!(braked.tripped.is_some());
        assert!([halted, dry, braked].iter().all(|plan| plan.reclaim.is_empty()));
    }

    #[test]
    fn what_lies_in_containers_that_are_not_live_never_trips_the_brake() {
        let plan =
            decide(&facts(vec![found(State::Removed, 1_000, 1_000, 1_000), found(State::Live, 1, 1, 1)]));
        assert!(plan.tripped.is_none());
        assert_eq!(plan.reclaim.len(), 1);
    }
}
