//! What one request that is to change something leaves in the audit trail: exactly one record, whatever becomes of it.
//!
//! It is begun with the request's head and written behind the last byte of its answer, or when it is sure that there will
//! be none; then it has no status. Who, what and how it went is known to the door; what was found, made, removed or brought
//! back, an operation tells on the way, in a line of its own. What only reads leaves nothing.

use super::route::{Operation, Params};
use crate::audit::{self, Pending, RequestId};
use crate::http::{Body, Peer};
use crate::{Gateway, Principal};
use http::{Method, Response};
use lifecycle::ContainerId;
use lifecycle::audit::{Record, door};
use metadata::{Container, ContainerKind, Removed};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What operations are called here, as in the metrics.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(super::operations);

fn word(operation: Option<Operation>) -> &'static str {
    WORDS.get(super::route::number(operation)).map_or("UNKNOWN", String::as_str)
}

/// One request on its way.
pub(super) struct Trail {
    pub(super) id: RequestId,
    /// `None` where nothing is to be written down, and once it is handed on to the end of the answer.
    open: Mutex<Option<Pending>>,
}

impl Trail {
    /// Begins with a request of which nothing is understood yet but its method and path.
    pub(super) fn begin(gateway: &Gateway, id: RequestId, peer: Peer, method: &Method, path: &str) -> Self {
        if matches!(*method, Method::GET | Method::HEAD) {
            return Trail { id, open: Mutex::new(None) };
        }
        let trail = Trail::unasked(gateway, id, peer);
        // What cannot be understood is told of as it was sent.
        trail.tell(|record| record.path = Some(path.to_owned()));
        trail
    }

    /// Begins with a request that nobody could or would read: it may have been any.
    pub(super) fn unasked(gateway: &Gateway, id: RequestId, peer: Peer) -> Self {
        let trail = Trail { id, open: Mutex::new(Pending::begin(gateway, door::ADMIN, id, peer)) };
        trail.tell(|record| record.operation = word(None));
        trail
    }

    fn tell(&self, change: impl FnOnce(&mut Record)) {
        if let Some(open) = &mut *self.open.lock().unwrap_or_else(PoisonError::into_inner) {
            change(&mut open.record);
        }
    }

    /// The request is understood.
    pub(super) fn asked(&self, operation: Operation, params: &Params) {
        let stood = |name| Some(params.get(name)).filter(|text| !text.is_empty()).map(str::to_owned);
        self.tell(|record| {
            record.operation = word(Some(operation));
            record.domain = stood("domain");
            record.bucket = stood("bucket").or(stood("stream"));
            record.uuid = stood("contents");
            record.path = stood("task").or(stood("key")).or(stood("account"));
        });
    }

    /// It is known who asks.
    pub(super) fn by(&self, principal: &Principal) {
        self.tell(|record| record.user = Some(principal.name.to_string()));
    }

    /// Where the bytes of the request's body are to be counted, if anybody wants to know.
    pub(super) fn counter(&self) -> Option<Arc<AtomicU64>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Pending::counter)
    }

    /// What is to be made will be called so: a domain, or a bucket in one.
    pub(super) fn names(&self, domain: Option<&str>, name: &str) {
        let name = Some(name.to_owned());
        self.tell(|record| {
            (record.domain, record.bucket) = match domain {
                None => (name, None),
                Some(domain) => (Some(domain.to_owned()), name),
            };
            record.uuid = None;
        });
    }

    /// What the request meant was found, or what it wanted was made. A bucket is told of behind its domain.
    pub(super) fn found(&self, container: &Container) {
        self.tell(|record| {
            let name = Some(container.name.clone());
            match container.kind {
                ContainerKind::Domain => record.domain = name,
                ContainerKind::Bucket | ContainerKind::Contents => record.bucket = name,
            }
            // Of a bucket that is not there, its domain is not what was meant.
            if container.kind != ContainerKind::Domain || record.bucket.is_none() {
                record.uuid.get_or_insert_with(|| container.id.to_string());
            }
        });
    }

    /// It was removed, with what it held.
    pub(super) fn removed(&self, removed: &Removed) {
        self.tell(|record| {
            let Removed { container, objects, bytes, .. } = removed;
            record.purge_after = container.purge_after;
            record.cause = container.cause;
            record.objects = u64::try_from(*objects).ok();
            record.bytes = u64::try_from(*bytes).ok();
        });
    }

    /// What had been removed as `target` is being purged, or came back, as this container or in it: with what it held when
    /// it was removed.
    pub(super) async fn held(&self, gateway: &Gateway, target: ContainerId, container: &Container) {
        if self.counter().is_none() {
            return;
        }
        let removal = audit::removal(gateway, target).await;
        self.found(container);
        self.tell(|record| {
            record.uuid = Some(target.to_string());
            record.purge_after = container.purge_after;
            record.objects = removal.as_ref().map(|removal| removal.objects);
            record.bytes = removal.as_ref().map(|removal| removal.bytes);
        });
    }

    /// So many objects, and their bytes, came back.
    pub(super) fn amount(&self, (objects, bytes): (u64, u64)) {
        self.tell(|record| (record.objects, record.bytes) = (Some(objects), Some(bytes)));
    }

    /// This key is made, with these rights.
    pub(super) fn key(&self, id: &str, detail: String) {
        self.tell(|record| (record.path, record.detail) = (Some(id.to_owned()), Some(detail)));
    }

    /// What was chosen.
    pub(super) fn detail(&self, detail: String) {
        self.tell(|record| record.detail = Some(detail));
    }

    /// It was refused, for this reason.
    pub(super) fn refused(&self, code: &'static str) {
        self.tell(|record| record.token = Some(code));
    }

    /// There is an answer: it gets the request's id, and the record is written at its end.
    pub(super) fn answered(self, response: &mut Response<Body>) {
        response.headers_mut().insert(audit::REQUEST_ID, self.id.header());
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut open) = open {
            open.record.status = Some(response.status().as_u16());
            open.write_at_end(response);
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        if let Some(open) = self.open.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            open.write(None);
        }
    }
}
