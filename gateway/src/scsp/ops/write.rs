//! WRITE of an object: named, unnamed or alias (SCSP section 2.4).

use crate::http::Body;
use crate::http::headers::write_conditions;
use crate::objects::{Digest, NewObject, Source, SpecCheck, Stored, put, rolls_up};
use crate::scsp::answer::{encoded, new, set, stamp, system_version};
use crate::scsp::authorization::{Access, Protected};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::{Kept, judge, pick};
use crate::scsp::ops::locate;
use crate::scsp::request::Target;
use crate::scsp::seal::{Sealing, expects_md5, seal_location};
use ::access::Action;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Response, StatusCode};
use lifecycle::{Condition, Kind, Refusal, Right, VersionId};
use metadata::{Container, Existence, Found, Located, RollUp, Written};

/// COPY keeps the content and APPEND adds to it: neither makes a seal.
pub(super) const UNBUILT: [&str; 3] = ["hashtype", "hash", "newhashtype"];

pub(in crate::scsp) async fn write(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    exchange.asked.refuse_elsewhere(&["version", "newname", "preserve", "replace", "newhashtype"], "POST")?;
    let sealing = Sealing::asked(&exchange.asked.query)?;
    let settings = &exchange.gateway.settings;
    let kept =
        judge(pick(&exchange.parts.headers)?, settings.lifepoint.strict, exchange.gateway.clock.now())?;
    let (bucket, named) = match &exchange.asked.target {
        Target::Object(bucket, name) => (Some(bucket), Some(name.as_str().to_owned())),
        Target::Root | Target::Uuid(_) | Target::Bucket(_) | Target::Child(_) => (None, None),
    };
    let (located, target) = exchange.locate_to_write(bucket).await?;
    exchange.permit_to_write(&located, target, named.as_deref()).await?;
    authorize_post(&exchange, &located)?;

    let version =
        if named.is_some() { VersionId::ordered(exchange.gateway.clock.now()) } else { VersionId::random() };
    let (kind, name) = match named {
        Some(name) => (Kind::Named, name),
        None if exchange.asked.flag("alias")? => (Kind::Alias, VersionId::random().to_string()),
        // An unnamed object's version is its UUID.
        None => (Kind::Unnamed, version.to_string()),
    };
    let mut object = new_object(&exchange, target, kind, name.clone(), version, kept, Existence::Any)?;
    object.rolls_up = rolled_up(&exchange, located.bucket.as_ref(), target)?;
    if kind == Kind::Named {
        object.spec = Some(spec(&exchange, Access::Put, &located)?);
    }
    let (domain, bucket_name) = (&located.domain.name, bucket.map(|b| b.as_str()));
    let (stored, seal) = store(&mut exchange, object, sealing, domain, bucket_name).await?;
    let location = match (bucket, kind) {
        (Some(bucket), _) => format!("/{}/{}", encoded(bucket.as_str()), encoded(&name)),
        (None, _) => format!("/{name}"),
    };
    let mut response = created(&exchange, &stored, kind, &name, &location, domain, "New stream created");
    seal_location(response.headers_mut(), seal.as_ref());
    with_digest(&exchange, &stored, response)
}

/// What goes with a write into `bucket`, or into where unnamed objects lie, as far as the caller may purge.
pub(super) fn rolled_up(
    exchange: &Exchange<'_>,
    bucket: Option<&Container>,
    target: locate::Target,
) -> Result<Option<RollUp>, Trouble> {
    let asked = rolls_up(&exchange.parts.headers).map_err(|text| Trouble::new(400, "BadHeader", text))?;
    if asked.is_some() {
        let owner = bucket.and_then(|bucket| bucket.owner.as_deref());
        exchange.principal.require_in(Right::Purge, Some(target.domain), Some(target.bucket), owner)?;
    }
    Ok(asked)
}

/// Making something inside of a bucket, or of a domain, may be reserved there.
pub(super) fn authorize_post(exchange: &Exchange<'_>, located: &Located) -> Result<(), Trouble> {
    match &located.bucket {
        Some(bucket) => exchange.authorize(Access::Post, Protected::bucket(&located.domain, bucket)),
        None => exchange.authorize(Access::Post, Protected::domain(&located.domain)),
    }
}

/// An object under a new name, or where none is current any more, is one that is made: that may be reserved too.
pub(super) async fn authorize_made(
    exchange: &Exchange<'_>,
    found: &Found,
    name: &str,
) -> Result<(), Trouble> {
    if name != found.version.name {
        // It is read, it goes, and it is written elsewhere.
        for action in [Action::GetObject, Action::DeleteObject] {
            exchange.permit_found(Right::Write, action, found).await?;
        }
        exchange.permit(Right::Write, Action::PutObject, found.into(), Some(name)).await?;
    }
    let made = name != found.version.name || !found.version.is_current;
    match (&exchange.asked.target, made) {
        (Target::Object(bucket, _), true) => match exchange.locate(Some(bucket)).await? {
            Some(located) => authorize_post(exchange, &located),
            None => Err(Trouble::not_found()),
        },
        _ => Ok(()),
    }
}

/// How the spec of a named object is evaluated that is met in the bucket.
pub(super) fn spec(exchange: &Exchange<'_>, access: Access, located: &Located) -> Result<SpecCheck, Trouble> {
    let bucket = located.bucket.as_ref().map_or((located.hidden.0, ""), |b| (b.id, b.name.as_str()));
    exchange.spec(access, (located.domain.id, &located.domain.name), bucket)
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
    Ok(NewObject {
        domain: target.domain,
        bucket: (target.bucket, target.contents),
        kind,
        name,
        version,
        written: Written::Put,
        headers: kept.headers,
        tags: None,
        keeps_tags: false,
        checksum: None,
        keep_md5: content_md5.is_some() || wants_md5(exchange)?,
        guard: kept.guard,
        retention: None,
        acl: None,
        expires_at: kept.expires_at,
        owner: exchange.principal.owner(),
        existence,
        condition: condition(exchange)?,
        replaces: None,
        renames: None,
        rolls_up: None,
        may_shorten_guard: exchange.may_shorten_guard()?,
        content_md5,
        spec: None,
    })
}

/// The request's conditions, to be decided where the object is changed.
pub(super) fn condition(exchange: &Exchange<'_>) -> Result<Condition, Trouble> {
    let conditions = write_conditions(&exchange.parts.headers);
    Ok(conditions.map_err(|bad| Trouble::bad_request("BadHeader", &bad))?.into())
}

/// Whether a `Content-MD5` is to be computed, kept and answered: by argument, by the deprecated `Expect: Content-MD5`, or
/// because the installation always does.
pub(super) fn wants_md5(exchange: &Exchange<'_>) -> Result<bool, Trouble> {
    let always = exchange.gateway.settings.scsp.auto_content_md5_computation;
    Ok(exchange.asked.flag("gencontentmd5")? || expects_md5(&exchange.parts.headers) || always)
}

/// Stores the body, with a seal if one is wanted. A bucket that went away meanwhile is a failed precondition, as if it had
/// not been there.
pub(super) async fn store(
    exchange: &mut Exchange<'_>,
    object: NewObject,
    sealing: Option<Sealing>,
    domain: &str,
    bucket: Option<&str>,
) -> Result<(Stored, Option<Digest>), Trouble> {
    let mut source = Source::body(&mut exchange.body);
    if let Some(sealing) = sealing {
        source = source.sealed(sealing.of, sealing.said);
    }
    let outcome = put(exchange.gateway, &exchange.principal, object, &mut source).await;
    match (outcome, source.seal().cloned()) {
        (Ok(stored), seal) => Ok((stored, seal.and_then(Result::ok))),
        (Err(_), Some(Err(mismatch))) => Err(Trouble::bad_request("SealMismatch", &mismatch)),
        (Err(error), _) => Err(not_stored(exchange, error, domain, bucket)),
    }
}

/// Why nothing was stored.
pub(super) fn not_stored(
    exchange: &Exchange<'_>,
    error: crate::objects::Error,
    domain: &str,
    bucket: Option<&str>,
) -> Trouble {
    match error {
        crate::objects::Error::Refused(Refusal::ContainerGone) => Trouble::requires_context(domain, bucket),
        error => {
            if let crate::objects::Error::Refused(refusal) = &error {
                exchange.gateway.metrics.refused(refusal);
            }
            error.into()
        }
    }
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
    set(headers, "content-type", "text/html");
    response
}

/// With the digest that was stored because the request, or the installation, wants it computed.
pub(super) fn with_digest(
    exchange: &Exchange<'_>,
    stored: &Stored,
    mut response: Response<Body>,
) -> Result<Response<Body>, Trouble> {
    if wants_md5(exchange)? {
        set(response.headers_mut(), "content-md5", STANDARD.encode(stored.md5));
    }
    Ok(response)
}

/// An object made of parts was never read as a whole, and what is known of it is no digest of its content.
pub(super) fn of_parts(stored: &Stored, mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.remove("stored-digest");
    headers.remove("entity-md5");
    set(headers, "castor-system-compositemd5", format_args!("{:032x}", u128::from_be_bytes(stored.md5)));
    response
}

pub(super) fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, Trouble> {
    let Some(value) = headers.get("content-md5") else { return Ok(None) };
    let decoded = STANDARD.decode(value.as_bytes()).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    decoded
        .map(Some)
        .ok_or_else(|| Trouble::new(400, "BadHeader", "Content-MD5 is the base64 form of 16 bytes."))
}
