//! As much HTTP/1.1 as a load generator needs: one connection, one request at a time, answers read to their end.

use super::ids::Id;
use super::payload::Payload;
use bytes::Buf;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Large enough that skipping a large body takes few reads, and that a head always fits.
const BUFFER: usize = 256 * 1024;

/// A kept-alive connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Box<[u8]>,
    /// What has been received and not yet used: `buffer[start..end]`.
    start: usize,
    end: usize,
    reusable: bool,
}

/// What came back. The body has been received and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How many bytes of body came.
    pub length: u64,
    /// What the header asked for says; `None` if none was asked for, or it holds no identity.
    pub id: Option<Id>,
}

/// What came back, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The status.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Kept {
    /// The first header of this name, names compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// How an answer's body ends.
enum Body {
    None,
    Length(u64),
    Chunked,
}

struct Head {
    status: u16,
    length: usize,
    body: Body,
    id: Option<Id>,
}

impl Connection {
    /// Connects, with TCP_NODELAY.
    ///
    /// # Errors
    /// The system's.
    pub async fn open(at: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Ok(Connection { stream, buffer, start: 0, end: 0, reusable: true })
    }

    /// Whether another request may be sent: the server has not announced that it closes.
    pub fn reusable(&self) -> bool {
        self.reusable
    }

    /// Sends `head` and `body` and receives the answer, dropping its body. `bodiless`: the answer has no body whatever
    /// its headers say, as to HEAD.
    ///
    /// # Errors
    /// The system's; `UnexpectedEof` if the server closes before the answer is complete, `InvalidData` if the answer
    /// is not HTTP/1.1 with a known end.
    pub async fn exchange(&mut self, head: &[u8], body: &Payload, bodiless: bool) -> io::Result<Answer> {
        self.exchange_naming(head, body, bodiless, None).await
    }

    /// As [`Connection::exchange`], reading the identity in the header `naming` as well. Names are compared without
    /// case.
    ///
    /// # Errors
    /// As there.
    pub async fn exchange_naming(
        &mut self,
        head: &[u8],
        body: &Payload,
        bodiless: bool,
        naming: Option<&str>,
    ) -> io::Result<Answer> {
        self.send(head, body).await?;
        let head = self.head(bodiless, naming).await?;
        self.start += head.length;
        let length = self.body(&head.body, None).await?;
        Ok(Answer { status: head.status, length, id: head.id })
    }

    /// As [`Connection::exchange`], keeping head and body.
    ///
    /// # Errors
    /// As there.
    pub async fn exchange_kept(&mut self, head: &[u8], body: &Payload, bodiless: bool) -> io::Result<Kept> {
        self.send(head, body).await?;
        let head = self.head(bodiless, None).await?;
        let text = String::from_utf8_lossy(&self.buffer[self.start..self.start + head.length]).into_owned();
        self.start += head.length;
        let mut body = Vec::new();
        self.body(&head.body, Some(&mut body)).await?;
        Ok(Kept { status: head.status, head: text, body })
    }

    async fn send(&mut self, head: &[u8], body: &Payload) -> io::Result<()> {
        // One packet for a small request: head and body leave in one vectored write.
        let first: &[u8] = if body.times() == 0 { &[] } else { body.block() };
        let mut request = Buf::chain(head, first);
        self.stream.write_all_buf(&mut request).await?;
        for _ in 1..body.times() {
            self.stream.write_all(body.block()).await?;
        }
        Ok(())
    }

    /// Receives a final head; interim ones (1xx) are skipped.
    async fn head(&mut self, bodiless: bool, naming: Option<&str>) -> io::Result<Head> {
        let mut searched = 0;
        loop {
            let received = &self.buffer[self.start..self.end];
            // The end may lie across two reads: look at the last three bytes again.
            let from = usize::saturating_sub(searched, 3);
            if let Some(at) = received[from..].windows(4).position(|four| four == b"\r\n\r\n") {
                let length = from + at + 4;
                let (head, reusable) = parse_head(&received[..length], bodiless, naming)?;
                self.reusable = reusable;
                if head.status >= 200 {
                    return Ok(head);
                }
                self.start += length;
                searched = 0;
            } else {
                searched = received.len();
                self.fill().await?;
            }
        }
    }

    async fn body(&mut self, body: &Body, mut keep: Option<&mut Vec<u8>>) -> io::Result<u64> {
        match body {
            Body::None => Ok(0),
            Body::Length(length) => {
                self.take(*length, &mut keep).await?;
                Ok(*length)
            }
            Body::Chunked => {
                let mut total = 0;
                loop {
                    let line = self.line().await?;
                    let digits = line.split(|&b| b == b';').next().unwrap_or_default();
                    let size = std::str::from_utf8(digits).ok().map(str::trim);
                    let size = size.and_then(|size| u64::from_str_radix(size, 16).ok());
                    let size = size.ok_or_else(|| bad("a chunk has no size"))?;
                    if size == 0 {
                        // Trailers, if any, end with an empty line as well.
                        while !self.line().await?.is_empty() {}
                        return Ok(total);
                    }
                    self.take(size, &mut keep).await?;
                    self.line().await?;
                    total += size;
                }
            }
        }
    }

    /// Uses up `length` bytes.
    async fn take(&mut self, mut length: u64, keep: &mut Option<&mut Vec<u8>>) -> io::Result<()> {
        while length > 0 {
            if self.start == self.end {
                self.fill().await?;
            }
            let have = self.end - self.start;
            let part = usize::try_from(length).map_or(have, |length| length.min(have));
            if let Some(keep) = keep {
                keep.extend_from_slice(&self.buffer[self.start..self.start + part]);
            }
            self.start += part;
            length -= part as u64;
        }
        Ok(())
    }

    /// Uses up one line and returns it without its end.
    async fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let received = &self.buffer[self.start..self.end];
            if let Some(at) = received.windows(2).position(|two| two == b"\r\n") {
                let line = received[..at].to_vec();
                self.start += at + 2;
                return Ok(line);
            }
            self.fill().await?;
        }
    }

    /// Receives more behind what is there.
    async fn fill(&mut self) -> io::Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            if self.start == 0 {
                return Err(bad("an answer's head or chunk line is longer than 256 KiB"));
            }
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        match self.stream.read(&mut self.buffer[self.end..]).await? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")),
            more => {
                self.end += more;
                Ok(())
            }
        }
    }
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Status, how the body ends, the identity in the header `naming`, and whether the connection can be used again.
fn parse_head(bytes: &[u8], bodiless: bool, naming: Option<&str>) -> io::Result<(Head, bool)> {
    let digits = bytes.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_digit));
    let digits = digits.ok_or_else(|| bad("not an HTTP/1.1 answer"))?;
    let status = digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    let mut body = None;
    let mut id = None;
    let mut reusable = true;
    for line in bytes.split(|&b| b == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
            body = Some(Body::Length(length.ok_or_else(|| bad("Content-Length is not a number"))?));
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") && value.eq_ignore_ascii_case(b"chunked") {
            body = Some(Body::Chunked);
        } else if name.eq_ignore_ascii_case(b"connection") && value.eq_ignore_ascii_case(b"close") {
            reusable = false;
        } else if naming.is_some_and(|naming| name.eq_ignore_ascii_case(naming.as_bytes())) {
            id = Id::read(value);
        }
    }
    let none = bodiless || matches!(status, 100..=199 | 204 | 304);
    let body =
        if none { Body::None } else { body.ok_or_else(|| bad("the answer does not say where it ends"))? };
    Ok((Head { status, length: bytes.len(), body, id }, reusable))
}
