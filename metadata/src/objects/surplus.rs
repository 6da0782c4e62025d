//! Of names of which a bucket keeps only so many versions, the oldest go when another one arrives.

use super::decide::{BucketFacts, Removal};
use super::effects::{Usage, remove};
use crate::sql::{Conn, DbError, Row, args};
use lifecycle::lifecycle::{Facts, Move, step};
use lifecycle::{Cause, ContainerId, Grace, Guard, State, Time, VersionId};
use std::collections::BTreeMap;
use std::time::Duration;

/// So many go at once; what is left goes with the next version that arrives.
const AT_ONCE: i64 = 1_000;

/// A name to which a version was added.
pub(super) struct Grown<'a> {
    pub(super) bucket: &'a BucketFacts,
    /// The place of this in the order of changes.
    pub(super) change: i64,
    /// By whom.
    pub(super) actor: &'a str,
    /// Where the bucket has none of its own.
    pub(super) grace: Duration,
}

/// Those that are neither current nor among the newest. What is current counts as one, wherever it stands.
const SURPLUS: &str = "SELECT id, contents_id, name, size, guard_from, guard_until, hold FROM (
        SELECT v.id, v.contents_id, v.name, v.size, v.guard_from, v.guard_until, v.hold, wanted.column3 AS kept,
            ROW_NUMBER() OVER (PARTITION BY v.contents_id, v.name ORDER BY v.seq DESC) AS place
        FROM (VALUES {rows}) AS wanted CROSS JOIN versions v
        WHERE v.contents_id = wanted.column1 AND v.name = wanted.column2 AND v.state = 'live' AND v.is_current = 0) AS older
     WHERE place >= kept ORDER BY contents_id, name, place LIMIT $1";

/// Removes what is too many of `names`, in buckets that keep versions and are locked. What a guard protects stays.
pub(super) async fn trim(
    conn: &mut Conn,
    names: &BTreeMap<(ContainerId, &str), Grown<'_>>,
    now: Time,
    usage: &mut Usage,
) -> Result<(), DbError> {
    let rows: Vec<_> = names
        .iter()
        .filter_map(|((contents, name), grown)| Some(args![*contents, *name, grown.bucket.max_per_name?]))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let mut removals = Vec::new();
    for mut row in conn.fetch_rows(SURPLUS, &[AT_ONCE.into()], rows).await? {
        removals.extend(read(&mut row, names, now)?);
    }
    remove(conn, &removals, now, usage).await
}

fn read(
    row: &mut Row,
    names: &BTreeMap<(ContainerId, &str), Grown<'_>>,
    now: Time,
) -> Result<Option<Removal>, DbError> {
    let (id, contents) = (row.need_id(VersionId::from_bytes)?, row.need_id(ContainerId::from_bytes)?);
    let (name, size) = (row.need_text()?, row.need_size()?);
    let guard = Guard { from: row.time()?, until: row.time()?, hold: row.need_bool()? };
    let Some(grown) = names.get(&(contents, name.as_str())) else { return Ok(None) };
    if step(State::Live, Move::Remove, &Facts { now, guard, ..Facts::default() }).is_err() {
        return Ok(None);
    }
    let purge_after = Grace::For(grown.bucket.object_grace.unwrap_or(grown.grace)).purge_after(now);
    Ok(Some(Removal {
        id,
        contents,
        size,
        purge_after,
        due_at: guard.due_at(purge_after),
        cause: Cause::Overwrite,
        actor: grown.actor.to_owned(),
        change_seq: grown.change,
        guard: None,
    }))
}
