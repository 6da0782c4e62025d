//! GetBucketCors, PutBucketCors, DeleteBucketCors.

use super::configurations::{change, looked_at};
use crate::s3::cors::Rules;
use crate::s3::error::{Told, Trouble, trouble};
use crate::s3::exchange::Exchange;
use metadata::SettingKind;
use s3s::S3Response;
use s3s::dto::{
    DeleteBucketCorsInput, DeleteBucketCorsOutput, GetBucketCorsInput, GetBucketCorsOutput,
    PutBucketCorsInput, PutBucketCorsOutput,
};

pub(in crate::s3) async fn get(
    exchange: Exchange<'_>,
    input: GetBucketCorsInput,
) -> Result<S3Response<GetBucketCorsOutput>, Trouble> {
    let place = looked_at(&exchange, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let setting =
        exchange.gateway.metadata.bucket_setting(place.bucket.id, SettingKind::Cors).await.told()?;
    let rules = setting.and_then(|setting| Rules::read(&setting.content));
    let rules =
        rules.ok_or_else(|| trouble("NoSuchCORSConfiguration", "The CORS configuration does not exist"))?;
    Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(rules.shown()) }))
}

pub(in crate::s3) async fn put(
    exchange: Exchange<'_>,
    input: PutBucketCorsInput,
) -> Result<S3Response<PutBucketCorsOutput>, Trouble> {
    let rules = Rules::of(input.cors_configuration)?.stored()?;
    let owner = input.expected_bucket_owner.as_deref();
    change(&exchange, &input.bucket, owner, SettingKind::Cors, Some(rules)).await?;
    Ok(S3Response::new(PutBucketCorsOutput::default()))
}

pub(in crate::s3) async fn delete(
    exchange: Exchange<'_>,
    input: DeleteBucketCorsInput,
) -> Result<S3Response<DeleteBucketCorsOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    change(&exchange, &input.bucket, owner, SettingKind::Cors, None).await?;
    Ok(S3Response::new(DeleteBucketCorsOutput::default()))
}
