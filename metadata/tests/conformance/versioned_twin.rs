//! The model twin of buckets that keep versions, or have kept them (what happens when they are switched off, the cases of
//! `versioning` tell): random commands on the database and on plain lists that were written
//! without it, compared after each step. `BARROW_TEST_SEED` repeats a run.

use crate::world::*;
use lifecycle::{Refusal, State, VersionId};
use metadata::Which;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;

const NAMES: [&str; 3] = ["a", "b", "c"];
const STEPS: usize = 200;
/// Of things that happen.
const KINDS: usize = 8;

#[derive(Clone, Debug)]
struct Row {
    id: VersionId,
    name: &'static str,
    size: u64,
    marker: bool,
    null: bool,
    live: bool,
    tags: Option<String>,
}

/// Versions in the order of their positions, and whether older ones are kept.
#[derive(Default)]
struct Model {
    rows: Vec<Row>,
    versioning: &'static str,
}

impl Model {
    /// What can be seen of a name, the newest first.
    fn stack(&self, name: &str) -> Vec<&Row> {
        let seen = |row: &&Row| row.live && row.name == name;
        let mut rows: Vec<&Row> = self.rows.iter().filter(seen).collect();
        rows.reverse();
        rows
    }

    fn reads(&self, name: &str) -> Option<u64> {
        self.stack(name).first().filter(|row| !row.marker).map(|row| row.size)
    }

    fn remove(&mut self, id: VersionId) {
        for row in self.rows.iter_mut().filter(|row| row.id == id) {
            row.live = false;
        }
    }

    /// Makes room on top of a name for a version that arrives now.
    fn make_room(&mut self, name: &str) {
        if self.versioning == "enabled" {
            return;
        }
        let null = self.stack(name).into_iter().filter(|row| row.null);
        let gone: Vec<VersionId> = null.map(|row| row.id).collect();
        gone.into_iter().for_each(|id| self.remove(id));
    }

    fn push(&mut self, id: VersionId, name: &'static str, size: u64, marker: bool) {
        self.make_room(name);
        let null = self.versioning != "enabled";
        self.rows.push(Row { id, name, size, marker, null, live: true, tags: None });
    }
}

async fn compare(world: &World, model: &Model, what: &str) {
    for name in NAMES {
        let reads = world.reads(name).await.map(|text| text.len() as u64);
        assert_eq!(reads, model.reads(name), "{what}: {name}");
    }
    let mut lists: Vec<&str> = NAMES.into_iter().filter(|name| model.reads(name).is_some()).collect();
    lists.sort_unstable();
    assert_eq!(world.lists().await, lists, "{what}");
    let live = model.rows.iter().filter(|row| row.live);
    let mine = live.fold((0, 0), |sum, row| (sum.0 + 1, sum.1 + row.size as i64));
    assert_eq!(world.counted(State::Live).await, mine, "{what}: the counters");
    for row in &model.rows {
        let state = if row.live { State::Live } else { State::Removed };
        let there = world.row(row.id).await;
        assert_eq!((there.state, &there.tags), (state, &row.tags), "{what}: {row:?}");
    }
}

async fn run(world: World) {
    let seed =
        std::env::var("BARROW_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(any_seed);
    eprintln!("BARROW_TEST_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut model = Model { versioning: "enabled", ..Model::default() };
    world.versioning("enabled").await;
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    // As many steps as it takes until everything has happened, too.
    for step in 0..STEPS * 10 {
        if step >= STEPS && counts.len() == KINDS {
            break;
        }
        let name = *NAMES.choose(&mut rng).unwrap();
        let roll = rng.random_range(0..100);
        let what = format!("seed {seed}, step {step}, {roll} on {name}, {}", model.versioning);
        match roll {
            0..40 => {
                let text = "x".repeat(rng.random_range(1..9));
                let put = world.put(name).body(&text).await.unwrap();
                model.push(put.version, name, text.len() as u64, false);
                *counts.entry("put").or_default() += 1;
            }
            40..60 => {
                let stacking = rng.random_bool(0.5);
                let top = model.stack(name).first().map(|row| (row.id, row.marker));
                let answer = match stacking {
                    true => world.delete(name).stacking().await,
                    false => world.delete(name).await,
                };
                match (answer, top) {
                    (Ok(deleted), Some((id, true))) if !stacking => {
                        assert_eq!(deleted.marker, Some(id), "{what}: the marker that is there");
                    }
                    (Ok(deleted), top) => {
                        assert!(stacking || top.is_some_and(|(_, marker)| !marker), "{what}");
                        model.push(deleted.marker.expect("a marker"), name, 0, true);
                    }
                    (Err(refusal), top) => assert!(top.is_none() && !stacking, "{what}: {refusal:?}"),
                }
                *counts.entry("delete").or_default() += 1;
            }
            60..64 => {
                let null = model.stack(name).into_iter().find(|row| row.null).map(|row| row.id);
                let host = (None, "barrow.local");
                let found = world.m.find_null(host, "photos", name, false).await.unwrap();
                assert_eq!(found.map(|found| found.version.id), null, "{what}");
                let answer = world.delete(name).null().await;
                match (answer, null) {
                    (Ok(deleted), Some(id)) => {
                        assert_eq!(deleted.version, id, "{what}");
                        model.remove(id);
                    }
                    (answer, null) => {
                        assert_eq!((answer.unwrap_err(), null), (Refusal::NoSuchVersion, None), "{what}")
                    }
                }
                *counts.entry("delete null").or_default() += 1;
            }
            64..75 => {
                let Some(row) = model.rows.choose(&mut rng).cloned() else { continue };
                let there = model.stack(row.name).iter().any(|seen| seen.id == row.id);
                let answer = world.delete(row.name).version(row.id).await;
                assert_eq!(answer.is_ok(), there, "{what}: {row:?} {answer:?}");
                if there {
                    model.remove(row.id);
                }
                *counts.entry("delete version").or_default() += 1;
            }
            75..88 => {
                let Some(row) = model.rows.choose(&mut rng).cloned() else { continue };
                let replace = rng.random_bool(0.5);
                let restore = world.restore_version(row.id);
                let answer = if replace { restore.replace().await } else { restore.await };
                let rival = model.stack(row.name).into_iter().find(|other| row.null && other.null);
                let rival = rival.map(|other| other.id);
                let refused = row.live || (rival.is_some() && !replace);
                assert_eq!(answer.is_err(), refused, "{what}: {row:?} {answer:?}");
                if !refused {
                    rival.into_iter().for_each(|id| model.remove(id));
                    for row in model.rows.iter_mut().filter(|other| other.id == row.id) {
                        row.live = true;
                    }
                    let top = model.stack(row.name).first().map(|top| (top.id, top.marker));
                    let current = top == Some((row.id, false));
                    assert_eq!(answer.unwrap().is_current, current, "{what}");
                }
                *counts.entry("restore").or_default() += 1;
            }
            88..91 => {
                let stack = model.stack(name);
                let (which, meant) = match rng.random_range(0..3) {
                    0 => (Which::Current, stack.first()),
                    1 => (Which::Null, stack.iter().find(|row| row.null)),
                    _ => match model.rows.choose(&mut rng) {
                        Some(row) => (Which::Version(row.id), stack.iter().find(|seen| seen.id == row.id)),
                        None => continue,
                    },
                };
                let meant = meant.filter(|row| !row.marker).map(|row| row.id);
                let tags = Some(format!("step {step}"));
                let answer = world.m.set_tags(world.domain, world.bucket, name, which, tags.clone()).await;
                assert_eq!(answer.ok(), meant, "{what}: {which:?}");
                for row in model.rows.iter_mut().filter(|row| Some(row.id) == meant) {
                    row.tags.clone_from(&tags);
                }
                *counts.entry("set tags").or_default() += 1;
            }
            91..95 => {
                let Some(row) = model.stack(name).first().map(|row| (*row).clone()) else { continue };
                if row.marker {
                    continue;
                }
                let passes = model.versioning == "suspended" && row.null;
                let answer = world.put(name).taking_over(row.id).await;
                assert_eq!(answer.is_ok(), passes, "{what}: {answer:?}");
                if let Ok(put) = answer {
                    model.rows.retain(|other| other.id != row.id);
                    model.rows.push(Row { id: put.version, null: true, tags: None, ..row });
                }
                *counts.entry("take over").or_default() += 1;
            }
            _ => {
                let to = *["enabled", "enabled", "suspended"].choose(&mut rng).unwrap();
                world.versioning(to).await;
                model.versioning = to;
                *counts.entry("switch").or_default() += 1;
            }
        }
        compare(&world, &model, &what).await;
    }
    assert_eq!(counts.len(), KINDS, "{counts:?}");
    world.finish().await;
}

#[tokio::test]
async fn sqlite() {
    for _ in 0..3 {
        run(World::sqlite().await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    run(World::postgres().await).await;
}
