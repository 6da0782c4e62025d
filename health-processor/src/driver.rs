//! Runs tasks, each in its turn and never twice at a time. It knows nothing of what they do.
//!
//! A task sleeps until the earliest of its interval, the deadline it named itself, and a wake-up. After work it rests in
//! proportion to the work, so that whoever waits for an answer gets the larger share. One that panics is reported and
//! runs again in its next period. Stopping lets what runs come to its end; tasks look at the same signal themselves.

mod slot;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use lifecycle::{SharedClock, Time};
use serde::Serialize;
use serde_json::Value;
use slot::Slot;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

pub use slot::TaskView;

/// Whether a run changed anything, so that the next may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// Something was done, and there may be more.
    Busy,
    /// There was nothing to do, or nothing that could be done now.
    Idle,
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct Status {
    /// For the operator, made from a struct of the task's.
    pub report: Value,
    /// Whether the next run may come at once.
    pub progress: Progress,
    /// When the task knows that there will be something to do. A time that has passed counts as "soon".
    pub next_due: Option<Time>,
    /// Why it did not come to its end.
    pub failed: Option<String>,
    /// Tasks for which this run made work, by name.
    pub wakes: &'static [&'static str],
}

impl Status {
    /// A run that came to its end.
    pub fn done(report: &impl Serialize, progress: Progress) -> Self {
        // A report is numbers, names and lists; if one cannot be written as JSON, the reason is the report.
        let report = serde_json::to_value(report).unwrap_or_else(|error| Value::String(error.to_string()));
        Status { report, progress, next_due: None, failed: None, wakes: &[] }
    }

    /// This, due again at `at`.
    #[must_use]
    pub fn due_at(mut self, at: Option<Time>) -> Self {
        self.next_due = at;
        self
    }

    /// This, having made work for others if `made` says so.
    #[must_use]
    pub fn waking(mut self, made: bool, tasks: &'static [&'static str]) -> Self {
        self.wakes = if made { tasks } else { &[] };
        self
    }

    /// This, broken off. It waits for its next period: what failed is not hammered at.
    #[must_use]
    pub fn failing(mut self, why: Option<String>) -> Self {
        if let Some(why) = why {
            if let Value::Object(fields) = &mut self.report {
                fields.insert("failed".to_owned(), Value::String(why.clone()));
            }
            self.failed = Some(why);
        }
        self
    }
}

/// Why a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Its time has come, or it was woken.
    Due,
    /// Somebody asked for it.
    Asked,
    /// Somebody asked for it and told it, this once, to do what it otherwise leaves alone.
    Told,
}

/// Something that is done again and again.
#[async_trait]
pub trait Task: Send {
    /// The name that operators use.
    fn name(&self) -> &'static str;

    /// What it is for, in a sentence.
    fn purpose(&self) -> &'static str;

    /// The longest time between two runs; `None`: the driver's. A task with an interval of its own keeps to it: the wake-up
    /// that goes to all does not reach it.
    fn interval(&self) -> Option<Duration> {
        None
    }

    /// When it runs first after a start.
    async fn first_run(&mut self, now: Time) -> Time {
        now
    }

    /// Does what there is to do. Nothing is tried twice inside: the next period does that.
    async fn run_once(&mut self, now: Time) -> Status;

    /// Whether there is something that it does only when it is told to.
    fn takes_orders(&self) -> bool {
        false
    }

    /// As [`Task::run_once`], because somebody asked for it; `told`: to do what it otherwise leaves alone, too.
    async fn run_asked(&mut self, now: Time, _told: bool) -> Status {
        self.run_once(now).await
    }

    /// What [`Task::run_once`] would do, without doing it; `None` if the task has nothing to show.
    async fn rehearse(&mut self, _now: Time) -> Option<Value> {
        None
    }
}

/// One finished run, for the record.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The task.
    pub name: &'static str,
    /// When the run began.
    pub started_at: Time,
    /// When it ended.
    pub finished_at: Time,
    /// When the task runs next, unless something wakes it earlier.
    pub next_at: Time,
    /// What it reported.
    pub report: Value,
}

/// Writes down finished runs.
pub type Recorder = Arc<dyn Fn(Finished) -> BoxFuture<'static, ()> + Send + Sync>;

/// How the driver goes about it.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The longest sleep of a task that names no other.
    pub interval: Duration,
    /// How long to rest after work, in percent of the time the work took.
    pub tranquility: u32,
}

/// Deadlines closer than this are met together: where they lie dense, one run serves many.
const SHORTEST: Duration = Duration::from_secs(1);

impl Pace {
    /// How long to rest after so much work.
    pub fn rest(self, worked: Duration) -> Duration {
        worked.saturating_mul(self.tranquility) / 100
    }

    /// How long a task sleeps after a run.
    fn sleep(self, status: &Status, worked: Duration, now: Time, interval: Option<Duration>) -> Duration {
        if status.progress == Progress::Busy && status.failed.is_none() {
            return self.rest(worked);
        }
        let interval = interval.unwrap_or(self.interval);
        status.next_due.map_or(interval, |at| at.since(now).max(SHORTEST).min(interval))
    }
}

/// The tasks and what became of them.
pub struct Driver {
    inner: Arc<Inner>,
    loops: Mutex<JoinSet<()>>,
}

/// What the loops share.
struct Inner {
    slots: Vec<Slot>,
    clock: SharedClock,
    pace: Pace,
    record: Recorder,
    stop: watch::Receiver<bool>,
}

/// A round of all tasks is repeated at most so often: who still finds work then will never be done.
const ROUNDS_MAX: usize = 1_000;

impl Driver {
    /// A driver at rest.
    pub fn new(
        tasks: Vec<Box<dyn Task>>,
        clock: SharedClock,
        pace: Pace,
        record: Recorder,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let slots = tasks.into_iter().map(Slot::new).collect();
        let inner = Arc::new(Inner { slots, clock, pace, record, stop });
        Driver { inner, loops: Mutex::new(JoinSet::new()) }
    }

    /// Sets every task going, each in a loop of its own, until the stop signal.
    pub fn start(&self) {
        let Ok(mut loops) = self.loops.try_lock() else { return };
        for at in 0..self.inner.slots.len() {
            let inner = Arc::clone(&self.inner);
            loops.spawn(async move { inner.work(at).await });
        }
    }

    /// Lets every task look at once whether there is something to do, except those that keep an interval of their own.
    pub fn wake(&self) {
        self.inner.slots.iter().filter(|slot| slot.listens()).for_each(Slot::wake);
    }

    /// Lets one task look whether there is something to do, whenever it is called. `None`: there is no task of this name.
    pub fn waker(&self, name: &str) -> Option<impl Fn() + Send + use<>> {
        let at = self.inner.find(name)?;
        let inner = Arc::clone(&self.inner);
        Some(move || inner.slots[at].wake())
    }

    /// Runs one task now, after a run that may be under way, and tells what it did. Goes on when the caller goes away.
    /// `None`: there is no task of this name.
    pub async fn run_now(&self, name: &str) -> Option<Status> {
        let at = self.inner.find(name)?;
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move { inner.run(at, Occasion::Asked).await.0 }).await.ok()
    }

    /// As [`Driver::run_now`], and tells the task to do what it otherwise leaves alone. The outer `None`: no such task; the
    /// inner: it leaves nothing alone, and was not run.
    pub async fn run_told(&self, name: &str) -> Option<Option<Status>> {
        let at = self.inner.find(name)?;
        if !self.inner.slots[at].takes_orders() {
            return Some(None);
        }
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move { Some(inner.run(at, Occasion::Told).await.0) }).await.ok()
    }

    /// What one task would do. The outer `None`: no such task; the inner: it has nothing to show.
    pub async fn rehearse(&self, name: &str) -> Option<Option<Value>> {
        let at = self.inner.find(name)?;
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move { inner.slots[at].rehearse(inner.clock.now()).await }).await.ok()
    }

    /// Every task with its last run.
    pub fn tasks(&self) -> Vec<TaskView> {
        self.inner.slots.iter().map(Slot::view).collect()
    }

    /// Runs all tasks in their order, again and again, until in one round none of them found anything to do. Tells
    /// whether it came to that.
    pub async fn run_all_until_idle(&self) -> bool {
        for _ in 0..ROUNDS_MAX {
            let mut idle = true;
            for at in 0..self.inner.slots.len() {
                let (status, _) = self.inner.run(at, Occasion::Due).await;
                idle &= status.progress == Progress::Idle;
            }
            if idle {
                return true;
            }
        }
        false
    }

    /// Waits until, after the stop signal, nothing runs any more.
    pub async fn stopped(&self) {
        let mut loops = self.loops.lock().await;
        while loops.join_next().await.is_some() {}
        for slot in &self.inner.slots {
            slot.at_rest().await;
        }
    }
}

impl Inner {
    fn find(&self, name: &str) -> Option<usize> {
        self.slots.iter().position(|slot| slot.name() == name)
    }

    async fn work(&self, at: usize) {
        let slot = &self.slots[at];
        let mut stop = self.stop.clone();
        let now = self.clock.now();
        let mut sleep = slot.first_run(now).await.since(now);
        loop {
            tokio::select! {
                biased;
                () = stopping(&mut stop) => break,
                () = slot.woken() => {}
                () = tokio::time::sleep(sleep) => {}
            }
            sleep = self.run(at, Occasion::Due).await.1;
        }
    }

    /// One run, and how long to sleep after it.
    async fn run(&self, at: usize, occasion: Occasion) -> (Status, Duration) {
        let slot = &self.slots[at];
        let (status, sleep, finished) = slot.run(&self.clock, self.pace, occasion).await;
        if let Some(why) = &status.failed {
            tracing::warn!(task = slot.name(), %why, "a task did not come to its end");
        }
        (self.record)(finished).await;
        for name in status.wakes {
            if let Some(at) = self.find(name) {
                self.slots[at].wake();
            }
        }
        (status, sleep)
    }
}

/// Waits for the stop signal. That nobody can give it any more is one too.
pub(crate) async fn stopping(stop: &mut watch::Receiver<bool>) {
    // The answer is the same either way.
    let _closed = stop.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests;
