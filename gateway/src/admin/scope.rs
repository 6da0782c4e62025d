//! Which container a path means. A name means the live one, and to restore and purge the one removed last; a UUID means
//! itself. Whoever lacks the operation's right is turned away before learning whether the container exists.

use super::error::Complaint;
use super::request::Asked;
use lifecycle::{ContainerId, Refusal, State};
use metadata::{Container, ContainerKind, Failure};

/// Which of several containers of one name is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// The live one; failing that, the one removed last.
    Live,
    /// The one removed last; failing that, whatever there is, which then says what it is instead.
    Removed,
}

/// A bucket and the domain around it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) domain: Container,
    pub(super) bucket: Container,
}

impl Place {
    /// The worst state of the two.
    pub(super) fn above(&self) -> State {
        self.bucket.state.under(self.domain.state)
    }
}

/// The domain in the path, in which the caller holds the operation's right.
pub(super) async fn domain(asked: &Asked<'_>, want: Want) -> Result<Container, Complaint> {
    let domain = find_domain(asked, want).await?;
    asked.trail.found(&domain);
    asked.require(Some(domain.id), None)?;
    Ok(domain)
}

/// The bucket in the path, in which the caller holds the operation's right.
pub(super) async fn bucket(asked: &Asked<'_>, want: Want) -> Result<Place, Complaint> {
    let domain = find_domain(asked, Want::Live).await?;
    asked.trail.found(&domain);
    let found = bucket_in(asked, domain.id, asked.params.get("bucket"), want).await?;
    let Some(bucket) = found else {
        asked.require(Some(domain.id), None)?;
        return Err(Refusal::NoSuchBucket.into());
    };
    asked.trail.found(&bucket);
    asked.require(Some(domain.id), Some(bucket.id))?;
    Ok(Place { domain, bucket })
}

/// The bucket that `text` names or identifies in a domain, whatever its state.
pub(super) async fn bucket_in(
    asked: &Asked<'_>,
    domain: ContainerId,
    text: &str,
    want: Want,
) -> Result<Option<Container>, Failure> {
    let metadata = &asked.gateway.metadata;
    // No bucket can be named like a UUID.
    if let Ok(id) = text.parse() {
        let found = metadata.container(ContainerKind::Bucket, id).await?;
        return Ok(found.filter(|bucket| bucket.parent == Some(domain)));
    }
    if want == Want::Removed
        && let Some(removed) = last_removed(asked, Some(domain), text).await?
    {
        return Ok(Some(removed));
    }
    metadata.bucket_named(domain, text).await
}

async fn find_domain(asked: &Asked<'_>, want: Want) -> Result<Container, Complaint> {
    asked.require_somewhere()?;
    match domain_of(asked, asked.params.get("domain"), want).await? {
        Some(domain) => Ok(domain),
        None => Err(Refusal::NoSuchDomain.into()),
    }
}

/// The domain that `text` names or identifies, whatever its state.
pub(super) async fn domain_of(
    asked: &Asked<'_>,
    text: &str,
    want: Want,
) -> Result<Option<Container>, Failure> {
    let metadata = &asked.gateway.metadata;
    if let Ok(id) = text.parse()
        && let Some(domain) = metadata.container(ContainerKind::Domain, id).await?
    {
        return Ok(Some(domain));
    }
    let name = text.to_ascii_lowercase();
    if want == Want::Removed
        && let Some(removed) = last_removed(asked, None, &name).await?
    {
        return Ok(Some(removed));
    }
    metadata.domain_named(&name).await
}

/// The container of exactly this name that was removed last. It sorts before all whose names only begin so.
async fn last_removed(
    asked: &Asked<'_>,
    domain: Option<ContainerId>,
    name: &str,
) -> Result<Option<Container>, Failure> {
    let (mut last, mut after): (Option<Container>, Option<String>) = (None, None);
    loop {
        let metadata = &asked.gateway.metadata;
        let page =
            metadata.list_containers(domain, Some(State::Removed), name, after.as_deref(), 100).await?;
        for found in page.items {
            if found.name != name {
                return Ok(last);
            }
            if last.as_ref().is_none_or(|last| found.removed_at > last.removed_at) {
                last = Some(found);
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(last),
        }
    }
}
