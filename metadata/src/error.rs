//! Why a call into the metadata did not do what it was asked: three families, never mixed.

use crate::sql::DbError;
use lifecycle::{Refusal, Violation};

/// Why a call did not do what it was asked. In every case nothing has changed, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The client's doing: the lifecycle, a guard or a condition says no.
    #[error("{0}")]
    Refused(Refusal),
    /// The world's doing: the database is gone, busy beyond patience, or answers nonsense. Worth another try.
    #[error("{text}")]
    Unavailable {
        /// What happened.
        text: String,
        /// Whether the database itself asked for the transaction to be run again.
        again: bool,
    },
    /// The world's doing: the database cannot grow. Deleting still works; writing does not.
    #[error("{0}")]
    NoSpace(String),
    /// The connection broke while the commit was under way, and what became of it could not be learned.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
    /// This process may not answer at this moment: its lease is over, or another one has fenced it. Another member will
    /// answer, and this one when it has registered anew.
    #[error("{0}")]
    Fenced(String),
    /// The installation cannot be started like this.
    #[error("{0}")]
    Start(String),
    /// Ours: an invariant does not hold.
    #[error("{0}")]
    Violated(Violation),
}

impl Failure {
    pub(crate) fn start(text: String) -> Self {
        Failure::Start(text)
    }

    /// The same, for somebody else who waited for the same answer.
    pub(crate) fn again(&self) -> Failure {
        match self {
            Failure::Refused(refusal) => Failure::Refused(refusal.clone()),
            Failure::Fenced(text) => Failure::Fenced(text.clone()),
            Failure::NoSpace(text) => Failure::NoSpace(text.clone()),
            Failure::Unavailable { .. } | Failure::Unknown(_) | Failure::Start(_) | Failure::Violated(_) => {
                Failure::Unavailable { text: self.to_string(), again: false }
            }
        }
    }

    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Failure::Refused(refusal) => Some(refusal),
            Failure::Unavailable { .. }
            | Failure::NoSpace(_)
            | Failure::Unknown(_)
            | Failure::Fenced(_)
            | Failure::Start(_)
            | Failure::Violated(_) => None,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Failure::Violated(violation)
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Full(_) => Failure::NoSpace(error.to_string()),
            DbError::Fenced(text) => Failure::Fenced(text),
            DbError::Row(text) => Failure::Violated(Violation::new("R7", text)),
            // No refusal comes from a constraint: run again, the transaction finds by reading what was in its way.
            DbError::Retry(_) | DbError::Unique(_) => {
                Failure::Unavailable { text: error.to_string(), again: true }
            }
            DbError::Gone(_) | DbError::Other(_) => {
                Failure::Unavailable { text: error.to_string(), again: false }
            }
        }
    }
}
