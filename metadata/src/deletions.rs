//! The record of what was done to containers, and of purges in bulk: one row for each, page by page, and followed as it grows.

use crate::Metadata;
use crate::containers::DeletionRow;
use crate::error::Failure;
use crate::sql::{DbError, Row, args};
use lifecycle::{ContainerId, Time};

/// Which part of the record is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeletionsOrder<'a> {
    /// Only removals in this state: `removed`, `restored`, `purging` or `purged`.
    pub state: Option<&'a str>,
    /// Only what was removed, or ended, at this time or later, what changed last standing last. `None`: everything, what
    /// was removed last standing first.
    pub since: Option<Time>,
    /// A page's `next`.
    pub after: Option<&'a str>,
    /// The most rows.
    pub limit: u32,
}

/// A page of the record.
#[derive(Clone, Debug)]
pub struct DeletionsPage {
    /// In the order that was asked for.
    pub items: Vec<DeletionRow>,
    /// What to ask the next page after; `None`: this was the last.
    pub next: Option<String>,
}

macro_rules! columns {
    () => {
        "x.kind, x.target, x.name, x.parent, x.door, x.actor, x.reason, x.state, x.objects, x.bytes, x.removed_at,
         x.purge_after, x.ended_at, x.ended_by"
    };
}

const NEWEST_FIRST: &str = concat!(
    "SELECT x.id, x.removed_at, ",
    columns!(),
    " FROM deletions x WHERE ($1 = '' OR x.state = $1) AND (x.removed_at < $2 OR (x.removed_at = $2 AND x.id < $3))
      ORDER BY x.removed_at DESC, x.id DESC LIMIT $4"
);
// When it came to its end is the last thing that happens to a removal.
const AS_IT_CHANGED: &str = concat!(
    "SELECT x.id, COALESCE(x.ended_at, x.removed_at), ",
    columns!(),
    " FROM deletions x WHERE ($1 = '' OR x.state = $1)
        AND (COALESCE(x.ended_at, x.removed_at) > $2 OR (COALESCE(x.ended_at, x.removed_at) = $2 AND x.id > $3))
      ORDER BY COALESCE(x.ended_at, x.removed_at), x.id LIMIT $4"
);

impl Metadata {
    /// One page of the record of container removals.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn deletions_page(&self, order: DeletionsOrder<'_>) -> Result<DeletionsPage, Failure> {
        let after = order.after.and_then(read_token);
        let (text, start) = match order.since {
            // Everything of one moment lies behind the id of zeroes, and before that of ones.
            Some(since) => (AS_IT_CHANGED, (since, ContainerId::from_bytes([0; 16]))),
            None => (NEWEST_FIRST, (Time::NEVER, ContainerId::from_bytes([0xff; 16]))),
        };
        let (at, id) = after.unwrap_or(start);
        let values = args![order.state.unwrap_or(""), at, id, i64::from(order.limit) + 1];
        let (mut items, mut tokens) = (Vec::new(), Vec::new());
        for mut row in self.readers.fetch(text, values).await? {
            let (id, at) = (row.need_id(ContainerId::from_bytes)?, row.need_time()?);
            tokens.push(format!("{id}{}", at.micros()));
            items.push(read(&mut row)?);
        }
        let limit = order.limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = tokens.into_iter().take(limit).next_back().filter(|_| more);
        Ok(DeletionsPage { items, next })
    }

    /// The removal that a [`crate::Removed::deletion`] names: what whoever lost the answer asks for.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn deletion(&self, id: ContainerId) -> Result<Option<DeletionRow>, Failure> {
        let text = concat!("SELECT ", columns!(), " FROM deletions x WHERE x.id = $1");
        let row = self.readers.fetch_one(text, args![id]).await?;
        Ok(row.map(|mut row| read(&mut row)).transpose()?)
    }

    /// The latest removal of this domain, bucket or contents; `None` if it never was removed by itself.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn deletion_of(&self, target: ContainerId) -> Result<Option<DeletionRow>, Failure> {
        let text = concat!(
            "SELECT ",
            columns!(),
            " FROM deletions x WHERE x.target = $1 ORDER BY x.removed_at DESC, x.id DESC LIMIT 1"
        );
        let row = self.readers.fetch_one(text, args![target]).await?;
        Ok(row.map(|mut row| read(&mut row)).transpose()?)
    }
}

/// Reads a removal: its columns stand in this order wherever they are asked for.
pub(crate) fn read(row: &mut Row) -> Result<DeletionRow, DbError> {
    Ok(DeletionRow {
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
    })
}

fn read_token(token: &str) -> Option<(Time, ContainerId)> {
    let (id, at) = token.split_at_checked(32)?;
    Some((Time::from_micros(at.parse().ok()?), id.parse().ok()?))
}
