//! Every command, flag and exit code.

mod accounts;
mod index;
mod lifecycle;

pub(crate) use accounts::{AccountCommand, Given, Holder, KeyCommand, QuotaCommand};
pub(crate) use index::{Index, Indexed, Search};
pub(crate) use lifecycle::{Lifecycle, LifecycleCommand};

use crate::config::Config;
use crate::exit::Failed;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed or refused
  2  the command line or the configuration cannot be used
  3  a check found violations
  4  the admin door does not answer

Credentials of the operator's commands: BARROW_KEY and BARROW_SECRET, else the root key's variables
BARROW_AUTH__ROOT_KEY and BARROW_AUTH__ROOT_SECRET, else the file root.credentials in the data directory.
With TLS the admin door must show a certificate from an authority in the file that --ca or BARROW_CA names. Without one,
it must show the configured tls.cert itself; or, where --admin says where it is, one from an authority of this machine.
A bucket is written DOMAIN/BUCKET, or BUCKET in the default domain; either may be given by its UUID.";

/// An object-storage gateway whose deletes are safe while you may regret them and final afterwards.
#[derive(Debug, Parser)]
#[command(name = "barrow", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The configuration file; without one, the defaults hold
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, stronger than file and environment; may be repeated
    #[arg(long, global = true, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
    /// The admin door, instead of the configured one
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) admin: Option<String>,
    /// The authorities (PEM) that the admin door's certificate must come from
    #[arg(long, global = true, value_name = "FILE", env = "BARROW_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Global {
    /// Reads the configuration that file, environment and command line make together.
    pub(crate) fn load(&self) -> Result<Config, Failed> {
        let mut overrides = Vec::new();
        for setting in &self.set {
            let Some((key, value)) = setting.split_once('=') else {
                return Err(Failed::Usage(format!("--set {setting:?}: write it as SECTION.KEY=VALUE")));
            };
            overrides.push((key.trim().to_owned(), value.trim().to_owned()));
        }
        // A variable that is not Unicode is not one of ours.
        let environment = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        Config::load(self.config.as_deref(), environment, &overrides).map_err(Failed::Config)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process: doors and health processor
    Serve,
    /// Run the doors alone (several gateways share one Postgres)
    Gateway,
    /// Run the health processor alone (on Postgres)
    HealthProcessor,
    /// Explain the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    #[command(flatten)]
    Operator(Operator),
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether the configuration can be used, and what was probably not meant
    Check,
    /// Print what is in effect, and where each value came from
    Show,
}

/// What the admin door is asked to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Operator {
    /// Accounts, to whom keys and buckets belong
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// How much buckets and accounts may hold
    Quota {
        #[command(subcommand)]
        command: QuotaCommand,
    },
    /// Access keys
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Buckets
    Bucket {
        #[command(subcommand)]
        command: BucketCommand,
    },
    /// Domains
    Domain {
        #[command(subcommand)]
        command: DomainCommand,
    },
    /// What is removed and can be restored
    Trash {
        #[command(subcommand)]
        command: TrashCommand,
    },
    /// What is stored, by bucket and state
    Usage,
    /// The background tasks: what they last did and when they run next
    Tasks {
        #[command(subcommand)]
        command: Option<TasksCommand>,
    },
    /// Check every rule over the whole installation
    Check {
        /// Look for the bytes of every object, too
        #[arg(long)]
        blobs: bool,
    },
    /// Let purging go on after a halt
    Resume {
        /// How long the brake stays off
        #[arg(long, value_name = "DURATION", default_value = "1h")]
        release: String,
    },
    /// Purge a removed bucket or domain now, whatever it was promised, which cannot be undone; or, with --filter, --prefix or
    /// --name, versions in a live bucket, which can be restored until their grace is over
    Purge(Box<Purge>),
    /// The processes that share the database: what each has seen, and how long its lease runs
    Members {
        #[command(subcommand)]
        command: Option<MembersCommand>,
    },
    /// Whom a purge would have to wait for
    Barrier {
        /// Those who have not let go of what was removed up to this epoch; without it, up to now
        #[arg(conflicts_with = "bucket")]
        epoch: Option<u64>,
        /// Those who keep the purge of this removed bucket waiting
        #[arg(long)]
        bucket: Option<String>,
    },
    /// What something is, who made it so, how it comes back, and what keeps its space from coming back
    Why(Why),
    /// The record of removals of domains, buckets and what buckets held
    Deletions(Deletions),
    /// What a UUID or a name was: everything dead that is remembered of it
    Tombstones(Tombstones),
    /// What changed in a bucket, in order, each name as it is now
    Changes(Changes),
    /// Forbid deletes or purges in a bucket, or any change: for good
    Seal(Seal),
    /// Who follows a bucket's changes and purges, and how far each has come
    Followers(Followers),
    /// The tree of an object's revisions: its ends, the winner first, and what led to them
    Revisions {
        /// The bucket
        bucket: String,
        /// The object's name
        name: String,
    },
    /// Carry what was written and deleted in a bucket over to a bucket of another installation. Only what is missing there is
    /// sent; it may be stopped anywhere and started again, and two of them may run against each other. Deletes travel, purges
    /// do not, and what is purged at the target does not come back. What travels are revisions: tags that change without one, and
    /// the deletion of a single version by its id, stay where they are
    ///
    /// The key for the source is looked for as for other commands, and needs admin; the one for the target is BARROW_TO_KEY
    /// with BARROW_TO_SECRET, else the same, and needs admin too (and purge, with --with-purges)
    Replicate(Replicate),
    /// What goes by itself in a bucket, and when
    Lifecycle(Lifecycle),
    /// Keep a search index over the names and the metadata of a bucket's objects up to date
    Index(Index),
    /// Search the names and the metadata of a bucket's objects
    Search(Search),
}

/// Which of many to list.
#[derive(Debug, Args)]
pub(crate) struct Listing {
    /// Only those whose names begin so
    #[arg(long, default_value = "")]
    pub(crate) prefix: String,
    /// At most so many
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

/// How a container is removed.
#[derive(Debug, Args)]
pub(crate) struct Removal {
    /// How long it can be restored: a duration, or "default" as configured; without it, until somebody purges it
    #[arg(long, value_name = "DURATION")]
    pub(crate) grace: Option<String>,
    /// Why, for whoever asks later
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Let the name be used again before this one is purged or restored
    #[arg(long)]
    pub(crate) free_name: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BucketCommand {
    /// List the buckets of a domain
    List {
        /// Another domain than the default one
        domain: Option<String>,
        /// live, removed, purging or purged
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Make a bucket
    Create {
        /// The new bucket
        bucket: String,
    },
    /// Hide a bucket with all it holds; it can be restored until its grace is over
    Remove {
        /// The bucket
        bucket: String,
        #[command(flatten)]
        removal: Removal,
    },
    /// Bring a removed bucket back with all it held
    Restore {
        /// The bucket; a name means the one removed last
        bucket: String,
        /// Under another name
        #[arg(long = "as", value_name = "NAME")]
        as_name: Option<String>,
        /// Tell what would come back, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// End a removed bucket's grace: this cannot be undone
    Purge {
        /// The bucket; a name means the one removed last
        bucket: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Take out all a bucket holds; it can be restored as a whole
    Empty {
        /// The bucket
        bucket: String,
        /// Why, for whoever asks later
        #[arg(long)]
        reason: Option<String>,
    },
    /// Set how long objects deleted in a bucket from now on can be restored
    Grace {
        /// The bucket
        bucket: String,
        /// A duration, or "default" for the installation's
        grace: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DomainCommand {
    /// List the domains
    List {
        /// live, removed, purging or purged
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Make a domain
    Create {
        /// Its name
        domain: String,
    },
    /// Hide a domain with all it holds; it can be restored until its grace is over
    Remove {
        /// The domain
        domain: String,
        #[command(flatten)]
        removal: Removal,
    },
    /// Bring a removed domain back with all it held
    Restore {
        /// The domain; a name means the one removed last
        domain: String,
        /// Under another name
        #[arg(long = "as", value_name = "NAME")]
        as_name: Option<String>,
        /// Tell what would come back, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// End a removed domain's grace: this cannot be undone
    Purge {
        /// The domain; a name means the one removed last
        domain: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrashCommand {
    /// List what is removed: containers, and how many objects in which bucket; or the objects of one bucket
    List {
        /// Only this bucket's objects
        bucket: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Restore objects of a bucket; or, with nothing but its name, a removed bucket with all it held, as `bucket restore`
    /// does, and with --domain alone a removed domain, as `domain restore` does
    Restore(TrashRestore),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").args(["names", "prefix", "version", "contents"]))]
#[command(group = clap::ArgGroup::new("where").required(true).args(["bucket", "domain"]))]
pub(crate) struct TrashRestore {
    /// The bucket; alone, the removed bucket that comes back, of which a name means the one removed last
    pub(crate) bucket: Option<String>,
    /// A removed domain
    #[arg(long, conflicts_with_all = ["names", "prefix", "version", "contents", "as_of", "replace"])]
    pub(crate) domain: Option<String>,
    /// Names of objects: of each, the version removed last
    pub(crate) names: Vec<String>,
    /// Every removed object whose name begins so
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// This version; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) version: Vec<String>,
    /// All that an emptying took out, by the id that `trash list` shows
    #[arg(long, value_name = "ID")]
    pub(crate) contents: Option<String>,
    /// The bucket, or what --prefix says of it, as it was at this time (2026-03-03T09:00:00Z) or so long ago (2h), as far as
    /// grace reaches. What was written since stays, unless --replace. What was removed and restored since counts as never
    /// removed
    #[arg(long, value_name = "TIME", conflicts_with_all = ["names", "version", "contents", "as_name"])]
    pub(crate) as_of: Option<String>,
    /// Remove what has taken the name meanwhile
    #[arg(long)]
    pub(crate) replace: bool,
    /// One object, or a removed container, under another name; or contents as another bucket
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) as_name: Option<String>,
    /// Tell what would come back, what not and why, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["what", "domain"]))]
pub(crate) struct Why {
    /// The UUID of anything; BUCKET, DOMAIN/BUCKET or DOMAIN/BUCKET/NAME; beside --domain, BUCKET or BUCKET/NAME. What
    /// stands before the first slash is a domain, unless --domain is given
    pub(crate) what: Option<String>,
    /// The name of an object in that bucket
    #[arg(requires = "what")]
    pub(crate) name: Option<String>,
    /// Another domain than the default one; alone, the domain itself
    #[arg(long)]
    pub(crate) domain: Option<String>,
    /// One version of it
    #[arg(long, value_name = "ID", requires = "what")]
    pub(crate) version: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Deletions {
    /// removed, restored, purging or purged
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Only what was removed, or came to its end, since this time (2026-03-03T09:00:00Z), or so long ago (2h)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Go on telling what is removed, restored and purged until interrupted; the newest stands last
    #[arg(long)]
    pub(crate) follow: bool,
    /// At most so many; of --follow, so many of the past
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["uuid", "name"]))]
pub(crate) struct Tombstones {
    /// A domain, a bucket, a version, or an unnamed or alias object: 32 hexadecimal digits
    #[arg(long, conflicts_with_all = ["bucket", "domain", "limit"])]
    pub(crate) uuid: Option<String>,
    /// The name of an object; without --bucket of a bucket, too, and without --domain of a domain, too
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Only objects in buckets of this name, written DOMAIN/BUCKET or, beside --domain, BUCKET
    #[arg(long, requires = "name")]
    pub(crate) bucket: Option<String>,
    /// In another domain than the default one
    #[arg(long, requires = "name")]
    pub(crate) domain: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Changes {
    /// The bucket, written DOMAIN/BUCKET or, beside --domain, BUCKET
    pub(crate) bucket: String,
    /// In another domain than the default one
    #[arg(long)]
    pub(crate) domain: Option<String>,
    /// Only what changed behind this number: the last one of an earlier answer
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) since: u64,
    /// At most so many
    #[arg(long, default_value_t = 1_000, conflicts_with = "follow", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Go on telling what changes and what is purged until interrupted
    #[arg(long)]
    pub(crate) follow: bool,
}

/// What is to be forbidden.
#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// The bucket, written DOMAIN/BUCKET or, beside --domain, BUCKET
    pub(crate) bucket: String,
    /// In another domain than the default one
    #[arg(long)]
    pub(crate) domain: Option<String>,
    /// No version is deleted any more; a delete marker may hide it, and where versions are not kept another may take its place
    #[arg(long)]
    pub(crate) deny_delete: bool,
    /// Nothing is purged any more, and nothing goes before its promised time
    #[arg(long)]
    pub(crate) deny_purge: bool,
    /// Nothing changes any more: nothing is written, deleted or purged. The bucket as a whole can be removed and restored
    #[arg(long)]
    pub(crate) all: bool,
    /// Keep so many versions of a name, or "all"; this can be changed again
    #[arg(long, value_name = "N")]
    pub(crate) max_per_name: Option<String>,
    /// Let whoever may purge take what is older along with a write (the header Nats-Rollup), or not; this can be changed again
    #[arg(long, value_name = "BOOL")]
    pub(crate) allow_rollup: Option<bool>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Followers {
    /// The bucket, written DOMAIN/BUCKET or, beside --domain, BUCKET
    pub(crate) bucket: String,
    /// In another domain than the default one
    #[arg(long)]
    pub(crate) domain: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<FollowersCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FollowersCommand {
    /// Forget a follower, so that nothing is kept for it any more; if it comes back, it may have to begin anew
    Deregister {
        /// What it calls itself
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What goes from where to where.
#[derive(Debug, Args)]
pub(crate) struct Replicate {
    /// The admin door of the source
    #[arg(long, value_name = "URL")]
    pub(crate) from: String,
    /// The admin door of the target
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// The bucket, written DOMAIN/BUCKET or, beside --domain, BUCKET
    #[arg(long)]
    pub(crate) bucket: String,
    /// In another domain than the default one
    #[arg(long)]
    pub(crate) domain: Option<String>,
    /// The bucket at the target, if it is called otherwise there
    #[arg(long, value_name = "BUCKET")]
    pub(crate) to_bucket: Option<String>,
    /// Its domain at the target, if it is called otherwise there
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) to_domain: Option<String>,
    /// Go on with what changes from now on, until interrupted; what fails is tried again
    #[arg(long)]
    pub(crate) continuous: bool,
    /// Purge at the target what was purged at the source by its revisions: only versions that were written there first, up to
    /// the position that the purge names
    #[arg(long)]
    pub(crate) with_purges: bool,
    /// Compare everything, whatever the checkpoint says
    #[arg(long)]
    pub(crate) from_start: bool,
    /// So many changes between two checkpoints
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) batch: u32,
    /// So many objects are carried at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) at_once: u16,
}

/// What to purge, and how.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("container").required(true).args(["bucket", "domain"]))]
pub(crate) struct Purge {
    /// A removed bucket; a name means the one removed last. With --filter, --prefix or --name, a live one
    pub(crate) bucket: Option<String>,
    /// A removed domain instead
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
    /// Show exactly what would be purged and whom it waits for, and a token that stands for it; change nothing
    #[arg(long, conflicts_with_all = ["plan_token", "leave_it", "follow", "wait"])]
    pub(crate) plan: bool,
    /// Purge exactly what --plan has shown, or nothing
    #[arg(long, value_name = "TOKEN")]
    pub(crate) plan_token: Option<String>,
    /// How long to wait for members that have not let go of it
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<String>,
    /// Leave it to the health processor if members have not let go of it
    #[arg(long = "async")]
    pub(crate) leave_it: bool,
    /// Show how it proceeds, until nothing is left
    #[arg(long)]
    pub(crate) follow: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) versions: PurgeVersions,
}

/// Which versions of a live bucket to purge.
#[derive(Debug, Args)]
#[command(next_help_heading = "Versions in a live bucket")]
#[command(group = clap::ArgGroup::new("which").args(["filter", "prefix", "name"])
    .conflicts_with_all(["domain", "plan", "plan_token", "leave_it", "wait"]))]
#[command(group = clap::ArgGroup::new("bound").args(["before_seq", "keep", "keep_per_name", "older_than"]))]
pub(crate) struct PurgeVersions {
    /// Names that this means: `*` is one whole segment between slashes, `>` all the rest; `>` alone is the whole bucket
    #[arg(long)]
    pub(crate) filter: Option<String>,
    /// Names that begin so
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// This name; may be repeated
    #[arg(long)]
    pub(crate) name: Vec<String>,
    /// Only what arrived before this position
    #[arg(long, value_name = "SEQ", requires = "which")]
    pub(crate) before_seq: Option<u64>,
    /// All but so many, the newest of all names together
    #[arg(long, value_name = "N", requires = "which")]
    pub(crate) keep: Option<u64>,
    /// All but so many of each name, the newest
    #[arg(long, value_name = "N", requires = "which")]
    pub(crate) keep_per_name: Option<u64>,
    /// Only what was written so long ago
    #[arg(long, value_name = "DURATION", requires = "which")]
    pub(crate) older_than: Option<String>,
    /// Without grace: nothing of it can be restored
    #[arg(long = "final", requires = "which")]
    pub(crate) is_final: bool,
    /// Tell how many would go, and change nothing
    #[arg(long, requires = "which", conflicts_with_all = ["expect", "follow"])]
    pub(crate) dry_run: bool,
    /// Purge only if so many versions go, as --dry-run has shown
    #[arg(long, value_name = "N", requires = "which")]
    pub(crate) expect: Option<u64>,
    /// Why, for whoever asks later
    #[arg(long, requires = "which")]
    pub(crate) reason: Option<String>,
}

impl PurgeVersions {
    /// Whether versions are meant, and not a container.
    pub(crate) fn is_meant(&self) -> bool {
        self.filter.is_some() || self.prefix.is_some() || !self.name.is_empty()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum MembersCommand {
    /// Declare a member dead: its commits are refused from then on, and it registers anew if it lives
    Fence {
        /// Its id, as `barrow members` shows it
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TasksCommand {
    /// Run one task now
    Run {
        /// Its name
        name: String,
        /// Decide, and stop before doing anything
        #[arg(long)]
        dry_run: bool,
        /// Destroy what the task otherwise keeps, this once: `reconcile`, bytes that no row names
        #[arg(long, conflicts_with = "dry_run")]
        destroy: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_behind_any_command() {
        for line in [
            "barrow --config x.toml --json bucket list",
            "barrow bucket --config x.toml list --json",
            "barrow bucket list --json --config x.toml",
            "barrow serve --config x.toml --json",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            assert_eq!(cli.global.config.as_deref(), Some(std::path::Path::new("x.toml")), "{line}");
            assert!(cli.global.json, "{line}");
        }
    }

    #[test]
    fn restoring_wants_to_know_what() {
        let parsed =
            |line: &str| Cli::try_parse_from(line.split(' ')).map(drop).map_err(|error| error.exit_code());
        assert_eq!(parsed("barrow trash restore photos a b"), Ok(()));
        assert_eq!(parsed("barrow trash restore photos --prefix 2026/"), Ok(()));
        assert_eq!(parsed("barrow trash restore photos --version x --version y"), Ok(()));
        assert_eq!(parsed("barrow trash restore photos"), Ok(()), "the bucket itself");
        assert_eq!(parsed("barrow trash restore --domain acme.example --dry-run"), Ok(()));
        assert_eq!(parsed("barrow trash restore photos --as-of 2h --prefix a --replace --dry-run"), Ok(()));
        assert_eq!(parsed("barrow trash restore"), Err(2));
        assert_eq!(parsed("barrow trash restore photos --domain d"), Err(2));
        assert_eq!(parsed("barrow trash restore --domain d --as-of 2h"), Err(2));
        assert_eq!(parsed("barrow trash restore photos a --as-of 2h"), Err(2));
        assert_eq!(parsed("barrow trash restore photos --version x --as-of 2h"), Err(2));
        assert_eq!(parsed("barrow trash restore photos a --prefix b"), Err(2));
        assert_eq!(parsed("barrow bucket list --limit 0"), Err(2));
    }

    #[test]
    fn why_wants_to_know_of_what() {
        let parsed =
            |line: &str| Cli::try_parse_from(line.split(' ')).map(drop).map_err(|error| error.exit_code());
        assert_eq!(parsed("barrow why photos"), Ok(()));
        assert_eq!(parsed("barrow why photos cat.txt --domain d --version x"), Ok(()));
        assert_eq!(parsed("barrow why --domain d"), Ok(()));
        assert_eq!(parsed("barrow why"), Err(2));
        assert_eq!(parsed("barrow why --domain d --version x"), Err(2));
    }

    #[test]
    fn a_task_is_rehearsed_or_told_to_destroy_and_not_both() {
        let parsed =
            |line: &str| Cli::try_parse_from(line.split(' ')).map(drop).map_err(|error| error.exit_code());
        assert_eq!(parsed("barrow tasks run reconcile --destroy"), Ok(()));
        assert_eq!(parsed("barrow tasks run scrub --dry-run"), Ok(()));
        assert_eq!(parsed("barrow tasks run reconcile --destroy --dry-run"), Err(2));
    }

    #[test]
    fn tombstones_are_looked_for_by_uuid_or_by_name() {
        let parsed =
            |line: &str| Cli::try_parse_from(line.split(' ')).map(drop).map_err(|error| error.exit_code());
        assert_eq!(parsed("barrow tombstones --uuid x"), Ok(()));
        assert_eq!(parsed("barrow tombstones --name x --bucket b --domain d --limit 5"), Ok(()));
        for bad in ["", " --uuid x --name y", " --bucket b", " --uuid x --bucket b", " --uuid x --limit 5"] {
            assert_eq!(parsed(&format!("barrow tombstones{bad}")), Err(2), "{bad}");
        }
    }
}
