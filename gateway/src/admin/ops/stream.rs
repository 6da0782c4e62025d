//! How a bucket keeps its versions, seen as a stream of messages: what is forbidden in it for good, and how many versions of a
//! name there are at most.

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, ok};
use crate::admin::scope::{self, Want};
use crate::http::BodyReader;
use lifecycle::{ContainerId, Refusal, Seal};
use metadata::{Container, StreamRules};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// What is absent stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StreamRulesOrder")]
struct Order {
    /// Nothing in the bucket changes any more: nothing is written, deleted or purged. It can be removed and restored as a
    /// whole, and what has a lifepoint or falls under a lifecycle rule goes when its time comes. Never taken back.
    sealed: Option<bool>,
    /// No version is deleted by a request. A delete marker may hide it, and where versions are not kept a newer one may take
    /// its place. Never taken back.
    deny_delete: Option<bool>,
    /// Nothing is purged by a request, and nothing goes before its promised time. Never taken back.
    deny_purge: Option<bool>,
    /// Where versions are kept: so many of a name, the current one among them. With each that arrives the oldest go, and can be
    /// restored like what is overwritten. `null`: all of them.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<u32>")]
    max_per_name: Option<Option<u32>>,
    /// Whoever writes with the header `Nats-Rollup`, and may purge, lets what is older go with it: `sub` under the name, `all` in
    /// the bucket. Not where purges are denied.
    allow_rollup: Option<bool>,
}

/// What is in force.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StreamRules")]
struct View {
    bucket: String,
    #[schemars(with = "written::Uuid")]
    bucket_id: ContainerId,
    sealed: bool,
    deny_delete: bool,
    deny_purge: bool,
    /// `null`: all versions of a name are kept.
    max_per_name: Option<u32>,
    allow_rollup: bool,
}

impl View {
    fn new(bucket: Container, rules: StreamRules) -> Self {
        View {
            bucket: bucket.name,
            bucket_id: bucket.id,
            sealed: rules.seal.is_sealed(),
            deny_delete: rules.seal.denies_delete(),
            deny_purge: rules.seal.denies_purge(),
            max_per_name: rules.max_per_name,
            allow_rollup: rules.allow_rollup,
        }
    }
}

pub(in crate::admin) const SHOW: Described =
    Described::answers(&[Answer::ok("It is in force.", &[shape::<View>])]);
pub(in crate::admin) const SET: Described =
    Described::answers(&[Answer::ok("It is in force.", &[shape::<View>])]).ordered::<Order>();

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

pub(in crate::admin) async fn show(asked: &Asked<'_>) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&[])?;
    let rules = asked.gateway.metadata.stream_rules(place.bucket.id).await?;
    ok(&View::new(place.bucket, rules))
}

pub(in crate::admin) async fn set(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&[])?;
    let order: Order = decode(body, ORDER_MAX).await?;
    if place.domain.state != lifecycle::State::Live {
        return Err(Refusal::NoSuchBucket.into());
    }
    if order.max_per_name == Some(Some(0)) {
        return Err(Complaint::bad_request(
            "max_per_name cannot be 0: allowed is a number from 1 on, or null for all",
        ));
    }
    let actor = asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string();
    let change = Change {
        sealed: order.sealed,
        deny_delete: order.deny_delete,
        deny_purge: order.deny_purge,
        max_per_name: order.max_per_name,
        allow_rollup: order.allow_rollup,
    };
    let rules = change.carry_out(asked, &place.bucket, &actor).await?;
    ok(&View::new(place.bucket, rules))
}

/// What is to be different. What is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::admin) struct Change {
    pub(in crate::admin) sealed: Option<bool>,
    pub(in crate::admin) deny_delete: Option<bool>,
    pub(in crate::admin) deny_purge: Option<bool>,
    pub(in crate::admin) max_per_name: Option<Option<u32>>,
    pub(in crate::admin) allow_rollup: Option<bool>,
}

impl Change {
    /// Puts it into force, and gives what is in force then.
    ///
    /// # Errors
    /// [`Refusal::SealBroken`] and the like.
    pub(in crate::admin) async fn carry_out(
        self,
        asked: &Asked<'_>,
        bucket: &Container,
        actor: &str,
    ) -> Result<StreamRules, Complaint> {
        let metadata = &asked.gateway.metadata;
        let was = metadata.stream_rules(bucket.id).await?;
        // A bucket that is sealed denies both besides; whoever wants to permit either says so in vain.
        let seal = Seal::new(
            self.sealed.unwrap_or(was.seal.is_sealed()),
            self.deny_delete.unwrap_or(was.seal.denies_delete()),
            self.deny_purge.unwrap_or(was.seal.denies_purge()),
        );
        let loosened = self.deny_delete == Some(false) && was.seal.denies_delete()
            || self.deny_purge == Some(false) && was.seal.denies_purge();
        if loosened {
            return Err(Refusal::SealBroken.into());
        }
        // A seal ends what it would contradict; a mere denial of purges beside roll-ups is contradicted.
        let ended = seal.is_sealed() && self.allow_rollup.is_none();
        let rules = StreamRules {
            seal,
            max_per_name: self.max_per_name.unwrap_or(was.max_per_name),
            allow_rollup: self.allow_rollup.unwrap_or(was.allow_rollup) && !ended,
        };
        asked.trail.detail(format!(
            "sealed={} deny_delete={} deny_purge={} max_per_name={} allow_rollup={}",
            seal.is_sealed(),
            seal.denies_delete(),
            seal.denies_purge(),
            rules.max_per_name.map_or_else(|| "all".to_owned(), |most| most.to_string()),
            rules.allow_rollup
        ));
        metadata.set_stream_rules(bucket.id, rules, actor).await?;
        Ok(rules)
    }
}
