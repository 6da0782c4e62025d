//! The ledger of a bucket: what was purged from it, in order. Whoever keeps a copy of what a bucket holds, an index or a
//! peer, reads here what to drop. An entry is written in the transaction that purges, matched or not, and is never changed.

mod prune;
mod read;

pub use prune::Pruned;
pub use read::{PURGES_MAX, Purge, PurgesPage};

use crate::error::Failure;
use crate::sql::{Conn, args};
use lifecycle::{ContainerId, Refusal, Time};

/// The selector that meets everything.
pub(crate) const EVERYTHING: &str = r#"{"filter":">"}"#;

/// One purge: revisions of a name, or whatever a selector met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The same id with the same content is the same purge.
    pub(crate) purge_id: [u8; 16],
    /// When.
    pub(crate) at: Time,
    /// Through which door.
    pub(crate) door: &'static str,
    /// By whom.
    pub(crate) actor: String,
    /// What was purged.
    pub(crate) what: What,
    /// Nothing that arrived later is meant.
    pub(crate) upto_seq: i64,
    /// The installation whose positions these are; `None`: this one.
    pub(crate) origin: Option<[u8; 16]>,
}

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Revisions of one name: those that were asked for, and those of them that were there, each as a JSON list.
    Revisions { name: String, revs: String, purged: String },
    /// Whatever a selector met, as JSON.
    Selected(String),
}

impl What {
    /// `name`, `revs`, `purged` and `selector`.
    fn columns(&self) -> (Option<&str>, Option<&str>, Option<&str>, Option<&str>) {
        match self {
            What::Revisions { name, revs, purged } => (Some(name), Some(revs), Some(purged), None),
            What::Selected(selector) => (None, None, None, Some(selector)),
        }
    }
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is the newest now, under this number.
    New(i64),
    /// It stood there already, under this number.
    Known(i64),
}

/// Writes an entry down. The bucket's row is locked by this, as by every change inside it.
///
/// # Errors
/// [`Refusal::Conflict`] where its id stands for another purge already.
pub(crate) async fn append(conn: &mut Conn, bucket: ContainerId, entry: &Entry) -> Result<Appended, Failure> {
    let row = conn
        .fetch_one(
            "UPDATE buckets SET purge_seq = purge_seq + 1 WHERE id = $1 RETURNING purge_seq",
            args![bucket],
        )
        .await?;
    let Some(mut row) = row else { return Err(Refusal::NoSuchBucket.into()) };
    let purge_seq = row.need_int()?;
    let (name, revs, _, selector) = entry.what.columns();
    let known = conn
        .fetch_one(
            "SELECT purge_seq, name, revs, selector FROM purges WHERE bucket_id = $1 AND purge_id = $2",
            args![bucket, entry.purge_id],
        )
        .await?;
    if let Some(mut known) = known {
        let number = known.need_int()?;
        let same = known.text()?.as_deref() == name
            && known.text()?.as_deref() == revs
            && known.text()?.as_deref() == selector;
        // Nothing was purged, so nothing is counted.
        conn.execute("UPDATE buckets SET purge_seq = purge_seq - 1 WHERE id = $1", args![bucket]).await?;
        return if same { Ok(Appended::Known(number)) } else { Err(Refusal::Conflict.into()) };
    }
    insert(conn, bucket, purge_seq, std::slice::from_ref(entry)).await?;
    Ok(Appended::New(purge_seq))
}

/// Writes many entries down whose ids nobody has used yet, in their order, and tells the number of the last entry that
/// there is. The bucket's row is locked by this.
pub(crate) async fn append_new(
    conn: &mut Conn,
    bucket: ContainerId,
    entries: &[Entry],
) -> Result<i64, Failure> {
    let count = entries.len() as i64;
    let row = conn
        .fetch_one(
            "UPDATE buckets SET purge_seq = purge_seq + $2 WHERE id = $1 RETURNING purge_seq",
            args![bucket, count],
        )
        .await?;
    let Some(mut row) = row else { return Err(Refusal::NoSuchBucket.into()) };
    let last = row.need_int()?;
    insert(conn, bucket, last - count + 1, entries).await?;
    Ok(last)
}

/// Puts the rows down, numbered from `first` on.
async fn insert(conn: &mut Conn, bucket: ContainerId, first: i64, entries: &[Entry]) -> Result<(), Failure> {
    let rows = (first..).zip(entries).map(|(purge_seq, entry)| {
        let (name, revs, purged, selector) = entry.what.columns();
        args![
            bucket,
            purge_seq,
            entry.purge_id,
            entry.at,
            entry.door,
            entry.actor.as_str(),
            name,
            revs,
            purged,
            selector,
            entry.upto_seq,
            entry.origin
        ]
    });
    conn.execute_rows(
        "INSERT INTO purges (bucket_id, purge_seq, purge_id, at, door, actor, name, revs, purged, selector, upto_seq, origin)
         VALUES {rows}",
        &[],
        rows.collect(),
    )
    .await?;
    Ok(())
}
