//! Bodies of answers.
//!
//! A body that cannot be finished must not look finished: its client would keep half an object and call it whole. So a
//! failure is always passed on as an error, on which the connection is cut before the declared length or the final chunk.
//! What was said before it goes out first: a client that got no byte at all would take the connection for an idle one that
//! was closed, and ask again as if nothing had happened.
//!
//! Where the length is known, the last bytes are held back until the source has said that it ended well. A source that
//! checks what it sends (a digest over the whole) can therefore still refuse after its last chunk.
//!
//! What is known only behind the last byte travels in trailers ([`Body::trailed`]). They need chunks, so such an answer has
//! no `Content-Length`; the length is held to all the same. The HTTP library sends a trailer only if the answer's `Trailer`
//! header names it and the request said `TE: trailers`; else it leaves them out and ends the body as usual.

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt, TryStreamExt};
use http::HeaderMap;
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
    /// Bytes as they come; made by [`Body::stream`], [`Body::chunked`] and [`Body::trailed`].
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
    source: BoxStream<'static, Result<Frame<Bytes>, BodyError>>,
    /// Bytes that the source still owes, if it said how many in all.
    left: Option<u64>,
    /// Whether the client is told how many.
    told: bool,
    /// The last of them, until the source has ended.
    held: Option<Bytes>,
    /// What goes behind the last byte.
    trailers: Option<HeaderMap>,
    /// Why it is cut, told at the next poll.
    failure: Option<BodyError>,
    ended: bool,
}

impl Body {
    /// A body of exactly `length` bytes, sent with `Content-Length`.
    pub fn stream<T, E>(length: u64, source: T) -> Self
    where
        T: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::from_source(Some(length), true, source.map_ok(Frame::data))
    }

    /// A body whose length is not known beforehand, sent chunked.
    pub fn chunked<T, E>(source: T) -> Self
    where
        T: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::from_source(None, false, source.map_ok(Frame::data))
    }

    /// A body of exactly `length` bytes, sent chunked, with the trailers that its source brings after them.
    pub fn trailed<T, E>(length: u64, source: T) -> Self
    where
        T: Stream<Item = Result<Frame<Bytes>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::from_source(Some(length), false, source)
    }

    fn from_source<T, E>(left: Option<u64>, told: bool, source: T) -> Self
    where
        T: Stream<Item = Result<Frame<Bytes>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let source = source.map_err(|error| BodyError::Source(error.into())).boxed();
        Body::Stream(Streaming {
            source,
            left,
            told,
            held: None,
            trailers: None,
            failure: None,
            ended: false,
        })
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
            Body::Stream(stream) => stream.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Empty => true,
            Body::Full(bytes) => bytes.is_empty(),
            Body::Stream(stream) => {
                stream.ended && stream.held.is_none() && stream.trailers.is_none() && stream.failure.is_none()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Empty => SizeHint::with_exact(0),
            Body::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Stream(stream) => match stream.left {
                Some(left) if stream.told => {
                    SizeHint::with_exact(left + stream.held.as_ref().map_or(0, Bytes::len) as u64)
                }
                Some(_) | None => SizeHint::default(),
            },
        }
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, BodyError>>>;

impl Streaming {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        if let Some(error) = self.failure.take() {
            return Poll::Ready(Some(Err(error)));
        }
        while !self.ended {
            let frame = match ready!(self.source.poll_next_unpin(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return self.fail(cx, error),
                None => match self.left {
                    Some(missing) if missing > 0 => return self.fail(cx, BodyError::Short { missing }),
                    Some(_) | None => {
                        self.ended = true;
                        break;
                    }
                },
            };
            let chunk = match frame.into_data() {
                Ok(chunk) if chunk.is_empty() => continue,
                Ok(chunk) => chunk,
                Err(other) => {
                    self.trailers = other.into_trailers().ok().or(self.trailers.take());
                    continue;
                }
            };
            let Some(left) = &mut self.left else { return Poll::Ready(Some(Ok(Frame::data(chunk)))) };
            match left.checked_sub(chunk.len() as u64) {
                None => return self.fail(cx, BodyError::Long),
                Some(0) => {
                    *left = 0;
                    self.held = Some(chunk);
                }
                Some(rest) => {
                    *left = rest;
                    return Poll::Ready(Some(Ok(Frame::data(chunk))));
                }
            }
        }
        let last = self.held.take().map(Frame::data);
        Poll::Ready(last.or_else(|| self.trailers.take().map(Frame::trailers)).map(Ok))
    }

    /// Waits once before it tells: on an error the library drops what it has not handed to the socket yet.
    fn fail(&mut self, cx: &mut Context<'_>, error: BodyError) -> Polled {
        self.ended = true;
        self.trailers = None;
        if let (Some(held), Some(left)) = (self.held.take(), &mut self.left) {
            // What was held back was not sent, and a body that is let go of here was not whole.
            *left += held.len() as u64;
        }
        self.failure = Some(error);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http::HeaderValue;
    use http::header::LOCATION;
    use http_body::Body as _;
    use http_body_util::BodyExt;

    fn source(
        items: &[Result<&'static str, &'static str>],
    ) -> impl Stream<Item = Result<Bytes, &'static str>> + use<> {
        stream::iter(items.iter().map(|item| item.map(Bytes::from)).collect::<Vec<_>>())
    }

    /// A source that brings trailers after its chunks.
    fn with_trailer(
        items: &[Result<&'static str, &'static str>],
        value: &'static str,
    ) -> impl Stream<Item = Result<Frame<Bytes>, &'static str>> + use<> {
        let trailers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(value))]);
        source(items).map_ok(Frame::data).chain(stream::iter([Ok(Frame::trailers(trailers))]))
    }

    /// The chunks that come, trailers in brackets, and the error at the end if there is one.
    async fn sent(mut body: Body) -> (Vec<String>, Option<String>) {
        let mut chunks = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => chunks.push(String::from_utf8(data.to_vec()).unwrap()),
                Ok(Err(other)) => {
                    let trailers = other.into_trailers().unwrap();
                    chunks.push(format!("[{}]", trailers[LOCATION].to_str().unwrap()));
                }
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
    async fn what_came_before_a_failure_has_time_to_leave() {
        let mut body = Body::stream(4, source(&[Ok("ab"), Ok("cd"), Err("digest differs")]));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(matches!(Pin::new(&mut body).poll_frame(&mut cx), Poll::Ready(Some(Ok(_)))));
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        assert!(
            !body.is_end_stream() && exact(&body) == Some(2),
            "whoever lets go of it here has not sent it"
        );
        assert!(matches!(Pin::new(&mut body).poll_frame(&mut cx), Poll::Ready(Some(Err(_)))));
        assert!(matches!(Pin::new(&mut body).poll_frame(&mut cx), Poll::Ready(None)));
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

    #[tokio::test]
    async fn trailers_go_behind_the_last_byte_and_the_length_is_held_to_untold() {
        let trailed = |length, items: &[_]| Body::trailed(length, with_trailer(items, "/o"));
        assert_eq!(exact(&trailed(4, &[])), None, "a length would leave no room for trailers");
        let whole = vec!["ab".into(), "cd".into(), "[/o]".into()];
        assert_eq!(sent(trailed(4, &[Ok("ab"), Ok("cd")])).await, (whole, None));
        assert_eq!(sent(trailed(0, &[])).await, (vec!["[/o]".into()], None));
        let short = Some("the body ended 1 bytes before its declared length".into());
        assert_eq!(sent(trailed(3, &[Ok("ab")])).await, (vec!["ab".into()], short));
        let without = Body::trailed(2, source(&[Ok("ab")]).map_ok(Frame::data));
        assert_eq!(sent(without).await, (vec!["ab".into()], None));
    }

    #[tokio::test]
    async fn a_body_is_not_at_its_end_before_its_trailers() {
        let mut body = Body::trailed(2, with_trailer(&[Ok("ab")], "/o"));
        assert!(body.frame().await.unwrap().unwrap().is_data() && !body.is_end_stream());
        assert!(body.frame().await.unwrap().unwrap().is_trailers() && body.is_end_stream());
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_body_that_is_cut_has_no_trailers() {
        let failing = with_trailer(&[Ok("ab"), Ok("cd")], "/o").chain(stream::iter([Err("digest differs")]));
        let cut = Some("the body's source failed".into());
        assert_eq!(sent(Body::trailed(4, failing)).await, (vec!["ab".into()], cut));
        let nothing = Body::chunked(source(&[Err("digest differs")]));
        assert_eq!(sent(nothing).await, (vec![], Some("the body's source failed".into())));
    }
}
