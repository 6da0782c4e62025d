//! Restoring a removed domain or bucket, with everything that was live in it.

use super::quotas::is_over;
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape};
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::ContainerView;
use crate::http::BodyReader;
use lifecycle::{BucketName, ContainerId, DomainName, State};
use metadata::{Container, ContainerKind, RestoreOrder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RestoreOrder")]
struct Order {
    /// Another name than it had.
    #[serde(rename = "as")]
    as_name: Option<String>,
    /// Tell what would come back, and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// How restoring a container is answered.
pub(super) const RESTORED: Answer =
    Answer::ok("It is back; of a dry run: what would be.", &[shape::<Restored>, shape::<Would>]);

pub(in crate::admin) const RESTORE: Described = Described::answers(&[RESTORED]).ordered::<Order>();

pub(in crate::admin) async fn domain(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let domain = scope::domain(asked, Want::Removed).await?;
    let actor = asked.require(Some(domain.id), None)?.name.to_string();
    asked.only(&[])?;
    let order: Order = decode(body, ORDER_MAX).await?;
    let as_name = match &order.as_name {
        Some(name) => Some(DomainName::parse(name).map_err(|bad| Complaint::bad_request(bad.to_string()))?),
        None => None,
    };
    let as_name = as_name.map(|name| name.as_str().to_owned());
    let how = RestoreOrder { as_name, actor, ..RestoreOrder::default() };
    if order.dry_run {
        let restored =
            asked.gateway.metadata.rehearsal().restore(ContainerKind::Domain, domain.id, how).await?;
        asked.trail.detail("dry_run=true".to_owned());
        return would(asked, domain.id, restored).await;
    }
    let restored = asked.gateway.metadata.restore(ContainerKind::Domain, domain.id, how).await?;
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
    let how = RestoreOrder { as_name, actor, ..RestoreOrder::default() };
    if order.dry_run {
        let metadata = asked.gateway.metadata.rehearsal();
        let restored = metadata.restore(ContainerKind::Bucket, place.bucket.id, how).await?;
        asked.trail.detail("dry_run=true".to_owned());
        return would(asked, place.bucket.id, restored).await;
    }
    let restored = asked.gateway.metadata.restore(ContainerKind::Bucket, place.bucket.id, how).await?;
    asked.gateway.metrics.restored(1);
    asked.trail.held(asked.gateway, restored.id, &restored).await;
    restored_bucket(asked, restored).await
}

/// What came back.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RestoredContainer")]
struct Restored {
    /// A restore is never refused for a quota: there is more now than may be.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    over_quota: bool,
    #[serde(flatten)]
    container: ContainerView,
}

/// Answers with what came back.
pub(super) async fn restored_bucket(asked: &Asked<'_>, restored: Container) -> Answered {
    let over_quota = is_over(asked, &restored).await?;
    ok(&Restored { over_quota, container: ContainerView::new(restored, State::Live) })
}

/// What a dry run answers: the container as it would be, and what it held when it was removed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WouldRestore")]
struct Would {
    dry_run: bool,
    objects: Option<u64>,
    bytes: Option<u64>,
    #[serde(flatten)]
    container: ContainerView,
}

/// Answers what restoring what was removed as `target` would have come to.
pub(super) async fn would(asked: &Asked<'_>, target: ContainerId, restored: Container) -> Answered {
    let removal = asked.gateway.metadata.removal(target).await?;
    let (objects, bytes) = removal.map(|removal| (removal.objects, removal.bytes)).unzip();
    ok(&Would { dry_run: true, objects, bytes, container: ContainerView::new(restored, State::Live) })
}

/// A bucket's new name, if one was given.
pub(super) fn bucket_name(text: Option<String>) -> Result<Option<BucketName>, Complaint> {
    let parse =
        |text: String| BucketName::parse(&text).map_err(|bad| Complaint::bad_request(bad.to_string()));
    text.map(parse).transpose()
}
