//! The cluster's side of what domains and buckets ask for in their `Policy-*` headers.

use super::section::Section;

/// `[policy]`.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whether buckets may have versions.
    pub versioning: bool,
    /// Whether lifecycle rules are in force.
    pub lifecycle: bool,
}

impl Policy {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Policy {
            // Swarm's default is "disallowed". Here what is overwritten is kept for its grace in any case, so that
            // versions are no new promise; and an S3 client that switches them on and is refused, or is told so and
            // does not get them, is served worst. Nothing has versions unasked.
            versioning: section.choice("versioning", "allowed", &[("allowed", true), ("disallowed", false)]),
            // Here, too, Swarm's default is off. A rule exists only where somebody wrote it; accepting it and not
            // keeping it would be the surprise.
            lifecycle: section.choice("lifecycle", "enabled", &[("enabled", true), ("disabled", false)]),
        }
    }
}
