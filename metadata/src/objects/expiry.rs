//! When a version goes by itself: by its own lifepoint, or by a rule of its bucket, whichever is earlier.

use super::decide::{BucketFacts, VersionFacts};
use lifecycle::lifecycle_rules::{expires, expires_noncurrent};
use lifecycle::{ExpiryRule, Kind, Lifepoints, Time};

/// When a version goes by itself, and by what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) at: Option<Time>,
    /// The rule; `None`: its lifepoint.
    pub(crate) rule: Option<String>,
}

impl Expiry {
    /// By its lifepoint at `lifepoint`, or by the rules, which are for named objects only.
    pub(crate) fn of(
        rules: &[ExpiryRule],
        (kind, name): (Kind, &str),
        lifepoint: Option<Time>,
        created_at: Time,
        superseded_at: Option<Time>,
    ) -> Self {
        let by_rule = match (kind, superseded_at) {
            (Kind::Unnamed | Kind::Alias, _) => None,
            (Kind::Named, None) => expires(rules, name, created_at),
            (Kind::Named, Some(at)) => expires_noncurrent(rules, name, at),
        };
        match (by_rule, lifepoint) {
            (Some((at, rule)), lifepoint) if lifepoint.is_none_or(|lifepoint| at < lifepoint) => {
                Expiry { at: Some(at), rule: Some(rule.to_owned()) }
            }
            (_, lifepoint) => Expiry { at: lifepoint, rule: None },
        }
    }
}

impl BucketFacts {
    /// What the rules say of a version that is covered (`superseded_at`) or shown again. `None`: there are no rules, and
    /// nothing changes.
    pub(crate) fn expiry_anew(&self, version: &VersionFacts, superseded_at: Option<Time>) -> Option<Expiry> {
        if self.rules.is_empty() {
            return None;
        }
        let lifepoint = lifepoint(&version.headers);
        let what = (version.kind, version.name.as_str());
        Some(Expiry::of(&self.rules, what, lifepoint, version.created_at, superseded_at))
    }
}

/// What the lifepoints among stored headers say. They were judged when they were written; here they are only read.
pub(crate) fn lifepoint(headers: &str) -> Option<Time> {
    if !headers.contains("\"lifepoint\"") {
        return None;
    }
    let pairs: Vec<(String, String)> = serde_json::from_str(headers).ok()?;
    let values = pairs.iter().filter(|(name, _)| name == "lifepoint").map(|(_, value)| value.as_str());
    Lifepoints::parse_leniently(values).0.expires_at()
}

/// Reads rules as they are stored; none for what cannot be read, because doubt means keep.
pub(crate) fn read_rules(text: Option<String>) -> Vec<ExpiryRule> {
    let Some(text) = text else { return Vec::new() };
    serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::error!(%error, text, "stored lifecycle rules cannot be read; none is applied");
        Vec::new()
    })
}
