//! Conditional requests (RFC 9110 section 13): pure, and independent of how headers are kept.
//!
//! Reads are decided where they are answered. Writes are decided later, inside the database transaction and on the row
//! found there; [`WriteConditions`] is what travels to it.
//!
//! Order (section 13.2.2): `If-Match`, or else `If-Unmodified-Since`; then `If-None-Match`, or else, for reads,
//! `If-Modified-Since`. Where we choose:
//!
//! - A weak tag (`W/"x"`) matches as if it were strong: proxies weaken tags, and ours always stand for the very bytes.
//!   Only `If-Range`, which splices bytes, insists on a strong one.
//! - A tag without quotes is taken for a tag; clients send those.
//! - A condition on a write that cannot be read is refused, never ignored: ignoring one would delete without it. (The
//!   RFC would have an unreadable `If-Unmodified-Since` ignored.) On reads an unreadable date is ignored.
//! - Dates have a resolution of one second, so a change within the same second is not seen by them.

use lifecycle::Time;
use std::fmt;

/// An entity tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What stood between the quotes.
    pub opaque: String,
    /// Whether it was marked weak.
    pub weak: bool,
}

/// What `If-Match` or `If-None-Match` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// `*`: whatever is there.
    Any,
    /// These; never empty.
    Listed(Vec<Tag>),
}

/// The conditions of a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteConditions {
    /// `If-Match`: something is there, and it is one of these.
    pub if_match: Option<Tags>,
    /// `If-None-Match`: nothing is there, or none of these.
    pub if_none_match: Option<Tags>,
    /// `If-Unmodified-Since`: unchanged after that second. Not looked at beside `If-Match`.
    pub unmodified_since: Option<Time>,
}

impl From<WriteConditions> for lifecycle::Condition {
    fn from(conditions: WriteConditions) -> Self {
        let tags = |tags: Option<Tags>| {
            tags.map(|tags| match tags {
                Tags::Any => lifecycle::condition::Tags::Any,
                Tags::Listed(tags) => {
                    lifecycle::condition::Tags::List(tags.into_iter().map(|tag| tag.opaque).collect())
                }
            })
        };
        lifecycle::Condition {
            if_match: tags(conditions.if_match),
            if_none_match: tags(conditions.if_none_match),
            unmodified_since: conditions.unmodified_since,
            ..lifecycle::Condition::NONE
        }
    }
}

/// The conditions of a read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadConditions {
    /// Those that a read shares with a write.
    pub shared: WriteConditions,
    /// `If-Modified-Since`. Not looked at beside `If-None-Match`.
    pub modified_since: Option<Time>,
    /// `If-Range`.
    pub range: Option<RangeCondition>,
}

/// What `If-Range` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeCondition {
    /// The very bytes with this tag.
    Tag(Tag),
    /// What was last modified in that second.
    Date(Time),
}

/// What is there now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current<'a> {
    /// Its entity tag without quotes.
    pub etag: &'a str,
    /// When it was last modified; fractions of the second are not looked at.
    pub modified: Time,
}

/// What kind of request is being decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// GET and HEAD.
    Read,
    /// Everything that changes something.
    Write,
}

/// What the conditions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Do it.
    Proceed,
    /// 304: the client has it already.
    NotModified,
    /// 412.
    PreconditionFailed,
}

/// A condition that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCondition {
    /// The header.
    pub header: &'static str,
    /// What it said.
    pub value: String,
    /// What it may say.
    pub allowed: &'static str,
}

impl fmt::Display for BadCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be {:?}: allowed is {}", self.header, self.value, self.allowed)
    }
}

impl std::error::Error for BadCondition {}

impl Tags {
    /// Reads the lines of the header named `header`: `Ok(None)` if there are none.
    ///
    /// # Errors
    /// When a line holds neither `*` nor tags, or `*` stands beside something else.
    pub fn parse<'a>(
        header: &'static str,
        lines: impl IntoIterator<Item = &'a str>,
    ) -> Result<Option<Self>, BadCondition> {
        let (mut stars, mut tags, mut present) = (0, Vec::new(), None);
        for line in lines {
            let bad = || BadCondition {
                header,
                value: line.to_owned(),
                allowed: "* alone, or entity tags in double quotes, separated by commas",
            };
            present = Some(line);
            let mut rest = line.trim_start_matches([' ', '\t', ',']);
            while !rest.is_empty() {
                let (tag, behind) = first_tag(rest).ok_or_else(bad)?;
                if tag == (Tag { opaque: "*".to_owned(), weak: false }) && rest.starts_with('*') {
                    stars += 1;
                } else {
                    tags.push(tag);
                }
                rest = behind;
            }
            if stars > 1 || (stars == 1) != tags.is_empty() {
                return Err(bad());
            }
        }
        Ok(present.map(|_| if stars == 1 { Tags::Any } else { Tags::Listed(tags) }))
    }

    /// Whether the tag `etag` (without quotes) is among them.
    pub fn contain(&self, etag: &str) -> bool {
        match self {
            Tags::Any => true,
            Tags::Listed(tags) => tags.iter().any(|tag| tag.opaque == etag),
        }
    }
}

/// The tag at the start of `text`, and what follows it without separators.
fn first_tag(text: &str) -> Option<(Tag, &str)> {
    let (weak, unmarked) = match text.strip_prefix("W/") {
        Some(marked) if marked.starts_with('"') => (true, marked),
        _ => (false, text),
    };
    let (opaque, behind) = match unmarked.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => unmarked.split_at(unmarked.find(',').unwrap_or(unmarked.len())),
    };
    let opaque = if unmarked.starts_with('"') { opaque } else { opaque.trim_end_matches([' ', '\t']) };
    let behind = behind.trim_start_matches([' ', '\t']);
    if opaque.contains('"') || !(behind.is_empty() || behind.starts_with(',')) {
        return None;
    }
    Some((Tag { opaque: opaque.to_owned(), weak }, behind.trim_start_matches([' ', '\t', ','])))
}

impl WriteConditions {
    /// Whether there is nothing to check.
    pub fn is_empty(&self) -> bool {
        *self == WriteConditions::default()
    }

    /// Whether they hold for what is there: an entity tag without quotes and the time of the last change, or nothing.
    pub fn holds(&self, current: Option<(&str, Time)>) -> bool {
        let matches = match (&self.if_match, self.unmodified_since) {
            (Some(tags), _) => current.is_some_and(|(etag, _)| tags.contain(etag)),
            (None, Some(since)) => current.is_none_or(|(_, modified)| second(modified) <= second(since)),
            (None, None) => true,
        };
        matches && self.none_match(current)
    }

    fn none_match(&self, current: Option<(&str, Time)>) -> bool {
        match (&self.if_none_match, current) {
            (Some(tags), Some((etag, _))) => !tags.contain(etag),
            _ => true,
        }
    }
}

impl ReadConditions {
    /// What they say about a request of `class` for `current`. A read of nothing proceeds, to its 404.
    pub fn evaluate(&self, class: Class, current: Option<Current<'_>>) -> Outcome {
        let now = current.map(|current| (current.etag, current.modified));
        if class == Class::Write {
            return if self.shared.holds(now) { Outcome::Proceed } else { Outcome::PreconditionFailed };
        }
        let Some((_, modified)) = now else { return Outcome::Proceed };
        let unmodified = match self.modified_since {
            Some(since) if self.shared.if_none_match.is_none() => second(modified) <= second(since),
            _ => false,
        };
        let if_match = WriteConditions { if_none_match: None, ..self.shared.clone() };
        if !if_match.holds(now) {
            Outcome::PreconditionFailed
        } else if unmodified || !self.shared.none_match(now) {
            Outcome::NotModified
        } else {
            Outcome::Proceed
        }
    }

    /// Whether a `Range` header is to be followed; if not, the answer is the whole representation.
    pub fn range_applies(&self, current: Current<'_>) -> bool {
        match &self.range {
            None => true,
            Some(RangeCondition::Tag(tag)) => !tag.weak && tag.opaque == current.etag,
            Some(RangeCondition::Date(date)) => second(*date) == second(current.modified),
        }
    }
}

impl RangeCondition {
    /// Reads `If-Range`. What is neither a tag nor a date is taken for a tag that nothing has.
    pub fn parse(value: &str) -> Self {
        match (Time::parse_http_date(value), first_tag(value.trim())) {
            (Some(date), _) => RangeCondition::Date(date),
            (None, Some((tag, ""))) => RangeCondition::Tag(tag),
            (None, _) => RangeCondition::Tag(Tag { opaque: String::new(), weak: true }),
        }
    }
}

fn second(at: Time) -> i64 {
    at.micros().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{NotModified, PreconditionFailed, Proceed};

    const THEN: Time = Time::from_secs(1_000);
    const NOW: Current<'static> = Current { etag: "a1", modified: Time::from_micros(1_000_900_000) };

    fn tags(text: &str) -> Option<Tags> {
        Tags::parse("If-Match", [text]).unwrap()
    }

    fn writes(if_match: &str, if_none_match: &str, unmodified_since: Option<i64>) -> WriteConditions {
        let unless_absent = |text: &str| if text == "-" { None } else { tags(text) };
        WriteConditions {
            if_match: unless_absent(if_match),
            if_none_match: unless_absent(if_none_match),
            unmodified_since: unmodified_since.map(Time::from_secs),
        }
    }

    fn strong(opaque: &str) -> Tag {
        Tag { opaque: opaque.into(), weak: false }
    }

    #[test]
    fn tags_are_read_as_clients_write_them() {
        for (text, expected) in [
            ("*", Tags::Any),
            (" * ", Tags::Any),
            (r#""a""#, Tags::Listed(vec![strong("a")])),
            (r#""a,b" , "c""#, Tags::Listed(vec![strong("a,b"), strong("c")])),
            (r#"W/"a",,"*""#, Tags::Listed(vec![Tag { opaque: "a".into(), weak: true }, strong("*")])),
            ("a1, b2", Tags::Listed(vec![strong("a1"), strong("b2")])),
            (r#""""#, Tags::Listed(vec![strong("")])),
        ] {
            assert_eq!(tags(text), Some(expected), "{text}");
        }
        assert_eq!(Tags::parse("If-Match", []), Ok(None));
        let two_lines = Tags::parse("If-Match", [r#""a""#, r#""b""#]).unwrap();
        assert_eq!(two_lines, Some(Tags::Listed(vec![strong("a"), strong("b")])));
    }

    #[test]
    fn a_condition_that_cannot_be_read_is_refused() {
        for text in ["", " , ", r#""a"#, r#""a" "b""#, r#"*, "a""#, "*,*", r#"a"b"#, r#"W/"a"x"#] {
            let bad = Tags::parse("If-Match", [text]).unwrap_err();
            assert_eq!((bad.header, bad.value.as_str()), ("If-Match", text));
        }
        assert!(Tags::parse("If-Match", ["*", r#""a""#]).is_err());
        assert!(Tags::parse("If-Match", [r#""a""#, "*"]).is_err());
    }

    #[test]
    fn writes_go_ahead_only_when_the_conditions_hold() {
        let there = Some(("a1", NOW.modified));
        for (conditions, on_current, on_nothing) in [
            (writes("-", "-", None), true, true),
            (writes("*", "-", None), true, false),
            (writes(r#""a1""#, "-", None), true, false),
            (writes(r#"W/"a1""#, "-", None), true, false),
            (writes(r#""x", "a1""#, "-", None), true, false),
            (writes(r#""x""#, "-", None), false, false),
            (writes(r#""A1""#, "-", None), false, false),
            (writes("-", "*", None), false, true),
            (writes("-", r#""a1""#, None), false, true),
            (writes("-", r#"W/"a1""#, None), false, true),
            (writes("-", r#""x""#, None), true, true),
            (writes("-", "-", Some(1_000)), true, true),
            (writes("-", "-", Some(999)), false, true),
            // If-Match takes the date's place, If-None-Match does not
            (writes(r#""a1""#, "-", Some(999)), true, false),
            (writes("-", r#""x""#, Some(999)), false, true),
            (writes(r#""a1""#, r#""a1""#, None), false, false),
        ] {
            assert_eq!(conditions.holds(there), on_current, "{conditions:?}");
            assert_eq!(conditions.holds(None), on_nothing, "{conditions:?}");
            let read = ReadConditions { shared: conditions.clone(), ..Default::default() };
            let outcome = if on_current { Proceed } else { PreconditionFailed };
            assert_eq!(read.evaluate(Class::Write, Some(NOW)), outcome, "{conditions:?}");
        }
        assert!(writes("-", "-", None).is_empty());
        assert!(!writes("*", "-", None).is_empty());
    }

    #[test]
    fn reads_follow_the_order_of_the_rfc() {
        for (if_match, if_none_match, unmodified, modified, expected) in [
            ("-", "-", None, None, Proceed),
            ("-", r#""a1""#, None, None, NotModified),
            ("-", "*", None, None, NotModified),
            ("-", r#""x""#, None, None, Proceed),
            ("-", "-", None, Some(1_000), NotModified),
            ("-", "-", None, Some(2_000), NotModified),
            ("-", "-", None, Some(999), Proceed),
            // a tag takes the date's place, whichever way the date points
            ("-", r#""x""#, None, Some(1_000), Proceed),
            ("-", r#""a1""#, None, Some(999), NotModified),
            (r#""x""#, r#""a1""#, None, None, PreconditionFailed),
            (r#""a1""#, r#""a1""#, None, None, NotModified),
            ("-", r#""a1""#, Some(999), None, PreconditionFailed),
            ("-", "-", Some(1_000), Some(1_000), NotModified),
        ] {
            let conditions = ReadConditions {
                shared: writes(if_match, if_none_match, unmodified),
                modified_since: modified.map(Time::from_secs),
                range: None,
            };
            assert_eq!(conditions.evaluate(Class::Read, Some(NOW)), expected, "{conditions:?}");
            assert_eq!(conditions.evaluate(Class::Read, None), Proceed, "{conditions:?}");
        }
    }

    #[test]
    fn a_range_is_followed_only_on_the_bytes_it_was_asked_of() {
        for (value, applies) in [
            (r#""a1""#, true),
            ("a1", true),
            (r#"W/"a1""#, false),
            (r#""x""#, false),
            (r#""a1", "x""#, false),
            ("", false),
            ("Thu, 01 Jan 1970 00:16:40 GMT", true),
            ("Thu, 01 Jan 1970 00:16:41 GMT", false),
            ("Thu, 01 Jan 1970 00:16:39 GMT", false),
        ] {
            let range = Some(RangeCondition::parse(value));
            let conditions = ReadConditions { range, ..Default::default() };
            assert_eq!(conditions.range_applies(NOW), applies, "{value}");
        }
        assert!(ReadConditions::default().range_applies(Current { etag: "", modified: THEN }));
    }
}
