//! Why a measurement could not be made.

use std::io;
use std::time::Duration;

/// Why a measurement could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The system said no.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system says.
        source: io::Error,
    },
    /// The server answered what makes going on pointless.
    #[error("{doing}: status {status}: {body}")]
    Answer {
        /// What was being done.
        doing: String,
        /// The answer's status.
        status: u16,
        /// The beginning of its body.
        body: String,
    },
    /// A load had answers that were not expected.
    #[error("{doing}: {troubles}")]
    Load {
        /// What was being done.
        doing: String,
        /// How many of which kind.
        troubles: String,
    },
    /// Something did not happen in time.
    #[error("{waiting_for}: not within {}", humantime::format_duration(*limit))]
    Late {
        /// What did not happen.
        waiting_for: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The server ended by itself.
    #[error("the server ended ({status}); the end of its log:\n{log}")]
    Died {
        /// Its exit status.
        status: String,
        /// The last lines it wrote.
        log: String,
    },
    /// The SQLite floor could not be measured.
    #[error("the SQLite floor: {0}")]
    Sqlite(#[from] sqlx::Error),
    /// The command line is not understood.
    #[error("{0}")]
    Usage(String),
}

impl Failed {
    /// Says what was being done when the system said no.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Failed {
        let doing = doing.into();
        move |source| Failed::Io { doing, source }
    }
}
