//! The configuration: every setting with its default, read once at start.
//!
//! A setting is taken from the first place that gives it: the command line, the environment
//! (`BARROW_SECTION__KEY`), the file, the default. Reading is declaring: each section's file asks the [`reader`] for
//! its settings by name, with default and bounds, and whatever was given but never asked for is an unknown setting.
//! So there is no second list of keys to keep in step.
//!
//! Nothing half-read ever leaves this module: either every value given anywhere is good, or [`Config::load`] answers
//! with all [`Problems`] at once. That goes for values that another place overrides, too: a bad line in the file
//! would otherwise come to life on the day somebody drops the override.
//!
//! A changed configuration never moves a promise already made: `purge_after` is computed at removal and stored.

mod audit;
mod auth;
mod blobs;
mod cache;
mod checks;
mod cluster;
mod health;
mod lifepoint;
mod limits;
mod listen;
mod log;
mod metadata;
mod policy;
mod problem;
mod reader;
mod scsp;
mod section;
mod show;
mod size;
mod sources;
#[cfg(test)]
mod tests;
mod tls;
mod warnings;

pub use audit::{Audit, AuditFormat, AuditTo};
pub use auth::{Anonymous, Auth, RootKey, Secret};
pub use blobs::{BlobStore, Blobs, Reserve};
pub use cache::Cache;
pub use cluster::Cluster;
pub use health::Health;
pub use lifepoint::Lifepoint;
pub use limits::Limits;
pub use listen::Listen;
pub use log::{Format, Level, Log};
pub use metadata::{Database, Metadata};
pub use policy::Policy;
pub use problem::{Problem, Problems, Source};
pub use scsp::{LockedDelete, RecursiveMode, Scsp};
pub use tls::Tls;

use reader::{Entry, Reader};
use std::path::Path;

/// Everything that can be set, checked. Every field is public and typed: durations are [`std::time::Duration`], sizes
/// are bytes.
#[derive(Clone, Debug)]
pub struct Config {
    /// What this installation is called and where it keeps its own files.
    pub cluster: Cluster,
    /// The addresses of the three doors.
    pub listen: Listen,
    /// Where the truth is kept.
    pub metadata: Metadata,
    /// Where the bytes are kept.
    pub blobs: Blobs,
    /// Graces, deadlines and the pace of everything that deletes.
    pub health: Health,
    /// How lifepoints are taken.
    pub lifepoint: Lifepoint,
    /// What domains and buckets may ask for.
    pub policy: Policy,
    /// How the SCSP door behaves where its dialects differ.
    pub scsp: Scsp,
    /// Accepted for SCSP's sake.
    pub cache: Cache,
    /// Who may come in without a key, and the root key if the environment sets it.
    pub auth: Auth,
    /// Certificate and key, if the doors speak TLS.
    pub tls: Option<Tls>,
    /// What one client, and all of them, may take.
    pub limits: Limits,
    /// What is logged, and how.
    pub log: Log,
    /// Where requests, purges and restores are written down.
    pub audit: Audit,
    /// Each setting's effective text and origin, in the order of declaration.
    entries: Vec<Entry>,
}

impl Config {
    /// Reads the configuration.
    ///
    /// `path` is the file; `None` means that there is none, while a path at which nothing stands is a problem. `env`
    /// is the whole environment: variables named `BARROW_…__…` are settings, all others are ignored
    /// (`std::env::vars` panics on a variable that is not Unicode; pass `vars_os` filtered instead). `overrides` are
    /// the command line's, as (`section.key`, value).
    ///
    /// # Errors
    /// Every problem found, not just the first: a file that cannot be read, unknown settings, bad values, settings
    /// given twice, and values that contradict one another.
    pub fn load(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        overrides: &[(String, String)],
    ) -> Result<Config, Problems> {
        let mut reader = Reader::default();
        sources::file(path, &mut reader);
        sources::environment(env, &mut reader);
        sources::command_line(overrides, &mut reader);

        let cluster = Cluster::read(&mut reader.section("cluster"));
        let mut config = Config {
            listen: Listen::read(&mut reader.section("listen")),
            metadata: Metadata::read(&mut reader.section("metadata"), &cluster.data_dir),
            blobs: Blobs::read(&mut reader.section("blobs"), &cluster.data_dir),
            cluster,
            health: Health::read(&mut reader.section("health")),
            lifepoint: Lifepoint::read(&mut reader.section("lifepoint")),
            policy: Policy::read(&mut reader.section("policy")),
            scsp: Scsp::read(&mut reader.section("scsp")),
            cache: Cache::read(&mut reader.section("cache")),
            auth: Auth::read(&mut reader.section("auth")),
            tls: Tls::read(&mut reader.section("tls")),
            limits: Limits::read(&mut reader.section("limits")),
            log: Log::read(&mut reader.section("log")),
            audit: Audit::read(&mut reader.section("audit")),
            entries: Vec::new(),
        };
        checks::run(&config, &mut reader);
        config.entries = reader.finish()?;
        Ok(config)
    }

    /// The effective configuration as TOML that can be loaded again, each line with a comment that tells where its
    /// value came from. Never shows a secret: the root key's settings and passwords inside URLs are left out.
    pub fn show(&self) -> String {
        show::toml(&self.entries)
    }

    /// What is allowed but probably not meant, one sentence each; empty if there is nothing to say.
    pub fn warnings(&self) -> Vec<String> {
        warnings::of(self)
    }

    /// The effective text of `key` and where it came from.
    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// Bytes, of a size with its unit; `None` if it is none.
pub(crate) fn size_in_bytes(text: &str) -> Option<u64> {
    size::parse(text)
}
