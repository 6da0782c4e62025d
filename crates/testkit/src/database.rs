//! A database of a test's own, on either engine.

use lifecycle::{DomainName, SharedClock};
use metadata::{MemberSettings, Metadata, Settings};
use std::time::Duration;
use tempfile::TempDir;

/// A lease that no test outlives.
const ENDLESS: Duration = Duration::from_secs(200 * 365 * 24 * 3_600);

/// Where the tests' Postgres is: set by `scripts/test`, which starts a private one.
pub const POSTGRES_VARIABLE: &str = "BARROW_TEST_POSTGRES";

/// An empty database. It goes when this is dropped (SQLite) or when the tests' Postgres is stopped.
#[derive(Debug)]
pub struct Database {
    url: String,
    dir: TempDir,
}

impl Database {
    /// A SQLite file in a temporary directory.
    pub fn sqlite() -> Self {
        let dir = TempDir::new().expect("a temporary directory can be made");
        let url = format!("sqlite:{}", dir.path().join("barrow.db").display());
        Database { url, dir }
    }

    /// A schema of its own on the tests' Postgres.
    ///
    /// # Panics
    /// When no Postgres is there: a test that silently skipped it would prove nothing.
    pub async fn postgres() -> Self {
        let server = std::env::var(POSTGRES_VARIABLE).unwrap_or_else(|_| {
            panic!("{POSTGRES_VARIABLE} is not set: run scripts/test, or export what `scripts/postgres start DIR` prints")
        });
        let url = metadata::fresh_schema(&server).await.expect("the tests' Postgres answers");
        Database { url, dir: TempDir::new().expect("a temporary directory can be made") }
    }

    /// Both engines, one after the other, for tests that run on each.
    pub async fn both() -> [Self; 2] {
        [Database::sqlite(), Database::postgres().await]
    }

    /// How to open it.
    pub fn settings(&self) -> Settings {
        Settings {
            url: self.url.clone(),
            seal_key: self.dir.path().join("seal.key"),
            default_domain: DomainName::parse("barrow.local").expect("a domain name"),
            durable: true,
            trust_db_clock: false,
            // Under a clock moved by hand leases must not end by themselves; who wants that says so.
            member: MemberSettings {
                lease: ENDLESS,
                heartbeat: Duration::from_millis(500),
                ..MemberSettings::default()
            },
        }
    }

    /// A directory that lives as long as the database.
    pub fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Opens it. On Postgres, as many times as a test has processes to play.
    pub async fn open(&self, clock: SharedClock) -> Metadata {
        Metadata::open(&self.settings(), clock).await.expect("an empty database opens")
    }
}
