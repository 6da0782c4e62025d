//! What was purged from a bucket: the ledger.

use super::changes::followed;
use crate::admin::openapi::{Answer, Argument, Described, shape, written};
use crate::admin::request::{Answered, Asked, LIMIT, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::time;
use lifecycle::ContainerId;
use metadata::Purge;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// One purge: revisions of a name, or whatever a selector met.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PurgeEntry")]
struct PurgeView {
    purge_seq: i64,
    #[schemars(with = "written::Uuid")]
    purge_id: ContainerId,
    /// `null`: a selector tells what was meant.
    name: Option<String>,
    /// Of a name: the revisions that were asked for.
    revs: Option<Vec<String>>,
    /// Of a name: those of them that were there, and are gone with what led to them alone.
    purged: Option<Vec<String>>,
    selector: Option<Value>,
    /// Nothing that arrived behind this position is meant.
    upto_seq: i64,
    /// The installation whose positions these are; `null`: this one.
    #[schemars(with = "Option<written::Uuid>")]
    origin: Option<ContainerId>,
    door: String,
    actor: String,
    #[schemars(with = "written::Moment")]
    at: String,
}

impl PurgeView {
    fn new(purge: Purge) -> Self {
        let list = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        PurgeView {
            purge_seq: purge.purge_seq,
            purge_id: ContainerId::from_bytes(purge.purge_id),
            name: purge.name,
            revs: list(purge.revs),
            purged: list(purge.purged),
            selector: purge.selector.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
            upto_seq: purge.upto_seq,
            origin: purge.origin.map(ContainerId::from_bytes),
            door: purge.door,
            actor: purge.actor,
            at: time(purge.at),
        }
    }
}

/// A stretch of a bucket's ledger.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Purges")]
struct Page {
    /// The oldest entry that is kept; of an empty ledger, the next one.
    oldest: i64,
    /// The newest entry there ever was.
    last: i64,
    purges: Vec<PurgeView>,
}

pub(in crate::admin) const PURGES: Described =
    Described::answers(&[Answer::ok("A page of them.", &[shape::<Page>])]).asked_with(&[
        Argument::number("since", "Those behind this one; absent: all that are kept.", i64::MAX, None),
        LIMIT,
    ]);

pub(in crate::admin) async fn purges(asked: &Asked<'_>) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&["since", "limit"])?;
    let (since, limit) = (asked.number("since", i64::MAX)?, asked.limit()?);
    let page = asked.gateway.metadata.purges(followed(&place)?, since, limit).await?;
    let purges = page.purges.into_iter().map(PurgeView::new).collect();
    ok(&Page { oldest: page.oldest, last: page.last, purges })
}
