//! Brings a database to the schema of this binary, or refuses one that is newer.

use crate::error::Failure;
use crate::sql::{Conn, Engine, args};
use lifecycle::Time;

struct Migration {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($number:literal, $name:literal) => {
        Migration {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }
    };
}

const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_foundation"),
    migration!(2, "0002_versioning"),
    migration!(3, "0003_s3"),
    migration!(4, "0004_cluster"),
    migration!(5, "0005_upkeep"),
    migration!(6, "0006_purges"),
    migration!(7, "0007_governance"),
    migration!(9, "0009_quotas"),
    migration!(10, "0010_rules"),
    migration!(12, "0012_notices"),
    migration!(13, "0013_seals"),
    migration!(14, "0014_auto_purge"),
    migration!(15, "0015_due_order"),
    migration!(16, "0016_rollups"),
];

const LEDGER_SQLITE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";
const LEDGER_POSTGRES: &str = "CREATE TABLE IF NOT EXISTS migrations (
    number BIGINT NOT NULL PRIMARY KEY, name TEXT COLLATE \"C\" NOT NULL, checksum TEXT COLLATE \"C\" NOT NULL,
    applied_at BIGINT NOT NULL)";

/// Any fixed number: whoever holds this lock of Postgres is migrating.
const LOCK: &str = "SELECT pg_advisory_xact_lock(4722001)";

/// Applies what is missing, each migration in a transaction of its own.
///
/// # Errors
/// [`Failure::Start`] when the database is newer than this binary or when an applied migration differs from ours.
pub(crate) async fn migrate(conn: &mut Conn, now: Time) -> Result<(), Failure> {
    conn.begin().await?;
    let outcome = apply(conn, now).await;
    match outcome {
        Ok(()) => Ok(conn.commit().await?),
        Err(failure) => {
            conn.rollback().await?;
            Err(failure)
        }
    }
}

async fn apply(conn: &mut Conn, now: Time) -> Result<(), Failure> {
    if conn.engine() == Engine::Postgres {
        conn.raw(LOCK).await?;
    }
    let ledger = match conn.engine() {
        Engine::Sqlite => LEDGER_SQLITE,
        Engine::Postgres => LEDGER_POSTGRES,
    };
    conn.raw(ledger).await?;
    let mut applied = Vec::new();
    for mut row in
        conn.fetch("SELECT number, name, checksum FROM migrations ORDER BY number", Vec::new()).await?
    {
        applied.push((row.need_int()?, row.need_text()?, row.need_text()?));
    }
    for (number, name, checksum) in &applied {
        let Some(ours) = MIGRATIONS.iter().find(|ours| ours.number == *number) else {
            return Err(Failure::start(format!(
                "the database is newer than this binary: it has migration {name}; run the release that made it"
            )));
        };
        if ours.checksum(conn.engine()) != *checksum {
            return Err(Failure::start(format!(
                "migration {name} was changed after it was applied to this database"
            )));
        }
    }
    for migration in
        MIGRATIONS.iter().filter(|ours| applied.iter().all(|(number, ..)| *number != ours.number))
    {
        conn.raw(migration.text(conn.engine())).await?;
        let row = args![migration.number, migration.name, migration.checksum(conn.engine()), now];
        conn.execute(
            "INSERT INTO migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
            row,
        )
        .await?;
        tracing::info!(migration = migration.name, "applied");
    }
    Ok(())
}

impl Migration {
    fn text(&self, engine: Engine) -> &'static str {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }

    fn checksum(&self, engine: Engine) -> String {
        // FNV-1a: finds an edited file; nobody attacks it.
        let hash = self.text(engine).bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}
