//! Emptying a bucket, and hanging what was taken out back in. Either changes a few rows, whatever the bucket holds.

use super::remove::{REASON_MAX, reason};
use super::restore::{RESTORED, bucket_name, restored_bucket, would};
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::time;
use crate::http::BodyReader;
use lifecycle::{Cause, ContainerId, Grace, Refusal};
use metadata::RemoveOrder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// More removals of contents than this are not looked through.
const REMOVALS_MAX: u32 = 100_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EmptyOrder")]
struct Empty {
    /// The caller's own words, for the record.
    #[schemars(length(max = REASON_MAX))]
    reason: Option<String>,
}

/// What was taken out.
#[derive(Debug, Serialize, JsonSchema)]
struct TakenOut {
    bucket: String,
    #[schemars(with = "written::Uuid")]
    bucket_id: ContainerId,
    /// What restoring takes.
    #[schemars(with = "Option<written::Uuid>")]
    contents: Option<ContainerId>,
    objects: i64,
    bytes: i64,
    #[schemars(with = "Option<written::Moment>")]
    purge_after: Option<String>,
}

pub(in crate::admin) const EMPTY: Described =
    Described::answers(&[Answer::ok("It is empty; this was taken out.", &[shape::<TakenOut>])])
        .ordered::<Empty>();

pub(in crate::admin) async fn empty(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    let actor = asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string();
    asked.only(&[])?;
    let order: Empty = decode(body, ORDER_MAX).await?;
    let order = RemoveOrder {
        // Deleted as objects are, each and all: with the bucket's own grace for objects, if it has one.
        grace: Grace::For(asked.gateway.settings.object_delete_delay),
        early: false,
        reserves_name: false,
        only_empty: None,
        condition: lifecycle::Condition::NONE,
        cause: Cause::Empty,
        door: "admin",
        actor,
        reason: reason(order.reason)?,
    };
    let removed = asked.gateway.metadata.empty_bucket(place.bucket.id, order).await?;
    asked.trail.removed(&removed);
    asked.gateway.wake_background();
    ok(&TakenOut {
        bucket: removed.container.name,
        bucket_id: removed.container.id,
        contents: removed.container.contents,
        objects: removed.objects,
        bytes: removed.bytes,
        purge_after: removed.container.purge_after.map(time),
    })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RestoreContentsOrder")]
struct Restore {
    /// As a new bucket of this name, instead of into the bucket it was taken out of.
    #[serde(rename = "as")]
    as_name: Option<String>,
    /// Tell what would come back, and change nothing.
    #[serde(default)]
    dry_run: bool,
}

pub(in crate::admin) const RESTORE: Described = Described::answers(&[RESTORED]).ordered::<Restore>();

pub(in crate::admin) async fn restore(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    let actor = asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string();
    asked.only(&[])?;
    let order: Restore = decode(body, ORDER_MAX).await?;
    let contents = asked.params.get("contents").parse();
    let contents: ContainerId =
        contents.map_err(|bad: lifecycle::ids::BadId| Complaint::bad_request(bad.to_string()))?;
    if !belongs(asked, contents, place.bucket.id).await? {
        return Err(Refusal::Unknown.into());
    }
    let as_bucket = bucket_name(order.as_name)?;
    let grace = Grace::For(asked.gateway.settings.object_delete_delay);
    if order.dry_run {
        let metadata = asked.gateway.metadata.rehearsal();
        let restored = metadata.restore_contents(contents, as_bucket, actor, grace).await?;
        asked.trail.detail("dry_run=true".to_owned());
        return would(asked, contents, restored).await;
    }
    let restored = asked.gateway.metadata.restore_contents(contents, as_bucket, actor, grace).await?;
    asked.gateway.metrics.restored(1);
    asked.trail.held(asked.gateway, contents, &restored).await;
    restored_bucket(asked, restored).await
}

/// Whether these contents are or were the bucket's. The right to restore was asked for there and nowhere else.
async fn belongs(asked: &Asked<'_>, contents: ContainerId, bucket: ContainerId) -> Result<bool, Complaint> {
    let metadata = &asked.gateway.metadata;
    let usage = metadata.usage().await?;
    if let Some(row) = usage.iter().find(|row| row.contents_id == contents) {
        return Ok(row.bucket_id == bucket);
    }
    // Empty contents are counted nowhere; that they were taken out was written down.
    let removals = metadata.deletions(Some("removed"), REMOVALS_MAX).await?;
    Ok(removals.iter().any(|removal| removal.target == contents && removal.parent == Some(bucket)))
}
