//! `_purge`: ends of trees go, with what led to them alone, at once and for good.

use super::order::{self, Named, RevisionsOrder};
use super::{CouchRefused, DOMAIN, place};
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape};
use crate::admin::request::{Answered, Asked, json};
use crate::http::BodyReader;
use http::StatusCode;
use http::header::HeaderValue;
use lifecycle::{Refusal, Time};
use metadata::{PurgePair, RevisionPurge};
use schemars::JsonSchema;
use serde::Serialize;

/// What becomes of the bytes: purging here means rows, and their answer does not wait for the store.
const RECLAIM: &str = "barrow-reclaim";

const DIALECTS: &[&str] = &["1", "3"];
const DIALECT: Argument = Argument::word(
    "dialect",
    "1: status 200 and the number of the purge, as CouchDB 1 answers. 3: status 201, or that of the worst name, and no number.",
    DIALECTS,
);

/// What was purged.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CouchPurge")]
struct PurgeView {
    /// The number of the last purge of the bucket; `null` in dialect 3.
    purge_seq: Option<i64>,
    /// By name, in the order of the request.
    purged: Named<Purged>,
}

/// What became of one name.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "CouchPurged")]
enum Purged {
    /// The ends that went. What is no end, or nothing at all, is left out.
    Revisions(Vec<String>),
    /// A guard keeps something that would go: nothing of the name is purged.
    Kept {
        /// `forbidden`
        error: &'static str,
        reason: String,
        /// When the guard ends; absent: by a decision only.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<String>,
        /// A legal hold binds.
        hold: bool,
    },
}

pub(in crate::admin) const PURGE: Described = Described::answers(&[
    Answer::ok("What was purged, name by name.", &[shape::<PurgeView>]),
    Answer::new(201, "The same, in dialect 3.", &[shape::<PurgeView>]),
    Answer::new(
        403,
        "The same, in dialect 3, where a guard keeps a name; or the caller may not.",
        &[shape::<PurgeView>, shape::<CouchRefused>],
    ),
])
.asked_with(&[DOMAIN, DIALECT])
.ordered::<RevisionsOrder>()
.in_couch_words();

pub(in crate::admin) async fn purge(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = place::bucket(asked).await?;
    let actor = asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string();
    asked.only(&["domain", "dialect"])?;
    let numbered = match asked.query.get("dialect").filter(|dialect| !dialect.is_empty()) {
        None | Some("1") => true,
        Some("3") => false,
        Some(other) => {
            return Err(Complaint::bad_request(format!("dialect cannot be {other:?}: allowed are 1, 3")));
        }
    };
    let pairs = order::revisions(asked, body).await?;
    let (names, revisions) = (pairs.len(), pairs.iter().map(|(_, revs)| revs.len()).sum::<usize>());
    // A name without a revision is written down as well.
    let most = asked.limits.purge_revisions;
    if names.max(revisions) > most {
        return Err(Complaint::bad_request(format!(
            "{revisions} revisions of {names} names are too many for one request: at most {most} are purged at once"
        )));
    }
    asked.trail.detail(format!("names={names} revisions={revisions}"));
    let pairs = pairs.into_iter().map(|(name, revs)| PurgePair { name, revs, purge_id: None });
    let (domain, bucket, pairs) = (place.domain.id, place.bucket.id, pairs.collect());
    let order = RevisionPurge { domain, bucket, pairs, door: "couch", actor };
    let done = asked.gateway.metadata.purge_revisions(order).await?;
    asked.trail.amount((done.versions, done.bytes));
    if done.versions > 0 {
        asked.gateway.wake_background();
    }
    let mut purged = Vec::with_capacity(done.pairs.len());
    for pair in done.pairs {
        purged.push((pair.name, view(pair.purged)?));
    }
    let kept = purged.iter().any(|(_, purged)| matches!(purged, Purged::Kept { .. }));
    let status = match (numbered, kept) {
        (true, _) => StatusCode::OK,
        (false, false) => StatusCode::CREATED,
        (false, true) => StatusCode::FORBIDDEN,
    };
    let purge_seq = numbered.then_some(done.purge_seq);
    let mut response = json(status, &PurgeView { purge_seq, purged: Named(purged) })?;
    let reclaim = if done.versions > 0 { "pending" } else { "none" };
    response.headers_mut().insert(RECLAIM, HeaderValue::from_static(reclaim));
    Ok(response)
}

fn view(purged: Result<Vec<lifecycle::Asked>, Refusal>) -> Result<Purged, Complaint> {
    match purged {
        Ok(revisions) => Ok(Purged::Revisions(revisions.iter().map(ToString::to_string).collect())),
        Err(refusal @ Refusal::Guarded { until, hold }) => Ok(Purged::Kept {
            error: "forbidden",
            reason: refusal.to_string(),
            until: until.map(Time::to_rfc3339),
            hold,
        }),
        Err(refusal) => Err(refusal.into()),
    }
}
