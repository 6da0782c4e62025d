//! A listing of 1,000 names with many times as many dead rows around them.

use super::cell;
use crate::load::error::Failed;
use crate::load::server::Server;
use crate::load::table::Row;
use crate::load::{Load, drive};
use std::time::Duration;

const LIVE: u64 = 1_000;

/// Deletes all but 1,000 of the `count` numbered objects in `bucket`, evenly spread, and lists the rest from one
/// client for at most `time`. Returns the listing's p99.
///
/// # Errors
/// [`Failed`] if the server refuses, or if the listing does not hold exactly what lives.
pub async fn run(
    server: &Server,
    bucket: &str,
    count: u64,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Duration, Failed> {
    let every = count / LIVE;
    if every > 1 {
        let delete = server.scsp.numbered("DELETE", &format!("/{bucket}/k")).sparing(every);
        let load = Load::all(64, count - LIVE);
        drive(&server.scsp, &delete, load).await?.flawless("deleting what the listing leaves out")?;
    }
    let list = server.scsp.same("GET", &format!("/{bucket}?format=json&size={LIVE}"));
    let answer = server.scsp.ask(&list).await?;
    let names: Option<usize> = serde_json::from_slice::<serde_json::Value>(&answer.body)
        .ok()
        .and_then(|json| Some(json.as_array()?.len()));
    if names != Some(usize::try_from(LIVE.min(count)).unwrap_or(usize::MAX)) {
        let found = names.map_or("no JSON array".to_owned(), |names| format!("{names} names"));
        let doing = format!("listing {bucket}");
        return Err(Failed::Answer {
            doing,
            status: answer.status,
            body: format!("{found} instead of {LIVE}"),
        });
    }
    let load = Load { connections: 1, operations: 2_000, time };
    let what = format!("list 1,000 names beside {} deleted", count.saturating_sub(LIVE));
    let (row, measured) = cell(server, what, &list, load).await?;
    rows.push(row);
    Ok(measured.percentile(99))
}
