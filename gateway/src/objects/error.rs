//! Why a verb did not do what it was asked.

use crate::auth::Denied;
use crate::http::ReadError;
use blobs::BlobError;
use lifecycle::{Refusal, Violation};
use metadata::Failure;

/// Why a verb did not do what it was asked. Nothing has changed, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The lifecycle, a guard or a condition says no.
    #[error("{0}")]
    Refused(Refusal),
    /// The caller may not.
    #[error("{0}")]
    Denied(Denied),
    /// The request's body did not arrive as it should.
    #[error("{0}")]
    Body(ReadError),
    /// The body is not what its digest says.
    #[error("the body's {of} is {is}, not {said} as the request says")]
    Digest {
        /// What was computed.
        of: &'static str,
        /// In the digits of that function.
        is: String,
        /// The same.
        said: String,
    },
    /// The request is malformed.
    #[error("{0}")]
    BadRequest(String),
    /// No room for new bytes.
    #[error("{0}")]
    NoSpace(String),
    /// The database or the store is not there. Worth another try.
    #[error("{0}")]
    Unavailable(String),
    /// This process may not answer at this moment: another member will, and it soon again.
    #[error("{0}")]
    Fenced(String),
    /// What was being read has gone, or this process may not go on: the answer is cut.
    #[error("cut: what was being read was removed, or this member's lease is over")]
    Cut,
    /// A rule of ours is broken.
    #[error("{0}")]
    Violated(Violation),
    /// This is not built.
    #[error("{0} is not implemented")]
    NotImplemented(String),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::Refused(refusal)
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unavailable(failure) => failure.into(),
            denied => Error::Denied(denied),
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Error::Body(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Error::Refused(refusal),
            Failure::NoSpace(text) => Error::NoSpace(text),
            Failure::Violated(violation) => Error::Violated(violation),
            Failure::Fenced(text) => Error::Fenced(text),
            Failure::Unavailable { text, .. } | Failure::Unknown(text) | Failure::Start(text) => {
                Error::Unavailable(text)
            }
        }
    }
}

impl From<BlobError> for Error {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::NoSpace { .. } => Error::NoSpace(error.to_string()),
            BlobError::Missing(_) | BlobError::Damaged { .. } | BlobError::UnknownFormat(_) => {
                Error::Violated(Violation::new("R1", error.to_string()))
            }
            BlobError::AlreadyExists(_) => Error::Violated(Violation::new("R3", error.to_string())),
            BlobError::Unavailable { .. } => Error::Unavailable(error.to_string()),
        }
    }
}
