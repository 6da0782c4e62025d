//! The questions a section can ask: a number, a duration, a size, a word, a text, a secret.

use super::problem::{Problem, Source};
use super::reader::{Effective, Given, Kind, Raw, Reader};
use super::show::{quoted, redacted};
use super::size;
use super::sources::variable;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// A setting's name, and SCSP's spelling of it if there is one.
#[derive(Clone, Copy)]
pub(super) struct Name(&'static str, Option<&'static str>);

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Self {
        Name(name, None)
    }
}

impl From<(&'static str, &'static str)> for Name {
    fn from((name, alias): (&'static str, &'static str)) -> Self {
        Name(name, Some(alias))
    }
}

/// One section, being read. Every question also declares the setting: its name, its default and what is allowed.
pub(super) struct Section<'a> {
    reader: &'a mut Reader,
    name: String,
}

impl<'a> Section<'a> {
    pub(super) fn new(reader: &'a mut Reader, name: String) -> Self {
        Section { reader, name }
    }

    /// A number within bounds.
    pub(super) fn number<N>(&mut self, name: impl Into<Name>, default: N, bounds: RangeInclusive<N>) -> N
    where
        N: FromStr + Display + PartialOrd,
    {
        let allowed = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        // One notation for one number: `+5` and `005` are mistakes, not fives.
        let parse =
            |text: &str| text.parse::<N>().ok().filter(|n| bounds.contains(n) && n.to_string() == text);
        self.value(name.into(), Kind::Integer, &default.to_string(), &allowed, parse)
    }

    /// `true` or `false`.
    pub(super) fn truth(&mut self, name: impl Into<Name>, default: bool) -> bool {
        self.value(name.into(), Kind::Boolean, &default.to_string(), "true or false", |text| {
            text.parse().ok()
        })
    }

    /// A duration within bounds, as humantime writes it.
    pub(super) fn duration(
        &mut self,
        name: impl Into<Name>,
        default: &str,
        bounds: RangeInclusive<Duration>,
    ) -> Duration {
        let least = humantime::format_duration(*bounds.start());
        let most = humantime::format_duration(*bounds.end());
        let allowed =
            format!("a duration with its unit from \"{least}\" to \"{most}\", such as \"{default}\"");
        let parse = |text: &str| humantime::parse_duration(text).ok().filter(|time| bounds.contains(time));
        self.value(name.into(), Kind::Text, default, &allowed, parse)
    }

    /// A size in bytes within bounds.
    pub(super) fn size(&mut self, name: impl Into<Name>, default: &str, bounds: RangeInclusive<u64>) -> u64 {
        let (least, most) = (size::format(*bounds.start()), size::format(*bounds.end()));
        let allowed = format!("a size with its unit ({}) from \"{least}\" to \"{most}\"", size::UNIT_NAMES);
        let parse = |text: &str| size::parse(text).filter(|bytes| bounds.contains(bytes));
        self.value(name.into(), Kind::Text, default, &allowed, parse)
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        name: impl Into<Name>,
        default: &str,
        choices: &[(&'static str, T)],
    ) -> T {
        let words: Vec<String> = choices.iter().map(|(word, _)| quoted(word)).collect();
        let parse = |text: &str| choices.iter().find(|(word, _)| *word == text).map(|&(_, meaning)| meaning);
        self.value(name.into(), Kind::Text, default, &words.join(" or "), parse)
    }

    /// Text that `parse` understands; `default` is such a text.
    pub(super) fn text<T>(
        &mut self,
        name: impl Into<Name>,
        default: &str,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        self.value(name.into(), Kind::Text, default, allowed, parse)
    }

    /// Text that need not be set.
    pub(super) fn optional<T>(
        &mut self,
        name: impl Into<Name>,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (key, given) = self.take(name.into());
        let found = self.strongest(&key, given, Kind::Text, allowed, parse);
        let (value, shown, source) = match found {
            Some((value, raw, source)) => {
                (Some(value), Effective::Value(quoted(&redacted(&raw.text))), source)
            }
            None => (None, Effective::Unset, Source::Default),
        };
        self.reader.entry(key, shown, source);
        value
    }

    /// Text that need not be set, is taken from the environment alone (a file is read by too many, a command line by
    /// all) and is never shown, not even when it is bad.
    pub(super) fn secret<T>(
        &mut self,
        name: impl Into<Name>,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (key, given) = self.take(name.into());
        let mut value = None;
        let mut source = Source::Default;
        for Given { value: raw, source: place, .. } in given {
            if !matches!(place, Source::Environment(_)) {
                let variable = variable(&key);
                self.reader.problem(Problem::EnvironmentOnly { key: key.clone(), place, variable });
                continue;
            }
            match parse(&raw.text) {
                Some(good) => (value, source) = (Some(good), place),
                None => self.reader.problem(Problem::BadValue {
                    key: key.clone(),
                    value: "(hidden)".to_owned(),
                    place,
                    allowed: allowed.to_owned(),
                }),
            }
        }
        self.reader.entry(key, if value.is_some() { Effective::Secret } else { Effective::Unset }, source);
        value
    }

    /// A finding about several settings of this section that contradict one another.
    pub(super) fn clash(&mut self, keys: &[&str], what: String) {
        self.reader.clash(keys, what);
    }

    fn take(&mut self, Name(name, alias): Name) -> (String, Vec<Given>) {
        let key = format!("{}.{name}", self.name);
        let alias = alias.map(|alias| format!("{}.{alias}", self.name));
        let given = self.reader.take(&key, alias.as_deref());
        (key, given)
    }

    fn value<T>(
        &mut self,
        name: Name,
        kind: Kind,
        default: &str,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        let (key, given) = self.take(name);
        let (value, raw, source) = self.strongest(&key, given, kind, allowed, &parse).unwrap_or_else(|| {
            let value = parse(default).expect("every default is a good value; a test reads them all");
            (value, Raw::of_text(default), Source::Default)
        });
        let shown = if kind == Kind::Text { quoted(&redacted(&raw.text)) } else { raw.text };
        self.reader.entry(key, Effective::Value(shown), source);
        value
    }

    /// The strongest good value. Each bad one is a problem, wherever it stands.
    fn strongest<T>(
        &mut self,
        key: &str,
        given: Vec<Given>,
        kind: Kind,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<(T, Raw, Source)> {
        let mut strongest = None;
        for Given { value: raw, source, .. } in given {
            let value = if raw.fits(kind) { parse(&raw.text) } else { None };
            match value {
                Some(value) if strongest.is_none() => strongest = Some((value, raw, source)),
                Some(_) => {}
                None => self.reader.problem(Problem::BadValue {
                    key: key.to_owned(),
                    value: raw.shown(),
                    place: source,
                    allowed: allowed.to_owned(),
                }),
            }
        }
        strongest
    }
}
