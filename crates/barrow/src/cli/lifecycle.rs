//! The command line of `barrow lifecycle`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

const LIFECYCLE_HELP: &str = "\
A FILE holds the configuration as S3's clients have it: XML, or the JSON of `aws s3api get-bucket-lifecycle-configuration`.
Rules that SCSP's header Policy-Lifecycle says of the bucket are in force beside those of the configuration, and stay as they
are. What rules let go is removed like anything deleted: it can be restored until the bucket's grace is over.";

#[derive(Debug, Args)]
#[command(after_help = LIFECYCLE_HELP)]
pub(crate) struct Lifecycle {
    #[command(subcommand)]
    pub(crate) command: LifecycleCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LifecycleCommand {
    /// Show what a bucket is told of its lifecycle, and what is in force
    Show {
        /// The bucket
        bucket: String,
    },
    /// Show how far the versions of a bucket are planned by its rules
    Status {
        /// The bucket
        bucket: String,
    },
    /// Count what a configuration would let go, and when; nothing is changed
    Preview {
        /// The bucket
        bucket: String,
        /// The configuration
        file: PathBuf,
        /// How far to look ahead
        #[arg(long, value_name = "DURATION", default_value = "90days")]
        horizon: String,
    },
    /// Put a configuration into force, in the place of the one that is
    Set {
        /// The bucket
        bucket: String,
        /// The configuration
        file: PathBuf,
        /// So many objects may go because of it within a day, as the preview counts them
        #[arg(long, value_name = "OBJECTS")]
        confirm: Option<u64>,
    },
    /// Take the configuration back
    Delete {
        /// The bucket
        bucket: String,
    },
}
