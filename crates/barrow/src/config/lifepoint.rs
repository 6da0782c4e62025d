//! How lifepoints are taken, and what binds whom.

use super::section::Section;

/// `[lifepoint]`.
#[derive(Clone, Debug)]
pub struct Lifepoint {
    /// Whether a lifepoint that does not mean anything is refused; otherwise it is stored and logged.
    pub strict: bool,
    /// Whether a change that would shorten or drop a guard is refused.
    pub strict_guard: bool,
}

impl Lifepoint {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Lifepoint {
            strict: section.truth("strict", true),
            strict_guard: section.truth(("strict_guard", "strictGuard"), true),
        }
    }
}
