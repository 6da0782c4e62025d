//! What a purge in bulk means: which names, and which of their versions.

use lifecycle::revision::Revision;
use lifecycle::{BadFilter, Filter, NameRange, Time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The names whose versions are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PurgeNames {
    /// Those that a filter means.
    Filter(Filter),
    /// Those that begin so.
    Prefix(String),
    /// These.
    Listed(BTreeSet<String>),
    /// Of these, the versions with these revisions and no others.
    Revisions(BTreeMap<String, BTreeSet<Revision>>),
}

/// What is meant of them; without a bound, all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurgeBound {
    /// What arrived before this position, which stays itself.
    BeforeSeq(i64),
    /// All but so many, the newest of all names together.
    Keep(u64),
    /// All but so many of each name, the newest.
    KeepPerName(u64),
    /// What was written so long before the purge is accepted.
    OlderThan(Duration),
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgeSelector {
    /// Which names.
    pub names: PurgeNames,
    /// Which of their versions.
    pub bound: Option<PurgeBound>,
}

/// The same from the moment of acceptance on: no answer to it depends on when it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) names: PurgeNames,
    pub(super) bound: Option<Bound>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    BeforeSeq(i64),
    Keep(u64),
    KeepPerName(u64),
    OlderThan(Time),
}

/// How its names are walked.
pub(super) enum Walk {
    /// All names of a range.
    Range(NameRange),
    /// These, the last first.
    Listed(Vec<String>),
}

impl PurgeSelector {
    /// Every version there is.
    pub fn everything() -> Self {
        PurgeSelector { names: PurgeNames::Filter(Filter::everything()), bound: None }
    }

    /// Whether every name is meant.
    pub fn means_every_name(&self) -> bool {
        means_every_name(&self.names)
    }

    /// As it is from `now` on.
    pub(super) fn at(&self, now: Time) -> Selector {
        let bound = self.bound.map(|bound| match bound {
            PurgeBound::BeforeSeq(seq) => Bound::BeforeSeq(seq),
            PurgeBound::Keep(keep) => Bound::Keep(keep),
            PurgeBound::KeepPerName(keep) => Bound::KeepPerName(keep),
            // To the millisecond, which is as exactly as it is written down.
            PurgeBound::OlderThan(age) => {
                let at = now.minus(age).micros();
                Bound::OlderThan(Time::from_micros(at - at.rem_euclid(1_000)))
            }
        });
        Selector { names: self.names.clone(), bound }
    }

    /// As it was asked: what tells a purge that is asked for again from another one.
    pub(super) fn asked(&self) -> String {
        let age = match self.bound {
            Some(PurgeBound::OlderThan(age)) => Some(age.as_micros()),
            _ => None,
        };
        let rest = match self.bound {
            Some(PurgeBound::OlderThan(_)) | None => None,
            Some(_) => self.at(Time::from_secs(0)).bound,
        };
        let written = Written::of(&Selector { names: self.names.clone(), bound: rest });
        format!("{}{}", written.text(), age.map_or(String::new(), |age| format!(" older than {age} µs")))
    }
}

fn means_every_name(names: &PurgeNames) -> bool {
    match names {
        PurgeNames::Filter(filter) => filter.is_everything(),
        PurgeNames::Prefix(prefix) => prefix.is_empty(),
        PurgeNames::Listed(_) | PurgeNames::Revisions(_) => false,
    }
}

impl Selector {
    pub(super) fn means_every_name(&self) -> bool {
        means_every_name(&self.names)
    }

    /// Whether single versions are named, whatever older ones there are below them. Otherwise whatever is older than what is
    /// meant is meant too, so far as clocks went forward.
    pub(super) fn is_exact(&self) -> bool {
        matches!(self.names, PurgeNames::Revisions(_))
    }

    pub(super) fn walk(&self) -> Walk {
        match &self.names {
            PurgeNames::Filter(filter) => Walk::Range(filter.range()),
            PurgeNames::Prefix(prefix) => Walk::Range(NameRange::prefixed(prefix)),
            PurgeNames::Listed(names) => Walk::Listed(names.iter().rev().cloned().collect()),
            PurgeNames::Revisions(names) => Walk::Listed(names.keys().rev().cloned().collect()),
        }
    }

    /// Whether a name is meant.
    pub(super) fn means(&self, name: &str) -> bool {
        match &self.names {
            PurgeNames::Filter(filter) => filter.matches(name),
            PurgeNames::Prefix(prefix) => name.starts_with(prefix.as_str()),
            PurgeNames::Listed(names) => names.contains(name),
            PurgeNames::Revisions(names) => names.contains_key(name),
        }
    }

    /// As the ledger and the jobs keep it.
    pub(super) fn text(&self) -> String {
        Written::of(self).text()
    }

    /// Reads it back.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let written: Written = serde_json::from_str(text).map_err(|error| error.to_string())?;
        written.read()
    }
}

/// Whether a selector, as the ledger keeps it, surely meant a version that stood at `seq` and was written at `at`. Doubt counts
/// as no: how many were to be kept was counted among what was there then.
pub(crate) fn surely_meant(text: &str, (name, revision): (&str, Revision), seq: i64, at: Time) -> bool {
    let Ok(selector) = Selector::read(text) else { return false };
    let named = match &selector.names {
        PurgeNames::Revisions(names) => names.get(name).is_some_and(|meant| meant.contains(&revision)),
        PurgeNames::Filter(_) | PurgeNames::Prefix(_) | PurgeNames::Listed(_) => selector.means(name),
    };
    named
        && match selector.bound {
            None => true,
            Some(Bound::BeforeSeq(before)) => seq < before,
            Some(Bound::OlderThan(then)) => at < then,
            Some(Bound::Keep(_) | Bound::KeepPerName(_)) => false,
        }
}

/// The form in which followers read it, too.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<Names>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before_seq: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_per_name: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    older_than_at: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Names {
    Listed(BTreeSet<String>),
    Revisions(BTreeMap<String, Vec<String>>),
}

impl Written {
    fn of(selector: &Selector) -> Self {
        let mut written = Written::default();
        match &selector.names {
            PurgeNames::Filter(filter) => written.filter = Some(filter.to_string()),
            PurgeNames::Prefix(prefix) => written.prefix = Some(prefix.clone()),
            PurgeNames::Listed(names) => written.names = Some(Names::Listed(names.clone())),
            PurgeNames::Revisions(names) => {
                let revs = |revs: &BTreeSet<Revision>| revs.iter().map(Revision::to_string).collect();
                let names = names.iter().map(|(name, wanted)| (name.clone(), revs(wanted))).collect();
                written.names = Some(Names::Revisions(names));
            }
        }
        match selector.bound {
            None => {}
            Some(Bound::BeforeSeq(seq)) => written.before_seq = Some(seq),
            Some(Bound::Keep(keep)) => written.keep = Some(keep),
            Some(Bound::KeepPerName(keep)) => written.keep_per_name = Some(keep),
            Some(Bound::OlderThan(at)) => written.older_than_at = Some(at.to_rfc3339()),
        }
        written
    }

    fn text(&self) -> String {
        // Strings, numbers and lists of them: nothing that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn read(self) -> Result<Selector, String> {
        let names = match (self.filter, self.prefix, self.names) {
            (Some(filter), None, None) => {
                PurgeNames::Filter(Filter::parse(&filter).map_err(|bad: BadFilter| bad.to_string())?)
            }
            (None, Some(prefix), None) => PurgeNames::Prefix(prefix),
            (None, None, Some(Names::Listed(names))) => PurgeNames::Listed(names),
            (None, None, Some(Names::Revisions(names))) => {
                let read = |revs: Vec<String>| -> Option<BTreeSet<Revision>> {
                    revs.iter().map(|rev| Revision::parse(rev)).collect()
                };
                let names = names.into_iter().map(|(name, revs)| Some((name, read(revs)?)));
                let names = names.collect::<Option<_>>().ok_or("a revision is none")?;
                PurgeNames::Revisions(names)
            }
            _ => return Err("it names no names, or in two ways".to_owned()),
        };
        let older_than = match self.older_than_at {
            None => None,
            Some(text) => Some(Time::parse_rfc3339(&text).ok_or("a moment is none")?),
        };
        let bounds = [
            self.before_seq.map(Bound::BeforeSeq),
            self.keep.map(Bound::Keep),
            self.keep_per_name.map(Bound::KeepPerName),
            older_than.map(Bound::OlderThan),
        ];
        let mut bounds = bounds.into_iter().flatten();
        match (bounds.next(), bounds.next()) {
            (bound, None) => Ok(Selector { names, bound }),
            (_, Some(_)) => Err("it has two bounds".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_as_it_was() {
        let revision = Revision { generation: 3, hash: [12; 16] };
        let names = [
            PurgeNames::Filter(Filter::parse("kv/*/>").unwrap()),
            PurgeNames::Prefix("kv/2".to_owned()),
            PurgeNames::Listed(BTreeSet::from(["a".to_owned(), "b/c".to_owned()])),
            PurgeNames::Revisions(BTreeMap::from([("a".to_owned(), BTreeSet::from([revision]))])),
        ];
        let bounds = [
            None,
            Some(PurgeBound::BeforeSeq(7)),
            Some(PurgeBound::Keep(2)),
            Some(PurgeBound::KeepPerName(3)),
            Some(PurgeBound::OlderThan(Duration::from_secs(60))),
        ];
        let mut asked = BTreeSet::new();
        for names in names {
            for bound in bounds {
                let selector = PurgeSelector { names: names.clone(), bound };
                let from_now = selector.at(Time::from_micros(1_777_777_777_777_777));
                assert_eq!(Selector::read(&from_now.text()), Ok(from_now));
                assert!(asked.insert(selector.asked()), "{selector:?}");
            }
        }
    }

    #[test]
    fn what_was_surely_meant_is_told_long_after() {
        let revision = |letter| Revision { generation: 3, hash: [letter; 16] };
        let meant = |text: &str, name: &str, seq| {
            surely_meant(text, (name, revision(12)), seq, Time::from_secs(1_000))
        };
        let listed = format!(r#"{{"names":{{"a":["{}"]}}}}"#, revision(12));
        let other = format!(r#"{{"names":{{"a":["{}"]}}}}"#, revision(13));
        for (text, name, wanted) in [
            (r#"{"filter":">"}"#, "a", true),
            (r#"{"filter":"kv/*"}"#, "kv/a", true),
            (r#"{"filter":"kv/*"}"#, "a", false),
            (r#"{"prefix":"a","before_seq":6}"#, "ab", true),
            (r#"{"prefix":"a","before_seq":5}"#, "ab", false),
            (r#"{"filter":">","keep":1}"#, "a", false),
            (r#"{"filter":">","older_than_at":"1970-01-01T00:20:00Z"}"#, "a", true),
            (r#"{"filter":">","older_than_at":"1970-01-01T00:10:00Z"}"#, "a", false),
            (&listed, "a", true),
            (&other, "a", false),
            ("nonsense", "a", false),
        ] {
            assert_eq!(meant(text, name, 5), wanted, "{text} {name}");
        }
    }

    #[test]
    fn what_means_two_things_is_not_read() {
        for text in [
            "{}",
            r#"{"filter":"a","prefix":"b"}"#,
            r#"{"filter":">","keep":1,"before_seq":2}"#,
            r#"{"filter":"a*"}"#,
            r#"{"filter":"a","subject":"b"}"#,
            r#"{"names":{"a":["3"]}}"#,
        ] {
            assert!(Selector::read(text).is_err(), "{text}");
        }
    }
}
