//! Accounts: making, showing, changing and deleting them. What belongs to one is recorded by its id, so a new name changes
//! nothing of it.

use super::keys;
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape, written};
use crate::admin::request::{Answered, Asked, LIMIT, ORDER_MAX, decode, json, ok};
use crate::admin::view::{KeyView, time};
use crate::http::BodyReader;
use http::StatusCode;
use lifecycle::Refusal;
use lifecycle::ids::is_account_id;
use metadata::{Account, AccountChange, NewAccount};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

const NAME_MAX: usize = 64;
const SHOWN_MAX: usize = 200;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewAccount")]
struct Create {
    /// Letters, digits and `._@+-`; no other account has it.
    #[schemars(length(min = 1, max = NAME_MAX))]
    name: String,
    /// What others are shown; absent: the name.
    #[schemars(length(max = SHOWN_MAX))]
    display_name: Option<String>,
    /// No other account has it.
    #[schemars(length(max = SHOWN_MAX))]
    email: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AccountChange")]
struct Change {
    /// Another name.
    #[schemars(length(min = 1, max = NAME_MAX))]
    name: Option<String>,
    #[schemars(length(max = SHOWN_MAX))]
    display_name: Option<String>,
    /// `null`: none.
    #[serde(default, deserialize_with = "said")]
    #[schemars(with = "Option<String>")]
    email: Option<Option<String>>,
    /// Whether its keys are accepted no more.
    disabled: Option<bool>,
}

/// What is there counts as said, `null` too.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// To whom keys and buckets belong.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Account")]
pub(super) struct AccountView {
    /// S3's canonical user id: 64 hexadecimal digits.
    id: String,
    name: String,
    display_name: String,
    email: Option<String>,
    #[schemars(with = "written::Moment")]
    created_at: String,
    /// Since when none of its keys is accepted.
    #[schemars(with = "Option<written::Moment>")]
    disabled_at: Option<String>,
}

impl AccountView {
    fn new(account: Account) -> Self {
        AccountView {
            id: account.id,
            name: account.name,
            display_name: account.display_name,
            email: account.email,
            created_at: time(account.created_at),
            disabled_at: account.disabled_at.map(time),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Accounts")]
struct Page {
    items: Vec<AccountView>,
    next: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeletedAccount")]
struct Deleted {
    deleted: String,
}

pub(in crate::admin) const LIST: Described =
    Described::answers(&[Answer::ok("A page of them, by name.", &[shape::<Page>])]).asked_with(&[
        Argument::PREFIX,
        Argument::AFTER,
        LIMIT,
    ]);
pub(in crate::admin) const CREATE: Described =
    Described::answers(&[Answer::new(201, "It was made; it has no keys yet.", &[shape::<AccountView>])])
        .ordered::<Create>();
pub(in crate::admin) const SHOW: Described =
    Described::answers(&[Answer::ok("This is it.", &[shape::<AccountView>])]);
pub(in crate::admin) const CHANGE: Described =
    Described::answers(&[Answer::ok("It is so now.", &[shape::<AccountView>])]).ordered::<Change>();
pub(in crate::admin) const DELETE: Described =
    Described::answers(&[Answer::ok("It is gone.", &[shape::<Deleted>])]);

pub(in crate::admin) async fn list(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&["prefix", "after", "limit"])?;
    let (after, limit) = (asked.query.get("after").unwrap_or_default(), asked.limit()?);
    // One more than fits tells whether there is another page.
    let mut found = asked.gateway.metadata.accounts(asked.prefix(), after, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.name.clone());
    ok(&Page { items: found.into_iter().map(AccountView::new).collect(), next })
}

pub(in crate::admin) async fn create(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let order: Create = decode(body, ORDER_MAX).await?;
    let name = checked_name(order.name)?;
    let display_name = match order.display_name {
        Some(shown) => checked_text("display_name", shown)?,
        None => name.clone(),
    };
    let email = order.email.map(checked_email).transpose()?;
    asked.trail.detail(format!("account={name}"));
    let made = asked.gateway.metadata.create_account(NewAccount { name, display_name, email }).await?;
    json(StatusCode::CREATED, &AccountView::new(made))
}

pub(in crate::admin) async fn show(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    ok(&AccountView::new(meant(asked).await?))
}

pub(in crate::admin) async fn change(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let order: Change = decode(body, ORDER_MAX).await?;
    let account = meant(asked).await?;
    let change = AccountChange {
        name: order.name.map(checked_name).transpose()?,
        display_name: order.display_name.map(|shown| checked_text("display_name", shown)).transpose()?,
        email: order.email.map(|email| email.map(checked_email).transpose()).transpose()?,
        disabled: order.disabled,
    };
    asked.trail.detail(match change.disabled {
        Some(disabled) => format!("account={} disabled={disabled}", account.name),
        None => format!("account={}", account.name),
    });
    let changed = asked.gateway.metadata.change_account(&account.id, change).await;
    // Whatever the answer was: what is not remembered is looked up again.
    asked.gateway.auth.forget_account(&account.id);
    ok(&AccountView::new(changed?))
}

pub(in crate::admin) async fn delete(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let account = meant(asked).await?;
    asked.trail.detail(format!("account={}", account.name));
    let deleted = asked.gateway.metadata.delete_account(&account.id).await;
    asked.gateway.auth.forget_account(&account.id);
    deleted?;
    ok(&Deleted { deleted: account.id })
}

pub(in crate::admin) async fn keys(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let account = meant(asked).await?;
    let (now, keys) = (asked.gateway.clock.now(), asked.gateway.metadata.keys_of(&account.id).await?);
    ok(&keys::Keys { items: keys.into_iter().map(|key| KeyView::new(key, now)).collect() })
}

/// The account in the path.
pub(super) async fn meant(asked: &Asked<'_>) -> Result<Account, Complaint> {
    find(asked, asked.params.get("account")).await
}

/// The account of this name or id.
pub(super) async fn find(asked: &Asked<'_>, text: &str) -> Result<Account, Complaint> {
    let metadata = &asked.gateway.metadata;
    // No account can be named like an id.
    let found = match is_account_id(text) {
        true => metadata.account(text).await?,
        false => metadata.account_by_name(text).await?,
    };
    Ok(found.ok_or(Refusal::NoSuchAccount)?)
}

fn checked_name(name: String) -> Result<String, Complaint> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"._@+-".contains(&b);
    if (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(good) && !is_account_id(&name) {
        return Ok(name);
    }
    Err(Complaint::bad_request(format!(
        "name cannot be {name:?}: allowed are 1 to {NAME_MAX} letters, digits and '._@+-' that are no account's id"
    )))
}

fn checked_text(field: &str, text: String) -> Result<String, Complaint> {
    if text.chars().count() > SHOWN_MAX || text.contains(char::is_control) || text.trim().is_empty() {
        return Err(Complaint::bad_request(format!(
            "{field} must have 1 to {SHOWN_MAX} characters and no control characters"
        )));
    }
    Ok(text)
}

fn checked_email(email: String) -> Result<String, Complaint> {
    let email = checked_text("email", email)?;
    let parts = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if !parts || email.contains(char::is_whitespace) {
        return Err(Complaint::bad_request(format!("email cannot be {email:?}: allowed is NAME@HOST")));
    }
    Ok(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_typed_and_never_an_id() {
        for good in ["a", "ann", "Ann.B_c@x+y-1"] {
            assert_eq!(checked_name(good.to_owned()).ok().as_deref(), Some(good));
        }
        for bad in ["", " ", "a b", "a/b", "ä", &"a".repeat(64), &"x".repeat(65)] {
            assert!(checked_name(bad.to_owned()).is_err(), "{bad:?}");
        }
        assert!(checked_email("a@b".to_owned()).is_ok());
        for bad in ["", "a", "@b", "a@", "a @b"] {
            assert!(checked_email(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
