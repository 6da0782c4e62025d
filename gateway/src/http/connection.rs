//! One connection from its first byte to its last, one exchange after another.

use super::body::{Body, BodyError};
use super::heads::{Framing, Heads};
use super::server::{Failure, House, Peer, Service};
use super::wire::Wire;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::any::Any;
use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};

/// What the exchanges of one connection share.
struct Line<S> {
    house: Arc<House<S>>,
    heads: Arc<Mutex<Heads>>,
    peer: Peer,
}

/// Serves `io` until the client leaves, a limit is passed, or the house stops and the running exchange is finished.
pub(super) async fn serve_connection<S, I>(io: I, peer: Peer, house: Arc<House<S>>)
where
    S: Service,
    I: AsyncRead + AsyncWrite + Unpin,
{
    let heads = Arc::new(Mutex::new(Heads::new(house.limits.header_bytes)));
    let wire = Wire::new(io, Arc::clone(&heads), house.limits.body_idle);
    let line = Arc::new(Line { house: Arc::clone(&house), heads, peer });
    let connection = house.http.serve_connection(
        TokioIo::new(wire),
        service_fn(move |request| exchange(Arc::clone(&line), request)),
    );
    let mut connection = pin!(connection);
    let mut stop = pin!(house.stop.notified());
    let (mut listening, mut told) = (false, false);
    let ended = poll_fn(|cx| {
        // Asking once is enough to be woken, since a task keeps its waker; after that a flag is all a poll costs.
        // Asking comes before the first look at the flag, the house sets the flag before it calls: none is missed.
        if !listening {
            listening = true;
            let _ = stop.as_mut().poll(cx);
        }
        if !told && house.stopping.load(Ordering::Acquire) {
            told = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(cx)
    })
    .await;
    if let Err(error) = ended {
        tracing::debug!(peer = %peer.0, %error, "connection ended early");
    }
}

/// One request and its answer. Dropped in the middle when the client leaves.
async fn exchange<S: Service>(
    line: Arc<Line<S>>,
    request: Request<Incoming>,
) -> Result<Response<Sending<S>>, Infallible> {
    let framing = match request.body().size_hint().exact() {
        Some(length) => Framing::Length(length),
        None => Framing::Chunked,
    };
    let look = line.heads.lock().unwrap_or_else(PoisonError::into_inner).next(request.method(), framing);
    let mut place = Place { line, counted: false, chunked: framing == Framing::Chunked };
    let house = Arc::clone(&place.line.house);
    let service = &house.service;
    let response = match look {
        Err(bad) => {
            // where this request ends is in doubt: nothing that follows on this connection can be believed
            let mut response = service.failure(Failure::Malformed(bad));
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            response
        }
        Ok(()) if !place.take() => service.failure(Failure::Busy),
        Ok(()) => {
            // A panic leaves nothing of ours half changed: the request is gone, the service answers for its own state.
            match AssertUnwindSafe(async { service.call(request, place.line.peer).await })
                .catch_unwind()
                .await
            {
                Ok(response) => response,
                Err(panic) => {
                    let peer = place.line.peer.0;
                    tracing::error!(%peer, panic = reason(panic.as_ref()), "a request handler panicked");
                    service.failure(Failure::Panicked)
                }
            }
        }
    };
    Ok(response.map(|body| Sending { body, _place: place }))
}

fn reason(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "no reason given",
    }
}

/// A request's place among those in flight, until the last byte of its answer is handed over or its client is gone.
struct Place<S> {
    line: Arc<Line<S>>,
    counted: bool,
    chunked: bool,
}

impl<S> Place<S> {
    fn take(&mut self) -> bool {
        let house = &self.line.house;
        self.counted = true; // from here on the drop gives back what the next line takes
        house.in_flight.fetch_add(1, Ordering::Relaxed) < house.limits.in_flight
    }
}

impl<S> Drop for Place<S> {
    fn drop(&mut self) {
        if self.counted {
            self.line.house.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
        if self.chunked {
            self.line.heads.lock().unwrap_or_else(PoisonError::into_inner).exchange_over();
        }
    }
}

/// An answer's body on its way out, with the place it holds.
struct Sending<S> {
    body: Body,
    _place: Place<S>,
}

impl<S> http_body::Body for Sending<S> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
