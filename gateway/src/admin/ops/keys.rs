//! Access keys: making, listing and revoking them. A secret is shown once, in the answer that made it.

use super::accounts;
use super::credentials::credentials;
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape};
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, duration, json, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::KeyView;
use crate::http::BodyReader;
use crate::objects::Error;
use http::StatusCode;
use lifecycle::{ContainerId, Refusal, Right, Rights};
use metadata::{AccessKey, Account, KeyAccount};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const LABEL_MAX: usize = 200;

/// What a key of an account may do in what the account owns, where nothing is said: all that S3 knows.
const OF_ACCOUNT: [Right; 6] =
    [Right::Read, Right::Write, Right::Delete, Right::DeleteVersion, Right::Remove, Right::BypassGovernance];

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewKey")]
struct Create {
    /// Words, separated by commas, such as "read,write,delete". Of an account's key they hold in what the account owns, and
    /// may be left out: all that S3 knows.
    rights: Option<String>,
    #[serde(default)]
    #[schemars(length(max = LABEL_MAX))]
    label: String,
    /// Whose it is to be, by name or id; absent: the installation's.
    account: Option<String>,
    /// Only in this domain, by name or UUID.
    domain: Option<String>,
    /// Only in this bucket of it.
    bucket: Option<String>,
    /// "30days"; absent: never.
    expires_in: Option<String>,
    /// A key that is in use elsewhere already, with `secret_key`; absent: a fresh one.
    access_key: Option<String>,
    /// Its secret.
    secret_key: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CreatedKey")]
pub(super) struct Created {
    #[serde(flatten)]
    pub(super) key: KeyView,
    /// Not shown again.
    pub(super) secret: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Keys {
    pub(super) items: Vec<KeyView>,
}

pub(in crate::admin) const LIST: Described =
    Described::answers(&[Answer::ok("All of them.", &[shape::<Keys>])]);
pub(in crate::admin) const CREATE: Described = Described::answers(&[Answer::new(
    201,
    "It was made; its secret is not shown again.",
    &[shape::<Created>],
)])
.ordered::<Create>();
pub(in crate::admin) const REVOKE: Described =
    Described::answers(&[Answer::ok("It is valid no more.", &[shape::<KeyView>])]);

pub(in crate::admin) async fn list(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let now = asked.gateway.clock.now();
    let keys = asked.gateway.metadata.keys().await?;
    ok(&Keys { items: keys.into_iter().map(|key| KeyView::new(key, now)).collect() })
}

pub(in crate::admin) async fn create(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let order: Create = decode(body, ORDER_MAX).await?;
    let account = match &order.account {
        Some(text) => Some(accounts::find(asked, text).await?),
        None => None,
    };
    make(asked, order, account).await
}

/// As [`create`], for the account in the path.
pub(in crate::admin) async fn create_of_account(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let order: Create = decode(body, ORDER_MAX).await?;
    if order.account.is_some() {
        return Err(Complaint::bad_request("account is named by the path already"));
    }
    let account = accounts::meant(asked).await?;
    make(asked, order, Some(account)).await
}

async fn make(asked: &Asked<'_>, order: Create, account: Option<Account>) -> Answered {
    let rights = match (&order.rights, &account) {
        (Some(list), _) => rights(list)?,
        (None, Some(_)) => Rights::of(&OF_ACCOUNT),
        (None, None) => return Err(Complaint::bad_request("rights is missing")),
    };
    if account.is_some() && rights.hold(Right::Admin) {
        return Err(Complaint::bad_request("a key of an account cannot hold admin"));
    }
    if account.is_some() && order.domain.is_some() {
        return Err(Complaint::bad_request(
            "a key of an account holds in what the account owns: domain and bucket are not given with it",
        ));
    }
    if order.label.chars().count() > LABEL_MAX || order.label.contains(char::is_control) {
        let message = format!("label must have at most {LABEL_MAX} characters and no control characters");
        return Err(Complaint::bad_request(message));
    }
    let now = asked.gateway.clock.now();
    let expires_at = match &order.expires_in {
        Some(text) => Some(now.plus(duration("expires_in", text)?)),
        None => None,
    };
    let (domain, bucket) = scope_of(asked, &order).await?;
    let (id, secret) = credentials(asked, order.access_key, order.secret_key)?;
    let label = order.label;
    let scope = match &account {
        Some(account) => format!(" of account {}", account.name),
        None => bucket.or(domain).map_or(String::new(), |scope| format!(" in {scope}")),
    };
    asked.trail.key(&id, format!("rights={rights}{scope}"));
    let key = AccessKey {
        id,
        secret,
        rights,
        domain,
        bucket,
        account: account.map(|account| KeyAccount::Known(Arc::new(account))),
        label,
        created_at: now,
        expires_at,
        disabled_at: None,
        revoked_at: None,
    };
    asked.gateway.metadata.create_key(key.clone()).await?;
    json(StatusCode::CREATED, &Created::new(key, now))
}

impl Created {
    /// The one time that the secret is shown.
    pub(super) fn new(key: AccessKey, now: lifecycle::Time) -> Self {
        let secret = String::from_utf8_lossy(key.secret.expose()).into_owned();
        Created { key: KeyView::new(key, now), secret }
    }
}

pub(in crate::admin) async fn revoke(asked: &Asked<'_>) -> Answered {
    let principal = asked.require(None, None)?;
    asked.only(&[])?;
    let id = asked.params.get("key");
    let revoked = asked.gateway.metadata.revoke_key(id).await;
    // Whatever the answer was: what is not remembered is looked up again.
    asked.gateway.auth.forget(id);
    revoked?;
    tracing::info!(key = id, actor = %principal.name, "a key was revoked");
    let key = asked.gateway.metadata.key(id).await?.ok_or(Refusal::Unknown)?;
    ok(&KeyView::new(key, asked.gateway.clock.now()))
}

fn rights(list: &str) -> Result<Rights, Complaint> {
    let allowed = || Right::ALL.map(Right::as_str).join(", ");
    match Rights::parse(list) {
        Ok(Rights::NONE) => Err(Complaint::bad_request(format!(
            "rights is empty: allowed are {}, separated by commas",
            allowed()
        ))),
        Ok(rights) => Ok(rights),
        Err(word) => Err(Complaint::bad_request(format!("{word:?} is no right: allowed are {}", allowed()))),
    }
}

async fn scope_of(
    asked: &Asked<'_>,
    order: &Create,
) -> Result<(Option<ContainerId>, Option<ContainerId>), Complaint> {
    let Some(domain) = &order.domain else {
        return match order.bucket {
            None => Ok((None, None)),
            Some(_) => Err(Error::BadRequest("bucket is given without its domain".to_owned()).into()),
        };
    };
    let domain = scope::domain_of(asked, domain, Want::Live).await?.ok_or(Refusal::NoSuchDomain)?;
    let bucket = match &order.bucket {
        None => None,
        Some(bucket) => {
            let found = scope::bucket_in(asked, domain.id, bucket, Want::Live).await?;
            Some(found.ok_or(Refusal::NoSuchBucket)?.id)
        }
    };
    Ok((Some(domain.id), bucket))
}
