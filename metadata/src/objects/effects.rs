//! Carrying out what was decided, by statements that take many rows at once.

use super::command::{Body, Publish, Stage};
use super::decide::{Arrival, HandOver, Marker, Removal, Return, Turn};
use super::parts::assemble;
use crate::sql::{Conn, DbError, Value, args};
use lifecycle::{ContainerId, Guard, State, Time, VersionId};
use std::collections::BTreeMap;

/// Changes to the usage counters, summed up over a transaction and applied once at its end (rule R11).
#[derive(Debug, Default)]
pub(crate) struct Usage(BTreeMap<(ContainerId, State), (i64, i64)>);

impl Usage {
    /// One version of `size` bytes more in `state`.
    pub(crate) fn gain(&mut self, contents: ContainerId, state: State, size: u64) {
        self.change(contents, state, 1, i64::try_from(size).unwrap_or(i64::MAX));
    }

    /// One version of `size` bytes less in `state`.
    pub(crate) fn lose(&mut self, contents: ContainerId, state: State, size: u64) {
        self.change(contents, state, -1, -i64::try_from(size).unwrap_or(i64::MAX));
    }

    /// `objects` and `bytes` more, or less, in `state`.
    pub(crate) fn change(&mut self, contents: ContainerId, state: State, objects: i64, bytes: i64) {
        let sum = self.0.entry((contents, state)).or_default();
        sum.0 += objects;
        sum.1 += bytes;
    }

    /// Writes the sums down, in the order of their keys, so that two transactions never wait for each other in a ring.
    pub(crate) async fn apply(self, conn: &mut Conn) -> Result<(), DbError> {
        let rows: Vec<Vec<Value>> = self
            .0
            .into_iter()
            .filter(|(_, sum)| *sum != (0, 0))
            .map(|((contents, state), (objects, bytes))| args![contents, state, objects, bytes])
            .collect();
        conn.execute_rows(
            "INSERT INTO usage (contents_id, state, objects, bytes) VALUES {rows}
             ON CONFLICT (contents_id, state) DO UPDATE SET
                objects = usage.objects + excluded.objects, bytes = usage.bytes + excluded.bytes",
            &[],
            rows,
        )
        .await?;
        Ok(())
    }
}

/// Rows whose number does not match what was decided mean that the facts were not as they were read.
pub(super) fn expect(touched: u64, wanted: usize, what: &str) -> Result<(), DbError> {
    if usize::try_from(touched) == Ok(wanted) {
        Ok(())
    } else {
        Err(DbError::Retry(format!("{what}: {touched} rows instead of {wanted}")))
    }
}

/// Puts staged rows down, with the blobs they name.
pub(crate) async fn stage(
    conn: &mut Conn,
    stages: &[&Stage],
    now: Time,
    usage: &mut Usage,
) -> Result<(), DbError> {
    let versions = stages
        .iter()
        .map(|s| {
            usage.gain(s.contents, State::Staged, 0);
            let (upload, number) = s.part_of.unzip();
            let (kind, name, actor) = (s.kind.as_str(), s.name.as_str(), s.actor.as_str());
            args![s.version, s.contents, kind, name, now, actor, upload, number]
        })
        .collect();
    conn.execute_rows(
        "INSERT INTO versions (id, contents_id, kind, name, state, is_current, marker, size, created_at, hold, actor,
            upload_id, upload_part)
         SELECT column1, column2, column3, column4, 'staged', 0, 0, 0, column5, 0, column6, column7, column8
         FROM (VALUES {rows}) AS new",
        &[],
        versions,
    )
    .await?;
    let blobs = stages.iter().map(|s| args![s.version, s.blob]).collect();
    conn.execute_rows(
        "INSERT INTO blobs (owner, part_no, name, start, size, format, place)
         SELECT column1, 0, column2, 0, 0, 0, 'store' FROM (VALUES {rows}) AS new",
        &[],
        blobs,
    )
    .await?;
    Ok(())
}

/// Live versions become removed.
pub(crate) async fn remove(
    conn: &mut Conn,
    removals: &[Removal],
    now: Time,
    usage: &mut Usage,
) -> Result<(), DbError> {
    let rows = removals
        .iter()
        .map(|r| {
            usage.lose(r.contents, State::Live, r.size);
            usage.gain(r.contents, State::Removed, r.size);
            args![r.id, r.purge_after, r.due_at, r.cause, r.actor.as_str(), r.change_seq]
        })
        .collect();
    let touched = conn
        .execute_rows(
            "UPDATE versions SET state = 'removed', is_current = 0, removed_at = $1, purge_after = gone.column2,
                due_at = gone.column3, cause = gone.column4, actor = gone.column5, change_seq = gone.column6
             FROM (VALUES {rows}) AS gone
             WHERE versions.id = gone.column1 AND versions.state = 'live'",
            &[now.into()],
            rows,
        )
        .await?;
    expect(touched, removals.len(), "removing")?;
    guard(conn, removals.iter().filter_map(|removal| Some((removal.id, removal.guard?)))).await
}

/// Versions that are guarded otherwise from now on.
async fn guard(conn: &mut Conn, guards: impl Iterator<Item = (VersionId, Guard)>) -> Result<(), DbError> {
    let rows: Vec<Vec<Value>> =
        guards.map(|(id, Guard { from, until, hold })| args![id, from, until, hold]).collect();
    let wanted = rows.len();
    let touched = conn
        .execute_rows(
            "UPDATE versions SET guard_from = given.column2, guard_until = given.column3, hold = given.column4
             FROM (VALUES {rows}) AS given WHERE versions.id = given.column1",
            &[],
            rows,
        )
        .await?;
    expect(touched, wanted, "guarding")
}

/// Live versions hand their bytes over: only their tombstones stay.
pub(crate) async fn hand_over(
    conn: &mut Conn,
    hand_overs: &[HandOver],
    now: Time,
    usage: &mut Usage,
) -> Result<(), DbError> {
    let rows = hand_overs
        .iter()
        .map(|h| {
            usage.lose(h.contents, State::Live, h.size);
            usage.gain(h.contents, State::Purged, 0);
            args![h.from, h.forget_after, h.actor.as_str(), h.change_seq]
        })
        .collect();
    let touched = conn
        .execute_rows(
            "UPDATE versions SET state = 'purged', is_current = 0, cause = 'metadata', removed_at = $1, purge_after = $1,
                purged_at = $1, forget_after = gone.column2, actor = gone.column3, change_seq = gone.column4,
                headers = NULL, tags = NULL, checksum = NULL, owner = NULL, md5 = NULL, expires_at = NULL, expiry_rule = NULL, guard_from = NULL, guard_until = NULL, hold = 0, lock_mode = NULL,
                lock_until = NULL, acl = NULL
             FROM (VALUES {rows}) AS gone
             WHERE versions.id = gone.column1 AND versions.state = 'live'",
            &[now.into()],
            rows,
        )
        .await?;
    expect(touched, hand_overs.len(), "handing over")?;
    let blobs = hand_overs.iter().map(|h| args![h.from, h.to]).collect();
    conn.execute_rows(
        "UPDATE blobs SET owner = given.column2 FROM (VALUES {rows}) AS given WHERE blobs.owner = given.column1",
        &[],
        blobs,
    )
    .await?;
    Ok(())
}

/// Live versions cease to be current, and others become it: in this order, for at most one of a name is. Which is current
/// was read under the bucket's lock; asked again here, it would make Postgres walk all versions for each of these, as long
/// as it believes that there are none.
pub(crate) async fn turn(conn: &mut Conn, turns: &[Turn]) -> Result<(), DbError> {
    let rows = |current: bool| -> Vec<Vec<Value>> {
        let wanted = turns.iter().filter(|turn| turn.current == current);
        wanted
            .map(|turn| {
                let (at, rule) =
                    turn.expiry.as_ref().map_or((None, None), |new| (new.at, new.rule.as_deref()));
                args![turn.id, turn.at, turn.seq, turn.expiry.is_some(), at, rule]
            })
            .collect()
    };
    let covered = rows(false);
    let count = covered.len();
    let touched = conn
        .execute_rows(
            "UPDATE versions SET is_current = 0, superseded_at = turned.column2,
                superseded_seq = turned.column3,
                expires_at = CASE WHEN turned.column4 = 1 THEN turned.column5 ELSE versions.expires_at END,
                expiry_rule = CASE WHEN turned.column4 = 1 THEN turned.column6 ELSE versions.expiry_rule END
             FROM (VALUES {rows}) AS turned
             WHERE versions.id = turned.column1 AND versions.state = 'live'",
            &[],
            covered,
        )
        .await?;
    expect(touched, count, "covering")?;
    let uncovered = rows(true);
    let count = uncovered.len();
    let touched = conn
        .execute_rows(
            "UPDATE versions SET is_current = 1, superseded_at = NULL, superseded_seq = NULL,
                expires_at = CASE WHEN turned.column4 = 1 THEN turned.column5 ELSE versions.expires_at END,
                expiry_rule = CASE WHEN turned.column4 = 1 THEN turned.column6 ELSE versions.expiry_rule END
             FROM (VALUES {rows}) AS turned
             WHERE versions.id = turned.column1 AND versions.state = 'live'",
            &[],
            uncovered,
        )
        .await?;
    expect(touched, count, "uncovering")
}

/// Delete markers stand on top of their objects. They are never current, so they count as superseded from the start, and go
/// with the rest where versioning is switched off.
pub(crate) async fn mark(conn: &mut Conn, markers: &[Marker], usage: &mut Usage) -> Result<(), DbError> {
    let rows = markers
        .iter()
        .map(|m| {
            usage.gain(m.contents, State::Live, 0);
            args![
                m.id,
                m.contents,
                m.kind.as_str(),
                m.name.as_str(),
                m.seq,
                m.revision.generation,
                m.revision.hash,
                m.parent,
                m.owner.as_deref(),
                m.at,
                m.null_version,
                m.change_seq
            ]
        })
        .collect();
    conn.execute_rows(
        "INSERT INTO versions (id, contents_id, kind, name, seq, change_seq, generation, revision, parent_revision,
            owner, created_at, null_version, superseded_seq, headers, size, hold, state, is_current, marker)
         SELECT column1, column2, column3, column4, column5, column12, column6, column7, column8, column9, column10,
            column11, column5, '[]', 0, 0, 'live', 0, 1
         FROM (VALUES {rows}) AS new",
        &[],
        rows,
    )
    .await?;
    Ok(())
}

/// New versions arrive, each with its row, its blob and, if it is small, its bytes.
pub(crate) async fn arrive(
    conn: &mut Conn,
    arrivals: &[(&Publish, Arrival)],
    usage: &mut Usage,
) -> Result<(), DbError> {
    let (mut versions, mut blobs, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for (cmd, arrival) in arrivals {
        usage.gain(arrival.contents, State::Live, arrival.size);
        match &cmd.body {
            Body::Inline { blob, format, bytes: content } => {
                versions.push(new_row(cmd, arrival));
                if !content.is_empty() {
                    blobs.push(args![cmd.version, *blob, cmd.size, cmd.md5, *format]);
                    bytes.push(args![*blob, content.to_vec()]);
                }
            }
            Body::HandOver { .. } | Body::Parts { .. } => versions.push(new_row(cmd, arrival)),
            Body::Staged { .. } => {}
        }
    }
    conn.execute_rows(
        "INSERT INTO versions (id, contents_id, kind, name, seq, change_seq, size, md5, generation, revision,
            parent_revision, headers, owner, created_at, guard_from, guard_until, hold, expires_at, null_version, parts,
            expiry_rule, tags, checksum, lock_mode, lock_until, acl, state, is_current, marker)
         SELECT column1, column2, column3, column4, column5, column23, column6, column7, column8, column9, column10,
            column11, column12, column13, column14, column15, column16, column17, column18, column19, column20, column21,
            column22, column24, column25, column26, 'live', 1, 0
         FROM (VALUES {rows}) AS new",
        &[],
        versions,
    )
    .await?;
    conn.execute_rows(
        "INSERT INTO blobs (owner, part_no, name, start, size, md5, format, place)
         SELECT column1, 0, column2, 0, column3, column4, column5, 'inline' FROM (VALUES {rows}) AS new",
        &[],
        blobs,
    )
    .await?;
    conn.execute_rows("INSERT INTO inline_bytes (blob, bytes) VALUES {rows}", &[], bytes).await?;
    for (cmd, arrival) in arrivals {
        match &cmd.body {
            Body::Staged { format } => finish_staged(conn, cmd, arrival, *format, usage).await?,
            Body::Parts { upload, .. } => assemble(conn, cmd.version, *upload, arrival, usage).await?,
            Body::Inline { .. } | Body::HandOver { .. } => {}
        }
    }
    Ok(())
}

fn new_row(cmd: &Publish, arrival: &Arrival) -> Vec<Value> {
    let Guard { from, until, hold } = arrival.lock.guard();
    let retention = arrival.lock.retention;
    args![
        cmd.version,
        arrival.contents,
        cmd.kind.as_str(),
        cmd.name.as_str(),
        arrival.seq,
        arrival.size,
        arrival.md5,
        arrival.revision.generation,
        arrival.revision.hash,
        arrival.parent,
        cmd.headers.as_str(),
        cmd.owner.as_deref(),
        arrival.at,
        from,
        until,
        hold,
        arrival.expiry.at,
        arrival.null_version,
        arrival.parts,
        arrival.expiry.rule.as_deref(),
        arrival.tags.as_deref(),
        cmd.checksum.as_deref(),
        arrival.change_seq,
        retention.map(|retention| retention.mode.as_str()),
        retention.map(|retention| retention.until),
        cmd.acl.as_deref(),
    ]
}

/// A version whose bytes went to the object store: its staged row becomes live. One statement each; such versions are
/// large, and the bytes took longer than this.
async fn finish_staged(
    conn: &mut Conn,
    cmd: &Publish,
    arrival: &Arrival,
    format: i64,
    usage: &mut Usage,
) -> Result<(), DbError> {
    let was = conn
        .fetch_one("SELECT contents_id FROM versions WHERE id = $1 AND state = 'staged'", args![cmd.version])
        .await?;
    let Some(mut was) = was else {
        return Err(DbError::Retry(format!("staged version {} is gone", cmd.version)));
    };
    usage.lose(was.need_id(ContainerId::from_bytes)?, State::Staged, 0);
    let touched = conn
        .execute(
            "UPDATE versions SET contents_id = $2, kind = $3, name = $4, seq = $5, change_seq = $23, size = $6, md5 = $7,
                generation = $8, revision = $9, parent_revision = $10, headers = $11, owner = $12, created_at = $13,
                guard_from = $14, guard_until = $15, hold = $16, expires_at = $17, null_version = $18, parts = $19,
                expiry_rule = $20, tags = $21, checksum = $22, lock_mode = $24, lock_until = $25, acl = $26,
                state = 'live', is_current = 1, actor = NULL
             WHERE id = $1 AND state = 'staged'",
            new_row(cmd, arrival),
        )
        .await?;
    expect(touched, 1, "publishing")?;
    conn.execute(
        "UPDATE blobs SET size = $2, md5 = $3, format = $4 WHERE owner = $1 AND part_no = 0",
        args![cmd.version, cmd.size, cmd.md5, format],
    )
    .await?;
    Ok(())
}

/// Removed versions become live again. Of one that takes another revision the old one stays known: peers may have it.
pub(crate) async fn come_back(conn: &mut Conn, returns: &[Return], usage: &mut Usage) -> Result<(), DbError> {
    let replaced = returns.iter().filter(|r| r.revision.is_some()).map(|r| args![r.id]).collect();
    conn.execute_rows(
        "INSERT INTO ancestry (contents_id, name, generation, revision, parent_revision, marker)
         SELECT v.contents_id, v.name, v.generation, v.revision, v.parent_revision, v.marker
         FROM (VALUES {rows}) AS back JOIN versions v ON v.id = back.column1 WHERE v.revision IS NOT NULL
         ON CONFLICT DO NOTHING",
        &[],
        replaced,
    )
    .await?;
    // A row that comes back under another name told that its old one was deleted. Nothing does any more, so whoever has not
    // passed that begins anew.
    let moved = returns.iter().map(|r| args![r.id, r.name.as_str()]).collect();
    conn.execute_rows(
        "UPDATE buckets SET changes_upto = moved.upto FROM (
            SELECT c.bucket_id, MAX(v.change_seq) AS upto FROM (VALUES {rows}) AS back CROSS JOIN versions v
                CROSS JOIN contents c
            WHERE v.id = back.column1 AND v.name <> back.column2 AND c.id = v.contents_id GROUP BY c.bucket_id) AS moved
         WHERE buckets.id = moved.bucket_id AND buckets.changes_upto < moved.upto",
        &[],
        moved,
    )
    .await?;
    let rows = returns
        .iter()
        .map(|r| {
            usage.lose(r.contents, State::Removed, r.size);
            usage.gain(r.contents, State::Live, r.size);
            let superseded = (!r.is_current).then_some((r.at, r.superseded_seq)).unzip();
            let revision = r.revision.map(|(revision, _)| revision);
            args![
                r.id,
                r.name.as_str(),
                r.expiry.at,
                r.change_seq,
                r.seq,
                r.is_current,
                superseded.0,
                superseded.1,
                r.expiry.rule.as_deref(),
                revision.map(|revision| revision.generation),
                revision.map(|revision| revision.hash),
                r.revision.and_then(|(_, parent)| parent)
            ]
        })
        .collect();
    let touched = conn
        .execute_rows(
            "UPDATE versions SET state = 'live', is_current = back.column6, name = back.column2,
                expires_at = back.column3,
                expiry_rule = back.column9, change_seq = back.column4, seq = back.column5,
                superseded_at = back.column7, superseded_seq = back.column8, removed_at = NULL,
                parent_revision = CASE WHEN back.column10 IS NULL THEN versions.parent_revision ELSE back.column12 END,
                revision = COALESCE(back.column11, versions.revision),
                generation = COALESCE(back.column10, versions.generation),
                purge_after = NULL, due_at = NULL, cause = NULL, actor = NULL
             FROM (VALUES {rows}) AS back
             WHERE versions.id = back.column1 AND versions.state = 'removed'",
            &[],
            rows,
        )
        .await?;
    expect(touched, returns.len(), "restoring")?;
    guard(conn, returns.iter().filter_map(|back| Some((back.id, back.guard?)))).await
}
