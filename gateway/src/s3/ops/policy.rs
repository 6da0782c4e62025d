//! GetBucketPolicy, PutBucketPolicy, DeleteBucketPolicy, GetBucketPolicyStatus.

use crate::s3::error::{Told, Trouble, denied, trouble};
use crate::s3::exchange::{Exchange, Place};
use crate::scsp::authorization::Access;
use ::access::{BadPolicy, Policy};
use http::{HeaderMap, HeaderValue};
use lifecycle::Right;
use metadata::SettingKind;
use s3s::S3Response;
use s3s::dto::{
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
    GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput, PolicyStatus, PutBucketPolicyInput,
    PutBucketPolicyOutput,
};

pub(in crate::s3) async fn get(
    exchange: Exchange<'_>,
    input: GetBucketPolicyInput,
) -> Result<S3Response<GetBucketPolicyOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = place(&exchange, &input.bucket, (Right::Read, Access::Get), owner).await?;
    let policy = Some(stored(&exchange, &place).await?);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    Ok(S3Response::with_headers(GetBucketPolicyOutput { policy }, headers))
}

pub(in crate::s3) async fn status(
    exchange: Exchange<'_>,
    input: GetBucketPolicyStatusInput,
) -> Result<S3Response<GetBucketPolicyStatusOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Get, &place)?;
    let policy = stored(&exchange, &place).await?;
    // One that cannot be read opens nothing.
    let is_public = Policy::read(&policy, &place.bucket.name).is_ok_and(|policy| policy.is_public());
    let policy_status = Some(PolicyStatus { is_public: Some(is_public) });
    Ok(S3Response::new(GetBucketPolicyStatusOutput { policy_status }))
}

pub(in crate::s3) async fn put(
    exchange: Exchange<'_>,
    input: PutBucketPolicyInput,
) -> Result<S3Response<PutBucketPolicyOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = place(&exchange, &input.bucket, (Right::Write, Access::Put), owner).await?;
    let policy = Policy::read(&input.policy, &place.bucket.name).map_err(|bad| match bad {
        BadPolicy::Malformed(text) => trouble("MalformedPolicy", text),
        BadPolicy::Unbuilt(_) => trouble("NotImplemented", bad.to_string()),
    })?;
    let blocks = place.settings.as_deref().is_some_and(|settings| settings.block().block_public_policy);
    if blocks && policy.is_public() {
        return Err(denied("Access Denied"));
    }
    exchange.set(&place, SettingKind::Policy, Some(input.policy)).await?;
    Ok(S3Response::new(PutBucketPolicyOutput::default()))
}

pub(in crate::s3) async fn delete(
    exchange: Exchange<'_>,
    input: DeleteBucketPolicyInput,
) -> Result<S3Response<DeleteBucketPolicyOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = place(&exchange, &input.bucket, (Right::Write, Access::Put), owner).await?;
    exchange.set(&place, SettingKind::Policy, None).await?;
    Ok(S3Response::new(DeleteBucketPolicyOutput::default()))
}

/// The bucket, for whoever may see or change its policy. No policy can hand that on: else whoever it opens too wide for could
/// take the bucket over.
///
/// # Errors
/// `AccessDenied`; `MethodNotAllowed` for whoever may by the policy alone.
async fn place(
    exchange: &Exchange<'_>,
    bucket: &str,
    (right, access): (Right, Access),
    owner: Option<&str>,
) -> Result<Place, Trouble> {
    let place = exchange.bucket_of(bucket, right, owner).await?;
    exchange.authorize_in(access, &place)?;
    match place.opened {
        true => {
            Err(trouble("MethodNotAllowed", "The specified method is not allowed against this resource."))
        }
        false => Ok(place),
    }
}

/// The policy as it was written.
async fn stored(exchange: &Exchange<'_>, place: &Place) -> Result<String, Trouble> {
    let stored =
        exchange.gateway.metadata.bucket_setting(place.bucket.id, SettingKind::Policy).await.told()?;
    let none = || trouble("NoSuchBucketPolicy", "The bucket policy does not exist");
    stored.map(|stored| stored.content).ok_or_else(none)
}
