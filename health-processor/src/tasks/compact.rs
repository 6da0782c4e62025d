//! Giving the disk back what reclaiming and forgetting freed inside the database file.

use super::ended;
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::Time;
use serde::Serialize;
use std::sync::Arc;

pub(crate) struct Compact(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Free pages inside the database file, before.
    free_pages: u64,
    /// Pages given back.
    returned_pages: u64,
    /// Whether the write-ahead log was cut, too: only then has the file shrunk.
    log_cut: bool,
}

/// Pages that are left free: the next writes want them, and moving a page for each of them would cost more.
const RESERVE: u64 = 64;
/// Pages in one turn. Everybody who writes waits for it.
const TURN: u32 = 256;

#[async_trait]
impl Task for Compact {
    fn name(&self) -> &'static str {
        "compact"
    }

    fn purpose(&self) -> &'static str {
        "gives the disk back what was freed inside the database file"
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.compact(&mut report).await;
        // The turns of this run were all there was to do; what is freed later is the next period's.
        ended(&report, report.returned_pages > 0, outcome)
    }
}

impl Compact {
    async fn compact(&self, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let mut free = ctx.metadata.free_pages().await?;
        report.free_pages = free;
        while free >= RESERVE && !ctx.stopping() {
            let began = ctx.clock.boot();
            let turn = ctx.metadata.compact(TURN).await?;
            report.returned_pages += turn.returned_pages;
            free = turn.free_pages.saturating_sub(turn.returned_pages);
            if turn.returned_pages == 0 {
                break;
            }
            ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
        }
        if report.returned_pages > 0 {
            report.log_cut = ctx.metadata.truncate_wal().await?;
        }
        Ok(())
    }
}
