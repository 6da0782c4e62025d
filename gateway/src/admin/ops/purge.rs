//! Purging a removed domain or bucket before its time: the point of no return.

use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, json};
use crate::admin::scope::{self, Want};
use crate::admin::view::ContainerView;
use crate::http::BodyReader;
use http::StatusCode;
use lifecycle::State;
use metadata::ContainerKind;
use serde::Deserialize;

/// Nothing can be chosen; a field that is meant to choose something is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {}

pub(in crate::admin) async fn domain(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let domain = scope::domain(asked, Want::Removed).await?;
    let actor = asked.require(Some(domain.id), None)?.name.to_string();
    asked.only(&[])?;
    let Order {} = decode(body, ORDER_MAX).await?;
    let purging = asked.gateway.metadata.purge_early(ContainerKind::Domain, domain.id, actor).await?;
    asked.trail.held(asked.gateway, purging.id, &purging).await;
    asked.gateway.wake_background();
    json(StatusCode::ACCEPTED, &ContainerView::new(purging, State::Live))
}

pub(in crate::admin) async fn bucket(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Removed).await?;
    let actor = asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string();
    asked.only(&[])?;
    let Order {} = decode(body, ORDER_MAX).await?;
    let bucket = place.bucket.id;
    let purging = asked.gateway.metadata.purge_early(ContainerKind::Bucket, bucket, actor).await?;
    asked.trail.held(asked.gateway, purging.id, &purging).await;
    asked.gateway.wake_background();
    json(StatusCode::ACCEPTED, &ContainerView::new(purging, place.domain.state))
}
