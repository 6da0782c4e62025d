//! The XML that requests bring, looked at strictly before `s3s` reads it.
//!
//! `s3s` passes over elements that it does not know, type declarations, and what stands behind the root, and takes a CDATA
//! section for nothing. A misspelt `MfaDelet` is then no word at all, and a key in CDATA the empty one; where documents delete
//! things, nothing may be read as something else. It also knows no characters beyond U+FFFF by their numbers, which some clients
//! write; so lists of keys are written anew, without such references, before they are handed to it.

mod grammar;

use super::arguments::Arguments;
use super::target::Named;
use grammar::{
    ACCELERATION, ACL, BUCKET, COMPLETE, CORS, DELETE, Grammar, LEGAL_HOLD, LIFECYCLE, LOGGING, NOTIFICATION,
    OBJECT_LOCK, OWNERSHIP, PAYMENT, PUBLIC_BLOCK, RETENTION, TAGGING, VERSIONING,
};
use http::Method;
use http::request::Parts;
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Elements inside of elements.
const DEPTH_MAX: usize = 16;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Keys to delete.
    Delete,
    /// The parts of an upload.
    Complete,
    /// Tags.
    Tagging,
    /// A bucket's versioning.
    Versioning,
    /// A bucket's rules for pages of other sites.
    Cors,
    /// Who is told what happens in a bucket.
    Notification,
    /// Where requests to a bucket are logged.
    Logging,
    /// Who pays for requests.
    Payment,
    /// Whether transfers are accelerated.
    Acceleration,
    /// A bucket to be made.
    Bucket,
    /// An access list.
    Acl,
    /// What may not be opened to everybody.
    PublicBlock,
    /// Whose the objects are that others write.
    Ownership,
    /// A bucket's lifecycle.
    Lifecycle,
    /// What the versions of a bucket are locked by.
    ObjectLock,
    /// Until when a version is kept.
    Retention,
    /// Whether a version is held.
    LegalHold,
    /// Of a call that is not built: any that is XML.
    Other,
}

/// A document that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadDocument(String);

/// The arguments of a signature of version 2.
const OLD: [&str; 3] = ["AWSAccessKeyId", "Expires", "Signature"];

impl Kind {
    /// What the body of a request is, if it is no object's content.
    pub(super) fn of(parts: &Parts, named: &Named, arguments: &Arguments) -> Option<Self> {
        let has = |name: &str| arguments.has(name);
        let (put, post) = (parts.method == Method::PUT, parts.method == Method::POST);
        if put && named.key.is_some() && !["tagging", "acl", "retention", "legal-hold"].into_iter().any(has) {
            return None;
        }
        // Arguments that say nothing of what is asked.
        let plain = |name: &str| name == "x-id" || name.starts_with("X-Amz-") || OLD.contains(&name);
        Some(match named.key {
            None if post && has("delete") => Kind::Delete,
            Some(_) if post && has("uploadId") => Kind::Complete,
            _ if put && has("tagging") => Kind::Tagging,
            None if put && has("versioning") => Kind::Versioning,
            None if put && has("lifecycle") => Kind::Lifecycle,
            None if put && has("object-lock") => Kind::ObjectLock,
            Some(_) if put && has("retention") => Kind::Retention,
            Some(_) if put && has("legal-hold") => Kind::LegalHold,
            None if put && has("cors") => Kind::Cors,
            _ if put && has("acl") => Kind::Acl,
            None if put && has("publicAccessBlock") => Kind::PublicBlock,
            None if put && has("ownershipControls") => Kind::Ownership,
            None if put && has("notification") => Kind::Notification,
            None if put && has("logging") => Kind::Logging,
            None if put && has("requestPayment") => Kind::Payment,
            None if put && has("accelerate") => Kind::Acceleration,
            None if put && arguments.names().all(plain) => Kind::Bucket,
            _ => Kind::Other,
        })
    }

    const fn grammar(self) -> Option<Grammar> {
        match self {
            Kind::Delete => Some(DELETE),
            Kind::Complete => Some(COMPLETE),
            Kind::Tagging => Some(TAGGING),
            Kind::Versioning => Some(VERSIONING),
            Kind::Cors => Some(CORS),
            Kind::Notification => Some(NOTIFICATION),
            Kind::Logging => Some(LOGGING),
            Kind::Payment => Some(PAYMENT),
            Kind::Acceleration => Some(ACCELERATION),
            Kind::Bucket => Some(BUCKET),
            Kind::Acl => Some(ACL),
            Kind::PublicBlock => Some(PUBLIC_BLOCK),
            Kind::Ownership => Some(OWNERSHIP),
            Kind::Lifecycle => Some(LIFECYCLE),
            Kind::ObjectLock => Some(OBJECT_LOCK),
            Kind::Retention => Some(RETENTION),
            Kind::LegalHold => Some(LEGAL_HOLD),
            Kind::Other => None,
        }
    }

    /// Passes if `document` is one of this kind, or empty.
    ///
    /// # Errors
    /// [`BadDocument`].
    pub(super) fn check(self, document: &[u8]) -> Result<(), BadDocument> {
        if document.is_empty() || self == Kind::Other {
            return Ok(());
        }
        self.rewrite(document).map(drop)
    }

    /// The same document in plain characters.
    ///
    /// # Errors
    /// [`BadDocument`] if it is not one of this kind.
    pub(super) fn rewrite(self, document: &[u8]) -> Result<String, BadDocument> {
        let mut reader = Reader::from_reader(document);
        let (mut path, mut plain): (Vec<String>, _) = (Vec::new(), String::with_capacity(document.len()));
        let mut rooted = false;
        let bad = |text: &str| BadDocument(text.to_owned());
        loop {
            let event = reader.read_event().map_err(|error| BadDocument(error.to_string()))?;
            match event {
                Event::Start(start) => {
                    let name = self.enter(&path, &start, &mut rooted)?;
                    plain.push_str(&format!("<{name}>"));
                    path.push(name);
                }
                Event::Empty(start) => {
                    let name = self.enter(&path, &start, &mut rooted)?;
                    plain.push_str(&format!("<{name}></{name}>"));
                }
                Event::End(_) => {
                    let name = path.pop().ok_or_else(|| bad("an element ends that did not begin"))?;
                    plain.push_str(&format!("</{name}>"));
                }
                Event::Text(text) => {
                    let text = text.xml10_content().map_err(|error| BadDocument(error.to_string()))?;
                    if self.holds_text(&path) {
                        plain.push_str(&escape(text.as_ref()));
                    } else if !text.trim_ascii().is_empty() {
                        return Err(bad("text stands where no text is"));
                    }
                }
                Event::GeneralRef(reference) => {
                    if !self.holds_text(&path) {
                        return Err(bad("text stands where no text is"));
                    }
                    plain.push_str(&escape(character(&reference)?.to_string().as_str()));
                }
                Event::Decl(_) if !rooted && path.is_empty() => {}
                Event::Comment(_) => {}
                Event::Eof if rooted && path.is_empty() => return Ok(plain),
                Event::Eof => return Err(bad("the document ends early")),
                Event::CData(_) => return Err(bad("a CDATA section is not taken")),
                Event::DocType(_) => return Err(bad("a document type declaration is not taken")),
                Event::PI(_) | Event::Decl(_) => return Err(bad("a processing instruction is not taken")),
            }
        }
    }

    /// The name of an element that begins inside of `path`.
    fn enter(
        self,
        path: &[String],
        start: &BytesStart<'_>,
        rooted: &mut bool,
    ) -> Result<String, BadDocument> {
        let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
        if path.is_empty() && std::mem::replace(rooted, true) {
            return Err(BadDocument(format!("behind the root stands {name:?}")));
        }
        if path.len() >= DEPTH_MAX {
            return Err(BadDocument(format!("more than {DEPTH_MAX} elements stand inside of each other")));
        }
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| BadDocument(error.to_string()))?;
            let key = attribute.key.as_ref();
            if self != Kind::Other
                && key != b"xmlns"
                && !key.starts_with(b"xmlns:")
                && !key.starts_with(b"xsi:")
            {
                return Err(BadDocument(format!("{name:?} has an attribute that is not known")));
            }
        }
        let inside = path.last().map_or("", String::as_str);
        let known = self.grammar().is_none_or(|grammar| {
            grammar.iter().any(|(parent, children)| *parent == inside && children.contains(&name.as_str()))
        });
        if known { Ok(name) } else { Err(BadDocument(format!("{name:?} is no element of {inside:?}"))) }
    }

    /// Whether text stands in the innermost element.
    fn holds_text(self, path: &[String]) -> bool {
        let Some(inside) = path.last() else { return false };
        self.grammar().is_none_or(|grammar| !grammar.iter().any(|(parent, _)| parent == inside))
    }
}

/// The character that a reference stands for: by number, or one of the five that XML names.
fn character(reference: &BytesRef<'_>) -> Result<char, BadDocument> {
    let bad = || BadDocument("an entity that is not XML's own is not taken".to_owned());
    if let Some(found) = reference.resolve_char_ref().map_err(|error| BadDocument(error.to_string()))? {
        return Ok(found);
    }
    match reference.decode().map_err(|error| BadDocument(error.to_string()))?.as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delete(inside: &str) -> Result<String, BadDocument> {
        Kind::Delete
            .rewrite(format!("<?xml version=\"1.0\"?>\n<Delete xmlns=\"x\">{inside}</Delete>\n").as_bytes())
    }

    #[test]
    fn a_list_of_keys_is_written_in_plain_characters() {
        let plain = delete(
            "<Quiet>true</Quiet> <Object><Key>a &amp; &#128512;&#xE4;<!-- b -->\u{1f600}</Key></Object>",
        );
        assert_eq!(
            plain.unwrap(),
            "<Delete><Quiet>true</Quiet><Object><Key>a &amp; \u{1f600}\u{e4}\u{1f600}</Key></Object></Delete>"
        );
        assert!(delete("<Object><Key></Key><VersionId/></Object>").is_ok());
    }

    #[test]
    fn nothing_is_read_as_something_else() {
        for bad in [
            "<Object><Key><![CDATA[witness]]></Key></Object>",
            "<Object><Kee>a</Kee></Object>",
            "<Dryrun>true</Dryrun>",
            "<Object>a</Object>",
            "<Key>a</Key>",
            "<Object><Key>&other;</Key></Object>",
            "<Object><Key>a</Kee></Object>",
            "<Object><Key a=\"b\">a</Key></Object>",
            "<?php?>",
        ] {
            assert!(delete(bad).is_err(), "{bad}");
        }
        for bad in [
            "<!DOCTYPE Delete [<!ENTITY a \"b\">]><Delete></Delete>",
            "<Delete></Delete><Delete></Delete>",
            "<Delete></Delete>more",
            "<Delete>",
            "",
            "no",
            "<Tagging></Tagging>",
        ] {
            assert!(Kind::Delete.rewrite(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(
            Kind::Versioning
                .check(b"<VersioningConfiguration><MfaDelet>1</MfaDelet></VersioningConfiguration>")
                .is_err()
        );
        assert!(Kind::Versioning.check(b"").is_ok());
    }

    #[test]
    fn deep_documents_are_refused_at_the_first_element_too_much() {
        let deep = "<a>".repeat(100_000);
        let inside = Kind::Other.rewrite(deep.as_bytes()).unwrap_err();
        assert!(inside.to_string().contains("16"), "{inside}");
    }
}
