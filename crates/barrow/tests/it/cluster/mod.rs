//! Several real processes over one Postgres and one store: what the barrier, the leases and the fences promise, with
//! processes that are frozen, killed and cut off.
//!
//! | room | what it shows |
//! | --- | --- |
//! | `installation`, `member`, `ask`, `slow` | the processes, what is done to them, and how they are asked |
//! | `removal` | a removal is seen everywhere at once; what a restore brings back, and when it is too late |
//! | `links` | members cut off from the database |
//! | `frozen` | members that stand still, and wake |
//! | `races` | removals among writes, restores among purges, deaths among answers |
//! | `reading` | downloads under way, in what is purged |
//! | `membership` | who is waited for, and for how long |
//! | `readme` | the README's own commands |
//! | `soak` | everything at once, against a model |

mod ask;
mod frozen;
mod installation;
mod links;
mod member;
mod membership;
mod races;
mod reading;
mod readme;
mod removal;
mod slow;
mod soak;

pub(crate) use ask::{Answer, Ask};
pub(crate) use installation::Cluster;
pub(crate) use member::Member;

use lifecycle::{Clock, SystemClock};
use std::time::Duration;

/// How long a heartbeat lets a member of these tests serve, how often it beats, and how much earlier it stops.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(300);
pub(crate) const MARGIN: Duration = Duration::from_millis(500);
/// How long work in a removed container may go on.
pub(crate) const DRAIN: Duration = Duration::from_secs(2);
/// What a busy machine may add to any of these.
pub(crate) const SLACK: Duration = Duration::from_secs(4);

/// Tells how long something has taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch(Duration);

impl Watch {
    pub(crate) fn start() -> Self {
        Watch(SystemClock.boot())
    }

    pub(crate) fn elapsed(self) -> Duration {
        SystemClock.boot().saturating_sub(self.0)
    }
}

/// Looks until there is something to see, for at most `limit`; tells how long it took.
pub(crate) fn within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> (T, Duration) {
    let began = Watch::start();
    loop {
        if let Some(found) = look() {
            return (found, began.elapsed());
        }
        assert!(began.elapsed() < limit, "it did not come to this within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
