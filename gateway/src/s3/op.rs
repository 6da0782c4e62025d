//! What each call is called in the metrics and the audit trail: by AWS's name for it.

/// The calls that are built, and whatever else is asked.
const ALL: [&str; 43] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateBucket",
    "CreateMultipartUpload",
    "DeleteBucket",
    "DeleteBucketCors",
    "DeleteBucketTagging",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "GetBucketCors",
    "GetBucketLocation",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetObject",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectLockConfiguration",
    "GetObjectRetention",
    "GetObjectTagging",
    "HeadBucket",
    "HeadObject",
    "ListBuckets",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "PostObject",
    "PreflightRequest",
    "PutBucketCors",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutObject",
    "PutObjectLegalHold",
    "PutObjectLockConfiguration",
    "PutObjectRetention",
    "PutObjectTagging",
    "UploadPart",
    "UploadPartCopy",
    "Unbuilt",
    "Unknown",
];

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Op(usize);

impl Op {
    /// A request that nothing is known of.
    pub(super) const UNKNOWN: Op = Op(ALL.len() - 1);

    /// The call of this name; one that is not built has no number of its own.
    pub(super) fn named(name: &str) -> Self {
        let found = ALL.iter().position(|known| *known == name);
        Op(found.or_else(|| ALL.iter().position(|known| *known == "Unbuilt")).unwrap_or(ALL.len() - 1))
    }

    pub(super) const fn number(self) -> usize {
        self.0
    }

    pub(super) fn as_str(self) -> &'static str {
        ALL.get(self.0).copied().unwrap_or("Unknown")
    }

    /// Whether it deletes something.
    pub(super) fn deletes(self) -> bool {
        matches!(self.as_str(), "DeleteObject" | "DeleteObjects" | "DeleteBucket")
    }
}

/// The names, in the order of their numbers, for the metrics.
pub(crate) fn operations() -> Vec<String> {
    ALL.iter().map(|name| (*name).to_owned()).collect()
}
