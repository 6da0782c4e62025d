//! Purging objects that delete markers have hidden for as long as their bucket says (CouchDB's `_auto_purge`): at once and for
//! good, with all older versions, and with an entry in the bucket's ledger for each, as if somebody had asked.
//!
//! It waits while a member is silent that has not said goodbye: what that one has not told us of may be meant for an object
//! that would be gone then.

use super::ended;
use crate::audit;
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::audit::VERSIONS_PURGE;
use lifecycle::{Cause, Member, Standing, Time, VersionId};
use metadata::{MarkersGo, RevisionPurge};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

pub(crate) struct AutoPurge(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Why nothing was purged, if purging stands still.
    halted: Option<String>,
    /// Members that are silent and have not said goodbye: until they have, nothing is purged.
    waiting_for: Vec<String>,
    /// Buckets in which markers go by themselves.
    buckets: u64,
    /// Markers whose time has come.
    due: u64,
    /// Objects that went, or in a dry run would go.
    purged: u64,
    /// Objects that stay because a guard protects something of them.
    protected: u64,
}

/// Buckets that one query names.
const PAGE: u32 = 64;

/// Names that one transaction purges.
const NAMES: u32 = 200;

#[async_trait]
impl Task for AutoPurge {
    fn name(&self) -> &'static str {
        "auto-purge"
    }

    fn purpose(&self) -> &'static str {
        "purges objects that delete markers have hidden for as long as their bucket says"
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.work(&mut report, false).await;
        let did = report.purged > 0;
        ended(&report, did, outcome).waking(did, &["reclaim", "ledger"])
    }

    async fn rehearse(&mut self, _now: Time) -> Option<Value> {
        let mut report = Report::default();
        let outcome = self.work(&mut report, true).await;
        Some(ended(&report, false, outcome).report)
    }
}

impl AutoPurge {
    async fn work(&self, report: &mut Report, dry: bool) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let mut after = None;
        loop {
            let buckets = ctx.metadata.buckets_whose_markers_go(after, PAGE).await?;
            let Some(last) = buckets.last() else { return Ok(()) };
            after = Some(last.bucket);
            for bucket in buckets {
                report.buckets += 1;
                self.bucket(bucket, report, dry).await?;
                if report.halted.is_some() || !report.waiting_for.is_empty() || ctx.stopping() {
                    return Ok(());
                }
            }
        }
    }

    async fn bucket(&self, bucket: MarkersGo, report: &mut Report, dry: bool) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let upto = ctx.clock.now().minus(bucket.after);
        let mut after: Option<(Time, VersionId)> = None;
        while !ctx.stopping() {
            let began = ctx.clock.boot();
            let stale = ctx.metadata.stale_markers(bucket.contents, upto, after, NAMES).await?;
            let Some(last) = stale.last() else { break };
            after = Some(last.at);
            report.due += stale.len() as u64;
            if dry {
                report.purged += stale.len() as u64;
                continue;
            }
            report.halted = ctx.halted().await?;
            report.waiting_for = self.silent().await?;
            if report.halted.is_some() || !report.waiting_for.is_empty() {
                break;
            }
            let order = RevisionPurge {
                domain: bucket.domain,
                bucket: bucket.bucket,
                pairs: stale.into_iter().map(|stale| stale.pair).collect(),
                door: "auto-purge",
                actor: self.name().to_owned(),
            };
            ctx.pass("auto-purge.before")?;
            let purged = ctx.metadata.purge_revisions(order).await?;
            ctx.pass("auto-purge.after")?;
            let gone = |pair: &&metadata::PairPurged| pair.purged.as_ref().is_ok_and(|ends| !ends.is_empty());
            report.purged += purged.pairs.iter().filter(gone).count() as u64;
            report.protected += purged.pairs.iter().filter(|pair| pair.purged.is_err()).count() as u64;
            let amount = (purged.versions, Some(purged.bytes));
            audit::batch_in(ctx, self.name(), VERSIONS_PURGE, (bucket.bucket, Cause::Purge), amount);
            ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
        }
        Ok(())
    }

    /// Members of which nobody knows what they do: silent past their lease, or declared dead and neither back nor forgotten.
    async fn silent(&self) -> Result<Vec<String>, Trouble> {
        let members = self.0.metadata.members().await?;
        let all = &members.members;
        let is_back = |gone: &Member| {
            let same = |other: &&Member| other.node == gone.node && other.role == gone.role;
            all.iter().filter(same).any(|other| other.incarnation > gone.incarnation)
        };
        let silent = all.iter().filter(|member| match member.standing {
            Standing::Active => member.lease_until <= members.now,
            Standing::Fenced => !is_back(member),
            Standing::Left => false,
        });
        Ok(silent.map(|member| format!("{} ({})", member.node, member.role)).collect())
    }
}
