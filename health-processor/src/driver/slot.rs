//! One task, the lock that keeps it from running twice at a time, and what it did last.

use super::{Finished, Occasion, Pace, Progress, Status, Task};
use futures_util::FutureExt;
use lifecycle::{SharedClock, Time};
use serde::Serialize;
use serde_json::{Value, json};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A task and its last run, as an operator sees it.
#[derive(Clone, Debug, Serialize)]
pub struct TaskView {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Whether it runs at this moment.
    pub running: bool,
    /// How often it ran since the start of the process.
    pub runs: u64,
    /// When its last run began.
    pub started_at: Option<Time>,
    /// When its last finished run ended.
    pub finished_at: Option<Time>,
    /// When it runs next, unless something wakes it earlier.
    pub next_at: Option<Time>,
    /// Why its last run did not come to its end.
    pub failed: Option<String>,
    /// What its last run reported.
    pub report: Value,
}

pub(super) struct Slot {
    task: tokio::sync::Mutex<Box<dyn Task>>,
    wake: Notify,
    view: Mutex<TaskView>,
    name: &'static str,
    listens: bool,
    takes_orders: bool,
}

impl Slot {
    pub(super) fn new(task: Box<dyn Task>) -> Self {
        let (name, purpose, listens) = (task.name(), task.purpose(), task.interval().is_none());
        let takes_orders = task.takes_orders();
        let view = TaskView {
            name,
            purpose,
            running: false,
            runs: 0,
            started_at: None,
            finished_at: None,
            next_at: None,
            failed: None,
            report: Value::Null,
        };
        Slot {
            task: tokio::sync::Mutex::new(task),
            wake: Notify::new(),
            view: Mutex::new(view),
            name,
            listens,
            takes_orders,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it hears the wake-up that goes to all.
    pub(super) fn listens(&self) -> bool {
        self.listens
    }

    /// Whether there is something that it does only when it is told to.
    pub(super) fn takes_orders(&self) -> bool {
        self.takes_orders
    }

    pub(super) fn view(&self) -> TaskView {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the present or the next sleep.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    pub(super) async fn first_run(&self, now: Time) -> Time {
        let at = self.task.lock().await.first_run(now).await;
        self.look(|view| view.next_at = Some(at));
        at
    }

    pub(super) async fn rehearse(&self, now: Time) -> Option<Value> {
        self.task.lock().await.rehearse(now).await
    }

    /// Waits until it does not run.
    pub(super) async fn at_rest(&self) {
        drop(self.task.lock().await);
    }

    /// Runs the task once, with whatever happens to it, and tells how long to sleep afterwards.
    pub(super) async fn run(
        &self,
        clock: &SharedClock,
        pace: Pace,
        occasion: Occasion,
    ) -> (Status, Duration, Finished) {
        let mut task = self.task.lock().await;
        let (started_at, began) = (clock.now(), clock.boot());
        self.look(|view| {
            view.running = true;
            view.started_at = Some(started_at);
        });
        let status = match AssertUnwindSafe(async {
            match occasion {
                Occasion::Due => task.run_once(started_at).await,
                Occasion::Asked => task.run_asked(started_at, false).await,
                Occasion::Told => task.run_asked(started_at, true).await,
            }
        })
        .catch_unwind()
        .await
        {
            Ok(status) => status,
            Err(panic) => panicked(&*panic),
        };
        let (finished_at, worked) = (clock.now(), clock.boot().saturating_sub(began));
        let sleep = pace.sleep(&status, worked, finished_at, task.interval());
        let next_at = finished_at.plus(sleep);
        self.look(|view| {
            view.running = false;
            view.runs += 1;
            view.finished_at = Some(finished_at);
            view.next_at = Some(next_at);
            view.failed.clone_from(&status.failed);
            view.report.clone_from(&status.report);
        });
        let report = status.report.clone();
        (status, sleep, Finished { name: self.name, started_at, finished_at, next_at, report })
    }

    fn look(&self, change: impl FnOnce(&mut TaskView)) {
        change(&mut self.view.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Status {
    let text = (panic.downcast_ref::<String>().map(String::as_str))
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message");
    Status::done(&json!({}), Progress::Idle).failing(Some(format!("the task panicked: {text}")))
}
