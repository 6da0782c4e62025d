//! What one client, and all of them, may take.

use super::section::Section;
use std::time::Duration;

/// `[limits]`.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long a request's head may take to arrive.
    pub header_deadline: Duration,
    /// How long a body may stand still, either way.
    pub body_idle: Duration,
    /// Open connections, all doors together.
    pub connections: usize,
    /// Open connections from one address.
    pub per_peer: usize,
    /// Requests being worked on; beyond it the answer is 503 at once.
    pub in_flight: usize,
    /// Revisions that one `_purge` may name; beyond it the answer is 400.
    pub purge_revisions: usize,
    /// How long a stopping server waits for requests under way.
    pub shutdown: Duration,
}

const HOUR: Duration = Duration::from_secs(3600);

impl Limits {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let deadline = Duration::from_millis(100)..=HOUR;
        Limits {
            header_deadline: section.duration("header_deadline", "10s", deadline.clone()),
            body_idle: section.duration("body_idle", "60s", deadline),
            connections: section.number("connections", 16_384, 1..=1_000_000),
            per_peer: section.number("per_peer", 512, 1..=1_000_000),
            in_flight: section.number("in_flight", 4_096, 1..=1_000_000),
            purge_revisions: section.number("purge_revisions", 10_000, 1..=100_000),
            shutdown: section.duration("shutdown", "30s", Duration::ZERO..=HOUR),
        }
    }
}
