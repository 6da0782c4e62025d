//! One request from its head to its answer.

use super::answer::set;
use super::error::Trouble;
use super::exchange::Exchange;
use super::ops;
use super::request::{Operation, decode};
use crate::Gateway;
use crate::http::{Body, BodyReader, Failure, Limits, Peer, Service};
use crate::metrics::Door as CountedDoor;
use http::header::{AUTHORIZATION, SERVER};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use std::sync::Arc;

const SERVER_NAME: HeaderValue =
    HeaderValue::from_static(concat!("CAStor Cluster/", env!("CARGO_PKG_VERSION"), " (Barrow)"));

/// The SCSP door as a service.
pub struct Door {
    gateway: Gateway,
    limits: Arc<Limits>,
    cluster: HeaderValue,
}

impl Door {
    /// A door onto `gateway`.
    pub fn new(gateway: Gateway, limits: Arc<Limits>) -> Self {
        let cluster = HeaderValue::from_str(&gateway.settings.cluster);
        Door { gateway, limits, cluster: cluster.unwrap_or(HeaderValue::from_static("barrow")) }
    }

    async fn answer(&self, parts: &Parts, body: Incoming) -> Result<Response<Body>, Trouble> {
        let (operation, asked) = decode(parts)?;
        let authorization = parts.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let principal = self.gateway.auth.principal(authorization).await?;
        let body = BodyReader::new(body, &self.limits);
        let exchange = Exchange { gateway: &self.gateway, parts, asked: &asked, body, principal };
        match operation {
            Operation::Node => ops::node::node(&exchange),
            Operation::ReadObject => ops::read::read(exchange).await,
            Operation::WriteObject => ops::write::write(exchange).await,
            Operation::UpdateObject => ops::update::update(exchange).await,
            Operation::DeleteObject => ops::delete::delete(exchange).await,
            Operation::ReadContext => ops::read_context::read_context(exchange).await,
            Operation::ListContext => ops::list::list(exchange).await,
            Operation::WriteContext => ops::write_context::write_context(exchange).await,
            Operation::UpdateContext => ops::write_context::update_context(exchange).await,
            Operation::DeleteContext => ops::delete_context::delete_context(exchange).await,
            Operation::RestoreContext => ops::restore_context::restore_context(exchange).await,
        }
    }

    fn finish(&self, method: &Method, mut response: Response<Body>) -> Response<Body> {
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
        self.gateway.metrics.request(CountedDoor::Scsp, method.as_str(), response.status().as_u16());
        response
    }
}

impl Service for Door {
    async fn call(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let response = match self.answer(&parts, body).await {
            Ok(response) => response,
            Err(trouble) => {
                if trouble.status == StatusCode::INTERNAL_SERVER_ERROR {
                    self.gateway.metrics.violation();
                }
                tracing::debug!(peer = %peer.0, method = %parts.method, uri = %parts.uri, ?trouble, "refused");
                trouble.answer()
            }
        };
        self.finish(&parts.method, response)
    }

    fn failure(&self, failure: Failure) -> Response<Body> {
        let token = match failure {
            Failure::Busy => "Busy",
            Failure::Panicked => "CompletionErrorUnknown",
            Failure::Malformed(_) => "BadRequest",
        };
        let trouble = Trouble::new(failure.status().as_u16(), token, failure.to_string());
        let trouble = if failure.status() == StatusCode::SERVICE_UNAVAILABLE {
            trouble.with("retry-after", "1")
        } else {
            trouble
        };
        self.finish(&Method::GET, trouble.answer())
    }
}
