//! Removing older versions where versioning was switched off. They are invisible from the moment of the switch; this gives
//! each of them its grace, so that whoever regrets it can have them back until then.

use super::ended;
use crate::audit;
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::audit::HISTORY_DELETE;
use lifecycle::{Cause, ContainerId, Time};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

pub(crate) struct History(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Why nothing was removed, if purging stands still: then a clock may be wrong.
    halted: Option<String>,
    /// Buckets in which older versions were left.
    buckets: u64,
    /// Versions that were removed.
    removed: u64,
    /// Versions that stay because a guard protects them.
    guarded: u64,
}

/// Buckets that one query names.
const PAGE: u32 = 256;

#[async_trait]
impl Task for History {
    fn name(&self) -> &'static str {
        "history"
    }

    fn purpose(&self) -> &'static str {
        "removes older versions where versioning was switched off"
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.erase(&mut report).await;
        ended(&report, report.removed > 0, outcome).waking(report.removed > 0, &["reclaim"])
    }

    async fn rehearse(&mut self, _now: Time) -> Option<Value> {
        let mut report = Report::default();
        let buckets = self.0.metadata.buckets_erasing(None, PAGE).await;
        let outcome = buckets.map(|buckets| report.buckets = buckets.len() as u64).map_err(Trouble::from);
        Some(ended(&report, false, outcome).report)
    }
}

impl History {
    async fn erase(&self, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let mut after = None;
        while !ctx.stopping() {
            let buckets = ctx.metadata.buckets_erasing(after, PAGE).await?;
            let Some(last) = buckets.last() else { break };
            after = Some(*last);
            report.buckets += buckets.len() as u64;
            for bucket in buckets {
                self.erase_in(bucket, report).await?;
            }
            if report.halted.is_some() {
                break;
            }
        }
        Ok(())
    }

    async fn erase_in(&self, bucket: ContainerId, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        while !ctx.stopping() {
            report.halted = ctx.halted().await?;
            if report.halted.is_some() {
                break;
            }
            ctx.pass("history.before")?;
            let began = ctx.clock.boot();
            let grace = ctx.settings.object_delete_delay;
            let step = ctx.metadata.erase_history(bucket, grace, ctx.settings.batch).await?;
            ctx.pass("history.after")?;
            report.removed += step.removed;
            let amount = (step.removed, Some(step.bytes));
            audit::batch_in(ctx, self.name(), HISTORY_DELETE, (bucket, Cause::Versioning), amount);
            if step.removed == 0 {
                // The same ones are protected in every step.
                report.guarded += step.guarded;
                break;
            }
            ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
        }
        Ok(())
    }
}
