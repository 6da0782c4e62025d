//! Changing a container's headers and settings. Its UUID and what it holds are untouched.

use super::{Container, ContainerKind, event, find};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use crate::writer::Urgency;
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
                            "UPDATE domains SET changed_at = $2 WHERE id = $1 AND state = 'live' RETURNING name"
                        }
                        ContainerKind::Bucket | ContainerKind::Contents => {
                            "UPDATE buckets SET changed_at = $2 WHERE id = $1 AND state = 'live' AND hidden = 0
                             RETURNING name"
                        }
                    };
                    let before = find(conn, kind, id).await?.ok_or(kind.missing())?;
                    // The row is locked first; what the condition speaks of is read afterwards.
                    if conn.fetch_one(text, args![id, now]).await?.is_none() {
                        return Err(kind.missing().into());
                    }
                    let current = find(conn, kind, id).await?.ok_or(kind.missing())?;
                    if !condition.holds(Some((&current.etag.to_string(), before.changed_at))) {
                        return Err(Refusal::ConditionFailed { current: None }.into());
                    }
                    let text = match kind {
                        ContainerKind::Domain => "UPDATE domains SET headers = $2, etag = $3 WHERE id = $1",
                        ContainerKind::Bucket | ContainerKind::Contents => {
                            "UPDATE buckets SET headers = $2, etag = $3 WHERE id = $1"
                        }
                    };
                    conn.execute(text, args![id, headers.as_str(), ContainerId::random()]).await?;
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
                            "UPDATE buckets SET object_grace = $2 WHERE id = $1 AND state = 'live'",
                            args![bucket, micros],
                        )
                        .await?;
                    if touched == 0 { Err(Refusal::NoSuchBucket.into()) } else { Ok(()) }
                })
            })
            .await
    }
}
