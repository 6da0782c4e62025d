//! Bytes that flow out of a container. They are pinned there as long as they flow, so that nobody destroys them meanwhile, and
//! cut where that has lasted too long: the container was removed a while ago, the version is being purged, or this process's
//! lease is over. A client that takes nothing of them notices no cut, so its connection is ended.

use super::Error;
use crate::Gateway;
use crate::http::Connection;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use metadata::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A client that reads has noticed by then.
const NOTICED: Duration = Duration::from_secs(1);

/// `chunks`, as long as `pin` may hold.
pub(super) fn pinned(
    gateway: &Gateway,
    pin: Pin,
    chunks: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let metadata = gateway.metadata.clone();
    let ending = pin.ending();
    let pin = Arc::new(pin);
    if let Some(connection) = Connection::here() {
        tokio::spawn(cut_off(pin.ending(), Arc::downgrade(&pin), connection));
    }
    // Before each chunk: a process that stood still must not go on with what it held in its hands.
    let checked = chunks.map(move |chunk| match metadata.serving() {
        Ok(()) => chunk,
        Err(_) => Err(Error::Cut),
    });
    let end = stream::once(async move { if pin.is_cut() { Some(Err(Error::Cut)) } else { None } });
    checked.take_until(ending).chain(end.filter_map(|cut| async move { cut })).boxed()
}

/// Ends the connection if the pin is still held a while after it was to end. Ready soon after the pin is gone, too.
async fn cut_off(ending: impl Future<Output = ()>, pin: Weak<Pin>, connection: Connection) {
    ending.await;
    if pin.strong_count() > 0 {
        tokio::time::sleep(NOTICED).await;
    }
    if pin.strong_count() > 0 {
        connection.hang_up();
    }
}
