//! The words in which calls on containers say no. They are Kronotop's: whoever scripted BUCKET.REMOVE and BUCKET.PURGE finds
//! the same codes here, and beside them the state, the reason and the next command.
//!
//! | code | status | when |
//! | --- | --- | --- |
//! | `NOSUCHNAMESPACE`, `NOSUCHBUCKET` | 404 | unknown; or purging and purged, to whoever wants to remove or purge it |
//! | `NAMESPACEBEINGREMOVED`, `BUCKETBEINGREMOVED` | 409 | removed and not purged; `target` is the removed container |
//! | `NAMESPACEALREADYEXISTS`, `BUCKETALREADYEXISTS` | 409 | the name is that of a live one |
//! | `BARRIERNOTSATISFIED` | 409 | members have not let go of it; nothing has changed |
//! | `EPOCHCHANGED` | 412 | it is not what was shown |
//! | `FENCED` | 503 | this member may not answer now |
//! | `ERR` | | anything else, with `reason` |

use super::error::Complaint;
use super::route::Operation;
use http::StatusCode;
use lifecycle::{Refusal, State};

/// Whether a call is about a domain or about a bucket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Domain,
    Bucket,
}

/// What it wants of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wants {
    Create,
    Restore,
    Purge,
    Else,
}

/// The calls that speak in these words.
fn about(operation: Operation) -> Option<(About, Wants)> {
    match operation {
        Operation::CreateDomain => Some((About::Domain, Wants::Create)),
        Operation::ShowDomain | Operation::RemoveDomain => Some((About::Domain, Wants::Else)),
        Operation::RestoreDomain => Some((About::Domain, Wants::Restore)),
        Operation::PurgeDomain => Some((About::Domain, Wants::Purge)),
        Operation::CreateBucket => Some((About::Bucket, Wants::Create)),
        Operation::ShowBucket | Operation::RemoveBucket => Some((About::Bucket, Wants::Else)),
        Operation::RestoreBucket => Some((About::Bucket, Wants::Restore)),
        Operation::PurgeBucket => Some((About::Bucket, Wants::Purge)),
        Operation::PurgeVersions => Some((About::Bucket, Wants::Else)),
        _ => None,
    }
}

/// A complaint in the words of `operation`.
pub(super) fn worded(operation: Operation, complaint: Complaint) -> Complaint {
    let Some((kind, wants)) = about(operation) else {
        return match complaint.refusal() {
            // Of purges, the complaint says so itself.
            Some(Refusal::HistoryTruncated { .. }) if operation == Operation::Changes => {
                complaint.in_words("CHANGESTRUNCATED", None)
            }
            _ => complaint,
        };
    };
    let (missing, leaving, taken) = match kind {
        About::Domain => ("NOSUCHNAMESPACE", "NAMESPACEBEINGREMOVED", "NAMESPACEALREADYEXISTS"),
        About::Bucket => ("NOSUCHBUCKET", "BUCKETBEINGREMOVED", "BUCKETALREADYEXISTS"),
    };
    let Some(refusal) = complaint.refusal() else {
        return match complaint.status {
            StatusCode::BAD_REQUEST => complaint.in_words("ERR", Some("BAD_REQUEST")),
            _ => complaint,
        };
    };
    match refusal {
        Refusal::NoSuchDomain => complaint.in_words("NOSUCHNAMESPACE", None),
        Refusal::NoSuchBucket => complaint.in_words("NOSUCHBUCKET", None),
        Refusal::Unknown => complaint.in_words(missing, None),
        Refusal::AlreadyRemoved => complaint.in_words(leaving, None),
        Refusal::NameReserved => complaint.in_words(leaving, None),
        Refusal::NameInUse => complaint.in_words(taken, None),
        Refusal::ContainerGone => complaint.in_words("NAMESPACEBEINGREMOVED", None),
        Refusal::PurgeStarted if wants == Wants::Purge => {
            complaint.with_status(StatusCode::NOT_FOUND).in_words(missing, Some("PURGE_STARTED"))
        }
        Refusal::Purged if wants == Wants::Purge => {
            complaint.with_status(StatusCode::NOT_FOUND).in_words(missing, Some("PURGED"))
        }
        Refusal::PurgeStarted => complaint.in_words("ERR", Some("PURGE_STARTED")),
        Refusal::Purged => complaint.in_words("ERR", Some("PURGED")),
        Refusal::NotRemoved => complaint.state(State::Live).in_words("ERR", Some("NOT_REMOVED")),
        Refusal::AlreadyLive => complaint.in_words("ERR", Some("ALREADY_LIVE")),
        Refusal::NotEmpty => complaint.in_words("ERR", Some("NOT_EMPTY")),
        Refusal::HoldsGuarded { .. } | Refusal::Sealed(_) | Refusal::SealBroken => {
            complaint.in_words("ERR", Some("PROTECTED"))
        }
        Refusal::Protected => complaint.in_words("ERR", Some("DEFAULT_NAMESPACE")),
        Refusal::BarrierOpen(_) => complaint.in_words("BARRIERNOTSATISFIED", None),
        Refusal::PlanChanged => complaint.in_words("EPOCHCHANGED", None),
        Refusal::ConditionFailed { .. } => complaint.in_words("ERR", Some("CONDITION_FAILED")),
        Refusal::Conflict => complaint.in_words("ERR", Some("CONFLICT")),
        Refusal::QuotaExceeded(_) => complaint.in_words("ERR", Some("QUOTA_EXCEEDED")),
        Refusal::NoSuchObject { .. }
        | Refusal::NoSuchVersion
        | Refusal::NoSuchUpload
        | Refusal::NoSuchPart { .. }
        | Refusal::NoSuchAccount
        | Refusal::AccountInUse { .. }
        | Refusal::NotPublished
        | Refusal::NotPurging
        | Refusal::ContainerNotPurging
        | Refusal::Claimed
        | Refusal::NotDue { .. }
        | Refusal::Guarded { .. }
        | Refusal::GuardShortened
        | Refusal::NotAllowed { .. }
        | Refusal::Reserved(_)
        | Refusal::WrongParent
        | Refusal::WrongKind
        | Refusal::Immutable
        | Refusal::HistoryTruncated { .. }
        | Refusal::CursorOutOfRange { .. } => complaint,
    }
}
