//! UPDATE of an object: new content and new headers for what is there (SCSP section 2.5).

use crate::http::Body;
use crate::scsp::answer::encoded;
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::keep;
use crate::scsp::ops::locate;
use crate::scsp::ops::write::{UNBUILT, created, new_object, store};
use crate::scsp::request::Target;
use http::Response;
use lifecycle::{Kind, Refusal, Right, VersionId};
use metadata::{Container, Existence};

pub(in crate::scsp) async fn update(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    if exchange.asked.query.contains("version") {
        return Err(Trouble::new(
            400,
            "BadArgument",
            "PUT makes a new version; the argument version is not for it.",
        ));
    }
    exchange.asked.refuse_unbuilt(&UNBUILT)?;
    let kept = keep(&exchange.parts.headers)?;
    let existence = if exchange.asked.flag("putcreate")? { Existence::Any } else { Existence::Required };
    let version = VersionId::ordered(exchange.gateway.clock.now());
    let (target, kind, name, domain, location) = match &exchange.asked.target {
        Target::Object(bucket, name) => {
            let Some(located) = exchange.locate(Some(bucket)).await? else {
                exchange.principal.require_somewhere(Right::Write)?;
                return Err(Trouble::new(409, "RequiresContext2", "Cannot find required domain."));
            };
            let Some(Container { id, contents: Some(contents), .. }) = located.bucket else {
                exchange.principal.require_somewhere(Right::Write)?;
                return Err(Trouble::not_found());
            };
            let target = locate::Target { domain: located.domain.id, bucket: id, contents };
            let location = format!("/{}/{}", encoded(bucket.as_str()), encoded(name.as_str()));
            (target, Kind::Named, name.as_str().to_owned(), located.domain.name, location)
        }
        Target::Uuid(uuid) => {
            let Some(found) = exchange.gateway.metadata.find_uuid(uuid, false).await? else {
                exchange.principal.require_somewhere(Right::Write)?;
                return Err(Trouble::not_found());
            };
            if found.version.kind != Kind::Alias {
                exchange.principal.require(Right::Write, Some(found.domain.0), Some(found.bucket.0))?;
                return Err(Refusal::Immutable.into());
            }
            let target = locate::Target {
                domain: found.domain.0,
                bucket: found.bucket.0,
                contents: found.version.contents,
            };
            (target, Kind::Alias, uuid.clone(), found.domain.1, format!("/{uuid}"))
        }
        Target::Root | Target::Bucket(_) | Target::Child(_) => return Err(Trouble::not_found()),
    };
    exchange.principal.require(Right::Write, Some(target.domain), Some(target.bucket))?;
    // An alias that went away between looking and storing stays away: its UUID is never given to something new.
    let existence = if kind == Kind::Alias { Existence::Required } else { existence };
    let object = new_object(&exchange, target, kind, name.clone(), version, kept, existence)?;
    let stored = store(&mut exchange, object, &domain, None).await?;
    Ok(created(&exchange, &stored, kind, &name, &location, &domain, "New stream version created"))
}
