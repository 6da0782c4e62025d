//! The processes that share the database: who is active, what each has seen, and whom a purge would wait for.

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, ok};
use crate::admin::view::{MemberView, WaitingView, time};
use crate::http::BodyReader;
use lifecycle::barrier::waits_for;
use lifecycle::ids::BadId;
use lifecycle::{ContainerId, Epoch, MemberId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Members")]
struct MembersView {
    /// The epoch that the last change to a container, or the last purge of versions, has made.
    epoch: Epoch,
    /// The clock by which leases run.
    #[schemars(with = "written::Moment")]
    now: String,
    members: Vec<MemberView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Barrier")]
struct BarrierView {
    epoch: Epoch,
    /// Whether every member has drained it. What still works in one container holds up the purge of that one alone.
    satisfied: bool,
    waiting: Vec<WaitingView>,
}

pub(in crate::admin) const LIST: Described = Described::answers(&[Answer::ok(
    "All of them, those that ended within a day included.",
    &[shape::<MembersView>],
)]);
pub(in crate::admin) const FENCE: Described =
    Described::answers(&[Answer::ok("It is fenced; these are all of them.", &[shape::<MembersView>])])
        .ordered::<Order>();
pub(in crate::admin) const BARRIER: Described =
    Described::answers(&[Answer::ok("Who has not drained it.", &[shape::<BarrierView>])]);

pub(in crate::admin) async fn list(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let gateway = asked.gateway;
    let found = gateway.metadata.members().await?;
    let me = gateway.metadata.member_id();
    let view = |member| MemberView::new(member, found.now, me);
    ok(&MembersView {
        epoch: found.epoch,
        now: time(found.now),
        members: found.members.into_iter().map(view).collect(),
    })
}

/// Nothing can be chosen.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FenceOrder")]
struct Order {}

pub(in crate::admin) async fn fence(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let by = asked.require(None, None)?.name.to_string();
    asked.only(&[])?;
    let Order {} = decode(body, ORDER_MAX).await?;
    let id: MemberId =
        asked.params.get("member").parse().map_err(|bad: BadId| Complaint::bad_request(bad.to_string()))?;
    asked.gateway.metadata.fence_member(id, &by).await?;
    tracing::warn!(member = %id, %by, "fenced by hand");
    list(asked).await
}

pub(in crate::admin) async fn barrier(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let metadata = &asked.gateway.metadata;
    metadata.beat_now().await?;
    let found = metadata.members().await?;
    let epoch = match asked.params.get("epoch") {
        "" => found.epoch,
        text => match text.parse::<Epoch>() {
            Ok(epoch) if epoch >= 0 => epoch,
            _ => return Err(Complaint::bad_request(format!("{text:?} is no epoch: it is a number"))),
        },
    };
    // Nothing is in this container: what is asked is whether all have drained, whatever still holds some of them up.
    let nothing = ContainerId::from_bytes([0; 16]);
    let margin = metadata.member_margin();
    let waiting: Vec<WaitingView> = found
        .members
        .iter()
        .filter_map(|member| {
            waits_for(member, nothing, epoch, found.now, margin)
                .map(|wait| WaitingView::new(member, &wait, found.now))
        })
        .collect();
    ok(&BarrierView { epoch, satisfied: waiting.is_empty(), waiting })
}
