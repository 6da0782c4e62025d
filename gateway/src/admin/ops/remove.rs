//! Removing a domain or bucket: it becomes invisible and can be restored until its grace is over.

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, duration, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::ContainerView;
use crate::http::BodyReader;
use lifecycle::{Cause, ContainerId, Grace, Refusal, Right, State};
use metadata::{Container, ContainerKind, Empty, RemoveOrder, Removed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stands for a grace that no timer ends, and for the configured one.
const UNTIL_PURGED: &str = "none until purged";
const CONFIGURED: &str = "default";
/// Characters of a reason.
pub(super) const REASON_MAX: usize = 1_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RemoveOrder")]
struct Order {
    /// How long it can be restored, such as "7days", or "default" as configured; absent, or "none until purged": until somebody
    /// purges it.
    grace: Option<String>,
    /// The caller's own words, for the record.
    #[schemars(length(max = REASON_MAX))]
    reason: Option<String>,
    /// Keeps the name from being used again until restore or purge.
    #[serde(default = "yes")]
    reserves_name: bool,
    /// Only if nothing would be lost with it.
    #[serde(default)]
    if_empty: bool,
}

fn yes() -> bool {
    true
}

/// What was removed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Removed")]
pub(super) struct RemovedView {
    #[serde(flatten)]
    container: ContainerView,
    objects: i64,
    bytes: i64,
    /// The record of this removal.
    #[schemars(with = "written::Uuid")]
    deletion_id: ContainerId,
}

impl RemovedView {
    pub(super) fn new(removed: Removed) -> Self {
        let container = ContainerView::new(removed.container.clone(), State::Live);
        let Removed { objects, bytes, deletion, .. } = removed;
        RemovedView { container, objects, bytes, deletion_id: deletion }
    }
}

pub(in crate::admin) const REMOVE: Described =
    Described::answers(&[Answer::ok("It is removed, with all that it holds.", &[shape::<RemovedView>])])
        .ordered::<Order>();

pub(in crate::admin) async fn domain(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let domain = scope::domain(asked, Want::Live).await?;
    refuse_leaving(&domain)?;
    remove(asked, domain, body).await
}

pub(in crate::admin) async fn bucket(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    // The outermost one that is going: whoever wants to undo it begins there.
    refuse_leaving(&place.domain).map_err(|_| around(&place.domain))?;
    refuse_leaving(&place.bucket)?;
    remove(asked, place.bucket, body).await
}

async fn remove(asked: &Asked<'_>, container: Container, body: &mut BodyReader) -> Answered {
    let (domain, bucket) = match container.parent {
        Some(domain) => (domain, Some(container.id)),
        None => (container.id, None),
    };
    let principal = asked.require(Some(domain), bucket)?;
    asked.only(&[])?;
    let order: Order = decode(body, ORDER_MAX).await?;
    let configured = asked.gateway.settings.recursive_delete_delay;
    let grace = match order.grace.as_deref() {
        None | Some(UNTIL_PURGED) => Grace::UntilPurged,
        Some(CONFIGURED) => Grace::For(configured),
        Some(text) => Grace::For(duration("grace", text)?),
    };
    if matches!(grace, Grace::For(length) if length < configured) {
        // Less time to regret than the installation promises is an early purge.
        principal.require(Right::Purge, Some(domain), bucket)?;
    }
    let order = RemoveOrder {
        grace,
        early: false,
        reserves_name: order.reserves_name,
        only_empty: order.if_empty.then_some(Empty::Altogether),
        condition: lifecycle::Condition::NONE,
        cause: Cause::Recursive,
        door: "admin",
        actor: principal.name.to_string(),
        reason: reason(order.reason)?,
    };
    let removed = asked.gateway.metadata.remove(container.kind, container.id, order).await?;
    asked.trail.removed(&removed);
    asked.gateway.wake_background();
    ok(&RemovedView::new(removed))
}

/// A container that is going already is not removed again, and keeps the grace it has.
pub(super) fn refuse_leaving(container: &Container) -> Result<(), Complaint> {
    let missing = match container.kind {
        ContainerKind::Domain => Refusal::NoSuchDomain,
        ContainerKind::Bucket | ContainerKind::Contents => Refusal::NoSuchBucket,
    };
    match container.state {
        State::Live => Ok(()),
        State::Removed => Err(Complaint::from(Refusal::AlreadyRemoved).target(container.name.as_str())),
        State::Staged | State::Purging | State::Purged | State::Forgotten => Err(missing.into()),
    }
}

/// The domain is going, and everything in it.
pub(super) fn around(domain: &Container) -> Complaint {
    match domain.state {
        State::Removed => Complaint::from(Refusal::ContainerGone).target(domain.name.as_str()),
        State::Live | State::Staged | State::Purging | State::Purged | State::Forgotten => {
            Refusal::NoSuchDomain.into()
        }
    }
}

/// The caller's own words, if they are few enough.
pub(super) fn reason(text: Option<String>) -> Result<Option<String>, Complaint> {
    match text {
        Some(text) if text.chars().count() > REASON_MAX => {
            Err(Complaint::bad_request(format!("reason has more than {REASON_MAX} characters")))
        }
        text => Ok(text.filter(|text| !text.is_empty())),
    }
}
