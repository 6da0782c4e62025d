//! Purging and forgetting stand still while something is wrong that only a person can judge: a clock that ran ahead
//! (rule R2), or a cycle that would destroy more than the brake allows.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Conn, args};
use crate::writer::Urgency;
use lifecycle::Time;
use serde::Serialize;
use std::time::Duration;

/// Why, and since when, nothing is purged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Halt {
    /// Since when.
    pub at: Time,
    /// Why.
    pub reason: String,
}

/// How the brake's reason for a halt begins: by it a halt that the brake ordered is told from one that a clock did.
pub const BRAKE_SAYS: &str = "this cycle would purge";

impl Halt {
    /// Whether the brake ordered it: too much would have been purged that no request explains.
    pub fn is_brake(&self) -> bool {
        self.reason.starts_with(BRAKE_SAYS)
    }
}

/// How much wall time may run ahead of boot time within one boot before that is taken for a broken clock.
pub const CLOCK_LEAP_MAX: Duration = Duration::from_secs(3_600);

pub(crate) async fn refuse(conn: &mut Conn) -> Result<(), Failure> {
    let row =
        conn.fetch_one("SELECT halted_at, halted_reason FROM installation WHERE one = 1", Vec::new()).await?;
    if let Some(mut row) = row
        && row.time()?.is_some()
    {
        let text = format!("purging is halted: {}", row.text()?.unwrap_or_default());
        return Err(Failure::Unavailable { text, again: false });
    }
    Ok(())
}

impl Metadata {
    /// Why purging stands still, if it does.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn halt(&self) -> Result<Option<Halt>, Failure> {
        let row = self
            .readers
            .fetch_one("SELECT halted_at, halted_reason FROM installation WHERE one = 1", Vec::new())
            .await?;
        let Some(mut row) = row else { return Ok(None) };
        let (at, reason) = (row.time()?, row.text()?);
        Ok(at.map(|at| Halt { at, reason: reason.unwrap_or_default() }))
    }

    /// Stops purging and forgetting until [`Metadata::resume_purging`].
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn halt_purging(&self, reason: String) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                let reason = reason.clone();
                Box::pin(async move {
                    conn.execute(
                        "UPDATE installation SET halted_at = $1, halted_reason = $2 WHERE halted_at IS NULL",
                        args![now, reason],
                    )
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// An operator has looked: purging goes on, and the brake stays off for `release`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn resume_purging(&self, release: Duration) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                Box::pin(async move {
                    conn.execute(
                        "UPDATE installation SET halted_at = NULL, halted_reason = NULL, released_until = $1",
                        args![now.plus(release)],
                    )
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Until when an operator has taken the brake off.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn brake_released_until(&self) -> Result<Option<Time>, Failure> {
        let row = self
            .readers
            .fetch_one("SELECT released_until FROM installation WHERE one = 1", Vec::new())
            .await?;
        Ok(match row {
            Some(mut row) => row.time()?,
            None => None,
        })
    }

    /// Compares this machine's clocks with those of the last time anybody on it did, and halts purging if the wall clock ran
    /// ahead of the boot clock by more than [`CLOCK_LEAP_MAX`] within one boot. `boot_id` names the boot.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn heartbeat(&self, node: &str, boot_id: &str, boot: Duration) -> Result<(), Failure> {
        let (node, boot_id) = (node.to_owned(), boot_id.to_owned());
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                let (node, boot_id) = (node.clone(), boot_id.clone());
                Box::pin(async move { compare_clocks(conn, now, &node, &boot_id, boot).await })
            })
            .await
    }
}

async fn compare_clocks(
    conn: &mut Conn,
    now: Time,
    node: &str,
    boot_id: &str,
    boot: Duration,
) -> Result<(), Failure> {
    let last = conn
        .fetch_one(
            "SELECT beat_at, beat_boot FROM clocks WHERE node = $1 AND boot_id = $2",
            args![node, boot_id],
        )
        .await?;
    if let Some(mut row) = last {
        let (beat_at, beat_boot) = (row.need_time()?, Duration::from_micros(row.need_size()?));
        let (wall, booted) = (now.since(beat_at), boot.saturating_sub(beat_boot));
        if wall.saturating_sub(booted) > CLOCK_LEAP_MAX {
            let reason = format!(
                "the clock of {node} moved {} s while {} s passed; check the time, then confirm with POST /v1/resume",
                wall.as_secs(),
                booted.as_secs()
            );
            tracing::error!(%reason, "purging is halted");
            conn.execute(
                "UPDATE installation SET halted_at = $1, halted_reason = $2 WHERE halted_at IS NULL",
                args![now, reason],
            )
            .await?;
        }
    }
    let boot = u64::try_from(boot.as_micros()).unwrap_or(u64::MAX);
    conn.execute(
        "INSERT INTO clocks (node, boot_id, beat_at, beat_boot) VALUES ($1, $2, $3, $4)
         ON CONFLICT (node, boot_id) DO UPDATE SET beat_at = excluded.beat_at, beat_boot = excluded.beat_boot",
        args![node, boot_id, now, boot],
    )
    .await?;
    Ok(())
}
