//! Where the database is, how it is opened, and what ground is too unsafe to stand on.

use super::{Conn, DbError, Engine, Pool};
use crate::error::Failure;
use sqlx::ConnectOptions;
use sqlx::Executor as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Every statement here is written for its indexes. Postgres must neither plan it anew each time (planning a long list of
/// VALUES takes longer than running it) nor, on tables that were empty when it planned, settle on scanning them.
const PLANS: [(&str, &str); 9] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    // of a table that it takes for small, it would rather read all than look sixty rows up
    ("random_page_cost", "0.01"),
    ("cpu_index_tuple_cost", "0.0001"),
    ("cpu_operator_cost", "0.00001"),
    ("jit", "off"),
];

/// A process that stands still in the middle of a transaction keeps its locks, and with them whoever removes what it was
/// writing into. The server ends such a transaction after this, and drops connections whose other end is gone.
const BOUNDS: [(&str, &str); 5] = [
    ("lock_timeout", "10000"),
    ("idle_in_transaction_session_timeout", "5000"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "3"),
    ("tcp_keepalives_count", "3"),
];

/// Where the server can (from version 17 on), it ends a transaction that takes longer than any of ours, too: one whose answer a
/// process that stands still does not take is not idle.
const TRANSACTIONS_END: &str = "SELECT set_config('transaction_timeout', '60000', false)
    FROM pg_settings WHERE name = 'transaction_timeout'";

/// How long a connection may take to come about.
const CONNECTING: Duration = Duration::from_secs(10);

/// Where the database is, and how to open it.
#[derive(Clone)]
pub(crate) enum Address {
    Sqlite { path: PathBuf, durable: bool },
    Postgres { options: Box<PgConnectOptions>, durable: bool },
}

impl Address {
    pub(crate) fn parse(url: &str, durable: bool) -> Result<Self, Failure> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return Ok(Address::Sqlite { path: PathBuf::from(path), durable });
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url)
                .map_err(|error| Failure::start(format!("metadata.url {url:?}: {error}")))?
                .application_name("barrow")
                .statement_cache_capacity(512)
                .options(PLANS)
                .options(BOUNDS);
            return Ok(Address::Postgres { options: Box::new(options), durable });
        }
        Err(Failure::start(format!("metadata.url {url:?}: it starts with sqlite: or postgres://")))
    }

    /// Whether commands are answered after their commit. They always are, but in the control run of the crash test.
    pub(crate) fn is_durable(&self) -> bool {
        match self {
            Address::Sqlite { durable, .. } | Address::Postgres { durable, .. } => *durable,
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match self {
            Address::Sqlite { .. } => Engine::Sqlite,
            Address::Postgres { .. } => Engine::Postgres,
        }
    }

    /// How to reach Postgres, if that is what it is.
    pub(super) fn postgres_options(&self) -> Option<PgConnectOptions> {
        match self {
            Address::Sqlite { .. } => None,
            Address::Postgres { options, .. } => Some((**options).clone()),
        }
    }

    /// The database file, if the database is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Address::Sqlite { path, .. } => Some(path),
            Address::Postgres { .. } => None,
        }
    }

    fn sqlite_options(path: &Path, durable: bool) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(if durable { SqliteSynchronous::Full } else { SqliteSynchronous::Off })
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(512)
            .command_buffer_size(64)
            // Rows come from a thread of their own, and waking somebody for every fifty costs more than they do.
            .row_buffer_size(1_024)
            .pragma("secure_delete", "ON")
            .pragma("journal_size_limit", "67108864")
            .pragma("wal_autocheckpoint", "4000")
            .pragma("cache_size", "-32768")
            .pragma("temp_store", "MEMORY")
            // A batch joined with a table is the outer loop, always: SQLite would rather scan the table and index the batch.
            .pragma("automatic_index", "OFF")
    }

    /// Opens a connection that may write.
    pub(crate) async fn connect(&self) -> Result<Conn, DbError> {
        match self {
            Address::Sqlite { path, durable } => {
                let conn = Address::sqlite_options(path, *durable).connect().await?;
                Ok(Conn::Sqlite(Box::new(conn)))
            }
            Address::Postgres { options, .. } => {
                let connecting = async {
                    let mut conn = options.connect().await?;
                    conn.execute(sqlx::raw_sql(TRANSACTIONS_END)).await?;
                    Ok::<_, sqlx::Error>(conn)
                };
                match tokio::time::timeout(CONNECTING, connecting).await {
                    Ok(conn) => Ok(Conn::Postgres(Box::new(conn?))),
                    Err(_) => Err(DbError::Gone(format!("no connection within {} s", CONNECTING.as_secs()))),
                }
            }
        }
    }

    /// Opens the connections that only read.
    pub(crate) fn readers(&self) -> Pool {
        match self {
            Address::Sqlite { path, .. } => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .read_only(true)
                    .busy_timeout(Duration::from_secs(10))
                    .row_buffer_size(1_024)
                    .statement_cache_capacity(128)
                    .pragma("cache_size", "-8192")
                    .pragma("temp_store", "MEMORY")
                    .pragma("automatic_index", "OFF");
                let pool = SqlitePoolOptions::new()
                    .min_connections(1)
                    .max_connections(4)
                    .acquire_timeout(Duration::from_secs(10))
                    .test_before_acquire(false)
                    .connect_lazy_with(options);
                Pool::Sqlite(pool)
            }
            Address::Postgres { options, .. } => {
                let pool = PgPoolOptions::new()
                    .max_connections(16)
                    .acquire_timeout(Duration::from_secs(10))
                    .test_before_acquire(false)
                    .connect_lazy_with((**options).clone());
                Pool::Postgres(pool)
            }
        }
    }
}

/// Refuses a database whose promises are weaker than ours (rule R4).
pub(crate) async fn refuse_unsafe_base(conn: &mut Conn, durable: bool) -> Result<(), Failure> {
    match conn.engine() {
        Engine::Sqlite => {
            let version = setting(conn, "SELECT sqlite_version()").await?;
            let number =
                |text: &str| -> Vec<u32> { text.split('.').filter_map(|part| part.parse().ok()).collect() };
            if number(&version) < vec![3, 51, 3] {
                return Err(Failure::start(format!(
                    "SQLite {version} is too old: 3.51.3 or newer is needed"
                )));
            }
            let journal = setting(conn, "SELECT journal_mode FROM pragma_journal_mode").await?;
            if journal != "wal" {
                return Err(Failure::start(format!(
                    "SQLite keeps its journal as {journal:?}; WAL is needed"
                )));
            }
        }
        Engine::Postgres => {
            let commit = setting(conn, "SELECT current_setting('synchronous_commit')").await?;
            if durable && commit == "off" {
                return Err(Failure::start(
                    "Postgres runs with synchronous_commit=off: an acknowledged delete could come back after a crash. \
                     Set it to on for this user or database"
                        .to_owned(),
                ));
            }
            let fsync = setting(conn, "SELECT current_setting('fsync')").await?;
            if durable && fsync == "off" {
                return Err(Failure::start("Postgres runs with fsync=off; set it to on".to_owned()));
            }
        }
    }
    Ok(())
}

async fn setting(conn: &mut Conn, text: &'static str) -> Result<String, Failure> {
    match conn.fetch_one(text, Vec::new()).await? {
        Some(mut row) => Ok(row.need_text()?),
        None => Err(Failure::start(format!("the database does not answer {text:?}"))),
    }
}
