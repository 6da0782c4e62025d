//! One state of everything, and what everybody was promised.

use super::bounds::{Bounds, LEASE, MARGIN, Rules};
use super::database::{Database, Row};
use super::process::{Process, Reading, Telling, Write};
use lifecycle::barrier::Wait;
use lifecycle::{Standing, State};

/// A machine: the run that its row tells of, the ones before, and the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Node {
    pub(crate) row: Row,
    /// The row of the run before, which has ended.
    pub(crate) ended: Option<Row>,
    pub(crate) process: Process,
    /// A heartbeat that was given up, and may arrive still.
    pub(crate) stray: Option<Telling>,
}

impl Node {
    fn new() -> Self {
        Node { row: Row::new(1, 0, 0), ended: None, process: Process::new(0, LEASE - MARGIN), stray: None }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.ended.into_iter().chain([self.row])
    }

    /// The row of one run.
    pub(crate) fn is_active(&self, run: u8) -> bool {
        self.row.run == run && self.row.is_active()
    }

    pub(crate) fn fence(&mut self) {
        self.row.standing = Standing::Fenced;
    }

    /// Another run: what was active under this name is fenced.
    pub(crate) fn register(&mut self, epoch: u8, now: u8, runs: u8) -> Option<()> {
        if self.row.run >= runs {
            return None;
        }
        self.fence();
        self.ended = Some(self.row);
        self.row = Row::new(self.row.run + 1, epoch, now);
        self.process.observed = epoch;
        self.process.deadline = now + LEASE - MARGIN;
        Some(())
    }
}

/// What somebody was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Promised {
    /// The barrier holds for the removal of this epoch.
    pub(crate) open: Option<u8>,
    /// The bucket is removed.
    pub(crate) removed: bool,
    /// The bucket is purged.
    pub(crate) purged: bool,
    /// The object is deleted.
    pub(crate) deleted: bool,
    /// The upload is stored.
    pub(crate) stored: bool,
    /// Who had begun to commit the upload is dead: it will never be.
    pub(crate) lost: bool,
}

/// What has happened so often that it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Spent {
    pub(crate) reads: u8,
    pub(crate) writes: u8,
    pub(crate) pauses: u8,
    pub(crate) kills: u8,
    pub(crate) by_hand: u8,
    pub(crate) strays: u8,
}

/// The member at which something flows.
pub(crate) const BUSY: usize = 0;

/// One state of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) nodes: [Node; 2],
    /// The old version's bytes are gone.
    pub(crate) destroyed: bool,
    pub(crate) promised: Promised,
    pub(crate) spent: Spent,
}

impl World {
    pub(crate) fn new() -> Self {
        World {
            database: Database::NEW,
            nodes: [Node::new(); 2],
            destroyed: false,
            promised: Promised::default(),
            spent: Spent::default(),
        }
    }

    /// Nothing flows in this member, nor will.
    pub(crate) fn is_idle(&self, node: usize, bounds: &Bounds) -> bool {
        let process = &self.nodes[node].process;
        let to_come = node == BUSY && (self.spent.reads < bounds.reads || self.spent.writes < bounds.writes);
        !to_come && process.read.at == Reading::No && process.write == Write::No
    }

    /// A row ends: what it had begun to commit is lost.
    pub(crate) fn fence(&mut self, node: usize) {
        let Node { row, process, .. } = self.nodes[node];
        self.promised.lost |= row.is_active() && process.write == Write::Commits { run: row.run };
        self.nodes[node].fence();
    }

    pub(crate) fn is_purged(&self) -> bool {
        matches!(self.database.bucket, State::Purging | State::Purged)
    }

    /// What a purge of the bucket, removed at `epoch`, waits for.
    pub(crate) fn waits(&self, epoch: u8, rules: Rules) -> impl Iterator<Item = Wait> + '_ {
        let rows = self.nodes.iter().flat_map(Node::rows);
        rows.filter_map(move |row| row.waits(epoch, self.database.now, rules))
    }

    /// Whether the bucket is removed, and its purge waits for something that is `like` this.
    pub(crate) fn some_wait(&self, rules: Rules, like: fn(&Wait) -> bool) -> bool {
        let epoch = self.database.removed_epoch.filter(|_| self.database.bucket == State::Removed);
        epoch.is_some_and(|epoch| self.waits(epoch, rules).any(|wait| like(&wait)))
    }

    pub(crate) fn some_process(&self, like: fn(&Process) -> bool) -> bool {
        self.nodes.iter().any(|node| like(&node.process))
    }
}
