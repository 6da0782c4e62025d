//! The witness that a version's bytes may be destroyed.

use crate::{BlobName, ContainerId, MemberId, State, Time, VersionId, Violation};

/// Where a blob's bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the metadata database, beside its row.
    Inline,
    /// In the object store.
    Store,
}

impl Place {
    /// The word in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Place::Inline => "inline",
            Place::Store => "store",
        }
    }

    /// Reads the word; `None` for anything else.
    pub fn parse(word: &str) -> Option<Self> {
        [Place::Inline, Place::Store].into_iter().find(|place| place.as_str() == word)
    }
}

/// One blob as its row describes it. It has exactly one owner, for ever (rule R1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its name, used once, ever.
    pub name: BlobName,
    /// Which part of the object it is, from 0.
    pub part_no: i64,
    /// Where in the object its first byte belongs.
    pub start: u64,
    /// Its size in bytes, as the object has them.
    pub size: u64,
    /// MD5 of its bytes; `None` while they are still being written.
    pub md5: Option<[u8; 16]>,
    /// How the bytes look at rest; known to `blobs` alone.
    pub format: i64,
    /// Where the bytes lie.
    pub place: Place,
}

/// The right, won in the database, to destroy one version's bytes.
///
/// Nothing destroys bytes without one: `blobs::destroy` takes it, and only `metadata` makes it, in the transaction
/// that moves the row to *purging*. It is not `Clone`; it ends in `finish` or `release`, and when neither comes its
/// lease lapses and somebody else claims the row again.
#[must_use = "a claim ends in finish or release; dropped, it blocks the row until its lease lapses"]
#[derive(Debug)]
pub struct Claim {
    version: VersionId,
    contents: ContainerId,
    holder: MemberId,
    until: Time,
    blobs: Vec<Blob>,
}

impl Claim {
    /// Makes the witness. For the claiming transaction in `metadata` and nobody else; the linter refuses it elsewhere.
    ///
    /// # Errors
    /// A [`Violation`] if the row that was won is not in fact purging.
    pub fn won_in_the_database(
        version: VersionId,
        contents: ContainerId,
        state: State,
        holder: MemberId,
        until: Time,
        blobs: Vec<Blob>,
    ) -> Result<Self, Violation> {
        if state == State::Purging {
            Ok(Claim { version, contents, holder, until, blobs })
        } else {
            Err(Violation::new("R6", format!("version {version} was claimed while {state}")))
        }
    }

    /// The version whose bytes these are.
    pub fn version(&self) -> VersionId {
        self.version
    }

    /// The contents it belongs to.
    pub fn contents(&self) -> ContainerId {
        self.contents
    }

    /// Who holds it.
    pub fn holder(&self) -> MemberId {
        self.holder
    }

    /// When it lapses.
    pub fn until(&self) -> Time {
        self.until
    }

    /// The blobs to destroy, those of the object store and those in the database.
    pub fn blobs(&self) -> &[Blob] {
        &self.blobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the witness itself is under test")]
    fn no_claim_exists_on_a_row_that_is_not_purging() {
        for state in State::ALL {
            let made = Claim::won_in_the_database(
                VersionId::random(),
                ContainerId::random(),
                state,
                MemberId::random(),
                Time::NEVER,
                Vec::new(),
            );
            assert_eq!(made.is_ok(), state == State::Purging, "{state}");
        }
    }
}
