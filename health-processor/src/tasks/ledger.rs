//! Dropping entries of ledgers that are beyond their limits and that every follower has passed; and telling of followers that
//! have fallen behind, for whose sake entries stay. Nobody is deregistered: that is an operator's decision.

use super::ended;
use crate::audit;
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::audit::LEDGER_PRUNE;
use lifecycle::{ContainerId, Time};
use metadata::{Failure, Lagging};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

pub(crate) struct Ledger(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Why nothing was dropped, if forgetting stands still.
    halted: Option<String>,
    /// Buckets whose ledgers were beyond their limits.
    buckets: u64,
    /// Entries that were dropped.
    dropped: u64,
    /// Entries beyond the limits that stay because some follower has not passed them.
    held: u64,
    /// Ledgers that stay as they are because a follower's cursor cannot be read.
    unreadable: u64,
    /// Followers that have fallen behind.
    lagging: Vec<LaggingView>,
}

#[derive(Serialize)]
struct LaggingView {
    domain: String,
    bucket: String,
    follower: String,
    seen_at: String,
    changes_behind: i64,
    purges_behind: i64,
}

impl LaggingView {
    fn new(lagging: Lagging) -> Self {
        let Lagging { domain, bucket, follower } = lagging;
        LaggingView {
            domain,
            bucket,
            follower: follower.id,
            seen_at: follower.seen_at.to_rfc3339(),
            changes_behind: follower.changes_behind,
            purges_behind: follower.purges_behind,
        }
    }
}

/// Buckets that one query names.
const PAGE: u32 = 256;
/// So many followers that have fallen behind are told of.
const LAGGING_MAX: u32 = 100;

#[async_trait]
impl Task for Ledger {
    fn name(&self) -> &'static str {
        "ledger"
    }

    fn purpose(&self) -> &'static str {
        "drops old entries of ledgers of purges, and tells of followers that have fallen behind"
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.work(&mut report).await;
        ended(&report, report.dropped > 0, outcome)
    }

    async fn rehearse(&mut self, _now: Time) -> Option<Value> {
        let mut report = Report::default();
        let outcome = self.rehearse_all(&mut report).await;
        Some(ended(&report, false, outcome).report)
    }
}

impl Ledger {
    async fn work(&self, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let (mut after, mut unreadable) = (None, None);
        while self.may_go_on(report).await? {
            let buckets = ctx.metadata.ledgers_over(after, PAGE).await?;
            let Some(last) = buckets.last() else { break };
            after = Some(*last);
            for bucket in buckets {
                match self.prune(bucket, report).await {
                    // One follower's cursor must not keep the ledgers of all the others.
                    Err(Trouble::Metadata(failure @ Failure::Violated(_))) => {
                        tracing::error!(%bucket, %failure, "a follower's cursor cannot be read; its ledger stays as it is");
                        report.unreadable += 1;
                        unreadable.get_or_insert(failure);
                    }
                    other => other?,
                }
            }
        }
        let told = self.tell_who_lags(report).await;
        unreadable.map_or(told, |failure| Err(failure.into()))
    }

    async fn prune(&self, bucket: ContainerId, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        report.buckets += 1;
        while self.may_go_on(report).await? {
            ctx.pass("ledger.before")?;
            let began = ctx.clock.boot();
            let pruned = ctx.metadata.prune_ledger(bucket, ctx.settings.batch).await?;
            ctx.pass("ledger.after")?;
            report.dropped += pruned.dropped;
            audit::counted(ctx, self.name(), LEDGER_PRUNE, None, pruned.dropped);
            if !pruned.more {
                report.held += pruned.held;
                break;
            }
            ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
        }
        Ok(())
    }

    /// What would be dropped, bucket by bucket, a batch of each.
    async fn rehearse_all(&self, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        self.tell_who_lags(report).await?;
        let rehearsal = ctx.metadata.rehearsal();
        for bucket in ctx.metadata.ledgers_over(None, PAGE).await? {
            let pruned = rehearsal.prune_ledger(bucket, u32::MAX).await?;
            report.buckets += 1;
            report.dropped += pruned.dropped;
            report.held += pruned.held;
        }
        Ok(())
    }

    async fn tell_who_lags(&self, report: &mut Report) -> Result<(), Trouble> {
        for lagging in self.0.metadata.followers_lagging(LAGGING_MAX).await? {
            let told = LaggingView::new(lagging);
            let LaggingView { domain, bucket, follower, seen_at, changes_behind, purges_behind } = &told;
            tracing::warn!(
                domain,
                bucket,
                follower,
                seen_at,
                changes_behind,
                purges_behind,
                "a follower has fallen behind; what it has not passed stays in the ledger until it has, or is deregistered"
            );
            report.lagging.push(told);
        }
        Ok(())
    }

    async fn may_go_on(&self, report: &mut Report) -> Result<bool, Trouble> {
        report.halted = self.0.halted().await?;
        Ok(report.halted.is_none() && !self.0.stopping())
    }
}
