//! `_changes`: what changed in a bucket, each name once, as it is now. What of CouchDB's arguments is not honoured is refused
//! by name, and nothing is passed over.

use super::{DOMAIN, place};
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape, written};
use crate::admin::ops::changes::page_or_wait;
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, ok};
use crate::admin::view::time;
use crate::http::BodyReader;
use crate::objects::headers;
use metadata::{CHANGES_MAX, Change, Tell};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Milliseconds that a request may wait for a change, and waits if it does not say.
const TIMEOUT: i64 = 60_000;
/// Changes that are told if it is not said how many.
const LIMIT: i64 = 1_000;
const FEEDS: &[&str] = &["normal", "longpoll"];
const STYLES: &[&str] = &["main_only", "all_docs"];

/// A page of changes.
#[derive(Debug, Serialize, JsonSchema)]
struct CouchChanges {
    results: Vec<CouchChange>,
    /// What to ask the next page with.
    last_seq: i64,
    /// How many changes may lie behind the page.
    pending: i64,
    /// Apply the purges up to this one before the page.
    purge_seq: i64,
}

/// What a name is now.
#[derive(Debug, Serialize, JsonSchema)]
struct CouchChange {
    seq: i64,
    /// The name.
    id: String,
    /// Its winning revision; with `style=all_docs` the other ends of its tree behind it.
    changes: Vec<CouchRev>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    deleted: bool,
    /// With `include_docs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    doc: Option<CouchDoc>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CouchRev {
    rev: String,
}

/// What stands beside an object's bytes.
#[derive(Debug, Serialize, JsonSchema)]
struct CouchDoc {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_rev")]
    rev: String,
    #[serde(rename = "_deleted", skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    deleted: bool,
    size: u64,
    #[schemars(with = "written::Moment")]
    created_at: String,
    headers: Vec<(String, String)>,
    tags: BTreeMap<String, String>,
}

/// No filter is known here: a body says nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CouchNoFilter {}

pub(in crate::admin) const CHANGES: Described =
    Described::answers(&[Answer::ok("A page of them.", &[shape::<CouchChanges>])])
        .asked_with(&[
            DOMAIN,
            Argument::text("since", "Those behind this number, or behind \"now\"; absent: all there are."),
            Argument::number("limit", "How many at most; 0 means 1.", CHANGES_MAX as i64, Some(LIMIT)),
            Argument::word("feed", "Whether to wait for a change if there is none yet.", FEEDS),
            Argument::number("timeout", "Milliseconds to wait at most.", TIMEOUT, Some(TIMEOUT)),
            Argument::word("style", "Whether all ends of each tree are told.", STYLES),
            Argument::flag("include_docs", "Tell what stands beside the objects' bytes, too."),
        ])
        .in_couch_words();
pub(in crate::admin) const CHANGES_BY_POST: Described = CHANGES.ordered::<CouchNoFilter>();

pub(in crate::admin) async fn changes_by_post(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    // Whether the sender may ask is found out before anything is read.
    place::bucket(asked).await?;
    let CouchNoFilter {} = decode(body, ORDER_MAX).await?;
    changes(asked).await
}

pub(in crate::admin) async fn changes(asked: &Asked<'_>) -> Answered {
    let place = place::bucket(asked).await?;
    asked.only(&["domain", "since", "limit", "feed", "timeout", "style", "include_docs"])?;
    let longpoll = word(asked, "feed", FEEDS)? == Some("longpoll");
    let all_leaves = word(asked, "style", STYLES)? == Some("all_docs");
    let docs = asked.query.flag("include_docs")?;
    let limit = asked.number("limit", i64::from(CHANGES_MAX))?.unwrap_or(LIMIT).max(1);
    let limit = u32::try_from(limit).unwrap_or(CHANGES_MAX);
    let wait = asked.number("timeout", TIMEOUT)?.unwrap_or(TIMEOUT);
    let wait =
        if longpoll { Duration::from_millis(u64::try_from(wait).unwrap_or(0)) } else { Duration::ZERO };
    let (metadata, bucket) = (&asked.gateway.metadata, place.bucket.id);
    let since = match asked.query.get("since").filter(|since| !since.is_empty()) {
        None => 0,
        Some("now") => metadata.last_change(bucket).await?,
        Some(text) => text.parse().ok().filter(|since| *since >= 0).ok_or_else(|| {
            let text: String = text.chars().take(100).collect();
            Complaint::bad_request(format!(
                "since cannot be {text:?}: allowed are a number from 0 on and now"
            ))
        })?,
    };
    let tell = Tell { all_leaves, purged: false };
    let page = page_or_wait(metadata, bucket, since, limit, tell, wait).await?;
    ok(&CouchChanges {
        results: page.changes.into_iter().map(|change| CouchChange::new(change, docs)).collect(),
        last_seq: page.last_seq,
        pending: page.pending,
        purge_seq: page.purge_seq,
    })
}

/// The argument `name`, one of `allowed`.
fn word<'a>(asked: &'a Asked<'_>, name: &str, allowed: &[&str]) -> Result<Option<&'a str>, Complaint> {
    match asked.query.get(name).filter(|word| !word.is_empty()) {
        None => Ok(None),
        Some(word) if allowed.contains(&word) => Ok(Some(word)),
        Some(word) => {
            let (word, allowed): (String, _) = (word.chars().take(100).collect(), allowed.join(", "));
            Err(Complaint::bad_request(format!("{name} cannot be {word:?}: allowed are {allowed}")))
        }
    }
}

impl CouchChange {
    fn new(change: Change, docs: bool) -> Self {
        let rev = change.revision.to_string();
        let mut changes: Vec<CouchRev> =
            change.leaves.iter().map(|leaf| CouchRev { rev: leaf.to_string() }).collect();
        if changes.is_empty() {
            changes.push(CouchRev { rev: rev.clone() });
        }
        let tags: Vec<(String, String)> =
            change.tags.and_then(|tags| serde_json::from_str(&tags).ok()).unwrap_or_default();
        let doc = docs.then(|| CouchDoc {
            id: change.name.clone(),
            rev,
            deleted: change.deleted,
            size: change.size,
            created_at: time(change.created_at),
            headers: headers::decode(&change.headers),
            tags: tags.into_iter().collect(),
        });
        CouchChange { seq: change.seq, id: change.name, changes, deleted: change.deleted, doc }
    }
}
