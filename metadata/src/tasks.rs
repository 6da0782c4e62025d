//! What each background task last did and will do next, for whoever asks why the disk is not free yet.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use crate::writer::Urgency;
use lifecycle::{MemberId, Time};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

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

    /// Takes a task that only one member works at, for `lease` at most, and gives what was remembered of how far it is.
    /// `None`: another member is at it.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn take_task(
        &self,
        name: &'static str,
        member: MemberId,
        lease: Duration,
    ) -> Result<Option<Option<Value>>, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    let row = conn
                        .fetch_one(
                            "INSERT INTO tasks (name, lease_by, lease_until) VALUES ($1, $2, $3)
                             ON CONFLICT (name) DO UPDATE SET lease_by = excluded.lease_by,
                                lease_until = excluded.lease_until
                             WHERE tasks.lease_until IS NULL OR tasks.lease_until <= $4 OR tasks.lease_by = $2
                             RETURNING memo",
                            args![name, member, now.plus(lease), now],
                        )
                        .await?;
                    let Some(mut row) = row else { return Ok(None) };
                    Ok(Some(row.text()?.and_then(|text| serde_json::from_str(&text).ok())))
                })
            })
            .await
    }

    /// Remembers how far a task is, and keeps it for another `lease`, or lets it go. `false`: it was taken over
    /// meanwhile, and nothing was written.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn keep_task(
        &self,
        name: &'static str,
        member: MemberId,
        lease: Option<Duration>,
        memo: &Value,
    ) -> Result<bool, Failure> {
        let memo = memo.to_string();
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                let memo = memo.clone();
                Box::pin(async move {
                    let (by, until) = (lease.map(|_| member), lease.map(|lease| now.plus(lease)));
                    let kept = conn
                        .execute(
                            "UPDATE tasks SET memo = $3, lease_by = $4, lease_until = $5 WHERE name = $1 AND lease_by = $2",
                            args![name, member, memo, by, until],
                        )
                        .await?;
                    Ok(kept > 0)
                })
            })
            .await
    }

    /// What was remembered of how far a task is.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn task_memo(&self, name: &'static str) -> Result<Option<Value>, Failure> {
        let row = self.readers.fetch_one("SELECT memo FROM tasks WHERE name = $1", args![name]).await?;
        Ok(match row {
            Some(mut row) => row.text()?.and_then(|text| serde_json::from_str(&text).ok()),
            None => None,
        })
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
