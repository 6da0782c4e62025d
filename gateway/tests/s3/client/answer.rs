//! What the door answered, kept as it came.

use super::Wire;
use crate::sign::Line;

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    asked: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<Line>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads one answer, and gives what stands behind it.
    pub(super) fn read<'a>(wire: &Wire, bytes: &'a [u8]) -> (Self, &'a [u8]) {
        let asked = format!("{} {}", wire.method, wire.target);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end =
            end.unwrap_or_else(|| panic!("{asked}: no answer, only {:?}", bytes.escape_ascii().to_string()));
        let text = std::str::from_utf8(&bytes[..end]).expect("heads are text");
        let (rest, mut lines) = (&bytes[end + 4..], text.split("\r\n"));
        let status: u16 = lines.next().and_then(|line| line.get(9..12)?.parse().ok()).expect("a status");
        let headers: Vec<Line> = lines
            .map(|line| line.split_once(": ").or(line.split_once(':')).expect("a header"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        if status == 100 {
            return Answer::read(wire, rest);
        }
        let mut answer = Answer { asked, status, headers, body: Vec::new() };
        if wire.method == "HEAD" || matches!(status, 204 | 304) {
            return (answer, rest);
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            let (body, rest) = unchunked(rest);
            answer.body = body;
            return (answer, rest);
        }
        let length = answer.header("content-length").map_or(0, |length| length.parse().expect("a number"));
        assert!(rest.len() >= length, "{}: {} bytes of {length}", answer.asked, rest.len());
        answer.body = rest[..length].to_vec();
        (answer, &rest[length..])
    }

    /// What is true of every answer of this door.
    pub(super) fn is_well_formed(&self) {
        // The HTTP library answers a few broken heads itself.
        let Some(request) = self.header("x-amz-request-id") else { return };
        if self.status >= 400 && !self.body.is_empty() {
            let text = self.text();
            assert_eq!(self.header("content-type"), Some("application/xml"), "{self:?}");
            assert!(text.contains("<Error>"), "{}: {text}", self.asked);
            for name in ["Code", "Message", "RequestId", "HostId", "Resource"] {
                assert!(
                    self.find(name).is_some_and(|value| !value.is_empty()),
                    "{}: {name} in {text}",
                    self.asked
                );
            }
            assert_eq!(self.find("RequestId").as_deref(), Some(request), "{text}");
        }
    }

    /// Passes the answer on if it has this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {:?} {}", self.asked, self.headers, self.text());
        self
    }

    /// Passes the answer on if it says no with this status and this code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}: {}", self.asked, self.text());
        self
    }

    /// Passes the answer on if it brought these bytes.
    #[track_caller]
    pub(crate) fn brings(self, bytes: impl AsRef<[u8]>) -> Self {
        let (is, wanted) = (&self.body, bytes.as_ref());
        if is != wanted {
            let differ = is.iter().zip(wanted).position(|(a, b)| a != b);
            let (length, expected) = (is.len(), wanted.len());
            panic!("{}: {length} bytes instead of {expected}, first differing at {differ:?}", self.asked);
        }
        self
    }

    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A header that must be there.
    #[track_caller]
    pub(crate) fn need(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("{}: no {name} in {:?}", self.asked, self.headers))
    }

    /// The code of an error; empty if there is none.
    pub(crate) fn code(&self) -> String {
        self.find("Code").unwrap_or_default()
    }

    /// The text of the first XML element of this name.
    pub(crate) fn find(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// The texts of all XML elements of this name, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let text = self.text();
        let texts = text.split(&open).skip(1).filter_map(|rest| rest.split(&close).next());
        texts.map(|text| quick_xml::escape::unescape(text).expect("well-formed").into_owned()).collect()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn unchunked(mut bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut whole = Vec::new();
    loop {
        let line = bytes.windows(2).position(|two| two == b"\r\n").expect("a chunk's length");
        let length =
            std::str::from_utf8(&bytes[..line]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let length = length.expect("a chunk's length");
        let rest = &bytes[line + 2..];
        if length == 0 {
            return (whole, &rest[2..]);
        }
        whole.extend_from_slice(&rest[..length]);
        bytes = &rest[length + 2..];
    }
}
