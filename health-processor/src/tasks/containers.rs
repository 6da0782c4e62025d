//! Purging removed domains, buckets and emptied contents: from the top down past the point of no return, and from the
//! bottom up to tombstones once nothing is left inside.

use super::ended;
use crate::audit;
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::Time;
use lifecycle::audit::{PURGE_DONE, PURGE_START};
use metadata::{DeletionRow, PurgeStep};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Containers(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Why nothing was purged, if purging stands still.
    halted: Option<String>,
    #[serde(flatten)]
    step: PurgeStep,
}

#[derive(Default, Serialize)]
struct Rehearsal {
    /// Removals whose own time has come. A guard or a later promise inside may still keep them.
    due: Vec<DeletionRow>,
}

/// Containers of each kind in one transaction.
const AT_ONCE: u32 = 256;
/// Where members are waited for, the next look comes so soon.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Removals that a rehearsal looks at.
const LISTED: u32 = 1_000;

#[async_trait]
impl Task for Containers {
    fn name(&self) -> &'static str {
        "containers"
    }

    fn purpose(&self) -> &'static str {
        "purges removed domains and buckets when their time has come, from the top down"
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.purge(&mut report).await;
        let opened = report.step.begun + report.step.cascaded;
        let due_at = self.0.next_deadline().await;
        // Who is waited for answers soon, or is fenced soon.
        let soon = (report.step.waiting > 0).then(|| self.0.clock.now().plus(LOOK_AGAIN));
        let due_at = match (due_at, soon) {
            (Some(due), Some(soon)) => Some(due.min(soon)),
            (due, soon) => due.or(soon),
        };
        ended(&report, opened + report.step.purged > 0, outcome)
            .due_at(due_at)
            .waking(opened > 0, &["reclaim"])
    }

    async fn rehearse(&mut self, now: Time) -> Option<Value> {
        let mut rehearsal = Rehearsal::default();
        let outcome = self.0.metadata.deletions(Some("removed"), LISTED).await.map(|rows| {
            rehearsal.due = rows.into_iter().filter(|row| row.purge_after <= now).collect();
        });
        Some(ended(&rehearsal, false, outcome.map_err(Trouble::from)).report)
    }
}

impl Containers {
    async fn purge(&self, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        while !ctx.stopping() {
            report.halted = ctx.halted().await?;
            if report.halted.is_some() {
                break;
            }
            ctx.pass("containers.before")?;
            let began = ctx.clock.boot();
            let step = ctx.metadata.purge_containers(AT_ONCE, ctx.settings.deletion_memory).await?;
            ctx.pass("containers.after")?;
            audit::purges(ctx, self.name(), PURGE_START, &step.started).await;
            audit::purges(ctx, self.name(), PURGE_DONE, &step.ended).await;
            report.step.begun += step.begun;
            report.step.cascaded += step.cascaded;
            report.step.purged += step.purged;
            // The same ones are kept in every step.
            report.step.kept = step.kept;
            (report.step.waiting, report.step.waits_for) = (step.waiting, step.waits_for);
            if step.begun + step.cascaded + step.purged == 0 {
                break;
            }
            ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
        }
        Ok(())
    }
}
