//! What the tasks write down of what they change: that a purge begins, goes on and ends, and a batch of anything else with
//! its cause and counts. Never one record per object.
//!
//! A record that cannot be completed is written without what is missing, and nothing waits for one: what is destroyed is
//! decided in the database alone.

use crate::context::Context;
use lifecycle::audit::{PURGE_HALT, PURGE_PROGRESS, Record};
use lifecycle::{Cause, ContainerId};
use metadata::Removal;
use std::collections::BTreeMap;
use std::time::Duration;

/// A long purge tells this often how far it is.
const EVERY: Duration = Duration::from_secs(60);

/// Versions and their bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amount {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
}

/// A record of what `task` did, at this time.
fn event(ctx: &Context, task: &'static str, operation: &'static str, amount: Amount) -> Record {
    Record {
        at: ctx.clock.now(),
        door: task,
        operation,
        objects: Some(amount.objects),
        bytes: Some(amount.bytes),
        ..Record::default()
    }
}

fn about(removal: &Removal, event: Record) -> Record {
    Record {
        domain: removal.domain.clone(),
        bucket: removal.bucket.clone(),
        uuid: Some(removal.target.to_string()),
        purge_after: Some(removal.purge_after),
        ..event
    }
}

/// Writes down that the purge of these containers began or ended, with what they held when they were removed. One that
/// only went with the container around it is not told of.
pub(crate) async fn purges(
    ctx: &Context,
    task: &'static str,
    operation: &'static str,
    containers: &[ContainerId],
) {
    if !ctx.audit.listens() || containers.is_empty() {
        return;
    }
    ctx.progress.lock().await.tell(ctx);
    for container in containers {
        match ctx.metadata.removal(*container).await {
            Ok(None) => {}
            Ok(Some(removal)) => {
                let amount = Amount { objects: removal.objects, bytes: removal.bytes };
                ctx.audit.record(&about(&removal, event(ctx, task, operation, amount)));
            }
            Err(error) => {
                tracing::warn!(%container, operation, %error, "the audit record lacks what was removed");
                let (uuid, door) = (Some(container.to_string()), task);
                ctx.audit.record(&Record { at: ctx.clock.now(), door, uuid, operation, ..Record::default() });
            }
        }
    }
}

/// Writes down a batch of objects that `task` changed for one reason.
pub(crate) fn batch(
    ctx: &Context,
    task: &'static str,
    operation: &'static str,
    cause: Cause,
    amount: Amount,
) {
    if amount.objects > 0 && ctx.audit.listens() {
        ctx.audit.record(&Record { cause: Some(cause), ..event(ctx, task, operation, amount) });
    }
}

/// Writes down a batch of objects of one bucket.
pub(crate) fn batch_in(
    ctx: &Context,
    task: &'static str,
    operation: &'static str,
    (bucket, cause): (ContainerId, Cause),
    (objects, bytes): (u64, Option<u64>),
) {
    if objects > 0 && ctx.audit.listens() {
        let (uuid, cause) = (Some(bucket.to_string()), Some(cause));
        ctx.audit.record(&Record { uuid, cause, bytes, ..count(ctx, task, operation, objects) });
    }
}

/// Writes down a batch of something that has no bytes.
pub(crate) fn counted(
    ctx: &Context,
    task: &'static str,
    operation: &'static str,
    cause: Option<Cause>,
    objects: u64,
) {
    if objects > 0 && ctx.audit.listens() {
        ctx.audit.record(&Record { cause, ..count(ctx, task, operation, objects) });
    }
}

/// Writes down that purging stands still from now on.
pub(crate) fn halted(ctx: &Context, task: &'static str, reason: &str, unexplained: Amount) {
    if ctx.audit.listens() {
        let detail = Some(reason.to_owned());
        ctx.audit.record(&Record { detail, ..event(ctx, task, PURGE_HALT, unexplained) });
    }
}

fn count(ctx: &Context, task: &'static str, operation: &'static str, objects: u64) -> Record {
    Record { bytes: None, ..event(ctx, task, operation, Amount { objects, bytes: 0 }) }
}

/// What has been purged and not been told of: by the task, by the container that is being purged and by the cause, where all
/// of a batch has one; all objects that were deleted by themselves together.
///
/// One for the process, and not one for each run: whoever writes down that a purge has ended tells first what is in here, so
/// that in the trail its end stands behind its progress.
#[derive(Default)]
pub(crate) struct Progress {
    told_at: Duration,
    /// The removals by which contents are being purged, as they were found before the last of these went.
    around: BTreeMap<ContainerId, Option<Removal>>,
    purged: BTreeMap<(&'static str, From), Amount>,
}

/// The contents that something comes from, if it goes because a container did; and why, if all of it has one cause.
pub(crate) type From = (Option<ContainerId>, Option<Cause>);

/// What is told of in one record: by whom and for which cause it goes, what was removed, and how much of it.
type Sums = BTreeMap<(&'static str, Option<ContainerId>, Option<Cause>), (Option<Removal>, Amount)>;

impl Progress {
    /// Finds out by which removal these contents are being purged, while that can be told from the rows.
    pub(crate) async fn foresee(&mut self, ctx: &Context, contents: Option<ContainerId>) {
        let Some(contents) = contents.filter(|_| ctx.audit.listens()) else { return };
        if self.around.contains_key(&contents) {
            return;
        }
        let removal = ctx.metadata.removal_around(contents).await.unwrap_or_else(|error| {
            tracing::warn!(%contents, %error, "the audit record lacks what was removed");
            None
        });
        self.around.insert(contents, removal);
    }

    /// So much is gone.
    pub(crate) fn add(&mut self, ctx: &Context, task: &'static str, from: From, amount: Amount) {
        if !ctx.audit.listens() || amount.objects == 0 {
            return;
        }
        if self.purged.is_empty() {
            self.told_at = ctx.clock.boot();
        }
        let sum = self.purged.entry((task, from)).or_default();
        sum.objects += amount.objects;
        sum.bytes += amount.bytes;
        if ctx.clock.boot().saturating_sub(self.told_at) >= EVERY {
            self.tell(ctx);
        }
    }

    /// Writes down what has not been told yet.
    pub(crate) fn tell(&mut self, ctx: &Context) {
        let mut by_removal = Sums::new();
        let around = std::mem::take(&mut self.around);
        for ((task, (contents, cause)), amount) in std::mem::take(&mut self.purged) {
            let removal = contents.and_then(|contents| around.get(&contents).cloned().flatten());
            let key = (task, removal.as_ref().map(|removal| removal.target), cause);
            let (_, sum) = by_removal.entry(key).or_insert((removal, Amount::default()));
            sum.objects += amount.objects;
            sum.bytes += amount.bytes;
        }
        for ((task, _, cause), (removal, amount)) in by_removal {
            // How many bytes an unfinished upload has come to is written in no row.
            let bytes = Some(amount.bytes).filter(|_| cause != Some(Cause::Abandoned));
            let event = Record { cause, bytes, ..event(ctx, task, PURGE_PROGRESS, amount) };
            ctx.audit.record(&match &removal {
                Some(removal) => about(removal, event),
                None => event,
            });
        }
    }

    /// Drops what was not told: whoever was struck tells nothing.
    pub(crate) fn drop_untold(&mut self) {
        *self = Progress::default();
    }
}
