//! One request to one door, on a connection of its own, by somebody who may do everything.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The root key of every installation here.
pub(crate) const ROOT: &str = "root";
pub(crate) const SECRET: &str = "a-secret-of-these-tests";

/// How long an answer may take that nothing keeps waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request that is about to be sent.
pub(crate) struct Ask<'a> {
    method: &'a str,
    target: &'a str,
    headers: String,
    body: &'a [u8],
    patience: Duration,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(method: &'a str, target: &'a str) -> Self {
        Ask { method, target, headers: String::new(), body: b"", patience: PATIENCE }
    }

    pub(crate) fn body(self, body: &'a [u8]) -> Self {
        Ask { body, ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// Gives up after this.
    pub(crate) fn patience(self, patience: Duration) -> Self {
        Ask { patience, ..self }
    }

    /// Sends the head, which announces a body of `length` bytes, and no more.
    pub(crate) fn begin(&self, at: SocketAddr, length: usize) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect_timeout(&at, self.patience)?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_write_timeout(Some(self.patience))?;
        let Ask { method, target, headers, .. } = self;
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: barrow.local\r\nAuthorization: Bearer {ROOT}:{SECRET}\r\n\
             Connection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
        )?;
        Ok(stream)
    }

    /// Asks; nothing, where no whole answer came: what became of the request is not known then.
    pub(crate) fn try_of(&self, at: SocketAddr) -> Option<Answer> {
        let mut stream = self.begin(at, self.body.len()).ok()?;
        // Who refuses a request may not read its body.
        let _refused = stream.write_all(self.body);
        Answer::read(stream)
    }

    /// Asks, and is answered.
    pub(crate) fn of(&self, at: SocketAddr) -> Answer {
        self.try_of(at).unwrap_or_else(|| panic!("{} {}: no whole answer came", self.method, self.target))
    }
}

impl Answer {
    /// Reads to the end; nothing, if that was not the end of a whole answer.
    pub(crate) fn read(mut stream: TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let ended = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body = bytes.split_off(end + 4);
        let answer = Answer { status, head, body };
        let body = match answer.header("transfer-encoding") {
            Some(_) => unchunked(&answer.body)?,
            None => {
                let length: usize = answer.header("content-length")?.parse().ok()?;
                (ended.is_ok() || answer.body.len() == length).then_some(())?;
                (answer.body.len() == length).then(|| answer.body.clone())?
            }
        };
        Some(Answer { body, ..answer })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Passes if the answer has this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.text());
        self
    }

    /// Passes if it says no in these words.
    #[track_caller]
    pub(crate) fn says(self, status: u16, code: &str) -> Value {
        let error = self.is(status).json()["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        error
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// The bytes in chunks, if the last one is there.
fn unchunked(mut coded: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let end = coded.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&coded[..end]).ok()?, 16).ok()?;
        coded = &coded[end + 2..];
        if size == 0 {
            return Some(bytes);
        }
        bytes.extend_from_slice(coded.get(..size)?);
        coded = coded.get(size + 2..)?;
    }
}
