//! What is gone from the index is gone from the bytes of its file.
//!
//! SQLite overwrites what it frees (`secure_delete`), and the search's tables take words out rather than covering them. What
//! may stay is the beginning of a word that stood first on a page of the search's tree, and bytes in the gaps of pages that
//! were laid out anew. So after a purge, and before it is said that the index has caught up, the words are written anew and so
//! is the file. That takes time in proportion to the index, so it is done once for all the entries that were applied, and
//! not for deletes: their text goes as far as the engine overwrites it, and the rest with the next purge of anything.

use super::{IndexFile, SEARCHED, broken};
use crate::exit::Failed;
use lifecycle::Time;
use sqlx::Executor;

impl IndexFile {
    /// Takes everything out: the index begins anew, and is another one for whoever has read for it.
    pub(crate) async fn begin_anew(&mut self) -> Result<(), Failed> {
        let path = self.path.clone();
        let broken = |error: sqlx::Error| broken(&path, &error);
        let mut tx = self.begin().await?;
        tx.execute(sqlx::raw_sql("DROP TABLE words; DELETE FROM rows")).await.map_err(broken)?;
        tx.execute(sqlx::raw_sql(SEARCHED)).await.map_err(broken)?;
        let text = "UPDATE state SET turn = turn + 1, bucket = NULL, change_seq = NULL, purge_seq = NULL,
            caught_up_at = NULL, residue = residue + 1, purges = purges + 1";
        tx.execute(sqlx::raw_sql(text)).await.map_err(broken)?;
        tx.commit().await.map_err(broken)
    }

    /// Leaves nothing in the file of what is no longer in the index.
    pub(crate) async fn scrub(&mut self) -> Result<(), Failed> {
        let path = self.path.clone();
        let broken = |error: sqlx::Error| broken(&path, &error);
        let counts = sqlx::query_as("SELECT residue, purges FROM state").fetch_one(&mut self.conn).await;
        let (residue, purges): (i64, i64) = counts.map_err(broken)?;
        if residue == 0 || purges == 0 {
            return Ok(());
        }
        for text in ["INSERT INTO words(words) VALUES('rebuild')", "VACUUM"] {
            self.conn.execute(sqlx::raw_sql(text)).await.map_err(broken)?;
        }
        // What somebody else has applied meanwhile is not swept yet.
        let text = "UPDATE state SET residue = 0, purges = 0 WHERE residue = ?1 AND purges = ?2";
        let done = sqlx::query(text).bind(residue).bind(purges).execute(&mut self.conn).await;
        done.map(drop).map_err(broken)
    }

    /// Writes down that all that there was at `now` is in the file.
    pub(crate) async fn caught_up(&mut self, now: Time) -> Result<(), Failed> {
        let text = "UPDATE state SET caught_up_at = max(coalesce(caught_up_at, 0), ?1)";
        let done = sqlx::query(text).bind(now.micros()).execute(&mut self.conn).await;
        done.map(drop).map_err(|error| broken(&self.path, &error))
    }
}
