//! ListObjects and ListObjectsV2.

use crate::objects::Checksum;
use crate::s3::error::{Told, Trouble};
use crate::s3::exchange::{Exchange, expect_owner};
use crate::s3::facts::{About, Lists};
use crate::s3::moment::stamp;
use crate::s3::owners::Owners;
use crate::s3::paging::{MOST, Names, delimiter, of_token, size, token};
use crate::s3::{checksums, etag};
use crate::scsp::authorization::Access;
use lifecycle::Right;
use metadata::{Entry, ListOrder, Listed, Page};
use s3s::S3Response;
use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CommonPrefix, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, ObjectStorageClass,
};

pub(in crate::s3) async fn list(
    exchange: Exchange<'_>,
    input: ListObjectsInput,
) -> Result<S3Response<ListObjectsOutput>, Trouble> {
    let names = Names::asked(input.encoding_type.as_ref())?;
    let asked = size(input.max_keys, "max-keys")?;
    let marker = input.marker.as_deref().unwrap_or_default();
    let wanted = Wanted {
        bucket: &input.bucket,
        owner: input.expected_bucket_owner.as_deref(),
        prefix: input.prefix.as_deref(),
        delimiter: input.delimiter.as_deref(),
        marker,
        splits_groups: false,
        limit: asked,
        listing: Lists {
            prefix: input.prefix.as_deref(),
            delimiter: input.delimiter.as_deref(),
            max_keys: input.max_keys,
        },
    };
    let page = wanted.page(&exchange).await?;
    let next = page.next.clone();
    let owners = owners(&exchange, &page).await?;
    let (contents, prefixes) = rows(page, names, Some(&owners));
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(names.write(input.prefix.as_deref().unwrap_or_default())),
        marker: Some(names.write(marker)),
        max_keys: Some(told(asked)),
        is_truncated: Some(next.is_some()),
        // Without a delimiter clients go on from the last key of the page.
        next_marker: next.filter(|_| wants(input.delimiter.as_deref())).map(|next| names.write(&next)),
        contents: Some(contents).filter(|contents| !contents.is_empty()),
        common_prefixes: Some(prefixes).filter(|prefixes| !prefixes.is_empty()),
        delimiter: input
            .delimiter
            .filter(|delimiter| !delimiter.is_empty())
            .map(|delimiter| names.write(&delimiter)),
        encoding_type: input.encoding_type,
        ..ListObjectsOutput::default()
    }))
}

pub(in crate::s3) async fn list_v2(
    exchange: Exchange<'_>,
    input: ListObjectsV2Input,
) -> Result<S3Response<ListObjectsV2Output>, Trouble> {
    let names = Names::asked(input.encoding_type.as_ref())?;
    let asked = size(input.max_keys, "max-keys")?;
    let (behind, splits_groups) = match input.continuation_token.as_deref() {
        Some(text) => (Some(of_token(text)?), false),
        None => (input.start_after.clone(), true),
    };
    let wanted = Wanted {
        bucket: &input.bucket,
        owner: input.expected_bucket_owner.as_deref(),
        prefix: input.prefix.as_deref(),
        delimiter: input.delimiter.as_deref(),
        marker: behind.as_deref().unwrap_or_default(),
        splits_groups,
        limit: asked,
        listing: Lists {
            prefix: input.prefix.as_deref(),
            delimiter: input.delimiter.as_deref(),
            max_keys: input.max_keys,
        },
    };
    let page = wanted.page(&exchange).await?;
    let next = page.next.as_deref().map(token);
    let owners = match input.fetch_owner {
        Some(true) => Some(owners(&exchange, &page).await?),
        Some(false) | None => None,
    };
    let (contents, prefixes) = rows(page, names, owners.as_ref());
    let count = i32::try_from(contents.len() + prefixes.len()).unwrap_or(i32::MAX);
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(names.write(input.prefix.as_deref().unwrap_or_default())),
        max_keys: Some(told(asked)),
        key_count: Some(count),
        continuation_token: input.continuation_token,
        is_truncated: Some(next.is_some()),
        next_continuation_token: next,
        contents: Some(contents).filter(|contents| !contents.is_empty()),
        common_prefixes: Some(prefixes).filter(|prefixes| !prefixes.is_empty()),
        delimiter: input
            .delimiter
            .filter(|delimiter| !delimiter.is_empty())
            .map(|delimiter| names.write(&delimiter)),
        encoding_type: input.encoding_type,
        // Where a token says where to go on, it is the token that counts.
        start_after: input.start_after.map(|start| names.write(&start)),
        ..ListObjectsV2Output::default()
    }))
}

/// One page as it was asked for.
struct Wanted<'a> {
    bucket: &'a str,
    owner: Option<&'a str>,
    prefix: Option<&'a str>,
    delimiter: Option<&'a str>,
    marker: &'a str,
    /// The marker may be in the middle of a group, of which the rest is shown.
    splits_groups: bool,
    limit: u32,
    listing: Lists<'a>,
}

impl Wanted<'_> {
    async fn page(&self, exchange: &Exchange<'_>) -> Result<Page<Listed>, Trouble> {
        let asked =
            exchange.asked(Right::Read)?.about(About { listing: Some(self.listing), ..About::default() });
        let place = exchange.place(self.bucket, &asked).await?;
        expect_owner(&place.bucket, self.owner)?;
        exchange.authorize_in(Access::Get, &place)?;
        let delimiter = delimiter(self.delimiter)?;
        let order = ListOrder {
            prefix: self.prefix.unwrap_or_default(),
            marker: self.marker,
            splits_groups: self.splits_groups,
            delimiter: delimiter.as_ref(),
            limit: self.limit.min(MOST),
            ..ListOrder::default()
        };
        exchange.gateway.metadata.list_page(place.contents, &order).await.told()
    }
}

/// Whose what is on a page is.
async fn owners(exchange: &Exchange<'_>, page: &Page<Listed>) -> Result<Owners, Trouble> {
    let owners = page.entries.iter().filter_map(|entry| match entry {
        Entry::Item(listed) => listed.owner.as_deref(),
        Entry::Prefix(_) => None,
    });
    let owners = owners.collect();
    Owners::of(exchange, owners).await
}

fn rows(page: Page<Listed>, names: Names, owners: Option<&Owners>) -> (Vec<Object>, Vec<CommonPrefix>) {
    let (mut objects, mut prefixes) = (Vec::with_capacity(page.entries.len()), Vec::new());
    for entry in page.entries {
        match entry {
            Entry::Prefix(prefix) => prefixes.push(names.prefix(&prefix)),
            Entry::Item(listed) => objects.push(Object {
                checksum_algorithm: checksum(&listed)
                    .map(|checksum| vec![ChecksumAlgorithm::from_static(checksum.algorithm.as_str())]),
                checksum_type: checksum(&listed)
                    .map(|checksum| ChecksumType::from_static(checksum.kind_str())),
                e_tag: Some(etag::etag(listed.md5, listed.parts)),
                key: Some(names.write(&listed.name)),
                last_modified: Some(stamp(listed.created_at)),
                owner: owners.map(|owners| owners.show(listed.owner.as_deref())),
                size: Some(told_size(listed.size)),
                storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                ..Object::default()
            }),
        }
    }
    (objects, prefixes)
}

fn checksum(listed: &Listed) -> Option<Checksum> {
    listed.checksum.as_deref().and_then(checksums::stored)
}

fn wants(delimiter: Option<&str>) -> bool {
    delimiter.is_some_and(|delimiter| !delimiter.is_empty())
}

/// The size of a page as it is told: AWS says no more than there can be.
pub(super) fn told(asked: u32) -> i32 {
    i32::try_from(asked.min(MOST)).unwrap_or(i32::MAX)
}

/// A size as XML says it.
pub(super) fn told_size(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
