//! Who follows a bucket, and how far each has come.

use super::changes::followed;
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape, written};
use crate::admin::request::{Answered, Asked, LIMIT, ORDER_MAX, decode, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::time;
use crate::http::BodyReader;
use http::StatusCode;
use metadata::{FOLLOWER_KINDS, FollowOrder, Follower};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Bytes of a follower's id.
const ID_MAX: usize = 128;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FollowOrder")]
struct Order {
    /// What it is: "index", "replica" or "consumer"; absent: as it was, and a consumer if it is new.
    kind: Option<String>,
    /// The last change it has applied; absent: as it was. It only grows.
    change_seq: Option<i64>,
    /// The last purge it has applied; absent: as it was. It only grows; until it is there, no entry of the ledger goes.
    purge_seq: Option<i64>,
    /// What it wants kept; absent: as it was.
    memo: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Follower")]
struct FollowerView {
    id: String,
    kind: String,
    change_seq: Option<i64>,
    /// `null`: it holds the ledger back.
    purge_seq: Option<i64>,
    memo: Option<Value>,
    registered_by: String,
    #[schemars(with = "written::Moment")]
    registered_at: String,
    /// When it last told how far it has come.
    #[schemars(with = "written::Moment")]
    seen_at: String,
    /// Changes that it has not applied, at most.
    changes_behind: i64,
    /// Purges that it has not applied.
    purges_behind: i64,
    /// It is a day or a thousand purges behind.
    lagging: bool,
}

impl FollowerView {
    fn new(follower: Follower) -> Self {
        FollowerView {
            id: follower.id,
            kind: follower.kind,
            change_seq: follower.change_seq,
            purge_seq: follower.purge_seq,
            memo: follower.memo.and_then(|memo| serde_json::from_str(&memo).ok()),
            registered_by: follower.actor,
            registered_at: time(follower.registered_at),
            seen_at: time(follower.seen_at),
            changes_behind: follower.changes_behind,
            purges_behind: follower.purges_behind,
            lagging: follower.lagging,
        }
    }
}

/// Who follows a bucket, by id.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Followers")]
struct Page {
    items: Vec<FollowerView>,
    next: Option<String>,
}

/// It is registered no longer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Deregistered")]
struct Deregistered {
    deregistered: String,
}

pub(in crate::admin) const LIST: Described =
    Described::answers(&[Answer::ok("A page of them.", &[shape::<Page>])])
        .asked_with(&[Argument::AFTER, LIMIT]);
pub(in crate::admin) const SHOW: Described =
    Described::answers(&[Answer::ok("This one.", &[shape::<FollowerView>])]);
pub(in crate::admin) const FOLLOW: Described =
    Described::answers(&[Answer::ok("How it stands now.", &[shape::<FollowerView>])]).ordered::<Order>();
pub(in crate::admin) const DEREGISTER: Described = Described::answers(&[Answer::ok(
    "It holds nothing back any more. If it comes back, it may have to begin anew.",
    &[shape::<Deregistered>],
)]);

pub(in crate::admin) async fn list(asked: &Asked<'_>) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&["after", "limit"])?;
    let after = asked.query.get("after").filter(|after| !after.is_empty());
    let limit = asked.limit()?;
    let found = asked.gateway.metadata.followers(followed(&place)?, after, limit + 1).await?;
    let more = found.len() > limit as usize;
    let items: Vec<FollowerView> = found.into_iter().take(limit as usize).map(FollowerView::new).collect();
    let next = items.last().filter(|_| more).map(|last| last.id.clone());
    ok(&Page { items, next })
}

pub(in crate::admin) async fn show(asked: &Asked<'_>) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&[])?;
    let id = asked.params.get("follower");
    match asked.gateway.metadata.follower(followed(&place)?, id).await? {
        Some(follower) => ok(&FollowerView::new(follower)),
        None => Err(unknown(id)),
    }
}

pub(in crate::admin) async fn follow(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&[])?;
    let id = valid_id(asked.params.get("follower"))?;
    let order: Order = decode(body, ORDER_MAX).await?;
    if let Some(kind) = order.kind.as_deref().filter(|kind| !FOLLOWER_KINDS.contains(kind)) {
        let allowed = FOLLOWER_KINDS.join(", ");
        return Err(Complaint::bad_request(format!("kind cannot be {kind:?}: allowed are {allowed}")));
    }
    asked.trail.detail(format!("follower={id}"));
    let actor = asked.principal.as_ref().map_or_else(String::new, |principal| principal.name.to_string());
    let order = FollowOrder {
        id: id.to_owned(),
        kind: order.kind,
        change_seq: order.change_seq,
        purge_seq: order.purge_seq,
        memo: order.memo.map(|memo| Value::Object(memo).to_string()),
        actor,
    };
    ok(&FollowerView::new(asked.gateway.metadata.follow(followed(&place)?, order).await?))
}

pub(in crate::admin) async fn deregister(asked: &Asked<'_>) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&[])?;
    let id = asked.params.get("follower");
    asked.trail.detail(format!("follower={id}"));
    match asked.gateway.metadata.deregister(followed(&place)?, id).await? {
        true => ok(&Deregistered { deregistered: id.to_owned() }),
        false => Err(unknown(id)),
    }
}

fn unknown(id: &str) -> Complaint {
    let id: String = id.chars().take(ID_MAX).collect();
    Complaint::new(
        StatusCode::NOT_FOUND,
        "NoSuchFollower",
        format!("nobody called {id:?} follows this bucket"),
    )
    .hint("barrow followers BUCKET")
}

/// An id that can stand in a path and on a terminal.
fn valid_id(id: &str) -> Result<&str, Complaint> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:@+".contains(c);
    match id.len() {
        1..=ID_MAX if id.chars().all(plain) => Ok(id),
        _ => Err(Complaint::bad_request(format!(
            "a follower's id has 1 to {ID_MAX} of these: letters, digits, and - _ . : @ +"
        ))),
    }
}
