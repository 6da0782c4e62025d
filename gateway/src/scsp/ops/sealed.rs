//! The bytes of an answer, checked and hashed on their way as the request asks (SCSP sections 7.2 to 7.4).
//!
//! What is found out at the end of the content goes behind it in trailers, which only a client gets that says `TE:
//! trailers`. The checks are made for all: content that fails one is cut before its end.

use crate::http::Body;
use crate::objects::{Digests, Error, HashType, checked, content, trailed, validated};
use crate::scsp::answer::{encoded, new, set};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::seal::{Integrity, sealed, takes_trailers};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{HOST, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::Body as _;
use lifecycle::Kind;
use metadata::Found;
use std::ops::Range;

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// What is told behind the last byte.
struct Told {
    /// As what, and by which function: where the object is, with its new seal.
    seal: Option<(String, HashType)>,
    /// The MD5 of what was sent.
    md5: bool,
}

/// A body, and the names of what comes behind it.
pub(super) struct Sent {
    body: Body,
    trailer: Option<&'static str>,
}

/// The bytes of `range`.
///
/// # Errors
/// 400 for a check that needs all bytes together with a range that does not; else what reading them says.
pub(super) async fn bytes(
    exchange: &Exchange<'_>,
    found: &Found,
    range: Range<u64>,
    asked: &Integrity,
) -> Result<Sent, Trouble> {
    let length = range.end.saturating_sub(range.start);
    let whole = length == found.version.size;
    let body = match asked.validate {
        true => validated(exchange.gateway, found).await?,
        false => content(exchange.gateway, found, range).await?,
    };
    let md5 = asked.md5 && !(whole && stored_md5(found).is_some());
    Ok(hashed(exchange, found, body, length, asked, md5))
}

/// `body`, of `length` bytes, with the checks and trailers that are asked for.
pub(super) fn hashed(
    exchange: &Exchange<'_>,
    found: &Found,
    body: Body,
    length: u64,
    asked: &Integrity,
    md5: bool,
) -> Sent {
    let told = takes_trailers(&exchange.parts.headers)
        .then(|| Told { seal: asked.told().map(|of| (location(exchange, found), of)), md5 })
        .filter(|told| told.md5 || told.seal.is_some());
    let mut types: Vec<HashType> = asked.seal.iter().map(|seal| seal.of()).collect();
    if let Some(told) = &told {
        types.extend(told.seal.as_ref().map(|(_, of)| *of));
        types.extend(told.md5.then_some(HashType::Md5));
    }
    let (seal, version) = (asked.seal.clone(), found.version.id);
    let judge = move |digests: &Digests| {
        let Some(seal) = &seal else { return Ok(()) };
        digests.get(seal.of())?.compare(seal).map_err(|mismatch| {
            tracing::warn!(%version, %mismatch, "a body was cut: it is not what the request's seal says");
            Error::BadRequest(mismatch.to_string())
        })
    };
    match (told, types.is_empty()) {
        (Some(told), _) => {
            let trailer = Some(told.names());
            let judge = move |digests: &Digests| judge(digests).and_then(|()| told.trailers(digests));
            Sent { body: trailed(body, length, &types, judge), trailer }
        }
        (None, false) => Sent { body: checked(body, length, &types, judge), trailer: None },
        (None, true) => Sent { body, trailer: None },
    }
}

impl Told {
    /// What is not announced is not sent.
    fn names(&self) -> &'static str {
        match (&self.seal, self.md5) {
            (Some(_), true) => "location, content-md5",
            (Some(_), false) => "location",
            (None, _) => "content-md5",
        }
    }

    fn trailers(&self, digests: &Digests) -> Result<HeaderMap, Error> {
        let mut trailers = HeaderMap::new();
        if let Some((location, of)) = &self.seal
            && let Ok(value) = HeaderValue::try_from(sealed(location, digests.get(*of)?))
        {
            trailers.insert(LOCATION, value);
        }
        if self.md5 {
            let md5 = STANDARD.encode(digests.get(HashType::Md5)?.bytes());
            if let Ok(value) = HeaderValue::try_from(md5) {
                trailers.insert(CONTENT_MD5, value);
            }
        }
        Ok(trailers)
    }
}

impl Sent {
    /// The answer with this body: it says how long the body is, or what comes behind it.
    pub(super) fn answer(self, status: StatusCode) -> Response<Body> {
        let (length, trailer) = (self.body.size_hint().exact(), self.trailer);
        let mut response = new(status, self.body);
        match (length, trailer) {
            (_, Some(names)) => set(response.headers_mut(), "trailer", names),
            (Some(length), None) => set(response.headers_mut(), "content-length", length),
            // What has no bytes can be cut only in front of its final chunk.
            (None, None) => {}
        }
        response
    }
}

/// The MD5 of the whole content, if it is known: of an object made of parts, only those of the parts are.
pub(super) fn stored_md5(found: &Found) -> Option<[u8; 16]> {
    found.version.md5.filter(|_| found.version.parts.is_none())
}

/// Where the content is: what a seal of it is part of.
fn location(exchange: &Exchange<'_>, found: &Found) -> String {
    let (version, domain) = (&found.version, &found.domain.1);
    let name = encoded(&version.name);
    let path = match version.kind {
        Kind::Named => format!("/{}/{name}", encoded(&found.bucket.1)),
        Kind::Unnamed | Kind::Alias => format!("/{name}"),
    };
    let host = exchange.parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or(domain);
    let location = format!("http://{host}{path}?domain={domain}");
    // What was sealed is that version, and not what is current by the time that somebody looks.
    match exchange.asked.query.contains("version") {
        true => format!("{location}&version={}", version.id),
        false => location,
    }
}
