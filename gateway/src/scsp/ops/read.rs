//! READ and INFO of an object (SCSP section 2.3), with conditions and ranges (section 7).

use crate::http::headers::read_conditions;
use crate::http::range::{self, Multipart, Ranges};
use crate::http::{Body, Class, Current, Outcome};
use crate::objects::{Error, content};
use crate::scsp::answer::{describe_object, new, set};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::request::Target;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::header::{CONTENT_TYPE, RANGE};
use http::{Method, Response, StatusCode};
use lifecycle::{ContainerId, MemberId, Right, Violation};
use metadata::Found;
use std::ops::Range;

const UNBUILT: [&str; 7] =
    ["version", "hashtype", "hash", "newhashtype", "validate", "checkintegrity", "gencontentmd5"];

pub(in crate::scsp) async fn read(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    exchange.asked.refuse_unbuilt(&UNBUILT)?;
    let head = exchange.parts.method == Method::HEAD;
    let conditions =
        read_conditions(&exchange.parts.headers).map_err(|bad| Trouble::bad_request("BadHeader", &bad))?;
    let found = find(&exchange, !head).await?.ok_or_else(Trouble::not_found)?;

    let etag = found.version.id.to_string();
    let current = Current { etag: &etag, modified: found.version.created_at };
    let mut response = match conditions.evaluate(Class::Read, Some(current)) {
        Outcome::NotModified => new(StatusCode::NOT_MODIFIED, Body::Empty),
        Outcome::PreconditionFailed => {
            return Err(Trouble::new(412, "ConditionalIfMatch", "A condition of the request does not hold.")
                .with_etag(&format!("\"{etag}\"")));
        }
        Outcome::Proceed => {
            let wanted = exchange.parts.headers.get(RANGE).and_then(|value| value.to_str().ok());
            let wanted = wanted.filter(|_| conditions.range_applies(current));
            body(&exchange, &found, wanted, head).await?
        }
    };
    describe_object(response.headers_mut(), &found);
    set(response.headers_mut(), "volume", exchange.gateway.metadata.installation());
    if let Some(of_parts) = response.extensions_mut().remove::<PartsType>() {
        set(response.headers_mut(), "content-type", of_parts.0);
    }
    Ok(response)
}

async fn find(exchange: &Exchange<'_>, bytes: bool) -> Result<Option<Found>, Trouble> {
    let metadata = &exchange.gateway.metadata;
    let (host, fallback) = exchange.domains();
    let found = match &exchange.asked.target {
        Target::Object(bucket, name) => {
            metadata.find_named(host, fallback, bucket.as_str(), name.as_str(), bytes).await?
        }
        Target::Uuid(uuid) => metadata.find_uuid(uuid, bytes).await?,
        Target::Child(name) => {
            // Access to what lies in a removed context is the operator's alone.
            exchange.principal.require(Right::Admin, None, None)?;
            let cid = exchange.asked.query.get("cid").unwrap_or_default();
            let cid: ContainerId = cid.parse().map_err(|bad| Trouble::bad_request("BadCid", &bad))?;
            metadata.find_in(cid, name, bytes).await?
        }
        Target::Root | Target::Bucket(_) => None,
    };
    match &found {
        Some(found) => exchange.principal.require(Right::Read, Some(found.domain.0), Some(found.bucket.0))?,
        // Whoever may read nothing here learns nothing of what is not here.
        None => exchange.principal.require_somewhere(Right::Read)?,
    }
    Ok(found)
}

/// The content type of an answer in several parts, which replaces the object's own.
#[derive(Clone)]
struct PartsType(String);

async fn body(
    exchange: &Exchange<'_>,
    found: &Found,
    wanted: Option<&str>,
    head: bool,
) -> Result<Response<Body>, Trouble> {
    let size = found.version.size;
    let ranges = wanted.map_or(Ranges::Whole, |header| range::parse(header, size));
    match ranges {
        Ranges::Whole => {
            let body = if head { Body::Empty } else { content(exchange.gateway, found, 0..size).await? };
            let mut response = new(StatusCode::OK, body);
            set(response.headers_mut(), "content-length", size);
            set(response.headers_mut(), "accept-ranges", "bytes");
            Ok(response)
        }
        Ranges::Unsatisfiable => Err(Trouble::new(416, "BadRange", "The range lies outside of the object.")
            .with("content-range", &range::content_range_of_none(size))),
        Ranges::Partial(ranges) => match ranges.as_slice() {
            [only] => {
                let body =
                    if head { Body::Empty } else { content(exchange.gateway, found, only.clone()).await? };
                let mut response = new(StatusCode::PARTIAL_CONTENT, body);
                set(response.headers_mut(), "content-range", range::content_range(only, size));
                set(response.headers_mut(), "content-length", only.end - only.start);
                Ok(response)
            }
            several => several_parts(exchange, found, several, head).await,
        },
    }
}

async fn several_parts(
    exchange: &Exchange<'_>,
    found: &Found,
    ranges: &[Range<u64>],
    head: bool,
) -> Result<Response<Body>, Trouble> {
    let boundary = MemberId::random().to_string();
    let headers = crate::objects::headers::decode(&found.version.headers);
    let own_type =
        headers.iter().find(|(name, _)| name == CONTENT_TYPE.as_str()).map(|(_, value)| value.as_str());
    let parts = Multipart { boundary: &boundary, content_type: own_type, size: found.version.size };
    let length = parts.content_length(ranges);
    let mut pieces: Vec<Body> = Vec::new();
    if !head {
        for (number, range) in ranges.iter().enumerate() {
            pieces.push(Body::Full(parts.part(number, range)));
            pieces.push(content(exchange.gateway, found, range.clone()).await?);
        }
        pieces.push(Body::Full(parts.end()));
    }
    let body = if head { Body::Empty } else { Body::stream(length, stream::iter(pieces).flat_map(chunks)) };
    let mut response = new(StatusCode::PARTIAL_CONTENT, body);
    response.extensions_mut().insert(PartsType(parts.content_type()));
    set(response.headers_mut(), "content-length", length);
    Ok(response)
}

fn chunks(body: Body) -> stream::BoxStream<'static, Result<Bytes, Box<dyn std::error::Error + Send + Sync>>> {
    use http_body_util::BodyExt;
    body.into_data_stream().map(|chunk| chunk.map_err(Into::into)).boxed()
}

/// A body that is missing is ours to answer for.
impl From<Violation> for Trouble {
    fn from(violation: Violation) -> Self {
        Error::Violated(violation).into()
    }
}
