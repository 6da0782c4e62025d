//! `barrow usage`.

use super::Session;
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
    let mut table = Table::new(&["BUCKET", "STATE", "OBJECTS", "BYTES"]);
    for bucket in usage["buckets"].as_array().into_iter().flatten() {
        let name = match bucket["bucket"].as_str() {
            Some("") | None => format!("{} (unnamed)", field(bucket, "domain")),
            Some(name) => format!("{}/{name}", field(bucket, "domain")),
        };
        for state in STATES {
            let objects = format!("{state}_objects");
            if bucket[&objects].as_u64() != Some(0) {
                let bytes = size(bucket, &format!("{state}_bytes"));
                table.row(vec![name.clone(), state.to_owned(), field(bucket, &objects), bytes]);
            }
        }
    }
    for state in STATES {
        let held = &usage["total"][state];
        table.row(vec!["total".to_owned(), state.to_owned(), field(held, "objects"), size(held, "bytes")]);
    }
    table.render()
}
