//! Lifecycle rules: what a bucket lets go by itself, by name and age (SCSP section 4.4).
//!
//! ```text
//! Policy-Lifecycle: RuleId:"old%20logs" NamePrefix:"logs/" ExpirationDays:30 ObsoleteExpirationDays:7
//! ```
//!
//! They hold for named objects only: unnamed and alias objects are in no bucket. Whether they hold at all, the cluster
//! and the domain say ([`in_force`]).

#[cfg(test)]
mod fuzz;
mod parse;
#[cfg(test)]
mod tests;

use crate::names::BARE;
use crate::{BadPolicy, Time};
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

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
}

impl After {
    /// When that is, for what began at `since`; `None`: never.
    fn of(self, since: Time) -> Option<Time> {
        let at = match self {
            After::Days(days) => since.plus(DAY.saturating_mul(days)),
            // What is written after the date was not meant, or every write would be gone at once from then on.
            After::Date(at) if since < at => at,
            After::Date(_) => return None,
        };
        (at < Time::NEVER).then_some(at)
    }
}

/// One rule of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// When the current version of the named object `name` goes that was created at `created_at`, and by which rule: the
/// earliest counts, of equals the first. `None`: not by itself.
pub fn expires<'a>(rules: &'a [ExpiryRule], name: &str, created_at: Time) -> Option<(Time, &'a str)> {
    earliest(rules, name, |rule| rule.current?.of(created_at))
}

/// The same of a version of `name` that stopped being current at `superseded_at`.
pub fn expires_noncurrent<'a>(
    rules: &'a [ExpiryRule],
    name: &str,
    superseded_at: Time,
) -> Option<(Time, &'a str)> {
    earliest(rules, name, |rule| rule.noncurrent?.of(superseded_at))
}

fn earliest<'a>(
    rules: &'a [ExpiryRule],
    name: &str,
    at: impl Fn(&ExpiryRule) -> Option<Time>,
) -> Option<(Time, &'a str)> {
    rules
        .iter()
        .filter(|rule| rule.enabled && name.starts_with(&rule.prefix))
        .filter_map(|rule| Some((at(rule)?, rule.id.as_str())))
        .min_by_key(|(at, _)| *at)
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
                None => {}
            }
        }
        Ok(())
    }
}
