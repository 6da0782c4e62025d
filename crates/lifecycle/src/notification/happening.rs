//! What happens to an object that somebody may want to hear of.

use std::fmt;

/// Something that happened to a version of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Happening {
    /// Its content was written.
    Put,
    /// A form brought it.
    Post,
    /// It was made of another object, or of itself with other headers.
    Copied,
    /// Its parts were put together.
    Completed,
    /// It was removed for good, as far as its client knows.
    Deleted,
    /// A delete marker hides the object.
    Marked,
    /// Its time came, and it was removed.
    Expired,
    /// Its time came, and a delete marker hides the object.
    ExpiredMarked,
    /// What had been removed came back.
    Restored,
    /// It cannot be brought back any more.
    Purged,
}

impl Happening {
    /// All of them.
    pub const ALL: [Happening; 10] = [
        Happening::Put,
        Happening::Post,
        Happening::Copied,
        Happening::Completed,
        Happening::Deleted,
        Happening::Marked,
        Happening::Expired,
        Happening::ExpiredMarked,
        Happening::Restored,
        Happening::Purged,
    ];

    /// What it is called: S3's name, or one of our own where S3 has none.
    pub const fn as_str(self) -> &'static str {
        match self {
            Happening::Put => "s3:ObjectCreated:Put",
            Happening::Post => "s3:ObjectCreated:Post",
            Happening::Copied => "s3:ObjectCreated:Copy",
            Happening::Completed => "s3:ObjectCreated:CompleteMultipartUpload",
            Happening::Deleted => "s3:ObjectRemoved:Delete",
            Happening::Marked => "s3:ObjectRemoved:DeleteMarkerCreated",
            Happening::Expired => "s3:LifecycleExpiration:Delete",
            Happening::ExpiredMarked => "s3:LifecycleExpiration:DeleteMarkerCreated",
            Happening::Restored => "barrow:Restored",
            Happening::Purged => "barrow:Purged",
        }
    }

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Happening::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// Whether there is a content afterwards that was not there before.
    pub const fn brings(self) -> bool {
        matches!(
            self,
            Happening::Put | Happening::Post | Happening::Copied | Happening::Completed | Happening::Restored
        )
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a word in a rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// To hear of these.
    Of(Vec<Happening>),
    /// Something that S3 knows and that never happens here.
    Unbuilt,
    /// Nothing that S3 knows.
    Unknown,
}

/// What S3 tells of beside, as words begin.
const UNBUILT: [&str; 8] = [
    "s3:ReducedRedundancyLostObject",
    "s3:ObjectRestore:",
    "s3:Replication:",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectTagging:",
    "s3:ObjectAcl:",
    "s3:TestEvent",
];

/// Reads a word of a rule: a name, or one of S3's that end in a star.
pub fn heard(word: &str) -> Heard {
    let all = |start: &str| -> Vec<Happening> {
        Happening::ALL.into_iter().filter(|known| known.as_str().starts_with(start)).collect()
    };
    match word {
        "s3:ObjectCreated:*" => Heard::Of(all("s3:ObjectCreated:")),
        "s3:ObjectRemoved:*" => Heard::Of(all("s3:ObjectRemoved:")),
        "s3:LifecycleExpiration:*" => Heard::Of(all("s3:LifecycleExpiration:")),
        _ => match Happening::parse(word) {
            Some(happening) => Heard::Of(vec![happening]),
            None if UNBUILT.iter().any(|known| word.starts_with(known)) => Heard::Unbuilt,
            None => Heard::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_ask_for_what_happens() {
        assert_eq!(heard("s3:ObjectRemoved:*"), Heard::Of(vec![Happening::Deleted, Happening::Marked]));
        assert!(matches!(heard("s3:ObjectCreated:*"), Heard::Of(all) if all.len() == 4));
        for happening in Happening::ALL {
            assert_eq!(heard(happening.as_str()), Heard::Of(vec![happening]));
        }
        assert_eq!(heard("s3:ObjectRestore:Completed"), Heard::Unbuilt);
        for unknown in ["", "*", "s3:*", "s3:ObjectCreated", "s3:objectcreated:*", "barrow:*"] {
            assert_eq!(heard(unknown), Heard::Unknown, "{unknown}");
        }
    }
}
