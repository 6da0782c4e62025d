//! How things look in JSON.

use lifecycle::{ContainerId, Kind, State, Time, VersionId};
use metadata::{AccessKey, Container, ContainerKind, Version};
use serde::Serialize;

/// A point in time as text; one that never comes is "never".
pub(super) fn time(at: Time) -> String {
    at.to_rfc3339()
}

/// A domain or bucket.
#[derive(Debug, Serialize)]
pub(super) struct ContainerView {
    kind: ContainerKind,
    id: ContainerId,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain_id: Option<ContainerId>,
    /// The effective state: the worst of its own and its domain's.
    state: State,
    own_state: State,
    owner: Option<String>,
    created_at: String,
    changed_at: String,
    removed_at: Option<String>,
    purge_after: Option<String>,
    cause: Option<&'static str>,
    actor: Option<String>,
    forget_after: Option<String>,
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
        }
    }
}

/// One version of an object.
#[derive(Debug, Serialize)]
pub(super) struct VersionView {
    name: String,
    version: VersionId,
    kind: Kind,
    /// The effective state: the worst of its own and those of the containers around it.
    state: State,
    own_state: State,
    is_current: bool,
    size: u64,
    owner: Option<String>,
    created_at: String,
    expires_at: Option<String>,
    removed_at: Option<String>,
    purge_after: Option<String>,
    purged_at: Option<String>,
    forget_after: Option<String>,
    cause: Option<&'static str>,
    actor: Option<String>,
    guarded_until: Option<String>,
    hold: bool,
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
        }
    }
}

/// An access key, without its secret.
#[derive(Debug, Serialize)]
pub(super) struct KeyView {
    id: String,
    rights: String,
    label: String,
    domain_id: Option<ContainerId>,
    bucket_id: Option<ContainerId>,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    valid: bool,
}

impl KeyView {
    pub(super) fn new(key: AccessKey, now: Time) -> Self {
        KeyView {
            valid: key.is_valid(now),
            id: key.id,
            rights: key.rights.to_string(),
            label: key.label,
            domain_id: key.domain,
            bucket_id: key.bucket,
            created_at: time(key.created_at),
            expires_at: key.expires_at.map(time),
            revoked_at: key.revoked_at.map(time),
        }
    }
}
