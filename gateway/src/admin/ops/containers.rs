//! Listing, showing and making domains and buckets.

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape};
use crate::admin::request::{Answered, Asked, LIMIT, ORDER_MAX, decode, json, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::ContainerView;
use crate::http::BodyReader;
use crate::objects::headers;
use http::StatusCode;
use lifecycle::{BucketName, ContainerId, DomainName, Refusal, State};
use metadata::{Container, NewContainer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A container is never staged, and a forgotten one is no row.
const STATES: [State; 4] = [State::Live, State::Removed, State::Purging, State::Purged];

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewContainer")]
struct New {
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Containers")]
struct Page {
    items: Vec<ContainerView>,
    next: Option<String>,
}

pub(in crate::admin) const LIST: Described =
    Described::answers(&[Answer::ok("A page of them.", &[shape::<Page>])]).asked_with(&[
        Argument::state("Only those whose own state is this.", &STATES),
        Argument::PREFIX,
        Argument::AFTER,
        LIMIT,
    ]);
pub(in crate::admin) const SHOW: Described =
    Described::answers(&[Answer::ok("This is it.", &[shape::<ContainerView>])]);
pub(in crate::admin) const CREATE: Described =
    Described::answers(&[Answer::new(201, "It was made.", &[shape::<ContainerView>])]).ordered::<New>();

pub(in crate::admin) async fn list_domains(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    list(asked, None, State::Live).await
}

pub(in crate::admin) async fn list_buckets(asked: &Asked<'_>) -> Answered {
    let domain = scope::domain(asked, Want::Live).await?;
    list(asked, Some(domain.id), domain.state).await
}

async fn list(asked: &Asked<'_>, domain: Option<ContainerId>, above: State) -> Answered {
    asked.only(&["state", "prefix", "after", "limit"])?;
    let (state, after, limit) = (asked.state(&STATES)?, asked.after()?, asked.limit()?);
    let page = asked.gateway.metadata.list_containers(domain, state, asked.prefix(), after, limit).await?;
    let items = page.items.into_iter().map(|item| ContainerView::new(item, above)).collect();
    ok(&Page { items, next: page.next })
}

pub(in crate::admin) async fn show_domain(asked: &Asked<'_>) -> Answered {
    asked.only(&[])?;
    let domain = scope::domain(asked, Want::Live).await?;
    refuse_gone(asked.params.get("domain"), &domain, Refusal::NoSuchDomain)?;
    ok(&ContainerView::new(domain, State::Live))
}

pub(in crate::admin) async fn show_bucket(asked: &Asked<'_>) -> Answered {
    asked.only(&[])?;
    let place = scope::bucket(asked, Want::Live).await?;
    refuse_gone(asked.params.get("bucket"), &place.bucket, Refusal::NoSuchBucket)?;
    ok(&ContainerView::new(place.bucket, place.domain.state))
}

pub(in crate::admin) async fn create_domain(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let principal = asked.require(None, None)?;
    asked.only(&[])?;
    let new: New = decode(body, ORDER_MAX).await?;
    let name = DomainName::parse(&new.name).map_err(|bad| Complaint::bad_request(bad.to_string()))?;
    asked.trail.names(None, name.as_str());
    let made = asked.gateway.metadata.create_domain(&name, by(asked, principal)).await?;
    asked.trail.found(&made);
    json(StatusCode::CREATED, &ContainerView::new(made, State::Live))
}

pub(in crate::admin) async fn create_bucket(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let domain = scope::domain(asked, Want::Live).await?;
    let principal = asked.require(Some(domain.id), None)?;
    asked.only(&[])?;
    let new: New = decode(body, ORDER_MAX).await?;
    let name = BucketName::parse(&new.name).map_err(|bad| Complaint::bad_request(bad.to_string()))?;
    asked.trail.names(Some(&domain.name), name.as_str());
    let made = asked.gateway.metadata.create_bucket(domain.id, &name, by(asked, principal)).await?;
    asked.trail.found(&made);
    json(StatusCode::CREATED, &ContainerView::new(made, State::Live))
}

/// A name leads to nothing once its bearer is purged; the UUID still tells what became of it.
fn refuse_gone(asked_for: &str, found: &Container, missing: Refusal) -> Result<(), Complaint> {
    let gone = matches!(found.state, State::Purging | State::Purged);
    if gone && !lifecycle::names::is_uuid(asked_for) { Err(missing.into()) } else { Ok(()) }
}

fn by(asked: &Asked<'_>, principal: &crate::Principal) -> NewContainer {
    NewContainer {
        headers: headers::encode(&[]),
        owner: principal.owner(),
        actor: principal.name.to_string(),
        allowed: asked.gateway.settings.policy.allowed(),
        ..NewContainer::default()
    }
}
