//! ListBuckets, HeadBucket, GetBucketLocation.

use crate::auth::Scope;
use crate::s3::error::{Told, Trouble, invalid};
use crate::s3::exchange::Exchange;
use crate::s3::moment::stamp;
use crate::s3::owners::asking;
use crate::s3::paging::{of_token, token};
use crate::scsp::authorization::{Access, Protected, check};
use http::{HeaderMap, HeaderValue};
use lifecycle::{Right, State};
use metadata::{Container, ContainerKind, Entry, ListOrder, Page};
use s3s::S3Response;
use s3s::dto::{
    Bucket, GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput,
    ListBucketsInput, ListBucketsOutput,
};

/// The region that is told. Any is accepted in signatures.
pub(in crate::s3) const REGION: &str = "us-east-1";

/// The most buckets of one page.
const MOST: u32 = 10_000;

/// The buckets of the domain, to whoever may read it; to a key of an account, those that the account owns; to others, those of
/// them that they may read.
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
    let prefix = input.prefix.as_deref().unwrap_or_default();
    check(Access::Get, Protected::domain(&domain), &exchange.principal, false).told()?;
    let order = ListOrder { prefix, marker: &marker, limit, ..ListOrder::default() };
    let metadata = &exchange.gateway.metadata;
    let everywhere = exchange.principal.require(Right::Read, Some(domain.id), None);
    let page = match (everywhere, exchange.principal.account()) {
        (Ok(()), _) => metadata.list_live(Some(domain.id), &order).await.told()?,
        (Err(_), Some(account)) => {
            exchange.principal.require_somewhere(Right::Read).told()?;
            metadata.list_owned(domain.id, &account.id, &order).await.told()?
        }
        // The names of the others are nobody's business, and neither is how many there are.
        (Err(_), None) => Page { entries: own(&exchange, &domain, (prefix, &marker)).await?, next: None },
    };
    let buckets = page.entries.into_iter().filter_map(|entry| match entry {
        Entry::Item(bucket) => Some(bucket),
        Entry::Prefix(_) => None,
    });
    let buckets = buckets.map(|bucket| Bucket {
        bucket_region: input.max_buckets.is_some().then(|| REGION.to_owned()),
        creation_date: Some(stamp(bucket.created_at)),
        name: Some(bucket.name),
    });
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(buckets.collect()),
        continuation_token: page.next.as_deref().map(token),
        owner: Some(asking(&exchange.principal)),
        prefix: input.prefix,
    }))
}

/// The one bucket that a key of a bucket sees.
///
/// # Errors
/// `AccessDenied` for whoever may read nowhere here.
async fn own(
    exchange: &Exchange<'_>,
    domain: &Container,
    (prefix, marker): (&str, &str),
) -> Result<Vec<Entry<Container>>, Trouble> {
    exchange.principal.require_somewhere(Right::Read).told()?;
    let Scope::Bucket { bucket, .. } = exchange.principal.scope() else { return Ok(Vec::new()) };
    let found = exchange.gateway.metadata.container(ContainerKind::Bucket, bucket).await.told()?;
    let seen = found.filter(|found| {
        let here = found.state == State::Live && found.parent == Some(domain.id);
        here && found.name.starts_with(prefix) && found.name.as_str() > marker
    });
    Ok(seen.map(Entry::Item).into_iter().collect())
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
