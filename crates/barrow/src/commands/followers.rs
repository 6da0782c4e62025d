//! `barrow followers`: who follows a bucket, and forgetting one of them.

use super::Session;
use super::container::{Address, told_of_more};
use crate::cli::{Followers, FollowersCommand};
use crate::client::encoded;
use crate::confirm::confirm;
use crate::exit::{Exit, Failed};
use crate::output::{self, Table, field, say, when};
use lifecycle::Time;
use serde_json::{Value, json};

/// So many are listed.
const LIST_MAX: u32 = 10_000;

pub(super) async fn run(session: &Session<'_>, which: Followers) -> Result<Exit, Failed> {
    let address = Address::bucket_in(session, which.domain.as_deref(), &which.bucket);
    let path = format!("{}/followers", address.path);
    match which.command {
        None => list(session, &path).await,
        Some(FollowersCommand::Deregister { id, yes }) => {
            confirm(yes, &format!("forgetting follower {id} of bucket {}", address.shown), &id)?;
            let answer = session.client.delete(&format!("{path}/{}", encoded(&id))).await?;
            session.tell(&answer, |_| {
                format!("{id} follows {} no longer; what only it had not passed may go", address.shown)
            });
            Ok(Exit::Done)
        }
    }
}

async fn list(session: &Session<'_>, path: &str) -> Result<Exit, Failed> {
    let (items, more) = session.client.list(path, LIST_MAX).await?;
    if session.json {
        output::json(&json!({ "items": items, "more": more }));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&HEADINGS);
    for item in &items {
        table.row(row(item, session.now));
    }
    say(&table.render());
    told_of_more(more);
    Ok(Exit::Done)
}

const HEADINGS: [&str; 8] = ["ID", "KIND", "CHANGE", "BEHIND", "PURGE", "BEHIND", "SEEN", "REGISTERED BY"];

fn row(item: &Value, now: Time) -> Vec<String> {
    let lagging = if item["lagging"] == true { " (lagging)" } else { "" };
    vec![
        field(item, "id"),
        field(item, "kind"),
        field(item, "change_seq"),
        field(item, "changes_behind"),
        field(item, "purge_seq"),
        field(item, "purges_behind"),
        format!("{}{lagging}", when(item, "seen_at", now)),
        field(item, "registered_by"),
    ]
}
