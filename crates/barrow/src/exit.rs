//! How a command ends.

use crate::config::Problems;
use std::process::ExitCode;

/// What the shell is told. `barrow --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for is done.
    Done = 0,
    /// It failed, was refused, or was not confirmed.
    Refused = 1,
    /// The command line or the configuration cannot be used.
    Usage = 2,
    /// A check found violations.
    Violations = 3,
    /// The admin door does not answer.
    Unreachable = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// The configuration cannot be used.
    #[error("{0}")]
    Config(Problems),
    /// The command line cannot be used.
    #[error("{0}")]
    Usage(String),
    /// Somebody said no: the server, or whoever was asked to confirm.
    #[error("{0}")]
    Refused(String),
    /// The server did not start, or ended by itself.
    #[error("{0}")]
    Server(String),
    /// Nobody answers at the admin door.
    #[error("{0}")]
    Unreachable(String),
}

impl Failed {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failed::Config(_) | Failed::Usage(_) => Exit::Usage,
            Failed::Refused(_) | Failed::Server(_) => Exit::Refused,
            Failed::Unreachable(_) => Exit::Unreachable,
        }
    }
}
