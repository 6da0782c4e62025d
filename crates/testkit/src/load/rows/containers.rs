//! Removing and restoring whole buckets: constant, however much is inside.

use super::fill;
use crate::load::error::Failed;
use crate::load::now;
use crate::load::server::{CONTEXT, Server};
use crate::load::table::Row;
use std::time::Duration;

const ROUNDS: usize = 5;

/// Removes and restores buckets of each of these sizes. They stay, filled, as `name-COUNT`. Returns the longest time
/// any removal or restore took.
///
/// # Errors
/// [`Failed`] if the server refuses, or if a removed bucket's content can still be read, or a restored one's cannot.
pub async fn run(
    server: &Server,
    name: &str,
    sizes: &[u64],
    rows: &mut Vec<Row>,
) -> Result<Duration, Failed> {
    let mut longest = Duration::ZERO;
    for &count in sizes {
        let bucket = format!("{name}-{count}");
        server.create_bucket(&bucket).await?;
        fill(&server.scsp, &bucket, count, 16).await?;

        let mut removals = Vec::with_capacity(ROUNDS);
        let mut restores = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let (took, id) = remove(server, &bucket).await?;
            removals.push(took);
            expect(server, &bucket, 404).await?;
            restores.push(restore(server, &bucket, &id).await?);
            expect(server, &bucket, 200).await?;
        }
        for (what, mut times) in [("remove", removals), ("restore", restores)] {
            times.sort_unstable();
            longest = longest.max(times[ROUNDS - 1]);
            rows.push(Row {
                what: format!("{what} a bucket of {count}"),
                clients: Some(1),
                operations: Some(ROUNDS as u64),
                p50: Some(times[ROUNDS / 2]),
                p99: Some(times[ROUNDS - 1]),
                ..Row::default()
            });
        }
    }
    Ok(longest)
}

async fn remove(server: &Server, bucket: &str) -> Result<(Duration, String), Failed> {
    let request = server.scsp.same("DELETE", &format!("/{bucket}?recursive=yes"));
    let before = now();
    let answer = server.scsp.ask(&request).await?;
    let took = now().saturating_sub(before);
    let id = answer.header("Castor-System-Alias").ok_or_else(|| Failed::Answer {
        doing: format!("removing {bucket}"),
        status: answer.status,
        body: "the answer has no Castor-System-Alias".to_owned(),
    })?;
    Ok((took, id.to_owned()))
}

async fn restore(server: &Server, bucket: &str, id: &str) -> Result<Duration, Failed> {
    let target = format!("/{bucket}?recreatecid={id}&admin");
    let request = server.scsp.same("POST", &target).field("Content-Type", CONTEXT);
    let before = now();
    server.scsp.ask(&request).await?;
    Ok(now().saturating_sub(before))
}

/// A fast answer that is not true would be worth nothing.
async fn expect(server: &Server, bucket: &str, status: u16) -> Result<(), Failed> {
    let answer = server.scsp.ask_anyway(&server.scsp.numbered("GET", &format!("/{bucket}/k"))).await?;
    if answer.status == status {
        return Ok(());
    }
    let doing = format!("reading from {bucket}, where {status} was expected");
    Err(Failed::Answer { doing, status: answer.status, body: String::new() })
}
