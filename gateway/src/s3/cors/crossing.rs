//! A request that says which page it comes from: its preflight, or the headers of its answer.

use super::matching::Asked;
use super::rules::{METHODS, Rules};
use crate::Gateway;
use crate::http::Body;
use crate::s3::error::{Told, Trouble, trouble};
use crate::s3::target::Named;
use http::header::{
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, HeaderName, HeaderValue,
    ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, Method, Response};
use metadata::{Failure, SettingKind};

/// What an answer depends on beside its address.
const VARIES: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
/// The most headers that a preflight may name.
const HEADERS_MAX: usize = 100;

/// A request, not a preflight, that a page of another site may have sent.
pub(in crate::s3) struct Crossing {
    origin: String,
    method: String,
}

impl Crossing {
    /// A request that says where it comes from; others are none.
    pub(in crate::s3) fn of(parts: &Parts) -> Option<Self> {
        let origin = text(&parts.headers, &ORIGIN).filter(|_| parts.method != Method::OPTIONS)?;
        // As AWS does: whoever says which method is meant, is judged by that.
        let method = text(&parts.headers, &ACCESS_CONTROL_REQUEST_METHOD);
        Some(Crossing {
            origin: origin.to_owned(),
            method: method.unwrap_or(parts.method.as_str()).to_owned(),
        })
    }

    /// Puts onto the answer, whatever it says, what the bucket's rules say. Without them a browser keeps it from the page.
    pub(in crate::s3) async fn mark(&self, gateway: &Gateway, named: &Named, response: &mut Response<Body>) {
        let rules = match rules(gateway, named).await {
            Ok(Some(Some(rules))) => rules,
            Ok(_) => return,
            Err(error) => {
                // The request is answered; that a page does not get to see it is all that is lost.
                tracing::warn!(%error, "the rules of a bucket for pages of other sites could not be read");
                return;
            }
        };
        let asked = Asked { origin: &self.origin, method: &self.method, headers: &[] };
        let headers = response.headers_mut();
        headers.append(VARY, VARIES);
        for (name, value) in rules.say(asked).into_iter().flatten() {
            headers.insert(name, value);
        }
    }
}

/// Answers a preflight.
///
/// # Errors
/// `BadRequest` for what is none, `AccessForbidden` for what no rule takes.
pub(in crate::s3) async fn preflight(
    gateway: &Gateway,
    parts: &Parts,
    named: &Named,
) -> Result<Response<Body>, Trouble> {
    let Some(origin) = text(&parts.headers, &ORIGIN).filter(|origin| !origin.is_empty()) else {
        return Err(trouble("BadRequest", "Insufficient information. Origin request header needed."));
    };
    let method = text(&parts.headers, &ACCESS_CONTROL_REQUEST_METHOD);
    let Some(method) = method.filter(|method| METHODS.contains(method)) else {
        let method = method.unwrap_or("null");
        return Err(trouble("BadRequest", format!("Invalid Access-Control-Request-Method: {method}")));
    };
    let headers = wanted(&parts.headers)?;
    let forbidden = |why: &'static str| trouble("AccessForbidden", format!("CORSResponse: {why}"));
    let rules = match rules(gateway, named).await.told()? {
        Some(Some(rules)) => rules,
        Some(None) => return Err(forbidden("CORS is not enabled for this bucket.")),
        None => return Err(forbidden("Bucket not found")),
    };
    let Some(said) = rules.say(Asked { origin, method, headers: &headers }) else {
        return Err(forbidden(
            "This CORS request is not allowed. This is usually because the evalution of Origin, request method / \
             Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
        ));
    };
    let mut response = Response::new(Body::Empty);
    let into = response.headers_mut();
    into.extend(said);
    into.insert(VARY, VARIES);
    into.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    Ok(response)
}

/// The headers that a page wants to send, as the browser names them.
fn wanted(headers: &HeaderMap) -> Result<Vec<String>, Trouble> {
    let bad = || trouble("BadRequest", "Invalid Access-Control-Request-Headers");
    let mut names = Vec::new();
    for line in headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
        let line = line.to_str().map_err(|_| bad())?;
        for name in line.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if names.len() == HEADERS_MAX || HeaderName::try_from(name).is_err() {
                return Err(bad());
            }
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// A header that stands once and is text.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

/// The rules of the bucket that a request names; `None` inside: it has none; outside: it is not there.
async fn rules(gateway: &Gateway, named: &Named) -> Result<Option<Option<Rules>>, Failure> {
    let Some(bucket) = &named.bucket else { return Ok(None) };
    let (host, fallback) = (named.domain.as_deref(), gateway.settings.default_domain.as_str());
    let setting = gateway.metadata.bucket_setting_named(host, fallback, bucket, SettingKind::Cors).await?;
    Ok(setting.map(|setting| setting.and_then(|setting| Rules::read(&setting.content))))
}
