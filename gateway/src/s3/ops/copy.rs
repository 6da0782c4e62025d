//! CopyObject. Onto itself it changes what describes the object; anything else copies the bytes: nothing is shared.

use super::lifecycle::expiration;
use super::put::{condition, new_object, written_id};
use crate::objects::headers::decode;
use crate::objects::{ChecksumAlgorithm, Error, NewObject, Source, Stored, put, rewrite};
use crate::s3::allowed::Asked;
use crate::s3::body::Found as BodyTrouble;
use crate::s3::checksums::{self, Wanted, say};
use crate::s3::error::{Trouble, failed, invalid, no_such_key, precondition_failed, trouble};
use crate::s3::exchange::{Exchange, Place};
use crate::s3::facts::About;
use crate::s3::lists::{self, NewList};
use crate::s3::locks::Ordered;
use crate::s3::moment::{stamp, time};
use crate::s3::reading::{object_asked, version_id};
use crate::s3::tags::{self, Of};
use crate::s3::writing::named;
use crate::s3::{etag, headers};
use crate::scsp::authorization::Access;
use ::access::Action;
use lifecycle::{Refusal, Right, Time};
use metadata::{Found, Written};
use s3s::S3Response;
use s3s::dto::{
    ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETagCondition, Timestamp,
};

/// The most bytes that one call copies.
const MOST: u64 = 5 << 30;
/// How often an object is looked at again that changes in the moment of its copy.
const TRIES: usize = 4;

pub(in crate::s3) async fn copy(
    exchange: Exchange<'_>,
    input: CopyObjectInput,
) -> Result<S3Response<CopyObjectOutput>, Trouble> {
    headers::refuse_unbuilt(&exchange.headers)?;
    let (bucket, key, version) = source(&input.copy_source)?;
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.need_name(&place, "copy objects")?;
    exchange.authorize_in(Access::Post, &place)?;
    let source_owner = input.expected_source_bucket_owner.as_deref();
    lists::extras(&exchange, &place)?;
    let list = lists::of_new(&exchange, &place).await?;
    let replaces = directive(input.metadata_directive.as_ref().map(|directive| directive.as_str()))?;
    let replaces_tags = directive(input.tagging_directive.as_ref().map(|directive| directive.as_str()))?;
    let onto_itself = bucket == input.bucket && key == input.key;
    // To name the class that it has is change enough.
    let changes = replaces || input.website_redirect_location.is_some() || input.storage_class.is_some();
    if onto_itself && version.is_none() && !changes {
        return Err(trouble(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
             metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let algorithm =
        input.checksum_algorithm.as_ref().map(|name| checksums::algorithm(name.as_str())).transpose()?;
    let mut tries = 0;
    let (found, stored, checksum) = loop {
        tries += 1;
        let found = original(&exchange, (bucket, key), version, source_owner).await?;
        if !replaces_tags && found.version.tags.is_some() {
            takes_tags_along(&exchange, &place, &found, (bucket, key), version).await?;
        }
        Conditions::of(&input).check(&found, exchange.gateway.clock.now())?;
        if found.version.size > MOST {
            return Err(trouble(
                "InvalidRequest",
                "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
            ));
        }
        let object = successor(&exchange, &place, &input, &found, (replaces, replaces_tags))?;
        let same = onto_itself && found.version.is_current && algorithm.is_none();
        let NewList { owner, acl } = list.clone();
        let written = Written::Copied;
        let object = NewObject { keeps_tags: same && !replaces_tags, owner, acl, written, ..object };
        match write(&exchange, &found, object, same, algorithm.map(Wanted::computed)).await {
            Ok((stored, checksum)) => break (found, stored, checksum),
            Err(Error::Refused(Refusal::Conflict)) if tries < TRIES => {}
            Err(Error::Refused(Refusal::ConditionFailed { current: None }))
                if exchange.headers.contains_key("if-match") =>
            {
                return Err(no_such_key());
            }
            Err(error) => return Err(failed(error)),
        }
    };
    // Bytes that passed on came in the parts in which they were written; those that were copied are in one piece.
    let in_parts = found.version.parts.filter(|_| stored.published.md5 == found.version.md5);
    let mut result = CopyObjectResult {
        e_tag: Some(etag::etag(Some(stored.md5), in_parts)),
        last_modified: Some(stamp(stored.published.at)),
        ..CopyObjectResult::default()
    };
    let checksum = checksum.as_deref().and_then(checksums::stored);
    say!(result, &checksum);
    result.checksum_type = checksum.map(|checksum| ChecksumType::from_static(checksum.kind_str()));
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: version_id(&found),
        expiration: stored.published.expires.as_ref().map(|(at, rule)| expiration((*at, rule))),
        version_id: written_id(place.versioning(), stored.published.version),
        ..CopyObjectOutput::default()
    }))
}

/// Stores it, and tells the checksum that is kept with it.
async fn write(
    exchange: &Exchange<'_>,
    found: &Found,
    mut object: NewObject,
    same: bool,
    checksum: Option<Wanted>,
) -> Result<(Stored, Option<String>), Error> {
    let (gateway, principal) = (exchange.gateway, &exchange.principal);
    if same {
        let stored = rewrite(gateway, principal, found, object).await?;
        let keeps = found.version.parts.is_none() || stored.published.md5 == found.version.md5;
        return Ok((stored, found.version.checksum.clone().filter(|_| keeps)));
    }
    // Over the checksums of parts there is none for a content in one piece: it is computed by the same algorithm.
    let stored = found.version.checksum.as_deref().and_then(checksums::stored);
    let checksum = checksum.or_else(|| match &stored {
        Some(stored) if stored.parts.is_none() => None,
        stored => Some(Wanted::computed(
            stored.as_ref().map_or(ChecksumAlgorithm::Crc64Nvme, |stored| stored.algorithm),
        )),
    });
    object.checksum = found.version.checksum.clone().filter(|_| checksum.is_none());
    object.content_md5 = found.version.md5.filter(|_| found.version.parts.is_none());
    let kept = object.checksum.clone();
    let mut source = Source::stored(gateway, found, None).await?;
    if let Some(checksum) = checksum {
        let of = [checksum.algorithm.hash_type()];
        source = source.judged(&of, checksum.judge(BodyTrouble::default()));
    }
    let stored = put(gateway, principal, object, &mut source).await?;
    Ok((stored, source.verdict().or(kept)))
}

fn successor(
    exchange: &Exchange<'_>,
    place: &Place,
    input: &CopyObjectInput,
    found: &Found,
    (replaces, replaces_tags): (bool, bool),
) -> Result<NewObject, Trouble> {
    let mut kept = match replaces {
        true => headers::kept(&exchange.headers, &headers::user(&exchange.headers)?)?,
        false => headers::copied(decode(&found.version.headers)),
    };
    if !replaces && let Some(location) = &input.website_redirect_location {
        headers::place_to_go(location)?;
        kept.push(("x-amz-website-redirect-location".to_owned(), location.clone()));
    }
    let tags = match replaces_tags {
        true => {
            let tags = input.tagging.as_deref().map(tags::of_header).transpose()?.unwrap_or_default();
            tags::encode(tags, Of::Object)?
        }
        false => found.version.tags.clone(),
    };
    let mut object = new_object(exchange, place, input.key.clone(), kept, tags);
    // `s3s` has no fields for them here.
    let sent = |name: &str| named(&exchange.headers, name);
    // A copy is another version: it has the lock that it is given, and not its source's.
    let lock = Ordered::of(&exchange.headers, place, exchange.gateway.clock.now())?;
    (object.retention, object.guard.hold) = (lock.retention, lock.hold);
    object.condition = condition(sent("if-match")?.as_ref(), sent("if-none-match")?.as_ref())?;
    Ok(object)
}

/// Whether a directive says REPLACE.
///
/// # Errors
/// `InvalidArgument` for another word than COPY or REPLACE.
fn directive(word: Option<&str>) -> Result<bool, Trouble> {
    match word {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(invalid(format!("Unknown directive {other:?}: allowed are COPY and REPLACE."))),
    }
}

/// Bucket, key and version that a copy's source names.
///
/// # Errors
/// `NotImplemented` for access points, `NoSuchKey` for what can be no key.
pub(super) fn source(source: &CopySource) -> Result<(&str, &str, Option<&str>), Trouble> {
    match source {
        CopySource::Bucket { key, .. } if key.is_empty() || key.contains('\0') => Err(no_such_key()),
        CopySource::Bucket { bucket, key, version_id } => Ok((bucket, key, version_id.as_deref())),
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => {
            Err(crate::s3::error::unbuilt("An access point"))
        }
    }
}

/// What is to be copied, if the caller may read it.
///
/// # Errors
/// As for a read; `InvalidRequest` for a delete marker that is named.
pub(super) async fn original(
    exchange: &Exchange<'_>,
    (bucket, key): (&str, &str),
    version: Option<&str>,
    owner: Option<&str>,
) -> Result<Found, Trouble> {
    // Of the source it is a read, whatever the call is.
    let asked = Asked::of(Action::GetObject, Right::Read, Some(key)).of_version(version);
    let found = object_asked(exchange, &asked, ((bucket, key), version), owner, true).await;
    let found = found.map_err(|error| match error.code().as_str() {
        "MethodNotAllowed" => trouble(
            "InvalidRequest",
            "The source of a copy request may not specifically refer to a delete marker by version id.",
        ),
        _ => error,
    })?;
    exchange.authorize(Access::Get, &found)?;
    Ok(found)
}

/// Passes if the tags of the source may be read, and be written where it is copied to.
async fn takes_tags_along(
    exchange: &Exchange<'_>,
    place: &Place,
    found: &Found,
    (_, key): (&str, &str),
    version: Option<&str>,
) -> Result<(), Trouble> {
    let reading = Asked::of(Action::GetObjectTagging, Right::Read, Some(key)).of_version(version);
    exchange.allow(&reading, found).await?;
    let tags = found.version.tags.as_deref();
    let about = About { tags, ..About::default() };
    let key = exchange.named.key.as_deref();
    exchange.also(place, &Asked::of(Action::PutObjectTagging, Right::Write, key).about(about), true)
}

/// What must be true of a copy's source.
pub(super) struct Conditions<'a> {
    pub(super) if_match: Option<&'a ETagCondition>,
    pub(super) if_none_match: Option<&'a ETagCondition>,
    pub(super) modified_since: Option<&'a Timestamp>,
    pub(super) unmodified_since: Option<&'a Timestamp>,
}

impl<'a> Conditions<'a> {
    fn of(input: &'a CopyObjectInput) -> Self {
        Conditions {
            if_match: input.copy_source_if_match.as_ref(),
            if_none_match: input.copy_source_if_none_match.as_ref(),
            modified_since: input.copy_source_if_modified_since.as_ref(),
            unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
        }
    }

    /// # Errors
    /// `PreconditionFailed`, for every condition: a copy has no answer that says "not modified".
    pub(super) fn check(&self, found: &Found, now: Time) -> Result<(), Trouble> {
        let tag = etag::text(found.version.md5, found.version.parts);
        let is = |condition: &ETagCondition| condition.as_etag().is_none_or(|etag| etag.value() == tag);
        let second = |time: Time| time.micros().div_euclid(1_000_000);
        let changed = second(found.version.created_at);
        let since = |stamp: &Timestamp| second(time(stamp.clone()));
        let holds = match (self.if_match, self.unmodified_since) {
            (Some(condition), _) => is(condition),
            (None, Some(date)) => changed <= since(date),
            (None, None) => true,
        } && match (self.if_none_match, self.modified_since) {
            (Some(condition), _) => !is(condition),
            // A date that is yet to come says nothing.
            (None, Some(date)) => changed > since(date) || since(date) > second(now),
            (None, None) => true,
        };
        if holds { Ok(()) } else { Err(precondition_failed()) }
    }
}
