//! `barrow purge`: the point of no return, shown before it is passed.

use super::Session;
use super::container::Address;
use super::members::waiting_lines;
use crate::cli::Purge;
use crate::client::encoded;
use crate::confirm::confirm;
use crate::exit::{Exit, Failed};
use crate::output::{self, field, say, size};
use lifecycle::{Clock, SystemClock};
use serde_json::{Value, json};
use std::time::Duration;

/// How often `--follow` looks.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn run(session: &Session<'_>, order: Purge) -> Result<Exit, Failed> {
    if order.versions.is_meant() {
        let bucket = order.bucket.as_deref();
        let bucket = bucket.ok_or_else(|| Failed::Usage("say in which bucket".to_owned()))?;
        return super::purge_versions::run(session, bucket, (order.yes, order.follow), order.versions).await;
    }
    let address = match (&order.bucket, &order.domain) {
        (Some(bucket), _) => Address::bucket(session, bucket),
        (None, Some(domain)) => Address::domain(domain),
        (None, None) => return Err(Failed::Usage("say which bucket, or --domain".to_owned())),
    };
    let target = format!("{}/purge", address.path);
    if order.plan {
        let plan = session.client.post(&target, &json!({ "dry_run": true })).await?;
        session.tell(&plan, |plan| plan_text(&address, plan));
        return Ok(Exit::Done);
    }
    confirm(order.yes, &format!("purging {} {}", address.word, address.shown), &address.name)?;
    let mut body = json!({ "mode": if order.leave_it { "async" } else { "sync" } });
    if let Some(token) = &order.plan_token {
        body["plan_token"] = token.as_str().into();
    }
    if let Some(wait) = &order.wait {
        let wait = humantime::parse_duration(wait)
            .map_err(|bad| Failed::Usage(format!("--wait {wait:?}: {bad}; write it as 5s")))?;
        body["wait_ms"] = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).into();
    }
    let purging = session.client.post(&target, &body).await?;
    if !order.follow {
        session.tell(&purging, |purging| begun(&address, purging));
        return Ok(Exit::Done);
    }
    if !session.json {
        say(&begun(&address, &purging));
    }
    follow(session, &address, &purging).await
}

fn plan_text(address: &Address, plan: &Value) -> String {
    let mut lines = vec![format!(
        "would purge {} {} ({}): {} versions, {}",
        address.word,
        address.shown,
        field(plan, "id"),
        field(plan, "versions"),
        size(plan, "bytes")
    )];
    let waiting = waiting_lines(&plan["barrier"]["waiting"]);
    if waiting.is_empty() {
        lines.push("every member has let go of it".to_owned());
    } else {
        lines.push("members that have not let go of it yet:".to_owned());
        lines.extend(waiting);
    }
    let word = if address.word == "domain" { "--domain " } else { "" };
    lines.push(format!(
        "within {} s:  barrow purge {word}{} --plan-token {}",
        field(plan, "plan_valid_seconds"),
        address.shown,
        field(plan, "plan_token")
    ));
    lines.join("\n")
}

fn begun(address: &Address, purging: &Value) -> String {
    let head = format!(
        "{} {} ({}) is {}",
        address.word,
        address.shown,
        field(purging, "id"),
        field(purging, "state")
    );
    let waiting = waiting_lines(&purging["barrier"]["waiting"]);
    match waiting.is_empty() {
        true => format!("{head}: {} versions, {}", field(purging, "versions"), size(purging, "bytes")),
        false => {
            format!("{head}; the health processor purges it when these have let go:\n{}", waiting.join("\n"))
        }
    }
}

/// Tells how much is left, and how long that takes at the pace so far, until only the tombstone is left.
async fn follow(session: &Session<'_>, address: &Address, purging: &Value) -> Result<Exit, Failed> {
    let id = field(purging, "id");
    let path = match address.word {
        "domain" => format!("/v1/domains/{}", encoded(&id)),
        _ => format!("/v1/domains/{}/buckets/{}", encoded(&field(purging, "domain_id")), encoded(&id)),
    };
    let field_name = if address.word == "domain" { "domain_id" } else { "bucket_id" };
    let began = SystemClock.boot();
    let all = purging["versions"].as_u64().unwrap_or(0);
    loop {
        let now = session.client.get(&path).await?;
        let state = field(&now, "state");
        let usage = session.client.get("/v1/usage").await?;
        let rows = usage["buckets"].as_array().into_iter().flatten();
        let left: u64 = rows
            .filter(|row| row[field_name].as_str() == Some(&id))
            .map(|row| {
                ["live", "removed", "purging"]
                    .iter()
                    .filter_map(|state| row[format!("{state}_objects")].as_u64())
                    .sum::<u64>()
            })
            .sum();
        if session.json {
            output::json(&json!({ "state": state, "left": left, "of": all }));
        } else {
            say(&format!(
                "{state}: {left} of {all} versions left{}",
                eta(all, left, SystemClock.boot() - began)
            ));
        }
        match state.as_str() {
            "purged" => return Ok(Exit::Done),
            "live" => {
                return Err(Failed::Refused(format!("{} {} was restored", address.word, address.shown)));
            }
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

/// How long the rest takes at the pace so far.
fn eta(all: u64, left: u64, passed: Duration) -> String {
    let done = all.saturating_sub(left);
    if done == 0 || left == 0 {
        return String::new();
    }
    let rest = passed.as_secs_f64() * left as f64 / done as f64;
    format!(", about {} more", humantime::format_duration(Duration::from_secs(rest.ceil() as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_estimated_by_the_pace_so_far() {
        assert_eq!(eta(100, 75, Duration::from_secs(10)), ", about 30s more");
        assert_eq!(eta(100, 100, Duration::from_secs(10)), "");
        assert_eq!(eta(100, 0, Duration::from_secs(10)), "");
    }
}
