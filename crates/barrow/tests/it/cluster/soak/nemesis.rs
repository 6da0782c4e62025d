//! Whoever does harm: kills, freezes, cuts off and stalls, one or two at a time, for less or for more than a lease.

use super::Scene;
use crate::cluster::{LEASE, MARGIN, Member};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::sync::Arc;
use std::time::Duration;
use testkit::Proxy;

pub(super) struct Nemesis {
    scene: Arc<Scene>,
    rng: StdRng,
    links: Vec<Proxy>,
    gateways: Vec<Member>,
    processors: Vec<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    Kill,
    Freeze,
    Cut,
    Stall,
}

const BLOWS: [Blow; 4] = [Blow::Kill, Blow::Freeze, Blow::Cut, Blow::Stall];

impl Nemesis {
    pub(super) fn new(
        scene: &Arc<Scene>,
        seed: u64,
        links: Vec<Proxy>,
        gateways: Vec<Member>,
        processors: Vec<Member>,
    ) -> Self {
        let rng = StdRng::seed_from_u64(seed ^ 0xbad);
        Nemesis { scene: Arc::clone(scene), rng, links, gateways, processors }
    }

    pub(super) fn run(&mut self) {
        while !self.scene.is_over() {
            self.pause(300..1_500);
            let how_many = if self.rng.random_bool(0.3) { 2 } else { 1 };
            let places: Vec<usize> = (0..self.gateways.len()).collect();
            let victims: Vec<usize> = places.choose_multiple(&mut self.rng, how_many).copied().collect();
            let blows: Vec<(usize, Blow)> =
                victims.into_iter().map(|victim| (victim, *BLOWS.choose(&mut self.rng).unwrap())).collect();
            let processor =
                self.rng.random_bool(0.3).then(|| self.rng.random_range(0..self.processors.len()));
            for (victim, blow) in &blows {
                self.strike(*victim, *blow);
            }
            if let Some(victim) = processor {
                self.processors[victim].freeze();
            }
            let lease = u64::try_from((LEASE + MARGIN).as_millis()).unwrap();
            match self.rng.random_bool(0.5) {
                true => self.pause(100..lease / 2),
                false => self.pause(lease..lease * 2),
            }
            if let Some(victim) = processor {
                match self.rng.random_bool(0.5) {
                    true => self.processors[victim].thaw(),
                    false => {
                        self.processors[victim].kill();
                        self.processors[victim].start();
                    }
                }
            }
            for (victim, blow) in blows {
                self.mend(victim, blow);
            }
        }
    }

    /// Rests, unless all is over.
    fn pause(&mut self, millis: std::ops::Range<u64>) {
        for _ in 0..self.rng.random_range(millis) / 50 {
            if self.scene.is_over() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn strike(&mut self, victim: usize, blow: Blow) {
        self.scene.model.lock().unwrap().counted.blows += 1;
        match blow {
            Blow::Kill => {
                self.gateways[victim].kill();
                self.scene.doors.lock().unwrap()[victim] = None;
            }
            Blow::Freeze => self.gateways[victim].freeze(),
            Blow::Cut => self.links[victim].cut(),
            Blow::Stall => self.links[victim].stall(),
        }
    }

    fn mend(&mut self, victim: usize, blow: Blow) {
        match blow {
            Blow::Kill => {
                self.gateways[victim].start();
                self.scene.doors.lock().unwrap()[victim] = Some(self.gateways[victim].doors());
            }
            Blow::Freeze => self.gateways[victim].thaw(),
            Blow::Cut | Blow::Stall => self.links[victim].heal(),
        }
    }

    /// Nobody is harmed any more: [`Nemesis::run`] mends what it has broken. The gateways, and with them all that they need.
    pub(super) fn gateways(&self) -> &[Member] {
        &self.gateways
    }
}
