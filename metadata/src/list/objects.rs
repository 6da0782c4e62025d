//! The readable objects of a bucket, by name.

use super::order::{Entry, ListOrder, Page, Range};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{DbError, Row, args};
use lifecycle::{ContainerId, Kind, Time, VersionId};

/// A readable object as a listing shows it. Narrow, because a page holds thousands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its current version.
    pub id: VersionId,
    /// Its name.
    pub name: String,
    /// Size of its content in bytes.
    pub size: u64,
    /// MD5 of its content; of an object made of parts, the MD5 over the MD5s of these.
    pub md5: Option<[u8; 16]>,
    /// How many parts it is made of; `None`: it was written in one piece.
    pub parts: Option<u32>,
    /// The checksum that was declared for its content, as the door encoded it.
    pub checksum: Option<String>,
    /// Its headers, as the door encoded them.
    pub headers: String,
    /// The user it belongs to.
    pub owner: Option<String>,
    /// When it was written.
    pub created_at: Time,
}

macro_rules! listed_columns {
    () => {
        "v.id, v.name, v.size, v.md5, v.parts, v.checksum, v.headers, v.owner, v.created_at"
    };
}
pub(super) use listed_columns;

pub(super) fn read_listed(row: &mut Row) -> Result<Listed, DbError> {
    Ok(Listed {
        id: row.need_id(VersionId::from_bytes)?,
        name: row.need_text()?,
        size: row.need_size()?,
        md5: row.digest()?,
        parts: row.int()?.and_then(|parts| u32::try_from(parts).ok()),
        checksum: row.text()?,
        headers: row.text()?.unwrap_or_default(),
        owner: row.text()?,
        created_at: row.need_time()?,
    })
}

/// $1 contents, names from $2 to $3, $4 now, $5 kind or the empty text, $6 limit. `$end` is what bounds the walk above:
/// an index is walked to a bound that is a condition, and not to one that may be absent.
macro_rules! in_a_row {
    ($end:literal, $direction:literal) => {
        concat!(
            "SELECT ",
            listed_columns!(),
            " FROM versions v WHERE v.contents_id = $1 AND v.is_current = 1 AND v.name >= $2 AND ",
            $end,
            " AND (v.expires_at IS NULL OR v.expires_at > $4) AND ($5 = '' OR v.kind = $5) ORDER BY v.name ",
            $direction,
            " LIMIT $6"
        )
    };
}

const fn in_a_row(bounded: bool, descending: bool) -> &'static str {
    match (bounded, descending) {
        (true, false) => in_a_row!("v.name < $3", "ASC"),
        (false, false) => in_a_row!("$3 = ''", "ASC"),
        (true, true) => in_a_row!("v.name < $3", "DESC"),
        (false, true) => in_a_row!("$3 = ''", "DESC"),
    }
}

impl Metadata {
    /// One page of the readable objects of a bucket. No row on it is on the page before it or the one behind it, as long
    /// as its last row's name is the marker of the next.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn list_page(
        &self,
        contents: ContainerId,
        order: &ListOrder<'_>,
    ) -> Result<Page<Listed>, Failure> {
        let Some(range) = Range::of(order).filter(|_| order.limit > 0) else { return Ok(Page::empty()) };
        // One more than fits tells whether there is another page.
        let most = i64::from(order.limit) + 1;
        let found = match order.delimiter {
            None => {
                self.in_a_row(contents, &range, order, most).await?.into_iter().map(Entry::Item).collect()
            }
            Some(delimiter) => self.grouped(contents, &range, order, delimiter, most).await?,
        };
        Ok(Page::cut(found, order.limit, |listed| &listed.name))
    }

    /// The readable objects of a bucket in the order of their names, after `marker` and beginning with `prefix`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn list_objects(
        &self,
        contents: ContainerId,
        prefix: &str,
        marker: &str,
        limit: u32,
    ) -> Result<Vec<Listed>, Failure> {
        let order = ListOrder { prefix, marker, limit, ..ListOrder::default() };
        match Range::of(&order) {
            Some(range) => self.in_a_row(contents, &range, &order, i64::from(limit)).await,
            None => Ok(Vec::new()),
        }
    }

    async fn in_a_row(
        &self,
        contents: ContainerId,
        range: &Range,
        order: &ListOrder<'_>,
        most: i64,
    ) -> Result<Vec<Listed>, Failure> {
        let kind = order.kind.map_or("", Kind::as_str);
        let text = in_a_row(range.to.is_some(), order.descending);
        let values = args![contents, range.from.as_str(), range.bound(), self.clock.now(), kind, most];
        let rows = self.readers.fetch(text, values).await?;
        let mut listed = Vec::with_capacity(rows.len());
        for mut row in rows {
            listed.push(read_listed(&mut row)?);
        }
        Ok(listed)
    }
}
