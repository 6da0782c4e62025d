//! WRITE and UPDATE of a domain or bucket: making one, or replacing its headers (SCSP sections 2.4 and 2.5).

use crate::http::Body;
use crate::http::headers::write_conditions;
use crate::objects::headers::encode;
use crate::scsp::answer::{describe_context, encoded, new, set};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::keep;
use crate::scsp::request::Target;
use http::{Response, StatusCode};
use lifecycle::{Condition, DomainName, Refusal, Right, State};
use metadata::{Container, ContainerKind, Failure, NewContainer};

const UNBUILT: [&str; 4] = ["newname", "aliasuuid", "preserve", "replace"];

/// POST: the context is made, or has its headers replaced if it is there. It keeps its UUID then.
pub(in crate::scsp) async fn write_context(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    exchange.asked.refuse_unbuilt(&UNBUILT)?;
    if exchange.gateway.settings.scsp.explicit_context_create && !exchange.asked.context_type {
        return Err(Trouble::new(
            400,
            "ExplicitContextRequired",
            "A path of one name makes a bucket; send Content-Type: application/castorcontext if that is meant.",
        ));
    }
    refuse_body(&mut exchange).await?;
    let headers = encode(&keep(&exchange.parts.headers)?.headers);
    let conditions = conditions(&exchange)?;
    let new = NewContainer {
        headers: headers.clone(),
        owner: exchange.principal.owner(),
        actor: exchange.principal.name.to_string(),
    };
    let container = match &exchange.asked.target {
        Target::Bucket(name) => {
            let (located, _) = exchange.locate_to_write(None).await?;
            exchange.principal.require(Right::Write, Some(located.domain.id), None)?;
            let made = match conditions.holds(None) {
                true => Some(exchange.gateway.metadata.create_bucket(located.domain.id, name, new).await),
                false => None,
            };
            let existing = exchange.locate(Some(name)).await?.and_then(|located| located.bucket);
            made_or_changed(&exchange, made, existing, headers, conditions).await?
        }
        Target::Root | Target::Uuid(_) | Target::Object(..) | Target::Child(_) => {
            exchange.principal.require(Right::Admin, None, None)?;
            let name = domain_name(&exchange)?;
            let made = match conditions.holds(None) {
                true => Some(exchange.gateway.metadata.create_domain(name, new).await),
                false => None,
            };
            let existing = exchange.gateway.metadata.domain_named(name.as_str()).await?;
            let existing = existing.filter(|domain| domain.state == State::Live);
            made_or_changed(&exchange, made, existing, headers, conditions).await?
        }
    };
    Ok(created(&exchange, &container))
}

/// PUT: the context must be there.
pub(in crate::scsp) async fn update_context(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    if exchange.asked.query.contains("putcreate") {
        return Err(Trouble::new(
            400,
            "BadArgument",
            "The argument putcreate is not for domains and buckets.",
        ));
    }
    exchange.asked.refuse_unbuilt(&UNBUILT)?;
    refuse_body(&mut exchange).await?;
    let headers = encode(&keep(&exchange.parts.headers)?.headers);
    let conditions = conditions(&exchange)?;
    let container = match &exchange.asked.target {
        Target::Bucket(name) => {
            let Some(located) = exchange.locate(Some(name)).await? else {
                exchange.principal.require_somewhere(Right::Write)?;
                return Err(Trouble::not_found());
            };
            exchange.principal.require(
                Right::Write,
                Some(located.domain.id),
                located.bucket.as_ref().map(|b| b.id),
            )?;
            located.bucket.ok_or_else(Trouble::not_found)?
        }
        Target::Root | Target::Uuid(_) | Target::Object(..) | Target::Child(_) => {
            exchange.principal.require(Right::Admin, None, None)?;
            exchange.locate(None).await?.ok_or_else(Trouble::not_found)?.domain
        }
    };
    let changed = change(&exchange, container, headers, conditions).await?;
    Ok(created(&exchange, &changed))
}

/// `made`: what came of making it; `None` where a condition wants it to be there already.
async fn made_or_changed(
    exchange: &Exchange<'_>,
    made: Option<Result<Container, Failure>>,
    existing: Option<Container>,
    headers: String,
    conditions: Condition,
) -> Result<Container, Trouble> {
    match (made, existing) {
        (Some(Ok(made)), _) => Ok(made),
        (None | Some(Err(Failure::Refused(Refusal::NameInUse))), Some(existing)) => {
            change(exchange, existing, headers, conditions).await
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
    container: Container,
    headers: String,
    conditions: Condition,
) -> Result<Container, Trouble> {
    let actor = exchange.principal.name.to_string();
    let metadata = &exchange.gateway.metadata;
    let changed = metadata.change_headers(container.kind, container.id, headers, conditions, actor).await;
    changed.map_err(|failure| match failure {
        Failure::Refused(Refusal::ConditionFailed { .. }) => {
            Trouble::from(failure).with_etag(&format!("\"{}\"", container.etag))
        }
        failure => failure.into(),
    })
}

fn conditions(exchange: &Exchange<'_>) -> Result<Condition, Trouble> {
    let conditions = write_conditions(&exchange.parts.headers);
    Ok(conditions.map_err(|bad| Trouble::bad_request("BadHeader", &bad))?.into())
}

/// A domain is made by its own name, never by whatever a proxy put into Host by accident of addressing.
fn domain_name<'a>(exchange: &'a Exchange<'_>) -> Result<&'a DomainName, Trouble> {
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
