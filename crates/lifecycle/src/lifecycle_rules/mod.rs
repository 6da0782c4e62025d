//! Lifecycle rules: what a bucket lets go by itself, by name and age (SCSP section 4.4).
//!
//! ```text
//! Policy-Lifecycle: RuleId:"old%20logs" NamePrefix:"logs/" ExpirationDays:30 ObsoleteExpirationDays:7
//! ```
//!
//! They hold for named objects only: unnamed and alias objects are in no bucket. Whether they hold at all, the cluster
//! and the domain say ([`in_force`]).
//!
//! S3 says the same in XML ([`Configuration`]), with more to choose by and its own way of counting days. What a bucket is told
//! by either door is kept apart, as it was said, and each door changes and shows its own; in force are the rules of both, one
//! after the other, and of those that fit a version the earliest counts, whoever said it.

mod check;
mod configuration;
mod due;
#[cfg(test)]
mod fuzz;
mod parse;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_s3;

use crate::names::BARE;
use crate::{BadPolicy, Time};
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

pub use check::{BadConfiguration, Fault, RULES_MAX};
pub use configuration::{
    Abort, And, Configuration, Expiration, Filter as RuleFilter, Noncurrent, Rule as ConfiguredRule, Tag,
};
pub use due::{Subject, aborts, expires, expires_lone_marker, expires_noncurrent, expires_old_marker};
pub use parse::parse;

/// The header that a bucket's rules stand in, and a domain's word on whether they hold.
pub const POLICY_LIFECYCLE: &str = "Policy-Lifecycle";

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// When something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum After {
    /// So many days after it was created, or superseded.
    Days(u32),
    /// At this moment, if it was created, or superseded, before it.
    Date(Time),
    /// At the first midnight UTC that follows so many days later: as S3 counts days.
    Midnights(u32),
    /// At this moment; what was created, or superseded, later goes at the midnight UTC that follows. So S3 reads a date.
    From(Time),
}

impl After {
    /// When that is, for what began at `since`; `None`: never.
    pub(super) fn of(self, since: Time) -> Option<Time> {
        let at = match self {
            After::Days(days) => since.plus(DAY.saturating_mul(days)),
            // What is written after the date was not meant, or every write would be gone at once from then on.
            After::Date(at) if since < at => at,
            After::Date(_) => return None,
            After::Midnights(days) => next_midnight(since.plus(DAY.saturating_mul(days))),
            // S3 means it all the same, and says so: the rule goes on holding after its date.
            After::From(at) if since < at => at,
            After::From(_) => next_midnight(since),
        };
        (at < Time::NEVER).then_some(at)
    }
}

/// The first midnight UTC after `at`.
fn next_midnight(at: Time) -> Time {
    let day = i64::try_from(DAY.as_micros()).unwrap_or(i64::MAX);
    Time::from_micros(at.micros().div_euclid(day).saturating_add(1).saturating_mul(day))
}

/// One rule of a bucket. A field that is not known makes the rule unreadable, and no rule of the bucket is applied then: half a
/// rule deletes the wrong things.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpiryRule {
    /// Its name among the bucket's rules.
    pub id: String,
    /// Whether it holds at present.
    pub enabled: bool,
    /// What the names begin with that it is about; empty: all of them.
    pub prefix: String,
    /// When current versions go.
    pub current: Option<After>,
    /// When versions go that are no longer current.
    pub noncurrent: Option<After>,
    /// It was written as S3 writes rules: delete markers are versions to it like any other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub s3: bool,
    /// Tags that a version must have, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// It is about versions of more bytes than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub larger_than: Option<u64>,
    /// It is about versions of fewer bytes than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smaller_than: Option<u64>,
    /// So many versions that are no longer current stay of each name, the newest, whatever their age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_newest: Option<u32>,
    /// A delete marker that is all that is left of its name goes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lone_markers: bool,
    /// So many days after its beginning an upload is given up that was not completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_uploads: Option<u32>,
}

impl ExpiryRule {
    /// Whether what it says of a version depends on the others of the same name.
    pub fn looks_around(&self) -> bool {
        self.enabled && self.s3 && (self.lone_markers || self.noncurrent.is_some() || self.current.is_some())
    }
}

/// Reads a domain's header: whether the rules of its buckets hold.
///
/// # Errors
/// [`BadPolicy`] for anything but `enabled` and `disabled`.
pub fn parse_domain(text: &str) -> Result<bool, BadPolicy> {
    let word = text.trim();
    if word.eq_ignore_ascii_case("enabled") {
        Ok(true)
    } else if word.eq_ignore_ascii_case("disabled") {
        Ok(false)
    } else {
        Err(BadPolicy::new(POLICY_LIFECYCLE, word, "on a domain, enabled or disabled is expected"))
    }
}

/// Whether the rules of a domain's buckets hold: the cluster allows them, and the domain does not say no.
pub fn in_force(cluster_allows: bool, domain: Option<bool>) -> bool {
    cluster_allows && domain.unwrap_or(true)
}

/// As a header's value, which [`parse`] reads back: for `Policy-Lifecycle` and `Policy-Lifecycle-Evaluated`.
impl fmt::Display for ExpiryRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RuleId:\"{}\" Enabled:{}", utf8_percent_encode(&self.id, BARE), self.enabled)?;
        if !self.prefix.is_empty() {
            write!(f, " NamePrefix:\"{}\"", utf8_percent_encode(&self.prefix, BARE))?;
        }
        for (of, after) in [("", self.current), ("Obsolete", self.noncurrent)] {
            match after {
                Some(After::Days(days)) => write!(f, " {of}ExpirationDays:{days}")?,
                Some(After::Date(at)) => write!(f, " {of}ExpirationDate:{}", at.to_rfc3339())?,
                Some(After::Midnights(days)) => write!(f, " {of}ExpirationMidnights:{days}")?,
                Some(After::From(at)) => write!(f, " {of}ExpirationFrom:{}", at.to_rfc3339())?,
                None => {}
            }
        }
        // What follows S3 alone can say. It is shown, so that nobody takes the rest for the whole, and not read.
        for (key, value) in &self.tags {
            write!(f, " Tag:\"{}={}\"", utf8_percent_encode(key, BARE), utf8_percent_encode(value, BARE))?;
        }
        for (name, value) in [
            ("SizeGreaterThan", self.larger_than),
            ("SizeLessThan", self.smaller_than),
            ("NewerObsoleteKept", self.keep_newest.map(u64::from)),
            ("AbortUploadsDays", self.abort_uploads.map(u64::from)),
        ] {
            if let Some(value) = value {
                write!(f, " {name}:{value}")?;
            }
        }
        if self.lone_markers {
            f.write_str(" LoneMarkers:true")?;
        }
        Ok(())
    }
}
