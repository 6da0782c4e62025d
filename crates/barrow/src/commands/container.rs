//! What buckets and domains have in common: where they are addressed, and how they are removed, restored and purged.

use super::Session;
use crate::cli::{Listing, Removal};
use crate::client::encoded;
use crate::confirm::confirm;
use crate::exit::{Exit, Failed};
use crate::output::{self, Table, field, say, size, when};
use serde_json::{Value, json};

/// A domain or bucket, as the operator wrote it.
pub(super) struct Address {
    /// Its path at the admin door.
    pub(super) path: String,
    /// The word on the command line.
    pub(super) word: &'static str,
    /// As it is shown, and may be typed again.
    pub(super) shown: String,
    /// The last part of it.
    pub(super) name: String,
}

impl Address {
    pub(super) fn domain(name: &str) -> Self {
        Address {
            path: format!("/v1/domains/{}", encoded(name)),
            word: "domain",
            shown: name.to_owned(),
            name: name.to_owned(),
        }
    }

    /// As [`Address::bucket`]; where a domain is given apart, a bucket of that.
    pub(super) fn bucket_in(session: &Session<'_>, domain: Option<&str>, text: &str) -> Self {
        match domain {
            Some(domain) => Address::bucket(session, &format!("{domain}/{text}")),
            None => Address::bucket(session, text),
        }
    }

    /// `DOMAIN/BUCKET`, or a bucket of the default domain.
    pub(super) fn bucket(session: &Session<'_>, text: &str) -> Self {
        let (domain, bucket) =
            text.split_once('/').unwrap_or((session.config.cluster.default_domain.as_str(), text));
        Address {
            path: format!("/v1/domains/{}/buckets/{}", encoded(domain), encoded(bucket)),
            word: "bucket",
            shown: format!("{domain}/{bucket}"),
            name: bucket.to_owned(),
        }
    }
}

/// Lists what `path` holds.
pub(super) async fn list(
    session: &Session<'_>,
    path: &str,
    state: Option<&str>,
    listing: &Listing,
) -> Result<Exit, Failed> {
    let state = state.map_or(String::new(), |state| format!("&state={}", encoded(state)));
    let target = format!("{path}?prefix={}{state}", encoded(&listing.prefix));
    let (items, more) = session.client.list(&target, listing.limit).await?;
    if session.json {
        output::json(&json!({ "items": items, "more": more }));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["NAME", "STATE", "CREATED", "PURGE", "BY", "ID"]);
    for item in &items {
        let purged =
            if item["state"] == "live" { "-".to_owned() } else { when(item, "purge_after", session.now) };
        table.row(vec![
            field(item, "name"),
            field(item, "state"),
            when(item, "created_at", session.now),
            purged,
            field(item, "actor"),
            field(item, "id"),
        ]);
    }
    say(&table.render());
    told_of_more(more);
    Ok(Exit::Done)
}

/// A list that was cut does not pass for a whole one.
pub(super) fn told_of_more(more: bool) {
    if more {
        eprintln!("there are more; raise --limit or narrow --prefix");
    }
}

/// The same of a search, which has no prefix.
pub(super) fn told_of_more_hits(more: bool) {
    if more {
        eprintln!("there are more; raise --limit or search for more words");
    }
}

pub(super) async fn remove(
    session: &Session<'_>,
    address: &Address,
    removal: Removal,
) -> Result<Exit, Failed> {
    let mut order = json!({ "reserves_name": !removal.free_name });
    if let Some(grace) = removal.grace {
        order["grace"] = grace.into();
    }
    if let Some(reason) = removal.reason {
        order["reason"] = reason.into();
    }
    let answer = session.client.post(&format!("{}/remove", address.path), &order).await?;
    session.tell(&answer, |removed| {
        let Address { word, shown, .. } = address;
        let held = held(removed);
        let left = match removed["purge_after"].as_str() {
            Some("never") => "kept until somebody purges it".to_owned(),
            _ => format!("purged {}", when(removed, "purge_after", session.now)),
        };
        format!("removed {word} {shown} with {held}; {left}\nuntil then: barrow {word} restore {shown}")
    });
    Ok(Exit::Done)
}

/// How many objects and bytes.
pub(super) fn held(value: &Value) -> String {
    format!("{} objects, {}", field(value, "objects"), size(value, "bytes"))
}

pub(super) async fn restore(
    session: &Session<'_>,
    address: &Address,
    as_name: Option<String>,
    dry_run: bool,
) -> Result<Exit, Failed> {
    let mut order = as_name.map_or_else(|| json!({}), |name| json!({ "as": name }));
    if dry_run {
        order["dry_run"] = true.into();
    }
    let answer = session.client.post(&format!("{}/restore", address.path), &order).await?;
    session.tell(&answer, |restored| {
        let what = format!("{} {} ({})", address.word, field(restored, "name"), field(restored, "id"));
        match dry_run {
            true => format!("would restore {what} with {}; nothing is changed", held(restored)),
            false => format!("restored {what}"),
        }
    });
    Ok(Exit::Done)
}

pub(super) async fn purge(session: &Session<'_>, address: &Address, yes: bool) -> Result<Exit, Failed> {
    confirm(yes, &format!("purging {} {}", address.word, address.shown), &address.name)?;
    let answer = session.client.post(&format!("{}/purge", address.path), &json!({})).await?;
    session.tell(&answer, |purging| {
        format!(
            "{} {} ({}) is {}",
            address.word,
            address.shown,
            field(purging, "id"),
            field(purging, "state")
        )
    });
    Ok(Exit::Done)
}
