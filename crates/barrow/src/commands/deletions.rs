//! `barrow deletions`: the record of what was removed whole, and following it as it grows.

use super::Session;
use super::container::told_of_more;
use crate::cli::Deletions;
use crate::client::encoded;
use crate::exit::{Exit, Failed};
use crate::output::{self, Table, field, printable, say, size, when};
use lifecycle::Time;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// How often is asked for more.
const POLL: Duration = Duration::from_secs(2);
/// A removal bears the time at which its transaction began. So far back is looked, so that none is missed that was committed
/// behind a later one.
const OVERLAP: Duration = Duration::from_secs(30);

pub(super) async fn run(session: &Session<'_>, which: Deletions) -> Result<Exit, Failed> {
    if which.follow && which.state.as_deref() == Some("purging") {
        let text = "--follow tells what is removed, restored and purged: when a purge began is not on record";
        return Err(Failed::Usage(text.to_owned()));
    }
    let mut target = "/v1/deletions?".to_owned();
    for (name, value) in [("state", &which.state), ("since", &which.since)] {
        if let Some(value) = value {
            target.push_str(&format!("{name}={}&", encoded(value)));
        }
    }
    let (mut items, more) = session.client.list(target.trim_end_matches(['?', '&']), which.limit).await?;
    if which.follow {
        if which.since.is_none() {
            items.reverse();
        }
        return follow(session, &which, items).await;
    }
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

const HEADINGS: [&str; 10] =
    ["KIND", "NAME", "STATE", "OBJECTS", "BYTES", "REMOVED", "UNTIL", "DOOR", "BY", "REASON"];

fn row(item: &Value, now: Time) -> Vec<String> {
    // What has ended tells when; what has not, until when it can be restored.
    let until = if item["ended_at"].is_null() { "purge_after" } else { "ended_at" };
    vec![
        field(item, "kind"),
        name(item),
        field(item, "state"),
        field(item, "objects"),
        size(item, "bytes"),
        when(item, "removed_at", now),
        when(item, until, now),
        field(item, "door"),
        field(item, "actor"),
        field(item, "reason"),
    ]
}

fn name(item: &Value) -> String {
    match item["kind"].as_str() {
        Some("domain") => field(item, "name"),
        Some(_) | None => format!("{}/{}", field(item, "domain"), field(item, "name")),
    }
}

/// Tells each change once, the newest last, until somebody interrupts.
async fn follow(session: &Session<'_>, which: &Deletions, items: Vec<Value>) -> Result<Exit, Failed> {
    let mut told = Seen::default();
    // The server's times alone are gone by: this machine's clock may tell another.
    let mut last = Time::from_secs(0);
    let mut items = items;
    loop {
        for item in items.iter().filter(|item| told.fresh(item)) {
            tell(session, item);
        }
        last = items.iter().filter_map(changed_at).fold(last, Time::max);
        told.forget_before(last.minus(2 * OVERLAP));
        tokio::time::sleep(POLL).await;
        let since = last.minus(OVERLAP).max(Time::from_secs(0)).to_rfc3339();
        let state =
            which.state.as_deref().map_or(String::new(), |state| format!("&state={}", encoded(state)));
        let target = format!("/v1/deletions?since={}{state}", encoded(&since));
        items = session.client.list(&target, u32::MAX).await?.0;
    }
}

/// What was told already.
#[derive(Default)]
struct Seen(HashMap<String, Time>);

impl Seen {
    /// Whether this was not told before.
    fn fresh(&mut self, item: &Value) -> bool {
        let key = format!("{} {} {}", item["id"], item["removed_at"], item["state"]);
        self.0.insert(key, changed_at(item).unwrap_or(Time::NEVER)).is_none()
    }

    /// What is not asked for again need not be known.
    fn forget_before(&mut self, at: Time) {
        let old: HashSet<String> =
            self.0.iter().filter(|(_, changed)| **changed < at).map(|(key, _)| key.clone()).collect();
        self.0.retain(|key, _| !old.contains(key));
    }
}

fn changed_at(item: &Value) -> Option<Time> {
    let at = if item["ended_at"].is_null() { &item["removed_at"] } else { &item["ended_at"] };
    Time::parse_rfc3339(at.as_str()?)
}

fn tell(session: &Session<'_>, item: &Value) {
    if session.json {
        return say(&item.to_string());
    }
    let at = changed_at(item).map_or_else(|| "-".to_owned(), Time::to_rfc3339);
    let by = if item["ended_by"].is_null() { "actor" } else { "ended_by" };
    let until = match item["state"].as_str() {
        Some("removed") => format!(", purged {}", when(item, "purge_after", session.clock())),
        Some(_) | None => String::new(),
    };
    let reason = item["reason"].as_str().map_or(String::new(), |reason| format!(": {reason}"));
    let line = format!(
        "{at} {} {} {} by {} through {} ({} objects, {}{until}){reason}",
        field(item, "state"),
        field(item, "kind"),
        name(item),
        field(item, by),
        field(item, "door"),
        field(item, "objects"),
        size(item, "bytes"),
    );
    say(&printable(&line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_once() {
        let removed = json!({ "id": "1", "removed_at": "2026-03-03T09:00:00.000Z", "state": "removed", "ended_at": null });
        let mut restored = removed.clone();
        (restored["state"], restored["ended_at"]) = ("restored".into(), "2026-03-03T10:00:00.000Z".into());
        let mut seen = Seen::default();
        assert!(seen.fresh(&removed) && !seen.fresh(&removed));
        assert!(seen.fresh(&restored) && !seen.fresh(&restored));
        seen.forget_before(Time::parse_rfc3339("2026-03-03T09:30:00Z").unwrap());
        assert!(seen.fresh(&removed) && !seen.fresh(&restored));
    }
}
