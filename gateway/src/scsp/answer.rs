//! The headers that answers have in common (SCSP section 2.1).

use crate::http::Body;
use crate::objects::headers::decode;
use http::header::{ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use lifecycle::names::BARE;
use lifecycle::{ExpiryRule, Kind, Time, VersioningPolicy};
use metadata::{Container, Found};
use percent_encoding::utf8_percent_encode;
use std::fmt::Display;

/// The parent of a domain: none.
const NO_PARENT: &str = "ffffffffffffffffffffffffffffffff";

/// A name as it stands in a path or header.
pub(super) fn encoded(name: &str) -> impl Display + '_ {
    utf8_percent_encode(name, BARE)
}

/// An empty answer with `status`.
pub(super) fn new(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// Sets a header whose text is ours and printable.
pub(super) fn set(headers: &mut HeaderMap, name: &'static str, value: impl Display) {
    if let Ok(value) = HeaderValue::try_from(value.to_string()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// The write time as seconds and milliseconds: how clients tell what is mutable.
pub(super) fn system_version(at: Time) -> String {
    let millis = at.micros() / 1_000;
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

/// Entity tag and times of a version written at `at`.
pub(super) fn stamp(headers: &mut HeaderMap, etag: impl Display, at: Time) {
    if let Ok(value) = HeaderValue::try_from(format!("\"{etag}\"")) {
        headers.insert(ETAG, value);
    }
    if let Ok(value) = HeaderValue::try_from(at.to_http_date()) {
        headers.insert(LAST_MODIFIED, value.clone());
        headers.insert(HeaderName::from_static("castor-system-created"), value);
    }
}

/// What an object's answer says of it, its kept headers included.
pub(super) fn describe_object(headers: &mut HeaderMap, found: &Found) {
    super::headers::echo(&decode(&found.version.headers), headers);
    stamp(headers, found.version.id, found.version.created_at);
    if let Some(owner) = &found.version.owner {
        set(headers, "castor-system-owner", encoded(owner));
    }
    match found.version.kind {
        Kind::Named => {
            set(headers, "castor-system-cid", found.bucket.0);
            let name = encoded(&found.version.name);
            set(
                headers,
                "castor-system-path",
                format_args!("/{}/{}/{name}", found.domain.1, encoded(&found.bucket.1)),
            );
            set(headers, "castor-system-name", name);
            set(headers, "castor-system-domain", &found.domain.1);
        }
        Kind::Unnamed => {}
        Kind::Alias => set(headers, "castor-system-alias", &found.version.name),
    }
    if let (Some(_), Some(md5)) = (found.version.parts, found.version.md5) {
        set(headers, "castor-system-compositemd5", format_args!("{:032x}", u128::from_be_bytes(md5)));
    }
    if let Some(retention) = found.version.retention {
        set(
            headers,
            "barrow-retention",
            format_args!("{}; until=\"{}\"", retention.mode.as_str(), retention.until.to_http_date()),
        );
    }
    if found.version.guard.hold {
        set(headers, "barrow-legal-hold", "on");
    }
    if found.version.kind != Kind::Unnamed {
        set(headers, "castor-system-version", system_version(found.version.created_at));
    }
}

/// What is in force in a context, or in the buckets of a domain that say nothing themselves.
pub(super) fn evaluate_policies(headers: &mut HeaderMap, container: &Container, cluster_allows: bool) {
    let in_domain = || {
        let kept = decode(&container.headers);
        let own = super::headers::values(&kept, "policy-versioning").next();
        VersioningPolicy::evaluate(
            cluster_allows,
            own.and_then(|text| VersioningPolicy::parse(text).ok()),
            None,
        )
    };
    set(headers, "policy-versioning-evaluated", container.versioning.unwrap_or_else(in_domain));
    evaluate_rules(headers, &container.rules);
}

/// The lifecycle rules in force, one per line.
pub(super) fn evaluate_rules(headers: &mut HeaderMap, rules: &[ExpiryRule]) {
    for rule in rules {
        if let Ok(value) = HeaderValue::try_from(rule.to_string()) {
            headers.append(HeaderName::from_static("policy-lifecycle-evaluated"), value);
        }
    }
}

/// What a context's answer says of it, its kept headers included.
pub(super) fn describe_context(headers: &mut HeaderMap, container: &Container) {
    super::headers::echo(&decode(&container.headers), headers);
    stamp(headers, container.etag, container.changed_at);
    set(headers, "castor-system-alias", container.id);
    match container.parent {
        Some(parent) => set(headers, "castor-system-cid", parent),
        None => set(headers, "castor-system-cid", NO_PARENT),
    }
    set(headers, "castor-system-name", encoded(&container.name));
    set(headers, "castor-system-version", system_version(container.changed_at));
    if let Some(owner) = &container.owner {
        set(headers, "castor-system-owner", encoded(owner));
    }
}
