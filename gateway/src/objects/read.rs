//! Reading an object's bytes, wherever they lie.

use super::Error;
use super::pinned::pinned;
use super::segments::{self, Trust};
use crate::Gateway;
use crate::http::Body;
use crate::metrics::Metrics;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::BodyExt;
use lifecycle::{Place, VersionId, Violation};
use metadata::Found;
use std::ops::Range;
use std::sync::Arc;

/// The bytes of `range` of what was found.
///
/// # Errors
/// [`Error::Unavailable`] if the store is not there, [`Error::Violated`] if the bytes are not as their row describes.
pub async fn content(gateway: &Gateway, found: &Found, range: Range<u64>) -> Result<Body, Error> {
    if range.is_empty() {
        return Ok(Body::Empty);
    }
    if found.version.parts.is_some() {
        return segments::content(gateway, found, range, Trust::Take).await;
    }
    let Some(blob) = &found.blob else {
        return Err(Error::Violated(Violation::new(
            "R1",
            format!("version {} has no blob", found.version.id),
        )));
    };
    match blob.place {
        Place::Inline => {
            gateway.metadata.still_there(found).await?;
            let Some(stored) = &found.inline else {
                let finding = format!("inline bytes of version {} are missing", found.version.id);
                return Err(Error::Violated(Violation::new("R1", finding)));
            };
            let plain = blobs::inline::decode(blob.format, stored.clone())?;
            Ok(Body::Full(cut(plain, &range)?))
        }
        Place::Store => {
            let length = range.end.saturating_sub(range.start);
            let pin = gateway.metadata.pin_read(found, "GET").await?;
            let stream = gateway.blobs.open_range(blob, range).await?;
            let (version, metrics) = (found.version.id, Arc::clone(&gateway.metrics));
            let stream = pinned(gateway, pin, stream.map_err(Error::from));
            Ok(Body::stream(length, stream.map_err(move |error| broke_off(&metrics, version, error))))
        }
    }
}

/// All bytes of a small object at once, for doors that need them whole.
///
/// # Errors
/// As [`content`].
pub async fn whole(gateway: &Gateway, found: &Found) -> Result<Vec<u8>, Error> {
    match content(gateway, found, 0..found.version.size).await? {
        Body::Empty => Ok(Vec::new()),
        Body::Full(bytes) => Ok(bytes.to_vec()),
        body @ Body::Stream(_) => {
            let mut stream = body.into_data_stream();
            let mut bytes = Vec::new();
            while let Some(chunk) = stream.next().await {
                bytes.extend_from_slice(&chunk.map_err(|error| Error::Unavailable(error.to_string()))?);
            }
            Ok(bytes)
        }
    }
}

/// Says why a body ends before its length: the answer has begun, and nobody else will. A broken rule is counted too.
pub(super) fn broke_off(metrics: &Metrics, version: VersionId, error: Error) -> Error {
    match &error {
        Error::Violated(violation) => {
            let (rule, finding) = (violation.rule, &violation.finding);
            tracing::error!(%version, rule, %finding, "an invariant is broken; a body was cut");
            metrics.violation_of(rule);
        }
        error => tracing::warn!(%version, %error, "a body was cut"),
    }
    error
}

pub(super) fn cut(bytes: Bytes, range: &Range<u64>) -> Result<Bytes, Error> {
    let bounds = (usize::try_from(range.start), usize::try_from(range.end));
    match bounds {
        (Ok(start), Ok(end)) if start <= end && end <= bytes.len() => Ok(bytes.slice(start..end)),
        _ => Err(Error::Violated(Violation::new(
            "R1",
            "inline bytes are shorter than their row says".to_owned(),
        ))),
    }
}
