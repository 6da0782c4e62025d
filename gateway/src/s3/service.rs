//! The table from S3's calls to operations. A call that is not in it answers 501 with its name.

use super::exchange::Exchange;
use super::ops;
use crate::Gateway;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

/// The calls.
pub(super) struct Operations(pub(super) Gateway);

/// One call: the request is taken apart, the operation called, its answer handed on.
macro_rules! calls {
    ($($call:ident($input:ident) -> $output:ident = $room:ident::$operation:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Operations {
            $(
                async fn $call(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    let trailers = request.trailing_headers.clone();
                    let (exchange, input) = Exchange::of(&self.0, request)?;
                    ops::$room::$operation(exchange.with_trailers(trailers), input).await
                }
            )*
        }
    };
}

calls! {
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = multipart::abort;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = complete::complete;
    copy_object(CopyObjectInput) -> CopyObjectOutput = copy::copy;
    create_bucket(CreateBucketInput) -> CreateBucketOutput = create_bucket::create;
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = multipart::create;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = delete_bucket::delete;
    delete_bucket_cors(DeleteBucketCorsInput) -> DeleteBucketCorsOutput = bucket_cors::delete;
    delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput = bucket_tagging::delete;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = delete::delete;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tagging::delete;
    get_bucket_cors(GetBucketCorsInput) -> GetBucketCorsOutput = bucket_cors::get;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;
    get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput = bucket_tagging::get;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = versioning::get;
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = attributes::attributes;
    get_object_legal_hold(GetObjectLegalHoldInput) -> GetObjectLegalHoldOutput = object_locks::get_legal_hold;
    get_object_lock_configuration(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput = object_lock::get;
    get_object_retention(GetObjectRetentionInput) -> GetObjectRetentionOutput = object_locks::get_retention;
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tagging::get;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
    list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = list_uploads::list;
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = list_versions::list;
    list_objects(ListObjectsInput) -> ListObjectsOutput = list::list;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = list::list_v2;
    list_parts(ListPartsInput) -> ListPartsOutput = list_parts::list;
    put_bucket_cors(PutBucketCorsInput) -> PutBucketCorsOutput = bucket_cors::put;
    put_bucket_tagging(PutBucketTaggingInput) -> PutBucketTaggingOutput = bucket_tagging::put;
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = versioning::put;
    put_object_legal_hold(PutObjectLegalHoldInput) -> PutObjectLegalHoldOutput = object_locks::put_legal_hold;
    put_object_lock_configuration(PutObjectLockConfigurationInput) -> PutObjectLockConfigurationOutput = object_lock::put;
    put_object_retention(PutObjectRetentionInput) -> PutObjectRetentionOutput = object_locks::put_retention;
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tagging::put;
    upload_part(UploadPartInput) -> UploadPartOutput = upload_part::part;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = upload_part_copy::copy;
}
