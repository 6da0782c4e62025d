//! A client of the S3 door that signs its requests: each on a connection of its own.

use crate::sign::{Line, Signer, UNSIGNED};
use lifecycle::{Clock, SystemClock};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// An access key with its secret.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl From<(String, String)> for Key {
    fn from((id, secret): (String, String)) -> Self {
        Key { id, secret }
    }
}

/// A door, and who comes to it.
pub(crate) struct S3 {
    pub(crate) at: SocketAddr,
    pub(crate) key: Key,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl S3 {
    /// Sends the head of a request whose body of `length` bytes follows.
    pub(crate) fn begin(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        length: usize,
    ) -> TcpStream {
        let signer = Signer::new(&self.key, SystemClock.now());
        let host = self.at.to_string();
        let own =
            [("host", host.as_str()), ("x-amz-date", &signer.stamp()), ("x-amz-content-sha256", UNSIGNED)];
        let mut lines: Vec<Line> = own
            .iter()
            .chain(headers)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let (authorization, _) = signer.authorization(method, target, &lines, UNSIGNED);
        for (name, value) in [
            ("authorization", authorization),
            ("content-length", length.to_string()),
            ("connection", "close".into()),
        ] {
            lines.push((name.to_owned(), value));
        }
        let head: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "{method} {target} HTTP/1.1\r\n{head}\r\n").unwrap();
        stream
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.begin(method, target, headers, body.len());
        // Who refuses a request may not read its body.
        let _refused = stream.write_all(body);
        Answer::read(stream)
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, &[], b"")
    }

    pub(crate) fn put(&self, target: &str, body: &[u8]) -> Answer {
        self.ask("PUT", target, &[], body)
    }

    pub(crate) fn delete(&self, target: &str) -> Answer {
        self.ask("DELETE", target, &[], b"")
    }
}

impl Answer {
    /// Reads until the other side has said everything, or has hung up.
    pub(crate) fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let ended = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer came: {ended:?}"));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let answer = Answer { status, head, body: bytes.split_off(end + 4) };
        assert_eq!(answer.header("transfer-encoding"), None, "this client reads no chunks");
        if let Some(length) = answer.header("content-length") {
            assert_eq!(length, answer.body.len().to_string(), "the answer was cut");
        }
        answer
    }

    /// Passes if the answer has this status.
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        self
    }

    /// Passes if it brings these bytes; says no more of others than how many they are.
    pub(crate) fn brings(self, bytes: &[u8]) -> Self {
        assert!(
            self.body == bytes,
            "{} bytes were expected, and {} other ones came",
            bytes.len(),
            self.body.len()
        );
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// What stands in each element of this name.
    pub(crate) fn all(&self, element: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.body);
        let (start, end) = (format!("<{element}>"), format!("</{element}>"));
        text.split(&start).skip(1).filter_map(|rest| Some(rest.split_once(&end)?.0.to_owned())).collect()
    }
}
