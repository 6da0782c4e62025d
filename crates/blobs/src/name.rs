//! Where a blob lies under its root, and what a path found under the root is.

use crate::open::INSTALLATION;
use lifecycle::BlobName;
use object_store::path::Path;

/// What a path is, judged by its text alone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A blob under its own name.
    Blob(BlobName),
    /// A temporary file of an upload of this blob (`object_store` writes `NAME#1` and renames or links it).
    Leftover(BlobName),
    /// The file that says whose root this is.
    Installation,
    /// Nothing of Barrow's.
    Foreign,
}

/// The path of a blob: two levels of its first digits, so that no directory grows large, then its whole name.
pub(crate) fn path_of(name: BlobName) -> Path {
    Path::from(text_of(name))
}

/// The two directories of a blob: `ab` and `cd` of `abcd…`, as numbers.
pub(crate) fn leaf_of(name: BlobName) -> (u8, u8) {
    (name.as_bytes()[0], name.as_bytes()[1])
}

/// Judges a path relative to the root. Strict: upper case, other levels or an extra digit make it foreign, and what is
/// foreign is never touched.
pub(crate) fn judge(path: &str) -> Found {
    if path == INSTALLATION {
        return Found::Installation;
    }
    if let Some(name) = exact(path) {
        return Found::Blob(name);
    }
    match path.rsplit_once('#') {
        Some((stem, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            exact(stem).map_or(Found::Foreign, Found::Leftover)
        }
        _ => Found::Foreign,
    }
}

fn text_of(name: BlobName) -> String {
    let digits = name.to_string();
    format!("{}/{}/{digits}", &digits[..2], &digits[2..4])
}

fn exact(path: &str) -> Option<BlobName> {
    let name = path.rsplit('/').next()?.parse().ok()?;
    (text_of(name) == path).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_lies_two_levels_deep_and_is_found_again() {
        let name: BlobName = "abcdef00000000000000000000000001".parse().unwrap();
        let path = "ab/cd/abcdef00000000000000000000000001";
        assert_eq!(path_of(name).as_ref(), path);
        assert_eq!(leaf_of(name), (0xab, 0xcd));
        assert_eq!(judge(path), Found::Blob(name));
        assert_eq!(judge(&format!("{path}#1")), Found::Leftover(name));
        assert_eq!(judge(&format!("{path}#12")), Found::Leftover(name));
    }

    #[test]
    fn whatever_is_not_exactly_a_blob_is_foreign() {
        for path in [
            "",
            "lost+found/x",
            "abcdef00000000000000000000000001",
            "cd/ab/abcdef00000000000000000000000001",
            "AB/CD/ABCDEF00000000000000000000000001",
            "ab/cd/abcdef0000000000000000000000001",
            "ab/cd/abcdef000000000000000000000000011",
            "ab/cd/ef/abcdef00000000000000000000000001",
            "/ab/cd/abcdef00000000000000000000000001",
            "ab/cd/abcdef00000000000000000000000001#",
            "ab/cd/abcdef00000000000000000000000001#x",
            "ab/cd/abcdef00000000000000000000000001#1#2",
            "barrow-installation#1",
        ] {
            assert_eq!(judge(path), Found::Foreign, "{path}");
        }
        assert_eq!(judge("barrow-installation"), Found::Installation);
    }
}
