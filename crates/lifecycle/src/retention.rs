//! Object Lock: until when a version may not be deleted, and who may shorten that (S3 Object Lock).
//!
//! A retention is one of the two spellings of a dated guard; the other is a lifepoint's `deletable=no`. Both are taken into
//! the version's one [`Guard`], which is all that a deletion asks. What is kept beside it here is what S3 shows, and what
//! decides on changes.

use crate::{Guard, Refusal, Time};
use std::fmt;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// A hundred years: no default retention is longer.
const DAYS_MAX: u32 = 36_500;

/// Who may shorten a retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionMode {
    /// Whoever holds the right to bypass it, and says so.
    Governance,
    /// Nobody.
    Compliance,
}

impl RetentionMode {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            RetentionMode::Governance => "governance",
            RetentionMode::Compliance => "compliance",
        }
    }

    /// The mode of this word in the database.
    pub fn parse(word: &str) -> Option<Self> {
        [RetentionMode::Governance, RetentionMode::Compliance].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// A version is kept until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Who may shorten it.
    pub mode: RetentionMode,
    /// When it ends.
    pub until: Time,
}

impl Retention {
    /// The guard that it is.
    pub fn guard(self) -> Guard {
        Guard { from: None, until: Some(self.until), hold: false }
    }

    /// The same until the end of its last second: shown to the second, it is not longer than what is shown.
    #[must_use]
    pub fn to_the_second(self) -> Self {
        let second = 1_000_000;
        let up =
            self.until.micros().checked_add(second - 1).map_or(i64::MAX, |up| up - up.rem_euclid(second));
        Retention { until: Time::from_micros(up), ..self }
    }

    /// Whether it still binds.
    pub fn is_active(self, now: Time) -> bool {
        now < self.until
    }
}

/// Whether `new` may stand in the place of `old` at `now`. What has lapsed binds nothing. COMPLIANCE is never shortened and
/// never becomes anything else; GOVERNANCE is shortened, dropped or turned into COMPLIANCE by whoever may bypass it, and has
/// said so (`bypass`). Either is prolonged by anybody who may set retentions at all.
///
/// # Errors
/// [`Refusal::Guarded`], with the end of what binds.
pub fn permits(
    old: Option<Retention>,
    new: Option<Retention>,
    bypass: bool,
    now: Time,
) -> Result<(), Refusal> {
    let Some(old) = old.filter(|old| old.is_active(now)) else { return Ok(()) };
    let prolongs = new.is_some_and(|new| new.mode == old.mode && old.until <= new.until);
    let may = match old.mode {
        RetentionMode::Governance => prolongs || bypass,
        RetentionMode::Compliance => prolongs,
    };
    if may { Ok(()) } else { Err(Refusal::guarded(old.guard())) }
}

/// How long new versions are kept, in the words in which it was set: both count from the moment a version is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Days of 24 hours.
    Days(u32),
    /// Years of 365 days.
    Years(u32),
}

impl Period {
    fn days(self) -> Option<u32> {
        let days = match self {
            Period::Days(days) => Some(days),
            Period::Years(years) => years.checked_mul(365),
        };
        days.filter(|days| (1..=DAYS_MAX).contains(days))
    }
}

/// The retention that a bucket gives to new versions that come without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultRetention {
    mode: RetentionMode,
    period: Period,
}

impl DefaultRetention {
    /// One of this length; `None` for no time at all, and for more than a hundred years.
    pub fn new(mode: RetentionMode, period: Period) -> Option<Self> {
        period.days().map(|_| DefaultRetention { mode, period })
    }

    /// Who may shorten it.
    pub fn mode(self) -> RetentionMode {
        self.mode
    }

    /// How long, as it was set.
    pub fn period(self) -> Period {
        self.period
    }

    /// The retention of a version that is made at this moment.
    pub fn of(self, created: Time) -> Retention {
        let days = self.period.days().unwrap_or(DAYS_MAX);
        Retention { mode: self.mode, until: created.plus(DAY * days) }.to_the_second()
    }

    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mode = RetentionMode::parse(words.next()?)?;
        let number: u32 = words.next()?.parse().ok()?;
        let period = match words.next()? {
            "days" => Period::Days(number),
            "years" => Period::Years(number),
            _ => return None,
        };
        DefaultRetention::new(mode, period).filter(|_| words.next().is_none())
    }
}

impl fmt::Display for DefaultRetention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = self.mode.as_str();
        match self.period {
            Period::Days(days) => write!(f, "{mode} {days} days"),
            Period::Years(years) => write!(f, "{mode} {years} years"),
        }
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} until {}", self.mode.as_str(), self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::RetentionMode::{Compliance, Governance};
    use super::*;

    fn until(mode: RetentionMode, secs: i64) -> Option<Retention> {
        Some(Retention { mode, until: Time::from_secs(secs) })
    }

    /// Old, new, whether anybody may, whether who bypasses may; it is 10 o'clock.
    #[test]
    fn who_may_change_a_retention_into_which() {
        for (old, new, anybody, bypass) in [
            (None, None, true, true),
            (None, until(Governance, 20), true, true),
            (None, until(Compliance, 20), true, true),
            // GOVERNANCE: longer for everybody, anything else for the few.
            (until(Governance, 20), until(Governance, 20), true, true),
            (until(Governance, 20), until(Governance, 21), true, true),
            (until(Governance, 20), until(Governance, 19), false, true),
            (until(Governance, 20), until(Compliance, 21), false, true),
            (until(Governance, 20), until(Compliance, 19), false, true),
            (until(Governance, 20), None, false, true),
            // COMPLIANCE: longer, and nothing else for anybody.
            (until(Compliance, 20), until(Compliance, 20), true, true),
            (until(Compliance, 20), until(Compliance, 21), true, true),
            (until(Compliance, 20), until(Compliance, 19), false, false),
            (until(Compliance, 20), until(Governance, 21), false, false),
            (until(Compliance, 20), None, false, false),
            // What has lapsed, at its end too.
            (until(Compliance, 10), None, true, true),
            (until(Compliance, 10), until(Governance, 11), true, true),
            (until(Governance, 9), until(Compliance, 11), true, true),
            (until(Compliance, 11), None, false, false),
        ] {
            let now = Time::from_secs(10);
            let refused = || Refusal::guarded(old.map_or(Guard::NONE, Retention::guard));
            for (bypasses, may) in [(false, anybody), (true, bypass)] {
                let expected = if may { Ok(()) } else { Err(refused()) };
                assert_eq!(permits(old, new, bypasses, now), expected, "{old:?} -> {new:?}, {bypasses}");
            }
        }
    }

    #[test]
    fn a_default_counts_from_the_versions_making_and_is_written_and_read() {
        let made = Time::from_secs(1_000);
        for (period, days) in [(Period::Days(1), 1), (Period::Days(30), 30), (Period::Years(2), 730)] {
            let default = DefaultRetention::new(Governance, period).unwrap();
            assert_eq!(default.of(made).until, made.plus(DAY * days));
            assert_eq!(DefaultRetention::parse(&default.to_string()), Some(default));
        }
        for none in [Period::Days(0), Period::Years(0), Period::Days(36_501), Period::Years(101)] {
            assert_eq!(DefaultRetention::new(Compliance, none), None);
        }
        for bad in
            ["", "none", "governance", "governance 1", "governance 0 days", "x 1 days", "governance 1 days "]
        {
            assert_eq!(DefaultRetention::parse(bad), None, "{bad}");
        }
    }
}
