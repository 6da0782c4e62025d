//! GetBucketCors, PutBucketCors, DeleteBucketCors.

use crate::s3::cors::Rules;
use crate::s3::error::{Told, Trouble, trouble};
use crate::s3::exchange::Exchange;
use crate::scsp::authorization::Access;
use lifecycle::Right;
use metadata::{SettingChanges, SettingKind};
use s3s::S3Response;
use s3s::dto::{
    DeleteBucketCorsInput, DeleteBucketCorsOutput, GetBucketCorsInput, GetBucketCorsOutput,
    PutBucketCorsInput, PutBucketCorsOutput,
};

pub(in crate::s3) async fn get(
    exchange: Exchange<'_>,
    input: GetBucketCorsInput,
) -> Result<S3Response<GetBucketCorsOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Get, &place)?;
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
    change(&exchange, &input.bucket, input.expected_bucket_owner.as_deref(), Some(rules)).await?;
    Ok(S3Response::new(PutBucketCorsOutput::default()))
}

pub(in crate::s3) async fn delete(
    exchange: Exchange<'_>,
    input: DeleteBucketCorsInput,
) -> Result<S3Response<DeleteBucketCorsOutput>, Trouble> {
    change(&exchange, &input.bucket, input.expected_bucket_owner.as_deref(), None).await?;
    Ok(S3Response::new(DeleteBucketCorsOutput::default()))
}

async fn change(
    exchange: &Exchange<'_>,
    bucket: &str,
    owner: Option<&str>,
    rules: Option<String>,
) -> Result<(), Trouble> {
    let place = exchange.bucket_of(bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Put, &place)?;
    let changes = SettingChanges::from([(SettingKind::Cors, rules)]);
    let actor = exchange.principal.name.to_string();
    exchange.gateway.metadata.set_bucket_settings(place.bucket.id, changes, &actor).await.told()
}
