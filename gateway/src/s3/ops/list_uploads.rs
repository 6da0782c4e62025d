//! ListMultipartUploads.

use super::list::told;
use super::multipart::{Declared, is_ours};
use crate::s3::error::{Told, Trouble, invalid};
use crate::s3::exchange::Exchange;
use crate::s3::moment::stamp;
use crate::s3::owners::Owners;
use crate::s3::paging::{MOST, Names, delimiter, size};
use crate::scsp::authorization::Access;
use lifecycle::Right;
use metadata::{Upload, UploadsOrder};
use s3s::S3Response;
use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload,
    StorageClass,
};

pub(in crate::s3) async fn list(
    exchange: Exchange<'_>,
    input: ListMultipartUploadsInput,
) -> Result<S3Response<ListMultipartUploadsOutput>, Trouble> {
    let names = Names::asked(input.encoding_type.as_ref())?;
    let asked = size(input.max_uploads, "max-uploads")?;
    let key_marker = input.key_marker.as_deref().unwrap_or_default();
    // Without a key, an upload says nothing of where to go on.
    let upload_marker =
        input.upload_id_marker.as_deref().filter(|id| !id.is_empty() && !key_marker.is_empty());
    let upload_marker =
        upload_marker.map(|id| id.parse().map_err(|_| invalid("Invalid uploadId marker"))).transpose()?;
    let owner_wanted = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner_wanted).await?;
    exchange.authorize_in(Access::Get, &place)?;
    let delimiter = delimiter(input.delimiter.as_deref())?;
    let order = UploadsOrder {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: delimiter.as_ref(),
        key_marker,
        upload_marker,
        limit: asked.min(MOST),
    };
    let page = exchange.gateway.metadata.list_uploads(place.contents, &order).await.told()?;
    let prefixes: Vec<_> = page.prefixes.iter().map(|prefix| names.prefix(prefix)).collect();
    let ours = page.uploads.iter().filter(|upload| is_ours(upload));
    let owners = page.uploads.iter().filter_map(|upload| upload.owner.as_deref()).collect();
    let owners = Owners::of(&exchange, owners).await?;
    let uploads: Vec<_> = ours.map(|upload| row(upload, names, &owners)).collect();
    let truncated = page.next.is_some();
    let (next_key, next_upload) = page.next.unzip();
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: (!prefixes.is_empty()).then_some(prefixes),
        delimiter: input
            .delimiter
            .filter(|delimiter| !delimiter.is_empty())
            .map(|delimiter| names.write(&delimiter)),
        encoding_type: input.encoding_type,
        is_truncated: Some(truncated),
        key_marker: Some(names.write(key_marker)),
        max_uploads: Some(told(asked)),
        next_key_marker: Some(next_key.map(|key| names.write(&key)).unwrap_or_default()),
        next_upload_id_marker: Some(next_upload.flatten().map(|id| id.to_string()).unwrap_or_default()),
        prefix: Some(names.write(input.prefix.as_deref().unwrap_or_default())),
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        uploads: (!uploads.is_empty()).then_some(uploads),
        ..ListMultipartUploadsOutput::default()
    }))
}

fn row(upload: &Upload, names: Names, owners: &Owners) -> MultipartUpload {
    let declared = Declared::of(upload);
    MultipartUpload {
        checksum_algorithm: declared
            .map(|declared| ChecksumAlgorithm::from_static(declared.algorithm.as_str())),
        checksum_type: declared.map(|declared| ChecksumType::from_static(declared.kind.as_str())),
        initiated: Some(stamp(upload.created_at)),
        initiator: Some(owners.initiator(upload)),
        key: Some(names.write(&upload.name)),
        owner: Some(owners.show(upload.owner.as_deref())),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        upload_id: Some(upload.id.to_string()),
    }
}
