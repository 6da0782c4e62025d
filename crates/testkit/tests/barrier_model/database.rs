//! The truth in SQL: the bucket, the object's versions, the log and the members' rows. A method is a transaction; its
//! conditions are those of the statement it stands for, and what it changes is held against [`step`].

use super::bounds::{Bounds, LEASE, MARGIN, Rules};
use lifecycle::barrier::{Wait, waits_for};
use lifecycle::lifecycle::{Above, Facts, Move, step};
use lifecycle::{ContainerId, Holdout, Member, MemberId, Standing, State, Time, Within};
use std::time::Duration;

/// What moved the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Event {
    Remove,
    Restore,
    /// It was asked who reads.
    Tick,
}

/// The most epochs that any bounds reach.
const EPOCHS: usize = 6;

/// A run of a member, as its row tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) run: u8,
    pub(crate) standing: Standing,
    pub(crate) registered: u8,
    /// What it has observed and, but for its holdouts, drained.
    pub(crate) drained: u8,
    pub(crate) until: u8,
    /// It told of work in the removed bucket.
    pub(crate) holds: bool,
    /// It told that it reads the blob.
    pub(crate) reads: bool,
}

impl Row {
    pub(crate) fn new(run: u8, epoch: u8, now: u8) -> Self {
        Row {
            run,
            standing: Standing::Active,
            registered: epoch,
            drained: epoch,
            until: now + LEASE,
            holds: false,
            reads: false,
        }
    }

    pub(crate) fn is_active(self) -> bool {
        self.standing == Standing::Active
    }

    pub(crate) fn is_over(self, now: u8) -> bool {
        self.until + MARGIN <= now
    }

    /// The row as the predicate reads it.
    fn member(self, rules: Rules) -> Member {
        let holdout = || Holdout { within: within(), what: "GET".to_owned(), count: 1, for_ms: 0 };
        Member {
            id: MemberId::from_bytes([self.run; 16]),
            incarnation: i64::from(self.run),
            node: String::new(),
            role: String::new(),
            address: None,
            standing: self.standing,
            registered_epoch: i64::from(self.registered),
            observed_epoch: i64::from(self.drained),
            drained_epoch: i64::from(self.drained),
            registered_at: Time::from_secs(0),
            beat_at: Time::from_secs(0),
            lease_until: time(self.until),
            holdouts: if self.holds && rules.holdouts_count { vec![holdout()] } else { Vec::new() },
            ended_at: None,
            ended_by: None,
        }
    }

    /// What a purge of the bucket, removed at `epoch`, waits for in this run.
    pub(crate) fn waits(self, epoch: u8, now: u8, rules: Rules) -> Option<Wait> {
        let now = if rules.leases_count { time(now) } else { Time::NEVER };
        let margin = Duration::from_secs(u64::from(MARGIN));
        waits_for(&self.member(rules), bucket(), i64::from(epoch), now, margin)
    }
}

fn time(tick: u8) -> Time {
    Time::from_secs(i64::from(tick))
}

fn bucket() -> ContainerId {
    ContainerId::from_bytes([2; 16])
}

fn within() -> Within {
    Within {
        domain: ContainerId::from_bytes([1; 16]),
        bucket: bucket(),
        contents: ContainerId::from_bytes([3; 16]),
    }
}

/// Everything that a commit can change, but for the members' rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Database {
    /// Its clock.
    pub(crate) now: u8,
    pub(crate) bucket: State,
    pub(crate) removed_epoch: Option<u8>,
    pub(crate) epoch: u8,
    events: [Option<Event>; EPOCHS],
    /// The version that was there in the beginning, and that is read.
    pub(crate) old: State,
    /// The version that is written.
    pub(crate) new: Option<State>,
    /// A move was made that the law refuses.
    pub(crate) lawless: bool,
}

impl Database {
    pub(crate) const NEW: Database = Database {
        now: 0,
        bucket: State::Live,
        removed_epoch: None,
        epoch: 0,
        events: [None; EPOCHS],
        old: State::Live,
        new: None,
        lawless: false,
    };

    /// What happened after `seen`, up to `upto`.
    pub(crate) fn events(&self, seen: u8, upto: u8) -> impl Iterator<Item = Event> + '_ {
        self.events[usize::from(seen)..usize::from(upto)].iter().flatten().copied()
    }

    pub(crate) fn count(&self, event: Event) -> u8 {
        self.events.iter().flatten().filter(|known| **known == event).count() as u8
    }

    pub(crate) fn happens(&mut self, event: Event) -> u8 {
        self.events[usize::from(self.epoch)] = Some(event);
        self.epoch += 1;
        self.epoch
    }

    /// Whether whoever looks the old version up finds it.
    pub(crate) fn shows_old(&self) -> bool {
        self.bucket == State::Live && self.old == State::Live
    }

    pub(crate) fn shows_new(&self) -> bool {
        self.bucket == State::Live && self.new == Some(State::Live)
    }

    /// What the bucket is to what lies in it.
    fn above(&self) -> Above {
        match self.bucket {
            State::Live => Above::Live,
            State::Staged | State::Removed => Above::Removed,
            State::Purging | State::Purged | State::Forgotten => Above::Purging,
        }
    }

    /// `from` becomes `to`; the law is asked whether it may.
    fn goes(&mut self, from: State, mv: Move, above: Above, to: State) -> State {
        // The purge right, or time, has brought every promise to now.
        let facts =
            Facts { now: time(self.now), purge_after: Some(time(self.now)), above, ..Facts::default() };
        self.lawless |= step(from, mv, &facts).ok() != Some(to);
        to
    }

    fn bucket_goes(&mut self, mv: Move, to: State) {
        self.bucket = self.goes(self.bucket, mv, Above::Live, to);
    }

    /// `UPDATE buckets SET state = 'removed' … WHERE state = 'live'`.
    pub(crate) fn remove(&mut self, bounds: &Bounds) -> Option<()> {
        if self.bucket != State::Live || self.count(Event::Remove) >= bounds.removals {
            return None;
        }
        self.bucket_goes(Move::Remove, State::Removed);
        self.removed_epoch = Some(self.happens(Event::Remove));
        Some(())
    }

    /// `UPDATE buckets SET state = 'live' … WHERE state = 'removed'`.
    pub(crate) fn restore(&mut self, bounds: &Bounds) -> Option<()> {
        if self.bucket != State::Removed || self.count(Event::Restore) >= bounds.restores {
            return None;
        }
        self.bucket_goes(Move::Restore, State::Live);
        self.removed_epoch = None;
        self.happens(Event::Restore);
        Some(())
    }

    /// `UPDATE buckets SET state = 'purging' WHERE state = 'removed'`, by who has found the barrier to hold for `epoch`.
    pub(crate) fn purge(&mut self, epoch: u8) -> Option<()> {
        if self.bucket != State::Removed || self.removed_epoch != Some(epoch) {
            return None;
        }
        self.bucket_goes(Move::Purge, State::Purging);
        Some(())
    }

    /// A client deletes the object.
    pub(crate) fn delete(&mut self) -> Option<()> {
        if !self.shows_old() {
            return None;
        }
        self.old = self.goes(self.old, Move::Remove, self.above(), State::Removed);
        Some(())
    }

    /// An upload's row, before its first byte.
    pub(crate) fn stage(&mut self) -> bool {
        let may = self.bucket == State::Live;
        if may {
            self.new = Some(State::Staged);
        }
        may
    }

    /// The upload becomes readable.
    pub(crate) fn publish(&mut self) -> bool {
        let may = self.bucket == State::Live && self.new == Some(State::Staged);
        if may {
            self.new = Some(self.goes(State::Staged, Move::Publish, self.above(), State::Live));
        }
        may
    }

    /// Claims whatever may be destroyed, or claims it again.
    pub(crate) fn claim(&mut self) -> Option<()> {
        let mv = match (self.bucket, self.old) {
            (State::Live, State::Removed) | (State::Live | State::Purging, State::Purging) => Move::Purge,
            (State::Purging, State::Live | State::Removed) => Move::Cascade,
            _ => return None,
        };
        self.old = self.goes(self.old, mv, self.above(), State::Purging);
        self.cascade();
        Some(())
    }

    fn cascade(&mut self) {
        if let Some(new @ (State::Staged | State::Live)) = self.new
            && self.bucket == State::Purging
        {
            self.new = Some(self.goes(new, Move::Cascade, self.above(), State::Purging));
        }
    }

    /// The bytes are gone: tombstones are what is left, of the bucket too if it is being purged.
    pub(crate) fn finish(&mut self) -> Option<()> {
        if self.old != State::Purging {
            return None;
        }
        self.old = self.goes(self.old, Move::Reclaim, self.above(), State::Purged);
        if self.bucket == State::Purging {
            self.cascade();
            if self.new == Some(State::Purging) {
                self.new = Some(self.goes(State::Purging, Move::Reclaim, self.above(), State::Purged));
            }
            self.bucket_goes(Move::Reclaim, State::Purged);
        }
        Some(())
    }
}
