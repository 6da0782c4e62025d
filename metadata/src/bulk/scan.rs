//! Walking the live versions of names, a page at a time: name by name from the last to the first, and of each name from its
//! oldest version to its newest.
//!
//! The index of older versions, read backwards, has them in this order. What is current stands in another index, and may move
//! from one to the other between two pages, when a write covers it. So a name's current version is looked at together with the
//! last of its older ones, in one transaction: wherever it stands then, it is met.

use super::decide::{Candidate, Group};
use super::selector::{Bound, Selector, Walk};
use crate::lookup::read_revision;
use crate::sql::{Conn, DbError, Readers, Row, Value, args};
use lifecycle::{ContainerId, Guard, NameRange, VersionId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names of a list that one page looks at.
const LISTED_MAX: usize = 200;

/// A connection that reads: the writer's, inside its transaction, or one of those that only read.
pub(super) enum Through<'a> {
    Writer(&'a mut Conn),
    Readers(&'a Readers),
}

impl Through<'_> {
    pub(super) async fn fetch(
        &mut self,
        text: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        match self {
            Through::Writer(conn) => conn.fetch(text, values).await,
            Through::Readers(readers) => readers.fetch(text, values).await,
        }
    }
}

/// How far a walk has come: everything behind `name` is done, and of this itself everything up to `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) name: String,
    pub(super) seq: i64,
    /// Something of this name stays.
    pub(super) stays: bool,
}

impl Cursor {
    /// Everything from `name` on is done.
    pub(super) fn behind(name: String) -> Self {
        Cursor { name, seq: i64::MAX, stays: false }
    }

    /// Whether its name is half done.
    pub(super) fn is_within(&self) -> bool {
        self.seq != i64::MAX
    }
}

/// What one look found.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) groups: Vec<Group>,
    /// Where the next one begins; `None`: this was the last. Whether something of an unfinished name stays is for the caller
    /// to say.
    pub(super) next: Option<Cursor>,
    /// Versions that were looked at.
    pub(super) looked: u64,
}

macro_rules! live {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.name, v.seq, v.size, v.is_current, v.marker, v.guard_from, v.guard_until, v.hold,
                v.created_at, v.generation, v.revision
             FROM versions v WHERE v.contents_id = $1 AND ",
            $rest
        )
    };
}

const OLDER_OF: &str =
    live!("v.name = $2 AND v.state = 'live' AND v.is_current = 0 AND v.seq > $3 ORDER BY v.seq LIMIT $4");
const OLDER: &str = live!(
    "v.name >= $2 AND v.name < $3 AND v.state = 'live' AND v.is_current = 0 ORDER BY v.name DESC, v.seq LIMIT $4"
);
const OLDER_TO_THE_LAST: &str =
    live!("v.name >= $2 AND v.state = 'live' AND v.is_current = 0 ORDER BY v.name DESC, v.seq LIMIT $3");
const CURRENT_OF: &str = live!("v.name = $2 AND v.is_current = 1");
const CURRENT: &str =
    live!("v.name >= $2 AND v.name < $3 AND v.is_current = 1 ORDER BY v.name DESC LIMIT $4");
const CURRENT_TO_THE_LAST: &str = live!("v.name >= $2 AND v.is_current = 1 ORDER BY v.name DESC LIMIT $3");

/// Looks at the next versions: of each kind, current and older, at most `limit`.
pub(super) async fn page(
    through: &mut Through<'_>,
    contents: ContainerId,
    (selector, upto): (&Selector, i64),
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<Page, DbError> {
    let mut page = match selector.walk() {
        Walk::Range(range) => in_range(through, contents, &range, cursor, limit).await?,
        Walk::Listed(names) => of_list(through, contents, names, cursor, limit).await?,
    };
    if let Some(Bound::KeepPerName(keep)) = selector.bound {
        for group in page.groups.iter_mut().filter(|group| !group.complete) {
            let from = kept_from(through, contents, &group.name, keep, upto).await?;
            group.kept_from = Some(from.unwrap_or(i64::MIN));
        }
    }
    Ok(page)
}

async fn in_range(
    through: &mut Through<'_>,
    contents: ContainerId,
    range: &NameRange,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<Page, DbError> {
    let full = limit as usize;
    let within = cursor.filter(|cursor| cursor.is_within());
    let mut older = match within {
        Some(at) => rows(through, OLDER_OF, args![contents, at.name.as_str(), at.seq, limit]).await?,
        None => Vec::new(),
    };
    // Names are walked downwards: what is done lies above.
    let before = cursor.map(|cursor| cursor.name.clone()).or_else(|| range.before.clone());
    if older.len() < full {
        let rest = u32::try_from(full - older.len()).unwrap_or(limit);
        let found =
            below(through, (OLDER, OLDER_TO_THE_LAST), contents, (&range.from, before.as_deref()), rest);
        older.extend(found.await?);
    }
    // Of the last name there may be more older versions than fitted.
    let cut = older.last().filter(|_| older.len() >= full).map(|(name, row)| (name.clone(), row.seq));
    let from = cut.as_ref().map_or(range.from.clone(), |(name, _)| behind(name));
    let before = match within {
        Some(at) => Some(behind(&at.name)),
        None => before,
    };
    let current = match before.as_deref().is_some_and(|before| before <= from.as_str()) {
        true => Vec::new(),
        false => {
            below(through, (CURRENT, CURRENT_TO_THE_LAST), contents, (&from, before.as_deref()), limit)
                .await?
        }
    };
    let looked = (older.len() + current.len()) as u64;
    // Below the last of these there may be more that are current.
    let last_current = current.last().filter(|_| current.len() >= full).map(|(name, _)| name.clone());

    let mut groups: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
    for (name, row) in older.into_iter().chain(current) {
        groups.entry(name).or_default().push(row);
    }
    if let Some(last) = &last_current {
        groups = groups.split_off(last);
    }
    let next = match (cut, last_current) {
        (Some((name, seq)), last) if last.as_ref().is_none_or(|last| *last <= name) => {
            Some(Cursor { name, seq, stays: false })
        }
        (_, Some(last)) => Some(Cursor::behind(last)),
        (_, None) => None,
    };
    let groups = groups.into_iter().rev().map(|(name, mut rows)| {
        rows.sort_unstable_by_key(|row| row.seq);
        let complete = next.as_ref().is_none_or(|next| !next.is_within() || next.name != name);
        let stays = within.is_some_and(|at| at.name == name && at.stays);
        Group { name, rows, complete, stays, kept_from: None }
    });
    Ok(Page { groups: groups.collect(), next, looked })
}

async fn of_list(
    through: &mut Through<'_>,
    contents: ContainerId,
    names: Vec<String>,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<Page, DbError> {
    let mut page = Page::default();
    let ahead = |name: &String| {
        cursor.is_none_or(|at| if at.is_within() { *name <= at.name } else { *name < at.name })
    };
    let mut names = names.into_iter().filter(ahead);
    for name in names.by_ref().take(LISTED_MAX) {
        let within = cursor.filter(|at| at.is_within() && at.name == name);
        let after = within.map_or(i64::MIN, |at| at.seq);
        let found = rows(through, OLDER_OF, args![contents, name.as_str(), after, limit]).await?;
        let mut rows_of: Vec<Candidate> = found.into_iter().map(|(_, row)| row).collect();
        let complete = rows_of.len() < limit as usize;
        if complete {
            let current = rows(through, CURRENT_OF, args![contents, name.as_str()]).await?;
            rows_of.extend(current.into_iter().map(|(_, row)| row));
            rows_of.sort_unstable_by_key(|row| row.seq);
        }
        page.looked += rows_of.len() as u64;
        let seq = if complete { i64::MAX } else { rows_of.last().map_or(i64::MAX, |row| row.seq) };
        page.next = Some(Cursor { name: name.clone(), seq, stays: false });
        let stays = within.is_some_and(|at| at.stays);
        page.groups.push(Group { name, rows: rows_of, complete, stays, kept_from: None });
        if !complete || page.looked >= u64::from(limit) {
            break;
        }
    }
    let is_done = page.next.as_ref().is_none_or(|next| !next.is_within()) && names.next().is_none();
    if is_done {
        page.next = None;
    }
    Ok(page)
}

/// Versions of the names from one on and before another.
async fn below(
    through: &mut Through<'_>,
    (bounded, unbounded): (&'static str, &'static str),
    contents: ContainerId,
    (from, before): (&str, Option<&str>),
    limit: u32,
) -> Result<Vec<(String, Candidate)>, DbError> {
    match before {
        Some(before) => rows(through, bounded, args![contents, from, before, limit]).await,
        None => rows(through, unbounded, args![contents, from, limit]).await,
    }
}

/// The first name behind this one: none has the character NUL.
pub(super) fn behind(name: &str) -> String {
    format!("{name}\u{1}")
}

/// The oldest of the newest `keep` versions of a name that arrived up to a position.
async fn kept_from(
    through: &mut Through<'_>,
    contents: ContainerId,
    name: &str,
    keep: u64,
    upto: i64,
) -> Result<Option<i64>, DbError> {
    let current = rows(through, CURRENT_OF, args![contents, name]).await?;
    let current = current.first().filter(|(_, row)| row.seq <= upto).map(|(_, row)| row.seq);
    let rest = keep.saturating_sub(u64::from(current.is_some()));
    if rest == 0 {
        return Ok(current);
    }
    let text = "SELECT v.seq FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.state = 'live'
        AND v.is_current = 0 AND v.seq <= $3 ORDER BY v.seq DESC LIMIT 1 OFFSET $4";
    let found = through.fetch(text, args![contents, name, upto, rest - 1]).await?;
    let mut found = found.into_iter();
    found.next().map(|mut row| row.need_int()).transpose()
}

async fn rows(
    through: &mut Through<'_>,
    text: &'static str,
    values: Vec<Value>,
) -> Result<Vec<(String, Candidate)>, DbError> {
    through.fetch(text, values).await?.into_iter().map(|mut row| read(&mut row)).collect()
}

fn read(row: &mut Row) -> Result<(String, Candidate), DbError> {
    let (id, name) = (row.need_id(VersionId::from_bytes)?, row.need_text()?);
    let (seq, size) = (row.need_int()?, row.need_size()?);
    let (is_current, marker) = (row.need_bool()?, row.need_bool()?);
    let guard = Guard { from: row.time()?, until: row.time()?, hold: row.need_bool()? };
    let created_at = row.need_time()?;
    let revision = read_revision(row)?;
    Ok((name, Candidate { id, seq, size, is_current, marker, guard, created_at, revision }))
}
