//! A request on its way through an operation, and the reading of its arguments and body.

use super::error::Complaint;
use super::openapi::{self, Argument};
use super::route::{Operation, Params};
use super::trail::Trail;
use crate::Gateway;
use crate::auth::{Denied, Principal};
use crate::http::{Body, BodyReader, Limits, Query};
use crate::objects::Error;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use lifecycle::{ContainerId, State, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Bytes of a body that gives orders.
pub(super) const ORDER_MAX: usize = 64 * 1024;
/// Bytes of a body that lists names.
pub(super) const LIST_MAX: usize = 1024 * 1024;

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

/// The argument that [`Asked::limit`] reads.
pub(super) const LIMIT: Argument = Argument::limit(PAGE, PAGE_MAX);

/// What was asked, and by whom.
pub(super) struct Asked<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) operation: Operation,
    pub(super) params: Params,
    pub(super) query: Query,
    /// The name in the header `Host`, without a port: which domain is meant where the path does not say.
    pub(super) host: Option<String>,
    pub(super) headers: &'a HeaderMap,
    pub(super) limits: &'a Limits,
    /// `None` on an open route, where nothing may be asked of anybody.
    pub(super) principal: Option<Principal>,
    /// What is written down of it.
    pub(super) trail: &'a Trail,
}

/// What every outcome is.
pub(super) type Answered = Result<Response<Body>, Complaint>;

impl Asked<'_> {
    /// Passes if the caller holds the operation's right on something inside `domain` and `bucket`; `None` is the whole
    /// installation.
    pub(super) fn require(
        &self,
        domain: Option<ContainerId>,
        bucket: Option<ContainerId>,
    ) -> Result<&Principal, Complaint> {
        let (Some(principal), Some(right)) = (&self.principal, self.operation.right()) else {
            return Err(Denied::Missing.into());
        };
        principal.require(right, domain, bucket)?;
        Ok(principal)
    }

    /// Passes if the caller holds the operation's right anywhere: who holds it nowhere is not told what exists.
    pub(super) fn require_somewhere(&self) -> Result<(), Complaint> {
        match (&self.principal, self.operation.right()) {
            (Some(principal), Some(right)) => Ok(principal.require_somewhere(right)?),
            _ => Err(Denied::Missing.into()),
        }
    }

    /// Refuses arguments other than these, which are the ones that the operation is described with.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Complaint> {
        debug_assert!(
            openapi::describes(self.operation)
                .query
                .iter()
                .map(|argument| argument.name)
                .eq(known.iter().copied()),
            "{:?} takes {known:?} and is described otherwise",
            self.operation
        );
        match self.query.iter().find(|(name, _)| !known.contains(name)) {
            None => Ok(()),
            Some((name, _)) if known.is_empty() => {
                Err(Complaint::bad_request(format!("argument {name:?} is not known: none is taken here")))
            }
            Some((name, _)) => {
                let known = known.join(", ");
                Err(Complaint::bad_request(format!("argument {name:?} is not known: allowed are {known}")))
            }
        }
    }

    /// The argument `state`, one of `allowed`.
    pub(super) fn state(&self, allowed: &[State]) -> Result<Option<State>, Complaint> {
        let Some(word) = self.query.get("state").filter(|word| !word.is_empty()) else { return Ok(None) };
        match State::parse(word).filter(|state| allowed.contains(state)) {
            Some(state) => Ok(Some(state)),
            None => {
                let allowed: Vec<&str> = allowed.iter().map(|state| state.as_str()).collect();
                let allowed = allowed.join(", ");
                Err(Complaint::bad_request(format!("state cannot be {word:?}: allowed are {allowed}")))
            }
        }
    }

    /// The argument `limit`.
    pub(super) fn limit(&self) -> Result<u32, Complaint> {
        match self.query.get("limit") {
            None => Ok(PAGE),
            Some(text) => match text.parse() {
                Ok(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
                _ => Err(Complaint::bad_request(format!(
                    "limit cannot be {text:?}: allowed is a number from 1 to {PAGE_MAX}"
                ))),
            },
        }
    }

    /// The number in argument `name`, from 0 to `most`, if one is given.
    pub(super) fn number(&self, name: &str, most: i64) -> Result<Option<i64>, Complaint> {
        let Some(text) = self.query.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        match text.parse() {
            Ok(number) if (0..=most).contains(&number) => Ok(Some(number)),
            _ => Err(Complaint::bad_request(format!(
                "{name} cannot be {text:?}: allowed is a number from 0 to {most}"
            ))),
        }
    }

    /// The argument `after`: a page's `next`, which begins with an id. Anything else would begin from the start.
    pub(super) fn after(&self) -> Result<Option<&str>, Complaint> {
        match self.query.get("after").filter(|token| !token.is_empty()) {
            None => Ok(None),
            Some(token) if token.get(..32).is_some_and(lifecycle::names::is_uuid) => Ok(Some(token)),
            Some(_) => Err(Complaint::bad_request("after must be the \"next\" of an earlier page")),
        }
    }

    /// The argument `prefix`.
    pub(super) fn prefix(&self) -> &str {
        self.query.get("prefix").unwrap_or_default()
    }
}

/// Reads the body as JSON; no body is an empty object. Unknown fields are refused by the types.
pub(super) async fn decode<T: DeserializeOwned>(body: &mut BodyReader, max: usize) -> Result<T, Complaint> {
    let bytes = body.collect(max).await.map_err(Error::from)?;
    let bytes = if bytes.trim_ascii().is_empty() { &b"{}"[..] } else { &bytes[..] };
    serde_json::from_slice(bytes)
        .map_err(|error| Complaint::bad_request(format!("the body is not what is expected: {error}")))
}

/// Reads a duration such as "7days".
pub(super) fn duration(field: &str, text: &str) -> Result<Duration, Complaint> {
    match humantime::parse_duration(text) {
        Ok(length) if length <= lifecycle::grace::GRACE_MAX => Ok(length),
        _ => Err(Complaint::bad_request(format!(
            "{field} cannot be {text:?}: allowed is a duration with its unit, up to 100 years, such as \"7days\""
        ))),
    }
}

/// Reads a moment in the past: RFC 3339, or how long ago, such as "2h".
pub(super) fn moment(field: &str, text: &str, now: Time) -> Result<Time, Complaint> {
    let ago = || humantime::parse_duration(text).ok().filter(|ago| *ago <= lifecycle::grace::GRACE_MAX);
    match Time::parse_rfc3339(text).or_else(|| ago().map(|ago| now.minus(ago))) {
        Some(at) if at <= now => Ok(at),
        Some(at) => {
            Err(Complaint::bad_request(format!("{field} cannot be {text:?}: {at} lies in the future")))
        }
        None => Err(Complaint::bad_request(format!(
            "{field} cannot be {text:?}: allowed is a time such as \"2026-03-03T09:00:00Z\", or how long ago, such as \"2h\""
        ))),
    }
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Answered {
    let mut text = serde_json::to_vec(value)
        .map_err(|error| Error::Unavailable(format!("the answer cannot be written as JSON: {error}")))?;
    text.push(b'\n');
    Ok(json_body(status, Body::Full(text.into())))
}

/// An answer whose body is JSON already.
pub(super) fn json_body(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer in JSON, status 200.
pub(super) fn ok(value: &impl Serialize) -> Answered {
    json(StatusCode::OK, value)
}
