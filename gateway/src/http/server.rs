//! Listening, admitting, stopping.
//!
//! Every connection is one task; a request costs no task, no boxed future and no timer but the library's own for the
//! head. The HTTP library refuses by itself, before any service is asked: a head that is too large (431), a malformed
//! one, obs-fold, a sign or a list in `Content-Length` (400), a target over 65,534 bytes (414), a version other than 1.0
//! and 1.1 (400). A head that is too slow gets no answer, its connection is closed. What it lets pass and we do not is
//! in `heads`.
//!
//! A client that closes its side takes its request with it: the handler's future is dropped where it waits. Handlers
//! must be safe to drop at every await.

use super::admission::Doorman;
use super::body::Body;
use super::connection::serve_connection;
use super::heads::BadHead;
use super::limits::Limits;
use super::tls::{Tls, serve_encrypted};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};

/// How long to let others close something when the process has no room for one more socket.
const NO_ROOM: Duration = Duration::from_millis(100);

/// The header lines for which the HTTP library has room on its stack; another number costs two allocations a request.
const HEADERS_WITHOUT_ALLOCATION: usize = 100;

/// The other end of a connection: its address, a client's or a proxy's, and what stands between it and us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr, pub Transport);

impl Peer {
    /// Whether nobody in between can read what is exchanged with this peer. Behind a proxy that speaks TLS to the client
    /// and not to us the answer is no: what a proxy says about it is not believed here.
    pub fn is_encrypted(self) -> bool {
        self.1 == Transport::Tls
    }
}

/// How the bytes of a connection travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// As they are.
    Clear,
    /// Inside of TLS.
    Tls,
}

/// Where connections come in: a listener, in clear or with TLS in front of every connection.
#[derive(Debug)]
pub struct Entrance {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
}

impl Entrance {
    /// `listener`, speaking TLS and nothing else if `tls` is there.
    pub fn new(listener: TcpListener, tls: Option<Arc<Tls>>) -> Self {
        Entrance { listener, tls }
    }
}

/// In clear.
impl From<TcpListener> for Entrance {
    fn from(listener: TcpListener) -> Self {
        Entrance::new(listener, None)
    }
}

/// What answers requests. A function of request and peer is one.
pub trait Service: Send + Sync + 'static {
    /// Answers `request`. Dropped in the middle if the client leaves.
    fn call(&self, request: Request<Incoming>, peer: Peer) -> impl Future<Output = Response<Body>> + Send;

    /// Whether an answer that was read may still be given. Asked when it is there: the process may have stood still meanwhile.
    fn may_answer(&self) -> bool {
        true
    }

    /// Words an answer that was decided before or after [`Service::call`], in the protocol's own form. The status should
    /// stay [`Failure::status`].
    fn failure(&self, failure: Failure, _peer: Peer) -> Response<Body> {
        failure.plainly()
    }
}

impl<F, A> Service for F
where
    F: Fn(Request<Incoming>, Peer) -> A + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send,
{
    fn call(&self, request: Request<Incoming>, peer: Peer) -> impl Future<Output = Response<Body>> + Send {
        self(request, peer)
    }
}

/// What goes wrong outside any handler's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// As many requests are in flight as may be; the handler was not asked.
    #[error("too many requests are being answered: try again")]
    Busy,
    /// This process may not answer at this moment: another one has, or soon will have, declared it dead.
    #[error("this member cannot answer now: try again")]
    Fenced,
    /// The handler panicked.
    #[error("the server made a mistake; it has been logged")]
    Panicked,
    /// The request head is ambiguous; the handler was not asked, and the connection closes after the answer.
    #[error(transparent)]
    Malformed(BadHead),
}

impl Failure {
    /// The status that says so.
    pub fn status(self) -> StatusCode {
        match self {
            Failure::Busy | Failure::Fenced => StatusCode::SERVICE_UNAVAILABLE,
            Failure::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
            Failure::Malformed(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// An answer in plain text, with `Retry-After: 1` where trying again may help.
    pub fn plainly(self) -> Response<Body> {
        let mut response = Response::new(Body::Full(Bytes::from(format!("{self}\n"))));
        *response.status_mut() = self.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if matches!(self, Failure::Busy | Failure::Fenced) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// What the connections of one listener share.
pub(super) struct House<S> {
    pub(super) service: S,
    pub(super) limits: Arc<Limits>,
    pub(super) http: http1::Builder,
    pub(super) in_flight: AtomicUsize,
    pub(super) stopping: AtomicBool,
    pub(super) stop: Notify,
}

impl<S> House<S> {
    /// Returns when the house stops, at once if it does already.
    pub(super) async fn told_to_stop(&self) {
        let mut stop = pin!(self.stop.notified());
        // Asking comes before the look at the flag, the house sets the flag before it calls: none is missed.
        stop.as_mut().enable();
        if !self.stopping.load(Ordering::Acquire) {
            stop.await;
        }
    }
}

/// Serves what comes in by `entrance` until `stop` turns true (or its sender is gone): then takes no more connections, closes the idle
/// ones, lets running requests finish for at most [`Limits::shutdown`], and drops what is left. Returns when no
/// connection is open and no handler runs. Dropping this future drops all connections at once.
pub async fn serve<S: Service>(
    entrance: impl Into<Entrance>,
    limits: Arc<Limits>,
    service: S,
    mut stop: watch::Receiver<bool>,
) {
    let Entrance { listener, tls } = entrance.into();
    let doorman = Doorman::new(limits.connections, limits.per_peer);
    let house = Arc::new(House {
        http: http(&limits),
        service,
        limits,
        in_flight: AtomicUsize::new(0),
        stopping: AtomicBool::new(false),
        stop: Notify::new(),
    });
    let mut connections = JoinSet::new();
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            biased;
            () = told(&mut stop) => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                report(ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                failing = false;
                match doorman.admit(address.ip()) {
                    Ok(pass) => {
                        let (stream, house) = (prepared(stream), Arc::clone(&house));
                        // Two tasks, and not one with a choice in it, so that each takes no more room than it needs.
                        match tls.clone() {
                            None => connections.spawn(async move {
                                let _pass = pass;
                                serve_connection(stream, Peer(address, Transport::Clear), house).await;
                            }),
                            Some(tls) => connections.spawn(async move {
                                let _pass = pass;
                                serve_encrypted(stream, address, tls, house).await;
                            }),
                        };
                    }
                    Err(full) => tracing::debug!(peer = %address, %full, "connection turned away"),
                }
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                // said once, not ten times a second, until it works again
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "cannot accept connections; trying on");
                }
                tokio::select! {
                    () = told(&mut stop) => break,
                    () = tokio::time::sleep(NO_ROOM) => {}
                }
            }
        }
    }
    drop(listener);
    house.stopping.store(true, Ordering::Release);
    house.stop.notify_waiters();
    let finished = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    if tokio::time::timeout(house.limits.shutdown, finished).await.is_err() {
        tracing::warn!(connections = connections.len(), "dropping connections that did not finish in time");
        connections.shutdown().await;
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    // the library's deadline for heads does nothing without a timer
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_deadline);
    http.max_header_size(limits.header_bytes).keep_alive(true).half_close(false).pipeline_flush(false);
    if limits.headers != HEADERS_WITHOUT_ALLOCATION {
        http.max_headers(limits.headers);
    }
    http
}

fn prepared(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    stream
}

/// Whether accepting failed for that one connection only.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Handlers' panics are caught; one that arrives here came from a body being sent, and its client saw it cut.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}
