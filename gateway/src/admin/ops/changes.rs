//! What changed in a bucket, page by page, and waiting for the next change.

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape, written};
use crate::admin::request::{Answered, Asked, LIMIT, ok};
use crate::admin::scope::{self, Place, Want};
use crate::admin::view::time;
use crate::http::Connection;
use crate::objects::headers;
use lifecycle::{ContainerId, Refusal, State, VersionId};
use metadata::{Change, ChangesPage, Failure, Metadata, Tell};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Milliseconds that a request may wait for a change.
const WAIT_MAX: i64 = 60_000;

/// What a name is now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Change")]
struct ChangeView {
    /// The number of its latest change on this page.
    seq: i64,
    name: String,
    /// Nothing is there any more; or a delete marker stands before it.
    deleted: bool,
    /// A purge has left nothing of it; told only where `purged` was asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    purged: bool,
    /// Its winning revision.
    rev: String,
    /// `null`: it was deleted where no delete markers are kept.
    #[schemars(with = "Option<written::Uuid>")]
    version: Option<VersionId>,
    /// The version's position in the bucket: greater ones arrived later.
    position: Option<i64>,
    size: u64,
    content_type: Option<String>,
    #[schemars(with = "written::Moment")]
    created_at: String,
    /// When it goes by itself. From then on no reader meets it; that is a change of its own once it is swept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<written::Moment>")]
    expires_at: Option<String>,
    headers: Vec<(String, String)>,
    tags: BTreeMap<String, String>,
    /// All leaves of its tree, the winner first.
    #[serde(skip_serializing_if = "Option::is_none")]
    leaves: Option<Vec<String>>,
}

impl ChangeView {
    fn new(change: Change, all_leaves: bool) -> Self {
        let stored = headers::decode(&change.headers);
        let content_type = stored.iter().find(|(name, _)| name == "content-type");
        let tags: Vec<(String, String)> =
            change.tags.and_then(|tags| serde_json::from_str(&tags).ok()).unwrap_or_default();
        ChangeView {
            seq: change.seq,
            name: change.name,
            deleted: change.deleted,
            purged: change.purged,
            rev: change.revision.to_string(),
            version: change.version,
            position: change.position,
            size: change.size,
            content_type: content_type.map(|(_, value)| value.clone()),
            created_at: time(change.created_at),
            expires_at: change.expires_at.map(time),
            headers: stored,
            tags: tags.into_iter().collect(),
            leaves: all_leaves.then(|| change.leaves.iter().map(ToString::to_string).collect()),
        }
    }
}

/// One page of changes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Changes")]
struct Page {
    /// Another UUID than before: it is another bucket of the same name.
    #[schemars(with = "written::Uuid")]
    bucket_id: ContainerId,
    /// In order, each name once, as it is now.
    changes: Vec<ChangeView>,
    /// What to ask the next page with.
    last_seq: i64,
    /// The number of the bucket's last change.
    change_seq: i64,
    /// Apply the purges up to this one before the page.
    purge_seq: i64,
    /// How many changes may lie behind the page.
    pending: i64,
}

pub(in crate::admin) const CHANGES: Described =
    Described::answers(&[Answer::ok("A page of them.", &[shape::<Page>])]).asked_with(&[
        Argument::number(
            "since",
            "Those behind this one: the `last_seq` of the page before.",
            i64::MAX,
            Some(0),
        ),
        LIMIT,
        Argument::number(
            "wait_ms",
            "If there is nothing yet, wait so many milliseconds for it.",
            WAIT_MAX,
            Some(0),
        ),
        Argument::flag("all_leaves", "Tell all leaves of each tree."),
        Argument::flag(
            "purged",
            "Tell names of which a purge of versions has left nothing, too, as deleted and purged.",
        ),
    ]);

pub(in crate::admin) async fn changes(asked: &Asked<'_>) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&["since", "limit", "wait_ms", "all_leaves", "purged"])?;
    let since = asked.number("since", i64::MAX)?.unwrap_or(0);
    let wait = asked.number("wait_ms", WAIT_MAX)?.unwrap_or(0);
    let (limit, all_leaves) = (asked.limit()?, asked.query.flag("all_leaves")?);
    let tell = Tell { all_leaves, purged: asked.query.flag("purged")? };
    let bucket = followed(&place)?;
    let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
    let page = page_or_wait(&asked.gateway.metadata, bucket, since, limit, tell, wait).await?;
    let changes = page.changes.into_iter().map(|change| ChangeView::new(change, all_leaves)).collect();
    ok(&Page {
        bucket_id: bucket,
        changes,
        last_seq: page.last_seq,
        change_seq: page.change_seq,
        purge_seq: page.purge_seq,
        pending: page.pending,
    })
}

/// A page behind `since`. Where nothing lies there it waits, holding no connection to the database, until something does,
/// its time is over, or the house stops; a client that leaves ends it.
pub(in crate::admin) async fn page_or_wait(
    metadata: &Metadata,
    bucket: ContainerId,
    since: i64,
    limit: u32,
    tell: Tell,
    wait: Duration,
) -> Result<ChangesPage, Failure> {
    if !wait.is_zero() {
        let waiting = metadata.changes_behind(bucket, since, wait);
        match Connection::here() {
            None => drop(waiting.await?),
            Some(here) => tokio::select! {
                found = waiting => drop(found?),
                () = here.leaving() => {}
            },
        }
    }
    metadata.changes_telling(bucket, since, limit, tell).await
}

/// The bucket of a place, if it can be followed: a live one in a live domain.
pub(in crate::admin) fn followed(place: &Place) -> Result<ContainerId, Complaint> {
    match place.above() {
        State::Live => Ok(place.bucket.id),
        State::Removed => Err(Refusal::ContainerGone.into()),
        State::Staged | State::Purging | State::Purged | State::Forgotten => {
            Err(Refusal::NoSuchBucket.into())
        }
    }
}
