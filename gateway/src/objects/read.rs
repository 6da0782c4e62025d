//! Reading an object's bytes, wherever they lie.

use super::Error;
use crate::Gateway;
use crate::http::Body;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use lifecycle::{Place, Violation};
use metadata::Found;
use std::ops::Range;

/// The bytes of `range` of what was found.
///
/// # Errors
/// [`Error::Unavailable`] if the store is not there, [`Error::Violated`] if the bytes are not as their row describes.
pub async fn content(gateway: &Gateway, found: &Found, range: Range<u64>) -> Result<Body, Error> {
    let Some(blob) = &found.blob else {
        return if range.is_empty() {
            Ok(Body::Empty)
        } else {
            Err(Error::Violated(Violation::new("R1", format!("version {} has no blob", found.version.id))))
        };
    };
    match blob.place {
        Place::Inline => {
            let Some(stored) = &found.inline else {
                let finding = format!("inline bytes of version {} are missing", found.version.id);
                return Err(Error::Violated(Violation::new("R1", finding)));
            };
            let plain = blobs::inline::decode(blob.format, stored.clone())?;
            Ok(Body::Full(cut(plain, &range)?))
        }
        Place::Store => {
            let length = range.end.saturating_sub(range.start);
            let stream = gateway.blobs.open_range(blob, range).await?;
            Ok(Body::stream(
                length,
                stream.map_err(|error| {
                    tracing::warn!(%error, "a body was cut");
                    error
                }),
            ))
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
        Body::Stream(_) => {
            let Some(blob) = &found.blob else { return Ok(Vec::new()) };
            let mut stream = gateway.blobs.open_range(blob, 0..found.version.size).await?;
            let mut bytes = Vec::new();
            while let Some(chunk) = stream.next().await {
                bytes.extend_from_slice(&chunk?);
            }
            Ok(bytes)
        }
    }
}

fn cut(bytes: Bytes, range: &Range<u64>) -> Result<Bytes, Error> {
    let bounds = (usize::try_from(range.start), usize::try_from(range.end));
    match bounds {
        (Ok(start), Ok(end)) if start <= end && end <= bytes.len() => Ok(bytes.slice(start..end)),
        _ => Err(Error::Violated(Violation::new(
            "R1",
            "inline bytes are shorter than their row says".to_owned(),
        ))),
    }
}
