//! Which names a purge means: a filter over the segments of a name, which `/` parts.
//!
//! | segment | stands for |
//! | --- | --- |
//! | `*` | exactly one segment, whatever it is |
//! | `>` | one segment or more; only as the last |
//! | anything else | itself |
//!
//! So `photos/*` means `photos/a` and neither `photos` nor `photos/a/b`, and `photos/>` means the latter two and not
//! `photos`. A segment that holds a `*`, a `>` or a `%` of its own is written `%2A`, `%3E` and `%25`: whatever else is written
//! is refused, because a filter that was misspelt would purge something else, or everything.

use std::fmt;

/// The longest filter, in bytes: every byte of the longest name may be escaped.
const FILTER_MAX: usize = 3 * crate::names::OBJECT_NAME_MAX;

/// Text that is no filter, or no subject, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFilter {
    /// What is wrong with it, as a sentence's end.
    pub reason: &'static str,
}

impl fmt::Display for BadFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a filter: {}", self.reason)
    }
}

impl std::error::Error for BadFilter {}

/// What one segment of a filter stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Itself.
    Literal(String),
    /// Any one segment.
    One,
    /// All the rest, which is one segment at least.
    Rest,
}

/// A filter over names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    segments: Vec<Segment>,
}

/// The names from one on and before another, in the order of their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRange {
    /// The first that may be in it.
    pub from: String,
    /// The first that is not in it any more; `None`: there is none.
    pub before: Option<String>,
}

impl NameRange {
    /// All names.
    pub const ALL: NameRange = NameRange { from: String::new(), before: None };

    /// The names that begin with `prefix`.
    pub fn prefixed(prefix: &str) -> Self {
        NameRange { from: prefix.to_owned(), before: behind_prefix(prefix) }
    }

    /// This name and no other.
    pub fn exactly(name: &str) -> Self {
        // No name holds the character NUL, so nothing lies between.
        NameRange { from: name.to_owned(), before: Some(format!("{name}\u{1}")) }
    }

    /// Whether a name lies in it.
    pub fn holds(&self, name: &str) -> bool {
        self.from.as_str() <= name && self.before.as_deref().is_none_or(|before| name < before)
    }

    /// Whether every name lies in it.
    pub fn is_all(&self) -> bool {
        self.from.is_empty() && self.before.is_none()
    }
}

impl Filter {
    /// The filter that means every name.
    pub fn everything() -> Self {
        Filter { segments: vec![Segment::Rest] }
    }

    /// Reads a filter as it is written for names.
    ///
    /// # Errors
    /// [`BadFilter`] with what is wrong.
    pub fn parse(text: &str) -> Result<Self, BadFilter> {
        check_text(text)?;
        Filter::of(text.split('/').map(|segment| match segment {
            "*" => Ok(Segment::One),
            ">" => Ok(Segment::Rest),
            _ => read_literal(segment).map(Segment::Literal),
        }))
    }

    /// Puts segments together, of which only the last may be the rest.
    pub(crate) fn of(segments: impl Iterator<Item = Result<Segment, BadFilter>>) -> Result<Self, BadFilter> {
        let segments = segments.collect::<Result<Vec<_>, _>>()?;
        let last = segments.len().saturating_sub(1);
        if segments.iter().enumerate().any(|(at, segment)| *segment == Segment::Rest && at != last) {
            return Err(BadFilter { reason: "'>' stands for all the rest, so it must be last" });
        }
        match segments.as_slice() {
            [] => Err(BadFilter { reason: "it is empty" }),
            [Segment::Literal(only)] if only.is_empty() => Err(BadFilter { reason: "it is empty" }),
            _ => Ok(Filter { segments }),
        }
    }

    /// Whether it means `name`.
    pub fn matches(&self, name: &str) -> bool {
        let mut rest = Some(name);
        for segment in &self.segments {
            let Some(text) = rest else { return false };
            let (first, behind) = match text.split_once('/') {
                Some((first, behind)) => (first, Some(behind)),
                None => (text, None),
            };
            match segment {
                Segment::Rest => return true,
                Segment::One => {}
                Segment::Literal(literal) if literal == first => {}
                Segment::Literal(_) => return false,
            }
            rest = behind;
        }
        rest.is_none()
    }

    /// Whether it means every name there is.
    pub fn is_everything(&self) -> bool {
        self.segments == [Segment::Rest]
    }

    /// The names among which all lie that it means: those that begin with its literal segments.
    pub fn range(&self) -> NameRange {
        let mut prefix = String::new();
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => {
                    prefix.push_str(literal);
                    prefix.push('/');
                }
                Segment::One | Segment::Rest => return NameRange::prefixed(&prefix),
            }
        }
        // All of it is literal, and no slash is behind the last segment.
        prefix.pop();
        NameRange::exactly(&prefix)
    }

    /// Whether every name in [`Filter::range`] is meant: then nothing needs to be looked at one by one.
    pub fn is_its_range(&self) -> bool {
        let wild = self.segments.iter().position(|segment| !matches!(segment, Segment::Literal(_)));
        wild.is_none_or(|at| at + 1 == self.segments.len() && self.segments.get(at) == Some(&Segment::Rest))
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments.iter().enumerate() {
            if at > 0 {
                f.write_str("/")?;
            }
            match segment {
                Segment::One => f.write_str("*")?,
                Segment::Rest => f.write_str(">")?,
                Segment::Literal(literal) => {
                    for c in literal.chars() {
                        match c {
                            '%' => f.write_str("%25")?,
                            '*' => f.write_str("%2A")?,
                            '>' => f.write_str("%3E")?,
                            other => write!(f, "{other}")?,
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn check_text(text: &str) -> Result<(), BadFilter> {
    if text.is_empty() {
        return Err(BadFilter { reason: "it is empty" });
    }
    if text.len() > FILTER_MAX {
        return Err(BadFilter { reason: "it is longer than any name" });
    }
    // No name has one (Postgres cannot keep it in a text).
    if text.contains('\0') {
        return Err(BadFilter { reason: "it contains a NUL character" });
    }
    Ok(())
}

fn read_literal(segment: &str) -> Result<String, BadFilter> {
    if segment.contains(['*', '>']) {
        return Err(BadFilter {
            reason: "'*' and '>' stand for whole segments; as part of one they are written %2A and %3E",
        });
    }
    let mut literal = String::with_capacity(segment.len());
    let mut parts = segment.split('%');
    literal.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (letter, behind) = match part.split_at_checked(2) {
            Some(("25", behind)) => ('%', behind),
            Some(("2A", behind)) => ('*', behind),
            Some(("3E", behind)) => ('>', behind),
            Some(_) | None => {
                return Err(BadFilter { reason: "behind '%' comes 25, 2A or 3E, for '%', '*' or '>'" });
            }
        };
        literal.push(letter);
        literal.push_str(behind);
    }
    Ok(literal)
}

/// The first text behind all that begin with `prefix`; `None` where nothing lies behind them.
fn behind_prefix(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::{A_MOMENT, text};

    fn means<'a>(filter: &str, names: &[&'a str]) -> Vec<&'a str> {
        let filter = Filter::parse(filter).unwrap();
        names.iter().copied().filter(|name| filter.matches(name)).collect()
    }

    const NAMES: [&str; 9] = ["a", "a/", "a/b", "a//b", "a/b/c", "ab", "b/b", "/a", "a/*"];

    #[test]
    fn a_filter_means_whole_segments() {
        assert_eq!(means(">", &NAMES), NAMES);
        assert_eq!(means("a/>", &NAMES), ["a/", "a/b", "a//b", "a/b/c", "a/*"]);
        assert_eq!(means("a/*", &NAMES), ["a/", "a/b", "a/*"]);
        assert_eq!(means("*/b", &NAMES), ["a/b", "b/b"]);
        assert_eq!(means("a/%2A", &NAMES), ["a/*"]);
        assert_eq!(means("a//b", &NAMES), ["a//b"]);
        assert_eq!(means("*/*/>", &NAMES), ["a//b", "a/b/c"]);
        assert_eq!(means("*", &NAMES), ["a", "ab"]);
        assert_eq!(means("/a", &NAMES), ["/a"]);
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        for text in
            ["", "a/>/b", ">/a", "a*", "a/b>", "**", "%", "a%2", "%2a", "%41", "100%", "a\0", ">>", "a/%3e"]
        {
            assert!(Filter::parse(text).is_err(), "{text:?}");
        }
        assert!(Filter::parse(&"a".repeat(FILTER_MAX + 1)).is_err());
    }

    #[test]
    fn what_it_means_lies_in_its_range() {
        let range = |text: &str| {
            let range = Filter::parse(text).unwrap().range();
            (range.from, range.before)
        };
        assert_eq!(range(">"), (String::new(), None));
        assert_eq!(range("*/a"), (String::new(), None));
        assert_eq!(range("a/>"), ("a/".to_owned(), Some("a0".to_owned())));
        assert_eq!(range("a/*/b"), ("a/".to_owned(), Some("a0".to_owned())));
        assert_eq!(range("a/b"), ("a/b".to_owned(), Some("a/b\u{1}".to_owned())));
        assert!(NameRange::prefixed("a\u{10ffff}").holds("a\u{10ffff}b"));
        assert!(!NameRange::prefixed("a\u{10ffff}").holds("b"));
    }

    /// Segment by segment, as slowly and plainly as it can be said.
    fn plainly(filter: &[Segment], name: &[&str]) -> bool {
        match (filter.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((Segment::Rest, _)), Some(_)) => true,
            (Some((Segment::One, filter)), Some((_, name))) => plainly(filter, name),
            (Some((Segment::Literal(wanted), filter)), Some((first, name))) => {
                wanted == first && plainly(filter, name)
            }
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    #[test]
    fn any_filter_has_one_spelling_and_means_what_it_says() {
        const FRAGMENTS: [&str; 9] = ["a", "b", "/", "/", "*", ">", "%2A", "%25", "é"];
        bolero::check!().with_max_len(40).with_test_time(A_MOMENT).for_each(|bytes: &[u8]| {
            let (filter, name) = bytes.split_at(bytes.len() / 2);
            let (filter, name) = (text(filter, &FRAGMENTS), text(name, &["a", "b", "/", "*", "%", "é"]));
            let Ok(read) = Filter::parse(&filter) else { return };
            assert_eq!(read.to_string(), filter);
            let segments: Vec<&str> = name.split('/').collect();
            let meant = plainly(read.segments(), &segments);
            assert_eq!(read.matches(&name), meant, "{filter:?} {name:?}");
            if meant {
                assert!(read.range().holds(&name), "{filter:?} {name:?}");
            }
            if read.is_its_range() && !name.is_empty() {
                assert_eq!(read.range().holds(&name), meant, "{filter:?} {name:?}");
            }
        });
    }
}
