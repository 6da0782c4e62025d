//! Restoring a removed domain or bucket: the same row back, with the headers it had.

use super::policy::{Allowed, Policies, settle};
use super::{Container, ContainerKind, event, find, name_taken};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Conn, args};
use crate::writer::Urgency;
use lifecycle::lifecycle::{Above, Facts, Move, step};
use lifecycle::{ContainerId, Refusal, State, Time};

/// How a container is to be restored.
#[derive(Clone, Debug, Default)]
pub struct RestoreOrder {
    /// Under another name than it had.
    pub as_name: Option<String>,
    /// Headers that replace those it had; `None`: as they were.
    pub headers: Option<String>,
    /// What its headers say of versioning and lifecycle.
    pub policies: Policies,
    /// What of it the installation allows.
    pub allowed: Allowed,
    /// By whom.
    pub actor: String,
}

impl Metadata {
    /// Restores a removed domain or bucket, with everything that was live in it.
    ///
    /// # Errors
    /// [`Refusal::AlreadyLive`], [`Refusal::PurgeStarted`], [`Refusal::Purged`], [`Refusal::NameInUse`],
    /// [`Refusal::NameReserved`], [`Refusal::ContainerGone`] while its domain is not live, [`Refusal::Unknown`].
    pub async fn restore(
        &self,
        kind: ContainerKind,
        id: ContainerId,
        order: RestoreOrder,
    ) -> Result<Container, Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let order = order.clone();
                Box::pin(async move { restore(conn, now, kind, id, &order).await })
            })
            .await
    }
}

async fn restore(
    conn: &mut Conn,
    now: Time,
    kind: ContainerKind,
    id: ContainerId,
    order: &RestoreOrder,
) -> Result<Container, Failure> {
    let parent = find(conn, kind, id).await?.ok_or(Refusal::Unknown)?.parent;
    let above = match parent {
        None => Above::Live,
        Some(domain) => above(conn, domain).await?,
    };
    let lock = match kind {
        ContainerKind::Domain => "UPDATE domains SET changed_at = changed_at WHERE id = $1",
        ContainerKind::Bucket | ContainerKind::Contents => {
            "UPDATE buckets SET changed_at = changed_at WHERE id = $1"
        }
    };
    conn.execute(lock, args![id]).await?;
    let container = find(conn, kind, id).await?.ok_or(Refusal::Unknown)?;
    step(container.state, Move::Restore, &Facts { now, above, ..Facts::default() })?;
    let name = order.as_name.as_deref().unwrap_or(&container.name);
    if let Some(taken) = name_taken(conn, container.parent, name, Some(id)).await? {
        return Err(taken.into());
    }
    let text = match kind {
        ContainerKind::Domain => {
            "UPDATE domains SET state = 'live', name = $2, headers = $3, etag = $4, removed_at = NULL, purge_after = NULL,
                early = 0, reserves_name = 0, cause = NULL, actor = NULL, changed_at = $5, removed_epoch = NULL,
                meta_version = meta_version + 1
             WHERE id = $1 AND state = 'removed'"
        }
        ContainerKind::Bucket | ContainerKind::Contents => {
            "UPDATE buckets SET state = 'live', name = $2, headers = $3, etag = $4, removed_at = NULL, purge_after = NULL,
                early = 0, reserves_name = 0, cause = NULL, actor = NULL, changed_at = $5, removed_epoch = NULL,
                meta_version = meta_version + 1
             WHERE id = $1 AND state = 'removed'"
        }
    };
    let headers = order.headers.as_deref().unwrap_or(&container.headers);
    let etag = if order.headers.is_some() { ContainerId::random() } else { container.etag };
    let changed = if order.headers.is_some() { now } else { container.changed_at };
    if conn.execute(text, args![id, name, headers, etag, changed]).await? == 0 {
        return Err(Refusal::Conflict.into());
    }
    if order.headers.is_some() {
        settle(conn, kind, id, &order.policies, order.allowed).await?;
    }
    end_deletion(conn, id, "restored", now, &order.actor).await?;
    event(conn, now, "restore", id, name, &order.actor).await?;
    Ok(find(conn, kind, id).await?.ok_or(Refusal::Unknown)?)
}

/// The state of the domain around a bucket, kept from changing until the transaction ends.
pub(super) async fn above(conn: &mut Conn, domain: ContainerId) -> Result<Above, Failure> {
    let text = match conn.engine().share() {
        "" => "SELECT state FROM domains WHERE id = $1",
        _ => "SELECT state FROM domains WHERE id = $1 FOR SHARE",
    };
    let Some(mut row) = conn.fetch_one(text, args![domain]).await? else { return Ok(Above::Purging) };
    Ok(above_by(row.need_state()?))
}

/// What containers whose worst state is `state` are to something inside.
pub(super) fn above_by(state: State) -> Above {
    match state {
        State::Live => Above::Live,
        State::Removed | State::Staged => Above::Removed,
        State::Purging | State::Purged | State::Forgotten => Above::Purging,
    }
}

/// Closes the record of a removal.
pub(super) async fn end_deletion(
    conn: &mut Conn,
    target: ContainerId,
    how: &'static str,
    now: Time,
    by: &str,
) -> Result<(), Failure> {
    conn.execute(
        "UPDATE deletions SET state = $2, ended_at = $3, ended_by = $4
         WHERE target = $1 AND state IN ('removed', 'purging')",
        args![target, how, now, by],
    )
    .await?;
    Ok(())
}
