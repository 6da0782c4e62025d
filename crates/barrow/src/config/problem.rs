//! What is wrong with a configuration, told so that it can be put right without looking anything up.

use std::fmt;
use std::path::PathBuf;

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody gave it.
    Default,
    /// In this file.
    File(PathBuf),
    /// In this environment variable.
    Environment(String),
    /// On the command line.
    CommandLine,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File(path) => write!(f, "file {}", path.display()),
            Source::Environment(variable) => write!(f, "environment {variable}"),
            Source::CommandLine => f.write_str("command line"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read or is not TOML.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system or the TOML parser says.
        reason: String,
    },
    /// No setting has this name.
    #[error("{key}: no such setting ({place}); the nearest is {nearest}")]
    Unknown {
        /// The name as given.
        key: String,
        /// Where it was given.
        place: Source,
        /// The known name most like it.
        nearest: String,
    },
    /// The value is not allowed.
    #[error("{key} = {value} ({place}): allowed is {allowed}")]
    BadValue {
        /// The setting.
        key: String,
        /// The value as given; hidden if it is a secret.
        value: String,
        /// Where it was given.
        place: Source,
        /// What is allowed.
        allowed: String,
    },
    /// One place gives the setting more than once, under its own name or its SCSP name.
    #[error("{key}: given twice, as {first} and as {second} ({place}); keep one")]
    Twice {
        /// The setting.
        key: String,
        /// One name it was given under.
        first: String,
        /// The other.
        second: String,
        /// Where.
        place: Source,
    },
    /// A secret stands where others can read it.
    #[error("{key} ({place}): it is taken only from the environment, as {variable}")]
    EnvironmentOnly {
        /// The setting.
        key: String,
        /// Where it was given.
        place: Source,
        /// The variable to use instead.
        variable: String,
    },
    /// Values that are good each by itself contradict one another.
    #[error("{}: {what}", keys.join(", "))]
    Clash {
        /// The settings.
        keys: Vec<String>,
        /// What is wrong, and what to do.
        what: String,
    },
}

/// All that is wrong with a configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn new(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Problems(problems))
    }

    /// Each problem, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => write!(f, "the configuration has a problem: {only}"),
            many => {
                write!(f, "the configuration has {} problems:", many.len())?;
                many.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for Problems {}
