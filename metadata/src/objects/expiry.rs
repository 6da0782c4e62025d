//! When a version goes by itself: by its own lifepoint, or by a rule of its bucket, whichever is earlier.

use super::decide::{BucketFacts, VersionFacts};
use lifecycle::lifecycle_rules::{expires, expires_noncurrent};
use lifecycle::{ExpiryRule, Guard, Kind, Lifepoints, Time, Versioning};

/// When a version goes by itself, and by what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) at: Option<Time>,
    /// The rule; `None`: its lifepoint.
    pub(crate) rule: Option<String>,
}

/// A version as rules look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aged<'a> {
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    pub(crate) created_at: Time,
    /// Since when it is not current; `None`: it is.
    pub(crate) superseded_at: Option<Time>,
    pub(crate) guard: Guard,
    /// Whether its bucket keeps older versions: then a rule only hides a current one.
    pub(crate) kept: bool,
}

impl Expiry {
    /// By its lifepoint at `lifepoint`, or by the rules, which are for named objects only. Both wait for the end of a guard:
    /// what may not be deleted must not become unreadable either.
    pub(crate) fn of(rules: &[ExpiryRule], version: Aged<'_>, lifepoint: Option<Time>) -> Self {
        let by_rule = match (version.kind, version.superseded_at) {
            (Kind::Unnamed | Kind::Alias, _) => None,
            (Kind::Named, None) => expires(rules, version.name, version.created_at),
            (Kind::Named, Some(at)) => expires_noncurrent(rules, version.name, at),
        };
        let only_hides = version.kept && version.superseded_at.is_none();
        let by_rule = by_rule.and_then(|(at, rule)| {
            let at = if only_hides { Some(at) } else { version.guard.due_at(at) };
            Some((at?, rule))
        });
        let lifepoint = lifepoint.and_then(|at| version.guard.due_at(at));
        match (by_rule, lifepoint) {
            (Some((at, rule)), lifepoint) if lifepoint.is_none_or(|lifepoint| at < lifepoint) => {
                Expiry { at: Some(at), rule: Some(rule.to_owned()) }
            }
            (_, lifepoint) => Expiry { at: lifepoint, rule: None },
        }
    }
}

impl BucketFacts {
    /// What the rules say of a version that is covered (`superseded_at`) or current. `None`: no rule has ever had a say, and
    /// nothing changes.
    pub(crate) fn expiry_anew(&self, version: &VersionFacts, superseded_at: Option<Time>) -> Option<Expiry> {
        if self.rules.is_empty() && version.expiry_rule.is_none() {
            return None;
        }
        let aged = Aged {
            kind: version.kind,
            name: &version.name,
            created_at: version.created_at,
            superseded_at,
            guard: version.guard,
            kept: self.versioning_of(version.kind) != Versioning::Disabled,
        };
        Some(Expiry::of(&self.rules, aged, lifepoint(&version.headers)))
    }
}

/// When the lifepoints among stored headers say that it goes. They were judged when they were written; here they are only
/// read.
pub(crate) fn lifepoint(headers: &str) -> Option<Time> {
    lifepoints(headers)?.expires_at()
}

/// What the lifepoints among stored headers forbid.
pub(crate) fn lifepoint_guard(headers: &str) -> Guard {
    lifepoints(headers).map_or(Guard::NONE, |lifepoints| lifepoints.guard())
}

fn lifepoints(headers: &str) -> Option<Lifepoints> {
    if !headers.contains("\"lifepoint\"") {
        return None;
    }
    let pairs: Vec<(String, String)> = serde_json::from_str(headers).ok()?;
    let values = pairs.iter().filter(|(name, _)| name == "lifepoint").map(|(_, value)| value.as_str());
    Some(Lifepoints::parse_leniently(values).0)
}

/// Reads rules as they are stored; none for what cannot be read, because doubt means keep.
pub(crate) fn read_rules(text: Option<String>) -> Vec<ExpiryRule> {
    let Some(text) = text else { return Vec::new() };
    serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::error!(%error, text, "stored lifecycle rules cannot be read; none is applied");
        Vec::new()
    })
}
