//! What the doors have in common in writing down: the ids of requests, the record of one, and what a restore through SCSP
//! leaves beside it in the audit trail.

use crate::Gateway;
use crate::http::{AtEnd, Body, Peer, Sent};
use http::{HeaderName, HeaderValue, Response};
use lifecycle::audit::{RESTORE, Record, door};
use lifecycle::{ContainerId, MemberId, SharedAudit, SharedClock};
use metadata::{Container, ContainerKind, Removal};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The header in which an answer carries its request's id, on the doors that have no other for it.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("gateway-request-id");

/// Makes ids of requests: a random beginning for the life of the process, and a number. Nothing is guessed from the one,
/// nothing is drawn for the other.
#[derive(Debug)]
pub(crate) struct RequestIds {
    start: u64,
    next: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *MemberId::random().as_bytes();
        RequestIds { start: u64::from_be_bytes([a, b, c, d, e, f, g, h]), next: AtomicU64::new(1) }
    }
}

impl RequestIds {
    pub(crate) fn next(&self) -> RequestId {
        RequestId { start: self.start, number: self.next.fetch_add(1, Ordering::Relaxed) }
    }
}

/// One request, in its answer, in the log and in the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestId {
    start: u64,
    number: u64,
}

impl RequestId {
    /// As `Gateway-Request-Id` says it.
    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).expect("digits are a header's value")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}{:08X}", self.start, self.number)
    }
}

/// One request's record: begun with the request, written when the last byte of its answer was handed over.
pub(crate) struct Pending {
    sink: SharedAudit,
    clock: SharedClock,
    began: Duration,
    read: Arc<AtomicU64>,
    pub(crate) record: Record,
}

impl Pending {
    /// Begins one at `door`; `None` where nobody listens.
    pub(crate) fn begin(gateway: &Gateway, door: &'static str, id: RequestId, peer: Peer) -> Option<Self> {
        gateway.audit.listens().then(|| Pending {
            sink: Arc::clone(&gateway.audit),
            clock: Arc::clone(&gateway.clock),
            began: gateway.clock.boot(),
            read: Arc::default(),
            record: Record {
                door,
                request: Some(id.to_string()),
                source: Some(peer.0.ip().to_canonical()),
                ..Record::default()
            },
        })
    }

    /// Where the bytes of the request's body are counted.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// Writes the record behind the last byte of this answer.
    pub(crate) fn write_at_end(self, response: &mut Response<Body>) {
        response.extensions_mut().insert(AtEnd::new(move |sent| self.write(Some(sent))));
    }

    /// Writes the record. `None`: there was no answer.
    pub(crate) fn write(mut self, sent: Option<Sent>) {
        self.record.at = self.clock.now();
        self.record.elapsed = Some(self.clock.boot().saturating_sub(self.began));
        self.record.bytes_in = Some(self.read.load(Ordering::Relaxed));
        self.record.bytes_out = Some(sent.map_or(0, |sent| sent.bytes));
        self.record.cut = !sent.is_some_and(|sent| sent.whole);
        self.sink.record(&self.record);
    }
}

/// What the removal of `target` was, as far as it can be told: a record that lacks it is written all the same.
pub(crate) async fn removal(gateway: &Gateway, target: ContainerId) -> Option<Removal> {
    gateway.metadata.removal(target).await.unwrap_or_else(|error| {
        tracing::warn!(%target, %error, "the audit record lacks what was removed");
        None
    })
}

/// Writes down that what was removed came back as `container`, with what it held when it was removed.
pub(crate) async fn restored(gateway: &Gateway, request: RequestId, by: &str, container: &Container) {
    if !gateway.audit.listens() {
        return;
    }
    // It is done, and is told of even if what it was cannot be read now.
    let removal = removal(gateway, container.id).await;
    let amount = removal.as_ref().map(|removal| (removal.objects, removal.bytes));
    let name = Some(container.name.clone());
    let (domain, bucket) = match container.kind {
        ContainerKind::Domain => (name, None),
        ContainerKind::Bucket | ContainerKind::Contents => (removal.and_then(|removal| removal.domain), name),
    };
    gateway.audit.record(&Record {
        at: gateway.clock.now(),
        door: door::SCSP,
        request: Some(request.to_string()),
        user: Some(by.to_owned()),
        operation: RESTORE,
        domain,
        bucket,
        uuid: Some(container.id.to_string()),
        objects: amount.map(|(objects, _)| objects),
        bytes: amount.map(|(_, bytes)| bytes),
        ..Record::default()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_requests_have_one_id() {
        let (ids, others) = (RequestIds::default(), RequestIds::default());
        let (one, two) = (ids.next().to_string(), ids.next().to_string());
        assert_ne!(one, two);
        assert_eq!(one[..16], two[..16]);
        assert_ne!(one[..16], others.next().to_string()[..16], "each process begins elsewhere");
        assert_eq!(one.len(), 24);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(ids.next().header().to_str().unwrap().len(), 24);
    }
}
