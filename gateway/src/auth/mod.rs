//! Who asks, and what they may do. Authentication happens once per request and yields a [`Principal`].
//!
//! | file | promise |
//! | --- | --- |
//! | `principal` | who asks, their rights and where these hold |
//! | `accounts` | who the accounts are that own what doors show |
//! | `nonces` | what Digest clients answer to: each nonce for five minutes, each use of it once |

mod accounts;
mod nonces;
mod principal;

pub use principal::{Anonymous, Denied, Principal, Scope};

use crate::http::{Credentials, DigestCredentials};
use http::request::Parts;
use http::{HeaderValue, Method, Uri, header};
use lifecycle::SharedClock;
use metadata::{AccessKey, Metadata, Secret};
use nonces::Nonces;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a key is trusted from memory where other processes may revoke it. In the process that revokes, it ends at
/// once.
const TRUSTED: Duration = Duration::from_secs(1);

/// As long as a key's secret: what is compared where there is no key.
const NO_SECRET: [u8; 40] = [0; 40];

/// What a request shows of who sent it, and what Digest credentials cover of it.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The value of the header `Authorization`.
    pub authorization: Option<&'a HeaderValue>,
    /// The method.
    pub method: &'a Method,
    /// The request target, as it was sent.
    pub target: &'a Uri,
}

impl<'a> From<&'a Parts> for Presented<'a> {
    fn from(parts: &'a Parts) -> Self {
        Presented {
            authorization: parts.headers.get(header::AUTHORIZATION),
            method: &parts.method,
            target: &parts.uri,
        }
    }
}

/// Credentials of one scheme or another.
enum Proof {
    /// The secret itself.
    Secret(Credentials),
    /// What only somebody with the secret can calculate.
    Digest(DigestCredentials),
}

impl Proof {
    fn read(header: &HeaderValue) -> Result<Self, Denied> {
        let header = header.as_bytes();
        let proof = match DigestCredentials::is_digest(header) {
            true => DigestCredentials::parse(header).map(Proof::Digest),
            false => Credentials::parse(header).map(Proof::Secret),
        };
        proof.map_err(|_| Denied::Invalid)
    }

    fn key(&self) -> &str {
        match self {
            Proof::Secret(credentials) => &credentials.key,
            Proof::Digest(digest) => &digest.key,
        }
    }

    /// Whether it proves `secret`, for this very request. Takes as long if it does not.
    fn proves(&self, secret: &[u8], presented: Presented<'_>) -> bool {
        match self {
            Proof::Secret(credentials) => secret.ct_eq(credentials.secret.expose()).into(),
            Proof::Digest(digest) => {
                let proven = digest.proves(presented.method.as_str(), secret);
                // A digest of one target must not serve another.
                proven && digest.is_for(presented.target)
            }
        }
    }
}

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
    nonces: Nonces,
    accounts: accounts::KnownAccounts,
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
            nonces: Nonces::default(),
            accounts: accounts::KnownAccounts::default(),
        }
    }

    /// Finds out who asks. Digest credentials are used up by it: the same ones are never good twice.
    ///
    /// # Errors
    /// [`Denied::Missing`] without credentials where nobody anonymous is let in, [`Denied::Invalid`] with wrong ones,
    /// [`Denied::Stale`] with right ones whose nonce is not accepted.
    pub async fn principal(&self, presented: Presented<'_>) -> Result<Principal, Denied> {
        let Some(header) = presented.authorization else {
            return Principal::nobody(self.anonymous).ok_or(Denied::Missing);
        };
        let proof = Proof::read(header)?;
        let principal = self.holder(&proof, presented).await?;
        match &proof {
            // Looked at last: whoever cannot prove the secret neither fills the memory of nonces nor learns of it.
            Proof::Digest(digest) if !self.nonces.accept(digest, self.clock.boot()) => Err(Denied::Stale),
            Proof::Digest(_) | Proof::Secret(_) => Ok(principal),
        }
    }

    /// The value of a `WWW-Authenticate` header that asks for Digest credentials of `realm`, with a fresh nonce.
    /// `stale`: those that came were right but for their nonce.
    pub fn digest_challenge(&self, realm: &str, stale: bool) -> String {
        self.nonces.challenge(realm, stale, self.clock.boot())
    }

    /// Whoever the key of `proof` belongs to, if it proves that key's secret and the key is valid.
    async fn holder(&self, proof: &Proof, presented: Presented<'_>) -> Result<Principal, Denied> {
        if let Some((key, secret)) = &self.environment
            && *key == proof.key()
        {
            return proof
                .proves(secret.expose(), presented)
                .then(|| Principal::root(key))
                .ok_or(Denied::Invalid);
        }
        let Some((key, principal)) = self.look_up(proof.key()).await? else {
            // As much work as for a key that exists, so that time tells nobody which ones do.
            let _ = proof.proves(&NO_SECRET, presented);
            return Err(Denied::Invalid);
        };
        let right = proof.proves(key.secret.expose(), presented);
        if right && key.is_valid(self.clock.now()) { Ok(principal) } else { Err(Denied::Invalid) }
    }

    /// The secret that requests of `key` are signed with, for whoever verifies signatures.
    ///
    /// # Errors
    /// [`Denied::Invalid`] for a key that is not known, has expired or was revoked.
    pub async fn secret(&self, key: &str) -> Result<Secret, Denied> {
        match &self.environment {
            Some((known, secret)) if known == key => Ok(secret.clone()),
            _ => Ok(self.valid(key).await?.0.secret.clone()),
        }
    }

    /// Whoever holds `key`, of a request whose signature was verified with [`Auth::secret`].
    ///
    /// # Errors
    /// As [`Auth::secret`].
    pub async fn signed_by(&self, key: &str) -> Result<Principal, Denied> {
        match &self.environment {
            Some((known, _)) if known == key => Ok(Principal::root(key)),
            _ => Ok(self.valid(key).await?.1),
        }
    }

    /// Whoever comes without credentials.
    ///
    /// # Errors
    /// [`Denied::Missing`] where nobody is let in like that.
    pub fn nobody(&self) -> Result<Principal, Denied> {
        Principal::nobody(self.anonymous).ok_or(Denied::Missing)
    }

    /// Whether the environment sets this key: it goes before one of the database.
    pub fn is_environments(&self, key: &str) -> bool {
        self.environment.as_ref().is_some_and(|(known, _)| known == key)
    }

    async fn valid(&self, key: &str) -> Result<(Arc<AccessKey>, Principal), Denied> {
        let found = self.look_up(key).await?;
        found.filter(|(key, _)| key.is_valid(self.clock.now())).ok_or(Denied::Invalid)
    }

    /// A key of the database, valid or not.
    async fn look_up(&self, key: &str) -> Result<Option<(Arc<AccessKey>, Principal)>, Denied> {
        let known = self.cached(key);
        let before = self.forgotten.load(Ordering::SeqCst);
        match known {
            Some(found) => Ok(Some(found)),
            None => {
                let read = self.metadata.key(key).await.map_err(Denied::Unavailable)?;
                Ok(read.map(|key| self.remember(key, before)))
            }
        }
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
        let (principal, key) = (Principal::of(&key), Arc::new(key));
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
