//! `STREAM.MSG.DELETE`: the version at a position goes. Erased, which is the default, nobody can bring it back; the bytes are
//! destroyed as soon as nobody reads them. Otherwise it has the bucket's grace.

use super::place::{payload, stream};
use super::reply::{BAD_REQUEST, Call, NO_MESSAGE, NOT_DELETED, complain};
use crate::admin::openapi::{Answer, Described, shape};
use crate::admin::request::{Answered, Asked, ok};
use crate::http::BodyReader;
use crate::objects::carry_on;
use lifecycle::{Cause, Condition, Refusal, Right, VersionId};
use metadata::{
    Accepted, AtPosition, Delete, Markers, ObjectCommand, Outcome, PurgeNames, PurgeSelector, PurgeVersions,
    Which,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MessageDeleteOrder")]
struct Order {
    /// The position.
    #[serde(default)]
    seq: u64,
    /// It can be restored for as long as the bucket's grace says.
    #[serde(default)]
    no_erase: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MessageDelete")]
struct Reply {
    #[serde(rename = "type")]
    kind: &'static str,
    success: bool,
    /// `delete`: its bytes are being destroyed, and not overwritten; `none`: it can be restored.
    erase: &'static str,
    first_seq: i64,
    last_seq: i64,
}

pub(in crate::admin) const DELETE: Described =
    Described::answers(&[Answer::ok("It is deleted.", &[shape::<Reply>])]).ordered::<Order>().in_streams();

pub(in crate::admin) async fn delete(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require_somewhere()?;
    asked.only(&[])?;
    let order: Order = payload(body).await?;
    let Some(seq) = i64::try_from(order.seq).ok().filter(|seq| *seq > 0) else {
        return Err(complain(BAD_REQUEST, "bad request: seq says which"));
    };
    let place = stream(asked).await?;
    let principal = asked.require(Some(place.domain.id), Some(place.bucket.id))?;
    if !order.no_erase {
        // It is final.
        principal.require(Right::Purge, Some(place.domain.id), Some(place.bucket.id))?;
    }
    let actor = principal.name.to_string();
    let metadata = &asked.gateway.metadata;
    let missing = || complain(NO_MESSAGE, format!("sequence {seq} not found"));
    let found = metadata.at_position(place.bucket.id, seq).await?.ok_or_else(missing)?;
    asked.trail.detail(format!("seq={seq} version={} no_erase={}", found.version, order.no_erase));
    let erase = if order.no_erase {
        let delete = Delete {
            domain: place.domain.id,
            bucket: place.bucket.id,
            name: found.name,
            which: Which::Version(found.version),
            marker: VersionId::ordered(asked.gateway.clock.now()),
            markers: Markers::Stacked,
            hides_guarded: false,
            bypass: false,
            heeds_spec: false,
            expects: None,
            condition: Condition::NONE,
            cause: Cause::Delete,
            actor,
            grace: asked.gateway.settings.object_delete_delay,
        };
        match metadata.object(ObjectCommand::Delete(delete)).await? {
            Outcome::Deleted(deleted) => asked.trail.amount((1, deleted.size)),
            other => tracing::error!(?other, "a delete was answered with something else"),
        }
        "none"
    } else {
        erase(asked, &place, found, actor).await?;
        "delete"
    };
    asked.gateway.wake_background();
    let positions = metadata.stream_ends(place.bucket.id).await?;
    let (first_seq, last_seq) = (positions.first_seq, positions.last_seq);
    ok(&Reply { kind: Call::DeleteMessage.kind(), success: true, erase, first_seq, last_seq })
}

/// Purges the version and no other, finally.
async fn erase(
    asked: &Asked<'_>,
    place: &super::place::Stream,
    found: AtPosition,
    actor: String,
) -> Result<(), crate::admin::error::Complaint> {
    let Some(revision) = found.revision else { return Err(Refusal::NoSuchVersion.into()) };
    let names = PurgeNames::Revisions(BTreeMap::from([(found.name, BTreeSet::from([revision]))]));
    let order = PurgeVersions {
        domain: place.domain.id,
        bucket: place.bucket.id,
        selector: PurgeSelector { names, bound: None },
        is_final: true,
        advance: false,
        grace: asked.gateway.settings.object_delete_delay,
        purge_id: None,
        if_change: None,
        door: "jetstream",
        actor,
        reason: None,
    };
    let job = match asked.gateway.metadata.purge_versions(order).await? {
        Accepted::Begun(job) | Accepted::Known(job) => carry_on(asked.gateway, job, None).await?,
        Accepted::Another | Accepted::Moved | Accepted::BeyondEnd { .. } => {
            return Err(Refusal::Conflict.into());
        }
    };
    asked.trail.amount((job.purged, job.bytes));
    match (job.purged, job.protected) {
        (0, 0) => Err(Refusal::NoSuchVersion.into()),
        (0, _) => Err(complain(NOT_DELETED, "message delete failed: it is protected")),
        _ => Ok(()),
    }
}
