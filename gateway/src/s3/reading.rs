//! GET and HEAD of objects.

use super::allowed::Asked;
use super::arguments::Arguments;
use super::error::{Told, Trouble, invalid, no_such_key, precondition_failed, refused, trouble, with};
use super::exchange::{Exchange, expect_owner, expected};
use super::ops::lifecycle::expiration;
use super::{checksums, etag, headers, locks, tags};
use crate::http::headers::read_conditions;
use crate::http::range::{self, Ranges};
use crate::http::{Body, Class, Current, Outcome};
use crate::objects::content;
use crate::objects::headers::decode;
use crate::scsp::authorization::Access;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lifecycle::{Refusal, Right, Versioning};
use metadata::{Found, Sought};
use std::ops::Range;

/// Reads an object, or describes it.
pub(super) async fn read(
    exchange: &Exchange<'_>,
    query: &Arguments,
    head: bool,
) -> Result<(StatusCode, HeaderMap, Body), Trouble> {
    let bucket = exchange.named.bucket.as_deref().unwrap_or_default();
    let key = exchange.named.key.as_deref().unwrap_or_default();
    let found = object(exchange, bucket, key, query.get("versionId"), !head).await?;
    exchange.authorize(if head { Access::Head } else { Access::Get }, &found)?;
    let conditions = read_conditions(&exchange.headers).map_err(|bad| invalid(bad.to_string()))?;
    let tag = etag::text(found.version.md5, found.version.parts);
    let current = Current { etag: &tag, modified: found.version.created_at };
    let mut headers = HeaderMap::with_capacity(16);
    let outcome = conditions.evaluate(Class::Read, Some(current));
    if outcome == Outcome::PreconditionFailed {
        return Err(precondition_failed());
    }
    set(&mut headers, ETAG, &format!("\"{tag}\""));
    set(&mut headers, LAST_MODIFIED, &found.version.created_at.to_http_date());
    if let Some(id) = version_id(&found) {
        set(&mut headers, HeaderName::from_static("x-amz-version-id"), &id);
    }
    if outcome == Outcome::NotModified {
        return Ok((StatusCode::NOT_MODIFIED, headers, Body::Empty));
    }
    let asked = exchange.headers.get(RANGE).and_then(|range| range.to_str().ok());
    let asked = asked.filter(|_| conditions.range_applies(current));
    let Stretch { status, range, checksum } = stretch(exchange, &found, query, asked, &mut headers).await?;
    describe(exchange, &found, query, checksum.as_deref(), &mut headers)?;
    let length = range.end - range.start;
    let body = if head { Body::Empty } else { content(exchange.gateway, &found, range).await.told()? };
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    Ok((status, headers, body))
}

/// The bytes that are asked for.
struct Stretch {
    status: StatusCode,
    range: Range<u64>,
    /// Their checksum, as it is stored, if they have one of their own.
    checksum: Option<String>,
}

/// Which bytes are asked for, by `Range` or by the number of a part.
async fn stretch(
    exchange: &Exchange<'_>,
    found: &Found,
    query: &Arguments,
    asked: Option<&str>,
    headers: &mut HeaderMap,
) -> Result<Stretch, Trouble> {
    let size = found.version.size;
    let whole =
        || Stretch { status: StatusCode::OK, range: 0..size, checksum: found.version.checksum.clone() };
    if let Some(number) = query.get("partNumber") {
        if asked.is_some() {
            return Err(trouble(
                "InvalidRequest",
                "Cannot specify both Range header and partNumber query parameter",
            ));
        }
        let number = number.parse().ok().filter(|number| (1..=10_000).contains(number));
        let number: u32 =
            number.ok_or_else(|| invalid("Part number must be an integer between 1 and 10000, inclusive"))?;
        let none = || trouble("InvalidPartNumber", "The requested partnumber is not satisfiable");
        let (range, checksum) = match found.version.parts {
            None if number == 1 => (0..size, found.version.checksum.clone()),
            None => return Err(none()),
            Some(parts) => {
                set(headers, HeaderName::from_static("x-amz-mp-parts-count"), &parts.to_string());
                let one = found.part.ok_or_else(none)?;
                let part =
                    exchange.gateway.metadata.part_of_version(one, number).await.told()?.ok_or_else(none)?;
                (part.blob.start..part.blob.start + part.blob.size, part.checksum)
            }
        };
        if !range.is_empty() {
            set(headers, CONTENT_RANGE, &range::content_range(&range, size));
        }
        return Ok(Stretch { status: StatusCode::PARTIAL_CONTENT, range, checksum });
    }
    match asked.filter(|asked| is_one_range(asked)).map_or(Ranges::Whole, |asked| range::parse(asked, size)) {
        Ranges::Partial(ranges) => match ranges.as_slice() {
            [range] => {
                set(headers, CONTENT_RANGE, &range::content_range(range, size));
                Ok(Stretch { status: StatusCode::PARTIAL_CONTENT, range: range.clone(), checksum: None })
            }
            _ => Ok(whole()),
        },
        Ranges::Whole => Ok(whole()),
        Ranges::Unsatisfiable => Err(with(
            trouble("InvalidRange", "The requested range is not satisfiable"),
            &[("content-range", range::content_range_of_none(size))],
        )),
    }
}

/// Whether a header holds one range of bytes. S3 answers any other with the whole object.
fn is_one_range(header: &str) -> bool {
    let Some(range) = header.trim().strip_prefix("bytes=") else { return false };
    let Some((first, last)) = range.split_once('-') else { return false };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(first) || !digits(last) || (first.is_empty() && last.is_empty()) {
        return false;
    }
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) => first <= last,
        _ => true,
    }
}

/// The headers that describe the object, and those that the request wants instead.
fn describe(
    exchange: &Exchange<'_>,
    found: &Found,
    query: &Arguments,
    checksum: Option<&str>,
    headers: &mut HeaderMap,
) -> Result<(), Trouble> {
    headers::echo(&decode(&found.version.headers), headers);
    // Of the current version only: when an older one goes, AWS tells nobody.
    let expires = found.version.expires_at.zip(found.version.expiry_rule.as_deref());
    if let Some(expires) = expires.filter(|_| found.version.is_current) {
        set(headers, HeaderName::from_static("x-amz-expiration"), &expiration(expires));
    }
    if let Some(count) = found.version.tags.as_deref().map(tags::count).filter(|count| *count > 0) {
        set(headers, HeaderName::from_static("x-amz-tagging-count"), &count.to_string());
    }
    locks::show(&found.version, headers);
    let mode = exchange.headers.get("x-amz-checksum-mode").map(HeaderValue::as_bytes);
    if mode.is_some_and(|mode| mode.eq_ignore_ascii_case(b"enabled"))
        && let Some(checksum) = checksum.and_then(checksums::stored)
    {
        set(headers, HeaderName::from_static(checksum.algorithm.header()), &checksum.text());
        set(headers, HeaderName::from_static("x-amz-checksum-type"), checksum.kind_str());
    }
    for (argument, header) in [
        ("response-content-type", "content-type"),
        ("response-content-language", "content-language"),
        ("response-expires", "expires"),
        ("response-cache-control", "cache-control"),
        ("response-content-disposition", "content-disposition"),
        ("response-content-encoding", "content-encoding"),
    ] {
        let Some(value) = query.get(argument) else { continue };
        if exchange.principal.is_anonymous() {
            return Err(trouble(
                "InvalidRequest",
                "Request specific response headers cannot be used for anonymous GET requests.",
            ));
        }
        let value = HeaderValue::from_str(value)
            .map_err(|_| invalid(format!("{argument} is not a header's value")))?;
        headers.insert(HeaderName::from_static(header), value);
    }
    Ok(())
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The version's id as S3 shows it; `None` in a bucket that never had versions.
pub(super) fn version_id(found: &Found) -> Option<String> {
    shown_id(found.versioning, found.version.null_version, &found.version.id.to_string())
}

/// As [`version_id`].
pub(super) fn shown_id(versioning: Versioning, null: bool, id: &str) -> Option<String> {
    match (versioning, null) {
        (Versioning::Disabled, _) => None,
        (Versioning::Enabled | Versioning::Suspended, true) => Some("null".to_owned()),
        (Versioning::Enabled | Versioning::Suspended, false) => Some(id.to_owned()),
    }
}

/// The object of this key, or the version of it that `version` names, if the caller may do with it what this call does.
/// `bytes`: with its bytes, if those lie in the database.
///
/// # Errors
/// `NoSuchKey`, with the delete marker that hides it; `NoSuchVersion`; `MethodNotAllowed` for a delete marker that is named.
pub(super) async fn object(
    exchange: &Exchange<'_>,
    bucket: &str,
    key: &str,
    version: Option<&str>,
    bytes: bool,
) -> Result<Found, Trouble> {
    object_for(exchange, Right::Read, (bucket, key), version, bytes).await
}

/// As [`object`], for whoever holds another right.
///
/// # Errors
/// As [`object`].
pub(super) async fn object_for(
    exchange: &Exchange<'_>,
    right: Right,
    names: (&str, &str),
    version: Option<&str>,
    bytes: bool,
) -> Result<Found, Trouble> {
    let asked = exchange.asked(right)?.of_version(version);
    let owner = exchange.headers.get("x-amz-expected-bucket-owner");
    let owner = owner.map(|owner| owner.to_str().unwrap_or_default());
    object_asked(exchange, &asked, (names, version), owner, bytes).await
}

/// As [`object`], for what is asked and nothing else. `owner`: whose the bucket must be.
///
/// # Errors
/// As [`object`].
pub(super) async fn object_asked(
    exchange: &Exchange<'_>,
    asked: &Asked<'_>,
    ((bucket, key), version): ((&str, &str), Option<&str>),
    owner: Option<&str>,
    bytes: bool,
) -> Result<Found, Trouble> {
    let metadata = &exchange.gateway.metadata;
    let (host, fallback) = exchange.domains();
    let missing = async || {
        let place = exchange.may_miss(bucket, asked).await?;
        expect_owner(&place.bucket, owner)
    };
    let found = match version {
        Some("") => return Err(invalid("Version id cannot be the empty string")),
        None => match metadata.find_named(host, fallback, bucket, key, bytes).await.told()? {
            Sought::Found(found) => Some(*found),
            Sought::Hidden { contents } => {
                // Which marker hides it is told to those only who may read here.
                missing().await?;
                return match metadata.marker(contents, key).await.told()? {
                    Some(marker) => {
                        let id = if marker.null_version { "null".to_owned() } else { marker.id.to_string() };
                        Err(hidden(no_such_key(), id))
                    }
                    None => Err(no_such_key()),
                };
            }
            Sought::Nothing => None,
        },
        Some("null") => metadata.find_null((host, fallback), bucket, key, bytes).await.told()?,
        Some(version) => match version.parse() {
            Ok(id) => metadata.find_version((host, fallback), bucket, key, id, bytes).await.told()?,
            Err(_) => {
                missing().await?;
                return Err(invalid("Invalid version id specified"));
            }
        },
    };
    let Some(found) = found else {
        missing().await?;
        return Err(match version {
            Some(_) => refused(&Refusal::NoSuchVersion),
            None => no_such_key(),
        });
    };
    exchange.allow(asked, &found).await?;
    expected(found.bucket_owner.as_deref(), owner)?;
    exchange.note.domain(&found.domain.1);
    if found.version.marker {
        let id = version_id(&found).unwrap_or_default();
        let error = trouble("MethodNotAllowed", "The specified method is not allowed against this resource.");
        let modified = found.version.created_at.to_http_date();
        return Err(with(hidden(error, id), &[("last-modified", modified), ("allow", "DELETE".to_owned())]));
    }
    Ok(found)
}

/// With what says that a delete marker is in the way.
fn hidden(error: Trouble, id: String) -> Trouble {
    with(error, &[("x-amz-delete-marker", "true".to_owned()), ("x-amz-version-id", id)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_followed_and_anything_else_is_the_whole() {
        for one in ["bytes=0-0", "bytes=5-", "bytes=-3", " bytes=1-99999999999999999999999 "] {
            assert!(is_one_range(one), "{one}");
        }
        for other in
            ["bytes=0-1,3-4", "bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes", "bytes=+1-2", ""]
        {
            assert!(!is_one_range(other), "{other}");
        }
    }
}
