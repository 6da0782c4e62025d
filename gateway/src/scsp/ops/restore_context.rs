//! Restoring a removed domain or bucket by making it again with its old UUID (SCSP section 3.6).

use crate::http::Body;
use crate::objects::headers::{decode, encode};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::{keep, overlay};
use crate::scsp::ops::write_context::{created, refuse_body};
use crate::scsp::request::Target;
use http::Response;
use lifecycle::{ContainerId, Refusal, Right};
use metadata::{Container, ContainerKind, RestoreOrder};

pub(in crate::scsp) async fn restore_context(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    let cid = exchange.asked.query.get("recreatecid").unwrap_or_default();
    let cid: ContainerId = cid.parse().map_err(|bad| Trouble::bad_request("BadRecreateCid", &bad))?;
    refuse_body(&mut exchange).await?;
    let (kind, name) = match &exchange.asked.target {
        Target::Bucket(bucket) => (ContainerKind::Bucket, bucket.as_str().to_owned()),
        Target::Root => match &exchange.asked.domain.name {
            Some(domain) => (ContainerKind::Domain, domain.as_str().to_owned()),
            None => return Err(Trouble::new(400, "NameRequired", "The request names no domain.")),
        },
        Target::Uuid(_) | Target::Object(..) | Target::Child(_) => {
            return Err(Trouble::new(
                400,
                "BadRecreateCid",
                "Only domains and buckets are made again by UUID.",
            ));
        }
    };
    let container = find(&exchange, kind, cid).await?;
    match container.parent {
        Some(domain) => exchange.principal.require(Right::Restore, Some(domain), Some(cid))?,
        None => exchange.principal.require(Right::Restore, Some(cid), None)?,
    }
    if let Some(parent) = container.parent {
        let domain =
            exchange.locate(None).await?.ok_or_else(|| Trouble::refused(&Refusal::ContainerGone))?.domain;
        if domain.id != parent {
            return Err(Refusal::WrongParent.into());
        }
    }
    let sent = keep(&exchange.parts.headers)?.headers;
    // The context's own type is how the request says what it is, not something to keep.
    let sent: Vec<_> = sent.into_iter().filter(|(name, _)| name != "content-type").collect();
    let headers = match exchange.asked.query.get("preserve").map(str::to_ascii_lowercase).as_deref() {
        Some("no" | "false") => Some(encode(&sent)),
        _ if sent.is_empty() => None,
        _ => Some(encode(&overlay(decode(&container.headers), sent))),
    };
    let order = RestoreOrder { as_name: Some(name), headers, actor: exchange.principal.name.to_string() };
    let restored = exchange.gateway.metadata.restore(kind, cid, order).await?;
    exchange.gateway.metrics.restored(1);
    tracing::info!(uuid = %restored.id, name = %restored.name, actor = %exchange.principal.name, "restored");
    Ok(created(&exchange, &restored))
}

/// The container, or what is wrong with the UUID.
async fn find(exchange: &Exchange<'_>, kind: ContainerKind, cid: ContainerId) -> Result<Container, Trouble> {
    let metadata = &exchange.gateway.metadata;
    if let Some(container) = metadata.container(kind, cid).await? {
        return Ok(container);
    }
    exchange.principal.require_somewhere(Right::Restore)?;
    let other = match kind {
        ContainerKind::Domain => ContainerKind::Bucket,
        ContainerKind::Bucket | ContainerKind::Contents => ContainerKind::Domain,
    };
    match metadata.container(other, cid).await? {
        Some(_) => Err(Refusal::WrongKind.into()),
        None => Err(Refusal::Unknown.into()),
    }
}
