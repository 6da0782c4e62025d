//! Names of objects as subjects of a message stream, and back: each has exactly one spelling of the other kind.
//!
//! A name's segments are parted by `/`, a subject's by `.`. In each, `%`, `.`, `*`, `>`, white space and control characters are
//! written as their bytes behind `%`, in upper-case hexadecimal digits; a segment without letters is written `%-`. So
//! `photos/2024/a.jpg` is `photos.2024.a%2Ejpg`. Text that no name is written as is refused.

use crate::filter::{BadFilter, Filter, Segment, check_text};
use std::fmt::Write;

const EMPTY: &str = "%-";

/// The subject of a name.
pub fn of_name(name: &str) -> String {
    let mut subject = String::with_capacity(name.len() + 8);
    for (at, segment) in name.split('/').enumerate() {
        if at > 0 {
            subject.push('.');
        }
        encode(segment, &mut subject);
    }
    subject
}

/// The name of a subject.
///
/// # Errors
/// [`BadFilter`] where no name has this subject.
pub fn to_name(subject: &str) -> Result<String, BadFilter> {
    check_text(subject)?;
    let segments = subject.split('.').map(decode).collect::<Result<Vec<_>, _>>()?;
    Ok(segments.join("/"))
}

/// Reads a filter as it is written for subjects: `*` is one whole token, `>` all the rest.
///
/// # Errors
/// [`BadFilter`] with what is wrong.
pub fn filter(text: &str) -> Result<Filter, BadFilter> {
    check_text(text)?;
    Filter::of(text.split('.').map(|token| match token {
        "*" => Ok(Segment::One),
        ">" => Ok(Segment::Rest),
        _ => decode(token).map(Segment::Literal),
    }))
}

/// A filter as it is written for subjects.
pub fn of_filter(filter: &Filter) -> String {
    let mut text = String::new();
    for (at, segment) in filter.segments().iter().enumerate() {
        if at > 0 {
            text.push('.');
        }
        match segment {
            Segment::One => text.push('*'),
            Segment::Rest => text.push('>'),
            Segment::Literal(literal) => encode(literal, &mut text),
        }
    }
    text
}

fn is_escaped(c: char) -> bool {
    matches!(c, '%' | '.' | '*' | '>') || c.is_control() || c.is_whitespace()
}

fn encode(segment: &str, to: &mut String) {
    if segment.is_empty() {
        to.push_str(EMPTY);
    }
    for c in segment.chars() {
        if !is_escaped(c) {
            to.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            let _ = write!(to, "%{byte:02X}");
        }
    }
}

fn decode(token: &str) -> Result<String, BadFilter> {
    if token == EMPTY {
        return Ok(String::new());
    }
    if token.is_empty() {
        return Err(BadFilter { reason: "a token is empty; one without letters is written %-" });
    }
    let bytes = percent_encoding::percent_decode_str(token).collect::<Vec<u8>>();
    let spelling = BadFilter { reason: "a token is not spelt as the one of a name is" };
    let segment = String::from_utf8(bytes).map_err(|_| spelling.clone())?;
    let mut again = String::with_capacity(token.len());
    encode(&segment, &mut again);
    // A slash would part the segment in two.
    if again == token && !segment.contains(['/', '\0']) { Ok(segment) } else { Err(spelling) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::{A_MOMENT, text};

    #[test]
    fn names_and_subjects_have_one_spelling_each() {
        for (name, subject) in [
            ("photos/2024/a.jpg", "photos.2024.a%2Ejpg"),
            ("a//b", "a.%-.b"),
            ("a/", "a.%-"),
            ("/", "%-.%-"),
            ("100%/*>", "100%25.%2A%3E"),
            ("a b\u{2003}", "a%20b%E2%80%83"),
            ("%-", "%25-"),
            ("ü", "ü"),
        ] {
            assert_eq!(of_name(name), subject);
            assert_eq!(to_name(subject).as_deref(), Ok(name));
        }
        for bad in [
            "", ".a", "a..b", "a.", "a b", "a%2f", "a%2e", "%41", "a%", "a%2", "%2F", "%ff", "*", "a>",
            "%-a", "%00",
        ] {
            assert!(to_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn filters_are_written_both_ways() {
        let read = filter("photos.*.>").unwrap();
        assert_eq!((read.to_string(), of_filter(&read)), ("photos/*/>".to_owned(), "photos.*.>".to_owned()));
        assert!(filter("a.%2A").unwrap().matches("a/*"));
        assert_eq!(filter("a.%2A").unwrap().to_string(), "a/%2A");
        for bad in ["a.>.b", "a..b", ".a", "a b", "", "a*", "a.", "a%2f"] {
            assert!(filter(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn there_and_back_is_the_same() {
        const FRAGMENTS: [&str; 11] = ["a", "/", ".", "%", "*", ">", " ", "\u{85}", "-", "é", "\u{a0}"];
        bolero::check!().with_max_len(30).with_test_time(A_MOMENT).for_each(|bytes: &[u8]| {
            let name = text(bytes, &FRAGMENTS);
            if !name.is_empty() {
                let subject = of_name(&name);
                assert_eq!(to_name(&subject).as_deref(), Ok(name.as_str()), "{subject:?}");
                assert!(filter(&subject).is_ok_and(|filter| filter.matches(&name)), "{subject:?}");
            }
            // And whatever else is a subject, is that of the name it gives.
            let other = text(bytes, &["a", ".", "%2E", "%-", "%25", "%2e", "%E2%80%83", "%", "-"]);
            if let Ok(name) = to_name(&other) {
                assert_eq!(of_name(&name), other);
            }
        });
    }
}
