//! Graces, deadlines and the pace of everything that deletes.

use super::section::Section;
use super::size;
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
    /// How many bytes a second are read again to see whether they are still what was written; 0: none.
    pub scrub_rate: u64,
    /// The time from the beginning of one pass over all bytes to the beginning of the next. From 1 h.
    pub scrub_period: Duration,
    /// Whether bytes that no row names are destroyed by themselves, when they are ripe.
    pub destroy_orphans: bool,
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
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
            scrub_rate: section.text("scrub_rate", "8MiB", &rate_allowed(), rate),
            scrub_period: section.duration("scrub_period", "30days", HOUR..=CENTURY),
            destroy_orphans: section.truth("destroy_orphans", false),
        }
    }
}

/// Slower than this a pass would never end.
const RATE_LEAST: u64 = 1 << 10;
const RATE_MOST: u64 = 1 << 40;

/// Bytes a second; 0, with or without a unit, for none.
fn rate(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    size::parse(text).filter(|rate| *rate == 0 || (RATE_LEAST..=RATE_MOST).contains(rate))
}

fn rate_allowed() -> String {
    let (least, most) = (size::format(RATE_LEAST), size::format(RATE_MOST));
    format!("\"0\", or a size with its unit ({}) from \"{least}\" to \"{most}\"", size::UNIT_NAMES)
}
