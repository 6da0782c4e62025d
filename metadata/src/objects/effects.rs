//! Carrying out what was decided, by statements that take many rows at once.

use super::command::{Body, Publish, Stage};
use super::decide::{Arrival, Removal, Return};
use crate::sql::{Conn, DbError, Value, args};
use lifecycle::{ContainerId, Guard, State, Time};
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
fn expect(touched: u64, wanted: usize, what: &str) -> Result<(), DbError> {
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
            args![s.version, s.contents, s.kind.as_str(), s.name.as_str(), now, s.actor.as_str()]
        })
        .collect();
    conn.execute_rows(
        "INSERT INTO versions (id, contents_id, kind, name, state, is_current, marker, size, created_at, hold, actor)
         SELECT column1, column2, column3, column4, 'staged', 0, 0, 0, column5, 0, column6
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
    expect(touched, removals.len(), "removing")
}

/// New versions arrive, each with its row, its blob and, if it is small, its bytes.
pub(crate) async fn arrive(
    conn: &mut Conn,
    arrivals: &[(&Publish, Arrival)],
    usage: &mut Usage,
) -> Result<(), DbError> {
    let (mut versions, mut blobs, mut bytes, mut staged) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (cmd, arrival) in arrivals {
        usage.gain(arrival.contents, State::Live, cmd.size);
        match &cmd.body {
            Body::Inline { blob, format, bytes: content } => {
                versions.push(new_row(cmd, arrival));
                if !content.is_empty() {
                    blobs.push(args![cmd.version, *blob, cmd.size, cmd.md5, *format]);
                    bytes.push(args![*blob, content.to_vec()]);
                }
            }
            Body::Staged { format } => staged.push((*cmd, arrival, *format)),
        }
    }
    conn.execute_rows(
        "INSERT INTO versions (id, contents_id, kind, name, seq, change_seq, size, md5, generation, revision,
            parent_revision, headers, owner, created_at, guard_from, guard_until, hold, expires_at, state, is_current, marker)
         SELECT column1, column2, column3, column4, column5, column5, column6, column7, column8, column9, column10,
            column11, column12, column13, column14, column15, column16, column17, 'live', 1, 0
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
    for (cmd, arrival, format) in staged {
        finish_staged(conn, cmd, arrival, format, usage).await?;
    }
    Ok(())
}

fn new_row(cmd: &Publish, arrival: &Arrival) -> Vec<Value> {
    let Guard { from, until, hold } = cmd.guard;
    args![
        cmd.version,
        arrival.contents,
        cmd.kind.as_str(),
        cmd.name.as_str(),
        arrival.seq,
        cmd.size,
        cmd.md5,
        arrival.revision.generation,
        arrival.revision.hash,
        arrival.parent,
        cmd.headers.as_str(),
        cmd.owner.as_deref(),
        arrival.at,
        from,
        until,
        hold,
        cmd.expires_at,
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
            "UPDATE versions SET contents_id = $2, kind = $3, name = $4, seq = $5, change_seq = $5, size = $6, md5 = $7,
                generation = $8, revision = $9, parent_revision = $10, headers = $11, owner = $12, created_at = $13,
                guard_from = $14, guard_until = $15, hold = $16, expires_at = $17, state = 'live', is_current = 1,
                actor = NULL
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

/// Removed versions become live again.
pub(crate) async fn come_back(conn: &mut Conn, returns: &[Return], usage: &mut Usage) -> Result<(), DbError> {
    let rows = returns
        .iter()
        .map(|r| {
            usage.lose(r.contents, State::Removed, r.size);
            usage.gain(r.contents, State::Live, r.size);
            args![r.id, r.name.as_str(), r.expires_at, r.change_seq]
        })
        .collect();
    let touched = conn
        .execute_rows(
            "UPDATE versions SET state = 'live', is_current = 1, name = back.column2, expires_at = back.column3,
                change_seq = back.column4, removed_at = NULL, purge_after = NULL, due_at = NULL, cause = NULL, actor = NULL
             FROM (VALUES {rows}) AS back
             WHERE versions.id = back.column1 AND versions.state = 'removed'",
            &[],
            rows,
        )
        .await?;
    expect(touched, returns.len(), "restoring")
}
