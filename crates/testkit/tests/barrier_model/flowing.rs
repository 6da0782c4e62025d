//! Downloads and uploads (`metadata/src/members/quiet.rs`, `gateway/src/objects`).

use super::bounds::{Bounds, Rules};
use super::database::Database;
use super::process::{Read, Reading, Write};
use super::world::{BUSY, World};
use lifecycle::State;

impl World {
    /// Looks the object up. The moment at which this begins goes with what is found.
    pub(crate) fn look_up(&mut self, node: usize, bounds: &Bounds, rules: Rules) -> Option<()> {
        let found = self.can_be_read(rules);
        let process = &mut self.nodes[node].process;
        let may = node == BUSY && process.read.at == Reading::No && process.may_answer(self.database.now);
        if !may || !found || self.spent.reads >= bounds.reads {
            return None;
        }
        self.spent.reads += 1;
        process.read.at = Reading::Found;
        Some(())
    }

    fn can_be_read(&self, rules: Rules) -> bool {
        let Database { bucket, old, .. } = self.database;
        old == State::Live
            && (bucket == State::Live || (bucket == State::Removed && !rules.only_live_is_read))
    }

    pub(crate) fn pin_read(&mut self, node: usize) -> Option<()> {
        let read = &mut self.nodes[node].process.read;
        if read.at != Reading::Found {
            return None;
        }
        read.at = Reading::Pinned;
        Some(())
    }

    /// Having pinned: where the moment has passed, looks again.
    pub(crate) fn compare(&mut self, node: usize, rules: Rules) -> Option<()> {
        let readable = self.can_be_read(rules);
        let process = &mut self.nodes[node].process;
        if process.read.at != Reading::Pinned {
            return None;
        }
        let found = process.may_answer(self.database.now) && readable;
        if process.read.late && rules.looks_again && !found {
            process.read = Read::NONE;
        } else {
            process.read = Read { at: Reading::Confirmed, late: false, ..process.read };
        }
        Some(())
    }

    /// Last of all the lease is asked, and bytes flow.
    pub(crate) fn start(&mut self, node: usize) -> Option<()> {
        let now = self.database.now;
        let process = &mut self.nodes[node].process;
        if process.read.at != Reading::Confirmed {
            return None;
        }
        match process.may_answer(now) {
            true => process.read.at = Reading::Flows,
            false => process.read = Read::NONE,
        }
        Some(())
    }

    /// It has come to its end, the client has left, or it was cut and has noticed.
    pub(crate) fn end_read(&mut self, node: usize) -> Option<()> {
        let read = &mut self.nodes[node].process.read;
        if read.at != Reading::Flows {
            return None;
        }
        *read = Read::NONE;
        Some(())
    }

    pub(crate) fn cut_long(&mut self, node: usize) -> Option<()> {
        let process = &mut self.nodes[node].process;
        if !process.leaving || process.read.cut || !process.read.is_pinned() {
            return None;
        }
        process.cut();
        Some(())
    }

    /// Pins, before there is a row.
    pub(crate) fn begin_write(&mut self, node: usize, bounds: &Bounds) -> Option<()> {
        let process = &mut self.nodes[node].process;
        let may = node == BUSY && process.write == Write::No && process.may_answer(self.database.now);
        if !may || self.spent.writes >= bounds.writes {
            return None;
        }
        self.spent.writes += 1;
        process.write = Write::Pinned;
        Some(())
    }

    pub(crate) fn stage(&mut self, node: usize) -> Option<()> {
        if self.nodes[node].process.write != Write::Pinned {
            return None;
        }
        let staged = self.nodes[node].row.is_active() && self.database.stage();
        self.nodes[node].process.write = if staged { Write::Staged } else { Write::No };
        Some(())
    }

    /// All bytes are there. The transaction is the one of the run that the process is now.
    pub(crate) fn begin_commit(&mut self, node: usize) -> Option<()> {
        let run = self.nodes[node].row.run;
        let process = &mut self.nodes[node].process;
        if process.write != Write::Staged {
            return None;
        }
        process.write = Write::Commits { run };
        Some(())
    }

    /// The commit: of a run that is active, into a bucket that is live, or not at all. In the database both rows are locked
    /// until it ends, so whoever fences or removes comes before it or after it.
    pub(crate) fn commit(&mut self, node: usize, rules: Rules) -> Option<()> {
        let Write::Commits { run } = self.nodes[node].process.write else { return None };
        if (self.nodes[node].is_active(run) || !rules.commits_are_fenced) && self.database.publish() {
            self.promised.stored = true;
        }
        self.nodes[node].process.write = Write::No;
        Some(())
    }

    /// The client leaves, or the bucket has gone. The row is left to the sweep.
    pub(crate) fn give_up_write(&mut self, node: usize) -> Option<()> {
        let write = &mut self.nodes[node].process.write;
        if !matches!(write, Write::Pinned | Write::Staged) {
            return None;
        }
        *write = Write::No;
        Some(())
    }
}
