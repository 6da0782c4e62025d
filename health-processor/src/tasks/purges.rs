//! Carrying on the purges of versions whose askers do not: because the purge was too large to be waited for, because they left,
//! or because their gateway died. What a purge means was fixed when it was accepted, so nothing is decided here.

use super::ended;
use crate::audit;
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::audit::VERSIONS_PURGE;
use lifecycle::{Cause, ContainerId, Time};
use metadata::PurgeState;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

pub(crate) struct Purges(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Why nothing was purged, if purging stands still: then a clock may be wrong.
    halted: Option<String>,
    /// Purges that were under way.
    running: u64,
    /// Those of them that came to their end.
    done: u64,
    /// Those that wait until their bucket is live again.
    waiting: u64,
    /// Versions that went.
    purged: u64,
    /// Versions that stay because a guard protects them.
    protected: u64,
    /// Earlier purges of which nothing can be restored any more.
    closed: u64,
}

/// Purges that one query names.
const PAGE: u32 = 64;

#[async_trait]
impl Task for Purges {
    fn name(&self) -> &'static str {
        "purges"
    }

    fn purpose(&self) -> &'static str {
        "carries on purges of versions that nobody waits for"
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.carry_on(&mut report).await;
        let did = report.purged + report.done > 0;
        ended(&report, did, outcome).waking(report.purged > 0, &["reclaim"])
    }

    async fn rehearse(&mut self, _now: Time) -> Option<Value> {
        let mut report = Report::default();
        let running = self.0.metadata.purges_running(None, PAGE).await;
        let outcome = running.map(|running| report.running = running.len() as u64).map_err(Trouble::from);
        Some(ended(&report, false, outcome).report)
    }
}

impl Purges {
    async fn carry_on(&self, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let mut after = None;
        while !ctx.stopping() {
            let running = ctx.metadata.purges_running(after, PAGE).await?;
            let Some(last) = running.last() else { break };
            after = Some(*last);
            report.running += running.len() as u64;
            for (_, id) in running {
                self.carry_on_one(id, report).await?;
            }
            if report.halted.is_some() {
                return Ok(());
            }
        }
        report.closed = ctx.metadata.close_purges().await?;
        Ok(())
    }

    async fn carry_on_one(&self, id: ContainerId, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let Some(mut job) = ctx.metadata.purge_job(id).await? else { return Ok(()) };
        while job.state == PurgeState::Running && !ctx.stopping() {
            report.halted = ctx.halted().await?;
            if report.halted.is_some() {
                return Ok(());
            }
            ctx.pass("purges.before")?;
            let began = ctx.clock.boot();
            let step = ctx.metadata.purge_versions_step(id).await?;
            ctx.pass("purges.after")?;
            if step.waits {
                report.waiting += 1;
                return Ok(());
            }
            // Somebody else may have done some of it meanwhile.
            let (purged, bytes) =
                (step.purged.saturating_sub(job.purged), step.bytes.saturating_sub(job.bytes));
            report.purged += purged;
            report.protected += step.protected.saturating_sub(job.protected);
            let what = (step.bucket, Cause::Purge);
            audit::batch_in(ctx, self.name(), VERSIONS_PURGE, what, (purged, Some(bytes)));
            job = step;
            ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
        }
        report.done += u64::from(job.state == PurgeState::Done);
        Ok(())
    }
}
