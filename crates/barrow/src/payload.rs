//! Bodies of the requests that the operator's commands make: known beforehand, or another answer's bytes on their way.

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A body of known length.
pub(crate) struct Payload {
    first: Option<Bytes>,
    /// Bytes that come from elsewhere, behind the first.
    rest: Option<Incoming>,
    left: u64,
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Payload { left: bytes.len() as u64, first: Some(bytes).filter(|bytes| !bytes.is_empty()), rest: None }
    }
}

impl Payload {
    /// `first`, and then the `length` bytes of another answer.
    pub(crate) fn passing(first: Bytes, rest: Incoming, length: u64) -> Self {
        let first = Payload::from(first);
        Payload { left: first.left + length, rest: Some(rest), ..first }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(first) = self.first.take() {
            self.left = self.left.saturating_sub(first.remaining() as u64);
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        loop {
            let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
            let Some(frame) = ready!(Pin::new(rest).poll_frame(cx)) else { return Poll::Ready(None) };
            // Trailers are nothing to whoever gets these bytes.
            if let Ok(data) = frame?.into_data() {
                self.left = self.left.saturating_sub(data.remaining() as u64);
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
