//! GetObjectTagging, PutObjectTagging, DeleteObjectTagging. Tags belong to a version and can change without another one.

use crate::s3::error::{Told, Trouble, invalid, trouble};
use crate::s3::exchange::Exchange;
use crate::s3::facts::About;
use crate::s3::reading::{object, object_asked, version_id};
use crate::s3::tags::{self, Of};
use crate::scsp::authorization::Access;
use lifecycle::{Refusal, Right};
use metadata::{Failure, Found, Which};
use s3s::S3Response;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput,
};

pub(in crate::s3) async fn get(
    exchange: Exchange<'_>,
    input: GetObjectTaggingInput,
) -> Result<S3Response<GetObjectTaggingOutput>, Trouble> {
    let version = input.version_id.as_deref();
    let found = object(&exchange, &input.bucket, &input.key, version, false).await.map_err(of_marker)?;
    exchange.authorize(Access::Get, &found)?;
    Ok(S3Response::new(GetObjectTaggingOutput {
        tag_set: tags::set(found.version.tags.as_deref()),
        version_id: version_id(&found),
    }))
}

pub(in crate::s3) async fn put(
    exchange: Exchange<'_>,
    input: PutObjectTaggingInput,
) -> Result<S3Response<PutObjectTaggingOutput>, Trouble> {
    let tags = tags::encode(tags::of_xml(input.tagging)?, Of::Object)?;
    let found = change(&exchange, (&input.bucket, &input.key), input.version_id.as_deref(), tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id: version_id(&found) }))
}

pub(in crate::s3) async fn delete(
    exchange: Exchange<'_>,
    input: DeleteObjectTaggingInput,
) -> Result<S3Response<DeleteObjectTaggingOutput>, Trouble> {
    let found = change(&exchange, (&input.bucket, &input.key), input.version_id.as_deref(), None).await?;
    let output = DeleteObjectTaggingOutput { version_id: version_id(&found) };
    Ok(S3Response::new(output))
}

/// How often an object is looked at again that is overwritten in the moment of the change.
const TRIES: usize = 4;

async fn change(
    exchange: &Exchange<'_>,
    names: (&str, &str),
    version: Option<&str>,
    tags: Option<String>,
) -> Result<Found, Trouble> {
    let metadata = &exchange.gateway.metadata;
    let about = About { tags: tags.as_deref(), ..About::default() };
    let asked = exchange.asked(Right::Write)?.of_version(version).about(about);
    let owner = exchange.headers.get("x-amz-expected-bucket-owner");
    let owner = owner.map(|owner| owner.to_str().unwrap_or_default());
    let mut tries = 0;
    loop {
        tries += 1;
        let found =
            object_asked(exchange, &asked, (names, version), owner, false).await.map_err(of_marker)?;
        exchange.authorize(Access::Put, &found)?;
        // The version that was looked at, and no other: the next one may be reserved to somebody else.
        let which = Which::Version(found.version.id);
        match metadata.set_tags(found.domain.0, found.bucket.0, names.1, which, tags.clone()).await {
            Err(Failure::Refused(Refusal::NoSuchVersion)) if version.is_none() && tries < TRIES => {}
            changed => return changed.told().map(|_| found),
        }
    }
}

/// A delete marker has no tags and no lock, and can have none.
pub(super) fn of_marker(error: Trouble) -> Trouble {
    let marker = error.headers().is_some_and(|headers| headers.contains_key("x-amz-delete-marker"));
    if !marker || error.code().as_str() != "NoSuchKey" {
        return error;
    }
    let headers = error.headers().cloned().unwrap_or_default();
    let mut error = trouble("MethodNotAllowed", "The specified method is not allowed against this resource.");
    error.set_headers(headers);
    error
}

/// Which version an argument names.
///
/// # Errors
/// `InvalidArgument` for what is no version's id.
pub(in crate::s3) fn which(version: Option<&str>) -> Result<Which, Trouble> {
    match version {
        None => Ok(Which::Current),
        Some("") => Err(invalid("Version id cannot be the empty string")),
        Some("null") => Ok(Which::Null),
        Some(id) => id.parse().map(Which::Version).map_err(|_| invalid("Invalid version id specified")),
    }
}
