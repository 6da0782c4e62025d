//! Reading conditions from a request's headers.

use super::conditional::{BadCondition, RangeCondition, ReadConditions, Tags, WriteConditions};
use http::HeaderMap;
use http::header::{
    HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use lifecycle::Time;

const A_DATE: &str = "one date such as Sun, 06 Nov 1994 08:49:37 GMT";

/// The conditions of a write. `If-Modified-Since` is none.
///
/// # Errors
/// A condition that cannot be read: what was meant as a guard is never passed over.
pub fn write_conditions(headers: &HeaderMap) -> Result<WriteConditions, BadCondition> {
    let unmodified_since = match single(headers, &IF_UNMODIFIED_SINCE) {
        None => None,
        Some(value) => {
            let date = value.and_then(Time::parse_http_date);
            Some(date.ok_or_else(|| bad("If-Unmodified-Since", headers, &IF_UNMODIFIED_SINCE))?)
        }
    };
    Ok(WriteConditions { unmodified_since, ..tags(headers)? })
}

/// The conditions of a read. Dates that cannot be read are passed over.
///
/// # Errors
/// `If-Match` or `If-None-Match` holds something else than tags.
pub fn read_conditions(headers: &HeaderMap) -> Result<ReadConditions, BadCondition> {
    let date = |name| single(headers, name).flatten().and_then(Time::parse_http_date);
    let range = match single(headers, &IF_RANGE) {
        Some(value) if headers.contains_key(RANGE) => Some(RangeCondition::parse(value.unwrap_or_default())),
        _ => None,
    };
    Ok(ReadConditions {
        shared: WriteConditions { unmodified_since: date(&IF_UNMODIFIED_SINCE), ..tags(headers)? },
        modified_since: date(&IF_MODIFIED_SINCE),
        range,
    })
}

fn tags(headers: &HeaderMap) -> Result<WriteConditions, BadCondition> {
    Ok(WriteConditions {
        if_match: listed("If-Match", headers, &IF_MATCH)?,
        if_none_match: listed("If-None-Match", headers, &IF_NONE_MATCH)?,
        unmodified_since: None,
    })
}

fn listed(
    header: &'static str,
    headers: &HeaderMap,
    name: &HeaderName,
) -> Result<Option<Tags>, BadCondition> {
    // text that is not text becomes a lone quote, which no list of tags is
    Tags::parse(header, headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("\"")))
}

/// `None` if the header is absent, `Some(None)` if it is there and not one line of text.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Option<&'a str>> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next()?;
    Some(if lines.next().is_some() { None } else { first.to_str().ok() })
}

fn bad(header: &'static str, headers: &HeaderMap, name: &HeaderName) -> BadCondition {
    let lines = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    BadCondition { header, value: lines.collect::<Vec<_>>().join(", "), allowed: A_DATE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::conditional::Tag;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    #[test]
    fn conditions_are_read_from_headers() {
        assert_eq!(write_conditions(&HeaderMap::new()).unwrap(), WriteConditions::default());
        let all = headers(&[
            ("if-match", "\"a\""),
            ("if-none-match", "*"),
            ("if-unmodified-since", DATE),
            ("if-modified-since", DATE),
            ("if-range", "\"a\""),
            ("range", "bytes=0-1"),
        ]);
        let at = Some(Time::from_secs(784_111_777));
        let tag = Tag { opaque: "a".into(), weak: false };
        let shared = WriteConditions {
            if_match: Some(Tags::Listed(vec![tag.clone()])),
            if_none_match: Some(Tags::Any),
            unmodified_since: at,
        };
        assert_eq!(write_conditions(&all).unwrap(), shared);
        let read = ReadConditions { shared, modified_since: at, range: Some(RangeCondition::Tag(tag)) };
        assert_eq!(read_conditions(&all).unwrap(), read);
    }

    #[test]
    fn if_range_without_a_range_is_nothing() {
        let alone = headers(&[("if-range", "\"a\"")]);
        assert_eq!(read_conditions(&alone).unwrap(), ReadConditions::default());
    }

    #[test]
    fn a_guard_that_cannot_be_read_stops_a_write_and_not_a_read() {
        let yesterday = headers(&[("if-unmodified-since", "yesterday")]);
        assert_eq!(
            write_conditions(&yesterday).unwrap_err().to_string(),
            "If-Unmodified-Since cannot be \"yesterday\": allowed is one date such as Sun, 06 Nov 1994 08:49:37 GMT"
        );
        assert_eq!(read_conditions(&yesterday).unwrap(), ReadConditions::default());
        let mut two = headers(&[("if-unmodified-since", DATE)]);
        two.append(IF_UNMODIFIED_SINCE, DATE.parse().unwrap());
        assert!(write_conditions(&two).is_err());
        let mut not_text = HeaderMap::new();
        not_text.insert(IF_MATCH, http::HeaderValue::from_bytes(b"\"\xff\"").unwrap());
        assert!(write_conditions(&not_text).is_err());
    }
}
