//! The model twin: random commands on the database and on a plain model that was written without it, compared after
//! each step. `BARROW_TEST_SEED` repeats a run.

use crate::world::*;
use lifecycle::{ContainerId, Refusal, State, Time, VersionId};
use metadata::ContainerKind;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::time::Duration;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const BUCKETS: [&str; 2] = ["red", "blue"];
const STEPS: usize = 120;

#[derive(Clone, Debug)]
enum Command {
    Put { bucket: usize, name: &'static str, expires_in: Option<Duration> },
    Delete { bucket: usize, name: &'static str },
    Restore { bucket: usize, name: &'static str, replace: bool },
    RestoreVersion { bucket: usize, version: VersionId, replace: bool, as_name: Option<&'static str> },
    CreateBucket { name: &'static str },
    RemoveBucket { bucket: usize, early: bool, only_empty: bool },
    RestoreBucket { bucket: usize },
    PurgeEarly { bucket: usize },
    Empty { bucket: usize, early: bool },
    RestoreContents { contents: ContainerId, as_bucket: Option<&'static str> },
    Advance { by: Duration },
    Reclaim,
    PurgeContainers,
    Cascade,
    Forget,
}

// --- the model ---------------------------------------------------------------------------------------------------------

#[derive(Clone, Debug, Default, PartialEq)]
struct Version {
    name: String,
    contents: Option<ContainerId>,
    state: Option<State>,
    size: i64,
    expires_at: Option<Time>,
    promise: Option<Time>,
    forget_after: Time,
    /// Counts removals: the greatest was removed last.
    removed: u64,
}

#[derive(Clone, Debug)]
struct Holder {
    id: ContainerId,
    /// The bucket's name, or none for contents.
    name: String,
    /// A bucket's contents, or the contents' bucket.
    other: ContainerId,
    state: State,
    promise: Option<Time>,
    early: bool,
    forget_after: Time,
}

impl Holder {
    fn new(id: ContainerId, name: &str, other: ContainerId) -> Holder {
        let (state, forget_after) = (State::Live, Time::default());
        Holder { id, name: name.to_owned(), other, state, promise: None, early: false, forget_after }
    }

    fn remove(&mut self, promise: Time, early: bool) {
        (self.state, self.promise, self.early) = (State::Removed, Some(promise), early);
    }

    fn restore(&mut self) {
        (self.state, self.promise, self.early) = (State::Live, None, false);
    }

    fn close(&mut self, now: Time) {
        self.state = State::Purged;
        self.forget_after = now.max(self.promise.unwrap_or(now)).plus(MEMORY);
    }

    fn is_due(&self, now: Time) -> bool {
        self.state == State::Removed && self.promise.is_some_and(|at| at <= now)
    }
}

#[derive(Clone, Debug, Default)]
struct Model {
    now: Time,
    versions: BTreeMap<VersionId, Version>,
    /// Every bucket there ever was, so that commands can speak of those that are gone.
    buckets: Vec<Holder>,
    contents: Vec<Holder>,
    removals: u64,
}

type Said = Result<(), &'static str>;

fn said(refusal: &Refusal) -> Said {
    Err(refusal.token())
}

fn not_restorable(state: State) -> Said {
    match state {
        State::Live => Err("AlreadyLive"),
        State::Purging => Err("PurgeStarted"),
        State::Purged => Err("Purged"),
        State::Forgotten => Err("Unknown"),
        State::Staged | State::Removed => Ok(()),
    }
}

impl Model {
    fn current(&self, contents: ContainerId, name: &str) -> Option<VersionId> {
        let lives =
            |v: &Version| v.contents == Some(contents) && v.state == Some(State::Live) && v.name == name;
        self.versions.iter().find(|(_, v)| lives(v)).map(|(id, _)| *id)
    }

    fn expired(&self, id: VersionId) -> bool {
        self.versions[&id].expires_at.is_some_and(|at| at <= self.now)
    }

    fn visible(&self, contents: ContainerId) -> Vec<String> {
        let seen = |v: &&Version| {
            v.contents == Some(contents)
                && v.state == Some(State::Live)
                && v.expires_at.is_none_or(|at| at > self.now)
        };
        let mut names: Vec<String> = self.versions.values().filter(seen).map(|v| v.name.clone()).collect();
        names.sort();
        names
    }

    fn remove(&mut self, id: VersionId) {
        self.removals += 1;
        let promise = self.now.plus(OBJECT_GRACE);
        let version = self.versions.get_mut(&id).unwrap();
        (version.state, version.promise, version.removed) =
            (Some(State::Removed), Some(promise), self.removals);
    }

    /// What a live bucket holds.
    fn open(&self, bucket: usize) -> Result<ContainerId, &'static str> {
        let bucket = &self.buckets[bucket];
        if bucket.state == State::Live { Ok(bucket.other) } else { Err("ContainerGone") }
    }

    fn put(&mut self, bucket: usize, name: &str, id: VersionId, expires_in: Option<Duration>) -> Said {
        let contents = self.open(bucket)?;
        if let Some(current) = self.current(contents, name) {
            self.remove(current);
        }
        let expires_at = expires_in.map(|length| self.now.plus(length));
        let version = Version {
            name: name.to_owned(),
            contents: Some(contents),
            state: Some(State::Live),
            size: name.len() as i64,
            expires_at,
            ..Version::default()
        };
        self.versions.insert(id, version);
        Ok(())
    }

    fn delete(&mut self, bucket: usize, name: &str) -> Said {
        let contents = self.open(bucket)?;
        let current = self.current(contents, name).filter(|id| !self.expired(*id)).ok_or("NoSuchObject")?;
        self.remove(current);
        Ok(())
    }

    fn restore(&mut self, bucket: usize, name: &str, replace: bool) -> Said {
        let contents = self.open(bucket)?;
        let candidates = self.versions.iter().filter(|(_, v)| {
            v.contents == Some(contents) && v.state == Some(State::Removed) && v.name == name
        });
        let last = candidates.max_by_key(|(_, v)| v.removed).map(|(id, _)| *id).ok_or("Unknown")?;
        self.bring_back(contents, last, replace, None)
    }

    fn restore_version(
        &mut self,
        bucket: usize,
        id: VersionId,
        replace: bool,
        as_name: Option<&str>,
    ) -> Said {
        let contents = self.open(bucket)?;
        let version = self.versions.get(&id).ok_or("Unknown")?;
        if version.contents != Some(contents) {
            return Err("ContainerGone");
        }
        not_restorable(version.state.unwrap())?;
        self.bring_back(contents, id, replace, as_name)
    }

    fn bring_back(
        &mut self,
        contents: ContainerId,
        id: VersionId,
        replace: bool,
        as_name: Option<&str>,
    ) -> Said {
        let name = as_name.map_or_else(|| self.versions[&id].name.clone(), str::to_owned);
        if let Some(current) = self.current(contents, &name) {
            if !self.expired(current) && !replace {
                return Err("NameInUse");
            }
            self.remove(current);
        }
        let now = self.now;
        let version = self.versions.get_mut(&id).unwrap();
        (version.name, version.state, version.promise) = (name, Some(State::Live), None);
        version.expires_at = version.expires_at.filter(|at| *at > now);
        Ok(())
    }

    fn name_is_free(&self, name: &str) -> Said {
        let taken = self.buckets.iter().any(|b| b.state == State::Live && b.name == name);
        if taken { Err("NameInUse") } else { Ok(()) }
    }

    fn remove_bucket(&mut self, bucket: usize, early: bool, only_empty: bool) -> Said {
        let contents = self.open(bucket).map_err(|_| "NoSuchBucket")?;
        if only_empty && !self.visible(contents).is_empty() {
            return Err("NotEmpty");
        }
        let grace = if early { Duration::ZERO } else { CONTAINER_GRACE };
        let promise = self.now.plus(grace);
        self.buckets[bucket].remove(promise, early);
        Ok(())
    }

    fn restore_bucket(&mut self, bucket: usize) -> Said {
        not_restorable(self.buckets[bucket].state)?;
        self.name_is_free(&self.buckets[bucket].name.clone())?;
        self.buckets[bucket].restore();
        Ok(())
    }

    fn purge_early(&mut self, bucket: usize) -> Said {
        let now = self.now;
        let bucket = &mut self.buckets[bucket];
        match bucket.state {
            State::Removed => {
                bucket.state = State::Purging;
                bucket.promise = bucket.promise.map(|at| at.min(now));
                Ok(())
            }
            State::Purging => Ok(()),
            State::Purged => Err("Purged"),
            State::Forgotten => Err("Unknown"),
            State::Live | State::Staged => Err("NotRemoved"),
        }
    }

    fn empty(&mut self, bucket: usize, early: bool, fresh: ContainerId) -> Said {
        let old = self.open(bucket).map_err(|_| "NoSuchBucket")?;
        let promise = self.now.plus(if early { Duration::ZERO } else { CONTAINER_GRACE });
        self.contents_mut(old).remove(promise, early);
        let id = self.buckets[bucket].id;
        self.contents.push(Holder::new(fresh, "", id));
        self.buckets[bucket].other = fresh;
        Ok(())
    }

    fn contents_mut(&mut self, id: ContainerId) -> &mut Holder {
        self.contents.iter_mut().find(|c| c.id == id).unwrap()
    }

    fn restore_contents(&mut self, id: ContainerId, as_bucket: Option<(&str, ContainerId)>) -> Said {
        let found = self.contents.iter().find(|c| c.id == id).cloned().ok_or("Unknown")?;
        let home = self.buckets.iter().position(|b| b.id == found.other).unwrap();
        not_restorable(found.state)?;
        match self.buckets[home].state {
            State::Live => {}
            State::Removed => return Err("ContainerGone"),
            _ => return Err("PurgeStarted"),
        }
        let to = match as_bucket {
            Some((name, bucket)) => {
                self.name_is_free(name)?;
                self.buckets.push(Holder::new(bucket, name, id));
                bucket
            }
            None => {
                let displaced = self.buckets[home].other;
                if !self.visible(displaced).is_empty() {
                    return Err("NotEmpty");
                }
                let promise = self.now.plus(CONTAINER_GRACE);
                self.contents_mut(displaced).remove(promise, false);
                self.buckets[home].other = id;
                self.buckets[home].id
            }
        };
        let contents = self.contents_mut(id);
        contents.restore();
        contents.other = to;
        Ok(())
    }

    fn purged(now: Time, version: &mut Version) {
        version.state = Some(State::Purged);
        version.forget_after = now.max(version.promise.unwrap_or(now)).plus(MEMORY);
    }

    fn reclaim(&mut self) {
        let now = self.now;
        let live = self.buckets.iter().filter(|b| b.state == State::Live);
        let open: Vec<ContainerId> = live.map(|b| b.other).collect();
        for version in self.versions.values_mut() {
            let due = version.state == Some(State::Removed) && version.promise.is_some_and(|at| at <= now);
            if due && version.contents.is_some_and(|contents| open.contains(&contents)) {
                Model::purged(now, version);
            }
        }
    }

    /// Whether anything removed in these contents was promised more time.
    fn promised_inside(&self, contents: ContainerId) -> bool {
        self.versions.values().any(|v| {
            v.contents == Some(contents)
                && v.state == Some(State::Removed)
                && v.promise.is_some_and(|at| at > self.now)
        })
    }

    fn purge_containers(&mut self) {
        let now = self.now;
        for at in 0..self.buckets.len() {
            let bucket = &self.buckets[at];
            let waits = self.contents.iter().filter(|c| c.other == bucket.id).any(|c| {
                let own = c.state == State::Removed && !c.early && c.promise.is_some_and(|at| at > now);
                own || self.promised_inside(c.id)
            });
            if bucket.is_due(now) && (bucket.early || !waits) {
                self.buckets[at].state = State::Purging;
            }
        }
        let state_of = |buckets: &[Holder], id| buckets.iter().find(|b| b.id == id).unwrap().state;
        for at in 0..self.contents.len() {
            let contents = &self.contents[at];
            let home = state_of(&self.buckets, contents.other);
            let due = contents.is_due(now) && (contents.early || !self.promised_inside(contents.id));
            let follows = home == State::Purging && matches!(contents.state, State::Live | State::Removed);
            if (home == State::Live && due) || follows {
                let contents = &mut self.contents[at];
                contents.state = State::Purging;
                contents.promise.get_or_insert(now);
            }
        }
        for contents in self.contents.iter_mut().filter(|c| c.state == State::Purging) {
            let left = self
                .versions
                .values()
                .any(|v| v.contents == Some(contents.id) && v.state != Some(State::Purged));
            if !left {
                contents.close(now);
            }
        }
        for bucket in self.buckets.iter_mut().filter(|b| b.state == State::Purging) {
            if self.contents.iter().filter(|c| c.other == bucket.id).all(|c| c.state == State::Purged) {
                bucket.close(now);
            }
        }
    }

    fn cascade(&mut self) {
        let now = self.now;
        let purging: Vec<ContainerId> =
            self.contents.iter().filter(|c| c.state == State::Purging).map(|c| c.id).collect();
        for version in self.versions.values_mut() {
            let inside = version.contents.is_some_and(|contents| purging.contains(&contents));
            if inside && version.state != Some(State::Purged) {
                Model::purged(now, version);
            }
        }
    }

    fn forget(&mut self) {
        let now = self.now;
        self.versions.retain(|_, v| v.state != Some(State::Purged) || v.forget_after > now);
        let versions = &self.versions;
        self.contents.retain(|c| {
            let done = c.state == State::Purged && c.forget_after <= now;
            !done || versions.values().any(|v| v.contents == Some(c.id))
        });
        for bucket in self.buckets.iter_mut().filter(|b| b.state == State::Purged && b.forget_after <= now) {
            if self.contents.iter().all(|c| c.other != bucket.id) {
                bucket.state = State::Forgotten;
            }
        }
    }

    /// Objects and bytes by contents and effective state.
    fn usage(&self) -> BTreeMap<(ContainerId, State), (i64, i64)> {
        let mut usage = BTreeMap::new();
        for version in self.versions.values() {
            let contents = self.contents.iter().find(|c| Some(c.id) == version.contents).unwrap();
            let bucket = self.buckets.iter().find(|b| b.id == contents.other).unwrap();
            let own = version.state.unwrap();
            let sum: &mut (i64, i64) =
                usage.entry((contents.id, own.max(contents.state).max(bucket.state))).or_default();
            sum.0 += 1;
            sum.1 += if own == State::Purged { 0 } else { version.size };
        }
        usage
    }
}

// --- the twin ----------------------------------------------------------------------------------------------------------

struct Twin {
    world: World,
    model: Model,
    rng: StdRng,
}

impl Twin {
    async fn new(world: World, seed: u64) -> Twin {
        let model = Model { now: world.now(), ..Model::default() };
        let mut twin = Twin { world, model, rng: StdRng::seed_from_u64(seed) };
        for name in BUCKETS {
            twin.carry_out(Command::CreateBucket { name }).await;
        }
        twin
    }

    fn choose(&mut self) -> Command {
        let rng = &mut self.rng;
        let bucket = rng.random_range(0..self.model.buckets.len());
        // Mostly one that is live, or little would ever happen.
        let live: Vec<usize> =
            (0..self.model.buckets.len()).filter(|at| self.model.buckets[*at].state == State::Live).collect();
        let bucket = if rng.random_bool(0.8) { live.choose(rng).copied().unwrap_or(bucket) } else { bucket };
        let name = NAMES[rng.random_range(0..NAMES.len())];
        let some_version: Vec<VersionId> = self.model.versions.keys().copied().collect();
        let some_contents: Vec<ContainerId> = self.model.contents.iter().map(|c| c.id).collect();
        let hour = Duration::from_secs(3_600);
        match rng.random_range(0..100) {
            0..28 => Command::Put { bucket, name, expires_in: rng.random_bool(0.2).then_some(10 * hour) },
            28..42 => Command::Delete { bucket, name },
            42..48 => Command::Restore { bucket, name, replace: rng.random_bool(0.5) },
            48..54 => Command::RestoreVersion {
                bucket,
                version: some_version.choose(rng).copied().unwrap_or_else(VersionId::random),
                replace: rng.random_bool(0.5),
                as_name: rng.random_bool(0.3).then_some(NAMES[rng.random_range(0..NAMES.len())]),
            },
            54..57 => Command::CreateBucket { name: BUCKETS[rng.random_range(0..BUCKETS.len())] },
            57..61 => Command::RemoveBucket {
                bucket,
                early: rng.random_bool(0.3),
                only_empty: rng.random_bool(0.2),
            },
            61..66 => Command::RestoreBucket { bucket: rng.random_range(0..self.model.buckets.len()) },
            66..67 => Command::PurgeEarly { bucket: rng.random_range(0..self.model.buckets.len()) },
            67..71 => Command::Empty { bucket, early: rng.random_bool(0.3) },
            71..75 => Command::RestoreContents {
                contents: some_contents.choose(rng).copied().unwrap_or_else(ContainerId::random),
                as_bucket: rng.random_bool(0.4).then_some(BUCKETS[rng.random_range(0..BUCKETS.len())]),
            },
            75..84 => {
                Command::Advance { by: *[hour, 12 * hour, 25 * hour, 8 * DAY, 15 * DAY].choose(rng).unwrap() }
            }
            84..89 => Command::Reclaim,
            89..94 => Command::PurgeContainers,
            94..97 => Command::Cascade,
            _ => Command::Forget,
        }
    }

    fn caller(&self, bucket: usize) -> Caller {
        Caller { bucket: self.model.buckets[bucket].id, ..(*self.world).clone() }
    }

    /// Carries a command out on both and compares what they say.
    async fn carry_out(&mut self, command: Command) {
        let w = (*self.world).clone();
        let none = ContainerId::from_bytes([0; 16]);
        let (database, model): (Said, Said) = match command.clone() {
            Command::Put { bucket, name, expires_in } => {
                let put = self.caller(bucket).put(name);
                let put = if let Some(length) = expires_in { put.expires_in(length) } else { put };
                let id = VersionId::ordered(w.now());
                let database = put.version(id).await.map(drop);
                (database.or_else(|r| said(&r)), self.model.put(bucket, name, id, expires_in))
            }
            Command::Delete { bucket, name } => {
                let database = self.caller(bucket).delete(name).await.map(drop);
                (database.or_else(|r| said(&r)), self.model.delete(bucket, name))
            }
            Command::Restore { bucket, name, replace } => {
                let back = self.caller(bucket).restore(name);
                let database = if replace { back.replace() } else { back }.await.map(drop);
                (database.or_else(|r| said(&r)), self.model.restore(bucket, name, replace))
            }
            Command::RestoreVersion { bucket, version, replace, as_name } => {
                let back = self.caller(bucket).restore_version(version);
                let back = if replace { back.replace() } else { back };
                let back = if let Some(name) = as_name { back.under(name) } else { back };
                let database = back.await.map(drop);
                (
                    database.or_else(|r| said(&r)),
                    self.model.restore_version(bucket, version, replace, as_name),
                )
            }
            Command::CreateBucket { name } => {
                let made = w.create_bucket(name).await;
                let model = self.model.name_is_free(name);
                if let Ok(made) = &made {
                    let contents = made.contents.unwrap();
                    self.model.buckets.push(Holder::new(made.id, name, contents));
                    self.model.contents.push(Holder::new(contents, "", made.id));
                }
                (made.map(drop).or_else(|r| said(&r)), model)
            }
            Command::RemoveBucket { bucket, early, only_empty } => {
                let removal = self.caller(bucket).remove_bucket();
                let removal = if early { removal.early() } else { removal };
                let removal = if only_empty { removal.only_if_empty() } else { removal };
                let database = removal.await.map(drop);
                (database.or_else(|r| said(&r)), self.model.remove_bucket(bucket, early, only_empty))
            }
            Command::RestoreBucket { bucket } => {
                let database = self.caller(bucket).restore_bucket().await.map(drop);
                (database.or_else(|r| said(&r)), self.model.restore_bucket(bucket))
            }
            Command::PurgeEarly { bucket } => {
                let id = self.model.buckets[bucket].id;
                let database = w.purge_early(ContainerKind::Bucket, id).await.map(drop);
                (database.or_else(|r| said(&r)), self.model.purge_early(bucket))
            }
            Command::Empty { bucket, early } => {
                let caller = self.caller(bucket);
                let removal = caller.empty_bucket();
                let database = if early { removal.early() } else { removal }.await.map(drop);
                let fresh = if database.is_ok() { caller.contents().await } else { none };
                (database.or_else(|r| said(&r)), self.model.empty(bucket, early, fresh))
            }
            Command::RestoreContents { contents, as_bucket } => {
                let back = w.restore_contents(contents, as_bucket).await;
                let made = back.as_ref().map_or(none, |bucket| bucket.id);
                let model = self.model.restore_contents(contents, as_bucket.map(|name| (name, made)));
                (back.map(drop).or_else(|r| said(&r)), model)
            }
            Command::Advance { by } => {
                w.later(by);
                self.model.now = w.now();
                (Ok(()), Ok(()))
            }
            Command::Reclaim => {
                w.reclaim().await;
                self.model.reclaim();
                (Ok(()), Ok(()))
            }
            Command::PurgeContainers => {
                w.purge_containers().await;
                self.model.purge_containers();
                (Ok(()), Ok(()))
            }
            Command::Cascade => {
                w.cascade().await;
                self.model.cascade();
                (Ok(()), Ok(()))
            }
            Command::Forget => {
                w.forget().await;
                self.model.forget();
                (Ok(()), Ok(()))
            }
        };
        assert_eq!(database, model, "{command:?} was answered differently (database, model)");
    }

    /// Compares everything that can be seen.
    async fn compare(&self) {
        let m = &self.world.m;
        let page = m.check_page(None).await.unwrap();
        let rows: BTreeMap<VersionId, _> = page
            .iter()
            .map(|row| (row.facts.id, (row.facts.state, row.facts.contents, row.facts.is_current)))
            .collect();
        let wanted: BTreeMap<VersionId, _> = self
            .model
            .versions
            .iter()
            .map(|(id, v)| (*id, (v.state.unwrap(), v.contents.unwrap(), v.state == Some(State::Live))))
            .collect();
        assert_eq!(rows, wanted, "versions (database, model)");
        for row in page.iter().filter(|row| row.facts.state == State::Removed) {
            assert_eq!(row.facts.purge_after, self.model.versions[&row.facts.id].promise, "a promise moved");
        }
        for bucket in &self.model.buckets {
            let row = m.container(ContainerKind::Bucket, bucket.id).await.unwrap();
            assert_eq!(
                row.as_ref().map_or(State::Forgotten, |row| row.state),
                bucket.state,
                "{}",
                bucket.name
            );
            if bucket.state == State::Live {
                let listed = m.list_objects(bucket.other, "", "", 100).await.unwrap();
                let listed: Vec<String> = listed.into_iter().map(|version| version.name).collect();
                assert_eq!(listed, self.model.visible(bucket.other), "{} (database, model)", bucket.name);
                assert_eq!(row.unwrap().contents, Some(bucket.other));
            }
        }
        let mut usage: BTreeMap<(ContainerId, State), (i64, i64)> = BTreeMap::new();
        for row in m.usage().await.unwrap() {
            let sum = usage.entry((row.contents_id, row.state)).or_default();
            *sum = (sum.0 + row.objects, sum.1 + row.bytes);
        }
        assert_eq!(usage, self.model.usage(), "usage (database, model)");
    }
}

async fn both_agree(sqlite: bool, rounds: u64) {
    let given = std::env::var("BARROW_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let first: u64 = given.unwrap_or_else(any_seed);
    let rounds = if given.is_some() { 1 } else { rounds };
    for seed in (0..rounds).map(|round| first.wrapping_add(round)) {
        let world = if sqlite { World::sqlite().await } else { World::postgres().await };
        let mut twin = Twin::new(world, seed).await;
        for step in 0..STEPS {
            let command = twin.choose();
            // Shown when the case fails: the whole story up to there.
            eprintln!("BARROW_TEST_SEED={seed} step {step}: {command:?}");
            twin.carry_out(command).await;
            twin.compare().await;
        }
        twin.world.finish().await;
    }
}

#[tokio::test]
async fn sqlite() {
    both_agree(true, 6).await;
}

#[tokio::test]
async fn postgres() {
    both_agree(false, 3).await;
}
