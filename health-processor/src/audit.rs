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
    if !ctx.audit.listens() {
        return;
    }
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

/// How far a run is: what it has purged since it told of it last, by the container that is being purged and by the cause,
/// where all of a batch has one; all objects that were deleted by themselves together.
pub(crate) struct Progress {
    task: &'static str,
    told_at: Duration,
    purged: BTreeMap<(Option<ContainerId>, Option<Cause>), Amount>,
}

/// What is told of in one record: what was removed, for which cause it goes, and how much of it.
type Sums = BTreeMap<(Option<ContainerId>, Option<Cause>), (Option<Removal>, Amount)>;

impl Progress {
    pub(crate) fn new(ctx: &Context, task: &'static str) -> Self {
        Progress { task, told_at: ctx.clock.boot(), purged: BTreeMap::new() }
    }

    /// So much is gone; of these contents, if it went because a container did, and for this cause, if all has one.
    pub(crate) async fn add(
        &mut self,
        ctx: &Context,
        from: (Option<ContainerId>, Option<Cause>),
        amount: Amount,
    ) {
        if !ctx.audit.listens() || amount.objects == 0 {
            return;
        }
        let sum = self.purged.entry(from).or_default();
        sum.objects += amount.objects;
        sum.bytes += amount.bytes;
        if ctx.clock.boot().saturating_sub(self.told_at) >= EVERY {
            self.tell(ctx).await;
        }
    }

    /// Writes down what has not been told yet.
    pub(crate) async fn tell(&mut self, ctx: &Context) {
        self.told_at = ctx.clock.boot();
        let mut by_removal = Sums::new();
        for ((contents, cause), amount) in std::mem::take(&mut self.purged) {
            let removal = match contents {
                Some(contents) => ctx.metadata.removal_around(contents).await.unwrap_or_else(|error| {
                    tracing::warn!(%contents, %error, "the audit record lacks what was removed");
                    None
                }),
                None => None,
            };
            let key = (removal.as_ref().map(|removal| removal.target), cause);
            let (_, sum) = by_removal.entry(key).or_insert((removal, Amount::default()));
            sum.objects += amount.objects;
            sum.bytes += amount.bytes;
        }
        for ((_, cause), (removal, amount)) in by_removal {
            // How many bytes an unfinished upload has come to is written in no row.
            let bytes = Some(amount.bytes).filter(|_| cause != Some(Cause::Abandoned));
            let event = Record { cause, bytes, ..event(ctx, self.task, PURGE_PROGRESS, amount) };
            ctx.audit.record(&match &removal {
                Some(removal) => about(removal, event),
                None => event,
            });
        }
    }
}
