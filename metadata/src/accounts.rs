//! Accounts: to whom keys and buckets belong. An account's id is used once, ever, and is what owners are recorded as; its
//! name is a pointer that may change.

mod change;

pub use change::AccountChange;

use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Conn, DbError, Row, args};
use crate::writer::Urgency;
use lifecycle::{Refusal, Time};

/// To whom keys and buckets belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// S3's canonical user id: 64 hexadecimal digits.
    pub id: String,
    /// What operators call it; no other account has it.
    pub name: String,
    /// What others are shown.
    pub display_name: String,
    /// Where its holder is reached; no other account has it.
    pub email: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// Since when none of its keys is accepted.
    pub disabled_at: Option<Time>,
}

/// What a new account comes with.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// What operators call it.
    pub name: String,
    /// What others are shown.
    pub display_name: String,
    /// Where its holder is reached.
    pub email: Option<String>,
}

/// The columns that [`read`] reads, of a table called `a`.
macro_rules! account_columns {
    () => {
        "a.id, a.name, a.display_name, a.email, a.created_at, a.disabled_at"
    };
}
pub(crate) use account_columns;

pub(crate) fn read(row: &mut Row) -> Result<Account, DbError> {
    Ok(Account {
        id: row.need_text()?,
        name: row.need_text()?,
        display_name: row.need_text()?,
        email: row.text()?,
        created_at: row.need_time()?,
        disabled_at: row.time()?,
    })
}

const BY_ID: &str = concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.id = $1");
const BY_NAME: &str = concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.name = $1");
const BY_EMAIL: &str = concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.email = $1");

impl Metadata {
    /// Makes an account. It has no keys yet.
    ///
    /// # Errors
    /// [`Refusal::NameInUse`] if another account has the name or the email.
    pub async fn create_account(&self, new: NewAccount) -> Result<Account, Failure> {
        let id = lifecycle::ids::account_id();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (id, new) = (id.clone(), new.clone());
                Box::pin(async move {
                    refuse_taken(conn, &id, &new.name, new.email.as_deref()).await?;
                    let NewAccount { name, display_name, email } = new;
                    conn.execute(
                        "INSERT INTO accounts (id, name, display_name, email, created_at) VALUES ($1, $2, $3, $4, $5)",
                        args![id.as_str(), name.as_str(), display_name.as_str(), email.as_deref(), now],
                    )
                    .await?;
                    Ok(Account { id, name, display_name, email, created_at: now, disabled_at: None })
                })
            })
            .await
    }

    /// One account, by its id.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn account(&self, id: &str) -> Result<Option<Account>, Failure> {
        self.one_account(BY_ID, id).await
    }

    /// One account, by its name.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn account_by_name(&self, name: &str) -> Result<Option<Account>, Failure> {
        self.one_account(BY_NAME, name).await
    }

    /// One account, by its email.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn account_by_email(&self, email: &str) -> Result<Option<Account>, Failure> {
        self.one_account(BY_EMAIL, email).await
    }

    async fn one_account(&self, text: &'static str, key: &str) -> Result<Option<Account>, Failure> {
        let row = self.readers.fetch_one(text, args![key]).await?;
        Ok(row.map(|mut row| read(&mut row)).transpose()?)
    }

    /// Those of `ids` that there are.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn accounts_of(&self, ids: &[&str]) -> Result<Vec<Account>, Failure> {
        let text = concat!(
            "SELECT ",
            account_columns!(),
            " FROM (VALUES {rows}) AS wanted CROSS JOIN accounts a WHERE a.id = wanted.column1"
        );
        let wanted = ids.iter().map(|id| args![*id]).collect();
        let rows = self.readers.fetch_padded(text, &[], wanted).await?;
        Ok(rows.into_iter().map(|mut row| read(&mut row)).collect::<Result<_, DbError>>()?)
    }

    /// A page of accounts, in the order of their names, those behind `after`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn accounts(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<Account>, Failure> {
        let text = concat!(
            "SELECT ",
            account_columns!(),
            " FROM accounts a WHERE a.name >= $1 AND a.name > $2 AND substr(a.name, 1, length($1)) = $1
              ORDER BY a.name LIMIT $3"
        );
        let rows = self.readers.fetch(text, args![prefix, after, limit]).await?;
        Ok(rows.into_iter().map(|mut row| read(&mut row)).collect::<Result<_, DbError>>()?)
    }
}

/// Refuses a name or an email that another account than `id` has.
async fn refuse_taken(conn: &mut Conn, id: &str, name: &str, email: Option<&str>) -> Result<(), Failure> {
    let text = "SELECT 1 FROM accounts WHERE id <> $1 AND name = $2
         UNION ALL SELECT 1 FROM accounts WHERE id <> $1 AND email = $3";
    match conn.fetch_one(text, args![id, name, email]).await? {
        Some(_) => Err(Refusal::NameInUse.into()),
        None => Ok(()),
    }
}

/// The account that a new bucket of `id` counts to: itself, if it has a quota. It is not there: [`Refusal::NoSuchAccount`].
pub(crate) async fn counts_to(conn: &mut Conn, id: &str) -> Result<Option<String>, Failure> {
    let text = match conn.engine().share() {
        "" => "SELECT quota FROM accounts WHERE id = $1",
        _ => "SELECT quota FROM accounts WHERE id = $1 FOR SHARE",
    };
    match conn.fetch_one(text, args![id]).await? {
        Some(mut row) => Ok(row.text()?.map(|_| id.to_owned())),
        None => Err(Refusal::NoSuchAccount.into()),
    }
}

/// Finds an account, and keeps it from being deleted and its quota from being changed until the transaction ends.
pub(crate) async fn lock_shared(conn: &mut Conn, id: &str) -> Result<Option<Account>, DbError> {
    let text = match conn.engine().share() {
        "" => BY_ID,
        _ => concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.id = $1 FOR SHARE"),
    };
    conn.fetch_one(text, args![id]).await?.map(|mut row| read(&mut row)).transpose()
}
