//! ListObjectVersions: versions and delete markers, by key and the newest first.

use super::list::{told, told_size};
use crate::http::Body;
use crate::s3::answer::escaped;
use crate::s3::error::{Told, Trouble, invalid};
use crate::s3::exchange::{Exchange, expect_owner};
use crate::s3::facts::{About, Lists};
use crate::s3::moment::stamp;
use crate::s3::owners::Owners;
use crate::s3::paging::{MOST, Names, delimiter, size};
use crate::s3::route::Answered;
use crate::s3::{checksums, etag};
use crate::scsp::authorization::Access;
use lifecycle::Right;
use metadata::{ListedVersion, VersionMarker, VersionsOrder};
use s3s::S3Response;
use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CommonPrefix, DeleteMarkerEntry, ListObjectVersionsInput,
    ListObjectVersionsOutput, ObjectVersion, ObjectVersionStorageClass,
};
use s3s::xml::{SerResult, SerializeContent, Serializer};
use std::io::Write;

pub(in crate::s3) async fn list(
    exchange: Exchange<'_>,
    input: ListObjectVersionsInput,
) -> Result<S3Response<ListObjectVersionsOutput>, Trouble> {
    let names = Names::asked(input.encoding_type.as_ref())?;
    let asked = size(input.max_keys, "max-keys")?;
    if input.version_id_marker.as_deref() == Some("")
        && input.key_marker.as_deref().is_some_and(|key| !key.is_empty())
    {
        return Err(invalid("A version-id marker cannot be empty."));
    }
    let version_marker = version_marker(input.version_id_marker.as_deref())?;
    let key_marker = input.key_marker.as_deref().unwrap_or_default();
    if version_marker.is_some() && key_marker.is_empty() {
        return Err(invalid("A version-id marker cannot be specified without a key marker."));
    }
    let owner_wanted = input.expected_bucket_owner.as_deref();
    let listing = Lists {
        prefix: input.prefix.as_deref(),
        delimiter: input.delimiter.as_deref(),
        max_keys: input.max_keys,
    };
    let asked_of = exchange.asked(Right::Read)?.about(About { listing: Some(listing), ..About::default() });
    let place = exchange.place(&input.bucket, &asked_of).await?;
    expect_owner(&place.bucket, owner_wanted)?;
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
    let owners = page.items.iter().filter_map(|item| item.owner.as_deref()).collect();
    let owners = Owners::of(&exchange, owners).await?;
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let listing = Listing {
        head: [
            ("Name", Some(input.bucket)),
            ("Prefix", Some(names.write(input.prefix.as_deref().unwrap_or_default()))),
            ("KeyMarker", Some(names.write(key_marker))),
            ("VersionIdMarker", Some(input.version_id_marker.unwrap_or_default())),
            ("NextKeyMarker", next_key),
            ("NextVersionIdMarker", next_version),
            ("MaxKeys", Some(told(asked).to_string())),
            ("Delimiter", delimiter.map(|delimiter| names.write(&delimiter))),
            ("EncodingType", input.encoding_type.map(|encoding| encoding.as_str().to_owned())),
            ("IsTruncated", Some(page.next.is_some().to_string())),
        ],
        rows: page.items.into_iter().map(|item| Row::of(item, names, &owners)).collect(),
        prefixes: page.prefixes.iter().map(|prefix| names.prefix(prefix)).collect(),
    };
    let mut xml = Vec::with_capacity(512 * (listing.rows.len() + 1));
    let mut writer = Serializer::new(&mut xml);
    let written =
        writer.decl().and_then(|()| writer.content_with_ns("ListVersionsResult", NAMESPACE, &listing));
    written.map_err(Trouble::internal_error)?;
    let mut response = S3Response::new(ListObjectVersionsOutput::default());
    response.extensions.insert(Answered::with(Body::Full(escaped(xml.into()))));
    Ok(response)
}

/// The namespace of S3's documents.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The answer. `s3s` would write all versions and then all delete markers; AWS writes them in their order, by which some
/// clients tell which of them is newer.
struct Listing {
    head: [(&'static str, Option<String>); 10],
    rows: Vec<Row>,
    prefixes: Vec<CommonPrefix>,
}

enum Row {
    Version(Box<ObjectVersion>),
    Marker(DeleteMarkerEntry),
}

impl SerializeContent for Listing {
    fn serialize_content<W: Write>(&self, to: &mut Serializer<W>) -> SerResult {
        for (name, value) in &self.head {
            if let Some(value) = value {
                to.content(name, value)?;
            }
        }
        for row in &self.rows {
            match row {
                Row::Version(version) => to.content("Version", version.as_ref())?,
                Row::Marker(marker) => to.content("DeleteMarker", marker)?,
            }
        }
        self.prefixes.iter().try_for_each(|prefix| to.content("CommonPrefixes", prefix))
    }
}

impl Row {
    fn of(item: ListedVersion, names: Names, owners: &Owners) -> Self {
        match item.marker {
            true => Row::Marker(marker(item, names, owners)),
            false => Row::Version(Box::new(version(item, names, owners))),
        }
    }
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

fn version(item: ListedVersion, names: Names, owners: &Owners) -> ObjectVersion {
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
        owner: Some(owners.show(item.owner.as_deref())),
        size: Some(told_size(item.size)),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        version_id: Some(id(&item)),
        ..ObjectVersion::default()
    }
}

fn marker(item: ListedVersion, names: Names, owners: &Owners) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        is_latest: Some(item.is_latest),
        key: Some(names.write(&item.name)),
        last_modified: Some(stamp(item.created_at)),
        owner: Some(owners.show(item.owner.as_deref())),
        version_id: Some(id(&item)),
    }
}
