//! Who reads and writes in which container at this moment. A pin is held as long as bytes flow.
//!
//! A reader looks its object up and pins it afterwards; between the two a container may go, and everybody may have told that
//! they let go of it. So a lookup carries the *moment* at which it began; pinning compares, and whoever finds that the moment
//! has moved looks again ([`crate::Metadata::pin_read`]). Moments move with every epoch that is observed and with every purge
//! of versions, so hardly ever, and reading costs nothing for it.

use lifecycle::{BlobName, ContainerId, Holdout, SharedClock, Within};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Everything that is pinned in this process.
pub(crate) struct Pins {
    clock: SharedClock,
    moment: AtomicU64,
    table: Mutex<Table>,
    /// Rings when something ended that others may be waiting for.
    pub(crate) freed: Notify,
}

#[derive(Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Entry>,
    /// Containers that were removed while something was pinned in them: until when that may go on.
    leaving: HashMap<ContainerId, Duration>,
}

struct Entry {
    within: Within,
    /// One of the blobs that are read; `None` for a writer.
    blob: Option<BlobName>,
    what: &'static str,
    began: Duration,
    /// Of an operator who reads in what is removed: until when. It stands for itself.
    until: Option<Duration>,
    cut: watch::Sender<Option<Cut>>,
}

/// Why bytes must not flow on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The container was removed, and has been waited for long enough.
    Left,
    /// The version is being purged.
    Purged,
    /// This process may not go on.
    Fenced,
}

/// Bytes that flow in or out of a container. Ends when it is dropped.
pub struct Pin {
    pins: Arc<Pins>,
    number: u64,
    cut: watch::Receiver<Option<Cut>>,
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pin({})", self.number)
    }
}

impl Pin {
    /// Waits until this has to end.
    pub async fn cut(&mut self) {
        // The sender goes with the entry, which goes with us.
        let _gone = self.cut.wait_for(Option::is_some).await;
    }

    /// Why this has to end, if it has to.
    pub fn why_cut(&self) -> Option<Cut> {
        *self.cut.borrow()
    }

    /// Whether this has to end.
    pub fn is_cut(&self) -> bool {
        self.why_cut().is_some()
    }

    /// `Some`: it is told to the others as work in a removed container from now on, and cut at that boot time, whatever was
    /// given to those who were there before it went. `None`: it is one like any other.
    pub(crate) fn hold_until(&self, until: Option<Duration>) {
        if let Some(entry) = self.pins.lock().open.get_mut(&self.number) {
            entry.until = until;
        }
    }

    /// A future that is ready when this has to end, or has ended, for whoever cannot hold the pin itself.
    pub fn ending(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut cut = self.cut.clone();
        async move {
            let _gone = cut.wait_for(Option::is_some).await;
        }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let waited_for = {
            let mut table = self.pins.lock();
            let entry = table.open.remove(&self.number);
            entry.is_some_and(|entry| {
                entry.until.is_some() || table.leaving.keys().any(|left| entry.within.is_in(*left))
            })
        };
        if waited_for {
            self.pins.freed.notify_one();
        }
    }
}

impl Pins {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Pins { clock, moment: AtomicU64::new(1), table: Mutex::default(), freed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The moment at which a lookup begins.
    pub(crate) fn moment(&self) -> u64 {
        self.moment.load(Ordering::SeqCst)
    }

    /// Lookups that began before this have to look again when they pin.
    pub(crate) fn pass_moment(&self) {
        self.moment.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn pin(self: &Arc<Self>, within: Within, blob: Option<BlobName>, what: &'static str) -> Pin {
        self.pin_until(within, blob, what, None)
    }

    /// As [`Pins::pin`], with [`Pin::hold_until`] from the first moment.
    pub(crate) fn pin_until(
        self: &Arc<Self>,
        within: Within,
        blob: Option<BlobName>,
        what: &'static str,
        until: Option<Duration>,
    ) -> Pin {
        let (sender, cut) = watch::channel(None);
        let entry = Entry { within, blob, what, began: self.clock.boot(), until, cut: sender };
        let mut table = self.lock();
        let number = table.next;
        table.next += 1;
        table.open.insert(number, entry);
        drop(table);
        Pin { pins: Arc::clone(self), number, cut }
    }

    pub(crate) fn count(&self) -> u64 {
        self.lock().open.len() as u64
    }

    /// `container` was removed: what is pinned in it may go on until `until` of boot time.
    pub(crate) fn leave(&self, container: ContainerId, until: Duration) {
        let mut table = self.lock();
        if table.open.values().any(|entry| entry.within.is_in(container)) {
            table.leaving.entry(container).or_insert(until);
        }
    }

    /// `container` came back.
    pub(crate) fn stay(&self, container: ContainerId) {
        self.lock().leaving.remove(&container);
    }

    /// Nothing is known of what was removed any more.
    pub(crate) fn forget_leaving(&self) {
        self.lock().leaving.clear();
    }

    /// Cuts what has had its time, and gives what is still busy in containers that were removed.
    pub(crate) fn holdouts(&self) -> Vec<Holdout> {
        let now = self.clock.boot();
        let mut table = self.lock();
        let Table { open, leaving, .. } = &mut *table;
        leaving.retain(|left, _| open.values().any(|entry| entry.within.is_in(*left)));
        let mut busy: BTreeMap<(Within, &'static str), (u64, Duration)> = BTreeMap::new();
        for entry in open.values() {
            let until =
                leaving.iter().filter(|(left, _)| entry.within.is_in(**left)).map(|(_, until)| *until);
            let Some(until) = entry.until.or_else(|| until.min()) else { continue };
            if now >= until {
                entry.cut.send_if_modified(|cut| cut.is_none().then(|| *cut = Some(Cut::Left)).is_some());
            }
            let (count, oldest) = busy.entry((entry.within, entry.what)).or_insert((0, entry.began));
            *count += 1;
            *oldest = (*oldest).min(entry.began);
        }
        let holdout = |((within, what), (count, oldest)): ((Within, &str), (u64, Duration))| Holdout {
            within,
            what: what.to_owned(),
            count,
            for_ms: u64::try_from(now.saturating_sub(oldest).as_millis()).unwrap_or(u64::MAX),
        };
        busy.into_iter().map(holdout).collect()
    }

    /// When the next of these has to be cut, after `now`.
    pub(crate) fn next_cut(&self, now: Duration) -> Option<Duration> {
        let table = self.lock();
        let held = table.open.values().filter_map(|entry| entry.until);
        table.leaving.values().copied().chain(held).filter(|until| *until > now).min()
    }

    /// The blobs that are read at this moment.
    pub(crate) fn reads(&self) -> HashSet<BlobName> {
        self.lock().open.values().filter_map(|entry| entry.blob).collect()
    }

    /// Cuts whoever reads one of these.
    pub(crate) fn cut_reads(&self, blobs: &HashSet<BlobName>) {
        for entry in self.lock().open.values() {
            if entry.blob.is_some_and(|blob| blobs.contains(&blob)) {
                entry.cut.send_replace(Some(Cut::Purged));
            }
        }
    }

    /// Cuts everything.
    pub(crate) fn cut_all(&self) {
        for entry in self.lock().open.values() {
            entry.cut.send_replace(Some(Cut::Fenced));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifecycle::{Clock, Time};

    /// Boot time in the test's hands.
    #[derive(Debug, Default)]
    struct Boot(Mutex<Duration>);

    impl Clock for Boot {
        fn now(&self) -> Time {
            Time::from_secs(0)
        }

        fn boot(&self) -> Duration {
            *self.0.lock().unwrap()
        }
    }

    fn within(bucket: u8) -> Within {
        let id = |number| ContainerId::from_bytes([number; 16]);
        Within { domain: id(1), bucket: id(bucket), contents: id(bucket + 100) }
    }

    #[test]
    fn what_is_pinned_in_a_removed_container_may_go_on_until_its_time_and_is_cut_then() {
        let clock = Arc::new(Boot::default());
        let pins = Arc::new(Pins::new(Arc::clone(&clock) as SharedClock));
        let long = pins.pin(within(2), None, "GET");
        let other = pins.pin(within(3), None, "GET");
        assert_eq!(pins.holdouts(), [], "nothing was removed");

        pins.leave(within(2).bucket, Duration::from_secs(30));
        pins.leave(within(9).bucket, Duration::from_secs(30));
        *clock.0.lock().unwrap() = Duration::from_secs(29);
        let busy = pins.holdouts();
        assert_eq!((busy.len(), busy[0].within, busy[0].for_ms), (1, within(2), 29_000));
        assert!(!long.is_cut());

        *clock.0.lock().unwrap() = Duration::from_secs(30);
        assert_eq!(pins.holdouts().len(), 1, "it is busy until it has noticed");
        assert!(long.is_cut() && !other.is_cut());
        drop(long);
        assert_eq!(pins.holdouts(), []);
    }

    #[test]
    fn what_came_back_is_not_cut() {
        let clock = Arc::new(Boot::default());
        let pins = Arc::new(Pins::new(Arc::clone(&clock) as SharedClock));
        let long = pins.pin(within(2), None, "PUT");
        pins.leave(within(2).domain, Duration::from_secs(30));
        pins.stay(within(2).domain);
        *clock.0.lock().unwrap() = Duration::from_secs(60);
        assert_eq!(pins.holdouts(), []);
        assert!(!long.is_cut());
    }

    #[test]
    fn an_operator_has_a_time_of_his_own() {
        let clock = Arc::new(Boot::default());
        let pins = Arc::new(Pins::new(Arc::clone(&clock) as SharedClock));
        let (client, operator) = (pins.pin(within(2), None, "GET"), pins.pin(within(2), None, "GET"));
        operator.hold_until(Some(Duration::from_secs(30)));
        pins.leave(within(2).bucket, Duration::ZERO);
        assert_eq!(pins.holdouts()[0].count, 2);
        assert!(client.is_cut() && !operator.is_cut());
        *clock.0.lock().unwrap() = Duration::from_secs(30);
        pins.holdouts();
        assert!(operator.is_cut());

        let reader = pins.pin(within(3), None, "GET");
        reader.hold_until(Some(Duration::from_secs(40)));
        reader.hold_until(None);
        assert!(pins.holdouts().iter().all(|held| held.within != within(3)), "its bucket is live");
    }
}
