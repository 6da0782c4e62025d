//! What every task works with: metadata, blobs, the clock, the stop signal, and the question whether to destroy at all.

use crate::audit::Progress;
use crate::driver::stopping;
use crate::failpoint::{Failpoints, Struck};
use crate::settings::Settings;
use crate::tasks::events::{Pauses, Told};
use blobs::Blobs;
use lifecycle::{MemberId, SharedAudit, SharedClock, Time, Violation};
use metadata::{ClaimOrder, Failure, Metadata};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Metadata(#[from] Failure),
    #[error(transparent)]
    Blobs(#[from] blobs::BlobError),
    #[error(transparent)]
    Struck(#[from] Struck),
}

pub(crate) struct Context {
    pub(crate) metadata: Metadata,
    pub(crate) blobs: Blobs,
    pub(crate) clock: SharedClock,
    pub(crate) settings: Settings,
    /// Where events are written down.
    pub(crate) audit: SharedAudit,
    /// Versions of which this process left only the tombstone, and their bytes.
    pub(crate) purged: (AtomicU64, AtomicU64),
    /// What of it is still to be written down.
    pub(crate) progress: tokio::sync::Mutex<Progress>,
    /// Claims that had lapsed or been given up, and that this process took over.
    pub(crate) lapsed: AtomicU64,
    /// What webhooks were told, and which of them are left alone for a while.
    pub(crate) told: Told,
    pub(crate) pauses: Mutex<Pauses>,
    /// Broken rules that this process found.
    pub(crate) violations: Mutex<BTreeMap<&'static str, u64>>,
    /// This run of this process; the holder of its claims.
    pub(crate) member: MemberId,
    pub(crate) failpoints: Failpoints,
    stop: watch::Receiver<bool>,
    boot_id: String,
    /// Wall and boot time of the last heartbeat.
    beaten: Mutex<Option<(Time, Duration)>>,
}

/// Within this time one heartbeat serves all tasks.
const BEAT_SERVES: Duration = Duration::from_secs(5);
/// Wall and boot time that differ by more than this since the last heartbeat are told to the database at once, which
/// judges them.
const LEAP_TOLD: Duration = Duration::from_secs(60);

impl Context {
    pub(crate) fn new(
        metadata: Metadata,
        blobs: Blobs,
        clock: SharedClock,
        settings: Settings,
        audit: SharedAudit,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let member = MemberId::random();
        // Where the kernel does not tell, every start counts as a boot of its own: nothing is compared across it.
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_or_else(|_| member.to_string(), |text| text.trim().to_owned());
        let (failpoints, beaten) = (Failpoints::default(), Mutex::new(None));
        let (purged, progress, lapsed, violations, told, pauses) = Default::default();
        Context {
            metadata,
            blobs,
            clock,
            settings,
            audit,
            purged,
            progress,
            lapsed,
            told,
            pauses,
            violations,
            member,
            failpoints,
            stop,
            boot_id,
            beaten,
        }
    }

    /// Counts a broken rule that a task has found.
    pub(crate) fn violated(&self, violation: &Violation) {
        let mut violations = self.violations.lock().unwrap_or_else(PoisonError::into_inner);
        *violations.entry(violation.rule).or_default() += 1;
    }

    /// Whether to come to an end. That nobody can give the signal any more is one too.
    pub(crate) fn stopping(&self) -> bool {
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }

    /// Rests in proportion to the work just done, or until the stop signal.
    pub(crate) async fn rest(&self, worked: Duration) {
        self.pause(self.settings.pace().rest(worked)).await;
    }

    /// Waits so long, or until the stop signal.
    pub(crate) async fn pause(&self, length: Duration) {
        if length.is_zero() {
            return;
        }
        let mut stop = self.stop.clone();
        tokio::select! {
            () = stopping(&mut stop) => {}
            () = tokio::time::sleep(length) => {}
        }
    }

    /// A claim by this process for up to `limit` versions.
    pub(crate) fn order(&self, limit: u32) -> ClaimOrder {
        ClaimOrder {
            holder: self.member,
            limit,
            lease: self.settings.lease,
            drain: self.settings.drain_timeout,
        }
    }

    /// Tells the database that this process is alive and what its clocks say; a clock that ran ahead halts purging.
    pub(crate) async fn beat(&self) -> Result<(), Failure> {
        let (wall, boot) = (self.clock.now(), self.clock.boot());
        self.metadata.heartbeat(&self.settings.node, &self.boot_id, boot).await?;
        *self.beaten.lock().unwrap_or_else(PoisonError::into_inner) = Some((wall, boot));
        Ok(())
    }

    /// A heartbeat, unless one has just been made and the clocks have kept step since.
    async fn beat_if_due(&self) -> Result<(), Failure> {
        let beaten = *self.beaten.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = beaten.is_some_and(|(wall, boot)| {
            let booted = self.clock.boot().saturating_sub(boot);
            booted < BEAT_SERVES && self.clock.now().since(wall).abs_diff(booted) <= LEAP_TOLD
        });
        if fresh { Ok(()) } else { self.beat().await }
    }

    /// What every task asks before it destroys anything, and between two batches: the reason to stand still, if there
    /// is one (rule R2).
    pub(crate) async fn halted(&self) -> Result<Option<String>, Failure> {
        self.beat_if_due().await?;
        Ok(self.metadata.halt().await?.map(|halt| halt.reason))
    }

    /// The next deadline of anything, if it lies ahead. One that has passed and is still unmet says nothing: what it
    /// belongs to is kept by a guard, by its container, or for reads that are still running.
    pub(crate) async fn next_deadline(&self) -> Option<Time> {
        let now = self.clock.now();
        self.metadata.next_due().await.ok().flatten().filter(|at| *at > now)
    }

    pub(crate) fn pass(&self, failpoint: &'static str) -> Result<(), Struck> {
        self.failpoints.pass(failpoint)
    }
}
