//! Making and changing keys.

use super::AccessKey;
use crate::Metadata;
use crate::accounts;
use crate::error::Failure;
use crate::sql::{Conn, args};
use crate::writer::Urgency;
use lifecycle::{Refusal, Time};

/// What is to be changed of a key; `None`: it stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyChange {
    /// Whether it is not to be accepted.
    pub disabled: Option<bool>,
    /// When it is to end by itself.
    pub expires_at: Option<Time>,
}

/// What becomes of a key when another takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKey {
    /// It is disabled at once.
    Disabled,
    /// It is accepted until then, if it does not end earlier.
    Expires(Time),
}

impl Metadata {
    /// Stores a new key.
    ///
    /// # Errors
    /// [`Refusal::NameInUse`] if there is a key with this id, [`Refusal::NoSuchAccount`] if its account is not there.
    pub async fn create_key(&self, key: AccessKey) -> Result<(), Failure> {
        let sealed = self.sealer.seal(&key.id, &key.secret)?;
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (key, sealed) = (key.clone(), sealed.clone());
                Box::pin(async move { insert(conn, now, &key, sealed).await })
            })
            .await
    }

    /// Stores a key that takes the place of `old`, and lets that end: both, or neither.
    ///
    /// # Errors
    /// As [`Metadata::create_key`]; [`Refusal::Unknown`] if there is no key `old`.
    pub async fn rotate_key(&self, old: &str, fate: OldKey, key: AccessKey) -> Result<(), Failure> {
        let (old, sealed) = (old.to_owned(), self.sealer.seal(&key.id, &key.secret)?);
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (old, key, sealed) = (old.clone(), key.clone(), sealed.clone());
                Box::pin(async move {
                    insert(conn, now, &key, sealed).await?;
                    let touched = match fate {
                        OldKey::Disabled => {
                            let text = "UPDATE keys SET disabled_at = COALESCE(disabled_at, $2) WHERE id = $1";
                            conn.execute(text, args![old.as_str(), now]).await?
                        }
                        OldKey::Expires(at) => {
                            let text = "UPDATE keys SET expires_at = CASE WHEN expires_at < $2 THEN expires_at ELSE $2 END
                                 WHERE id = $1";
                            conn.execute(text, args![old.as_str(), at]).await?
                        }
                    };
                    if touched == 0 { Err(Refusal::Unknown.into()) } else { Ok(()) }
                })
            })
            .await
    }

    /// Changes a key. One that was revoked stays so.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] if there is no such key.
    pub async fn change_key(&self, id: &str, change: KeyChange) -> Result<(), Failure> {
        let id = id.to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let id = id.clone();
                Box::pin(async move {
                    let text = "UPDATE keys SET expires_at = COALESCE($2, expires_at),
                            disabled_at = CASE WHEN $3 = 1 THEN COALESCE(disabled_at, $4) WHEN $3 = 0 THEN NULL
                                ELSE disabled_at END
                         WHERE id = $1";
                    let disabled = change.disabled.map_or(2_i64, i64::from);
                    let touched = conn.execute(text, args![id.as_str(), change.expires_at, disabled, now]).await?;
                    if touched == 0 { Err(Refusal::Unknown.into()) } else { Ok(()) }
                })
            })
            .await
    }

    /// Revokes a key.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] if there is no such key.
    pub async fn revoke_key(&self, id: &str) -> Result<(), Failure> {
        let id = id.to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let id = id.clone();
                Box::pin(async move {
                    let text = "UPDATE keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1";
                    let touched = conn.execute(text, args![id.as_str(), now]).await?;
                    if touched == 0 { Err(Refusal::Unknown.into()) } else { Ok(()) }
                })
            })
            .await
    }
}

async fn insert(conn: &mut Conn, now: Time, key: &AccessKey, sealed: Vec<u8>) -> Result<(), Failure> {
    let account = key.account.as_ref().map(super::KeyAccount::id);
    if let Some(account) = account
        && accounts::lock_shared(conn, account).await?.is_none()
    {
        return Err(Refusal::NoSuchAccount.into());
    }
    if conn.fetch_one("SELECT 1 FROM keys WHERE id = $1", args![key.id.as_str()]).await?.is_some() {
        return Err(Refusal::NameInUse.into());
    }
    conn.execute(
        "INSERT INTO keys (id, secret, rights, domain_id, bucket_id, label, created_at, expires_at, account_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            key.id.as_str(),
            sealed,
            key.rights.to_string(),
            key.domain,
            key.bucket,
            key.label.as_str(),
            now,
            key.expires_at,
            account
        ],
    )
    .await?;
    Ok(())
}
