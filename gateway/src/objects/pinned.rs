//! Bytes that flow out of a container. They are pinned there as long as they flow, so that nobody destroys them meanwhile, and
//! cut where that has lasted too long: the container was removed a while ago, the version is being purged, or this process's
//! lease is over.

use super::Error;
use crate::Gateway;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use metadata::Pin;

/// `chunks`, as long as `pin` may hold.
pub(super) fn pinned(
    gateway: &Gateway,
    pin: Pin,
    chunks: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let metadata = gateway.metadata.clone();
    let ending = pin.ending();
    // Before each chunk: a process that stood still must not go on with what it held in its hands.
    let checked = chunks.map(move |chunk| match metadata.serving() {
        Ok(()) => chunk,
        Err(_) => Err(Error::Cut),
    });
    let end = stream::once(async move { if pin.is_cut() { Some(Err(Error::Cut)) } else { None } });
    checked.take_until(ending).chain(end.filter_map(|cut| async move { cut })).boxed()
}
