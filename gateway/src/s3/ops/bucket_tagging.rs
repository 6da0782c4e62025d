//! GetBucketTagging, PutBucketTagging, DeleteBucketTagging.

use crate::s3::error::{Told, Trouble, trouble};
use crate::s3::exchange::Exchange;
use crate::s3::tags::{self, Of};
use crate::scsp::authorization::Access;
use lifecycle::Right;
use s3s::S3Response;
use s3s::dto::{
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, GetBucketTaggingInput, GetBucketTaggingOutput,
    PutBucketTaggingInput, PutBucketTaggingOutput,
};

pub(in crate::s3) async fn get(
    exchange: Exchange<'_>,
    input: GetBucketTaggingInput,
) -> Result<S3Response<GetBucketTaggingOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Get, &place)?;
    let tag_set = tags::set(place.bucket.tags.as_deref());
    if tag_set.is_empty() {
        return Err(trouble("NoSuchTagSet", "The TagSet does not exist"));
    }
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set }))
}

pub(in crate::s3) async fn put(
    exchange: Exchange<'_>,
    input: PutBucketTaggingInput,
) -> Result<S3Response<PutBucketTaggingOutput>, Trouble> {
    let tags = tags::encode(tags::of_xml(input.tagging)?, Of::Bucket)?;
    change(&exchange, &input.bucket, input.expected_bucket_owner.as_deref(), tags).await?;
    Ok(S3Response::new(PutBucketTaggingOutput::default()))
}

pub(in crate::s3) async fn delete(
    exchange: Exchange<'_>,
    input: DeleteBucketTaggingInput,
) -> Result<S3Response<DeleteBucketTaggingOutput>, Trouble> {
    change(&exchange, &input.bucket, input.expected_bucket_owner.as_deref(), None).await?;
    Ok(S3Response::new(DeleteBucketTaggingOutput::default()))
}

async fn change(
    exchange: &Exchange<'_>,
    bucket: &str,
    owner: Option<&str>,
    tags: Option<String>,
) -> Result<(), Trouble> {
    let place = exchange.bucket_of(bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Put, &place)?;
    exchange.gateway.metadata.set_bucket_tags(place.bucket.id, tags).await.told()
}
