//! CouchDB's name for a version: `N-hash`, its generation and a digest of what it is and where it comes from.

use md5::{Digest, Md5};
use std::fmt;

/// A version's revision. The same change made to the same parent has the same revision everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revision {
    /// Counts from 1 along a version's ancestry.
    pub generation: u32,
    /// Digest over parent, content digest, size, headers and marker flag.
    pub hash: [u8; 16],
}

/// What a revision is the digest of.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    /// The revision before; `None` for the first of its name.
    pub parent: Option<Revision>,
    /// MD5 of the content; `None` for a delete marker.
    pub content_md5: Option<[u8; 16]>,
    /// Size of the content in bytes.
    pub size: u64,
    /// The stored headers in the form they are stored in.
    pub headers: &'a str,
    /// Whether it is a delete marker.
    pub marker: bool,
}

impl Revision {
    /// The revision of what `of` describes.
    pub fn of(of: &Described<'_>) -> Self {
        let mut digest = Md5::new();
        digest.update(b"barrow revision 1\0");
        if let Some(parent) = of.parent {
            digest.update(parent.generation.to_be_bytes());
            digest.update(parent.hash);
        }
        digest.update([
            u8::from(of.parent.is_some()),
            u8::from(of.marker),
            u8::from(of.content_md5.is_some()),
        ]);
        digest.update(of.content_md5.unwrap_or_default());
        digest.update(of.size.to_be_bytes());
        digest.update(of.headers.as_bytes());
        Revision {
            generation: of.parent.map_or(0, |parent| parent.generation).saturating_add(1),
            hash: digest.finalize().into(),
        }
    }

    /// The revision of a delete marker that follows `parent`. Where a bucket keeps no markers, what was deleted counts as
    /// having this one behind it all the same, so that peers agree on it.
    pub fn deleted(parent: Option<Revision>) -> Self {
        Revision::of(&Described { parent, content_md5: None, size: 0, headers: "[]", marker: true })
    }

    /// Reads `N-hash`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (generation, hash) = text.split_once('-')?;
        if generation.starts_with(['+', '0'])
            || hash.len() != 32
            || !hash.bytes().all(|b| b.is_ascii_hexdigit())
        {
            return None;
        }
        let hash = u128::from_str_radix(hash, 16).ok()?.to_be_bytes();
        Some(Revision { generation: generation.parse().ok()?, hash })
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:032x}", self.generation, u128::from_be_bytes(self.hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_change_has_the_same_revision_and_any_difference_another() {
        let base =
            Described { parent: None, content_md5: Some([1; 16]), size: 4, headers: "{}", marker: false };
        let first = Revision::of(&base);
        assert_eq!(first, Revision::of(&base));
        assert_eq!(first.generation, 1);
        let others = [
            Described { parent: Some(first), ..base },
            Described { content_md5: Some([2; 16]), ..base },
            Described { content_md5: None, ..base },
            Described { size: 5, ..base },
            Described { headers: "{\"a\":1}", ..base },
            Described { marker: true, ..base },
        ];
        for other in others {
            assert_ne!(Revision::of(&other).hash, first.hash, "{other:?}");
        }
        assert_eq!(Revision::of(&others[0]).generation, 2);
    }

    #[test]
    fn a_revision_reads_what_it_writes() {
        let revision = Revision { generation: 12, hash: [0xab; 16] };
        assert_eq!(Revision::parse(&revision.to_string()), Some(revision));
        for bad in [
            "",
            "1",
            "1-",
            "0-00000000000000000000000000000000",
            "+1-00000000000000000000000000000000",
            "1-xyz",
        ] {
            assert_eq!(Revision::parse(bad), None, "{bad}");
        }
    }
}
