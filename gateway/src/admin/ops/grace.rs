//! The grace of objects that will be deleted in a bucket. What is deleted already keeps the promise it was given.

use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, duration, ok};
use crate::admin::scope::{self, Want};
use crate::http::BodyReader;
use lifecycle::{ContainerId, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GraceOrder")]
struct Order {
    /// "1h"; `null`: as configured for the installation. Must be there, so that no misspelt body resets it.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "written::OrNull<String>")]
    object_delete_delay: Option<String>,
}

/// What is in force now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Grace")]
struct GraceView {
    bucket: String,
    #[schemars(with = "written::Uuid")]
    bucket_id: ContainerId,
    /// `null`: as configured for the installation.
    object_delete_delay: Option<String>,
}

pub(in crate::admin) const SET: Described =
    Described::answers(&[Answer::ok("It is in force.", &[shape::<GraceView>])]).ordered::<Order>();

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

pub(in crate::admin) async fn set(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&[])?;
    let order: Order = decode(body, ORDER_MAX).await?;
    if place.domain.state != lifecycle::State::Live {
        return Err(Refusal::NoSuchBucket.into());
    }
    let grace = order.object_delete_delay.as_deref();
    let grace = grace.map(|text| duration("object_delete_delay", text)).transpose()?;
    let shown = grace.map(|grace| humantime::format_duration(grace).to_string());
    asked.trail.detail(format!("object_delete_delay={}", shown.as_deref().unwrap_or("default")));
    asked.gateway.metadata.set_object_grace(place.bucket.id, grace).await?;
    ok(&GraceView { bucket: place.bucket.name, bucket_id: place.bucket.id, object_delete_delay: shown })
}
