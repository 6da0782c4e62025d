//! Purging a removed domain or bucket before its time: the point of no return. Every member must have let go of it first.

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape};
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, json, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::{BarrierOpenView, ContainerView};
use crate::http::BodyReader;
use http::StatusCode;
use lifecycle::{Epoch, Refusal, State};
use metadata::{Container, PLAN_VALID, PurgeOrder, PurgePlan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a purge waits for members when nobody says how long, and the most that may be said.
const WAIT_MS: u64 = 5_000;
const WAIT_MS_MAX: u64 = 60_000;

/// Whether the caller waits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "PurgeMode")]
pub(super) enum Mode {
    /// It has begun when this answers, or nothing has changed.
    #[default]
    Sync,
    /// What has to wait for members is left to the health processor.
    Async,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PurgeOrder")]
struct Order {
    #[serde(default)]
    mode: Mode,
    /// How long to wait for members that have not let go of it, in milliseconds; absent: 5000, or 0 if `mode` is `async`.
    #[schemars(range(max = WAIT_MS_MAX))]
    wait_ms: Option<u64>,
    /// Only if it was removed at this epoch.
    if_epoch: Option<Epoch>,
    /// Only if it still holds what a dry run has shown.
    plan_token: Option<String>,
    /// Tell what would be purged, and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What is being purged, or would be.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Purge")]
struct PurgeView {
    #[serde(flatten)]
    container: ContainerView,
    /// Versions inside.
    versions: i64,
    /// Their bytes.
    bytes: i64,
    /// What becomes of the bytes.
    reclaim: &'static str,
    /// Who is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    barrier: Option<BarrierOpenView>,
    /// Of a dry run: stands for what was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_token: Option<String>,
    /// For how many seconds it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_valid_seconds: Option<u64>,
}

impl PurgeView {
    fn new(plan: PurgePlan, above: State, dry: bool) -> Self {
        let begun = plan.container.state == State::Purging;
        PurgeView {
            versions: plan.objects,
            bytes: plan.bytes,
            reclaim: if begun { "pending" } else { "not begun" },
            barrier: plan.waiting.as_ref().map(BarrierOpenView::new),
            plan_token: dry.then_some(plan.token),
            plan_valid_seconds: dry.then_some(PLAN_VALID.as_secs()),
            container: ContainerView::new(plan.container, above),
        }
    }
}

pub(in crate::admin) const PURGE: Described = Described::answers(&[
    Answer::ok("Its bytes are being destroyed; of a dry run: what would be.", &[shape::<PurgeView>]),
    Answer::new(202, "It is asked for, and begins once every member has let go.", &[shape::<PurgeView>]),
])
.ordered::<Order>();

pub(in crate::admin) async fn domain(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let domain = scope::domain(asked, Want::Removed).await?;
    let actor = asked.require(Some(domain.id), None)?.name.to_string();
    purge(asked, domain, State::Live, actor, body).await
}

pub(in crate::admin) async fn bucket(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Removed).await?;
    let actor = asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string();
    purge(asked, place.bucket, place.domain.state, actor, body).await
}

async fn purge(
    asked: &Asked<'_>,
    container: Container,
    above: State,
    actor: String,
    body: &mut BodyReader,
) -> Answered {
    asked.only(&[])?;
    let order: Order = decode(body, ORDER_MAX).await?;
    // Whoever purges what is purged already is told so, and not that it was his doing.
    match container.state {
        State::Purging => return Err(Refusal::PurgeStarted.into()),
        State::Purged | State::Forgotten => return Err(Refusal::Purged.into()),
        State::Staged | State::Live | State::Removed => {}
    }
    let wait_ms = order.wait_ms.unwrap_or(if order.mode == Mode::Async { 0 } else { WAIT_MS });
    if wait_ms > WAIT_MS_MAX {
        return Err(Complaint::bad_request(format!(
            "wait_ms cannot be {wait_ms}: allowed is a number from 0 to {WAIT_MS_MAX}"
        )));
    }
    let (gateway, metadata) = (asked.gateway, &asked.gateway.metadata);
    if order.dry_run {
        if order.plan_token.is_some() || order.if_epoch.is_some() {
            return Err(Complaint::bad_request(
                "a dry run shows what is there: it takes no plan_token and no if_epoch",
            ));
        }
        asked.trail.detail("dry_run=true".to_owned());
        let plan = metadata.plan_purge(container.kind, container.id).await?;
        return ok(&PurgeView::new(plan, above, true));
    }
    let order = PurgeOrder {
        actor,
        wait: Duration::from_millis(wait_ms),
        leave_it: order.mode == Mode::Async,
        if_epoch: order.if_epoch,
        plan: order.plan_token,
    };
    let purged = metadata.purge_early(container.kind, container.id, order).await?;
    gateway.wake_background();
    if purged.container.state == State::Removed {
        asked.trail.detail("mode=async, waiting for members".to_owned());
        return json(StatusCode::ACCEPTED, &PurgeView::new(purged, above, false));
    }
    asked.trail.held(gateway, purged.container.id, &purged.container).await;
    ok(&PurgeView::new(purged, above, false))
}
