//! How the S3 door behaves where AWS leaves a choice.

use super::section::Section;

/// `[s3]`.
#[derive(Clone, Copy, Debug)]
pub struct S3 {
    /// Whose the objects are that others write into a new bucket.
    pub object_ownership: ObjectOwnership,
}

/// Whose the objects are that others write into a bucket, and whether access lists mean anything there. In AWS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectOwnership {
    /// Their writers'.
    ObjectWriter,
    /// The bucket's owner's, if they come with full control for it.
    BucketOwnerPreferred,
    /// The bucket's owner's; access lists mean nothing.
    BucketOwnerEnforced,
}

impl S3 {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        S3 {
            object_ownership: section.choice(
                "object_ownership",
                "ObjectWriter",
                &[
                    ("ObjectWriter", ObjectOwnership::ObjectWriter),
                    ("BucketOwnerPreferred", ObjectOwnership::BucketOwnerPreferred),
                    ("BucketOwnerEnforced", ObjectOwnership::BucketOwnerEnforced),
                ],
            ),
        }
    }
}
