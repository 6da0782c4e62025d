//! WRITE, UPDATE, COPY and APPEND of a domain or bucket: making one, replacing its headers, or its name (SCSP sections 2.4
//! to 2.7). Its UUID stays, and with it everything inside.

use crate::http::Body;
use crate::objects::headers::{decode, encode};
use crate::scsp::answer::{describe_context, encoded, evaluate_policies, new, set};
use crate::scsp::authorization::{Access, Protected};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::{Merge, Pair, judge_context, pick, policies};
use crate::scsp::ops::append::merge;
use crate::scsp::ops::write::condition;
use crate::scsp::request::Target;
use ::access::Action;
use http::{Response, StatusCode};
use lifecycle::condition::{Tags, There};
use lifecycle::{BucketName, Condition, ContainerId, DomainName, Refusal, Right, State};
use metadata::{Changed, Container, ContainerKind, ContextChange, Failure, NewContainer, Policies};

/// How often a context is looked at again that changes in the moment of its change.
const TRIES: usize = 8;

/// POST: the context is made, or has its headers replaced if it is there. It keeps its UUID then.
pub(in crate::scsp) async fn write_context(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    refuse_for_contexts(&exchange, &["newname", "aliasuuid", "preserve", "replace"])?;
    if exchange.gateway.settings.scsp.explicit_context_create && !exchange.asked.context_type {
        return Err(Trouble::new(
            400,
            "ExplicitContextRequired",
            "A path of one name makes a bucket; send Content-Type: application/castorcontext if that is meant.",
        ));
    }
    refuse_body(&mut exchange).await?;
    let conditions = condition(&exchange)?;
    match &exchange.asked.target {
        Target::Bucket(name) => {
            let headers = context_headers(&exchange)?;
            let policies = policies(&headers, ContainerKind::Bucket)?;
            let (located, _) = exchange.locate_to_write(None).await?;
            exchange.principal.require_to_make_buckets(located.domain.id)?;
            let new = new_container(&exchange, &headers, policies);
            let made = match conditions.holds(None) {
                true => {
                    exchange.authorize(Access::Post, Protected::domain(&located.domain))?;
                    Some(exchange.gateway.metadata.create_bucket(located.domain.id, name, new).await)
                }
                false => None,
            };
            let existing = exchange.locate(Some(name)).await?.and_then(|located| located.bucket);
            made_or_changed(&exchange, made, existing, headers, conditions).await
        }
        Target::Root | Target::Uuid(_) | Target::Object(..) | Target::Child(_) => {
            let headers = context_headers(&exchange)?;
            let policies = policies(&headers, ContainerKind::Domain)?;
            exchange.principal.require(Right::Admin, None, None)?;
            let name = domain_name(&exchange)?;
            let new = new_container(&exchange, &headers, policies);
            let made = match conditions.holds(None) {
                true => Some(exchange.gateway.metadata.create_domain(name, new).await),
                false => None,
            };
            let existing = exchange.gateway.metadata.domain_named(name.as_str()).await?;
            let existing = existing.filter(|domain| domain.state == State::Live);
            made_or_changed(&exchange, made, existing, headers, conditions).await
        }
    }
}

/// PUT: the context must be there; its headers are replaced.
pub(in crate::scsp) async fn update_context(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    if exchange.asked.query.contains("putcreate") {
        return Err(Trouble::new(
            400,
            "BadArgument",
            "The argument putcreate is not for domains and buckets.",
        ));
    }
    refuse_for_contexts(&exchange, &["replace"])?;
    let merge = if exchange.asked.flag("preserve")? { Merge::Preserve } else { Merge::Replace };
    change_existing(exchange, Access::Put, merge).await
}

/// COPY: as PUT.
pub(in crate::scsp) async fn copy_context(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    refuse_for_contexts(&exchange, &["replace"])?;
    let merge = if exchange.asked.flag("preserve")? { Merge::Preserve } else { Merge::Replace };
    change_existing(exchange, Access::Copy, merge).await
}

/// APPEND: the headers stay, and what is sent is laid over them.
pub(in crate::scsp) async fn append_context(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    let merge = merge(&exchange)?;
    change_existing(exchange, Access::Append, merge).await
}

async fn change_existing(
    mut exchange: Exchange<'_>,
    access: Access,
    merge: Merge,
) -> Result<Response<Body>, Trouble> {
    refuse_for_contexts(&exchange, &["version"])?;
    refuse_body(&mut exchange).await?;
    let asked = condition(&exchange)?;
    let mut tries = 0;
    loop {
        tries += 1;
        let container = existing(&exchange).await?;
        authorize(&exchange, access, &container).await?;
        let as_name = newname(&exchange, container.kind)?;
        let headers = merge.apply(decode(&container.headers), context_headers(&exchange)?);
        let etag = container.etag.to_string();
        // What is merged is merged into what was read. A header that came in between must not get lost.
        let merged =
            merge != Merge::Replace && asked.holds(Some(There::headers(&etag, container.changed_at)));
        let conditions = match merged {
            true => Condition { if_match: Some(Tags::List(vec![etag])), ..Condition::NONE },
            false => asked.clone(),
        };
        match change(&exchange, &container, headers, as_name, conditions).await {
            Ok(changed) => return Ok(answer(&exchange, &changed)),
            Err(trouble) if merged && trouble.token == "ConditionalIfMatch" && tries < TRIES => {}
            Err(trouble) => return Err(trouble),
        }
    }
}

/// What changing a bucket's headers is called where policies speak of it: with them go versioning and lifecycle.
const CHANGES: Action = Action::PutBucketVersioning;

/// The live context that is addressed, by name; `aliasuuid` says by its UUID which one is meant.
async fn existing(exchange: &Exchange<'_>) -> Result<Container, Trouble> {
    let container = match &exchange.asked.target {
        Target::Bucket(name) => {
            let Some(located) = exchange.locate(Some(name)).await? else {
                exchange.principal.require_somewhere(Right::Write)?;
                return Err(Trouble::not_found());
            };
            let Some(bucket) = located.bucket else {
                exchange.principal.require_to_make_buckets(located.domain.id)?;
                return Err(Trouble::not_found());
            };
            exchange.permit(Right::Write, CHANGES, (&bucket).into(), None).await?;
            bucket
        }
        Target::Root | Target::Uuid(_) | Target::Object(..) | Target::Child(_) => {
            exchange.principal.require(Right::Admin, None, None)?;
            exchange.locate(None).await?.ok_or_else(Trouble::not_found)?.domain
        }
    };
    let Some(uuid) = exchange.asked.query.get("aliasuuid") else { return Ok(container) };
    let uuid: ContainerId = uuid.parse().map_err(|bad| Trouble::bad_request("BadArgument", &bad))?;
    // Two live ones never share a name here, so a UUID can only say that this is the right one.
    if uuid == container.id { Ok(container) } else { Err(Trouble::not_found()) }
}

async fn authorize(exchange: &Exchange<'_>, access: Access, container: &Container) -> Result<(), Trouble> {
    match container.parent {
        None => exchange.authorize(access, Protected::domain(container)),
        Some(_) => {
            let located = exchange.locate(None).await?.ok_or_else(Trouble::not_found)?;
            exchange.authorize(access, Protected::bucket(&located.domain, container))
        }
    }
}

/// The name that the context is to have from now on.
fn newname(exchange: &Exchange<'_>, kind: ContainerKind) -> Result<Option<String>, Trouble> {
    let Some(text) = exchange.asked.query.get("newname") else { return Ok(None) };
    let bad = |bad: &dyn std::fmt::Display| Trouble::bad_request("BadName", bad);
    let name = match kind {
        ContainerKind::Domain => DomainName::parse(text).map_err(|b| bad(&b))?.as_str().to_owned(),
        ContainerKind::Bucket | ContainerKind::Contents => {
            BucketName::parse(text).map_err(|b| bad(&b))?.as_str().to_owned()
        }
    };
    Ok(Some(name))
}

/// The headers to keep. The context's own type is how a request says what it is, not something to keep.
pub(super) fn context_headers(exchange: &Exchange<'_>) -> Result<Vec<Pair>, Trouble> {
    let mut headers = pick(&exchange.parts.headers)?;
    if exchange.asked.context_type {
        headers.retain(|(name, _)| name != "content-type");
    }
    Ok(judge_context(headers, exchange.gateway.settings.lifepoint.strict)?.headers)
}

pub(super) fn new_container(exchange: &Exchange<'_>, headers: &[Pair], policies: Policies) -> NewContainer {
    NewContainer {
        headers: encode(headers),
        policies,
        allowed: exchange.gateway.settings.policy.allowed(),
        owner: exchange.principal.owner(),
        actor: exchange.principal.name.to_string(),
        ..NewContainer::default()
    }
}

fn refuse_for_contexts(exchange: &Exchange<'_>, arguments: &[&str]) -> Result<(), Trouble> {
    match arguments.iter().find(|name| exchange.asked.query.contains(name)) {
        Some(name) => Err(Trouble::new(
            400,
            "BadArgument",
            format!("The argument {name} is not for {} of a domain or bucket.", exchange.parts.method),
        )),
        None => Ok(()),
    }
}

/// `made`: what came of making it; `None` where a condition wants it to be there already.
async fn made_or_changed(
    exchange: &Exchange<'_>,
    made: Option<Result<Container, Failure>>,
    existing: Option<Container>,
    headers: Vec<Pair>,
    conditions: Condition,
) -> Result<Response<Body>, Trouble> {
    match (made, existing) {
        (Some(Ok(made)), _) => Ok(created(exchange, &made)),
        (None | Some(Err(Failure::Refused(Refusal::NameInUse))), Some(existing)) => {
            if existing.kind == ContainerKind::Bucket {
                exchange.permit(Right::Write, CHANGES, (&existing).into(), None).await?;
            }
            authorize(exchange, Access::Put, &existing).await?;
            let changed = change(exchange, &existing, headers, None, conditions).await?;
            Ok(answer(exchange, &changed))
        }
        (None, None) => Err(Trouble::condition_failed()),
        (Some(Err(Failure::Refused(Refusal::NoSuchDomain))), _) => {
            Err(Trouble::requires_context(exchange.domains().0.unwrap_or(exchange.domains().1), None))
        }
        (Some(Err(failure)), _) => Err(failure.into()),
    }
}

async fn change(
    exchange: &Exchange<'_>,
    container: &Container,
    headers: Vec<Pair>,
    as_name: Option<String>,
    condition: Condition,
) -> Result<Changed, Trouble> {
    let change = ContextChange {
        versioning: None,
        policies: policies(&headers, container.kind)?,
        headers: encode(&headers),
        allowed: exchange.gateway.settings.policy.allowed(),
        as_name: as_name.filter(|name| *name != container.name),
        condition,
        actor: exchange.principal.name.to_string(),
    };
    let changed = exchange.gateway.metadata.change_context(container.kind, container.id, change).await;
    // History may have to go now, and the lifecycle be planned anew.
    if changed.is_ok() {
        exchange.gateway.wake_background();
    }
    changed.map_err(|failure| match failure {
        Failure::Refused(Refusal::ConditionFailed { .. }) => {
            Trouble::from(failure).with_etag(&format!("\"{}\"", container.etag))
        }
        failure => failure.into(),
    })
}

/// 201 for what was changed. That versions go because of it is said at once, and until when they can be had back.
fn answer(exchange: &Exchange<'_>, changed: &Changed) -> Response<Body> {
    let mut response = created(exchange, &changed.container);
    if changed.erases_history {
        let until = exchange.gateway.clock.now().plus(exchange.gateway.settings.object_delete_delay);
        set(
            response.headers_mut(),
            "barrow-history",
            format_args!(
                "versions that are not current are being removed; restorable until about {}",
                until.to_http_date()
            ),
        );
    }
    response
}

/// A domain is made by its own name, never by whatever a proxy put into Host by accident of addressing.
pub(super) fn domain_name<'a>(exchange: &'a Exchange<'_>) -> Result<&'a DomainName, Trouble> {
    exchange.asked.domain.name.as_ref().ok_or_else(|| {
        Trouble::new(400, "NameRequired", "The request names no domain; use the domain argument.")
    })
}

pub(super) async fn refuse_body(exchange: &mut Exchange<'_>) -> Result<(), Trouble> {
    let body = exchange.body.collect(0).await;
    match body {
        Ok(_) => Ok(()),
        Err(_) => Err(Trouble::new(400, "BodyNotAllowed", "Domains and buckets have no body.")),
    }
}

pub(super) fn created(exchange: &Exchange<'_>, container: &Container) -> Response<Body> {
    let mut response = new(StatusCode::CREATED, Body::from("<html><body>New stream created</body></html>"));
    let headers = response.headers_mut();
    describe_context(headers, container);
    evaluate_policies(headers, container, exchange.gateway.settings.policy.versioning);
    set(headers, "content-type", "text/html");
    set(headers, "content-uuid", container.id);
    set(headers, "replica-count", 1);
    let host = exchange
        .parts
        .headers
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    match container.kind {
        ContainerKind::Domain => {
            set(headers, "location", format_args!("http://{host}/?domain={}", container.name))
        }
        ContainerKind::Bucket | ContainerKind::Contents => {
            set(headers, "location", format_args!("http://{host}/{}", encoded(&container.name)));
        }
    }
    response
}
