//! Rows of which an entry of the ledger does not say for certain whether it means them. They are hidden in the transaction
//! that applies the entry, and shown again only when the server has said that their very version is current. So a process
//! that dies between the two leaves them hidden, and whoever comes next asks.

use super::apply::find_again;
use super::{Cursor, IndexFile, broken, cursor};
use crate::exit::Failed;
use sqlx::Row;

/// Nothing is known of the order in which purges and this row came about.
const UNSURE: i64 = i64::MAX;

/// A hidden row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doubt {
    id: i64,
    pub(crate) name: String,
    /// The version that is asked after.
    pub(crate) version: String,
}

impl IndexFile {
    /// The first hidden rows, and the cursor at which they are hidden.
    pub(crate) async fn doubts(&mut self, limit: u32) -> Result<(Cursor, Vec<Doubt>), Failed> {
        let path = self.path.clone();
        let broken = |error: sqlx::Error| broken(&path, &error);
        // One transaction: an answer counts only for the cursor at which it was asked for.
        let mut tx = self.begin().await?;
        let at = cursor(&mut tx).await.map_err(broken)?;
        let text = "SELECT id, name, version FROM rows WHERE hidden = 1 ORDER BY id LIMIT ?1";
        let rows = sqlx::query(text).bind(limit).fetch_all(&mut *tx).await.map_err(broken)?;
        tx.commit().await.map_err(broken)?;
        let read = |row: &sqlx::sqlite::SqliteRow| -> Result<Doubt, sqlx::Error> {
            Ok(Doubt { id: row.try_get(0)?, name: row.try_get(1)?, version: row.try_get(2)? })
        };
        let doubts = rows.iter().map(read).collect::<Result<_, _>>().map_err(broken)?;
        Ok((at, doubts))
    }

    /// Settles doubts by what the server said of each: it is current still, or it is not. Where the file stands elsewhere by
    /// now, an entry may have come that is younger than the answers, and they are not used: the rows stay hidden.
    pub(crate) async fn settle(&mut self, at: Cursor, answers: &[(Doubt, bool)]) -> Result<(), Failed> {
        let path = self.path.clone();
        let broken = |error: sqlx::Error| broken(&path, &error);
        let mut tx = self.begin().await?;
        if cursor(&mut tx).await.map_err(broken)? != at {
            return Ok(());
        }
        for (doubt, current) in answers {
            let text = match current {
                true => {
                    "UPDATE rows SET hidden = 0, unsure_upto = ?3 WHERE id = ?1 AND version = ?2 AND hidden = 1 RETURNING id"
                }
                false => {
                    "DELETE FROM rows WHERE id = ?1 AND version = ?2 AND hidden = 1 AND ?3 > 0 RETURNING id"
                }
            };
            let row = sqlx::query_scalar::<_, i64>(text).bind(doubt.id).bind(&doubt.version).bind(UNSURE);
            let touched = row.fetch_optional(&mut *tx).await.map_err(broken)?;
            if let Some(id) = touched
                && *current
            {
                find_again(&mut tx, id).await.map_err(broken)?;
            }
        }
        tx.commit().await.map_err(broken)
    }
}
