//! `barrow members` and `barrow barrier`.

use super::Session;
use super::container::Address;
use crate::cli::MembersCommand;
use crate::client::encoded;
use crate::confirm::confirm;
use crate::exit::{Exit, Failed};
use crate::output::{Table, field};
use serde_json::{Value, json};

pub(super) async fn run(session: &Session<'_>, command: Option<MembersCommand>) -> Result<Exit, Failed> {
    let answer = match command {
        None => session.client.get("/v1/members").await?,
        Some(MembersCommand::Fence { id, yes }) => {
            confirm(yes, &format!("fencing member {id}"), &id)?;
            session.client.post(&format!("/v1/members/{}/fence", encoded(&id)), &json!({})).await?
        }
    };
    session.tell(&answer, table);
    Ok(Exit::Done)
}

/// Whom a purge would have to wait for: of all that was removed up to an epoch, or of one bucket.
pub(super) async fn barrier(
    session: &Session<'_>,
    epoch: Option<u64>,
    bucket: Option<String>,
) -> Result<Exit, Failed> {
    let answer = match (epoch, bucket) {
        (_, Some(bucket)) => {
            let address = Address::bucket(session, &bucket);
            let order = json!({ "dry_run": true });
            let plan = session.client.post(&format!("{}/purge", address.path), &order).await?;
            let waiting = plan["barrier"]["waiting"].as_array().cloned().unwrap_or_default();
            json!({ "epoch": plan["epoch"], "satisfied": waiting.is_empty(), "waiting": waiting })
        }
        (Some(epoch), None) => session.client.get(&format!("/v1/barrier/{epoch}")).await?,
        (None, None) => session.client.get("/v1/barrier").await?,
    };
    session.tell(&answer, barrier_text);
    Ok(Exit::Done)
}

fn table(answer: &Value) -> String {
    let mut table = Table::new(&[
        "NODE",
        "ROLE",
        "STATE",
        "INCARNATION",
        "LEASE",
        "EPOCH",
        "STILL BUSY WITH",
        "ADMIN",
        "ID",
    ]);
    for member in answer["members"].as_array().into_iter().flatten() {
        let this = if member["this"] == true { " *" } else { "" };
        table.row(vec![
            format!("{}{this}", field(member, "node")),
            field(member, "role"),
            field(member, "state"),
            field(member, "incarnation"),
            lease(member),
            format!("{} of {}", field(member, "drained_epoch"), field(answer, "epoch")),
            busy(&member["holdouts"]),
            field(member, "address"),
            field(member, "id"),
        ]);
    }
    table.render()
}

/// What is left of a lease.
fn lease(member: &Value) -> String {
    if member["state"] != "active" {
        return field(member, "ended_by");
    }
    match member["lease_ms_left"].as_i64() {
        None => "does not end".to_owned(),
        Some(left) if left < 0 => format!("over for {} s", -left / 1_000),
        Some(left) => format!("{} s", left / 1_000),
    }
}

fn busy(holdouts: &Value) -> String {
    let told: Vec<String> = holdouts
        .as_array()
        .into_iter()
        .flatten()
        .map(|held| {
            let seconds = held["since_ms"].as_u64().unwrap_or(0) / 1_000;
            format!(
                "{} {} for {seconds} s in bucket {}",
                held["count"],
                field(held, "what"),
                field(held, "bucket_id")
            )
        })
        .collect();
    if told.is_empty() { "-".to_owned() } else { told.join("; ") }
}

/// Also what a purge that waits is told.
pub(super) fn barrier_text(answer: &Value) -> String {
    let epoch = field(answer, "epoch");
    if answer["satisfied"] == true {
        return format!("every member has let go of what was removed up to epoch {epoch}");
    }
    let mut lines = vec![format!("members have not let go of what was removed up to epoch {epoch}:")];
    lines.extend(waiting_lines(&answer["waiting"]));
    lines.join("\n")
}

/// A line for each member that is waited for.
pub(super) fn waiting_lines(waiting: &Value) -> Vec<String> {
    let told = |member: &Value| {
        let held = busy(&member["holdouts"]);
        let held = if held == "-" { String::new() } else { format!(" ({held})") };
        format!("  {}: {}{held}", field(member, "member"), field(member, "why"))
    };
    waiting.as_array().into_iter().flatten().map(told).collect()
}
