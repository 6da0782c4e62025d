//! Multipart uploads: beginning one, its parts, and giving one up (SCSP section 2.10).

use crate::http::Body;
use crate::objects::headers::encode;
use crate::objects::{PartOf, Source, put_part};
use crate::scsp::answer::{encoded, new, set};
use crate::scsp::authorization::Access;
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::{judge, pick};
use crate::scsp::ops::write::{authorize_post, content_md5, not_stored};
use crate::scsp::request::Target;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Method, Response, StatusCode};
use lifecycle::{ContainerId, Kind, Refusal, Right, UploadId, VersionId, Within};
use metadata::{Container, NewUpload, Upload, UploadMode};

/// The largest number of a part, as in S3.
const PART_MAX: u32 = 10_000;

/// Where an upload goes.
pub(super) struct Aim {
    pub(super) domain: (ContainerId, String),
    pub(super) bucket: (ContainerId, String),
    pub(super) contents: ContainerId,
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The version that is current.
    current: Option<VersionId>,
}

pub(in crate::scsp) async fn initiate(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    refuse_digest(&exchange)?;
    let settings = &exchange.gateway.settings;
    let now = exchange.gateway.clock.now();
    let append = exchange.parts.method.as_str() == "APPEND";
    let mut headers = pick(&exchange.parts.headers)?;
    // As for APPEND itself: the type of what is added is not the type of the whole.
    headers.retain(|(name, _)| !(append && name == "content-type"));
    let kept = judge(headers, settings.lifepoint.strict, now)?;
    let aim = aim(&exchange).await?;
    let update = exchange.parts.method != Method::POST;
    let creates = !append && (exchange.asked.flag("putcreate")? || settings.scsp.allow_put_create);
    if update && aim.current.is_none() && !creates {
        return Err(Trouble::not_found());
    }
    // The body of such a request is ignored, as long as there is little of it.
    drop(exchange.body.collect(64 << 10).await.map_err(crate::objects::Error::from)?);
    let upload = NewUpload {
        // In the order in which they began: that is how they are listed.
        id: UploadId::ordered(now),
        domain: aim.domain.0,
        bucket: aim.bucket.0,
        kind: aim.kind,
        name: aim.name,
        mode: if append { UploadMode::Append } else { UploadMode::Replace },
        replaces: aim.current.filter(|_| update && !append),
        headers: encode(&kept.headers),
        tags: None,
        checksum: None,
        retention: None,
        hold: false,
        acl: None,
        owner: exchange.principal.owner(),
        actor: exchange.principal.name.to_string(),
        expires_at: now.plus(settings.upload_expiry),
    };
    let (id, expires_at) = (upload.id, upload.expires_at);
    exchange
        .gateway
        .metadata
        .begin_upload(upload)
        .await
        .map_err(|failure| not_stored(&exchange, failure.into(), &aim.domain.1, Some(&aim.bucket.1)))?;
    let mut response =
        new(StatusCode::CREATED, Body::from("<html><body>Multipart upload initiated</body></html>"));
    let headers = response.headers_mut();
    set(headers, "castor-system-uploadid", id);
    set(headers, "barrow-upload-expires", expires_at.to_http_date());
    set(headers, "content-type", "text/html");
    Ok(response)
}

pub(in crate::scsp) async fn part(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    let number = part_number(exchange.asked.query.get("partnumber").unwrap_or_default())?;
    let headers = &exchange.parts.headers;
    if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        return Err(Trouble::new(411, "LengthRequired", "Send Content-Length, or the body in chunks."));
    }
    let content_md5 = content_md5(headers)?;
    let (aim, upload) = open_upload(&exchange).await?;
    if upload.completed.is_some() {
        return Err(Refusal::NoSuchUpload.into());
    }
    // A part's id is not guessable, as an unnamed object's is not.
    let version = VersionId::random();
    let part = PartOf {
        upload: upload.id,
        within: Within { domain: aim.domain.0, bucket: aim.bucket.0, contents: upload.contents },
        number,
        version,
        content_md5,
        headers: "[]".to_owned(),
    };
    let stored = {
        let mut source = Source::body(&mut exchange.body);
        put_part(exchange.gateway, &exchange.principal, part, &mut source).await
    };
    let (md5, _size) =
        stored.map_err(|error| not_stored(&exchange, error, &aim.domain.1, Some(&aim.bucket.1)))?;
    let mut response = new(StatusCode::CREATED, Body::from("<html><body>New stream created</body></html>"));
    let headers = response.headers_mut();
    set(headers, "content-uuid", version);
    set(headers, "etag", format_args!("\"{version}\""));
    set(headers, "stored-digest", format_args!("{:032x}", u128::from_be_bytes(md5)));
    set(headers, "entity-md5", STANDARD.encode(md5));
    set(headers, "replica-count", 1);
    set(headers, "content-type", "text/html");
    Ok(response)
}

pub(in crate::scsp) async fn abort(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    let (_, upload) = open_upload(&exchange).await?;
    exchange.gateway.metadata.abort_upload(upload.id).await?;
    exchange.gateway.wake_background();
    let mut response = new(StatusCode::OK, Body::Empty);
    set(response.headers_mut(), "castor-system-uploadid", upload.id);
    set(response.headers_mut(), "content-length", 0);
    Ok(response)
}

/// What Content-MD5 would cover is not what is sent here.
pub(super) fn refuse_digest(exchange: &Exchange<'_>) -> Result<(), Trouble> {
    if exchange.parts.headers.contains_key("content-md5") || exchange.asked.query.contains("gencontentmd5") {
        return Err(Trouble::new(
            400,
            "BadHeader",
            "Content-MD5 is not for the beginning or the end of an upload; send it with each part.",
        ));
    }
    Ok(())
}

/// The object that a request about an upload addresses, and where it is or will be.
async fn aim(exchange: &Exchange<'_>) -> Result<Aim, Trouble> {
    exchange.asked.refuse_elsewhere(&["version", "newname", "preserve", "replace"], "a multipart upload")?;
    match &exchange.asked.target {
        Target::Object(bucket, name) => {
            let (located, target) = exchange.locate_to_write(Some(bucket)).await?;
            exchange.permit_to_write(&located, target, Some(name.as_str())).await?;
            authorize_post(exchange, &located)?;
            let Some(Container { id, name: bucket_name, .. }) = located.bucket else {
                return Err(Trouble::not_found());
            };
            let current = match exchange.object(Right::Write, false).await {
                Ok(found) => {
                    exchange.authorize(Access::Put, (&found).into())?;
                    Some(found.version.id)
                }
                Err(trouble) if trouble.status == StatusCode::NOT_FOUND => None,
                Err(trouble) => return Err(trouble),
            };
            Ok(Aim {
                domain: (located.domain.id, located.domain.name),
                bucket: (id, bucket_name),
                contents: target.contents,
                kind: Kind::Named,
                name: name.as_str().to_owned(),
                current,
            })
        }
        Target::Root | Target::Uuid(_) | Target::Bucket(_) | Target::Child(_) => {
            let found = exchange.object(Right::Write, false).await?;
            if found.version.kind == Kind::Unnamed {
                return Err(Refusal::Immutable.into());
            }
            exchange.authorize(Access::Put, (&found).into())?;
            Ok(Aim {
                contents: found.version.contents,
                kind: found.version.kind,
                current: Some(found.version.id),
                name: found.version.name,
                domain: found.domain,
                bucket: found.bucket,
            })
        }
    }
}

/// The upload that the request names, which must be one of the object that it addresses.
pub(super) async fn open_upload(exchange: &Exchange<'_>) -> Result<(Aim, Upload), Trouble> {
    let aim = aim(exchange).await?;
    let id: UploadId = exchange
        .asked
        .query
        .get("uploadid")
        .unwrap_or_default()
        .parse()
        .map_err(|bad| Trouble::bad_request("BadArgument", &bad))?;
    let upload = exchange.gateway.metadata.upload(id).await?;
    match upload.filter(|upload| upload.contents == aim.contents && upload.name == aim.name) {
        Some(upload) => Ok((aim, upload)),
        None => Err(Refusal::NoSuchUpload.into()),
    }
}

fn part_number(text: &str) -> Result<u32, Trouble> {
    text.parse().ok().filter(|number| (1..=PART_MAX).contains(number)).ok_or_else(|| {
        Trouble::new(
            400,
            "BadArgument",
            format!("The argument partnumber cannot be {text:?}: allowed is 1 to {PART_MAX}."),
        )
    })
}

/// The path of the object that an upload makes.
pub(super) fn path(aim: &Aim) -> String {
    match aim.kind {
        Kind::Named => format!("/{}/{}", encoded(&aim.bucket.1), encoded(&aim.name)),
        Kind::Unnamed | Kind::Alias => format!("/{}", aim.name),
    }
}
