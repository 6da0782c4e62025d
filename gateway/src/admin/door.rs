//! One request from its head to its answer.

use super::error::Complaint;
use super::ops;
use super::request::{Answered, Asked};
use super::route::{self, Operation, Params};
use crate::Gateway;
use crate::http::{Body, BodyReader, Failure, Limits, Peer, Query, Service};
use crate::metrics::Door as CountedDoor;
use http::header::{CACHE_CONTROL, HOST, HeaderValue, ORIGIN};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use std::sync::Arc;

/// The admin door as a service.
pub struct Door {
    gateway: Gateway,
    limits: Arc<Limits>,
}

impl Door {
    /// A door onto `gateway`.
    pub fn new(gateway: Gateway, limits: Arc<Limits>) -> Self {
        Door { gateway, limits }
    }

    async fn answer(
        &self,
        parts: &Parts,
        (operation, params): (Operation, Params),
        body: Incoming,
    ) -> Answered {
        let principal = match operation.right() {
            None => None,
            Some(_) => {
                refuse_other_sites(parts)?;
                Some(self.gateway.auth.principal(parts.into()).await?)
            }
        };
        let query = Query::parse(parts.uri.query())?;
        let asked = Asked { gateway: &self.gateway, operation, params, query, principal };
        let mut body = BodyReader::new(body, &self.limits);
        dispatch(&asked, &mut body).await
    }

    /// An answer that says no.
    fn refuse(&self, operation: Option<Operation>, complaint: Complaint) -> Response<Body> {
        let metrics = &self.gateway.metrics;
        if operation.is_some_and(Operation::deletes) && complaint.status.is_client_error() {
            metrics.delete_refused(complaint.code);
        }
        if operation.is_some_and(Operation::restores) {
            metrics.not_restored(complaint.status.as_u16(), 1);
        }
        complaint.noted(metrics).answer()
    }

    fn finish(&self, operation: Option<Operation>, mut response: Response<Body>) -> Response<Body> {
        // Names, keys and, once, a secret: nothing of it belongs into anybody's cache.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let status = response.status().as_u16();
        self.gateway.metrics.request(CountedDoor::Admin, route::number(operation), status);
        response
    }
}

async fn dispatch(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    match asked.operation {
        Operation::Alive => ops::health::alive(),
        Operation::Ready => ops::health::ready(asked).await,
        Operation::Metrics => ops::metrics::metrics(asked).await,
        Operation::ListDomains => ops::containers::list_domains(asked).await,
        Operation::CreateDomain => ops::containers::create_domain(asked, body).await,
        Operation::ShowDomain => ops::containers::show_domain(asked).await,
        Operation::RemoveDomain => ops::remove::domain(asked, body).await,
        Operation::RestoreDomain => ops::restore::domain(asked, body).await,
        Operation::PurgeDomain => ops::purge::domain(asked, body).await,
        Operation::ListUnnamed => ops::objects::list_unnamed(asked).await,
        Operation::RestoreUnnamed => ops::restore_objects::unnamed(asked, body).await,
        Operation::ListBuckets => ops::containers::list_buckets(asked).await,
        Operation::CreateBucket => ops::containers::create_bucket(asked, body).await,
        Operation::ShowBucket => ops::containers::show_bucket(asked).await,
        Operation::RemoveBucket => ops::remove::bucket(asked, body).await,
        Operation::RestoreBucket => ops::restore::bucket(asked, body).await,
        Operation::PurgeBucket => ops::purge::bucket(asked, body).await,
        Operation::EmptyBucket => ops::empty::empty(asked, body).await,
        Operation::RestoreContents => ops::empty::restore(asked, body).await,
        Operation::SetGrace => ops::grace::set(asked, body).await,
        Operation::ListObjects => ops::objects::list(asked).await,
        Operation::RestoreObjects => ops::restore_objects::named(asked, body).await,
        Operation::Usage => ops::usage::usage(asked).await,
        Operation::Trash => ops::trash::trash(asked).await,
        Operation::Deletions => ops::trash::deletions(asked).await,
        Operation::Explain => ops::why::explain(asked).await,
        Operation::Why => ops::why::version(asked).await,
        Operation::Tombstones => ops::tombstones::tombstones(asked).await,
        Operation::Tasks => ops::tasks::list(asked).await,
        Operation::RunTask => ops::tasks::run(asked, body).await,
        Operation::Check => ops::check::check(asked),
        Operation::Resume => ops::tasks::resume(asked, body).await,
        Operation::ListKeys => ops::keys::list(asked).await,
        Operation::CreateKey => ops::keys::create(asked, body).await,
        Operation::RevokeKey => ops::keys::revoke(asked).await,
    }
}

/// A browser sends whatever page tells it to, with the credentials it remembers, or with none where anonymous callers
/// may do everything. So a page of another site gives no orders here.
fn refuse_other_sites(parts: &Parts) -> Result<(), Complaint> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let header = |name| parts.headers.get(name).map(HeaderValue::as_bytes);
    let site = parts.headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let foreign_site = site.is_some_and(|site| site != b"same-origin" && site != b"none");
    let foreign_origin = header(ORIGIN).is_some_and(|origin| {
        let host = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
        host.is_none() || host != header(HOST)
    });
    if foreign_site || foreign_origin {
        let message = "a page of another site asked for this";
        return Err(Complaint::new(StatusCode::FORBIDDEN, "OtherSite", message));
    }
    Ok(())
}

impl Service for Door {
    async fn call(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let found = route::find(&parts.method, parts.uri.path());
        let operation = found.as_ref().ok().map(|(operation, _)| *operation);
        let answered = match found {
            Ok(found) => Box::pin(self.answer(&parts, found, body)).await,
            Err(complaint) => Err(complaint),
        };
        let response = match answered {
            Ok(response) => response,
            Err(complaint) => {
                tracing::debug!(peer = %peer.0, method = %parts.method, path = parts.uri.path(), ?complaint, "refused");
                self.refuse(operation, complaint)
            }
        };
        self.finish(operation, response)
    }

    fn failure(&self, failure: Failure, _peer: Peer) -> Response<Body> {
        let code = match failure {
            Failure::Busy => "Busy",
            Failure::Panicked => "Mistake",
            Failure::Malformed(_) => "BadRequest",
        };
        self.finish(None, Complaint::new(failure.status(), code, failure.to_string()).answer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, headers: &[(&str, &str)]) -> Result<(), u16> {
        let mut request =
            Request::builder().method(method).uri("/v1/resume").header("host", "127.0.0.1:9090");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        refuse_other_sites(&parts).map_err(|complaint| complaint.status.as_u16())
    }

    #[test]
    fn a_page_of_another_site_gives_no_orders() {
        assert_eq!(asked("POST", &[]), Ok(()));
        assert_eq!(
            asked("POST", &[("origin", "http://127.0.0.1:9090"), ("sec-fetch-site", "same-origin")]),
            Ok(())
        );
        for headers in [
            [("origin", "http://evil.example")],
            [("origin", "null")],
            [("sec-fetch-site", "cross-site")],
            [("sec-fetch-site", "same-site")],
        ] {
            assert_eq!(asked("POST", &headers), Err(403), "{headers:?}");
            assert_eq!(asked("GET", &headers), Ok(()), "{headers:?}");
        }
    }
}
