//! How fast space comes back once nothing keeps it any more.
//!
//! What is measured must be reclaim alone, so everything has to fall due before it begins. The server deletes with a
//! grace longer than the deleting takes, is stopped, and is started again when all of it is due: from then on it has
//! nothing else to do. That the promise of each removal outlives the process is part of what is being relied upon.

use super::fill;
use crate::load::error::Failed;
use crate::load::now;
use crate::load::server::{Server, Setup};
use crate::load::table::Row;
use crate::load::{Load, drive};
use serde_json::Value;
use std::time::Duration;

/// How long reclaim may take before it is given up and reported as it stands.
const LIMIT: Duration = Duration::from_secs(90);

/// Objects reclaimed per second; what is counted ends when neither `removed` nor `purging` holds anything.
///
/// # Errors
/// [`Failed`] if the server refuses or cannot be started again.
pub async fn run(
    setup: &Setup,
    what: &str,
    count: u64,
    size: usize,
    rows: &mut Vec<Row>,
) -> Result<f64, Failed> {
    // Long enough for deleting at 2,000/s.
    let grace = Duration::from_secs(2 + count / 2_000);
    let mut setup = setup.clone();
    setup.health.extend([
        ("object_delete_delay", format!("\"{}s\"", grace.as_secs())),
        ("drain_timeout", "\"0s\"".to_owned()),
        ("interval", "\"1s\"".to_owned()),
    ]);
    let server = setup.start().await?;
    let bucket = format!("reclaim-{}-{size}", std::process::id());
    server.create_bucket(&bucket).await?;
    let before = waiting(&server).await?;
    let empty = setup.database_size();
    fill(&server.scsp, &bucket, count, size).await?;
    let delete = server.scsp.numbered("DELETE", &format!("/{bucket}/k"));
    drive(&server.scsp, &delete, Load::all(64, count)).await?.flawless("deleting what is to be reclaimed")?;
    let deleted = now();
    server.stop().await?;
    let full = setup.database_size();
    // One second more than promised: nothing may be purged before, and clocks are compared in two places.
    tokio::time::sleep((deleted + grace + Duration::from_secs(1)).saturating_sub(now())).await;

    let begun = now();
    let server = setup.start().await?;
    let ready = now();
    let due = waiting(&server).await?.saturating_sub(before);
    let cpu = server.process.cpu()?;
    let mut left = due;
    while left > 0 && now().saturating_sub(ready) < LIMIT {
        tokio::time::sleep(Duration::from_millis(10)).await;
        left = waiting(&server).await?.saturating_sub(before);
    }
    let ended = now();
    let cpu = server.process.cpu()?.saturating_sub(cpu);
    // A reclaim that was half done before the first look is counted from the start of the process.
    let (done, elapsed) = if due * 2 >= count {
        (due - left, ended.saturating_sub(ready))
    } else {
        (count - left, ended.saturating_sub(begun))
    };
    let rate = done as f64 / elapsed.as_secs_f64();
    let peak = server.process.peak_memory()?;
    server.stop().await?;

    let mut remark = match (empty, full, setup.database_size()) {
        (Some(empty), Some(full), Some(after)) => {
            format!("database {} -> {} -> {} MiB", mebibytes(empty), mebibytes(full), mebibytes(after))
        }
        _ => String::new(),
    };
    if left > 0 {
        remark = format!("{left} left after {} s; {remark}", LIMIT.as_secs());
    }
    rows.push(Row {
        what: format!("reclaim {what}"),
        operations: Some(done),
        rate: Some(rate),
        cpu: Some(cpu / u32::try_from(done).unwrap_or(u32::MAX).max(1)),
        peak: Some(peak),
        remark,
        ..Row::default()
    });
    Ok(rate)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

/// How many objects are removed or purging, as the admin door counts them.
async fn waiting(server: &Server) -> Result<u64, Failed> {
    let answer = server.admin.ask(&server.admin.same("GET", "/v1/usage")).await?;
    let usage: Option<Value> = serde_json::from_slice(&answer.body).ok();
    usage.as_ref().and_then(in_states).ok_or_else(|| Failed::Answer {
        doing: "GET /v1/usage".to_owned(),
        status: answer.status,
        body: "it counts no objects in the states removed and purging".to_owned(),
    })
}

/// Objects in the states removed and purging, wherever the answer counts them: `{"removed": 3}`,
/// `{"removed": {"objects": 3, …}}` or `{"state": "removed", "objects": 3}`. `None` if it counts them nowhere; a
/// number missing from an answer must not pass for zero.
fn in_states(usage: &Value) -> Option<u64> {
    const STATES: [&str; 2] = ["removed", "purging"];
    match usage {
        Value::Array(parts) => parts.iter().filter_map(in_states).reduce(|one, other| one + other),
        Value::Object(fields) => {
            let mut found = None;
            let mut add = |count: Option<u64>| {
                if let Some(count) = count {
                    *found.get_or_insert(0) += count;
                }
            };
            if let Some(state) = fields.get("state").and_then(Value::as_str) {
                let counted = fields.get("objects").and_then(Value::as_u64);
                add(counted.map(|count| if STATES.contains(&state) { count } else { 0 }));
            }
            for (name, value) in fields {
                if STATES.contains(&name.as_str()) {
                    add(value.as_u64().or_else(|| value.get("objects")?.as_u64()));
                } else {
                    add(in_states(value));
                }
            }
            found
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn usage_is_counted_in_every_shape_and_never_guessed() {
        let live = json!({"live": {"objects": 9, "bytes": 9}});
        assert_eq!(in_states(&live), None);
        assert_eq!(in_states(&json!({"removed": 3, "purging": 0})), Some(3));
        assert_eq!(
            in_states(&json!({"states": {"removed": {"objects": 3}, "purging": {"objects": 4}}})),
            Some(7)
        );
        let rows = json!([{"state": "live", "objects": 5}, {"state": "purging", "objects": 2}]);
        assert_eq!(in_states(&rows), Some(2));
        assert_eq!(in_states(&json!({"buckets": [{"state": "live", "objects": 5}]})), Some(0));
    }
}
