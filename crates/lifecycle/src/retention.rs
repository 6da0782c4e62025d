//! Object Lock: until when a version may not be deleted, and who may shorten that (S3 Object Lock).
//!
//! A retention is one of the two spellings of a dated guard; the other is a lifepoint's `deletable=no`. Both are taken into
//! the version's one [`Guard`], which is all that a deletion asks. What is kept beside it here is what S3 shows, and what
//! decides on changes.

use crate::{Guard, Time};

/// Who may shorten a retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionMode {
    /// Whoever holds the right to bypass it, and says so.
    Governance,
    /// Nobody.
    Compliance,
}

impl RetentionMode {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            RetentionMode::Governance => "governance",
            RetentionMode::Compliance => "compliance",
        }
    }

    /// The mode of this word in the database.
    pub fn parse(word: &str) -> Option<Self> {
        [RetentionMode::Governance, RetentionMode::Compliance].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// A version is kept until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Who may shorten it.
    pub mode: RetentionMode,
    /// When it ends.
    pub until: Time,
}

impl Retention {
    /// The guard that it is.
    pub fn guard(self) -> Guard {
        Guard { from: None, until: Some(self.until), hold: false }
    }
}
