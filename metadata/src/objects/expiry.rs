//! When a version goes by itself: by its own lifepoint, or by a rule of its bucket, whichever is earlier.

use super::decide::{BucketFacts, VersionFacts};
use lifecycle::lifecycle_rules::{
    Subject, expires, expires_lone_marker, expires_noncurrent, expires_old_marker,
};
use lifecycle::{ExpiryRule, Guard, Kind, Lifepoints, Time, Versioning};

/// When a version goes by itself, and by what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) at: Option<Time>,
    /// The rule; `None`: its lifepoint.
    pub(crate) rule: Option<String>,
}

/// Where a version stands among the others of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the current one.
    Current,
    /// It stopped being that at `since`, or of a marker: something newer than it came.
    Older {
        since: Time,
        /// How many that are not current either are newer; `None`: nobody has looked, and rules that keep some keep this one.
        newer: Option<u32>,
    },
    /// A marker that hides others.
    Hiding,
    /// A marker, and nothing else is left of the name.
    Lone,
}

/// A version as rules look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aged<'a> {
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    pub(crate) marker: bool,
    pub(crate) size: u64,
    /// As they are stored.
    pub(crate) tags: Option<&'a str>,
    pub(crate) created_at: Time,
    pub(crate) standing: Standing,
    pub(crate) guard: Guard,
    /// Whether its bucket keeps older versions: then a rule only hides a current one.
    pub(crate) kept: bool,
}

impl Aged<'_> {
    /// When the rules let it go, and which of them. They are for named objects only.
    fn by_rules<'r>(&self, rules: &'r [ExpiryRule]) -> Option<(Time, &'r str)> {
        if self.kind != Kind::Named || rules.is_empty() {
            return None;
        }
        let subject = Subject::new(self.name, self.size, self.tags);
        match self.standing {
            Standing::Current => expires(rules, &subject, self.created_at),
            Standing::Older { since, newer } if self.marker => {
                expires_old_marker(rules, &subject, since, newer)
            }
            Standing::Older { since, newer } => expires_noncurrent(rules, &subject, since, newer),
            Standing::Lone => expires_lone_marker(rules, &subject, self.created_at),
            Standing::Hiding => None,
        }
    }
}

impl Expiry {
    /// By its lifepoint at `lifepoint`, or by the rules. Both wait for the end of a guard: what may not be deleted must not
    /// become unreadable either.
    pub(crate) fn of(rules: &[ExpiryRule], version: Aged<'_>, lifepoint: Option<Time>) -> Self {
        let only_hides = version.kept && version.standing == Standing::Current;
        let by_rule = version.by_rules(rules).and_then(|(at, rule)| {
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

    /// The rule that lets it go and when, unless it is the lifepoint.
    pub(crate) fn by_rule(&self) -> Option<(Time, String)> {
        Some((self.at?, self.rule.clone()?))
    }
}

impl BucketFacts {
    /// What the rules say of a version that stands there. `None`: no rule has ever had a say, and nothing changes.
    pub(crate) fn expiry_anew(&self, version: &VersionFacts, standing: Standing) -> Option<Expiry> {
        if self.rules.is_empty() && version.expiry_rule.is_none() {
            return None;
        }
        let aged = Aged {
            kind: version.kind,
            name: &version.name,
            marker: version.marker,
            size: version.size,
            tags: version.tags.as_deref(),
            created_at: version.created_at,
            standing,
            guard: version.guard,
            kept: self.versioning_of(version.kind) != Versioning::Disabled,
        };
        Some(Expiry::of(&self.rules, aged, lifepoint(&version.headers)))
    }

    /// Whether what the rules say of a version depends on the others of its name.
    pub(crate) fn looks_around(&self) -> bool {
        self.versioning != Versioning::Disabled && self.rules.iter().any(ExpiryRule::looks_around)
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
