//! Which bucket a call means. As everywhere at this door, who lacks the right is not told whether it exists; and to
//! CouchDB's clients one that is removed is one that is not there.

use crate::admin::error::Complaint;
use crate::admin::request::Asked;
use crate::admin::scope::{Place, Want, bucket_in, domain_of};
use lifecycle::{Refusal, State};
use metadata::Container;

/// The live bucket in the path, in which the caller holds the operation's right.
pub(super) async fn bucket(asked: &Asked<'_>) -> Result<Place, Complaint> {
    asked.require_somewhere()?;
    let domain = domain(asked).await?;
    asked.trail.found(&domain);
    let found = bucket_in(asked, domain.id, asked.params.get("bucket"), Want::Live).await?;
    let Some(bucket) = found else {
        asked.require(Some(domain.id), None)?;
        return Err(Refusal::NoSuchBucket.into());
    };
    asked.trail.found(&bucket);
    asked.require(Some(domain.id), Some(bucket.id))?;
    let place = Place { domain, bucket };
    if place.above() == State::Live { Ok(place) } else { Err(Refusal::NoSuchBucket.into()) }
}

/// The domain that is asked for; the one that Host names, if there is one; or else the default domain.
async fn domain(asked: &Asked<'_>) -> Result<Container, Complaint> {
    if let Some(text) = asked.query.get("domain").filter(|text| !text.is_empty()) {
        return domain_of(asked, text, Want::Live).await?.ok_or_else(|| Refusal::NoSuchDomain.into());
    }
    if let Some(host) = &asked.host
        && let Some(domain) = asked.gateway.metadata.domain_named(host).await?
        && domain.state == State::Live
    {
        return Ok(domain);
    }
    let default = asked.gateway.settings.default_domain.as_str();
    domain_of(asked, default, Want::Live).await?.ok_or_else(|| Refusal::NoSuchDomain.into())
}
