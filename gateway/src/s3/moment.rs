//! Times, ours and those of `s3s`.

use lifecycle::Time;
use s3s::dto::Timestamp;
use std::time::{Duration, SystemTime};

/// A time as answers carry it: to the second, in XML as in headers, so that clients may compare the two.
pub(super) fn stamp(time: Time) -> Timestamp {
    // A time before 1970 is of no version.
    let micros = u64::try_from(time.micros()).unwrap_or_default();
    Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs(micros / 1_000_000))
}

/// A time that a request named.
pub(super) fn time(stamp: Timestamp) -> Time {
    let at: time::OffsetDateTime = stamp.into();
    Time::from_micros(i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_pass_both_ways() {
        assert_eq!(time(stamp(Time::from_micros(1_700_000_000_123_000))), Time::from_secs(1_700_000_000));
    }
}
