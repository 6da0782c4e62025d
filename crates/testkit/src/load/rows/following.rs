//! What a follower asks: everything that changed in a bucket, page by page, and which of a thousand revisions are missing.

use super::content;
use crate::load::error::Failed;
use crate::load::now;
use crate::load::server::Server;
use crate::load::table::Row;
use crate::load::{Load, drive};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Following {
    /// Changes a second, read one page after the other.
    pub changes: f64,
    /// How long the question for a thousand names takes, in the middle.
    pub diff_p50: Duration,
}

/// Names of one question.
const NAMES: usize = 1_000;
/// How often it is asked.
const QUESTIONS: usize = 40;

/// Writes `count` objects into `bucket`, which it creates, reads its changes from the first to the last, and asks for revisions
/// of names that it has: of every second one that is there, of the others one that is not.
///
/// # Errors
/// [`Failed`] if the server refuses, or tells of another number of changes than there were.
pub async fn run(
    server: &Server,
    bucket: &str,
    count: u64,
    rows: &mut Vec<Row>,
) -> Result<Following, Failed> {
    server.create_bucket(bucket).await?;
    let put = server.scsp.numbered("POST", &format!("/{bucket}/k")).body(content(16));
    drive(&server.scsp, &put, Load::all(64, count)).await?.flawless(&format!("filling {bucket}"))?;

    let (mut since, mut told, mut known) = (0, 0_u64, Vec::new());
    let before = now();
    loop {
        let target = format!("/v1/domains/barrow.local/buckets/{bucket}/changes?since={since}&limit=1000");
        let page = value(&server.admin.ask(&server.admin.same("GET", &target)).await?.body);
        let changes = page["changes"].as_array().cloned().unwrap_or_default();
        if changes.is_empty() {
            break;
        }
        told += changes.len() as u64;
        since = page["last_seq"].as_u64().unwrap_or_default();
        if known.is_empty() {
            known = changes;
        }
    }
    let took = now().saturating_sub(before);
    if told != count {
        return Err(unexpected("reading all changes", &json!(told)));
    }
    let changes = told as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE);
    rows.push(Row {
        what: "changes, pages of 1,000".to_owned(),
        clients: Some(1),
        operations: Some(told),
        rate: Some(changes),
        remark: "rates count changes".to_owned(),
        ..Row::default()
    });

    let mut question = Map::new();
    for (at, change) in known.iter().take(NAMES).enumerate() {
        let there = change["rev"].as_str().unwrap_or_default();
        let rev = if at % 2 == 0 { there } else { "7-00000000000000000000000000000000" };
        question.insert(change["name"].as_str().unwrap_or_default().to_owned(), json!([rev]));
    }
    let missing = question.len() / 2;
    let diff = server.admin.same("POST", &format!("/_couch/{bucket}/_revs_diff"));
    let diff =
        diff.field("Content-Type", "application/json").body(Bytes::from(Value::Object(question).to_string()));
    let mut times = Vec::with_capacity(QUESTIONS);
    for _ in 0..QUESTIONS {
        let before = now();
        let answer = value(&server.admin.ask(&diff).await?.body);
        times.push(now().saturating_sub(before));
        if answer.as_object().map(Map::len) != Some(missing) {
            return Err(unexpected("asking for revisions", &answer));
        }
    }
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied();
    rows.push(Row {
        what: format!("_revs_diff of {NAMES} names, half of them missing"),
        clients: Some(1),
        operations: Some(QUESTIONS as u64),
        p50: at(50),
        p99: at(99),
        ..Row::default()
    });
    Ok(Following { changes, diff_p50: at(50).unwrap_or_default() })
}

fn value(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn unexpected(doing: &str, answer: &Value) -> Failed {
    Failed::Answer { doing: doing.to_owned(), status: 200, body: answer.to_string() }
}
