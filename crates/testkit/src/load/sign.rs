//! AWS's signature version 4, as far as a load needs it: the same three headers are signed in every request. The key of
//! the day is made with a stamp, which many requests share; each signature then costs two short digests, about a
//! microsecond.
//!
//! After the Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".

use super::ids::write_hex;
use hmac::{Hmac, KeyInit, Mac};
use lifecycle::Time;
use sha2::{Digest, Sha256};
use std::fmt;

/// What stands for a body's digest when the body is not signed.
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const HEADERS: &str = "host;x-amz-content-sha256;x-amz-date";
const REGION: &str = "us-east-1";

/// Whoever holds a key and asks one host.
#[derive(Clone)]
pub struct Signer {
    host: String,
    key: String,
    secret: String,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("host", &self.host).field("key", &self.key).finish_non_exhaustive()
    }
}

impl Signer {
    /// Signs requests to `host`, as the header Host has it.
    pub fn new(host: &str, key: &str, secret: &str) -> Self {
        Signer { host: host.to_owned(), key: key.to_owned(), secret: secret.to_owned() }
    }

    /// What requests sent now are signed with. AWS takes it for 15 minutes.
    pub fn stamp(&self, now: Time) -> Stamp {
        // 2013-05-24T00:00:00.000Z without its punctuation and fraction.
        let moment: String = now.to_rfc3339().chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
        let moment = moment + "Z";
        let date = moment.get(..8).unwrap_or_default();
        let scope = format!("{date}/{REGION}/s3/aws4_request");
        let first = keyed(format!("AWS4{}", self.secret).as_bytes());
        let mac = [date, REGION, "s3", "aws4_request"].iter().fold(first, |mac, word| {
            let mac = mac.chain_update(word.as_bytes());
            keyed(&mac.finalize().into_bytes())
        });
        Stamp {
            line: format!(
                "Authorization: {ALGORITHM} Credential={}/{scope}, SignedHeaders={HEADERS}, Signature=",
                self.key
            ),
            to_sign: format!("{ALGORITHM}\n{moment}\n{scope}\n"),
            host: self.host.clone(),
            moment,
            mac,
            canonical: Vec::with_capacity(512),
        }
    }
}

/// A moment, and the key of its day.
pub struct Stamp {
    host: String,
    /// As `x-amz-date` has it.
    moment: String,
    /// The header up to the signature.
    line: String,
    /// What is signed, up to the digest of the request.
    to_sign: String,
    mac: Hmac<Sha256>,
    /// Space for one request.
    canonical: Vec<u8>,
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stamp").field("moment", &self.moment).finish_non_exhaustive()
    }
}

impl Stamp {
    /// Writes the headers that sign a request: `line` is its method, a space and its target, percent-encoded as AWS
    /// does it; `payload` is the digest of its body, or what stands for it.
    pub(super) fn sign(&mut self, line: &[u8], payload: &str, into: &mut Vec<u8>) {
        let signature = self.signature(line, payload);
        for part in ["x-amz-content-sha256: ", payload, "\r\nx-amz-date: ", &self.moment, "\r\n", &self.line]
        {
            into.extend_from_slice(part.as_bytes());
        }
        write_hex(&signature, into);
        into.extend_from_slice(b"\r\n");
    }

    fn signature(&mut self, line: &[u8], payload: &str) -> [u8; 32] {
        let canonical = &mut self.canonical;
        canonical.clear();
        let (method, target) = halves(line, b' ');
        let (path, query) = halves(target, b'?');
        canonical.extend_from_slice(method);
        canonical.push(b'\n');
        canonical.extend_from_slice(path);
        canonical.push(b'\n');
        write_query(query, canonical);
        for part in [
            "\nhost:",
            &self.host,
            "\nx-amz-content-sha256:",
            payload,
            "\nx-amz-date:",
            &self.moment,
            "\n\n",
            HEADERS,
            "\n",
            payload,
        ] {
            canonical.extend_from_slice(part.as_bytes());
        }
        let digest = Sha256::digest(canonical.as_slice());
        // Its place is taken by the text around the digest: no second buffer for 64 digits.
        canonical.clear();
        canonical.extend_from_slice(self.to_sign.as_bytes());
        write_hex(&digest, canonical);
        self.mac.clone().chain_update(canonical.as_slice()).finalize().into_bytes().into()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// What stands before and behind the first `between`; all and nothing if there is none.
fn halves(text: &[u8], between: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|&byte| byte == between) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

/// Arguments in the order of their names, each with a value.
fn write_query(query: &[u8], into: &mut Vec<u8>) {
    if query.is_empty() {
        return;
    }
    let mut arguments: Vec<_> = query.split(|&byte| byte == b'&').map(|pair| halves(pair, b'=')).collect();
    arguments.sort_unstable();
    for (at, (name, value)) in arguments.into_iter().enumerate() {
        if at > 0 {
            into.push(b'&');
        }
        into.extend_from_slice(name);
        into.push(b'=');
        into.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::payload::Payload;

    fn stamp() -> Stamp {
        let (key, secret) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let now = Time::parse_http_date("Fri, 24 May 2013 00:00:00 GMT").unwrap();
        Signer::new("examplebucket.s3.amazonaws.com", key, secret).stamp(now)
    }

    fn signed(line: &str) -> String {
        let mut lines = Vec::new();
        stamp().sign(line.as_bytes(), &Payload::default().sha256(), &mut lines);
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn the_examples_of_the_aws_reference_are_signed_as_there() {
        let lifecycle = signed("GET /?lifecycle");
        assert_eq!(
            lifecycle.lines().collect::<Vec<_>>(),
            [
                "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "x-amz-date: 20130524T000000Z",
                "Authorization: AWS4-HMAC-SHA256 \
                 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
                 Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ]
        );
        let list = signed("GET /?prefix=J&max-keys=2");
        let signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7\r\n";
        assert!(list.ends_with(signature), "{list}");
    }

    #[test]
    fn one_stamp_signs_many_requests() {
        let mut stamp = stamp();
        let mut lines = Vec::new();
        stamp.sign(b"PUT /examplebucket/k", UNSIGNED, &mut lines);
        lines.clear();
        stamp.sign(b"GET /?lifecycle", &Payload::default().sha256(), &mut lines);
        assert_eq!(String::from_utf8(lines).unwrap(), signed("GET /?lifecycle"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?} {:?}", Signer::new("h", "key", "hidden"), stamp());
        assert!(shown.contains("key") && !shown.contains("hidden") && !shown.contains("wJalr"), "{shown}");
    }
}
