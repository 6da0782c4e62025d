//! Points in time, as Barrow stores and compares them: whole microseconds since the Unix epoch.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// A point in time in microseconds since 1970-01-01T00:00:00Z. Every time column of the database holds one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(i64);

impl Time {
    /// Later than every deadline: "until somebody decides otherwise".
    pub const NEVER: Time = Time(i64::MAX);

    /// The point `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Time(micros)
    }

    /// The point `secs` seconds after the Unix epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Time(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This point moved `by` later; stops at [`Time::NEVER`] instead of wrapping.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Time(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This point moved `by` earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Time(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC with milliseconds, as in JSON answers: `2026-03-03T09:00:00.123Z`.
    pub fn to_rfc3339(self) -> String {
        match self.to_chrono() {
            Some(at) => at.to_rfc3339_opts(SecondsFormat::Millis, true),
            None => "never".to_owned(),
        }
    }

    /// Reads what [`Time::to_rfc3339`] writes, and any other form of RFC 3339.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| Time(at.timestamp_micros()))
    }

    /// IMF-fixdate (RFC 9110 section 5.6.7), as in `Last-Modified`.
    pub fn to_http_date(self) -> String {
        match self.to_chrono() {
            Some(at) => at.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            None => "never".to_owned(),
        }
    }

    /// Reads any of the three date forms that RFC 9110 section 5.6.7 requires a recipient to accept.
    pub fn parse_http_date(text: &str) -> Option<Self> {
        const FORMS: [&str; 3] =
            ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
        let text = text.trim();
        FORMS
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .map(|at| Time(at.and_utc().timestamp_micros()))
    }

    fn to_chrono(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_read_in_all_three_forms_and_written_in_one() {
        let at = Time::from_secs(784_111_777);
        for text in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(Time::parse_http_date(text), Some(at), "{text}");
        }
        assert_eq!(at.to_http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(Time::parse_http_date("yesterday"), None);
    }

    #[test]
    fn what_is_written_as_rfc_3339_is_read_back() {
        let at = Time::from_micros(1_772_528_400_123_000);
        assert_eq!(Time::parse_rfc3339(&at.to_rfc3339()), Some(at));
        assert_eq!(Time::parse_rfc3339("2026-03-03T10:00:00.123+01:00"), Some(at));
        assert_eq!(Time::parse_rfc3339("never"), None);
    }

    #[test]
    fn deadlines_never_wrap() {
        assert_eq!(Time::NEVER.plus(Duration::from_secs(1)), Time::NEVER);
        assert_eq!(Time::from_secs(5).since(Time::from_secs(9)), Duration::ZERO);
    }
}
