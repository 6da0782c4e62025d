//! What goes of one name, pair by pair, and what stands in the way: a pure decision.
//!
//! Several pairs may mean one name, and each finds what those before it have left. So the tree is made anew for each of
//! them; what is carried out in the end is the sum.

use super::rows::{Stored, tree};
use lifecycle::guard::may_purge;
use lifecycle::lifecycle::{Facts, Move, step};
use lifecycle::{Guard, Leaf, Refusal, Revision, State, Time};

/// One name's nodes, of which some are gone already.
#[derive(Debug)]
pub(super) struct Cutting {
    left: Vec<Stored>,
    gone: Vec<Stored>,
    revs_limit: u64,
    now: Time,
    /// The ends that are left, if something was taken and not everything.
    rest: Vec<Leaf>,
}

impl Cutting {
    /// Begins with what is there.
    pub(super) fn new(stored: Vec<Stored>, revs_limit: u64, now: Time) -> Self {
        Cutting { left: stored, gone: Vec::new(), revs_limit, now, rest: Vec::new() }
    }

    /// Takes those of `asked` out that are ends now, with what led to them alone, and tells which these were.
    ///
    /// # Errors
    /// [`Refusal::Guarded`], by all the guards that bind anything that would go; nothing is taken then.
    pub(super) fn take(&mut self, asked: &[Revision]) -> Result<Vec<Revision>, Refusal> {
        let purge = tree(&self.left, self.revs_limit).purge(asked);
        if purge.matched.is_empty() {
            return Ok(Vec::new());
        }
        let mut bound = Guard::NONE;
        for stored in self.left.iter().filter(|stored| purge.goes.contains(&stored.node.revision)) {
            match goes(stored, self.now) {
                Ok(()) => {}
                Err(Refusal::Guarded { .. }) => bound = bound.and(stored.guard),
                Err(refusal) => return Err(refusal),
            }
        }
        if bound != Guard::NONE {
            return Err(Refusal::guarded(bound));
        }
        let left = std::mem::take(&mut self.left);
        let (gone, left) = left.into_iter().partition(|stored| purge.goes.contains(&stored.node.revision));
        (self.left, self.rest) = (left, Vec::new());
        self.gone.extend::<Vec<Stored>>(gone);
        if purge.remains {
            self.rest = tree(&self.left, self.revs_limit).leaves().to_vec();
        }
        Ok(purge.matched)
    }

    /// What was taken, and the ends that are left of a name of which something was, the winner first.
    pub(super) fn done(self) -> (Vec<Stored>, Vec<Leaf>) {
        (self.gone, self.rest)
    }
}

/// Whether a node may go. A live version is removed and purged in one: both moves have to be possible now.
fn goes(stored: &Stored, now: Time) -> Result<(), Refusal> {
    let Some(state) = stored.state else { return Ok(()) };
    let facts = Facts { now, purge_after: Some(now), guard: stored.guard, ..Facts::default() };
    let state = if state == State::Live { step(state, Move::Remove, &facts)? } else { state };
    if state == State::Removed {
        may_purge(Some(now), stored.guard, now)?;
        step(state, Move::Purge, &facts)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifecycle::{Node, VersionId};

    fn stored(letter: u8, parent: Option<u8>, guard: Guard) -> Stored {
        let generation = if parent.is_some() { 2 } else { 1 };
        let revision = Revision { generation, hash: [letter; 16] };
        let id = VersionId::from_bytes([letter; 16]);
        let node = Node::version(revision, parent.map(|parent| [parent; 16]), State::Live, id);
        Stored { node, state: Some(State::Live), size: 1, guard }
    }

    #[test]
    fn one_guard_keeps_the_whole_path_and_all_guards_are_told() {
        let until = |secs| Guard { from: None, until: Some(Time::from_secs(secs)), hold: false };
        let rows =
            vec![stored(1, None, until(50)), stored(2, Some(1), until(90)), stored(3, Some(1), until(10))];
        let mut cutting = Cutting::new(rows, 9, Time::from_secs(20));
        let (second, third) =
            (Revision { generation: 2, hash: [2; 16] }, Revision { generation: 2, hash: [3; 16] });
        let refused = Refusal::Guarded { until: Some(Time::from_secs(90)), hold: false };
        assert_eq!(cutting.take(&[second]), Err(refused.clone()));
        assert_eq!(cutting.take(&[second, third]), Err(refused));
        assert_eq!(cutting.take(&[third]), Ok(vec![third]), "its guard is over, and 1 is not its own");
        let last = Refusal::Guarded { until: Some(Time::from_secs(90)), hold: false };
        assert_eq!(cutting.take(&[second, third]), Err(last));
        let (gone, rest) = cutting.done();
        assert_eq!((gone.len(), rest.len()), (1, 1));
    }
}
