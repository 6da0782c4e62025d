//! `barrow search`: what a bucket holds, by words of names and metadata.

use super::Session;
use super::container::told_of_more_hits;
use super::index::{Meant, bring_up};
use crate::cli::Search;
use crate::exit::{Exit, Failed};
use crate::index::{Found, IndexFile, State};
use crate::output::{self, Table, field, say, say_aside, size, when};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) async fn run(session: &Session<'_>, order: Search) -> Result<Exit, Failed> {
    let meant = Meant::read(session, &order.of);
    if order.stale && !meant.path.exists() {
        return Err(Failed::Refused(format!(
            "{}: there is no index of {}; without --stale one is made",
            meant.path.display(),
            meant.place()
        )));
    }
    let mut file = if order.stale {
        meant.open().await?
    } else {
        up_to_date(session, &meant).await.map_err(|failed| match failed {
            Failed::Unreachable(reason) => {
                Failed::Unreachable(format!("{reason}\n  next:  --stale searches what the index holds"))
            }
            other => other,
        })?
    };
    let (found, more) = file.find(&order.query, order.limit, session.clock()).await?;
    let state = file.state().await?;
    let as_of = state.caught_up_at.map(lifecycle::Time::to_rfc3339);
    if session.json {
        let items: Vec<Value> = found.iter().map(item).collect();
        output::json(&json!({ "bucket": meant.place(), "as_of": as_of, "items": items, "more": more }));
        return Ok(Exit::Done);
    }
    if order.stale {
        say_aside(&age(session, &state, as_of));
    }
    if found.is_empty() {
        say(&format!("nothing in {} matches", meant.place()));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["NAME", "BYTES", "WRITTEN", "MATCHES"]);
    for item in found.iter().map(item) {
        let matches: Vec<&str> =
            item["matching"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        table.row(vec![
            field(&item, "name"),
            size(&item, "size"),
            when(&item, "created_at", session.now),
            if matches.is_empty() { "-".to_owned() } else { matches.join("; ") },
        ]);
    }
    say(&table.render());
    told_of_more_hits(more);
    Ok(Exit::Done)
}

async fn up_to_date(session: &Session<'_>, meant: &Meant) -> Result<IndexFile, Failed> {
    let door = meant.door(session);
    let mut file = meant.open_or_make(&door).await?;
    bring_up(session, &mut file, &door, Duration::ZERO).await?;
    Ok(file)
}

fn item(found: &Found) -> Value {
    json!({
        "name": found.name, "size": found.size, "created_at": found.created_at, "content_type": found.kind,
        "version": found.version, "rev": found.rev, "matching": found.matching,
    })
}

/// How old it is, for people.
fn age(session: &Session<'_>, state: &State, as_of: Option<String>) -> String {
    match as_of {
        Some(at) => format!(
            "the index is as of {}: what came, changed or went since is not known",
            when(&json!({ "at": at }), "at", session.now)
        ),
        None => format!("the index was never complete: it holds {} objects so far", state.rows),
    }
}
