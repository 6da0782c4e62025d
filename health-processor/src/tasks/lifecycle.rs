//! Planning anew when objects go by themselves, after the lifecycle rules of their bucket were changed. What the rules let go
//! is removed by the task `expire`, in the second it falls due for readers; uploads that they give up end in the task `uploads`.
//!
//! Each step writes down how far it came, and the walk goes on there, after a crash as well.

use super::ended;
use crate::audit;
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::audit::LIFECYCLE_PLAN;
use lifecycle::{Cause, Time};
use metadata::{Replan, ReplanAt};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

pub(crate) struct Lifecycle(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Buckets whose rules were changed.
    buckets: u64,
    /// Buckets of which every version was planned anew.
    done: u64,
    /// Versions and uploads that were looked at.
    looked: u64,
    /// Those that go at another time now.
    changed: u64,
}

/// Buckets that one query names.
const PAGE: u32 = 256;

#[async_trait]
impl Task for Lifecycle {
    fn name(&self) -> &'static str {
        "lifecycle"
    }

    fn purpose(&self) -> &'static str {
        "plans anew when objects go, after a bucket's lifecycle rules were changed"
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.plan(&mut report).await;
        ended(&report, report.done > 0, outcome).waking(report.changed > 0, &["expire", "uploads"])
    }

    async fn rehearse(&mut self, _now: Time) -> Option<Value> {
        let mut report = Report::default();
        let buckets = self.0.metadata.buckets_to_replan(None, PAGE).await;
        let outcome = buckets.map(|buckets| report.buckets = buckets.len() as u64).map_err(Trouble::from);
        Some(ended(&report, false, outcome).report)
    }
}

impl Lifecycle {
    async fn plan(&self, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let mut after = None;
        while !ctx.stopping() {
            let buckets = ctx.metadata.buckets_to_replan(after, PAGE).await?;
            let Some(last) = buckets.last() else { break };
            after = Some(last.bucket);
            report.buckets += buckets.len() as u64;
            for bucket in buckets {
                self.plan_in(bucket, report).await?;
            }
        }
        Ok(())
    }

    async fn plan_in(&self, replan: Replan, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let mut at: Option<ReplanAt> = Some(ctx.metadata.replan_at(replan).await?);
        while let Some(from) = at {
            if ctx.stopping() {
                return Ok(());
            }
            ctx.pass("lifecycle.before")?;
            let began = ctx.clock.boot();
            let step = ctx.metadata.replan(replan, from, ctx.settings.batch).await?;
            ctx.pass("lifecycle.after")?;
            if step.waits {
                // A removed bucket is planned when it comes back; the change is not forgotten until then.
                return Ok(());
            }
            report.looked += step.looked;
            report.changed += step.changed;
            let changed = (step.changed, None);
            audit::batch_in(ctx, self.name(), LIFECYCLE_PLAN, (replan.bucket, Cause::Lifecycle), changed);
            at = step.next;
            ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
        }
        ctx.metadata.replanned(replan).await?;
        report.done += 1;
        Ok(())
    }
}
