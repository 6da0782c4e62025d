//! A heartbeat, in the steps between which something else can happen (`metadata/src/members/beat.rs`, `pulse.rs`).

use super::bounds::{Bounds, LEASE, MARGIN, Rules};
use super::database::{Event, Row};
use super::process::{Beat, Telling};
use super::world::{Node, World};
use lifecycle::State;

impl World {
    /// Where nothing flows nothing can come between the steps that would matter to anybody, and the own deadline matters to
    /// nobody.
    pub(crate) fn beat(&mut self, node: usize, bounds: &Bounds) -> Option<()> {
        if !self.is_idle(node, bounds) || self.nodes[node].process.beat == Beat::Returns {
            return None;
        }
        let (observed, until) = (self.database.epoch, self.database.now + LEASE);
        let Node { row, process, .. } = &mut self.nodes[node];
        (process.observed, process.deadline, process.leaving) = (0, 0, false);
        process.beat = if row.is_active() { Beat::Rests } else { Beat::Returns };
        if row.is_active() {
            *row = Row { drained: observed, until, holds: false, reads: false, ..*row };
        }
        Some(())
    }

    /// Reads the epoch and what happened, in one snapshot.
    pub(crate) fn read_log(&mut self, node: usize, bounds: &Bounds) -> Option<()> {
        let idle = self.is_idle(node, bounds);
        let process = &mut self.nodes[node].process;
        if idle || process.beat != Beat::Rests {
            return None;
        }
        let (sent, upto) = (self.database.now, self.database.epoch);
        process.beat = match upto > process.observed {
            true => Beat::HasRead { sent, upto },
            false => Beat::HasPassed { sent, upto },
        };
        Some(())
    }

    /// Takes note of what is pinned in the bucket that was removed.
    pub(crate) fn look_for_pinned(&mut self, node: usize, rules: Rules) -> Option<()> {
        let process = &mut self.nodes[node].process;
        let (upto, next) = match (process.beat, rules.moment_before_leaving) {
            (Beat::HasRead { sent, upto }, false) => (upto, Beat::Halfway { sent, upto }),
            (Beat::Halfway { sent, upto }, true) => (upto, Beat::HasPassed { sent, upto }),
            _ => return None,
        };
        for event in self.database.events(process.observed, upto) {
            match event {
                Event::Remove => process.leaving |= process.is_busy(),
                Event::Restore => process.leaving = false,
                Event::Tick => {}
            }
        }
        process.beat = next;
        Some(())
    }

    /// Whoever pins from here on looks again.
    pub(crate) fn let_moment_pass(&mut self, node: usize, rules: Rules) -> Option<()> {
        let process = &mut self.nodes[node].process;
        process.beat = match process.beat {
            Beat::HasRead { sent, upto } if rules.moment_before_leaving => Beat::Halfway { sent, upto },
            Beat::Halfway { sent, upto } if !rules.moment_before_leaving => Beat::HasPassed { sent, upto },
            Beat::Refused if rules.moment_before_cutting => Beat::RefusedHalfway,
            Beat::RefusedHalfway if !rules.moment_before_cutting => Beat::Returns,
            _ => return None,
        };
        process.pass_moment();
        Some(())
    }

    /// Cuts who reads what is being purged, and finds what to tell.
    pub(crate) fn gather(&mut self, node: usize) -> Option<()> {
        let (run, now) = (self.nodes[node].row.run, self.database.now);
        let process = &mut self.nodes[node].process;
        let Beat::HasPassed { sent, upto } = process.beat else { return None };
        process.observed = upto;
        process.leaving &= process.is_busy();
        let (holds, reads) = (process.leaving, process.read.is_pinned());
        if self.database.old == State::Purging {
            process.cut();
        }
        let telling = Telling { run, until: now + LEASE, observed: upto, holds, reads };
        process.beat = Beat::Tells { sent, telling };
        Some(())
    }

    /// Tells the others, or finds that the own row is not active any more.
    pub(crate) fn tell(&mut self, node: usize, rules: Rules) -> Option<()> {
        let Beat::Tells { sent, telling } = self.nodes[node].process.beat else { return None };
        let accepted = self.write_down(node, telling, rules);
        let process = &mut self.nodes[node].process;
        if accepted {
            process.deadline = sent + LEASE - MARGIN;
            process.beat = Beat::Rests;
        } else {
            process.deadline = 0;
            process.beat = Beat::Refused;
        }
        Some(())
    }

    /// `UPDATE members SET … WHERE id = … AND standing = 'active'`.
    fn write_down(&mut self, node: usize, telling: Telling, rules: Rules) -> bool {
        if !self.nodes[node].is_active(telling.run) {
            return false;
        }
        let row = &mut self.nodes[node].row;
        if rules.leases_only_grow && telling.observed < row.drained {
            return false;
        }
        row.until = if rules.leases_only_grow { row.until.max(telling.until) } else { telling.until };
        row.drained = telling.observed;
        (row.holds, row.reads) = (telling.holds, telling.reads);
        true
    }

    /// The answer does not come in time: the connection is dropped, and what was sent may arrive still.
    pub(crate) fn give_up_beat(&mut self, node: usize, bounds: &Bounds) -> Option<()> {
        let Beat::Tells { telling, .. } = self.nodes[node].process.beat else { return None };
        if self.spent.strays >= bounds.strays {
            return None;
        }
        self.spent.strays += 1;
        self.nodes[node].stray = Some(telling);
        self.nodes[node].process.beat = Beat::Rests;
        Some(())
    }

    pub(crate) fn stray_arrives(&mut self, node: usize, rules: Rules) -> Option<()> {
        let telling = self.nodes[node].stray.take()?;
        self.write_down(node, telling, rules);
        Some(())
    }

    /// A process that was fenced cuts what is flowing.
    pub(crate) fn cut_all(&mut self, node: usize, rules: Rules) -> Option<()> {
        let process = &mut self.nodes[node].process;
        process.beat = match process.beat {
            Beat::Refused if !rules.moment_before_cutting => Beat::RefusedHalfway,
            Beat::RefusedHalfway if rules.moment_before_cutting => Beat::Returns,
            _ => return None,
        };
        process.cut();
        Some(())
    }

    pub(crate) fn register(&mut self, node: usize, bounds: &Bounds) -> Option<()> {
        if self.nodes[node].process.beat != Beat::Returns {
            return None;
        }
        let (epoch, now) = (self.database.epoch, self.database.now);
        self.nodes[node].register(epoch, now, bounds.runs[node])?;
        self.nodes[node].process.beat = Beat::Rests;
        Some(())
    }
}
