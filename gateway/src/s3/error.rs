//! What each refusal means to an S3 client: AWS's code, its status, and its words where clients look at them.

use crate::auth::Denied;
use crate::http::ReadError;
use crate::objects::Error;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lifecycle::{Refusal, Time};
use metadata::Failure;
use s3s::{S3Error, S3ErrorCode};
use std::borrow::Cow;

/// An error on its way to the client.
pub(super) type Trouble = S3Error;

/// Codes that `s3s` does not know, with their statuses.
const MORE: [(&str, StatusCode); 13] = [
    ("NoSuchConfiguration", StatusCode::NOT_FOUND),
    ("RemovalNotConfirmed", StatusCode::CONFLICT),
    ("AccessForbidden", StatusCode::FORBIDDEN),
    ("BadRequest", StatusCode::BAD_REQUEST),
    ("ConditionalRequestConflict", StatusCode::CONFLICT),
    ("InvalidPartNumber", StatusCode::RANGE_NOT_SATISFIABLE),
    ("XAmzContentSHA256Mismatch", StatusCode::BAD_REQUEST),
    ("InsufficientStorage", StatusCode::INSUFFICIENT_STORAGE),
    ("NoSuchDomain", StatusCode::NOT_FOUND),
    ("NoSuchPublicAccessBlockConfiguration", StatusCode::NOT_FOUND),
    ("QuotaExceeded", StatusCode::FORBIDDEN),
    ("AuthorizationQueryParametersError", StatusCode::BAD_REQUEST),
    ("AuthorizationHeaderMalformed", StatusCode::BAD_REQUEST),
];

/// An error by its code.
pub(super) fn trouble(code: &'static str, message: impl Into<Cow<'static, str>>) -> Trouble {
    let known = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let status = known.status_code();
    let mut error = S3Error::with_message(known, message);
    if status.is_none() {
        let more = MORE.iter().find(|(known, _)| *known == code);
        error.set_status_code(more.map_or(StatusCode::BAD_REQUEST, |(_, status)| *status));
    }
    error
}

/// Something that is not built, by name.
pub(super) fn unbuilt(what: &str) -> Trouble {
    trouble("NotImplemented", format!("{what} is not implemented."))
}

/// The same with headers of its own.
pub(super) fn with(mut error: Trouble, headers: &[(&'static str, String)]) -> Trouble {
    let mut map: HeaderMap = error.headers().cloned().unwrap_or_default();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            map.insert(HeaderName::from_static(name), value);
        }
    }
    error.set_headers(map);
    error
}

/// What AWS says where a lock stands against a deletion.
const LOCKED: &str = "Access Denied because object protected by object lock.";

/// No such key.
pub(super) fn no_such_key() -> Trouble {
    trouble("NoSuchKey", "The specified key does not exist.")
}

/// No such bucket.
pub(super) fn no_such_bucket() -> Trouble {
    trouble("NoSuchBucket", "The specified bucket does not exist")
}

/// No such upload.
pub(super) fn no_such_upload() -> Trouble {
    trouble(
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    )
}

/// Something a client may not do.
pub(super) fn denied(why: impl Into<Cow<'static, str>>) -> Trouble {
    trouble("AccessDenied", why)
}

/// An argument that does not mean anything.
pub(super) fn invalid(why: impl Into<Cow<'static, str>>) -> Trouble {
    trouble("InvalidArgument", why)
}

/// A document that is not what it should be.
pub(super) fn malformed() -> Trouble {
    trouble(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// What a refusal means to an S3 client. Exhaustive: a new refusal does not compile until it is said here.
pub(super) fn refused(refusal: &Refusal) -> Trouble {
    let text = refusal.to_string();
    match refusal {
        Refusal::NoSuchDomain | Refusal::NoSuchBucket | Refusal::ContainerGone => no_such_bucket(),
        Refusal::NoSuchObject { marker: None } => no_such_key(),
        Refusal::NoSuchObject { marker: Some(marker) } => with(
            no_such_key(),
            &[("x-amz-delete-marker", "true".to_owned()), ("x-amz-version-id", marker.to_string())],
        ),
        Refusal::NoSuchVersion => trouble("NoSuchVersion", "The specified version does not exist."),
        Refusal::NoSuchUpload => no_such_upload(),
        Refusal::NoSuchPart { .. } => trouble(
            "InvalidPart",
            "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified \
             entity tag may not match the part's entity tag.",
        ),
        Refusal::QuotaExceeded(_) => trouble("QuotaExceeded", text),
        Refusal::Unknown
        | Refusal::NoSuchAccount
        | Refusal::AccountInUse { .. }
        | Refusal::NotPublished
        | Refusal::AlreadyLive
        | Refusal::AlreadyRemoved
        | Refusal::NotRemoved
        | Refusal::NotPurging
        | Refusal::PurgeStarted
        | Refusal::Purged
        | Refusal::ContainerNotPurging
        | Refusal::Claimed
        | Refusal::NotDue { .. }
        | Refusal::WrongParent
        | Refusal::BarrierOpen(_)
        | Refusal::PlanChanged
        | Refusal::HistoryTruncated { .. }
        | Refusal::CursorOutOfRange { .. }
        | Refusal::WrongKind => trouble("InvalidRequest", text),
        // Whatever spelled the guard: to S3's clients it is a lock.
        Refusal::Guarded { until, hold } => match until {
            Some(until) if !hold && *until != Time::NEVER => {
                with(denied(LOCKED), &[("barrow-guarded-until", until.to_http_date())])
            }
            Some(_) | None => denied(LOCKED),
        },
        Refusal::GuardShortened
        | Refusal::HoldsGuarded { .. }
        | Refusal::Sealed(_)
        | Refusal::SealBroken
        | Refusal::Reserved(_)
        | Refusal::Immutable
        | Refusal::Protected => denied(text),
        Refusal::NotAllowed { .. } => {
            trouble("MethodNotAllowed", "The specified method is not allowed against this resource.")
        }
        Refusal::NameInUse | Refusal::NameReserved => trouble(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please \
             select a different name and try again.",
        ),
        Refusal::NotEmpty => trouble("BucketNotEmpty", "The bucket you tried to delete is not empty"),
        Refusal::ConditionFailed { .. } => precondition_failed(),
        Refusal::Conflict => trouble(
            "OperationAborted",
            "A conflicting conditional operation is currently in progress against this resource. Please try again.",
        ),
    }
}

/// 412.
pub(super) fn precondition_failed() -> Trouble {
    trouble("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

/// What a verb's error means to an S3 client.
pub(super) fn failed(error: Error) -> Trouble {
    let text = error.to_string();
    match error {
        Error::Refused(refusal) => refused(&refusal),
        Error::Denied(denied) => not_allowed(denied),
        Error::Body(error) => unread(&error),
        Error::Digest { of: "MD5", .. } => {
            bad_digest("The Content-MD5 you specified did not match what we received.".to_owned())
        }
        Error::Digest { of, .. } => {
            bad_digest(format!("The {of} you specified did not match the calculated checksum."))
        }
        Error::BadRequest(_) => trouble("InvalidRequest", text),
        Error::NoSpace(_) => trouble("InsufficientStorage", text),
        Error::Fenced(_) | Error::Cut => {
            tracing::warn!(error = %text, "a request could not be served");
            with(
                trouble("SlowDown", "This member cannot answer now. Please try again."),
                &[("retry-after", "1".to_owned())],
            )
        }
        Error::Unavailable(_) => {
            tracing::warn!(error = %text, "a request could not be served");
            with(
                trouble("ServiceUnavailable", "The request cannot be served now. Please try again."),
                &[("retry-after", "1".to_owned())],
            )
        }
        Error::Violated(violation) => {
            tracing::error!(rule = violation.rule, finding = %violation.finding, "an invariant is broken");
            trouble("InternalError", "We encountered an internal error; it has been logged.")
        }
        Error::NotImplemented(_) => trouble("NotImplemented", text),
    }
}

/// The content is not what its digest says.
pub(super) fn bad_digest(text: String) -> Trouble {
    trouble("BadDigest", text)
}

/// What a body that did not arrive means.
pub(super) fn unread(error: &ReadError) -> Trouble {
    let text = error.to_string();
    match error {
        ReadError::TooSlow { .. } => trouble("RequestTimeout", text),
        ReadError::Disconnected | ReadError::Malformed(_) => trouble(
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header.",
        ),
        ReadError::TooLarge { .. } => trouble("MaxMessageLengthExceeded", text),
    }
}

/// Why somebody may not.
pub(super) fn not_allowed(refused: Denied) -> Trouble {
    match refused {
        Denied::Missing | Denied::Lacks { .. } => denied("Access Denied"),
        Denied::Invalid | Denied::Stale => {
            trouble("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        }
        Denied::Reserved(text) => denied(text),
        Denied::Unavailable(failure) => failed(failure.into()),
    }
}

/// A verb's error, a database's or a refusal, as an S3 client hears of it.
pub(super) trait Told<T> {
    /// Turns it.
    fn told(self) -> Result<T, Trouble>;
}

impl<T> Told<T> for Result<T, Error> {
    fn told(self) -> Result<T, Trouble> {
        self.map_err(failed)
    }
}

impl<T> Told<T> for Result<T, Failure> {
    fn told(self) -> Result<T, Trouble> {
        self.map_err(|failure| failed(failure.into()))
    }
}

impl<T> Told<T> for Result<T, Denied> {
    fn told(self) -> Result<T, Trouble> {
        self.map_err(not_allowed)
    }
}
