//! What goes wrong, as the operator reads it: a status, a code, the state the thing is in, and the next command.

use super::couch::CouchRefused;
use super::openapi::written;
use super::view::BarrierOpenView;
use crate::auth::Denied;
use crate::http::{BadTarget, Body, ReadError};
use crate::metrics::Metrics;
use crate::objects::Error;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, Response, StatusCode};
use lifecycle::{Refusal, State};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// How soon members that are waited for may have let go.
const RETRY: Duration = Duration::from_millis(500);

/// The code of what no path leads to.
const NO_SUCH_PATH: &str = "NoSuchPath";

/// An answer that says no.
#[derive(Debug)]
pub(super) struct Complaint {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// The state that stands in the way.
    state: Option<State>,
    /// What to do next.
    hint: Option<&'static str>,
    /// Why a container's call answers `ERR`.
    reason: Option<&'static str>,
    /// Nothing more is read from this connection.
    close: bool,
    refusal: Option<Box<Refusal>>,
    /// What few complaints have.
    aside: Box<Aside>,
}

/// What few complaints have: apart, so that all of them are small.
#[derive(Debug, Default)]
struct Aside {
    /// The container that stands in the way.
    target: Option<String>,
    /// When to try again.
    retry_after: Option<Duration>,
    /// More, in fields.
    details: Option<Value>,
    /// For 405.
    allow: Option<String>,
    /// The rule that is broken.
    rule: Option<&'static str>,
    /// The number of it in a message stream's words.
    number: Option<u16>,
    /// The couch door's word for it: then that is how it is written.
    couch: Option<&'static str>,
}

/// What went wrong: with the request, or with one item of many.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Complaint")]
pub(super) struct Told {
    /// One word for it.
    code: &'static str,
    message: String,
    /// The state that stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<written::State>")]
    state: Option<State>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
    /// Why it is `ERR`, where the code says no more than that.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The container that stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// When to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    /// Of `BARRIERNOTSATISFIED`: whom the purge waits for. Of `PURGEHISTORYTRUNCATED` and `CHANGESTRUNCATED`: where what is
    /// kept begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Details>")]
    details: Option<Value>,
}

/// More of a complaint, in fields.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "never made: it describes what is written in several places")]
enum Details {
    Barrier(BarrierOpenView),
    History(super::view::KeptView),
}

/// An answer that says no.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Refused {
    error: Told,
}

impl Complaint {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Complaint {
            status,
            code,
            message: message.into(),
            state: None,
            hint: None,
            reason: None,
            close: false,
            refusal: None,
            aside: Box::default(),
        }
    }

    /// The methods that are possible, of a 405.
    #[cfg(test)]
    pub(super) fn allowed(&self) -> Option<&str> {
        self.aside.allow.as_deref()
    }

    fn with(mut self, set: impl FnOnce(&mut Aside)) -> Self {
        set(&mut self.aside);
        self
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Complaint::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn no_such_path(path: &str) -> Self {
        let path: String = path.chars().take(200).collect();
        Complaint::new(StatusCode::NOT_FOUND, NO_SUCH_PATH, format!("nothing is served at {path:?}"))
    }

    /// A key of an account came to the operators' door.
    pub(super) fn of_an_account() -> Self {
        let message = "the key belongs to an account, and this door is the operators'";
        Complaint::new(StatusCode::FORBIDDEN, "RightMissing", message).hint("use a key without an account")
    }

    /// No call of a message stream that is built.
    pub(super) fn no_such_call(call: &str) -> Self {
        let call: String = call.strip_prefix("api/").unwrap_or(call).chars().take(200).collect();
        let message = format!(
            "{call:?} is not implemented: STREAM.PURGE, STREAM.INFO, STREAM.MSG.DELETE and STREAM.DELETE are"
        );
        Complaint::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    /// The same, with its number in a message stream's words.
    pub(super) fn numbered(self, number: u16) -> Self {
        self.with(|aside| aside.number = Some(number))
    }

    /// Its number in a message stream's words, if it has been given one.
    pub(super) fn number(&self) -> Option<u16> {
        self.aside.number
    }

    pub(super) fn wrong_method(method: &Method, allowed: &[&str]) -> Self {
        let allowed = allowed.join(", ");
        let message = format!("{method} is not possible here: allowed are {allowed}");
        let complaint = Complaint::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message);
        complaint.with(|aside| aside.allow = Some(allowed))
    }

    pub(super) fn hint(self, hint: &'static str) -> Self {
        Complaint { hint: Some(hint), ..self }
    }

    /// The container that stands in the way.
    pub(super) fn target(self, target: impl Into<String>) -> Self {
        let target = target.into();
        self.with(|aside| aside.target = Some(target))
    }

    /// In the words of the calls on containers, which are Kronotop's: one of its codes, or `ERR` with a reason.
    pub(super) fn in_words(self, code: &'static str, reason: Option<&'static str>) -> Self {
        Complaint { code, reason, ..self }
    }

    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Complaint { status, ..self }
    }

    /// As the couch door writes it, with its word for it.
    pub(super) fn in_couch_words(self, error: &'static str) -> Self {
        self.with(|aside| aside.couch = Some(error))
    }

    /// Whether nothing is served at the path that was asked for.
    pub(super) fn is_of_no_path(&self) -> bool {
        self.code == NO_SUCH_PATH
    }

    /// The refusal behind it, if it is one.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_deref()
    }

    /// The word for it in metrics and the audit trail, which all doors share.
    pub(super) fn token(&self) -> &'static str {
        self.refusal.as_deref().map_or(self.code, Refusal::token)
    }

    pub(super) fn state(self, state: State) -> Self {
        Complaint { state: Some(state), ..self }
    }

    /// What a refusal means to an operator. Exhaustive: a new refusal does not compile until it is said here.
    pub(super) fn refused(refusal: Refusal) -> Self {
        const LIST: &str = "barrow bucket list DOMAIN --state removed";
        let says = |status| Complaint::new(status, refusal.token(), refusal.to_string());
        let complaint = match &refusal {
            Refusal::NoSuchDomain => says(StatusCode::NOT_FOUND).hint("barrow domain list"),
            Refusal::NoSuchBucket => says(StatusCode::NOT_FOUND).hint("barrow bucket list DOMAIN"),
            Refusal::NoSuchObject { .. } | Refusal::NoSuchVersion => {
                says(StatusCode::NOT_FOUND).hint("barrow trash list DOMAIN/BUCKET")
            }
            Refusal::NoSuchUpload => says(StatusCode::NOT_FOUND),
            Refusal::NoSuchPart { .. } => says(StatusCode::BAD_REQUEST),
            Refusal::Unknown => says(StatusCode::NOT_FOUND).hint("barrow trash list"),
            Refusal::NoSuchAccount => says(StatusCode::NOT_FOUND).hint("barrow account list"),
            Refusal::AccountInUse { .. } => says(StatusCode::CONFLICT).hint(
                "barrow key revoke KEY, and remove and purge its buckets; or barrow account disable NAME",
            ),
            Refusal::QuotaExceeded(_) => says(StatusCode::FORBIDDEN)
                .hint("barrow quota show BUCKET, barrow quota set BUCKET --bytes SIZE"),
            Refusal::NotPublished => says(StatusCode::CONFLICT).state(State::Staged),
            Refusal::AlreadyLive => says(StatusCode::CONFLICT).state(State::Live).hint(LIST),
            Refusal::AlreadyRemoved => {
                says(StatusCode::CONFLICT).state(State::Removed).hint("barrow trash list")
            }
            Refusal::NotRemoved => {
                says(StatusCode::CONFLICT).state(State::Live).hint("barrow bucket remove DOMAIN/BUCKET")
            }
            Refusal::NotPurging => says(StatusCode::CONFLICT),
            Refusal::PurgeStarted => says(StatusCode::CONFLICT).state(State::Purging).hint("barrow tasks"),
            Refusal::Purged => says(StatusCode::GONE).state(State::Purged),
            Refusal::ContainerGone => {
                says(StatusCode::CONFLICT).state(State::Removed).hint("barrow bucket restore DOMAIN/BUCKET")
            }
            Refusal::ContainerNotPurging => says(StatusCode::CONFLICT),
            Refusal::Claimed => says(StatusCode::CONFLICT).state(State::Purging).hint("barrow tasks"),
            Refusal::NotDue { .. } => {
                says(StatusCode::CONFLICT).state(State::Removed).hint("barrow bucket purge DOMAIN/BUCKET")
            }
            Refusal::Guarded { .. } | Refusal::GuardShortened | Refusal::HoldsGuarded { .. } => {
                says(StatusCode::FORBIDDEN)
            }
            Refusal::Sealed(_) | Refusal::SealBroken => says(StatusCode::FORBIDDEN),
            Refusal::NotAllowed { .. } | Refusal::Reserved(_) => says(StatusCode::FORBIDDEN),
            Refusal::NameInUse => says(StatusCode::CONFLICT)
                .state(State::Live)
                .hint("restore with --as OTHER-NAME, or objects with --replace"),
            Refusal::NameReserved => says(StatusCode::CONFLICT)
                .state(State::Removed)
                .hint("barrow bucket restore DOMAIN/BUCKET, or barrow bucket purge DOMAIN/BUCKET"),
            Refusal::NotEmpty => {
                says(StatusCode::CONFLICT).hint("restore with --as OTHER-NAME, or empty it first")
            }
            Refusal::WrongParent | Refusal::WrongKind => says(StatusCode::CONFLICT),
            Refusal::Immutable => says(StatusCode::CONFLICT),
            Refusal::ConditionFailed { .. } => says(StatusCode::PRECONDITION_FAILED),
            Refusal::Conflict => says(StatusCode::CONFLICT).hint("try again"),
            Refusal::Protected => says(StatusCode::FORBIDDEN),
            Refusal::BarrierOpen(open) => says(StatusCode::CONFLICT)
                .state(State::Removed)
                .hint("try again, or look: barrow barrier")
                .with(|aside| {
                    aside.retry_after = Some(RETRY);
                    aside.details = Some(super::view::barrier_open(open));
                }),
            Refusal::HistoryTruncated { oldest } => {
                Complaint::new(StatusCode::GONE, "PURGEHISTORYTRUNCATED", refusal.to_string())
                    .hint("begin at 0, and drop what is not told from there")
                    .with(|aside| aside.details = Some(super::view::kept_from(*oldest)))
            }
            Refusal::CursorOutOfRange { .. } => {
                Complaint::new(StatusCode::BAD_REQUEST, "CURSOROUTOFRANGE", refusal.to_string())
            }
            Refusal::PlanChanged => {
                says(StatusCode::PRECONDITION_FAILED).state(State::Removed).hint("barrow purge BUCKET --plan")
            }
        };
        Complaint { refusal: Some(Box::new(refusal)), ..complaint }
    }

    /// Counts a refusal and logs what is not the caller's doing: once, here, where it is consumed.
    pub(super) fn noted(self, metrics: &Metrics) -> Self {
        if let Some(refusal) = &self.refusal {
            metrics.refused(refusal);
        }
        match self.status {
            // With a number it is a message stream's word for something that is no mistake of ours.
            StatusCode::INTERNAL_SERVER_ERROR if self.aside.number.is_none() => {
                match self.aside.rule {
                    Some(rule) => metrics.violation_of(rule),
                    None => metrics.violation(),
                }
                tracing::error!(finding = %self.message, "an invariant is broken");
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                tracing::warn!(error = %self.message, "a request could not be served")
            }
            _ => {}
        }
        self
    }

    /// As part of a larger answer.
    pub(super) fn told(self) -> Told {
        Told {
            code: self.code,
            message: self.message,
            state: self.state,
            hint: self.hint,
            reason: self.reason,
            target: self.aside.target,
            retry_after_ms: self
                .aside
                .retry_after
                .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            details: self.aside.details,
        }
    }

    pub(super) fn answer(self) -> Response<Body> {
        let (status, allow, close) = (self.status, self.aside.allow.clone(), self.close);
        let retry_after = self.aside.retry_after;
        let body = match self.aside.couch {
            Some(error) => serde_json::json!(CouchRefused { error, reason: self.message }),
            None => serde_json::json!(Refused { error: self.told() }),
        };
        let mut response = Response::new(Body::from(format!("{body}\n")));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(allow) = allow.and_then(|allow| HeaderValue::from_str(&allow).ok()) {
            headers.insert(ALLOW, allow);
        }
        if close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(after) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        match status {
            StatusCode::UNAUTHORIZED => {
                let challenge = HeaderValue::from_static("Basic realm=\"barrow\", charset=\"UTF-8\"");
                headers.insert(WWW_AUTHENTICATE, challenge);
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }

    fn closing(self) -> Self {
        Complaint { close: true, ..self }
    }
}

impl From<Error> for Complaint {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Refused(refusal) => Complaint::refused(refusal),
            Error::Denied(denied) => denied.into(),
            Error::Body(ReadError::TooSlow { .. }) => {
                Complaint::new(StatusCode::REQUEST_TIMEOUT, "TooSlow", text).closing()
            }
            Error::Body(ReadError::TooLarge { .. }) => {
                Complaint::new(StatusCode::PAYLOAD_TOO_LARGE, "TooLarge", text).closing()
            }
            Error::Body(ReadError::Disconnected | ReadError::Malformed(_)) => {
                Complaint::bad_request(text).closing()
            }
            Error::Digest { .. } | Error::BadRequest(_) => Complaint::bad_request(text),
            Error::NoSpace(_) => Complaint::new(StatusCode::INSUFFICIENT_STORAGE, "NoSpace", text)
                .hint("barrow trash list shows what is in grace, barrow bucket purge frees it"),
            Error::Unavailable(_) => {
                Complaint::new(StatusCode::SERVICE_UNAVAILABLE, "Unavailable", text).hint("try again")
            }
            Error::Fenced(_) | Error::Cut => Complaint::new(StatusCode::SERVICE_UNAVAILABLE, "FENCED", text)
                .hint("ask another member, or try again"),
            Error::Violated(violation) => {
                let complaint = Complaint::new(StatusCode::INTERNAL_SERVER_ERROR, "Violation", text);
                complaint.with(|aside| aside.rule = Some(violation.rule)).hint("barrow check --blobs")
            }
            Error::NotImplemented(_) => Complaint::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", text),
        }
    }
}

impl From<Denied> for Complaint {
    fn from(denied: Denied) -> Self {
        let text = denied.to_string();
        match denied {
            Denied::Missing => Complaint::new(StatusCode::UNAUTHORIZED, "CredentialsNeeded", text)
                .hint("send a key and its secret by HTTP Basic, or set BARROW_KEY and BARROW_SECRET"),
            Denied::Invalid | Denied::Stale => {
                Complaint::new(StatusCode::UNAUTHORIZED, "CredentialsInvalid", text)
            }
            Denied::Lacks { .. } | Denied::Reserved(_) => {
                Complaint::new(StatusCode::FORBIDDEN, "RightMissing", text)
                    .hint("barrow key create --rights RIGHTS")
            }
            Denied::Unavailable(failure) => Error::from(failure).into(),
        }
    }
}

impl From<Refusal> for Complaint {
    fn from(refusal: Refusal) -> Self {
        Complaint::refused(refusal)
    }
}

impl From<metadata::Failure> for Complaint {
    fn from(failure: metadata::Failure) -> Self {
        Error::from(failure).into()
    }
}

impl From<BadTarget> for Complaint {
    fn from(error: BadTarget) -> Self {
        Complaint::bad_request(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifecycle::Sealed;

    #[test]
    fn every_refusal_has_a_client_error_and_its_own_token() {
        let refusals = [
            (Refusal::NoSuchBucket, 404),
            (Refusal::Unknown, 404),
            (Refusal::AlreadyLive, 409),
            (Refusal::PurgeStarted, 409),
            (Refusal::Purged, 410),
            (Refusal::NameInUse, 409),
            (Refusal::NameReserved, 409),
            (Refusal::HoldsGuarded { count: 3, until: None }, 403),
            (Refusal::Sealed(Sealed::Changes), 403),
            (Refusal::SealBroken, 403),
            (Refusal::ConditionFailed { current: None }, 412),
            (Refusal::Protected, 403),
        ];
        for (refusal, status) in refusals {
            let token = refusal.token();
            let complaint = Complaint::refused(refusal);
            assert_eq!((complaint.status.as_u16(), complaint.code), (status, token));
        }
    }

    #[test]
    fn what_cannot_be_done_names_the_state_and_the_next_command() {
        let told = serde_json::to_value(Complaint::refused(Refusal::NameReserved).told()).unwrap();
        assert_eq!(told["code"], "NameReserved");
        assert_eq!(told["state"], "removed");
        assert!(told["hint"].as_str().unwrap().contains("barrow bucket purge"));
    }
}
