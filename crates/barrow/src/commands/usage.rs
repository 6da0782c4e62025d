//! `barrow usage`.

use super::{Session, quota};
use crate::exit::{Exit, Failed};
use crate::output::{Table, field, size};
use serde_json::Value;

const STATES: [&str; 5] = ["staged", "live", "removed", "purging", "purged"];

pub(super) async fn run(session: &Session<'_>) -> Result<Exit, Failed> {
    let answer = session.client.get("/v1/usage").await?;
    session.tell(&answer, table);
    Ok(Exit::Done)
}

/// A line for each bucket and state that holds anything, and the sums.
fn table(usage: &Value) -> String {
    let mut table = Table::new(&["BUCKET", "STATE", "OBJECTS", "BYTES", "QUOTA"]);
    for bucket in usage["buckets"].as_array().into_iter().flatten() {
        let name = match bucket["bucket"].as_str() {
            Some("") | None => format!("{} (unnamed)", field(bucket, "domain")),
            Some(name) => format!("{}/{name}", field(bucket, "domain")),
        };
        for state in STATES {
            let objects = format!("{state}_objects");
            if bucket[&objects].as_u64() != Some(0) {
                let bytes = size(bucket, &format!("{state}_bytes"));
                // It stands beside what always counts to it.
                let quota = if state == "live" { limited(&bucket["quota"]) } else { "-".to_owned() };
                table.row(vec![name.clone(), state.to_owned(), field(bucket, &objects), bytes, quota]);
            }
        }
    }
    for account in usage["accounts"].as_array().into_iter().flatten() {
        for state in ["live", "removed"] {
            let held = &account[state];
            if state == "live" || held["objects"].as_i64() != Some(0) {
                let quota = if state == "live" { limited(&account["quota"]) } else { "-".to_owned() };
                let name = format!("account {}", field(account, "account"));
                table.row(vec![name, state.to_owned(), field(held, "objects"), size(held, "bytes"), quota]);
            }
        }
    }
    for state in STATES {
        let (held, total) = (&usage["total"][state], "total".to_owned());
        let bytes = size(held, "bytes");
        table.row(vec![total, state.to_owned(), field(held, "objects"), bytes, "-".to_owned()]);
    }
    table.render()
}

fn limited(quota: &Value) -> String {
    if quota.is_null() { "-".to_owned() } else { quota::said(quota) }
}
