//! Accepted for SCSP's sake: nothing here goes stale.

use super::section::Section;
use std::time::Duration;

/// `[cache]`.
#[derive(Clone, Debug)]
pub struct Cache {
    /// Has no effect: a name is reusable at once, and no cache outlives a delete.
    pub realm_stale_timeout: Duration,
}

impl Cache {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let any = Duration::ZERO..=Duration::from_secs(365 * 24 * 3600);
        Cache {
            realm_stale_timeout: section.duration(("realm_stale_timeout", "realmStaleTimeout"), "10min", any),
        }
    }
}
