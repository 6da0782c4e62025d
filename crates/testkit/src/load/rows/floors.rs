//! The floors' rows.

use crate::load::Load;
use crate::load::error::Failed;
use crate::load::floors::{BareHyper, durable_appends, sqlite_commits};
use crate::load::table::Row;
use std::path::Path;
use std::time::Duration;

/// What the machine can do at best.
#[derive(Clone, Copy, Debug)]
pub struct Floors {
    /// Processor time of one bare hyper answer of 1 KiB.
    pub hyper_cpu: Duration,
    /// Appends of 4 KiB with fdatasync, per second.
    pub appends: f64,
    /// SQLite commits of one row, per second.
    pub commits: f64,
}

/// Measures all floors, each for `time`, files in `dir`. `program` serves the bare hyper subcommand.
///
/// # Errors
/// As the floors themselves.
pub async fn run(program: &Path, dir: &Path, time: Duration, rows: &mut Vec<Row>) -> Result<Floors, Failed> {
    let hyper = BareHyper::start(program)?;
    let mut hyper_cpu = Duration::ZERO;
    for clients in [1, 16, 64] {
        let load = Load { connections: clients, operations: u64::MAX, time };
        hyper.process.forget_peak();
        let (measured, cpu) = hyper.measure(load).await?;
        let peak = hyper.process.peak_memory()?;
        let row = Row::of_load("floor: bare hyper, 1 KiB".to_owned(), clients, &measured, cpu, Some(peak));
        // The last is the one with as many clients as the promises speak of.
        hyper_cpu = row.cpu.unwrap_or_default();
        rows.push(row);
    }
    drop(hyper);

    let (count, elapsed) = durable_appends(dir, time)?;
    let appends = per_second(count, elapsed);
    rows.push(step_row("floor: append 4 KiB + fdatasync", count, elapsed));
    let (count, elapsed) = sqlite_commits(dir, time).await?;
    let commits = per_second(count, elapsed);
    rows.push(step_row("floor: SQLite commit of one 1 KiB row", count, elapsed));
    Ok(Floors { hyper_cpu, appends, commits })
}

fn per_second(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

fn step_row(what: &str, count: u64, elapsed: Duration) -> Row {
    Row {
        what: what.to_owned(),
        clients: Some(1),
        operations: Some(count),
        rate: Some(per_second(count, elapsed)),
        ..Row::default()
    }
}
