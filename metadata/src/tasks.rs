//! What each background task last did and will do next, for whoever asks why the disk is not free yet.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use crate::writer::Urgency;
use lifecycle::Time;
use serde::Serialize;

/// A task's last run.
#[derive(Clone, Debug, Serialize)]
pub struct TaskRow {
    /// Its name.
    pub name: String,
    /// When it last began.
    pub started_at: Option<Time>,
    /// When it last ended.
    pub finished_at: Option<Time>,
    /// When it runs next, unless something wakes it earlier.
    pub next_at: Option<Time>,
    /// What it reported.
    pub report: Option<serde_json::Value>,
}

impl Metadata {
    /// Writes down what a task did.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn record_task(
        &self,
        name: &'static str,
        started_at: Time,
        finished_at: Time,
        next_at: Option<Time>,
        report: &serde_json::Value,
    ) -> Result<(), Failure> {
        let report = report.to_string();
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                let report = report.clone();
                Box::pin(async move {
                    conn.execute(
                        "INSERT INTO tasks (name, started_at, finished_at, next_at, report) VALUES ($1, $2, $3, $4, $5)
                         ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at,
                            finished_at = excluded.finished_at, next_at = excluded.next_at, report = excluded.report",
                        args![name, started_at, finished_at, next_at, report],
                    )
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Every task that ever ran.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn tasks(&self) -> Result<Vec<TaskRow>, Failure> {
        let rows = self
            .readers
            .fetch("SELECT name, started_at, finished_at, next_at, report FROM tasks ORDER BY name", args![])
            .await?;
        let mut tasks = Vec::new();
        for mut row in rows {
            tasks.push(TaskRow {
                name: row.need_text()?,
                started_at: row.time()?,
                finished_at: row.time()?,
                next_at: row.time()?,
                report: row.text()?.and_then(|text| serde_json::from_str(&text).ok()),
            });
        }
        Ok(tasks)
    }
}
