//! A client that asks one thing after another, and knows what may be answered.

use super::model::{Bucket, Name, Phase, Seen, bytes, content};
use super::{BUCKETS, Scene};
use crate::cluster::{Answer, Ask};
use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// After this a client does not wait any longer.
const PATIENCE: Duration = Duration::from_secs(4);
/// Names that a client uses at the same time, in one bucket.
const NAMES: usize = 12;

pub(super) struct Client {
    scene: Arc<Scene>,
    id: u64,
    rng: StdRng,
    next: u64,
}

/// What became of a bucket while something was asked of it.
struct Meanwhile {
    /// It was live, or removed, all the time.
    live: bool,
    removed: bool,
    /// It was purged, and another one has its name.
    another: bool,
}

impl Client {
    pub(super) fn new(scene: &Arc<Scene>, id: u64, seed: u64) -> Self {
        let rng = StdRng::seed_from_u64(seed.wrapping_add(id + 1));
        Client { scene: Arc::clone(scene), id, rng, next: 0 }
    }

    pub(super) fn run(mut self) {
        while !self.scene.is_over() {
            let place = self.rng.random_range(0..BUCKETS);
            let seen = self.scene.model.lock().unwrap().see(place);
            let what = match self.rng.random_range(0..10) {
                0..=3 => self.put(&seen),
                4..=5 => self.delete(&seen),
                6..=8 => self.get(&seen),
                _ => self.list(&seen),
            };
            if let Err(wrong) = what {
                self.scene.wrong(format!("client {}: {wrong}", self.id));
            }
        }
    }

    fn word(&mut self, kind: char) -> String {
        self.next += 1;
        format!("{kind}{}x{}", self.id, self.next)
    }

    /// One of its own names in that bucket that is not murky; if `fresh`, sometimes a new one.
    fn name(&mut self, seen: &Seen, fresh: bool) -> Option<String> {
        let own = self.own();
        let mut model = self.scene.model.lock().unwrap();
        let clear = |(name, known): &(&String, &Name)| name.starts_with(&own) && !known.murky;
        let names: Vec<String> =
            model.bucket(seen).names.iter().filter(clear).map(|(name, _)| name.clone()).collect();
        drop(model);
        if fresh && (names.is_empty() || names.len() < NAMES && self.rng.random_bool(0.3)) {
            return Some(self.word('n'));
        }
        names.into_iter().choose(&mut self.rng)
    }

    /// With what its names begin.
    fn own(&self) -> String {
        format!("n{}x", self.id)
    }

    /// Asks some gateway. What is not answered, or answered by "not now", may have happened or not.
    fn ask(&mut self, ask: &Ask<'_>) -> Option<Answer> {
        let doors = self.scene.some_doors(&mut self.rng)?;
        ask.try_of(doors.scsp).filter(|answer| answer.status < 500)
    }

    /// Notes an answer in the model, with what the bucket was meanwhile.
    fn note<T>(
        &self,
        seen: &Seen,
        answer: Option<&Answer>,
        note: impl FnOnce(&mut Bucket, &Meanwhile) -> T,
    ) -> T {
        let noted = {
            let mut model = self.scene.model.lock().unwrap();
            model.counted.unknown += u64::from(answer.is_none());
            let (live, removed) = (model.stayed(seen, Phase::Live), model.stayed(seen, Phase::Removed));
            let bucket = model.bucket(seen);
            let meanwhile = Meanwhile { live, removed, another: bucket.purges != seen.purges };
            note(bucket, &meanwhile)
        };
        if answer.is_none() {
            // Whoever asks a member that cannot answer need not hurry.
            std::thread::sleep(Duration::from_millis(30));
        }
        noted
    }

    fn put(&mut self, seen: &Seen) -> Result<(), String> {
        let Some(name) = self.name(seen, true) else { return Ok(()) };
        let word = self.word('w');
        let body = bytes(&word, if self.rng.random_bool(0.2) { 40_000 } else { 300 });
        let target = format!("/{}/{name}", seen.bucket);
        let answer = self.ask(&Ask::new("POST", &target).body(&body).patience(PATIENCE));
        self.note(seen, answer.as_ref(), |bucket, meanwhile| {
            let known = bucket.names.entry(name.clone()).or_insert_with(|| Name::holds(None));
            match answer.as_ref().map(|answer| answer.status) {
                Some(201) if meanwhile.removed => Err(format!("{target} was written into a removed bucket")),
                // Into the one that was purged, or into the one that has its name now.
                Some(201) if meanwhile.another => {
                    known.or(Some(word));
                    Ok(())
                }
                Some(201) => {
                    *known = Name::holds(Some(word));
                    Ok(())
                }
                Some(404 | 409 | 412) if meanwhile.live => {
                    Err(format!("{target}: its bucket was refused, and is live"))
                }
                Some(404 | 409 | 412) => Ok(()),
                Some(status) => Err(format!("PUT {target}: {status}")),
                None => {
                    known.or(Some(word));
                    Ok(())
                }
            }
        })?;
        self.scene.model.lock().unwrap().counted.puts += u64::from(answer.is_some());
        Ok(())
    }

    fn delete(&mut self, seen: &Seen) -> Result<(), String> {
        let Some(name) = self.name(seen, false) else { return Ok(()) };
        let target = format!("/{}/{name}", seen.bucket);
        let answer = self.ask(&Ask::new("DELETE", &target).patience(PATIENCE));
        self.note(seen, answer.as_ref(), |bucket, meanwhile| {
            let known = bucket.names.entry(name.clone()).or_insert_with(|| Name::holds(None));
            match answer.as_ref().map(|answer| answer.status) {
                Some(200) if meanwhile.removed => Err(format!("{target} was deleted in a removed bucket")),
                Some(200) if meanwhile.another => {
                    known.or(None);
                    Ok(())
                }
                Some(200) if known.is() == Some(&None) => {
                    Err(format!("{target} was deleted, and had been deleted before"))
                }
                Some(200) => {
                    *known = Name::holds(None);
                    Ok(())
                }
                Some(404) if meanwhile.live && !known.may_be.contains(&None) => {
                    Err(format!("{target} is lost: {known:?}, and DELETE finds nothing"))
                }
                Some(404) => Ok(()),
                Some(status) => Err(format!("DELETE {target}: {status}")),
                None => {
                    known.or(None);
                    Ok(())
                }
            }
        })?;
        self.scene.model.lock().unwrap().counted.deletes += u64::from(answer.is_some());
        Ok(())
    }

    fn get(&mut self, seen: &Seen) -> Result<(), String> {
        let Some(name) = self.name(seen, false) else { return Ok(()) };
        let target = format!("/{}/{name}", seen.bucket);
        let answer = self.ask(&Ask::new("GET", &target).patience(PATIENCE));
        self.note(seen, answer.as_ref(), |bucket, meanwhile| {
            let Some(answer) = &answer else { return Ok(()) };
            let known = &bucket.names[&name];
            match answer.status {
                200 if meanwhile.removed => Err(format!("{target} was read from a removed bucket")),
                200 => {
                    let found = content(&answer.body).map_err(|broken| format!("{target}: {broken}"))?;
                    match meanwhile.another || known.may_be.contains(&found) {
                        true => Ok(()),
                        false => Err(format!("{target} is {found:?}, and may be {known:?}")),
                    }
                }
                404 if meanwhile.live && !known.may_be.contains(&None) => {
                    Err(format!("{target} is lost: {known:?}, and GET finds nothing"))
                }
                404 => Ok(()),
                status => Err(format!("GET {target}: {status}")),
            }
        })?;
        self.scene.model.lock().unwrap().counted.reads += u64::from(answer.is_some());
        Ok(())
    }

    /// All of its own names in a bucket.
    fn list(&mut self, seen: &Seen) -> Result<(), String> {
        let own = self.own();
        let target = format!("/{}?format=json&prefix={own}&size=1000", seen.bucket);
        let answer = self.ask(&Ask::new("GET", &target).patience(PATIENCE));
        self.note(seen, answer.as_ref(), |bucket, meanwhile| {
            let Some(answer) = &answer else { return Ok(()) };
            match answer.status {
                200 if meanwhile.removed => return Err(format!("{target} lists a removed bucket")),
                200 => {}
                404 if meanwhile.live => return Err(format!("{target}: the bucket is lost")),
                404 => return Ok(()),
                status => return Err(format!("GET {target}: {status}")),
            }
            if !meanwhile.live {
                return Ok(());
            }
            let list = answer.json();
            let listed: BTreeSet<&str> =
                list.as_array().into_iter().flatten().filter_map(|entry| entry["name"].as_str()).collect();
            for (name, known) in bucket.names.iter().filter(|(name, _)| name.starts_with(&own)) {
                let there = listed.contains(name.as_str());
                let may_be = known.may_be.iter().any(|content| content.is_some() == there);
                if !may_be {
                    return Err(format!("{target}: {name} is listed: {there}, and may be {known:?}"));
                }
            }
            Ok(())
        })?;
        self.scene.model.lock().unwrap().counted.lists += u64::from(answer.is_some());
        Ok(())
    }
}
