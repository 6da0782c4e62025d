//! The coarse rights behind AWS's actions.

use access::Action;
use lifecycle::Right;

/// The right that a key must hold, by its scope alone, for `action`, which else asks for `right`: whoever may write objects
/// somewhere may not therefore open to everybody what others have put there. The bucket's own account may.
pub(crate) fn by_scope(action: Action, right: Right) -> Right {
    match action {
        Action::PutBucketPolicy
        | Action::DeleteBucketPolicy
        | Action::PutBucketAcl
        | Action::PutBucketPublicAccessBlock
        | Action::PutBucketOwnershipControls
        | Action::DeleteBucketOwnershipControls
        | Action::PutObjectAcl
        | Action::PutObjectVersionAcl => Right::Admin,
        _ => right,
    }
}

/// Whether what S3 calls `operation` can be open to whoever shows no credentials at all. What a bucket is set to is changed by
/// nobody who does not say who they are, whatever a policy says.
pub(crate) fn of_anybody(operation: &str) -> bool {
    match operation {
        "ListBuckets" | "CreateBucket" | "DeleteBucket" | "Unbuilt" | "Unknown" => false,
        _ if operation.starts_with("PutBucket") || operation.starts_with("DeleteBucket") => false,
        "PutPublicAccessBlock"
        | "DeletePublicAccessBlock"
        | "PutObjectLockConfiguration"
        | "PutObjectRetention"
        | "PutObjectLegalHold" => false,
        _ => true,
    }
}
