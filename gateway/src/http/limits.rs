//! What a client may cost before it is turned away.

use std::time::Duration;

/// The limits of one listener. All are per listener except where said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a request head may take, counted from when the connection is ready for it. An idle kept-alive
    /// connection is waiting for a head too, so it is closed after this time.
    pub header_deadline: Duration,
    /// Bytes of request line, headers and the blank line together; also the bytes of trailers. Beyond: 431, closed.
    pub header_bytes: usize,
    /// Header lines of one request; also trailer lines. Beyond: 431, closed.
    pub headers: usize,
    /// How long a client may send nothing of a body, or take nothing of an answer, while we wait for it.
    pub body_idle: Duration,
    /// Bytes a second that a body must bring on average, over the time spent waiting for it.
    pub body_rate: u64,
    /// The waiting time over which `body_rate` is averaged.
    pub body_window: Duration,
    /// Open connections in all. Beyond: closed without an answer.
    pub connections: usize,
    /// Open connections of one peer: an IPv4 address, or an IPv6 /64 (one customer has 2^64 addresses).
    pub per_peer: usize,
    /// Requests being answered, counted until the last byte of the answer is handed over. Beyond: 503, Retry-After.
    pub in_flight: usize,
    /// Revisions that one purge may name. Beyond: 400.
    pub purge_revisions: usize,
    /// How long running requests may go on after a stop was asked for.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            header_deadline: Duration::from_secs(10),
            header_bytes: 32 * 1024,
            headers: 500,
            body_idle: Duration::from_secs(60),
            body_rate: 1024,
            body_window: Duration::from_secs(30),
            connections: 16_384,
            per_peer: 512,
            in_flight: 4_096,
            purge_revisions: 10_000,
            shutdown: Duration::from_secs(30),
        }
    }
}
