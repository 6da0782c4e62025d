//! Names grouped at a delimiter. The engine itself goes from row to row: it finds the first name, looks whether it is in a
//! group, and seeks what lies behind the name or behind the whole group. So a group costs one look into the index, however
//! many names are in it, and a page is one statement.

use super::objects::{Listed, listed_columns, read_listed};
use super::order::{Delimiter, Entry, ListOrder, Range};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Engine, args};
use lifecycle::ContainerId;

/// The first name from here on: $1 contents, names from $2 to $3, $4 now. `$bound` narrows it to what is ahead.
macro_rules! first_name {
    ($bound:expr, $end:literal, $direction:literal) => {
        concat!(
            "(SELECT v.name FROM versions v WHERE v.contents_id = $1 AND v.is_current = 1 AND ",
            $bound,
            " AND ",
            $end,
            " AND (v.expires_at IS NULL OR v.expires_at > $4) ORDER BY v.name ",
            $direction,
            " LIMIT 1)"
        )
    };
}

/// Where in a name behind the prefix $6 the delimiter $7 stands, counted in characters from 1; 0: nowhere. The engines
/// have no word for it in common.
macro_rules! at {
    ($find:literal) => {
        concat!($find, "(substr(walk.name, length($6) + 1), $7)")
    };
}
pub(super) use at;

/// Upwards, what is ahead begins behind the name, or behind its group: that is the group with the delimiter's successor
/// $8 in its delimiter's place.
macro_rules! ahead {
    ($find:literal) => {
        concat!(
            "CASE WHEN ",
            at!($find),
            " = 0 THEN walk.name || '\u{1}' ELSE substr(walk.name, 1, length($6) + ",
            at!($find),
            " - 1) || $8 END"
        )
    };
}
pub(super) use ahead;

macro_rules! ahead_upwards {
    ($find:literal) => {
        concat!("v.name >= ", ahead!($find))
    };
}

/// Downwards it ends in front of the name, or in front of its group. $8 has nothing to say there.
macro_rules! ahead_downwards {
    ($find:literal) => {
        concat!(
            "v.name >= $2 AND v.name < CASE WHEN ",
            at!($find),
            " = 0 THEN walk.name ELSE substr(walk.name, 1, length($6) + ",
            at!($find),
            " - 1 + length($7)) END AND $8 <> ''"
        )
    };
}

// The contents go along in the walk: with $1 in its place Postgres may look through all of them for each name, believing
// that there are few.
macro_rules! walk {
    ($find:literal, $ahead:expr, $end:literal, $end_ahead:literal, $direction:literal) => {
        concat!(
            "WITH RECURSIVE walk(n, contents, name) AS (SELECT 1, $1, ",
            first_name!("v.name >= $2", $end, $direction),
            " UNION ALL SELECT walk.n + 1, walk.contents, ",
            first_name!($ahead, $end_ahead, $direction),
            " FROM walk WHERE walk.name IS NOT NULL AND walk.n < $5)
             SELECT walk.name, ",
            listed_columns!(),
            " FROM walk LEFT JOIN versions v ON v.contents_id = walk.contents AND v.name = walk.name AND v.is_current = 1
                AND ",
            at!($find),
            " = 0 WHERE walk.name IS NOT NULL"
        )
    };
    ($find:literal) => {
        [
            walk!($find, ahead_upwards!($find), "$3 = ''", "$3 = ''", "ASC"),
            walk!($find, ahead_upwards!($find), "v.name < $3", "v.name < $3", "ASC"),
            // What is ahead lies below the first name, and that below $3.
            walk!($find, ahead_downwards!($find), "$3 = ''", "$3 = ''", "DESC"),
            walk!($find, ahead_downwards!($find), "v.name < $3", "$3 <> ''", "DESC"),
        ]
    };
}

const SQLITE: [&str; 4] = walk!("instr");
const POSTGRES: [&str; 4] = walk!("strpos");

const fn walk(engine: Engine, bounded: bool, descending: bool) -> &'static str {
    let [up, up_to, down, down_from] = match engine {
        Engine::Sqlite => SQLITE,
        Engine::Postgres => POSTGRES,
    };
    match (descending, bounded) {
        (false, false) => up,
        (false, true) => up_to,
        (true, false) => down,
        (true, true) => down_from,
    }
}

impl Metadata {
    /// At most `most` rows, in the order of their names.
    pub(super) async fn grouped(
        &self,
        contents: ContainerId,
        range: &Range,
        order: &ListOrder<'_>,
        delimiter: &Delimiter,
        most: i64,
    ) -> Result<Vec<Entry<Listed>>, Failure> {
        let text = walk(self.engine(), range.to.is_some(), order.descending);
        let (from, to, now) = (range.from.as_str(), range.bound(), self.clock.now());
        let behind = delimiter.behind();
        let values = args![contents, from, to, now, most, order.prefix, delimiter.as_str(), behind];
        let rows = self.readers.fetch(text, values).await?;
        let mut found = Vec::with_capacity(rows.len());
        for mut row in rows {
            let name = row.need_text()?;
            let entry = match order.group(&name) {
                Some(group) => Entry::Prefix(group.to_owned()),
                None => Entry::Item(read_listed(&mut row)?),
            };
            found.push((name, entry));
        }
        // A statement without ORDER BY promises no order, and this one need not sort what is in order.
        match order.descending {
            false => found.sort_by(|(a, _), (b, _)| a.cmp(b)),
            true => found.sort_by(|(a, _), (b, _)| b.cmp(a)),
        }
        Ok(found.into_iter().map(|(_, entry)| entry).collect())
    }
}
