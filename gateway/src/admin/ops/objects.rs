//! Listing the versions of a bucket by state: what readers see, and what they do not see any more.

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape};
use crate::admin::request::{Answered, Asked, LIMIT, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::VersionView;
use lifecycle::{ContainerId, Refusal, State};
use metadata::Container;
use schemars::JsonSchema;
use serde::Serialize;

const STATES: [State; 5] = [State::Staged, State::Live, State::Removed, State::Purging, State::Purged];

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Versions")]
struct Page {
    items: Vec<VersionView>,
    next: Option<String>,
}

pub(in crate::admin) const LIST: Described =
    Described::answers(&[Answer::ok("A page of them.", &[shape::<Page>])]).asked_with(&[
        Argument::state("Those whose own state is this; absent: the live ones.", &STATES),
        Argument::PREFIX,
        Argument::AFTER,
        LIMIT,
    ]);

pub(in crate::admin) async fn list(asked: &Asked<'_>) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    let above = place.above();
    let Some(contents) = place.bucket.contents else { return Err(Refusal::NoSuchBucket.into()) };
    page(asked, contents, above).await
}

pub(in crate::admin) async fn list_unnamed(asked: &Asked<'_>) -> Answered {
    let domain = scope::domain(asked, Want::Live).await?;
    let (_, contents) = unnamed(asked, &domain).await?;
    page(asked, contents, domain.state).await
}

/// The hidden bucket of a live domain's unnamed and alias objects, and its contents.
pub(super) async fn unnamed(
    asked: &Asked<'_>,
    domain: &Container,
) -> Result<(ContainerId, ContainerId), Complaint> {
    if domain.state != State::Live {
        return Err(Refusal::ContainerGone.into());
    }
    let located = asked.gateway.metadata.locate(Some(&domain.name), &domain.name, None).await?;
    match located {
        Some(located) if located.domain.id == domain.id => Ok(located.hidden),
        // Removed since it was looked up.
        Some(_) | None => Err(Refusal::ContainerGone.into()),
    }
}

async fn page(asked: &Asked<'_>, contents: ContainerId, above: State) -> Answered {
    asked.only(&["state", "prefix", "after", "limit"])?;
    let (state, after, limit) = (asked.state(&STATES)?, asked.after()?, asked.limit()?);
    let state = state.unwrap_or(State::Live);
    let page = asked.gateway.metadata.list_versions(contents, state, asked.prefix(), after, limit).await?;
    let now = asked.gateway.clock.now();
    // What has expired is not live, whether or not the sweeper has been there.
    let expired = |at: Option<lifecycle::Time>| state == State::Live && at.is_some_and(|at| at <= now);
    let items = page.items.into_iter().filter(|item| !expired(item.expires_at));
    ok(&Page { items: items.map(|item| VersionView::new(item, above)).collect(), next: page.next })
}
