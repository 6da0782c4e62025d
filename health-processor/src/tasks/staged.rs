//! Purging uploads that were begun and never finished. Nobody was ever told that these bytes are kept.

use super::ended;
use crate::batches::{self, Source, Tally};
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::{State, Time};
use metadata::{Failure, Waiting};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

pub(crate) struct Staged(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Why nothing was purged, if purging stands still.
    halted: Option<String>,
    /// Uploads that began before this are given up.
    begun_before: String,
    /// Buckets that hold any.
    buckets: usize,
    #[serde(flatten)]
    tally: Tally,
}

#[async_trait]
impl Task for Staged {
    fn name(&self) -> &'static str {
        "staged"
    }

    fn purpose(&self) -> &'static str {
        "purges the bytes of uploads that were never finished"
    }

    async fn run_once(&mut self, now: Time) -> Status {
        let mut report = Report { begun_before: self.before(now).to_rfc3339(), ..Report::default() };
        let outcome = self.purge(now, &mut report).await;
        ended(&report, report.tally.purged > 0, outcome)
    }

    async fn rehearse(&mut self, now: Time) -> Option<Value> {
        let mut report = Report { begun_before: self.before(now).to_rfc3339(), ..Report::default() };
        let outcome = self.abandoned(now).await.map(|found| report.buckets = found.len());
        Some(ended(&report, false, outcome.map_err(Trouble::from)).report)
    }
}

impl Staged {
    fn before(&self, now: Time) -> Time {
        now.minus(self.0.settings.staged_expiry)
    }

    /// Only where everything above is live: timers do not act elsewhere, and a purging container takes them along.
    async fn abandoned(&self, now: Time) -> Result<Vec<Waiting>, Failure> {
        let mut found = self.0.metadata.contents_due(State::Staged, self.before(now)).await?;
        found.retain(|waiting| waiting.above == State::Live);
        Ok(found)
    }

    async fn purge(&self, now: Time, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        report.halted = ctx.halted().await?;
        if report.halted.is_some() {
            return Ok(());
        }
        let (found, before) = (self.abandoned(now).await?, self.before(now));
        report.buckets = found.len();
        let sources = found.iter().map(|waiting| Source::Abandoned(waiting.contents, before)).collect();
        batches::run(ctx, self.name(), sources, &mut report.tally).await
    }
}
