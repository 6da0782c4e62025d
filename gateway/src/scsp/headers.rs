//! Which request headers are kept, and how they come back (SCSP sections 1.5, 2.1 and 4).

use super::error::Trouble;
use http::{HeaderMap, HeaderName, HeaderValue};
use lifecycle::{Guard, Lifepoints, Time};

/// Standard headers that describe the content and are echoed as they were written.
const KEPT: [&str; 10] = [
    "content-type",
    "content-language",
    "content-encoding",
    "content-disposition",
    "cache-control",
    "expires",
    "allow",
    "lifepoint",
    "castor-authorization",
    "castor-stream-type",
];

/// Policies that this door stores but does not evaluate: accepting them silently would promise what is not kept.
const UNBUILT_POLICIES: [&str; 2] = ["policy-versioning", "policy-lifecycle"];

/// The headers to keep, and what the lifepoints among them say.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) headers: Vec<(String, String)>,
    pub(super) guard: Guard,
    pub(super) expires_at: Option<Time>,
}

/// Picks the headers to keep with an object or context.
///
/// # Errors
/// 400 for a lifepoint that does not mean anything, 501 for a policy that is not built.
pub(super) fn keep(headers: &HeaderMap) -> Result<Kept, Trouble> {
    let mut kept = Vec::new();
    for (name, value) in headers {
        let name = name.as_str();
        if !(KEPT.contains(&name) || is_custom(name) || name.starts_with("policy-")) {
            continue;
        }
        let Ok(value) = value.to_str() else {
            return Err(Trouble::new(
                400,
                "BadHeader",
                format!("The header {name} holds bytes that are not ASCII text."),
            ));
        };
        let off = value.trim().eq_ignore_ascii_case("disabled");
        if UNBUILT_POLICIES.contains(&name) && !off {
            return Err(Trouble::new(
                501,
                "NotImplemented",
                format!("The header {name}: {value} is not implemented."),
            ));
        }
        kept.push((name.to_owned(), value.to_owned()));
    }
    let lifepoints = kept.iter().filter(|(name, _)| name == "lifepoint").map(|(_, value)| value.as_str());
    let points = Lifepoints::parse(lifepoints).map_err(|bad| Trouble::bad_request("BadLifepoint", &bad))?;
    Ok(Kept { headers: kept, guard: points.guard(), expires_at: points.expires_at() })
}

/// Custom metadata: `x-*-meta` and `x-*-meta-*`.
fn is_custom(name: &str) -> bool {
    name.strip_prefix("x-").is_some_and(|rest| {
        rest.strip_suffix("-meta").is_some_and(|owner| !owner.is_empty())
            || rest.find("-meta-").is_some_and(|at| at > 0 && at + "-meta-".len() < rest.len())
    })
}

/// Headers that were kept, with those sent now laid over them: a name sent now replaces all of its old values.
pub(super) fn overlay(old: Vec<(String, String)>, new: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut merged: Vec<_> =
        old.into_iter().filter(|(name, _)| new.iter().all(|(sent, _)| sent != name)).collect();
    merged.extend(new);
    merged
}

/// Puts kept headers into an answer.
pub(super) fn echo(kept: &[(String, String)], answer: &mut HeaderMap) {
    for (name, value) in kept {
        // They came in as headers, so they go out as headers.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            answer.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn content_headers_and_custom_metadata_are_kept_and_nothing_else() {
        let sent = map(&[
            ("content-type", "image/jpeg"),
            ("x-acme-meta-camera", "d850"),
            ("x-acme-meta", "1"),
            ("x-meta-x", "no owner"),
            ("x-amz-date", "not ours"),
            ("content-length", "4"),
            ("authorization", "secret"),
            ("host", "h"),
        ]);
        let mut names: Vec<String> = keep(&sent).expect("good").headers.into_iter().map(|(n, _)| n).collect();
        names.sort();
        assert_eq!(names, ["content-type", "x-acme-meta", "x-acme-meta-camera"]);
    }

    #[test]
    fn lifepoints_are_read_and_bad_ones_refused() {
        let kept = keep(&map(&[("lifepoint", "[] deletable=no")])).expect("good");
        assert_eq!(kept.guard.until, Some(Time::NEVER));
        assert!(keep(&map(&[("lifepoint", "[] deleteable=no")])).is_err());
    }

    #[test]
    fn what_is_sent_again_replaces_and_the_rest_stays() {
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        let merged = overlay(vec![pair("a", "1"), pair("b", "2"), pair("a", "3")], vec![pair("a", "9")]);
        assert_eq!(merged, [pair("b", "2"), pair("a", "9")]);
    }
}
