//! `barrow changes`: what changed in a bucket, and following it as it goes on.

use super::container::{Address, told_of_more};
use super::{Session, client};
use crate::cli::Changes;
use crate::client::Client;
use crate::exit::{Exit, Failed};
use crate::output::{self, Table, field, printable, say, say_aside, size};
use serde_json::{Value, json};
use std::time::Duration;

/// Entries of one page.
const PAGE: u32 = 1_000;
/// Milliseconds that the server is to wait for a change.
const WAIT_MS: u32 = 30_000;
/// How often a server that does not answer is asked again, and how far apart: a restart takes less than these together.
const AGAIN: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn run(session: &Session<'_>, which: Changes) -> Result<Exit, Failed> {
    let path = Address::bucket_in(session, which.domain.as_deref(), &which.bucket).path;
    if !which.follow {
        return list(session, &path, which.since, which.limit).await;
    }
    // An interrupt is how following ends, and not a failure of it.
    tokio::select! {
        ended = follow(session, &path, which.since) => ended,
        Ok(()) = tokio::signal::ctrl_c() => Ok(Exit::Done),
    }
}

async fn list(session: &Session<'_>, path: &str, since: u64, limit: u32) -> Result<Exit, Failed> {
    let (mut since, limit, mut changes) = (since, limit as usize, Vec::new());
    let (purge_seq, more) = loop {
        let page = (limit - changes.len()).min(PAGE as usize);
        let mut answer = session.client.get(&format!("{path}/changes?since={since}&limit={page}")).await?;
        since = number(&answer, "last_seq")?;
        let pending = number(&answer, "pending")? > 0;
        if let Some(Value::Array(found)) = answer.get_mut("changes").map(Value::take) {
            changes.extend(found);
        }
        if !pending || changes.len() >= limit {
            break (answer["purge_seq"].clone(), pending);
        }
    };
    if session.json {
        output::json(&json!({ "changes": changes, "last_seq": since, "purge_seq": purge_seq, "more": more }));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["SEQ", "CHANGE", "NAME", "BYTES", "REVISION"]);
    for change in &changes {
        table.row(vec![
            field(change, "seq"),
            word(change).to_owned(),
            field(change, "name"),
            size(change, "size"),
            field(change, "rev"),
        ]);
    }
    say(&table.render());
    told_of_more(more);
    Ok(Exit::Done)
}

/// Where following is.
struct Cursor {
    client: Client,
    since: u64,
    /// The last purge that was told; `None`: only what is purged from now on is.
    purged: Option<u64>,
}

async fn follow(session: &Session<'_>, path: &str, since: u64) -> Result<Exit, Failed> {
    let mut cursor = Cursor { client: client(session.config, session.global)?, since, purged: None };
    let mut again = 0;
    loop {
        match step(session, path, &mut cursor).await {
            Ok(()) => again = 0,
            Err(Failed::Unreachable(reason)) if again < AGAIN => {
                if again == 0 {
                    say_aside(&format!("{reason}\ntrying on"));
                }
                again += 1;
                tokio::time::sleep(PAUSE).await;
                // Started again, it may be found elsewhere.
                if let Ok(client) = client(session.config, session.global) {
                    cursor.client = client;
                }
            }
            Err(failed) => return Err(failed),
        }
    }
}

/// Tells what one answer holds: the purges that belong before its changes, then those.
async fn step(session: &Session<'_>, path: &str, cursor: &mut Cursor) -> Result<(), Failed> {
    let target = format!("{path}/changes?since={}&limit={PAGE}&wait_ms={WAIT_MS}", cursor.since);
    let page = cursor.client.get(&target).await?;
    let upto = number(&page, "purge_seq")?;
    let mut told = cursor.purged.unwrap_or(upto);
    while told < upto {
        let purges = cursor.client.get(&format!("{path}/purges?since={told}&limit={PAGE}")).await?;
        let before = told;
        for purge in purges["purges"].as_array().into_iter().flatten() {
            let at = number(purge, "purge_seq")?;
            if at <= upto {
                tell(session, "purge", purge, purge_line);
                told = at;
                cursor.purged = Some(told);
            }
        }
        if told == before {
            break;
        }
    }
    cursor.purged = Some(upto);
    for change in page["changes"].as_array().into_iter().flatten() {
        tell(session, "change", change, change_line);
    }
    cursor.since = number(&page, "last_seq")?;
    Ok(())
}

fn number(of: &Value, name: &str) -> Result<u64, Failed> {
    of[name]
        .as_u64()
        .ok_or_else(|| Failed::Refused(format!("the answer has no {name}, so it is not Barrow's")))
}

fn tell(session: &Session<'_>, what: &str, told: &Value, line: fn(&Value) -> String) {
    match session.json {
        true => say(&json!({ what: told }).to_string()),
        false => say(&printable(&line(told))),
    }
}

fn word(change: &Value) -> &'static str {
    if change["deleted"] == true { "deleted" } else { "written" }
}

fn change_line(change: &Value) -> String {
    let bytes =
        if change["deleted"] == true { String::new() } else { format!(" ({})", size(change, "size")) };
    format!(
        "{} {} {} {}{bytes}",
        field(change, "seq"),
        word(change),
        field(change, "name"),
        field(change, "rev")
    )
}

fn purge_line(purge: &Value) -> String {
    let (at, by) = (field(purge, "purge_seq"), field(purge, "actor"));
    let door = field(purge, "door");
    match purge["name"].as_str() {
        Some(name) => format!("purge {at}: of {name} {} by {by} through {door}", purge["purged"]),
        None => format!(
            "purge {at}: what {} meets up to position {} by {by} through {door}",
            purge["selector"],
            field(purge, "upto_seq")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_happened() {
        let mut change = json!({ "seq": 7, "name": "a b", "deleted": false, "rev": "1-x", "size": 4 });
        assert_eq!(change_line(&change), "7 written a b 1-x (4 B)");
        change["deleted"] = true.into();
        assert_eq!(change_line(&change), "7 deleted a b 1-x");
        let mut purge =
            json!({ "purge_seq": 2, "name": "a", "purged": ["1-x"], "actor": "root", "door": "couch" });
        assert_eq!(purge_line(&purge), "purge 2: of a [\"1-x\"] by root through couch");
        purge["name"] = Value::Null;
        (purge["selector"], purge["upto_seq"]) = (json!({ "filter": ">" }), 9.into());
        assert_eq!(
            purge_line(&purge),
            "purge 2: what {\"filter\":\">\"} meets up to position 9 by root through couch"
        );
    }
}
