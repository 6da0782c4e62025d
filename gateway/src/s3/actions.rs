//! What each call is, by AWS's names of actions.

use access::Action;

/// The action that a call asks for, of an object without regard to versions; `None`: it asks for none that policies know.
pub(super) fn of(operation: &str) -> Option<Action> {
    Some(match operation {
        "CompleteMultipartUpload"
        | "CopyObject"
        | "CreateMultipartUpload"
        | "PostObject"
        | "UploadPart"
        | "UploadPartCopy" => Action::PutObject,
        "DeleteBucketAnalyticsConfiguration" | "PutBucketAnalyticsConfiguration" => {
            Action::PutAnalyticsConfiguration
        }
        "GetBucketAnalyticsConfiguration" | "ListBucketAnalyticsConfigurations" => {
            Action::GetAnalyticsConfiguration
        }
        "PutBucketAccelerateConfiguration" => Action::PutAccelerateConfiguration,
        "GetBucketAccelerateConfiguration" => Action::GetAccelerateConfiguration,
        "DeleteBucketCors" | "PutBucketCors" => Action::PutBucketCORS,
        "GetBucketCors" => Action::GetBucketCORS,
        "DeleteBucketEncryption" | "PutBucketEncryption" => Action::PutEncryptionConfiguration,
        "GetBucketEncryption" => Action::GetEncryptionConfiguration,
        "DeleteBucketInventoryConfiguration" | "PutBucketInventoryConfiguration" => {
            Action::PutInventoryConfiguration
        }
        "GetBucketInventoryConfiguration" | "ListBucketInventoryConfigurations" => {
            Action::GetInventoryConfiguration
        }
        "DeleteBucketLifecycle" | "PutBucketLifecycle" | "PutBucketLifecycleConfiguration" => {
            Action::PutLifecycleConfiguration
        }
        "GetBucketLifecycle" | "GetBucketLifecycleConfiguration" => Action::GetLifecycleConfiguration,
        "DeleteBucketIntelligentTieringConfiguration" | "PutBucketIntelligentTieringConfiguration" => {
            Action::PutIntelligentTieringConfiguration
        }
        "GetBucketIntelligentTieringConfiguration" | "ListBucketIntelligentTieringConfigurations" => {
            Action::GetIntelligentTieringConfiguration
        }
        "DeleteBucketMetricsConfiguration" | "PutBucketMetricsConfiguration" => {
            Action::PutMetricsConfiguration
        }
        "GetBucketMetricsConfiguration" | "ListBucketMetricsConfigurations" => {
            Action::GetMetricsConfiguration
        }
        "GetBucketNotificationConfiguration" => Action::GetBucketNotification,
        "PutBucketNotificationConfiguration" => Action::PutBucketNotification,
        "DeleteBucketOwnershipControls" => Action::PutBucketOwnershipControls,
        "DeleteBucketReplication" | "PutBucketReplication" => Action::PutReplicationConfiguration,
        "GetBucketReplication" => Action::GetReplicationConfiguration,
        "DeleteBucketTagging" => Action::PutBucketTagging,
        "DeleteObjects" => Action::DeleteObject,
        "DeletePublicAccessBlock" | "PutPublicAccessBlock" => Action::PutBucketPublicAccessBlock,
        "GetPublicAccessBlock" => Action::GetBucketPublicAccessBlock,
        "GetObjectLockConfiguration" => Action::GetBucketObjectLockConfiguration,
        "PutObjectLockConfiguration" => Action::PutBucketObjectLockConfiguration,
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => Action::ListBucket,
        "HeadObject" | "SelectObjectContent" => Action::GetObject,
        "ListMultipartUploads" => Action::ListBucketMultipartUploads,
        "ListObjectVersions" => Action::ListBucketVersions,
        "ListParts" => Action::ListMultipartUploadParts,
        // Of all others, the call and the action have one name.
        other => return Action::named(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::operations;

    #[test]
    fn every_call_that_is_built_has_an_action() {
        // A preflight asks what a page may ask, and does nothing of it.
        for operation in operations() {
            let none =
                matches!(operation.as_str(), "ListBuckets" | "PreflightRequest" | "Unbuilt" | "Unknown");
            assert_eq!(of(&operation).is_none(), none, "{operation}");
        }
    }
}
