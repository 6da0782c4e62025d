//! The documents of DeleteObjects: a list of keys each.

use super::payload::Payload;
use super::requests::{Pick, write_number};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};

/// Lists of keys made of a prefix and a number, so many in each.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
    each: u64,
}

impl Keys {
    /// `prefix` must not need escaping in XML.
    pub(super) fn new(prefix: &str, each: u64) -> Self {
        Keys { prefix: prefix.to_owned(), each: each.max(1) }
    }

    /// The document that follows `earlier` others.
    pub(super) fn document(&self, earlier: u64, pick: &Pick) -> Payload {
        let mut document = b"<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_vec();
        for key in earlier * self.each..(earlier + 1) * self.each {
            document.extend_from_slice(b"<Object><Key>");
            document.extend_from_slice(self.prefix.as_bytes());
            if let Some(number) = pick.number(key) {
                write_number(number, &mut document);
            }
            document.extend_from_slice(b"</Key></Object>");
        }
        document.extend_from_slice(b"</Delete>");
        Payload::from(bytes::Bytes::from(document))
    }
}

/// The headers that describe a document. The digest is what AWS asks of DeleteObjects.
pub(super) fn describe(document: &Payload, into: &mut Vec<u8>) {
    let md5 = BASE64_STANDARD.encode(Md5::digest(document.block()));
    let lines = format!("Content-Length: {}\r\nContent-MD5: {md5}\r\n", document.length());
    into.extend_from_slice(lines.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_document_has_the_next_keys() {
        let keys = Keys::new("k", 2);
        let listed = |earlier| {
            let document = keys.document(earlier, &Pick::Sparing(3));
            let text = String::from_utf8(document.block().to_vec()).unwrap();
            assert!(text.starts_with("<Delete xmlns=") && text.ends_with("</Object></Delete>"), "{text}");
            let keys = text.split("<Key>").skip(1);
            keys.map(|rest| rest.split('<').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(listed(0), ["k000000001", "k000000002"]);
        assert_eq!(listed(1), ["k000000004", "k000000005"]);
    }

    #[test]
    fn a_document_is_described_by_length_and_digest() {
        let mut lines = Vec::new();
        describe(&Payload::default(), &mut lines);
        assert_eq!(lines, b"Content-Length: 0\r\nContent-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n");
    }
}
