//! Changing a container's headers and settings. Its UUID and what it holds are untouched.

use super::policy::{Allowed, Policies, settle};
use super::restore::above;
use super::{Container, ContainerKind, event, find, name_taken};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Conn, args};
use crate::writer::Urgency;
use lifecycle::lifecycle::Above;
use lifecycle::{Condition, ContainerId, Refusal, Time, Versioning};
use std::time::Duration;

/// How a container is to be changed.
#[derive(Clone, Debug, Default)]
pub struct ContextChange {
    /// Its headers from now on, as the door encodes them.
    pub headers: String,
    /// What its headers say of versioning and lifecycle.
    pub policies: Policies,
    /// What of it the installation allows.
    pub allowed: Allowed,
    /// Another name for it.
    pub as_name: Option<String>,
    /// What must be true of its headers' entity tag and time of change.
    pub condition: Condition,
    /// What must be in force of versioning afterwards, for whoever can say nothing else: otherwise
    /// [`Refusal::Protected`], and nothing has changed.
    pub versioning: Option<Versioning>,
    /// By whom.
    pub actor: String,
}

/// A container that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its row now.
    pub container: Container,
    /// Versioning was switched off: older versions are removed in the background, and stay restorable for their grace.
    pub erases_history: bool,
}

impl Metadata {
    /// Replaces the headers of a live domain or bucket, and its name if another is given. Its UUID stays, and with it
    /// everything inside.
    ///
    /// # Errors
    /// The container's "no such" refusal, [`Refusal::ConditionFailed`], [`Refusal::NameInUse`],
    /// [`Refusal::NameReserved`]; [`Refusal::Protected`] for a new name of the default domain, and where a bucket with
    /// locks is told to keep no versions.
    pub async fn change_context(
        &self,
        kind: ContainerKind,
        id: ContainerId,
        change: ContextChange,
    ) -> Result<Changed, Failure> {
        let protected = self.default_domain();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let change = change.clone();
                Box::pin(async move {
                    if kind == ContainerKind::Domain && change.as_name.is_some() && Some(id) == protected {
                        return Err(Refusal::Protected.into());
                    }
                    change_context(conn, now, kind, id, &change).await
                })
            })
            .await
    }

    /// Sets the grace of objects deleted in a bucket from now on; `None`: the installation's. What is removed already
    /// keeps the promise it was given (rule R2).
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`].
    pub async fn set_object_grace(
        &self,
        bucket: ContainerId,
        grace: Option<Duration>,
    ) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, _now| {
                Box::pin(async move {
                    let micros = grace.map(|grace| i64::try_from(grace.as_micros()).unwrap_or(i64::MAX));
                    let touched = conn
                        .execute(
                            "UPDATE buckets SET object_grace = $2 WHERE id = $1 AND state = 'live'
                                AND domain_id IN (SELECT id FROM domains WHERE state = 'live')",
                            args![bucket, micros],
                        )
                        .await?;
                    if touched == 0 { Err(Refusal::NoSuchBucket.into()) } else { Ok(()) }
                })
            })
            .await
    }
}

async fn change_context(
    conn: &mut Conn,
    now: Time,
    kind: ContainerKind,
    id: ContainerId,
    change: &ContextChange,
) -> Result<Changed, Failure> {
    let lock = match kind {
        ContainerKind::Domain => {
            "UPDATE domains SET changed_at = changed_at WHERE id = $1 AND state = 'live' RETURNING id"
        }
        ContainerKind::Bucket | ContainerKind::Contents => {
            "UPDATE buckets SET changed_at = changed_at WHERE id = $1 AND state = 'live' AND hidden = 0 RETURNING id"
        }
    };
    let parent = find(conn, kind, id).await?.ok_or(kind.missing())?.parent;
    refuse_in_dead_domain(conn, kind, parent).await?;
    // The row is locked first; what the condition speaks of is read afterwards.
    if conn.fetch_one(lock, args![id]).await?.is_none() {
        return Err(kind.missing().into());
    }
    let current = find(conn, kind, id).await?.ok_or(kind.missing())?;
    if !current.meets(&change.condition) {
        return Err(Refusal::ConditionFailed { current: None }.into());
    }
    let says = change.policies.versioning.map(|policy| policy.versioning);
    if current.object_lock && says.is_some_and(|says| says != Versioning::Enabled) {
        // What is locked is a version: without versions there would be no lock.
        return Err(Refusal::Protected.into());
    }
    let name = change.as_name.as_deref().unwrap_or(&current.name);
    if let Some(taken) = name_taken(conn, parent, name, Some(id)).await? {
        return Err(taken.into());
    }
    let text = match kind {
        ContainerKind::Domain => {
            "UPDATE domains SET headers = $2, etag = $3, changed_at = $4, name = $5, meta_version = meta_version + 1
             WHERE id = $1"
        }
        ContainerKind::Bucket | ContainerKind::Contents => {
            "UPDATE buckets SET headers = $2, etag = $3, changed_at = $4, name = $5, meta_version = meta_version + 1
             WHERE id = $1"
        }
    };
    conn.execute(text, args![id, change.headers.as_str(), ContainerId::random(), now, name]).await?;
    let erases_history = settle(conn, kind, id, &change.policies, change.allowed).await?;
    let what = if name == current.name { "change" } else { "rename" };
    event(conn, now, what, id, name, &change.actor).await?;
    let container = find(conn, kind, id).await?.ok_or(kind.missing())?;
    if change.versioning.is_some() && change.versioning != container.versioning {
        return Err(Refusal::Protected.into());
    }
    Ok(Changed { container, erases_history })
}

/// Nothing changes inside a domain that is not live, and it stays live until the transaction ends.
async fn refuse_in_dead_domain(
    conn: &mut Conn,
    kind: ContainerKind,
    domain: Option<ContainerId>,
) -> Result<(), Failure> {
    match domain {
        Some(domain) if above(conn, domain).await? != Above::Live => Err(kind.missing().into()),
        _ => Ok(()),
    }
}
