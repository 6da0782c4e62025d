//! One request from its head to its answer.

use super::couch;
use super::error::Complaint;
use super::js;
use super::openapi;
use super::ops;
use super::request::{Answered, Asked};
use super::route::{self, Operation, Params};
use super::trail::Trail;
use super::words;
use crate::Gateway;
use crate::audit::RequestIds;
use crate::http::connection::reason;
use crate::http::{Body, BodyReader, Failure, Limits, Peer, Query, Service};
use crate::metrics::Door as CountedDoor;
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, HOST, HeaderValue, ORIGIN};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// The admin door as a service.
pub struct Door {
    gateway: Gateway,
    limits: Arc<Limits>,
    ids: RequestIds,
}

impl Door {
    /// A door onto `gateway`.
    pub fn new(gateway: Gateway, limits: Arc<Limits>) -> Self {
        Door { gateway, limits, ids: RequestIds::default() }
    }

    async fn answer(
        &self,
        parts: &Parts,
        (operation, params): (Operation, Params),
        body: Incoming,
        trail: &Trail,
    ) -> Answered {
        trail.asked(operation, &params);
        let principal = match operation.right() {
            None => None,
            Some(_) => {
                refuse_other_sites(parts)?;
                let principal = self.gateway.auth.principal(parts.into()).await?;
                trail.by(&principal);
                // Whatever its rights are: they hold in what the account owns, and this door shows an installation.
                if principal.account().is_some() {
                    return Err(Complaint::of_an_account());
                }
                Some(principal)
            }
        };
        let query = Query::parse(parts.uri.query())?;
        let (gateway, headers, limits) = (&self.gateway, &parts.headers, &*self.limits);
        let host = host(parts);
        let asked = Asked { gateway, operation, params, query, host, headers, limits, principal, trail };
        let mut body = BodyReader::new(body, &self.limits).counted_in(trail.counter());
        dispatch(&asked, &mut body).await.map_err(|complaint| words::worded(operation, complaint))
    }

    /// An answer that says no.
    fn refuse(&self, operation: Option<Operation>, complaint: Complaint, trail: &Trail) -> Response<Body> {
        let metrics = &self.gateway.metrics;
        if operation.is_some_and(Operation::deletes) && complaint.status.is_client_error() {
            metrics.delete_refused(complaint.token());
        }
        if operation.is_some_and(Operation::restores) {
            metrics.not_restored(complaint.status.as_u16(), 1);
        }
        trail.refused(complaint.token());
        let complaint = complaint.noted(metrics);
        match operation.and_then(Operation::call) {
            Some(call) => js::reply::refused(call, complaint),
            None => complaint.answer(),
        }
    }

    fn finish(
        &self,
        operation: Option<Operation>,
        mut response: Response<Body>,
        trail: Trail,
    ) -> Response<Body> {
        // Names, keys and, once, a secret: nothing of it belongs into anybody's cache.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let status = response.status().as_u16();
        self.gateway.metrics.request(CountedDoor::Admin, route::number(operation), status);
        trail.answered(&mut response);
        response
    }
}

async fn dispatch(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    match asked.operation {
        Operation::Alive => ops::health::alive(),
        Operation::Ready => ops::health::ready(asked).await,
        Operation::Metrics => ops::metrics::metrics(asked).await,
        Operation::Openapi => openapi::show(asked),
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
        Operation::ShowStream => ops::stream::show(asked).await,
        Operation::SetStream => ops::stream::set(asked, body).await,
        Operation::ListObjects => ops::objects::list(asked).await,
        Operation::PurgeVersions => ops::purge_versions::purge(asked, body).await,
        Operation::RestoreObjects => ops::restore_objects::named(asked, body).await,
        Operation::ShowRevisions => ops::revisions::show(asked).await,
        Operation::ImportRevision => ops::revisions::bring(asked, body).await,
        Operation::DiffRevisions => ops::revisions::diff(asked, body).await,
        Operation::ApplyPurges => ops::revisions::apply(asked, body).await,
        Operation::Changes => ops::changes::changes(asked).await,
        Operation::Purges => ops::purges::purges(asked).await,
        Operation::ListFollowers => ops::followers::list(asked).await,
        Operation::ShowFollower => ops::followers::show(asked).await,
        Operation::Follow => ops::followers::follow(asked, body).await,
        Operation::Deregister => ops::followers::deregister(asked).await,
        Operation::Usage => ops::usage::usage(asked).await,
        Operation::Trash => ops::trash::trash(asked).await,
        Operation::Deletions => ops::trash::deletions(asked).await,
        Operation::ShowDeletion => ops::trash::deletion(asked).await,
        Operation::CancelPurge => ops::purge_versions::cancel(asked).await,
        Operation::Members => ops::members::list(asked).await,
        Operation::FenceMember => ops::members::fence(asked, body).await,
        Operation::Barrier | Operation::BarrierAt => ops::members::barrier(asked).await,
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
        Operation::DisableKey => ops::key_changes::set_disabled(asked, true).await,
        Operation::EnableKey => ops::key_changes::set_disabled(asked, false).await,
        Operation::ExpireKey => ops::key_changes::expire(asked, body).await,
        Operation::RotateKey => ops::key_changes::rotate(asked, body).await,
        Operation::ListAccounts => ops::accounts::list(asked).await,
        Operation::CreateAccount => ops::accounts::create(asked, body).await,
        Operation::ShowAccount => ops::accounts::show(asked).await,
        Operation::ChangeAccount => ops::accounts::change(asked, body).await,
        Operation::DeleteAccount => ops::accounts::delete(asked).await,
        Operation::ListAccountKeys => ops::accounts::keys(asked).await,
        Operation::CreateAccountKey => ops::keys::create_of_account(asked, body).await,
        Operation::ShowAccountQuota => ops::quotas::show_of_account(asked).await,
        Operation::SetAccountQuota => ops::quotas::set_of_account(asked, body).await,
        Operation::ClearAccountQuota => ops::quotas::clear_of_account(asked).await,
        Operation::ShowQuota => ops::quotas::show_of_bucket(asked).await,
        Operation::SetQuota => ops::quotas::set_of_bucket(asked, body).await,
        Operation::ClearQuota => ops::quotas::clear_of_bucket(asked).await,
        Operation::PurgeStream => js::purge::purge(asked, body).await,
        Operation::StreamInfo => js::stream::info(asked, body).await,
        Operation::UpdateStream => js::update::update(asked, body).await,
        Operation::DeleteMessage => js::message::delete(asked, body).await,
        Operation::DeleteStream => js::stream::delete(asked, body).await,
        Operation::CouchPurge => couch::purge(asked, body).await,
        Operation::CouchPurgedInfos => couch::purged_infos(asked).await,
        Operation::CouchInfosLimit => couch::show_infos_limit(asked).await,
        Operation::CouchSetInfosLimit => couch::set_infos_limit(asked, body).await,
        Operation::CouchChanges => couch::changes(asked).await,
        Operation::CouchChangesByPost => couch::changes_by_post(asked, body).await,
        Operation::CouchMissingRevs => couch::missing_revs(asked, body).await,
        Operation::CouchRevsDiff => couch::revs_diff(asked, body).await,
        Operation::CouchRevsLimit => couch::show_revs_limit(asked).await,
        Operation::CouchSetRevsLimit => couch::set_revs_limit(asked, body).await,
        Operation::CouchAutoPurge => couch::show_auto_purge(asked).await,
        Operation::CouchSetAutoPurge => couch::set_auto_purge(asked, body).await,
    }
}

/// The host that the request names, without its port, in lower case as domains are.
fn host(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let named = header.or(parts.uri.authority().map(http::uri::Authority::as_str))?;
    let without_port = match named.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => named,
    };
    Some(without_port.to_ascii_lowercase())
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
        let trail = Trail::begin(&self.gateway, self.ids.next(), peer, &parts.method, parts.uri.path());
        let found = route::find(&parts.method, parts.uri.path());
        let operation = found.as_ref().ok().map(|(operation, _)| *operation);
        let answered = match found {
            // Caught here and not only around the door, so that a mistake of ours is written down as the request it met.
            Ok(found) => {
                Box::pin(AssertUnwindSafe(self.answer(&parts, found, body, &trail)).catch_unwind()).await
            }
            Err(complaint) => Ok(Err(complaint)),
        };
        let (request, method, path) = (trail.id, &parts.method, parts.uri.path());
        let worded = |complaint: Complaint| match couch::is_under(path) {
            true if complaint.is_of_no_path() => couch::worded(couch::not_built(method, path)),
            true => couch::worded(complaint),
            false => complaint,
        };
        let response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(complaint)) => {
                tracing::debug!(%request, peer = %peer.0, %method, path, ?complaint, "refused");
                self.refuse(operation, worded(complaint), &trail)
            }
            Err(panic) => {
                let panic = reason(panic.as_ref());
                tracing::error!(%request, peer = %peer.0, %method, path, panic, "a request handler panicked");
                self.refuse(operation, worded(Complaint::failed(Failure::Panicked)), &trail)
            }
        };
        self.finish(operation, response, trail)
    }

    fn failure(&self, failure: Failure, peer: Peer) -> Response<Body> {
        let trail = Trail::unasked(&self.gateway, self.ids.next(), peer);
        let complaint = Complaint::failed(failure);
        trail.refused(complaint.token());
        self.finish(None, complaint.answer(), trail)
    }
}

impl Complaint {
    /// What went wrong outside of any operation.
    fn failed(failure: Failure) -> Self {
        let code = match failure {
            Failure::Busy => "Busy",
            Failure::Fenced => "FENCED",
            Failure::Panicked => "Mistake",
            Failure::Malformed(_) => "BadRequest",
        };
        Complaint::new(failure.status(), code, failure.to_string())
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
