//! UploadPart.

use super::multipart::{Declared, open};
use crate::objects::{PartOf, put_part};
use crate::s3::body::Content;
use crate::s3::checksums::{self, Wanted, say};
use crate::s3::error::{Trouble, invalid, trouble};
use crate::s3::exchange::{Exchange, Place};
use crate::s3::{etag, headers};
use crate::scsp::authorization::Access;
use lifecycle::{Right, VersionId, Within};
use metadata::Upload;
use s3s::S3Response;
use s3s::dto::{UploadPartInput, UploadPartOutput};

pub(in crate::s3) async fn part(
    exchange: Exchange<'_>,
    mut input: UploadPartInput,
) -> Result<S3Response<UploadPartOutput>, Trouble> {
    headers::refuse_unbuilt(&exchange.headers)?;
    let number = number(input.part_number)?;
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Post, &place)?;
    let upload = open(&exchange, &place, &input.key, &input.upload_id).await?;
    let sent = checksums::wanted(&exchange.headers, exchange.trailers.clone())?;
    let mut content = Content::of(&exchange, input.body.take())?;
    match (Declared::of(&upload), sent.map(|sent| sent.algorithm)) {
        (Some(declared), Some(sent)) if declared.algorithm != sent => {
            return Err(trouble(
                "InvalidRequest",
                format!(
                    "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                    declared.algorithm.as_str().to_lowercase(),
                    sent.as_str().to_lowercase()
                ),
            ));
        }
        // What the whole is to have is made of what each part has.
        (Some(declared), None) => content = content.with_checksum(Some(Wanted::computed(declared.algorithm))),
        (Some(_), Some(_)) | (None, _) => {}
    }
    let part = part_of(&place, &upload, number, content.md5);
    let stored = put_part(exchange.gateway, &exchange.principal, part, &mut content.source).await;
    let (md5, _) = stored.map_err(|error| content.trouble(error))?;
    let mut output =
        UploadPartOutput { e_tag: Some(etag::etag(Some(md5), None)), ..UploadPartOutput::default() };
    let checksum = content.source.verdict().as_deref().and_then(checksums::stored);
    say!(output, &checksum);
    Ok(S3Response::new(output))
}

/// A part to be.
pub(super) fn part_of(place: &Place, upload: &Upload, number: u32, content_md5: Option<[u8; 16]>) -> PartOf {
    PartOf {
        upload: upload.id,
        within: Within { domain: place.domain.id, bucket: place.bucket.id, contents: place.contents },
        number,
        // A part's id is not guessable, as an unnamed object's is not.
        version: VersionId::random(),
        content_md5,
        headers: "[]".to_owned(),
    }
}

/// # Errors
/// `InvalidArgument`.
pub(super) fn number(number: i32) -> Result<u32, Trouble> {
    let number = u32::try_from(number).ok().filter(|number| (1..=10_000).contains(number));
    number.ok_or_else(|| invalid("Part number must be an integer between 1 and 10000, inclusive"))
}
