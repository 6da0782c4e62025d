//! How fast bytes are read again: never more, on the whole of a run, than so many a second.

use std::time::Duration;

/// The pace of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Bytes a second.
    rate: u64,
    bytes: u64,
    waited: Duration,
}

/// Waits shorter than this are left to add up.
const WORTH_WAITING: Duration = Duration::from_millis(5);

impl Pace {
    pub(super) fn new(rate: u64) -> Self {
        Pace { rate: rate.max(1), bytes: 0, waited: Duration::ZERO }
    }

    /// What may be read in a run of this length; never nothing.
    pub(super) fn budget(rate: u64, length: Duration) -> u64 {
        let bytes = u128::from(rate) * length.as_millis() / 1_000;
        u64::try_from(bytes).unwrap_or(u64::MAX).max(1)
    }

    /// So many bytes were read; the run is `elapsed` old. How long to wait before the next.
    pub(super) fn read(&mut self, bytes: u64, elapsed: Duration) -> Duration {
        self.bytes = self.bytes.saturating_add(bytes);
        let micros = u128::from(self.bytes) * 1_000_000 / u128::from(self.rate);
        let due = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        let owed = due.saturating_sub(elapsed.max(self.waited));
        if owed < WORTH_WAITING {
            return Duration::ZERO;
        }
        self.waited += owed;
        owed
    }

    /// How long this run has waited.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_was_read_too_fast_is_waited_for_and_what_was_not_is_not() {
        let mut pace = Pace::new(1_000);
        assert_eq!(pace.read(1_000, SECOND / 4), SECOND * 3 / 4);
        assert_eq!(pace.read(1_000, SECOND), SECOND);
        assert_eq!(pace.read(1_000, 9 * SECOND), Duration::ZERO, "the store was slow");
        assert_eq!(pace.read(1, 9 * SECOND), Duration::ZERO);
        assert_eq!(pace.waited(), SECOND * 7 / 4);
    }

    #[test]
    fn waits_that_are_too_short_add_up() {
        let mut pace = Pace::new(1_000_000);
        let waits: Vec<Duration> = (0..6).map(|_| pace.read(1_000, Duration::ZERO)).collect();
        let (ms, none) = (Duration::from_millis, Duration::ZERO);
        assert_eq!(waits, [none, none, none, none, ms(5), none]);
        assert_eq!(pace.waited(), ms(5));
    }

    #[test]
    fn a_run_reads_what_its_length_allows() {
        assert_eq!(Pace::budget(8 << 20, 30 * SECOND), 240 << 20);
        assert_eq!(Pace::budget(1, SECOND / 10), 1);
        assert_eq!(Pace::budget(u64::MAX, 30 * SECOND), u64::MAX);
    }
}
