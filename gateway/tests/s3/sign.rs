//! Signature version 4 as the AWS reference describes it (Amazon S3 API Reference, "Authenticating Requests"), written for
//! these tests alone: nothing of it is shared with the door.

use crate::client::Key;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use lifecycle::Time;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The body is not part of the signature.
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// The body comes in chunks, each with a signature.
pub(crate) const STREAMING: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
/// The same, and signed trailers behind it.
pub(crate) const STREAMING_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
/// The body comes in chunks without signatures, and trailers behind it.
pub(crate) const STREAMING_UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
/// The two forms for which no keys are made here.
pub(crate) const ECDSA: [&str; 2] =
    ["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"];

/// Name and value.
pub(crate) type Line = (String, String);

/// Whoever holds a key, at some time of theirs.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) key: Key,
    pub(crate) at: Time,
    pub(crate) region: String,
    pub(crate) service: &'static str,
}

impl Signer {
    pub(crate) fn new(key: &Key, at: Time) -> Self {
        Signer { key: key.clone(), at, region: "us-east-1".to_owned(), service: "s3" }
    }

    /// `20130524T000000Z`.
    pub(crate) fn stamp(&self) -> String {
        let text = self.at.to_rfc3339();
        let digits: String = text.chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
        digits + "Z"
    }

    fn date(&self) -> String {
        self.stamp()[..8].to_owned()
    }

    pub(crate) fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date(), self.region, self.service)
    }

    pub(crate) fn credential(&self) -> String {
        format!("{}/{}", self.key.id, self.scope())
    }

    /// The signature of a text, be it a string to sign or a form's policy.
    pub(crate) fn signature(&self, text: &str) -> String {
        let secret = format!("AWS4{}", self.key.secret);
        let mut key = secret.into_bytes();
        for word in [&self.date(), &self.region, self.service, "aws4_request"] {
            key = hmac(&key, word);
        }
        hex(&hmac(&key, text))
    }

    /// The signature of a request: over `headers`, in whatever order they are, and what `payload` says of the body.
    pub(crate) fn request(&self, method: &str, target: &str, headers: &[Line], payload: &str) -> String {
        let canonical = canonical(method, target, headers, payload);
        self.signature(&self.to_sign("AWS4-HMAC-SHA256", &hashed(canonical)))
    }

    /// The value of `Authorization`, and the signature in it, which signs the first chunk as well.
    pub(crate) fn authorization(
        &self,
        method: &str,
        target: &str,
        headers: &[Line],
        payload: &str,
    ) -> (String, String) {
        let signature = self.request(method, target, headers, payload);
        let header = format!(
            "AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={signature}",
            self.credential(),
            names(headers)
        );
        (header, signature)
    }

    /// `target` as an address that anybody may use for so long.
    pub(crate) fn presigned(&self, method: &str, target: &str, headers: &[Line], valid: Duration) -> String {
        let join = if target.contains('?') { '&' } else { '?' };
        let target = format!(
            "{target}{join}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={}\
             &X-Amz-SignedHeaders={}",
            encoded(self.credential().as_bytes(), true),
            self.stamp(),
            valid.as_secs(),
            encoded(names(headers).as_bytes(), true)
        );
        let signature = self.request(method, &target, headers, UNSIGNED);
        format!("{target}&X-Amz-Signature={signature}")
    }

    /// The signature of a chunk behind one with the signature `previous`.
    pub(crate) fn chunk(&self, previous: &str, bytes: &[u8]) -> String {
        let hashes = format!("{previous}\n{}\n{}", hashed(""), hashed(bytes));
        self.signature(&self.to_sign("AWS4-HMAC-SHA256-PAYLOAD", &hashes))
    }

    /// The signature of trailers behind a last chunk with the signature `previous`.
    pub(crate) fn trailers(&self, previous: &str, trailers: &[Line]) -> String {
        let mut sorted: Vec<String> =
            trailers.iter().map(|(name, value)| format!("{}:{value}\n", name.to_lowercase())).collect();
        sorted.sort_unstable();
        let hashes = format!("{previous}\n{}", hashed(sorted.concat()));
        self.signature(&self.to_sign("AWS4-HMAC-SHA256-TRAILER", &hashes))
    }

    /// The fields of a form that sign a policy of these conditions (JSON, separated by commas).
    pub(crate) fn form(&self, conditions: &str, valid: Duration) -> Vec<Line> {
        let (credential, stamp) = (self.credential(), self.stamp());
        let policy = format!(
            r#"{{"expiration":"{}","conditions":[{{"x-amz-algorithm":"AWS4-HMAC-SHA256"}},{{"x-amz-credential":"{credential}"}},{{"x-amz-date":"{stamp}"}},{conditions}]}}"#,
            self.at.plus(valid).to_rfc3339()
        );
        let policy = STANDARD.encode(policy);
        let signature = self.signature(&policy);
        [
            ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential", credential),
            ("x-amz-date", stamp),
            ("policy", policy),
            ("x-amz-signature", signature),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    fn to_sign(&self, algorithm: &str, rest: &str) -> String {
        format!("{algorithm}\n{}\n{}\n{rest}", self.stamp(), self.scope())
    }
}

/// The canonical request: the path as sent but encoded in one way, the arguments sorted, the headers sorted by name with
/// the values of one name joined.
fn canonical(method: &str, target: &str, headers: &[Line], payload: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut arguments: Vec<Line> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encoded(&decoded(name), true), encoded(&decoded(value), true)))
        .collect();
    arguments.sort_unstable();
    let query: Vec<String> = arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut lines = String::new();
    for name in sorted(headers) {
        let values: Vec<String> = headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(&name))
            .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        lines += &format!("{name}:{}\n", values.join(","));
    }
    let path = encoded(&decoded(path), false);
    format!("{method}\n{path}\n{}\n{lines}\n{}\n{payload}", query.join("&"), names(headers))
}

fn sorted(headers: &[Line]) -> Vec<String> {
    let mut names: Vec<String> = headers.iter().map(|(name, _)| name.to_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn names(headers: &[Line]) -> String {
    sorted(headers).join(";")
}

/// Percent-encoded, all but letters, digits and `-._~`.
pub(crate) fn encoded(bytes: &[u8], slash: bool) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte))
            }
            b'/' if !slash => text.push('/'),
            _ => text += &format!("%{byte:02X}"),
        }
    }
    text
}

fn decoded(text: &str) -> Vec<u8> {
    let (bytes, mut decoded, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match digits.filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    decoded
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is taken");
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

/// SHA-256 in hexadecimal digits, as `x-amz-content-sha256` has it.
pub(crate) fn hashed(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes.as_ref()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The examples of the AWS reference.
mod examples {
    use super::*;

    fn signer() -> Signer {
        let key = Key {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        };
        Signer::new(&key, Time::parse_http_date("Fri, 24 May 2013 00:00:00 GMT").expect("a date"))
    }

    fn headers(more: &[(&str, &str)]) -> Vec<Line> {
        let base = [("Host", "examplebucket.s3.amazonaws.com"), ("x-amz-date", "20130524T000000Z")];
        base.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn headers_are_signed_as_in_the_examples() {
        let empty = hashed("");
        let get = headers(&[("Range", "bytes=0-9"), ("x-amz-content-sha256", &empty)]);
        let (header, signature) = signer().authorization("GET", "/test.txt", &get, &empty);
        assert_eq!(signature, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
        assert!(header.contains("SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "), "{header}");
        let hash = hashed("Welcome to Amazon S3.");
        let put = headers(&[
            ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", &hash),
        ]);
        let signature = signer().request("PUT", "/test%24file.text", &put, &hash);
        assert_eq!(signature, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
        let list = headers(&[("x-amz-content-sha256", &empty)]);
        let signature = signer().request("GET", "/?prefix=J&max-keys=2", &list, &empty);
        assert_eq!(signature, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
    }

    #[test]
    fn an_address_is_presigned_as_in_the_example() {
        let host = vec![("host".to_owned(), "examplebucket.s3.amazonaws.com".to_owned())];
        let target = signer().presigned("GET", "/test.txt", &host, Duration::from_secs(86_400));
        let signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert!(target.ends_with(signature), "{target}");
    }

    #[test]
    fn chunks_are_signed_as_in_the_example() {
        let put = headers(&[
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", STREAMING),
            ("Content-Encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "66560"),
            ("Content-Length", "66824"),
        ]);
        let put: Vec<Line> = put
            .into_iter()
            .map(
                |(name, value)| {
                    if name == "Host" { (name, "s3.amazonaws.com".to_owned()) } else { (name, value) }
                },
            )
            .collect();
        let seed = signer().request("PUT", "/examplebucket/chunkObject.txt", &put, STREAMING);
        assert_eq!(seed, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
        let first = signer().chunk(&seed, &[b'a'; 65_536]);
        assert_eq!(first, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
        let second = signer().chunk(&first, &[b'a'; 1_024]);
        assert_eq!(second, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
        let last = signer().chunk(&second, b"");
        assert_eq!(last, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
    }

    #[test]
    fn trailers_are_signed_behind_the_last_chunk() {
        let last = "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992";
        let crc = [("x-amz-checksum-crc32c".to_owned(), "sOO8/Q==".to_owned())];
        let signature = signer().trailers(last, &crc);
        assert_eq!(signature, "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
    }
}
