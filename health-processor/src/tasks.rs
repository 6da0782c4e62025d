//! The tasks, one file each.

mod auto_purge;
mod compact;
mod containers;
pub(crate) mod events;
mod expire;
mod forget;
mod heartbeat;
mod history;
mod ledger;
mod lifecycle;
mod purges;
mod reclaim;
mod reconcile;
mod scrub;
mod staged;
mod uploads;

use crate::context::{Context, Trouble};
use crate::driver::{Progress, Status, Task};
use serde::Serialize;
use std::sync::Arc;

/// Every task, in the order in which one round makes work for the next.
pub(crate) fn all(context: &Arc<Context>) -> Vec<Box<dyn Task>> {
    let context = || Arc::clone(context);
    vec![
        Box::new(heartbeat::Heartbeat(context())),
        Box::new(lifecycle::Lifecycle(context())),
        Box::new(expire::Expire(context())),
        Box::new(history::History(context())),
        Box::new(purges::Purges(context())),
        Box::new(auto_purge::AutoPurge(context())),
        Box::new(uploads::Uploads(context())),
        Box::new(containers::Containers(context())),
        Box::new(reclaim::Reclaim(context())),
        Box::new(staged::Staged(context())),
        Box::new(forget::Forget(context())),
        Box::new(ledger::Ledger(context())),
        Box::new(compact::Compact(context())),
        Box::new(events::Events(context())),
        Box::new(reconcile::Reconcile::new(context())),
        Box::new(scrub::Scrub(context())),
    ]
}

/// How a run ended, as the driver wants to know it.
fn ended(report: &impl Serialize, did_something: bool, outcome: Result<(), Trouble>) -> Status {
    let progress = if did_something { Progress::Busy } else { Progress::Idle };
    Status::done(report, progress).failing(outcome.err().map(|trouble| trouble.to_string()))
}
