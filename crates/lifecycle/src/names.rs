//! Names, parsed once at the door and valid from then on (SCSP section 1.5).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What clients leave bare in paths and names; they encode everything else (SCSP section 1.5).
pub const BARE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'/');

/// Text that is not a valid name, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadName {
    /// What it should have named.
    pub kind: &'static str,
    /// What is wrong with it, as a sentence's end.
    pub reason: &'static str,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a {} name: {}", self.kind, self.reason)
    }
}

impl std::error::Error for BadName {}

/// The longest domain name, in bytes (S3 and DNS).
pub const DOMAIN_NAME_MAX: usize = 253;
/// The longest bucket name, in bytes.
pub const BUCKET_NAME_MAX: usize = 8_000;
/// The longest object name, in bytes. S3's limit of 1,024 is the S3 door's own.
pub const OBJECT_NAME_MAX: usize = 8_000;

/// A domain's name: case-insensitive, kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct DomainName(String);

impl DomainName {
    /// Reads a domain name. A port behind a host name is not part of it and must have been cut off.
    ///
    /// # Errors
    /// [`BadName`] with the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let bad = |reason| Err(BadName { kind: "domain", reason });
        let bytes = text.as_bytes();
        let Some(first) = bytes.first() else { return bad("it is empty") };
        if bytes.len() > DOMAIN_NAME_MAX {
            return bad("it is longer than 253 bytes");
        }
        if !bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
            return bad("only ASCII letters, digits, '_', '.' and '-' are allowed");
        }
        if !first.is_ascii_alphanumeric() {
            return bad("it must start with a letter or digit");
        }
        if bytes.windows(2).any(|pair| pair.iter().all(|b| matches!(b, b'.' | b'-'))) {
            return bad("two of '.' and '-' stand side by side");
        }
        if matches!(bytes.last(), Some(b'.' | b'-')) {
            return bad("it ends in '.' or '-'");
        }
        if text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok() {
            return bad("it is an IP address");
        }
        Ok(DomainName(text.to_ascii_lowercase()))
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A bucket's name: case-sensitive, unique in its domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct BucketName(String);

impl BucketName {
    /// Reads a bucket name that has been percent-decoded.
    ///
    /// # Errors
    /// [`BadName`] with the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let bad = |reason| Err(BadName { kind: "bucket", reason });
        if text.is_empty() {
            return bad("it is empty");
        }
        if text.len() > BUCKET_NAME_MAX {
            return bad("it is longer than 8000 bytes");
        }
        if text.contains('/') {
            return bad("it contains a slash");
        }
        if text.chars().any(char::is_control) {
            return bad("it contains a control character");
        }
        if is_uuid(text) {
            return bad("32 hexadecimal digits address an unnamed object");
        }
        Ok(BucketName(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An object's name in its bucket: bytes of valid UTF-8, ordered as bytes, never normalised and never a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ObjectName(String);

impl ObjectName {
    /// Reads an object name that has been percent-decoded.
    ///
    /// # Errors
    /// [`BadName`] with the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let bad = |reason| Err(BadName { kind: "object", reason });
        if text.is_empty() {
            return bad("it is empty");
        }
        if text.len() > OBJECT_NAME_MAX {
            return bad("it is longer than 8000 bytes");
        }
        // The one character that Postgres cannot keep in a text and that no client means.
        if text.contains('\0') {
            return bad("it contains a NUL character");
        }
        Ok(ObjectName(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! display_as_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
display_as_text!(DomainName, BucketName, ObjectName);

/// Whether a path of one component addresses an unnamed or alias object: exactly 32 hexadecimal digits.
pub fn is_uuid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The three kinds of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// In a bucket, by name.
    Named,
    /// In a domain, by UUID; never changes.
    Unnamed,
    /// In a domain, by UUID; its contents may change, its UUID does not.
    Alias,
}

impl Kind {
    /// The word in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Named => "named",
            Kind::Unnamed => "unnamed",
            Kind::Alias => "alias",
        }
    }

    /// Reads the word; `None` for anything else.
    pub fn parse(word: &str) -> Option<Self> {
        [Kind::Named, Kind::Unnamed, Kind::Alias].into_iter().find(|kind| kind.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_names_follow_the_naming_rules() {
        assert_eq!(DomainName::parse("Acme.Example").expect("valid").as_str(), "acme.example");
        for good in ["a", "barrow", "x_y.z-1", "1.2.3"] {
            assert!(DomainName::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "", "-a", ".a", "_a", "a-", "a.", "a..b", "a--b", "a-.b", "a.-b", "1.2.3.4", "::1", "ä", "a b",
            "a/b",
        ] {
            assert!(DomainName::parse(bad).is_err(), "{bad}");
        }
        assert!(DomainName::parse(&"a".repeat(253)).is_ok());
        assert!(DomainName::parse(&"a".repeat(254)).is_err());
    }

    #[test]
    fn a_bucket_is_not_named_like_a_uuid_and_holds_no_slash() {
        for bad in ["", "a/b", "0123456789abcdef0123456789ABCDEF", "tab\there"] {
            assert!(BucketName::parse(bad).is_err(), "{bad}");
        }
        for good in ["a", "Photos", "fotos-älter", "0123456789abcdef0123456789abcde", "a:b,c"] {
            assert!(BucketName::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn object_names_are_any_text_without_nul() {
        for good in ["a", "/a", "..", "../../etc/passwd", "a//b", "😀", "\u{1}"] {
            assert_eq!(ObjectName::parse(good).expect("valid").as_str(), good);
        }
        assert!(ObjectName::parse("a\0b").is_err());
        assert!(ObjectName::parse("").is_err());
    }
}
