//! DeleteObject. What S3 calls final leaves a removed version for the grace of objects; nothing of it shows on this door.

use super::tagging::which;
use crate::objects::{Deletion, Error, delete as delete_object};
use crate::s3::error::{Trouble, failed, no_such_key, unbuilt};
use crate::s3::exchange::{Exchange, expect_owner};
use crate::s3::locks::bypass;
use crate::s3::moment::time;
use crate::s3::reading::shown_id;
use crate::scsp::authorization::Access;
use lifecycle::condition::{TagKind, Tags};
use lifecycle::{Condition, Refusal, Right, Time, Versioning};
use metadata::{Deleted, Markers, Which};
use s3s::S3Response;
use s3s::dto::{DeleteObjectInput, DeleteObjectOutput, ETagCondition};

pub(in crate::s3) async fn delete(
    exchange: Exchange<'_>,
    input: DeleteObjectInput,
) -> Result<S3Response<DeleteObjectOutput>, Trouble> {
    if input.mfa.is_some() {
        return Err(unbuilt("x-amz-mfa"));
    }
    let which = which(input.version_id.as_deref())?;
    if which != Which::Current && input.if_match.is_some() {
        return Err(unbuilt("If-Match together with a version id"));
    }
    let right = right(which);
    let owner = input.expected_bucket_owner.as_deref();
    let asked = exchange.asked(right)?.of_version(input.version_id.as_deref());
    let place = exchange.place(&input.bucket, &asked).await?;
    expect_owner(&place.bucket, owner)?;
    let bypass = bypass(&exchange, &place, &input.key)?;
    if bypass {
        exchange.note.detail("passing by governance retention".to_owned());
    }
    let etag = input.if_match.as_ref().map(|condition| match condition {
        ETagCondition::Any => Tags::Any,
        ETagCondition::ETag(etag) => Tags::List(vec![etag.value().to_owned()]),
    });
    let deletion = Deletion {
        domain: place.domain.id,
        bucket: place.bucket.id,
        name: input.key,
        which,
        markers: Markers::Stacked,
        hides_guarded: true,
        bypass,
        condition: condition(etag, input.if_match_size, input.if_match_last_modified_time.map(time)),
        spec: Some(exchange.spec(Access::Delete, &place)),
    };
    let deleted = match delete_object(exchange.gateway, &exchange.principal, deletion).await {
        Ok(deleted) => deleted,
        // Gone is what was wanted.
        Err(Error::Refused(Refusal::NoSuchObject { .. } | Refusal::NoSuchVersion)) => {
            return Ok(S3Response::new(DeleteObjectOutput {
                version_id: input.version_id,
                ..DeleteObjectOutput::default()
            }));
        }
        Err(error) => return Err(not_deleted(&exchange, error)),
    };
    exchange.note.promised(deleted.purge_after);
    exchange.note.deleted(1);
    if deleted.purge_after.is_some() {
        exchange.gateway.wake_background();
    }
    let told = Told::of(&deleted, which, place.versioning());
    Ok(S3Response::new(DeleteObjectOutput {
        delete_marker: told.marker.then_some(true),
        version_id: told.version,
        ..DeleteObjectOutput::default()
    }))
}

/// Why something was not deleted. Where a condition names what must be there and nothing is, that is what is told.
pub(super) fn not_deleted(exchange: &Exchange<'_>, error: Error) -> Trouble {
    if let Error::Refused(refusal) = &error {
        exchange.gateway.metrics.refused(refusal);
    }
    match error {
        Error::Refused(Refusal::ConditionFailed { current: None }) => no_such_key(),
        error => failed(error),
    }
}

/// What a delete asks for: a version goes for good.
pub(super) fn right(which: Which) -> Right {
    match which {
        Which::Current => Right::Delete,
        Which::Version(_) | Which::Null => Right::DeleteVersion,
    }
}

/// What must be true of what is deleted.
pub(super) fn condition(if_match: Option<Tags>, size: Option<i64>, modified: Option<Time>) -> Condition {
    Condition {
        by: TagKind::Content,
        if_match,
        // A size below zero is nobody's.
        if_match_size: size.map(|size| u64::try_from(size).unwrap_or(u64::MAX)),
        if_match_last_modified: modified,
        ..Condition::NONE
    }
}

/// What a client hears of a delete.
pub(super) struct Told {
    /// The version that went, or the marker that came.
    pub(super) version: Option<String>,
    /// It is a delete marker.
    pub(super) marker: bool,
}

impl Told {
    pub(super) fn of(deleted: &Deleted, which: Which, versioning: Versioning) -> Self {
        match (which, deleted.marker) {
            (Which::Current, Some(marker)) => {
                let null = versioning == Versioning::Suspended;
                Told { version: shown_id(versioning, null, &marker.to_string()), marker: true }
            }
            (Which::Current, None) => Told { version: None, marker: false },
            (Which::Null, _) => Told { version: Some("null".to_owned()), marker: deleted.was_marker },
            (Which::Version(id), _) => Told { version: Some(id.to_string()), marker: deleted.was_marker },
        }
    }
}
