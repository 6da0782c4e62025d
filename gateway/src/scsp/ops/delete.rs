//! DELETE of an object, or of one of its versions (SCSP sections 3.1 to 3.3 and 5.4). The answer describes what was deleted.

use crate::http::Body;
use crate::objects::headers::decode;
use crate::objects::{Deletion, Error};
use crate::scsp::answer::{encoded, new, set, stamp};
use crate::scsp::authorization::Access;
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::ops::write::condition;
use crate::scsp::permitted::Inside;
use crate::scsp::request::Target;
use crate::state::LockedDelete;
use ::access::Action;
use http::{Response, StatusCode};
use lifecycle::{ContainerId, Kind, Right};
use metadata::{Markers, Which};

/// Where the object is.
struct Place {
    domain: (ContainerId, String),
    bucket: (ContainerId, String),
    /// Whose the bucket is, and which of its settings decide on access.
    governed: (Option<String>, Option<i64>),
    name: String,
    kind: Kind,
}

pub(in crate::scsp) async fn delete(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    let condition = condition(&exchange)?;
    let version = exchange.version()?;
    let right = if version.is_some() { Right::DeleteVersion } else { Right::Delete };
    let Some(Place { domain, bucket, governed: (owner, access), name, kind }) = place(&exchange).await?
    else {
        exchange.principal.require_somewhere(right)?;
        return Err(Trouble::not_found());
    };
    let (owner, inside) = (owner.as_deref(), Some(domain.0));
    let inside = Inside { domain: inside, bucket: bucket.0, name: &bucket.1, owner, access };
    let action = if version.is_some() { Action::DeleteObjectVersion } else { Action::DeleteObject };
    exchange.permit(right, action, inside, Some(&name)).await?;
    let scsp = &exchange.gateway.settings.scsp;
    if kind == Kind::Alias && scsp.require_alias_arg && !exchange.asked.flag("alias")? {
        return Err(Trouble::new(
            403,
            "AliasRequired",
            "DELETE of an alias object requires the argument alias.",
        ));
    }
    let deletion = Deletion {
        domain: domain.0,
        bucket: bucket.0,
        name: name.clone(),
        which: version.map_or(Which::Current, Which::Version),
        markers: Markers::Single,
        hides_guarded: scsp.locked_delete == LockedDelete::Marker,
        bypass: false,
        condition,
        spec: Some(exchange.spec(
            Access::Delete,
            (domain.0, domain.1.as_str()),
            (bucket.0, bucket.1.as_str()),
        )?),
    };
    let deleted = crate::objects::delete(exchange.gateway, &exchange.principal, deletion).await;
    let deleted = deleted.map_err(|error| {
        if let Error::Refused(refusal) = &error {
            exchange.gateway.metrics.refused(refusal);
        }
        Trouble::from(error)
    })?;

    exchange.trail.promised(deleted.purge_after);
    let mut response = new(StatusCode::OK, Body::Empty);
    let headers = response.headers_mut();
    crate::scsp::headers::echo(&decode(&deleted.headers), headers);
    stamp(headers, deleted.version, deleted.created_at);
    set(headers, "content-length", 0);
    if let Some(owner) = &deleted.owner {
        set(headers, "castor-system-owner", encoded(owner));
    }
    if let (None, Some(marker)) = (version, deleted.marker) {
        set(headers, "castor-system-delete-marker-etag", format_args!("\"{marker}\""));
    }
    match kind {
        Kind::Named => {
            set(headers, "castor-system-cid", bucket.0);
            set(headers, "castor-system-name", encoded(&name));
        }
        Kind::Alias => set(headers, "castor-system-alias", name),
        Kind::Unnamed => {}
    }
    Ok(response)
}

/// Finds the bucket of a named object, and an unnamed or alias object itself, hidden by a marker or not.
async fn place(exchange: &Exchange<'_>) -> Result<Option<Place>, Trouble> {
    let metadata = &exchange.gateway.metadata;
    Ok(match &exchange.asked.target {
        Target::Object(bucket, name) => exchange.locate(Some(bucket)).await?.and_then(|located| {
            let bucket = located.bucket?;
            Some(Place {
                domain: (located.domain.id, located.domain.name),
                governed: (bucket.owner, bucket.access),
                bucket: (bucket.id, bucket.name),
                name: name.as_str().to_owned(),
                kind: Kind::Named,
            })
        }),
        Target::Uuid(uuid) => {
            let found = match metadata.find_uuid(uuid, false).await? {
                Some(found) => Some(found),
                None => metadata.alias_marker(uuid).await?,
            };
            found.map(|found| Place {
                domain: found.domain,
                governed: (found.bucket_owner, found.access),
                bucket: found.bucket,
                name: uuid.clone(),
                kind: found.version.kind,
            })
        }
        Target::Root | Target::Bucket(_) | Target::Child(_) => None,
    })
}
