//! Where the truth is kept.

use super::section::Section;
use std::fmt;
use std::path::{Path, PathBuf};
use url::Url;

/// `[metadata]`.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The database.
    pub url: Database,
}

/// A metadata database.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file, for exactly one process.
    Sqlite(PathBuf),
    /// A Postgres URL, possibly with a password, for any number of gateways and health processors.
    Postgres(String),
}

/// Without the password, so that a configuration can be logged.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Database::Postgres(url) => f.debug_tuple("Postgres").field(&super::show::redacted(url)).finish(),
        }
    }
}

const ALLOWED: &str = "\"sqlite:PATH\" (a file) or \"postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE\"";

impl Metadata {
    pub(super) fn read(section: &mut Section<'_>, data_dir: &Path) -> Self {
        // Follows data_dir, so that moving the one moves the other.
        let default = format!("sqlite:{}", data_dir.join("barrow.db").display());
        Metadata { url: section.text("url", &default, ALLOWED, parse) }
    }
}

fn parse(text: &str) -> Option<Database> {
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        // A database in memory would forget what was acknowledged; what follows a `?` is the engine's to set, not
        // the operator's: durability hangs on it.
        let file = !path.is_empty() && !path.contains([':', '?', '\0']);
        return file.then(|| Database::Sqlite(PathBuf::from(path)));
    }
    let url = Url::parse(text).ok()?;
    let host = url.host_str().is_some_and(|host| !host.is_empty());
    let somewhere = host || url.query_pairs().any(|(name, _)| name == "host");
    (matches!(url.scheme(), "postgres" | "postgresql") && somewhere)
        .then(|| Database::Postgres(text.to_owned()))
}
