//! What goes wrong, in CouchDB's words: `{"error", "reason"}` and a table of statuses of its own.

use crate::admin::error::Complaint;
use http::{Method, StatusCode};
use lifecycle::Refusal;
use schemars::JsonSchema;
use serde::Serialize;

/// An answer of the couch door that says no.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::admin) struct CouchRefused {
    /// One word for it.
    pub(in crate::admin) error: &'static str,
    pub(in crate::admin) reason: String,
}

/// The same complaint in this door's words.
pub(in crate::admin) fn worded(complaint: Complaint) -> Complaint {
    let (status, error) = match complaint.refusal() {
        Some(refusal) => refused(refusal),
        None => (complaint.status, word(complaint.status)),
    };
    complaint.with_status(status).in_couch_words(error)
}

/// What nothing is built for.
pub(in crate::admin) fn not_built(method: &Method, path: &str) -> Complaint {
    let path: String = path.chars().take(200).collect();
    let reason = format!("{method} {path} is not implemented: what is, stands in /v1/openapi.json");
    Complaint::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", reason)
}

/// The word for what is no refusal.
fn word(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "bad_request",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        405 => "method_not_allowed",
        408 => "timeout",
        409 => "conflict",
        410 => "gone",
        412 => "precondition_failed",
        413 => "too_large",
        415 => "bad_content_type",
        501 => "not_implemented",
        503 => "service_unavailable",
        507 => "insufficient_storage",
        _ => "internal_server_error",
    }
}

/// What a refusal means here. Exhaustive: a new refusal does not compile until it is said. What is removed, or lies in
/// something that is, is simply not there.
const fn refused(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::NoSuchDomain
        | Refusal::NoSuchBucket
        | Refusal::NoSuchObject { .. }
        | Refusal::NoSuchVersion
        | Refusal::NoSuchUpload
        | Refusal::Unknown
        | Refusal::NoSuchAccount
        | Refusal::AlreadyRemoved
        | Refusal::PurgeStarted
        | Refusal::Purged
        | Refusal::ContainerGone => (StatusCode::NOT_FOUND, "not_found"),
        Refusal::NoSuchPart { .. }
        | Refusal::WrongKind
        | Refusal::WrongParent
        | Refusal::CursorOutOfRange { .. } => (StatusCode::BAD_REQUEST, "bad_request"),
        Refusal::HistoryTruncated { .. } => (StatusCode::GONE, "gone"),
        Refusal::Guarded { .. }
        | Refusal::GuardShortened
        | Refusal::HoldsGuarded { .. }
        | Refusal::Sealed(_)
        | Refusal::SealBroken
        | Refusal::NotAllowed { .. }
        | Refusal::Reserved(_)
        | Refusal::Immutable
        | Refusal::Protected => (StatusCode::FORBIDDEN, "forbidden"),
        Refusal::NameInUse | Refusal::NameReserved => (StatusCode::PRECONDITION_FAILED, "file_exists"),
        Refusal::ConditionFailed { .. } | Refusal::PlanChanged => {
            (StatusCode::PRECONDITION_FAILED, "precondition_failed")
        }
        Refusal::NotPublished
        | Refusal::AlreadyLive
        | Refusal::NotRemoved
        | Refusal::NotPurging
        | Refusal::ContainerNotPurging
        | Refusal::Claimed
        | Refusal::NotDue { .. }
        | Refusal::NotEmpty
        | Refusal::AccountInUse { .. }
        | Refusal::Conflict => (StatusCode::CONFLICT, "conflict"),
        Refusal::QuotaExceeded(_) => (StatusCode::INSUFFICIENT_STORAGE, "insufficient_storage"),
        Refusal::BarrierOpen(_) => (StatusCode::SERVICE_UNAVAILABLE, "service_unavailable"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_status() {
        for (complaint, status, error) in [
            (Complaint::from(Refusal::NoSuchBucket), 404, "not_found"),
            (Complaint::from(Refusal::AlreadyRemoved), 404, "not_found"),
            (Complaint::from(Refusal::Guarded { until: None, hold: true }), 403, "forbidden"),
            (Complaint::from(Refusal::NameInUse), 412, "file_exists"),
            (Complaint::bad_request("x"), 400, "bad_request"),
            (Complaint::wrong_method(&Method::PUT, &["POST"]), 405, "method_not_allowed"),
            (not_built(&Method::GET, "/_couch/b/_all_docs"), 501, "not_implemented"),
        ] {
            let complaint = worded(complaint);
            assert_eq!(complaint.status.as_u16(), status);
            let response = complaint.answer();
            let crate::http::Body::Full(body) = response.into_body() else { panic!("no body") };
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["error"], error);
            assert!(!body["reason"].as_str().unwrap().is_empty() && body.as_object().unwrap().len() == 2);
        }
    }
}
