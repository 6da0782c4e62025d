//! When a target is tried again. Pure: the same failures always lead to the same times.

use lifecycle::Time;
use std::collections::BTreeMap;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// How long to wait after so many failures before this one.
pub(super) fn wait(failures: u32) -> Duration {
    FIRST.saturating_mul(1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX)).min(LONGEST)
}

/// Targets that are left alone for a while.
#[derive(Debug, Default)]
pub(crate) struct Pauses(BTreeMap<String, (u32, Time)>);

impl Pauses {
    /// Whether a target is left alone now.
    pub(crate) fn holds(&self, target: &str, now: Time) -> bool {
        self.0.get(target).is_some_and(|(_, until)| now < *until)
    }

    /// It was away, once more.
    pub(super) fn away(&mut self, target: &str, now: Time) {
        let failures = self.0.get(target).map_or(0, |(failures, _)| *failures);
        self.0.insert(target.to_owned(), (failures.saturating_add(1), now.plus(wait(failures))));
    }

    /// It has taken something.
    pub(super) fn there(&mut self, target: &str) {
        self.0.remove(target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour() {
        let seconds: Vec<u64> = (0..12).map(|failures| wait(failures).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(wait(u32::MAX), LONGEST);
    }

    #[test]
    fn a_target_that_was_away_is_left_alone_until_it_takes_something() {
        let (mut pauses, now) = (Pauses::default(), Time::from_secs(1_000));
        pauses.away("a", now);
        assert!(pauses.holds("a", now) && !pauses.holds("b", now));
        assert!(!pauses.holds("a", now.plus(FIRST)));
        pauses.away("a", now);
        assert!(pauses.holds("a", now.plus(FIRST)));
        pauses.there("a");
        pauses.away("a", now);
        assert!(!pauses.holds("a", now.plus(FIRST)));
    }
}
