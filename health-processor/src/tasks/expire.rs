//! Removing what its lifepoint, or a lifecycle rule of its bucket, has ended. Reads hide it in the second it falls due; this makes the row say so, and
//! starts its grace.

use super::ended;
use crate::audit::{self, Amount};
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::audit::{LIFECYCLE_DELETE, LIFEPOINT_DELETE};
use lifecycle::{Cause, Condition, Refusal, State, Time, VersionId};
use metadata::{Delete, Expired, Failure, Markers, ObjectCommand, Outcome, Which};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) struct Expire(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Why nothing was removed, if purging stands still: then a clock may be wrong.
    halted: Option<String>,
    /// Versions that have expired.
    expired: u64,
    /// What was removed, or in a rehearsal would be.
    removed: u64,
    /// Versions in containers that are not live: timers do not act there.
    skipped: u64,
    /// Versions that were refused, by the reason.
    refused: BTreeMap<&'static str, u64>,
}

#[async_trait]
impl Task for Expire {
    fn name(&self) -> &'static str {
        "expire"
    }

    fn purpose(&self) -> &'static str {
        "removes objects that their lifepoint or a lifecycle rule has ended"
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.sweep(&mut report, false).await;
        let due_at = self.0.next_deadline().await;
        ended(&report, report.removed > 0, outcome).due_at(due_at).waking(report.removed > 0, &["reclaim"])
    }

    async fn rehearse(&mut self, _now: Time) -> Option<Value> {
        let mut report = Report::default();
        let outcome = self.sweep(&mut report, true).await;
        Some(ended(&report, false, outcome).report)
    }
}

impl Expire {
    async fn sweep(&self, report: &mut Report, dry_run: bool) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let mut after = (Time::from_micros(i64::MIN), VersionId::from_bytes([0; 16]));
        while !ctx.stopping() {
            if !dry_run {
                report.halted = ctx.halted().await?;
                if report.halted.is_some() {
                    break;
                }
            }
            let page = ctx.metadata.list_expired(after, ctx.settings.batch).await?;
            let Some(last) = page.last() else { break };
            after = (last.at, last.version);
            report.expired += page.len() as u64;
            let (live, others): (Vec<_>, Vec<_>) =
                page.into_iter().partition(|expired| expired.above == State::Live);
            report.skipped += others.len() as u64;
            if dry_run {
                report.removed += live.len() as u64;
                continue;
            }
            ctx.pass("expire.before")?;
            let began = ctx.clock.boot();
            let by_rule: Vec<bool> = live.iter().map(|expired| expired.rule.is_some()).collect();
            let commands = live.into_iter().map(|expired| self.removal(expired)).collect();
            let (mut by_lifepoint, mut by_rules, mut trouble) = (Amount::default(), Amount::default(), None);
            for (answer, by_rule) in ctx.metadata.objects(commands, true).await.into_iter().zip(by_rule) {
                match answer {
                    Ok(outcome) => {
                        report.removed += 1;
                        let gone = if by_rule { &mut by_rules } else { &mut by_lifepoint };
                        gone.objects += 1;
                        gone.bytes += if let Outcome::Deleted(deleted) = outcome { deleted.size } else { 0 };
                    }
                    Err(Failure::Refused(refusal)) => count(&mut report.refused, &refusal),
                    Err(failure) => trouble = trouble.or(Some(failure)),
                }
            }
            audit::batch(ctx, self.name(), LIFEPOINT_DELETE, Cause::Lifepoint, by_lifepoint);
            audit::batch(ctx, self.name(), LIFECYCLE_DELETE, Cause::Lifecycle, by_rules);
            if let Some(failure) = trouble {
                return Err(failure.into());
            }
            ctx.pass("expire.after")?;
            ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
        }
        Ok(())
    }

    /// The command of a client that nobody sees: this version and no other, only because its lifepoint or a rule says so.
    fn removal(&self, expired: Expired) -> ObjectCommand {
        ObjectCommand::Delete(Delete {
            domain: expired.domain,
            bucket: expired.bucket,
            name: expired.name,
            which: Which::Version(expired.version),
            // Where older versions are kept, what was there before must not show again.
            marker: VersionId::ordered(self.0.clock.now()),
            markers: Markers::Single,
            hides_guarded: false,
            bypass: false,
            heeds_spec: false,
            expects: None,
            condition: Condition::NONE,
            cause: Cause::Lifepoint,
            actor: "lifepoint".to_owned(),
            grace: self.0.settings.object_delete_delay,
        })
    }
}

fn count(refused: &mut BTreeMap<&'static str, u64>, refusal: &Refusal) {
    *refused.entry(refusal.token()).or_default() += 1;
}
