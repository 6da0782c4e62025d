//! The changes of a bucket: what each page tells, and what a follower that applies them ends with.

use crate::concurrency::{all, spread};
use crate::world::*;
use lifecycle::revision::Revision;
use lifecycle::{Asked, Refusal, VersionId};
use metadata::{
    Change, ChangesPage, Failure, Metadata, PurgePair, PurgeSelector, PurgeState, PurgeVersions,
    RevisionPurge, Tell,
};
use std::collections::BTreeMap;
use std::time::Duration;

async fn page(world: &World, since: i64, limit: u32) -> ChangesPage {
    world.m.changes(world.bucket, since, limit, false).await.unwrap()
}

/// `name`, with a `-` before it if it is told deleted.
fn words(page: &ChangesPage) -> Vec<String> {
    let word = |change: &Change| format!("{}{}", if change.deleted { "-" } else { "" }, change.name);
    page.changes.iter().map(word).collect()
}

async fn revision(world: &World, version: VersionId) -> Revision {
    world.row(version).await.revision.unwrap()
}

/// A bucket that is emptied has no rows left that could tell.
const EVERYTHING: &str = r#"{"filter":">"}"#;
const TELL: Tell = Tell { all_leaves: false, purged: true };

/// Whoever keeps a copy of which version each name has.
#[derive(Debug, Default)]
pub(crate) struct Copy {
    pub(crate) names: BTreeMap<String, (Revision, i64)>,
    pub(crate) since: i64,
    purged: Option<i64>,
    /// How often it had to begin anew.
    pub(crate) begun_anew: u32,
    /// How much it was told.
    pub(crate) told: usize,
}

impl Copy {
    /// Applies the next page, and tells whether anything may lie behind it.
    pub(crate) async fn step(
        &mut self,
        m: &Metadata,
        bucket: lifecycle::ContainerId,
        limit: u32,
    ) -> Result<bool, Failure> {
        let page = match m.changes_telling(bucket, self.since, limit, TELL).await {
            Ok(page) => page,
            Err(Failure::Refused(Refusal::HistoryTruncated { .. })) => {
                *self = Copy { begun_anew: self.begun_anew + 1, ..Copy::default() };
                return Ok(true);
            }
            Err(other) => return Err(other),
        };
        let since = *self.purged.get_or_insert(page.purge_seq);
        if since < page.purge_seq {
            for purge in m.purges(bucket, Some(since), 1_000).await?.purges {
                if purge.purge_seq > page.purge_seq {
                    break;
                }
                self.purge(&purge);
                self.purged = Some(purge.purge_seq);
            }
        }
        let mut last = self.since;
        for change in page.changes {
            assert!(change.seq > self.since && change.seq >= last, "{change:?} behind {}", self.since);
            assert!(change.seq <= page.last_seq);
            last = change.seq;
            self.told += 1;
            match change.position {
                Some(position) if !change.deleted => {
                    self.names.insert(change.name, (change.revision, position))
                }
                _ => self.names.remove(&change.name),
            };
        }
        self.since = page.last_seq;
        Ok(page.pending > 0)
    }

    fn purge(&mut self, purge: &metadata::Purge) {
        match (&purge.name, &purge.selector) {
            (Some(name), _) => {
                let gone: Vec<String> = serde_json::from_str(purge.purged.as_deref().unwrap()).unwrap();
                // What led to a purged end alone went with it; what survives is told anew behind this.
                if !gone.is_empty() && self.names.get(name).is_some_and(|(_, at)| *at <= purge.upto_seq) {
                    self.names.remove(name);
                }
            }
            // What is purged of the rest, and what is not, the changes tell.
            (None, Some(selector)) if selector != EVERYTHING => {}
            (None, Some(_)) => {
                self.names.retain(|_, (_, at)| *at > purge.upto_seq);
            }
            (None, None) => panic!("{purge:?} purges nothing"),
        }
    }

    pub(crate) async fn catch_up(&mut self, m: &Metadata, bucket: lifecycle::ContainerId, limit: u32) {
        while self.step(m, bucket, limit).await.unwrap() {}
    }
}

/// Purges all versions of some names, piece by piece.
async fn purge(caller: &Caller, names: &[&str], is_final: bool) {
    let selector = PurgeSelector { names: crate::purges::listed(names), bound: None };
    let order = PurgeVersions { selector, is_final, ..crate::purges::order(caller) };
    let mut job = crate::purges::begin(caller, order).await;
    while job.state == PurgeState::Running && !job.waits {
        job = crate::purges::step(caller, job.id).await.unwrap();
    }
}

/// Purges what a name is, as CouchDB does: at once and for good.
async fn purge_revision(caller: &Caller, name: &str) {
    let Some(found) = caller.find(name).await else { return };
    let rev = Asked::parse(&found.version.revision.unwrap().to_string()).unwrap();
    let pairs = vec![PurgePair { name: name.to_owned(), revs: vec![rev], purge_id: None }];
    let (domain, bucket) = (caller.domain, caller.bucket);
    let order = RevisionPurge { domain, bucket, pairs, door: "couch", actor: "olga".to_owned() };
    caller.m.purge_revisions(order).await.unwrap();
}

/// What the listing shows, with the revision of each.
async fn listed(world: &World) -> BTreeMap<String, Revision> {
    let mut names = BTreeMap::new();
    for name in world.lists().await {
        let found = world.find(&name).await.unwrap();
        names.insert(name, found.version.revision.unwrap());
    }
    names
}

fn revisions(copy: &Copy) -> BTreeMap<String, Revision> {
    copy.names.iter().map(|(name, (revision, _))| (name.clone(), *revision)).collect()
}

on_both_engines! {
    async fn a_page_tells_what_each_name_is_now(world: World) {
        assert_eq!(page(world, 0, 10).await, ChangesPage { changes: vec![], last_seq: 0, change_seq: 0, pending: 0, purge_seq: 0 });
        let a = world.put("a").body("1").headers(r#"[["content-type","text/plain"]]"#).await.unwrap();
        let b = world.put("b").body("22").tags(r#"[["k","v"]]"#).await.unwrap();
        let told = page(world, 0, 10).await;
        assert_eq!((told.last_seq, told.change_seq, told.pending), (2, 2, 0));
        let [first, second] = &told.changes[..] else { panic!("{told:?}") };
        assert_eq!((first.name.as_str(), first.seq, first.deleted, first.size), ("a", 1, false, 1));
        assert_eq!((first.version, first.position), (Some(a.version), Some(a.seq)));
        assert_eq!(first.revision, revision(world, a.version).await);
        assert_eq!(first.headers, r#"[["content-type","text/plain"]]"#);
        assert_eq!((second.version, second.tags.as_deref()), (Some(b.version), Some(r#"[["k","v"]]"#)));
        assert_eq!(words(&page(world, 1, 10).await), ["b"]);
        assert_eq!(words(&page(world, 2, 10).await), Vec::<String>::new());
    }

    async fn what_was_overwritten_is_told_once_as_it_is_now(world: World) {
        for body in ["1", "2", "3"] {
            world.put("a").body(body).await.unwrap();
        }
        world.put("b").await.unwrap();
        let told = page(world, 0, 10).await;
        assert_eq!((words(&told), told.changes[0].seq), (vec!["a".to_owned(), "b".to_owned()], 3));
        assert_eq!(told.changes[0].revision.generation, 3);
    }

    async fn a_deleted_name_is_told_with_its_tombstone(world: World) {
        let a = world.put("a").await.unwrap();
        world.put("b").await.unwrap();
        world.delete("a").await.unwrap();
        let told = page(world, 0, 10).await;
        assert_eq!(words(&told), ["b", "-a"]);
        let gone = &told.changes[1];
        assert_eq!(gone.revision, Revision::deleted(Some(revision(world, a.version).await)));
        assert_eq!((gone.version, gone.position, gone.size), (None, None, 0));
        // Its bytes gone, the tombstone says the same.
        world.later(OBJECT_GRACE * 2);
        assert_eq!(world.reclaim().await, 1);
        assert_eq!(page(world, 0, 10).await, told);
        // And what is written then follows it.
        let again = world.put("a").await.unwrap();
        assert_eq!(revision(world, again.version).await.generation, gone.revision.generation + 1);
        assert_eq!(words(&page(world, 3, 10).await), ["a"]);
    }

    async fn a_delete_marker_is_told_as_what_it_is(world: World) {
        world.versioning("enabled").await;
        let first = world.put("a").await.unwrap();
        let marker = world.delete("a").await.unwrap().marker.unwrap();
        let told = page(world, 0, 10).await;
        assert_eq!(words(&told), ["-a"]);
        assert_eq!((told.changes[0].version, told.changes[0].position), (Some(marker), Some(2)));
        assert_eq!(told.changes[0].revision, revision(world, marker).await);
        // Taken away, it uncovers what it hid, and that has not changed.
        world.delete("a").version(marker).await.unwrap();
        let told = page(world, told.last_seq, 10).await;
        assert_eq!((words(&told), told.changes[0].version), (vec!["a".to_owned()], Some(first.version)));
        assert_eq!(told.changes[0].seq, told.change_seq);
    }

    async fn an_older_version_that_goes_tells_its_name_again(world: World) {
        world.versioning("enabled").await;
        let old = world.put("a").body("1").await.unwrap();
        let new = world.put("a").body("2").await.unwrap();
        let seen = page(world, 0, 10).await.last_seq;
        world.delete("a").version(old.version).await.unwrap();
        let told = page(world, seen, 10).await;
        assert_eq!((words(&told), told.changes[0].version), (vec!["a".to_owned()], Some(new.version)));
    }

    async fn tags_restores_and_renames_are_changes(world: World) {
        world.put("a").body("1").await.unwrap();
        let mut seen = page(world, 0, 10).await.last_seq;
        world.m.set_tags(world.domain, world.bucket, "a", metadata::Which::Current, Some("[]".to_owned())).await.unwrap();
        let told = page(world, seen, 10).await;
        assert_eq!((words(&told), told.changes[0].tags.as_deref()), (vec!["a".to_owned()], Some("[]")));
        seen = told.last_seq;
        world.rename("a", "b").body("1").await.unwrap();
        let told = page(world, seen, 10).await;
        let mut both = words(&told);
        both.sort();
        assert_eq!(both, ["-a", "b"]);
        seen = told.last_seq;
        world.delete("b").await.unwrap();
        world.restore("b").await.unwrap();
        let told = page(world, seen, 10).await;
        assert_eq!(words(&told), ["b"]);
        assert_eq!(told.changes[0].revision, world.find("b").await.unwrap().version.revision.unwrap());
    }

    /// The row that told of the old name's deletion tells of the new name now.
    async fn what_comes_back_under_another_name_leaves_nobody_with_the_old_one(world: World) {
        world.put("a").await.unwrap();
        let mut copy = Copy::default();
        copy.catch_up(&world.m, world.bucket, 10).await;
        world.delete("a").await.unwrap();
        let passed = page(world, 0, 10).await.last_seq;
        world.restore("a").under("b").await.unwrap();
        copy.catch_up(&world.m, world.bucket, 10).await;
        assert_eq!((revisions(&copy), copy.begun_anew), (listed(world).await, 1));
        assert_eq!(words(&page(world, passed, 10).await), ["b"], "whoever had passed it goes on");
    }

    async fn pages_go_on_where_the_last_one_ended(world: World) {
        for n in 0..25 {
            world.put(&format!("n{n:02}")).await.unwrap();
        }
        for n in (0..25).step_by(5) {
            world.delete(&format!("n{n:02}")).await.unwrap();
        }
        let (mut since, mut told) = (0, Vec::new());
        loop {
            let page = page(world, since, 4).await;
            assert!(page.changes.len() <= 4 && page.last_seq > since);
            told.extend(words(&page));
            since = page.last_seq;
            if page.pending == 0 {
                break;
            }
        }
        told.sort();
        let mut wanted: Vec<String> = (0..25).map(|n| format!("{}n{n:02}", if n % 5 == 0 { "-" } else { "" })).collect();
        wanted.sort();
        assert_eq!(told, wanted, "no name twice, and none that was overtaken");
    }

    /// Rows of one number are told together, or whoever asks behind it would miss some.
    async fn a_page_never_cuts_through_one_number(world: World) {
        for n in 0..9 {
            world.put(&format!("n{n}")).await.unwrap();
        }
        world.put_wrong("UPDATE versions SET change_seq = 5 WHERE change_seq BETWEEN 3 AND 8").await;
        assert_eq!(words(&page(world, 0, 4).await), ["n0", "n1"]);
        let together = page(world, 2, 4).await;
        assert_eq!((together.changes.len(), together.last_seq), (6, 5));
        assert_eq!(words(&page(world, 5, 4).await), ["n8"]);
        world.put_wrong("UPDATE versions SET change_seq = seq").await;
    }

    async fn an_expiry_is_a_change_when_it_is_swept(world: World) {
        world.put("a").expires_in(HOUR).await.unwrap();
        let seen = page(world, 0, 10).await;
        assert_eq!(seen.changes[0].expires_at, Some(world.now().plus(HOUR)));
        world.later(HOUR * 2);
        assert_eq!(world.lists().await, Vec::<String>::new());
        assert_eq!(words(&page(world, 0, 10).await), ["a"], "told as it is, with its time");
        assert_eq!(words(&page(world, seen.last_seq, 10).await), Vec::<String>::new());
    }

    async fn an_emptied_bucket_tells_its_ledger_and_goes_on(world: World) {
        let mut copy = Copy::default();
        world.put("a").await.unwrap();
        world.put("b").await.unwrap();
        copy.catch_up(&world.m, world.bucket, 10).await;
        assert_eq!(copy.names.len(), 2);
        world.empty_bucket().await.unwrap();
        world.put("b").body("new").await.unwrap();
        copy.catch_up(&world.m, world.bucket, 10).await;
        assert_eq!((revisions(&copy), copy.begun_anew), (listed(world).await, 0));
    }

    async fn restored_contents_are_begun_anew(world: World) {
        world.put("a").await.unwrap();
        let old = world.contents().await;
        let mut copy = Copy::default();
        copy.catch_up(&world.m, world.bucket, 10).await;
        world.empty_bucket().await.unwrap();
        copy.catch_up(&world.m, world.bucket, 10).await;
        assert!(copy.names.is_empty());
        world.restore_contents(old, None).await.unwrap();
        copy.catch_up(&world.m, world.bucket, 10).await;
        assert_eq!((revisions(&copy), copy.begun_anew), (listed(world).await, 1));
    }

    async fn a_cursor_of_another_history_is_refused(world: World) {
        world.put("a").await.unwrap();
        let refused = world.m.changes(world.bucket, 2, 10, false).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::HistoryTruncated { oldest: 0 }));
        world.remove_bucket().await.unwrap();
        let refused = world.m.changes(world.bucket, 0, 10, false).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::NoSuchBucket));
    }

    /// A large purge takes what it means long after its entry in the ledger.
    async fn what_a_purge_of_versions_took_is_told_to_whoever_asks(world: World) {
        for name in ["a", "b", "c"] {
            world.put(name).await.unwrap();
        }
        let mut copy = Copy::default();
        copy.catch_up(&world.m, world.bucket, 10).await;
        purge(world, &["a", "b"], true).await;
        assert_eq!(words(&page(world, copy.since, 10).await), Vec::<String>::new());
        let told = world.m.changes_telling(world.bucket, copy.since, 10, TELL).await.unwrap();
        let mut names = words(&told);
        names.sort();
        assert_eq!(names, ["-a", "-b"]);
        assert!(told.changes.iter().all(|change| change.purged && change.version.is_none()));
        copy.catch_up(&world.m, world.bucket, 10).await;
        assert_eq!((revisions(&copy), copy.begun_anew), (listed(world).await, 0));
        world.put("a").await.unwrap();
        assert_eq!(words(&page(world, copy.since, 10).await), ["a"]);
    }

    /// Whoever missed the deletion cannot be told of it any more.
    async fn what_is_forgotten_is_not_passed_over_in_silence(world: World) {
        world.put("a").await.unwrap();
        world.put("b").await.unwrap();
        let mut copy = Copy::default();
        copy.catch_up(&world.m, world.bucket, 10).await;
        world.delete("a").await.unwrap();
        world.later(OBJECT_GRACE * 2);
        world.reclaim().await;
        world.later(MEMORY * 2);
        assert_eq!(world.forget().await.0, 1);
        let refused = world.m.changes(world.bucket, copy.since, 10, false).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::HistoryTruncated { oldest: 3 }));
        assert_eq!(words(&page(world, 3, 10).await), Vec::<String>::new(), "whoever had passed it goes on");
        copy.catch_up(&world.m, world.bucket, 10).await;
        assert_eq!((revisions(&copy), copy.begun_anew), (listed(world).await, 1));
    }

    async fn what_is_overwritten_and_forgotten_is_missed_by_nobody(world: World) {
        world.put("a").body("1").await.unwrap();
        let seen = page(world, 0, 10).await.last_seq;
        world.put("a").body("2").await.unwrap();
        world.later(OBJECT_GRACE * 2);
        world.reclaim().await;
        world.later(MEMORY * 2);
        assert_eq!(world.forget().await.0, 1);
        assert_eq!(words(&page(world, seen, 10).await), ["a"]);
    }

    async fn whoever_waits_is_woken_by_a_write(world: World) {
        world.put("a").await.unwrap();
        let long = Duration::from_secs(30);
        assert!(world.m.changes_behind(world.bucket, 0, long).await.unwrap(), "at once");
        assert!(!world.m.changes_behind(world.bucket, 1, Duration::from_millis(50)).await.unwrap());
        let (waiting, writing) = tokio::join!(world.m.changes_behind(world.bucket, 1, long), world.delete("a"));
        writing.unwrap();
        assert!(waiting.unwrap());
    }
}

racing_on_both_engines! {
    /// Page after page while others write, a follower misses nothing and ends with what there is.
    async fn a_follower_ends_with_what_the_bucket_holds(world: World) {
        const NAMES: usize = 13;
        let callers = world.callers(4).await;
        for policy in ["disabled", "enabled"] {
            if policy == "enabled" {
                world.versioning(policy).await;
            }
            let follow = async |m: Metadata, limit: u32, done: tokio::sync::watch::Receiver<bool>| {
                let mut copy = Copy::default();
                loop {
                    let last = *done.borrow();
                    let more = copy.step(&m, world.bucket, limit).await.unwrap();
                    if last && !more {
                        return copy;
                    }
                    m.changes_behind(world.bucket, copy.since, Duration::from_millis(20)).await.ok();
                }
            };
            let (stop, done) = tokio::sync::watch::channel(false);
            let writing = async {
                let doing = spread(&callers, 400, |caller, n| async move {
                    let name = format!("n{}", n * 7 % NAMES);
                    match n * 11 % 10 {
                        0..=5 => drop(caller.put(&name).body(&n.to_string()).await),
                        6 if n % 3 == 0 => purge_revision(&caller, &name).await,
                        6 | 7 => drop(caller.delete(&name).await),
                        8 if n % 20 == 8 => drop(caller.restore(&name).under(&format!("n{}", (n + 5) % NAMES)).await),
                        8 => drop(caller.restore(&name).await),
                        _ if n % 30 == 19 => purge(&caller, &[&name, &format!("n{}", (n + 1) % NAMES)], n % 60 == 19).await,
                        _ if n % 90 == 9 => drop(caller.empty_bucket().await),
                        _ => drop(caller.rename(&name, &format!("n{}", (n + 3) % NAMES)).body(&n.to_string()).await),
                    }
                });
                all(doing).await;
                stop.send_replace(true);
            };
            let ((), small, large) = tokio::join!(
                writing,
                follow(world.m.clone(), 3, done.clone()),
                follow(callers[1].m.clone(), 100, done.clone())
            );
            let wanted = listed(world).await;
            for copy in [small, large] {
                assert_eq!(revisions(&copy), wanted, "{policy}");
            }
            let mut late = Copy::default();
            late.catch_up(&world.m, world.bucket, 7).await;
            assert_eq!(revisions(&late), wanted, "{policy}, from the beginning");
        }
    }
}
