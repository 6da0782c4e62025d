//! DeleteObjects, as clients that empty a bucket use it.

use super::listing::expect;
use crate::load::Load;
use crate::load::error::Failed;
use crate::load::rows::listing::LIVE;
use crate::load::rows::{cell_through, tell};
use crate::load::server::Server;
use crate::load::table::Row;

const KEYS: u32 = 1_000;
const CLIENTS: usize = 2;

/// Deletes all but 1,000 of the `count` numbered objects in `bucket`, evenly spread, 1,000 in each request. Returns how
/// many keys are deleted a second. `count` is a multiple of 1,000.
///
/// # Errors
/// [`Failed`] if the server refuses, or if something else than 1,000 objects is left.
pub async fn run(server: &Server, bucket: &str, count: u64, rows: &mut Vec<Row>) -> Result<f64, Failed> {
    let delete = server.s3.deleting(bucket, "k", u64::from(KEYS)).sparing(count / LIVE);
    let load = Load::all(CLIENTS, count.saturating_sub(LIVE) / u64::from(KEYS));
    let what = format!("DeleteObjects of {KEYS} keys, S3");
    let (mut row, measured) = cell_through(server, &server.s3, what.clone(), &delete, load).await?;
    measured.flawless(&what)?;
    // Keys that were not deleted stand in an answer with status 200.
    if expect(server, bucket, &format!("/{bucket}?list-type=2&max-keys={LIVE}"), LIVE).await? {
        let troubles = format!("more than {LIVE} objects are left");
        return Err(Failed::Load { doing: what, troubles });
    }
    of_keys(&mut row);
    let rate = row.rate.unwrap_or_default();
    rows.push(row);
    Ok(rate)
}

/// Counts keys instead of requests, but for the times: those are what a client waits.
fn of_keys(row: &mut Row) {
    row.operations = row.operations.map(|requests| requests * u64::from(KEYS));
    row.rate = row.rate.map(|requests| requests * f64::from(KEYS));
    row.cpu = row.cpu.map(|of_request| of_request / KEYS);
    tell(row, "keys; p50 and p99 of requests");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn keys_are_counted_and_requests_are_timed() {
        let milliseconds = Duration::from_millis;
        let (rate, p99) = (Some(42.0), Some(milliseconds(30)));
        let mut row = Row { operations: Some(9), rate, p99, cpu: Some(milliseconds(20)), ..Row::default() };
        of_keys(&mut row);
        assert_eq!((row.operations, row.rate, row.p99), (Some(9_000), Some(42_000.0), p99));
        assert_eq!(row.cpu, Some(Duration::from_micros(20)));
    }
}
