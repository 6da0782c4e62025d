//! `Range: bytes=…` (RFC 9110 section 14) and the `multipart/byteranges` that answers several ranges.
//!
//! Where the RFC leaves a choice: a header of another unit is ignored; a malformed or backward range of bytes is refused
//! as unsatisfiable, since SCSP answers a bad range with 416; ranges that touch or overlap are joined; more than
//! [`MOST_RANGES`] are answered with the whole object, for they cost more than they save.

use bytes::Bytes;
use std::ops::Range;

/// Ranges that one request may ask for, as written.
pub const MOST_RANGES: usize = 16;

/// Which bytes of a representation a `Range` header asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ranges {
    /// All of them: answer as if the header were not there (200).
    Whole,
    /// These, in the order asked for, none empty, none touching another (206).
    Partial(Vec<Range<u64>>),
    /// None that exist (416, with [`content_range_of_none`]).
    Unsatisfiable,
}

/// Reads the `Range` header `header` of a request for a representation of `size` bytes.
pub fn parse(header: &str, size: u64) -> Ranges {
    let Some((unit, set)) = header.split_once('=') else { return Ranges::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Ranges::Whole;
    }
    let specs = set.split(',').map(|spec| spec.trim_matches([' ', '\t'])).filter(|spec| !spec.is_empty());
    let mut ranges = Vec::new();
    for (number, spec) in specs.enumerate() {
        if number == MOST_RANGES {
            return Ranges::Whole;
        }
        match one(spec, size) {
            // the last n bytes of nothing are nothing, which no Content-Range can say
            Some(Spec::Suffix) if size == 0 => return Ranges::Whole,
            Some(Spec::Suffix | Spec::Beyond) => {}
            Some(Spec::Bytes(range)) => join(&mut ranges, range),
            None => return Ranges::Unsatisfiable,
        }
    }
    if ranges.is_empty() { Ranges::Unsatisfiable } else { Ranges::Partial(ranges) }
}

enum Spec {
    Bytes(Range<u64>),
    /// A suffix of an empty representation.
    Suffix,
    /// Well-formed, and beyond the end.
    Beyond,
}

fn one(spec: &str, size: u64) -> Option<Spec> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        let length = number(last)?.min(size);
        return Some(match (length, size) {
            (0, 0) if number(last)? > 0 => Spec::Suffix,
            (0, _) => Spec::Beyond,
            _ => Spec::Bytes(size - length..size),
        });
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    Some(if first >= size { Spec::Beyond } else { Spec::Bytes(first..last.saturating_add(1).min(size)) })
}

/// Digits only; a number too large to hold is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

/// Adds `range`, joined with those it touches, in the place of the first of them.
fn join(ranges: &mut Vec<Range<u64>>, mut range: Range<u64>) {
    let mut place = ranges.len();
    // a joined range may touch one that neither part touched
    while let Some(at) = ranges.iter().position(|other| other.start <= range.end && range.start <= other.end)
    {
        let other = ranges.remove(at);
        range = range.start.min(other.start)..range.end.max(other.end);
        place = place.min(at);
    }
    ranges.insert(place.min(ranges.len()), range);
}

/// `Content-Range` of a part: `bytes 0-1/4`. `range` is not empty.
pub fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

/// `Content-Range` of a 416: `bytes */4`.
pub fn content_range_of_none(size: u64) -> String {
    format!("bytes */{size}")
}

/// The text between the parts of a `multipart/byteranges` body: `part(0)`, bytes, `part(1)`, bytes, …, `end()`.
#[derive(Clone, Copy, Debug)]
pub struct Multipart<'a> {
    /// Separates the parts: at most 70 letters and digits that no part contains, as good as sure if random.
    pub boundary: &'a str,
    /// The representation's own `Content-Type`, if it has one.
    pub content_type: Option<&'a str>,
    /// The representation's size in bytes.
    pub size: u64,
}

impl Multipart<'_> {
    /// The `Content-Type` of the whole answer.
    pub fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// What goes before the bytes of the part number `number`, counted from 0.
    pub fn part(&self, number: usize, range: &Range<u64>) -> Bytes {
        let before = if number == 0 { "" } else { "\r\n" };
        let kind = match self.content_type {
            Some(kind) => format!("Content-Type: {kind}\r\n"),
            None => String::new(),
        };
        let place = content_range(range, self.size);
        Bytes::from(format!("{before}--{}\r\n{kind}Content-Range: {place}\r\n\r\n", self.boundary))
    }

    /// What goes after the last part.
    pub fn end(&self) -> Bytes {
        Bytes::from(format!("\r\n--{}--\r\n", self.boundary))
    }

    /// The `Content-Length` of the whole answer.
    pub fn content_length(&self, ranges: &[Range<u64>]) -> u64 {
        let parts = ranges.iter().enumerate().map(|(number, range)| {
            self.part(number, range).len() as u64 + range.end.saturating_sub(range.start)
        });
        parts.sum::<u64>() + self.end().len() as u64
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "a list of one range is what is meant")]
mod tests {
    use super::Ranges::{Unsatisfiable, Whole};
    use super::*;

    fn partial<const N: usize>(ranges: [Range<u64>; N]) -> Ranges {
        Ranges::Partial(ranges.to_vec())
    }

    #[test]
    fn ranges_of_a_thousand_bytes() {
        let sixteen = (0..16).map(|n| format!("{0}-{0}", n * 2)).collect::<Vec<_>>().join(",");
        for (header, expected) in [
            ("bytes=0-499", partial([0..500])),
            ("BYTES= 0-499", partial([0..500])),
            ("bytes=500-", partial([500..1000])),
            ("bytes=-500", partial([500..1000])),
            ("bytes=-5000", partial([0..1000])),
            ("bytes=999-1000", partial([999..1000])),
            ("bytes=0-99999999999999999999999999", partial([0..1000])),
            ("bytes=0-0,-1", partial([0..1, 999..1000])),
            ("bytes=-1 ,\t0-0,,", partial([999..1000, 0..1])),
            ("bytes=0-499,500-999", partial([0..1000])),
            ("bytes=500-600,601-999,0-10", partial([500..1000, 0..11])),
            ("bytes=0-9,20-29,5-24", partial([0..30])),
            ("bytes=0-1,2000-3000", partial([0..2])),
            ("bytes=1000-", Unsatisfiable),
            ("bytes=99999999999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=", Unsatisfiable),
            ("bytes=abc", Unsatisfiable),
            ("bytes=-", Unsatisfiable),
            ("bytes=5-2", Unsatisfiable),
            ("bytes=+1-2", Unsatisfiable),
            ("bytes=0-1,x", Unsatisfiable),
            ("bytes=0 - 1", Unsatisfiable),
            ("bytes=--1", Unsatisfiable),
            ("lines=0-1", Whole),
            ("bytes", Whole),
            ("", Whole),
            (&format!("bytes={sixteen},40-40"), Whole),
        ] {
            assert_eq!(parse(header, 1000), expected, "{header}");
        }
        let Ranges::Partial(ranges) = parse(&format!("bytes={sixteen}"), 1000) else {
            panic!("sixteen are allowed")
        };
        assert_eq!(ranges.len(), 16);
    }

    #[test]
    fn ranges_of_a_four_byte_object_and_of_nothing() {
        assert_eq!(parse("bytes=0-1", 4), partial([0..2]));
        assert_eq!(parse("bytes=9-10", 4), Unsatisfiable);
        assert_eq!(parse("bytes=0-", 0), Unsatisfiable);
        assert_eq!(parse("bytes=-0", 0), Unsatisfiable);
        assert_eq!(parse("bytes=-5", 0), Whole);
    }

    #[test]
    fn a_range_says_where_it_lies() {
        assert_eq!(content_range(&(0..2), 4), "bytes 0-1/4");
        assert_eq!(content_range_of_none(4), "bytes */4");
    }

    #[test]
    fn several_ranges_are_parts_of_one_answer() {
        let parts = Multipart { boundary: "B7", content_type: Some("image/jpeg"), size: 10 };
        let whole =
            [&parts.part(0, &(0..2))[..], b"ab", &parts.part(1, &(8..9)), b"i", &parts.end()].concat();
        assert_eq!(
            String::from_utf8(whole.clone()).unwrap(),
            "--B7\r\nContent-Type: image/jpeg\r\nContent-Range: bytes 0-1/10\r\n\r\nab\
             \r\n--B7\r\nContent-Type: image/jpeg\r\nContent-Range: bytes 8-8/10\r\n\r\ni\r\n--B7--\r\n"
        );
        assert_eq!(parts.content_length(&[0..2, 8..9]), whole.len() as u64);
        assert_eq!(parts.content_type(), "multipart/byteranges; boundary=B7");
        let bare = Multipart { content_type: None, ..parts };
        assert_eq!(bare.part(0, &(0..2)), "--B7\r\nContent-Range: bytes 0-1/10\r\n\r\n");
    }
}
