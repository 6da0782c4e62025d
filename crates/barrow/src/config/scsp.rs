//! How the SCSP door behaves where its dialects differ.

use super::section::Section;

/// `[scsp]`.
#[derive(Clone, Debug)]
pub struct Scsp {
    /// Whether DELETE of a domain or bucket without `recursive` means `recursive=yes`; otherwise it is refused.
    pub auto_recursive_delete: bool,
    /// Whose rules hold for DELETE of a domain or bucket.
    pub recursive_mode: RecursiveMode,
    /// Whether a domain or bucket is created only by a request of type `application/castorcontext`.
    pub require_explicit_context_create: bool,
    /// Whether PUT makes an object that is not there.
    pub allow_put_create: bool,
    /// Whether each write stores and answers a `Content-MD5`.
    pub auto_content_md5_computation: bool,
    /// Whether an alias object is deleted only by a request with the argument `alias`.
    pub require_alias_arg: bool,
    /// What DELETE does to an object whose current version is locked.
    pub locked_delete: LockedDelete,
}

/// Whose rules hold for DELETE of a domain or bucket without `recursive`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecursiveMode {
    /// The storage cluster's: refused, even if it is empty.
    Strict,
    /// The content gateway's: an empty one goes, as with rmdir.
    Gateway,
}

/// What DELETE does to an object whose current version is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockedDelete {
    /// It is refused.
    Forbid,
    /// It lays a delete marker over the version.
    Marker,
}

impl Scsp {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Scsp {
            auto_recursive_delete: section.truth(("auto_recursive_delete", "autoRecursiveDelete"), false),
            recursive_mode: section.choice(
                ("recursive_mode", "recursiveMode"),
                "strict",
                &[("strict", RecursiveMode::Strict), ("gateway", RecursiveMode::Gateway)],
            ),
            require_explicit_context_create: section
                .truth(("require_explicit_context_create", "requireExplicitContextCreate"), true),
            allow_put_create: section.truth(("allow_put_create", "allowPutCreate"), false),
            auto_content_md5_computation: section
                .truth(("auto_content_md5_computation", "autoContentMD5Computation"), false),
            require_alias_arg: section.truth(("require_alias_arg", "requireAliasArg"), false),
            locked_delete: section.choice(
                ("locked_delete", "lockedDelete"),
                "forbid",
                &[("forbid", LockedDelete::Forbid), ("marker", LockedDelete::Marker)],
            ),
        }
    }
}
