//! What becomes of keys: disabling, enabling and ending them, and putting another in their place.

use super::credentials::credentials;
use super::keys::Created;
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape};
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, duration, json, ok};
use crate::admin::view::KeyView;
use crate::http::BodyReader;
use http::StatusCode;
use lifecycle::Refusal;
use metadata::{AccessKey, KeyAccount, KeyChange, OldKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ExpireKeyOrder")]
struct Expire {
    /// "1day" from now on.
    after: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RotateKeyOrder")]
struct Rotate {
    /// How long the old key is accepted beside the new one, such as "1day"; absent: it is disabled at once.
    old_expires_in: Option<String>,
    /// "30days"; absent: the new one never ends.
    expires_in: Option<String>,
    /// The new key, with `secret_key`; absent: a fresh one.
    access_key: Option<String>,
    /// Its secret.
    secret_key: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RotatedKey")]
struct Rotated {
    #[serde(flatten)]
    created: Created,
    /// The key whose place it takes.
    old: KeyView,
}

pub(in crate::admin) const CHANGE: Described =
    Described::answers(&[Answer::ok("It is so now.", &[shape::<KeyView>])]);
pub(in crate::admin) const EXPIRE: Described =
    Described::answers(&[Answer::ok("It ends then.", &[shape::<KeyView>])]).ordered::<Expire>();
pub(in crate::admin) const ROTATE: Described = Described::answers(&[Answer::new(
    201,
    "Another was made that may do the same; its secret is not shown again.",
    &[shape::<Rotated>],
)])
.ordered::<Rotate>();

pub(in crate::admin) async fn set_disabled(asked: &Asked<'_>, disabled: bool) -> Answered {
    change(asked, KeyChange { disabled: Some(disabled), expires_at: None }).await
}

pub(in crate::admin) async fn expire(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require(None, None)?;
    let order: Expire = decode(body, ORDER_MAX).await?;
    let expires_at = asked.gateway.clock.now().plus(duration("after", &order.after)?);
    asked.trail.detail(format!("expires_at={expires_at}"));
    change(asked, KeyChange { disabled: None, expires_at: Some(expires_at) }).await
}

async fn change(asked: &Asked<'_>, change: KeyChange) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let id = asked.params.get("key");
    let changed = asked.gateway.metadata.change_key(id, change).await;
    // Whatever the answer was: what is not remembered is looked up again.
    asked.gateway.auth.forget(id);
    changed?;
    ok(&KeyView::new(found(asked, id).await?, asked.gateway.clock.now()))
}

pub(in crate::admin) async fn rotate(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let order: Rotate = decode(body, ORDER_MAX).await?;
    let (id, now) = (asked.params.get("key"), asked.gateway.clock.now());
    let old = found(asked, id).await?;
    if old.revoked_at.is_some() || matches!(old.account, Some(KeyAccount::Deleted(_))) {
        return Err(Complaint::new(StatusCode::CONFLICT, "KeyRevoked", "the key has ended for good")
            .hint("barrow key create --rights RIGHTS"));
    }
    let fate = match &order.old_expires_in {
        Some(text) => OldKey::Expires(now.plus(duration("old_expires_in", text)?)),
        None => OldKey::Disabled,
    };
    let expires_at = match &order.expires_in {
        Some(text) => Some(now.plus(duration("expires_in", text)?)),
        None => None,
    };
    let (new, secret) = credentials(asked, order.access_key, order.secret_key)?;
    asked.trail.key(id, format!("rights={} new={new}", old.rights));
    let key = AccessKey {
        id: new,
        secret,
        created_at: now,
        expires_at,
        disabled_at: None,
        revoked_at: None,
        ..old
    };
    let rotated = asked.gateway.metadata.rotate_key(id, fate, key.clone()).await;
    asked.gateway.auth.forget(id);
    rotated?;
    let old = KeyView::new(found(asked, id).await?, now);
    json(StatusCode::CREATED, &Rotated { created: Created::new(key, now), old })
}

async fn found(asked: &Asked<'_>, id: &str) -> Result<AccessKey, Complaint> {
    Ok(asked.gateway.metadata.key(id).await?.ok_or(Refusal::Unknown)?)
}
