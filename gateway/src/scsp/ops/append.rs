//! APPEND to an object: bytes are added to its end, its headers stay (SCSP section 2.7). Without bytes and with `version`,
//! an older version becomes current again.

use crate::http::Body;
use crate::objects::headers::decode;
use crate::objects::{Source, put};
use crate::scsp::authorization::Access;
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::{Merge, judge, pick};
use crate::scsp::ops::copy::successor;
use crate::scsp::ops::update::location;
use crate::scsp::ops::write::{UNBUILT, authorize_made, created, not_stored};
use http::Response;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use lifecycle::{Kind, Refusal, Right};

pub(in crate::scsp) async fn append(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    exchange.asked.refuse_unbuilt(&UNBUILT)?;
    exchange.asked.refuse_elsewhere(&["gencontentmd5", "putcreate"], "APPEND")?;
    let headers = &exchange.parts.headers;
    if headers.contains_key("content-md5") {
        return Err(Trouble::new(
            400,
            "BadHeader",
            "Content-MD5 is not for APPEND: it would cover a part only.",
        ));
    }
    if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        return Err(Trouble::new(411, "LengthRequired", "Send Content-Length, or the body in chunks."));
    }
    let merge = merge(&exchange)?;
    let newname = exchange.asked.newname()?;
    let found = exchange.object(Right::Write, true).await?;
    let version = &found.version;
    if version.kind == Kind::Unnamed {
        return Err(Refusal::Immutable.into());
    }
    let name = newname.unwrap_or_else(|| version.name.clone());
    if version.kind == Kind::Alias && name != version.name {
        return Err(Trouble::new(400, "BadArgument", "An alias object has no name that could change."));
    }
    exchange.authorize(Access::Append, (&found).into())?;
    authorize_made(&exchange, &found, &name).await?;
    let mut headers = merge.apply(decode(&version.headers), sent(&exchange)?);
    headers.retain(|(name, _)| name != "content-md5");
    let kept = judge(headers, exchange.gateway.settings.lifepoint.strict, exchange.gateway.clock.now())?;
    let object = successor(&exchange, &found, &name, kept, Access::Append)?;
    let stored = {
        let mut source = Source::stored(exchange.gateway, &found, Some(&mut exchange.body)).await?;
        put(exchange.gateway, &exchange.principal, object, &mut source).await
    };
    let (kind, domain) = (version.kind, &found.domain.1);
    let stored =
        stored.map_err(|error| not_stored(&exchange, error, domain, Some(found.bucket.1.as_str())))?;
    let location = location(&exchange, &name);
    Ok(created(&exchange, &stored, kind, &name, &location, domain, "New stream version created"))
}

/// What becomes of the headers that the object has.
pub(super) fn merge(exchange: &Exchange<'_>) -> Result<Merge, Trouble> {
    match (exchange.asked.flag("preserve")?, exchange.asked.flag("replace")?) {
        (true, true) => {
            Err(Trouble::new(400, "BadArgument", "The arguments preserve and replace exclude each other."))
        }
        (false, true) => Ok(Merge::ReplaceCustom),
        (_, false) => Ok(Merge::Preserve),
    }
}

/// The headers of the request that are for the object. What a client's library adds of itself is not: the type of the
/// bytes that are added is not the type of the whole.
fn sent(exchange: &Exchange<'_>) -> Result<Vec<(String, String)>, Trouble> {
    let mut sent = pick(&exchange.parts.headers)?;
    if !exchange.asked.flag("preserve")? && !exchange.asked.flag("replace")? {
        sent.retain(|(name, _)| name != "content-type");
    }
    Ok(sent)
}
