//! Purging many versions: by filter, position and number, and all of them; and what somebody who writes beside it notices.

use super::content;
use crate::load::error::Failed;
use crate::load::now;
use crate::load::server::Server;
use crate::load::table::Row;
use crate::load::{Door, Load, drive};
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Purges {
    /// Versions a second, of the slowest way.
    pub rate: f64,
    /// All but one in a hundred PUTs beside them took less, in the worst case.
    pub put_p99: Duration,
    /// How long purging all took, which replaces what the bucket holds.
    pub all: Duration,
    /// How long the longest acceptance took, until the answer.
    pub accepted: Duration,
}

/// What a purge that goes on by itself is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// A purge that takes longer is given up.
const LIMIT: Duration = Duration::from_secs(300);

/// Writes `count` versions into `bucket`, which it creates, and purges them in four ways.
///
/// # Errors
/// [`Failed`] if the server refuses, or purges another number than it should.
pub async fn run(server: &Server, bucket: &str, count: u64, rows: &mut Vec<Row>) -> Result<Purges, Failed> {
    server.create_versioned_bucket(bucket).await?;
    let tenth = count / 10;
    // One name in ten of these; of each name there is one version, but for a hundred names.
    fill(&server.scsp, bucket, "kv/0", tenth).await?;
    fill(&server.scsp, bucket, "kv/1", count - tenth).await?;
    let mut found = Purges { rate: f64::INFINITY, ..Purges::default() };

    let order = json!({ "filter": "kv/0/>" });
    purge(server, bucket, ("a filter over a tenth", order, tenth), &mut found, rows).await?;
    let order = json!({ "filter": ">", "before_seq": 4 * tenth + 1 });
    purge(server, bucket, ("below a position", order, 3 * tenth), &mut found, rows).await?;
    // What was written beside the purges so far is newer, and is kept, too.
    let newer = beside(server, bucket).await?.saturating_sub(count - 4 * tenth);
    let order = json!({ "filter": ">", "keep": 3 * tenth + newer });
    purge(server, bucket, ("all but the newest", order, count - 7 * tenth), &mut found, rows).await?;
    // What was written while that was accepted took the place of some of these.
    let order = json!({ "filter": "*/>", "older_than": "0s" });
    purge(server, bucket, ("by age", order, 3 * tenth - tenth / 2), &mut found, rows).await?;

    fill(&server.scsp, bucket, "all", count / 4).await?;
    let before = now();
    let all = ask(server, bucket, &json!({ "filter": ">" })).await?;
    found.all = now().saturating_sub(before);
    expect(&all, count / 4)?;
    rows.push(Row {
        what: format!("purge all {} versions", count / 4),
        clients: Some(1),
        operations: Some(1),
        p99: Some(found.all),
        ..Row::default()
    });
    Ok(found)
}

async fn fill(door: &Door, bucket: &str, folder: &str, count: u64) -> Result<(), Failed> {
    let put = door.numbered("POST", &format!("/{bucket}/{folder}/k")).body(content(16));
    drive(door, &put, Load::all(64, count)).await?.flawless(&format!("filling {bucket}")).map(drop)
}

/// Live versions of the bucket.
async fn beside(server: &Server, bucket: &str) -> Result<u64, Failed> {
    let request = server.admin.same("POST", &format!("/_js/api/STREAM.INFO.{bucket}"));
    let info = value(&server.admin.ask(&request).await?.body);
    info["state"]["messages"].as_u64().ok_or_else(|| unexpected("counting versions", &info))
}

/// Purges, while one client writes.
async fn purge(
    server: &Server,
    bucket: &str,
    (what, order, expected): (&str, Value, u64),
    found: &mut Purges,
    rows: &mut Vec<Row>,
) -> Result<(), Failed> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let door = &server.scsp;
    let put = door.same("PUT", &format!("/{bucket}/writer")).body(content(16));
    let post = door.same("POST", &format!("/{bucket}/writer")).body(content(16));
    let _made = door.ask_anyway(&post).await?;
    let writing = async {
        let mut times = Vec::new();
        while !*stopped.borrow() {
            let before = now();
            door.ask(&put).await?;
            times.push(now().saturating_sub(before));
        }
        times.sort_unstable();
        Ok::<_, Failed>(times)
    };
    let purging = async {
        let before = now();
        let mut job = ask(server, bucket, &order).await?;
        let answered = now().saturating_sub(before);
        let id = job["deletion_id"].as_str().unwrap_or_default().to_owned();
        while job["state"] == "running" && now().saturating_sub(before) < LIMIT {
            tokio::time::sleep(LOOK).await;
            let shown = server.admin.ask(&server.admin.same("GET", &format!("/v1/deletions/{id}"))).await?;
            job = value(&shown.body)["purge"].clone();
        }
        let took = now().saturating_sub(before);
        let _listening = stop.send(true);
        Ok::<_, Failed>((job, took, answered))
    };
    let (times, (job, took, answered)) = tokio::try_join!(writing, purging)?;
    // What the client writes while it is accepted may count.
    let purged = job["purged"].as_u64().unwrap_or_default();
    if purged < expected || purged > 2 * expected + times.len() as u64 {
        return Err(unexpected(&format!("purging {expected} versions"), &job));
    }
    let rate = purged as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE);
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
    let (p50, p99) = (at(50).copied(), at(99).copied());
    found.rate = found.rate.min(rate);
    found.put_p99 = found.put_p99.max(p99.unwrap_or_default());
    if purged <= 100_000 {
        found.accepted = found.accepted.max(answered);
    }
    rows.push(Row {
        what: format!("purge {purged}: {what}"),
        clients: Some(1),
        operations: Some(purged),
        rate: Some(rate),
        p50,
        p99,
        remark: format!("{} PUTs beside it, whose p50 and p99 these are", times.len()),
        ..Row::default()
    });
    Ok(())
}

async fn ask(server: &Server, bucket: &str, order: &Value) -> Result<Value, Failed> {
    let target = format!("/v1/domains/barrow.local/buckets/{bucket}/versions/purge");
    let request = server.admin.same("POST", &target).body(Bytes::from(order.to_string()));
    Ok(value(&server.admin.ask(&request).await?.body))
}

fn expect(job: &Value, purged: u64) -> Result<(), Failed> {
    match job["purged"].as_u64() {
        Some(count) if count >= purged => Ok(()),
        _ => Err(unexpected(&format!("purging {purged} versions"), job)),
    }
}

fn value(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn unexpected(doing: &str, answer: &Value) -> Failed {
    Failed::Answer { doing: doing.to_owned(), status: 200, body: answer.to_string() }
}
