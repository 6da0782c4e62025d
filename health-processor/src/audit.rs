//! What the tasks write down: that a purge begins, goes on and ends, and what lifepoints end. Never one record per object.
//!
//! A record that cannot be completed is written without what is missing, and nothing waits for one: what is destroyed is
//! decided in the database alone.

use crate::context::Context;
use lifecycle::audit::{PURGE_PROGRESS, Record};
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

/// A record of an event, at this time.
fn event(ctx: &Context, operation: &'static str, amount: Amount) -> Record {
    Record {
        at: ctx.clock.now(),
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
pub(crate) async fn purges(ctx: &Context, operation: &'static str, containers: &[ContainerId]) {
    if !ctx.audit.listens() {
        return;
    }
    for container in containers {
        match ctx.metadata.removal(*container).await {
            Ok(None) => {}
            Ok(Some(removal)) => {
                let amount = Amount { objects: removal.objects, bytes: removal.bytes };
                ctx.audit.record(&about(&removal, event(ctx, operation, amount)));
            }
            Err(error) => {
                tracing::warn!(%container, operation, %error, "the audit record lacks what was removed");
                let uuid = Some(container.to_string());
                ctx.audit.record(&Record { at: ctx.clock.now(), uuid, operation, ..Record::default() });
            }
        }
    }
}

/// Writes down a batch of objects that went for one reason.
pub(crate) fn batch(ctx: &Context, operation: &'static str, cause: Cause, amount: Amount) {
    if amount.objects > 0 && ctx.audit.listens() {
        ctx.audit.record(&Record { cause: Some(cause), ..event(ctx, operation, amount) });
    }
}

/// How far a run is: what it has purged since it told of it last, by the container that is being purged; all objects that
/// were deleted by themselves together.
pub(crate) struct Progress {
    told_at: Duration,
    purged: BTreeMap<Option<ContainerId>, Amount>,
}

impl Progress {
    pub(crate) fn new(ctx: &Context) -> Self {
        Progress { told_at: ctx.clock.boot(), purged: BTreeMap::new() }
    }

    /// So much is gone; of these contents, if it went because a container did.
    pub(crate) async fn add(&mut self, ctx: &Context, contents: Option<ContainerId>, amount: Amount) {
        if !ctx.audit.listens() || amount.objects == 0 {
            return;
        }
        let sum = self.purged.entry(contents).or_default();
        sum.objects += amount.objects;
        sum.bytes += amount.bytes;
        if ctx.clock.boot().saturating_sub(self.told_at) >= EVERY {
            self.tell(ctx).await;
        }
    }

    /// Writes down what has not been told yet.
    pub(crate) async fn tell(&mut self, ctx: &Context) {
        self.told_at = ctx.clock.boot();
        let mut by_removal: BTreeMap<Option<ContainerId>, (Option<Removal>, Amount)> = BTreeMap::new();
        for (contents, amount) in std::mem::take(&mut self.purged) {
            let removal = match contents {
                Some(contents) => ctx.metadata.removal_around(contents).await.unwrap_or_else(|error| {
                    tracing::warn!(%contents, %error, "the audit record lacks what was removed");
                    None
                }),
                None => None,
            };
            let key = removal.as_ref().map(|removal| removal.target);
            let (_, sum) = by_removal.entry(key).or_insert((removal, Amount::default()));
            sum.objects += amount.objects;
            sum.bytes += amount.bytes;
        }
        for (removal, amount) in by_removal.into_values() {
            let event = event(ctx, PURGE_PROGRESS, amount);
            ctx.audit.record(&match &removal {
                Some(removal) => about(removal, event),
                None => event,
            });
        }
    }
}
