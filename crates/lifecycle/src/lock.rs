//! The whole guard of a version, and its parts: what its lifepoint says, its retention, its legal hold.
//!
//! A row keeps the whole, for that is all a deletion asks, whatever its way. The parts are asked for in two places only:
//! where one of them changes, and where somebody may pass by a GOVERNANCE retention. Passing lifts that part and no other.

use crate::lifecycle::{Facts, Move, step};
use crate::{Guard, Refusal, Retention, RetentionMode, State, Time};

/// What guards a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// What its own headers say (SCSP's `deletable=no`).
    pub lifepoint: Guard,
    /// Its retention.
    pub retention: Option<Retention>,
    /// Its legal hold.
    pub hold: bool,
}

impl Lock {
    /// The parts of `guard`, as a row has it beside its retention, where its headers say `lifepoint`. What neither of the
    /// two explains counts as the headers' own: doubt means keep (rule R8).
    pub fn of(guard: Guard, lifepoint: Guard, retention: Option<Retention>) -> Self {
        let dates = |guard: Guard| (guard.from, guard.until);
        let lifepoint = Guard { hold: false, ..lifepoint };
        let with_retention = retention.map(|retention| dates(lifepoint.and(retention.guard())));
        let explained = [Some(dates(lifepoint)), with_retention].contains(&Some(dates(guard)));
        let own = if explained { lifepoint } else { lifepoint.and(Guard { hold: false, ..guard }) };
        Lock { lifepoint: own, retention, hold: guard.hold }
    }

    /// What refuses a deletion.
    pub fn guard(self) -> Guard {
        let retention = self.retention.map_or(Guard::NONE, Retention::guard);
        self.lifepoint.and(retention).and(Guard { hold: self.hold, ..Guard::NONE })
    }

    /// What refuses a deletion by whoever may pass by GOVERNANCE, and has said so (`bypass`): everything else.
    pub fn binding(self, bypass: bool) -> Guard {
        let passed = |retention: &Retention| bypass && retention.mode == RetentionMode::Governance;
        Lock { retention: self.retention.filter(|retention| !passed(retention)), ..self }.guard()
    }

    /// Whether this version may be removed at `now`: the same question as anything else's that is live.
    ///
    /// # Errors
    /// [`Refusal::Guarded`].
    pub fn permits_removal(self, bypass: bool, now: Time) -> Result<(), Refusal> {
        let facts = Facts { now, guard: self.binding(bypass), ..Facts::default() };
        step(State::Live, Move::Remove, &facts).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RetentionMode::{Compliance, Governance};

    fn at(secs: i64) -> Time {
        Time::from_secs(secs)
    }

    fn dated(secs: i64) -> Guard {
        Guard { from: None, until: Some(at(secs)), hold: false }
    }

    fn kept(mode: RetentionMode, secs: i64) -> Option<Retention> {
        Some(Retention { mode, until: at(secs) })
    }

    /// Lifepoint, retention, hold; whether anybody may delete, and whether who passes by GOVERNANCE may. It is 10 o'clock.
    #[test]
    fn passing_by_governance_lifts_that_and_nothing_else() {
        let none = Guard::NONE;
        for (lifepoint, retention, hold, anybody, bypass) in [
            (none, None, false, true, true),
            (none, None, true, false, false),
            (dated(20), None, false, false, false),
            (dated(10), None, false, true, true),
            (none, kept(Governance, 20), false, false, true),
            (none, kept(Governance, 11), false, false, true),
            (none, kept(Governance, 10), false, true, true),
            (none, kept(Governance, 20), true, false, false),
            (none, kept(Compliance, 20), false, false, false),
            (none, kept(Compliance, 11), false, false, false),
            (none, kept(Compliance, 10), false, true, true),
            (none, kept(Compliance, 10), true, false, false),
            (dated(20), kept(Governance, 30), false, false, false),
            (dated(9), kept(Governance, 30), false, false, true),
            (dated(30), kept(Compliance, 9), false, false, false),
            (dated(9), kept(Governance, 9), false, true, true),
        ] {
            let lock = Lock { lifepoint, retention, hold };
            assert_eq!(lock.permits_removal(false, at(10)).is_ok(), anybody, "{lock:?}");
            assert_eq!(lock.permits_removal(true, at(10)).is_ok(), bypass, "{lock:?} passed by");
            // The row keeps the whole, and of that the parts can be told again.
            assert_eq!(Lock::of(lock.guard(), lifepoint, retention).guard(), lock.guard());
            assert_eq!(Lock::of(lock.guard(), lifepoint, retention).binding(true), lock.binding(true));
        }
    }

    #[test]
    fn what_nothing_explains_is_lifted_by_nobody() {
        let lock = Lock::of(dated(25), Guard::NONE, kept(Governance, 20));
        assert!(lock.permits_removal(true, at(22)).is_err());
        assert_eq!(lock.binding(true), dated(25));
        // Nor by taking the retention off, or by a row in which the retention was passed by already.
        assert_eq!(Lock { retention: None, ..lock }.guard(), dated(25));
        assert_eq!(Lock::of(dated(15), dated(15), kept(Governance, 20)).guard(), dated(20));
        assert_eq!(Lock::of(Guard::NONE, Guard::NONE, kept(Governance, 20)).binding(true), Guard::NONE);
    }

    #[test]
    fn the_whole_binds_whenever_a_part_does() {
        let guards =
            [Guard::NONE, dated(3), dated(6), Guard { from: Some(at(4)), until: Some(at(8)), hold: false }];
        for lifepoint in guards {
            for retention in [None, kept(Governance, 2), kept(Compliance, 5), kept(Governance, 7)] {
                for hold in [false, true] {
                    let lock = Lock { lifepoint, retention, hold };
                    for now in (0..10).map(at) {
                        let parts = hold
                            || lifepoint.is_active(now)
                            || retention.is_some_and(|retention| retention.is_active(now));
                        assert!(!parts || lock.guard().is_active(now), "{lock:?} at {now}");
                        assert!(lock.guard().is_active(now) || !lock.binding(true).is_active(now));
                    }
                }
            }
        }
    }
}
