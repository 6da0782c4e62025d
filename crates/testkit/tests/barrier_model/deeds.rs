//! Time, clients and operators; and what becomes of members.

use super::bounds::{Bounds, Rules};
use super::process::{Life, Process};
use super::world::World;

impl World {
    pub(crate) fn tick(&mut self, bounds: &Bounds) -> Option<()> {
        self.database.now += 1;
        (self.database.now <= bounds.ticks).then_some(())
    }

    pub(crate) fn remove(&mut self, bounds: &Bounds) -> Option<()> {
        self.database.remove(bounds)?;
        self.promised.removed = true;
        Some(())
    }

    pub(crate) fn restore(&mut self, bounds: &Bounds) -> Option<()> {
        self.database.restore(bounds)?;
        self.promised.removed = false;
        Some(())
    }

    /// Somebody asks whether the bucket may be purged, and it may. In the database this and the purge are one transaction;
    /// here anything may come between, because the predicate is said to be stable.
    pub(crate) fn find_open(&mut self, rules: Rules) -> Option<()> {
        let epoch = self.database.removed_epoch?;
        if self.promised.open == Some(epoch) || self.waits(epoch, rules).next().is_some() {
            return None;
        }
        self.promised.open = Some(epoch);
        Some(())
    }

    pub(crate) fn purge(&mut self) -> Option<()> {
        self.database.purge(self.promised.open?)?;
        self.promised.purged = true;
        Some(())
    }

    pub(crate) fn delete(&mut self, bounds: &Bounds) -> Option<()> {
        if bounds.deletes == 0 {
            return None;
        }
        self.database.delete()?;
        self.promised.deleted = true;
        Some(())
    }

    pub(crate) fn fence_lapsed(&mut self, node: usize, rules: Rules) -> Option<()> {
        let row = self.nodes[node].row;
        if !row.is_active() || (rules.leases_count && !row.is_over(self.database.now)) {
            return None;
        }
        self.fence(node);
        Some(())
    }

    pub(crate) fn fence_by_hand(&mut self, node: usize, bounds: &Bounds) -> Option<()> {
        if !self.nodes[node].row.is_active() || self.spent.by_hand >= bounds.by_hand {
            return None;
        }
        self.spent.by_hand += 1;
        self.fence(node);
        Some(())
    }

    pub(crate) fn stand_still(&mut self, node: usize, bounds: &Bounds) -> Option<()> {
        if !self.nodes[node].process.runs() || self.spent.pauses >= bounds.pauses {
            return None;
        }
        self.spent.pauses += 1;
        self.nodes[node].process.life = Life::StandsStill;
        Some(())
    }

    pub(crate) fn go_on(&mut self, node: usize) -> Option<()> {
        let process = &mut self.nodes[node].process;
        if process.life != Life::StandsStill {
            return None;
        }
        process.life = Life::Runs;
        Some(())
    }

    /// Everything that it knew goes with it; its row stays.
    pub(crate) fn die(&mut self, node: usize, bounds: &Bounds) -> Option<()> {
        if self.nodes[node].process.life == Life::Dead || self.spent.kills >= bounds.kills {
            return None;
        }
        self.spent.kills += 1;
        self.nodes[node].process = Process { life: Life::Dead, ..Process::new(0, 0) };
        Some(())
    }

    pub(crate) fn start_again(&mut self, node: usize, bounds: &Bounds) -> Option<()> {
        if self.nodes[node].process.life != Life::Dead {
            return None;
        }
        let (epoch, now) = (self.database.epoch, self.database.now);
        self.nodes[node].register(epoch, now, bounds.runs[node])?;
        self.nodes[node].process.life = Life::Runs;
        Some(())
    }
}
