//! GetObjectRetention, PutObjectRetention, GetObjectLegalHold, PutObjectLegalHold: the lock of one version, which changes
//! without another one.

use super::tagging::of_marker;
use crate::s3::allowed::Asked;
use crate::s3::error::{Told, Trouble, malformed, trouble};
use crate::s3::exchange::{Exchange, Place, expect_owner};
use crate::s3::facts::{About, Orders};
use crate::s3::locks::{ahead, bypass, date, mode_word, need, need_seal, parse_mode};
use crate::s3::moment::time;
use crate::s3::reading::{object, object_asked};
use crate::scsp::authorization::Access;
use lifecycle::{Lock, Refusal, Retention, Right};
use metadata::{Failure, Found, LockChange, LockOrder, Which};
use s3s::S3Response;
use s3s::dto::{
    GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectRetentionInput, GetObjectRetentionOutput,
    ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention, ObjectLockRetentionMode,
    PutObjectLegalHoldInput, PutObjectLegalHoldOutput, PutObjectRetentionInput, PutObjectRetentionOutput,
};

/// How often an object is looked at again that is overwritten in the moment of the change.
const TRIES: usize = 4;

pub(in crate::s3) async fn get_retention(
    exchange: Exchange<'_>,
    input: GetObjectRetentionInput,
) -> Result<S3Response<GetObjectRetentionOutput>, Trouble> {
    let (owner, version) = (input.expected_bucket_owner.as_deref(), input.version_id.as_deref());
    let found = lookup(&exchange, &input.bucket, &input.key, version, owner).await?;
    let retention = found.version.retention.ok_or_else(|| {
        trouble(
            "NoSuchObjectLockConfiguration",
            "The specified object does not have a ObjectLock configuration",
        )
    })?;
    let shown = ObjectLockRetention {
        mode: Some(ObjectLockRetentionMode::from_static(mode_word(retention.mode))),
        retain_until_date: Some(date(retention.until)),
    };
    Ok(S3Response::new(GetObjectRetentionOutput { retention: Some(shown) }))
}

pub(in crate::s3) async fn put_retention(
    exchange: Exchange<'_>,
    input: PutObjectRetentionInput,
) -> Result<S3Response<PutObjectRetentionOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let retention = input.retention.as_ref();
    let asked = asked(
        &exchange,
        Orders {
            mode: retention.and_then(|retention| retention.mode.as_ref()).map(|mode| mode.as_str()),
            until: retention.and_then(|retention| retention.retain_until_date.clone()).map(time),
            hold: None,
        },
    )?;
    let place = place(&exchange, &input.bucket, &asked, owner).await?;
    need_seal(&exchange.headers)?;
    let to = wanted(&exchange, retention.ok_or_else(malformed)?)?;
    let change = LockChange::Retention { to, bypass: bypass(&exchange, &place, &input.key)? };
    set(&exchange, &place, &asked, (&input.key, input.version_id.as_deref()), change).await?;
    Ok(S3Response::new(PutObjectRetentionOutput::default()))
}

pub(in crate::s3) async fn get_legal_hold(
    exchange: Exchange<'_>,
    input: GetObjectLegalHoldInput,
) -> Result<S3Response<GetObjectLegalHoldOutput>, Trouble> {
    let (owner, version) = (input.expected_bucket_owner.as_deref(), input.version_id.as_deref());
    let found = lookup(&exchange, &input.bucket, &input.key, version, owner).await?;
    let status = match found.version.guard.hold {
        true => ObjectLockLegalHoldStatus::ON,
        false => ObjectLockLegalHoldStatus::OFF,
    };
    let shown = ObjectLockLegalHold { status: Some(ObjectLockLegalHoldStatus::from_static(status)) };
    Ok(S3Response::new(GetObjectLegalHoldOutput { legal_hold: Some(shown) }))
}

pub(in crate::s3) async fn put_legal_hold(
    exchange: Exchange<'_>,
    input: PutObjectLegalHoldInput,
) -> Result<S3Response<PutObjectLegalHoldOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let status = input.legal_hold.and_then(|hold| hold.status);
    let hold = status.as_ref().map(ObjectLockLegalHoldStatus::as_str);
    let asked = asked(&exchange, Orders { hold, ..Orders::default() })?;
    let place = place(&exchange, &input.bucket, &asked, owner).await?;
    need_seal(&exchange.headers)?;
    let status = status.as_ref().ok_or_else(malformed)?;
    let hold = match status.as_str() {
        "ON" => true,
        "OFF" => false,
        _ => return Err(malformed()),
    };
    let names = (input.key.as_str(), input.version_id.as_deref());
    set(&exchange, &place, &asked, names, LockChange::Hold(hold)).await?;
    Ok(S3Response::new(PutObjectLegalHoldOutput::default()))
}

/// The retention that a document wants; an empty one wants none.
///
/// # Errors
/// `MalformedXML`, `InvalidArgument` for a date that has passed.
fn wanted(exchange: &Exchange<'_>, retention: &ObjectLockRetention) -> Result<Option<Retention>, Trouble> {
    match (&retention.mode, &retention.retain_until_date) {
        (None, None) => Ok(None),
        (Some(mode), Some(until)) => {
            let mode = parse_mode(mode.as_str()).ok_or_else(malformed)?;
            let until = ahead(until.clone(), exchange.gateway.clock.now())?;
            Ok(Some(Retention { mode, until }))
        }
        (Some(_), None) | (None, Some(_)) => Err(malformed()),
    }
}

/// What is asked, with what the document orders: conditions of policies are about that as about headers.
fn asked<'a>(exchange: &'a Exchange<'_>, orders: Orders<'a>) -> Result<Asked<'a>, Trouble> {
    let about = About { lock: Some(orders), ..About::default() };
    Ok(exchange.asked(Right::Write)?.about(about))
}

/// The bucket, if it has locks.
async fn place(
    exchange: &Exchange<'_>,
    bucket: &str,
    asked: &Asked<'_>,
    owner: Option<&str>,
) -> Result<Place, Trouble> {
    let place = exchange.place(bucket, asked).await?;
    expect_owner(&place.bucket, owner)?;
    need(&place)?;
    Ok(place)
}

/// The version that is asked for, in a bucket with locks.
async fn lookup(
    exchange: &Exchange<'_>,
    bucket: &str,
    key: &str,
    version: Option<&str>,
    owner: Option<&str>,
) -> Result<Found, Trouble> {
    need(&exchange.bucket_of(bucket, Right::Read, owner).await?)?;
    let found = object(exchange, bucket, key, version, false).await.map_err(of_marker)?;
    exchange.authorize(Access::Get, &found)?;
    Ok(found)
}

async fn set(
    exchange: &Exchange<'_>,
    place: &Place,
    asked: &Asked<'_>,
    (key, version): (&str, Option<&str>),
    change: LockChange,
) -> Result<(), Trouble> {
    let (names, metadata) = ((place.bucket.name.as_str(), key), &exchange.gateway.metadata);
    let asked = asked.of_version(version);
    let mut tries = 0;
    let locked = loop {
        tries += 1;
        let found = object_asked(exchange, &asked, (names, version), None, false).await.map_err(of_marker)?;
        exchange.authorize(Access::Put, &found)?;
        let order = LockOrder {
            domain: place.domain.id,
            bucket: place.bucket.id,
            name: key.to_owned(),
            // The version that was looked at, and no other: the next one may be reserved to somebody else.
            which: Which::Version(found.version.id),
            removed_too: false,
            change,
        };
        match metadata.set_lock(order).await {
            Err(Failure::Refused(Refusal::NoSuchVersion)) if version.is_none() && tries < TRIES => {}
            Err(Failure::Refused(refusal)) => {
                exchange.gateway.metrics.refused(&refusal);
                return Err(crate::s3::error::refused(&refusal));
            }
            done => break done.told()?,
        }
    };
    exchange.note.detail(format!(
        "lock of {}: {} -> {}",
        locked.version,
        in_words(locked.from),
        in_words(locked.to)
    ));
    // What waited for the lock may be due now.
    exchange.gateway.wake_background();
    Ok(())
}

fn in_words(lock: Lock) -> String {
    let retention = lock.retention.map_or("no retention".to_owned(), |retention| retention.to_string());
    if lock.hold { format!("{retention}, legal hold") } else { retention }
}
