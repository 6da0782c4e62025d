//! `STREAM.UPDATE`: what is forbidden in a stream for good, and how many messages of a subject it keeps.

use super::place::{payload, stream};
use super::reply::{BAD_CONFIG, Call, complain};
use super::stream::Info;
use crate::admin::openapi::{Answer, Described, shape};
use crate::admin::ops::stream::Change;
use crate::admin::request::{Answered, Asked, ok};
use crate::http::BodyReader;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is absent stays as it is. Of JetStream's configuration nothing else is known, and nothing else is passed over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StreamConfigOrder")]
struct Order {
    /// The stream's name, as the call has it.
    name: Option<String>,
    /// Nothing in it changes any more. Never taken back.
    sealed: Option<bool>,
    /// No message is deleted. Never taken back.
    deny_delete: Option<bool>,
    /// Nothing is purged. Never taken back.
    deny_purge: Option<bool>,
    /// So many messages of a subject are kept, where versions are; 0 or -1: all of them.
    max_msgs_per_subject: Option<i64>,
    /// Whoever publishes with the header `Nats-Rollup`, and may purge, purges what is older: `sub` of the subject, `all` of the
    /// stream. Not where purges are denied.
    allow_rollup_hdrs: Option<bool>,
}

pub(in crate::admin) const UPDATE: Described =
    Described::answers(&[Answer::ok("It is in force.", &[shape::<Info>])]).ordered::<Order>().in_streams();

pub(in crate::admin) async fn update(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require_somewhere()?;
    asked.only(&[])?;
    let order: Order = payload(body).await?;
    if order.name.as_deref().is_some_and(|name| name != asked.params.get("stream")) {
        return Err(complain(BAD_CONFIG, "a stream keeps its name"));
    }
    let max_per_name = match order.max_msgs_per_subject {
        None => None,
        Some(-1 | 0) => Some(None),
        Some(most) => {
            let most = u32::try_from(most);
            Some(Some(most.map_err(|_| complain(BAD_CONFIG, "max_msgs_per_subject is out of range"))?))
        }
    };
    let change = Change {
        sealed: order.sealed,
        deny_delete: order.deny_delete,
        deny_purge: order.deny_purge,
        max_per_name,
        allow_rollup: order.allow_rollup_hdrs,
    };
    let place = stream(asked).await?;
    let actor = asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string();
    change.carry_out(asked, &place.bucket, &actor).await?;
    ok(&Info::of(asked, place.bucket, Call::Update).await?)
}
