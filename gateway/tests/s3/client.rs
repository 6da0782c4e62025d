//! A client that signs what it is told to, spoils it if it is told to, sends it byte by byte as it is, and keeps what comes
//! back as it came.

mod answer;
mod connection;
mod wire;

pub(crate) use answer::Answer;
pub(crate) use connection::Connection;
pub(crate) use wire::{Chunk, Chunks, Framing, Wire};

use crate::sign::{self, Line, Signer};
use lifecycle::Time;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

/// An access key with its secret.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A request being put together; signed by [`Ask::ready`], or signed and sent when awaited.
#[must_use = "a request is sent when it is awaited"]
#[derive(Clone)]
pub(crate) struct Ask {
    address: SocketAddr,
    method: String,
    target: String,
    host: String,
    signed: Vec<Line>,
    open: Vec<Line>,
    body: Content,
    claim: Option<String>,
    signer: Signer,
    by: By,
}

/// Where the signature stands.
#[derive(Clone, Copy)]
enum By {
    Nobody,
    Header,
    Target(Duration),
}

#[derive(Clone)]
enum Content {
    Nothing,
    Whole(Vec<u8>),
    Unsigned(Vec<u8>),
    Chunked { form: &'static str, chunks: Vec<Vec<u8>>, trailers: Vec<Line> },
}

impl Ask {
    pub(crate) fn new(address: SocketAddr, method: &str, target: &str, signer: Signer) -> Self {
        Ask {
            address,
            method: method.to_owned(),
            target: target.to_owned(),
            host: address.to_string(),
            signed: Vec::new(),
            open: Vec::new(),
            body: if matches!(method, "PUT" | "POST") {
                Content::Whole(Vec::new())
            } else {
                Content::Nothing
            },
            claim: None,
            signer,
            by: By::Header,
        }
    }

    /// A header that the signature covers. One that is there already is replaced.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.signed.retain(|(known, _)| known != name);
        self.signed.push((name.to_owned(), value.into()));
        self
    }

    /// A header that the signature does not cover.
    pub(crate) fn open_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.open.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// A body that is signed as a whole: the form for what fits in memory.
    pub(crate) fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Content::Whole(bytes.into());
        self
    }

    /// A body that the signature does not cover.
    pub(crate) fn unsigned_body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Content::Unsigned(bytes.into());
        self
    }

    /// A body in chunks, in one of the `STREAMING-…` forms.
    pub(crate) fn chunks<'a>(
        mut self,
        form: &'static str,
        chunks: impl IntoIterator<Item = &'a [u8]>,
    ) -> Self {
        let chunks: Vec<Vec<u8>> = chunks.into_iter().map(<[u8]>::to_vec).collect();
        let length: usize = chunks.iter().map(Vec::len).sum();
        self.body = Content::Chunked { form, chunks, trailers: Vec::new() };
        self.header("Content-Encoding", "aws-chunked")
            .header("x-amz-decoded-content-length", length.to_string())
    }

    /// A trailer behind the chunks, announced in `x-amz-trailer`.
    pub(crate) fn trailer(mut self, name: &str, value: &str) -> Self {
        self.push_trailer(name, value);
        self.header("x-amz-trailer", name)
    }

    /// A trailer that nothing announces.
    pub(crate) fn silent_trailer(mut self, name: &str, value: &str) -> Self {
        self.push_trailer(name, value);
        self
    }

    fn push_trailer(&mut self, name: &str, value: &str) {
        let Content::Chunked { trailers, .. } = &mut self.body else { panic!("trailers follow chunks") };
        trailers.push((name.to_owned(), value.to_owned()));
    }

    /// What `x-amz-content-sha256` says instead of what is true of the body.
    pub(crate) fn claims(mut self, claim: &str) -> Self {
        self.claim = Some(claim.to_owned());
        self
    }

    /// Signed with another key.
    pub(crate) fn key(mut self, key: &Key) -> Self {
        self.signer.key = key.clone();
        self
    }

    /// Signed at another time.
    pub(crate) fn at(mut self, at: Time) -> Self {
        self.signer.at = at;
        self
    }

    pub(crate) fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.signer.region);
        self
    }

    pub(crate) fn service(mut self, service: &'static str) -> Self {
        self.signer.service = service;
        self
    }

    /// Without any signature.
    pub(crate) fn nobody(mut self) -> Self {
        self.by = By::Nobody;
        self
    }

    /// Signed in the target, for so long.
    pub(crate) fn presigned(mut self, valid: Duration) -> Self {
        self.by = By::Target(valid);
        self
    }

    /// A form: `fields` and then the file, as browsers send it. The signature stands in the fields.
    pub(crate) fn form(self, fields: &[Line], file: &[u8]) -> Self {
        const BOUNDARY: &str = "----barrow7MA4YWxkTrZu0gW";
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend_from_slice(
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .as_bytes(),
            );
        }
        let part =
            "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain";
        body.extend_from_slice(format!("--{BOUNDARY}\r\n{part}\r\n\r\n").as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let mut form =
            self.nobody().header("Content-Type", format!("multipart/form-data; boundary={BOUNDARY}"));
        form.body = Content::Unsigned(body);
        form
    }

    /// Signs it. What comes back is what will be sent, and may be spoiled before.
    pub(crate) fn ready(self) -> Wire {
        let mut lines = vec![("Host".to_owned(), self.host)];
        let payload = self.claim.unwrap_or_else(|| match &self.body {
            Content::Nothing => sign::hashed(""),
            Content::Whole(bytes) => sign::hashed(bytes),
            Content::Unsigned(_) => sign::UNSIGNED.to_owned(),
            Content::Chunked { form, .. } => (*form).to_owned(),
        });
        if let By::Header = self.by {
            lines.push(("x-amz-date".to_owned(), self.signer.stamp()));
            lines.push(("x-amz-content-sha256".to_owned(), payload.clone()));
        }
        lines.extend(self.signed);
        let (mut target, mut seed) = (self.target, String::new());
        match self.by {
            By::Nobody => {}
            By::Target(valid) => target = self.signer.presigned(&self.method, &target, &lines, valid),
            By::Header => {
                let (header, signature) = self.signer.authorization(&self.method, &target, &lines, &payload);
                lines.push(("Authorization".to_owned(), header));
                seed = signature;
            }
        }
        lines.extend(self.open);
        let body = match self.body {
            Content::Nothing => Framing::Nothing,
            Content::Whole(bytes) | Content::Unsigned(bytes) => Framing::Whole(bytes),
            Content::Chunked { form, chunks, trailers } => {
                Framing::Chunks(Chunks::signed(&self.signer, seed, form, chunks, trailers))
            }
        };
        Wire { address: self.address, method: self.method, target, lines, body }
    }
}

impl IntoFuture for Ask {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.ready().send().await })
    }
}
