//! Whether a request is allowed: by the key's own rights, by whose the bucket is, by its policy and access lists. SCSP's
//! operations go by the names that S3 has for the same, so that what a policy shuts is shut at both doors.

use super::error::Trouble;
use super::exchange::Exchange;
use crate::auth::Denied;
use crate::permit::{self, Spot, Wish};
use ::access::{Action, Facts, Key, Object, Plain, Value};
use lifecycle::{ContainerId, Right};
use metadata::{Container, Found};
use std::borrow::Cow;
use std::sync::Arc;

/// A bucket, as far as the decision asks about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inside<'a> {
    pub(super) domain: Option<ContainerId>,
    pub(super) bucket: ContainerId,
    pub(super) name: &'a str,
    pub(super) owner: Option<&'a str>,
    pub(super) access: Option<i64>,
}

impl<'a> From<&'a Container> for Inside<'a> {
    fn from(bucket: &'a Container) -> Self {
        Inside {
            domain: bucket.parent,
            bucket: bucket.id,
            name: &bucket.name,
            owner: bucket.owner.as_deref(),
            access: bucket.access,
        }
    }
}

impl<'a> From<&'a Found> for Inside<'a> {
    fn from(found: &'a Found) -> Self {
        Inside {
            domain: Some(found.domain.0),
            bucket: found.bucket.0,
            name: &found.bucket.1,
            owner: found.bucket_owner.as_deref(),
            access: found.access,
        }
    }
}

impl Exchange<'_> {
    /// Passes if the caller may do `action`, which asks for `right`, in a bucket: to the bucket itself, or to `key` in it.
    ///
    /// # Errors
    /// 403, or 401 for somebody who gave no credentials.
    pub(super) async fn permit(
        &self,
        right: Right,
        action: Action,
        inside: Inside<'_>,
        key: Option<&str>,
    ) -> Result<(), Trouble> {
        self.decide(Wish { action, right, key }, inside, None).await
    }

    /// As [`Exchange::permit`], of an object that is there.
    ///
    /// # Errors
    /// As [`Exchange::permit`].
    pub(super) async fn permit_found(
        &self,
        right: Right,
        action: Action,
        found: &Found,
    ) -> Result<(), Trouble> {
        let wish = Wish { action, right, key: Some(&found.version.name) };
        self.decide(wish, found.into(), Some(found)).await
    }

    async fn decide(&self, wish: Wish<'_>, inside: Inside<'_>, found: Option<&Found>) -> Result<(), Trouble> {
        let Inside { domain, bucket, name, owner, access } = inside;
        let spot = Spot { domain, bucket, name, owner, settings: None };
        if access.is_none() && permit::holds(&self.principal, &wish, &spot) {
            return Ok(());
        }
        let settings = self.gateway.auth.gate(bucket, name, access).await?;
        let spot = Spot { settings: settings.as_deref(), ..spot };
        let object = found
            .map(|found| Object { owner: found.version.owner.as_deref(), acl: found.version.acl.as_deref() });
        let existing = found.and_then(|found| found.version.tags.as_deref());
        let said = Said { exchange: self, existing, owner };
        let verdict = permit::verdict(&self.principal, &wish, &spot, object, &said);
        match (verdict.allows(), self.principal.is_anonymous()) {
            (true, _) => Ok(()),
            (false, true) => Err(Denied::Missing.into()),
            (false, false) => {
                Err(Denied::Lacks { key: Arc::clone(&self.principal.name), right: wish.right }.into())
            }
        }
    }
}

/// A request, to be asked by the conditions of a policy. What only S3's requests say, it says nothing to.
struct Said<'a> {
    exchange: &'a Exchange<'a>,
    /// The tags of the object that is there, as they are stored.
    existing: Option<&'a str>,
    owner: Option<&'a str>,
}

impl Said<'_> {
    fn header(&self, name: &str) -> Value<'_> {
        match self.exchange.parts.headers.get(name) {
            Some(value) => Value::One(String::from_utf8_lossy(value.as_bytes())),
            None => Value::Nothing,
        }
    }
}

impl Facts for Said<'_> {
    fn value(&self, key: &Key) -> Value<'_> {
        let exchange = self.exchange;
        let (principal, peer) = (&exchange.principal, exchange.trail.peer);
        let user = (!principal.is_anonymous()).then_some(&*principal.name);
        let owned = |text: Option<String>| text.map_or(Value::Nothing, |text| Value::One(Cow::Owned(text)));
        let argument = |name: &str| Value::of(exchange.asked.query.get(name));
        match key {
            Key::Plain(Plain::SourceIp) => owned(Some(peer.0.ip().to_canonical().to_string())),
            Key::Plain(Plain::SecureTransport) => {
                Value::of(Some(if peer.is_encrypted() { "true" } else { "false" }))
            }
            Key::Plain(Plain::CurrentTime) => owned(Some(exchange.gateway.clock.now().to_rfc3339())),
            Key::Plain(Plain::EpochTime) => {
                owned(Some(exchange.gateway.clock.now().micros().div_euclid(1_000_000).to_string()))
            }
            Key::Plain(Plain::Referer) => self.header("referer"),
            Key::Plain(Plain::UserAgent) => self.header("user-agent"),
            Key::Plain(Plain::IfMatch) => self.header("if-match"),
            Key::Plain(Plain::IfNoneMatch) => self.header("if-none-match"),
            Key::Plain(Plain::Username | Plain::UserId) => Value::of(user),
            Key::Plain(Plain::PrincipalAccount) => owned(principal.owner()),
            Key::Plain(Plain::PrincipalArn) => owned(
                principal
                    .owner()
                    .zip(user)
                    .map(|(account, user)| format!("arn:aws:iam::{account}:user/{user}")),
            ),
            Key::Plain(Plain::PrincipalType) => {
                Value::of(Some(if user.is_some() { "User" } else { "Anonymous" }))
            }
            Key::Plain(Plain::ResourceAccount) => Value::of(self.owner),
            Key::Plain(Plain::Prefix) => argument("prefix"),
            Key::Plain(Plain::Delimiter) => argument("delimiter"),
            Key::Plain(Plain::MaxKeys) => argument("size"),
            Key::Plain(Plain::VersionId) => argument("version"),
            Key::ExistingObjectTag(wanted) => {
                // As the S3 door stores them.
                let tags: Vec<(String, String)> =
                    self.existing.and_then(|tags| serde_json::from_str(tags).ok()).unwrap_or_default();
                owned(tags.into_iter().find(|(key, _)| key == wanted).map(|(_, value)| value))
            }
            Key::Plain(_) | Key::RequestObjectTag(_) | Key::Absent(_) => Value::Nothing,
        }
    }
}
