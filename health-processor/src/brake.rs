//! The brake: a cycle that would destroy a great deal for which nobody asked waits until an operator has looked.
//!
//! Rules with a wrong date, a clock that lies, a lifepoint in a template: each of them removes for good what nobody
//! meant to lose, and each is noticed a day later. What a request explains passes, whatever its size: whoever asked for
//! it has had the grace to think better of it.

pub use lifecycle::brake::{Amount, Brake};

use lifecycle::brake::Limit;
use lifecycle::{Cause, Time};
use std::fmt;

/// Why the brake holds a cycle back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tripped {
    /// What would be purged unexplained.
    pub unexplained: Amount,
    /// All bytes stored.
    pub stored_bytes: u64,
    limit: Limit,
}

/// Whether a cycle that purges so much unexplained must wait for an operator. `released_until`: until when one has let go of
/// the brake.
pub fn judge(
    brake: &Brake,
    unexplained: Amount,
    stored_bytes: u64,
    released_until: Option<Time>,
    now: Time,
) -> Option<Tripped> {
    let limit = brake.judge(unexplained, stored_bytes, released_until, now)?;
    Some(Tripped { unexplained, stored_bytes, limit })
}

impl fmt::Display for Tripped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Amount { objects, bytes } = self.unexplained;
        write!(
            f,
            "{} at least {objects} objects with {bytes} of {} bytes",
            metadata::BRAKE_SAYS,
            self.stored_bytes
        )?;
        match self.limit {
            Limit::Objects(most) => write!(f, ", more than {most} objects,")?,
            Limit::Share(percent) => write!(f, ", more than {percent} % of all bytes,")?,
        }
        f.write_str(
            " by lifepoints or rules and not by request; restore what should stay, then confirm with `barrow resume` \
             or POST /v1/resume",
        )
    }
}

/// Whether a request stands behind a removal of this cause. Doubt counts as no.
pub fn is_explained(cause: Option<Cause>) -> bool {
    match cause {
        Some(
            Cause::Delete
            | Cause::Overwrite
            | Cause::Metadata
            | Cause::Recursive
            | Cause::Cascade
            | Cause::Empty
            | Cause::Restore
            | Cause::Purge
            | Cause::Conflict,
        ) => true,
        // That versioning was switched off was a request, but hardly one for each of the versions that go.
        Some(Cause::Lifepoint | Cause::Lifecycle | Cause::Abandoned | Cause::Versioning) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;
    const BRAKE: Brake = Brake { share: 5, objects: 1_000_000, min_objects: 10_000, min_bytes: 10 * GIB };

    #[test]
    fn the_brake_trips_beyond_its_limits_and_never_below_its_floor() {
        let now = Time::from_secs(1_000);
        let (none, past, future) = (None, Some(now), Some(Time::from_secs(1_001)));
        let table = [
            ("nothing", 0, 0, 0, none, false),
            ("a small store emptied", 9_999, 9 * GIB, 9 * GIB, none, false),
            ("ten thousand objects, all of it", 10_000, GIB, GIB, none, true),
            ("ten thousand objects, five percent", 10_000, 5 * GIB, 100 * GIB, none, false),
            ("ten thousand objects, a byte more", 10_000, 5 * GIB + 1, 100 * GIB, none, true),
            ("few objects, many bytes", 3, 10 * GIB, 100 * GIB, none, true),
            ("few objects, few of many bytes", 3, 10 * GIB, 1_000 * GIB, none, false),
            ("a million objects", 1_000_000, 0, 100 * GIB, none, false),
            ("a million and one", 1_000_001, 0, 100 * GIB, none, true),
            ("the brake is off", 1_000_001, 90 * GIB, 100 * GIB, future, false),
            ("it was off until now", 1_000_001, 90 * GIB, 100 * GIB, past, true),
        ];
        for (what, objects, bytes, stored, released, trips) in table {
            let judged = judge(&BRAKE, Amount { objects, bytes }, stored, released, now);
            assert_eq!(judged.is_some(), trips, "{what}");
        }
    }

    #[test]
    fn the_reason_names_counts_and_the_way_out() {
        let unexplained = Amount { objects: 20_000, bytes: 7 };
        let tripped = judge(&BRAKE, unexplained, 10, None, Time::from_secs(0)).expect("70 % of all bytes");
        let text = tripped.to_string();
        for part in ["20000 objects", "7 of 10 bytes", "5 %", "barrow resume", "POST /v1/resume"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }

    #[test]
    fn only_what_was_asked_for_is_explained() {
        let unexplained: Vec<&str> =
            Cause::ALL.into_iter().filter(|cause| !is_explained(Some(*cause))).map(Cause::as_str).collect();
        assert_eq!(unexplained, ["lifepoint", "lifecycle", "abandoned", "versioning"]);
        assert!(!is_explained(None));
    }
}
