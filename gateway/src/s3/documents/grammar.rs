//! Which elements the documents of requests have.

/// Which elements stand in which; the first is the root.
pub(super) type Grammar = &'static [(&'static str, &'static [&'static str])];

pub(super) const DELETE: Grammar = &[
    ("", &["Delete"]),
    ("Delete", &["Object", "Quiet"]),
    ("Object", &["Key", "VersionId", "ETag", "LastModifiedTime", "Size"]),
];
pub(super) const COMPLETE: Grammar = &[
    ("", &["CompleteMultipartUpload"]),
    ("CompleteMultipartUpload", &["Part"]),
    (
        "Part",
        &[
            "PartNumber",
            "ETag",
            "ChecksumCRC32",
            "ChecksumCRC32C",
            "ChecksumCRC64NVME",
            "ChecksumSHA1",
            "ChecksumSHA256",
        ],
    ),
];
pub(super) const TAGGING: Grammar =
    &[("", &["Tagging"]), ("Tagging", &["TagSet"]), ("TagSet", &["Tag"]), ("Tag", &["Key", "Value"])];
pub(super) const VERSIONING: Grammar =
    &[("", &["VersioningConfiguration"]), ("VersioningConfiguration", &["Status", "MfaDelete"])];
pub(super) const CORS: Grammar = &[
    ("", &["CORSConfiguration"]),
    ("CORSConfiguration", &["CORSRule"]),
    ("CORSRule", &["ID", "AllowedHeader", "AllowedMethod", "AllowedOrigin", "ExposeHeader", "MaxAgeSeconds"]),
];
pub(super) const NOTIFICATION: Grammar = &[
    ("", &["NotificationConfiguration"]),
    (
        "NotificationConfiguration",
        &[
            "TopicConfiguration",
            "QueueConfiguration",
            "CloudFunctionConfiguration",
            "EventBridgeConfiguration",
        ],
    ),
    ("TopicConfiguration", &["Id", "Topic", "Event", "Filter"]),
    ("QueueConfiguration", &["Id", "Queue", "Event", "Filter"]),
    ("CloudFunctionConfiguration", &["Id", "CloudFunction", "Event", "Filter"]),
    ("Filter", &["S3Key"]),
    ("S3Key", &["FilterRule"]),
    ("FilterRule", &["Name", "Value"]),
];
pub(super) const LOGGING: Grammar = &[
    ("", &["BucketLoggingStatus"]),
    ("BucketLoggingStatus", &["LoggingEnabled"]),
    ("LoggingEnabled", &["TargetBucket", "TargetPrefix", "TargetGrants", "TargetObjectKeyFormat"]),
    ("TargetGrants", &["Grant"]),
    ("Grant", &["Grantee", "Permission"]),
    ("Grantee", &["ID", "DisplayName", "EmailAddress", "URI"]),
    ("TargetObjectKeyFormat", &["SimplePrefix", "PartitionedPrefix"]),
    ("PartitionedPrefix", &["PartitionDateSource"]),
];
pub(super) const PAYMENT: Grammar =
    &[("", &["RequestPaymentConfiguration"]), ("RequestPaymentConfiguration", &["Payer"])];
pub(super) const ACCELERATION: Grammar =
    &[("", &["AccelerateConfiguration"]), ("AccelerateConfiguration", &["Status"])];
pub(super) const BUCKET: Grammar = &[
    ("", &["CreateBucketConfiguration"]),
    ("CreateBucketConfiguration", &["LocationConstraint", "Location", "Bucket", "Tags"]),
    ("Tags", &["Tag"]),
    ("Tag", &["Key", "Value"]),
    ("Location", &["Name", "Type"]),
    ("Bucket", &["DataRedundancy", "Type"]),
];
pub(super) const ACL: Grammar = &[
    ("", &["AccessControlPolicy"]),
    ("AccessControlPolicy", &["Owner", "AccessControlList"]),
    ("Owner", &["ID", "DisplayName"]),
    ("AccessControlList", &["Grant"]),
    ("Grant", &["Grantee", "Permission"]),
    ("Grantee", &["ID", "DisplayName", "EmailAddress", "URI"]),
];
pub(super) const PUBLIC_BLOCK: Grammar = &[
    ("", &["PublicAccessBlockConfiguration"]),
    (
        "PublicAccessBlockConfiguration",
        &["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"],
    ),
];
pub(super) const OWNERSHIP: Grammar =
    &[("", &["OwnershipControls"]), ("OwnershipControls", &["Rule"]), ("Rule", &["ObjectOwnership"])];
pub(super) const LIFECYCLE: Grammar = &[
    ("", &["LifecycleConfiguration"]),
    ("LifecycleConfiguration", &["Rule"]),
    (
        "Rule",
        &[
            "ID",
            "Prefix",
            "Filter",
            "Status",
            "Expiration",
            "NoncurrentVersionExpiration",
            "AbortIncompleteMultipartUpload",
            "Transition",
            "NoncurrentVersionTransition",
        ],
    ),
    ("Filter", &["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And"]),
    ("And", &["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"]),
    ("Tag", &["Key", "Value"]),
    ("Expiration", &["Date", "Days", "ExpiredObjectDeleteMarker"]),
    ("NoncurrentVersionExpiration", &["NoncurrentDays", "NewerNoncurrentVersions"]),
    ("AbortIncompleteMultipartUpload", &["DaysAfterInitiation"]),
    ("Transition", &["Date", "Days", "StorageClass"]),
    ("NoncurrentVersionTransition", &["NoncurrentDays", "NewerNoncurrentVersions", "StorageClass"]),
];
pub(super) const OBJECT_LOCK: Grammar = &[
    ("", &["ObjectLockConfiguration"]),
    ("ObjectLockConfiguration", &["ObjectLockEnabled", "Rule"]),
    ("Rule", &["DefaultRetention"]),
    ("DefaultRetention", &["Mode", "Days", "Years"]),
];
pub(super) const RETENTION: Grammar = &[("", &["Retention"]), ("Retention", &["Mode", "RetainUntilDate"])];
pub(super) const LEGAL_HOLD: Grammar = &[("", &["LegalHold"]), ("LegalHold", &["Status"])];
