//! What is wrong with a configuration, as AWS judges it and says it. Nothing that is not understood is passed over.

use super::configuration::{And, Configuration, Expiration, Filter, Noncurrent, Rule, Tag, date};
use std::fmt;

/// The most rules of a bucket.
pub const RULES_MAX: usize = 1_000;
/// The longest name of a rule, in bytes.
const ID_MAX: usize = 255;
/// The longest prefix, in bytes: as the longest name.
const PREFIX_MAX: usize = 1_024;
const TAGS_MAX: usize = 10;
const TAG_KEY_MAX: usize = 128;
const TAG_VALUE_MAX: usize = 256;
const KEEP_MAX: i64 = 100;
const DAYS_MAX: i64 = 2_147_483_647;
const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;
const MINIMUMS: [&str; 2] = ["all_storage_classes_128K", "varies_by_storage_class"];

/// What kind of wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The document is not one of these.
    MalformedXml,
    /// It asks for what cannot be meant together.
    InvalidRequest,
    /// A value means nothing.
    InvalidArgument,
    /// It asks for what is not built.
    NotImplemented,
}

impl Fault {
    /// AWS's code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Fault::MalformedXml => "MalformedXML",
            Fault::InvalidRequest => "InvalidRequest",
            Fault::InvalidArgument => "InvalidArgument",
            Fault::NotImplemented => "NotImplemented",
        }
    }
}

/// A configuration that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadConfiguration {
    /// What kind of wrong.
    pub fault: Fault,
    /// What is wrong, and where.
    pub reason: String,
}

impl fmt::Display for BadConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for BadConfiguration {}

type Checked = Result<(), BadConfiguration>;

fn malformed(what: impl fmt::Display) -> BadConfiguration {
    let reason = format!(
        "The XML you provided was not well-formed or did not validate against our published schema: {what}"
    );
    BadConfiguration { fault: Fault::MalformedXml, reason }
}

fn request(reason: impl Into<String>) -> BadConfiguration {
    BadConfiguration { fault: Fault::InvalidRequest, reason: reason.into() }
}

fn argument(reason: impl Into<String>) -> BadConfiguration {
    BadConfiguration { fault: Fault::InvalidArgument, reason: reason.into() }
}

fn refuse(wrong: bool, bad: impl FnOnce() -> BadConfiguration) -> Checked {
    if wrong { Err(bad()) } else { Ok(()) }
}

impl Configuration {
    /// Passes if every rule means something, and is named once.
    ///
    /// # Errors
    /// [`BadConfiguration`].
    pub fn check(&self) -> Checked {
        refuse(self.rules.is_empty(), || malformed("it has no rule"))?;
        refuse(self.rules.len() > RULES_MAX, || malformed(format!("it has more than {RULES_MAX} rules")))?;
        if let Some(minimum) = &self.transition_default_minimum_object_size {
            refuse(!MINIMUMS.contains(&minimum.as_str()), || {
                argument(format!("TransitionDefaultMinimumObjectSize is {} or {}", MINIMUMS[0], MINIMUMS[1]))
            })?;
        }
        let mut known = std::collections::BTreeSet::new();
        for rule in &self.rules {
            rule.check()?;
            let id = rule.id.as_deref().filter(|id| !id.is_empty());
            refuse(id.is_some_and(|id| !known.insert(id)), || {
                argument("Rule ID must be unique. Found same ID for more than one rule")
            })?;
        }
        Ok(())
    }
}

impl Rule {
    fn check(&self) -> Checked {
        let id = self.id.as_deref().unwrap_or_default();
        refuse(id.len() > ID_MAX, || argument("ID length should not exceed allowed limit of 255"))?;
        // It is told in headers and logs of their own.
        refuse(id.chars().any(char::is_control), || argument("ID contains a control character"))?;
        refuse(!["Enabled", "Disabled"].contains(&self.status.as_str()), || {
            malformed("Status is Enabled or Disabled")
        })?;
        refuse(!self.transitions.is_empty(), || unbuilt("Transition"))?;
        refuse(!self.noncurrent_version_transitions.is_empty(), || unbuilt("NoncurrentVersionTransition"))?;
        self.check_scope()?;
        let acts = self.expiration.is_some()
            || self.noncurrent_version_expiration.is_some()
            || self.abort_incomplete_multipart_upload.is_some();
        refuse(!acts, || request("At least one action needs to be specified in a rule"))?;
        if let Some(expiration) = &self.expiration {
            expiration.check(self.said_tags().next().is_some())?;
        }
        if let Some(noncurrent) = &self.noncurrent_version_expiration {
            noncurrent.check()?;
        }
        self.check_abort()
    }

    fn check_scope(&self) -> Checked {
        match (&self.prefix, &self.filter) {
            (Some(_), Some(_)) => {
                return Err(malformed("Filter and the old Prefix cannot stand in one rule"));
            }
            (None, None) => return Err(malformed("a rule has a Filter")),
            (Some(_), None) => {}
            (None, Some(filter)) => filter.check()?,
        }
        let prefix = self.said_prefix().unwrap_or_default();
        refuse(prefix.len() > PREFIX_MAX, || {
            request(format!("The maximum size of a prefix is {PREFIX_MAX}"))
        })?;
        refuse(prefix.contains('\0'), || argument("A prefix contains a NUL character, which no key may"))
    }

    fn check_abort(&self) -> Checked {
        let Some(abort) = &self.abort_incomplete_multipart_upload else { return Ok(()) };
        let Some(days) = abort.days_after_initiation else {
            return Err(malformed("AbortIncompleteMultipartUpload has DaysAfterInitiation"));
        };
        refuse(!(1..=DAYS_MAX).contains(&days), || {
            argument(
                "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
            )
        })?;
        refuse(self.said_tags().next().is_some(), || {
            request("AbortIncompleteMultipartUpload cannot be specified with Tags.")
        })?;
        refuse(self.filter.as_ref().is_some_and(Filter::names_sizes), || {
            request("AbortIncompleteMultipartUpload cannot be specified with Object Size.")
        })
    }
}

impl Filter {
    fn names_sizes(&self) -> bool {
        let inside = self.and.as_ref();
        self.object_size_greater_than.is_some()
            || self.object_size_less_than.is_some()
            || inside.is_some_and(|and| {
                and.object_size_greater_than.is_some() || and.object_size_less_than.is_some()
            })
    }

    fn check(&self) -> Checked {
        let said = [
            self.prefix.is_some(),
            self.tag.is_some(),
            self.object_size_greater_than.is_some(),
            self.object_size_less_than.is_some(),
            self.and.is_some(),
        ];
        refuse(said.iter().filter(|said| **said).count() > 1, || {
            malformed("several conditions of a Filter stand in And")
        })?;
        check_sizes(self.object_size_greater_than, self.object_size_less_than)?;
        check_tags(self.tag.as_slice())?;
        self.and.as_ref().map_or(Ok(()), And::check)
    }
}

impl And {
    fn check(&self) -> Checked {
        let said = usize::from(self.prefix.is_some())
            + self.tags.len()
            + usize::from(self.object_size_greater_than.is_some())
            + usize::from(self.object_size_less_than.is_some());
        refuse(said < 2, || malformed("And holds two conditions or more"))?;
        check_sizes(self.object_size_greater_than, self.object_size_less_than)?;
        check_tags(&self.tags)
    }
}

fn check_sizes(greater: Option<i64>, less: Option<i64>) -> Checked {
    refuse(greater.is_some_and(|size| size < 0), || {
        request("'ObjectSizeGreaterThan' must be a non-negative integer")
    })?;
    refuse(less.is_some_and(|size| size < 1), || request("'ObjectSizeLessThan' must be a positive integer"))?;
    let crossed = greater.zip(less).is_some_and(|(greater, less)| less.saturating_sub(greater) < 2);
    refuse(crossed, || {
        request(
            "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan', with a size between",
        )
    })
}

fn check_tags(tags: &[Tag]) -> Checked {
    refuse(tags.len() > TAGS_MAX, || request(format!("A rule names at most {TAGS_MAX} tags")))?;
    for (at, tag) in tags.iter().enumerate() {
        let key = tag.key.chars().count();
        refuse(key == 0 || key > TAG_KEY_MAX, || BadConfiguration {
            fault: Fault::InvalidRequest,
            reason: "The TagKey you have provided is invalid".to_owned(),
        })?;
        refuse(tag.value.chars().count() > TAG_VALUE_MAX, || {
            request("The TagValue you have provided is invalid")
        })?;
        refuse(tags.iter().take(at).any(|known| known.key == tag.key), || {
            request("Duplicate Tag Keys are not allowed.")
        })?;
    }
    Ok(())
}

impl Expiration {
    fn check(&self, tagged: bool) -> Checked {
        let Expiration { date: at, days, expired_object_delete_marker: markers } = self;
        let said = [at.is_some(), days.is_some(), markers.is_some()].into_iter().filter(|said| *said).count();
        refuse(said != 1, || malformed("Expiration has one of Days, Date and ExpiredObjectDeleteMarker"))?;
        refuse(days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)), || {
            argument("'Days' for Expiration action must be a positive integer")
        })?;
        if let Some(at) = at {
            let at = date(at).ok_or_else(|| malformed("Date is a date of ISO 8601"))?;
            refuse(at.micros().rem_euclid(DAY_MICROS) != 0, || argument("'Date' must be at midnight GMT"))?;
        }
        refuse(tagged && markers.is_some(), || {
            request("Expiration action with ExpiredObjectDeleteMarker cannot be specified with Tags.")
        })
    }
}

impl Noncurrent {
    fn check(&self) -> Checked {
        let Some(days) = self.noncurrent_days else {
            return Err(malformed("NoncurrentVersionExpiration has NoncurrentDays"));
        };
        refuse(!(1..=DAYS_MAX).contains(&days), || {
            argument("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer")
        })?;
        refuse(self.newer_noncurrent_versions.is_some_and(|keep| !(1..=KEEP_MAX).contains(&keep)), || {
            argument(format!(
                "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be between 1 and {KEEP_MAX}"
            ))
        })
    }
}

fn unbuilt(what: &str) -> BadConfiguration {
    let reason = format!("{what} is not implemented: there is one storage class, and nothing to move to.");
    BadConfiguration { fault: Fault::NotImplemented, reason }
}
