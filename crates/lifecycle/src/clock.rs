//! The one door through which time enters. Everything else takes a [`Time`] as an argument.

use crate::Time;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// Where the current time comes from: [`SystemClock`] in service, a clock moved by hand in tests.
pub trait Clock: Debug + Send + Sync + 'static {
    /// Wall time. May jump either way; no promise rests on it alone (rule R2).
    fn now(&self) -> Time;

    /// Time since this machine booted, suspension included. Never goes backwards.
    fn boot(&self) -> Duration;
}

/// A clock shared by everything in one process.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Time {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Time::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    fn boot(&self) -> Duration {
        let at = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(u64::try_from(at.tv_sec).unwrap_or(0), u32::try_from(at.tv_nsec).unwrap_or(0))
    }
}
