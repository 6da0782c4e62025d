//! PUT of an object.

use super::body::Content;
use super::checksums::stored;
use super::error::{Told, Trouble, invalid};
use super::exchange::{Exchange, Place};
use super::locks::{Ordered, need_seal_of_object};
use super::ops::lifecycle::expiration;
use super::ops::put::{Order, condition, write as put, written_id};
use super::tags::{self, Of};
use super::{etag, headers, lists};
use crate::http::Body;
use crate::objects::rolls_up;
use crate::scsp::authorization::Access;
use http::header::{CONTENT_LENGTH, ETAG, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use lifecycle::Right;
use metadata::{RollUp, Written};
use s3s::dto::{ETag, ETagCondition, StreamingBlob};

/// Stores the body of a request under its key.
pub(super) async fn write(
    exchange: &Exchange<'_>,
    body: s3s::Body,
) -> Result<(StatusCode, HeaderMap, Body), Trouble> {
    let sent = &exchange.headers;
    headers::refuse_unbuilt_in_writing(sent)?;
    let text = |name: &str| match sent.get(name).map(HeaderValue::to_str).transpose() {
        Ok(text) => Ok(text),
        Err(_) => Err(invalid(format!("The header {name} holds no text."))),
    };
    let bucket = exchange.named.bucket.as_deref().unwrap_or_default();
    let owner = text("x-amz-expected-bucket-owner")?;
    let place = exchange.bucket_of(bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Post, &place)?;
    let tags = text("x-amz-tagging")?.map(tags::of_header).transpose()?.unwrap_or_default();
    lists::extras(exchange, &place)?;
    let list = lists::of_new(exchange, &place).await?;
    let lock = Ordered::of(sent, &place, exchange.gateway.clock.now())?;
    need_seal_of_object(exchange, &place, lock).await?;
    let (if_match, if_none_match) = (named(sent, "if-match")?, named(sent, "if-none-match")?);
    let order = Order {
        written: Written::Put,
        key: exchange.named.key.clone().unwrap_or_default(),
        headers: headers::kept(sent, &headers::user(sent)?)?,
        tags: tags::encode(tags, Of::Object)?,
        lock,
        condition: condition(if_match.as_ref(), if_none_match.as_ref())?,
        conditional: if_match.is_some(),
        list,
        rolls_up: rolled_up(exchange, &place)?,
    };
    let mut content = Content::of(exchange, Some(StreamingBlob::from(body)))?;
    let written = put(exchange, &place, order, &mut content).await?;
    let mut answer = HeaderMap::with_capacity(8);
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.insert(name, value);
        }
    };
    set(ETAG, &format!("\"{}\"", etag::text(Some(written.md5), None)));
    if let Some(id) = written_id(place.versioning(), written.published.version) {
        set(HeaderName::from_static("x-amz-version-id"), &id);
    }
    if let Some((at, rule)) = &written.published.expires {
        set(HeaderName::from_static("x-amz-expiration"), &expiration((*at, rule)));
    }
    if let Some(checksum) = content.source.verdict().as_deref().and_then(stored) {
        set(HeaderName::from_static(checksum.algorithm.header()), &checksum.text());
        set(HeaderName::from_static("x-amz-checksum-type"), checksum.kind_str());
    }
    answer.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    Ok((StatusCode::OK, answer, Body::Empty))
}

/// What goes with it, as far as the caller may purge. No policy hands that right on.
fn rolled_up(exchange: &Exchange<'_>, place: &Place) -> Result<Option<RollUp>, Trouble> {
    let asked = rolls_up(&exchange.headers).map_err(invalid)?;
    if asked.is_some() {
        let (domain, bucket) = (Some(place.domain.id), Some(place.bucket.id));
        let owner = place.bucket.owner.as_deref();
        exchange.principal.require_in(Right::Purge, domain, bucket, owner).told()?;
    }
    Ok(asked)
}

/// The condition that a header names.
///
/// # Errors
/// `InvalidArgument`: a condition that cannot be read is never passed over.
pub(super) fn named(headers: &HeaderMap, name: &str) -> Result<Option<ETagCondition>, Trouble> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let read = ETagCondition::parse_http_header(line.as_bytes()).ok();
    // Without its quotes it is a tag all the same, though one that nothing here can have.
    let bare = || {
        let text = line.to_str().ok()?;
        (!text.contains(['"', ','])).then(|| ETagCondition::ETag(ETag::Strong(text.to_owned())))
    };
    let condition = read.or_else(bare).filter(|_| lines.next().is_none());
    condition.map(Some).ok_or_else(|| invalid(format!("The header {name} holds no entity tag.")))
}
