//! Everything given, everything asked for, everything wrong. What was given and never asked for is unknown.

use super::problem::{Problem, Problems, Source};
use super::section::Section;
use super::show::{quoted, redacted};
use std::collections::BTreeSet;

/// A value as it was written, before anybody knows what it should be.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub(super) text: String,
    /// Its TOML type; `None` where everything is text, as in the environment.
    kind: Option<Kind>,
}

/// What a setting looks like in TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Boolean,
    /// Nothing that any setting takes.
    Other,
}

impl Raw {
    pub(super) fn of_text(text: &str) -> Self {
        Raw { text: text.to_owned(), kind: None }
    }

    pub(super) fn of_toml(value: &toml::Value) -> Self {
        let (text, kind) = match value {
            toml::Value::String(text) => (text.clone(), Kind::Text),
            toml::Value::Integer(number) => (number.to_string(), Kind::Integer),
            toml::Value::Boolean(truth) => (truth.to_string(), Kind::Boolean),
            toml::Value::Float(number) => (number.to_string(), Kind::Other),
            toml::Value::Datetime(at) => (at.to_string(), Kind::Other),
            // Its content is repeated to nobody: there may be a secret inside.
            toml::Value::Array(_) => ("[...]".to_owned(), Kind::Other),
            toml::Value::Table(_) => ("{...}".to_owned(), Kind::Other),
        };
        Raw { text, kind: Some(kind) }
    }

    pub(super) fn fits(&self, wanted: Kind) -> bool {
        self.kind.is_none_or(|kind| kind == wanted)
    }

    /// As it is repeated to the person who wrote it.
    pub(super) fn shown(&self) -> String {
        match self.kind {
            Some(Kind::Integer | Kind::Boolean | Kind::Other) => self.text.clone(),
            Some(Kind::Text) | None => quoted(&redacted(&self.text)),
        }
    }
}

/// One value, given in one place.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) key: String,
    pub(super) value: Raw,
    pub(super) source: Source,
}

impl Given {
    /// The strongest place first.
    fn precedence(&self) -> u8 {
        match self.source {
            Source::CommandLine => 0,
            Source::Environment(_) => 1,
            Source::File(_) => 2,
            Source::Default => 3,
        }
    }
}

/// A setting's effective value and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// `section.name`.
    pub(super) key: String,
    /// What is in effect.
    pub(super) value: Effective,
    /// Where it came from.
    pub(super) source: Source,
}

/// What a setting is, as far as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effective {
    /// This, in TOML's notation.
    Value(String),
    /// Set, and nobody's business.
    Secret,
    /// Not set, and without a default.
    Unset,
}

/// Collects values, hands them out to the sections and keeps account of what is wrong.
#[derive(Default, Debug)]
pub(super) struct Reader {
    given: Vec<Given>,
    empty_sections: Vec<(String, Source)>,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn give(&mut self, key: String, value: Raw, source: Source) {
        self.given.push(Given { key, value, source });
    }

    pub(super) fn empty_section(&mut self, section: String, source: Source) {
        self.empty_sections.push((section, source));
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn entry(&mut self, key: String, value: Effective, source: Source) {
        self.entries.push(Entry { key, value, source });
    }

    pub(super) fn section(&mut self, name: impl Into<String>) -> Section<'_> {
        Section::new(self, name.into())
    }

    /// What stands next in the keys that begin with `prefix`, in order: names that the operator has chosen.
    pub(super) fn below(&self, prefix: &str) -> BTreeSet<String> {
        let keys = self.given.iter().filter_map(|given| given.key.strip_prefix(prefix));
        keys.filter_map(|rest| rest.rsplit_once('.')).map(|(name, _)| name.to_owned()).collect()
    }

    /// Two good values that contradict each other. Says nothing if one of them was bad in itself: its default has
    /// taken its place, and what follows from that would only confuse.
    pub(super) fn clash(&mut self, keys: &[&str], what: String) {
        let bad = |asked: &&str| {
            self.problems.iter().any(|problem| match problem {
                Problem::BadValue { key, .. }
                | Problem::Twice { key, .. }
                | Problem::EnvironmentOnly { key, .. } => key == asked,
                Problem::File { .. } | Problem::Unknown { .. } | Problem::Clash { .. } => false,
            })
        };
        if !keys.iter().any(bad) {
            self.problem(Problem::Clash { keys: keys.iter().map(|&key| key.to_owned()).collect(), what });
        }
    }

    /// Takes all that was given for `key` under its own name or its alias, the strongest place first. Two values in
    /// one place are a problem: which of them was meant is not ours to guess.
    pub(super) fn take(&mut self, key: &str, alias: Option<&str>) -> Vec<Given> {
        let asked = |given: &mut Given| {
            given.key == key || alias.is_some_and(|alias| given.key.eq_ignore_ascii_case(alias))
        };
        let mut taken: Vec<Given> = self.given.extract_if(.., asked).collect();
        taken.sort_by_key(Given::precedence);
        for pair in taken.windows(2) {
            if let [first, second] = pair
                && first.precedence() == second.precedence()
            {
                // Variables differ in their own names, not in the key read from them.
                let name = |given: &Given| match &given.source {
                    Source::Environment(variable) => variable.clone(),
                    _ => given.key.clone(),
                };
                self.problems.push(Problem::Twice {
                    key: key.to_owned(),
                    first: name(first),
                    second: name(second),
                    place: second.source.clone(),
                });
            }
        }
        taken
    }

    /// What was asked for, if nothing is wrong.
    pub(super) fn finish(mut self) -> Result<Vec<Entry>, Problems> {
        for Given { key, source, .. } in std::mem::take(&mut self.given) {
            let nearest = self.nearest(&key);
            self.problem(Problem::Unknown { key, place: source, nearest });
        }
        for (section, source) in std::mem::take(&mut self.empty_sections) {
            if !self.entries.iter().any(|entry| entry.key.split('.').next() == Some(&section)) {
                let nearest = self.nearest(&section);
                self.problem(Problem::Unknown { key: section, place: source, nearest });
            }
        }
        match Problems::new(self.problems) {
            Some(problems) => Err(problems),
            None => Ok(self.entries),
        }
    }

    /// The known setting most like `key`; the right name in the wrong section counts as near.
    fn nearest(&self, key: &str) -> String {
        const WRONG_SECTION: usize = 2;
        fn name(key: &str) -> &str {
            key.rsplit('.').next().unwrap_or(key)
        }
        let distance = |known: &str| {
            let by_name = strsim::levenshtein(name(known), name(key)) + WRONG_SECTION;
            by_name.min(strsim::levenshtein(known, key))
        };
        let nearest = self.entries.iter().min_by_key(|entry| distance(&entry.key));
        nearest.map(|entry| entry.key.clone()).unwrap_or_default()
    }
}
