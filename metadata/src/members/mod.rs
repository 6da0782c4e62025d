//! Members: the processes that share one database, and how each knows that it may still speak for it.
//!
//! A process registers before it reads anything, and gets a row with a fresh *incarnation*: the fencing token. Every commit
//! of its writer is conditional on that row being active, in the same transaction and with the row locked against whoever
//! would fence it. So whatever a dead, partitioned or paused process does when it wakes, it changes nothing.
//!
//! Its *lease* bounds what it may answer from what it has read. A heartbeat extends it by the database's clock; the process
//! counts by its own boot clock, which goes on while a machine sleeps, from *before* it sent the heartbeat, and stops a
//! margin earlier. Past that it answers nothing, cuts what is flowing, and registers anew.
//!
//! With each heartbeat it reads the log of what happened to containers and tells three things: what it has *observed*, what
//! it has *drained* (let go of), and what still keeps it busy in containers that were removed: its *holdouts*. A
//! notification makes that come sooner and is never needed.
//!
//! SQLite has one process, held by a lock on the file: the same code with one member, whose lease never ends.
//!
//! | room | promise |
//! | --- | --- |
//! | `register` | a fresh incarnation, the end of an older one of the same name, and the goodbye |
//! | `lease` | whether this process may still answer, by its own clock |
//! | `pins` | who reads and writes in which container at this moment, and how they are cut |
//! | `beat` | one heartbeat: read the log, let go, tell |
//! | `pulse` | the task that beats |
//! | `fence` | declaring another member dead |
//! | `barrier` | what a purge has to wait for |
//! | `quiet` | what is being read at this moment, by anybody |

mod barrier;
mod beat;
mod fence;
mod lease;
mod list;
mod pins;
mod pulse;
mod quiet;
mod register;

pub(crate) use barrier::Asking;
pub(crate) use lease::Lease;
pub use list::Members;
pub use pins::{Cut, Pin};
pub(crate) use pulse::{Pulse, Stop};
pub use quiet::Reads;
pub(crate) use register::{Comes, register};

use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Address, Row};
use lifecycle::{MemberId, SharedClock};
pub(crate) use pins::Pins;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// What a member is called and how often it tells that it lives.
#[derive(Clone, Debug)]
pub struct MemberSettings {
    /// The machine's name. Of two processes with one name and one role, the younger one goes on.
    pub node: String,
    /// What it does: the name of the command.
    pub role: &'static str,
    /// Where operators find its admin door.
    pub address: Option<String>,
    /// How long one heartbeat lets it serve.
    pub lease: Duration,
    /// How often it beats.
    pub heartbeat: Duration,
    /// How much earlier than others believe it stops by itself, and how much later others believe that it has.
    pub margin: Duration,
    /// How long work in a container may go on once that was removed.
    pub drain_timeout: Duration,
    /// Whether to listen for notifications. Without, everything comes with the next heartbeat.
    pub notifications: bool,
}

impl Default for MemberSettings {
    fn default() -> Self {
        MemberSettings {
            node: MemberId::random().to_string(),
            role: "serve",
            address: None,
            lease: Duration::from_secs(15),
            heartbeat: Duration::from_secs(3),
            margin: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(30),
            notifications: true,
        }
    }
}

/// This run of this process, as the database knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: MemberId,
    pub(crate) incarnation: i64,
    /// The epoch when it registered.
    pub(crate) epoch: i64,
}

/// What everything in this process shares of its membership.
pub(crate) struct Membership {
    pub(crate) settings: MemberSettings,
    pub(crate) address: Address,
    pub(crate) clock: SharedClock,
    pub(crate) trust_db_clock: bool,
    pub(crate) lease: Arc<Lease>,
    pub(crate) pins: Arc<Pins>,
    /// The last epoch that was read.
    observed: AtomicI64,
    /// Heartbeats that were accepted, times it was fenced, and purges that wait for the barrier at this moment.
    beats: AtomicU64,
    fenced: AtomicU64,
    waiters: AtomicU64,
    unsatisfied: AtomicU64,
    asks: mpsc::Sender<oneshot::Sender<Result<(), Failure>>>,
}

impl Membership {
    /// Lets the pulse beat once, after whatever it is doing, and waits for that.
    pub(crate) async fn beat_now(&self) -> Result<(), Failure> {
        let stopped = || match self.lease.require() {
            Err(failure) => failure,
            Ok(()) => Failure::Unavailable { text: "the metadata is shutting down".to_owned(), again: false },
        };
        let (reply, answer) = oneshot::channel();
        self.asks.send(reply).await.map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    pub(crate) fn observed(&self) -> i64 {
        self.observed.load(Ordering::SeqCst)
    }
}

/// What a scrape of the metrics asks of this process's membership.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberGauges {
    /// The last epoch that it has read.
    pub epoch: i64,
    /// Since its last accepted heartbeat; nothing where leases do not end.
    pub lease_age: Duration,
    /// How long one heartbeat lets it serve; zero where leases do not end.
    pub lease: Duration,
    /// How often it was fenced and registered anew.
    pub fenced: u64,
    /// Purges that wait for the barrier at this moment.
    pub waiters: u64,
    /// Purges that were refused because the barrier did not hold in time.
    pub unsatisfied: u64,
    /// Downloads and uploads under way.
    pub pins: u64,
}

impl Metadata {
    /// What this process is called in [`Metadata::members`].
    pub fn member_id(&self) -> MemberId {
        self.members.lease.identity().id
    }

    /// Passes while this process may answer: its lease runs and nobody has fenced it.
    ///
    /// # Errors
    /// [`Failure::Fenced`].
    pub fn serving(&self) -> Result<(), Failure> {
        self.members.lease.require()
    }

    /// Lets this process tell the others now what it has observed and drained, and read what happened.
    ///
    /// # Errors
    /// [`Failure::Fenced`], [`Failure::Unavailable`].
    pub async fn beat_now(&self) -> Result<(), Failure> {
        self.members.beat_now().await
    }

    /// Tells why this process must end, once it must: another one has taken its name, or a part of it has stopped working.
    pub fn must_end(&self) -> watch::Receiver<Option<String>> {
        self.members.lease.ending()
    }

    /// Says goodbye, after the last of this process's work has ended: nobody waits for it from then on, and it commits
    /// nothing any more.
    ///
    /// # Errors
    /// [`Failure::Unavailable`]: then its lease runs out instead.
    pub async fn goodbye(&self) -> Result<(), Failure> {
        self.members.beat_now().await?;
        register::leave(&self.members).await
    }

    /// How much later than its lease a silent member is believed to have stopped.
    pub fn member_margin(&self) -> Duration {
        self.members.settings.margin
    }

    /// What is counted of this process's membership.
    pub fn member_gauges(&self) -> MemberGauges {
        let members = &self.members;
        let ends = members.lease.ends();
        MemberGauges {
            epoch: members.observed(),
            lease_age: if ends { members.lease.age() } else { Duration::ZERO },
            lease: if ends { members.settings.lease } else { Duration::ZERO },
            fenced: members.fenced.load(Ordering::Relaxed),
            waiters: members.waiters.load(Ordering::Relaxed),
            unsatisfied: members.unsatisfied.load(Ordering::Relaxed),
            pins: members.pins.count(),
        }
    }
}

/// Columns of a member, and how they are read.
macro_rules! member_columns {
    () => {
        "m.id, m.incarnation, m.node, m.role, m.address, m.standing, m.registered_epoch, m.observed_epoch, m.drained_epoch,
         m.registered_at, m.beat_at, m.lease_until, m.holdouts, m.ended_at, m.ended_by"
    };
}
pub(crate) use member_columns;

pub(crate) fn read_member(row: &mut Row) -> Result<lifecycle::Member, crate::sql::DbError> {
    use crate::sql::DbError;
    Ok(lifecycle::Member {
        id: row.need_id(MemberId::from_bytes)?,
        incarnation: row.need_int()?,
        node: row.need_text()?,
        role: row.need_text()?,
        address: row.text()?,
        standing: {
            let word = row.need_text()?;
            lifecycle::Standing::parse(&word)
                .ok_or_else(|| DbError::Row(format!("{word:?} is nothing that a member is")))?
        },
        registered_epoch: row.need_int()?,
        observed_epoch: row.need_int()?,
        drained_epoch: row.need_int()?,
        registered_at: row.need_time()?,
        beat_at: row.need_time()?,
        lease_until: row.need_time()?,
        holdouts: {
            let text = row.need_text()?;
            serde_json::from_str(&text)
                .map_err(|error| DbError::Row(format!("a member's holdouts: {error}")))?
        },
        ended_at: row.time()?,
        ended_by: row.text()?,
    })
}
