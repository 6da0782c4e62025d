//! What purges of revisions leave in the ledger, and what was left there before under the same ids.

use super::missing::read_list;
use super::purge::{PairPurged, PurgePair, RevisionPurge};
use crate::error::Failure;
use crate::ledger::{self, Entry, What};
use crate::sql::{Conn, DbError, args};
use lifecycle::{Asked, InstallationId, Refusal, Time};
use std::collections::{BTreeSet, HashMap};

/// What stands in the ledger under an id that was given.
pub(super) struct Known {
    purge_seq: i64,
    name: Option<String>,
    revs: Option<String>,
    purged: Option<String>,
}

impl Known {
    /// The first answer, if `pair` is what that was given to.
    pub(super) fn answer(&self, pair: &PurgePair) -> Result<(i64, Vec<Asked>), Failure> {
        if self.name.as_deref() != Some(&pair.name) || self.revs.as_deref() != Some(&list(&pair.revs)?) {
            return Err(Refusal::Conflict.into());
        }
        let purged = read_list(self.purged.as_deref().unwrap_or("[]"))?;
        let purged = purged.iter().filter_map(|text| Asked::parse(text).ok()).collect();
        Ok((self.purge_seq, purged))
    }
}

/// What was asked for before by the ids of this order.
pub(super) async fn known(
    conn: &mut Conn,
    order: &RevisionPurge,
) -> Result<HashMap<[u8; 16], Known>, Failure> {
    let ids = order.pairs.iter().filter_map(|pair| pair.purge_id).map(|id| args![id]).collect();
    let text = "SELECT p.purge_id, p.purge_seq, p.name, p.revs, p.purged FROM (VALUES {rows}) AS wanted CROSS JOIN purges p
         WHERE p.bucket_id = $1 AND p.purge_id = wanted.column1";
    let mut found = HashMap::new();
    for mut row in conn.fetch_rows(text, &[order.bucket.into()], ids).await? {
        let id = row.need_id(|id| id)?;
        let (purge_seq, name) = (row.need_int()?, row.text()?);
        found.insert(id, Known { purge_seq, name, revs: row.text()?, purged: row.text()? });
    }
    Ok(found)
}

/// Revisions as the ledger holds them.
fn list(revs: &[Asked]) -> Result<String, DbError> {
    let texts: Vec<&str> = revs.iter().map(Asked::as_str).collect();
    serde_json::to_string(&texts).map_err(|error| DbError::Other(error.to_string()))
}

/// Counts the changes, and writes every pair that was not refused into the ledger, in their order. Tells its last number.
pub(super) async fn write_down(
    conn: &mut Conn,
    (order, origins): (&RevisionPurge, Option<&[(InstallationId, i64)]>),
    pairs: &mut [PairPurged],
    fresh: &BTreeSet<usize>,
    now: Time,
    (changes, last_seq): (i64, i64),
) -> Result<i64, Failure> {
    let mut entries = Vec::with_capacity(fresh.len());
    for at in fresh {
        let (Some(pair), Some(answer)) = (order.pairs.get(*at), pairs.get(*at)) else { continue };
        let purged = answer.purged.as_ref().map_or_else(|_| Ok("[]".to_owned()), |purged| list(purged))?;
        entries.push(Entry {
            purge_id: answer.purge_id,
            at: now,
            door: order.door,
            actor: order.actor.clone(),
            what: What::Revisions { name: pair.name.clone(), revs: list(&pair.revs)?, purged },
            upto_seq: origins.and_then(|origins| origins.get(*at)).map_or(last_seq, |(_, upto)| *upto),
            origin: origins.and_then(|origins| origins.get(*at)).map(|(origin, _)| *origin.as_bytes()),
        });
    }
    conn.execute(
        "UPDATE buckets SET change_seq = change_seq + $2 WHERE id = $1",
        args![order.bucket, changes],
    )
    .await?;
    let last = ledger::append_new(conn, order.bucket, &entries).await?;
    let first = last - entries.len() as i64 + 1;
    for (number, at) in (first..).zip(fresh) {
        if let Some(answer) = pairs.get_mut(*at) {
            answer.purge_seq = Some(number);
        }
    }
    Ok(last)
}
