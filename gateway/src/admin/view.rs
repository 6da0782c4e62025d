//! How things look in JSON.

use super::openapi::written;
use lifecycle::barrier::Wait;
use lifecycle::{
    BarrierOpen, ContainerId, Epoch, Holdout, Kind, Member, MemberId, Standing, State, Time, VersionId,
};
use metadata::{AccessKey, Container, ContainerKind, KeyAccount, Version};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A point in time as text; one that never comes is "never".
pub(super) fn time(at: Time) -> String {
    at.to_rfc3339()
}

/// A domain or bucket.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Container")]
pub(super) struct ContainerView {
    #[schemars(with = "written::ContainerKind")]
    kind: ContainerKind,
    #[schemars(with = "written::Uuid")]
    id: ContainerId,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<written::Uuid>")]
    domain_id: Option<ContainerId>,
    /// The effective state: the worst of its own and its domain's.
    #[schemars(with = "written::State")]
    state: State,
    #[schemars(with = "written::State")]
    own_state: State,
    owner: Option<String>,
    #[schemars(with = "written::Moment")]
    created_at: String,
    #[schemars(with = "written::Moment")]
    changed_at: String,
    #[schemars(with = "Option<written::Moment>")]
    removed_at: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    purge_after: Option<String>,
    #[schemars(with = "Option<written::Cause>")]
    cause: Option<&'static str>,
    actor: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    forget_after: Option<String>,
    /// How often it was changed, removed and restored.
    meta_version: i64,
    /// The epoch of its removal.
    epoch: Option<Epoch>,
    /// Its purge was asked for, and waits for members that have not let go of it.
    purge_requested: bool,
}

impl ContainerView {
    /// `above`: the state of the domain around a bucket; of a domain, live.
    pub(super) fn new(container: Container, above: State) -> Self {
        ContainerView {
            kind: container.kind,
            id: container.id,
            name: container.name,
            domain_id: container.parent,
            state: container.state.under(above),
            own_state: container.state,
            owner: container.owner,
            created_at: time(container.created_at),
            changed_at: time(container.changed_at),
            removed_at: container.removed_at.map(time),
            purge_after: container.purge_after.map(time),
            cause: container.cause.map(|cause| cause.as_str()),
            actor: container.actor,
            forget_after: container.forget_after.map(time),
            meta_version: container.meta_version,
            epoch: container.removed_epoch,
            purge_requested: container.purge_requested,
        }
    }
}

/// One version of an object.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Version")]
pub(super) struct VersionView {
    name: String,
    #[schemars(with = "written::Uuid")]
    version: VersionId,
    #[schemars(with = "written::Kind")]
    kind: Kind,
    /// The effective state: the worst of its own and those of the containers around it.
    #[schemars(with = "written::State")]
    state: State,
    #[schemars(with = "written::State")]
    own_state: State,
    is_current: bool,
    size: u64,
    owner: Option<String>,
    #[schemars(with = "written::Moment")]
    created_at: String,
    #[schemars(with = "Option<written::Moment>")]
    expires_at: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    removed_at: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    purge_after: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    purged_at: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    forget_after: Option<String>,
    #[schemars(with = "Option<written::Cause>")]
    cause: Option<&'static str>,
    actor: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    guarded_until: Option<String>,
    hold: bool,
    /// The mode of its retention, `governance` or `compliance`; what it guards is in `guarded_until` too.
    retention: Option<&'static str>,
    #[schemars(with = "Option<written::Moment>")]
    retained_until: Option<String>,
}

impl VersionView {
    pub(super) fn new(version: Version, above: State) -> Self {
        VersionView {
            name: version.name,
            version: version.id,
            kind: version.kind,
            state: version.state.under(above),
            own_state: version.state,
            is_current: version.is_current,
            size: version.size,
            owner: version.owner,
            created_at: time(version.created_at),
            expires_at: version.expires_at.map(time),
            removed_at: version.removed_at.map(time),
            purge_after: version.purge_after.map(time),
            purged_at: version.purged_at.map(time),
            forget_after: version.forget_after.map(time),
            cause: version.cause.map(|cause| cause.as_str()),
            actor: version.actor,
            guarded_until: version.guard.until.map(time),
            hold: version.guard.hold,
            retention: version.retention.map(|retention| retention.mode.as_str()),
            retained_until: version.retention.map(|retention| time(retention.until)),
        }
    }
}

/// An access key, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Key")]
pub(super) struct KeyView {
    id: String,
    rights: String,
    label: String,
    #[schemars(with = "Option<written::Uuid>")]
    domain_id: Option<ContainerId>,
    #[schemars(with = "Option<written::Uuid>")]
    bucket_id: Option<ContainerId>,
    /// Whose it is; `null`: the installation's.
    account: Option<String>,
    account_id: Option<String>,
    #[schemars(with = "written::Moment")]
    created_at: String,
    #[schemars(with = "Option<written::Moment>")]
    expires_at: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    disabled_at: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    revoked_at: Option<String>,
    valid: bool,
    #[schemars(with = "written::KeyStanding")]
    standing: &'static str,
}

impl KeyView {
    pub(super) fn new(key: AccessKey, now: Time) -> Self {
        KeyView {
            valid: key.is_valid(now),
            standing: key.standing(now).as_str(),
            account: match &key.account {
                Some(KeyAccount::Known(account)) => Some(account.name.clone()),
                Some(KeyAccount::Deleted(_)) | None => None,
            },
            account_id: key.account.as_ref().map(|account| account.id().to_owned()),
            id: key.id,
            rights: key.rights.to_string(),
            label: key.label,
            domain_id: key.domain,
            bucket_id: key.bucket,
            created_at: time(key.created_at),
            expires_at: key.expires_at.map(time),
            disabled_at: key.disabled_at.map(time),
            revoked_at: key.revoked_at.map(time),
        }
    }
}

/// A process that shares the database.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Member")]
pub(super) struct MemberView {
    #[schemars(with = "written::Uuid")]
    id: MemberId,
    incarnation: i64,
    node: String,
    role: String,
    address: Option<String>,
    #[schemars(with = "written::Standing")]
    state: Standing,
    /// Whether it is the one that answers.
    this: bool,
    #[schemars(with = "written::Moment")]
    registered_at: String,
    #[schemars(with = "written::Moment")]
    beat_at: String,
    /// Milliseconds of its lease that are left; `null`: it does not end. Below zero it is silent past it.
    lease_ms_left: Option<i64>,
    registered_epoch: Epoch,
    observed_epoch: Epoch,
    drained_epoch: Epoch,
    holdouts: Vec<HoldoutView>,
    #[schemars(with = "Option<written::Moment>")]
    ended_at: Option<String>,
    ended_by: Option<String>,
}

/// What a member still does in a container that was removed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Holdout")]
struct HoldoutView {
    what: String,
    count: u64,
    since_ms: u64,
    #[schemars(with = "written::Uuid")]
    domain_id: ContainerId,
    #[schemars(with = "written::Uuid")]
    bucket_id: ContainerId,
}

impl HoldoutView {
    fn new(holdout: &Holdout) -> Self {
        HoldoutView {
            what: holdout.what.clone(),
            count: holdout.count,
            since_ms: holdout.for_ms,
            domain_id: holdout.within.domain,
            bucket_id: holdout.within.bucket,
        }
    }
}

fn lease_left(member: &Member, now: Time) -> Option<i64> {
    (member.lease_until != Time::NEVER).then(|| (member.lease_until.micros() - now.micros()) / 1_000)
}

impl MemberView {
    pub(super) fn new(member: Member, now: Time, me: MemberId) -> Self {
        MemberView {
            id: member.id,
            this: member.id == me,
            incarnation: member.incarnation,
            lease_ms_left: lease_left(&member, now),
            holdouts: member.holdouts.iter().map(HoldoutView::new).collect(),
            node: member.node,
            role: member.role,
            address: member.address,
            state: member.standing,
            registered_at: time(member.registered_at),
            beat_at: time(member.beat_at),
            registered_epoch: member.registered_epoch,
            observed_epoch: member.observed_epoch,
            drained_epoch: member.drained_epoch,
            ended_at: member.ended_at.map(time),
            ended_by: member.ended_by,
        }
    }
}

/// A member that a purge waits for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Waiting")]
pub(super) struct WaitingView {
    member: String,
    #[schemars(with = "written::Uuid")]
    id: MemberId,
    incarnation: i64,
    why: String,
    observed_epoch: Epoch,
    drained_epoch: Epoch,
    lease_ms_left: Option<i64>,
    holdouts: Vec<HoldoutView>,
}

impl WaitingView {
    pub(super) fn new(member: &Member, wait: &Wait, now: Time) -> Self {
        let held: &[Holdout] = match wait {
            Wait::Holds(held) => held,
            Wait::NotDrained | Wait::LeaseRuns | Wait::Lapsed => &[],
        };
        WaitingView {
            member: member.node.clone(),
            id: member.id,
            incarnation: member.incarnation,
            why: wait.to_string(),
            observed_epoch: member.observed_epoch,
            drained_epoch: member.drained_epoch,
            lease_ms_left: lease_left(member, now),
            holdouts: held.iter().map(HoldoutView::new).collect(),
        }
    }
}

/// Whom a purge waits for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BarrierOpen")]
pub(super) struct BarrierOpenView {
    epoch: Epoch,
    attempts: u32,
    waiting: Vec<WaitingView>,
}

impl BarrierOpenView {
    pub(super) fn new(open: &BarrierOpen) -> Self {
        let view = |(member, wait): &(Member, Wait)| WaitingView::new(member, wait, open.now);
        BarrierOpenView {
            epoch: open.epoch,
            attempts: open.attempts,
            waiting: open.waiting.iter().map(view).collect(),
        }
    }
}

/// The same, as the details of a complaint.
pub(super) fn barrier_open(open: &BarrierOpen) -> Value {
    serde_json::to_value(BarrierOpenView::new(open)).unwrap_or_else(|error| json!(error.to_string()))
}

/// Where what is kept of a history begins.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HistoryKept")]
pub(super) struct KeptView {
    /// The first number that can still be asked for.
    oldest: i64,
}

/// The same, as the details of a complaint.
pub(super) fn kept_from(oldest: i64) -> Value {
    json!(KeptView { oldest })
}
