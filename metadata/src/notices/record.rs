//! Writing down what happened, in the transaction that makes it happen.

use crate::sql::{Conn, DbError, args};
use lifecycle::notification::Happening;
use lifecycle::{ContainerId, Time, VersionId};
use std::collections::BTreeMap;

/// What happened in a transaction, bucket by bucket, in its order.
#[derive(Debug, Default)]
pub(crate) struct Notices(BTreeMap<ContainerId, Vec<(Happening, VersionId, String)>>);

impl Notices {
    /// This happened to a version in a bucket of which somebody wants to hear.
    pub(crate) fn note(&mut self, bucket: ContainerId, what: Happening, version: VersionId, actor: &str) {
        self.0.entry(bucket).or_default().push((what, version, actor.to_owned()));
    }

    /// Writes it down, as the versions stand now. The buckets must be locked.
    pub(crate) async fn write(self, conn: &mut Conn, now: Time) -> Result<(), DbError> {
        for (bucket, happened) in self.0 {
            let wanted = happened.len();
            let first = numbers(conn, bucket, wanted as u64).await?;
            let rows = (first..).zip(happened);
            let rows = rows.map(|(seq, (what, version, actor))| args![seq, version, what.as_str(), actor]);
            let touched = conn
                .execute_rows(
                    "INSERT INTO notices (bucket_id, seq, at, event, name, version_id, null_version, size, md5, parts, actor)
                     SELECT $1, new.column1, $2, new.column3, v.name, v.id, v.null_version, v.size, v.md5, v.parts,
                        new.column4
                     FROM (VALUES {rows}) AS new CROSS JOIN versions v WHERE v.id = new.column2",
                    &[bucket.into(), now.into()],
                    rows.collect(),
                )
                .await?;
            if usize::try_from(touched) != Ok(wanted) {
                return Err(DbError::Retry(format!("telling: {touched} notices instead of {wanted}")));
            }
        }
        Ok(())
    }
}

/// Versions that went in one sweep: those in `contents` that changed after the first of these numbers, up to the second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Swept<'a> {
    pub(crate) bucket: ContainerId,
    pub(crate) contents: ContainerId,
    pub(crate) changes: (i64, i64),
    pub(crate) count: u64,
    pub(crate) actor: &'a str,
    /// They cannot be restored.
    pub(crate) final_at_once: bool,
}

/// Writes down that they went. The bucket must be locked.
pub(crate) async fn swept(conn: &mut Conn, now: Time, swept: Swept<'_>) -> Result<(), DbError> {
    let all: &[Happening] = match swept.final_at_once {
        true => &[Happening::Deleted, Happening::Purged],
        false => &[Happening::Deleted],
    };
    if swept.count == 0 {
        return Ok(());
    }
    for what in all {
        let first = numbers(conn, swept.bucket, swept.count).await?;
        let touched = conn
            .execute(
                "INSERT INTO notices (bucket_id, seq, at, event, name, version_id, null_version, size, md5, parts, actor)
                 SELECT $1, $2 + ROW_NUMBER() OVER (ORDER BY v.change_seq, v.id) - 1, $3, $4, v.name, v.id, v.null_version,
                    v.size, v.md5, v.parts, $5
                 FROM versions v WHERE v.contents_id = $6 AND v.change_seq > $7 AND v.change_seq <= $8
                    AND v.revision IS NOT NULL AND v.cause = 'purge'",
                args![
                    swept.bucket,
                    first,
                    now,
                    what.as_str(),
                    swept.actor,
                    swept.contents,
                    swept.changes.0,
                    swept.changes.1
                ],
            )
            .await?;
        if touched != swept.count {
            let wanted = swept.count;
            return Err(DbError::Retry(format!("telling of a purge: {touched} notices instead of {wanted}")));
        }
    }
    Ok(())
}

/// Takes so many numbers, and gives the first.
async fn numbers(conn: &mut Conn, bucket: ContainerId, count: u64) -> Result<i64, DbError> {
    let text = "UPDATE buckets SET notice_seq = notice_seq + $2 WHERE id = $1 RETURNING notice_seq";
    let Some(mut row) = conn.fetch_one(text, args![bucket, count]).await? else {
        return Err(DbError::Retry(format!("bucket {bucket} is gone")));
    };
    Ok(row.need_int()? + 1 - i64::try_from(count).unwrap_or(i64::MAX))
}
