//! Whose things are, as S3 shows it: the id of an account and what others are shown of it. A key without an account is its
//! own owner, and is called what it is.

use super::error::{Told, Trouble};
use super::exchange::Exchange;
use crate::Principal;
use metadata::{Account, Upload};
use s3s::dto::{Initiator, Owner};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The accounts among the owners of one answer.
pub(super) struct Owners(HashMap<String, Arc<Account>>);

impl Owners {
    /// Those of `owners` that are accounts: one look for all that are not known yet.
    pub(super) async fn of(exchange: &Exchange<'_>, owners: BTreeSet<&str>) -> Result<Self, Trouble> {
        Ok(Owners(exchange.gateway.auth.accounts(owners).await.told()?))
    }

    /// Whose something is.
    pub(super) fn show(&self, owner: Option<&str>) -> Owner {
        let account = owner.and_then(|owner| self.0.get(owner));
        match account {
            Some(account) => of_account(account),
            None => plain(owner),
        }
    }

    /// Who began an upload: the account of his key, or else the key.
    pub(super) fn initiator(&self, upload: &Upload) -> Initiator {
        let account = upload.owner.as_deref().and_then(|owner| self.0.get(owner));
        let Owner { display_name, id } = match account {
            Some(account) => of_account(account),
            None => plain(Some(&upload.actor)),
        };
        Initiator { display_name, id }
    }
}

/// Whoever asks, as an owner.
pub(super) fn asking(principal: &Principal) -> Owner {
    match principal.account() {
        Some(account) => of_account(account),
        None => plain(principal.owner().as_deref()),
    }
}

fn of_account(account: &Account) -> Owner {
    Owner { display_name: Some(account.display_name.clone()), id: Some(account.id.clone()) }
}

/// An owner of whom nothing more is known.
fn plain(name: Option<&str>) -> Owner {
    let name = name.unwrap_or("anonymous").to_owned();
    Owner { display_name: Some(name.clone()), id: Some(name) }
}
