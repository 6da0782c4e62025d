//! How long a removal may be regretted, and how the promise made at removal is computed.

use crate::Time;
use std::time::Duration;

/// The time between remove and purge that a removal is given. Reading the configuration decides it; the deadline that
/// follows from it is stored in the removing transaction and never computed again (rule R2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// Purged no earlier than this long after removal. Zero is allowed where the caller asked for it in so many words.
    For(Duration),
    /// Removed until somebody purges it: no timer (Kronotop's REMOVE).
    UntilPurged,
}

/// The longest grace that a configuration may ask for. Longer ones are typing errors more often than wishes.
pub const GRACE_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl Grace {
    /// The promise of something removed at `now`.
    pub fn purge_after(self, now: Time) -> Time {
        match self {
            Grace::For(length) => now.plus(length),
            Grace::UntilPurged => Time::NEVER,
        }
    }
}

/// When a container may be purged: the latest of its own promise and of the latest promise made inside it.
pub fn container_due(own: Time, latest_inside: Option<Time>) -> Time {
    latest_inside.map_or(own, |inside| own.max(inside))
}

/// When a tombstone may be forgotten: `memory` after the purge, and never before what it hid could be restored.
pub fn forget_after(purged_at: Time, promised: Time, memory: Duration) -> Time {
    let base = if promised == Time::NEVER { purged_at } else { purged_at.max(promised) };
    base.plus(memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_waits_for_the_latest_promise_inside() {
        let (own, inside) = (Time::from_secs(10), Time::from_secs(20));
        assert_eq!(container_due(own, Some(inside)), inside);
        assert_eq!(container_due(inside, Some(own)), inside);
        assert_eq!(container_due(own, None), own);
    }

    #[test]
    fn a_removal_without_timer_has_no_deadline() {
        assert_eq!(Grace::UntilPurged.purge_after(Time::from_secs(1)), Time::NEVER);
        assert_eq!(Grace::For(Duration::from_secs(60)).purge_after(Time::from_secs(1)), Time::from_secs(61));
    }
}
