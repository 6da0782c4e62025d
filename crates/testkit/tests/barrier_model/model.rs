//! What can happen in a world, for the checker.

use super::action::{Action, Deed, Fate, Step};
use super::bounds::{Bounds, Rules};
use super::properties;
use super::world::World;
use stateright::{Model, Property};
use std::sync::LazyLock;

static ALL: LazyLock<Vec<Action>> = LazyLock::new(|| Action::all().collect());

/// Remove, barrier, purge: two members, one bucket, one object. Members are alike, so the one at which something flows may
/// as well be the first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Barrier {
    pub(crate) bounds: Bounds,
    pub(crate) rules: Rules,
    /// What has to be met on the way.
    pub(crate) meets: fn() -> Vec<Property<Barrier>>,
}

impl Model for Barrier {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new()]
    }

    fn actions(&self, _world: &World, actions: &mut Vec<Action>) {
        actions.extend_from_slice(&ALL);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = *world;
        match action {
            Action::Some(deed) => self.deed(&mut next, deed)?,
            Action::To(node, fate) => self.fate(&mut next, node, fate)?,
            Action::By(node, step) if world.nodes[node].process.runs() => self.step(&mut next, node, step)?,
            Action::By(..) => return None,
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::promises().into_iter().chain((self.meets)()).collect()
    }
}

impl Barrier {
    fn deed(&self, world: &mut World, deed: Deed) -> Option<()> {
        match deed {
            Deed::Tick => world.tick(&self.bounds),
            Deed::Remove => world.remove(&self.bounds),
            Deed::Restore => world.restore(&self.bounds),
            Deed::FindOpen => world.find_open(self.rules),
            Deed::Purge => world.purge(),
            Deed::Delete => world.delete(&self.bounds),
        }
    }

    fn fate(&self, world: &mut World, node: usize, fate: Fate) -> Option<()> {
        match fate {
            Fate::StandStill => world.stand_still(node, &self.bounds),
            Fate::GoOn => world.go_on(node),
            Fate::Die => world.die(node, &self.bounds),
            Fate::StartAgain => world.start_again(node, &self.bounds),
            Fate::FencedAsLapsed => world.fence_lapsed(node, self.rules),
            Fate::FencedByHand => world.fence_by_hand(node, &self.bounds),
            Fate::StrayArrives => world.stray_arrives(node, self.rules),
        }
    }

    fn step(&self, world: &mut World, node: usize, step: Step) -> Option<()> {
        match step {
            Step::Beat => world.beat(node, &self.bounds),
            Step::ReadLog => world.read_log(node, &self.bounds),
            Step::LookForPinned => world.look_for_pinned(node, self.rules),
            Step::PassMoment => world.let_moment_pass(node, self.rules),
            Step::Gather => world.gather(node),
            Step::Tell => world.tell(node, self.rules),
            Step::GiveUpBeat => world.give_up_beat(node, &self.bounds),
            Step::CutAll => world.cut_all(node, self.rules),
            Step::Register => world.register(node, &self.bounds),
            Step::LookUp => world.look_up(node, &self.bounds, self.rules),
            Step::PinRead => world.pin_read(node),
            Step::Compare => world.compare(node, self.rules),
            Step::Start => world.start(node),
            Step::EndRead => world.end_read(node),
            Step::CutLong => world.cut_long(node),
            Step::BeginWrite => world.begin_write(node, &self.bounds),
            Step::Stage => world.stage(node),
            Step::BeginCommit => world.begin_commit(node),
            Step::Commit => world.commit(node, self.rules),
            Step::GiveUpWrite => world.give_up_write(node),
            Step::Claim => world.claim(node, &self.bounds),
            Step::AskWhoReads => world.ask_who_reads(node, &self.bounds),
            Step::HearWhoReads => world.hear_who_reads(node, self.rules),
            Step::Destroy => world.destroy(node),
            Step::Finish => world.finish(node),
        }
    }
}
