//! ListBuckets, HeadBucket, GetBucketLocation.

use crate::s3::error::{Told, Trouble, invalid};
use crate::s3::exchange::Exchange;
use crate::s3::moment::stamp;
use crate::s3::paging::{of_token, token};
use crate::scsp::authorization::Access;
use http::{HeaderMap, HeaderValue};
use lifecycle::Right;
use metadata::{Entry, ListOrder};
use s3s::S3Response;
use s3s::dto::{
    Bucket, GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput,
    ListBucketsInput, ListBucketsOutput, Owner,
};

/// The region that is told. Any is accepted in signatures.
pub(in crate::s3) const REGION: &str = "us-east-1";

/// The most buckets of one page.
const MOST: u32 = 10_000;

/// The buckets of the domain, of those that the caller may read.
pub(in crate::s3) async fn list(
    exchange: Exchange<'_>,
    input: ListBucketsInput,
) -> Result<S3Response<ListBucketsOutput>, Trouble> {
    let limit = match input.max_buckets {
        None => MOST,
        Some(asked) => u32::try_from(asked)
            .ok()
            .filter(|asked| (1..=MOST).contains(asked))
            .ok_or_else(|| invalid("Argument max-buckets must be an integer between 1 and 10000"))?,
    };
    let marker = input.continuation_token.as_deref().map(of_token).transpose()?.unwrap_or_default();
    let domain = exchange.domain().await?;
    exchange.principal.require_somewhere(Right::Read).told()?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let order = ListOrder { prefix, marker: &marker, limit, ..ListOrder::default() };
    let page = exchange.gateway.metadata.list_live(Some(domain.id), &order).await.told()?;
    let visible = page.entries.into_iter().filter_map(|entry| match entry {
        Entry::Item(bucket) => {
            let may = exchange.principal.require(Right::Read, Some(domain.id), Some(bucket.id));
            may.is_ok().then_some(bucket)
        }
        Entry::Prefix(_) => None,
    });
    let buckets = visible.map(|bucket| Bucket {
        bucket_region: input.max_buckets.is_some().then(|| REGION.to_owned()),
        creation_date: Some(stamp(bucket.created_at)),
        name: Some(bucket.name),
    });
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(buckets.collect()),
        continuation_token: page.next.as_deref().map(token),
        owner: Some(owner(exchange.principal.owner().as_deref())),
        prefix: input.prefix,
    }))
}

/// Whose something is: the key that wrote it.
pub(in crate::s3) fn owner(name: Option<&str>) -> Owner {
    let name = name.unwrap_or("anonymous").to_owned();
    Owner { display_name: Some(name.clone()), id: Some(name) }
}

pub(in crate::s3) async fn head(
    exchange: Exchange<'_>,
    input: HeadBucketInput,
) -> Result<S3Response<HeadBucketOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Head, &place)?;
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/xml"));
    Ok(S3Response::with_headers(
        HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..HeadBucketOutput::default() },
        headers,
    ))
}

pub(in crate::s3) async fn location(
    exchange: Exchange<'_>,
    input: GetBucketLocationInput,
) -> Result<S3Response<GetBucketLocationOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Get, &place)?;
    // Of us-east-1, AWS says nothing.
    Ok(S3Response::new(GetBucketLocationOutput::default()))
}
