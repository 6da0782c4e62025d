//! READ and INFO of an object (SCSP section 2.3), with conditions, ranges and checks of integrity (section 7).

use crate::http::headers::read_conditions;
use crate::http::range::{self, Multipart, Ranges};
use crate::http::{Body, Class, Current, Outcome};
use crate::objects::{Error, content, present};
use crate::scsp::answer::{describe_object, new, set};
use crate::scsp::authorization::Access;
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::ops::sealed;
use crate::scsp::seal::Integrity;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::header::{CONTENT_TYPE, RANGE};
use http::{Method, Response, StatusCode};
use lifecycle::{MemberId, Right, Violation};
use metadata::Found;
use std::ops::Range;

pub(in crate::scsp) async fn read(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    let asked = Integrity::asked(&exchange.asked.query)?;
    let head = exchange.parts.method == Method::HEAD;
    let conditions =
        read_conditions(&exchange.parts.headers).map_err(|bad| Trouble::bad_request("BadHeader", &bad))?;
    let found = exchange.object(Right::Read, !head || asked.present).await?;
    exchange.authorize(Access::reading(&exchange.parts.method), (&found).into())?;

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
            if asked.present {
                present(exchange.gateway, &found).await?;
            }
            let ranges = wanted.map_or(Ranges::Whole, |header| range::parse(header, found.version.size));
            answer(&exchange, &found, ranges, &asked).await?
        }
    };
    let md5 = response.headers_mut().remove("content-md5");
    describe_object(response.headers_mut(), &found);
    if asked.md5 && response.status().is_success() {
        // What was kept is that of the whole, whatever is sent.
        response.headers_mut().remove("content-md5");
        md5.and_then(|md5| response.headers_mut().insert("content-md5", md5));
    }
    set(response.headers_mut(), "volume", exchange.gateway.metadata.installation());
    if head && exchange.asked.flag("countreps")? {
        set(response.headers_mut(), "replica-count", 1);
    }
    if exchange.asked.flag("verbose")? {
        set(response.headers_mut(), "policy-versioning-evaluated", found.versioning);
    }
    if let Some(of_parts) = response.extensions_mut().remove::<PartsType>() {
        set(response.headers_mut(), "content-type", of_parts.0);
    }
    Ok(response)
}

/// The content type of an answer in several parts, which replaces the object's own.
#[derive(Clone)]
struct PartsType(String);

async fn answer(
    exchange: &Exchange<'_>,
    found: &Found,
    ranges: Ranges,
    asked: &Integrity,
) -> Result<Response<Body>, Trouble> {
    let size = found.version.size;
    let (status, range) = match &ranges {
        Ranges::Whole => (StatusCode::OK, 0..size),
        Ranges::Unsatisfiable => {
            return Err(Trouble::new(416, "BadRange", "The range lies outside of the object.")
                .with("content-range", &range::content_range_of_none(size)));
        }
        Ranges::Partial(ranges) => match ranges.as_slice() {
            [only] => (StatusCode::PARTIAL_CONTENT, only.clone()),
            several if asked.needs_all() => return Err(not_with(several)),
            several => return several_parts(exchange, found, several, asked).await,
        },
    };
    let whole = range.end - range.start == size;
    if asked.needs_all() && !whole {
        return Err(not_with(&[range]));
    }
    let mut response = if exchange.parts.method == Method::HEAD {
        let mut response = new(status, Body::Empty);
        set(response.headers_mut(), "content-length", range.end - range.start);
        response
    } else {
        sealed::bytes(exchange, found, range.clone(), asked).await?.answer(status)
    };
    let headers = response.headers_mut();
    match status {
        StatusCode::OK => set(headers, "accept-ranges", "bytes"),
        _ => set(headers, "content-range", range::content_range(&range, size)),
    }
    if let Some(md5) = sealed::stored_md5(found).filter(|_| asked.md5 && whole) {
        set(headers, "content-md5", STANDARD.encode(md5));
    }
    Ok(response)
}

/// A digest of the whole says nothing of a part.
fn not_with(ranges: &[Range<u64>]) -> Trouble {
    let ranges: Vec<String> =
        ranges.iter().map(|range| format!("{}-{}", range.start, range.end - 1)).collect();
    Trouble::new(
        400,
        "BadArgument",
        format!(
            "A seal and the argument validate are checked over the whole object: ask for it without a range, or with one \
             that covers it; {} does not.",
            ranges.join(",")
        ),
    )
}

async fn several_parts(
    exchange: &Exchange<'_>,
    found: &Found,
    ranges: &[Range<u64>],
    asked: &Integrity,
) -> Result<Response<Body>, Trouble> {
    let boundary = MemberId::random().to_string();
    let headers = crate::objects::headers::decode(&found.version.headers);
    let own_type =
        headers.iter().find(|(name, _)| name == CONTENT_TYPE.as_str()).map(|(_, value)| value.as_str());
    let parts = Multipart { boundary: &boundary, content_type: own_type, size: found.version.size };
    let length = parts.content_length(ranges);
    let mut response = if exchange.parts.method == Method::HEAD {
        let mut response = new(StatusCode::PARTIAL_CONTENT, Body::Empty);
        set(response.headers_mut(), "content-length", length);
        response
    } else {
        let mut pieces: Vec<Body> = Vec::new();
        for (number, range) in ranges.iter().enumerate() {
            pieces.push(Body::Full(parts.part(number, range)));
            pieces.push(content(exchange.gateway, found, range.clone()).await?);
        }
        pieces.push(Body::Full(parts.end()));
        let body = Body::stream(length, stream::iter(pieces).flat_map(chunks));
        sealed::hashed(exchange, found, body, length, asked, asked.md5).answer(StatusCode::PARTIAL_CONTENT)
    };
    response.extensions_mut().insert(PartsType(parts.content_type()));
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
