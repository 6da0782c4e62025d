//! The memory that request bodies may occupy on their way to the store: 128 MiB for the whole process.
//!
//! Half of it is for bytes that are *collected*: an upload takes it piece by piece and may sit on it for as long as
//! its client dawdles. Therefore nobody ever waits for that half; who finds none writes its bytes through at once and
//! holds nothing. The other half is for parts *in flight* to a remote store, which come to an end by themselves;
//! one may wait for it, while holding none of the first half. So no number of stalled uploads stops another one.

use std::sync::{Arc, LazyLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes in each half.
const HALF: usize = 64 << 20;

static PROCESS: LazyLock<Budget> = LazyLock::new(|| Budget::of(HALF, HALF));

/// A share of the budget, given back when dropped.
pub(crate) type Room = OwnedSemaphorePermit;

/// Room for bodies.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    collected: Arc<Semaphore>,
    in_flight: Arc<Semaphore>,
}

impl Budget {
    /// The process's own.
    pub(crate) fn process() -> Self {
        PROCESS.clone()
    }

    fn of(collected: usize, in_flight: usize) -> Self {
        Budget {
            collected: Arc::new(Semaphore::new(collected)),
            in_flight: Arc::new(Semaphore::new(in_flight)),
        }
    }

    /// Room to collect `bytes`, if there is any now.
    pub(crate) fn try_collect(&self, bytes: usize) -> Option<Room> {
        Arc::clone(&self.collected).try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
    }

    /// Room for one part to be sent, as soon as there is some. Hold nothing collected while waiting.
    pub(crate) async fn send(&self, bytes: usize) -> Option<Room> {
        // A part larger than the whole half would wait for ever.
        let bytes = u32::try_from(bytes.min(HALF)).ok()?;
        Arc::clone(&self.in_flight).acquire_many_owned(bytes).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_comes_back_and_stalled_collecting_leaves_sending_alone() {
        let budget = Budget::of(100, 100);
        let held = budget.try_collect(80).unwrap();
        assert!(budget.try_collect(30).is_none());
        assert!(budget.send(100).await.is_some());
        drop(held);
        assert!(budget.try_collect(100).is_some());
    }
}
