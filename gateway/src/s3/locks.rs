//! Object Lock as S3's requests say it and its answers show it. What a version's guard is made of, and who may change which part
//! of it, is not decided here (`lifecycle::Lock`, `lifecycle::retention`).

use super::allowed::Asked;
use super::deleting::bypass as bypass_asked;
use super::error::{Trouble, denied, invalid, trouble};
use super::exchange::{Exchange, Place};
use super::headers::{HOLD, MODE, UNTIL};
use super::moment::{stamp, time};
use ::access::Action;
use http::{HeaderMap, HeaderName, HeaderValue};
use lifecycle::{Retention, RetentionMode, Right, Time};
use metadata::Version;
use s3s::dto::{Timestamp, TimestampFormat};

/// What a request that writes an object says of its lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ordered {
    pub(super) retention: Option<Retention>,
    pub(super) hold: bool,
}

impl Ordered {
    /// What the headers say.
    ///
    /// # Errors
    /// `InvalidRequest` where a bucket has no locks; `InvalidArgument` for what means nothing.
    pub(super) fn of(headers: &HeaderMap, place: &Place, now: Time) -> Result<Self, Trouble> {
        if ![MODE, UNTIL, HOLD].into_iter().any(|name| headers.contains_key(name)) {
            return Ok(Ordered::default());
        }
        need(place)?;
        let hold = match text(headers, HOLD)? {
            None | Some("OFF") => false,
            Some("ON") => true,
            Some(_) => return Err(invalid("Legal Hold must be either of 'ON' or 'OFF'")),
        };
        let retention = match (text(headers, MODE)?, text(headers, UNTIL)?) {
            (None, None) => None,
            (Some(mode), Some(until)) => {
                let mode = parse_mode(mode).ok_or_else(|| invalid("Unknown wormMode directive."))?;
                let until = Timestamp::parse(TimestampFormat::DateTime, until)
                    .map_err(|_| invalid("The retain until date must be provided in ISO 8601 format"))?;
                Some(Retention { mode, until: ahead(until, now)? })
            }
            (Some(_), None) | (None, Some(_)) => {
                return Err(invalid(format!("{UNTIL} and {MODE} must both be supplied")));
            }
        };
        Ok(Ordered { retention, hold })
    }

    fn says_anything(self) -> bool {
        self != Ordered::default()
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Trouble> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let once = line.to_str().ok().filter(|_| lines.next().is_none());
    once.map(Some)
        .ok_or_else(|| invalid(format!("The header {name} holds no text, or stands more than once.")))
}

/// The mode of this word of S3's.
pub(super) fn parse_mode(word: &str) -> Option<RetentionMode> {
    [RetentionMode::Governance, RetentionMode::Compliance].into_iter().find(|mode| mode_word(*mode) == word)
}

/// S3's word.
pub(super) fn mode_word(mode: RetentionMode) -> &'static str {
    match mode {
        RetentionMode::Governance => "GOVERNANCE",
        RetentionMode::Compliance => "COMPLIANCE",
    }
}

/// A date until which something is to be kept. Answers tell it to the second; so it is the end of that second, or whoever
/// sets what he was told would shorten it.
///
/// # Errors
/// `InvalidArgument` for a date that has passed.
pub(super) fn ahead(date: Timestamp, now: Time) -> Result<Time, Trouble> {
    let until = time(date);
    if until <= now {
        return Err(invalid("The retain until date must be in the future!"));
    }
    Ok(Retention { mode: RetentionMode::Governance, until }.to_the_second().until)
}

/// A date as the document of a retention has it.
pub(super) fn date(until: Time) -> Timestamp {
    stamp(until)
}

/// Passes if versions of the bucket can be locked.
///
/// # Errors
/// `InvalidRequest`.
pub(super) fn need(place: &Place) -> Result<(), Trouble> {
    match place.bucket.object_lock {
        true => Ok(()),
        false => Err(trouble("InvalidRequest", "Bucket is missing Object Lock Configuration")),
    }
}

/// Whether a digest comes with the body: what is to be kept for years must be what was sent.
fn sealed(headers: &HeaderMap) -> bool {
    let says = |name: &str| headers.get(name).is_some_and(|value| !value.is_empty());
    let checksum = |name: &HeaderName| {
        name.as_str()
            .strip_prefix("x-amz-checksum-")
            .is_some_and(|of| !["mode", "type", "algorithm"].contains(&of))
    };
    let trailer = headers.get("x-amz-trailer").and_then(|value| value.to_str().ok());
    let announced = trailer.is_some_and(|names| names.to_ascii_lowercase().contains("x-amz-checksum-"));
    says("content-md5") || announced || headers.keys().any(checksum)
}

/// Passes if the document of a lock comes with a digest.
///
/// # Errors
/// `InvalidRequest`.
pub(super) fn need_seal(headers: &HeaderMap) -> Result<(), Trouble> {
    match sealed(headers) {
        true => Ok(()),
        false => Err(trouble(
            "InvalidRequest",
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        )),
    }
}

/// Passes if an object that is going to be locked comes with a digest, be its lock its own or its bucket's.
///
/// # Errors
/// `InvalidRequest`.
pub(super) async fn need_seal_of_object(
    exchange: &Exchange<'_>,
    place: &Place,
    ordered: Ordered,
) -> Result<(), Trouble> {
    use super::error::Told;
    if !place.bucket.object_lock || sealed(&exchange.headers) {
        return Ok(());
    }
    let given = || async { exchange.gateway.metadata.object_lock(place.bucket.id).await.told() };
    if ordered.says_anything() || given().await?.flatten().is_some() {
        return Err(trouble(
            "InvalidRequest",
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
        ));
    }
    Ok(())
}

/// Whether the caller passes by GOVERNANCE: he says so, and may. The right is one of its own; without any lock there is
/// nothing to pass by, and it is asked for all the same.
///
/// # Errors
/// `AccessDenied` for whoever says so and may not; `InvalidArgument` for a word that is neither true nor false.
pub(super) fn bypass(exchange: &Exchange<'_>, place: &Place, key: &str) -> Result<bool, Trouble> {
    if bypass_asked(&exchange.headers)? != Some(true) {
        return Ok(false);
    }
    let asked = Asked::of(Action::BypassGovernanceRetention, Right::BypassGovernance, Some(key));
    // Nobody passes by a lock who does not say who they are, whatever a policy opens.
    let known = !exchange.principal.is_anonymous() || exchange.principal.holds(Right::BypassGovernance);
    match known && exchange.verdict(place, &asked, None).allows() {
        true => Ok(true),
        false => Err(denied("Access Denied")),
    }
}

/// Shows the lock of a version. What a lifepoint forbids is none, and is not shown as one.
pub(super) fn show(version: &Version, answer: &mut HeaderMap) {
    if let Some(retention) = version.retention {
        answer.insert(MODE, HeaderValue::from_static(mode_word(retention.mode)));
        let mut text = Vec::new();
        if date(retention.until).format(TimestampFormat::DateTime, &mut text).is_ok()
            && let Ok(value) = HeaderValue::from_bytes(&text)
        {
            answer.insert(UNTIL, value);
        }
    }
    if version.guard.hold {
        answer.insert(HOLD, HeaderValue::from_static("ON"));
    }
}
