//! The health processor, as the doors see it. The two crates never meet but here.

use gateway::{BackgroundWork, Counters, EventCounters, NotRun, TaskOrder, TaskView};
use health_processor::HealthProcessor;
use lifecycle::Time;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A health processor in this process.
pub(super) struct Background(pub(super) Arc<HealthProcessor>);

impl BackgroundWork for Background {
    fn wake(&self) {
        self.0.wake();
    }

    fn run_now<'a>(
        &'a self,
        task: &'a str,
        order: TaskOrder,
    ) -> Pin<Box<dyn Future<Output = Result<Value, NotRun>> + Send + 'a>> {
        Box::pin(async move {
            let ran = match order {
                TaskOrder::Run => self.0.run_now(task, false).await.map(Some),
                TaskOrder::Rehearse => self.0.run_now(task, true).await.map(Some),
                TaskOrder::Destroy => self.0.run_told(task).await,
            };
            ran.ok_or(NotRun::NoSuchTask)?.ok_or(NotRun::DestroysNothing)
        })
    }

    fn tasks(&self) -> Vec<TaskView> {
        self.0.tasks().into_iter().map(shown).collect()
    }

    fn counters(&self) -> Counters {
        let (purged_objects, purged_bytes) = self.0.purged();
        let (lapsed_claims, violations) = (self.0.lapsed_claims(), self.0.violations());
        let (delivered, failed, given_up) = self.0.told();
        let events = EventCounters { delivered, failed, given_up };
        Counters { purged_objects, purged_bytes, lapsed_claims, violations, events }
    }
}

fn shown(task: health_processor::TaskView) -> TaskView {
    TaskView {
        name: task.name.to_owned(),
        purpose: task.purpose.to_owned(),
        started_at: task.started_at.map(Time::to_rfc3339),
        finished_at: task.finished_at.map(Time::to_rfc3339),
        next_at: task.next_at.map(Time::to_rfc3339),
        report: Some(task.report).filter(|report| !report.is_null()),
    }
}
