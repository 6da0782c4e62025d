//! All versions, with names grouped at a delimiter. The engine goes from row to row as it does for what is current
//! ([`super::prefixes`]), along two indexes: through the versions of a name, and behind the last of them, or behind a whole
//! group, to the next name. So a page is one statement, and costs a few looks into the indexes for each row on it.

use super::order::{Delimiter, Entry, ListOrder, Range};
use super::prefixes::{ahead, at};
use super::versions::{ListedVersion, columns, history, read};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Engine, args};
use lifecycle::ContainerId;
use std::cmp::Reverse;

/// $4: now.
macro_rules! unexpired {
    () => {
        " AND (v.expires_at IS NULL OR v.expires_at > $4)"
    };
}

macro_rules! first_of {
    ($what:expr, $from:expr, $end:literal) => {
        concat!(
            "SELECT (SELECT v.name FROM versions v WHERE v.contents_id = $1 AND ",
            $what,
            " AND v.name >= ",
            $from,
            " AND ",
            $end,
            unexpired!(),
            " ORDER BY v.name LIMIT 1) AS name"
        )
    };
}

/// The first name from `$from` on that has any version.
macro_rules! first_name {
    ($from:expr, $end:literal) => {
        concat!(
            "(SELECT MIN(first.name) FROM (",
            first_of!("v.is_current = 1", $from, $end),
            " UNION ALL ",
            first_of!(history!(), $from, $end),
            ") AS first)"
        )
    };
}

/// The position of the version of the walk's name that is the next older one: the current version, if it is older, or the
/// newest of the others that are.
macro_rules! older {
    () => {
        concat!(
            "COALESCE((SELECT v.seq FROM versions v WHERE v.contents_id = walk.contents AND v.name = walk.name
                AND v.is_current = 1 AND v.seq < walk.seq",
            unexpired!(),
            "), (SELECT v.seq FROM versions v WHERE v.contents_id = walk.contents AND v.name = walk.name AND ",
            history!(),
            " AND v.seq < walk.seq",
            unexpired!(),
            " ORDER BY v.seq DESC LIMIT 1))"
        )
    };
}

/// Whether the walk stands on a row: on a group, or on a version. In front of a name's versions it stands at this position,
/// which is behind every one of them.
macro_rules! on_a_row {
    ($find:literal) => {
        concat!("(", at!($find), " > 0 OR walk.seq < 9223372036854775807)")
    };
}

/// $1 contents; names from $2 to $3; $4 now, $5 the most rows; prefix $6, delimiter $7, what lies behind that $8; the rest
/// of the name $9, which is what has a position below $10: there the walk begins, on a row that was on an earlier page.
/// The walk's `before` counts the rows in front of it. Its versions are found one by one and joined by their ids alone: in
/// a join by name Postgres would walk all history for each name.
macro_rules! walk {
    ($find:literal, $end:literal) => {
        concat!(
            "WITH RECURSIVE walk(before, contents, name, seq) AS (SELECT
                CASE WHEN $9 = '' THEN CAST(0 AS BIGINT) ELSE CAST(-1 AS BIGINT) END, $1,
                CASE WHEN $9 = '' THEN ",
            first_name!("$2", $end),
            " ELSE $9 END, CASE WHEN $9 = '' THEN 9223372036854775807 ELSE $10 END
             UNION ALL SELECT walk.before + CASE WHEN ",
            on_a_row!($find),
            " THEN 1 ELSE 0 END, walk.contents, CASE WHEN ",
            at!($find),
            " = 0 AND ",
            older!(),
            " IS NOT NULL THEN walk.name ELSE ",
            first_name!(ahead!($find), $end),
            " END, CASE WHEN ",
            at!($find),
            " = 0 THEN COALESCE(",
            older!(),
            ", 9223372036854775807) ELSE 9223372036854775807 END
             FROM walk WHERE walk.name IS NOT NULL AND walk.before < $5)
             SELECT walk.name, ",
            columns!(),
            " FROM walk LEFT JOIN versions v ON v.id = COALESCE(
                (SELECT g.id FROM versions g WHERE g.contents_id = walk.contents AND g.name = walk.name
                    AND g.is_current = 1 AND g.seq = walk.seq),
                (SELECT h.id FROM versions h WHERE h.contents_id = walk.contents AND h.name = walk.name
                    AND h.state = 'live' AND h.is_current = 0 AND h.seq = walk.seq))
             WHERE walk.name IS NOT NULL AND walk.before BETWEEN 0 AND $5 - 1 AND ",
            on_a_row!($find)
        )
    };
    ($find:literal) => {
        [walk!($find, "$3 = ''"), walk!($find, "v.name < $3")]
    };
}

const SQLITE: [&str; 2] = walk!("instr");
const POSTGRES: [&str; 2] = walk!("strpos");

impl Metadata {
    /// At most `most` rows, in the order of their names, and under a name the newest version first.
    /// `rest`: what is older than this position under this name comes first.
    pub(super) async fn grouped_versions(
        &self,
        contents: ContainerId,
        range: &Range,
        order: &ListOrder<'_>,
        delimiter: &Delimiter,
        rest: (&str, i64),
        most: i64,
    ) -> Result<Vec<Entry<ListedVersion>>, Failure> {
        let texts = match self.engine() {
            Engine::Sqlite => SQLITE,
            Engine::Postgres => POSTGRES,
        };
        let text = texts[usize::from(range.to.is_some())];
        let (from, to, now) = (range.from.as_str(), range.bound(), self.clock.now());
        let names = (order.prefix, delimiter.as_str(), delimiter.behind());
        let values = args![contents, from, to, now, most, names.0, names.1, names.2, rest.0, rest.1];
        let mut found = Vec::new();
        for mut row in self.readers.fetch(text, values).await? {
            let name = row.need_text()?;
            match order.group(&name) {
                Some(group) => found.push(Entry::Prefix(group.to_owned())),
                None => found.push(Entry::Item(read(&mut row)?)),
            }
        }
        // A statement without ORDER BY promises no order.
        found.sort_by(|a, b| place(a).cmp(&place(b)));
        Ok(found)
    }
}

fn place(entry: &Entry<ListedVersion>) -> (&str, Reverse<i64>) {
    match entry {
        Entry::Item(version) => (&version.name, Reverse(version.seq)),
        Entry::Prefix(prefix) => (prefix, Reverse(0)),
    }
}
