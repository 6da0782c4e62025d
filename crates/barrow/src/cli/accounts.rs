//! `barrow account`, `barrow key` and `barrow quota`.

use super::Listing;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Make an account; it has no keys yet
    Create {
        /// Its name: letters, digits and ._@+-
        name: String,
        /// What others are shown; without it, the name
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        /// Where its holder is reached
        #[arg(long)]
        email: Option<String>,
    },
    /// List accounts
    List {
        #[command(flatten)]
        listing: Listing,
    },
    /// Show an account, its keys and what it holds
    Show {
        /// Its name or id
        account: String,
    },
    /// Give an account another name; what belongs to it goes on belonging to it
    Rename {
        /// Its name or id
        account: String,
        /// The new name
        name: Option<String>,
        /// What others are shown from now on
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        /// Where its holder is reached from now on; "" for nowhere
        #[arg(long)]
        email: Option<String>,
    },
    /// Refuse all keys of an account until it is enabled
    Disable {
        /// Its name or id
        account: String,
    },
    /// Accept the keys of an account again
    Enable {
        /// Its name or id
        account: String,
    },
    /// Delete an account that has no bucket, and no key that is not revoked
    Delete {
        /// Its name or id
        account: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; its secret is shown once
    Create {
        /// Any of read, write, delete, delete-version, remove, restore, purge, bypass-governance, import, admin; of an
        /// account's key all that S3 knows, if nothing is said
        #[arg(long, value_name = "RIGHT,RIGHT", required_unless_present = "account")]
        rights: Option<String>,
        /// What to call it
        #[arg(long, default_value = "")]
        label: String,
        /// Whose it is to be, by name or id; it holds its rights in what that account owns
        #[arg(long, conflicts_with_all = ["domain", "bucket"])]
        account: Option<String>,
        /// Only in this domain
        #[arg(long)]
        domain: Option<String>,
        /// Only in this bucket, written DOMAIN/BUCKET or, beside --domain, BUCKET
        #[arg(long)]
        bucket: Option<String>,
        /// How long it is accepted; without it, until it is revoked
        #[arg(long, value_name = "DURATION")]
        expires_in: Option<String>,
        #[command(flatten)]
        given: Given,
    },
    /// List all keys
    List {
        /// Only those of this account
        #[arg(long)]
        account: Option<String>,
    },
    /// Make a key that may do what another may, and end that one; the new secret is shown once
    Rotate {
        /// The key that is to end
        id: String,
        /// How long the old key is accepted beside the new one; without it, it is disabled at once
        #[arg(long, value_name = "DURATION")]
        old_expires_in: Option<String>,
        /// How long the new one is accepted; without it, until it is revoked
        #[arg(long, value_name = "DURATION")]
        expires_in: Option<String>,
        #[command(flatten)]
        given: Given,
    },
    /// Refuse a key until it is enabled
    Disable {
        /// The key
        id: String,
    },
    /// Accept a disabled key again
    Enable {
        /// The key
        id: String,
    },
    /// Let a key end by itself
    Expire {
        /// The key
        id: String,
        /// In how long
        #[arg(long, value_name = "DURATION")]
        after: String,
    },
    /// End a key at once and for good
    Revoke {
        /// The key
        id: String,
    },
}

/// A key and its secret that are in use elsewhere already.
#[derive(Debug, Args)]
pub(crate) struct Given {
    /// Not a fresh key, but this one
    #[arg(long, value_name = "KEY", requires = "secret_key")]
    pub(crate) access_key: Option<String>,
    /// Its secret; "-" reads it from standard input, where no list of processes shows it
    #[arg(long, value_name = "SECRET", requires = "access_key")]
    pub(crate) secret_key: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuotaCommand {
    /// Show a quota, and how much of it is used
    Show(Holder),
    /// Set how much a bucket or an account may hold; what is there already stays
    Set {
        #[command(flatten)]
        holder: Holder,
        /// The most objects; every version counts as one
        #[arg(long, value_name = "NUMBER", required_unless_present = "bytes")]
        objects: Option<u64>,
        /// The most bytes, such as 10GiB
        #[arg(long, value_name = "SIZE")]
        bytes: Option<String>,
        /// What counts
        #[arg(long, value_enum, default_value_t)]
        counting: Counting,
    },
    /// Lift a quota
    Clear(Holder),
}

/// Whose quota.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Holder {
    /// A bucket, written BUCKET or DOMAIN/BUCKET
    pub(crate) bucket: Option<String>,
    /// Not a bucket's, but that of this account in all of its buckets
    #[arg(long)]
    pub(crate) account: Option<String>,
}

/// What counts to a quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Counting {
    /// What is live: a delete makes room at once
    #[default]
    Live,
    /// What can still be restored as well: room is made when the grace ends
    #[value(name = "live+removed")]
    LiveAndRemoved,
}

impl Counting {
    /// The word at the admin door.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Counting::Live => "live",
            Counting::LiveAndRemoved => "live+removed",
        }
    }
}
