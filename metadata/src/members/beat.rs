//! One heartbeat: read what happened to containers, let go of what was removed, and tell.

use super::register::{lease_now, lease_until};
use super::{Identity, Membership};
use crate::error::Failure;
use crate::sql::{Conn, DbError, Engine, args};
use lifecycle::{BlobName, ContainerId, Epoch, Holdout, Time};
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Events read at once; where there are more, the next round follows at once.
const EVENTS: u32 = 1_000;
/// Blobs that are told one by one; of a member that reads more of them, everything counts as being read.
pub(super) const READS_MAX: usize = 20_000;
/// Stands for "too many to name".
pub(super) const READS_ALL: &str = "*";

/// What became of a heartbeat.
#[derive(Debug)]
pub(super) enum Beaten {
    /// It was accepted.
    Accepted {
        /// Not all events were read.
        more: bool,
        /// What was told; `None`: what was told before is still true.
        told: Option<Told>,
    },
    /// The own row is not active any more.
    Fenced {
        /// Another process has taken this one's name.
        replaced: bool,
    },
    /// The database is older than what this process has seen.
    Regressed(Epoch),
}

/// What this member tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    epoch: Epoch,
    holdouts: Vec<Holdout>,
    reads: String,
}

/// Beats once. `told`: what was told the last time; where leases do not end, nothing is written while that is still true.
pub(super) async fn beat(
    members: &Membership,
    conn: &mut Conn,
    now: Time,
    told: Option<&Told>,
) -> Result<Beaten, Failure> {
    let identity = members.lease.identity();
    // Before anything is sent: the lease that others grant begins later than the one we count on.
    let sent = members.clock.boot();
    let seen = members.observed();
    let (epoch, events, more) = read_events(conn, seen).await?;
    if epoch < seen {
        return Ok(Beaten::Regressed(epoch));
    }
    if epoch > seen {
        // First told to ourselves, and before we look for what is pinned: whoever has pinned before this is found below, and
        // whoever pins after it looks again.
        members.observed.store(epoch, Ordering::SeqCst);
        members.pins.pass_moment();
    }
    for event in &events {
        match event.what.as_str() {
            "remove" | "empty" => members.pins.leave(event.target, sent + members.settings.drain_timeout),
            "restore" => members.pins.stay(event.target),
            _ => {}
        }
    }
    let reads = members.pins.reads();
    if !reads.is_empty() {
        let doomed = read_doomed(conn, &reads, now).await?;
        members.pins.cut_reads(&doomed);
    }
    let telling = Told { epoch, holdouts: members.pins.holdouts(), reads: spelled(&reads) };
    let endless = conn.engine() == Engine::Sqlite;
    if endless && told == Some(&telling) && is_active(conn, identity).await? {
        members.lease.extend(sent, None);
        return Ok(Beaten::Accepted { more, told: None });
    }
    let accepted = tell(members, conn, identity, now, &telling).await?;
    if !accepted {
        return Ok(Beaten::Fenced { replaced: was_replaced(members, conn, identity).await? });
    }
    members.beats.fetch_add(1, Ordering::Relaxed);
    members.lease.extend(sent, deadline(members, conn.engine(), sent));
    Ok(Beaten::Accepted { more, told: Some(telling) })
}

/// Until when of boot time a heartbeat sent at `sent` lets this process serve.
pub(super) fn deadline(members: &Membership, engine: Engine, sent: Duration) -> Option<Duration> {
    let settings = &members.settings;
    match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(sent + settings.lease.saturating_sub(settings.margin)),
    }
}

struct Event {
    what: String,
    target: ContainerId,
}

/// The epoch, and what happened since `seen`, in one snapshot. Epochs commit in their order and without gaps; purges of
/// versions move it without an event.
async fn read_events(conn: &mut Conn, seen: Epoch) -> Result<(Epoch, Vec<Event>, bool), DbError> {
    let rows = conn
        .fetch(
            "SELECT i.epoch, e.epoch, e.what, e.target FROM installation i LEFT JOIN events e ON e.epoch > $1
             WHERE i.one = 1 ORDER BY e.epoch LIMIT $2",
            args![seen, EVENTS],
        )
        .await?;
    let full = rows.len() == EVENTS as usize;
    let (mut epoch, mut events) = (0, Vec::with_capacity(rows.len()));
    for mut row in rows {
        let now = row.need_int()?;
        if row.peek_null()? {
            epoch = now;
            continue;
        }
        let at = row.need_int()?;
        epoch = if full { at } else { now };
        events.push(Event { what: row.need_text()?, target: row.need_id(ContainerId::from_bytes)? });
    }
    Ok((epoch, events, full))
}

/// Which of these belong to versions that somebody is purging: whoever reads them has had the time to finish. What was purged
/// by its revision is nobody's until that time is over.
async fn read_doomed(
    conn: &mut Conn,
    reads: &HashSet<BlobName>,
    now: Time,
) -> Result<HashSet<BlobName>, DbError> {
    let rows = reads.iter().map(|name| args![*name]).collect();
    let found = conn
        .fetch_rows(
            "SELECT b.name FROM (VALUES {rows}) AS wanted CROSS JOIN blobs b CROSS JOIN versions v
             WHERE b.name = wanted.column1 AND v.id = b.owner AND v.state = 'purging'
                AND (v.claim_by IS NOT NULL OR v.claim_until IS NULL OR v.claim_until <= $1)",
            &[now.into()],
            rows,
        )
        .await?;
    found.into_iter().map(|mut row| row.need_id(BlobName::from_bytes)).collect()
}

fn spelled(reads: &HashSet<BlobName>) -> String {
    if reads.len() > READS_MAX {
        return READS_ALL.to_owned();
    }
    let mut names: Vec<String> = reads.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    names.join(",")
}

/// Writes it into the own row, if that is active. A heartbeat that we gave up may arrive after a later one: it shortens no
/// lease that we count on, and takes back nothing that was observed.
async fn tell(
    members: &Membership,
    conn: &mut Conn,
    identity: Identity,
    now: Time,
    telling: &Told,
) -> Result<bool, Failure> {
    let now = lease_now(conn, members.trust_db_clock, now).await?;
    let until = lease_until(conn.engine(), now, members.settings.lease);
    let holdouts = serde_json::to_string(&telling.holdouts)
        .map_err(|error| DbError::Row(format!("holdouts cannot be written as JSON: {error}")))?;
    let touched = conn
        .execute(
            "UPDATE members SET beat_at = $2, lease_until = CASE WHEN lease_until > $3 THEN lease_until ELSE $3 END,
                observed_epoch = $4, drained_epoch = $4, holdouts = $5, reads = $6
             WHERE id = $1 AND standing = 'active' AND observed_epoch <= $4",
            args![identity.id, now, until, telling.epoch, holdouts, telling.reads.as_str()],
        )
        .await?;
    Ok(touched == 1)
}

async fn is_active(conn: &mut Conn, identity: Identity) -> Result<bool, DbError> {
    let text = "SELECT 1 FROM members WHERE id = $1 AND standing = 'active'";
    Ok(conn.fetch_one(text, args![identity.id]).await?.is_some())
}

/// Whether a younger process has come under this one's name, whoever fenced this one.
async fn was_replaced(members: &Membership, conn: &mut Conn, identity: Identity) -> Result<bool, DbError> {
    let settings = &members.settings;
    let younger = conn
        .fetch_one(
            "SELECT 1 FROM members WHERE node = $1 AND role = $2 AND incarnation > $3",
            args![settings.node.as_str(), settings.role, identity.incarnation],
        )
        .await?;
    Ok(younger.is_some())
}
