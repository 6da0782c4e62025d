//! Purging what was removed when its time has come, and giving its bytes back.
//!
//! Gather what is due, contents by contents; decide; claim (the point of no return, where the whole guard is checked once
//! more); destroy; finish or release; report. Three sources feed it: removed versions that are due, whatever lies inside
//! containers that are purging, and claims that lapsed. The first passes the decision and its brake; the other two are
//! past the point of no return already.

use super::ended;
use crate::audit;
use crate::batches::{self, Source, Tally};
use crate::brake::{Amount, is_explained};
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use crate::plan::{Facts, Found, Plan, Reason, decide};
use async_trait::async_trait;
use lifecycle::{ContainerId, State, Time};
use metadata::Failure;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Reclaim(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Why nothing was purged, if purging stands still.
    halted: Option<String>,
    /// Removed versions that were due, and what of them no request explains.
    due: Amount,
    unexplained: Amount,
    /// Contents inside purging containers that followed them, and contents with claims that had lapsed.
    cascading: usize,
    lapsed: usize,
    /// Removed versions that stay, and why.
    kept: BTreeMap<Reason, u64>,
    #[serde(flatten)]
    tally: Tally,
}

impl Report {
    fn planned(&mut self, plan: &Plan) {
        self.due = plan.due;
        self.unexplained = plan.unexplained;
        self.kept.clone_from(&plan.keep);
    }
}

/// Where a deadline has passed and nothing could be claimed, reads may still be running.
const LOOK_AGAIN_MIN: Duration = Duration::from_secs(1);

#[async_trait]
impl Task for Reclaim {
    fn name(&self) -> &'static str {
        "reclaim"
    }

    fn purpose(&self) -> &'static str {
        "purges what was removed when its time has come, and gives its bytes back"
    }

    async fn run_once(&mut self, now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.cycle(now, &mut report).await;
        if report.halted.is_none() {
            // The halt may have come in the middle.
            report.halted = self.0.metadata.halt().await.ok().flatten().map(|halt| halt.reason);
        }
        let done = report.tally.purged > 0;
        let waits = report.due.objects > 0 || report.cascading > 0 || report.tally.being_read > 0;
        let soon = waits.then(|| now.plus(self.0.settings.drain_timeout.max(LOOK_AGAIN_MIN)));
        let next = self.0.next_deadline().await;
        let due_at = match (soon, next) {
            (Some(soon), Some(next)) => Some(soon.min(next)),
            (soon, next) => soon.or(next),
        };
        ended(&report, done, outcome).due_at(due_at).waking(done, &["containers", "compact"])
    }

    async fn rehearse(&mut self, now: Time) -> Option<Value> {
        let mut report = Report::default();
        let outcome = match self.facts(now, true).await {
            Ok(facts) => {
                report.planned(&decide(&facts));
                self.0.metadata.halt().await.map(|halt| report.halted = halt.map(|halt| halt.reason))
            }
            Err(failure) => Err(failure),
        };
        Some(ended(&report, false, outcome.map_err(Trouble::from)).report)
    }
}

impl Reclaim {
    async fn cycle(&self, now: Time, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        report.halted = ctx.halted().await?;
        let facts = self.facts(now, false).await?;
        let plan = decide(&Facts { halted: report.halted.is_some(), ..facts });
        report.planned(&plan);
        if report.halted.is_some() {
            return Ok(());
        }
        if let Some(tripped) = plan.tripped {
            let reason = tripped.to_string();
            tracing::error!(%reason, "purging is halted");
            ctx.metadata.halt_purging(reason.clone()).await?;
            let Amount { objects, bytes } = plan.unexplained;
            audit::halted(ctx, self.name(), &reason, audit::Amount { objects, bytes });
            report.halted = Some(reason);
            return Ok(());
        }
        let cascading = ctx.metadata.contents_to_cascade().await?;
        let lapsed = ctx.metadata.contents_due(State::Purging, now).await?;
        report.cascading = cascading.len();
        report.lapsed = lapsed.len();
        // Lapsed claims last: they may be what could not be destroyed the last time, and it must not block the rest.
        let sources: VecDeque<Source> = cascading
            .iter()
            .map(|waiting| Source::Cascade(waiting.contents))
            .chain(plan.reclaim.iter().map(|(waiting, due)| Source::Due(*waiting, *due)))
            .chain(lapsed.iter().map(|waiting| Source::Lapsed(waiting.contents)))
            .collect();
        batches::run(ctx, self.name(), sources, &mut report.tally).await
    }

    /// What the decision rests on: reads only.
    async fn facts(&self, now: Time, dry_run: bool) -> Result<Facts, Failure> {
        let metadata = &self.0.metadata;
        let brake = self.0.settings.brake();
        let ripe: HashSet<ContainerId> = metadata
            .contents_due(State::Removed, now)
            .await?
            .iter()
            .map(|waiting| waiting.contents)
            .collect();
        // One more than the brake allows is enough to trip it; and what was not looked at is left to the next cycle.
        let limit = u32::try_from(brake.objects.saturating_add(1)).unwrap_or(u32::MAX);
        let mut all_unexplained = Amount::default();
        let mut found = Vec::new();
        for waiting in metadata.contents_with(State::Removed).await? {
            let (mut due, mut unexplained) = (Amount::default(), Amount::default());
            if waiting.above == State::Live && ripe.contains(&waiting.contents) {
                for (cause, objects, bytes) in metadata.due_by_cause(waiting.contents, now, limit).await? {
                    due += Amount { objects, bytes };
                    if !is_explained(cause) {
                        unexplained += Amount { objects, bytes };
                    }
                }
            }
            all_unexplained += unexplained;
            found.push(Found { waiting, due, unexplained });
        }
        // All bytes are added up only when it matters.
        let stored_bytes = if brake.ignores(all_unexplained) {
            0
        } else {
            metadata.usage().await?.iter().filter_map(|row| u64::try_from(row.bytes).ok()).sum()
        };
        let released_until = metadata.brake_released_until().await?;
        Ok(Facts { now, found, halted: false, dry_run, brake, stored_bytes, released_until })
    }
}
