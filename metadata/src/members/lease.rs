//! Whether this process may still answer, by its own clock; and the text with which its transactions begin.

use super::Identity;
use crate::error::Failure;
use crate::sql::{DbError, Engine, fenced_begin};
use lifecycle::SharedClock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;

/// A deadline that never comes.
const NEVER: u64 = u64::MAX;

/// What this process holds of the database's trust. All of it is a few words, read by every request.
pub(crate) struct Lease {
    clock: SharedClock,
    engine: Engine,
    /// Boot time in microseconds; past it nothing is answered.
    deadline: AtomicU64,
    /// Boot time of the last accepted heartbeat.
    beaten: AtomicU64,
    /// It is over for good: no heartbeat brings it back.
    ended: AtomicBool,
    /// Why this process must end, once it must.
    must_end: watch::Sender<Option<String>>,
    inner: RwLock<Inner>,
}

struct Inner {
    identity: Identity,
    /// Begins a transaction and finds the own row active.
    begin: Arc<str>,
    /// Why nothing is answered, when nothing is.
    why: String,
}

impl Lease {
    pub(crate) fn new(clock: SharedClock, engine: Engine, identity: Identity) -> Self {
        let begin = fenced_begin(engine, identity.id);
        let inner = Inner { identity, begin, why: String::new() };
        let beaten = micros(clock.boot());
        Lease {
            clock,
            engine,
            deadline: AtomicU64::new(NEVER),
            beaten: AtomicU64::new(beaten),
            ended: AtomicBool::new(false),
            must_end: watch::Sender::new(None),
            inner: RwLock::new(inner),
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        self.read().identity
    }

    /// The text that begins a transaction of this incarnation, and gives a row if that is active.
    pub(crate) fn begin(&self) -> Arc<str> {
        Arc::clone(&self.read().begin)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease runs until `until` of boot time; `None`: without end. `sent`: when the heartbeat was sent.
    pub(crate) fn extend(&self, sent: Duration, until: Option<Duration>) {
        if self.ended() {
            return;
        }
        self.beaten.store(micros(sent), Ordering::SeqCst);
        self.deadline.store(until.map_or(NEVER, micros), Ordering::SeqCst);
    }

    /// Another incarnation takes over, with a lease of its own.
    pub(crate) fn renew(&self, identity: Identity, sent: Duration, until: Option<Duration>) {
        {
            let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
            inner.identity = identity;
            inner.begin = fenced_begin(self.engine, identity.id);
        }
        self.extend(sent, until);
    }

    /// Nothing is answered or committed any more, whatever heartbeats say.
    pub(crate) fn end(&self, why: &str) {
        self.ended.store(true, Ordering::SeqCst);
        self.lapse(why);
    }

    /// As [`Lease::end`], and the process has to end, too.
    pub(crate) fn end_process(&self, why: &str) {
        self.end(why);
        self.must_end.send_replace(Some(why.to_owned()));
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Tells why this process must end, once it must.
    pub(crate) fn ending(&self) -> watch::Receiver<Option<String>> {
        self.must_end.subscribe()
    }

    /// Passes unless it is over for good. A commit asks the database for the rest.
    pub(crate) fn require_for_writing(&self) -> Result<(), DbError> {
        if self.ended() { Err(DbError::Fenced(self.why())) } else { Ok(()) }
    }

    /// Nothing is answered from now on.
    pub(crate) fn lapse(&self, why: &str) {
        why.clone_into(&mut self.inner.write().unwrap_or_else(PoisonError::into_inner).why);
        self.deadline.store(0, Ordering::SeqCst);
    }

    /// Whether this process may answer.
    pub(crate) fn holds(&self) -> bool {
        let deadline = self.deadline.load(Ordering::SeqCst);
        deadline == NEVER || micros(self.clock.boot()) < deadline
    }

    /// Whether it ends at all.
    pub(crate) fn ends(&self) -> bool {
        self.deadline.load(Ordering::SeqCst) != NEVER
    }

    /// Since the last accepted heartbeat.
    pub(crate) fn age(&self) -> Duration {
        self.clock.boot().saturating_sub(Duration::from_micros(self.beaten.load(Ordering::SeqCst)))
    }

    fn why(&self) -> String {
        match self.deadline.load(Ordering::SeqCst) {
            0 => self.read().why.clone(),
            _ => {
                "this process has not reached the database within its lease, and answers nothing until it has"
                    .to_owned()
            }
        }
    }

    pub(crate) fn require(&self) -> Result<(), Failure> {
        if self.holds() { Ok(()) } else { Err(Failure::Fenced(self.why())) }
    }

    pub(crate) fn require_for_reading(&self) -> Result<(), DbError> {
        if self.holds() { Ok(()) } else { Err(DbError::Fenced(self.why())) }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(NEVER - 1)
}
