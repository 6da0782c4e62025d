//! The background tasks: what they did, running one, and letting purging go on after a halt.

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, duration, ok};
use crate::admin::view::time;
use crate::http::BodyReader;
use crate::state::{NotRun, TaskOrder, TaskView};
use http::StatusCode;
use lifecycle::Right;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// How long the brake stays off when nobody says how long.
const RELEASE: Duration = Duration::from_secs(3_600);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Halt")]
struct HaltView {
    #[schemars(with = "written::Moment")]
    at: String,
    reason: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Tasks {
    tasks: Vec<TaskView>,
    /// Why nothing is purged, if so.
    halted: Option<HaltView>,
    #[schemars(with = "Option<written::Moment>")]
    brake_released_until: Option<String>,
}

pub(in crate::admin) const LIST: Described =
    Described::answers(&[Answer::ok("All of them.", &[shape::<Tasks>])]);

pub(in crate::admin) async fn list(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let metadata = &asked.gateway.metadata;
    let tasks = match &asked.gateway.background {
        Some(background) => background.tasks(),
        // They run in another process, which writes down what it did.
        None => metadata.tasks().await?.into_iter().map(recorded).collect(),
    };
    let halted = metadata.halt().await?.map(|halt| HaltView { at: time(halt.at), reason: halt.reason });
    let brake_released_until = metadata.brake_released_until().await?.map(time);
    ok(&Tasks { tasks, halted, brake_released_until })
}

fn recorded(row: metadata::TaskRow) -> TaskView {
    TaskView {
        name: row.name,
        purpose: String::new(),
        started_at: row.started_at.map(time),
        finished_at: row.finished_at.map(time),
        next_at: row.next_at.map(time),
        report: row.report,
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RunOrder")]
struct Run {
    /// Decide, and stop before doing anything.
    #[serde(default)]
    dry_run: bool,
    /// Destroy what the task otherwise keeps: takes the right to purge, too.
    #[serde(default)]
    destroy: bool,
}

impl Run {
    fn order(&self) -> Result<TaskOrder, Complaint> {
        match (self.dry_run, self.destroy) {
            (false, false) => Ok(TaskOrder::Run),
            (true, false) => Ok(TaskOrder::Rehearse),
            (false, true) => Ok(TaskOrder::Destroy),
            (true, true) => {
                Err(Complaint::bad_request("dry_run and destroy contradict one another: give one of them"))
            }
        }
    }
}

/// What a task did.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TaskRun")]
struct Ran<'a> {
    task: &'a str,
    dry_run: bool,
    /// Its fields are the task's own.
    report: Value,
}

pub(in crate::admin) const RUN: Described =
    Described::answers(&[Answer::ok("It ran to its end.", &[shape::<Ran<'static>>])]).ordered::<Run>();

pub(in crate::admin) async fn run(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let principal = asked.require(None, None)?;
    asked.only(&[])?;
    let run: Run = decode(body, ORDER_MAX).await?;
    asked.trail.detail(if run.destroy {
        "destroy=true".to_owned()
    } else {
        format!("dry_run={}", run.dry_run)
    });
    let order = run.order()?;
    if order == TaskOrder::Destroy {
        principal.require(Right::Purge, None, None)?;
    }
    let task = asked.params.get("task");
    let Some(background) = &asked.gateway.background else {
        let message =
            "the background tasks run in another process; they run by themselves when something is due";
        return Err(Complaint::new(StatusCode::CONFLICT, "NotHere", message).hint("barrow tasks"));
    };
    if order == TaskOrder::Destroy {
        tracing::info!(actor = %principal.name, task, "told to destroy what it otherwise keeps");
    }
    match background.run_now(task, order).await {
        Ok(report) => ok(&Ran { task, dry_run: run.dry_run, report }),
        Err(NotRun::DestroysNothing) => {
            let message =
                format!("task {task} keeps nothing that it could be told to destroy; it was not run");
            Err(Complaint::bad_request(message).hint("barrow tasks run, without --destroy"))
        }
        Err(NotRun::NoSuchTask) => {
            let known: Vec<String> = background.tasks().into_iter().map(|task| task.name).collect();
            let message = format!("there is no task {task:?}: there are {}", known.join(", "));
            Err(Complaint::new(StatusCode::NOT_FOUND, "NoSuchTask", message).hint("barrow tasks"))
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ResumeOrder")]
struct Resume {
    /// How long the brake stays off.
    release: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Resumed {
    /// Why nothing was purged, if so.
    was_halted: Option<HaltView>,
    #[schemars(with = "Option<written::Moment>")]
    brake_released_until: Option<String>,
}

pub(in crate::admin) const RESUME: Described =
    Described::answers(&[Answer::ok("Purging goes on.", &[shape::<Resumed>])]).ordered::<Resume>();

pub(in crate::admin) async fn resume(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let principal = asked.require(None, None)?;
    asked.only(&[])?;
    let order: Resume = decode(body, ORDER_MAX).await?;
    let release = match &order.release {
        Some(text) => duration("release", text)?,
        None => RELEASE,
    };
    asked.trail.detail(format!("release={}", humantime::format_duration(release)));
    let metadata = &asked.gateway.metadata;
    let was = metadata.halt().await?.map(|halt| HaltView { at: time(halt.at), reason: halt.reason });
    metadata.resume_purging(release).await?;
    tracing::info!(actor = %principal.name, ?release, ?was, "purging goes on");
    asked.gateway.wake_background();
    let brake_released_until = metadata.brake_released_until().await?.map(time);
    ok(&Resumed { was_halted: was, brake_released_until })
}
