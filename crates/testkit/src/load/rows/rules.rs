//! How late is removed what a bucket's rules let go: few of many, and many at the same moment, as whole days of writes do at
//! midnight.
//!
//! Readers are answered 404 from the second on in which something falls due, and that is looked at here, too; what is
//! measured is when its row says so, which starts its grace and frees its space in the end.

use super::content;
use crate::load::error::Failed;
use crate::load::server::{CONTEXT, Server};
use crate::load::table::Row;
use crate::load::{Load, drive, now};
use lifecycle::{Clock, SystemClock, Time};
use serde_json::Value;
use std::time::Duration;

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lateness {
    /// All but one in a hundred were removed so soon after they fell due, of one in a hundred under the rules ...
    pub few: Duration,
    /// ... and of all the others, at once.
    pub many: Duration,
}

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);
/// What is later is given up.
const LIMIT: Duration = Duration::from_secs(300);
/// Between the few and the many.
const BETWEEN: Duration = Duration::from_secs(5);
/// Versions planned anew a second, at least: so long it takes until everything can fall due.
const PLANNED: u64 = 15_000;

/// Writes `count` objects into `bucket`, which it creates, puts rules into force that let one in a hundred go at one moment
/// and all others a little later, and watches them go.
///
/// # Errors
/// [`Failed`] if the server refuses, answers what has fallen due, or does not remove it.
pub async fn run(server: &Server, bucket: &str, count: u64, rows: &mut Vec<Row>) -> Result<Lateness, Failed> {
    server.create_bucket(bucket).await?;
    let few = count / 100;
    for (folder, count) in [("few", few), ("many", count - few)] {
        let put = server.scsp.numbered("POST", &format!("/{bucket}/{folder}/k")).body(content(16));
        drive(&server.scsp, &put, Load::all(64, count)).await?.flawless(&format!("filling {bucket}"))?;
    }

    let began = now();
    let first = seconds_from_now(Duration::from_secs(3 + count / PLANNED));
    let second = first.plus(BETWEEN);
    let rule = |folder: &str, at: Time| {
        let at = at.to_rfc3339();
        let date = at.get(..19).unwrap_or(&at);
        format!("RuleId:\"{folder}\" NamePrefix:\"{folder}/\" ExpirationDate:{date}Z")
    };
    let order = server
        .scsp
        .same("COPY", &format!("/{bucket}"))
        .field("Content-Type", CONTEXT)
        .field("Policy-Lifecycle", &rule("few", first))
        .field("Policy-Lifecycle", &rule("many", second));
    server.scsp.ask(&order).await?;
    let looked = planned(server, bucket, count).await?;
    let planning = now().saturating_sub(began);
    if SystemClock.now() >= first {
        return Err(Failed::Late { waiting_for: format!("planning {count} objects"), limit: planning });
    }

    let mut found = Lateness::default();
    let mut left = count;
    for (folder, gone, due, late) in
        [("few", few, first, &mut found.few), ("many", count - few, second, &mut found.many)]
    {
        tokio::time::sleep(due.since(SystemClock.now())).await;
        let read = server.scsp.numbered("GET", &format!("/{bucket}/{folder}/k"));
        let answer = server.scsp.ask_anyway(&read).await?;
        if answer.status != 404 {
            let doing = format!("reading from {folder} in the second it falls due");
            return Err(Failed::Answer { doing, status: answer.status, body: String::new() });
        }
        let cpu = server.process.cpu()?;
        let watched = watch(server, bucket, (left, left - gone), due).await?;
        left -= gone;
        *late = watched.p99;
        rows.push(Row {
            what: format!("by a rule, {gone} of {count} at once"),
            operations: Some(gone),
            rate: Some(gone as f64 / watched.last.as_secs_f64().max(f64::MIN_POSITIVE)),
            p50: Some(watched.p50),
            p99: Some(watched.p99),
            cpu: Some(
                server.process.cpu()?.saturating_sub(cpu) / u32::try_from(gone).unwrap_or(u32::MAX).max(1),
            ),
            remark: match folder {
                "few" => {
                    let rate = looked as f64 / planning.as_secs_f64().max(f64::MIN_POSITIVE);
                    format!("lateness; {rate:.0} a second were planned anew before")
                }
                _ => format!("lateness; the last {:.1} s", watched.last.as_secs_f64()),
            },
            ..Row::default()
        });
    }
    Ok(found)
}

/// How long after they fell due half, almost all and all of them were removed.
struct Watched {
    p50: Duration,
    p99: Duration,
    last: Duration,
}

async fn watch(
    server: &Server,
    bucket: &str,
    (full, empty): (u64, u64),
    due: Time,
) -> Result<Watched, Failed> {
    let gone_at = |share: u64| full - (full - empty) * share / 100;
    let (mut p50, mut p99) = (None, None);
    loop {
        let left = live(server, bucket).await?;
        let late = SystemClock.now().since(due);
        if left <= gone_at(50) {
            p50.get_or_insert(late);
        }
        if left <= gone_at(99) {
            p99.get_or_insert(late);
        }
        if left <= empty {
            let known = |found: Option<Duration>| found.unwrap_or(late);
            return Ok(Watched { p50: known(p50), p99: known(p99), last: late });
        }
        if late > LIMIT {
            let waiting_for = format!("{} objects that have fallen due", left - empty);
            return Err(Failed::Late { waiting_for, limit: LIMIT });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits until the rules were applied to everything that is there. Returns how many were looked at.
async fn planned(server: &Server, bucket: &str, count: u64) -> Result<u64, Failed> {
    let began = now();
    let target = format!("/v1/domains/barrow.local/buckets/{bucket}/lifecycle");
    loop {
        let shown = value(&server.admin.ask(&server.admin.same("GET", &target)).await?.body);
        let looked = shown["planning"]["looked"].as_u64().unwrap_or_default();
        if shown["planning"]["ended_at"].is_string() && looked >= count {
            return Ok(looked);
        }
        if now().saturating_sub(began) > LIMIT {
            return Err(Failed::Late { waiting_for: format!("the plan of {bucket}: {shown}"), limit: LIMIT });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Live objects of the bucket.
async fn live(server: &Server, bucket: &str) -> Result<u64, Failed> {
    let usage = value(&server.admin.ask(&server.admin.same("GET", "/v1/usage")).await?.body);
    let buckets = usage["buckets"].as_array().cloned().unwrap_or_default();
    let row = buckets.iter().find(|row| row["bucket"] == bucket);
    row.and_then(|row| row["live_objects"].as_u64()).ok_or_else(|| Failed::Answer {
        doing: "GET /v1/usage".to_owned(),
        status: 200,
        body: format!("it does not count what is live in {bucket}"),
    })
}

/// The first whole second that is so far away: what a rule's date can say.
fn seconds_from_now(away: Duration) -> Time {
    let at = SystemClock.now().plus(away).micros();
    Time::from_secs(at.div_euclid(1_000_000) + 1)
}

fn value(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
