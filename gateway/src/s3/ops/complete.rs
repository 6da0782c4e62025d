//! CompleteMultipartUpload: the parts become one object, in one transaction, and no byte is copied.

use super::lifecycle::expiration;
use super::multipart::{Declared, find};
use super::put::{condition, new_object, written_id};
use crate::objects::headers::decode;
use crate::objects::{Assembly, Checksum, ChecksumAlgorithm, ChecksumKind, Error, assemble};
use crate::s3::checksums::{self, said, say};
use crate::s3::error::{
    Told, Trouble, failed, invalid, malformed, no_such_key, no_such_upload, precondition_failed, refused,
    trouble,
};
use crate::s3::etag;
use crate::s3::exchange::{Exchange, Place};
use crate::scsp::authorization::Access;
use lifecycle::{Refusal, Right, State, Time, VersionId};
use metadata::{Part, Upload};
use s3s::S3Response;
use s3s::dto::{ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart};
use std::collections::BTreeMap;

/// The least bytes of a part that is not the last.
const PART_MIN: u64 = 5 << 20;

pub(in crate::s3) async fn complete(
    exchange: Exchange<'_>,
    input: CompleteMultipartUploadInput,
) -> Result<S3Response<CompleteMultipartUploadOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Post, &place)?;
    let upload = find(&exchange, &place, &input.key, &input.upload_id).await?.ok_or_else(no_such_upload)?;
    if let Some(version) = upload.completed {
        return again(&exchange, &place, &input, version).await;
    }
    match finish(&exchange, &place, &upload, &input).await {
        Ok(output) => Ok(S3Response::new(output)),
        // The same client may have asked twice, and the other request come first.
        Err(trouble) => match exchange.gateway.metadata.upload(upload.id).await.told()? {
            Some(Upload { completed: Some(version), .. }) => again(&exchange, &place, &input, version).await,
            Some(_) => Err(trouble),
            // Given up meanwhile: the parts that were missed went with it.
            None => Err(no_such_upload()),
        },
    }
}

async fn finish(
    exchange: &Exchange<'_>,
    place: &Place,
    upload: &Upload,
    input: &CompleteMultipartUploadInput,
) -> Result<CompleteMultipartUploadOutput, Trouble> {
    let listed = input.multipart_upload.as_ref().and_then(|list| list.parts.as_deref()).unwrap_or_default();
    let parts = chosen(exchange, upload, listed).await?;
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if input.mpu_object_size.is_some_and(|said| u64::try_from(said) != Ok(size)) {
        return Err(trouble(
            "InvalidRequest",
            "The provided 'x-amz-mp-object-size' header value does not match what was computed.",
        ));
    }
    let checksum = whole(upload, &parts, input)?;
    let mut object =
        new_object(exchange, place, input.key.clone(), decode(&upload.headers), upload.tags.clone());
    (object.owner, object.acl) = (upload.owner.clone(), upload.acl.clone());
    // As they were declared. A retention that its bucket gives counts from now.
    (object.retention, object.guard.hold) = (upload.retention, upload.hold);
    object.checksum = checksum.as_ref().map(Checksum::encode);
    object.condition = condition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let assembly = Assembly { upload: upload.id, parts, object };
    let conditional = input.if_match.is_some();
    let stored = match assemble(exchange.gateway, &exchange.principal, assembly).await {
        Ok(stored) => stored,
        Err(Error::Refused(Refusal::ConditionFailed { current: None })) if conditional => {
            return Err(no_such_key());
        }
        // What was written while the upload was open is a conflict, and no condition that was never true.
        Err(Error::Refused(Refusal::ConditionFailed { current: Some(current) })) => {
            let current = exchange.gateway.metadata.version(current).await.told()?;
            return Err(match current.is_some_and(|current| current.created_at > upload.created_at) {
                true => trouble(
                    "ConditionalRequestConflict",
                    "The conditional request cannot succeed due to a conflicting operation against this resource.",
                ),
                false => precondition_failed(),
            });
        }
        Err(error) => return Err(failed(error)),
    };
    exchange.gateway.wake_background();
    let expires = stored.published.expires.as_ref().map(|(at, rule)| (*at, rule.as_str()));
    let is = (stored.published.version, Some(stored.md5), count);
    Ok(answer(exchange, place, input, is, expires, checksum))
}

/// The listed parts as they are stored.
///
/// # Errors
/// `MalformedXML` without any, `InvalidPartOrder`, `InvalidPart`, `EntityTooSmall`, and what is wrong with a checksum.
async fn chosen(
    exchange: &Exchange<'_>,
    upload: &Upload,
    listed: &[CompletedPart],
) -> Result<Vec<Part>, Trouble> {
    if listed.is_empty() {
        return Err(malformed());
    }
    let stored = exchange.gateway.metadata.parts(upload.id, 0, u32::MAX).await.told()?;
    let mut stored: BTreeMap<u32, Part> = stored.into_iter().map(|part| (part.number, part)).collect();
    let (mut chosen, mut before): (Vec<Part>, _) = (Vec::with_capacity(listed.len()), 0);
    for part in listed {
        let (Some(number), Some(tag)) = (part.part_number, &part.e_tag) else { return Err(malformed()) };
        let number = u32::try_from(number).unwrap_or_default();
        if !(1..=10_000).contains(&number) {
            return Err(invalid("PartNumber must be an integer between 1 and 10000, inclusive"));
        }
        if number <= before {
            return Err(trouble(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
            ));
        }
        before = number;
        let found = stored.remove(&number).filter(|found| tag.value() == etag::text(Some(found.md5), None));
        let found = found.ok_or_else(|| refused(&Refusal::NoSuchPart { number }))?;
        let declared = Declared::of(upload);
        if let Some(declared) = declared.filter(|declared| declared.kind == ChecksumKind::Composite)
            && matches!(said!(part).one(), Ok(None))
        {
            return Err(trouble(
                "InvalidRequest",
                format!(
                    "The upload was created using a {} checksum. The complete request must include the checksum for each \
                     part. It was missing for part {number} in the request.",
                    declared.algorithm.as_str().to_lowercase()
                ),
            ));
        }
        let bad = || invalid("Invalid Base64 or multiple checksums present in request");
        if let Some((algorithm, text)) = said!(part).one().map_err(|_| bad())? {
            let said = Checksum::of_text(algorithm, text).map_err(|_| bad())?;
            let is = found.checksum.as_deref().and_then(checksums::stored);
            if is.is_some_and(|is| is.algorithm != algorithm || is.bytes != said.bytes) {
                return Err(refused(&Refusal::NoSuchPart { number }));
            }
        }
        chosen.push(found);
    }
    let last = chosen.len() - 1;
    if let Some(small) = chosen.iter().take(last).find(|part| part.size < PART_MIN) {
        return Err(trouble(
            "EntityTooSmall",
            format!(
                "Your proposed upload is smaller than the minimum allowed size (part {}: {} bytes)",
                small.number, small.size
            ),
        ));
    }
    Ok(chosen)
}

/// The checksum of the whole, from those of its parts.
///
/// # Errors
/// `InvalidRequest` if several are claimed, or one that cannot be, `BadDigest` if it is another one.
fn whole(
    upload: &Upload,
    parts: &[Part],
    input: &CompleteMultipartUploadInput,
) -> Result<Option<Checksum>, Trouble> {
    let claimed = said!(input).one()?;
    if let Some((algorithm, text)) = claimed {
        Checksum::of_text(algorithm, text).map_err(|_| checksums::invalid_value(algorithm))?;
    }
    let declared = Declared::of(upload).or_else(|| uniform(parts));
    let Some(declared) = declared else {
        return match claimed {
            None => Ok(None),
            Some((algorithm, _)) => Err(trouble(
                "InvalidRequest",
                format!("The upload was not begun with the checksum algorithm {}.", algorithm.as_str()),
            )),
        };
    };
    if let Some(kind) = &input.checksum_type
        && checksums::kind(kind.as_str())? != declared.kind
    {
        return Err(trouble(
            "InvalidRequest",
            format!(
                "The upload was begun using the {} checksum mode. The complete request must use the same checksum mode.",
                declared.kind.as_str()
            ),
        ));
    }
    let of = |part: &Part| part.checksum.as_deref().and_then(checksums::stored);
    let sums: Option<Vec<(Vec<u8>, u64)>> =
        parts.iter().map(|part| Some((of(part)?.bytes, part.size))).collect();
    let Some(sums) = sums else { return Ok(None) };
    let is = match declared.kind {
        ChecksumKind::Composite => {
            let sums: Vec<Vec<u8>> = sums.into_iter().map(|(sum, _)| sum).collect();
            Checksum::composite(declared.algorithm, &sums)
        }
        ChecksumKind::FullObject => Checksum::combined(declared.algorithm, &sums),
    };
    let is = is.map_err(|bad| trouble("InvalidRequest", bad.to_string()))?;
    match claimed {
        Some((algorithm, _)) if algorithm != declared.algorithm => Err(checksums::invalid_value(algorithm)),
        // Of a composite one, the number of parts may be left out.
        Some((_, text)) if text != is.text() && is.text().split('-').next() != Some(text) => Err(trouble(
            "BadDigest",
            format!(
                "The {} you specified did not match the calculated checksum.",
                declared.algorithm.as_str().to_lowercase()
            ),
        )),
        Some(_) | None => Ok(Some(is)),
    }
}

/// Where nothing was declared and all parts came with checksums of one algorithm, the whole has one too.
fn uniform(parts: &[Part]) -> Option<Declared> {
    let of = |part: &Part| Some(checksums::stored(part.checksum.as_deref()?)?.algorithm);
    let algorithm: ChecksumAlgorithm = of(parts.first()?)?;
    let same = parts.iter().all(|part| of(part) == Some(algorithm));
    let kind = algorithm.kind_of_multipart(None).ok()?;
    same.then_some(Declared { algorithm, kind })
}

/// An upload that is completed twice is answered twice: the first answer may have been lost.
async fn again(
    exchange: &Exchange<'_>,
    place: &Place,
    input: &CompleteMultipartUploadInput,
    version: VersionId,
) -> Result<S3Response<CompleteMultipartUploadOutput>, Trouble> {
    let found = exchange.gateway.metadata.version(version).await.told()?;
    let found = found.filter(|found| found.state == State::Live).ok_or_else(no_such_upload)?;
    let checksum = found.checksum.as_deref().and_then(checksums::stored);
    let is = (version, found.md5, found.parts.unwrap_or_default());
    let expires = found.expires_at.zip(found.expiry_rule.as_deref()).filter(|_| found.is_current);
    Ok(S3Response::new(answer(exchange, place, input, is, expires, checksum)))
}

fn answer(
    exchange: &Exchange<'_>,
    place: &Place,
    input: &CompleteMultipartUploadInput,
    (version, md5, parts): (VersionId, Option<[u8; 16]>, u32),
    expires: Option<(Time, &str)>,
    checksum: Option<Checksum>,
) -> CompleteMultipartUploadOutput {
    let host = exchange.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut output = CompleteMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        e_tag: Some(etag::etag(md5, Some(parts))),
        expiration: expires.map(expiration),
        location: Some(format!("http://{host}{}", exchange.named.path)),
        version_id: written_id(place.versioning(), version),
        ..CompleteMultipartUploadOutput::default()
    };
    say!(output, &checksum);
    output.checksum_type = checksum.map(|checksum| ChecksumType::from_static(checksum.kind_str()));
    output
}
