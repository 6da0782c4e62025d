//! The largest object that one request may carry, in and out. It is nowhere in memory as a whole: not here, and the
//! server's peak tells whether there.

use super::expect_bytes;
use crate::load::error::Failed;
use crate::load::rows::{cell_through, content, tell, tell_throughput};
use crate::load::server::Server;
use crate::load::table::Row;
use crate::load::{Load, Requests};

const BLOCK: u64 = 4 << 20;

/// Writes and reads an object of `size` bytes, a multiple of 4 MiB, in `bucket`, which exists.
///
/// # Errors
/// [`Failed`] if the server refuses, or if not every byte comes back.
pub async fn run(server: &Server, bucket: &str, size: u64, rows: &mut Vec<Row>) -> Result<(), Failed> {
    let target = format!("/{bucket}/whole");
    let block = content(usize::try_from(BLOCK).unwrap_or(usize::MAX));
    let put = server.s3.same("PUT", &target).repeated(block, size / BLOCK).unsigned_payload();
    once(server, "PUT", &put, size, 0, rows).await?;
    once(server, "GET", &server.s3.same("GET", &target), size, size, rows).await
}

async fn once(
    server: &Server,
    method: &str,
    requests: &Requests,
    size: u64,
    received: u64,
    rows: &mut Vec<Row>,
) -> Result<(), Failed> {
    let what = format!("{method} {} GiB, S3", size >> 30);
    server.process.forget_peak();
    let before = server.process.peak_memory()?;
    let (mut row, measured) =
        cell_through(server, &server.s3, what.clone(), requests, Load::all(1, 1)).await?;
    let measured = measured.flawless(&what)?;
    expect_bytes(&what, &measured, received)?;
    tell_throughput(&mut row, size);
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let after = row.peak.unwrap_or_default();
    tell(&mut row, &format!("peak {:.1} -> {:.1} MiB", mebibytes(before), mebibytes(after)));
    rows.push(row);
    Ok(())
}
