//! Replies as JetStream writes them, and the number of each refusal.

use crate::admin::error::Complaint;
use crate::http::Body;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use lifecycle::{Refusal, Sealed};
use schemars::JsonSchema;
use serde::Serialize;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "StreamError")]
pub(in crate::admin) struct ErrorView {
    /// The status.
    code: u16,
    /// JetStream's own number; 0 for what it has none for.
    err_code: u16,
    description: String,
}

/// A reply that says no.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StreamRefused")]
pub(in crate::admin) struct Refused {
    #[serde(rename = "type")]
    kind: &'static str,
    error: ErrorView,
    /// Of a purge: nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    purged: Option<u64>,
}

/// A call, for the words and numbers of its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) enum Call {
    Purge,
    DeleteMessage,
    Info,
    Update,
    DeleteStream,
}

impl Call {
    /// What replies to it are.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Call::Purge => "io.nats.jetstream.api.v1.stream_purge_response",
            Call::DeleteMessage => "io.nats.jetstream.api.v1.stream_msg_delete_response",
            Call::Info => "io.nats.jetstream.api.v1.stream_info_response",
            Call::Update => "io.nats.jetstream.api.v1.stream_update_response",
            Call::DeleteStream => "io.nats.jetstream.api.v1.stream_delete_response",
        }
    }
}

/// A status, JetStream's number, and our own word for it.
type Word = (StatusCode, u16, &'static str);

/// The payload is no JSON of the call's.
pub(super) const BAD_JSON: Word = (StatusCode::BAD_REQUEST, 10_025, "BadRequest");
/// The payload is one, and cannot be meant.
pub(super) const BAD_REQUEST: Word = (StatusCode::BAD_REQUEST, 10_003, "BadRequest");
/// No live bucket has this name.
pub(super) const NO_STREAM: Word = (StatusCode::NOT_FOUND, 10_059, "NoSuchBucket");
/// No live version is at this position.
pub(super) const NO_MESSAGE: Word = (StatusCode::BAD_REQUEST, 10_043, "NoSuchVersion");
/// The version is protected.
pub(super) const NOT_DELETED: Word = (StatusCode::INTERNAL_SERVER_ERROR, 10_057, "Guarded");
/// Nothing in the bucket changes any more.
const SEALED: Word = (StatusCode::BAD_REQUEST, 10_109, "Sealed");
/// The stream cannot become that.
pub(super) const BAD_CONFIG: Word = (StatusCode::INTERNAL_SERVER_ERROR, 10_052, "SealBroken");
/// The bucket holds what is protected.
const NOT_PURGED: Word = (StatusCode::INTERNAL_SERVER_ERROR, 10_110, "Guarded");
const GENERAL: Word = (StatusCode::INTERNAL_SERVER_ERROR, 10_051, "Unavailable");
const NOT_AVAILABLE: Word = (StatusCode::SERVICE_UNAVAILABLE, 10_008, "Unavailable");

/// An answer that says no, in JetStream's words.
pub(super) fn complain((status, number, word): Word, description: impl Into<String>) -> Complaint {
    Complaint::new(status, word, description).numbered(number)
}

/// The status and number of what went wrong. Exhaustive: a new refusal does not compile until it is said here.
fn number(call: Call, complaint: &Complaint) -> (StatusCode, u16) {
    if let Some(number) = complaint.number() {
        return (complaint.status, number);
    }
    let protected = if call == Call::DeleteMessage { NOT_DELETED } else { NOT_PURGED };
    let Some(refusal) = complaint.refusal() else {
        let (status, number, _) = match complaint.status {
            StatusCode::BAD_REQUEST => BAD_REQUEST,
            StatusCode::SERVICE_UNAVAILABLE => NOT_AVAILABLE,
            StatusCode::INTERNAL_SERVER_ERROR => GENERAL,
            status => return (status, 0),
        };
        return (status, number);
    };
    let (status, number, _) = match refusal {
        Refusal::NoSuchDomain
        | Refusal::NoSuchBucket
        | Refusal::Unknown
        | Refusal::ContainerGone
        | Refusal::AlreadyRemoved
        | Refusal::PurgeStarted
        | Refusal::Purged => NO_STREAM,
        Refusal::NoSuchObject { .. } | Refusal::NoSuchVersion => NO_MESSAGE,
        Refusal::Guarded { .. }
        | Refusal::GuardShortened
        | Refusal::HoldsGuarded { .. }
        | Refusal::NotAllowed { .. }
        | Refusal::Reserved(_)
        | Refusal::Protected => protected,
        Refusal::Sealed(Sealed::Changes) => SEALED,
        Refusal::Sealed(Sealed::Deletes | Sealed::Purges) => protected,
        Refusal::SealBroken | Refusal::Sealed(Sealed::RollUps) => BAD_CONFIG,
        Refusal::NoSuchUpload
        | Refusal::NoSuchPart { .. }
        | Refusal::NotPublished
        | Refusal::AlreadyLive
        | Refusal::NotRemoved
        | Refusal::NotPurging
        | Refusal::ContainerNotPurging
        | Refusal::Claimed
        | Refusal::NotDue { .. }
        | Refusal::NameInUse
        | Refusal::NameReserved
        | Refusal::NotEmpty
        | Refusal::NoSuchAccount
        | Refusal::AccountInUse { .. }
        | Refusal::QuotaExceeded(_)
        | Refusal::WrongParent
        | Refusal::WrongKind
        | Refusal::Immutable
        | Refusal::ConditionFailed { .. }
        | Refusal::Conflict
        | Refusal::BarrierOpen(_)
        | Refusal::PlanChanged
        | Refusal::HistoryTruncated { .. }
        | Refusal::CursorOutOfRange { .. } => GENERAL,
    };
    (status, number)
}

/// The whole answer to a call that was refused.
pub(in crate::admin) fn refused(call: Call, complaint: Complaint) -> Response<Body> {
    let (status, err_code) = number(call, &complaint);
    let error = ErrorView { code: status.as_u16(), err_code, description: complaint.message.clone() };
    let purged = (call == Call::Purge).then_some(0);
    let body = serde_json::json!(Refused { kind: call.kind(), error, purged });
    // What else the status asks for, such as a challenge, is as everywhere.
    let mut response = complaint.with_status(status).answer();
    *response.body_mut() = Body::from(format!("{body}\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
