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

/// What must be true of the current version for a write or delete to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// One of these must be current.
    pub if_match: Option<Tags>,
    /// None of these may be current.
    pub if_none_match: Option<Tags>,
    /// The current version must not be younger than this, in whole seconds.
    pub unmodified_since: Option<Time>,
}

impl Condition {
    /// No condition at all.
    pub const NONE: Condition = Condition { if_match: None, if_none_match: None, unmodified_since: None };

    /// Whether it holds for `current`: the entity tag and the write time of what is there, if anything is. A date counts
    /// only where no `If-Match` is given (RFC 9110 section 13.2.2).
    pub fn holds(&self, current: Option<(&str, Time)>) -> bool {
        let matched = match (&self.if_match, current) {
            (None, _) => match (self.unmodified_since, current) {
                (Some(since), Some((_, changed))) => {
                    changed.micros() / 1_000_000 <= since.micros() / 1_000_000
                }
                _ => true,
            },
            (Some(tags), Some((etag, _))) => tags.contain(etag),
            (Some(_), None) => false,
        };
        let unmatched = match (&self.if_none_match, current) {
            (Some(tags), Some((etag, _))) => !tags.contain(etag),
            _ => true,
        };
        matched && unmatched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_speak_of_what_is_current() {
        let now = Some(("a", Time::from_secs(10)));
        let if_match = |text| Condition { if_match: Some(Tags::parse(text)), ..Condition::NONE };
        let if_none = |text| Condition { if_none_match: Some(Tags::parse(text)), ..Condition::NONE };
        assert!(if_match("\"x\", W/\"a\"").holds(now));
        assert!(!if_match("\"x\"").holds(now));
        assert!(!if_match("*").holds(None));
        assert!(if_none("*").holds(None));
        assert!(!if_none("*").holds(now));
        assert!(if_none("\"x\"").holds(now));
        let since = |secs| Condition { unmodified_since: Some(Time::from_secs(secs)), ..Condition::NONE };
        assert!(since(10).holds(now) && !since(9).holds(now) && since(9).holds(None));
        assert!(Condition::NONE.holds(None) && Condition::NONE.holds(now));
    }
}
