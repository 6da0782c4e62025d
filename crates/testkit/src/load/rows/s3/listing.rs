//! A page of ListObjectsV2 out of the middle of a large bucket.

use super::needed;
use crate::load::Load;
use crate::load::error::Failed;
use crate::load::rows::cell_through;
use crate::load::rows::listing::{LIVE, PAGES};
use crate::load::server::Server;
use crate::load::table::Row;
use std::time::Duration;

/// Lists 1,000 of the `count` numbered objects in `bucket`, which are all there, from one client for at most `time`.
/// Returns the listing's p99.
///
/// # Errors
/// [`Failed`] if the server refuses, or if the page is not full.
pub async fn run(
    server: &Server,
    bucket: &str,
    count: u64,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Duration, Failed> {
    let middle = count / 2;
    let target = format!("/{bucket}?list-type=2&max-keys={LIVE}&start-after=k{middle:09}");
    let list = server.s3.same("GET", &target);
    expect(server, bucket, &target, LIVE.min(count.saturating_sub(middle + 1))).await?;
    let load = Load { connections: 1, operations: PAGES, time };
    let what = format!("list 1,000 of {count} keys, S3");
    let (row, measured) = cell_through(server, &server.s3, what, &list, load).await?;
    rows.push(row);
    Ok(measured.percentile(99))
}

/// Looks whether a page has so many keys, and returns whether others follow it.
///
/// # Errors
/// [`Failed::Answer`] if not.
pub(super) async fn expect(server: &Server, bucket: &str, target: &str, count: u64) -> Result<bool, Failed> {
    let doing = format!("listing {bucket} through S3");
    let answer = server.s3.ask(&server.s3.same("GET", target)).await?;
    let found = needed(&doing, &answer, "KeyCount")?;
    if found != count.to_string() {
        let body = format!("{found} keys instead of {count}");
        return Err(Failed::Answer { doing, status: answer.status, body });
    }
    Ok(needed(&doing, &answer, "IsTruncated")? == "true")
}
