//! Restoring a removed domain or bucket by making it again with its old UUID (SCSP section 3.6). A UUID that nothing is
//! known of is made only by force: by an administrator who rebuilds what a disaster took.

use crate::audit;
use crate::http::Body;
use crate::objects::headers::{decode, encode};
use crate::scsp::authorization::{Access, Protected};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::{overlay, policies};
use crate::scsp::ops::write_context::{context_headers, created, domain_name, new_container, refuse_body};
use crate::scsp::request::Target;
use http::Response;
use lifecycle::{ContainerId, Refusal, Right, State};
use metadata::{Container, ContainerKind, Failure, NewContainer, RestoreOrder};

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
    let forced = exchange.asked.flag("admin")? && exchange.asked.flag("force")?;
    let Some(container) = find(&exchange, kind, cid).await? else {
        return if forced { make(&exchange, cid).await } else { Err(Refusal::Unknown.into()) };
    };
    match container.parent {
        Some(domain) => exchange.principal.require(Right::Restore, Some(domain), Some(cid))?,
        None => exchange.principal.require(Right::Restore, Some(cid), None)?,
    }
    refuse_what_is_past_return(&exchange, &container).await?;
    // Being restored changes a context, perhaps its headers and its name too; a bucket is made in its domain by it.
    match container.parent {
        Some(parent) => {
            let domain =
                exchange.locate(None).await?.ok_or_else(|| Trouble::refused(&Refusal::ContainerGone))?.domain;
            if domain.id != parent {
                return Err(Refusal::WrongParent.into());
            }
            exchange.authorize(Access::Post, Protected::domain(&domain))?;
            exchange.authorize(Access::Put, Protected::bucket(&domain, &container))?;
        }
        None => exchange.authorize(Access::Put, Protected::domain(&container))?,
    }
    let sent = context_headers(&exchange)?;
    let headers = match exchange.asked.query.get("preserve").map(str::to_ascii_lowercase).as_deref() {
        Some("no" | "false") => Some(sent),
        _ if sent.is_empty() => None,
        _ => Some(overlay(decode(&container.headers), sent)),
    };
    let order = RestoreOrder {
        as_name: Some(name),
        policies: headers.as_deref().map(|headers| policies(headers, kind)).transpose()?.unwrap_or_default(),
        headers: headers.as_deref().map(encode),
        allowed: exchange.gateway.settings.policy.allowed(),
        actor: exchange.principal.name.to_string(),
    };
    let restored = exchange.gateway.metadata.restore(kind, cid, order).await?;
    exchange.gateway.metrics.restored(1);
    let request = exchange.trail.id;
    audit::restored(exchange.gateway, request, &exchange.principal.name, &restored).await;
    tracing::info!(%request, uuid = %restored.id, name = %restored.name, actor = %exchange.principal.name, "restored");
    Ok(created(&exchange, &restored))
}

/// The container of this kind with this UUID; `None`: nothing is known of the UUID, whatever it may once have been.
async fn find(
    exchange: &Exchange<'_>,
    kind: ContainerKind,
    cid: ContainerId,
) -> Result<Option<Container>, Trouble> {
    let metadata = &exchange.gateway.metadata;
    if let Some(container) = metadata.container(kind, cid).await? {
        return Ok(Some(container));
    }
    exchange.principal.require_somewhere(Right::Restore)?;
    match metadata.refuse_used_uuid(kind, cid).await {
        // What stands for nothing is not known either, and is not made by force.
        Ok(()) | Err(Failure::Refused(Refusal::Protected)) => Ok(None),
        Err(Failure::Refused(refusal)) => Err(used(&refusal)),
        Err(failure) => Err(failure.into()),
    }
}

/// The UUID is that of something else, which cannot be made a domain or bucket.
fn used(refusal: &Refusal) -> Trouble {
    match refusal {
        Refusal::AlreadyLive => {
            Trouble::new(409, "ContextLive", "The UUID is that of something else, which is live.")
        }
        Refusal::Purged => Trouble::new(
            410,
            "ContextPurged",
            "The UUID is that of something else, which was deleted and is remembered; it is never used again.",
        ),
        refusal => Trouble::refused(refusal),
    }
}

/// What is being purged is not restored, by force neither, whether it is purged by itself or with its domain: there is no
/// partial restore.
async fn refuse_what_is_past_return(exchange: &Exchange<'_>, container: &Container) -> Result<(), Trouble> {
    let above = match container.parent {
        None => State::Live,
        Some(domain) => {
            let domain = exchange.gateway.metadata.container(ContainerKind::Domain, domain).await?;
            domain.map_or(State::Purged, |domain| domain.state)
        }
    };
    match container.state.under(above) {
        State::Purging => Err(Refusal::PurgeStarted.into()),
        State::Purged | State::Forgotten => Err(Refusal::Purged.into()),
        State::Staged | State::Live | State::Removed => Ok(()),
    }
}

/// Makes a new, empty domain or bucket under a given UUID, so that what still points at it has something to point at.
async fn make(exchange: &Exchange<'_>, cid: ContainerId) -> Result<Response<Body>, Trouble> {
    exchange.principal.require(Right::Admin, None, None)?;
    let kind = match &exchange.asked.target {
        Target::Bucket(_) => ContainerKind::Bucket,
        Target::Root | Target::Uuid(_) | Target::Object(..) | Target::Child(_) => ContainerKind::Domain,
    };
    let headers = context_headers(exchange)?;
    let policies = policies(&headers, kind)?;
    let new = NewContainer { id: Some(cid), ..new_container(exchange, &headers, policies) };
    let metadata = &exchange.gateway.metadata;
    let made = match &exchange.asked.target {
        Target::Bucket(name) => {
            let (located, _) = exchange.locate_to_write(None).await?;
            exchange.authorize(Access::Post, Protected::domain(&located.domain))?;
            metadata.create_bucket(located.domain.id, name, new).await
        }
        Target::Root | Target::Uuid(_) | Target::Object(..) | Target::Child(_) => {
            metadata.create_domain(domain_name(exchange)?, new).await
        }
    };
    let made = made.map_err(|failure| match failure {
        Failure::Refused(Refusal::Protected) => Trouble::new(
            400,
            "BadRecreateCid",
            "The UUID of all zeros or all ones stands for nothing and is no domain's or bucket's.",
        ),
        failure => failure.into(),
    })?;
    tracing::warn!(uuid = %made.id, name = %made.name, actor = %exchange.principal.name, "made by force");
    Ok(created(exchange, &made))
}
