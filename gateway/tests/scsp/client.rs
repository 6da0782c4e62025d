//! A client that sends the bytes it is told to, and keeps what comes back as it came.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lifecycle::ContainerId;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// The domain that requests speak to unless they say otherwise.
pub(crate) const HOST: &str = "d.example";

/// An access key with its secret.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Key {
    pub(crate) fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.id, self.secret)))
    }
}

/// A request being put together; sent when awaited, on a connection of its own.
#[must_use = "a request is sent when it is awaited"]
pub(crate) struct Ask {
    address: SocketAddr,
    method: String,
    target: String,
    version: &'static str,
    host: Option<String>,
    lines: Vec<(String, String)>,
    body: Sent,
}

enum Sent {
    Nothing,
    Whole(Vec<u8>),
    Chunked(Vec<Vec<u8>>),
}

impl Ask {
    pub(crate) fn new(address: SocketAddr, method: &str, target: &str) -> Self {
        let body = match method {
            "POST" | "PUT" | "APPEND" => Sent::Whole(Vec::new()),
            _ => Sent::Nothing,
        };
        Ask {
            address,
            method: method.to_owned(),
            target: target.to_owned(),
            version: "HTTP/1.1",
            host: Some(HOST.to_owned()),
            lines: Vec::new(),
            body,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.lines.push((name.to_owned(), value.into()));
        self
    }

    /// `Content-Type: application/castorcontext`: a domain or bucket is meant.
    pub(crate) fn context(self) -> Self {
        self.header("Content-Type", "application/castorcontext")
    }

    pub(crate) fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Sent::Whole(bytes.into());
        self
    }

    pub(crate) fn chunked<'a>(mut self, chunks: impl IntoIterator<Item = &'a [u8]>) -> Self {
        self.body = Sent::Chunked(chunks.into_iter().map(<[u8]>::to_vec).collect());
        self
    }

    /// Neither `Content-Length` nor chunks: no body at all.
    pub(crate) fn without_length(mut self) -> Self {
        self.body = Sent::Nothing;
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    pub(crate) fn without_host(mut self) -> Self {
        self.host = None;
        self
    }

    pub(crate) fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    pub(crate) fn key(self, key: &Key) -> Self {
        let basic = key.basic();
        self.header("Authorization", basic)
    }

    fn head(&self) -> String {
        let Ask { method, target, version, .. } = self;
        let mut head = format!("{method} {target} {version}\r\n");
        if let Some(host) = &self.host {
            head += &format!("Host: {host}\r\n");
        }
        for (name, value) in &self.lines {
            head += &format!("{name}: {value}\r\n");
        }
        head += match &self.body {
            Sent::Nothing => String::new(),
            Sent::Whole(bytes) => format!("Content-Length: {}\r\n", bytes.len()),
            Sent::Chunked(_) => "Transfer-Encoding: chunked\r\n".to_owned(),
        }
        .as_str();
        head + "Connection: close\r\n\r\n"
    }

    async fn send(self) -> Answer {
        let asked = format!("{} {}", self.method, self.target);
        let mut line = Line::connect(self.address).await;
        let mut bytes = self.head().into_bytes();
        match self.body {
            Sent::Nothing => {}
            Sent::Whole(body) => bytes.extend_from_slice(&body),
            Sent::Chunked(chunks) => {
                for chunk in chunks {
                    bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(&chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
        }
        line.try_send(&bytes).await;
        let answer = Answer::read(&asked, &line.rest().await, self.method == "HEAD");
        answer.is_well_formed();
        answer
    }
}

impl IntoFuture for Ask {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A connection, for what cannot be said in one piece.
pub(crate) struct Line(TcpStream);

impl Line {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Line(TcpStream::connect(address).await.expect("the door listens"))
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.expect("the door reads");
    }

    /// Sends until the door does not take any more: it may have answered and closed already.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) {
        let _closed = self.0.write_all(bytes).await;
    }

    /// Ends what this side sends; the other side may still answer.
    pub(crate) async fn finish(&mut self) {
        self.0.shutdown().await.expect("the connection is there");
    }

    /// What comes until `end` has come.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        let mut seen = Vec::new();
        let reading = async {
            while !seen.ends_with(end.as_bytes()) {
                let byte = self.0.read_u8().await;
                seen.push(byte.unwrap_or_else(|_| panic!("closed before {end:?}")));
            }
        };
        timeout(PATIENCE, reading).await.expect("the door says something");
        String::from_utf8(seen).expect("text")
    }

    /// What comes until the door closes the connection.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut seen = Vec::new();
        // What was sent and not read makes the other end reset; what it said before counts.
        let _reset = timeout(PATIENCE, self.0.read_to_end(&mut seen)).await.expect("the door closes");
        seen
    }

    /// The one answer that comes before the door closes the connection.
    pub(crate) async fn last_answer(&mut self, asked: &str) -> Answer {
        Answer::read(asked, &self.rest().await, false)
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    asked: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn read(asked: &str, bytes: &[u8], head: bool) -> Self {
        let mut bytes = bytes;
        loop {
            let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            let end = end
                .unwrap_or_else(|| panic!("{asked}: no answer, only {:?}", bytes.escape_ascii().to_string()));
            let text = std::str::from_utf8(&bytes[..end]).expect("heads are text");
            let (body, mut lines) = (&bytes[end + 4..], text.split("\r\n"));
            let status: u16 = lines.next().and_then(|line| line.get(9..12)?.parse().ok()).expect("a status");
            let headers: Vec<(String, String)> = lines
                .map(|line| line.split_once(": ").or(line.split_once(':')).expect("a header"))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            if status == 100 {
                bytes = body;
                continue;
            }
            let mut answer = Answer { asked: asked.to_owned(), status, headers, body: body.to_vec() };
            if answer.header("transfer-encoding") == Some("chunked") {
                answer.body = unchunked(body);
            } else if let Some(length) = answer.header("content-length") {
                let length: usize = length.parse().expect("a number");
                let expected = if head || status == 304 { 0 } else { length };
                assert_eq!(body.len(), expected, "{asked}: bytes of the body, HEAD: {head}");
            } else {
                assert!(body.is_empty(), "{asked}: a body without a length");
            }
            return answer;
        }
    }

    /// What is true of every answer of this door.
    fn is_well_formed(&self) {
        let Some(server) = self.header("server") else { return };
        assert!(server.starts_with("CAStor Cluster/"), "{server}");
        let (codes, tokens, texts) = (
            self.all("castor-system-error-code"),
            self.all("castor-system-error-token"),
            self.all("castor-system-error-text"),
        );
        let counts = (codes.len(), tokens.len(), texts.len());
        if self.status >= 400 {
            assert!(counts.0 > 0 && counts.0 == counts.1 && counts.1 == counts.2, "{self:?}");
            assert_eq!(codes.last().copied(), Some(self.status.to_string().as_str()), "{self:?}");
            assert_eq!(self.header("castor-system-cluster"), None, "{self:?}");
        } else {
            assert_eq!(counts, (0, 0, 0), "{self:?}");
            assert_eq!(self.header("castor-system-cluster"), Some("barrow"), "{self:?}");
        }
    }

    /// Passes the answer on if it has this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {:?} {}", self.asked, self.headers, self.text());
        self
    }

    /// Passes the answer on if it has this status, and this token in the effective triple.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, token: &str) -> Self {
        let answer = self.is(status);
        assert_eq!(answer.token(), token, "{}: {}", answer.asked, answer.text());
        answer
    }

    /// Passes the answer on if it brought these bytes.
    #[track_caller]
    pub(crate) fn brings(self, bytes: impl AsRef<[u8]>) -> Self {
        let (is, wanted) = (&self.body, bytes.as_ref());
        if is != wanted {
            let differ = is.iter().zip(wanted).position(|(a, b)| a != b);
            panic!(
                "{}: {} bytes instead of {}, first differing at {differ:?}",
                self.asked,
                is.len(),
                wanted.len()
            );
        }
        self
    }

    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All headers of this name, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// A header that must be there.
    #[track_caller]
    pub(crate) fn need(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("{}: no {name} in {:?}", self.asked, self.headers))
    }

    /// The entity tag without its quotes.
    #[track_caller]
    pub(crate) fn etag(&self) -> String {
        let quoted = self.need("etag");
        quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("a quoted tag").to_owned()
    }

    /// The context's own UUID.
    #[track_caller]
    pub(crate) fn alias(&self) -> ContainerId {
        self.need("castor-system-alias").parse().expect("a UUID")
    }

    /// The token of the effective error.
    pub(crate) fn token(&self) -> &str {
        self.all("castor-system-error-token").last().copied().unwrap_or_default()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.asked, self.text()))
    }

    /// All headers but those that differ from one answer to the next.
    pub(crate) fn lasting_headers(&self) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        headers.retain(|(name, _)| name != "date" && name != "gateway-request-id");
        headers.sort();
        headers
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let line = bytes.windows(2).position(|two| two == b"\r\n").expect("a chunk's length");
        let length =
            std::str::from_utf8(&bytes[..line]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let length = length.expect("a chunk's length");
        let rest = &bytes[line + 2..];
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&rest[..length]);
        bytes = &rest[length + 2..];
    }
}
