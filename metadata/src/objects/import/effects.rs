//! Carrying out what was decided about an import.

use super::{Import, ImportBody};
use crate::error::Failure;
use crate::objects::decide::{BucketFacts, Landing, Slot, Taken};
use crate::objects::effects::{Usage, expect, remove, turn};
use crate::objects::expiry::lifepoint;
use crate::sql::{Conn, DbError, Value, args};
use lifecycle::{Cause, ContainerId, Guard, Refusal, State, VersionId, Versioning};

/// What gives way goes first: at most one version of a name is current at any moment.
pub(super) async fn apply(
    conn: &mut Conn,
    import: &Import,
    version: VersionId,
    bucket: &BucketFacts,
    slot: Slot,
    taken: &Taken,
    usage: &mut Usage,
) -> Result<(), Failure> {
    if let Some(removal) = &taken.removal {
        remove(conn, std::slice::from_ref(removal), slot.now, usage).await?;
    }
    turn(conn, &taken.turns).await?;
    mark(conn, taken, slot).await?;
    remember(conn, import, bucket, taken).await?;
    demote(conn, bucket, taken).await?;
    if let Some(landing) = &taken.landing {
        land(conn, import, version, bucket, slot, landing, usage).await?;
    }
    Ok(())
}

/// Which versions are the other side of a conflict. What shows again, or ceases to be an end, has changed for a follower.
async fn mark(conn: &mut Conn, taken: &Taken, slot: Slot) -> Result<(), DbError> {
    let rows = taken.conflicts.iter().map(|(id, conflict)| args![*id, *conflict]).collect();
    let touched = conn
        .execute_rows(
            "UPDATE versions SET conflict = marked.column2, change_seq = $1
             FROM (VALUES {rows}) AS marked WHERE versions.id = marked.column1 AND versions.state = 'live'",
            &[slot.change.into()],
            rows,
        )
        .await?;
    expect(touched, taken.conflicts.len(), "marking conflicts")
}

/// Ids of which there is no version.
async fn remember(
    conn: &mut Conn,
    import: &Import,
    bucket: &BucketFacts,
    taken: &Taken,
) -> Result<(), DbError> {
    let rows = taken
        .remembered
        .iter()
        .map(|(id, parent, marker)| args![id.generation, id.hash, *parent, *marker])
        .collect();
    conn.execute_rows(
        "INSERT INTO ancestry (contents_id, name, generation, revision, parent_revision, marker)
         SELECT $1, $2, column1, column2, column3, column4 FROM (VALUES {rows}) AS known WHERE 1 = 1
         ON CONFLICT (contents_id, name, generation, revision) DO NOTHING",
        &[bucket.contents.into(), import.name.as_str().into()],
        rows,
    )
    .await?;
    Ok(())
}

/// Of dead versions only the ids go on counting. They can be restored as before, and get a new revision then.
async fn demote(conn: &mut Conn, bucket: &BucketFacts, taken: &Taken) -> Result<(), DbError> {
    for id in &taken.demoted {
        conn.execute(
            "INSERT INTO ancestry (contents_id, name, generation, revision, parent_revision, marker)
             SELECT contents_id, name, generation, revision, parent_revision, marker FROM versions
             WHERE id = $1 AND contents_id = $2 AND revision IS NOT NULL
             ON CONFLICT (contents_id, name, generation, revision) DO NOTHING",
            args![*id, bucket.contents],
        )
        .await?;
        let touched = conn
            .execute(
                "UPDATE versions SET generation = NULL, revision = NULL, parent_revision = NULL
                 WHERE id = $1 AND contents_id = $2 AND state IN ('removed', 'purging', 'purged')",
                args![*id, bucket.contents],
            )
            .await?;
        expect(touched, 1, "forgetting a path")?;
    }
    Ok(())
}

/// The version gets its row, and its bytes.
async fn land(
    conn: &mut Conn,
    import: &Import,
    version: VersionId,
    bucket: &BucketFacts,
    slot: Slot,
    landing: &Landing,
    usage: &mut Usage,
) -> Result<(), Failure> {
    let state = match landing {
        Landing::Current(_) | Landing::Conflict(_) | Landing::Marker { .. } => State::Live,
        Landing::Removed { .. } => State::Removed,
        Landing::Purged { .. } => State::Purged,
    };
    let size = if landing.has_bytes() { import.size } else { 0 };
    usage.gain(bucket.contents, state, size);
    if let ImportBody::Staged { row, .. } = import.body
        && landing.has_bytes()
    {
        unstage(conn, row, usage).await?;
    }
    conn.execute(
        "INSERT INTO versions (id, contents_id, kind, name, seq, change_seq, state, is_current, marker, conflict, size, md5,
            parts, generation, revision, parent_revision, headers, tags, checksum, owner, created_at, guard_from,
            guard_until, hold, expires_at, expiry_rule, null_version, superseded_at, superseded_seq, removed_at,
            purge_after, due_at, purged_at, forget_after, cause, actor, origin, origin_seq,
            lock_mode, lock_until)
         VALUES ($1, $2, 'named', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
            $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39)",
        row_of(import, version, bucket, slot, landing, state),
    )
    .await?;
    if landing.has_bytes() {
        bring(conn, import, version).await?;
    }
    Ok(())
}

fn row_of(
    import: &Import,
    version: VersionId,
    bucket: &BucketFacts,
    slot: Slot,
    landing: &Landing,
    state: State,
) -> Vec<Value> {
    let (whole, current) = (landing.has_bytes(), matches!(landing, Landing::Current(_)));
    let conflict = matches!(landing, Landing::Conflict(_) | Landing::Marker { conflict: true });
    let expiry = match landing {
        Landing::Current(expiry) | Landing::Conflict(expiry) => Some(expiry),
        Landing::Marker { .. } | Landing::Removed { .. } | Landing::Purged { .. } => None,
    };
    let expires_at = match landing {
        Landing::Removed { .. } => lifepoint(&import.headers),
        _ => expiry.and_then(|expiry| expiry.at),
    };
    let removed_at = (state != State::Live).then_some(slot.now);
    let (purge_after, due_at, forget_after) = match landing {
        Landing::Removed { purge_after, due_at } => (Some(*purge_after), *due_at, None),
        Landing::Purged { forget_after } => (Some(slot.now), None, Some(*forget_after)),
        Landing::Current(_) | Landing::Conflict(_) | Landing::Marker { .. } => (None, None, None),
    };
    let cause = match landing {
        Landing::Removed { .. } => Some(Cause::Conflict),
        Landing::Purged { .. } => Some(Cause::Delete),
        Landing::Current(_) | Landing::Conflict(_) | Landing::Marker { .. } => None,
    };
    // It counts as superseded from the start, like every marker, and goes with the rest where versioning is switched off.
    let superseded = (state == State::Live && !current).then_some((slot.now, slot.seq)).unzip();
    let seq = landing.takes_position().then_some(slot.seq);
    let headers = match landing {
        Landing::Purged { .. } => None,
        Landing::Marker { .. } => Some("[]"),
        _ => Some(import.headers.as_str()),
    };
    let Guard { from, until, hold } = if whole { import.guard } else { Guard::NONE };
    let retention = import.retention.filter(|_| whole);
    let kept = |text: &Option<String>| text.clone().filter(|_| whole);
    // A version with an id of its own everywhere is nobody's null version where versions are kept.
    let null_version = bucket.versioning == Versioning::Disabled;
    let owner = import.owner.clone().filter(|_| state != State::Purged);
    args![
        version,
        bucket.contents,
        import.name.as_str(),
        seq,
        slot.change,
        state,
        current,
        import.deleted,
        conflict,
        if whole { import.size } else { 0 },
        import.md5.filter(|_| whole),
        import.parts.filter(|_| whole),
        import.revision.generation,
        import.revision.hash,
        import.history.first().map(|parent| parent.hash),
        headers,
        kept(&import.tags),
        kept(&import.checksum),
        owner,
        import.created_at,
        from,
        until,
        hold,
        expires_at,
        expiry.and_then(|expiry| expiry.rule.clone()),
        null_version,
        superseded.0,
        superseded.1,
        removed_at,
        purge_after,
        due_at,
        (state == State::Purged).then_some(slot.now),
        forget_after,
        cause,
        removed_at.map(|_| import.actor.as_str()),
        import.origin.0,
        import.origin.1,
        retention.map(|retention| retention.mode.as_str()),
        retention.map(|retention| retention.until),
    ]
}

/// The staged row has done its part; its blob is the version's from here on. Taken back meanwhile: the client left, or the
/// upload took longer than uploads may.
async fn unstage(conn: &mut Conn, row: VersionId, usage: &mut Usage) -> Result<(), Failure> {
    let text = "DELETE FROM versions WHERE id = $1 AND state = 'staged' RETURNING contents_id";
    let Some(mut was) = conn.fetch_one(text, args![row]).await? else {
        return Err(Refusal::Conflict.into());
    };
    usage.lose(was.need_id(ContainerId::from_bytes)?, State::Staged, 0);
    Ok(())
}

async fn bring(conn: &mut Conn, import: &Import, version: VersionId) -> Result<(), DbError> {
    match &import.body {
        ImportBody::None => {}
        ImportBody::Inline { bytes, .. } if bytes.is_empty() => {}
        ImportBody::Inline { blob, format, bytes, md5 } => {
            conn.execute(
                "INSERT INTO blobs (owner, part_no, name, start, size, md5, format, place)
                 VALUES ($1, 0, $2, 0, $3, $4, $5, 'inline')",
                args![version, *blob, import.size, *md5, *format],
            )
            .await?;
            let text = "INSERT INTO inline_bytes (blob, bytes) VALUES ($1, $2)";
            conn.execute(text, args![*blob, bytes.to_vec()]).await?;
        }
        ImportBody::Staged { row, format, md5 } => {
            let touched = conn
                .execute(
                    "UPDATE blobs SET owner = $2, size = $3, md5 = $4, format = $5 WHERE owner = $1 AND part_no = 0",
                    args![*row, version, import.size, *md5, *format],
                )
                .await?;
            expect(touched, 1, "taking staged bytes over")?;
        }
    }
    Ok(())
}
