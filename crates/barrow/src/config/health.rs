//! Graces, deadlines and the pace of everything that deletes.

use super::section::Section;
use std::time::Duration;

/// `[health]`. Graces are read at removal and stored with it: changing them moves no promise already made.
#[derive(Clone, Debug)]
pub struct Health {
    /// How long a removed domain or bucket can be restored. From 1 s.
    pub recursive_delete_delay: Duration,
    /// How long a deleted or overwritten object can be restored; zero: not at all. A bucket may say otherwise.
    pub object_delete_delay: Duration,
    /// How long a tombstone is kept after its bytes are gone. From 1 s.
    pub deletion_memory: Duration,
    /// The longest sleep between two rounds; deadlines wake the health processor earlier.
    pub interval: Duration,
    /// How long an unfinished multipart upload is kept. From 1 s.
    pub upload_expiry: Duration,
    /// How long a staged version that nobody publishes is kept. From 1 s.
    pub staged_expiry: Duration,
    /// How long bytes stay after their version became invisible, for reads under way; zero cuts them off.
    pub drain_timeout: Duration,
    /// How long a claim on bytes to be destroyed holds, if its process dies: another one takes the work over then. From
    /// 1 s.
    pub claim_lease: Duration,
    /// How many blobs are destroyed at the same time.
    pub concurrency: usize,
    /// How many rows one claim, destroy and finish handles.
    pub batch: u32,
    /// A round that would purge more than this percentage of all bytes, unexplained by requests, stops.
    pub brake_share: u8,
    /// A round that would purge more than this many objects, unexplained by requests, stops.
    pub brake_objects: u64,
    /// A round that purges fewer objects than this *and* fewer bytes than `brake_min_bytes` never stops.
    pub brake_min_objects: u64,
    /// See `brake_min_objects`.
    pub brake_min_bytes: u64,
}

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Far beyond any grace, and far from where time in microseconds would overflow.
const CENTURY: Duration = Duration::from_secs(100 * 31_557_600);

impl Health {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Health {
            recursive_delete_delay: section.duration(
                ("recursive_delete_delay", "recursiveDeleteDelay"),
                "7days",
                SECOND..=CENTURY,
            ),
            object_delete_delay: section.duration("object_delete_delay", "1day", Duration::ZERO..=CENTURY),
            deletion_memory: section.duration("deletion_memory", "14days", SECOND..=CENTURY),
            interval: section.duration("interval", "1min", SECOND..=DAY),
            upload_expiry: section.duration("upload_expiry", "7days", SECOND..=CENTURY),
            staged_expiry: section.duration("staged_expiry", "1day", SECOND..=CENTURY),
            drain_timeout: section.duration("drain_timeout", "30s", Duration::ZERO..=DAY),
            claim_lease: section.duration("claim_lease", "1min", SECOND..=DAY),
            concurrency: section.number("concurrency", 64, 1..=1024),
            batch: section.number("batch", 512, 1..=4096),
            brake_share: section.number("brake_share", 5, 1..=100),
            brake_objects: section.number("brake_objects", 1_000_000, 1..=u64::from(u32::MAX)),
            brake_min_objects: section.number("brake_min_objects", 10_000, 0..=u64::from(u32::MAX)),
            brake_min_bytes: section.size("brake_min_bytes", "10GiB", 0..=1 << 50),
        }
    }
}
