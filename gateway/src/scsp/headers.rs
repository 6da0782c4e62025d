//! Which request headers are kept, and how they come back (SCSP sections 1.5, 2.1 and 4).

use super::authorization;
use super::error::Trouble;
use http::{HeaderMap, HeaderName, HeaderValue};
use lifecycle::{BadPolicy, Guard, Lifepoints, Time, VersioningPolicy, lifecycle_rules};
use metadata::{ContainerKind, Policies};

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

/// A header as it is kept: its name in lower case, and its value.
pub(super) type Pair = (String, String);

/// The headers to keep, and what the lifepoints among them say.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) headers: Vec<Pair>,
    pub(super) guard: Guard,
    pub(super) expires_at: Option<Time>,
}

/// What becomes of the headers that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    /// They go; what is sent takes their place.
    Replace,
    /// They stay, except where a header of the same name is sent.
    Preserve,
    /// Custom metadata goes; the others stay, except where a header of the same name is sent.
    ReplaceCustom,
}

impl Merge {
    /// What stands afterwards.
    pub(super) fn apply(self, old: Vec<Pair>, sent: Vec<Pair>) -> Vec<Pair> {
        match self {
            Merge::Replace => sent,
            Merge::Preserve => overlay(old, sent),
            Merge::ReplaceCustom => {
                overlay(old.into_iter().filter(|(name, _)| !is_custom(name)).collect(), sent)
            }
        }
    }
}

/// Picks the headers to keep with an object or context.
///
/// # Errors
/// 400 for a value that is not text, and for an authorisation that does not mean anything.
pub(super) fn pick(headers: &HeaderMap) -> Result<Vec<Pair>, Trouble> {
    let mut picked = Vec::new();
    for (name, value) in headers {
        let name = name.as_str();
        if !(KEPT.contains(&name) || is_custom(name) || is_policy(name)) {
            continue;
        }
        let Ok(value) = value.to_str() else {
            return Err(Trouble::new(
                400,
                "BadHeader",
                format!("The header {name} holds bytes that are not ASCII text."),
            ));
        };
        picked.push((name.to_owned(), value.to_owned()));
    }
    authorization::validate(&picked).map_err(|bad| Trouble::bad_request("BadHeader", &bad))?;
    Ok(picked)
}

/// Finds out what the lifepoints among an object's headers say.
///
/// # Errors
/// 400 for a lifepoint that does not mean anything, or by which the object would be gone at once; unless the installation
/// takes lifepoints leniently: then it is logged, and protects if in doubt.
pub(super) fn judge(headers: Vec<Pair>, strict: bool, now: Time) -> Result<Kept, Trouble> {
    let kept = judge_context(headers, strict)?;
    if strict && kept.expires_at.is_some_and(|at| at <= now) {
        return Err(Trouble::new(
            400,
            "BadLifepoint",
            "bad lifepoint \"[] delete\": the object would be gone at once; a lifepoint that ends later must come before \
             'delete'",
        ));
    }
    Ok(kept)
}

/// As [`judge`], for a domain or bucket, which is never deleted by a lifepoint.
///
/// # Errors
/// 400 for a lifepoint that does not mean anything.
pub(super) fn judge_context(headers: Vec<Pair>, strict: bool) -> Result<Kept, Trouble> {
    let lifepoints = values(&headers, "lifepoint");
    let points = if strict {
        Lifepoints::parse(lifepoints).map_err(|bad| Trouble::bad_request("BadLifepoint", &bad))?
    } else {
        let (points, bad) = Lifepoints::parse_leniently(lifepoints);
        for bad in bad {
            tracing::warn!(%bad, "a lifepoint was stored that does not mean anything");
        }
        points
    };
    Ok(Kept { guard: points.guard(), expires_at: points.expires_at(), headers })
}

/// What a context's headers say of versioning and lifecycle.
///
/// # Errors
/// 400 for a policy that does not mean anything.
pub(super) fn policies(headers: &[Pair], kind: ContainerKind) -> Result<Policies, Trouble> {
    let bad = |bad: BadPolicy| Trouble::bad_request("BadPolicy", &bad);
    let mut policies = Policies::default();
    let mut lifecycle = values(headers, "policy-lifecycle");
    match kind {
        ContainerKind::Domain => {
            policies.rules_hold =
                lifecycle.next().map(lifecycle_rules::parse_domain).transpose().map_err(bad)?;
            if lifecycle.next().is_some() {
                return Err(Trouble::new(
                    400,
                    "BadPolicy",
                    "Policy-Lifecycle stands more than once on a domain.",
                ));
            }
        }
        ContainerKind::Bucket | ContainerKind::Contents => {
            policies.rules = lifecycle_rules::parse(lifecycle).map_err(bad)?;
        }
    }
    let mut versioning = values(headers, "policy-versioning");
    policies.versioning = versioning.next().map(VersioningPolicy::parse).transpose().map_err(bad)?;
    if versioning.next().is_some() {
        return Err(Trouble::new(400, "BadPolicy", "Policy-Versioning stands more than once."));
    }
    Ok(policies)
}

/// As [`policies`], for a bucket's stored headers that another door has changed.
///
/// # Errors
/// What is wrong with them, in words.
pub(crate) fn policies_of_bucket(headers: &[Pair]) -> Result<Policies, String> {
    policies(headers, ContainerKind::Bucket).map_err(|trouble| trouble.text().to_owned())
}

/// The values of a header that was kept.
pub(super) fn values<'a>(headers: &'a [Pair], name: &'a str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A policy that somebody sets. What is in force is ours to say (`Policy-*-Evaluated`), and is not set by whoever sends an
/// answer's headers back.
fn is_policy(name: &str) -> bool {
    name.starts_with("policy-") && !name.ends_with("-evaluated")
}

/// Custom metadata: `x-*-meta` and `x-*-meta-*`.
fn is_custom(name: &str) -> bool {
    name.strip_prefix("x-").is_some_and(|rest| {
        rest.strip_suffix("-meta").is_some_and(|owner| !owner.is_empty())
            || rest.find("-meta-").is_some_and(|at| at > 0 && at + "-meta-".len() < rest.len())
    })
}

/// Headers that were kept, with those sent now laid over them: a name sent now replaces all of its old values.
pub(super) fn overlay(old: Vec<Pair>, new: Vec<Pair>) -> Vec<Pair> {
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
            ("policy-replication", "3"),
            ("policy-versioning-evaluated", "enabled"),
            ("content-length", "4"),
            ("authorization", "secret"),
            ("host", "h"),
        ]);
        let mut names: Vec<String> = pick(&sent).expect("good").into_iter().map(|(n, _)| n).collect();
        names.sort();
        assert_eq!(names, ["content-type", "policy-replication", "x-acme-meta", "x-acme-meta-camera"]);
    }

    #[test]
    fn lifepoints_are_read_and_bad_ones_refused() {
        let judged = |text: &str, strict| {
            judge(vec![("lifepoint".to_owned(), text.to_owned())], strict, Time::default())
        };
        assert_eq!(judged("[] deletable=no", true).expect("good").guard.until, Some(Time::NEVER));
        assert!(judged("[] deleteable=no", true).is_err());
        let doubted = judged("[] deleteable=no", false).expect("stored");
        assert_eq!(doubted.guard.until, Some(Time::NEVER), "doubt protects");
    }

    #[test]
    fn an_authorisation_is_kept_as_it_was_written_and_a_bad_one_refused() {
        let kept = pick(&map(&[("castor-authorization", "D.example , POST=")])).expect("good");
        assert_eq!(kept, [("castor-authorization".to_owned(), "D.example , POST=".to_owned())]);
        for bad in ["", "D.example,", "read=D.example", "view=two words"] {
            let refused = pick(&map(&[("castor-authorization", bad)])).expect_err("refused");
            assert_eq!(refused.status.as_u16(), 400, "{bad}");
        }
    }

    #[test]
    fn what_is_sent_again_replaces_and_the_rest_stays() {
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        let merged = overlay(vec![pair("a", "1"), pair("b", "2"), pair("a", "3")], vec![pair("a", "9")]);
        assert_eq!(merged, [pair("b", "2"), pair("a", "9")]);
    }
}
