//! Finding and listing domains and buckets, and the record of what was deleted.

use super::{Container, ContainerKind, bucket_columns, domain_columns, read_container, read_kind};
use crate::Metadata;
use crate::error::Failure;
use crate::list::{Entry, ListOrder, Page, Range};
use crate::sql::args;
use lifecycle::{ContainerId, Refusal, State, Time};
use serde::Serialize;

/// One page of domains or buckets.
#[derive(Clone, Debug, Serialize)]
pub struct ContainerPage {
    /// In the order of their names, then of their ids.
    pub items: Vec<Container>,
    /// What to ask the next page after; `None`: this was the last.
    pub next: Option<String>,
}

/// A domain or bucket that was removed and of which something is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedContext {
    /// Domain or bucket.
    pub kind: ContainerKind,
    /// Its UUID.
    pub id: ContainerId,
    /// The name it had.
    pub name: String,
    /// The domain of a bucket.
    pub parent: Option<ContainerId>,
    /// When it was removed.
    pub removed_at: Time,
    /// By whom.
    pub actor: String,
    /// Until when it can be restored.
    pub purge_after: Time,
    /// Versions inside, when it was removed.
    pub objects: i64,
    /// Their bytes.
    pub bytes: i64,
    /// Removed or purging, whichever is worse of itself and of the domain around it.
    pub state: State,
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

macro_rules! live {
    ($columns:expr, $from:literal, $name:literal, $end:literal, $direction:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM ",
            $from,
            " AND ",
            $name,
            " >= $1 AND ",
            $end,
            " ORDER BY ",
            $name,
            " ",
            $direction,
            " LIMIT $3"
        )
    };
    ($columns:expr, $from:literal, $name:literal, $bound:literal) => {
        [
            live!($columns, $from, $name, "$2 = ''", "ASC"),
            live!($columns, $from, $name, $bound, "ASC"),
            live!($columns, $from, $name, "$2 = ''", "DESC"),
            live!($columns, $from, $name, $bound, "DESC"),
        ]
    };
}

// Nothing dead is in the indexes of the names that are taken, but what reserves its name.
const LIVE_DOMAINS: [&str; 4] =
    live!(domain_columns!(), "domains d WHERE d.state = 'live'", "d.name", "d.name < $2");
const LIVE_BUCKETS: [&str; 4] = live!(
    bucket_columns!(),
    "buckets b WHERE b.domain_id = $4 AND b.state = 'live' AND b.hidden = 0",
    "b.name",
    "b.name < $2"
);

const LIVE_OWNED: [&str; 4] = live!(
    bucket_columns!(),
    "buckets b WHERE b.domain_id = $4 AND b.owner = $5 AND b.state = 'live' AND b.hidden = 0",
    "b.name",
    "b.name < $2"
);

impl Metadata {
    /// One page of the live domains, or of the live buckets of `domain`, by name; as [`Metadata::list_page`] lists
    /// objects. A group costs a query.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn list_live(
        &self,
        domain: Option<ContainerId>,
        order: &ListOrder<'_>,
    ) -> Result<Page<Container>, Failure> {
        self.list_among(domain, None, order).await
    }

    /// As [`Metadata::list_live`], of the buckets of `domain` that belong to `owner`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn list_owned(
        &self,
        domain: ContainerId,
        owner: &str,
        order: &ListOrder<'_>,
    ) -> Result<Page<Container>, Failure> {
        self.list_among(Some(domain), Some(owner), order).await
    }

    async fn list_among(
        &self,
        domain: Option<ContainerId>,
        owner: Option<&str>,
        order: &ListOrder<'_>,
    ) -> Result<Page<Container>, Failure> {
        let Some(mut range) = Range::of(order).filter(|_| order.limit > 0) else { return Ok(Page::empty()) };
        // One more than fits tells whether there is another page.
        let most = order.limit as usize + 1;
        let mut found: Vec<Entry<Container>> = Vec::new();
        loop {
            let wanted = most - found.len();
            let rows = self.live_between(domain, owner, &range, order.descending, wanted).await?;
            let last = rows.last().map(|container| container.name.clone()).filter(|_| rows.len() == wanted);
            for container in rows {
                match order.group(&container.name) {
                    None => found.push(Entry::Item(container)),
                    Some(group) => {
                        let known = matches!(found.last(), Some(Entry::Prefix(known)) if known == group);
                        if !known {
                            found.push(Entry::Prefix(group.to_owned()));
                        }
                    }
                }
            }
            let ahead = last.filter(|_| found.len() < most).and_then(|last| range.behind(&last, order));
            match ahead {
                Some(ahead) => range = ahead,
                None => return Ok(Page::cut(found, order.limit, |container| &container.name)),
            }
        }
    }

    async fn live_between(
        &self,
        domain: Option<ContainerId>,
        owner: Option<&str>,
        range: &Range,
        descending: bool,
        limit: usize,
    ) -> Result<Vec<Container>, Failure> {
        let (kind, [up, up_to, down, down_from]) = match (domain, owner) {
            (None, _) => (ContainerKind::Domain, LIVE_DOMAINS),
            (Some(_), None) => (ContainerKind::Bucket, LIVE_BUCKETS),
            (Some(_), Some(_)) => (ContainerKind::Bucket, LIVE_OWNED),
        };
        let text = match (descending, range.to.is_some()) {
            (false, false) => up,
            (false, true) => up_to,
            (true, false) => down,
            (true, true) => down_from,
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut values = args![range.from.as_str(), range.bound(), limit];
        values.extend(domain.map(Into::into));
        values.extend(domain.and(owner).map(Into::into));
        let mut containers = Vec::new();
        for mut row in self.readers.fetch(text, values).await? {
            containers.push(read_container(kind, &mut row)?);
        }
        Ok(containers)
    }

    /// Domains and buckets that are removed or being purged, the one removed last first, whose names began with `prefix`;
    /// of one domain its buckets. The page begins behind the one with the UUID `after`.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] if `after` was never removed; [`Failure::Unavailable`].
    pub async fn deleted_contexts(
        &self,
        domain: Option<ContainerId>,
        prefix: &str,
        after: Option<ContainerId>,
        limit: u32,
    ) -> Result<Vec<DeletedContext>, Failure> {
        let nobody = ContainerId::from_bytes([0; 16]);
        let start = match after {
            None => (Time::NEVER, nobody),
            Some(after) => {
                let text = "SELECT MAX(removed_at) FROM deletions WHERE target = $1";
                let removed = self.readers.fetch_one(text, args![after]).await?;
                let removed = removed.map(|mut row| row.time()).transpose()?.flatten();
                (removed.ok_or(Refusal::Unknown)?, after)
            }
        };
        // What a promise is now stands in the container's own row: purging early moves it.
        let text = "SELECT x.kind, x.target, x.name, x.parent, x.removed_at, x.actor,
                COALESCE(d.purge_after, b.purge_after, x.purge_after), x.objects, x.bytes, x.state,
                COALESCE(p.state, 'live')
             FROM deletions x LEFT JOIN domains d ON d.id = x.target LEFT JOIN buckets b ON b.id = x.target
                LEFT JOIN domains p ON p.id = x.parent
             WHERE x.state IN ('removed', 'purging') AND x.kind IN ('domain', 'bucket') AND ($1 = 0 OR x.parent = $2)
                AND substr(x.name, 1, length($3)) = $3
                AND (x.removed_at < $4 OR (x.removed_at = $4 AND x.target > $5))
             ORDER BY x.removed_at DESC, x.target LIMIT $6";
        let within = i64::from(domain.is_some());
        let values = args![within, domain.unwrap_or(nobody), prefix, start.0, start.1, limit];
        let mut deleted = Vec::new();
        for mut row in self.readers.fetch(text, values).await? {
            deleted.push(DeletedContext {
                kind: read_kind(&mut row)?,
                id: row.need_id(ContainerId::from_bytes)?,
                name: row.need_text()?,
                parent: row.id(ContainerId::from_bytes)?,
                removed_at: row.need_time()?,
                actor: row.need_text()?,
                purge_after: row.need_time()?,
                objects: row.need_int()?,
                bytes: row.need_int()?,
                state: row.need_state()?.under(row.need_state()?),
            });
        }
        Ok(deleted)
    }

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

    /// The newest removals of containers, newest first. Purges in bulk, which stand beside them, are none.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn deletions(&self, state: Option<&str>, limit: u32) -> Result<Vec<DeletionRow>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT kind, target, name, parent, door, actor, reason, state, objects, bytes, removed_at, purge_after,
                    ended_at, ended_by
                 FROM deletions WHERE ($1 = '' OR state = $1) AND kind <> 'versions' ORDER BY removed_at DESC LIMIT $2",
                args![state.unwrap_or(""), limit],
            )
            .await?;
        let mut deletions = Vec::new();
        for mut row in rows {
            deletions.push(crate::deletions::read(&mut row)?);
        }
        Ok(deletions)
    }
}

fn read_token(token: &str) -> Option<(String, ContainerId)> {
    let (id, name) = token.split_at_checked(32)?;
    Some((name.to_owned(), id.parse().ok()?))
}
