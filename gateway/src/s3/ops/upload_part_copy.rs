//! UploadPartCopy: a part that is another object's bytes, or some of them.

use super::copy::{Conditions, original, source};
use super::multipart::{Declared, open};
use super::upload_part::{number, part_of};
use crate::objects::{ChecksumAlgorithm, Source, put_part};
use crate::s3::body::Found as BodyTrouble;
use crate::s3::checksums::{self, Wanted, say};
use crate::s3::error::{Told, Trouble, invalid, trouble};
use crate::s3::exchange::Exchange;
use crate::s3::moment::stamp;
use crate::s3::reading::version_id;
use crate::s3::{etag, headers};
use crate::scsp::authorization::Access;
use lifecycle::Right;
use s3s::S3Response;
use s3s::dto::{CopyPartResult, UploadPartCopyInput, UploadPartCopyOutput};
use std::ops::Range;

/// The most bytes of a part.
const MOST: u64 = 5 << 30;

pub(in crate::s3) async fn copy(
    exchange: Exchange<'_>,
    input: UploadPartCopyInput,
) -> Result<S3Response<UploadPartCopyOutput>, Trouble> {
    headers::refuse_unbuilt(&exchange.headers)?;
    let number = number(input.part_number)?;
    let (bucket, key, version) = source(&input.copy_source)?;
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Post, &place)?;
    let upload = open(&exchange, &place, &input.key, &input.upload_id).await?;
    let source_owner = input.expected_source_bucket_owner.as_deref();
    let found = original(&exchange, (bucket, key), version, source_owner).await?;
    let conditions = Conditions {
        if_match: input.copy_source_if_match.as_ref(),
        if_none_match: input.copy_source_if_none_match.as_ref(),
        modified_since: input.copy_source_if_modified_since.as_ref(),
        unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
    };
    conditions.check(&found, exchange.gateway.clock.now())?;
    let range = match input.copy_source_range.as_deref() {
        None => 0..found.version.size,
        Some(text) => range(text, found.version.size)?,
    };
    if range.end - range.start > MOST {
        return Err(trouble("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"));
    }
    let from = Source::range(exchange.gateway, &found, range).await.told()?;
    let algorithm = Declared::of(&upload).map_or(ChecksumAlgorithm::Crc64Nvme, |declared| declared.algorithm);
    let mut from =
        from.judged(&[algorithm.hash_type()], Wanted::computed(algorithm).judge(BodyTrouble::default()));
    let part = part_of(&place, &upload, number, None);
    let (md5, _) = put_part(exchange.gateway, &exchange.principal, part, &mut from).await.told()?;
    let mut result = CopyPartResult {
        e_tag: Some(etag::etag(Some(md5), None)),
        last_modified: Some(stamp(exchange.gateway.clock.now())),
        ..CopyPartResult::default()
    };
    let checksum = from.verdict().as_deref().and_then(checksums::stored);
    say!(result, &checksum);
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: version_id(&found),
        ..UploadPartCopyOutput::default()
    }))
}

/// Reads `x-amz-copy-source-range`: `bytes=first-last`, both of them there, inside of the source.
///
/// # Errors
/// `InvalidArgument` for another form and and for what ends behind the source.
fn range(text: &str, size: u64) -> Result<Range<u64>, Trouble> {
    let bad = || {
        invalid(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        )
    };
    let digits = |text: &str| -> Option<u64> {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten()
    };
    let (first, last) =
        text.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(bad)?;
    let (first, last) = (digits(first).ok_or_else(bad)?, digits(last).ok_or_else(bad)?);
    if first > last {
        return Err(bad());
    }
    if last >= size {
        return Err(invalid(format!("Range specified is not valid for source object of size: {size}")));
    }
    Ok(first..last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_a_source_is_whole_and_inside() {
        let code = |text: &str| range(text, 10).map_err(|trouble| trouble.code().as_str().to_owned());
        assert_eq!(code("bytes=0-9"), Ok(0..10));
        assert_eq!(code("bytes=3-3"), Ok(3..4));
        for bad in ["bytes=-5", "bytes=5-", "0-1", "bytes=5-2", "bytes=a-b", "bytes=+1-2", "bytes=0-1,3-4"] {
            assert_eq!(code(bad), Err("InvalidArgument".to_owned()), "{bad}");
        }
        assert_eq!(code("bytes=0-10"), Err("InvalidArgument".to_owned()));
        assert_eq!(code("bytes=10-10"), Err("InvalidArgument".to_owned()));
    }
}
