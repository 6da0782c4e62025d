//! Ending multipart uploads that took longer than uploads may. Their parts then wait to be reclaimed.

use super::ended;
use crate::audit;
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::audit::UPLOAD_EXPIRE;
use lifecycle::{Cause, Time};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

pub(crate) struct Uploads(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Why nothing was ended, if purging stands still: then a clock may be wrong.
    halted: Option<String>,
    /// Uploads that were ended, and completed ones that were forgotten.
    ended: u64,
    /// When the next one ends.
    next: Option<String>,
}

/// Uploads that end in one transaction, with all of their parts.
const AT_ONCE: u32 = 64;

#[async_trait]
impl Task for Uploads {
    fn name(&self) -> &'static str {
        "uploads"
    }

    fn purpose(&self) -> &'static str {
        "ends multipart uploads that were never completed"
    }

    async fn run_once(&mut self, now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.end(&mut report).await;
        let next = self.0.metadata.next_upload_expiry().await.ok().flatten().filter(|at| *at > now);
        report.next = next.map(Time::to_rfc3339);
        ended(&report, report.ended > 0, outcome).due_at(next).waking(report.ended > 0, &["reclaim"])
    }

    async fn rehearse(&mut self, _now: Time) -> Option<Value> {
        let mut report = Report::default();
        let next = self.0.metadata.next_upload_expiry().await;
        let outcome = next.map(|next| report.next = next.map(Time::to_rfc3339)).map_err(Trouble::from);
        Some(ended(&report, false, outcome).report)
    }
}

impl Uploads {
    async fn end(&self, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        while !ctx.stopping() {
            report.halted = ctx.halted().await?;
            if report.halted.is_some() {
                break;
            }
            ctx.pass("uploads.before")?;
            let began = ctx.clock.boot();
            let ended = ctx.metadata.expire_uploads(AT_ONCE).await?;
            ctx.pass("uploads.after")?;
            report.ended += ended;
            audit::counted(ctx, self.name(), UPLOAD_EXPIRE, Some(Cause::Abandoned), ended);
            if ended == 0 {
                break;
            }
            ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
        }
        Ok(())
    }
}
