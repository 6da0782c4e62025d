//! Who asks, and what they may do.

use lifecycle::{ContainerId, Right, Rights};
use metadata::{AccessKey, Account, Failure, KeyAccount};
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
    account: Option<Arc<Account>>,
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
    /// In the buckets of the key's account, and where their owners, policies and access lists let it in.
    Account,
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
            // Of itself it holds nothing: whose a bucket is, or what it allows, is for the door to find out.
            Scope::Account => false,
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
            account: None,
        }
    }

    /// Whoever proved to hold `key`.
    pub(super) fn of(key: &AccessKey) -> Self {
        let account = match &key.account {
            Some(KeyAccount::Known(account)) => Some(Arc::clone(account)),
            Some(KeyAccount::Deleted(_)) | None => None,
        };
        let scope = match key.account {
            Some(_) => Scope::Account,
            None => Scope::of(key.domain, key.bucket),
        };
        Principal { name: key.id.as_str().into(), rights: key.rights, scope, anonymous: false, account }
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
        Principal { name: name.into(), rights, scope, anonymous: false, account: None }
    }

    /// A key of an account that no test needs a database for.
    #[cfg(test)]
    pub(crate) fn of_account_for_tests(name: &str, rights: &[Right], account: Account) -> Self {
        let (rights, account) = (Rights::of(rights), Some(Arc::new(account)));
        Principal { name: name.into(), rights, scope: Scope::Account, anonymous: false, account }
    }

    /// Whoever comes without credentials; `None` where nobody is let in like that.
    pub(crate) fn nobody(may: Anonymous) -> Option<Self> {
        let rights = match may {
            Anonymous::None => return None,
            Anonymous::Read => Rights::of(&[Right::Read]),
            Anonymous::Full => Rights::of(&[Right::Admin]),
        };
        let (name, scope) = ("anonymous".into(), Scope::Cluster);
        Some(Principal { name, rights, scope, anonymous: true, account: None })
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

    /// As [`Principal::require`], of a bucket that belongs to `owner`: a key of that account holds its rights there, too.
    ///
    /// # Errors
    /// As [`Principal::require`].
    pub fn require_in(
        &self,
        right: Right,
        domain: Option<ContainerId>,
        bucket: Option<ContainerId>,
        owner: Option<&str>,
    ) -> Result<(), Denied> {
        match self.scope {
            Scope::Account if self.owns(owner) => self.require_somewhere(right),
            Scope::Cluster | Scope::Domain(_) | Scope::Bucket { .. } | Scope::Account => {
                self.require(right, domain, bucket)
            }
        }
    }

    /// Passes if the principal may make buckets in `domain`: a key of an account may, wherever there is a domain.
    ///
    /// # Errors
    /// As [`Principal::require`].
    pub fn require_to_make_buckets(&self, domain: ContainerId) -> Result<(), Denied> {
        match self.scope {
            Scope::Account => self.require_somewhere(Right::Write),
            Scope::Cluster | Scope::Domain(_) | Scope::Bucket { .. } => {
                self.require(Right::Write, Some(domain), None)
            }
        }
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

    /// The owner to record: the key's account, else the key, or nobody.
    pub fn owner(&self) -> Option<String> {
        match &self.account {
            Some(account) => Some(account.id.clone()),
            None => (!self.anonymous).then(|| self.name.to_string()),
        }
    }

    /// Whether what belongs to `owner` belongs to the principal. Nothing belongs to nobody.
    pub fn owns(&self, owner: Option<&str>) -> bool {
        match &self.account {
            Some(account) => owner == Some(account.id.as_str()),
            None => !self.anonymous && owner == Some(&*self.name),
        }
    }

    /// The account of the key, if it is one of an account.
    pub fn account(&self) -> Option<&Arc<Account>> {
        self.account.as_ref()
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
    fn a_key_of_an_account_holds_its_rights_in_what_the_account_owns() {
        let account = Account {
            id: "ab".repeat(32),
            name: "ann".to_owned(),
            display_name: "Ann".to_owned(),
            email: None,
            created_at: lifecycle::Time::from_secs(0),
            disabled_at: None,
        };
        let (own, other) = (Some(account.id.clone()), Some("cd".repeat(32)));
        let ann = Principal::of_account_for_tests("K", &[Right::Read, Right::Write], account);
        assert_eq!((ann.owner(), ann.scope()), (own.clone(), Scope::Account));
        let (d, b) = (Some(id(1)), Some(id(3)));
        for (right, owner, passes) in [
            (Right::Read, &own, true),
            (Right::Read, &other, false),
            (Right::Read, &None, false),
            (Right::Read, &Some("K".to_owned()), false),
            (Right::Purge, &own, false),
        ] {
            assert_eq!(ann.require_in(right, d, b, owner.as_deref()).is_ok(), passes, "{right:?} {owner:?}");
            assert!(ann.require(right, d, b).is_err() && ann.require(right, None, None).is_err());
        }
        assert!(ann.require_to_make_buckets(id(1)).is_ok());
        let operator = principal(None, None);
        assert!(operator.owns(Some("K")) && operator.require_in(Right::Read, d, b, other.as_deref()).is_ok());
        let nobody = Principal::nobody(Anonymous::Full).expect("let in");
        assert!(!nobody.owns(None) && !nobody.owns(Some("anonymous")));
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
