//! What one request leaves in the audit trail, and what its operation tells of it on the way.

use super::op::Op;
use super::target::Named;
use crate::audit::{Pending, RequestId};
use crate::http::{Body, Peer};
use crate::{Gateway, Principal};
use http::Response;
use lifecycle::audit::door;
use lifecycle::{ContainerId, Time};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// What is found out about a request while it is answered. Handed on with it; the door reads it at the end.
#[derive(Debug, Default)]
pub(super) struct Note {
    /// The other end of the connection.
    peer: Option<Peer>,
    by: OnceLock<Principal>,
    op: OnceLock<Op>,
    domain: OnceLock<String>,
    container: OnceLock<ContainerId>,
    promise: OnceLock<Time>,
    objects: AtomicU64,
    detail: OnceLock<String>,
}

impl Note {
    /// Of a request from there.
    fn from(peer: Peer) -> Self {
        Note { peer: Some(peer), ..Note::default() }
    }

    /// The other end of the connection, if there is one.
    pub(super) fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// It is known who asks.
    pub(super) fn by(&self, principal: &Principal) {
        let _ = self.by.set(principal.clone());
    }

    /// It is known what is asked.
    pub(super) fn asked(&self, op: Op) {
        let _ = self.op.set(op);
    }

    /// The domain where it led.
    pub(super) fn domain(&self, name: &str) {
        let _ = self.domain.set(name.to_owned());
    }

    /// The bucket that was made or removed.
    pub(super) fn container(&self, id: ContainerId) {
        let _ = self.container.set(id);
    }

    /// What was deleted can be restored until then, which is nobody's business but the operator's.
    pub(super) fn promised(&self, until: Option<Time>) {
        if let Some(until) = until {
            let _ = self.promise.set(until);
        }
    }

    /// So many objects were deleted.
    pub(super) fn deleted(&self, objects: u64) {
        self.objects.fetch_add(objects, Ordering::Relaxed);
    }

    /// What was changed into what, in words.
    pub(super) fn detail(&self, detail: String) {
        let _ = self.detail.set(detail);
    }

    /// What was asked, as far as it is known.
    pub(super) fn op(&self) -> Op {
        self.op.get().copied().unwrap_or(Op::UNKNOWN)
    }
}

/// One request on its way.
pub(super) struct Trail {
    pub(super) id: RequestId,
    pub(super) note: Arc<Note>,
    open: Option<Pending>,
}

impl Trail {
    pub(super) fn begin(gateway: &Gateway, id: RequestId, peer: Peer) -> Self {
        Trail { id, note: Arc::new(Note::from(peer)), open: Pending::begin(gateway, door::S3, id, peer) }
    }

    /// Where the bytes of the request's body are to be counted, if anybody wants to know.
    pub(super) fn counter(&self) -> Option<Arc<AtomicU64>> {
        self.open.as_ref().map(Pending::counter)
    }

    /// There is an answer: the record is written at its end. `refused`: the code of a refusal.
    pub(super) fn answered(
        mut self,
        named: &Named,
        default_domain: &str,
        refused: Option<&'static str>,
        response: &mut Response<Body>,
    ) {
        let Some(mut open) = self.open.take() else { return };
        let (note, record) = (&self.note, &mut open.record);
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        record.operation = note.op().as_str();
        record.status = Some(response.status().as_u16());
        record.user = note.by.get().map(|principal| principal.name.to_string());
        record.domain = Some(note.domain.get().map_or(default_domain, String::as_str).to_owned());
        record.bucket = named.bucket.clone();
        record.path = named.key.clone();
        record.uuid = note.container.get().map(ToString::to_string);
        record.token = refused;
        record.purge_after = note.promise.get().copied();
        record.objects = Some(note.objects.load(Ordering::Relaxed)).filter(|objects| *objects > 0);
        record.detail = note.detail.get().cloned();
        let version = header("x-amz-version-id");
        match header("x-amz-delete-marker") {
            Some(_) => record.marker = version,
            None => record.version = version,
        }
        open.write_at_end(response);
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        if let Some(mut open) = self.open.take() {
            open.record.operation = self.note.op().as_str();
            open.record.user = self.note.by.get().map(|principal| principal.name.to_string());
            open.write(None);
        }
    }
}
