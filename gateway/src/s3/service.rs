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
    delete_bucket_analytics_configuration(DeleteBucketAnalyticsConfigurationInput) -> DeleteBucketAnalyticsConfigurationOutput = configurations::delete_analytics;
    delete_bucket_cors(DeleteBucketCorsInput) -> DeleteBucketCorsOutput = bucket_cors::delete;
    delete_bucket_encryption(DeleteBucketEncryptionInput) -> DeleteBucketEncryptionOutput = configurations::delete_encryption;
    delete_bucket_intelligent_tiering_configuration(DeleteBucketIntelligentTieringConfigurationInput) -> DeleteBucketIntelligentTieringConfigurationOutput = configurations::delete_tiering;
    delete_bucket_inventory_configuration(DeleteBucketInventoryConfigurationInput) -> DeleteBucketInventoryConfigurationOutput = configurations::delete_inventory;
    delete_bucket_lifecycle(DeleteBucketLifecycleInput) -> DeleteBucketLifecycleOutput = lifecycle::delete;
    delete_bucket_metrics_configuration(DeleteBucketMetricsConfigurationInput) -> DeleteBucketMetricsConfigurationOutput = configurations::delete_metrics;
    delete_bucket_ownership_controls(DeleteBucketOwnershipControlsInput) -> DeleteBucketOwnershipControlsOutput = ownership::delete;
    delete_bucket_policy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput = policy::delete;
    delete_bucket_replication(DeleteBucketReplicationInput) -> DeleteBucketReplicationOutput = configurations::delete_replication;
    delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput = bucket_tagging::delete;
    delete_bucket_website(DeleteBucketWebsiteInput) -> DeleteBucketWebsiteOutput = configurations::delete_website;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = delete::delete;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tagging::delete;
    delete_public_access_block(DeletePublicAccessBlockInput) -> DeletePublicAccessBlockOutput = public_block::delete;
    get_bucket_accelerate_configuration(GetBucketAccelerateConfigurationInput) -> GetBucketAccelerateConfigurationOutput = configurations::acceleration;
    get_bucket_acl(GetBucketAclInput) -> GetBucketAclOutput = acl::get_of_bucket;
    get_bucket_analytics_configuration(GetBucketAnalyticsConfigurationInput) -> GetBucketAnalyticsConfigurationOutput = configurations::analytics;
    get_bucket_cors(GetBucketCorsInput) -> GetBucketCorsOutput = bucket_cors::get;
    get_bucket_encryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput = configurations::encryption;
    get_bucket_intelligent_tiering_configuration(GetBucketIntelligentTieringConfigurationInput) -> GetBucketIntelligentTieringConfigurationOutput = configurations::tiering;
    get_bucket_inventory_configuration(GetBucketInventoryConfigurationInput) -> GetBucketInventoryConfigurationOutput = configurations::inventory;
    get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput) -> GetBucketLifecycleConfigurationOutput = lifecycle::get;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;
    get_bucket_logging(GetBucketLoggingInput) -> GetBucketLoggingOutput = configurations::logging;
    get_bucket_metrics_configuration(GetBucketMetricsConfigurationInput) -> GetBucketMetricsConfigurationOutput = configurations::metrics;
    get_bucket_notification_configuration(GetBucketNotificationConfigurationInput) -> GetBucketNotificationConfigurationOutput = notification::get;
    get_bucket_ownership_controls(GetBucketOwnershipControlsInput) -> GetBucketOwnershipControlsOutput = ownership::get;
    get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput = policy::get;
    get_bucket_policy_status(GetBucketPolicyStatusInput) -> GetBucketPolicyStatusOutput = policy::status;
    get_bucket_replication(GetBucketReplicationInput) -> GetBucketReplicationOutput = configurations::replication;
    get_bucket_request_payment(GetBucketRequestPaymentInput) -> GetBucketRequestPaymentOutput = configurations::payment;
    get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput = bucket_tagging::get;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = versioning::get;
    get_bucket_website(GetBucketWebsiteInput) -> GetBucketWebsiteOutput = configurations::website;
    get_object_acl(GetObjectAclInput) -> GetObjectAclOutput = acl::get_of_object;
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = attributes::attributes;
    get_object_legal_hold(GetObjectLegalHoldInput) -> GetObjectLegalHoldOutput = object_locks::get_legal_hold;
    get_object_lock_configuration(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput = object_lock::get;
    get_object_retention(GetObjectRetentionInput) -> GetObjectRetentionOutput = object_locks::get_retention;
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tagging::get;
    get_public_access_block(GetPublicAccessBlockInput) -> GetPublicAccessBlockOutput = public_block::get;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
    list_bucket_analytics_configurations(ListBucketAnalyticsConfigurationsInput) -> ListBucketAnalyticsConfigurationsOutput = configurations::all_analytics;
    list_bucket_intelligent_tiering_configurations(ListBucketIntelligentTieringConfigurationsInput) -> ListBucketIntelligentTieringConfigurationsOutput = configurations::tierings;
    list_bucket_inventory_configurations(ListBucketInventoryConfigurationsInput) -> ListBucketInventoryConfigurationsOutput = configurations::inventories;
    list_bucket_metrics_configurations(ListBucketMetricsConfigurationsInput) -> ListBucketMetricsConfigurationsOutput = configurations::all_metrics;
    list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = list_uploads::list;
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = list_versions::list;
    list_objects(ListObjectsInput) -> ListObjectsOutput = list::list;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = list::list_v2;
    list_parts(ListPartsInput) -> ListPartsOutput = list_parts::list;
    put_bucket_accelerate_configuration(PutBucketAccelerateConfigurationInput) -> PutBucketAccelerateConfigurationOutput = configurations::put_acceleration;
    put_bucket_acl(PutBucketAclInput) -> PutBucketAclOutput = acl::put_of_bucket;
    put_bucket_cors(PutBucketCorsInput) -> PutBucketCorsOutput = bucket_cors::put;
    put_bucket_lifecycle_configuration(PutBucketLifecycleConfigurationInput) -> PutBucketLifecycleConfigurationOutput = lifecycle::put;
    put_bucket_logging(PutBucketLoggingInput) -> PutBucketLoggingOutput = configurations::put_logging;
    put_bucket_notification_configuration(PutBucketNotificationConfigurationInput) -> PutBucketNotificationConfigurationOutput = notification::put;
    put_bucket_ownership_controls(PutBucketOwnershipControlsInput) -> PutBucketOwnershipControlsOutput = ownership::put;
    put_bucket_policy(PutBucketPolicyInput) -> PutBucketPolicyOutput = policy::put;
    put_bucket_request_payment(PutBucketRequestPaymentInput) -> PutBucketRequestPaymentOutput = configurations::put_payment;
    put_bucket_tagging(PutBucketTaggingInput) -> PutBucketTaggingOutput = bucket_tagging::put;
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = versioning::put;
    put_object_acl(PutObjectAclInput) -> PutObjectAclOutput = acl::put_of_object;
    put_object_legal_hold(PutObjectLegalHoldInput) -> PutObjectLegalHoldOutput = object_locks::put_legal_hold;
    put_object_lock_configuration(PutObjectLockConfigurationInput) -> PutObjectLockConfigurationOutput = object_lock::put;
    put_object_retention(PutObjectRetentionInput) -> PutObjectRetentionOutput = object_locks::put_retention;
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tagging::put;
    put_public_access_block(PutPublicAccessBlockInput) -> PutPublicAccessBlockOutput = public_block::put;
    upload_part(UploadPartInput) -> UploadPartOutput = upload_part::part;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = upload_part_copy::copy;
}
