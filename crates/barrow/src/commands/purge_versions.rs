//! `barrow purge BUCKET --filter …`: versions in a live bucket go, and nothing but what is shown before.

use super::Session;
use super::container::Address;
use crate::cli::PurgeVersions;
use crate::client::encoded;
use crate::confirm::confirm_that;
use crate::exit::{Exit, Failed};
use crate::output::{self, field, say, size};
use serde_json::{Value, json};
use std::time::Duration;

/// How often a purge that goes on by itself is looked at.
const LOOK: Duration = Duration::from_millis(500);

pub(super) async fn run(
    session: &Session<'_>,
    bucket: &str,
    (yes, follow): (bool, bool),
    order: PurgeVersions,
) -> Result<Exit, Failed> {
    let address = Address::bucket(session, bucket);
    let target = format!("{}/versions/purge", address.path);
    let (expect, dry_run) = (order.expect, order.dry_run);
    let mut body = body(order);
    if dry_run {
        body["dry_run"] = true.into();
        let would = session.client.post(&target, &body).await?;
        session.tell(&would, |would| would_text(&address, would));
        return Ok(Exit::Done);
    }
    if let Some(count) = expect {
        body["expect_count"] = count.into();
    }
    let until = match body["final"].as_bool() {
        Some(true) => "cannot be undone",
        _ => "can be undone until the grace is over",
    };
    confirm_that(yes, &format!("purging versions in {} {until}", address.shown), &address.name)?;
    let mut job = session.client.post(&target, &body).await?;
    let deletion = format!("/v1/deletions/{}", encoded(&field(&job, "deletion_id")));
    while follow && job["state"] == "running" {
        if session.json {
            output::json(&job);
        } else {
            say(&text(&address, &job));
        }
        tokio::time::sleep(LOOK).await;
        job = session.client.get(&deletion).await?["purge"].clone();
    }
    session.tell(&job, |job| text(&address, job));
    Ok(Exit::Done)
}

fn body(order: PurgeVersions) -> Value {
    let mut body = json!({ "final": order.is_final });
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    set("filter", order.filter.map(Value::from));
    set("prefix", order.prefix.map(Value::from));
    set("names", (!order.name.is_empty()).then(|| order.name.into()));
    set("before_seq", order.before_seq.map(Value::from));
    set("keep", order.keep.map(Value::from));
    set("keep_per_name", order.keep_per_name.map(Value::from));
    set("older_than", order.older_than.map(Value::from));
    set("reason", order.reason.map(Value::from));
    body
}

fn protected(told: &Value) -> String {
    match told["protected"].as_u64() {
        None | Some(0) => String::new(),
        Some(count) => format!("; {count} are protected and stay"),
    }
}

fn would_text(address: &Address, would: &Value) -> String {
    let (count, bytes) = (field(would, "purged"), size(would, "bytes"));
    let stay = protected(would);
    format!(
        "would purge {count} versions in {}, {bytes}{stay}; nothing is changed\nexactly that, or nothing: --expect {count}",
        address.shown
    )
}

fn text(address: &Address, job: &Value) -> String {
    let (count, bytes) = (field(job, "purged"), size(job, "bytes"));
    let head = match job["state"].as_str() {
        Some("running") => "purging, so far",
        Some("cancelled") => "stopped: purged",
        _ => "purged",
    };
    let left = match (job["state"].as_str(), job["final"].as_bool()) {
        (Some("running"), _) => {
            format!("\nit goes on by itself; it is deletion {}", field(job, "deletion_id"))
        }
        (_, Some(true)) => "\nnothing of it can be restored".to_owned(),
        (_, _) if count == "0" => String::new(),
        _ => format!("\nuntil the grace is over: barrow trash list {}", address.shown),
    };
    format!("{head} {count} versions in {}, {bytes}{}{left}", address.shown, protected(job))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_told() {
        let address = Address {
            path: String::new(),
            word: "bucket",
            shown: "d/photos".to_owned(),
            name: "photos".to_owned(),
        };
        let job = json!({ "state": "done", "purged": 3, "bytes": 12, "protected": 1, "final": true });
        let told = text(&address, &job);
        assert!(told.starts_with("purged 3 versions in d/photos, "), "{told}");
        assert!(told.contains("1 are protected and stay"), "{told}");
        assert!(told.ends_with("nothing of it can be restored"), "{told}");
    }
}
