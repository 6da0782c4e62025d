//! What is written down of everything that changes a state, and of every request of the S3 and SCSP doors: one record, one
//! line.
//!
//! A line is text between tabs, `name=value`, behind four words: the format's version, the time, the level and `AUDIT`.
//!
//! ```text
//! 2  2026-03-03T09:00:00.123Z  INFO  AUDIT  req=7F…  src=10.1.2.3  user=ann@acme.example  op=DELETE_BUCKET
//!   domain=acme.example  bucket=photos  path=-  uuid=9c1e…  recursive=yes  purge_after=2026-03-10T09:00:00Z
//!   status=200  in=0  out=0  ms=4  door=scsp
//! ```
//!
//! These fields stand in every line, in this order, `-` where there is nothing to say. What only some records know stands
//! behind them and is left out where it is not known: `cut`, `token`, `version`, `marker`, `cause`, `objects`, `bytes`, `detail`.
//!
//! Names come from clients. Whatever is not a visible ASCII character, and `%` itself, is percent-encoded, so that no name
//! ends a field or a line, and decoding gives back exactly what was asked for. A value that is a single `-` is `%2D`.

use crate::{Cause, Time};
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The version of the format, a line's first word. It moves when a field that stands in every line does.
pub const FORMAT: u32 = 2;

/// A container passed the point of no return.
pub const PURGE_START: &str = "PURGE_START";
/// More of what is being purged is gone.
pub const PURGE_PROGRESS: &str = "PURGE_PROGRESS";
/// Of a container only its tombstone is left.
pub const PURGE_DONE: &str = "PURGE_DONE";
/// Something removed came back.
pub const RESTORE: &str = "RESTORE";
/// Lifepoints ended objects, a batch of them.
pub const LIFEPOINT_DELETE: &str = "LIFEPOINT_DELETE";
/// Lifecycle rules ended objects, a batch of them.
pub const LIFECYCLE_DELETE: &str = "LIFECYCLE_DELETE";
/// Versioning was switched off: a batch of older versions was removed.
pub const HISTORY_DELETE: &str = "HISTORY_DELETE";
/// Versions that a purge in bulk took after its answer.
pub const VERSIONS_PURGE: &str = "VERSIONS_PURGE";
/// A bucket's lifecycle rules were changed: a batch of its versions goes at another time now.
pub const LIFECYCLE_PLAN: &str = "LIFECYCLE_PLAN";
/// Multipart uploads that took too long were given up. `objects` counts uploads.
pub const UPLOAD_EXPIRE: &str = "UPLOAD_EXPIRE";
/// Tombstones of versions were dropped, a batch of them.
pub const FORGET: &str = "FORGET";
/// Tombstones of domains, buckets and contents were dropped. `objects` counts them.
pub const FORGET_CONTAINERS: &str = "FORGET_CONTAINERS";
/// Entries of a bucket's ledger that are beyond its limit were dropped. `objects` counts them.
pub const LEDGER_PRUNE: &str = "LEDGER_PRUNE";
/// Purging stands still until an operator confirms: a cycle would have destroyed more than the brake allows. The amounts
/// are what no request explains.
pub const PURGE_HALT: &str = "PURGE_HALT";

/// The doors, as records name them.
pub mod door {
    /// The S3 door.
    pub const S3: &str = "s3";
    /// The SCSP door.
    pub const SCSP: &str = "scsp";
    /// The operator's door.
    pub const ADMIN: &str = "admin";
}

/// One request and its answer, or one event without a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// When it ended.
    pub at: Time,
    /// Which way it came: one of [`door`], or the name of the task that did it unasked.
    pub door: &'static str,
    /// The request's id, which its answer carries too.
    pub request: Option<String>,
    /// Where it came from.
    pub source: Option<IpAddr>,
    /// Who asked.
    pub user: Option<String>,
    /// What was asked, or what happened.
    pub operation: &'static str,
    /// The domain's name.
    pub domain: Option<String>,
    /// The bucket's name.
    pub bucket: Option<String>,
    /// The object's name; at the operator's door, the key or the task.
    pub path: Option<String>,
    /// What it concerned: a container, an unnamed or alias object, or the version of a named one.
    pub uuid: Option<String>,
    /// What a delete of a container said about its content: `yes`, `now`, or as it was sent.
    pub recursive: Option<String>,
    /// Until when what was deleted can be restored.
    pub purge_after: Option<Time>,
    /// HTTP's status; `None` for an event, and for a request whose client left before there was an answer.
    pub status: Option<u16>,
    /// Bytes of the request's body that were read.
    pub bytes_in: Option<u64>,
    /// Bytes of the answer's body that were sent.
    pub bytes_out: Option<u64>,
    /// From the request's head to the end of the answer.
    pub elapsed: Option<Duration>,
    /// The answer did not reach its end.
    pub cut: bool,
    /// The reason of a refusal, in one word.
    pub token: Option<&'static str>,
    /// The version, where the object has a UUID beside it.
    pub version: Option<String>,
    /// The delete marker that was laid over it.
    pub marker: Option<String>,
    /// Why something went.
    pub cause: Option<Cause>,
    /// How many versions an event concerned.
    pub objects: Option<u64>,
    /// Their bytes.
    pub bytes: Option<u64>,
    /// What an operator chose, or why something stands still, in words.
    pub detail: Option<String>,
}

/// Where records go. Must not wait: it is called where requests are answered.
pub trait AuditSink: Send + Sync + 'static {
    /// Takes a record.
    fn record(&self, record: &Record);

    /// Whether anybody wants records; where nobody does, none need be put together.
    fn listens(&self) -> bool {
        true
    }

    /// How many records were lost, because they came faster than they could be written or could not be written.
    fn dropped(&self) -> u64 {
        0
    }
}

/// The sink that everything in one process writes to.
pub type SharedAudit = Arc<dyn AuditSink>;

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAudit;

impl AuditSink for NoAudit {
    fn record(&self, _record: &Record) {}

    fn listens(&self) -> bool {
        false
    }
}

/// One field's value.
enum Value<'a> {
    Text(&'a str),
    Shown(String),
    Number(u64),
}

impl<'a> Value<'a> {
    fn text(text: &'a Option<String>) -> Option<Self> {
        text.as_deref().map(Value::Text)
    }
}

impl Record {
    /// The record as a line of text, without a line break.
    pub fn line(&self) -> String {
        let mut line = String::with_capacity(320);
        put(&mut line, format_args!("{FORMAT}\t{}\tINFO\tAUDIT", self.at));
        self.fields(|name, value, always| {
            if !always && value.is_none() {
                return;
            }
            put(&mut line, format_args!("\t{name}="));
            match value {
                None => line.push('-'),
                Some(Value::Text(text)) => encode(&mut line, text),
                Some(Value::Shown(text)) => encode(&mut line, &text),
                Some(Value::Number(number)) => put(&mut line, format_args!("{number}")),
            }
        });
        line
    }

    /// The record as one JSON object without a line break. What is not known is left out.
    pub fn json(&self) -> String {
        let mut json = String::with_capacity(320);
        put(
            &mut json,
            format_args!("{{\"v\":{FORMAT},\"time\":\"{}\",\"level\":\"INFO\",\"type\":\"AUDIT\"", self.at),
        );
        self.fields(|name, value, _always| {
            let Some(value) = value else { return };
            put(&mut json, format_args!(",\"{name}\":"));
            match value {
                Value::Text(text) => quote(&mut json, text),
                Value::Shown(text) => quote(&mut json, &text),
                Value::Number(number) => put(&mut json, format_args!("{number}")),
            }
        });
        json.push('}');
        json
    }

    /// Every field in its order, with whether it stands in every line. Both forms are written from this one list.
    fn fields(&self, mut tell: impl FnMut(&'static str, Option<Value<'_>>, bool)) {
        let count = |number: Option<u64>| number.map(Value::Number);
        let elapsed = self.elapsed.map(|elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        tell("req", Value::text(&self.request), true);
        tell("src", self.source.map(|source| Value::Shown(source.to_string())), true);
        tell("user", Value::text(&self.user), true);
        tell("op", Some(Value::Text(self.operation)), true);
        tell("domain", Value::text(&self.domain), true);
        tell("bucket", Value::text(&self.bucket), true);
        tell("path", Value::text(&self.path), true);
        tell("uuid", Value::text(&self.uuid), true);
        tell("recursive", Value::text(&self.recursive), true);
        tell("purge_after", self.purge_after.map(|at| Value::Shown(moment(at))), true);
        tell("status", count(self.status.map(u64::from)), true);
        tell("in", count(self.bytes_in), true);
        tell("out", count(self.bytes_out), true);
        tell("ms", count(elapsed), true);
        tell("door", Some(self.door).filter(|door| !door.is_empty()).map(Value::Text), true);
        tell("cut", self.cut.then_some(Value::Text("yes")), false);
        tell("token", self.token.map(Value::Text), false);
        tell("version", Value::text(&self.version), false);
        tell("marker", Value::text(&self.marker), false);
        tell("cause", self.cause.map(|cause| Value::Text(cause.as_str())), false);
        tell("objects", count(self.objects), false);
        tell("bytes", count(self.bytes), false);
        tell("detail", Value::text(&self.detail), false);
    }
}

fn put(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more).expect("writing to a String cannot fail");
}

/// A promise, with its milliseconds only where it has some.
fn moment(at: Time) -> String {
    let text = at.to_rfc3339();
    match text.strip_suffix(".000Z") {
        Some(whole) => format!("{whole}Z"),
        None => text,
    }
}

fn encode(line: &mut String, value: &str) {
    if value == "-" {
        line.push_str("%2D");
        return;
    }
    for byte in value.bytes() {
        match byte {
            b'%' => line.push_str("%25"),
            b'!'..=b'~' => line.push(char::from(byte)),
            _ => put(line, format_args!("%{byte:02X}")),
        }
    }
}

fn quote(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            // Beside what JSON forbids, what some readers take for the end of a line.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                put(json, format_args!("\\u{:04x}", u32::from(c)));
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deletion() -> Record {
        Record {
            at: Time::from_micros(1_772_528_400_123_456),
            door: door::SCSP,
            request: Some("7F01".to_owned()),
            source: Some(IpAddr::from([10, 1, 2, 3])),
            user: Some("ann@acme.example".to_owned()),
            operation: "DELETE_BUCKET",
            domain: Some("acme.example".to_owned()),
            bucket: Some("photos".to_owned()),
            uuid: Some("9c1e".to_owned()),
            recursive: Some("yes".to_owned()),
            purge_after: Some(Time::from_secs(1_773_133_200)),
            status: Some(200),
            bytes_in: Some(0),
            bytes_out: Some(0),
            elapsed: Some(Duration::from_micros(4_900)),
            ..Record::default()
        }
    }

    /// What a reader of the log does: split at tabs, then at the first `=`, then decode.
    fn fields(line: &str) -> Vec<(String, String)> {
        let decoded = |value: &str| {
            let (mut bytes, mut rest) = (Vec::new(), value.as_bytes());
            while let Some((&byte, more)) = rest.split_first() {
                rest = more;
                if byte == b'%' {
                    let (code, more) = rest.split_at(2);
                    bytes.push(u8::from_str_radix(std::str::from_utf8(code).unwrap(), 16).unwrap());
                    rest = more;
                } else {
                    bytes.push(byte);
                }
            }
            String::from_utf8(bytes).unwrap()
        };
        let fields = line.split('\t').skip(4).map(|field| field.split_once('=').unwrap());
        fields.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
    }

    #[test]
    fn a_line_is_what_the_specification_shows() {
        assert_eq!(
            deletion().line(),
            "2\t2026-03-03T09:00:00.123Z\tINFO\tAUDIT\treq=7F01\tsrc=10.1.2.3\tuser=ann@acme.example\top=DELETE_BUCKET\t\
             domain=acme.example\tbucket=photos\tpath=-\tuuid=9c1e\trecursive=yes\tpurge_after=2026-03-10T09:00:00Z\t\
             status=200\tin=0\tout=0\tms=4\tdoor=scsp"
        );
    }

    #[test]
    fn an_event_has_the_same_fields_and_its_counts_behind_them() {
        let event = Record {
            operation: PURGE_DONE,
            door: "containers",
            cause: Some(Cause::Recursive),
            objects: Some(3),
            bytes: Some(12),
            ..Record::default()
        };
        assert_eq!(
            event.line(),
            "2\t1970-01-01T00:00:00.000Z\tINFO\tAUDIT\treq=-\tsrc=-\tuser=-\top=PURGE_DONE\tdomain=-\tbucket=-\tpath=-\t\
             uuid=-\trecursive=-\tpurge_after=-\tstatus=-\tin=-\tout=-\tms=-\tdoor=containers\t\
             cause=recursive\tobjects=3\tbytes=12"
        );
    }

    #[test]
    fn no_name_forges_a_field_or_a_line() {
        let names = [
            "a\tuser=root\top=GET",
            "a\nb\r\n1\t2026",
            "\u{0}\u{1b}[31m\u{7f}",
            "100%09 = \u{2028}\u{85} é",
            "=",
            "-",
            "--",
            "",
        ];
        let ordinary = Record { detail: Some("in words".to_owned()), ..deletion() };
        let ordinary: Vec<String> = fields(&ordinary.line()).into_iter().map(|(name, _)| name).collect();
        for name in names {
            let record = Record {
                path: Some(name.to_owned()),
                user: Some(name.to_owned()),
                recursive: Some(name.to_owned()),
                detail: Some(name.to_owned()),
                ..deletion()
            };
            let line = record.line();
            assert!(line.bytes().all(|byte| byte == b'\t' || byte.is_ascii_graphic()), "{line:?}");
            let read = fields(&line);
            assert_eq!(read.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), ordinary);
            for field in ["path", "user", "recursive", "detail"] {
                let (_, value) = read.iter().find(|(known, _)| known == field).unwrap();
                assert_eq!(value, name, "what was asked for is what is read back");
            }
            let raw = line.split('\t').find(|field| field.starts_with("path=")).unwrap();
            assert_ne!(raw, "path=-", "a name never looks like no name");
        }
    }

    #[test]
    fn json_says_the_same_and_leaves_out_what_is_not_known() {
        let record = Record { path: Some("a\"\\\n\u{2028}é".to_owned()), ..deletion() };
        let json = record.json();
        assert!(!json.contains(['\n', '\u{2028}']));
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        let expected = serde_json::json!({
            "v": 2, "time": "2026-03-03T09:00:00.123Z", "level": "INFO", "type": "AUDIT", "req": "7F01",
            "src": "10.1.2.3", "user": "ann@acme.example", "op": "DELETE_BUCKET", "domain": "acme.example",
            "bucket": "photos", "path": "a\"\\\n\u{2028}é", "uuid": "9c1e", "recursive": "yes",
            "purge_after": "2026-03-10T09:00:00Z", "status": 200, "in": 0, "out": 0, "ms": 4, "door": "scsp",
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn a_cut_answer_says_so() {
        let record = Record { cut: true, token: Some("TooSlow"), ..deletion() };
        assert!(record.line().ends_with("\tms=4\tdoor=scsp\tcut=yes\ttoken=TooSlow"));
    }

    #[test]
    fn nobody_listens_to_no_audit() {
        assert!(!NoAudit.listens());
        NoAudit.record(&deletion());
        assert_eq!(NoAudit.dropped(), 0);
    }
}
