//! What a request says to the conditions of a policy. Found out for what a policy asks, when it asks.

use super::arguments::Arguments;
use super::exchange::Exchange;
use super::headers::{HOLD, MODE, UNTIL};
use super::tags;
use ::access::{Facts, Key, Plain, Value};
use lifecycle::Time;
use s3s::dto::CopySource;
use std::borrow::Cow;
use std::cell::OnceCell;

/// What a request is about that its operation has found out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct About<'a> {
    /// The version that is named.
    pub(super) version: Option<&'a str>,
    /// What is to be listed.
    pub(super) listing: Option<Lists<'a>>,
    /// The tags that the request brings, as they are stored.
    pub(super) tags: Option<&'a str>,
    /// The lock that its document orders; `None`: its headers say what it orders.
    pub(super) lock: Option<Orders<'a>>,
}

/// What a document orders of a lock, in its own words.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Orders<'a> {
    pub(super) mode: Option<&'a str>,
    pub(super) until: Option<Time>,
    pub(super) hold: Option<&'a str>,
}

/// What is to be listed: as the operation lists it, not as the target may be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lists<'a> {
    pub(super) prefix: Option<&'a str>,
    pub(super) delimiter: Option<&'a str>,
    pub(super) max_keys: Option<i32>,
}

/// A request, to be asked.
pub(super) struct Said<'a> {
    exchange: &'a Exchange<'a>,
    about: About<'a>,
    bucket_owner: Option<&'a str>,
    /// The tags of the object that is there, as they are stored.
    existing: Option<&'a str>,
    arguments: OnceCell<Arguments>,
    brought: OnceCell<Vec<tags::Pair>>,
    there: OnceCell<Vec<tags::Pair>>,
}

impl<'a> Said<'a> {
    pub(super) fn of(
        exchange: &'a Exchange<'_>,
        about: About<'a>,
        bucket_owner: Option<&'a str>,
        existing: Option<&'a str>,
    ) -> Self {
        let (arguments, brought, there) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Said { exchange, about, bucket_owner, existing, arguments, brought, there }
    }

    fn header(&self, name: &str) -> Value<'_> {
        let mut lines = self.exchange.headers.get_all(name).iter();
        let (first, more) = (lines.next(), lines.next());
        match (first, more) {
            (None, _) => Value::Nothing,
            (Some(one), None) => Value::One(String::from_utf8_lossy(one.as_bytes())),
            (Some(_), Some(_)) => Value::One(Cow::Owned(
                self.exchange
                    .headers
                    .get_all(name)
                    .iter()
                    .map(|line| String::from_utf8_lossy(line.as_bytes()))
                    .collect::<Vec<_>>()
                    .join(","),
            )),
        }
    }

    /// What is copied, as it is read where it is copied: however the header writes it, `bucket/key` and `/bucket/key`.
    fn source(&self) -> Value<'_> {
        let Value::One(header) = self.header("x-amz-copy-source") else { return Value::Nothing };
        match CopySource::parse(&header) {
            Ok(CopySource::Bucket { bucket, key, .. }) => Value::Many(vec![
                Cow::Owned(format!("{bucket}/{key}")),
                Cow::Owned(format!("/{bucket}/{key}")),
            ]),
            _ => Value::One(header),
        }
    }

    fn arguments(&self) -> &Arguments {
        // What could not be read did not come this far.
        self.arguments.get_or_init(|| Arguments::read(self.exchange.uri.query()).unwrap_or_default())
    }

    fn brought(&self) -> &[tags::Pair] {
        self.brought.get_or_init(|| match self.about.tags {
            Some(stored) => tags::decode(Some(stored)),
            None => match self.header("x-amz-tagging") {
                Value::One(header) => tags::of_header(&header).unwrap_or_default(),
                Value::Nothing | Value::Many(_) => Vec::new(),
            },
        })
    }

    /// How the request was signed.
    fn signed(&self) -> Option<(&'static str, &'static str)> {
        let (exchange, arguments) = (self.exchange, self.arguments());
        if exchange.principal.is_anonymous() {
            return None;
        }
        Some(match exchange.note.op().as_str() {
            "PostObject" => ("POST", "AWS4-HMAC-SHA256"),
            _ if arguments.has("X-Amz-Signature") => ("REST-QUERY-STRING", "AWS4-HMAC-SHA256"),
            _ if arguments.has("Signature") => ("REST-QUERY-STRING", "AWS"),
            _ => ("REST-HEADER", "AWS4-HMAC-SHA256"),
        })
    }

    /// What the request orders of a lock: in its document, or else in a header.
    fn ordered(&'a self, of: fn(Orders<'a>) -> Option<&'a str>, header: &str) -> Value<'a> {
        match self.about.lock {
            Some(orders) => Value::of(of(orders)),
            None => self.header(header),
        }
    }

    fn locked_until(&self) -> Option<Time> {
        match (self.about.lock, self.header(UNTIL)) {
            (Some(orders), _) => orders.until,
            (None, Value::One(until)) => Time::parse_rfc3339(&until),
            (None, Value::Nothing | Value::Many(_)) => None,
        }
    }

    fn now(&self) -> Time {
        self.exchange.gateway.clock.now()
    }

    fn plain(&self, key: Plain) -> Value<'_> {
        let principal = &self.exchange.principal;
        let user = (!principal.is_anonymous()).then_some(&*principal.name);
        let listing = |of: fn(Lists<'_>) -> Option<&str>| Value::of(self.about.listing.and_then(of));
        let owned = |text: Option<String>| text.map_or(Value::Nothing, |text| Value::One(Cow::Owned(text)));
        match key {
            Plain::Prefix => listing(|listing| listing.prefix),
            Plain::Delimiter => listing(|listing| listing.delimiter),
            Plain::MaxKeys => {
                owned(self.about.listing.and_then(|listing| Some(listing.max_keys?.to_string())))
            }
            Plain::Acl => self.header("x-amz-acl"),
            Plain::GrantRead => self.header("x-amz-grant-read"),
            Plain::GrantWrite => self.header("x-amz-grant-write"),
            Plain::GrantReadAcp => self.header("x-amz-grant-read-acp"),
            Plain::GrantWriteAcp => self.header("x-amz-grant-write-acp"),
            Plain::GrantFullControl => self.header("x-amz-grant-full-control"),
            Plain::CopySource => self.source(),
            Plain::MetadataDirective => self.header("x-amz-metadata-directive"),
            Plain::Encryption => self.header("x-amz-server-side-encryption"),
            Plain::EncryptionKey => self.header("x-amz-server-side-encryption-aws-kms-key-id"),
            Plain::CustomerAlgorithm => self.header("x-amz-server-side-encryption-customer-algorithm"),
            Plain::StorageClass => self.header("x-amz-storage-class"),
            Plain::IfMatch => self.header("if-match"),
            Plain::IfNoneMatch => self.header("if-none-match"),
            Plain::RedirectLocation => self.header("x-amz-website-redirect-location"),
            Plain::ContentSha256 => self.header("x-amz-content-sha256"),
            Plain::ObjectOwnership => self.header("x-amz-object-ownership"),
            Plain::RequestObjectTagKeys => match self.brought() {
                [] => Value::Nothing,
                tags => Value::Many(tags.iter().map(|(key, _)| Cow::Borrowed(key.as_str())).collect()),
            },
            Plain::VersionId => Value::of(self.about.version),
            // A bucket is made where no policy of it can be.
            Plain::LocationConstraint => Value::Nothing,
            Plain::LockMode => self.ordered(|orders| orders.mode, MODE),
            Plain::LockUntil if self.about.lock.is_none() => self.header(UNTIL),
            Plain::LockUntil => owned(self.locked_until().map(Time::to_rfc3339)),
            Plain::LockDays => owned(
                self.locked_until().map(|until| (until.since(self.now()).as_secs() / 86_400).to_string()),
            ),
            Plain::LegalHold => self.ordered(|orders| orders.hold, HOLD),
            Plain::AuthType => Value::of(self.signed().map(|(kind, _)| kind)),
            Plain::SignatureVersion => Value::of(self.signed().map(|(_, version)| version)),
            Plain::ResourceAccount => Value::of(self.bucket_owner),
            Plain::SourceIp => {
                owned(self.exchange.note.peer().map(|peer| peer.0.ip().to_canonical().to_string()))
            }
            Plain::SecureTransport => {
                let encrypted = self.exchange.note.peer().is_some_and(|peer| peer.is_encrypted());
                Value::of(Some(if encrypted { "true" } else { "false" }))
            }
            Plain::CurrentTime => owned(Some(self.now().to_rfc3339())),
            Plain::EpochTime => owned(Some(self.now().micros().div_euclid(1_000_000).to_string())),
            Plain::Referer => self.header("referer"),
            Plain::UserAgent => self.header("user-agent"),
            Plain::Username | Plain::UserId => Value::of(user),
            Plain::PrincipalAccount => owned(principal.owner()),
            Plain::PrincipalArn => owned(
                principal
                    .owner()
                    .zip(user)
                    .map(|(account, user)| format!("arn:aws:iam::{account}:user/{user}")),
            ),
            Plain::PrincipalType => Value::of(Some(if user.is_some() { "User" } else { "Anonymous" })),
        }
    }
}

impl Facts for Said<'_> {
    fn value(&self, key: &Key) -> Value<'_> {
        let tag = |tags: &'_ [tags::Pair], wanted: &str| {
            tags.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone())
        };
        let owned = |text: Option<String>| text.map_or(Value::Nothing, |text| Value::One(Cow::Owned(text)));
        match key {
            Key::Plain(plain) => self.plain(*plain),
            Key::RequestObjectTag(wanted) => owned(tag(self.brought(), wanted)),
            Key::ExistingObjectTag(wanted) => {
                owned(tag(self.there.get_or_init(|| tags::decode(self.existing)), wanted))
            }
            Key::Absent(_) => Value::Nothing,
        }
    }
}
