//! Searching the file.

use super::{IndexFile, broken};
use crate::exit::Failed;
use crate::index::words::{MARKS, marked};
use lifecycle::Time;
use sqlx::Row;

/// An object that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) size: i64,
    pub(crate) created_at: String,
    pub(crate) version: String,
    pub(crate) rev: String,
    pub(crate) kind: String,
    /// The lines of its metadata in which something was found.
    pub(crate) matching: Vec<String>,
}

impl IndexFile {
    /// The objects that match and have not expired by `now`, the best first: at most `limit`, and whether there are more.
    ///
    /// # Errors
    /// Where the query is no query, with an example of one.
    pub(crate) async fn find(
        &mut self,
        query: &str,
        limit: u32,
        now: Time,
    ) -> Result<(Vec<Found>, bool), Failed> {
        let text = "SELECT r.name, r.size, r.created_at, r.version, r.rev, r.type,
                highlight(words, 1, ?3, ?4), highlight(words, 2, ?3, ?4), highlight(words, 3, ?3, ?4)
            FROM words JOIN rows r ON r.id = words.rowid AND r.hidden = 0 AND (r.expires_at IS NULL OR r.expires_at > ?5)
            WHERE words MATCH ?1 ORDER BY words.rank, r.name LIMIT ?2";
        let rows = sqlx::query(text)
            .bind(query)
            .bind(i64::from(limit) + 1)
            .bind(MARKS.0.to_string())
            .bind(MARKS.1.to_string())
            .bind(now.micros())
            .fetch_all(&mut self.conn)
            .await
            .map_err(|error| refused(query, &self.path, &error))?;
        let read = |row: &sqlx::sqlite::SqliteRow| -> Result<Found, sqlx::Error> {
            let (kind, headers, tags): (&str, &str, &str) =
                (row.try_get(6)?, row.try_get(7)?, row.try_get(8)?);
            let kind = marked(kind).map(|line| format!("type: {line}"));
            Ok(Found {
                name: row.try_get(0)?,
                size: row.try_get(1)?,
                created_at: row.try_get(2)?,
                version: row.try_get(3)?,
                rev: row.try_get(4)?,
                kind: row.try_get(5)?,
                matching: kind.chain(marked(headers)).chain(marked(tags)).collect(),
            })
        };
        let found: Result<Vec<Found>, _> = rows.iter().map(read).collect();
        let mut found = found.map_err(|error| broken(&self.path, &error))?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        Ok((found, more))
    }
}

/// The engine's own words for a query that it does not understand, and how one is written.
fn refused(query: &str, path: &std::path::Path, error: &sqlx::Error) -> Failed {
    match error {
        // 1: the statement is wrong, and all that is not ours in it is the query.
        sqlx::Error::Database(db) if db.code().as_deref() == Some("1") => {
            let reason = db.message().trim_start_matches("fts5: ");
            Failed::Usage(format!(
                "{query:?} is no query: {reason}\nWords stand side by side (all must be there), or with AND, OR, NOT \
                 between them; word* is a beginning. What has other\ncharacters than letters and digits goes between \
                 double quotes, which the shell must not take: '\"cat.jpg\"'. One column alone:\nname:, type:, headers: or \
                 tags:, as in 'tags: red'."
            ))
        }
        _ => broken(path, error),
    }
}
