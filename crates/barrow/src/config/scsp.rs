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
}

/// Whose rules hold for DELETE of a domain or bucket without `recursive`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecursiveMode {
    /// The storage cluster's: refused, even if it is empty.
    Strict,
    /// The content gateway's: an empty one goes, as with rmdir.
    Gateway,
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
        }
    }
}
