//! `STREAM.PURGE`.

use super::place::{payload, stream};
use super::reply::{BAD_REQUEST, Call, complain};
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape};
use crate::admin::request::{Answered, Asked, ok};
use crate::http::BodyReader;
use crate::objects::carry_on;
use lifecycle::{Filter, Refusal, subject};
use metadata::{Accepted, LAST_POSITION, PurgeBound, PurgeNames, PurgeSelector, PurgeState, PurgeVersions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Without any of these, all is purged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StreamPurgeOrder")]
struct Order {
    /// A filter over subjects, which are names with `.` in the place of `/`.
    filter: Option<String>,
    /// What arrived before this position; 0 is absent.
    #[serde(default)]
    seq: u64,
    /// All but so many, the newest of all subjects together; 0 is absent.
    #[serde(default)]
    keep: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StreamPurge")]
struct Reply {
    #[serde(rename = "type")]
    kind: &'static str,
    success: bool,
    purged: u64,
    /// Versions that were meant and stay, because they are protected, or hide one that is.
    protected: u64,
    first_seq: i64,
    last_seq: i64,
}

pub(in crate::admin) const PURGE: Described =
    Described::answers(&[Answer::ok("It is purged.", &[shape::<Reply>])]).ordered::<Order>().in_streams();

pub(in crate::admin) async fn purge(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require_somewhere()?;
    asked.only(&[])?;
    let order: Order = payload(body).await?;
    let selector = selector(order)?;
    let place = stream(asked).await?;
    let order = PurgeVersions {
        domain: place.domain.id,
        bucket: place.bucket.id,
        // Of the whole stream a position that lies ahead is the next one then.
        advance: true,
        selector,
        is_final: false,
        grace: asked.gateway.settings.object_delete_delay,
        purge_id: None,
        if_change: None,
        door: "jetstream",
        actor: asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string(),
        reason: None,
    };
    let job = match asked.gateway.metadata.purge_versions(order).await? {
        Accepted::Begun(job) | Accepted::Known(job) => job,
        Accepted::BeyondEnd { .. } => {
            return Err(complain(BAD_REQUEST, format!("bad request: seq is at most {LAST_POSITION}")));
        }
        Accepted::Another | Accepted::Moved => return Err(Refusal::Conflict.into()),
    };
    asked.trail.detail(format!("selector={}", job.selector));
    let job = carry_on(asked.gateway, job, None).await?;
    asked.trail.amount((job.purged, job.bytes));
    if job.state == PurgeState::Running {
        // The bucket was removed meanwhile.
        return Err(Refusal::NoSuchBucket.into());
    }
    ok(&Reply {
        kind: Call::Purge.kind(),
        success: job.state == PurgeState::Done,
        purged: job.purged,
        protected: job.protected,
        first_seq: job.positions.first_seq,
        last_seq: job.positions.last_seq,
    })
}

fn selector(order: Order) -> Result<PurgeSelector, Complaint> {
    let bound = match (order.seq, order.keep) {
        (0, 0) => None,
        (seq, 0) => match i64::try_from(seq) {
            Ok(seq) if seq <= LAST_POSITION => Some(PurgeBound::BeforeSeq(seq)),
            _ => return Err(complain(BAD_REQUEST, format!("bad request: seq is at most {LAST_POSITION}"))),
        },
        (0, keep) => Some(PurgeBound::Keep(keep)),
        _ => return Err(complain(BAD_REQUEST, "bad request: seq and keep exclude each other")),
    };
    let filter = match order.filter {
        None => Filter::everything(),
        Some(text) => subject::filter(&text)
            .map_err(|bad| complain(BAD_REQUEST, format!("bad request: filter is {bad}")))?,
    };
    Ok(PurgeSelector { names: PurgeNames::Filter(filter), bound })
}
