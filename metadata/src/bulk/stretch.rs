//! The plain case of names: a stretch of them at a time, from the last to the first, without looking at any version.
//!
//! As plain as a sweep by position ([`super::sweep`]): while nothing in the bucket is guarded and no name has several ends,
//! whatever is older than a version that goes, goes with it or before it, and nothing is left that could be shown. What is meant
//! must be all names from one on and before another, and of them everything or what arrived before a position; for whatever
//! else has to be asked of a version, versions are read.

use super::scan::{Cursor, Through, behind};
use super::selector::{Bound, PurgeNames, Selector};
use super::sweep::Going;
use crate::sql::{Conn, DbError, args};
use lifecycle::{ContainerId, NameRange};

/// Names from one on and before another, and the last position that is meant of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: String,
    before: String,
    upto: i64,
}

/// What stands in a stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) purged: u64,
    pub(super) bytes: u64,
}

/// What is left to be purged, if it is a stretch of names of which nothing has to be asked.
pub(super) fn left(selector: &Selector, upto: i64, cursor: Option<&Cursor>) -> Option<Stretch> {
    let NameRange { from, before } = match &selector.names {
        PurgeNames::Filter(filter) if filter.is_its_range() => filter.range(),
        PurgeNames::Prefix(prefix) => NameRange::prefixed(prefix),
        PurgeNames::Filter(_) | PurgeNames::Listed(_) | PurgeNames::Revisions(_) => return None,
    };
    let upto = match selector.bound {
        None => upto,
        Some(Bound::BeforeSeq(seq)) => upto.min(seq.saturating_sub(1)),
        Some(Bound::Keep(_) | Bound::KeepPerName(_) | Bound::OlderThan(_)) => return None,
    };
    let before = match cursor {
        Some(cursor) if cursor.is_within() => return None,
        Some(cursor) => cursor.name.clone(),
        None => before?,
    };
    Some(Stretch { from, before, upto })
}

macro_rules! older {
    () => {
        " FROM versions v WHERE v.contents_id = $1 AND v.name >= $2 AND v.name < $3 AND v.state = 'live'
            AND v.is_current = 0"
    };
}
macro_rules! current {
    () => {
        " FROM versions v WHERE v.contents_id = $1 AND v.name >= $2 AND v.name < $3 AND v.is_current = 1"
    };
}
/// Each of the two indexes of live versions is walked for itself, by name: the sign keeps the one by position out of it, in
/// which all that is live stands.
macro_rules! both {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            older!(),
            " AND +v.seq <= $4 UNION ALL SELECT ",
            $columns,
            current!(),
            " AND +v.seq <= $4"
        )
    };
}

/// The name of the first version that is too many.
const EDGE: &str = concat!(
    "SELECT name FROM (SELECT v.name AS name",
    older!(),
    " ORDER BY v.name DESC LIMIT $5) AS older UNION ALL SELECT name FROM (SELECT v.name AS name",
    current!(),
    " ORDER BY v.name DESC LIMIT $5) AS current ORDER BY name DESC LIMIT 1 OFFSET $4"
);
const STANDING: &str = concat!(
    "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM (",
    both!("v.size AS size"),
    ") AS standing"
);

// Each has a number of its own among the changes; who goes first within one transaction, nobody can tell.
macro_rules! take {
    ($set:literal) => {
        concat!(
            "UPDATE versions SET ",
            $set,
            ", is_current = 0, removed_at = $5, purge_after = $6, cause = 'purge', actor = $7, change_seq = $8 + picked.place
             FROM (SELECT id, ROW_NUMBER() OVER () AS place FROM (",
            both!("v.id AS id"),
            ") AS standing) AS picked
             WHERE versions.id = picked.id AND versions.state = 'live' AND versions.hold = 0
                AND (versions.guard_until IS NULL OR versions.guard_until <= $5 OR versions.guard_from > $5)"
        )
    };
}
const REMOVE: &str = take!("state = 'removed', claim_until = NULL, due_at = $9");
// Nobody holds it, and nobody may until then.
const PURGE: &str = take!("state = 'purging', due_at = NULL, claim_until = $9");

/// The last names of a stretch, of which there are at most `limit` versions. `None`: its last name alone has more than that.
pub(super) async fn next(
    through: &mut Through<'_>,
    contents: ContainerId,
    left: &Stretch,
    limit: u32,
) -> Result<Option<Stretch>, DbError> {
    let args = args![contents, left.from.as_str(), left.before.as_str(), limit, limit + 1];
    let from = match through.fetch(EDGE, args).await?.into_iter().next() {
        Some(mut row) => behind(&row.need_text()?),
        None => left.from.clone(),
    };
    let fits = from < left.before;
    Ok(fits.then(|| Stretch { from, ..left.clone() }))
}

/// Counts what goes of a stretch.
pub(super) async fn look(
    through: &mut Through<'_>,
    contents: ContainerId,
    stretch: &Stretch,
) -> Result<Standing, DbError> {
    let Stretch { from, before, upto } = stretch;
    let found = through.fetch(STANDING, args![contents, from.as_str(), before.as_str(), *upto]).await?;
    let Some(mut row) = found.into_iter().next() else { return Ok(Standing::default()) };
    Ok(Standing { purged: row.need_size()?, bytes: row.need_size()? })
}

/// Takes what [`look`] has counted.
pub(super) async fn take(
    conn: &mut Conn,
    contents: ContainerId,
    stretch: &Stretch,
    standing: Standing,
    going: Going<'_>,
) -> Result<(), DbError> {
    let text = if going.purge_after.is_some() { REMOVE } else { PURGE };
    let touched = conn
        .execute(
            text,
            args![
                contents,
                stretch.from.as_str(),
                stretch.before.as_str(),
                stretch.upto,
                going.now,
                going.purge_after.unwrap_or(going.now),
                going.actor,
                going.change_seq,
                going.purge_after.unwrap_or(going.drained_at)
            ],
        )
        .await?;
    if touched == standing.purged {
        return Ok(());
    }
    // What is guarded was looked for under the bucket's lock: something has gone past it.
    Err(DbError::Retry(format!("purging: {touched} rows instead of {}", standing.purged)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::selector::PurgeSelector;
    use lifecycle::{Filter, Time};

    fn of(
        names: PurgeNames,
        bound: Option<crate::bulk::PurgeBound>,
        cursor: Option<&Cursor>,
    ) -> Option<Stretch> {
        left(&PurgeSelector { names, bound }.at(Time::from_secs(9)), 100, cursor)
    }

    fn filter(text: &str) -> PurgeNames {
        PurgeNames::Filter(Filter::parse(text).unwrap())
    }

    #[test]
    fn a_stretch_is_all_names_between_two_and_everything_up_to_a_position() {
        use crate::bulk::PurgeBound::{BeforeSeq, KeepPerName, OlderThan};
        let stretch = |from: &str, before: &str, upto| Stretch {
            from: from.to_owned(),
            before: before.to_owned(),
            upto,
        };
        assert_eq!(of(filter("kv/>"), None, None), Some(stretch("kv/", "kv0", 100)));
        assert_eq!(of(filter("kv/a"), Some(BeforeSeq(7)), None), Some(stretch("kv/a", "kv/a\u{1}", 6)));
        assert_eq!(
            of(PurgeNames::Prefix("k".to_owned()), Some(BeforeSeq(500)), None),
            Some(stretch("k", "l", 100))
        );
        let done = Cursor { name: "kv/m".to_owned(), seq: i64::MAX, stays: false };
        assert_eq!(of(filter("kv/>"), None, Some(&done)), Some(stretch("kv/", "kv/m", 100)));
        let within = Cursor { seq: 7, ..done };
        assert_eq!(of(filter("kv/>"), None, Some(&within)), None, "a name is half done");
        for bound in [KeepPerName(1), OlderThan(std::time::Duration::from_secs(1))] {
            assert_eq!(of(filter("kv/>"), Some(bound), None), None);
        }
        for names in [filter("kv/*"), filter("*/a/>"), PurgeNames::Listed(["a".to_owned()].into())] {
            assert_eq!(of(names, None, None), None);
        }
    }
}
