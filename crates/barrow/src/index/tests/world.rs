//! A bucket, its feed of changes and its ledger of purges, as simply as they can be said.

use crate::exit::Failed;
use crate::index::changes::{Change, Page};
use crate::index::ledger::{Ledger, Purge};
use crate::index::server::{Server, Trouble};
use lifecycle::ContainerId;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Live,
    /// Deleted; can be restored.
    Deleted,
    /// Purged with a grace; can be restored.
    Purged,
    /// Purged for good: in no tree any more.
    Gone,
}

#[derive(Clone, Debug)]
struct Row {
    version: String,
    rev: String,
    parent: Option<String>,
    position: i64,
    change_seq: i64,
    life: Life,
    /// Another live row descends from it.
    covered: bool,
    word: String,
}

impl Row {
    fn order(&self) -> (u64, String) {
        let (generation, hash) = self.rev.split_once('-').unwrap();
        (generation.parse().unwrap(), hash.to_owned())
    }
}

/// What happens to a bucket.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    rows: BTreeMap<String, Vec<Row>>,
    purges: Vec<Purge>,
    pub(super) purges_upto: i64,
    changes_upto: i64,
    last_seq: i64,
    pub(super) change_seq: i64,
    pub(super) purge_seq: i64,
    versions: u64,
    pub(super) follower: Option<(i64, i64)>,
    /// What a large purge means, and has not taken yet.
    left: Vec<(String, String)>,
}

impl Bucket {
    fn leaves(&self, name: &str) -> impl Iterator<Item = &Row> {
        self.rows.get(name).into_iter().flatten().filter(|row| row.life == Life::Live && !row.covered)
    }

    fn winner(&self, name: &str) -> Option<&Row> {
        self.leaves(name).max_by_key(|row| row.order())
    }

    /// Every name's winner.
    pub(super) fn winners(&self) -> Vec<(String, String)> {
        let winner = |name: &String| self.winner(name).map(|row| (name.clone(), row.version.clone()));
        self.rows.keys().filter_map(winner).collect()
    }

    pub(super) fn rev(&self, name: &str) -> String {
        self.winner(name).unwrap().rev.clone()
    }

    /// Writes an object; `keeps` leaves the version before in place.
    pub(super) fn put(&mut self, name: &str, word: &str, keeps: bool) {
        let (position, change_seq) = (self.last_seq + 1, self.change_seq + 1);
        (self.last_seq, self.change_seq, self.versions) = (position, change_seq, self.versions + 1);
        let parent = self.winner(name).map(|row| row.rev.clone());
        let parent = parent.or_else(|| {
            let dead = self.rows.get(name)?.iter().filter(|row| row.life == Life::Deleted);
            dead.max_by_key(|row| row.order()).map(|row| row.rev.clone())
        });
        let generation =
            parent.as_ref().map_or(0, |rev| rev.split_once('-').unwrap().0.parse::<u64>().unwrap()) + 1;
        let rows = self.rows.entry(name.to_owned()).or_default();
        for row in rows.iter_mut().filter(|row| Some(&row.rev) == parent.as_ref() && row.life == Life::Live) {
            (row.covered, row.change_seq) = (true, change_seq);
            if !keeps {
                row.life = Life::Deleted;
            }
        }
        // The same bytes under the same parent are the same revision.
        let rev = format!("{generation}-{word}");
        let version = format!("{:032x}", self.versions);
        let word = word.to_owned();
        rows.push(Row { version, rev, parent, position, change_seq, life: Life::Live, covered: false, word });
    }

    /// A branch that came from elsewhere, beside what is there.
    pub(super) fn branch(&mut self, name: &str, word: &str) {
        let Some(winner) = self.winner(name).cloned() else { return };
        let (position, change_seq) = (self.last_seq + 1, self.change_seq + 1);
        let rev = format!("{}-{word}", winner.order().0);
        if self.rows[name].iter().any(|row| row.rev == rev && row.life != Life::Gone) {
            return;
        }
        (self.last_seq, self.change_seq, self.versions) = (position, change_seq, self.versions + 1);
        let row = Row {
            version: format!("{:032x}", self.versions),
            rev,
            parent: None,
            position,
            change_seq,
            word: word.to_owned(),
            ..winner
        };
        self.rows.get_mut(name).unwrap().push(row);
    }

    fn change(&mut self, name: &str, version: &str, change: impl FnOnce(&mut Row)) {
        self.change_seq += 1;
        let row = self.rows.get_mut(name).unwrap().iter_mut().find(|row| row.version == version).unwrap();
        row.change_seq = self.change_seq;
        change(row);
    }

    pub(super) fn delete(&mut self, name: &str) {
        let leaves: Vec<String> = self.leaves(name).map(|row| row.version.clone()).collect();
        for version in leaves {
            self.change(name, &version, |row| row.life = Life::Deleted);
        }
    }

    /// Brings back what went last, where it stood.
    pub(super) fn restore(&mut self, name: &str) {
        if self.winner(name).is_some() {
            return;
        }
        let dead = self.rows.get(name).into_iter().flatten();
        let last = dead
            .filter(|row| matches!(row.life, Life::Deleted | Life::Purged))
            .max_by_key(|row| row.change_seq);
        let Some(version) = last.map(|row| row.version.clone()) else { return };
        self.change(name, &version, |row| (row.life, row.covered) = (Life::Live, false));
    }

    fn entry(&mut self, purge: Purge) {
        self.purge_seq += 1;
        self.purges.push(Purge { purge_seq: self.purge_seq, upto_seq: Some(self.last_seq), ..purge });
    }

    /// CouchDB's purge: a leaf goes with its ancestors, and is in no tree any more.
    pub(super) fn purge_branch(&mut self, name: &str, rev: &str) {
        let leaf = self.leaves(name).find(|row| row.rev == rev).map(|row| row.rev.clone());
        self.entry(Purge {
            name: Some(name.to_owned()),
            revs: Some(vec![rev.to_owned()]),
            purged: Some(leaf.iter().cloned().collect()),
            ..nothing()
        });
        let mut next = leaf;
        if next.is_some() {
            self.change_seq += 1;
        }
        while let Some(rev) = next {
            let rows = self.rows.get_mut(name).unwrap();
            next = None;
            for row in rows.iter_mut().filter(|row| row.rev == rev && row.life != Life::Gone) {
                next = row.parent.clone();
                row.life = Life::Gone;
            }
        }
        // Whatever is left of the name is told anew.
        let left: Vec<String> = self.leaves(name).map(|row| row.version.clone()).collect();
        for version in left {
            self.change(name, &version, |_| {});
        }
    }

    /// The current version goes, and shows what it covered.
    pub(super) fn purge_version(&mut self, name: &str) {
        let Some(winner) = self.winner(name).cloned() else { return };
        let revs = Some(vec![winner.rev.clone()]);
        self.entry(Purge { name: Some(name.to_owned()), purged: revs.clone(), revs, ..nothing() });
        self.end(name, &winner.version);
    }

    fn end(&mut self, name: &str, version: &str) {
        self.change(name, version, |row| row.life = Life::Purged);
        if self.leaves(name).next().is_none() {
            let covered = self.rows.get_mut(name).unwrap().iter_mut().filter(|row| row.life == Life::Live);
            if let Some(row) = covered.max_by_key(|row| row.position) {
                row.covered = false;
            }
        }
    }

    /// A large purge takes the next of what it means.
    pub(super) fn go_on(&mut self) -> bool {
        let Some((name, version)) = self.left.pop() else { return false };
        let there = |row: &Row| row.version == version && row.life == Life::Live;
        if self.rows.get(&name).is_some_and(|rows| rows.iter().any(there)) {
            self.end(&name, &version);
        }
        true
    }

    /// Whatever the selector meets, but what is guarded; the entry is written first. Of `keep_per_name` the world knows only 1.
    pub(super) fn purge_selected(
        &mut self,
        selector: Value,
        meets: impl Fn(&str) -> bool,
        guarded: &[String],
        at_once: bool,
    ) {
        while self.go_on() {}
        self.entry(Purge { selector: Some(selector.clone()), ..nothing() });
        let mut ends = Vec::new();
        for (name, rows) in &self.rows {
            let live =
                rows.iter().filter(|row| row.life == Life::Live && meets(name) && !guarded.contains(name));
            let spared =
                if selector["keep_per_name"] == 1 { self.winner(name).map(|row| row.position) } else { None };
            let before = selector["before_seq"].as_i64().unwrap_or(i64::MAX);
            let met = live.filter(|row| Some(row.position) != spared && row.position < before);
            ends.extend(met.map(|row| (name.clone(), row.version.clone())));
        }
        // The older ones go first, so that none shows.
        ends.reverse();
        self.left = ends;
        if at_once {
            while self.go_on() {}
        }
    }

    /// All that it holds is taken out at once, and nothing of that is a change.
    pub(super) fn empty(&mut self) {
        self.entry(Purge { selector: Some(json!({ "filter": ">" })), ..nothing() });
        self.change_seq += 1;
        self.left.clear();
        self.rows.clear();
    }

    /// Forgets entries, whether somebody needs them or not.
    pub(super) fn truncate_ledger(&mut self) {
        self.purges_upto = self.purge_seq;
        self.purges.clear();
    }

    /// Forgets names that are no more.
    pub(super) fn forget(&mut self) {
        let gone = |rows: &Vec<Row>| rows.iter().all(|row| row.life != Life::Live);
        for (_, rows) in self.rows.extract_if(.., |_, rows| gone(rows)) {
            let last = rows.iter().map(|row| row.change_seq).max().unwrap_or(0);
            self.changes_upto = self.changes_upto.max(last);
        }
    }

    fn page(&self, since: i64, limit: usize, purge_seq: i64) -> Result<Page, Trouble> {
        if since > 0 && since < self.changes_upto {
            return Err(Trouble::Truncated("changes are missing".to_owned()));
        }
        let mut all = Vec::new();
        for (name, rows) in &self.rows {
            let known = rows.iter().filter(|row| row.life != Life::Gone);
            let Some(latest) = known.max_by_key(|row| row.change_seq) else { continue };
            let change = match self.winner(name) {
                Some(row) => change(name, latest.change_seq, row, false),
                None => change(name, latest.change_seq, latest, true),
            };
            all.push(change);
        }
        all.retain(|change| change.seq > since);
        all.sort_by_key(|change| change.seq);
        let pending = all.len().saturating_sub(limit);
        all.truncate(limit);
        let last = if pending == 0 { self.change_seq } else { all.last().map_or(since, |change| change.seq) };
        let pending = i64::try_from(pending).unwrap();
        Ok(Page { changes: all, last_seq: last, change_seq: self.change_seq, purge_seq, pending })
    }
}

fn nothing() -> Purge {
    Purge { purge_seq: 0, name: None, revs: None, purged: None, selector: None, upto_seq: None, origin: None }
}

fn change(name: &str, seq: i64, row: &Row, deleted: bool) -> Change {
    serde_json::from_value(json!({
        "seq": seq, "name": name, "deleted": deleted, "purged": row.life == Life::Purged, "rev": row.rev,
        "version": if deleted { Value::Null } else { row.version.clone().into() },
        "position": row.position, "size": 4, "content_type": "text/plain", "created_at": "2026-03-03T09:00:00.000Z",
        "headers": [["x-amz-meta-word", format!("everywhere {}", row.word)]], "tags": { "word": row.word }
    }))
    .unwrap()
}

/// What may happen at any moment while the index is read for.
type Mischief = Box<dyn Fn(&mut Bucket, &mut SmallRng)>;

/// A server with one bucket.
pub(super) struct World {
    pub(super) id: Cell<ContainerId>,
    pub(super) bucket: RefCell<Bucket>,
    pub(super) gone: Cell<bool>,
    /// Changes, and entries, of one answer.
    pub(super) page: usize,
    pub(super) mischief: RefCell<Option<Mischief>>,
    /// How likely a request finds no server.
    pub(super) dies: Cell<f64>,
    pub(super) questions: Cell<u64>,
    /// Several processes keep the file: one may tell how far it has come after another that has come further.
    pub(super) crowded: Cell<bool>,
    random: RefCell<SmallRng>,
}

impl World {
    pub(super) fn new() -> Self {
        World {
            id: Cell::new(ContainerId::random()),
            bucket: RefCell::default(),
            gone: Cell::new(false),
            page: 1_000,
            mischief: RefCell::default(),
            dies: Cell::new(0.0),
            questions: Cell::new(0),
            crowded: Cell::new(false),
            random: RefCell::new(SmallRng::seed_from_u64(1)),
        }
    }

    pub(super) fn seeded(seed: u64) -> Self {
        World { random: RefCell::new(SmallRng::seed_from_u64(seed)), page: 3, ..World::new() }
    }

    /// Something may happen before anything is answered; and perhaps nobody answers.
    fn meanwhile(&self) -> Result<(), Trouble> {
        let mut random = self.random.borrow_mut();
        if let Some(mischief) = &*self.mischief.borrow() {
            mischief(&mut self.bucket.borrow_mut(), &mut random);
        }
        if random.random_bool(self.dies.get()) {
            return Err(Trouble::Failed(Failed::Unreachable("killed".to_owned())));
        }
        if self.gone.get() {
            return Err(Trouble::Gone("NoSuchBucket".to_owned()));
        }
        Ok(())
    }
}

impl Server for World {
    async fn bucket(&self) -> Result<ContainerId, Trouble> {
        self.meanwhile()?;
        Ok(self.id.get())
    }

    async fn changes(&self, bucket: ContainerId, since: i64, _: Duration) -> Result<Page, Trouble> {
        self.meanwhile()?;
        assert_eq!(bucket, self.id.get());
        let purge_seq = self.bucket.borrow().purge_seq;
        // Purges of this very moment are in the page, and beyond the number.
        self.meanwhile()?;
        let page = self.bucket.borrow().page(since, self.page, purge_seq)?;
        self.meanwhile()?;
        Ok(page)
    }

    async fn purges(&self, _: ContainerId, since: i64) -> Result<Ledger, Trouble> {
        self.meanwhile()?;
        let bucket = self.bucket.borrow();
        if since < bucket.purges_upto {
            return Err(Trouble::Truncated("purges are missing".to_owned()));
        }
        let purges = bucket.purges.iter().filter(|purge| purge.purge_seq > since).take(self.page).cloned();
        Ok(Ledger { last: bucket.purge_seq, purges: purges.collect() })
    }

    async fn is_current(&self, _: ContainerId, name: &str, version: &str) -> Result<bool, Trouble> {
        self.questions.set(self.questions.get() + 1);
        self.meanwhile()?;
        Ok(self.bucket.borrow().winner(name).is_some_and(|winner| winner.version == version))
    }

    async fn follow(&self, _: ContainerId, _: &str, cursors: Option<(i64, i64)>) -> Result<(), Trouble> {
        self.meanwhile()?;
        let mut bucket = self.bucket.borrow_mut();
        if let Some((change, purge)) = cursors {
            let known = bucket.follower.unwrap_or((0, 0));
            let grows = known.0 <= change && known.1 <= purge;
            assert!(grows || self.crowded.get(), "a cursor only grows: {known:?} {cursors:?}");
            bucket.follower = if grows { cursors } else { Some(known) };
        }
        Ok(())
    }

    async fn leave(&self, _: ContainerId, _: &str) -> Result<(), Trouble> {
        self.meanwhile()?;
        self.bucket.borrow_mut().follower = None;
        Ok(())
    }
}

/// Anything that may happen to a bucket of few names and few words.
pub(super) fn anything(bucket: &mut Bucket, random: &mut SmallRng) {
    let names = ["a", "b", "kv/a", "kv/b", "kv/c", "x/y/z"];
    let words = ["red", "green", "blue"];
    let name = (*names.choose(random).unwrap()).to_owned();
    let word = *words.choose(random).unwrap();
    let guarded = if random.random_bool(0.3) { vec![name.clone()] } else { Vec::new() };
    let at_once = random.random_bool(0.4);
    match random.random_range(0..28) {
        0..7 => bucket.put(&name, word, random.random_bool(0.5)),
        7..9 => bucket.delete(&name),
        9..12 => bucket.restore(&name),
        12 => bucket.branch(&name, word),
        13..15 => {
            if let Some(row) = bucket.rows.get(&name).and_then(|rows| rows.choose(random)).cloned() {
                bucket.purge_branch(&name, &row.rev);
            }
        }
        15..17 => {
            if let Some(rev) = bucket.winner(&name).map(|row| row.rev.clone()) {
                bucket.purge_branch(&name, &rev);
            }
        }
        17..19 => bucket.purge_version(&name),
        19 => bucket.purge_selected(
            json!({ "filter": "kv/*" }),
            |name| name.starts_with("kv/"),
            &guarded,
            at_once,
        ),
        20 => {
            bucket.purge_selected(json!({ "filter": ">", "keep_per_name": 1 }), |_| true, &guarded, at_once)
        }
        21 => {
            let before = bucket.last_seq - random.random_range(0..4);
            bucket.purge_selected(
                json!({ "prefix": "k", "before_seq": before }),
                |name| name.starts_with('k'),
                &guarded,
                at_once,
            );
        }
        22 => match random.random_range(0..6) {
            0 => bucket.empty(),
            1 => bucket.truncate_ledger(),
            2 => bucket.forget(),
            _ => {}
        },
        _ => drop(bucket.go_on()),
    }
}
