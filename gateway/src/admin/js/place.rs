//! Which bucket a call means, and what its payload says.

use super::reply::{BAD_JSON, BAD_REQUEST, NO_STREAM, complain};
use crate::admin::error::Complaint;
use crate::admin::request::{Asked, ORDER_MAX};
use crate::http::BodyReader;
use crate::objects::Error;
use metadata::Container;
use serde::de::DeserializeOwned;

/// The live bucket in the domain that the header `Host` names, or else in the default one.
pub(super) struct Stream {
    pub(super) domain: Container,
    pub(super) bucket: Container,
}

/// Finds the bucket, in which the caller holds the operation's right. Whoever has the right nowhere has been refused before.
pub(super) async fn stream(asked: &Asked<'_>) -> Result<Stream, Complaint> {
    let name = asked.params.get("stream");
    let gateway = asked.gateway;
    let fallback = gateway.settings.default_domain.as_str();
    let located = gateway.metadata.locate(asked.host.as_deref(), fallback, Some(name)).await?;
    let missing = || complain(NO_STREAM, "stream not found");
    let Some(located) = located else { return Err(missing()) };
    asked.trail.found(&located.domain);
    let Some(bucket) = located.bucket else {
        asked.require(Some(located.domain.id), None)?;
        return Err(missing());
    };
    asked.trail.found(&bucket);
    asked.require(Some(located.domain.id), Some(bucket.id))?;
    Ok(Stream { domain: located.domain, bucket })
}

/// Reads a payload; none is an empty object. JetStream takes whatever is no object for none, and passes over fields that it does
/// not know: what was misspelt would purge everything.
pub(super) async fn payload<T: DeserializeOwned>(body: &mut BodyReader) -> Result<T, Complaint> {
    let bytes = body.collect(ORDER_MAX).await.map_err(Error::from)?;
    let text = bytes.trim_ascii();
    match text.first() {
        None => read(b"{}"),
        Some(b'{' | b'[') => read(text),
        Some(_) => Err(complain(BAD_REQUEST, "bad request: the payload is no object")),
    }
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Complaint> {
    serde_json::from_slice(text).map_err(|error| complain(BAD_JSON, format!("invalid JSON: {error}")))
}
