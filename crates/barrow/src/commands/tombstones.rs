//! `barrow tombstones`: what a UUID or a name was.

use super::Session;
use super::container::told_of_more;
use crate::cli::Tombstones;
use crate::client::encoded;
use crate::exit::{Exit, Failed};
use crate::output::{self, Table, field, say, size, when};
use serde_json::{Value, json};

pub(super) async fn run(session: &Session<'_>, which: Tombstones) -> Result<Exit, Failed> {
    let (items, more) = match (&which.uuid, &which.name) {
        (Some(uuid), _) => {
            let mut answer = session.client.get(&format!("/v1/tombstones?uuid={}", encoded(uuid))).await?;
            match answer["items"].take() {
                Value::Array(items) => (items, false),
                _ => (Vec::new(), false),
            }
        }
        (None, name) => {
            let name = name.as_deref().unwrap_or_default();
            session.client.list(&by_name(name, &which), which.limit).await?
        }
    };
    if session.json {
        output::json(&json!({ "items": items, "more": more }));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        "KIND",
        "WHAT",
        "STATE",
        "BYTES",
        "REMOVED",
        "BY",
        "CAUSE",
        "PURGE",
        "FORGOTTEN",
        "UUID",
    ]);
    for item in &items {
        let purge = if item["purged_at"].is_null() { "purge_after" } else { "purged_at" };
        table.row(vec![
            field(item, "kind"),
            what(item),
            field(item, "state"),
            if item["size"].is_null() { "-".to_owned() } else { size(item, "size") },
            when(item, "removed_at", session.now),
            field(item, "removed_by"),
            field(item, "cause"),
            when(item, purge, session.now),
            when(item, "forget_after", session.now),
            field(item, "uuid"),
        ]);
    }
    say(&table.render());
    told_of_more(more);
    Ok(Exit::Done)
}

fn by_name(name: &str, which: &Tombstones) -> String {
    let (domain, bucket) = match (&which.domain, &which.bucket) {
        (None, Some(bucket)) => match bucket.split_once('/') {
            Some((domain, bucket)) => (Some(domain), Some(bucket)),
            None => (None, Some(bucket.as_str())),
        },
        (domain, bucket) => (domain.as_deref(), bucket.as_deref()),
    };
    let mut target = format!("/v1/tombstones?name={}", encoded(name));
    for (argument, value) in [("domain", domain), ("bucket", bucket)] {
        if let Some(value) = value {
            target.push_str(&format!("&{argument}={}", encoded(value)));
        }
    }
    target
}

/// Where it was, and its name.
fn what(item: &Value) -> String {
    let (domain, name) = (field(item, "domain"), field(item, "name"));
    match (item["kind"].as_str(), item["bucket"].as_str()) {
        (Some("domain"), _) => domain,
        (Some("bucket"), _) | (_, None) => format!("{domain}/{name}"),
        (_, Some(bucket)) => format!("{domain}/{bucket}/{name}"),
    }
}
