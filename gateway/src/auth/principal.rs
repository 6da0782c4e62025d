//! Who asks, and what they may do.

use lifecycle::{ContainerId, Right, Rights};
use metadata::{AccessKey, Failure};
use std::sync::Arc;

/// What a request without credentials may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    /// Nothing.
    None,
    /// Read and list.
    Read,
    /// Everything. Only where all listeners are on loopback.
    Full,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The key's id, or `anonymous`: the actor in everything that is written down.
    pub name: Arc<str>,
    rights: Rights,
    scope: Scope,
    anonymous: bool,
}

/// Where a key's rights hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere.
    Cluster,
    /// In one domain and everything in it.
    Domain(ContainerId),
    /// In one bucket.
    Bucket {
        /// The bucket's domain, where the key names it too.
        domain: Option<ContainerId>,
        /// The bucket.
        bucket: ContainerId,
    },
}

impl Scope {
    fn of(domain: Option<ContainerId>, bucket: Option<ContainerId>) -> Self {
        match (domain, bucket) {
            (None, None) => Scope::Cluster,
            (Some(domain), None) => Scope::Domain(domain),
            (domain, Some(bucket)) => Scope::Bucket { domain, bucket },
        }
    }

    fn holds(self, domain: Option<ContainerId>, bucket: Option<ContainerId>) -> bool {
        match self {
            Scope::Cluster => true,
            Scope::Domain(only) => domain == Some(only),
            Scope::Bucket { domain: of, bucket: only } => {
                of.is_none_or(|of| domain == Some(of)) && bucket == Some(only)
            }
        }
    }
}

/// Why a request is turned away.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// No credentials where some are needed.
    #[error("credentials are needed")]
    Missing,
    /// Credentials that are not ours, expired or revoked. Which of these is not told.
    #[error("the credentials are not valid")]
    Invalid,
    /// Digest credentials that prove the secret with a nonce that is not accepted, or not a second time. The client
    /// asks again with a fresh one; nobody needs to be asked for a password.
    #[error("the nonce of the credentials is not accepted any more")]
    Stale,
    /// The key is good and lacks a right.
    #[error("the key {key} lacks the right {right}", right = right.as_str())]
    Lacks {
        /// The key.
        key: Arc<str>,
        /// The right it lacks, here.
        right: Right,
    },
    /// The key is good and holds the right, but what was asked for reserves it to others.
    #[error("{0}")]
    Reserved(String),
    /// The keys could not be read.
    #[error("{0}")]
    Unavailable(Failure),
}

impl Principal {
    /// Somebody with all rights, for the process itself.
    pub fn root(name: &str) -> Self {
        Principal {
            name: name.into(),
            rights: Rights::of(&[Right::Admin]),
            scope: Scope::Cluster,
            anonymous: false,
        }
    }

    /// Whoever proved to hold `key`.
    pub(super) fn of(key: &AccessKey) -> Self {
        Principal {
            name: key.id.as_str().into(),
            rights: key.rights,
            scope: Scope::of(key.domain, key.bucket),
            anonymous: false,
        }
    }

    /// A key that no test needs a database for.
    #[cfg(test)]
    pub(crate) fn for_tests(
        name: &str,
        rights: &[Right],
        domain: Option<ContainerId>,
        bucket: Option<ContainerId>,
    ) -> Self {
        let (rights, scope) = (Rights::of(rights), Scope::of(domain, bucket));
        Principal { name: name.into(), rights, scope, anonymous: false }
    }

    /// Whoever comes without credentials; `None` where nobody is let in like that.
    pub(crate) fn nobody(may: Anonymous) -> Option<Self> {
        let rights = match may {
            Anonymous::None => return None,
            Anonymous::Read => Rights::of(&[Right::Read]),
            Anonymous::Full => Rights::of(&[Right::Admin]),
        };
        Some(Principal { name: "anonymous".into(), rights, scope: Scope::Cluster, anonymous: true })
    }

    /// Passes if the principal holds `right` on something inside `domain`, and inside `bucket` if that is given.
    ///
    /// # Errors
    /// [`Denied::Lacks`], or [`Denied::Missing`] for somebody who gave no credentials.
    pub fn require(
        &self,
        right: Right,
        domain: Option<ContainerId>,
        bucket: Option<ContainerId>,
    ) -> Result<(), Denied> {
        if self.scope.holds(domain, bucket) { self.require_somewhere(right) } else { Err(self.lacks(right)) }
    }

    /// Passes if the principal holds `right` at all, wherever: for answering that something is not there.
    ///
    /// # Errors
    /// As [`Principal::require`].
    pub fn require_somewhere(&self, right: Right) -> Result<(), Denied> {
        if self.holds(right) { Ok(()) } else { Err(self.lacks(right)) }
    }

    fn lacks(&self, right: Right) -> Denied {
        match self.anonymous {
            true => Denied::Missing,
            false => Denied::Lacks { key: Arc::clone(&self.name), right },
        }
    }

    /// The owner to record: the key, or nobody.
    pub fn owner(&self) -> Option<String> {
        (!self.anonymous).then(|| self.name.to_string())
    }

    /// Whether the principal holds `right`, inside its scope.
    pub fn holds(&self, right: Right) -> bool {
        self.rights.hold(right)
    }

    /// Whether this is somebody who gave no credentials.
    pub fn is_anonymous(&self) -> bool {
        self.anonymous
    }

    /// Where the principal's rights hold.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether the principal has shown credentials that hold every right everywhere. Nobody anonymous has, whatever
    /// they are let do.
    pub fn is_cluster_administrator(&self) -> bool {
        !self.anonymous && self.scope == Scope::Cluster && self.holds(Right::Admin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> ContainerId {
        ContainerId::from_bytes([byte; 16])
    }

    fn principal(domain: Option<ContainerId>, bucket: Option<ContainerId>) -> Principal {
        Principal::for_tests("K", &[Right::Read], domain, bucket)
    }

    #[test]
    fn rights_hold_inside_the_scope_and_nowhere_else() {
        let (d, e, b, c) = (Some(id(1)), Some(id(2)), Some(id(3)), Some(id(4)));
        for (scope, asked, passes) in [
            ((None, None), (None, None), true),
            ((None, None), (d, b), true),
            ((d, None), (d, None), true),
            ((d, None), (d, b), true),
            ((d, None), (e, b), false),
            ((d, None), (None, None), false),
            ((d, b), (d, b), true),
            ((d, b), (d, c), false),
            ((d, b), (e, b), false),
            ((d, b), (d, None), false),
            ((None, b), (e, b), true),
            ((None, b), (e, c), false),
        ] {
            let principal = principal(scope.0, scope.1);
            assert_eq!(
                principal.require(Right::Read, asked.0, asked.1).is_ok(),
                passes,
                "{scope:?} {asked:?}"
            );
            assert!(principal.require(Right::Write, asked.0, asked.1).is_err());
            assert!(principal.require_somewhere(Right::Read).is_ok());
        }
    }

    #[test]
    fn a_cluster_administrator_has_shown_credentials_for_everything() {
        assert!(Principal::root("root").is_cluster_administrator());
        let anonymous = Principal::nobody(Anonymous::Full).expect("let in");
        assert!(!anonymous.is_cluster_administrator() && anonymous.owner().is_none());
        assert!(!principal(None, None).is_cluster_administrator());
        let of_domain = Principal { rights: Rights::of(&[Right::Admin]), ..principal(Some(id(1)), None) };
        assert!(!of_domain.is_cluster_administrator());
    }

    #[test]
    fn whoever_is_anonymous_is_asked_for_credentials_where_a_right_is_missing() {
        assert!(Principal::nobody(Anonymous::None).is_none());
        let reader = Principal::nobody(Anonymous::Read).expect("let in");
        assert!(reader.require(Right::Read, None, None).is_ok());
        assert!(matches!(reader.require(Right::Write, None, None), Err(Denied::Missing)));
    }
}
