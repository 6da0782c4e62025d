//! GetBucketOwnershipControls, PutBucketOwnershipControls, DeleteBucketOwnershipControls.

use crate::s3::error::{Told, Trouble, malformed, trouble};
use crate::s3::exchange::{Exchange, Place};
use crate::scsp::authorization::Access;
use ::access::{Ownership, Settings};
use lifecycle::Right;
use metadata::SettingKind;
use s3s::S3Response;
use s3s::dto::{
    DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput, GetBucketOwnershipControlsInput,
    GetBucketOwnershipControlsOutput, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PutBucketOwnershipControlsInput, PutBucketOwnershipControlsOutput,
};

pub(in crate::s3) async fn get(
    exchange: Exchange<'_>,
    input: GetBucketOwnershipControlsInput,
) -> Result<S3Response<GetBucketOwnershipControlsOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Get, &place)?;
    let kind = SettingKind::Ownership;
    let stored = exchange.gateway.metadata.bucket_setting(place.bucket.id, kind).await.told()?;
    let ownership = match (stored, place.settings.as_deref()) {
        (Some(_), Some(settings)) => settings.ownership(),
        _ => {
            return Err(trouble(
                "OwnershipControlsNotFoundError",
                "The bucket ownership controls were not found",
            ));
        }
    };
    let rule = OwnershipControlsRule { object_ownership: ObjectOwnership::from_static(ownership.as_str()) };
    Ok(S3Response::new(GetBucketOwnershipControlsOutput {
        ownership_controls: Some(OwnershipControls { rules: vec![rule] }),
    }))
}

pub(in crate::s3) async fn put(
    exchange: Exchange<'_>,
    input: PutBucketOwnershipControlsInput,
) -> Result<S3Response<PutBucketOwnershipControlsOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Put, &place)?;
    let rules = input.ownership_controls.rules;
    let ownership = match rules.as_slice() {
        [rule] => Ownership::named(rule.object_ownership.as_str()),
        _ => None,
    };
    let ownership = ownership.ok_or_else(malformed)?;
    if !ownership.takes_lists() {
        refuse_lists(&place)?;
    }
    exchange.set(&place, SettingKind::Ownership, Some(ownership.as_str().to_owned())).await?;
    Ok(S3Response::new(PutBucketOwnershipControlsOutput::default()))
}

pub(in crate::s3) async fn delete(
    exchange: Exchange<'_>,
    input: DeleteBucketOwnershipControlsInput,
) -> Result<S3Response<DeleteBucketOwnershipControlsOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Put, &place)?;
    exchange.set(&place, SettingKind::Ownership, None).await?;
    Ok(S3Response::new(DeleteBucketOwnershipControlsOutput::default()))
}

/// Passes if the bucket's own list grants nothing to others: it would mean nothing from then on.
fn refuse_lists(place: &Place) -> Result<(), Trouble> {
    let acl = place.settings.as_deref().and_then(Settings::acl);
    match acl.is_some_and(|acl| acl.opens_beyond(&[place.bucket.owner.as_deref()])) {
        true => Err(lists_beside_enforced()),
        false => Ok(()),
    }
}

pub(super) fn lists_beside_enforced() -> Trouble {
    trouble(
        "InvalidBucketAclWithObjectOwnership",
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    )
}
