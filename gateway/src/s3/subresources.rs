//! Which calls there are on what is beside an object or bucket: its ACL, its lock, its parts. A word that no call of the method
//! takes makes the request one that does not exist. `s3s` would answer it as if the word were not there: a DELETE of an
//! object's ACL would delete the object.

use super::arguments::Arguments;
use super::error::{Trouble, invalid, trouble, unbuilt};
use super::target::Named;
use http::Method;

/// Words that make a request one about something else than the object or bucket itself.
const SUBRESOURCES: [&str; 40] = [
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "select-type",
    "session",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
    "metadataConfiguration",
    "metadataInventoryTable",
];

/// Calls of AWS's that are not built, by their words: what they name is told.
const UNBUILT: [(&str, &str); 7] = [
    ("abac", "Access control by the tags of a bucket"),
    ("annotation", "An annotation of an object"),
    ("metadataAnnotationTable", "A bucket's metadata"),
    ("metadataConfiguration", "A bucket's metadata"),
    ("metadataInventoryTable", "A bucket's metadata"),
    ("metadataJournalTable", "A bucket's metadata"),
    ("metadataTable", "A bucket's metadata"),
];

/// Which of them a call on an object takes.
const OF_OBJECT: [(Method, &[&str]); 5] = [
    (
        Method::GET,
        &[
            "attributes",
            "acl",
            "legal-hold",
            "retention",
            "tagging",
            "torrent",
            "uploadId",
            "versionId",
            "partNumber",
        ],
    ),
    (Method::HEAD, &["versionId", "partNumber"]),
    (Method::PUT, &["tagging", "acl", "legal-hold", "retention", "uploadId", "partNumber", "versionId"]),
    (Method::POST, &["uploads", "uploadId", "restore", "select", "select-type", "versionId"]),
    (Method::DELETE, &["tagging", "uploadId", "versionId"]),
];

/// Which of them a call on a bucket takes.
const OF_BUCKET: [(Method, &[&str]); 4] = [
    (
        Method::GET,
        &[
            "accelerate",
            "acl",
            "analytics",
            "cors",
            "encryption",
            "intelligent-tiering",
            "inventory",
            "lifecycle",
            "location",
            "logging",
            "metrics",
            "notification",
            "object-lock",
            "ownershipControls",
            "policy",
            "policyStatus",
            "publicAccessBlock",
            "replication",
            "requestPayment",
            "session",
            "tagging",
            "uploads",
            "versioning",
            "versions",
            "website",
        ],
    ),
    (
        Method::PUT,
        &[
            "accelerate",
            "acl",
            "analytics",
            "cors",
            "encryption",
            "intelligent-tiering",
            "inventory",
            "lifecycle",
            "logging",
            "metrics",
            "notification",
            "object-lock",
            "ownershipControls",
            "policy",
            "publicAccessBlock",
            "replication",
            "requestPayment",
            "tagging",
            "versioning",
            "website",
        ],
    ),
    (Method::POST, &["delete"]),
    (
        Method::DELETE,
        &[
            "analytics",
            "cors",
            "encryption",
            "intelligent-tiering",
            "inventory",
            "lifecycle",
            "metrics",
            "ownershipControls",
            "policy",
            "publicAccessBlock",
            "replication",
            "tagging",
            "website",
        ],
    ),
];

/// Passes if there is a call of this method on what the words name.
///
/// A word that nobody knows, and that has no value, is a call to be: of what changes something it is not passed over, or the
/// next call that AWS thinks of would be done to the object itself.
///
/// # Errors
/// `MethodNotAllowed`, `NotImplemented`, `InvalidArgument`.
pub(super) fn check(method: &Method, named: &Named, arguments: &Arguments) -> Result<(), Trouble> {
    let table: &[(Method, &[&str])] = match (&named.bucket, &named.key) {
        (Some(_), Some(_)) => &OF_OBJECT,
        (Some(_), None) => &OF_BUCKET,
        (None, _) => return Ok(()),
    };
    if let Some((_, what)) = UNBUILT.iter().find(|(word, _)| arguments.has(word)) {
        return Err(unbuilt(what));
    }
    let Some((_, taken)) = table.iter().find(|(known, _)| known == method) else { return Ok(()) };
    let is_call = |name: &&str| {
        arguments.get(name) == Some("")
            && !name.starts_with("X-Amz-")
            && *name != "x-id"
            && !taken.contains(name)
    };
    let changes = [Method::PUT, Method::POST, Method::DELETE].contains(method);
    let unknown = |name: &&str| !SUBRESOURCES.iter().any(|known| known.eq_ignore_ascii_case(name));
    if let Some(name) = arguments.names().filter(|_| changes).filter(is_call).find(unknown) {
        return Err(match name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            true => unbuilt(&format!("{method} of {name:?}")),
            false => invalid(format!("The argument {name:?} is not known, and has no value.")),
        });
    }
    let mut meant =
        arguments.names().filter(|name| SUBRESOURCES.iter().any(|known| known.eq_ignore_ascii_case(name)));
    match meant.find(|name| !taken.contains(name)) {
        Some(name) => Err(trouble(
            "MethodNotAllowed",
            format!("{method} is not allowed against the subresource {name}."),
        )),
        None => Ok(()),
    }
}
