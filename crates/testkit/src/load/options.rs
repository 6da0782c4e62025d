//! The command line.

use super::error::Failed;
use std::path::PathBuf;
use std::time::Duration;

/// How much to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// About a minute: enough to see that something broke.
    Quick,
    /// A few minutes.
    Usual,
    /// With a million objects, and one of 5 GiB.
    Full,
}

impl Scale {
    /// The most time for one load.
    pub fn load_time(self) -> Duration {
        match self {
            Scale::Quick => Duration::from_millis(400),
            Scale::Usual | Scale::Full => Duration::from_secs(3),
        }
    }

    /// The sizes of buckets to remove and restore.
    pub fn buckets(self) -> &'static [u64] {
        match self {
            Scale::Quick => &[1_000, 10_000],
            Scale::Usual => &[1_000, 100_000],
            Scale::Full => &[1_000, 100_000, 1_000_000],
        }
    }

    /// How many objects are in each folder of the listing with a delimiter.
    pub fn objects_in_folder(self) -> u64 {
        match self {
            Scale::Quick => 3,
            Scale::Usual | Scale::Full => 30,
        }
    }

    /// How many objects of 64 MiB to write at most.
    pub fn largest_objects(self) -> u64 {
        match self {
            Scale::Quick => 4,
            Scale::Usual | Scale::Full => 8,
        }
    }

    /// The bytes of an object uploaded in parts.
    pub fn multipart(self) -> u64 {
        match self {
            Scale::Quick => 64 << 20,
            Scale::Usual => 256 << 20,
            Scale::Full => 1 << 30,
        }
    }

    /// The bytes of an object written and read at once; `None` for not at all.
    pub fn whole(self) -> Option<u64> {
        match self {
            Scale::Quick | Scale::Usual => None,
            Scale::Full => Some(5 << 30),
        }
    }

    /// How many versions to purge in bulk.
    pub fn purged_versions(self) -> u64 {
        match self {
            Scale::Quick => 5_000,
            Scale::Usual => 100_000,
            Scale::Full => 1_000_000,
        }
    }

    /// How many containers to purge under the eyes of three members.
    pub fn purges(self) -> usize {
        match self {
            Scale::Quick => 25,
            Scale::Usual | Scale::Full => 100,
        }
    }

    /// How many inline objects and how many files to reclaim.
    pub fn reclaimed(self) -> (u64, u64) {
        match self {
            Scale::Quick => (4_000, 400),
            Scale::Usual => (30_000, 3_000),
            Scale::Full => (100_000, 10_000),
        }
    }
}

/// A part of a run that makes sense alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// Purges of versions, and following changes.
    Purges,
    /// Rules that let objects go, and what a policy costs.
    Rules,
    /// Three members on one database, which must be Postgres.
    Cluster,
}

/// What the command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The program under test.
    pub server: PathBuf,
    /// Where its files go, in a fresh directory that is removed at the end. On the disk to be measured: a directory in
    /// memory makes every fsync free.
    pub dir: PathBuf,
    /// The metadata database; `None` for SQLite.
    pub metadata: Option<String>,
    /// How much to measure.
    pub scale: Scale,
    /// Whether a broken promise is a failure.
    pub check: bool,
    /// Only this is measured, and no promise is judged.
    pub only: Option<Only>,
}

/// What `--help` says.
pub const HELP: &str = "\
barrow-bench [--quick | --full] [--metadata URL] [--server PROGRAM] [--dir DIR] [--check]

  --quick          about a minute
  --full           with a million objects, and one of 5 GiB
  --metadata URL   on this database instead of SQLite; an empty one, postgres://user@host/db
  --server PROGRAM the program under test (target/release/barrow)
  --dir DIR        where its files go, on the disk to be measured (target)
  --only-purges    measure purges of versions alone, and judge nothing
  --only-rules     the same with lifecycle rules and policies
  --only-cluster   the same with three members, beside --metadata
  --check          exit with 1 if a promise is not kept
";

impl Options {
    /// Reads the arguments, the program's own name left out.
    ///
    /// # Errors
    /// [`Failed::Usage`] naming the argument that is not understood.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, Failed> {
        let mut options = Options {
            server: PathBuf::from("target/release/barrow"),
            dir: PathBuf::from("target"),
            metadata: None,
            scale: Scale::Usual,
            check: false,
            only: None,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = |what: &str| {
                arguments.next().ok_or_else(|| Failed::Usage(format!("{argument} needs {what}\n\n{HELP}")))
            };
            match argument.as_str() {
                "--quick" => options.scale = Scale::Quick,
                "--full" => options.scale = Scale::Full,
                "--metadata" => options.metadata = Some(value("a URL")?),
                "--server" => options.server = PathBuf::from(value("a program")?),
                "--dir" => options.dir = PathBuf::from(value("a directory")?),
                "--check" => options.check = true,
                "--only-purges" => options.only = Some(Only::Purges),
                "--only-rules" => options.only = Some(Only::Rules),
                "--only-cluster" => options.only = Some(Only::Cluster),
                _ => return Err(Failed::Usage(format!("{argument} is not understood\n\n{HELP}"))),
            }
        }
        if options.only == Some(Only::Cluster) && options.metadata.is_none() {
            return Err(Failed::Usage(format!(
                "--only-cluster needs --metadata: several members share it\n\n{HELP}"
            )));
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_or_refused_by_name() {
        let parse = |line: &str| Options::parse(line.split_whitespace().map(str::to_owned));
        let options = parse("--quick --metadata postgres://x/y --server ./barrow --dir /d --check").unwrap();
        assert_eq!((options.scale, options.check), (Scale::Quick, true));
        assert_eq!(options.metadata.as_deref(), Some("postgres://x/y"));
        assert!(
            parse("--only-cluster").unwrap_err().to_string().starts_with("--only-cluster needs --metadata")
        );
        assert!(parse("--fast").unwrap_err().to_string().starts_with("--fast is not understood"));
        assert!(parse("--server").unwrap_err().to_string().starts_with("--server needs a program"));
        assert_eq!(parse("").unwrap().scale, Scale::Usual);
    }
}
