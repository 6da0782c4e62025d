//! Requests as bytes: what they share is made once for a load, the rest once for each.

use super::keys::describe;
use super::now;
use super::payload::Payload;
use super::requests::Requests;
use super::sign::{Stamp, UNSIGNED};
use lifecycle::{Clock, SystemClock};
use std::time::Duration;

/// Servers take a stamp for 15 minutes; a new one costs five digests.
const STAMP_LIFE: Duration = Duration::from_secs(60);

/// Requests, and what can be made before the first is sent. A large body is digested here, once for all of a load and
/// before its time begins.
#[derive(Debug)]
pub(super) struct Prepared {
    requests: Requests,
    tail: Vec<u8>,
    /// What the signature says of the body; empty if nothing is signed.
    digest: String,
}

impl Prepared {
    pub(super) fn new(requests: Requests) -> Self {
        let digest = match (requests.signer(), requests.signs_payload()) {
            (Some(_), true) => requests.payload().sha256(),
            (Some(_), false) => UNSIGNED.to_owned(),
            (None, _) => String::new(),
        };
        Prepared { tail: requests.tail(), requests, digest }
    }

    pub(super) fn requests(&self) -> &Requests {
        &self.requests
    }

    /// For one connection.
    pub(super) fn writer(&self) -> Writer<'_> {
        Writer { prepared: self, head: Vec::with_capacity(512), document: None, stamp: None }
    }
}

/// Writes one request after the other.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    prepared: &'a Prepared,
    head: Vec<u8>,
    /// The body, where each request has its own.
    document: Option<Payload>,
    stamp: Option<(Duration, Stamp)>,
}

impl Writer<'_> {
    /// Head and body of the request that follows `earlier` others.
    pub(super) fn write(&mut self, earlier: u64) -> (&[u8], &Payload) {
        let Prepared { requests, tail, digest } = self.prepared;
        self.head.clear();
        requests.target(earlier, &mut self.head);
        let line = self.head.len();
        self.head.extend_from_slice(tail);
        self.document = requests.keys().map(|(keys, pick)| keys.document(earlier, pick));
        if let Some(document) = &self.document {
            describe(document, &mut self.head);
        }
        if let Some(signer) = requests.signer() {
            let own = self.document.as_ref().filter(|_| requests.signs_payload()).map(Payload::sha256);
            let digest = own.as_ref().unwrap_or(digest);
            let at = now();
            let fresh = self.stamp.take().filter(|(since, _)| at.saturating_sub(*since) < STAMP_LIFE);
            let (_, stamp) =
                self.stamp.insert(fresh.unwrap_or_else(|| (at, signer.stamp(SystemClock.now()))));
            // The head grows while its beginning is read.
            let mut lines = Vec::with_capacity(320);
            stamp.sign(&self.head[..line], digest, &mut lines);
            self.head.extend_from_slice(&lines);
        }
        self.head.extend_from_slice(b"\r\n");
        (&self.head, self.document.as_ref().unwrap_or(requests.payload()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Door;
    use bytes::Bytes;

    fn written(requests: &Requests, earlier: u64) -> (Vec<String>, Payload) {
        let prepared = requests.prepared();
        let mut writer = prepared.writer();
        let (head, payload) = writer.write(earlier);
        let head = String::from_utf8(head.to_vec()).unwrap();
        (head.lines().map(str::to_owned).collect(), payload.clone())
    }

    fn door() -> Door {
        Door::signed("127.0.0.1:9000".parse().unwrap(), ("key", "secret"))
    }

    #[test]
    fn a_signed_request_names_its_host_digest_and_signature() {
        let put = door().numbered("PUT", "/b/k").body(Bytes::from_static(b"abc"));
        let (lines, _) = written(&put, 7);
        assert_eq!(lines[..3], ["PUT /b/k000000007 HTTP/1.1", "Host: 127.0.0.1:9000", "Content-Length: 3"]);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(lines[3], format!("x-amz-content-sha256: {abc}"));
        assert!(lines[4].starts_with("x-amz-date: 2") && lines[4].ends_with('Z'), "{}", lines[4]);
        assert!(lines[5].starts_with("Authorization: AWS4-HMAC-SHA256 Credential=key/2"), "{}", lines[5]);
        assert_eq!((lines[6].as_str(), lines.len()), ("", 7));
        let (lines, _) = written(&put.unsigned_payload(), 7);
        assert_eq!(lines[3], "x-amz-content-sha256: UNSIGNED-PAYLOAD");
    }

    #[test]
    fn a_list_of_keys_is_signed_as_it_is_sent() {
        let (lines, document) = written(&door().deleting("b", "k", 3), 1);
        assert_eq!(lines[0], "POST /b?delete HTTP/1.1");
        assert_eq!(lines[2], format!("Content-Length: {}", document.length()));
        assert!(lines[3].starts_with("Content-MD5: "), "{}", lines[3]);
        assert_eq!(lines[4], format!("x-amz-content-sha256: {}", document.sha256()));
        let text = String::from_utf8(document.block().to_vec()).unwrap();
        assert!(text.contains("<Key>k000000003</Key>") && text.contains("<Key>k000000005</Key>"), "{text}");
    }

    #[test]
    fn a_stamp_is_used_again() {
        let prepared = door().numbered("GET", "/b/k").prepared();
        let mut writer = prepared.writer();
        let first = writer.write(0).0.to_vec();
        let moment = writer.stamp.as_ref().map(|(since, _)| *since);
        writer.write(1);
        assert_eq!(writer.stamp.as_ref().map(|(since, _)| *since), moment);
        assert!(first.ends_with(b"\r\n\r\n") && writer.head != first);
    }
}
