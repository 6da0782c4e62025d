//! Access keys. Secrets are sealed with a key file that lies outside the database: a stolen database alone reveals none,
//! and SigV4 can still be verified, which a hash would not allow.

mod change;
mod seal;

pub use change::{KeyChange, OldKey};
pub(crate) use seal::Sealer;
pub use seal::write_private;

use crate::Metadata;
use crate::accounts::{Account, account_columns};
use crate::error::Failure;
use crate::sql::{DbError, Row, args};
use lifecycle::{ContainerId, Rights, Time};
use std::fmt;
use std::sync::Arc;

/// Something that must not be printed. Has neither `Debug` nor `Display` output and is never serialized.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps a secret.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Secret(bytes.into())
    }

    /// The secret itself. For comparing, sealing and the one time it is shown.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An access key as the database knows it.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: Secret,
    /// What it may do.
    pub rights: Rights,
    /// Only in this domain.
    pub domain: Option<ContainerId>,
    /// Only in this bucket.
    pub bucket: Option<ContainerId>,
    /// Whose it is; `None`: the installation's, and its own owner.
    pub account: Option<KeyAccount>,
    /// What its maker called it.
    pub label: String,
    /// When it was made.
    pub created_at: Time,
    /// When it ends by itself.
    pub expires_at: Option<Time>,
    /// Since when it is not accepted, until somebody enables it again.
    pub disabled_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
}

/// Whose a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAccount {
    /// This account.
    Known(Arc<Account>),
    /// An account that was deleted, of which the id is left. No such key is accepted.
    Deleted(String),
}

impl KeyAccount {
    /// The account's id.
    pub fn id(&self) -> &str {
        match self {
            KeyAccount::Known(account) => &account.id,
            KeyAccount::Deleted(id) => id,
        }
    }
}

/// Whether a key is accepted, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// It is accepted.
    Valid,
    /// It ended for good.
    Revoked,
    /// Its account was deleted.
    AccountDeleted,
    /// Its account is disabled, with all of its keys.
    AccountDisabled,
    /// It is disabled.
    Disabled,
    /// Its time is over.
    Expired,
}

impl KeyStanding {
    /// All of them.
    pub const ALL: [KeyStanding; 6] = [
        KeyStanding::Valid,
        KeyStanding::Revoked,
        KeyStanding::AccountDeleted,
        KeyStanding::AccountDisabled,
        KeyStanding::Disabled,
        KeyStanding::Expired,
    ];

    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyStanding::Valid => "valid",
            KeyStanding::Revoked => "revoked",
            KeyStanding::AccountDeleted => "account deleted",
            KeyStanding::AccountDisabled => "account disabled",
            KeyStanding::Disabled => "disabled",
            KeyStanding::Expired => "expired",
        }
    }
}

impl AccessKey {
    /// Whether it is accepted at `now`.
    pub fn is_valid(&self, now: Time) -> bool {
        self.standing(now) == KeyStanding::Valid
    }

    /// Whether it is accepted at `now`, and if not, why: what lasts longest first.
    pub fn standing(&self, now: Time) -> KeyStanding {
        match &self.account {
            _ if self.revoked_at.is_some() => KeyStanding::Revoked,
            Some(KeyAccount::Deleted(_)) => KeyStanding::AccountDeleted,
            Some(KeyAccount::Known(account)) if account.disabled_at.is_some() => KeyStanding::AccountDisabled,
            _ if self.disabled_at.is_some() => KeyStanding::Disabled,
            _ if self.expires_at.is_some_and(|at| at <= now) => KeyStanding::Expired,
            _ => KeyStanding::Valid,
        }
    }
}

macro_rules! keys {
    ($($which:literal)?) => {
        concat!(
            "SELECT k.id, k.secret, k.rights, k.domain_id, k.bucket_id, k.label, k.created_at, k.expires_at, k.disabled_at,
                k.revoked_at, k.account_id, ",
            account_columns!(),
            " FROM keys k LEFT JOIN accounts a ON a.id = k.account_id",
            $($which)?
        )
    };
}

impl Metadata {
    /// One key, with its secret.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], also if the secret was sealed with another key file.
    pub async fn key(&self, id: &str) -> Result<Option<AccessKey>, Failure> {
        match self.readers.fetch_one(keys!(" WHERE k.id = $1"), args![id]).await? {
            Some(mut row) => Ok(Some(self.read_key(&mut row)?)),
            None => Ok(None),
        }
    }

    /// All keys, with their secrets.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn keys(&self) -> Result<Vec<AccessKey>, Failure> {
        self.read_keys(self.readers.fetch(keys!(), args![]).await?)
    }

    /// The keys of an account, with their secrets.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn keys_of(&self, account: &str) -> Result<Vec<AccessKey>, Failure> {
        self.read_keys(self.readers.fetch(keys!(" WHERE k.account_id = $1"), args![account]).await?)
    }

    fn read_keys(&self, rows: Vec<Row>) -> Result<Vec<AccessKey>, Failure> {
        let keys = rows.into_iter().map(|mut row| self.read_key(&mut row));
        let mut keys = keys.collect::<Result<Vec<AccessKey>, Failure>>()?;
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(keys)
    }

    fn read_key(&self, row: &mut Row) -> Result<AccessKey, Failure> {
        let id = row.need_text()?;
        let sealed = row.bytes()?.unwrap_or_default();
        let rights = row.need_text()?;
        Ok(AccessKey {
            secret: self.sealer.open_secret(&id, &sealed)?,
            id,
            rights: Rights::parse(&rights).map_err(|word| DbError::Row(format!("{word:?} is no right")))?,
            domain: row.id(ContainerId::from_bytes)?,
            bucket: row.id(ContainerId::from_bytes)?,
            label: row.need_text()?,
            created_at: row.need_time()?,
            expires_at: row.time()?,
            disabled_at: row.time()?,
            revoked_at: row.time()?,
            account: match row.text()? {
                None => None,
                Some(id) if row.peek_null()? => Some(KeyAccount::Deleted(id)),
                Some(_) => Some(KeyAccount::Known(Arc::new(crate::accounts::read(row)?))),
            },
        })
    }
}
