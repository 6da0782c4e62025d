//! Telling the database that this process is alive, and letting it compare the clocks.

use super::ended;
use crate::context::Context;
use crate::driver::{Status, Task};
use async_trait::async_trait;
use lifecycle::{MemberId, Time};
use metadata::Halt;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Heartbeat(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report<'a> {
    member: Option<MemberId>,
    node: &'a str,
    role: &'a str,
    /// Why purging stands still, if it does.
    halted: Option<Halt>,
}

#[async_trait]
impl Task for Heartbeat {
    fn name(&self) -> &'static str {
        "heartbeat"
    }

    fn purpose(&self) -> &'static str {
        "tells that this process is alive, and halts purging when the wall clock ran ahead of the boot clock"
    }

    fn interval(&self) -> Option<Duration> {
        Some(self.0.settings.interval.min(Duration::from_secs(10)))
    }

    async fn run_once(&mut self, _now: Time) -> Status {
        let (node, role) = (self.0.settings.node.as_str(), self.0.settings.role);
        let mut report = Report { member: Some(self.0.member), node, role, halted: None };
        let outcome = async {
            self.0.beat().await?;
            self.0.metadata.refresh_statistics().await?;
            report.halted = self.0.metadata.halt().await?;
            Ok(())
        };
        let outcome = outcome.await;
        ended(&report, false, outcome)
    }
}
