//! What is measured, one file each.

pub mod cluster;
pub mod containers;
pub mod floors;
pub mod following;
pub mod kinds;
pub mod listing;
pub mod objects;
pub mod purges;
pub mod reclaim;
pub mod rules;
pub mod s3;
pub mod updates;
pub mod versions;

use super::error::Failed;
use super::server::Server;
use super::table::Row;
use super::{Door, Load, Measured, Requests, drive};
use bytes::Bytes;

/// Drives a load through the SCSP door and makes its row, the server's costs included.
async fn cell(
    server: &Server,
    what: String,
    requests: &Requests,
    load: Load,
) -> Result<(Row, Measured), Failed> {
    cell_through(server, &server.scsp, what, requests, load).await
}

/// As [`cell`], through any of the server's doors.
async fn cell_through(
    server: &Server,
    door: &Door,
    what: String,
    requests: &Requests,
    load: Load,
) -> Result<(Row, Measured), Failed> {
    server.process.forget_peak();
    let before = server.process.cpu()?;
    let measured = drive(door, requests, load).await?;
    let cpu = server.process.cpu()?.saturating_sub(before);
    let peak = server.process.peak_memory()?;
    Ok((Row::of_load(what, load.connections, &measured, cpu, Some(peak)), measured))
}

/// Says what a load moved, for each of its requests `size` bytes: a number of requests says little where most of the
/// work is in the bytes.
fn tell_throughput(row: &mut Row, size: u64) {
    let mebibytes = size as f64 / f64::from(1 << 20);
    let rate = row.rate.unwrap_or_default() * mebibytes;
    let cpu = row.cpu.unwrap_or_default().as_secs_f64() * 1e6 / mebibytes.max(f64::MIN_POSITIVE);
    tell(row, &format!("{rate:.0} MiB/s, {cpu:.0} CPU us/MiB"));
}

/// Adds to a remark.
fn tell(row: &mut Row, what: &str) {
    let between = if row.remark.is_empty() { "" } else { "; " };
    row.remark = format!("{}{between}{what}", row.remark);
}

/// Fills a bucket with `count` numbered objects of `size` bytes, as fast as it goes.
async fn fill(door: &Door, bucket: &str, count: u64, size: usize) -> Result<Measured, Failed> {
    let put = door.numbered("POST", &format!("/{bucket}/k")).body(content(size));
    drive(door, &put, Load::all(64, count)).await?.flawless(&format!("filling {bucket} with {count} objects"))
}

/// Bytes that no store can make less of by looking for zeros or repetition of a block.
fn content(size: usize) -> Bytes {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend_from_slice(&next().to_le_bytes());
    }
    bytes.truncate(size);
    Bytes::from(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn throughput_stands_behind_troubles() {
        let cpu = Some(Duration::from_millis(2));
        let mut row = Row { rate: Some(50.0), cpu, remark: "1 x 503".to_owned(), ..Row::default() };
        tell_throughput(&mut row, 4 << 20);
        assert_eq!(row.remark, "1 x 503; 200 MiB/s, 500 CPU us/MiB");
    }
}
