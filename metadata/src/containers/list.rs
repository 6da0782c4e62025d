//! Finding and listing domains and buckets, and the record of what was deleted.

use super::{Container, ContainerKind, bucket_columns, domain_columns, read_container};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use lifecycle::{ContainerId, State, Time};
use serde::Serialize;

/// One page of domains or buckets.
#[derive(Clone, Debug, Serialize)]
pub struct ContainerPage {
    /// In the order of their names, then of their ids.
    pub items: Vec<Container>,
    /// What to ask the next page after; `None`: this was the last.
    pub next: Option<String>,
}

/// One removal of a container, as it was recorded.
#[derive(Clone, Debug, Serialize)]
pub struct DeletionRow {
    /// Domain, bucket or contents.
    pub kind: String,
    /// What was removed.
    pub target: ContainerId,
    /// The name it had.
    pub name: String,
    /// What it was in.
    pub parent: Option<ContainerId>,
    /// Through which door.
    pub door: String,
    /// By whom.
    pub actor: String,
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// `removed`, `restored`, `purging` or `purged`.
    pub state: String,
    /// Versions inside, when it was removed.
    pub objects: i64,
    /// Their bytes.
    pub bytes: i64,
    /// When it was removed.
    pub removed_at: Time,
    /// Until when it could be restored.
    pub purge_after: Time,
    /// When it was restored or purged.
    pub ended_at: Option<Time>,
    /// By whom.
    pub ended_by: Option<String>,
}

impl Metadata {
    /// A domain or bucket by UUID, in whatever state.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn container(
        &self,
        kind: ContainerKind,
        id: ContainerId,
    ) -> Result<Option<Container>, Failure> {
        let text = match kind {
            ContainerKind::Domain => concat!("SELECT ", domain_columns!(), " FROM domains d WHERE d.id = $1"),
            ContainerKind::Bucket | ContainerKind::Contents => {
                concat!("SELECT ", bucket_columns!(), " FROM buckets b WHERE b.id = $1 AND b.hidden = 0")
            }
        };
        match self.readers.fetch_one(text, args![id]).await? {
            Some(mut row) => Ok(Some(read_container(kind, &mut row)?)),
            None => Ok(None),
        }
    }

    /// The live domain of this name; failing that, the one of this name that was removed last.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn domain_named(&self, name: &str) -> Result<Option<Container>, Failure> {
        let row = self
            .readers
            .fetch_one(
                concat!(
                    "SELECT ",
                    domain_columns!(),
                    " FROM domains d WHERE d.name = $1
                     ORDER BY CASE WHEN d.state = 'live' THEN 0 ELSE 1 END, d.removed_at DESC LIMIT 1"
                ),
                args![name.to_ascii_lowercase()],
            )
            .await?;
        Ok(row.map(|mut row| read_container(ContainerKind::Domain, &mut row)).transpose()?)
    }

    /// The live bucket of this name in a domain; failing that, the one of this name that was removed last.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn bucket_named(&self, domain: ContainerId, name: &str) -> Result<Option<Container>, Failure> {
        let row = self
            .readers
            .fetch_one(
                concat!(
                    "SELECT ",
                    bucket_columns!(),
                    " FROM buckets b WHERE b.domain_id = $1 AND b.name = $2 AND b.hidden = 0
                     ORDER BY CASE WHEN b.state = 'live' THEN 0 ELSE 1 END, b.removed_at DESC LIMIT 1"
                ),
                args![domain, name],
            )
            .await?;
        Ok(row.map(|mut row| read_container(ContainerKind::Bucket, &mut row)).transpose()?)
    }

    /// Domains in `state` whose names begin with `prefix`, or the buckets of `domain`. `after` is a page's `next`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn list_containers(
        &self,
        domain: Option<ContainerId>,
        state: Option<State>,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<ContainerPage, Failure> {
        let kind = if domain.is_some() { ContainerKind::Bucket } else { ContainerKind::Domain };
        let text = match kind {
            ContainerKind::Domain => concat!(
                "SELECT ", domain_columns!(), " FROM domains d
                 WHERE ($1 = '' OR d.state = $1) AND substr(d.name, 1, length($2)) = $2
                   AND (d.name > $3 OR (d.name = $3 AND d.id > $4)) ORDER BY d.name, d.id LIMIT $5"
            ),
            ContainerKind::Bucket | ContainerKind::Contents => concat!(
                "SELECT ", bucket_columns!(), " FROM buckets b
                 WHERE ($1 = '' OR b.state = $1) AND substr(b.name, 1, length($2)) = $2 AND b.hidden = 0
                   AND (b.name > $3 OR (b.name = $3 AND b.id > $4)) AND b.domain_id = $6 ORDER BY b.name, b.id LIMIT $5"
            ),
        };
        let (after_name, after_id) =
            after.and_then(read_token).unwrap_or((String::new(), ContainerId::from_bytes([0; 16])));
        let state = state.map_or("", State::as_str);
        let mut values = args![state, prefix, after_name, after_id, i64::from(limit) + 1];
        if let Some(domain) = domain {
            values.push(domain.into());
        }
        let mut items = Vec::new();
        for mut row in self.readers.fetch(text, values).await? {
            items.push(read_container(kind, &mut row)?);
        }
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|last| format!("{}{}", last.id, last.name));
        Ok(ContainerPage { items, next })
    }

    /// The newest removals of containers, newest first.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn deletions(&self, state: Option<&str>, limit: u32) -> Result<Vec<DeletionRow>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT kind, target, name, parent, door, actor, reason, state, objects, bytes, removed_at, purge_after,
                    ended_at, ended_by
                 FROM deletions WHERE ($1 = '' OR state = $1) ORDER BY removed_at DESC LIMIT $2",
                args![state.unwrap_or(""), limit],
            )
            .await?;
        let mut deletions = Vec::new();
        for mut row in rows {
            deletions.push(DeletionRow {
                kind: row.need_text()?,
                target: row.need_id(ContainerId::from_bytes)?,
                name: row.need_text()?,
                parent: row.id(ContainerId::from_bytes)?,
                door: row.need_text()?,
                actor: row.need_text()?,
                reason: row.text()?,
                state: row.need_text()?,
                objects: row.need_int()?,
                bytes: row.need_int()?,
                removed_at: row.need_time()?,
                purge_after: row.need_time()?,
                ended_at: row.time()?,
                ended_by: row.text()?,
            });
        }
        Ok(deletions)
    }
}

fn read_token(token: &str) -> Option<(String, ContainerId)> {
    let (id, name) = token.split_at_checked(32)?;
    Some((name.to_owned(), id.parse().ok()?))
}
