//! Changing a container's headers and settings. Its UUID and what it holds are untouched.

use super::restore::above;
use super::{Container, ContainerKind, event, find};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Conn, args};
use crate::writer::Urgency;
use lifecycle::lifecycle::Above;
use lifecycle::{Condition, ContainerId, Refusal};
use std::time::Duration;

impl Metadata {
    /// Replaces the headers of a live domain or bucket.
    ///
    /// # Errors
    /// The container's "no such" refusal, [`Refusal::ConditionFailed`].
    pub async fn change_headers(
        &self,
        kind: ContainerKind,
        id: ContainerId,
        headers: String,
        condition: Condition,
        actor: String,
    ) -> Result<Container, Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (headers, actor, condition) = (headers.clone(), actor.clone(), condition.clone());
                Box::pin(async move {
                    let text = match kind {
                        ContainerKind::Domain => {
                            "UPDATE domains SET changed_at = changed_at WHERE id = $1 AND state = 'live' RETURNING id"
                        }
                        ContainerKind::Bucket | ContainerKind::Contents => {
                            "UPDATE buckets SET changed_at = changed_at WHERE id = $1 AND state = 'live' AND hidden = 0
                             RETURNING id"
                        }
                    };
                    let parent = find(conn, kind, id).await?.ok_or(kind.missing())?.parent;
                    refuse_in_dead_domain(conn, kind, parent).await?;
                    // The row is locked first; what the condition speaks of is read afterwards.
                    if conn.fetch_one(text, args![id]).await?.is_none() {
                        return Err(kind.missing().into());
                    }
                    let current = find(conn, kind, id).await?.ok_or(kind.missing())?;
                    if !condition.holds(Some((&current.etag.to_string(), current.changed_at))) {
                        return Err(Refusal::ConditionFailed { current: None }.into());
                    }
                    let text = match kind {
                        ContainerKind::Domain => {
                            "UPDATE domains SET headers = $2, etag = $3, changed_at = $4 WHERE id = $1"
                        }
                        ContainerKind::Bucket | ContainerKind::Contents => {
                            "UPDATE buckets SET headers = $2, etag = $3, changed_at = $4 WHERE id = $1"
                        }
                    };
                    conn.execute(text, args![id, headers.as_str(), ContainerId::random(), now]).await?;
                    event(conn, now, "change", id, &current.name, &actor).await?;
                    Ok(find(conn, kind, id).await?.ok_or(kind.missing())?)
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
