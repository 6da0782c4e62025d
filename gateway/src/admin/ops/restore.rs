//! Restoring a removed domain or bucket, with everything that was live in it.

use crate::admin::error::Complaint;
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::ContainerView;
use crate::http::BodyReader;
use lifecycle::{BucketName, DomainName, State};
use metadata::{ContainerKind, RestoreOrder};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    /// Another name than it had.
    #[serde(rename = "as")]
    as_name: Option<String>,
}

pub(in crate::admin) async fn domain(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let domain = scope::domain(asked, Want::Removed).await?;
    let actor = asked.require(Some(domain.id), None)?.name.to_string();
    asked.only(&[])?;
    let order: Order = decode(body, ORDER_MAX).await?;
    let as_name = match order.as_name {
        Some(name) => Some(DomainName::parse(&name).map_err(|bad| Complaint::bad_request(bad.to_string()))?),
        None => None,
    };
    let as_name = as_name.map(|name| name.as_str().to_owned());
    let order = RestoreOrder { as_name, actor, ..RestoreOrder::default() };
    let restored = asked.gateway.metadata.restore(ContainerKind::Domain, domain.id, order).await?;
    asked.gateway.metrics.restored(1);
    asked.trail.held(asked.gateway, restored.id, &restored).await;
    ok(&ContainerView::new(restored, State::Live))
}

pub(in crate::admin) async fn bucket(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Removed).await?;
    let actor = asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string();
    asked.only(&[])?;
    let order: Order = decode(body, ORDER_MAX).await?;
    let as_name = bucket_name(order.as_name)?.map(|name| name.as_str().to_owned());
    let order = RestoreOrder { as_name, actor, ..RestoreOrder::default() };
    let restored = asked.gateway.metadata.restore(ContainerKind::Bucket, place.bucket.id, order).await?;
    asked.gateway.metrics.restored(1);
    asked.trail.held(asked.gateway, restored.id, &restored).await;
    ok(&ContainerView::new(restored, State::Live))
}

/// A bucket's new name, if one was given.
pub(super) fn bucket_name(text: Option<String>) -> Result<Option<BucketName>, Complaint> {
    let parse =
        |text: String| BucketName::parse(&text).map_err(|bad| Complaint::bad_request(bad.to_string()));
    text.map(parse).transpose()
}
