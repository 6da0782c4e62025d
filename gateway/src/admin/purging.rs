//! Carrying a purge of versions on while its asker waits for it.

use crate::Gateway;
use metadata::{Accepted, Failure, PurgeJob, PurgeState, PurgeVersions};

/// How often a purge that must not meet anything else than was counted is tried, while others change the bucket.
const ATTEMPTS: u32 = 8;

/// What became of a purge that is to meet so many versions and no others.
#[derive(Debug)]
pub(super) enum Expected {
    /// It met them, or was known.
    Accepted(Accepted),
    /// It would meet so many.
    Changed(u64),
    /// The bucket never stood still.
    Restless,
}

/// Accepts a purge if it meets so many versions.
pub(super) async fn accept_expecting(
    gateway: &Gateway,
    mut order: PurgeVersions,
    expected: u64,
) -> Result<Expected, Failure> {
    // Of a purge that was carried out before, nothing is left to count.
    order.if_change = Some(i64::MIN);
    let known = gateway.metadata.purge_versions(order.clone()).await?;
    if known != Accepted::Moved {
        return Ok(Expected::Accepted(known));
    }
    for _ in 0..ATTEMPTS {
        let count = gateway.metadata.count_purge(&order).await?;
        if count.purged != expected {
            return Ok(Expected::Changed(count.purged));
        }
        order.if_change = Some(count.change_seq);
        let accepted = gateway.metadata.purge_versions(order.clone()).await?;
        if accepted != Accepted::Moved {
            return Ok(Expected::Accepted(accepted));
        }
    }
    Ok(Expected::Restless)
}

/// What the health processor is told if the asker goes before the end.
struct Unfinished<'a> {
    gateway: &'a Gateway,
    armed: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.gateway.wake_background();
        }
    }
}

/// Carries a purge on to its end, or until it has looked at `enough` versions. Whatever is left is the health processor's, and so
/// is all of it if the asker leaves.
pub(super) async fn carry_on(
    gateway: &Gateway,
    mut job: PurgeJob,
    enough: Option<u64>,
) -> Result<PurgeJob, Failure> {
    let mut unfinished = Unfinished { gateway, armed: true };
    while job.state == PurgeState::Running && enough.is_none_or(|enough| job.looked < enough) {
        job = gateway.metadata.purge_versions_step(job.id).await?;
        if job.waits {
            break;
        }
    }
    // What was purged is to be reclaimed; the health processor looks when that is due.
    unfinished.armed = job.state == PurgeState::Running || job.purged > 0;
    Ok(job)
}
