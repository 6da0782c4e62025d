//! GetObjectLockConfiguration, PutObjectLockConfiguration: whether versions of a bucket can be locked, and what new ones get.

use crate::s3::error::{Told, Trouble, invalid, malformed, trouble};
use crate::s3::exchange::Exchange;
use crate::s3::locks::{mode_word, need_seal, parse_mode};
use crate::scsp::authorization::Access;
use lifecycle::{DefaultRetention, Period, Refusal, Right, Versioning};
use metadata::Failure;
use s3s::S3Response;
use s3s::dto::{
    DefaultRetention as Default, GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule,
    PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput,
};

/// AWS's greatest numbers.
const DAYS_MAX: i32 = 36_500;
const YEARS_MAX: i32 = 100;

pub(in crate::s3) async fn get(
    exchange: Exchange<'_>,
    input: GetObjectLockConfigurationInput,
) -> Result<S3Response<GetObjectLockConfigurationOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Get, &place)?;
    let configured = exchange.gateway.metadata.object_lock(place.bucket.id).await.told()?;
    let default = configured.filter(|_| place.bucket.object_lock).ok_or_else(|| {
        trouble(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        )
    })?;
    let configuration = ObjectLockConfiguration {
        object_lock_enabled: Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED)),
        rule: default.map(|default| ObjectLockRule { default_retention: Some(shown(default)) }),
    };
    let output = GetObjectLockConfigurationOutput { object_lock_configuration: Some(configuration) };
    Ok(S3Response::new(output))
}

pub(in crate::s3) async fn put(
    exchange: Exchange<'_>,
    input: PutObjectLockConfigurationInput,
) -> Result<S3Response<PutObjectLockConfigurationOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Put, &place)?;
    need_seal(&exchange.headers)?;
    let configuration = input.object_lock_configuration.ok_or_else(malformed)?;
    if configuration.object_lock_enabled.as_ref().map(ObjectLockEnabled::as_str) != Some("Enabled") {
        return Err(malformed());
    }
    let default = match configuration.rule {
        None => None,
        Some(rule) => Some(read(rule.default_retention.ok_or_else(malformed)?)?),
    };
    let refused = || {
        trouble(
            "InvalidBucketState",
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
        )
    };
    if place.versioning() != Versioning::Enabled {
        return Err(refused());
    }
    let actor = exchange.principal.name.to_string();
    match exchange.gateway.metadata.set_object_lock(place.bucket.id, default, &actor).await {
        Err(Failure::Refused(Refusal::Protected)) => return Err(refused()),
        done => done.told()?,
    }
    let says =
        default.map_or("no default retention".to_owned(), |default| format!("new versions: {default}"));
    exchange.note.container(place.bucket.id);
    exchange.note.detail(format!("object lock: {says}"));
    Ok(S3Response::new(PutObjectLockConfigurationOutput::default()))
}

fn shown(default: DefaultRetention) -> Default {
    let number = |number: u32| i32::try_from(number).ok();
    let (days, years) = match default.period() {
        Period::Days(days) => (number(days), None),
        Period::Years(years) => (None, number(years)),
    };
    Default { days, years, mode: Some(ObjectLockRetentionMode::from_static(mode_word(default.mode()))) }
}

/// # Errors
/// `MalformedXML` without a mode, or with not exactly one number; `InvalidArgument` for a number that is no length.
fn read(default: Default) -> Result<DefaultRetention, Trouble> {
    let mode = default.mode.and_then(|mode| parse_mode(mode.as_str())).ok_or_else(malformed)?;
    let number = |number: i32, most: i32| match u32::try_from(number) {
        Ok(0) | Err(_) => Err(invalid("Default retention period must be a positive integer value.")),
        Ok(_) if number > most => Err(invalid("Default retention period too large.")),
        Ok(number) => Ok(number),
    };
    let period = match (default.days, default.years) {
        (Some(days), None) => Period::Days(number(days, DAYS_MAX)?),
        (None, Some(years)) => Period::Years(number(years, YEARS_MAX)?),
        (None, None) | (Some(_), Some(_)) => return Err(malformed()),
    };
    DefaultRetention::new(mode, period).ok_or_else(malformed)
}
