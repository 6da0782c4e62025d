//! What one request leaves in the audit trail: exactly one record, whatever becomes of the request.
//!
//! The record is begun with the request and written when the last byte of its answer was handed over, or when it is sure
//! that none will be: the client left in the middle. In that case it has no status. What was asked for may have been done
//! all the same; that somebody asked is written down for that reason.
//!
//! Operations know nothing of this. Who, what and how it went are read from the request and from the headers of its answer;
//! only what no header says, an operation tells: see [`Trail::located`] and [`Trail::promised`].

use super::error::Trouble;
use super::op::Op;
use super::request::{Asked, Operation, Target};
use crate::audit::{Pending, REQUEST_ID, RequestId};
use crate::http::{Body, Peer};
use crate::{Gateway, Principal};
use http::request::Parts;
use http::{Method, Response};
use lifecycle::audit::{Record, door};
use lifecycle::{ContainerId, Time};
use metadata::Located;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

/// One request on its way.
pub(super) struct Trail {
    pub(super) id: RequestId,
    /// What it is called, as far as it is understood.
    pub(super) op: Op,
    /// The other end of the connection.
    pub(super) peer: Peer,
    found: OnceLock<Place>,
    promise: OnceLock<Time>,
    /// `None` where nobody listens, and once it is handed on to the end of the answer.
    open: Option<Pending>,
}

/// Where it led.
struct Place {
    domain: (ContainerId, String),
    bucket: Option<ContainerId>,
}

impl Trail {
    /// Begins with a request of which nothing is understood yet but its head.
    pub(super) fn begin(gateway: &Gateway, id: RequestId, peer: Peer, parts: &Parts) -> Self {
        let mut trail = Trail::unasked(gateway, id, peer);
        trail.op = Op::by_method(&parts.method);
        if let Some(open) = &mut trail.open {
            // What cannot be understood is told of as it was sent.
            open.record.path = Some(parts.uri.path().to_owned());
        }
        trail
    }

    /// Begins with a request that nobody could or would read.
    pub(super) fn unasked(gateway: &Gateway, id: RequestId, peer: Peer) -> Self {
        let open = Pending::begin(gateway, door::SCSP, id, peer);
        Trail { id, op: Op::Unknown, peer, found: OnceLock::new(), promise: OnceLock::new(), open }
    }

    /// The request is understood.
    pub(super) fn asked(&mut self, operation: Operation, method: &Method, asked: &Asked, default: &str) {
        self.op = Op::of(operation, method, asked);
        let Some(Pending { record, .. }) = &mut self.open else { return };
        let domain = asked.domain.name.as_ref().map_or(default, |name| name.as_str());
        record.domain = Some(domain.to_owned());
        record.path = None;
        match &asked.target {
            Target::Root if self.op == Op::Node => record.domain = None,
            Target::Root => {}
            // Found from every domain, so that the one that was named says nothing.
            Target::Uuid(uuid) => (record.domain, record.uuid) = (None, Some(uuid.clone())),
            Target::Bucket(bucket) => record.bucket = Some(bucket.as_str().to_owned()),
            Target::Object(bucket, name) => {
                record.bucket = Some(bucket.as_str().to_owned());
                record.path = Some(name.as_str().to_owned());
            }
            Target::Child(name) => {
                (record.domain, record.path) = (None, Some(name.clone()));
            }
        }
        if self.op.restores() {
            record.uuid = asked.query.get("recreatecid").map(str::to_owned);
        }
        if self.op.deletes_context() {
            record.recursive = asked.query.get("recursive").map(|value| match value.to_ascii_lowercase() {
                yes if matches!(yes.as_str(), "" | "yes" | "true") => "yes".to_owned(),
                now if now == "now" => now,
                _ => value.to_owned(),
            });
        }
    }

    /// It is known who asks.
    pub(super) fn by(&mut self, principal: &Principal) {
        if let Some(open) = &mut self.open {
            open.record.user = Some(principal.name.to_string());
        }
    }

    /// What the request named was found: a name may lead elsewhere than it says, and a refusal names nothing.
    pub(super) fn located(&self, located: &Located) {
        if self.open.is_some() {
            let domain = (located.domain.id, located.domain.name.clone());
            let bucket = located.bucket.as_ref().map(|bucket| bucket.id);
            // Looking twice leads to the same place.
            let _ = self.found.set(Place { domain, bucket });
        }
    }

    /// What was deleted can be restored until then, which is nobody's business but the operator's.
    pub(super) fn promised(&self, until: impl Into<Option<Time>>) {
        if let Some(until) = until.into() {
            let _ = self.promise.set(until);
        }
    }

    /// Where the bytes of the request's body are to be counted, if anybody wants to know.
    pub(super) fn counter(&self) -> Option<Arc<AtomicU64>> {
        self.open.as_ref().map(Pending::counter)
    }

    /// It was refused.
    pub(super) fn refused(&mut self, trouble: &Trouble) {
        if let Some(open) = &mut self.open {
            open.record.token = Some(trouble.token);
        }
    }

    /// There is an answer: it gets the request's id, and the record is written at its end.
    pub(super) fn answered(mut self, response: &mut Response<Body>) {
        response.headers_mut().insert(REQUEST_ID, self.id.header());
        let Some(mut open) = self.open.take() else { return };
        self.complete(&mut open.record, response);
        open.write_at_end(response);
    }

    /// What the answer's headers say.
    fn complete(&self, record: &mut Record, response: &Response<Body>) {
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        let status = response.status();
        let done = status.is_success() || status.is_redirection();
        record.operation = self.op.as_str();
        record.status = Some(status.as_u16());
        let place = self.found.get();
        if let Some(place) = place.filter(|_| record.domain.is_some()) {
            record.domain = Some(place.domain.1.clone());
        }
        if self.op.of_context() {
            let found = match &record.bucket {
                Some(_) => place.and_then(|place| place.bucket),
                None => place.map(|place| place.domain.0),
            };
            let own = header("castor-system-alias").filter(|_| done).map(str::to_owned);
            record.uuid = own.or(record.uuid.take()).or(found.map(|id| id.to_string()));
        } else if done {
            let etag = header("etag").map(|tag| tag.trim_matches('"').to_owned());
            let own = header("castor-system-alias").or(header("content-uuid")).map(str::to_owned);
            record.uuid = own.or(record.uuid.take()).or(etag.clone());
            record.version = etag.filter(|etag| record.uuid.as_ref() != Some(etag));
            record.marker =
                header("castor-system-delete-marker-etag").map(|tag| tag.trim_matches('"').to_owned());
            if let Some(domain) = header("castor-system-domain") {
                record.domain = Some(domain.to_owned());
            }
        }
        if self.op.deletes() && done {
            let told = header("barrow-purge-after").and_then(Time::parse_http_date);
            record.purge_after = self.promise.get().copied().or(told);
            if self.op.deletes_context() && record.recursive.as_deref() != Some("now") {
                // Said or not: this is what was done.
                record.recursive = Some("yes".to_owned());
            }
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        if let Some(mut open) = self.open.take() {
            open.record.operation = self.op.as_str();
            open.write(None);
        }
    }
}
