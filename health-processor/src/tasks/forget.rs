//! Dropping tombstones whose memory has run out: first those of versions, then those of the containers around them.

use super::ended;
use crate::audit;
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::audit::{FORGET, FORGET_CONTAINERS};
use lifecycle::{State, Time};
use metadata::Waiting;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;

pub(crate) struct Forget(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Why nothing was forgotten, if forgetting stands still.
    halted: Option<String>,
    /// Tombstones of versions that were dropped.
    versions: u64,
    /// Tombstones of domains, buckets and contents that were dropped.
    containers: u64,
}

/// Containers of each kind in one transaction.
const AT_ONCE: u32 = 256;

#[async_trait]
impl Task for Forget {
    fn name(&self) -> &'static str {
        "forget"
    }

    fn purpose(&self) -> &'static str {
        "drops tombstones whose memory has run out"
    }

    async fn run_once(&mut self, now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.forget(now, &mut report).await;
        ended(&report, report.versions + report.containers > 0, outcome)
    }
}

impl Forget {
    async fn forget(&self, now: Time, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let mut around: VecDeque<Waiting> = ctx.metadata.contents_due(State::Purged, now).await?.into();
        // What is inside a removed container is left as it is: it may come back.
        around.retain(|waiting| matches!(waiting.above, State::Live | State::Purged));
        while let Some(waiting) = around.pop_front() {
            if !self.may_go_on(report).await? {
                return Ok(());
            }
            ctx.pass("forget.before")?;
            let began = ctx.clock.boot();
            let gone = ctx.metadata.forget(waiting.contents, ctx.settings.batch).await?;
            ctx.pass("forget.after")?;
            report.versions += gone;
            audit::counted(ctx, self.name(), FORGET, None, gone);
            if gone == u64::from(ctx.settings.batch) {
                around.push_back(waiting);
            }
            ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
        }
        while self.may_go_on(report).await? {
            let gone = ctx.metadata.forget_containers(AT_ONCE).await?;
            report.containers += gone;
            audit::counted(ctx, self.name(), FORGET_CONTAINERS, None, gone);
            if gone == 0 {
                break;
            }
        }
        Ok(())
    }

    async fn may_go_on(&self, report: &mut Report) -> Result<bool, Trouble> {
        report.halted = self.0.halted().await?;
        Ok(report.halted.is_none() && !self.0.stopping())
    }
}
