//! Reading the ledger.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::{DbError, Row, args};
use lifecycle::{ContainerId, Refusal, Time};

/// So many entries a page may be asked for.
pub const PURGES_MAX: u32 = 10_000;

/// One purge, as the ledger tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    /// Its number.
    pub purge_seq: i64,
    /// What it was asked for under.
    pub purge_id: [u8; 16],
    /// When.
    pub at: Time,
    /// Through which door.
    pub door: String,
    /// By whom.
    pub actor: String,
    /// The name whose revisions it was about; `None`: it was about whatever its selector met.
    pub name: Option<String>,
    /// Of a name, the revisions that were asked for, as a JSON list.
    pub revs: Option<String>,
    /// Of a name, those of them that were there, as a JSON list.
    pub purged: Option<String>,
    /// What it met, as JSON.
    pub selector: Option<String>,
    /// Nothing that arrived behind this position is meant.
    pub upto_seq: i64,
    /// The installation whose positions these are; `None`: this one.
    pub origin: Option<[u8; 16]>,
}

/// A stretch of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgesPage {
    /// The number of the oldest entry that is kept; of an empty ledger, that of the next one.
    pub oldest: i64,
    /// The number of the newest entry there ever was.
    pub last: i64,
    /// In order.
    pub purges: Vec<Purge>,
}

const PAGE: &str =
    "SELECT purge_seq, purge_id, at, door, actor, name, revs, purged, selector, upto_seq, origin FROM purges
     WHERE bucket_id = $1 AND purge_seq > $2 ORDER BY purge_seq LIMIT $3";
const ENDS: &str = "SELECT b.purges_upto, b.purge_seq FROM buckets b
        JOIN domains d ON d.id = b.domain_id AND d.state = 'live'
     WHERE b.id = $1 AND b.state = 'live' AND b.hidden = 0";

impl Metadata {
    /// What was purged from a live bucket behind entry `since`; `None`: everything that is known still.
    ///
    /// # Errors
    /// [`Refusal::HistoryTruncated`] if the entry behind `since` is kept no longer, or `since` was never given out: what the
    /// bucket holds has to be compared anew. [`Refusal::NoSuchBucket`]; [`Failure::Unavailable`].
    pub async fn purges(
        &self,
        bucket: ContainerId,
        since: Option<i64>,
        limit: u32,
    ) -> Result<PurgesPage, Failure> {
        let from = since.unwrap_or(0).max(0);
        let rows = self.readers.fetch(PAGE, args![bucket, from, limit.min(PURGES_MAX)]).await?;
        // Read behind the page: an entry that was pruned before it was read is missed by nobody who is told so.
        let Some(mut ends) = self.readers.fetch_one(ENDS, args![bucket]).await? else {
            return Err(Refusal::NoSuchBucket.into());
        };
        let (upto, last) = (ends.need_int()?, ends.need_int()?);
        if since.is_some() && (from < upto || from > last) {
            return Err(Refusal::HistoryTruncated { oldest: upto + 1 }.into());
        }
        let mut purges = Vec::with_capacity(rows.len());
        for mut row in rows {
            purges.push(read(&mut row)?);
        }
        purges.retain(|purge| purge.purge_seq > upto);
        Ok(PurgesPage { oldest: upto + 1, last, purges })
    }
}

fn read(row: &mut Row) -> Result<Purge, DbError> {
    Ok(Purge {
        purge_seq: row.need_int()?,
        purge_id: row.need_id(|bytes| bytes)?,
        at: row.need_time()?,
        door: row.need_text()?,
        actor: row.need_text()?,
        name: row.text()?,
        revs: row.text()?,
        purged: row.text()?,
        selector: row.text()?,
        upto_seq: row.need_int()?,
        origin: row.digest()?,
    })
}
