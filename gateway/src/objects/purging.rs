//! Carrying a purge of versions on while its asker waits for it.

use crate::Gateway;
use lifecycle::ContainerId;
use metadata::{Failure, PurgeJob, PurgeState};

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
pub(crate) async fn carry_on(
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

/// Carries on what a write purges. The write has happened, and whatever hinders this is no news of it: what is left then is the
/// health processor's.
pub(super) async fn carry_on_behind(gateway: &Gateway, purge: ContainerId) {
    let unfinished = Unfinished { gateway, armed: true };
    let begun = gateway.metadata.purge_versions_step(purge).await;
    let done = match begun {
        Ok(job) => carry_on(gateway, job, Some(gateway.settings.purge_waited_for)).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = done {
        tracing::warn!(%failure, %purge, "a purge that came with a write is left to the health processor");
    }
    drop(unfinished);
}
