//! What goes wrong, in SCSP's words: a status, and the triple of headers that every error carries (section 2.2).

use crate::auth::{Auth, Denied};
use crate::http::{Body, ReadError};
use crate::objects::Error;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, ETAG, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use lifecycle::{Refusal, Time};
use std::fmt::Display;

/// An answer that says no.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) status: StatusCode,
    pub(super) token: &'static str,
    text: String,
    /// Earlier links of the chain: code, token, text. The last triple of an answer is the effective one.
    chain: Vec<(u16, &'static str, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The credentials were right, and only their nonce was not accepted.
    stale: bool,
}

/// The text for whatever is not there, in SCSP's own words.
const NOT_HERE: &str = "The requested resource is not available in this cluster.";

impl Trouble {
    pub(super) fn new(status: u16, token: &'static str, text: impl Into<String>) -> Self {
        Trouble {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            token,
            text: text.into(),
            chain: Vec::new(),
            headers: Vec::new(),
            stale: false,
        }
    }

    /// 400 with the reason in the text.
    pub(super) fn bad_request(token: &'static str, reason: &dyn Display) -> Self {
        Trouble::new(400, token, reason.to_string())
    }

    /// 404.
    pub(super) fn not_found() -> Self {
        Trouble::new(404, "NotFound", NOT_HERE)
    }

    /// 412 for a write into a bucket or domain that is not there, with the chain that clients look for.
    pub(super) fn requires_context(domain: &str, bucket: Option<&str>) -> Self {
        let what = bucket.map_or_else(|| domain.to_owned(), |bucket| format!("{domain}/{bucket}"));
        let mut trouble = Trouble::new(412, "RequiresContext2", "Cannot find required domain or bucket.");
        trouble.chain.push((404, "SecurityRealmFailure", format!("Cannot load {what}")));
        trouble
    }

    /// 412 for a condition that does not hold.
    pub(super) fn condition_failed() -> Self {
        Trouble::refused(&Refusal::ConditionFailed { current: None })
    }

    /// What is wrong, in words.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// With one more header.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// What a refusal means to an SCSP client. Exhaustive: a new refusal does not compile until it is said here.
    pub(super) fn refused(refusal: &Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::NoSuchDomain
            | Refusal::NoSuchBucket
            | Refusal::NoSuchVersion
            | Refusal::NoSuchObject { marker: None } => Trouble::not_found(),
            Refusal::NoSuchObject { marker: Some(marker) } => {
                Trouble::new(404, "DeleteMarker", NOT_HERE).with("etag", &format!("\"{marker}\""))
            }
            Refusal::NoSuchUpload => Trouble::new(404, "NoSuchUpload", text),
            Refusal::NoSuchPart { .. } => Trouble::new(400, "NoSuchPart", text),
            Refusal::Reserved(_) => Trouble::new(409, "Conflict", text),
            Refusal::Unknown => Trouble::new(404, "UnknownContext", text),
            Refusal::NotPublished | Refusal::ContainerGone => Trouble::new(404, "NotFound", text),
            Refusal::AlreadyLive => Trouble::new(409, "ContextLive", text),
            Refusal::AlreadyRemoved => Trouble::not_found(),
            Refusal::NotRemoved => Trouble::new(409, "ContextLive", text),
            Refusal::NotPurging | Refusal::ContainerNotPurging => Trouble::new(409, "NotPurging", text),
            Refusal::PurgeStarted | Refusal::Claimed => Trouble::new(409, "PurgeInProgress", text),
            Refusal::Purged => Trouble::new(410, "ContextPurged", text),
            Refusal::NotDue { .. } => Trouble::new(409, "NotDue", text),
            Refusal::Guarded { until, hold } => {
                let trouble = Trouble::new(
                    403,
                    "NotDeletable",
                    "The requested resource cannot be deleted at this time.",
                );
                match until {
                    Some(until) if !hold && *until != Time::NEVER => {
                        trouble.with("barrow-guarded-until", &until.to_http_date())
                    }
                    Some(_) | None => trouble,
                }
            }
            Refusal::GuardShortened => Trouble::new(403, "GuardShortened", text),
            Refusal::HoldsGuarded { .. } => Trouble::new(403, "ContextHasRetainedContent", text),
            Refusal::Sealed(_) | Refusal::SealBroken => Trouble::new(403, "Sealed", text),
            Refusal::NotAllowed { allow } => Trouble::new(405, "NotAllowed", text).with("allow", allow),
            Refusal::NameInUse => Trouble::new(409, "NameInUse", text),
            Refusal::NameReserved => Trouble::new(409, "NameReserved", text),
            Refusal::NotEmpty => Trouble::new(409, "ContextNotEmpty", text),
            Refusal::WrongParent => Trouble::new(409, "WrongParent", text),
            Refusal::WrongKind => Trouble::new(409, "WrongKind", text),
            Refusal::Immutable => Trouble::new(403, "Immutable", text).with("allow", "GET, HEAD, DELETE"),
            Refusal::ConditionFailed { current } => {
                let trouble = Trouble::new(412, "ConditionalIfMatch", text);
                match current {
                    Some(current) => trouble.with("etag", &format!("\"{current}\"")),
                    None => trouble,
                }
            }
            Refusal::Conflict => Trouble::new(409, "Conflict", text),
            Refusal::QuotaExceeded(_) => Trouble::new(507, "QuotaExceeded", text),
            // Accounts are no business of this door.
            Refusal::NoSuchAccount | Refusal::AccountInUse { .. } => Trouble::new(409, "Conflict", text),
            Refusal::Protected => Trouble::new(403, "Protected", text),
            // Nobody follows a bucket through this door.
            Refusal::HistoryTruncated { .. } | Refusal::CursorOutOfRange { .. } => {
                Trouble::new(410, "HistoryTruncated", text)
            }
            // Nothing of these shows here: the purge right is not used through this door.
            Refusal::BarrierOpen(_) | Refusal::PlanChanged => Trouble::new(409, "PurgeInProgress", text),
        }
    }

    /// The answer.
    pub(super) fn answer(self) -> Response<Body> {
        let mut response = Response::new(Body::Full(Bytes::from(as_html(&self.text))));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        for (code, token, text) in
            self.chain.into_iter().chain([(self.status.as_u16(), self.token, self.text)])
        {
            headers.append("castor-system-error-code", HeaderValue::from(code));
            headers.append("castor-system-error-token", HeaderValue::from_static(token));
            // A name inside may hold what a header cannot.
            let text: String =
                text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
            if let Ok(text) = HeaderValue::from_str(&text) {
                headers.append("castor-system-error-text", text);
            }
        }
        for (name, value) in self.headers {
            match name {
                // One for each scheme that the client may choose.
                WWW_AUTHENTICATE => headers.append(name, value),
                name => headers.insert(name, value).is_some(),
            };
        }
        response
    }
}

/// The text as HTML shows it: what a request said and an error repeats is never markup.
fn as_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Refused(refusal) => Trouble::refused(&refusal),
            Error::Denied(denied) => denied.into(),
            Error::Body(ReadError::TooSlow { .. }) => Trouble::new(408, "TooSlow", text).closing(),
            Error::Body(ReadError::Disconnected | ReadError::Malformed(_)) => {
                Trouble::new(400, "IncompleteBody", text).closing()
            }
            Error::Body(ReadError::TooLarge { .. }) => Trouble::new(400, "TooLarge", text).closing(),
            Error::Digest { .. } => Trouble::new(400, "ContentMd5Mismatch", text).closing(),
            Error::BadRequest(_) => Trouble::new(400, "BadRequest", text),
            Error::NoSpace(_) => Trouble::new(507, "ClusterOutOfSpace", text),
            Error::Unavailable(_) | Error::Fenced(_) | Error::Cut => {
                tracing::warn!(error = %text, "a request could not be served");
                Trouble::new(503, "Unavailable", "The cluster cannot serve the request now; try again.")
                    .with("retry-after", "1")
            }
            Error::Violated(violation) => {
                tracing::error!(rule = violation.rule, finding = %violation.finding, "an invariant is broken");
                Trouble::new(
                    500,
                    "CompletionErrorUnknown",
                    "The request could not be completed; it has been logged.",
                )
            }
            Error::NotImplemented(_) => Trouble::new(501, "NotImplemented", text),
        }
    }
}

impl From<Denied> for Trouble {
    fn from(denied: Denied) -> Self {
        let (text, stale) = (denied.to_string(), matches!(denied, Denied::Stale));
        match denied {
            Denied::Missing | Denied::Invalid | Denied::Stale => {
                let mut trouble = Trouble::new(401, "Unauthorized", text);
                trouble.stale = stale;
                let challenge = HeaderValue::from_static("Basic realm=\"barrow\", charset=\"UTF-8\"");
                trouble.headers.push((WWW_AUTHENTICATE, challenge));
                trouble
            }
            Denied::Lacks { .. } | Denied::Reserved(_) => Trouble::new(403, "Forbidden", text),
            Denied::Unavailable(failure) => Error::from(failure).into(),
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Trouble::refused(&refusal)
    }
}

impl From<metadata::Failure> for Trouble {
    fn from(failure: metadata::Failure) -> Self {
        Error::from(failure).into()
    }
}

impl Trouble {
    /// The connection ends behind this answer: what the client still sends is not read.
    fn closing(mut self) -> Self {
        self.headers.push((CONNECTION, HeaderValue::from_static("close")));
        self
    }

    /// With the Digest challenge beside the Basic one, if credentials are what is needed.
    pub(super) fn challenging(mut self, auth: &Auth, realm: impl FnOnce() -> String) -> Self {
        if self.status == StatusCode::UNAUTHORIZED
            && let Ok(challenge) = HeaderValue::try_from(auth.digest_challenge(&realm(), self.stale))
        {
            self.headers.push((WWW_AUTHENTICATE, challenge));
        }
        self
    }

    /// With the entity tag of what is there.
    pub(super) fn with_etag(mut self, etag: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(etag) {
            self.headers.push((ETAG, value));
        }
        self
    }
}
