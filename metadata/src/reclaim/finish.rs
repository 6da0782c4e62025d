//! The end of a claim.

use crate::Metadata;
use crate::error::Failure;
use crate::objects::Usage;
use crate::sql::{Conn, DbError, Value, args};
use crate::writer::Urgency;
use lifecycle::{BlobName, Claim, ContainerId, MemberId, State, Time, VersionId};
use std::time::Duration;

impl Metadata {
    /// Writes down that the bytes of `claims` are gone: inline bytes go in this transaction, rows become tombstones.
    /// Tells how many versions and bytes were still ours to finish.
    ///
    /// # Errors
    /// [`Failure::Unavailable`]; the claims then lapse and somebody else finishes.
    pub async fn finish(&self, claims: Vec<Claim>, memory: Duration) -> Result<(u64, u64), Failure> {
        let Some(holder) = claims.first().map(Claim::holder) else { return Ok((0, 0)) };
        let versions: Vec<VersionId> = claims.iter().map(Claim::version).collect();
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                let versions = versions.clone();
                Box::pin(async move { Ok(finish(conn, now, holder, &versions, memory).await?) })
            })
            .await
    }

    /// Gives claims up whose bytes could not all be destroyed. The versions stay purging, and claimable.
    ///
    /// # Errors
    /// [`Failure::Unavailable`]; the claims then lapse by themselves.
    pub async fn release(&self, claims: Vec<Claim>) -> Result<(), Failure> {
        let Some(holder) = claims.first().map(Claim::holder) else { return Ok(()) };
        let versions: Vec<VersionId> = claims.iter().map(Claim::version).collect();
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                let rows = versions.iter().map(|id| args![*id]).collect();
                Box::pin(async move {
                    conn.execute_rows(
                        "UPDATE versions SET claim_by = NULL, claim_until = NULL
                         FROM (VALUES {rows}) AS given WHERE versions.id = given.column1 AND versions.state = 'purging'
                            AND versions.claim_by = $1",
                        &[holder.into()],
                        rows,
                    )
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn finish(
    conn: &mut Conn,
    now: Time,
    holder: MemberId,
    versions: &[VersionId],
    memory: Duration,
) -> Result<(u64, u64), DbError> {
    let memory = i64::try_from(memory.as_micros()).unwrap_or(i64::MAX);
    let rows: Vec<Vec<Value>> = versions.iter().map(|id| args![*id]).collect();
    // Ours still? Only what this claim holds is finished; the rest belongs to whoever claimed after us.
    let finished = conn
        .fetch_rows(
            "UPDATE versions SET state = 'purged', purged_at = $1, headers = NULL, tags = NULL,
                checksum = NULL, owner = NULL, md5 = NULL,
                due_at = NULL, expires_at = NULL, expiry_rule = NULL, guard_from = NULL, guard_until = NULL,
                hold = 0, lock_mode = NULL, lock_until = NULL, acl = NULL,
                claim_by = NULL, claim_until = NULL,
                forget_after = $2 + CASE WHEN purge_after > $1 AND purge_after < $4 THEN purge_after ELSE $1 END
             FROM (VALUES {rows}) AS done
             WHERE versions.id = done.column1 AND versions.state = 'purging' AND versions.claim_by = $3
             RETURNING versions.id, versions.contents_id, versions.size",
            &[now.into(), memory.into(), holder.into(), Time::NEVER.minus(Duration::from_secs(1)).into()],
            rows,
        )
        .await?;
    let mut usage = Usage::default();
    let (mut ours, mut bytes) = (Vec::with_capacity(finished.len()), 0);
    for mut row in finished {
        let (id, contents, size) =
            (row.need_id(VersionId::from_bytes)?, row.need_id(ContainerId::from_bytes)?, row.need_size()?);
        usage.lose(contents, State::Purging, size);
        usage.gain(contents, State::Purged, 0);
        bytes += size;
        ours.push(args![id]);
    }
    let count = ours.len() as u64;
    // In two steps: joined inside a DELETE, Postgres walks all blobs for each inline one where it takes both tables for empty,
    // and holds its locks for minutes.
    let mut inline = Vec::new();
    let owned = "SELECT b.name FROM (VALUES {rows}) AS done CROSS JOIN blobs b
         WHERE b.owner = done.column1 AND b.place = 'inline'";
    for mut row in conn.fetch_rows(owned, &[], ours.clone()).await? {
        inline.push(args![row.need_id(BlobName::from_bytes)?]);
    }
    conn.execute_rows(
        "DELETE FROM inline_bytes WHERE blob IN (SELECT column1 FROM (VALUES {rows}) AS gone)",
        &[],
        inline,
    )
    .await?;
    conn.execute_rows(
        "DELETE FROM blobs WHERE owner IN (SELECT column1 FROM (VALUES {rows}) AS done)",
        &[],
        ours,
    )
    .await?;
    usage.apply(conn).await?;
    Ok((count, bytes))
}
