//! Bodies of requests: read to their end, or refused for a reason.
//!
//! A client is blamed only for the time in which we wait for it. Bytes that are there already cost no clock and no timer;
//! time that the store takes to put them away is not the client's. The average is taken over stretches of waiting
//! ([`Limits::body_window`]): a drip of single bytes is found out at the end of the first stretch, silence after
//! [`Limits::body_idle`].
//!
//! The first read sends `100 Continue` to a client that asked for it; to refuse a body unread, don't read it.

use super::limits::Limits;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use hyper::body::Incoming;
use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Why a request's body could not be read to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The client sent nothing for too long, or too little on average. HTTP's word for it is 408.
    #[error(
        "the request's body comes too slowly: at least {rate} bytes a second, and never {idle:?} of silence"
    )]
    TooSlow {
        /// The bytes a second asked for.
        rate: u64,
        /// The silence allowed.
        idle: Duration,
    },
    /// The client left, or the connection broke, before the body was complete.
    #[error("the client left in the middle of the request's body")]
    Disconnected,
    /// More bytes than the caller wants.
    #[error("the request's body is larger than {max} bytes")]
    TooLarge {
        /// The bytes allowed.
        max: u64,
    },
    /// Its chunks are not chunks.
    #[error("the request's body is malformed: {0}")]
    Malformed(String),
}

/// Reads one request's body. `B` is what the HTTP library hands out, or a stand-in.
pub struct BodyReader<B = Incoming> {
    body: B,
    declared: Option<u64>,
    pace: Pace,
    trailers: Option<HeaderMap>,
    over: Option<Result<(), ReadError>>,
    /// Where somebody reads how many bytes have come.
    count: Option<Arc<AtomicU64>>,
}

impl<B> BodyReader<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Error + 'static,
{
    /// A reader of `body` that wants it at the pace of `limits`.
    pub fn new(body: B, limits: &Limits) -> Self {
        BodyReader {
            declared: body.size_hint().exact(),
            body,
            pace: Pace::new(limits),
            trailers: None,
            over: None,
            count: None,
        }
    }

    /// Adds the bytes that come to `count`.
    pub fn counted_in(mut self, count: Option<Arc<AtomicU64>>) -> Self {
        self.count = count;
        self
    }

    /// The length from `Content-Length` (0 without a body), or `None` for a chunked body. The HTTP library sees to it
    /// that a body ends there, neither earlier nor later.
    pub fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// The next bytes, never empty; `None` at the end of a complete body. An error is final and said again if asked.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`BodyReader::next`] for hand-written futures.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, ReadError>> {
        if let Some(over) = &self.over {
            return Poll::Ready(over.clone().map(|()| None));
        }
        let next = ready!(self.poll_chunk(cx));
        match &next {
            Ok(Some(_)) => {}
            Ok(None) => self.over = Some(Ok(())),
            Err(error) => self.over = Some(Err(error.clone())),
        }
        Poll::Ready(next)
    }

    /// The whole body, if it has at most `max` bytes. One that declares more is refused before anything is read.
    pub async fn collect(&mut self, max: usize) -> Result<Bytes, ReadError> {
        let too_large = ReadError::TooLarge { max: max as u64 };
        if self.declared.is_some_and(|declared| declared > max as u64) {
            return Err(too_large);
        }
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        let mut whole: Result<Bytes, BytesMut> = Ok(first); // most bodies are one chunk: don't copy those
        let mut length = whole.as_ref().map_or(0, Bytes::len);
        while length <= max {
            let Some(more) = self.next().await? else {
                return Ok(whole.unwrap_or_else(BytesMut::freeze));
            };
            length += more.len();
            let mut joined = whole.map_or_else(|joined| joined, BytesMut::from);
            joined.extend_from_slice(&more);
            whole = Err(joined);
        }
        Err(too_large)
    }

    /// The trailers that came after a chunked body, once its end was reached.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, ReadError>> {
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => return Poll::Ready(Err(ready!(self.pace.poll_too_slow(cx)))),
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(told_by(&error))),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(chunk) if chunk.is_empty() => {}
                    Ok(chunk) => {
                        if let Some(count) = &self.count {
                            count.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                        }
                        self.pace.brought(chunk.len() as u64)?;
                        return Poll::Ready(Ok(Some(chunk)));
                    }
                    Err(other) => self.trailers = other.into_trailers().ok().or(self.trailers.take()),
                },
            }
        }
    }
}

/// Which of our words an error of the HTTP library is. It keeps the reason in an I/O error underneath.
fn told_by(error: &(dyn Error + 'static)) -> ReadError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>()
            && matches!(io.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
        {
            return ReadError::Malformed(io.to_string());
        }
        cause = error.source();
    }
    ReadError::Disconnected
}

/// How fast a client sends, over the time we wait for it.
struct Pace {
    idle: Duration,
    rate: u64,
    window: Duration,
    /// Since when we are waiting, if we are: for this chunk, and in this window.
    waiting: Option<(Instant, Instant)>,
    /// Waited in this window before that.
    waited: Duration,
    /// Brought in this window.
    bytes: u64,
    /// Made when we first have to wait, then used again.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    fn new(limits: &Limits) -> Self {
        Pace {
            idle: limits.body_idle,
            rate: limits.body_rate,
            window: limits.body_window,
            waiting: None,
            waited: Duration::ZERO,
            bytes: 0,
            timer: None,
        }
    }

    /// Bytes came.
    fn brought(&mut self, bytes: u64) -> Result<(), ReadError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if let Some((_, in_window)) = self.waiting.take() {
            self.waited += now() - in_window;
            if self.waited >= self.window {
                self.judge()?;
            }
        }
        Ok(())
    }

    /// Nothing is there. Ready when the client has used up its time.
    fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<ReadError> {
        if self.waiting.is_none() {
            let now = now();
            self.waiting = Some((now, now));
            self.arm(now, now);
        }
        loop {
            let Some(timer) = &mut self.timer else { return Poll::Ready(self.too_slow()) };
            ready!(timer.as_mut().poll(cx));
            let now = now();
            let (for_chunk, in_window) = self.waiting.unwrap_or((now, now));
            if now - for_chunk >= self.idle {
                return Poll::Ready(self.too_slow());
            }
            if self.waited + (now - in_window) >= self.window {
                if let Err(error) = self.judge() {
                    return Poll::Ready(error);
                }
                self.waiting = Some((for_chunk, now));
            }
            let (for_chunk, in_window) = self.waiting.unwrap_or((now, now));
            self.arm(for_chunk, in_window);
        }
    }

    fn arm(&mut self, for_chunk: Instant, in_window: Instant) {
        let deadline = (for_chunk + self.idle).min(in_window + self.window.saturating_sub(self.waited));
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(deadline),
            None => self.timer = Some(Box::pin(tokio::time::sleep_until(deadline))),
        }
    }

    /// Ends the window.
    fn judge(&mut self) -> Result<(), ReadError> {
        let wanted = u128::from(self.rate) * self.window.as_millis() / 1000;
        if u128::from(self.bytes) < wanted {
            return Err(self.too_slow());
        }
        self.waited = Duration::ZERO;
        self.bytes = 0;
        Ok(())
    }

    fn too_slow(&self) -> ReadError {
        ReadError::TooSlow { rate: self.rate, idle: self.idle }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a socket's patience: a timer's own clock, and no promise rests on it"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream::{self, StreamExt};
    use http_body::Frame;
    use http_body_util::StreamBody;

    fn limits() -> Limits {
        Limits {
            body_idle: Duration::from_millis(60),
            body_rate: 1000,
            body_window: Duration::from_millis(100),
            ..Limits::default()
        }
    }

    fn too_slow() -> ReadError {
        ReadError::TooSlow { rate: 1000, idle: Duration::from_millis(60) }
    }

    type Chunk = (u64, &'static str);

    /// A client that sends each text after so many milliseconds, then ends its body.
    fn client(chunks: Vec<Chunk>) -> impl http_body::Body<Data = Bytes, Error = io::Error> + Unpin {
        let frames = stream::iter(chunks).then(|(after, text)| async move {
            tokio::time::sleep(Duration::from_millis(after)).await;
            Ok(Frame::data(Bytes::from(text)))
        });
        StreamBody::new(frames.boxed())
    }

    async fn read(chunks: Vec<Chunk>) -> Result<Bytes, ReadError> {
        BodyReader::new(client(chunks), &limits()).collect(1 << 20).await
    }

    #[tokio::test]
    async fn a_body_is_read_in_order_without_empty_chunks() {
        assert_eq!(read(vec![(0, "ab"), (0, ""), (10, "c")]).await.unwrap(), "abc");
        let mut reader = BodyReader::new(client(vec![(0, ""), (0, "ab")]), &limits());
        assert_eq!(reader.next().await.unwrap().unwrap(), "ab");
        assert_eq!(reader.next().await, Ok(None));
        assert_eq!(reader.next().await, Ok(None));
    }

    #[tokio::test]
    async fn silence_is_too_slow_and_stays_so() {
        let mut reader = BodyReader::new(client(vec![(0, "ab"), (5_000, "c")]), &limits());
        assert!(reader.next().await.is_ok());
        assert_eq!(reader.next().await, Err(too_slow()));
        assert_eq!(reader.next().await, Err(too_slow()));
    }

    #[tokio::test]
    async fn a_drip_is_too_slow_though_never_silent() {
        assert_eq!(read(vec![(10, "x"); 100]).await, Err(too_slow()));
    }

    #[tokio::test]
    async fn a_steady_client_may_take_many_windows() {
        const TEN_MS_WORTH: &str = "0123456789012345678901234567890123456789";
        assert_eq!(read(vec![(10, TEN_MS_WORTH); 30]).await.unwrap().len(), 1200);
    }

    #[tokio::test]
    async fn our_own_slowness_is_not_the_clients() {
        let mut reader = BodyReader::new(client(vec![(0, "x"), (0, "x"), (0, "x"), (0, "x")]), &limits());
        while reader.next().await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(70)).await;
        }
    }

    #[tokio::test]
    async fn a_collected_body_has_a_limit() {
        for (max, fits) in [(2, false), (3, true)] {
            let mut reader = BodyReader::new(client(vec![(0, "ab"), (0, "c")]), &limits());
            let expected = if fits { Ok(Bytes::from("abc")) } else { Err(ReadError::TooLarge { max: 2 }) };
            assert_eq!(reader.collect(max).await, expected);
        }
        let mut declared = BodyReader::new(http_body_util::Full::new(Bytes::from("abc")), &limits());
        assert_eq!(declared.declared(), Some(3));
        assert_eq!(declared.collect(2).await, Err(ReadError::TooLarge { max: 2 }));
        assert_eq!(declared.collect(3).await.unwrap(), "abc");
    }

    #[test]
    fn errors_of_the_library_become_ours() {
        let malformed = io::Error::new(io::ErrorKind::InvalidInput, "Invalid chunk size line");
        assert_eq!(told_by(&malformed), ReadError::Malformed("Invalid chunk size line".into()));
        let eof = io::Error::new(io::ErrorKind::UnexpectedEof, "end of file before message length reached");
        assert_eq!(told_by(&eof), ReadError::Disconnected);
    }
}
