//! Whether a filter may meet a name. Filters are cut at `/`; `*` stands for one segment, `>` at the end for one or more, and
//! a segment writes what would be mistaken as percent and two digits, and nothing at all as `%-`. What cannot be read may
//! meet anything.

use percent_encoding::percent_decode_str;

/// Whether `filter` may meet an object called `name`.
pub(super) fn may_meet(filter: &str, name: &str) -> bool {
    let mut segments = name.split('/');
    let mut wanted = filter.split('/').peekable();
    while let Some(want) = wanted.next() {
        if want == ">" && wanted.peek().is_none() {
            return segments.next().is_some();
        }
        let Some(segment) = segments.next() else { return false };
        if want != "*" && !may_be(want, segment) {
            return false;
        }
    }
    segments.next().is_none()
}

fn may_be(want: &str, segment: &str) -> bool {
    if want == "%-" {
        return segment.is_empty();
    }
    want == segment || percent_decode_str(want).eq(segment.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_met_by_segments() {
        for (filter, name, met) in [
            (">", "a", true),
            (">", "a/b/c", true),
            ("a/>", "a/b", true),
            ("a/>", "a/b/c", true),
            ("a/>", "a", false),
            ("a/*", "a/b", true),
            ("a/*", "a/b/c", false),
            ("a/*", "b/b", false),
            ("*/b", "a/b", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a%2Ejpg", "a.jpg", true),
            ("a.jpg", "a.jpg", true),
            ("%2A", "*", true),
            ("%2A", "a", false),
            ("a/%-", "a/", true),
            ("a/%-", "a/b", false),
        ] {
            assert_eq!(may_meet(filter, name), met, "{filter} {name}");
        }
    }
}
