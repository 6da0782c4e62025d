//! The first statement of whatever changes something in a bucket: it takes the bucket's row, finds it live, hands numbers out,
//! and tells what the bucket says of itself. What stands in the bucket is read by later statements only.

use super::command::Numbers;
use super::decide::BucketFacts;
use super::expiry::read_rules;
use super::locks::read_default;
use super::quota::Limits;
use crate::lookup::read_versioning;
use crate::sql::{Conn, DbError, Row, args};
use lifecycle::{ContainerId, Seal, Versioning};
use std::time::Duration;

/// A live bucket whose row is locked until the transaction ends.
#[derive(Clone, Debug)]
pub(crate) struct Touched {
    /// What it holds, and what decides on changes of that.
    pub(crate) facts: BucketFacts,
    /// The last position that was given.
    pub(crate) last_seq: i64,
    /// The last change that was given.
    pub(crate) change_seq: i64,
    /// Somebody wants to hear of what happens in it.
    pub(crate) notify: bool,
    /// How much it may hold.
    pub(crate) limits: Limits,
}

impl Touched {
    /// What it holds.
    pub(crate) fn contents(&self) -> ContainerId {
        self.facts.contents
    }

    /// Whether it keeps older versions.
    pub(crate) fn keeps(&self) -> bool {
        self.facts.versioning != Versioning::Disabled
    }
}

/// Takes the bucket's row and hands out numbers; `None` if it is not live, or not in this domain.
pub(crate) async fn touch_bucket(
    conn: &mut Conn,
    bucket: ContainerId,
    domain: ContainerId,
    numbers: Numbers,
) -> Result<Option<Touched>, DbError> {
    let row = conn
        .fetch_one(
            "UPDATE buckets SET last_seq = last_seq + $3 + CASE WHEN versioning = 'disabled' THEN 0 ELSE $4 END,
                change_seq = change_seq + $5
             WHERE id = $1 AND domain_id = $2 AND state = 'live'
             RETURNING contents_id, last_seq, object_grace, versioning, erase_upto, lifecycle, change_seq, sealed,
                deny_delete, deny_purge, max_per_name, allow_rollup, notify, quota, quota_account,
                CASE WHEN object_lock = 1 THEN (SELECT s.content FROM bucket_settings s
                    WHERE s.bucket_id = buckets.id AND s.kind = 'object-lock') ELSE NULL END",
            args![bucket, domain, numbers.positions, numbers.markers, numbers.changes],
        )
        .await?;
    row.map(|mut row| read(&mut row)).transpose()
}

fn read(row: &mut Row) -> Result<Touched, DbError> {
    let (contents, last_seq) = (row.need_id(ContainerId::from_bytes)?, row.need_int()?);
    let object_grace = row.int()?.map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0)));
    let (versioning, erase_upto) = (read_versioning(row)?, row.need_int()?);
    let (rules, change_seq) = (read_rules(row.text()?), row.need_int()?);
    let (seal, max_per_name, allow_rollup) = (read_seal(row)?, row.int()?, row.need_bool()?);
    let (notify, limits, keeps) = (row.need_bool()?, Limits::read(row)?, read_default(row)?);
    let facts = BucketFacts {
        contents,
        object_grace,
        versioning,
        erase_upto,
        rules,
        seal,
        max_per_name,
        allow_rollup,
        keeps,
    };
    Ok(Touched { facts, last_seq, change_seq, notify, limits })
}

/// Reads `sealed, deny_delete, deny_purge`.
pub(crate) fn read_seal(row: &mut Row) -> Result<Seal, DbError> {
    Ok(Seal::new(row.need_bool()?, row.need_bool()?, row.need_bool()?))
}
