//! The operator's commands: each asks the admin door, and tells people or machines what it answered.

pub(crate) mod config;

mod account;
mod bucket;
mod changes;
mod check;
mod container;
mod deletions;
mod domain;
mod followers;
mod index;
mod key;
mod members;
mod purge;
mod purge_versions;
mod quota;
mod replicate;
mod resume;
mod revisions;
mod seal;
mod search;
mod tasks;
mod tombstones;
mod trash;
mod usage;
mod why;

use crate::cli::{Global, Operator};
use crate::client::Client;
use crate::config::Config;
use crate::exit::{Exit, Failed};
use crate::output;
use lifecycle::{Clock, SystemClock, Time};
use serde_json::Value;

/// What every command is given.
struct Session<'a> {
    config: &'a Config,
    global: &'a Global,
    client: Client,
    json: bool,
    now: Time,
}

impl Session<'_> {
    /// The time as it is by now, for a command that goes on.
    fn clock(&self) -> Time {
        SystemClock.now()
    }

    /// Prints an answer: as it is for machines, in `words` for people.
    fn tell(&self, answer: &Value, words: impl FnOnce(&Value) -> String) {
        if self.json { output::json(answer) } else { output::say(&words(answer)) }
    }
}

/// The admin door that the command line means.
fn client(config: &Config, global: &Global) -> Result<Client, Failed> {
    Client::new(config, global.admin.as_deref(), global.ca.as_deref())
}

/// Carries one command out, against a running server.
pub(crate) fn run(config: &Config, global: &Global, operator: Operator) -> Result<Exit, Failed> {
    if let Operator::Replicate(order) = operator {
        return runtime()?.block_on(replicate::run(config, global, order));
    }
    let client = client(config, global)?;
    let session = Session { config, global, client, json: global.json, now: SystemClock.now() };
    runtime()?.block_on(async {
        match operator {
            Operator::Account { command } => account::run(&session, command).await,
            Operator::Quota { command } => quota::run(&session, command).await,
            Operator::Key { command } => key::run(&session, command).await,
            Operator::Bucket { command } => bucket::run(&session, command).await,
            Operator::Domain { command } => domain::run(&session, command).await,
            Operator::Trash { command } => trash::run(&session, command).await,
            Operator::Usage => usage::run(&session).await,
            Operator::Tasks { command } => tasks::run(&session, command).await,
            Operator::Check { blobs } => check::run(&session, blobs).await,
            Operator::Resume { release } => resume::run(&session, &release).await,
            Operator::Purge(order) => purge::run(&session, *order).await,
            Operator::Members { command } => members::run(&session, command).await,
            Operator::Barrier { epoch, bucket } => members::barrier(&session, epoch, bucket).await,
            Operator::Why(which) => why::run(&session, which).await,
            Operator::Deletions(which) => deletions::run(&session, which).await,
            Operator::Tombstones(which) => tombstones::run(&session, which).await,
            Operator::Revisions { bucket, name } => revisions::run(&session, &bucket, &name).await,
            // It asks two doors, and neither of them is the configured one.
            Operator::Replicate(order) => replicate::run(config, global, order).await,
            Operator::Changes(which) => changes::run(&session, which).await,
            Operator::Seal(what) => seal::run(&session, what).await,
            Operator::Followers(which) => followers::run(&session, which).await,
            Operator::Index(order) => index::run(&session, order).await,
            Operator::Search(order) => search::run(&session, order).await,
        }
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::Server(format!("cannot start: {error}")))
}
