//! Conditions of a write (RFC 9110 section 13), kept until they can be decided: inside the transaction, on the row that
//! is current there.

use crate::Time;

/// The entity tags that a header listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// `*`: whatever is there, if anything is.
    Any,
    /// These, without quotes and without a weakness mark.
    List(Vec<String>),
}

impl Tags {
    /// Reads a header's value: `*`, or tags separated by commas. Weak tags are taken for strong ones.
    pub fn parse(value: &str) -> Tags {
        if value.trim() == "*" {
            return Tags::Any;
        }
        let bare = |tag: &str| {
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").or_else(|| tag.strip_prefix("w/")).unwrap_or(tag);
            tag.trim_matches('"').to_owned()
        };
        Tags::List(value.split(',').map(bare).filter(|tag| !tag.is_empty()).collect())
    }

    /// Whether `etag` is among them.
    pub fn contain(&self, etag: &str) -> bool {
        match self {
            Tags::Any => true,
            Tags::List(tags) => tags.iter().any(|tag| tag == etag),
        }
    }
}

/// Which of a version's two entity tags a door speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TagKind {
    /// The version's id: SCSP's. It changes with every write.
    #[default]
    Version,
    /// [`content_tag`]: S3's. Equal content has equal tags.
    Content,
}

/// S3's entity tag of a version: the MD5 of its content in hexadecimal; of an object made of parts, the MD5 over the MD5s
/// of these, a hyphen, and how many there are.
pub fn content_tag(md5: [u8; 16], parts: Option<u32>) -> String {
    let md5 = u128::from_be_bytes(md5);
    match parts {
        None => format!("{md5:032x}"),
        Some(parts) => format!("{md5:032x}-{parts}"),
    }
}

/// What a condition is held against: the version that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct There<'a> {
    /// Its id; of a container, the entity tag of its headers.
    pub version: &'a str,
    /// Its [`content_tag`]; `None` of what has no content.
    pub content: Option<&'a str>,
    /// Size of its content in bytes.
    pub size: u64,
    /// When it was written.
    pub changed: Time,
}

impl<'a> There<'a> {
    /// A container's headers, which have an entity tag of their own and a time of change.
    pub fn headers(etag: &'a str, changed: Time) -> Self {
        There { version: etag, content: None, size: 0, changed }
    }
}

/// What must be true of the current version for a write or delete to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Which tags `if_match` and `if_none_match` list.
    pub by: TagKind,
    /// One of these must be current.
    pub if_match: Option<Tags>,
    /// None of these may be current.
    pub if_none_match: Option<Tags>,
    /// The current version must not be younger than this, in whole seconds.
    pub unmodified_since: Option<Time>,
    /// It must be there and have this size in bytes.
    pub if_match_size: Option<u64>,
    /// It must be there and have been written in this very second.
    pub if_match_last_modified: Option<Time>,
}

impl Condition {
    /// No condition at all.
    pub const NONE: Condition = Condition {
        by: TagKind::Version,
        if_match: None,
        if_none_match: None,
        unmodified_since: None,
        if_match_size: None,
        if_match_last_modified: None,
    };

    /// Whether there is nothing to check, whatever tags it would be checked by.
    pub fn is_empty(&self) -> bool {
        *self == Condition { by: self.by, ..Condition::NONE }
    }

    /// Whether it holds for `current`, what is there, if anything is. A date counts only where no `If-Match` is given
    /// (RFC 9110 section 13.2.2).
    pub fn holds(&self, current: Option<There<'_>>) -> bool {
        let tag = |there: There<'_>, tags: &Tags| match (self.by, there.content) {
            (TagKind::Version, _) => tags.contain(there.version),
            (TagKind::Content, Some(content)) => tags.contain(content),
            (TagKind::Content, None) => *tags == Tags::Any,
        };
        let matched = match (&self.if_match, current) {
            (None, _) => match (self.unmodified_since, current) {
                (Some(since), Some(there)) => second(there.changed) <= second(since),
                _ => true,
            },
            (Some(tags), Some(there)) => tag(there, tags),
            (Some(_), None) => false,
        };
        let unmatched = match (&self.if_none_match, current) {
            (Some(tags), Some(there)) => !tag(there, tags),
            _ => true,
        };
        let sized = self.if_match_size.is_none_or(|size| current.is_some_and(|there| there.size == size));
        let timed = self
            .if_match_last_modified
            .is_none_or(|at| current.is_some_and(|there| second(there.changed) == second(at)));
        matched && unmatched && sized && timed
    }
}

fn second(time: Time) -> i64 {
    time.micros().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Option<There<'static>> =
        Some(There { version: "a", content: Some("c-2"), size: 7, changed: Time::from_micros(10_400_000) });

    #[test]
    fn conditions_speak_of_what_is_current() {
        let if_match = |text| Condition { if_match: Some(Tags::parse(text)), ..Condition::NONE };
        let if_none = |text| Condition { if_none_match: Some(Tags::parse(text)), ..Condition::NONE };
        assert!(if_match("\"x\", W/\"a\"").holds(NOW));
        assert!(!if_match("\"x\"").holds(NOW));
        assert!(!if_match("*").holds(None));
        assert!(if_none("*").holds(None));
        assert!(!if_none("*").holds(NOW));
        assert!(if_none("\"x\"").holds(NOW));
        let since = |secs| Condition { unmodified_since: Some(Time::from_secs(secs)), ..Condition::NONE };
        assert!(since(10).holds(NOW) && !since(9).holds(NOW) && since(9).holds(None));
        assert!(Condition::NONE.holds(None) && Condition::NONE.holds(NOW));
    }

    #[test]
    fn they_speak_by_one_kind_of_tag() {
        let content = Condition { by: TagKind::Content, ..Condition::NONE };
        assert!(content.is_empty() && Condition::NONE.is_empty());
        let if_match = |text| Condition { if_match: Some(Tags::parse(text)), ..content.clone() };
        let if_none = |text| Condition { if_none_match: Some(Tags::parse(text)), ..content.clone() };
        assert!(if_match("\"c-2\"").holds(NOW) && !if_match("\"a\"").holds(NOW));
        assert!(!if_none("\"c-2\"").holds(NOW) && if_none("\"a\"").holds(NOW));
        let bare = NOW.map(|there| There { content: None, ..there });
        assert!(if_match("*").holds(bare) && !if_match("\"c-2\"").holds(bare));
        assert!(!if_none("*").holds(bare) && if_none("\"c-2\"").holds(bare));
    }

    #[test]
    fn size_and_second_want_something_to_be_there() {
        let size = |size| Condition { if_match_size: Some(size), ..Condition::NONE };
        assert!(size(7).holds(NOW) && !size(8).holds(NOW) && !size(0).holds(None));
        let at = |secs| Condition { if_match_last_modified: Some(Time::from_secs(secs)), ..Condition::NONE };
        assert!(at(10).holds(NOW) && !at(9).holds(NOW) && !at(11).holds(NOW) && !at(10).holds(None));
        assert!(!size(7).is_empty() && !at(10).is_empty());
    }

    #[test]
    fn a_content_tag_tells_how_many_parts_there_were() {
        let md5 = 0x00ff_u128.to_be_bytes();
        assert_eq!(content_tag(md5, None), "000000000000000000000000000000ff");
        assert_eq!(content_tag(md5, Some(3)), "000000000000000000000000000000ff-3");
    }
}
