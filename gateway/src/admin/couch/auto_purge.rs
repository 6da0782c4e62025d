//! `_auto_purge`: how long a deleted document stays.

use super::limits::CouchOk;
use super::{DOMAIN, order, place};
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape};
use crate::admin::request::{Answered, Asked, json, ok};
use crate::http::BodyReader;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When deleted documents go by themselves, with all their revisions.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CouchAutoPurge {
    /// How long a document stays deleted before it goes, such as `30_min`, `8_hours` or `3_weeks`; `infinity`: for ever. Absent:
    /// nothing was said, and it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_document_ttl: Option<String>,
}

pub(in crate::admin) const SHOW_AUTO_PURGE: Described =
    Described::answers(&[Answer::ok("What is in force.", &[shape::<CouchAutoPurge>])])
        .asked_with(&[DOMAIN])
        .in_couch_words();
pub(in crate::admin) const SET_AUTO_PURGE: Described =
    Described::answers(&[Answer::new(201, "It is in force.", &[shape::<CouchOk>])])
        .asked_with(&[DOMAIN])
        .ordered::<CouchAutoPurge>()
        .in_couch_words();

pub(in crate::admin) async fn show_auto_purge(asked: &Asked<'_>) -> Answered {
    let place = place::bucket(asked).await?;
    asked.only(&["domain"])?;
    let ttl = asked.gateway.metadata.marker_ttl(place.bucket.id).await?;
    ok(&CouchAutoPurge { deleted_document_ttl: ttl.map(written) })
}

pub(in crate::admin) async fn set_auto_purge(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = place::bucket(asked).await?;
    asked.only(&["domain"])?;
    let order: CouchAutoPurge = order::small(body).await?;
    let Some(text) = order.deleted_document_ttl else {
        return Err(Complaint::bad_request("deleted_document_ttl is missing"));
    };
    let ttl = read(&text).ok_or_else(|| {
        Complaint::bad_request(format!(
            "deleted_document_ttl cannot be {text:?}: allowed are a number and a unit such as 30_min, 8_hours, 3_weeks, or infinity"
        ))
    })?;
    asked.trail.detail(format!("deleted_document_ttl={text}"));
    let actor = asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string();
    asked.gateway.metadata.set_marker_ttl(place.bucket.id, ttl, &actor).await?;
    asked.gateway.wake_background();
    json(StatusCode::CREATED, &CouchOk { ok: true })
}

/// Units in their singular, and how many seconds they are.
const UNITS: [(&str, u64); 6] =
    [("week", 604_800), ("day", 86_400), ("hour", 3_600), ("min", 60), ("minute", 60), ("sec", 1)];

/// `None`: means nothing; the inner one: for ever.
fn read(text: &str) -> Option<Option<Duration>> {
    if text == "infinity" {
        return Some(None);
    }
    let (number, unit) = text.split_once('_')?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let unit = unit.strip_suffix('s').unwrap_or(unit);
    let (_, seconds) = UNITS.iter().find(|(known, _)| *known == unit)?;
    // Beyond what a clock will ever show.
    let total = number.checked_mul(*seconds).filter(|total| *total <= 1_000 * 366 * 86_400)?;
    Some(Some(Duration::from_secs(total)))
}

/// In the largest unit that says it exactly.
fn written(ttl: Duration) -> String {
    let seconds = ttl.as_secs();
    let exact = UNITS.iter().find(|(_, unit)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (unit, size) = exact.copied().unwrap_or(("sec", 1));
    format!("{}_{unit}", seconds / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_couchdb_writes_them() {
        for (text, seconds) in [
            ("30_min", 1_800),
            ("1_minute", 60),
            ("8_hours", 28_800),
            ("24_hour", 86_400),
            ("3_weeks", 1_814_400),
            ("90_sec", 90),
        ] {
            let ttl = Duration::from_secs(seconds);
            assert_eq!(read(text), Some(Some(ttl)), "{text}");
            assert_eq!(read(&written(ttl)), Some(Some(ttl)), "{text}");
        }
        assert_eq!(read("infinity"), Some(None));
        for bad in [
            "",
            "_",
            "5",
            "5_",
            "_min",
            "0_min",
            "-1_min",
            "1.5_hours",
            "5_parsecs",
            "99999999999_weeks",
            "8 hours",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
