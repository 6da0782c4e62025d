//! Somebody who removes buckets, and restores or purges what is removed, through whichever gateway answers.

use super::model::{Bucket, Name, Phase};
use super::{BUCKETS, Scene};
use crate::cluster::{Answer, Ask};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(12);

pub(super) struct Operator {
    scene: Arc<Scene>,
    rng: StdRng,
}

impl Operator {
    pub(super) fn new(scene: &Arc<Scene>, seed: u64) -> Self {
        Operator { scene: Arc::clone(scene), rng: StdRng::seed_from_u64(seed ^ 0x0b5e55ed) }
    }

    pub(super) fn run(mut self) {
        while !self.scene.is_over() {
            let place = self.rng.random_range(0..BUCKETS);
            if let Err(wrong) = self.act(place) {
                self.scene.wrong(format!("operator: {wrong}"));
            }
            std::thread::sleep(Duration::from_millis(self.rng.random_range(50..400)));
        }
    }

    /// Changes what is known of the bucket at a place; whoever looked before sees that.
    fn change(&self, place: usize, change: impl FnOnce(&mut Bucket)) {
        let mut model = self.scene.model.lock().unwrap();
        let bucket = model.buckets.get_mut(&place).unwrap();
        bucket.changes += 1;
        change(bucket);
    }

    fn act(&mut self, place: usize) -> Result<(), String> {
        let seen = self.scene.model.lock().unwrap().see(place);
        let verb = match seen.phase {
            Phase::Live => "remove",
            Phase::Removed if self.rng.random_bool(0.5) => "restore",
            Phase::Removed => "purge",
            Phase::Moving | Phase::Adrift => return Ok(()),
        };
        self.change(place, |bucket| bucket.phase = Phase::Moving);
        let path = format!("/v1/domains/barrow.local/buckets/{}/{verb}", seen.bucket);
        let patience = *[0, 800, 6_000].choose(&mut self.rng).unwrap();
        let order = if verb == "purge" { format!("{{\"wait_ms\":{patience}}}") } else { "{}".to_owned() };
        let answer = self.ask(&path, &order);
        let status = answer.as_ref().map(|answer| answer.status);
        let code = answer.as_ref().and_then(|answer| {
            let said = answer.status != 200;
            said.then(|| answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
        });
        {
            let counted = &mut self.scene.model.lock().unwrap().counted;
            match (verb, status) {
                ("remove", Some(200)) => counted.removes += 1,
                ("restore", Some(200)) => counted.restores += 1,
                ("purge", Some(200)) => counted.purges += 1,
                ("purge", Some(409)) => counted.barriers += 1,
                _ => {}
            }
        }
        match (verb, status, code.as_deref()) {
            ("remove", Some(200), _) => self.change(place, |bucket| bucket.phase = Phase::Removed),
            ("restore", Some(200), _) => self.change(place, |bucket| bucket.phase = Phase::Live),
            ("purge", Some(200), _) => self.again(place, &seen.bucket)?,
            ("purge", Some(409), Some("BARRIERNOTSATISFIED")) => {
                self.change(place, |bucket| bucket.phase = Phase::Removed);
            }
            (_, None, _) => self.adrift(place)?,
            (verb, status, code) => {
                return Err(format!("{verb} {} ({:?}): {status:?} {code:?}", seen.bucket, seen.phase));
            }
        }
        Ok(())
    }

    /// What is not answered, or answered by "not now", may have happened, or may happen yet.
    fn ask(&mut self, path: &str, order: &str) -> Option<Answer> {
        let doors = self.scene.some_doors(&mut self.rng)?;
        let ask = Ask::new("POST", path).body(order.as_bytes()).patience(PATIENCE);
        ask.try_of(doors.admin).filter(|answer| answer.status < 500)
    }

    /// The bucket is purged, with all that was in it; its name is free, and used again.
    fn again(&mut self, place: usize, name: &str) -> Result<(), String> {
        self.change(place, |bucket| {
            bucket.purges += 1;
            for known in bucket.names.values_mut() {
                match known.murky {
                    // What nobody was told of may yet be written, into the next one.
                    true => known.or(None),
                    false => *known = Name::holds(None),
                }
            }
        });
        self.create(name)?;
        self.change(place, |bucket| bucket.phase = Phase::Live);
        Ok(())
    }

    /// Leaves a bucket alone, and begins another one at its place.
    fn adrift(&mut self, place: usize) -> Result<(), String> {
        self.change(place, |bucket| bucket.phase = Phase::Adrift);
        let name = {
            let mut model = self.scene.model.lock().unwrap();
            model.counted.adrift += 1;
            let name = model.open(place);
            // Until it is there.
            model.buckets.get_mut(&place).unwrap().phase = Phase::Moving;
            name
        };
        self.create(&name)?;
        self.change(place, |bucket| bucket.phase = Phase::Live);
        Ok(())
    }

    fn create(&mut self, name: &str) -> Result<(), String> {
        let target = format!("/{name}");
        for _ in 0..2_000 {
            let Some(doors) = self.scene.some_doors(&mut self.rng) else { continue };
            let ask = Ask::new("POST", &target)
                .header("Content-Type", "application/castorcontext")
                .patience(Duration::from_secs(4));
            match ask.try_of(doors.scsp).map(|answer| answer.status) {
                // It may have been made by somebody who could not say so.
                Some(200 | 201) => return Ok(()),
                Some(status @ 400..=499) => return Err(format!("{name} cannot be made: {status}")),
                Some(_) | None => std::thread::sleep(Duration::from_millis(30)),
            }
        }
        Err(format!("{name} could not be made for a long time"))
    }
}
