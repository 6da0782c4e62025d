//! Everything at once: clients that write, read, delete and list through every gateway, an operator who removes, restores and
//! purges, and a nemesis that kills, freezes and cuts whom it likes. A model says what may be there.
//!
//! It runs for two minutes less what the start and the end take; `BARROW_SOAK_SECONDS` lets it run for another time, and
//! `BARROW_SOAK_SEED` repeats what was chosen (what the machine makes of it is another matter).

mod client;
mod model;
mod nemesis;
mod operator;

use super::member::Doors;
use super::{Cluster, SLACK, Watch, within};
use client::Client;
use model::Model;
use nemesis::Nemesis;
use operator::Operator;
use rand::Rng;
use rand::rngs::StdRng;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const GATEWAYS: usize = 3;
const BUCKETS: usize = 3;
const CLIENTS: u64 = 8;
const SECONDS: u64 = 75;

/// What all who take part share.
struct Scene {
    model: Mutex<Model>,
    /// Where the gateways' doors are at this moment.
    doors: Mutex<Vec<Option<Doors>>>,
    over: AtomicBool,
}

impl Scene {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Some gateway that is not known to be dead.
    fn some_doors(&self, rng: &mut StdRng) -> Option<Doors> {
        let doors = self.doors.lock().unwrap();
        doors[rng.random_range(0..doors.len())]
    }

    /// Notes what must not be, and ends the play.
    fn wrong(&self, what: String) {
        self.over.store(true, Ordering::SeqCst);
        self.model.lock().unwrap().wrong.push(what);
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// What came of it.
struct Played {
    cluster: Cluster,
    nemesis: Nemesis,
    scene: Arc<Scene>,
}

/// Lets everybody play for so long, or until something is wrong; everything is mended then.
fn play(seed: u64, time: Duration, settings: &[(&'static str, &str)]) -> Played {
    eprintln!("BARROW_SOAK_SEED={seed} BARROW_SOAK_SECONDS={}", time.as_secs());
    // Every dead version is to be purged soon, and every acknowledged delete with it.
    let soon = [("BARROW_HEALTH__OBJECT_DELETE_DELAY", "3s"), ("BARROW_HEALTH__STAGED_EXPIRY", "20s")];
    let cluster = Cluster::with(&[&soon, settings].concat());
    let links: Vec<_> = (0..GATEWAYS).map(|_| cluster.link()).collect();
    let gateways: Vec<_> =
        links.iter().zip(["a", "b", "c"]).map(|(link, node)| cluster.gateway_behind(node, link)).collect();
    let processors: Vec<_> = ["p", "q"].iter().map(|node| cluster.processor(node)).collect();
    let mut model = Model::default();
    for bucket in 0..BUCKETS {
        gateways[0].create(&model.open(bucket));
    }
    let doors = gateways.iter().map(|gateway| Some(gateway.doors())).collect();
    let scene = Scene { model: Mutex::new(model), doors: Mutex::new(doors), over: AtomicBool::new(false) };
    let scene = Arc::new(scene);
    let mut nemesis = Nemesis::new(&scene, seed, links, gateways, processors);
    std::thread::scope(|scope| {
        for id in 0..CLIENTS {
            let client = Client::new(&scene, id, seed);
            scope.spawn(move || client.run());
        }
        let operator = Operator::new(&scene, seed);
        scope.spawn(move || operator.run());
        let nemesis = &mut nemesis;
        scope.spawn(move || nemesis.run());
        let began = Watch::start();
        while began.elapsed() < time && !scene.is_over() {
            std::thread::sleep(Duration::from_millis(100));
        }
        scene.over.store(true, Ordering::SeqCst);
    });
    Played { cluster, nemesis, scene }
}

#[test]
fn what_was_acknowledged_stays_so_whatever_befalls_the_members() {
    let seed = number("BARROW_SOAK_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let seconds = number("BARROW_SOAK_SECONDS").unwrap_or(SECONDS);
    let Played { cluster, nemesis, scene } = play(seed, Duration::from_secs(seconds), &[]);
    let gateways = nemesis.gateways();
    for gateway in gateways {
        within(SLACK * 5, "every gateway serves again", || gateway.serves().then_some(()));
    }
    // What somebody had begun and nobody waited for has come about by then, or never will.
    std::thread::sleep(Duration::from_secs(3));

    let model = scene.model.lock().unwrap();
    assert!(model.wrong.is_empty(), "seed {seed}: {:#?}", model.wrong);
    eprintln!("{}", model.counted);
    assert!(model.counted.is_a_soak(), "hardly anything happened: {}", model.counted);
    for gateway in gateways {
        let wrong = model.differences(gateway);
        assert!(wrong.is_empty(), "seed {seed}, at {}: {wrong:#?}", gateway.node);
    }
    cluster.is_sound(&gateways[0]);
}

/// The control run: members that answer before they commit, and commit whether they are fenced or not.
#[test]
fn members_that_answer_before_they_commit_are_found_out() {
    let Played { scene, .. } = play(1, Duration::from_secs(60), &[("BARROW_TESTING_ANSWER_EARLY", "1")]);
    let model = scene.model.lock().unwrap();
    assert!(!model.wrong.is_empty(), "this play would notice nothing: {}", model.counted);
}
