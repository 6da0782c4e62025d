//! Applying purges and changes.

use super::{Cursor, IndexFile, broken, cursor};
use crate::exit::Failed;
use crate::index::changes::Change;
use crate::index::ledger::Purge;
use crate::index::verdict::{Held, Verdict, verdict};
use crate::index::words::Words;
use lifecycle::Time;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeSet;

/// Rows looked at in one go where an entry may mean any.
const SCAN: i64 = 10_000;

/// What one transaction does: the purges first, then the changes.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The state of the file for which this was read.
    pub(crate) from: Cursor,
    /// The bucket it was read from.
    pub(crate) bucket: String,
    /// Entries of the ledger that the file has not seen yet, in their order.
    pub(crate) purges: Vec<Purge>,
    /// Where that brings it.
    pub(crate) purge_seq: i64,
    /// A page of changes, and the cursor behind it.
    pub(crate) changes: Option<(Vec<Change>, i64)>,
    /// The newest purge that may be older than this page.
    pub(crate) unsure_upto: i64,
    /// More questions than this are not asked.
    pub(crate) questions: u64,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It is in the file.
    Done {
        /// Names put in, or changed.
        put: u64,
        /// Names taken out.
        out: u64,
    },
    /// The file stood elsewhere by then. Nothing was done.
    Overtaken,
    /// So many rows may have been purged that it is quicker to begin anew. Nothing was done.
    TooManyDoubts(u64),
}

impl IndexFile {
    /// Applies a step.
    pub(crate) async fn apply(&mut self, step: &Step) -> Result<Applied, Failed> {
        let path = self.path.clone();
        let broken = |error: sqlx::Error| broken(&path, &error);
        let mut tx = self.begin().await?;
        if cursor(&mut tx).await.map_err(broken)? != step.from {
            return Ok(Applied::Overtaken);
        }
        let judged = judge(&mut tx, &step.purges).await.map_err(broken)?;
        let doubts = judged.asked.len() as u64;
        if doubts > step.questions {
            return Ok(Applied::TooManyDoubts(doubts));
        }
        let mut out = 0;
        for id in &judged.dropped {
            unfind(&mut tx, *id).await.map_err(broken)?;
            sqlx::query("DELETE FROM rows WHERE id = ?1").bind(id).execute(&mut *tx).await.map_err(broken)?;
            out += 1;
        }
        for id in &judged.asked {
            unfind(&mut tx, *id).await.map_err(broken)?;
            let hide = sqlx::query("UPDATE rows SET hidden = 1 WHERE id = ?1").bind(id);
            hide.execute(&mut *tx).await.map_err(broken)?;
        }
        let (mut put, mut gone) = (0, doubts);
        let mut purges = step.purges.len();
        let mut change_seq = step.from.change_seq;
        if let Some((changes, last)) = &step.changes {
            for change in changes {
                purges += usize::from(change.purged);
                match &change.version {
                    Some(version) if !change.deleted => {
                        let was = take_out(&mut tx, &change.name).await.map_err(broken)?;
                        put_in(&mut tx, change, version, step.unsure_upto).await.map_err(broken)?;
                        (put, gone) = (put + 1, gone + was);
                    }
                    _ => out += take_out(&mut tx, &change.name).await.map_err(broken)?,
                }
            }
            change_seq = Some(*last);
        }
        let text = "UPDATE state SET bucket = ?1, change_seq = ?2, purge_seq = ?3, residue = residue + ?4,
            purges = purges + ?5";
        sqlx::query(text)
            .bind(&step.bucket)
            .bind(change_seq)
            .bind(step.purge_seq)
            .bind(i64::try_from(out + gone).unwrap_or(i64::MAX))
            .bind(i64::try_from(purges).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await
            .map_err(broken)?;
        tx.commit().await.map_err(broken)?;
        Ok(Applied::Done { put, out })
    }
}

/// Which rows go, and which are asked after.
#[derive(Debug, Default)]
struct Judged {
    dropped: BTreeSet<i64>,
    asked: BTreeSet<i64>,
}

impl Judged {
    fn look(&mut self, purges: &[Purge], row: &sqlx::sqlite::SqliteRow) -> Result<i64, sqlx::Error> {
        let id: i64 = row.try_get(0)?;
        let (name, rev): (&str, &str) = (row.try_get(1)?, row.try_get(3)?);
        let held = Held { name, position: row.try_get(2)?, rev, unsure_upto: row.try_get(4)? };
        match purges.iter().map(|purge| verdict(purge, &held)).max() {
            Some(Verdict::Drop) => drop(self.dropped.insert(id)),
            Some(Verdict::Ask) => drop(self.asked.insert(id)),
            Some(Verdict::Keep) | None => {}
        }
        Ok(id)
    }
}

/// Finds the rows that the purges mean. Purges of names look at these names; where a selector is among them, every row is
/// looked at once.
async fn judge(conn: &mut SqliteConnection, purges: &[Purge]) -> Result<Judged, sqlx::Error> {
    let mut judged = Judged::default();
    let (named, wide): (Vec<Purge>, Vec<Purge>) =
        purges.iter().cloned().partition(|purge| purge.name.is_some());
    let mut named = named;
    named.sort_by(|a, b| a.name.cmp(&b.name));
    for of_one in named.chunk_by(|a, b| a.name == b.name) {
        let name = of_one.first().and_then(|purge| purge.name.as_deref());
        let found = sqlx::query("SELECT id, name, position, rev, unsure_upto FROM rows WHERE name = ?1")
            .bind(name)
            .fetch_optional(&mut *conn)
            .await?;
        if let Some(row) = found {
            judged.look(of_one, &row)?;
        }
    }
    let mut after = i64::MIN;
    while !wide.is_empty() {
        let text = "SELECT id, name, position, rev, unsure_upto FROM rows WHERE id > ?1 ORDER BY id LIMIT ?2";
        let rows = sqlx::query(text).bind(after).bind(SCAN).fetch_all(&mut *conn).await?;
        for row in &rows {
            after = judged.look(&wide, row)?;
        }
        if rows.is_empty() {
            break;
        }
    }
    judged.asked.retain(|id| !judged.dropped.contains(id));
    Ok(judged)
}

/// The row can be found no longer.
async fn unfind(conn: &mut SqliteConnection, id: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM words WHERE rowid = ?1").bind(id).execute(conn).await.map(drop)
}

async fn take_out(conn: &mut SqliteConnection, name: &str) -> Result<u64, sqlx::Error> {
    let id = sqlx::query_scalar::<_, i64>("DELETE FROM rows WHERE name = ?1 RETURNING id");
    let Some(id) = id.bind(name).fetch_optional(&mut *conn).await? else { return Ok(0) };
    unfind(conn, id).await?;
    Ok(1)
}

async fn put_in(
    conn: &mut SqliteConnection,
    change: &Change,
    version: &str,
    unsure_upto: i64,
) -> Result<(), sqlx::Error> {
    let words = Words::of(change);
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO rows (name, version, rev, position, unsure_upto, size, created_at, type, headers, tags, hidden, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11) RETURNING id",
    )
    .bind(&change.name)
    .bind(version)
    .bind(&change.rev)
    .bind(change.position.unwrap_or(0))
    .bind(unsure_upto)
    .bind(change.size.unwrap_or(0))
    .bind(change.created_at.as_deref().unwrap_or_default())
    .bind(&words.kind)
    .bind(&words.headers)
    .bind(&words.tags)
    .bind(change.expires_at.as_deref().and_then(Time::parse_rfc3339).map(Time::micros))
    .fetch_one(&mut *conn)
    .await?;
    find_again(conn, id).await
}

/// The row can be found.
pub(super) async fn find_again(conn: &mut SqliteConnection, id: i64) -> Result<(), sqlx::Error> {
    let text = "INSERT INTO words (rowid, name, type, headers, tags)
        SELECT id, name, type, headers, tags FROM rows WHERE id = ?1";
    sqlx::query(text).bind(id).execute(conn).await.map(drop)
}
