//! COPY of an object: other headers, or another name, for the same content (SCSP section 2.6). With `version`, an older
//! version's content becomes current again.

use crate::http::Body;
use crate::objects::headers::decode;
use crate::objects::{Error, NewObject, Stored, rewrite};
use crate::scsp::authorization::Access;
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::{Kept, Merge, judge, pick};
use crate::scsp::ops::update::location;
use crate::scsp::ops::write::{UNBUILT, authorize_made, condition, created, not_stored, of_parts};
use http::Response;
use lifecycle::{Kind, Refusal, Right, VersionId};
use metadata::{Existence, Found, Written};

/// How often an object is looked at again that changes in the moment of its copy.
const TRIES: usize = 4;

pub(in crate::scsp) async fn copy(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    exchange.asked.refuse_unbuilt(&UNBUILT)?;
    exchange.asked.refuse_elsewhere(&["replace", "putcreate", "gencontentmd5"], "COPY")?;
    refuse_body(&mut exchange).await?;
    let newname = exchange.asked.newname()?;
    let mut tries = 0;
    let (found, name, stored) = loop {
        tries += 1;
        let found = exchange.object(Right::Write, true).await?;
        let name = newname.clone().unwrap_or_else(|| found.version.name.clone());
        match attempt(&exchange, &found, &name).await? {
            Ok(stored) => break (found, name, stored),
            Err(Error::Refused(Refusal::Conflict)) if tries < TRIES => {}
            Err(error) => return Err(not_stored(&exchange, error, &found.domain.1, Some(&found.bucket.1))),
        }
    };
    let (kind, domain) = (found.version.kind, &found.domain.1);
    let location = location(&exchange, &name);
    let response = created(&exchange, &stored, kind, &name, &location, domain, "New stream version created");
    // Bytes that passed on came in the parts in which they were written; those that were copied are in one piece.
    let in_parts = found.version.parts.is_some() && stored.published.md5 == found.version.md5;
    Ok(if in_parts { of_parts(&stored, response) } else { response })
}

async fn attempt(
    exchange: &Exchange<'_>,
    found: &Found,
    name: &str,
) -> Result<Result<Stored, Error>, Trouble> {
    let version = &found.version;
    if version.kind == Kind::Unnamed {
        return Err(Refusal::Immutable.into());
    }
    if version.kind == Kind::Alias && name != version.name {
        return Err(Trouble::new(400, "BadArgument", "An alias object has no name that could change."));
    }
    exchange.authorize(Access::Copy, found.into())?;
    authorize_made(exchange, found, name).await?;
    let old = decode(&version.headers);
    let merge = if exchange.asked.flag("preserve")? { Merge::Preserve } else { Merge::Replace };
    // The content stays, and with it a digest that was asked for when it was written.
    let digest = old.iter().find(|(name, _)| name == "content-md5").cloned();
    let mut headers = merge.apply(old, pick(&exchange.parts.headers)?);
    headers.retain(|(name, _)| name != "content-md5");
    headers.extend(digest);
    let kept = judge(headers, exchange.gateway.settings.lifepoint.strict, exchange.gateway.clock.now())?;
    let object = successor(exchange, found, name, kept, Access::Copy)?;
    Ok(rewrite(exchange.gateway, &exchange.principal, found, object).await)
}

/// What takes the place of a version that was found: of its kind, of its owner, under its name or another.
pub(super) fn successor(
    exchange: &Exchange<'_>,
    found: &Found,
    name: &str,
    kept: Kept,
    access: Access,
) -> Result<NewObject, Trouble> {
    let version = &found.version;
    let (domain, bucket) =
        ((found.domain.0, found.domain.1.as_str()), (found.bucket.0, found.bucket.1.as_str()));
    Ok(NewObject {
        domain: found.domain.0,
        bucket: (found.bucket.0, version.contents),
        kind: version.kind,
        name: name.to_owned(),
        version: VersionId::ordered(exchange.gateway.clock.now()),
        written: Written::Copied,
        headers: kept.headers,
        tags: version.tags.clone(),
        keeps_tags: true,
        checksum: None,
        keep_md5: false,
        guard: kept.guard,
        retention: None,
        acl: None,
        expires_at: kept.expires_at,
        owner: version.owner.clone(),
        // An older version may come back where nothing is current any more.
        existence: if version.is_current { Existence::Required } else { Existence::Any },
        condition: condition(exchange)?,
        // Two changes at once: the second one would lose what the first one changed.
        replaces: version.is_current.then_some(version.id),
        renames: (name != version.name).then(|| version.name.clone()),
        rolls_up: None,
        may_shorten_guard: exchange.may_shorten_guard()?,
        content_md5: None,
        spec: Some(exchange.spec(access, domain, bucket)?),
    })
}

async fn refuse_body(exchange: &mut Exchange<'_>) -> Result<(), Trouble> {
    match exchange.body.collect(0).await {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(Trouble::new(400, "BodyNotAllowed", "COPY has no body; its content is the object's own."))
        }
    }
}
