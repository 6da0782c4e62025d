//! Who asks, and whom a policy speaks of.

use crate::json::Json;

/// Who asks, as policies and access lists know them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The account, by its canonical id; of a key without one, the key. `None`: nobody who showed credentials.
    pub account: Option<&'a str>,
    /// The account's name.
    pub account_name: Option<&'a str>,
    /// The key's name inside of its account.
    pub user: Option<&'a str>,
}

impl Caller<'_> {
    /// Whoever shows no credentials.
    pub const NOBODY: Caller<'static> = Caller { account: None, account_name: None, user: None };

    /// Whether this is nobody who showed credentials.
    pub fn is_anonymous(&self) -> bool {
        self.account.is_none()
    }

    fn is_account(&self, id: &str) -> bool {
        self.account == Some(id) || (self.account_name == Some(id) && self.account.is_some())
    }
}

/// Whom a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principals {
    /// These.
    Are(Vec<Named>),
    /// Everyone but these.
    AreNot(Vec<Named>),
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// Whoever there is, with credentials or without.
    Everyone,
    /// An account and all its users, by id or name.
    Account(String),
    /// A user of an account; without an account, of any account or the account of this name.
    User { account: Option<String>, user: String },
    /// Somebody who never comes here: one of AWS's services.
    Nobody,
}

/// What is no principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadPrincipal;

impl Principals {
    /// Whether the statement is about `caller`.
    pub(crate) fn are(&self, caller: &Caller<'_>) -> bool {
        match self {
            Principals::Are(named) => named.iter().any(|named| named.is(caller)),
            Principals::AreNot(named) => !named.iter().any(|named| named.is(caller)),
        }
    }

    /// Whether it is about people that nobody could count.
    pub(crate) fn are_many(&self) -> bool {
        match self {
            Principals::Are(named) => named.contains(&Named::Everyone),
            Principals::AreNot(_) => true,
        }
    }
}

impl Named {
    fn is(&self, caller: &Caller<'_>) -> bool {
        match self {
            Named::Everyone => true,
            Named::Account(id) => caller.is_account(id),
            Named::User { account: Some(account), user } => {
                caller.is_account(account) && caller.user == Some(user)
            }
            Named::User { account: None, user } => {
                caller.user.is_some() && (caller.user == Some(user) || caller.is_account(user))
            }
            Named::Nobody => false,
        }
    }
}

/// Reads what stands behind `Principal` or `NotPrincipal`.
pub(crate) fn read(json: &Json) -> Result<Vec<Named>, BadPrincipal> {
    let families = match json {
        Json::Text(text) if text == "*" => return Ok(vec![Named::Everyone]),
        Json::Object(families) if !families.is_empty() => families,
        _ => return Err(BadPrincipal),
    };
    let mut named = Vec::new();
    for (family, values) in families {
        let values = values.one_or_more();
        if values.is_empty() {
            return Err(BadPrincipal);
        }
        for value in values {
            let text = value.text().ok_or(BadPrincipal)?;
            named.push(match family.as_str() {
                "AWS" => of_aws(text)?,
                "CanonicalUser" => Named::Account(plain(text)?),
                "Service" if text == "*" => return Err(BadPrincipal),
                "Service" | "Federated" => {
                    plain(text)?;
                    Named::Nobody
                }
                _ => return Err(BadPrincipal),
            });
        }
    }
    Ok(named)
}

/// `*`, an account's id, `arn:aws:iam::ACCOUNT:root` or `arn:aws:iam::ACCOUNT:user/NAME`.
fn of_aws(text: &str) -> Result<Named, BadPrincipal> {
    if text == "*" {
        return Ok(Named::Everyone);
    }
    let Some(arn) = text.strip_prefix("arn:") else { return Ok(Named::Account(plain(text)?)) };
    let parts: Vec<&str> = arn.splitn(5, ':').collect();
    let [_, "iam", "", account, what] = parts.as_slice() else { return Err(BadPrincipal) };
    match what.split_once('/') {
        None if *what == "root" => Ok(Named::Account(plain(account)?)),
        // A user's path says nothing here.
        Some(("user", name)) => {
            let user = plain(name.rsplit('/').next().unwrap_or_default())?;
            let account = if account.is_empty() { None } else { Some(plain(account)?) };
            Ok(Named::User { account, user })
        }
        Some(("role", name)) => {
            plain(name)?;
            Ok(Named::Nobody)
        }
        _ => Err(BadPrincipal),
    }
}

/// A name in which nothing stands for something else.
fn plain(text: &str) -> Result<String, BadPrincipal> {
    let good =
        !text.is_empty() && text.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"*?$".contains(c));
    if good { Ok(text.to_owned()) } else { Err(BadPrincipal) }
}
