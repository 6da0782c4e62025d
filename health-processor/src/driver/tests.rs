//! The driver with tasks that do nothing but count.

use super::*;
use serde_json::json;
use std::sync::atomic::{AtomicU32, Ordering};
use testkit::ManualClock;

struct Counting {
    name: &'static str,
    runs: Arc<AtomicU32>,
    does: Does,
}

#[async_trait]
impl Task for Counting {
    fn name(&self) -> &'static str {
        self.name
    }

    fn purpose(&self) -> &'static str {
        "counts its runs"
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        (self.does)(run)
    }
}

fn idle(_run: u32) -> Status {
    Status::done(&json!({}), Progress::Idle)
}

fn busy_until_the_third(run: u32) -> Status {
    Status::done(&json!({ "run": run }), if run < 3 { Progress::Busy } else { Progress::Idle })
}

fn wakes_the_other(_run: u32) -> Status {
    idle(0).waking(true, &["other"])
}

fn panics_at_first(run: u32) -> Status {
    assert!(run > 1, "the first run is unlucky");
    idle(run)
}

type Does = fn(u32) -> Status;
type Built = (Driver, Vec<Arc<AtomicU32>>, watch::Sender<bool>);

fn driver(tasks: &[(&'static str, Does)], interval: Duration) -> Built {
    let counts: Vec<Arc<AtomicU32>> = tasks.iter().map(|_| Arc::default()).collect();
    let boxed = tasks
        .iter()
        .zip(&counts)
        .map(|(&(name, does), runs)| {
            Box::new(Counting { name, runs: Arc::clone(runs), does }) as Box<dyn Task>
        })
        .collect();
    let (stop, stopped) = watch::channel(false);
    let record: Recorder = Arc::new(|_finished| Box::pin(std::future::ready(())));
    let clock = Arc::new(ManualClock::default());
    (Driver::new(boxed, clock, Pace { interval, tranquility: 10 }, record, stopped), counts, stop)
}

/// Waits until it is so. Bounded by the test runner's patience.
async fn until(mut it_is_so: impl FnMut() -> bool) {
    while !it_is_so() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_busy_task_runs_again_at_once_and_an_idle_one_sleeps_until_it_is_woken() {
    let (driver, counts, stop) = driver(&[("one", busy_until_the_third)], LONG);
    driver.start();
    until(|| counts[0].load(Ordering::SeqCst) == 3 && !driver.tasks()[0].running).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(counts[0].load(Ordering::SeqCst), 3, "it sleeps");
    driver.wake();
    until(|| counts[0].load(Ordering::SeqCst) == 4).await;
    stop.send_replace(true);
    driver.stopped().await;
    assert_eq!(driver.tasks()[0].report, json!({ "run": 4 }));
}

#[tokio::test]
async fn a_run_wakes_the_tasks_it_made_work_for() {
    let (driver, counts, stop) = driver(&[("one", wakes_the_other), ("other", idle)], LONG);
    driver.start();
    until(|| counts[1].load(Ordering::SeqCst) >= 1).await;
    let before = counts[1].load(Ordering::SeqCst);
    assert!(driver.run_now("one").await.is_some());
    until(|| counts[1].load(Ordering::SeqCst) > before).await;
    stop.send_replace(true);
    driver.stopped().await;
}

#[tokio::test]
async fn a_panicking_task_is_reported_and_runs_again() {
    let (driver, counts, _stop) = driver(&[("unlucky", panics_at_first), ("other", idle)], LONG);
    let status = driver.run_now("unlucky").await.expect("there is such a task");
    assert!(status.failed.is_some_and(|why| why.contains("unlucky")));
    assert!(driver.tasks()[0].failed.is_some());
    assert!(driver.run_now("unlucky").await.expect("still").failed.is_none());
    assert_eq!(counts[0].load(Ordering::SeqCst), 2);
    assert_eq!(driver.tasks()[0].failed, None);
}

#[tokio::test]
async fn a_stop_ends_every_sleep_and_an_unknown_task_is_none() {
    let (driver, _counts, stop) = driver(&[("one", idle), ("two", idle)], LONG);
    driver.start();
    assert!(driver.run_now("three").await.is_none());
    assert_eq!(driver.rehearse("three").await, None);
    assert_eq!(driver.rehearse("two").await, Some(None));
    drop(stop);
    driver.stopped().await;
}

/// Keeps something unless it is told not to.
struct Keeping;

#[async_trait]
impl Task for Keeping {
    fn name(&self) -> &'static str {
        "keeping"
    }

    fn purpose(&self) -> &'static str {
        "keeps something"
    }

    fn takes_orders(&self) -> bool {
        true
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        Status::done(&json!("by itself"), Progress::Idle)
    }

    async fn run_asked(&mut self, _now: Time, told: bool) -> Status {
        Status::done(&json!(if told { "told" } else { "asked" }), Progress::Idle)
    }
}

#[tokio::test]
async fn a_task_learns_why_it_runs_and_only_one_that_keeps_something_is_told() {
    let (_stop, stopped) = watch::channel(false);
    let record: Recorder = Arc::new(|_finished| Box::pin(std::future::ready(())));
    let tasks: Vec<Box<dyn Task>> =
        vec![Box::new(Keeping), Box::new(Counting { name: "counting", runs: Arc::default(), does: idle })];
    let pace = Pace { interval: LONG, tranquility: 10 };
    let driver = Driver::new(tasks, Arc::new(ManualClock::default()), pace, record, stopped);
    assert!(driver.run_all_until_idle().await);
    assert_eq!(driver.tasks()[0].report, json!("by itself"));
    assert_eq!(driver.run_now("keeping").await.map(|status| status.report), Some(json!("asked")));
    let told = driver.run_told("keeping").await.flatten();
    assert_eq!(told.map(|status| status.report), Some(json!("told")));
    assert!(driver.run_told("counting").await.is_some_and(|status| status.is_none()));
    assert_eq!(driver.tasks()[1].runs, 1, "it was not run");
    assert!(driver.run_told("lunch").await.is_none());
}

#[tokio::test]
async fn rounds_go_on_until_every_task_is_idle() {
    let (driver, counts, _stop) = driver(&[("one", busy_until_the_third), ("two", idle)], LONG);
    assert!(driver.run_all_until_idle().await);
    assert_eq!(counts[0].load(Ordering::SeqCst), 3);
    assert_eq!(counts[1].load(Ordering::SeqCst), 3);
}

#[test]
fn sleep_follows_the_work_the_deadline_and_the_interval() {
    let pace = Pace { interval: Duration::from_secs(60), tranquility: 50 };
    let now = Time::from_secs(1_000);
    let second = Duration::from_secs(1);
    let idle = |at: Option<i64>| idle(0).due_at(at.map(Time::from_secs));
    let busy = Status::done(&json!({}), Progress::Busy);
    let table = [
        ("half the work is rested", busy.clone(), 2 * second, None, second),
        ("a failure waits", busy.failing(Some("no".to_owned())), second, None, 60 * second),
        ("nothing to do", idle(None), second, None, 60 * second),
        ("an interval of its own", idle(None), second, Some(5 * second), 5 * second),
        ("a deadline", idle(Some(1_010)), second, None, 10 * second),
        ("a far deadline", idle(Some(9_000)), second, None, 60 * second),
        ("a deadline that has passed", idle(Some(1)), second, None, second),
    ];
    for (what, status, worked, interval, expected) in table {
        assert_eq!(pace.sleep(&status, worked, now, interval), expected, "{what}");
    }
}
