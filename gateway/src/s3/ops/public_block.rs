//! GetPublicAccessBlock, PutPublicAccessBlock, DeletePublicAccessBlock.

use crate::s3::error::{Told, Trouble, trouble};
use crate::s3::exchange::Exchange;
use crate::scsp::authorization::Access;
use ::access::Block;
use lifecycle::Right;
use metadata::SettingKind;
use s3s::S3Response;
use s3s::dto::{
    DeletePublicAccessBlockInput, DeletePublicAccessBlockOutput, GetPublicAccessBlockInput,
    GetPublicAccessBlockOutput, PublicAccessBlockConfiguration, PutPublicAccessBlockInput,
    PutPublicAccessBlockOutput,
};

pub(in crate::s3) async fn get(
    exchange: Exchange<'_>,
    input: GetPublicAccessBlockInput,
) -> Result<S3Response<GetPublicAccessBlockOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Get, &place)?;
    let kind = SettingKind::PublicAccessBlock;
    let stored = exchange.gateway.metadata.bucket_setting(place.bucket.id, kind).await.told()?;
    let block = match (stored, place.settings.as_deref()) {
        (Some(_), Some(settings)) => settings.block(),
        _ => {
            return Err(trouble(
                "NoSuchPublicAccessBlockConfiguration",
                "The public access block configuration was not found",
            ));
        }
    };
    let configuration = PublicAccessBlockConfiguration {
        block_public_acls: Some(block.block_public_acls),
        block_public_policy: Some(block.block_public_policy),
        ignore_public_acls: Some(block.ignore_public_acls),
        restrict_public_buckets: Some(block.restrict_public_buckets),
    };
    Ok(S3Response::new(GetPublicAccessBlockOutput { public_access_block_configuration: Some(configuration) }))
}

pub(in crate::s3) async fn put(
    exchange: Exchange<'_>,
    input: PutPublicAccessBlockInput,
) -> Result<S3Response<PutPublicAccessBlockOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Put, &place)?;
    let said = input.public_access_block_configuration;
    let block = Block {
        block_public_acls: said.block_public_acls.unwrap_or_default(),
        ignore_public_acls: said.ignore_public_acls.unwrap_or_default(),
        block_public_policy: said.block_public_policy.unwrap_or_default(),
        restrict_public_buckets: said.restrict_public_buckets.unwrap_or_default(),
    };
    exchange.set(&place, SettingKind::PublicAccessBlock, Some(block.encode())).await?;
    Ok(S3Response::new(PutPublicAccessBlockOutput::default()))
}

pub(in crate::s3) async fn delete(
    exchange: Exchange<'_>,
    input: DeletePublicAccessBlockInput,
) -> Result<S3Response<DeletePublicAccessBlockOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Put, &place)?;
    exchange.set(&place, SettingKind::PublicAccessBlock, None).await?;
    Ok(S3Response::new(DeletePublicAccessBlockOutput::default()))
}
