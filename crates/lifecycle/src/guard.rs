//! What may refuse a delete, and the one predicate by which anything enters *purging* (rule R10).

use crate::{Refusal, Time};

/// The guard on one version, whatever spelled it: a lifepoint's `deletable=no`, Object Lock retention, a legal hold.
///
/// The date part is one interval `[from, until)`. Lifepoints with several undeletable stretches are stored as the one
/// interval that covers them all: doubt means keep (rule R8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// When the guard begins to bind; `None`: it always has.
    pub from: Option<Time>,
    /// When it stops binding; `None`: there is no dated guard. [`Time::NEVER`]: it does not stop by itself.
    pub until: Option<Time>,
    /// A legal hold: binds until it is taken off.
    pub hold: bool,
}

impl Guard {
    /// No guard at all.
    pub const NONE: Guard = Guard { from: None, until: None, hold: false };

    /// Whether it refuses destruction at `now`.
    pub fn is_active(&self, now: Time) -> bool {
        let begun = self.from.is_none_or(|from| from <= now);
        self.hold || (begun && self.until.is_some_and(|until| now < until))
    }

    /// The first moment at which something that may be purged from `purge_after` on is free of this guard, as far as
    /// dates tell. `None` while nothing but a decision can end it. This is the `due_at` column.
    pub fn due_at(&self, purge_after: Time) -> Option<Time> {
        if self.hold {
            return None;
        }
        let begins_after = self.from.is_some_and(|from| from > purge_after);
        match self.until {
            Some(Time::NEVER) if !begins_after => None,
            Some(until) if !begins_after => Some(purge_after.max(until)),
            Some(_) | None => Some(purge_after),
        }
    }

    /// The guard that binds whenever either of the two does.
    #[must_use]
    pub fn and(self, other: Guard) -> Guard {
        let dated = match (self.until, other.until) {
            (Some(a), Some(b)) => (earlier(self.from, other.from), Some(a.max(b))),
            (Some(a), None) => (self.from, Some(a)),
            (None, b) => (other.from, b),
        };
        Guard { from: dated.0, until: dated.1, hold: self.hold || other.hold }
    }

    /// Whether a change of headers or locks may put `new` in this guard's place at `now`. What still binds, or will,
    /// must be bound by `new` as well: the dates from the same moment on and for as long, a hold by a hold, for either
    /// may end without the other. What has lapsed binds nothing.
    ///
    /// # Errors
    /// [`Refusal::GuardShortened`].
    pub fn permits_change(self, new: Guard, now: Time) -> Result<(), Refusal> {
        let hold_kept = new.hold || !self.hold;
        let dates_kept = self.remaining(now).is_none_or(|(from, until)| {
            new.from.is_none_or(|begins| begins <= from) && new.until.is_some_and(|ends| until <= ends)
        });
        if hold_kept && dates_kept { Ok(()) } else { Err(Refusal::GuardShortened) }
    }

    /// The stretch that the dates bind from `now` on; `None` if there is none left.
    fn remaining(self, now: Time) -> Option<(Time, Time)> {
        let from = self.from.map_or(now, |from| from.max(now));
        self.until.filter(|until| from < *until).map(|until| (from, until))
    }
}

fn earlier(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    Some(a?.min(b?))
}

/// Whether something removed may enter *purging* at `now`. Every door, timer, cascade and operator goes through this
/// predicate or through its SQL twin, which a test compares with it; none may pass a guard.
///
/// # Errors
/// [`Refusal::Guarded`] under an active guard, [`Refusal::NotDue`] before the promised time or without a promise.
pub fn may_purge(purge_after: Option<Time>, guard: Guard, now: Time) -> Result<(), Refusal> {
    if guard.is_active(now) {
        return Err(Refusal::guarded(guard));
    }
    match purge_after {
        Some(at) if at <= now => Ok(()),
        Some(_) | None => Err(Refusal::NotDue { due_at: purge_after }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Time {
        Time::from_secs(secs)
    }

    #[test]
    fn a_dated_guard_binds_from_its_start_up_to_but_not_at_its_end() {
        let guard = Guard { from: Some(at(10)), until: Some(at(20)), hold: false };
        let active: Vec<bool> = [9, 10, 19, 20].into_iter().map(|s| guard.is_active(at(s))).collect();
        assert_eq!(active, [false, true, true, false]);
    }

    #[test]
    fn a_hold_has_no_due_time_and_a_dated_guard_moves_it() {
        assert_eq!(Guard { hold: true, ..Guard::NONE }.due_at(at(5)), None);
        assert_eq!(Guard { until: Some(Time::NEVER), ..Guard::NONE }.due_at(at(5)), None);
        assert_eq!(Guard { until: Some(at(9)), ..Guard::NONE }.due_at(at(5)), Some(at(9)));
        assert_eq!(Guard { from: Some(at(7)), until: Some(at(9)), hold: false }.due_at(at(5)), Some(at(5)));
    }

    #[test]
    fn due_time_and_predicate_agree_over_a_small_world() {
        let times = [None, Some(at(1)), Some(at(3)), Some(at(5)), Some(Time::NEVER)];
        for from in times {
            for until in times {
                for hold in [false, true] {
                    let guard = Guard { from, until, hold };
                    for purge_after in (0..7).map(at) {
                        if let Some(due) = guard.due_at(purge_after) {
                            assert!(
                                may_purge(Some(purge_after), guard, due).is_ok(),
                                "{guard:?} {purge_after}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_guard_is_changed_only_into_one_that_binds_all_that_it_still_would() {
        let dated = |from: Option<i64>, until: i64| Guard {
            from: from.map(at),
            until: Some(if until == 99 { Time::NEVER } else { at(until) }),
            hold: false,
        };
        let held = |guard: Guard| Guard { hold: true, ..guard };
        let none = Guard::NONE;
        // old, new, whether the change is permitted; it is 10 o'clock.
        for (old, new, permitted) in [
            (none, none, true),
            (none, dated(None, 20), true),
            (dated(None, 20), dated(None, 20), true),
            (dated(None, 20), dated(None, 21), true),
            (dated(None, 20), dated(None, 99), true),
            (dated(None, 20), dated(None, 19), false),
            (dated(None, 20), none, false),
            (dated(None, 99), dated(None, 20), false),
            // A gap: from now on is early enough, later is not.
            (dated(None, 20), dated(Some(10), 20), true),
            (dated(None, 20), dated(Some(11), 20), false),
            (dated(Some(5), 20), dated(Some(9), 20), true),
            // One that has yet to begin.
            (dated(Some(15), 20), dated(Some(15), 20), true),
            (dated(Some(15), 20), dated(Some(12), 25), true),
            (dated(Some(15), 20), dated(Some(16), 20), false),
            (dated(Some(15), 20), none, false),
            // One that has lapsed, or never binds.
            (dated(None, 10), none, true),
            (dated(None, 9), dated(Some(15), 16), true),
            (dated(Some(20), 20), none, true),
            (dated(Some(30), 20), none, true),
            (Guard { from: Some(at(15)), ..none }, none, true),
            // Holds, and holds beside dates: neither stands in for the other.
            (held(none), held(none), true),
            (held(none), none, false),
            (held(none), dated(None, 99), false),
            (none, held(none), true),
            (dated(None, 20), held(none), false),
            (held(dated(None, 20)), held(dated(None, 20)), true),
            (held(dated(None, 20)), dated(None, 20), false),
            (held(dated(None, 20)), held(none), false),
            (held(dated(None, 9)), held(none), true),
        ] {
            let expected = if permitted { Ok(()) } else { Err(Refusal::GuardShortened) };
            assert_eq!(old.permits_change(new, at(10)), expected, "{old:?} -> {new:?}");
        }
    }

    #[test]
    fn after_a_permitted_change_nothing_is_free_that_was_bound() {
        let times = [None, Some(at(1)), Some(at(3)), Some(at(5)), Some(Time::NEVER)];
        let guards = || {
            times.into_iter().flat_map(move |from| {
                times.into_iter().flat_map(move |until| {
                    [false, true].into_iter().map(move |hold| Guard { from, until, hold })
                })
            })
        };
        for old in guards() {
            for new in guards() {
                for now in 0..7 {
                    if old.permits_change(new, at(now)).is_ok() {
                        let freed = (now..7).find(|s| old.is_active(at(*s)) && !new.is_active(at(*s)));
                        assert_eq!(freed, None, "{old:?} -> {new:?} at {now}");
                    }
                }
            }
        }
    }

    #[test]
    fn two_guards_together_bind_whenever_one_does() {
        let dated = Guard { from: None, until: Some(at(4)), hold: false };
        let later = Guard { from: Some(at(6)), until: Some(at(8)), hold: false };
        let both = dated.and(later);
        for s in 0..10 {
            assert!(both.is_active(at(s)) || !(dated.is_active(at(s)) || later.is_active(at(s))));
        }
        assert!(Guard { hold: true, ..Guard::NONE }.and(dated).hold);
    }
}
