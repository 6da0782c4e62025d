//! Request targets: percent-decoding, done here exactly once, and query arguments.
//!
//! What is decoded is never decoded again: authorisation, routing and storage all use the decoded value. `+` is a plus.

#[cfg(test)]
mod fuzz;

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Query arguments that one request may carry.
pub const MOST_ARGUMENTS: usize = 64;

/// What is wrong with a request target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// A `%` without two hexadecimal digits behind it.
    #[error(
        "{0:?} contains a '%' that is not followed by two hexadecimal digits: a percent sign is sent as %25"
    )]
    StrayPercent(String),
    /// Not UTF-8 after decoding.
    #[error("{0:?} is not UTF-8 after percent-decoding")]
    NotUtf8(String),
    /// A NUL after decoding.
    #[error("{0:?} contains a NUL character, which no name may")]
    Nul(String),
    /// Too many arguments.
    #[error("the query has more than {MOST_ARGUMENTS} arguments")]
    TooManyArguments,
    /// A flag with a value that is none.
    #[error("{name} cannot be {value:?}: allowed are yes, true, no, false and the bare name")]
    BadFlag {
        /// The argument.
        name: String,
        /// What it said.
        value: String,
    },
}

/// The text that the path `raw` stands for. Slashes and `%2F` come out alike.
///
/// # Errors
/// A stray `%`, a NUL, or bytes that are not UTF-8.
pub fn decode_path(raw: &str) -> Result<Cow<'_, str>, BadTarget> {
    decode(raw)
}

fn decode(raw: &str) -> Result<Cow<'_, str>, BadTarget> {
    let mut bytes = raw.as_bytes();
    while let Some(at) = bytes.iter().position(|byte| *byte == b'%') {
        match bytes.get(at + 1..at + 3) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => bytes = &bytes[at + 3..],
            _ => return Err(BadTarget::StrayPercent(raw.to_owned())),
        }
    }
    let text = percent_decode_str(raw).decode_utf8().map_err(|_| BadTarget::NotUtf8(raw.to_owned()))?;
    if text.contains('\0') {
        return Err(BadTarget::Nul(raw.to_owned()));
    }
    Ok(text)
}

/// The arguments of a query. Names are in lower case and stand once each; the last value given counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    arguments: Vec<(String, String)>,
}

impl Query {
    /// Reads the text behind the `?`, if there is one. A bare name has the value "".
    ///
    /// # Errors
    /// More than [`MOST_ARGUMENTS`] arguments, or what [`decode_path`] refuses, in a name or a value.
    pub fn parse(raw: Option<&str>) -> Result<Self, BadTarget> {
        let mut query = Query::default();
        let given = raw.unwrap_or_default().split('&').filter(|argument| !argument.is_empty());
        for (number, argument) in given.enumerate() {
            if number == MOST_ARGUMENTS {
                return Err(BadTarget::TooManyArguments);
            }
            let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
            let mut name = decode(name)?.into_owned();
            name.make_ascii_lowercase();
            let value = decode(value)?.into_owned();
            match query.arguments.iter_mut().find(|(known, _)| *known == name) {
                Some((_, earlier)) => *earlier = value,
                None => query.arguments.push((name, value)),
            }
        }
        Ok(query)
    }

    /// The value of `name`, in whatever case it is given.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.arguments.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }

    /// Whether `name` was given, with whatever value.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether `name` is switched on: bare, `yes` or `true`; off are `no`, `false` and absence.
    ///
    /// # Errors
    /// Any other value: it is never guessed what was meant.
    pub fn flag(&self, name: &str) -> Result<bool, BadTarget> {
        let Some(value) = self.get(name) else { return Ok(false) };
        let is = |word: &str| value.eq_ignore_ascii_case(word);
        if value.is_empty() || is("yes") || is("true") {
            Ok(true)
        } else if is("no") || is("false") {
            Ok(false)
        } else {
            Err(BadTarget::BadFlag { name: name.to_owned(), value: value.to_owned() })
        }
    }

    /// All arguments, in the order in which they were first named.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.arguments.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(raw: &str) -> Query {
        Query::parse(Some(raw)).unwrap()
    }

    #[test]
    fn paths_are_decoded_once() {
        for (raw, decoded) in [
            ("/b/o", "/b/o"),
            ("/b/a%2Fb", "/b/a/b"),
            ("/b/%252F", "/b/%2F"),
            ("/b/a+b%20c%2bd", "/b/a+b c+d"),
            ("/b/%C3%A9", "/b/é"),
            ("/b//x/../%2e", "/b//x/../."),
            ("/b/%0a", "/b/\n"),
        ] {
            assert_eq!(decode_path(raw).unwrap(), decoded, "{raw}");
        }
        assert!(matches!(decode_path("/b/o"), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        for raw in ["/%", "/%2", "/%zz", "/a%%20", "/%+1", "/100%"] {
            assert_eq!(decode_path(raw), Err(BadTarget::StrayPercent(raw.into())));
        }
        assert_eq!(decode_path("/%ff"), Err(BadTarget::NotUtf8("/%ff".into())));
        assert_eq!(decode_path("/%C0%AF"), Err(BadTarget::NotUtf8("/%C0%AF".into())));
        assert_eq!(decode_path("/a%00"), Err(BadTarget::Nul("/a%00".into())));
        for raw in ["x=%", "%=x", "x=%ff", "x=%00"] {
            assert!(Query::parse(Some(raw)).is_err(), "{raw}");
        }
    }

    #[test]
    fn arguments_are_named_in_any_case_and_the_last_counts() {
        let given = query("Domain=a&&alias&RECURSIVE=now&domain=b%26c&x=1=2&");
        assert_eq!(given.get("domain"), Some("b&c"));
        assert_eq!(given.get("Domain"), Some("b&c"));
        assert_eq!(given.get("x"), Some("1=2"));
        assert_eq!(given.get("alias"), Some(""));
        assert!(given.contains("recursive") && !given.contains("admin"));
        let all = [("domain", "b&c"), ("alias", ""), ("recursive", "now"), ("x", "1=2")];
        assert_eq!(given.iter().collect::<Vec<_>>(), all);
        assert_eq!(Query::parse(None).unwrap(), Query::default());
        assert_eq!(query(""), Query::default());
    }

    #[test]
    fn flags_are_on_off_or_refused() {
        for on in ["alias", "alias=", "alias=yes", "alias=TRUE", "alias=no&alias=yes"] {
            assert_eq!(query(on).flag("alias"), Ok(true), "{on}");
        }
        for off in ["", "alias=no", "Alias=False"] {
            assert_eq!(query(off).flag("alias"), Ok(false), "{off}");
        }
        assert_eq!(
            query("recursive=maybe").flag("recursive").unwrap_err().to_string(),
            "recursive cannot be \"maybe\": allowed are yes, true, no, false and the bare name"
        );
    }

    #[test]
    fn sixty_four_arguments_are_enough() {
        assert!(Query::parse(Some(&vec!["a"; 64].join("&"))).is_ok());
        assert_eq!(Query::parse(Some(&vec!["a"; 65].join("&"))), Err(BadTarget::TooManyArguments));
    }
}
