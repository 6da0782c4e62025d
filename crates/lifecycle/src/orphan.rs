//! The witness that bytes which no row names may be destroyed.
//!
//! Such bytes are a leak: a crash left them, or the database was restored from an older copy, and then they may be all
//! that is left of something. So they are kept until they have been seen on two days, are older than any upload, and
//! somebody has said that they may go.

use crate::{BlobName, Time, Violation};
use std::time::Duration;

/// Bytes without a row are kept at least this long after they were first seen so.
pub const SEEN_FOR: Duration = Duration::from_secs(24 * 3_600);

/// The age that bytes without a row must have: twice as old as a staged version may become, so that none can be an
/// upload that is still going on.
pub fn age_min(staged_expiry: Duration) -> Duration {
    staged_expiry.saturating_mul(2)
}

/// From when on bytes without a row may be destroyed, if somebody says so and they still have none.
pub fn ripe_at(first_seen: Time, modified: Time, staged_expiry: Duration) -> Time {
    first_seen.plus(SEEN_FOR).max(modified.plus(age_min(staged_expiry)))
}

/// The right, won in the database, to destroy the bytes under one name that no row names.
///
/// `blobs::destroy_orphans` takes it, and only `metadata` makes it, in the transaction that proved that no row names the
/// blob and wrote down that it is condemned. A name is random and used once, so no later row can name it. It is not
/// `Clone`; it ends in `bury_orphans`, and when that does not come the next pass condemns the blob again.
#[must_use = "a condemned blob is destroyed and then buried; dropped, it waits for the next pass"]
#[derive(Debug)]
pub struct Orphan {
    name: BlobName,
    size: u64,
}

impl Orphan {
    /// Makes the witness. For the condemning transaction in `metadata` and nobody else; the linter refuses it elsewhere.
    ///
    /// # Errors
    /// A [`Violation`] if it was condemned before its day was over.
    pub fn condemned_in_the_database(
        name: BlobName,
        size: u64,
        first_seen: Time,
        condemned: Time,
    ) -> Result<Self, Violation> {
        if condemned >= first_seen.plus(SEEN_FOR) {
            Ok(Orphan { name, size })
        } else {
            let what = format!(
                "blob {name} was first seen without a row at {first_seen} and condemned at {condemned}"
            );
            Err(Violation::new("R8", what))
        }
    }

    /// The blob to destroy, with every temporary file that carries its name.
    pub fn name(&self) -> BlobName {
        self.name
    }

    /// Its size at rest, as it was listed.
    pub fn size(&self) -> u64 {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3_600);

    #[test]
    fn bytes_are_ripe_when_they_are_old_enough_and_known_long_enough() {
        let at = Time::from_secs(1_000_000_000);
        assert_eq!(ripe_at(at, at.minus(100 * DAY), DAY), at.plus(DAY), "known for a day");
        assert_eq!(ripe_at(at, at, DAY), at.plus(2 * DAY), "and older than two uploads");
        assert_eq!(ripe_at(at, at.minus(3 * DAY), 30 * DAY), at.plus(57 * DAY));
        assert_eq!(ripe_at(at, at, Duration::MAX), Time::NEVER);
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the witness itself is under test")]
    fn nothing_is_condemned_on_the_day_on_which_it_was_first_seen() {
        let seen = Time::from_secs(1_000_000_000);
        let condemned = |at| Orphan::condemned_in_the_database(BlobName::random(), 8, seen, at).is_ok();
        assert!(condemned(seen.plus(DAY)) && condemned(seen.plus(9 * DAY)));
        assert!(!condemned(seen) && !condemned(seen.plus(DAY).minus(Duration::from_micros(1))));
    }
}
