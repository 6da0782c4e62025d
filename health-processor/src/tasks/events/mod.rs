//! Telling webhooks what happened to objects.
//!
//! One member at a time is at it, by the lease of the task's row: so of an object, a target is told in the order in which
//! things happened, and of each thing at least once. Whoever dies between telling and writing down that it was taken leaves
//! it to be told again, under the same id. A target that is away is left alone for a while; one that does not take a message
//! is told of other objects meanwhile.
//!
//! | file | promise |
//! | --- | --- |
//! | `message` | to whom a notice goes, and what is said |
//! | `patience` | when a target is tried again |
//! | `telling` | one target's share of a run |

mod message;
mod patience;
mod telling;

pub(crate) use patience::Pauses;

use super::ended;
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task, stopping};
use async_trait::async_trait;
use futures_util::future::join_all;
use lifecycle::{Refusal, Time};
use metadata::{Backlog, Failure};
use serde::Serialize;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// As the tasks' table knows it.
pub(crate) const NAME: &str = "events";
/// Whoever died at it holds it no longer than this. Longer than one share and one message take.
const LEASE: Duration = Duration::from_secs(90);
/// How often is asked whether there is anything to tell.
const LOOK: Duration = Duration::from_secs(1);
/// Notices that are addressed in one transaction.
const PAGE: u32 = 500;
/// Messages that are given up in one transaction.
const GIVEN_UP: u32 = 1_000;

pub(crate) struct Events(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Another member is at it.
    elsewhere: bool,
    /// Notices of which it was found out who wants to hear of them.
    addressed: u64,
    /// Messages that were taken.
    delivered: u64,
    /// Attempts in vain.
    failed_attempts: u64,
    /// Messages that nobody took in all the time that they had.
    given_up: u64,
    /// What waits, target by target.
    backlog: Vec<Backlog>,
}

/// What has been told since the process started.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) delivered: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) given_up: AtomicU64,
}

/// What the shares of one run have in common.
struct Run {
    busy: AtomicUsize,
    elsewhere: AtomicBool,
    addressed: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
}

#[async_trait]
impl Task for Events {
    fn name(&self) -> &'static str {
        NAME
    }

    fn purpose(&self) -> &'static str {
        "tells webhooks what happened to objects"
    }

    fn interval(&self) -> Option<Duration> {
        Some(self.0.settings.interval)
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        let mut report = Report::default();
        let outcome = self.work(&mut report).await;
        let did = report.addressed + report.delivered + report.given_up > 0;
        ended(&report, did && !report.elsewhere, outcome)
    }

    async fn rehearse(&mut self, _now: Time) -> Option<Value> {
        let mut report = Report::default();
        let outcome = self.0.metadata.backlog().await.map(|backlog| report.backlog = backlog);
        Some(ended(&report, false, outcome.map_err(Trouble::from)).report)
    }
}

impl Events {
    async fn work(&self, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        report.backlog = ctx.metadata.backlog().await?;
        if report.backlog.is_empty() {
            return Ok(());
        }
        if ctx.metadata.take_task(NAME, ctx.member, LEASE).await?.is_none() {
            report.elsewhere = true;
            return Ok(());
        }
        let outcome = self.tell(report).await;
        // As if the process had died.
        if !matches!(outcome, Err(Trouble::Struck(_))) {
            ctx.metadata.keep_task(NAME, ctx.member, None, &Value::Null).await?;
        }
        report.backlog = ctx.metadata.backlog().await?;
        outcome
    }

    async fn tell(&self, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        self.give_up(report).await?;
        let targets = &ctx.settings.events.targets;
        let run = Run {
            busy: AtomicUsize::new(targets.len()),
            elsewhere: AtomicBool::new(false),
            addressed: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        };
        let outcome = async {
            self.address(&run).await?;
            let shares = targets.iter().map(|(name, webhook)| self.share(name, &**webhook, &run));
            join_all(shares).await.into_iter().collect::<Result<(), Trouble>>()
        };
        let outcome = outcome.await;
        report.addressed = run.addressed.into_inner();
        report.delivered = run.delivered.into_inner();
        report.failed_attempts = run.failed.into_inner();
        report.elsewhere = run.elsewhere.into_inner();
        ctx.told.delivered.fetch_add(report.delivered, Ordering::Relaxed);
        ctx.told.failed.fetch_add(report.failed_attempts, Ordering::Relaxed);
        outcome
    }

    /// Finds out who wants to hear of what happened.
    async fn address(&self, run: &Run) -> Result<(), Trouble> {
        let ctx = &*self.0;
        while !ctx.stopping() {
            let notices = ctx.metadata.notices(PAGE).await?;
            if notices.is_empty() {
                return Ok(());
            }
            let count = notices.len() as u64;
            let addressed = notices.into_iter().map(|notice| {
                let to = message::addressed(&notice);
                (notice, to)
            });
            match ctx.metadata.address(addressed.collect()).await {
                Ok(()) => run.addressed.fetch_add(count, Ordering::Relaxed),
                // Another member, or another share of this run, was faster.
                Err(Failure::Refused(Refusal::Conflict)) => return Ok(()),
                Err(failure) => return Err(failure.into()),
            };
            ctx.pass("events.after_address")?;
        }
        Ok(())
    }

    /// What could not be told for so long is not told any more, and the operator hears of that.
    async fn give_up(&self, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let before = ctx.clock.now().minus(ctx.settings.events.give_up);
        loop {
            let given_up = ctx.metadata.give_up_deliveries(before, GIVEN_UP).await?;
            for (target, name, seq) in &given_up {
                tracing::error!(
                    target_name = target,
                    name,
                    seq,
                    "a webhook has not taken a message in all its time; it is given up"
                );
            }
            report.given_up += given_up.len() as u64;
            ctx.told.given_up.fetch_add(given_up.len() as u64, Ordering::Relaxed);
            if given_up.len() < GIVEN_UP as usize || ctx.stopping() {
                return Ok(());
            }
        }
    }
}

/// Lets the task run as soon as there is something to tell, until the stop signal.
pub(crate) async fn look_out(ctx: Arc<Context>, wake: impl Fn() + Send, mut stop: watch::Receiver<bool>) {
    let targets = &ctx.settings.events.targets;
    loop {
        tokio::select! {
            biased;
            () = stopping(&mut stop) => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = ctx.clock.now();
        let there: Vec<String> = {
            let pauses = ctx.pauses.lock().unwrap_or_else(PoisonError::into_inner);
            targets.keys().filter(|target| !pauses.holds(target, now)).cloned().collect()
        };
        match ctx.metadata.anything_to_tell(&there).await {
            Ok(true) => wake(),
            Ok(false) => {}
            Err(error) => tracing::debug!(%error, "it could not be asked whether there is anything to tell"),
        }
    }
}
