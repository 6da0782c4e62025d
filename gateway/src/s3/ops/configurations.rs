//! What buckets can be set to elsewhere, and here to nothing else than what is so anyway: logging, payment, acceleration,
//! web sites, encryption, replication, and the lists of inventories, metrics, analytics and tiers.
//!
//! What is asked for is told truly: there is none. What says the same is taken; what wants something is not built, and the
//! call says so by its name.

use crate::s3::error::{Told, Trouble, malformed, trouble, unbuilt};
use crate::s3::exchange::{Exchange, Place};
use crate::scsp::authorization::Access;
use http::StatusCode;
use lifecycle::Right;
use metadata::{SettingChanges, SettingKind};
use s3s::S3Response;
use s3s::dto::*;

type Answered<T> = Result<S3Response<T>, Trouble>;

/// The bucket, for whoever may read it.
pub(super) async fn looked_at(
    exchange: &Exchange<'_>,
    bucket: &str,
    owner: Option<&str>,
) -> Result<Place, Trouble> {
    let place = exchange.bucket_of(bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Get, &place)?;
    Ok(place)
}

/// The bucket, for whoever may change it.
async fn reached_for(exchange: &Exchange<'_>, bucket: &str, owner: Option<&str>) -> Result<Place, Trouble> {
    let place = exchange.bucket_of(bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Put, &place)?;
    Ok(place)
}

/// Sets a bucket to something, or to nothing.
pub(super) async fn change(
    exchange: &Exchange<'_>,
    bucket: &str,
    owner: Option<&str>,
    kind: SettingKind,
    content: Option<String>,
) -> Result<(), Trouble> {
    let place = reached_for(exchange, bucket, owner).await?;
    let (changes, actor) = (SettingChanges::from([(kind, content)]), exchange.principal.name.to_string());
    exchange.gateway.metadata.set_bucket_settings(place.bucket.id, changes, &actor).await.told()
}

pub(in crate::s3) async fn logging(
    exchange: Exchange<'_>,
    input: GetBucketLoggingInput,
) -> Answered<GetBucketLoggingOutput> {
    looked_at(&exchange, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    Ok(S3Response::new(GetBucketLoggingOutput::default()))
}

pub(in crate::s3) async fn put_logging(
    exchange: Exchange<'_>,
    input: PutBucketLoggingInput,
) -> Answered<PutBucketLoggingOutput> {
    reached_for(&exchange, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    match input.bucket_logging_status.logging_enabled {
        Some(_) => Err(unbuilt("PutBucketLogging with LoggingEnabled")),
        None => Ok(S3Response::new(PutBucketLoggingOutput::default())),
    }
}

pub(in crate::s3) async fn payment(
    exchange: Exchange<'_>,
    input: GetBucketRequestPaymentInput,
) -> Answered<GetBucketRequestPaymentOutput> {
    looked_at(&exchange, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let payer = Some(Payer::from_static(Payer::BUCKET_OWNER));
    Ok(S3Response::new(GetBucketRequestPaymentOutput { payer }))
}

pub(in crate::s3) async fn put_payment(
    exchange: Exchange<'_>,
    input: PutBucketRequestPaymentInput,
) -> Answered<PutBucketRequestPaymentOutput> {
    reached_for(&exchange, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    match input.request_payment_configuration.payer.as_str() {
        Payer::BUCKET_OWNER => Ok(S3Response::new(PutBucketRequestPaymentOutput::default())),
        Payer::REQUESTER => Err(unbuilt("PutBucketRequestPayment with the payer Requester")),
        _ => Err(malformed()),
    }
}

pub(in crate::s3) async fn acceleration(
    exchange: Exchange<'_>,
    input: GetBucketAccelerateConfigurationInput,
) -> Answered<GetBucketAccelerateConfigurationOutput> {
    let place = looked_at(&exchange, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let metadata = &exchange.gateway.metadata;
    let setting = metadata.bucket_setting(place.bucket.id, SettingKind::Accelerate).await.told()?;
    let status = setting.map(|setting| BucketAccelerateStatus::from(setting.content));
    Ok(S3Response::new(GetBucketAccelerateConfigurationOutput { status, request_charged: None }))
}

pub(in crate::s3) async fn put_acceleration(
    exchange: Exchange<'_>,
    input: PutBucketAccelerateConfigurationInput,
) -> Answered<PutBucketAccelerateConfigurationOutput> {
    let owner = input.expected_bucket_owner.as_deref();
    match input.accelerate_configuration.status.as_ref().map(BucketAccelerateStatus::as_str) {
        Some(status @ BucketAccelerateStatus::SUSPENDED) => {
            let content = Some(status.to_owned());
            change(&exchange, &input.bucket, owner, SettingKind::Accelerate, content).await?;
            Ok(S3Response::new(PutBucketAccelerateConfigurationOutput::default()))
        }
        status => {
            reached_for(&exchange, &input.bucket, owner).await?;
            match status {
                Some(BucketAccelerateStatus::ENABLED) => {
                    Err(unbuilt("PutBucketAccelerateConfiguration with the status Enabled"))
                }
                _ => Err(malformed()),
            }
        }
    }
}

/// Whose the bucket must be. Not all of these requests bring it in their types.
fn expected<'a>(exchange: &'a Exchange<'_>) -> Option<&'a str> {
    exchange.headers.get("x-amz-expected-bucket-owner")?.to_str().ok()
}

/// GET of what no bucket has.
macro_rules! none {
    ($($name:ident($input:ident) -> $output:ident = $code:literal, $message:literal;)*) => {
        $(
            pub(in crate::s3) async fn $name(exchange: Exchange<'_>, input: $input) -> Answered<$output> {
                looked_at(&exchange, &input.bucket, expected(&exchange)).await?;
                let mut none = trouble($code, $message);
                none.set_status_code(StatusCode::NOT_FOUND);
                Err(none)
            }
        )*
    };
}

none! {
    website(GetBucketWebsiteInput) -> GetBucketWebsiteOutput =
        "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration";
    encryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput =
        "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found";
    replication(GetBucketReplicationInput) -> GetBucketReplicationOutput =
        "ReplicationConfigurationNotFoundError", "The replication configuration was not found";
    inventory(GetBucketInventoryConfigurationInput) -> GetBucketInventoryConfigurationOutput =
        "NoSuchConfiguration", "The specified configuration does not exist.";
    metrics(GetBucketMetricsConfigurationInput) -> GetBucketMetricsConfigurationOutput =
        "NoSuchConfiguration", "The specified configuration does not exist.";
    analytics(GetBucketAnalyticsConfigurationInput) -> GetBucketAnalyticsConfigurationOutput =
        "NoSuchConfiguration", "The specified configuration does not exist.";
    tiering(GetBucketIntelligentTieringConfigurationInput) -> GetBucketIntelligentTieringConfigurationOutput =
        "NoSuchConfiguration", "The specified configuration does not exist.";
}

/// DELETE of what no bucket has: done already, where AWS sees it so, and otherwise not there.
macro_rules! gone {
    ($($name:ident($input:ident) -> $output:ident = $done:literal;)*) => {
        $(
            pub(in crate::s3) async fn $name(exchange: Exchange<'_>, input: $input) -> Answered<$output> {
                reached_for(&exchange, &input.bucket, expected(&exchange)).await?;
                match $done {
                    true => Ok(S3Response::new($output::default())),
                    false => Err(trouble("NoSuchConfiguration", "The specified configuration does not exist.")),
                }
            }
        )*
    };
}

gone! {
    delete_website(DeleteBucketWebsiteInput) -> DeleteBucketWebsiteOutput = true;
    delete_encryption(DeleteBucketEncryptionInput) -> DeleteBucketEncryptionOutput = true;
    delete_replication(DeleteBucketReplicationInput) -> DeleteBucketReplicationOutput = true;
    delete_inventory(DeleteBucketInventoryConfigurationInput) -> DeleteBucketInventoryConfigurationOutput = false;
    delete_metrics(DeleteBucketMetricsConfigurationInput) -> DeleteBucketMetricsConfigurationOutput = false;
    delete_analytics(DeleteBucketAnalyticsConfigurationInput) -> DeleteBucketAnalyticsConfigurationOutput = false;
    delete_tiering(DeleteBucketIntelligentTieringConfigurationInput)
        -> DeleteBucketIntelligentTieringConfigurationOutput = false;
}

/// Lists of what no bucket has.
macro_rules! lists {
    ($($name:ident($input:ident) -> $output:ident;)*) => {
        $(
            pub(in crate::s3) async fn $name(exchange: Exchange<'_>, input: $input) -> Answered<$output> {
                looked_at(&exchange, &input.bucket, expected(&exchange)).await?;
                Ok(S3Response::new($output { is_truncated: Some(false), ..$output::default() }))
            }
        )*
    };
}

lists! {
    inventories(ListBucketInventoryConfigurationsInput) -> ListBucketInventoryConfigurationsOutput;
    all_metrics(ListBucketMetricsConfigurationsInput) -> ListBucketMetricsConfigurationsOutput;
    all_analytics(ListBucketAnalyticsConfigurationsInput) -> ListBucketAnalyticsConfigurationsOutput;
    tierings(ListBucketIntelligentTieringConfigurationsInput) -> ListBucketIntelligentTieringConfigurationsOutput;
}
