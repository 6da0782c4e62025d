//! One connection from its first byte to its last, one exchange after another.

use super::at_end::{AtEnd, Sent};
use super::body::{Body, BodyError};
use super::hang_up;
use super::heads::{Framing, Heads};
use super::server::{Failure, House, Peer, Service};
use super::wire::Wire;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONNECTION, EXPECT, HeaderValue};
use http::{Method, Request, Response};
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
    let here = hang_up::Connection::default();
    let mut hung_up = pin!(here.ended());
    let (mut listening, mut told) = (false, false);
    let serving = poll_fn(|cx| {
        // Asking once is enough to be woken, since a task keeps its waker; after that a flag is all a poll costs.
        // Asking comes before the first look at the flag, the house sets the flag before it calls: none is missed.
        if !listening {
            listening = true;
            let _ = stop.as_mut().poll(cx);
        }
        if !told && house.stopping.load(Ordering::Acquire) {
            told = true;
            here.leave();
            connection.as_mut().graceful_shutdown();
        }
        if hung_up.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        connection.as_mut().poll(cx).map(Some)
    });
    match here.clone().serve(serving).await {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::debug!(peer = %peer.0, %error, "connection ended early"),
        None => tracing::debug!(peer = %peer.0, "hung up on a client that takes nothing"),
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
    let bodiless = request.method() == Method::HEAD;
    // What is written stands, and may be told; what was only read may have become wrong.
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    // Whoever asked whether to send its body and is answered otherwise may send it or not, and what comes next is then the
    // body or the next request: nobody can tell.
    let asks_first = request.headers().contains_key(EXPECT);
    let bears = !matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE);
    let house = Arc::clone(&place.line.house);
    let service = &house.service;
    let mut response = match look {
        Err(bad) => {
            // where this request ends is in doubt: nothing that follows on this connection can be believed
            let mut response = service.failure(Failure::Malformed(bad), place.line.peer);
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            response
        }
        Ok(()) if !place.take() => service.failure(Failure::Busy, place.line.peer),
        Ok(()) => {
            // A panic leaves nothing of ours half changed: the request is gone, the service answers for its own state.
            match AssertUnwindSafe(async { service.call(request, place.line.peer).await })
                .catch_unwind()
                .await
            {
                Ok(_) if reads && !service.may_answer() => service.failure(Failure::Fenced, place.line.peer),
                Ok(response) => response,
                Err(panic) => {
                    let peer = place.line.peer.0;
                    tracing::error!(%peer, panic = reason(panic.as_ref()), "a request handler panicked");
                    service.failure(Failure::Panicked, place.line.peer)
                }
            }
        }
    };
    // Nor is anybody told to go on with nothing: some clients wait for that word all the same.
    if asks_first && !(bears && framing != Framing::Length(0) && response.status().is_success()) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let at_end = response.extensions_mut().remove::<AtEnd>();
    Ok(response.map(|body| Sending { body, bodiless, bytes: 0, failed: false, at_end, _place: place }))
}

/// What a panic said.
pub(crate) fn reason(panic: &(dyn Any + Send)) -> &str {
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
    /// An answer to HEAD, whose body nobody asks for.
    bodiless: bool,
    bytes: u64,
    failed: bool,
    at_end: Option<AtEnd>,
    _place: Place<S>,
}

impl<S> Drop for Sending<S> {
    fn drop(&mut self) {
        if let Some(at_end) = &self.at_end {
            // The library lets go of a body behind its last byte, and of an empty one unasked.
            let ended = self.body.is_end_stream() || self.body.size_hint().exact() == Some(0);
            at_end.tell(Sent { bytes: self.bytes, whole: !self.failed && (ended || self.bodiless) });
        }
    }
}

impl<S> http_body::Body for Sending<S> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let sending = self.get_mut();
        let polled = Pin::new(&mut sending.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                sending.bytes += frame.data_ref().map_or(0, |data| data.len() as u64)
            }
            Poll::Ready(Some(Err(_))) => sending.failed = true,
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
