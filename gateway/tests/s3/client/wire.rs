//! A request that is signed, as it will go over the wire: what a test may spoil.

use super::{Answer, Connection};
use crate::sign::{Line, STREAMING, STREAMING_TRAILER, Signer};
use std::net::SocketAddr;

/// A request as it will go over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(super) address: SocketAddr,
    pub(crate) method: String,
    pub(crate) target: String,
    /// Headers, in this order; `Content-Length` is put behind them unless it is among them.
    pub(crate) lines: Vec<Line>,
    pub(crate) body: Framing,
}

#[derive(Clone, Debug)]
pub(crate) enum Framing {
    /// Not even a length.
    Nothing,
    Whole(Vec<u8>),
    Chunks(Chunks),
}

/// A body in the `aws-chunked` coding.
#[derive(Clone, Debug)]
pub(crate) struct Chunks {
    /// The last one is empty.
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) trailers: Vec<Line>,
}

#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    /// The length that stands in front, if it is not that of `bytes`.
    pub(crate) says: Option<u64>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) signature: Option<String>,
}

impl Chunks {
    pub(super) fn signed(
        signer: &Signer,
        seed: String,
        form: &str,
        chunks: Vec<Vec<u8>>,
        mut trailers: Vec<Line>,
    ) -> Self {
        let (mut previous, signed) = (seed, form == STREAMING || form == STREAMING_TRAILER);
        let chunks = chunks.into_iter().chain([Vec::new()]).map(|bytes| {
            if signed {
                previous = signer.chunk(&previous, &bytes);
            }
            Chunk { says: None, signature: signed.then(|| previous.clone()), bytes }
        });
        let chunks = chunks.collect();
        if form == STREAMING_TRAILER {
            let signature = signer.trailers(&previous, &trailers);
            trailers.push(("x-amz-trailer-signature".to_owned(), signature));
        }
        Chunks { chunks, trailers }
    }

    fn render(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for chunk in &self.chunks {
            let length = chunk.says.unwrap_or(chunk.bytes.len() as u64);
            let signature = chunk.signature.as_ref().map(|signature| format!(";chunk-signature={signature}"));
            body.extend_from_slice(format!("{length:x}{}\r\n", signature.unwrap_or_default()).as_bytes());
            body.extend_from_slice(&chunk.bytes);
            if !chunk.bytes.is_empty() {
                body.extend_from_slice(b"\r\n");
            }
        }
        for (name, value) in &self.trailers {
            body.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        body
    }
}

impl Wire {
    /// The chunks of the body.
    pub(crate) fn chunks(&mut self) -> &mut Vec<Chunk> {
        &mut self.framed().chunks
    }

    /// The trailers behind the chunks.
    pub(crate) fn trailers(&mut self) -> &mut Vec<Line> {
        &mut self.framed().trailers
    }

    fn framed(&mut self) -> &mut Chunks {
        match &mut self.body {
            Framing::Chunks(chunks) => chunks,
            Framing::Nothing | Framing::Whole(_) => panic!("the body is in chunks"),
        }
    }

    /// Puts `value` in the place of what the header of this name says.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        let line = self.lines.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name));
        line.expect("the header is there").1 = value.into();
    }

    /// Puts a header behind the others.
    pub(crate) fn push(&mut self, name: &str, value: impl Into<String>) {
        self.lines.push((name.to_owned(), value.into()));
    }

    /// Takes a header away.
    pub(crate) fn drop_header(&mut self, name: &str) {
        self.lines.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// Changes the last digit of the signature in `Authorization`.
    pub(crate) fn spoil_signature(&mut self) {
        let mut header = self.line("Authorization");
        let last = header.pop();
        header.push(if last == Some('0') { '1' } else { '0' });
        self.set("Authorization", header);
    }

    /// What a header says.
    pub(crate) fn line(&self, name: &str) -> String {
        let line = self.lines.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        line.expect("the header is there").1.clone()
    }

    /// The head; `last`: the connection is to be closed behind the answer.
    pub(crate) fn head(&self, last: bool) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.lines {
            head += &format!("{name}: {value}\r\n");
        }
        let has = |name: &str| self.lines.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if !matches!(self.body, Framing::Nothing) && !has("content-length") && !has("transfer-encoding") {
            head += &format!("Content-Length: {}\r\n", self.rendered().len());
        }
        if last {
            head += "Connection: close\r\n";
        }
        (head + "\r\n").into_bytes()
    }

    /// The body.
    pub(crate) fn rendered(&self) -> Vec<u8> {
        match &self.body {
            Framing::Nothing => Vec::new(),
            Framing::Whole(bytes) => bytes.clone(),
            Framing::Chunks(chunks) => chunks.render(),
        }
    }

    /// Head and body.
    pub(crate) fn bytes(&self, last: bool) -> Vec<u8> {
        [self.head(last), self.rendered()].concat()
    }

    /// The request in few words, for whoever reads that it was not answered as it should have been.
    pub(crate) fn shown(&self) -> String {
        let lines = self.lines.iter().map(|(name, value)| format!("\n    {name}: {value}"));
        let body = self.rendered();
        let start = body[..body.len().min(60)].escape_ascii();
        format!(
            "{} {}{}\n    {start} ({} bytes)",
            self.method,
            self.target,
            lines.collect::<String>(),
            body.len()
        )
    }

    /// Sends it on a connection of its own.
    pub(crate) async fn send(self) -> Answer {
        let mut line = Connection::connect(self.address).await;
        line.try_send(&self.bytes(true)).await;
        line.answers(&[&self]).await.swap_remove(0)
    }
}
