//! GetObjectAttributes.

use super::list::{told, told_size};
use crate::s3::allowed::Asked;
use crate::s3::checksums::{self, say};
use crate::s3::error::{Told, Trouble, invalid, trouble};
use crate::s3::etag;
use crate::s3::exchange::Exchange;
use crate::s3::moment::stamp;
use crate::s3::paging::{MOST, size};
use crate::s3::reading::{object, version_id};
use crate::scsp::authorization::Access;
use ::access::Action;
use lifecycle::Right;
use metadata::{Found, VersionPart};
use s3s::S3Response;
use s3s::dto::{
    Checksum, ChecksumType, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts,
    ObjectPart, StorageClass,
};

const KNOWN: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

pub(in crate::s3) async fn attributes(
    exchange: Exchange<'_>,
    input: GetObjectAttributesInput,
) -> Result<S3Response<GetObjectAttributesOutput>, Trouble> {
    // One header or several, each with one name or several.
    let wanted: Vec<String> = input
        .object_attributes
        .iter()
        .flat_map(|names| names.as_str().split(','))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    if wanted.is_empty() {
        return Err(trouble(
            "InvalidRequest",
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
        ));
    }
    size(input.max_parts, "x-amz-max-parts")?;
    if wanted.iter().any(|name| !KNOWN.contains(&name.as_str())) {
        return Err(invalid("Invalid attribute name specified."));
    }
    let wants = |name: &str| wanted.iter().any(|known| known == name);
    let version = input.version_id.as_deref();
    let found = object(&exchange, &input.bucket, &input.key, version, false).await?;
    // It tells of the object what a read of it tells.
    let reading = Asked::of(Action::GetObject, Right::Read, Some(&input.key)).of_version(version);
    exchange.allow(&reading, &found).await?;
    exchange.authorize(Access::Get, &found)?;
    let stored = found.version.checksum.as_deref().and_then(checksums::stored).filter(|_| wants("Checksum"));
    let checksum = stored.map(|stored| {
        let kind = Some(ChecksumType::from_static(stored.kind_str()));
        let mut checksum = Checksum { checksum_type: kind, ..Checksum::default() };
        // The number of parts stands among the parts.
        let text = crate::objects::Checksum { parts: None, ..stored };
        say!(checksum, &Some(text));
        checksum
    });
    let object_parts = match found.version.parts.filter(|_| wants("ObjectParts")) {
        Some(count) => {
            Some(parts(&exchange, &found, count, (input.part_number_marker, input.max_parts)).await?)
        }
        None => None,
    };
    let tag = etag::etag(found.version.md5, found.version.parts);
    Ok(S3Response::new(GetObjectAttributesOutput {
        checksum,
        e_tag: wants("ETag").then_some(tag),
        last_modified: Some(stamp(found.version.created_at)),
        object_parts,
        object_size: wants("ObjectSize").then(|| told_size(found.version.size)),
        storage_class: wants("StorageClass").then(|| StorageClass::from_static(StorageClass::STANDARD)),
        version_id: version_id(&found),
        ..GetObjectAttributesOutput::default()
    }))
}

async fn parts(
    exchange: &Exchange<'_>,
    found: &Found,
    count: u32,
    (marker, most): (Option<i32>, Option<i32>),
) -> Result<GetObjectAttributesParts, Trouble> {
    let asked = size(most, "x-amz-max-parts")?;
    let after =
        marker.map_or(Ok(0), u32::try_from).map_err(|_| invalid("Invalid x-amz-part-number-marker"))?;
    let limit = asked.min(MOST);
    let mut page = match found.part {
        Some(one) => exchange.gateway.metadata.parts_of_version(one, after, limit + 1).await.told()?,
        None => Vec::new(),
    };
    let truncated = limit > 0 && page.len() > limit as usize;
    page.truncate(limit as usize);
    let last = page.last().map_or(after, |part| part.position);
    let told_number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    // AWS tells the parts of those objects only whose parts have checksums.
    let sums = page.iter().any(|part| part.checksum.is_some());
    let rows: Vec<ObjectPart> = page.iter().map(row).collect();
    Ok(GetObjectAttributesParts {
        is_truncated: Some(truncated),
        max_parts: Some(told(asked)),
        next_part_number_marker: Some(told_number(last)),
        part_number_marker: Some(told_number(after)),
        parts: sums.then_some(rows),
        total_parts_count: Some(told_number(count)),
    })
}

fn row(part: &VersionPart) -> ObjectPart {
    let mut row = ObjectPart {
        part_number: i32::try_from(part.position).ok(),
        size: Some(told_size(part.blob.size)),
        ..ObjectPart::default()
    };
    let checksum = part.checksum.as_deref().and_then(checksums::stored);
    say!(row, &checksum);
    row
}
