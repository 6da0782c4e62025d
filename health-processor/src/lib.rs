//! What happens when nobody asks: purging what is due, reclaiming its bytes, expiring, forgetting, and looking whether
//! all is well.
//!
//! [`driver`] runs tasks and knows nothing of Barrow; `tasks` holds one file per task. Every task that destroys goes the
//! same way: gather what is due, decide (pure; a dry run ends there), claim, destroy, finish or release, report. The
//! claim is a row in the database, so that two processors never do the same work, and either may die anywhere: the claim
//! lapses, somebody claims again, and destroying what is gone already does no harm. The places where it may die have
//! names: [`failpoint`].

pub mod brake;
pub mod driver;
pub mod failpoint;

mod audit;
mod batches;
mod context;
mod plan;
mod settings;
mod tasks;
mod webhook;

pub use driver::TaskView;
pub use settings::Settings;
pub use webhook::{Events, Untaken, Webhook};

use blobs::Blobs;
use context::Context;
use driver::{Driver, Finished, Recorder};
use futures_util::FutureExt;
use lifecycle::{MemberId, SharedAudit, SharedClock};
use metadata::Metadata;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use tokio::sync::watch;

/// The health processor of one process.
pub struct HealthProcessor {
    driver: Driver,
    context: Arc<Context>,
}

impl HealthProcessor {
    /// Starts it: every task runs in its time until `stop` says true, and writes down in `audit` what it purges. Wants a
    /// tokio runtime with timers.
    pub fn start(
        metadata: Metadata,
        blobs: Blobs,
        clock: SharedClock,
        settings: Settings,
        audit: SharedAudit,
        stop: watch::Receiver<bool>,
    ) -> HealthProcessor {
        let processor = Self::at_rest(metadata, blobs, clock, settings, audit, stop.clone());
        processor.driver.start();
        if let Some(wake) = processor.driver.waker(tasks::events::NAME) {
            tokio::spawn(tasks::events::look_out(Arc::clone(&processor.context), wake, stop));
        }
        processor
    }

    /// A processor whose tasks run only when they are told to: by [`HealthProcessor::run_now`] and
    /// [`HealthProcessor::run_all_until_idle`].
    pub fn at_rest(
        metadata: Metadata,
        blobs: Blobs,
        clock: SharedClock,
        settings: Settings,
        audit: SharedAudit,
        stop: watch::Receiver<bool>,
    ) -> HealthProcessor {
        failpoint::announce();
        let settings = settings.within_bounds();
        let pace = settings.pace();
        let record = recorder(metadata.clone());
        let context = Context::new(metadata, blobs, Arc::clone(&clock), settings, audit, stop.clone());
        let context = Arc::new(context);
        let driver = Driver::new(tasks::all(&context), clock, pace, record, stop);
        HealthProcessor { driver, context }
    }

    /// Lets every task look at once whether there is something to do, except those with an interval of their own.
    pub fn wake(&self) {
        self.driver.wake();
    }

    /// Runs one task to its end, after a run that may be under way, and gives its report; it goes on when the caller goes
    /// away. A dry run changes nothing. `None`: there is no task of this name.
    pub async fn run_now(&self, task: &str, dry_run: bool) -> Option<Value> {
        if !dry_run {
            return self.driver.run_now(task).await.map(|status| status.report);
        }
        let report = match self.driver.rehearse(task).await? {
            Some(Value::Object(mut fields)) => {
                fields.insert("dry_run".to_owned(), Value::Bool(true));
                Value::Object(fields)
            }
            Some(other) => other,
            None => json!({ "dry_run": true, "note": "this task has nothing to show without doing it" }),
        };
        Some(report)
    }

    /// As [`HealthProcessor::run_now`], and tells the task to destroy what it otherwise keeps. The outer `None`: there is
    /// no task of this name; the inner: it keeps nothing, and was not run.
    pub async fn run_told(&self, task: &str) -> Option<Option<Value>> {
        Some(self.driver.run_told(task).await?.map(|status| status.report))
    }

    /// Every task: what it is for, what it last did and when it runs next.
    pub fn tasks(&self) -> Vec<TaskView> {
        self.driver.tasks()
    }

    /// Waits until, after the stop signal, no task runs any more.
    pub async fn stopped(&self) {
        self.driver.stopped().await;
    }

    /// Runs all tasks in turn until none finds anything to do. Tells whether it came to that in a bounded number of
    /// rounds. For tests, with a clock that stands still meanwhile.
    pub async fn run_all_until_idle(&self) -> bool {
        self.driver.run_all_until_idle().await
    }

    /// How many versions this process has turned into tombstones since it started, and how many bytes they had.
    pub fn purged(&self) -> (u64, u64) {
        let (objects, bytes) = &self.context.purged;
        (objects.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed))
    }

    /// How many claims that had lapsed or been given up this process has taken over since it started.
    pub fn lapsed_claims(&self) -> u64 {
        self.context.lapsed.load(Ordering::Relaxed)
    }

    /// How many messages webhooks have taken from this process since it started, how many attempts were in vain, and how many
    /// messages were given up.
    pub fn told(&self) -> (u64, u64, u64) {
        let told = &self.context.told;
        let read = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        (read(&told.delivered), read(&told.failed), read(&told.given_up))
    }

    /// How many breaches of each rule this process has found since it started.
    pub fn violations(&self) -> BTreeMap<&'static str, u64> {
        self.context.violations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// This run of this process, as its claims and heartbeats name it.
    pub fn member(&self) -> MemberId {
        self.context.member
    }

    /// This processor's failpoints.
    #[cfg(feature = "failpoints")]
    pub fn failpoints(&self) -> &failpoint::Failpoints {
        &self.context.failpoints
    }
}

impl std::fmt::Debug for HealthProcessor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HealthProcessor({})", self.context.member)
    }
}

/// Writes finished runs into the database, where the other members' operators see them too.
fn recorder(metadata: Metadata) -> Recorder {
    Arc::new(move |run: Finished| {
        let metadata = metadata.clone();
        async move {
            let Finished { name, started_at, finished_at, next_at, report } = run;
            if let Err(error) =
                metadata.record_task(name, started_at, finished_at, Some(next_at), &report).await
            {
                tracing::warn!(task = name, %error, "what a task did was not written down");
            }
        }
        .boxed()
    })
}
