//! The seam between one SQL text and two engines. Nothing outside of this file and
//! `sql/` names a database driver.
//!
//! The dialect that both accept: `$N` markers, BIGINT / TEXT / BYTEA or BLOB, `RETURNING`, `ON CONFLICT`,
//! `UPDATE … FROM (VALUES …)`, whose columns are called column1, column2, …. Values carry their type even when they
//! are NULL, so that Postgres never has to guess. What differs is here: opening, the pragmas, locking a row for
//! sharing ([`Engine::share`]), the database's own clock, and what errors mean.

mod address;
mod listener;
mod text;
mod value;

pub(crate) use address::{Address, refuse_unsafe_base};
pub(crate) use listener::Listener;
pub(crate) use text::Text;
pub(crate) use value::{Value, args};

use crate::error::Failure;
use crate::members::Lease;
use futures_util::future::BoxFuture;
use lifecycle::MemberId;
use sqlx::postgres::{PgArguments, PgConnection, PgPool, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Connection, Executor, Row as _, ValueRef};
use std::sync::Arc;
use text::{built, chunks, in_order};

/// Which engine is underneath.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, in this process, in one file.
    Sqlite,
    /// A Postgres server.
    Postgres,
}

impl Engine {
    /// The suffix that locks read rows against change by others until the transaction ends. SQLite has one writer and
    /// needs none.
    pub(crate) fn share(self) -> &'static str {
        match self {
            Engine::Sqlite => "",
            Engine::Postgres => " FOR SHARE",
        }
    }

    fn db_now(self) -> &'static str {
        match self {
            Engine::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000000 AS BIGINT)",
            Engine::Postgres => "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)",
        }
    }

    fn begin(self) -> &'static str {
        match self {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }
}

/// What went wrong in a statement, as far as anybody acts differently on it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// A unique index refused a row.
    #[error("a unique index refused a row: {0}")]
    Unique(String),
    /// The engine chose this transaction as a victim, or the file was busy: run it again.
    #[error("the database asks to run the transaction again: {0}")]
    Retry(String),
    /// The database cannot grow.
    #[error("the database has no space left: {0}")]
    Full(String),
    /// The connection is gone or could not be had.
    #[error("the database is unreachable: {0}")]
    Gone(String),
    /// A row did not look as the schema promises.
    #[error("a row is not as the schema promises: {0}")]
    Row(String),
    /// This process may not speak for the installation any more: another one has declared it dead.
    #[error("{0}")]
    Fenced(String),
    /// Anything else.
    #[error("the database refused a statement: {0}")]
    Other(String),
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        match &error {
            sqlx::Error::Database(db) => {
                let code = db.code().unwrap_or_default();
                match code.as_ref() {
                    "40001" | "40P01" | "55P03" => DbError::Retry(text),
                    "53100" => DbError::Full(text),
                    "57P01" | "57P02" | "57P03" | "53300" => DbError::Gone(text),
                    // SQLite: extended codes keep the primary one in their low byte. 5 busy, 6 locked, 13 full.
                    code if db.is_unique_violation() || code == "1555" => DbError::Unique(text),
                    code => match code.parse::<u32>().map(|code| code & 0xff) {
                        Ok(5 | 6) if code.len() < 5 => DbError::Retry(text),
                        Ok(13) if code.len() < 5 => DbError::Full(text),
                        Ok(10 | 14) if code.len() < 5 => DbError::Gone(text),
                        _ => DbError::Other(text),
                    },
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => DbError::Gone(text),
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::Decode(_) => DbError::Row(text),
            _ => DbError::Other(text),
        }
    }
}

/// One row of an answer, read from left to right in the order of the SELECT list.
pub(crate) struct Row {
    row: EngineRow,
    at: usize,
}

enum EngineRow {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! read {
    ($self:ident, $type:ty) => {{
        let at = $self.at;
        $self.at += 1;
        match &$self.row {
            EngineRow::Sqlite(row) => row.try_get::<$type, _>(at).map_err(DbError::from),
            EngineRow::Postgres(row) => row.try_get::<$type, _>(at).map_err(DbError::from),
        }
    }};
}

impl Row {
    /// The next column, a BIGINT that may be NULL.
    pub(crate) fn int(&mut self) -> Result<Option<i64>, DbError> {
        read!(self, Option<i64>)
    }

    /// The next column, a BIGINT.
    pub(crate) fn need_int(&mut self) -> Result<i64, DbError> {
        read!(self, i64)
    }

    /// The next column, a size or count, which is never negative.
    pub(crate) fn need_size(&mut self) -> Result<u64, DbError> {
        let value = self.need_int()?;
        u64::try_from(value).map_err(|_| DbError::Row(format!("{value} is negative")))
    }

    /// The next column, a flag.
    pub(crate) fn need_bool(&mut self) -> Result<bool, DbError> {
        Ok(self.need_int()? != 0)
    }

    /// The next column, a point in time that may be NULL.
    pub(crate) fn time(&mut self) -> Result<Option<lifecycle::Time>, DbError> {
        Ok(self.int()?.map(lifecycle::Time::from_micros))
    }

    /// The next column, a point in time.
    pub(crate) fn need_time(&mut self) -> Result<lifecycle::Time, DbError> {
        self.need_int().map(lifecycle::Time::from_micros)
    }

    /// The next column, a TEXT that may be NULL.
    pub(crate) fn text(&mut self) -> Result<Option<String>, DbError> {
        read!(self, Option<String>)
    }

    /// The next column, a TEXT.
    pub(crate) fn need_text(&mut self) -> Result<String, DbError> {
        read!(self, String)
    }

    /// The next column, bytes that may be NULL.
    pub(crate) fn bytes(&mut self) -> Result<Option<Vec<u8>>, DbError> {
        read!(self, Option<Vec<u8>>)
    }

    /// The next column, 16 bytes that may be NULL.
    pub(crate) fn digest(&mut self) -> Result<Option<[u8; 16]>, DbError> {
        match self.bytes()? {
            None => Ok(None),
            Some(bytes) => <[u8; 16]>::try_from(bytes.as_slice())
                .map(Some)
                .map_err(|_| DbError::Row(format!("{} bytes where 16 belong", bytes.len()))),
        }
    }

    /// The next column, an identity.
    pub(crate) fn need_id<T>(&mut self, make: fn([u8; 16]) -> T) -> Result<T, DbError> {
        self.digest()?.map(make).ok_or_else(|| DbError::Row("an identity is missing".to_owned()))
    }

    /// The next column, an identity that may be NULL.
    pub(crate) fn id<T>(&mut self, make: fn([u8; 16]) -> T) -> Result<Option<T>, DbError> {
        Ok(self.digest()?.map(make))
    }

    /// The next column, a state.
    pub(crate) fn need_state(&mut self) -> Result<lifecycle::State, DbError> {
        let word = self.need_text()?;
        lifecycle::State::parse(&word).ok_or_else(|| DbError::Row(format!("{word:?} is no state")))
    }

    /// The next column, a cause that may be NULL.
    pub(crate) fn cause(&mut self) -> Result<Option<lifecycle::Cause>, DbError> {
        match self.text()? {
            None => Ok(None),
            Some(word) => lifecycle::Cause::parse(&word)
                .map(Some)
                .ok_or_else(|| DbError::Row(format!("{word:?} is no cause"))),
        }
    }

    /// Whether the next column is NULL; does not pass it.
    pub(crate) fn peek_null(&self) -> Result<bool, DbError> {
        Ok(match &self.row {
            EngineRow::Sqlite(row) => row.try_get_raw(self.at)?.is_null(),
            EngineRow::Postgres(row) => row.try_get_raw(self.at)?.is_null(),
        })
    }

    /// Passes over `columns` columns.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.at += columns;
    }
}

macro_rules! bind {
    ($arguments:ty, $values:expr) => {{
        let mut arguments = <$arguments>::default();
        arguments.reserve($values.len(), 0);
        for value in $values {
            let bound = match value {
                Value::Int(v) => arguments.add(v),
                Value::Text(v) => arguments.add(v),
                Value::Bytes(v) => arguments.add(v),
            };
            bound.map_err(|error| DbError::Other(error.to_string()))?;
        }
        arguments
    }};
}

macro_rules! query {
    ($text:expr, $arguments:expr) => {
        match $text {
            Text::Constant(text) => sqlx::query_with(text, $arguments),
            Text::Built(text) => sqlx::query_with(AssertSqlSafe(text), $arguments),
        }
    };
}

/// The text that begins a transaction of the member `id`, and gives a row if that is active: in one round trip. The row stays
/// locked against being fenced until the transaction ends, and not against heartbeats.
pub(crate) fn fenced_begin(engine: Engine, id: MemberId) -> Arc<str> {
    let (blob, lock) = match engine {
        Engine::Sqlite => (format!("X'{id}'"), ""),
        Engine::Postgres => (format!("'\\x{id}'::bytea"), " FOR KEY SHARE"),
    };
    let begin = engine.begin();
    format!("{begin}; SELECT 1 FROM members WHERE id = {blob} AND standing = 'active'{lock}").into()
}

/// The connection on which one transaction after another is run.
pub(crate) enum Conn {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

impl Conn {
    /// Which engine this is.
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Conn::Sqlite(_) => Engine::Sqlite,
            Conn::Postgres(_) => Engine::Postgres,
        }
    }

    pub(crate) async fn begin(&mut self) -> Result<(), DbError> {
        let begin = self.engine().begin();
        self.raw(begin).await
    }

    /// Begins a transaction with `text` of [`fenced_begin`].
    pub(crate) async fn begin_fenced(&mut self, text: Arc<str>) -> Result<(), DbError> {
        let text = sqlx::raw_sql(AssertSqlSafe(text));
        let active = match self {
            Conn::Sqlite(conn) => conn.fetch_all(text).await?.len(),
            Conn::Postgres(conn) => conn.fetch_all(text).await?.len(),
        };
        match active {
            0 => Err(DbError::Fenced("this process was fenced; another member will answer".to_owned())),
            _ => Ok(()),
        }
    }

    pub(crate) async fn commit(&mut self) -> Result<(), DbError> {
        self.raw("COMMIT").await
    }

    /// Tells whoever listens that the epoch has moved, when this transaction commits. A hint: the log is the truth.
    pub(crate) async fn notify(&mut self, epoch: i64) -> Result<(), DbError> {
        if self.engine() == Engine::Postgres {
            self.execute("SELECT pg_notify('barrow', $1)", args![epoch.to_string()]).await?;
        }
        Ok(())
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), DbError> {
        self.raw("ROLLBACK").await
    }

    /// Runs a statement and tells how many rows it touched.
    pub(crate) async fn execute(
        &mut self,
        text: impl Into<Text>,
        values: Vec<Value>,
    ) -> Result<u64, DbError> {
        let text = text.into();
        #[cfg(feature = "testing")]
        crate::testing::note(&text);
        match self {
            Conn::Sqlite(conn) => {
                let arguments = bind!(SqliteArguments, values);
                Ok(conn.execute(query!(text, arguments)).await?.rows_affected())
            }
            Conn::Postgres(conn) => {
                let arguments = bind!(PgArguments, values);
                Ok(conn.execute(query!(text, arguments)).await?.rows_affected())
            }
        }
    }

    /// Runs a statement and gives its rows.
    pub(crate) async fn fetch(
        &mut self,
        text: impl Into<Text>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        let text = text.into();
        #[cfg(feature = "testing")]
        crate::testing::note(&text);
        match self {
            Conn::Sqlite(conn) => {
                let arguments = bind!(SqliteArguments, values);
                let rows = conn.fetch_all(query!(text, arguments)).await?;
                Ok(rows.into_iter().map(|row| Row { row: EngineRow::Sqlite(row), at: 0 }).collect())
            }
            Conn::Postgres(conn) => {
                let arguments = bind!(PgArguments, values);
                let rows = conn.fetch_all(query!(text, arguments)).await?;
                Ok(rows.into_iter().map(|row| Row { row: EngineRow::Postgres(row), at: 0 }).collect())
            }
        }
    }

    /// Runs a statement and gives its first row, if it has one.
    pub(crate) async fn fetch_one(
        &mut self,
        text: impl Into<Text>,
        values: Vec<Value>,
    ) -> Result<Option<Row>, DbError> {
        Ok(self.fetch(text, values).await?.into_iter().next())
    }

    /// Runs `template` over `rows`, in chunks whose sizes are powers of two so that few texts are ever prepared, and
    /// tells how many rows it touched in all. `{rows}` in the template stands for `($3,$4),($5,$6)…`, numbered after
    /// `head`, the values of every chunk.
    pub(crate) async fn execute_rows(
        &mut self,
        template: &'static str,
        head: &[Value],
        rows: Vec<Vec<Value>>,
    ) -> Result<u64, DbError> {
        let mut touched = 0;
        for (text, values) in chunks(self.engine(), template, head, rows) {
            touched += self.execute(text, values).await?;
        }
        Ok(touched)
    }

    /// As [`Conn::execute_rows`], for a statement that answers with rows.
    pub(crate) async fn fetch_rows(
        &mut self,
        template: &'static str,
        head: &[Value],
        rows: Vec<Vec<Value>>,
    ) -> Result<Vec<Row>, DbError> {
        let mut found = Vec::new();
        for (text, values) in chunks(self.engine(), template, head, rows) {
            found.extend(self.fetch(text, values).await?);
        }
        Ok(found)
    }

    /// Runs constant text of one or more statements without values.
    pub(crate) async fn raw(&mut self, text: &'static str) -> Result<(), DbError> {
        match self {
            Conn::Sqlite(conn) => conn.execute(sqlx::raw_sql(text)).await.map(drop)?,
            Conn::Postgres(conn) => conn.execute(sqlx::raw_sql(text)).await.map(drop)?,
        }
        Ok(())
    }

    /// The database's own clock, for leases and for the second opinion that a purge needs (rule R2).
    pub(crate) async fn db_now(&mut self) -> Result<lifecycle::Time, DbError> {
        let text = self.engine().db_now();
        match self.fetch_one(text, Vec::new()).await? {
            Some(mut row) => row.need_time(),
            None => Err(DbError::Other("the database does not tell the time".to_owned())),
        }
    }

    /// Closes the connection without waiting for anything it was doing.
    pub(crate) async fn close(self) {
        let closed = match self {
            Conn::Sqlite(conn) => conn.close().await,
            Conn::Postgres(conn) => conn.close_hard().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "closing a database connection");
        }
    }
}

/// The connections that only read.
#[derive(Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Reads, as long as this process may answer.
#[derive(Clone)]
pub(crate) struct Readers {
    pool: Pool,
    lease: Arc<Lease>,
}

impl Readers {
    /// Reads through `pool` while `lease` runs.
    pub(crate) fn new(pool: Pool, lease: Arc<Lease>) -> Self {
        Readers { pool, lease }
    }

    /// Runs a query and gives its rows.
    pub(crate) async fn fetch(&self, text: impl Into<Text>, values: Vec<Value>) -> Result<Vec<Row>, DbError> {
        self.lease.require_for_reading()?;
        let text = text.into();
        #[cfg(feature = "testing")]
        crate::testing::note(&text);
        match &self.pool {
            Pool::Sqlite(pool) => {
                let arguments = bind!(SqliteArguments, values);
                let rows = pool.fetch_all(query!(text, arguments)).await?;
                Ok(rows.into_iter().map(|row| Row { row: EngineRow::Sqlite(row), at: 0 }).collect())
            }
            Pool::Postgres(pool) => {
                let arguments = bind!(PgArguments, values);
                let rows = pool.fetch_all(query!(text, arguments)).await?;
                Ok(rows.into_iter().map(|row| Row { row: EngineRow::Postgres(row), at: 0 }).collect())
            }
        }
    }

    fn engine(&self) -> Engine {
        match &self.pool {
            Pool::Sqlite(_) => Engine::Sqlite,
            Pool::Postgres(_) => Engine::Postgres,
        }
    }

    /// How many queries over many keys run at once to good purpose. Of SQLite one: handing a query over to its thread costs
    /// more than looking a few more keys up.
    pub(crate) fn at_once(&self) -> usize {
        match &self.pool {
            Pool::Sqlite(_) => 1,
            Pool::Postgres(_) => 4,
        }
    }

    /// Runs `template` over all of `rows` in one query. They are filled up with rows of NULLs, which match nothing, to a
    /// power of two, so that few texts are ever prepared.
    pub(crate) async fn fetch_padded(
        &self,
        template: &'static str,
        head: &[Value],
        mut rows: Vec<Vec<Value>>,
    ) -> Result<Vec<Row>, DbError> {
        let Some(nothing) = rows.first().map(|row| row.iter().map(Value::null).collect::<Vec<_>>()) else {
            return Ok(Vec::new());
        };
        let (size, columns) = (rows.len().next_power_of_two(), nothing.len());
        rows.resize(size, nothing);
        let engine = self.engine();
        let values = in_order(engine, head, rows);
        self.fetch(built(engine, template, head.len(), columns, size), values).await
    }

    /// Runs a query and gives its first row, if it has one.
    pub(crate) async fn fetch_one(
        &self,
        text: impl Into<Text>,
        values: Vec<Value>,
    ) -> Result<Option<Row>, DbError> {
        Ok(self.fetch(text, values).await?.into_iter().next())
    }

    /// Closes them all.
    pub(crate) async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

/// What a solo transaction is: it may be run again from the start when the database asks for that.
pub(crate) type Run<'t, T> = BoxFuture<'t, Result<T, Failure>>;
