//! The file of an index: SQLite, with its full-text search.
//!
//! | file | promise |
//! | --- | --- |
//! | `apply` | a page and the purges before it, in one transaction with the cursors |
//! | `doubts` | rows that are hidden until the server has said what became of them |
//! | `scrub` | emptying it, and what is gone is gone from the bytes of the file, too |
//! | `find` | searching |
//!
//! Everything that changes rows names the cursor that it was read for, and does nothing where the file stands elsewhere
//! by then: so several processes may keep one file up to date, and what one of them reads too late is not applied. A
//! process that dies anywhere leaves the last whole transaction.
//!
//! It keeps no write-ahead log: the journal goes with each commit, so that no copy of what was overwritten stays behind.

mod apply;
mod doubts;
mod find;
mod scrub;

pub(crate) use apply::{Applied, Step};
pub(crate) use find::Found;

use crate::exit::Failed;
use lifecycle::{ContainerId, Time};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Executor, Row, Sqlite, SqliteConnection, Transaction};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long somebody else may be writing.
const BUSY: Duration = Duration::from_secs(30);

/// "BARi", by which SQLite files are told apart.
const APPLICATION: i64 = 0x4241_5269;
const FORMAT: i64 = 1;

/// One row a name: what it was when its page was read. Of `unsure_upto` see `verdict`, of `hidden` see `doubts`, and of
/// `residue` (rows that went) and `purges` (entries applied), both since the last time, see `scrub`.
const TABLES: &str = "
    CREATE TABLE state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        place TEXT NOT NULL,
        follower TEXT NOT NULL,
        bucket TEXT,
        turn INTEGER NOT NULL,
        change_seq INTEGER,
        purge_seq INTEGER,
        caught_up_at INTEGER,
        residue INTEGER NOT NULL,
        purges INTEGER NOT NULL
    );
    CREATE TABLE rows (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        version TEXT NOT NULL,
        rev TEXT NOT NULL,
        position INTEGER NOT NULL,
        unsure_upto INTEGER NOT NULL,
        size INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        expires_at INTEGER,
        type TEXT NOT NULL,
        headers TEXT NOT NULL,
        tags TEXT NOT NULL,
        hidden INTEGER NOT NULL
    );
    CREATE INDEX rows_hidden ON rows (id) WHERE hidden = 1;
";

/// `secure-delete`: what is taken out is not merely covered.
const SEARCHED: &str = "
    CREATE VIRTUAL TABLE words USING fts5(name, type, headers, tags, tokenize = 'unicode61 remove_diacritics 2');
    INSERT INTO words(words, rank) VALUES('secure-delete', 1);
";

/// How far the index has come. Two states with the same `turn` and cursors hold the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// How often it was begun anew.
    pub(crate) turn: i64,
    /// The changes that are in it; `None`: it has just begun.
    pub(crate) change_seq: Option<i64>,
    pub(crate) purge_seq: Option<i64>,
}

/// What the file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// The bucket whose names it holds.
    pub(crate) bucket: Option<ContainerId>,
    /// As whom it is known to the server.
    pub(crate) follower: String,
    pub(crate) cursor: Cursor,
    /// When it held all that there was; `None`: not since it was begun.
    pub(crate) caught_up_at: Option<Time>,
    /// How many names can be found.
    pub(crate) rows: u64,
}

/// An open index.
pub(crate) struct IndexFile {
    path: PathBuf,
    conn: SqliteConnection,
}

impl IndexFile {
    /// Opens the index of `place` (`DOMAIN/BUCKET`); makes it, readable by its owner alone, if there is none.
    ///
    /// # Errors
    /// Where the file is something else, or the index of another bucket.
    pub(crate) async fn open(path: &Path, place: &str) -> Result<IndexFile, Failed> {
        let cannot = |error: std::io::Error| Failed::Refused(format!("{}: {error}", path.display()));
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(cannot)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(cannot)?;
        // Asked before the engine is, which would change whatever database this is by opening it.
        if !is_ours(path, &mut file).map_err(cannot)? {
            return Err(Failed::Refused(format!(
                "{}: this file is no index of Barrow; name another --file",
                path.display()
            )));
        }
        file.set_permissions(Permissions::from_mode(0o600)).map_err(cannot)?;
        drop(file);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .busy_timeout(BUSY)
            .journal_mode(SqliteJournalMode::Delete)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON");
        let conn = SqliteConnection::connect_with(&options).await.map_err(|error| broken(path, &error))?;
        let mut file = IndexFile { path: path.to_owned(), conn };
        file.prepare(place).await?;
        Ok(file)
    }

    /// Makes the tables if the file is empty, and finds out whether they are its own otherwise.
    async fn prepare(&mut self, place: &str) -> Result<(), Failed> {
        let path = self.path.clone();
        let broken = |error: sqlx::Error| broken(&path, &error);
        let mut tx = self.begin().await?;
        let number = async |tx: &mut SqliteConnection, text: &'static str| {
            sqlx::query_scalar::<_, i64>(text).fetch_one(tx).await
        };
        let tables = number(&mut tx, "SELECT count(*) FROM sqlite_schema").await.map_err(broken)?;
        if tables == 0 {
            tx.execute(sqlx::raw_sql(TABLES)).await.map_err(broken)?;
            tx.execute(sqlx::raw_sql(SEARCHED)).await.map_err(broken)?;
            // 1111577193 = "BARi"
            tx.execute(sqlx::raw_sql("PRAGMA application_id = 1111577193; PRAGMA user_version = 1"))
                .await
                .map_err(broken)?;
            sqlx::query(
                "INSERT INTO state (one, place, follower, turn, residue, purges) VALUES (1, ?1, ?2, 1, 0, 0)",
            )
            .bind(place)
            .bind(format!("index-{}", ContainerId::random()))
            .execute(&mut *tx)
            .await
            .map_err(broken)?;
            return tx.commit().await.map_err(broken);
        }
        let application = number(&mut tx, "PRAGMA application_id").await.map_err(broken)?;
        let format = number(&mut tx, "PRAGMA user_version").await.map_err(broken)?;
        if (application, format) != (APPLICATION, FORMAT) {
            let what = if application == APPLICATION {
                "of another version of Barrow"
            } else {
                "no index of Barrow"
            };
            return Err(Failed::Refused(format!(
                "{}: this file is {what}; name another --file",
                path.display()
            )));
        }
        let known: String =
            sqlx::query_scalar("SELECT place FROM state").fetch_one(&mut *tx).await.map_err(broken)?;
        if known != place {
            return Err(Failed::Refused(format!(
                "{}: this is the index of {known}, not of {place}; name another --file",
                path.display()
            )));
        }
        tx.commit().await.map_err(broken)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How far it is.
    pub(crate) async fn state(&mut self) -> Result<State, Failed> {
        let path = self.path.clone();
        let broken = |error: sqlx::Error| broken(&path, &error);
        let row = sqlx::query(
            "SELECT bucket, follower, turn, change_seq, purge_seq, caught_up_at,
                 (SELECT count(*) FROM rows WHERE hidden = 0) FROM state",
        )
        .fetch_one(&mut self.conn)
        .await
        .map_err(broken)?;
        let read = || -> Result<State, sqlx::Error> {
            let bucket: Option<String> = row.try_get(0)?;
            Ok(State {
                bucket: bucket.and_then(|id| id.parse().ok()),
                follower: row.try_get(1)?,
                cursor: Cursor {
                    turn: row.try_get(2)?,
                    change_seq: row.try_get(3)?,
                    purge_seq: row.try_get(4)?,
                },
                caught_up_at: row.try_get::<Option<i64>, _>(5)?.map(Time::from_micros),
                rows: u64::try_from(row.try_get::<i64, _>(6)?).unwrap_or(0),
            })
        };
        read().map_err(broken)
    }

    /// Begins to write; nobody else does until the end.
    async fn begin(&mut self) -> Result<Transaction<'_, Sqlite>, Failed> {
        let begun = self.conn.begin_with("BEGIN IMMEDIATE").await;
        begun.map_err(|error| broken(&self.path, &error))
    }
}

/// Whether a file is an index by its first bytes; or is empty, or was left so by somebody who died while making one.
fn is_ours(path: &Path, file: &mut File) -> std::io::Result<bool> {
    /// Where SQLite keeps the number by which its files are told apart.
    const AT: usize = 68;
    let mut head = Vec::new();
    file.take(100).read_to_end(&mut head)?;
    if head.iter().all(|byte| *byte == 0) {
        let mut journal = path.as_os_str().to_owned();
        journal.push("-journal");
        return Ok(head.is_empty() || Path::new(&journal).exists());
    }
    let number = head.get(AT..AT + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
    Ok(head.starts_with(b"SQLite format 3\0") && number.map(i64::from) == Some(APPLICATION))
}

/// Where the file stands.
async fn cursor(conn: &mut SqliteConnection) -> Result<Cursor, sqlx::Error> {
    let row = sqlx::query("SELECT turn, change_seq, purge_seq FROM state").fetch_one(conn).await?;
    Ok(Cursor { turn: row.try_get(0)?, change_seq: row.try_get(1)?, purge_seq: row.try_get(2)? })
}

/// What the file's engine says, with the file's name and what to do.
fn broken(path: &Path, error: &sqlx::Error) -> Failed {
    let path = path.display();
    let next = match error {
        // 11: corrupt; 26: not a database.
        sqlx::Error::Database(db) if matches!(db.code().as_deref(), Some("11" | "26")) => {
            "; an index can be made again: name another --file, or remove this one if it is no longer wanted"
        }
        _ => "",
    };
    Failed::Refused(format!("{path}: {error}{next}"))
}
