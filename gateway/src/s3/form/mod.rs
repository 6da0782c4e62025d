//! POST of a form to a bucket: how browsers upload.
//!
//! `s3s` can do this, in memory: it reads the whole file before anybody may store a byte of it, and it wants forms to be
//! used within a quarter of an hour of their signing, where AWS goes by the policy's own expiration. So forms are taken in
//! here: the fields first, then who signed them and what they allow, and then the file as it comes.
//!
//! | file | promise |
//! | --- | --- |
//! | `fields` | the fields in front of the file, and no more of them than a form needs |
//! | `signature` | who signed the policy |
//! | `policy` | whether the form is what was signed |

mod fields;
mod policy;
mod signature;

use super::allowed::Asked;
use super::body::{Content, Found};
use super::checksums;
use super::error::{Told, Trouble, invalid, trouble, unread};
use super::exchange::{Exchange, bound};
use super::facts::About;
use super::locks::{Ordered, need_seal_of_object};
use super::ops::lifecycle::expiration;
use super::ops::put::{Order, write, written_id};
use super::tags::{self, Of};
use super::target::{KEY_MAX, Named};
use super::trail::Note;
use super::wire::content_md5;
use super::{etag, headers, lists};
use crate::http::{Body, BodyReader, ReadError};
use crate::objects::Error;
use crate::scsp::authorization::Access;
use crate::{Gateway, Principal};
use ::access::Action;
use fields::{Fields, FrontTooLong};
use futures_util::stream::{self, StreamExt};
use http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, LOCATION, REFERER, USER_AGENT,
};
use http::request::Parts;
use http::{HeaderName, Method, Response, StatusCode};
use lifecycle::{Condition, Right};
use metadata::Written;
use multer::Field;
use policy::Policy;
use quick_xml::escape::escape;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The largest file, as of any other single request.
const FILE_MAX: u64 = 5 << 30;

/// Whether a request is a form's.
pub(super) fn is_form(parts: &Parts, named: &Named) -> bool {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let multipart =
        kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"));
    // A list of keys to delete has an argument and another type.
    parts.method == Method::POST
        && multipart
        && named.bucket.is_some()
        && named.key.is_none()
        && parts.uri.query().is_none()
}

/// Takes a form in.
///
/// # Errors
/// AWS's codes; nothing is stored then.
pub(super) async fn post(
    gateway: &Gateway,
    parts: Parts,
    reader: BodyReader,
    named: &Arc<Named>,
    note: &Arc<Note>,
) -> Result<Response<Body>, Trouble> {
    let bucket = named.bucket.clone().unwrap_or_default();
    let (fields, file) = Fields::read(&parts, reader).await?;
    let principal = signer(gateway, &fields).await?;
    note.by(&principal);
    bound(gateway, &principal, named).await?;
    let key = fields.key(file.file_name())?;
    if key.is_empty() || key.contains('\0') {
        return Err(invalid("User key must have a length greater than 0."));
    }
    if key.len() > KEY_MAX {
        return Err(trouble("KeyTooLongError", "Your key is too long."));
    }
    let size = match fields.get("policy") {
        Some(policy) => Policy::read(policy)?.allows(&fields, &bucket, &key, gateway.clock.now())?,
        None => 0..=FILE_MAX,
    };
    let exchange = Exchange {
        gateway,
        principal,
        named: Arc::clone(named),
        note: Arc::clone(note),
        headers: with_sender(fields.as_headers()?, &parts),
        uri: parts.uri.clone(),
        trailers: None,
        broken: Arc::default(),
        plain: Arc::default(),
    };
    store(&exchange, &fields, &bucket, key, file, size).await
}

/// With what the request says of where it comes from, which no form can say for it.
fn with_sender(mut headers: HeaderMap, parts: &Parts) -> HeaderMap {
    for name in [REFERER, USER_AGENT] {
        if let Some(value) = parts.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers
}

/// Whoever signed the form; anybody, if nobody did.
async fn signer(gateway: &Gateway, fields: &Fields) -> Result<Principal, Trouble> {
    let Some(signature) = signature::Signature::of(fields)? else {
        return Ok(gateway.auth.anybody());
    };
    let secret = gateway.auth.secret(signature.key()).await.told()?;
    signature.verify(secret.expose())?;
    gateway.auth.signed_by(signature.key()).await.told()
}

async fn store(
    exchange: &Exchange<'_>,
    fields: &Fields,
    bucket: &str,
    key: String,
    file: Field<'static>,
    size: RangeInclusive<u64>,
) -> Result<Response<Body>, Trouble> {
    headers::refuse_unbuilt(&exchange.headers)?;
    // The key is not in the target, and the tags are not in a header.
    let tags = fields.get("tagging").map(tags::of_document).transpose()?.unwrap_or_default();
    let tags = tags::encode(tags, Of::Object)?;
    let about = About { tags: tags.as_deref(), ..About::default() };
    let asked = |action| Asked::of(action, Right::Write, Some(&key)).about(about);
    let place = exchange.place(bucket, &asked(Action::PutObject)).await?;
    exchange.authorize_in(Access::Post, &place)?;
    let kept = headers::kept(&exchange.headers, &fields.metadata())?;
    lists::locks(exchange, &place, Some(&key))?;
    if tags.is_some() {
        exchange.also(&place, &asked(Action::PutObjectTagging), true)?;
    }
    let list = lists::of_new_key(exchange, &place, &key).await?;
    let lock = Ordered::of(&exchange.headers, &place, exchange.gateway.clock.now())?;
    need_seal_of_object(exchange, &place, lock).await?;
    let checksum = checksums::wanted(&exchange.headers, None)?;
    let mut content = content(file, size, content_md5(&exchange.headers)?).with_checksum(checksum);
    let order = Order {
        key: key.clone(),
        headers: kept,
        tags,
        lock,
        condition: Condition::NONE,
        conditional: false,
        written: Written::Post,
        list,
        rolls_up: None,
    };
    let stored = write(exchange, &place, order, &mut content).await?;
    let tag = format!("\"{}\"", etag::text(Some(stored.md5), None));
    let mut response = answer(fields, (bucket, &key), &tag);
    if let Some(version) = written_id(place.versioning(), stored.published.version)
        && let Ok(version) = HeaderValue::from_str(&version)
    {
        response.headers_mut().insert("x-amz-version-id", version);
    }
    if let Some(checksum) = content.source.verdict().as_deref().and_then(checksums::stored) {
        let fields = [
            (checksum.algorithm.header(), checksum.text()),
            ("x-amz-checksum-type", checksum.kind_str().to_owned()),
        ];
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
    }
    if let Some((at, rule)) = &stored.published.expires
        && let Ok(expires) = HeaderValue::from_str(&expiration((*at, rule)))
    {
        response.headers_mut().insert("x-amz-expiration", expires);
    }
    Ok(response)
}

/// The file as it comes, which must be of a size that was allowed.
fn content(file: Field<'static>, size: RangeInclusive<u64>, md5: Option<[u8; 16]>) -> Content {
    let found = Found::default();
    let kept = found.clone();
    let refuse = move |trouble: Trouble| {
        let text = trouble.code().as_str().to_owned();
        kept.keep(trouble);
        Error::BadRequest(text)
    };
    let chunks = stream::try_unfold((file, 0_u64, refuse), move |(mut file, taken, refuse)| {
        let size = size.clone();
        async move {
            match file.chunk().await {
                Err(error) => Err(refuse(broken(&error))),
                Ok(Some(chunk)) if taken + chunk.len() as u64 > *size.end() => Err(refuse(trouble(
                    "EntityTooLarge",
                    "Your proposed upload exceeds the maximum allowed size",
                ))),
                Ok(Some(chunk)) => {
                    let taken = taken + chunk.len() as u64;
                    Ok(Some((chunk, (file, taken, refuse))))
                }
                Ok(None) if taken < *size.start() => Err(refuse(trouble(
                    "EntityTooSmall",
                    "Your proposed upload is smaller than the minimum allowed size",
                ))),
                Ok(None) => Ok(None),
            }
        }
    });
    Content::streamed(chunks.boxed(), md5, found)
}

/// What is wrong with a form that cannot be read.
fn broken(error: &multer::Error) -> Trouble {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast_ref::<ReadError>() {
            Some(error) => unread(error),
            None if cause.is::<FrontTooLong>() => front_too_long(),
            None => trouble("IncompleteBody", "The form ended early."),
        },
        multer::Error::IncompleteStream | multer::Error::IncompleteFieldData { .. } => {
            trouble("IncompleteBody", "The form ended early.")
        }
        _ => malformed(),
    }
}

fn front_too_long() -> Trouble {
    trouble(
        "MaxPostPreDataLengthExceeded",
        "Your POST request fields preceding the upload file were too large.",
    )
}

fn malformed() -> Trouble {
    trouble("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
}

/// What the form wants to be answered: a redirection, a document, or nothing.
fn answer(fields: &Fields, (bucket, key): (&str, &str), tag: &str) -> Response<Body> {
    let host = fields.host().unwrap_or_default();
    let location = format!("http://{host}/{bucket}/{}", super::paging::encoded(key));
    let mut response = Response::new(Body::Empty);
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(ETAG, tag);
    let redirect = fields.get("success_action_redirect").or(fields.get("redirect"));
    let wanted = fields.get("success_action_status");
    // What cannot be a place to go to is passed over, as AWS does.
    if let Some(redirect) = redirect.filter(|url| url.starts_with("http://") || url.starts_with("https://")) {
        let joint = if redirect.contains('?') { '&' } else { '?' };
        let encode = |text: &str| super::paging::encoded(text).replace('/', "%2F");
        let target =
            format!("{redirect}{joint}bucket={}&key={}&etag={}", encode(bucket), encode(key), encode(tag));
        set(LOCATION, &target);
        *response.status_mut() = StatusCode::SEE_OTHER;
        return response;
    }
    set(LOCATION, &location);
    match wanted {
        Some("201") => {
            let xml = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{}</Location><Bucket>{}</Bucket>\
                 <Key>{}</Key><ETag>{}</ETag></PostResponse>",
                escape(&location),
                escape(bucket),
                escape(key),
                escape(tag)
            );
            set(CONTENT_TYPE, "application/xml");
            *response.status_mut() = StatusCode::CREATED;
            *response.body_mut() = Body::from(xml);
        }
        Some("200") => {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        _ => *response.status_mut() = StatusCode::NO_CONTENT,
    }
    response
}
