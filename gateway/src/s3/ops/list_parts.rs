//! ListParts.

use super::list::{told, told_size};
use super::multipart::{Declared, open};
use crate::s3::checksums::{self, say};
use crate::s3::error::{Told, Trouble, invalid};
use crate::s3::etag;
use crate::s3::exchange::Exchange;
use crate::s3::moment::stamp;
use crate::s3::owners::Owners;
use crate::s3::paging::{MOST, size};
use crate::scsp::authorization::Access;
use lifecycle::Right;
use metadata::Part as Stored;
use s3s::S3Response;
use s3s::dto::{ChecksumAlgorithm, ChecksumType, ListPartsInput, ListPartsOutput, Part, StorageClass};

pub(in crate::s3) async fn list(
    exchange: Exchange<'_>,
    input: ListPartsInput,
) -> Result<S3Response<ListPartsOutput>, Trouble> {
    let asked = size(input.max_parts, "max-parts")?;
    let after = input.part_number_marker.map_or(Ok(0), u32::try_from);
    let after =
        after.map_err(|_| invalid("part-number-marker must be an integer between 0 and 2147483647"))?;
    let owner_wanted = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner_wanted).await?;
    exchange.authorize_in(Access::Get, &place)?;
    let upload = open(&exchange, &place, &input.key, &input.upload_id).await?;
    let limit = asked.min(MOST);
    // One more than fits tells whether there is another page.
    let mut parts = exchange.gateway.metadata.parts(upload.id, after, limit + 1).await.told()?;
    let truncated = limit > 0 && parts.len() > limit as usize;
    parts.truncate(limit as usize);
    let last = parts.last().map_or(after, |part| part.number);
    let declared = Declared::of(&upload);
    let owners = Owners::of(&exchange, upload.owner.as_deref().into_iter().collect()).await?;
    Ok(S3Response::new(ListPartsOutput {
        abort_date: Some(stamp(upload.expires_at)),
        bucket: Some(input.bucket),
        checksum_algorithm: declared
            .map(|declared| ChecksumAlgorithm::from_static(declared.algorithm.as_str())),
        checksum_type: declared.map(|declared| ChecksumType::from_static(declared.kind.as_str())),
        initiator: Some(owners.initiator(&upload)),
        is_truncated: Some(truncated),
        key: Some(input.key),
        max_parts: Some(told(asked)),
        next_part_number_marker: Some(i32::try_from(last).unwrap_or(i32::MAX)),
        owner: Some(owners.show(upload.owner.as_deref())),
        part_number_marker: Some(i32::try_from(after).unwrap_or(i32::MAX)),
        parts: Some(parts.iter().map(row).collect()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        upload_id: Some(input.upload_id),
        ..ListPartsOutput::default()
    }))
}

fn row(part: &Stored) -> Part {
    let mut row = Part {
        e_tag: Some(etag::etag(Some(part.md5), None)),
        last_modified: Some(stamp(part.created_at)),
        part_number: i32::try_from(part.number).ok(),
        size: Some(told_size(part.size)),
        ..Part::default()
    };
    let checksum = part.checksum.as_deref().and_then(checksums::stored);
    say!(row, &checksum);
    row
}
