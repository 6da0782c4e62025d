//! What an operator decides about the health processor.

use crate::brake::Brake;
use crate::driver::Pace;
use crate::webhook::Events;
use std::time::Duration;

/// Deadlines, pace and limits. Read at start; what is removed already keeps the promise it was given.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The longest sleep between two runs; deadlines and wake-ups come earlier.
    pub interval: Duration,
    /// How many rows are claimed, destroyed and finished together.
    pub batch: u32,
    /// How many blobs are destroyed at the same time.
    pub concurrency: usize,
    /// Grace of an object that its lifepoint ends, where its bucket has none of its own.
    pub object_delete_delay: Duration,
    /// How long a tombstone is kept after its bytes are gone.
    pub deletion_memory: Duration,
    /// How long bytes that were written and never published are kept.
    pub staged_expiry: Duration,
    /// How long bytes stay after their version became invisible, for reads that began before.
    pub drain_timeout: Duration,
    /// How long a claim holds. Who claimed and died holds it no longer than this.
    pub lease: Duration,
    /// The brake: the most that a cycle may purge unexplained, in percent of all bytes ...
    pub brake_share: u8,
    /// ... and in objects.
    pub brake_objects: u64,
    /// Below both this many objects ...
    pub brake_min_objects: u64,
    /// ... and this many bytes it never trips.
    pub brake_min_bytes: u64,
    /// How long to rest after work, in percent of the time the work took.
    pub tranquility: u32,
    /// How many bytes a second are read again to see whether they are still what was written; 0: none.
    pub scrub_rate: u64,
    /// The time from the beginning of one pass over all bytes to the beginning of the next.
    pub scrub_period: Duration,
    /// How long one run of such a pass reads, before it tells how far it is.
    pub scrub_stretch: Duration,
    /// Whether bytes that no row names are destroyed when they are ripe, without being told each time.
    pub destroy_orphans: bool,
    /// Who is told what happens to objects.
    pub events: Events,
    /// This machine's name.
    pub node: String,
    /// What this process is: shown beside its heartbeat.
    pub role: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 3_600);
        Settings {
            interval: Duration::from_secs(60),
            batch: 512,
            concurrency: 64,
            object_delete_delay: DAY,
            deletion_memory: 14 * DAY,
            staged_expiry: DAY,
            drain_timeout: Duration::from_secs(30),
            lease: Duration::from_secs(60),
            brake_share: 5,
            brake_objects: 1_000_000,
            brake_min_objects: 10_000,
            brake_min_bytes: 10 << 30,
            tranquility: 10,
            scrub_rate: 8 << 20,
            scrub_period: 30 * DAY,
            scrub_stretch: Duration::from_secs(30),
            destroy_orphans: false,
            events: Events::default(),
            node: "barrow".to_owned(),
            role: "health-processor",
        }
    }
}

impl Settings {
    /// These, with every value that would stop the work or never end it moved to the nearest that does neither.
    pub(crate) fn within_bounds(mut self) -> Self {
        self.interval = self.interval.max(Duration::from_secs(1));
        self.batch = self.batch.clamp(1, 4_096);
        self.concurrency = self.concurrency.clamp(1, 1_024);
        self.lease = self.lease.max(Duration::from_secs(1));
        self.brake_share = self.brake_share.min(100);
        self
    }

    pub(crate) fn brake(&self) -> Brake {
        Brake {
            share: self.brake_share,
            objects: self.brake_objects,
            min_objects: self.brake_min_objects,
            min_bytes: self.brake_min_bytes,
        }
    }

    pub(crate) fn pace(&self) -> Pace {
        Pace { interval: self.interval, tranquility: self.tranquility }
    }
}
