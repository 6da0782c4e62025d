//! What a domain or bucket says about the objects inside it, in its `Policy-*` headers (SCSP sections 4.4, 5.1 and 8).
//!
//! Policies resolve from the outside in: cluster, domain, bucket. The inner one speaks last, unless an outer one is
//! *anchored*. Unlike lifepoints they have no end dates.

use std::fmt;

/// The header that says whether a bucket keeps versions.
pub const POLICY_VERSIONING: &str = "Policy-Versioning";

/// What is wrong with a policy header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPolicy {
    /// The header's name.
    pub header: &'static str,
    /// The offending text, cut to a readable length.
    pub text: String,
    /// What is wrong with it, and what is allowed.
    pub reason: String,
}

impl BadPolicy {
    /// The complaint about `text`, in the header `header`.
    pub(crate) fn new(header: &'static str, text: &str, reason: impl Into<String>) -> Self {
        BadPolicy { header, text: text.chars().take(200).collect(), reason: reason.into() }
    }
}

impl fmt::Display for BadPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad {} {:?}: {}", self.header, self.text, self.reason)
    }
}

impl std::error::Error for BadPolicy {}

/// Whether a bucket keeps versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Versioning {
    /// It has none: an update loses what was there before.
    #[default]
    Disabled,
    /// Every write adds a version.
    Enabled,
    /// No version is added any more; those that are there stay.
    Suspended,
}

impl Versioning {
    /// The word in SQL, JSON and the header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Versioning::Disabled => "disabled",
            Versioning::Enabled => "enabled",
            Versioning::Suspended => "suspended",
        }
    }

    /// Reads the word, in any case; `None` for anything else.
    pub fn parse(word: &str) -> Option<Self> {
        [Versioning::Disabled, Versioning::Enabled, Versioning::Suspended]
            .into_iter()
            .find(|versioning| versioning.as_str().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for Versioning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one domain or bucket says about versioning: the value of its `Policy-Versioning`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct VersioningPolicy {
    /// What it wants.
    pub versioning: Versioning,
    /// Whether what stands inside of it must want the same.
    pub anchored: bool,
}

impl VersioningPolicy {
    /// Reads a header's value, or the text that [`fmt::Display`] wrote: `enabled`, `suspended`, `disabled` or
    /// `required`, then perhaps `anchored`. `required` is `enabled anchored`.
    ///
    /// # Errors
    /// [`BadPolicy`] naming the word.
    pub fn parse(text: &str) -> Result<Self, BadPolicy> {
        let bad = |word: &str, reason: &str| Err(BadPolicy::new(POLICY_VERSIONING, word, reason));
        let mut words = text.split_ascii_whitespace();
        let Some(word) = words.next() else {
            return bad(text, "it is empty; one of enabled, suspended, disabled, required is expected");
        };
        let required = word.eq_ignore_ascii_case("required");
        let versioning = match Versioning::parse(word) {
            Some(versioning) => versioning,
            None if required => Versioning::Enabled,
            None => return bad(word, "one of enabled, suspended, disabled, required is expected"),
        };
        let anchored = match words.next() {
            None => required,
            Some(word) if word.eq_ignore_ascii_case("anchored") => true,
            Some(word) => return bad(word, "only 'anchored' may follow"),
        };
        match words.next() {
            None => Ok(VersioningPolicy { versioning, anchored }),
            Some(word) => bad(word, "nothing may follow 'anchored'"),
        }
    }

    /// What holds in a bucket: its own policy if it has one, else its domain's, else none; but an anchored domain
    /// speaks for its buckets, and nothing has versions in a cluster that does not allow them.
    pub fn evaluate(cluster_allows: bool, domain: Option<Self>, bucket: Option<Self>) -> Versioning {
        if !cluster_allows {
            return Versioning::Disabled;
        }
        match (domain, bucket) {
            (Some(domain), _) if domain.anchored => domain.versioning,
            (_, Some(bucket)) => bucket.versioning,
            (Some(domain), None) => domain.versioning,
            (None, None) => Versioning::default(),
        }
    }
}

impl fmt::Display for VersioningPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.versioning, if self.anchored { " anchored" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Versioning::{Disabled, Enabled, Suspended};

    fn policy(text: &str) -> VersioningPolicy {
        VersioningPolicy::parse(text).expect("a policy of these tests")
    }

    #[test]
    fn a_policy_is_a_word_that_may_be_anchored() {
        for (text, versioning, anchored) in [
            ("enabled", Enabled, false),
            (" Suspended ", Suspended, false),
            ("DISABLED", Disabled, false),
            ("enabled anchored", Enabled, true),
            ("disabled \t Anchored", Disabled, true),
            ("required", Enabled, true),
            ("Required anchored", Enabled, true),
        ] {
            assert_eq!(policy(text), VersioningPolicy { versioning, anchored }, "{text}");
        }
    }

    #[test]
    fn what_is_stored_is_read_back() {
        for versioning in [Disabled, Enabled, Suspended] {
            assert_eq!(Versioning::parse(versioning.as_str()), Some(versioning));
            for anchored in [false, true] {
                let stored = VersioningPolicy { versioning, anchored };
                assert_eq!(policy(&stored.to_string()), stored);
            }
        }
    }

    #[test]
    fn anything_else_is_refused_by_naming_the_word() {
        for (text, word) in [
            ("", ""),
            ("on", "on"),
            ("anchored", "anchored"),
            ("enabled,anchored", "enabled,anchored"),
            ("enabled fixed", "fixed"),
            ("enabled anchored anchored", "anchored"),
            ("enabled disabled", "disabled"),
        ] {
            assert_eq!(VersioningPolicy::parse(text).expect_err(text).text, word, "{text}");
        }
        let bad = VersioningPolicy::parse("maybe").expect_err("not a policy");
        assert_eq!(
            bad.to_string(),
            "bad Policy-Versioning \"maybe\": one of enabled, suspended, disabled, required is expected"
        );
    }

    #[test]
    fn policies_resolve_from_cluster_to_domain_to_bucket() {
        for (allowed, domain, bucket, expected) in [
            (true, None, None, Disabled),
            (true, Some("enabled"), None, Enabled),
            (true, None, Some("enabled"), Enabled),
            (true, Some("enabled"), Some("suspended"), Suspended),
            (true, Some("disabled"), Some("enabled"), Enabled),
            (true, Some("required"), Some("disabled"), Enabled),
            (true, Some("disabled anchored"), Some("enabled"), Disabled),
            (true, Some("suspended anchored"), None, Suspended),
            // A bucket holds no containers that its anchor could bind.
            (true, Some("suspended"), Some("enabled anchored"), Enabled),
            (false, Some("required"), Some("enabled"), Disabled),
            (false, None, Some("enabled anchored"), Disabled),
        ] {
            assert_eq!(
                VersioningPolicy::evaluate(allowed, domain.map(policy), bucket.map(policy)),
                expected,
                "cluster {allowed}, domain {domain:?}, bucket {bucket:?}"
            );
        }
    }
}
