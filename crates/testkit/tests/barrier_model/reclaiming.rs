//! The destruction of bytes (`metadata/src/members/quiet.rs`, `health-processor/src/batches.rs`): claim, ask who reads, destroy.

use super::bounds::{Bounds, Rules};
use super::database::Event;
use super::process::Reclaim;
use super::world::World;

impl World {
    /// Claims the old version. No lookup finds it from here on.
    pub(crate) fn claim(&mut self, node: usize, bounds: &Bounds) -> Option<()> {
        let idle = self.nodes[node].process.reclaim == Reclaim::No && self.nodes[node].row.is_active();
        if !idle || self.destroyed || bounds.asks == 0 {
            return None;
        }
        self.database.claim()?;
        self.nodes[node].process.reclaim = Reclaim::Claimed;
        Some(())
    }

    /// Looks at the own pins, and moves the epoch for the others.
    pub(crate) fn ask_who_reads(&mut self, node: usize, bounds: &Bounds) -> Option<()> {
        let active = self.nodes[node].row.is_active();
        let process = &mut self.nodes[node].process;
        if process.reclaim != Reclaim::Claimed || self.database.count(Event::Tick) >= bounds.asks {
            return None;
        }
        process.pass_moment();
        process.reclaim = match process.read.is_pinned() || !active {
            true => Reclaim::No,
            false => Reclaim::Asked { epoch: self.database.happens(Event::Tick) },
        };
        Some(())
    }

    /// Looks at what the others told. Where one has not told yet, it is waited for.
    pub(crate) fn hear_who_reads(&mut self, node: usize, rules: Rules) -> Option<()> {
        let Reclaim::Asked { epoch } = self.nodes[node].process.reclaim else { return None };
        if !self.nodes[node].row.is_active() {
            self.nodes[node].process.reclaim = Reclaim::No;
            return Some(());
        }
        let now = self.database.now;
        let (mine, other) = (self.nodes[node], self.nodes[1 - node]);
        let mut read = false;
        // The own row is left out, and not those of own runs that have ended.
        for row in mine.ended.into_iter().chain(other.rows()) {
            if row.registered >= epoch || (!row.is_active() && (row.is_over(now) || !rules.leases_count)) {
                continue;
            }
            if !row.is_active() || row.drained < epoch {
                return None;
            }
            read |= row.reads;
        }
        self.nodes[node].process.reclaim = if read { Reclaim::No } else { Reclaim::Unread };
        Some(())
    }

    /// However long ago it was found that nobody reads it, and whatever has become of who found it.
    pub(crate) fn destroy(&mut self, node: usize) -> Option<()> {
        if self.nodes[node].process.reclaim != Reclaim::Unread {
            return None;
        }
        self.destroyed = true;
        self.nodes[node].process.reclaim = Reclaim::No;
        Some(())
    }

    pub(crate) fn finish(&mut self, node: usize) -> Option<()> {
        if !self.destroyed || !self.nodes[node].row.is_active() {
            return None;
        }
        self.database.finish()
    }
}
