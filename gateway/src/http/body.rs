//! Bodies of answers.
//!
//! A body that cannot be finished must not look finished: its client would keep half an object and call it whole. So a
//! failure is always passed on as an error, on which the connection is cut before the declared length or the final chunk.
//!
//! Where the length is known, the last bytes are held back until the source has said that it ended well. A source that
//! checks what it sends (a digest over the whole) can therefore still refuse after its last chunk.

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt, TryStreamExt};
use http_body::{Frame, SizeHint};
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The body of an answer.
#[derive(Default)]
pub enum Body {
    /// No bytes. For an answer to HEAD too, with a `Content-Length` set by hand.
    #[default]
    Empty,
    /// All bytes at once.
    Full(Bytes),
    /// Bytes as they come; made by [`Body::stream`] and [`Body::chunked`].
    Stream(Streaming),
}

/// Why a body could not be sent to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Its source failed.
    #[error("the body's source failed")]
    Source(#[source] Box<dyn Error + Send + Sync>),
    /// Its source ended early.
    #[error("the body ended {missing} bytes before its declared length")]
    Short {
        /// Bytes that did not come.
        missing: u64,
    },
    /// Its source brought more than it had declared.
    #[error("the body is longer than its declared length")]
    Long,
}

/// A body that comes in chunks.
pub struct Streaming {
    source: BoxStream<'static, Result<Bytes, BodyError>>,
    /// Bytes that the source still owes, if it said how many in all.
    left: Option<u64>,
    /// The last of them, until the source has ended.
    held: Option<Bytes>,
    ended: bool,
}

impl Body {
    /// A body of exactly `length` bytes, sent with `Content-Length`.
    pub fn stream<T, E>(length: u64, source: T) -> Self
    where
        T: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::from_source(Some(length), source)
    }

    /// A body whose length is not known beforehand, sent chunked.
    pub fn chunked<T, E>(source: T) -> Self
    where
        T: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::from_source(None, source)
    }

    fn from_source<T, E>(left: Option<u64>, source: T) -> Self
    where
        T: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let source = source.map_err(|error| BodyError::Source(error.into())).boxed();
        Body::Stream(Streaming { source, left, held: None, ended: false })
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Body::Full(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Body::Full(text.into())
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Body::Full(Bytes::from_static(text.as_bytes()))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Empty => f.write_str("Empty"),
            Body::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Body::Stream(Streaming { left: Some(left), .. }) => write!(f, "Stream({left} bytes left)"),
            Body::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let body = self.get_mut();
        match body {
            Body::Empty => Poll::Ready(None),
            Body::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *body = Body::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Body::Stream(stream) => {
                stream.poll_chunk(cx).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Empty => true,
            Body::Full(bytes) => bytes.is_empty(),
            Body::Stream(stream) => stream.ended,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Empty => SizeHint::with_exact(0),
            Body::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Stream(stream) => match stream.left {
                Some(left) => SizeHint::with_exact(left + stream.held.as_ref().map_or(0, Bytes::len) as u64),
                None => SizeHint::default(),
            },
        }
    }
}

impl Streaming {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        while !self.ended {
            let chunk = match ready!(self.source.poll_next_unpin(cx)) {
                Some(Ok(chunk)) if chunk.is_empty() => continue,
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return self.fail(error),
                None => match self.left {
                    Some(missing) if missing > 0 => return self.fail(BodyError::Short { missing }),
                    _ => {
                        self.ended = true;
                        return Poll::Ready(self.held.take().map(Ok));
                    }
                },
            };
            let Some(left) = &mut self.left else { return Poll::Ready(Some(Ok(chunk))) };
            match left.checked_sub(chunk.len() as u64) {
                None => return self.fail(BodyError::Long),
                Some(0) => {
                    *left = 0;
                    self.held = Some(chunk);
                }
                Some(rest) => {
                    *left = rest;
                    return Poll::Ready(Some(Ok(chunk)));
                }
            }
        }
        Poll::Ready(None)
    }

    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.ended = true;
        self.held = None;
        Poll::Ready(Some(Err(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http_body::Body as _;
    use http_body_util::BodyExt;

    fn source(
        items: &[Result<&'static str, &'static str>],
    ) -> impl Stream<Item = Result<Bytes, &'static str>> + use<> {
        stream::iter(items.iter().map(|item| item.map(Bytes::from)).collect::<Vec<_>>())
    }

    /// The chunks that come, and the error at the end if there is one.
    async fn sent(mut body: Body) -> (Vec<String>, Option<String>) {
        let mut chunks = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => chunks.push(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()),
                Err(error) => return (chunks, Some(error.to_string())),
            }
        }
        assert!(body.is_end_stream());
        (chunks, None)
    }

    fn exact(body: &Body) -> Option<u64> {
        body.size_hint().exact()
    }

    #[tokio::test]
    async fn a_body_knows_its_length() {
        assert_eq!(exact(&Body::Empty), Some(0));
        assert_eq!(exact(&Body::from("four")), Some(4));
        assert_eq!(exact(&Body::stream(9, source(&[]))), Some(9));
        assert_eq!(exact(&Body::chunked(source(&[]))), None);
        assert_eq!(sent(Body::from("four")).await, (vec!["four".into()], None));
        assert_eq!(sent(Body::from(String::new())).await, (vec![], None));
    }

    #[tokio::test]
    async fn a_stream_of_the_declared_length_is_sent_whole() {
        let body = Body::stream(6, source(&[Ok("ab"), Ok(""), Ok("cdef")]));
        assert_eq!(sent(body).await, (vec!["ab".into(), "cdef".into()], None));
        assert_eq!(
            sent(Body::chunked(source(&[Ok("ab"), Ok("c")]))).await,
            (vec!["ab".into(), "c".into()], None)
        );
        assert_eq!(sent(Body::stream(0, source(&[]))).await, (vec![], None));
    }

    #[tokio::test]
    async fn what_is_left_shrinks_as_chunks_go() {
        let mut body = Body::stream(5, source(&[Ok("ab"), Ok("cde")]));
        body.frame().await.unwrap().unwrap();
        assert_eq!(exact(&body), Some(3));
    }

    #[tokio::test]
    async fn a_source_that_fails_after_its_last_byte_still_cuts_the_body() {
        let body = Body::stream(4, source(&[Ok("ab"), Ok("cd"), Err("digest differs")]));
        assert_eq!(sent(body).await, (vec!["ab".into()], Some("the body's source failed".into())));
    }

    #[tokio::test]
    async fn a_stream_that_breaks_its_word_is_cut() {
        let short = Body::stream(4, source(&[Ok("ab")]));
        let said = Some("the body ended 2 bytes before its declared length".into());
        assert_eq!(sent(short).await, (vec!["ab".into()], said));
        for long in [&[Ok("abc")][..], &[Ok("ab"), Ok("c")][..]] {
            let said = Some("the body is longer than its declared length".into());
            assert_eq!(sent(Body::stream(2, source(long))).await, (vec![], said));
        }
    }
}
