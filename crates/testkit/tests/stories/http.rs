//! Just enough of a client to speak to the SCSP door.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the door answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The token of the effective error; empty without one.
    pub(crate) token: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let status = head.get(9..12)?.parse().ok()?;
        let mut tokens = head.lines().filter_map(|line| line.strip_prefix("castor-system-error-token: "));
        let (token, body) = (tokens.next_back().unwrap_or_default().to_owned(), bytes[end + 4..].to_vec());
        if status == 100 { Answer::read(&body) } else { Some(Answer { status, token, body }) }
    }
}

/// One request on a connection of its own.
pub(crate) async fn ask(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, String)],
    body: &[u8],
) -> Answer {
    let mut line = TcpStream::connect(address).await.expect("the door listens");
    let mut head = head(method, target, headers, body.len());
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    // The door may have answered and closed before it has read all of it.
    let _closed = line.write_all(&bytes).await;
    answer(line).await
}

/// An upload of which the first half was sent, and taken.
pub(crate) struct Upload {
    line: TcpStream,
    rest: Vec<u8>,
}

impl Upload {
    pub(crate) async fn begin(address: SocketAddr, target: &str, body: &[u8]) -> Self {
        let mut line = TcpStream::connect(address).await.expect("the door listens");
        let head = head("POST", target, &[("Expect", "100-continue".to_owned())], body.len());
        line.write_all(format!("{head}\r\n").as_bytes()).await.expect("the door reads");
        let mut said = Vec::new();
        while !said.ends_with(b"\r\n\r\n") {
            said.push(line.read_u8().await.expect("the door asks for the body"));
        }
        assert!(said.starts_with(b"HTTP/1.1 100"), "{}", said.escape_ascii());
        let (first, rest) = body.split_at(body.len() / 2);
        line.write_all(first).await.expect("the door reads");
        Upload { line, rest: rest.to_vec() }
    }

    pub(crate) async fn finish(mut self) -> Answer {
        let _closed = self.line.write_all(&self.rest).await;
        answer(self.line).await
    }
}

fn head(method: &str, target: &str, headers: &[(&str, String)], length: usize) -> String {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: barrow.local\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head + &format!("Content-Length: {length}\r\n")
}

async fn answer(mut line: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _reset = line.read_to_end(&mut bytes).await;
    Answer::read(&bytes).unwrap_or_else(|| panic!("the door does not answer: {}", bytes.escape_ascii()))
}
