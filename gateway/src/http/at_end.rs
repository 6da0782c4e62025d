//! Being told that an answer has ended: that its last byte was handed over, or that it was cut.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How an answer's body went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The bytes of the body that were handed to the connection. What the network lost of them nobody knows here.
    pub bytes: u64,
    /// Whether these were all: the source did not fail, and the client did not leave.
    pub whole: bool,
}

type Told = Box<dyn FnOnce(Sent) + Send>;

/// An extension of an answer: is told once how its body went. Whoever makes an answer puts it in; one that is never put on
/// a connection is never told.
#[derive(Clone)]
pub struct AtEnd(Arc<Mutex<Option<Told>>>);

impl AtEnd {
    /// Calls `told` at the end. It is called where the connection is served, and must not wait.
    pub fn new(told: impl FnOnce(Sent) + Send + 'static) -> Self {
        AtEnd(Arc::new(Mutex::new(Some(Box::new(told)))))
    }

    pub(super) fn tell(&self, sent: Sent) {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(told) = told {
            told(sent);
        }
    }
}

impl fmt::Debug for AtEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtEnd")
    }
}
