//! WRITE of an object: named, unnamed or alias (SCSP section 2.4).

use crate::http::Body;
use crate::http::headers::write_conditions;
use crate::objects::{NewObject, Stored, put};
use crate::scsp::answer::{encoded, new, set, stamp, system_version};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::{Kept, keep};
use crate::scsp::ops::locate;
use crate::scsp::request::Target;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Response, StatusCode};
use lifecycle::{Condition, Kind, Refusal, Right, VersionId};
use metadata::Existence;

pub(super) const UNBUILT: [&str; 13] = [
    "version",
    "hashtype",
    "hash",
    "newhashtype",
    "newname",
    "preserve",
    "replace",
    "uploads",
    "uploadid",
    "partnumber",
    "encoding",
    "erasurecoded",
    "aliasuuid",
];

pub(in crate::scsp) async fn write(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    exchange.asked.refuse_unbuilt(&UNBUILT)?;
    let kept = keep(&exchange.parts.headers)?;
    let (bucket, named) = match &exchange.asked.target {
        Target::Object(bucket, name) => (Some(bucket), Some(name.as_str().to_owned())),
        Target::Root | Target::Uuid(_) | Target::Bucket(_) | Target::Child(_) => (None, None),
    };
    let (located, target) = exchange.locate_to_write(bucket).await?;
    exchange.principal.require(Right::Write, Some(target.domain), Some(target.bucket))?;

    let version =
        if named.is_some() { VersionId::ordered(exchange.gateway.clock.now()) } else { VersionId::random() };
    let (kind, name) = match named {
        Some(name) => (Kind::Named, name),
        None if exchange.asked.flag("alias")? => (Kind::Alias, VersionId::random().to_string()),
        // An unnamed object's version is its UUID.
        None => (Kind::Unnamed, version.to_string()),
    };
    let object = new_object(&exchange, target, kind, name.clone(), version, kept, Existence::Any)?;
    let stored = store(&mut exchange, object, &located.domain.name, bucket.map(|b| b.as_str())).await?;
    let location = match (bucket, kind) {
        (Some(bucket), _) => format!("/{}/{}", encoded(bucket.as_str()), encoded(&name)),
        (None, _) => format!("/{name}"),
    };
    Ok(created(&exchange, &stored, kind, &name, &location, &located.domain.name, "New stream created"))
}

/// What a write or update stores, from the request's headers and arguments.
pub(super) fn new_object(
    exchange: &Exchange<'_>,
    target: locate::Target,
    kind: Kind,
    name: String,
    version: VersionId,
    kept: Kept,
    existence: Existence,
) -> Result<NewObject, Trouble> {
    let headers = &exchange.parts.headers;
    // HTTP takes such a request for one with an empty body. A body that was lost on the way must not replace an object.
    if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        return Err(Trouble::new(411, "LengthRequired", "Send Content-Length, or the body in chunks."));
    }
    let content_md5 = content_md5(headers)?;
    let conditions = write_conditions(headers).map_err(|bad| Trouble::bad_request("BadHeader", &bad))?;
    Ok(NewObject {
        domain: target.domain,
        bucket: (target.bucket, target.contents),
        kind,
        name,
        version,
        headers: kept.headers,
        keep_md5: content_md5.is_some() || exchange.asked.flag("gencontentmd5")?,
        guard: kept.guard,
        expires_at: kept.expires_at,
        existence,
        condition: Condition::from(conditions),
        content_md5,
    })
}

/// Stores the body. A bucket that went away meanwhile is a failed precondition, as if it had not been there.
pub(super) async fn store(
    exchange: &mut Exchange<'_>,
    object: NewObject,
    domain: &str,
    bucket: Option<&str>,
) -> Result<Stored, Trouble> {
    let outcome = put(exchange.gateway, &exchange.principal, object, &mut exchange.body).await;
    outcome.map_err(|error| match error {
        crate::objects::Error::Refused(Refusal::ContainerGone) => Trouble::requires_context(domain, bucket),
        error => {
            if let crate::objects::Error::Refused(refusal) = &error {
                exchange.gateway.metrics.refused(refusal);
            }
            error.into()
        }
    })
}

/// 201 for what was stored.
pub(super) fn created(
    exchange: &Exchange<'_>,
    stored: &Stored,
    kind: Kind,
    name: &str,
    location: &str,
    domain: &str,
    text: &str,
) -> Response<Body> {
    let mut response = new(StatusCode::CREATED, Body::from(format!("<html><body>{text}</body></html>")));
    let headers = response.headers_mut();
    stamp(headers, stored.published.version, stored.published.at);
    headers.remove("castor-system-created");
    if kind != Kind::Unnamed {
        set(headers, "castor-system-version", system_version(stored.published.at));
    }
    if kind != Kind::Named {
        set(headers, "content-uuid", name);
    }
    let host =
        exchange.parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or(domain);
    set(headers, "location", format_args!("http://{host}{location}?domain={domain}"));
    set(headers, "volume", exchange.gateway.metadata.installation());
    set(headers, "replica-count", 1);
    set(headers, "stored-digest", format_args!("{:032x}", u128::from_be_bytes(stored.md5)));
    set(headers, "entity-md5", STANDARD.encode(stored.md5));
    if exchange.asked.query.contains("gencontentmd5") {
        set(headers, "content-md5", STANDARD.encode(stored.md5));
    }
    set(headers, "content-type", "text/html");
    response
}

fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, Trouble> {
    let Some(value) = headers.get("content-md5") else { return Ok(None) };
    let decoded = STANDARD.decode(value.as_bytes()).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    decoded
        .map(Some)
        .ok_or_else(|| Trouble::new(400, "BadHeader", "Content-MD5 is the base64 form of 16 bytes."))
}
