//! The command lines of `barrow index` and `barrow search`.

use clap::Args;
use std::path::PathBuf;

/// Which bucket's index, and where it is.
#[derive(Debug, Args)]
pub(crate) struct Indexed {
    /// The bucket, written DOMAIN/BUCKET or, beside --domain, BUCKET
    pub(crate) bucket: String,
    /// Another domain than the default one
    #[arg(long)]
    pub(crate) domain: Option<String>,
    /// Where the index is [default: DATA_DIR/index/DOMAIN/BUCKET.db, or ./barrow-index/DOMAIN/BUCKET.db where this machine
    /// has no data directory]
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
}

const INDEX_HELP: &str = "\
The index is one SQLite file, which only its owner can read. It is a follower of the bucket: it reads what was changed and
what was purged since it was brought up to date last, wherever it was interrupted. Names that were deleted or purged are
taken out, and when it has caught up after a purge, their text is not in the file any more. Where the server does not
remember what happened since, it begins anew, and says so. It can be lost: it is made again.

As long as it is registered, the server keeps what it has not read yet. When it is no longer wanted, --remove takes it off
the register and deletes the file.";

#[derive(Debug, Args)]
#[command(after_help = INDEX_HELP)]
pub(crate) struct Index {
    #[command(flatten)]
    pub(crate) of: Indexed,
    /// Go on keeping it up to date until interrupted
    #[arg(long)]
    pub(crate) follow: bool,
    /// Empty it first and read everything again
    #[arg(long)]
    pub(crate) rebuild: bool,
    /// Take it off the server's register of followers, and delete the file
    #[arg(long, conflicts_with_all = ["follow", "rebuild"])]
    pub(crate) remove: bool,
}

const SEARCH_HELP: &str = "\
Words stand side by side (all must be there) or with AND, OR and NOT between them; invoi* is a beginning of words, and
\"red car\" are words in this order. Words are cut at whatever is neither letter nor digit, and what has such characters goes
between double quotes: '\"cat.jpg\"'. Capitals and accents make no difference. One column alone: name:, type:, headers: or
tags:, as in 'tags: red'.

The index is brought up to date first, and made if there is none. What is deleted, removed or purged when the search begins
is not found.";

#[derive(Debug, Args)]
#[command(after_help = SEARCH_HELP)]
pub(crate) struct Search {
    #[command(flatten)]
    pub(crate) of: Indexed,
    /// What is searched for
    pub(crate) query: String,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Search what the index holds, without asking the server; says how old that is
    #[arg(long)]
    pub(crate) stale: bool,
}
