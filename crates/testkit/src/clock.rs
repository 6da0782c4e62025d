//! A clock that moves only when a test moves it.

use lifecycle::{Clock, Time};
use std::sync::Mutex;
use std::time::Duration;

/// Wall time and boot time in the test's hands. Starts at 2026-03-03T09:00:00Z.
#[derive(Debug)]
pub struct ManualClock(Mutex<(Time, Duration)>);

impl Default for ManualClock {
    fn default() -> Self {
        ManualClock(Mutex::new((Time::from_secs(1_772_528_400), Duration::from_secs(1_000))))
    }
}

impl ManualClock {
    /// Lets time pass: wall and boot time both move.
    pub fn advance(&self, by: Duration) {
        let mut at = self.0.lock().expect("no test panics while it holds the clock");
        *at = (at.0.plus(by), at.1 + by);
    }

    /// Moves the wall clock alone, as an operator or a broken time server does.
    pub fn set_wall(&self, now: Time) {
        self.0.lock().expect("no test panics while it holds the clock").0 = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        self.0.lock().expect("no test panics while it holds the clock").0
    }

    fn boot(&self) -> Duration {
        self.0.lock().expect("no test panics while it holds the clock").1
    }
}
