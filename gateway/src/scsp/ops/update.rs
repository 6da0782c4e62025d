//! UPDATE of an object: new content and new headers for what is there (SCSP section 2.5).

use crate::http::Body;
use crate::objects::headers::decode;
use crate::scsp::answer::encoded;
use crate::scsp::authorization::Access;
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::{Merge, judge, pick};
use crate::scsp::ops::locate;
use crate::scsp::ops::write::{authorize_post, created, new_object, rolled_up, spec, store, with_digest};
use crate::scsp::request::Target;
use crate::scsp::seal::{Sealing, seal_location};
use ::access::Action;
use http::{Response, StatusCode};
use lifecycle::{Kind, Refusal, Right, VersionId};
use metadata::{Container, Existence};

pub(in crate::scsp) async fn update(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    exchange.asked.refuse_elsewhere(&["version", "replace", "newhashtype"], "PUT")?;
    let sealing = Sealing::asked(&exchange.asked.query)?;
    let sent = pick(&exchange.parts.headers)?;
    let creates = exchange.asked.flag("putcreate")? || exchange.gateway.settings.scsp.allow_put_create;
    let newname = exchange.asked.newname()?;
    // What keeps the headers of what is there, or its name, is made from that and from nothing else.
    let before = match exchange.asked.flag("preserve")? {
        true => match exchange.object(Right::Write, false).await {
            Ok(found) => Some(found),
            Err(trouble) if trouble.status == StatusCode::NOT_FOUND && creates && newname.is_none() => None,
            Err(trouble) => return Err(trouble),
        },
        false => None,
    };
    let (merge, old) = match &before {
        Some(found) => (Merge::Preserve, decode(&found.version.headers)),
        None => (Merge::Replace, Vec::new()),
    };
    let mut headers = merge.apply(old, sent);
    // The digest was that of other content.
    headers.retain(|(name, _)| name != "content-md5");
    let strict = exchange.gateway.settings.lifepoint.strict;
    let kept = judge(headers, strict, exchange.gateway.clock.now())?;

    let existence = if creates { Existence::Any } else { Existence::Required };
    let version = VersionId::ordered(exchange.gateway.clock.now());
    let (target, kind, name, domain, spec, rolls_up) = match &exchange.asked.target {
        Target::Object(bucket, name) => {
            let Some(located) = exchange.locate(Some(bucket)).await? else {
                exchange.principal.require_somewhere(Right::Write)?;
                return Err(Trouble::new(409, "RequiresContext2", "Cannot find required domain."));
            };
            let Some(Container { id, contents: Some(contents), .. }) = &located.bucket else {
                exchange.principal.require_somewhere(Right::Write)?;
                return Err(Trouble::not_found());
            };
            let target = locate::Target { domain: located.domain.id, bucket: *id, contents: *contents };
            exchange.permit_to_write(&located, target, Some(name.as_str())).await?;
            if let Some(newname) = newname.as_deref().filter(|newname| *newname != name.as_str()) {
                exchange.permit_to_write(&located, target, Some(newname)).await?;
                if let Some(bucket) = &located.bucket {
                    let goes = Action::DeleteObject;
                    exchange.permit(Right::Write, goes, bucket.into(), Some(name.as_str())).await?;
                }
            }
            if creates || newname.as_deref().is_some_and(|newname| newname != name.as_str()) {
                authorize_post(&exchange, &located)?;
            }
            let spec = spec(&exchange, Access::Put, &located)?;
            let rolls_up = rolled_up(&exchange, located.bucket.as_ref(), target)?;
            (target, Kind::Named, name.as_str().to_owned(), located.domain.name, spec, rolls_up)
        }
        Target::Uuid(uuid) => {
            let found = exchange.object(Right::Write, false).await?;
            if found.version.kind != Kind::Alias {
                return Err(Refusal::Immutable.into());
            }
            if newname.is_some() {
                return Err(Trouble::new(
                    400,
                    "BadArgument",
                    "An alias object has no name that could change.",
                ));
            }
            let target = locate::Target {
                domain: found.domain.0,
                bucket: found.bucket.0,
                contents: found.version.contents,
            };
            let spec = exchange.spec(
                Access::Put,
                (found.domain.0, &found.domain.1),
                (found.bucket.0, &found.bucket.1),
            )?;
            let rolls_up = rolled_up(&exchange, None, target)?;
            (target, Kind::Alias, uuid.clone(), found.domain.1, spec, rolls_up)
        }
        Target::Root | Target::Bucket(_) | Target::Child(_) => return Err(Trouble::not_found()),
    };
    // An alias that went away between looking and storing stays away: its UUID is never given to something new.
    let existence = if kind == Kind::Alias { Existence::Required } else { existence };
    let stays = newname.clone().unwrap_or_else(|| name.clone());
    let mut object = new_object(&exchange, target, kind, stays.clone(), version, kept, existence)?;
    object.renames = newname.filter(|newname| *newname != name).map(|_| name);
    object.replaces = before.map(|found| found.version.id);
    object.spec = Some(spec);
    object.rolls_up = rolls_up;
    let (stored, seal) = store(&mut exchange, object, sealing, &domain, None).await?;
    let location = location(&exchange, &stays);
    let text = "New stream version created";
    let mut response = created(&exchange, &stored, kind, &stays, &location, &domain, text);
    seal_location(response.headers_mut(), seal.as_ref());
    with_digest(&exchange, &stored, response)
}

/// The path of an object that the request addressed, by the name that it has now.
pub(super) fn location(exchange: &Exchange<'_>, name: &str) -> String {
    match &exchange.asked.target {
        Target::Object(bucket, _) => format!("/{}/{}", encoded(bucket.as_str()), encoded(name)),
        Target::Root | Target::Uuid(_) | Target::Bucket(_) | Target::Child(_) => format!("/{name}"),
    }
}
