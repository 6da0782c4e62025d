//! A revision as a peer or a client writes it.

use crate::Revision;
use std::fmt;

/// A revision that somebody asks for: `N-` and whatever follows. One whose hash is not of Barrow's form is well-formed, and
/// known nowhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asked {
    text: String,
    generation: u64,
    revision: Option<Revision>,
}

/// It is no revision: a number, `-` and something after it are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRevision;

impl fmt::Display for BadRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a revision is a number, a hyphen and a hash, such as 3-917fa2381192822767f010b95b45325b")
    }
}

/// No revision is longer than this.
const LENGTH_MAX: usize = 256;

impl Asked {
    /// Reads `N-hash`.
    ///
    /// # Errors
    /// [`BadRevision`] without a number in front, a hyphen, and something of sensible length behind it.
    pub fn parse(text: &str) -> Result<Self, BadRevision> {
        let (number, hash) = text.split_once('-').ok_or(BadRevision)?;
        if text.len() > LENGTH_MAX || hash.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadRevision);
        }
        let generation = number.parse().map_err(|_| BadRevision)?;
        let revision = Revision::parse(text);
        // One spelling for each, or the same one counts twice.
        let text = revision.map_or_else(|| text.to_owned(), |revision| revision.to_string());
        Ok(Asked { text, generation, revision })
    }

    /// As it was written, hexadecimal digits in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its place along its path.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The revision; `None` for one that cannot be Barrow's.
    pub fn revision(&self) -> Option<Revision> {
        self.revision
    }
}

impl From<Revision> for Asked {
    fn from(revision: Revision) -> Self {
        Asked {
            text: revision.to_string(),
            generation: u64::from(revision.generation),
            revision: Some(revision),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
