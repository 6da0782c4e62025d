//! A dead row as it is read: what it says of itself, and what the containers around it say.

use super::{Tombstone, TombstoneKind};
use crate::sql::{DbError, Row};
use lifecycle::{Cause, ContainerId, Kind, State, Time, VersionId};

/// A removal as one row tells of it; five columns.
#[derive(Clone, Debug)]
struct Removal {
    state: State,
    at: Option<Time>,
    by: Option<String>,
    cause: Option<Cause>,
    purge_after: Option<Time>,
}

macro_rules! domain_tombstone {
    () => {
        "d.id, d.name, d.state, d.removed_at, d.actor, d.cause, d.purge_after"
    };
}
macro_rules! bucket_tombstone {
    () => {
        concat!("b.id, b.name, b.state, b.removed_at, b.actor, b.cause, b.purge_after, ", domain_tombstone!())
    };
}
macro_rules! version_tombstone {
    () => {
        concat!(
            "v.id, v.kind, v.marker, v.name, v.size, v.created_at, v.purged_at, v.forget_after,
             v.state, v.removed_at, v.actor, v.cause, v.purge_after,
             c.state, c.removed_at, c.actor, c.cause, c.purge_after, b.hidden, ",
            bucket_tombstone!()
        )
    };
}
/// A version's containers, whatever their state: none of them is forgotten before what is in it.
macro_rules! around {
    () => {
        " JOIN contents c ON c.id = v.contents_id JOIN buckets b ON b.id = c.bucket_id
          JOIN domains d ON d.id = b.domain_id "
    };
}
pub(super) use {around, bucket_tombstone, domain_tombstone, version_tombstone};

fn read_removal(row: &mut Row) -> Result<Removal, DbError> {
    Ok(Removal {
        state: row.need_state()?,
        at: row.time()?,
        by: row.text()?,
        cause: row.cause()?,
        purge_after: row.time()?,
    })
}

/// What took the innermost level away: its own removal, or that of a level around it. What only followed its container
/// knows the time of that and nobody's name, so it does not count where another does.
fn removal_of<'a>(own: &'a Removal, around: &'a [Removal]) -> Option<&'a Removal> {
    let levels = || std::iter::once(own).chain(around).filter(|level| level.at.is_some());
    levels().find(|level| level.cause != Some(Cause::Cascade)).or_else(|| levels().next())
}

/// What a thing and the containers around it tell together.
struct Told {
    own_state: State,
    state: State,
    removed_at: Option<Time>,
    removed_by: Option<String>,
    cause: Option<Cause>,
    purge_after: Option<Time>,
}

/// `around`: the containers, the innermost first.
fn tell(own: Removal, around: &[Removal]) -> Told {
    let removal = removal_of(&own, around);
    Told {
        own_state: own.state,
        state: around.iter().fold(own.state, |state, level| state.under(level.state)),
        removed_at: removal.and_then(|removal| removal.at),
        removed_by: removal.and_then(|removal| removal.by.clone()),
        cause: own.cause.or(removal.and_then(|removal| removal.cause)),
        purge_after: removal.and_then(|removal| removal.purge_after),
    }
}

pub(super) fn read_domain(row: &mut Row) -> Result<Tombstone, DbError> {
    let (created_at, purged_at, forget_after) = (row.need_time()?, row.time()?, row.time()?);
    let (id, name, own) = (row.need_id(ContainerId::from_bytes)?, row.need_text()?, read_removal(row)?);
    let told = tell(own, &[]);
    Ok(Tombstone {
        kind: TombstoneKind::Domain,
        uuid: id.to_string(),
        version: None,
        name: name.clone(),
        domain: (id, name),
        bucket: None,
        state: told.state,
        own_state: told.own_state,
        size: None,
        created_at,
        removed_at: told.removed_at,
        removed_by: told.removed_by,
        cause: told.cause,
        purge_after: told.purge_after,
        purged_at,
        forget_after,
    })
}

pub(super) fn read_bucket(row: &mut Row) -> Result<Tombstone, DbError> {
    let (created_at, purged_at, forget_after) = (row.need_time()?, row.time()?, row.time()?);
    let (id, name, own) = (row.need_id(ContainerId::from_bytes)?, row.need_text()?, read_removal(row)?);
    let domain = (row.need_id(ContainerId::from_bytes)?, row.need_text()?);
    let told = tell(own, &[read_removal(row)?]);
    Ok(Tombstone {
        kind: TombstoneKind::Bucket,
        uuid: id.to_string(),
        version: None,
        name: name.clone(),
        domain,
        bucket: Some((id, name)),
        state: told.state,
        own_state: told.own_state,
        size: None,
        created_at,
        removed_at: told.removed_at,
        removed_by: told.removed_by,
        cause: told.cause,
        purge_after: told.purge_after,
        purged_at,
        forget_after,
    })
}

pub(super) fn read_version(row: &mut Row) -> Result<Tombstone, DbError> {
    let (id, kind) = (row.need_id(VersionId::from_bytes)?, row.need_text()?);
    let kind = Kind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of object")))?;
    let (marker, name, size) = (row.need_bool()?, row.need_text()?, row.need_size()?);
    let (created_at, purged_at, forget_after) = (row.need_time()?, row.time()?, row.time()?);
    let (own, contents, hidden) = (read_removal(row)?, read_removal(row)?, row.need_bool()?);
    let bucket = (row.need_id(ContainerId::from_bytes)?, row.need_text()?);
    let above = read_removal(row)?;
    let domain = (row.need_id(ContainerId::from_bytes)?, row.need_text()?);
    let told = tell(own, &[contents, above, read_removal(row)?]);
    Ok(Tombstone {
        kind: match kind {
            _ if marker => TombstoneKind::Marker,
            Kind::Named => TombstoneKind::Named,
            Kind::Unnamed => TombstoneKind::Unnamed,
            Kind::Alias => TombstoneKind::Alias,
        },
        uuid: if kind == Kind::Named { id.to_string() } else { name.clone() },
        version: Some(id),
        name,
        domain,
        bucket: (!hidden).then_some(bucket),
        state: told.state,
        own_state: told.own_state,
        size: (!marker).then_some(size),
        created_at,
        removed_at: told.removed_at,
        removed_by: told.removed_by,
        cause: told.cause,
        purge_after: told.purge_after,
        purged_at,
        forget_after,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removal(state: State, at: Option<i64>, by: &str, cause: Option<Cause>) -> Removal {
        let at = at.map(Time::from_micros);
        Removal { state, at, by: Some(by.to_owned()), cause, purge_after: at }
    }

    #[test]
    fn what_went_with_its_container_tells_who_removed_that() {
        let live = removal(State::Live, None, "writer", None);
        let bucket = removal(State::Removed, Some(5), "bob", Some(Cause::Recursive));
        let told = tell(live, std::slice::from_ref(&bucket));
        assert_eq!((told.own_state, told.state), (State::Live, State::Removed));
        assert_eq!((told.removed_by.as_deref(), told.cause), (Some("bob"), Some(Cause::Recursive)));

        let followed = removal(State::Purged, None, "writer", Some(Cause::Cascade));
        let contents = removal(State::Purged, Some(9), "nobody", Some(Cause::Cascade));
        let told = tell(followed, &[contents, Removal { state: State::Purged, ..bucket.clone() }]);
        assert_eq!((told.removed_by.as_deref(), told.removed_at), (Some("bob"), Some(Time::from_micros(5))));
        assert_eq!(told.cause, Some(Cause::Cascade));

        let own = removal(State::Removed, Some(3), "alice", Some(Cause::Delete));
        let told = tell(own, &[bucket]);
        assert_eq!((told.removed_by.as_deref(), told.cause), (Some("alice"), Some(Cause::Delete)));
    }
}
