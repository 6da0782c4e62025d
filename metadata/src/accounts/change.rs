//! Changing and deleting accounts.

use super::{Account, read, refuse_taken};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Conn, args};
use crate::writer::Urgency;
use lifecycle::{Refusal, Time};

/// What is to be changed of an account; `None`: it stays as it is.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// What operators call it.
    pub name: Option<String>,
    /// What others are shown.
    pub display_name: Option<String>,
    /// Where its holder is reached, or nowhere.
    pub email: Option<Option<String>>,
    /// Whether its keys are accepted no more.
    pub disabled: Option<bool>,
}

impl Metadata {
    /// Changes an account.
    ///
    /// # Errors
    /// [`Refusal::NoSuchAccount`]; [`Refusal::NameInUse`] if another account has the name or the email.
    pub async fn change_account(&self, id: &str, change: AccountChange) -> Result<Account, Failure> {
        let id = id.to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (id, change) = (id.clone(), change.clone());
                Box::pin(async move { carry_out(conn, now, &id, change).await })
            })
            .await
    }

    /// Deletes an account that has nothing left: no key that is not revoked, and no bucket, not even one that can be
    /// restored.
    ///
    /// # Errors
    /// [`Refusal::NoSuchAccount`] or [`Refusal::AccountInUse`].
    pub async fn delete_account(&self, id: &str) -> Result<(), Failure> {
        let id = id.to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, _| {
                let id = id.clone();
                Box::pin(async move { delete(conn, &id).await })
            })
            .await
    }
}

/// Finds an account and takes its row.
async fn lock(conn: &mut Conn, id: &str) -> Result<Account, Failure> {
    let text = "UPDATE accounts SET name = name WHERE id = $1
         RETURNING id, name, display_name, email, created_at, disabled_at";
    match conn.fetch_one(text, args![id]).await? {
        Some(mut row) => Ok(read(&mut row)?),
        None => Err(Refusal::NoSuchAccount.into()),
    }
}

async fn carry_out(conn: &mut Conn, now: Time, id: &str, change: AccountChange) -> Result<Account, Failure> {
    let was = lock(conn, id).await?;
    let account = Account {
        name: change.name.unwrap_or(was.name),
        display_name: change.display_name.unwrap_or(was.display_name),
        email: change.email.unwrap_or(was.email),
        disabled_at: match change.disabled {
            Some(true) => Some(was.disabled_at.unwrap_or(now)),
            Some(false) => None,
            None => was.disabled_at,
        },
        ..was
    };
    refuse_taken(conn, id, &account.name, account.email.as_deref()).await?;
    let (name, display_name) = (account.name.as_str(), account.display_name.as_str());
    conn.execute(
        "UPDATE accounts SET name = $2, display_name = $3, email = $4, disabled_at = $5 WHERE id = $1",
        args![id, name, display_name, account.email.as_deref(), account.disabled_at],
    )
    .await?;
    Ok(account)
}

async fn delete(conn: &mut Conn, id: &str) -> Result<(), Failure> {
    // Whoever makes a key or a bucket for it shares this row.
    lock(conn, id).await?;
    let text = "SELECT (SELECT COUNT(*) FROM keys WHERE account_id = $1 AND revoked_at IS NULL),
            (SELECT COUNT(*) FROM buckets WHERE owner = $1 AND state <> 'purged')";
    if let Some(mut row) = conn.fetch_one(text, args![id]).await? {
        let (keys, buckets) = (row.need_size()?, row.need_size()?);
        if (keys, buckets) != (0, 0) {
            return Err(Refusal::AccountInUse { keys, buckets }.into());
        }
    }
    conn.execute("DELETE FROM accounts WHERE id = $1", args![id]).await?;
    Ok(())
}
