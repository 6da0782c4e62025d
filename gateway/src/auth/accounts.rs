//! What is known of accounts: who the owners are that doors show. Kept in memory as keys are, and trusted as long.

use super::{Auth, TRUSTED};
use lifecycle::ids::is_account_id;
use metadata::{Account, Failure};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The accounts that were asked for.
#[derive(Default)]
pub(super) struct KnownAccounts {
    known: RwLock<HashMap<String, (Arc<Account>, Duration)>>,
    /// Moved by every change: what was read before it is not remembered after it.
    changed: AtomicU64,
}

impl Auth {
    /// The account of this id.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn account(&self, id: &str) -> Result<Option<Arc<Account>>, Failure> {
        Ok(self.accounts(BTreeSet::from([id])).await?.remove(id))
    }

    /// Those accounts that `owners` are, by their ids. Owners that are none, such as keys, cost nothing.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn accounts(&self, owners: BTreeSet<&str>) -> Result<HashMap<String, Arc<Account>>, Failure> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        for id in owners.into_iter().filter(|owner| is_account_id(owner)) {
            match self.known_account(id) {
                Some(account) => drop(found.insert(id.to_owned(), account)),
                None => missing.push(id),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let before = self.accounts.changed.load(Ordering::SeqCst);
        for account in self.metadata.accounts_of(&missing).await? {
            let account = Arc::new(account);
            self.remember_account(&account, before);
            found.insert(account.id.clone(), account);
        }
        Ok(found)
    }

    fn known_account(&self, id: &str) -> Option<Arc<Account>> {
        let known = self.accounts.known.read().unwrap_or_else(PoisonError::into_inner);
        let (account, read_at) = known.get(id)?;
        let shared = self.metadata.engine() == metadata::Engine::Postgres;
        let stale = shared && self.clock.boot().saturating_sub(*read_at) > TRUSTED;
        (!stale).then(|| Arc::clone(account))
    }

    fn remember_account(&self, account: &Arc<Account>, before: u64) {
        let mut known = self.accounts.known.write().unwrap_or_else(PoisonError::into_inner);
        // Bounded by the accounts that exist: unknown ones are never kept.
        if self.accounts.changed.load(Ordering::SeqCst) == before {
            known.insert(account.id.clone(), (Arc::clone(account), self.clock.boot()));
        }
    }

    /// Forgets what is known of an account and of its keys. To be called before a change to it is answered.
    pub fn forget_account(&self, id: &str) {
        {
            let mut known = self.accounts.known.write().unwrap_or_else(PoisonError::into_inner);
            self.accounts.changed.fetch_add(1, Ordering::SeqCst);
            known.remove(id);
        }
        let mut keys = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        keys.retain(|_, known| known.key.account.as_ref().is_none_or(|account| account.id() != id));
    }
}
