//! One request from its head to its answer.

use super::answer::set;
use super::authorization::challenge_realm;
use super::error::Trouble;
use super::exchange::Exchange;
use super::ops;
use super::request::{Asked, Operation, decode};
use super::trail::Trail;
use crate::Gateway;
use crate::audit::RequestIds;
use crate::auth::Denied;
use crate::http::connection::reason;
use crate::http::{Body, BodyReader, Failure, Limits, Peer, Service};
use crate::metrics::Door as CountedDoor;
use crate::objects::ROLLUP;
use futures_util::FutureExt;
use http::header::SERVER;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

const SERVER_NAME: HeaderValue =
    HeaderValue::from_static(concat!("CAStor Cluster/", env!("CARGO_PKG_VERSION"), " (Barrow)"));

/// The SCSP door as a service.
pub struct Door {
    gateway: Gateway,
    limits: Arc<Limits>,
    cluster: HeaderValue,
    ids: RequestIds,
}

impl Door {
    /// A door onto `gateway`.
    pub fn new(gateway: Gateway, limits: Arc<Limits>) -> Self {
        let cluster = HeaderValue::from_str(&gateway.settings.cluster);
        let cluster = cluster.unwrap_or(HeaderValue::from_static("barrow"));
        Door { gateway, limits, cluster, ids: RequestIds::default() }
    }

    async fn answer(
        &self,
        parts: &Parts,
        body: Incoming,
        trail: &mut Trail,
    ) -> Result<Response<Body>, Trouble> {
        let (operation, asked) = decode(parts)?;
        trail.asked(operation, &parts.method, &asked, self.gateway.settings.default_domain.as_str());
        let performed = self.perform(operation, &asked, parts, body, trail).await;
        performed.map_err(|trouble| {
            let default = &self.gateway.settings.default_domain;
            trouble.challenging(&self.gateway.auth, || challenge_realm(operation, &asked, default))
        })
    }

    async fn perform(
        &self,
        operation: Operation,
        asked: &Asked,
        parts: &Parts,
        body: Incoming,
        trail: &mut Trail,
    ) -> Result<Response<Body>, Trouble> {
        let principal = match self.gateway.auth.principal(parts.into()).await {
            // A bucket, or an object, may be open to everybody.
            Err(Denied::Missing) if operation == Operation::ReadObject => self.gateway.auth.anybody(),
            found => found?,
        };
        trail.by(&principal);
        if !matches!(operation, Operation::WriteObject | Operation::UpdateObject)
            && parts.headers.contains_key(ROLLUP)
        {
            return Err(Trouble::new(501, "NotImplemented", "Nats-Rollup is for POST and PUT of an object."));
        }
        let body = BodyReader::new(body, &self.limits).counted_in(trail.counter());
        let exchange = Exchange { gateway: &self.gateway, parts, asked, body, principal, trail };
        match operation {
            Operation::Node => ops::node::node(&exchange),
            Operation::ReadObject => ops::read::read(exchange).await,
            Operation::WriteObject => ops::write::write(exchange).await,
            Operation::UpdateObject => ops::update::update(exchange).await,
            Operation::CopyObject => ops::copy::copy(exchange).await,
            Operation::AppendObject => ops::append::append(exchange).await,
            Operation::DeleteObject => ops::delete::delete(exchange).await,
            Operation::InitiateUpload => ops::upload::initiate(exchange).await,
            Operation::UploadPart => ops::upload::part(exchange).await,
            Operation::CompleteUpload => ops::complete_upload::complete(exchange).await,
            Operation::AbortUpload => ops::upload::abort(exchange).await,
            Operation::ReadContext => ops::read_context::read_context(exchange).await,
            Operation::ListContext => ops::list::list(exchange).await,
            Operation::WriteContext => ops::write_context::write_context(exchange).await,
            Operation::UpdateContext => ops::write_context::update_context(exchange).await,
            Operation::CopyContext => ops::write_context::copy_context(exchange).await,
            Operation::AppendContext => ops::write_context::append_context(exchange).await,
            Operation::DeleteContext => ops::delete_context::delete_context(exchange).await,
            Operation::RestoreContext => ops::restore_context::restore_context(exchange).await,
        }
    }

    /// An answer that says no.
    fn refuse(&self, trouble: Trouble, trail: &mut Trail) -> Response<Body> {
        let metrics = &self.gateway.metrics;
        if trouble.status == StatusCode::INTERNAL_SERVER_ERROR {
            metrics.violation();
        }
        if trail.op.deletes() && trouble.status.is_client_error() {
            metrics.delete_refused(trouble.token);
        }
        if trail.op.restores() {
            metrics.not_restored(trouble.status.as_u16(), 1);
        }
        trail.refused(&trouble);
        trouble.answer()
    }

    fn finish(&self, method: &Method, mut response: Response<Body>, trail: Trail) -> Response<Body> {
        let failed = response.status().is_client_error() || response.status().is_server_error();
        let headers = response.headers_mut();
        headers.insert(SERVER, SERVER_NAME);
        if !failed {
            headers.insert(HeaderName::from_static("castor-system-cluster"), self.cluster.clone());
        }
        if method == Method::HEAD && failed {
            // The length of the text that is not sent stays, as for GET.
            if let Body::Full(text) = std::mem::take(response.body_mut()) {
                set(response.headers_mut(), "content-length", text.len());
            }
        }
        self.gateway.metrics.request(CountedDoor::Scsp, trail.op as usize, response.status().as_u16());
        trail.answered(&mut response);
        response
    }
}

impl Service for Door {
    async fn call(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let mut trail = Trail::begin(&self.gateway, self.ids.next(), peer, &parts);
        // Caught here and not only around the door, so that a mistake of ours is answered and written down as the request
        // that it met.
        let answered = AssertUnwindSafe(self.answer(&parts, body, &mut trail)).catch_unwind().await;
        let (request, method) = (trail.id, &parts.method);
        let response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(trouble)) if trouble.status.is_server_error() => {
                tracing::warn!(%request, peer = %peer.0, %method, path = parts.uri.path(), "not answered as asked");
                self.refuse(trouble, &mut trail)
            }
            Ok(Err(trouble)) => {
                tracing::debug!(%request, peer = %peer.0, %method, uri = %parts.uri, ?trouble, "refused");
                self.refuse(trouble, &mut trail)
            }
            Err(panic) => {
                let panic = reason(panic.as_ref());
                tracing::error!(%request, peer = %peer.0, %method, panic, "a request handler panicked");
                self.refuse(Trouble::failed(Failure::Panicked), &mut trail)
            }
        };
        self.finish(method, response, trail)
    }

    fn may_answer(&self) -> bool {
        self.gateway.metadata.serving().is_ok()
    }

    fn failure(&self, failure: Failure, peer: Peer) -> Response<Body> {
        let mut trail = Trail::unasked(&self.gateway, self.ids.next(), peer);
        let response = self.refuse(Trouble::failed(failure), &mut trail);
        self.finish(&Method::GET, response, trail)
    }
}

impl Trouble {
    /// What went wrong outside of any operation.
    fn failed(failure: Failure) -> Self {
        let token = match failure {
            Failure::Busy => "Busy",
            Failure::Fenced => "Fenced",
            Failure::Panicked => "CompletionErrorUnknown",
            Failure::Malformed(_) => "BadRequest",
        };
        let trouble = Trouble::new(failure.status().as_u16(), token, failure.to_string());
        match failure {
            Failure::Busy | Failure::Fenced => trouble.with("retry-after", "1"),
            Failure::Panicked | Failure::Malformed(_) => trouble,
        }
    }
}
