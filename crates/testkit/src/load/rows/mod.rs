//! What is measured, one file each.

pub mod containers;
pub mod floors;
pub mod kinds;
pub mod listing;
pub mod objects;
pub mod reclaim;
pub mod updates;
pub mod versions;

use super::error::Failed;
use super::server::Server;
use super::table::Row;
use super::{Door, Load, Measured, Requests, drive};
use bytes::Bytes;

/// Drives a load and makes its row, the server's costs included.
async fn cell(
    server: &Server,
    what: String,
    requests: &Requests,
    load: Load,
) -> Result<(Row, Measured), Failed> {
    server.process.forget_peak();
    let before = server.process.cpu()?;
    let measured = drive(&server.scsp, requests, load).await?;
    let cpu = server.process.cpu()?.saturating_sub(before);
    let peak = server.process.peak_memory()?;
    Ok((Row::of_load(what, load.connections, &measured, cpu, Some(peak)), measured))
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
