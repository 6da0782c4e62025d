//! Removing a domain or bucket: one row changes, whatever it holds. Its children are untouched, and invisible because
//! reading joins the live ancestors.

use super::seal::refuse_sealed;
use super::{Container, ContainerKind, event, find};
use crate::Metadata;
use crate::error::Failure;
use crate::lookup::read_versioning;
use crate::sql::{Conn, DbError, args};
use crate::writer::Urgency;
use lifecycle::lifecycle::{Above, Facts, Move, step};
use lifecycle::refusal::GUARDED_COUNT_MAX;
use lifecycle::{Cause, Condition, ContainerId, Epoch, Grace, Refusal, State, Time, VersionId, Versioning};
use serde::Serialize;

/// How a container is to be removed.
#[derive(Clone, Debug)]
pub struct RemoveOrder {
    /// How long it may be restored.
    pub grace: Grace,
    /// The caller holds the purge right and wants no grace at all (`recursive=now`): promises inside do not delay it.
    pub early: bool,
    /// Keep the name from being used again until restore or purge (native and Kronotop REMOVE).
    pub reserves_name: bool,
    /// Only if so much of it is empty.
    pub only_empty: Option<Empty>,
    /// What must be true of its headers' entity tag and time of change.
    pub condition: Condition,
    /// Why.
    pub cause: Cause,
    /// Through which door.
    pub door: &'static str,
    /// By whom.
    pub actor: String,
    /// In the caller's words.
    pub reason: Option<String>,
}

/// What emptiness means. What has expired counts as absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// There is no object, and no older version or delete marker. Uploads that are open go with it, and come back with it.
    OfObjects,
    /// There is no open upload either: nothing would be lost.
    Altogether,
}

/// A removed container, and what it held when it was removed.
#[derive(Clone, Debug, Serialize)]
pub struct Removed {
    /// Its row now.
    #[serde(flatten)]
    pub container: Container,
    /// Versions inside.
    pub objects: i64,
    /// Their bytes.
    pub bytes: i64,
    /// The record of this removal.
    pub deletion: ContainerId,
}

impl Metadata {
    /// Removes a live domain or bucket.
    ///
    /// # Errors
    /// The container's "no such" refusal, [`Refusal::HoldsGuarded`], [`Refusal::NotEmpty`], [`Refusal::Protected`].
    pub async fn remove(
        &self,
        kind: ContainerKind,
        id: ContainerId,
        order: RemoveOrder,
    ) -> Result<Removed, Failure> {
        let protected = self.default_domain();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let order = order.clone();
                Box::pin(async move {
                    if kind == ContainerKind::Domain && Some(id) == protected {
                        return Err(Refusal::Protected.into());
                    }
                    remove(conn, now, kind, id, &order).await
                })
            })
            .await
    }
}

async fn remove(
    conn: &mut Conn,
    now: Time,
    kind: ContainerKind,
    id: ContainerId,
    order: &RemoveOrder,
) -> Result<Removed, Failure> {
    // The row first: from here on nothing is published into it until we are done.
    let lock = match kind {
        ContainerKind::Domain => "UPDATE domains SET changed_at = changed_at WHERE id = $1",
        ContainerKind::Bucket | ContainerKind::Contents => {
            "UPDATE buckets SET changed_at = changed_at WHERE id = $1 AND hidden = 0"
        }
    };
    conn.execute(lock, args![id]).await?;
    let container = find(conn, kind, id).await?.ok_or(kind.missing())?;
    if container.state != State::Live {
        return Err(kind.missing().into());
    }
    if let Some(parent) = container.parent {
        let live =
            conn.fetch_one("SELECT 1 FROM domains WHERE id = $1 AND state = 'live'", args![parent]).await?;
        if live.is_none() {
            return Err(kind.missing().into());
        }
    }
    step(container.state, Move::Remove, &Facts { now, above: Above::Live, ..Facts::default() })?;
    if !container.meets(&order.condition) {
        return Err(Refusal::ConditionFailed {
            current: Some(VersionId::from_bytes(*container.etag.as_bytes())),
        }
        .into());
    }
    // Before the guards: whoever asks for an empty one is told that it is not, protected or not.
    if let Some(empty) = order.only_empty
        && holds_anything(conn, kind, id, empty, now).await?
    {
        return Err(Refusal::NotEmpty.into());
    }
    if order.early {
        refuse_sealed(conn, kind, id).await?;
    }
    refuse_guarded(conn, kind, id, now).await?;
    let (objects, bytes) = held(conn, kind, id).await?;
    let purge_after = order.grace.purge_after(now);
    let text = match kind {
        ContainerKind::Domain => {
            "UPDATE domains SET state = 'removed', removed_at = $2, purge_after = $3, early = $4, reserves_name = $5,
                cause = $6, actor = $7, meta_version = meta_version + 1 WHERE id = $1 AND state = 'live'"
        }
        ContainerKind::Bucket | ContainerKind::Contents => {
            "UPDATE buckets SET state = 'removed', removed_at = $2, purge_after = $3, early = $4, reserves_name = $5,
                cause = $6, actor = $7, meta_version = meta_version + 1 WHERE id = $1 AND state = 'live'"
        }
    };
    conn.execute(
        text,
        args![id, now, purge_after, order.early, order.reserves_name, order.cause, order.actor.as_str()],
    )
    .await?;
    let deletion = record(conn, kind, &container, order, now, purge_after, (objects, bytes)).await?;
    let epoch = event(conn, now, "remove", id, &container.name, &order.actor).await?;
    note_epoch(conn, kind, id, epoch).await?;
    let container = find(conn, kind, id).await?.ok_or(kind.missing())?;
    Ok(Removed { container, objects, bytes, deletion })
}

/// Writes the epoch of a removal into the container's row, which this transaction holds already.
pub(super) async fn note_epoch(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
    epoch: Epoch,
) -> Result<(), DbError> {
    let text = match kind {
        ContainerKind::Domain => "UPDATE domains SET removed_epoch = $2 WHERE id = $1",
        ContainerKind::Bucket => "UPDATE buckets SET removed_epoch = $2 WHERE id = $1",
        ContainerKind::Contents => "UPDATE contents SET removed_epoch = $2 WHERE id = $1",
    };
    conn.execute(text, args![id, epoch]).await?;
    Ok(())
}

/// Writes down the removal for whoever asks later who deleted what, and how much it was.
pub(super) async fn record(
    conn: &mut Conn,
    kind: ContainerKind,
    container: &Container,
    order: &RemoveOrder,
    now: Time,
    purge_after: Time,
    (objects, bytes): (i64, i64),
) -> Result<ContainerId, DbError> {
    let id = ContainerId::random();
    let target = match (kind, container.contents) {
        (ContainerKind::Contents, Some(contents)) => contents,
        _ => container.id,
    };
    let parent = if kind == ContainerKind::Contents { Some(container.id) } else { container.parent };
    conn.execute(
        "INSERT INTO deletions (id, kind, target, name, parent, door, actor, reason, state, objects, bytes, removed_at,
            purge_after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'removed', $9, $10, $11, $12)",
        args![
            id,
            kind.as_str(),
            target,
            container.name.as_str(),
            parent,
            order.door,
            order.actor.as_str(),
            order.reason.as_deref(),
            objects,
            bytes,
            now,
            purge_after
        ],
    )
    .await?;
    Ok(id)
}

/// A container with guarded content is neither removed nor purged (DESIGN section 8, rules 9 and 17).
pub(super) async fn refuse_guarded(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
    now: Time,
) -> Result<(), Failure> {
    // Bounded: counting stops at the number beyond which nobody wants to know it exactly. CROSS JOIN keeps SQLite from
    // walking whatever is guarded anywhere.
    let text = match kind {
        ContainerKind::Domain => {
            "SELECT COUNT(*), MAX(until) FROM (
                SELECT v.guard_until AS until FROM buckets b CROSS JOIN contents c CROSS JOIN versions v
                WHERE b.domain_id = $1 AND c.bucket_id = b.id AND v.contents_id = c.id AND v.state IN ('live', 'removed') AND (v.hold = 1 OR v.guard_until IS NOT NULL)
                    AND (v.hold = 1 OR (v.guard_until > $2 AND (v.guard_from IS NULL OR v.guard_from <= $2)))
                LIMIT $3) AS guarded"
        }
        ContainerKind::Bucket => {
            "SELECT COUNT(*), MAX(until) FROM (
                SELECT v.guard_until AS until FROM contents c CROSS JOIN versions v
                WHERE c.bucket_id = $1 AND v.contents_id = c.id AND v.state IN ('live', 'removed') AND (v.hold = 1 OR v.guard_until IS NOT NULL)
                    AND (v.hold = 1 OR (v.guard_until > $2 AND (v.guard_from IS NULL OR v.guard_from <= $2)))
                LIMIT $3) AS guarded"
        }
        ContainerKind::Contents => {
            "SELECT COUNT(*), MAX(until) FROM (
                SELECT v.guard_until AS until FROM versions v
                WHERE v.contents_id = $1 AND v.state IN ('live', 'removed') AND (v.hold = 1 OR v.guard_until IS NOT NULL)
                    AND (v.hold = 1 OR (v.guard_until > $2 AND (v.guard_from IS NULL OR v.guard_from <= $2)))
                LIMIT $3) AS guarded"
        }
    };
    let Some(mut row) = conn.fetch_one(text, args![id, now, GUARDED_COUNT_MAX]).await? else { return Ok(()) };
    let (count, until) = (row.need_size()?, row.time()?);
    if count == 0 { Ok(()) } else { Err(Refusal::HoldsGuarded { count, until }.into()) }
}

/// Objects and bytes inside by the counters.
pub(super) async fn held(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
) -> Result<(i64, i64), DbError> {
    let text = match kind {
        ContainerKind::Domain => {
            "SELECT u.state, u.objects, u.bytes FROM usage u JOIN contents c ON c.id = u.contents_id
             JOIN buckets b ON b.id = c.bucket_id WHERE b.domain_id = $1"
        }
        ContainerKind::Bucket => {
            "SELECT u.state, u.objects, u.bytes FROM usage u JOIN contents c ON c.id = u.contents_id
             WHERE c.bucket_id = $1"
        }
        ContainerKind::Contents => "SELECT u.state, u.objects, u.bytes FROM usage u WHERE u.contents_id = $1",
    };
    let (mut objects, mut bytes) = (0, 0);
    for mut row in conn.fetch(text, args![id]).await? {
        let (state, n, size) = (row.need_state()?, row.need_int()?, row.need_int()?);
        if matches!(state, State::Live | State::Removed) {
            objects += n;
            bytes += size;
        }
    }
    Ok((objects, bytes))
}

/// What hangs in a container at present, and how its bucket keeps versions.
struct Hung {
    contents: ContainerId,
    /// Older versions are kept, those that were superseded behind this position.
    kept: Option<i64>,
}

/// The contents of the live buckets inside. Read first, so that each look into them is one into an index, whatever an engine
/// believes of how much there is.
async fn hung(conn: &mut Conn, kind: ContainerKind, id: ContainerId) -> Result<Vec<Hung>, DbError> {
    let text = match kind {
        ContainerKind::Domain => {
            "SELECT b.contents_id, b.versioning, b.erase_upto FROM buckets b
             WHERE b.domain_id = $1 AND b.state = 'live'"
        }
        ContainerKind::Bucket => {
            "SELECT b.contents_id, b.versioning, b.erase_upto FROM buckets b WHERE b.id = $1"
        }
        ContainerKind::Contents => {
            "SELECT c.id, b.versioning, b.erase_upto FROM contents c JOIN buckets b ON b.id = c.bucket_id
             WHERE c.id = $1 AND b.contents_id = c.id"
        }
    };
    let mut hung = Vec::new();
    for mut row in conn.fetch(text, args![id]).await? {
        let contents = row.need_id(ContainerId::from_bytes)?;
        let kept = read_versioning(&mut row)? != Versioning::Disabled;
        hung.push(Hung { contents, kept: kept.then_some(row.need_int()?) });
    }
    Ok(hung)
}

const CURRENT: &str = "SELECT 1 FROM versions v WHERE v.contents_id = $1 AND v.is_current = 1
    AND (v.expires_at IS NULL OR v.expires_at > $2 OR (v.expiry_rule IS NOT NULL AND $3 = 1)) ORDER BY v.name LIMIT 1";
const OLDER: &str =
    "SELECT 1 FROM versions v WHERE v.contents_id = $1 AND v.state = 'live' AND v.is_current = 0
    AND (v.superseded_seq IS NULL OR v.superseded_seq > $3) AND (v.expires_at IS NULL OR v.expires_at > $2)
    ORDER BY v.name LIMIT 1";
const OPEN: &str =
    "SELECT 1 FROM uploads u WHERE u.contents_id = $1 AND u.completed IS NULL AND u.expires_at > $2
    ORDER BY u.name, u.id LIMIT 1";

/// Whether anything would be lost with it: what is current, older versions and delete markers, perhaps uploads that are open.
/// Expired counts as absent, swept or not, and so does what was taken out by an emptying or lies in a removed bucket, and
/// history that is being erased anyway. But what a rule only hides, because its bucket keeps versions, is there.
pub(super) async fn holds_anything(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
    empty: Empty,
    now: Time,
) -> Result<bool, DbError> {
    for Hung { contents, kept } in hung(conn, kind, id).await? {
        let rule_hides = i64::from(kept.is_some());
        if conn.fetch_one(CURRENT, args![contents, now, rule_hides]).await?.is_some() {
            return Ok(true);
        }
        if let Some(upto) = kept
            && conn.fetch_one(OLDER, args![contents, now, upto]).await?.is_some()
        {
            return Ok(true);
        }
        if empty == Empty::Altogether && conn.fetch_one(OPEN, args![contents, now]).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
