//! Who asks, and what they may do. Authentication happens once per request and yields a [`Principal`].

use crate::http::Credentials;
use lifecycle::{ContainerId, Right, Rights, SharedClock};
use metadata::{AccessKey, Failure, Metadata, Secret};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use subtle::ConstantTimeEq;

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
    domain: Option<ContainerId>,
    bucket: Option<ContainerId>,
    anonymous: bool,
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
    /// The key is good and lacks a right.
    #[error("the key {key} lacks the right {right}", right = right.as_str())]
    Lacks {
        /// The key.
        key: Arc<str>,
        /// The right it lacks, here.
        right: Right,
    },
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
            domain: None,
            bucket: None,
            anonymous: false,
        }
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
        let in_scope = self.domain.is_none_or(|only| domain == Some(only))
            && self.bucket.is_none_or(|only| bucket == Some(only));
        if in_scope && self.rights.hold(right) {
            Ok(())
        } else if self.anonymous {
            Err(Denied::Missing)
        } else {
            Err(Denied::Lacks { key: Arc::clone(&self.name), right })
        }
    }

    /// Passes if the principal holds `right` at all, wherever: for answering that something is not there.
    ///
    /// # Errors
    /// As [`Principal::require`].
    pub fn require_somewhere(&self, right: Right) -> Result<(), Denied> {
        self.require(right, self.domain, self.bucket)
    }

    /// The owner to record: the key, or nobody.
    pub fn owner(&self) -> Option<String> {
        (!self.anonymous).then(|| self.name.to_string())
    }
}

/// How long a key is trusted from memory where other processes may revoke it. In the process that revokes, it ends at
/// once.
const TRUSTED: Duration = Duration::from_secs(1);

/// Checks credentials. Keys are kept in memory, revoked ones leave it in the same call.
pub struct Auth {
    metadata: Metadata,
    clock: SharedClock,
    anonymous: Anonymous,
    /// A key that the environment sets, beside those of the database.
    environment: Option<(String, Secret)>,
    known: RwLock<HashMap<String, Known>>,
    /// Moved by every [`Auth::forget`]: what was read before it is not remembered after it.
    forgotten: AtomicU64,
}

struct Known {
    key: Arc<AccessKey>,
    principal: Principal,
    read_at: Duration,
}

impl Auth {
    /// Checks against the keys of `metadata`, and against `environment` if that is given.
    pub fn new(
        metadata: Metadata,
        clock: SharedClock,
        anonymous: Anonymous,
        environment: Option<(String, Secret)>,
    ) -> Self {
        Auth {
            metadata,
            clock,
            anonymous,
            environment,
            known: RwLock::default(),
            forgotten: AtomicU64::new(0),
        }
    }

    /// Finds out who asks from the value of an `Authorization` header.
    ///
    /// # Errors
    /// [`Denied::Missing`] without credentials where nobody anonymous is let in, [`Denied::Invalid`] with wrong ones.
    pub async fn principal(&self, authorization: Option<&[u8]>) -> Result<Principal, Denied> {
        let Some(header) = authorization else { return self.nobody() };
        let credentials = Credentials::parse(header).map_err(|_| Denied::Invalid)?;
        if let Some((key, secret)) = &self.environment
            && *key == credentials.key
        {
            return same(secret.expose(), credentials.secret.expose())
                .then(|| Principal::root(key))
                .ok_or(Denied::Invalid);
        }
        let known = self.cached(&credentials.key);
        let before = self.forgotten.load(Ordering::SeqCst);
        let (key, principal) = match known {
            Some(found) => found,
            None => match self.metadata.key(&credentials.key).await.map_err(Denied::Unavailable)? {
                Some(key) => self.remember(key, before),
                None => {
                    // As much work as for a key that exists, so that time tells nobody which ones do.
                    let _ = same(&[0; 40], credentials.secret.expose());
                    return Err(Denied::Invalid);
                }
            },
        };
        let right = same(key.secret.expose(), credentials.secret.expose());
        if right && key.is_valid(self.clock.now()) { Ok(principal) } else { Err(Denied::Invalid) }
    }

    fn nobody(&self) -> Result<Principal, Denied> {
        let rights = match self.anonymous {
            Anonymous::None => return Err(Denied::Missing),
            Anonymous::Read => Rights::of(&[Right::Read]),
            Anonymous::Full => Rights::of(&[Right::Admin]),
        };
        Ok(Principal { name: "anonymous".into(), rights, domain: None, bucket: None, anonymous: true })
    }

    fn cached(&self, key: &str) -> Option<(Arc<AccessKey>, Principal)> {
        let known = self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let found = known.get(key)?;
        let shared = self.metadata.engine() == metadata::Engine::Postgres;
        if shared && self.clock.boot().saturating_sub(found.read_at) > TRUSTED {
            return None;
        }
        Some((Arc::clone(&found.key), found.principal.clone()))
    }

    fn remember(&self, key: AccessKey, before: u64) -> (Arc<AccessKey>, Principal) {
        let principal = Principal {
            name: key.id.as_str().into(),
            rights: key.rights,
            domain: key.domain,
            bucket: key.bucket,
            anonymous: false,
        };
        let key = Arc::new(key);
        let known = Known { key: Arc::clone(&key), principal: principal.clone(), read_at: self.clock.boot() };
        let mut keys = self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Bounded by the keys that exist: unknown ones are never kept. Under the lock, so that no revocation slips between.
        if self.forgotten.load(Ordering::SeqCst) == before {
            keys.insert(key.id.clone(), known);
        }
        (key, principal)
    }

    /// Forgets what is known of a key. To be called before a revocation is answered.
    pub fn forget(&self, key: &str) {
        let mut keys = self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        keys.remove(key);
    }
}

/// Compares in a time that does not tell where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
