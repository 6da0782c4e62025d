//! Which domain or bucket a listing is of, and whether whoever asks may list it.

use super::asked::{Context, Kinds, Wanted, What, bad};
use crate::scsp::authorization::{Access, Protected};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::request::Target;
use ::access::Action;
use lifecycle::{BucketName, ContainerId, DomainName, Right, State};
use metadata::{Container, ContainerKind, Located};

/// What is listed.
pub(super) enum Scope {
    /// A bucket, by what it holds.
    Bucket { bucket: Container, contents: ContainerId },
    /// A domain, and what its unnamed and alias objects lie in; of a removed one that is not shown.
    Domain { domain: Container, hidden: Option<ContainerId> },
}

impl Scope {
    /// Finds the context that path, Host and arguments name, and lets pass whoever may list it.
    pub(super) async fn find(exchange: &Exchange<'_>, wanted: &Wanted<'_>) -> Result<Self, Trouble> {
        let (domain, scope) = match (&exchange.asked.target, &wanted.context) {
            (_, Some(Context::Id(id))) => by_id(exchange, *id).await?,
            (_, Some(Context::Named(domain, bucket))) => by_name(exchange, *domain, bucket).await?,
            (Target::Bucket(bucket), None) => in_bucket(exchange, exchange.locate(Some(bucket)).await?)?,
            (Target::Root | Target::Uuid(_) | Target::Object(..) | Target::Child(_), None) => {
                let located = exchange.locate(None).await?.ok_or_else(|| nothing(exchange))?;
                let hidden = Some(located.hidden.1);
                (located.domain.clone(), Scope::Domain { domain: located.domain, hidden })
            }
        };
        let access = Access::reading(&exchange.parts.method);
        match &scope {
            Scope::Bucket { bucket, .. } => {
                let action = match wanted.what {
                    What::Versions { .. } => Action::ListBucketVersions,
                    _ => Action::ListBucket,
                };
                exchange.permit(Right::Read, action, bucket.into(), None).await?;
                exchange.authorize(access, Protected::bucket(&domain, bucket))?;
                refuse_kinds(wanted, &[Kinds::Named, Kinds::All], "a bucket: allowed are named and all")?;
            }
            Scope::Domain { domain, .. } => {
                exchange.principal.require(Right::Read, Some(domain.id), None)?;
                exchange.authorize(access, Protected::domain(domain))?;
                refuse_kinds(
                    wanted,
                    &[Kinds::Buckets, Kinds::Unnamed, Kinds::Aliases, Kinds::All],
                    "a domain: allowed are bucket, unnamed, alias and all; named objects are listed bucket by bucket",
                )?;
            }
        }
        Ok(scope)
    }
}

fn refuse_kinds(wanted: &Wanted<'_>, allowed: &[Kinds], of: &str) -> Result<(), Trouble> {
    match wanted.kinds {
        Some(kinds) if !allowed.contains(&kinds) => {
            Err(bad(format!("The argument stype cannot be that of {of}.")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whoever may read nothing here learns nothing of what is not here.
fn nothing(exchange: &Exchange<'_>) -> Trouble {
    match exchange.principal.require_somewhere(Right::Read) {
        Ok(()) => Trouble::not_found(),
        Err(denied) => denied.into(),
    }
}

fn in_bucket(exchange: &Exchange<'_>, located: Option<Located>) -> Result<(Container, Scope), Trouble> {
    let found = located.and_then(|located| Some((located.domain, located.bucket?)));
    match found {
        Some((domain, bucket)) => of_bucket(domain, bucket).ok_or_else(|| nothing(exchange)),
        None => Err(nothing(exchange)),
    }
}

fn of_bucket(domain: Container, bucket: Container) -> Option<(Container, Scope)> {
    let contents = bucket.contents?;
    Some((domain, Scope::Bucket { bucket, contents }))
}

async fn by_name(
    exchange: &Exchange<'_>,
    domain: Option<&str>,
    bucket: &str,
) -> Result<(Container, Scope), Trouble> {
    let bad_name =
        |error: lifecycle::names::BadName| bad(format!("The argument context names nothing: {error}."));
    let bucket = BucketName::parse(bucket).map_err(bad_name)?;
    let located = match domain {
        None => exchange.locate(Some(&bucket)).await?,
        Some(domain) => {
            let domain = DomainName::parse(domain).map_err(bad_name)?;
            let asked = &exchange.asked.domain;
            if asked.explicit && asked.name.as_ref() != Some(&domain) {
                return Err(bad("The arguments context and domain name different domains.".to_owned()));
            }
            let metadata = &exchange.gateway.metadata;
            metadata.locate(Some(domain.as_str()), domain.as_str(), Some(bucket.as_str())).await?
        }
    };
    in_bucket(exchange, located)
}

/// A context that is live or can be restored: for administrators, who look into what was removed.
async fn by_id(exchange: &Exchange<'_>, id: ContainerId) -> Result<(Container, Scope), Trouble> {
    exchange.principal.require(Right::Admin, None, None)?;
    let metadata = &exchange.gateway.metadata;
    let is_there = |container: &Container| matches!(container.state, State::Live | State::Removed);
    if let Some(bucket) = metadata.container(ContainerKind::Bucket, id).await?.filter(is_there) {
        let parent = bucket.parent.ok_or_else(Trouble::not_found)?;
        let domain = metadata.container(ContainerKind::Domain, parent).await?.filter(is_there);
        let scope = domain.and_then(|domain| of_bucket(domain, bucket));
        return scope.ok_or_else(Trouble::not_found);
    }
    let domain = metadata.container(ContainerKind::Domain, id).await?.filter(is_there);
    let domain = domain.ok_or_else(Trouble::not_found)?;
    let hidden = match domain.state {
        State::Live => metadata.locate(Some(&domain.name), &domain.name, None).await?,
        _ => None,
    };
    let hidden = hidden.filter(|located| located.domain.id == id).map(|located| located.hidden.1);
    Ok((domain.clone(), Scope::Domain { domain, hidden }))
}
