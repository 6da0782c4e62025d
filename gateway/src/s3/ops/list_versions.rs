//! ListObjectVersions: versions and delete markers, by key and the newest first.

use super::buckets::owner;
use super::list::{told, told_size};
use crate::s3::error::{Told, Trouble, invalid};
use crate::s3::exchange::Exchange;
use crate::s3::moment::stamp;
use crate::s3::paging::{MOST, Names, delimiter, size};
use crate::s3::{checksums, etag};
use crate::scsp::authorization::Access;
use lifecycle::Right;
use metadata::{ListedVersion, VersionMarker, VersionsOrder};
use s3s::S3Response;
use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, DeleteMarkerEntry, ListObjectVersionsInput, ListObjectVersionsOutput,
    ObjectVersion, ObjectVersionStorageClass,
};

pub(in crate::s3) async fn list(
    exchange: Exchange<'_>,
    input: ListObjectVersionsInput,
) -> Result<S3Response<ListObjectVersionsOutput>, Trouble> {
    let names = Names::asked(input.encoding_type.as_ref())?;
    let asked = size(input.max_keys, "max-keys")?;
    let version_marker = version_marker(input.version_id_marker.as_deref())?;
    let key_marker = input.key_marker.as_deref().unwrap_or_default();
    if version_marker.is_some() && key_marker.is_empty() {
        return Err(invalid("A version-id marker cannot be specified without a key marker."));
    }
    let owner_wanted = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner_wanted).await?;
    exchange.authorize_in(Access::Get, &place)?;
    let delimiter = delimiter(input.delimiter.as_deref())?;
    let order = VersionsOrder {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: delimiter.as_ref(),
        key_marker,
        version_marker,
        limit: asked.min(MOST),
    };
    let page = exchange.gateway.metadata.list_page_of_versions(place.contents, &order).await.told()?;
    let (next_key, next_version) = match &page.next {
        // The pair goes on exactly where the page ends, whatever happens to the version meanwhile.
        Some((key, version)) => (Some(names.write(key)), version.map(|version| version.to_string())),
        None => (None, None),
    };
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    for item in page.items {
        match item.marker {
            true => markers.push(marker(item, names)),
            false => versions.push(version(item, names)),
        }
    }
    let prefixes: Vec<_> = page.prefixes.iter().map(|prefix| names.prefix(prefix)).collect();
    Ok(S3Response::new(ListObjectVersionsOutput {
        common_prefixes: (!prefixes.is_empty()).then_some(prefixes),
        delete_markers: (!markers.is_empty()).then_some(markers),
        delimiter: input
            .delimiter
            .filter(|delimiter| !delimiter.is_empty())
            .map(|delimiter| names.write(&delimiter)),
        encoding_type: input.encoding_type,
        is_truncated: Some(next_key.is_some()),
        key_marker: Some(names.write(key_marker)),
        max_keys: Some(told(asked)),
        name: Some(input.bucket),
        next_key_marker: next_key,
        next_version_id_marker: next_version,
        prefix: Some(names.write(input.prefix.as_deref().unwrap_or_default())),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        versions: (!versions.is_empty()).then_some(versions),
        ..ListObjectVersionsOutput::default()
    }))
}

fn version_marker(text: Option<&str>) -> Result<Option<VersionMarker>, Trouble> {
    match text.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some("null") => Ok(Some(VersionMarker::Null)),
        Some(id) => {
            let id = id.parse().map_err(|_| invalid("Invalid version id specified"))?;
            Ok(Some(VersionMarker::Version(id)))
        }
    }
}

fn id(item: &ListedVersion) -> String {
    if item.null_version { "null".to_owned() } else { item.id.to_string() }
}

fn version(item: ListedVersion, names: Names) -> ObjectVersion {
    let checksum = item.checksum.as_deref().and_then(checksums::stored);
    ObjectVersion {
        checksum_algorithm: checksum
            .as_ref()
            .map(|checksum| vec![ChecksumAlgorithm::from_static(checksum.algorithm.as_str())]),
        checksum_type: checksum.map(|checksum| ChecksumType::from_static(checksum.kind_str())),
        e_tag: Some(etag::etag(item.md5, item.parts)),
        is_latest: Some(item.is_latest),
        key: Some(names.write(&item.name)),
        last_modified: Some(stamp(item.created_at)),
        owner: Some(owner(item.owner.as_deref())),
        size: Some(told_size(item.size)),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        version_id: Some(id(&item)),
        ..ObjectVersion::default()
    }
}

fn marker(item: ListedVersion, names: Names) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        is_latest: Some(item.is_latest),
        key: Some(names.write(&item.name)),
        last_modified: Some(stamp(item.created_at)),
        owner: Some(owner(item.owner.as_deref())),
        version_id: Some(id(&item)),
    }
}
