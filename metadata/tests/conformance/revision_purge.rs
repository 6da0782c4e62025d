//! Purging revisions: what goes, what stays, what is counted and what is written down.

use crate::world::*;
use lifecycle::revision::Revision;
use lifecycle::{Asked, Guard, Refusal, State, VersionId};
use metadata::{PurgePair, RevisionPurge, RevisionsPurged};

async fn put(world: &World, name: &str, body: &str) -> Revision {
    let md5 = [body.bytes().fold(0_u8, u8::wrapping_add); 16];
    let version = world.put(name).body(body).md5(md5).await.unwrap().version;
    revision(world, version).await
}

async fn revision(world: &World, version: VersionId) -> Revision {
    world.row(version).await.revision.unwrap()
}

fn pair(name: &str, revs: &[Revision]) -> PurgePair {
    PurgePair {
        name: name.to_owned(),
        revs: revs.iter().map(|one| Asked::from(*one)).collect(),
        purge_id: None,
    }
}

fn order(world: &World, pairs: Vec<PurgePair>) -> RevisionPurge {
    let (domain, bucket) = (world.domain, world.bucket);
    RevisionPurge { domain, bucket, pairs, door: "couch", actor: "olga".to_owned() }
}

async fn purge(world: &World, pairs: Vec<PurgePair>) -> RevisionsPurged {
    world.m.purge_revisions(order(world, pairs)).await.unwrap()
}

/// What went of each pair.
fn went(purged: &RevisionsPurged) -> Vec<Vec<String>> {
    let revisions = |asked: &[Asked]| asked.iter().map(ToString::to_string).collect();
    purged.pairs.iter().map(|pair| revisions(pair.purged.as_deref().unwrap())).collect()
}

fn texts(revs: &[Revision]) -> Vec<String> {
    revs.iter().map(ToString::to_string).collect()
}

/// The bucket's last change and last entry of the ledger.
async fn counters(world: &World) -> (i64, i64) {
    let text = "SELECT CAST(change_seq AS TEXT) || ' ' || CAST(purge_seq AS TEXT) FROM buckets WHERE name = 'photos'";
    let found = world.ask(text).await;
    let (change, purge) = found[0].split_once(' ').unwrap();
    (change.parse().unwrap(), purge.parse().unwrap())
}

/// The names in the ledger, in its order.
async fn ledger(world: &World) -> Vec<String> {
    world.ask("SELECT name || ' ' || revs || ' ' || purged FROM purges ORDER BY purge_seq").await
}

async fn leaves(world: &World, name: &str) -> Vec<Revision> {
    let trees = world.m.revision_trees(world.bucket, &[name.to_owned()]).await.unwrap();
    trees[name].leaves().iter().map(|leaf| leaf.revision).collect()
}

/// Two versions of a name that know nothing of each other, as they come from elsewhere: the second one wins.
async fn two_roots(world: &World, name: &str) -> [(VersionId, Revision); 2] {
    fork(world, name, 1, "NULL").await
}

/// 1 ← 2-b and 1 ← 2-c, all with bytes; 2-c wins.
async fn two_branches(world: &World, name: &str) -> (VersionId, [(VersionId, Revision); 2]) {
    let root = world.put(name).body("root").await.unwrap().version;
    let parent = revision(world, root).await;
    let hash: String = parent.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = if world.is_sqlite() { format!("x'{hash}'") } else { format!("'\\x{hash}'::bytea") };
    (root, fork(world, name, 2, &hash).await)
}

async fn fork(world: &World, name: &str, generation: u32, parent: &str) -> [(VersionId, Revision); 2] {
    let loser = world.put(name).body("loser").await.unwrap().version;
    let winner = world.put(name).body("winner").await.unwrap().version;
    for (version, letter, conflict) in [(loser, "bb", 1), (winner, "cc", 0)] {
        let hash = letter.repeat(16);
        let (id, hash) = match world.is_sqlite() {
            true => (format!("x'{version}'"), format!("x'{hash}'")),
            false => (format!("'\\x{version}'::bytea"), format!("'\\x{hash}'::bytea")),
        };
        let touched = world
            .put_wrong(&format!(
                "UPDATE versions SET generation = {generation}, revision = {hash}, parent_revision = {parent},
                    conflict = {conflict} WHERE id = {id}"
            ))
            .await;
        assert_eq!(touched, 1);
    }
    [(loser, Revision { generation, hash: [0xbb; 16] }), (winner, Revision { generation, hash: [0xcc; 16] })]
}

on_both_engines! {
    /// CP-01, CP-03: the name is gone, as if it had never been, and the ledger knows.
    async fn the_only_revision_goes_and_the_name_with_it(world: World) {
        let foo = put(world, "foo1", "1").await;
        assert_eq!(counters(world).await, (1, 0));
        let purged = purge(world, vec![pair("foo1", &[foo])]).await;
        assert_eq!(went(&purged), [texts(&[foo])]);
        assert_eq!((purged.change_seq, purged.purge_seq, purged.versions, purged.bytes), (2, 1, 1, 1));
        assert_eq!(counters(world).await, (2, 1));
        assert_eq!((world.reads("foo1").await, world.lists().await.len()), (None, 0));
        assert_eq!(ledger(world).await, [format!("foo1 [\"{foo}\"] [\"{foo}\"]")]);
        assert!(leaves(world, "foo1").await.is_empty());

        put(world, "foo2", "2").await;
        let third = put(world, "foo3", "3").await;
        purge(world, vec![pair("foo3", &[third])]).await;
        assert_eq!((world.lists().await, counters(world).await), (vec!["foo2".to_owned()], (5, 2)));
    }

    /// CP-02, CP-05, CP-09, CP-11: what is not there is no error, and it is counted.
    async fn what_is_not_there_is_passed_over_and_written_down(world: World) {
        let none = PurgePair { revs: vec![Asked::parse("0-0").unwrap()], ..pair("foo", &[]) };
        let purged = purge(world, vec![none]).await;
        assert_eq!((went(&purged), counters(world).await), (vec![vec![]], (1, 1)));
        assert_eq!(ledger(world).await, ["foo [\"0-0\"] []"]);

        assert!(purge(world, Vec::new()).await.pairs.is_empty());
        assert_eq!(counters(world).await, (1, 1), "nothing was asked");

        let (one, two) = (put(world, "foo1", "1").await, put(world, "foo2", "22").await);
        let purged = purge(world, vec![pair("baz", &[one]), pair("foo1", &[two])]).await;
        assert_eq!(went(&purged), [texts(&[]), texts(&[])]);
        assert_eq!((world.lists().await.len(), counters(world).await), (2, (4, 3)));
    }

    /// CP-04: one bump for all of them, and a number each in the ledger.
    async fn several_names_go_as_one_change(world: World) {
        let (one, two) = (put(world, "foo1", "1").await, put(world, "foo2", "2").await);
        let purged = purge(world, vec![pair("foo2", &[two]), pair("foo1", &[one])]).await;
        assert_eq!(went(&purged), [texts(&[two]), texts(&[one])]);
        let numbers: Vec<_> = purged.pairs.iter().map(|pair| pair.purge_seq).collect();
        assert_eq!((numbers, counters(world).await), (vec![Some(1), Some(2)], (3, 2)));
        assert!(world.lists().await.is_empty());
    }

    /// CP-06: a delete is purged by the revision that it has, or would have.
    async fn a_delete_is_purged_like_any_other_end(world: World) {
        let first = put(world, "foo", "1").await;
        world.delete("foo").await.unwrap();
        let tombstone = Revision::deleted(Some(first));
        assert_eq!(leaves(world, "foo").await, [tombstone]);
        assert_eq!(counters(world).await.0, 2);
        let purged = purge(world, vec![pair("foo", &[tombstone])]).await;
        assert_eq!((went(&purged), counters(world).await), (vec![texts(&[tombstone])], (3, 1)));
        assert!(leaves(world, "foo").await.is_empty());
        assert_eq!(world.restore("foo").await.unwrap_err(), Refusal::Unknown, "what was in grace went with it");

        world.versioning("enabled").await;
        put(world, "bar", "1").await;
        let marker = world.delete("bar").await.unwrap().marker.unwrap();
        let marker = revision(world, marker).await;
        assert_eq!(went(&purge(world, vec![pair("bar", &[marker])]).await), [texts(&[marker])]);
        assert_eq!(world.counted(State::Live).await, (0, 0));
    }

    /// CP-07, CP-10: the whole path goes with its end, and what lies inside a path is not meant.
    async fn a_long_path_goes_with_its_end(world: World) {
        let mut revs = vec![put(world, "bar", "0").await];
        for at in 1..=100 {
            revs.push(put(world, "bar", &at.to_string()).await);
        }
        let last = *revs.last().unwrap();
        assert_eq!((last.generation, counters(world).await.0), (101, 101));
        assert_eq!(went(&purge(world, vec![pair("bar", &[revs[0]])]).await), [texts(&[])]);
        assert_eq!(counters(world).await, (102, 1));
        assert_eq!(world.reads("bar").await.as_deref(), Some("100"));
        let purged = purge(world, vec![pair("bar", &[last])]).await;
        assert_eq!((went(&purged), purged.versions), (vec![texts(&[last])], 101));
        assert_eq!(counters(world).await, (103, 2));
        assert_eq!((world.counted(State::Live).await.0, world.counted(State::Removed).await.0), (0, 0));
        assert_eq!(world.counted(State::Purging).await.0, 101);
    }

    /// CP-08, CP-51: the loser shows, with a change of its own, and goes in its turn.
    async fn the_other_branch_wins_when_the_winner_is_purged(world: World) {
        world.versioning("enabled").await;
        let [(loser, one), (_, two)] = two_roots(world, "foo").await;
        assert_eq!((leaves(world, "foo").await, counters(world).await.0), (vec![two, one], 2));
        assert_eq!(world.reads("foo").await.as_deref(), Some("winner"));
        let purged = purge(world, vec![pair("foo", &[two])]).await;
        assert_eq!((went(&purged), counters(world).await), (vec![texts(&[two])], (3, 1)));
        assert_eq!(world.reads("foo").await.as_deref(), Some("loser"));
        assert_eq!(world.lists().await, ["foo"]);
        let row = world.row(loser).await;
        assert!(row.is_current && row.state == State::Live);
        let told = world.ask("SELECT CAST(change_seq AS TEXT) || ' ' || CAST(conflict AS TEXT) FROM versions WHERE is_current = 1").await;
        assert_eq!(told, ["3 0"], "who follows the changes meets it anew, and there is no conflict any more");
        world.check().await;
        assert_eq!(went(&purge(world, vec![pair("foo", &[one])]).await), [texts(&[one])]);
        assert_eq!(went(&purge(world, vec![pair("foo", &[one, two])]).await), [texts(&[])]);
        assert_eq!((world.reads("foo").await, counters(world).await), (None, (5, 3)));
    }

    /// The loser goes: the winner stays, and has changed all the same.
    async fn the_winner_is_told_of_again_when_the_loser_is_purged(world: World) {
        world.versioning("enabled").await;
        let (root, [(loser, one), (winner, two)]) = two_branches(world, "foo").await;
        assert_eq!(leaves(world, "foo").await, [two, one]);
        let purged = purge(world, vec![pair("foo", &[one])]).await;
        assert_eq!((went(&purged), counters(world).await), (vec![texts(&[one])], (4, 1)));
        assert_eq!(world.state(loser).await, State::Purging);
        assert_eq!((world.state(root).await, world.state(winner).await), (State::Live, State::Live));
        assert_eq!((world.reads("foo").await.as_deref(), leaves(world, "foo").await), (Some("winner"), vec![two]));
        // What they share goes with the last of them.
        let purged = purge(world, vec![pair("foo", &[two])]).await;
        assert_eq!((purged.versions, world.counted(State::Live).await.0), (2, 0));
    }

    /// CP-12, CP-13: pair by pair, each on what those before it have left.
    async fn pairs_of_one_name_are_taken_in_their_order(world: World) {
        world.versioning("enabled").await;
        let one = put(world, "foo1", "1").await;
        let purged = purge(world, vec![pair("foo1", &[one]), pair("foo1", &[one])]).await;
        assert_eq!((went(&purged), counters(world).await), (vec![texts(&[one]), vec![]], (2, 2)));

        let [(_, one), (_, two)] = two_roots(world, "foo").await;
        let before = counters(world).await;
        let purged = purge(world, vec![pair("foo", &[one]), pair("foo", &[one, two])]).await;
        assert_eq!(went(&purged), [texts(&[one]), texts(&[two])]);
        assert_eq!(counters(world).await, (before.0 + 1, before.1 + 2), "in the end nothing is left of it");
        assert_eq!(world.reads("foo").await, None);
    }

    /// CP-14, CP-15: an id stands for one purge.
    async fn the_same_purge_is_made_once(world: World) {
        let first = put(world, "foo", "1").await;
        let mine = PurgePair { purge_id: Some([9; 16]), ..pair("foo", &[first]) };
        let purged = purge(world, vec![mine.clone(), mine.clone()]).await;
        assert_eq!(went(&purged), [texts(&[first]), texts(&[first])], "said twice, made once");
        assert_eq!(counters(world).await, (2, 1));
        // The same bytes again have the same id: it is not what was purged.
        assert_eq!(put(world, "foo", "1").await, first);
        let again = purge(world, vec![mine.clone()]).await;
        assert_eq!((went(&again), again.pairs[0].purge_seq), (vec![texts(&[first])], Some(1)));
        assert_eq!((world.reads("foo").await.as_deref(), counters(world).await), (Some("1"), (3, 1)));
        let other = put(world, "foo", "2").await;
        for wrong in [PurgePair { name: "bar".to_owned(), ..mine.clone() }, PurgePair { revs: vec![other.into()], ..mine.clone() }] {
            let both = vec![pair("foo", &[other]), wrong];
            let refused = answer(world.m.purge_revisions(order(world, both)).await);
            assert_eq!(refused.unwrap_err(), Refusal::Conflict);
        }
        let both = vec![PurgePair { purge_id: Some([8; 16]), ..pair("foo", &[other]) }, PurgePair { purge_id: Some([8; 16]), ..pair("bar", &[]) }];
        assert_eq!(answer(world.m.purge_revisions(order(world, both)).await).unwrap_err(), Refusal::Conflict);
        assert_eq!((world.reads("foo").await.as_deref(), counters(world).await), (Some("2"), (4, 1)));
    }

    /// BX-28: a branch is no version. Deleting the newest version shows the one before it; purging it shows nothing.
    async fn a_purge_takes_the_path_where_a_delete_takes_one_version(world: World) {
        world.versioning("enabled").await;
        let mut last = None;
        for name in ["purged", "deleted"] {
            put(world, name, "1").await;
            last = Some(world.put(name).body("2").await.unwrap().version);
        }
        let newest = world.found("purged", true).await.version.revision.unwrap();
        purge(world, vec![pair("purged", &[newest])]).await;
        assert_eq!(world.reads("purged").await, None);
        world.delete("deleted").version(last.unwrap()).await.unwrap();
        assert_eq!(world.reads("deleted").await.as_deref(), Some("1"));
        // BX-29: what was deleted by its id is still known; what was purged is in no tree.
        let tree = &world.m.revision_trees(world.bucket, &["deleted".to_owned()]).await.unwrap()["deleted"];
        assert!(tree.knows(revision(world, last.unwrap()).await));
        assert_eq!(tree.winner().unwrap().revision.generation, 1);
    }

    /// A retention, a lifepoint that forbids deleting, a legal hold: nothing of that name goes, and nothing else is touched.
    async fn a_guard_on_anything_that_would_go_keeps_the_name(world: World) {
        world.versioning("enabled").await;
        let free = put(world, "free", "1").await;
        let held = world.put("held").held().await.unwrap().version;
        world.put("path").kept_for(HOUR).await.unwrap();
        let end = put(world, "path", "2").await;
        let held_revision = revision(world, held).await;
        let pairs = || vec![pair("held", &[held_revision]), pair("free", &[free]), pair("path", &[end])];
        let purged = purge(world, pairs()).await;
        assert_eq!(purged.pairs[0].purged, Err(Refusal::Guarded { until: None, hold: true }));
        assert_eq!(purged.pairs[1].purged, Ok(vec![free.into()]));
        let until = world.now().plus(HOUR);
        assert_eq!(purged.pairs[2].purged, Err(Refusal::Guarded { until: Some(until), hold: false }), "an older version of it is kept");
        let numbers: Vec<_> = purged.pairs.iter().map(|pair| pair.purge_seq).collect();
        assert_eq!(numbers, [None, Some(1), None], "what is refused is no purge");
        assert_eq!((world.lists().await.len(), ledger(world).await.len()), (2, 1));
        let before = counters(world).await;
        assert!(purge(world, vec![pair("held", &[held_revision])]).await.pairs[0].purged.is_err());
        assert_eq!(counters(world).await, before, "and changes nothing");

        // What does not bind yet, or any more, keeps nothing. A removed version is kept by its guard as well.
        world.later(HOUR);
        assert_eq!(went(&purge(world, vec![pair("path", &[end])]).await), [texts(&[end])]);
        let later = Guard { from: Some(world.now().plus(HOUR)), until: Some(world.now().plus(2 * HOUR)), hold: false };
        let soon = world.put("soon").guard(later).await.unwrap().version;
        let soon = revision(world, soon).await;
        assert_eq!(went(&purge(world, vec![pair("soon", &[soon])]).await), [texts(&[soon])]);
        let mine = world.put("mine").guard(later).await.unwrap().version;
        let tombstone = Revision::deleted(Some(revision(world, mine).await));
        world.versioning("disabled").await;
        world.delete("mine").await.unwrap();
        world.later(HOUR);
        let refused = Refusal::Guarded { until: later.until, hold: false };
        assert_eq!(purge(world, vec![pair("mine", &[tombstone])]).await.pairs[0].purged, Err(refused));
        assert_eq!(world.state(mine).await, State::Removed);
    }

    /// CP-53: between the purge and the end of the bytes there is nothing to be seen; whoever looks for lapsed claims
    /// finishes, and not before the reads are over that had begun.
    async fn what_was_purged_is_reclaimed_by_whoever_finds_it(world: World) {
        world.versioning("enabled").await;
        let old = world.put("x").body("1").await.unwrap().version;
        let end = put(world, "x", "2").await;
        let removed = world.put("y").body("y").await.unwrap().version;
        world.delete("y").version(removed).await.unwrap();
        let gone = leaves(world, "y").await[0];
        purge(world, vec![pair("x", &[end]), pair("y", &[gone])]).await;
        for version in [old, removed] {
            let row = world.row(version).await;
            assert_eq!((row.state, row.purge_after, row.revision), (State::Purging, Some(world.now()), None));
            assert_eq!((row.cause, row.actor.as_deref()), (Some(lifecycle::Cause::Purge), Some("olga")));
            assert_eq!(world.restore_version(version).await.unwrap_err(), Refusal::PurgeStarted);
        }
        world.check().await;
        assert!(world.m.contents_due(State::Purging, world.now()).await.unwrap().is_empty());
        assert!(world.claim_lapsed().await.is_empty(), "reads that had begun go on");
        assert_eq!(world.m.next_due().await.unwrap(), Some(world.now().plus(30 * SECOND)));
        // The name is another one's meanwhile.
        world.put("x").body("new").await.unwrap();
        world.later(30 * SECOND);
        assert_eq!(world.m.contents_due(State::Purging, world.now()).await.unwrap().len(), 1);
        let claims = world.claim_lapsed().await;
        assert_eq!(claims.len(), 3);
        world.finish_claims(claims).await;
        assert_eq!((world.state(old).await, world.counted(State::Purging).await.0), (State::Purged, 0));
        assert_eq!(world.reads("x").await.as_deref(), Some("new"));
        world.later(MEMORY);
        assert_eq!(world.forget().await.0, 3);
    }

    /// A new beginning: what was purged is not followed by what comes next.
    async fn after_a_purge_a_name_begins_anew(world: World) {
        let first = put(world, "x", "1").await;
        let second = put(world, "x", "2").await;
        purge(world, vec![pair("x", &[second])]).await;
        assert_eq!(put(world, "x", "1").await, first);
        assert_eq!(leaves(world, "x").await, [first]);
        // And what was known of it before is not.
        let tree = &world.m.revision_trees(world.bucket, &["x".to_owned()]).await.unwrap()["x"];
        assert!(!tree.knows(second));
    }

    /// Where only the deleted end is left, there is no object; the live branch is what the purge took.
    async fn a_deleted_branch_that_is_left_shows_nothing(world: World) {
        world.versioning("enabled").await;
        let [(_, live), (_, other)] = two_roots(world, "x").await;
        let marker = world.delete("x").await.unwrap().marker.unwrap();
        let marker = revision(world, marker).await;
        assert_eq!(leaves(world, "x").await, [live, marker], "live before deleted, whatever the lengths");
        assert_eq!(marker, Revision::deleted(Some(other)));
        purge(world, vec![pair("x", &[live])]).await;
        assert_eq!((world.reads("x").await, leaves(world, "x").await), (None, vec![marker]));
    }

    /// What shows again goes by the rules for what is current, not by those for what is older.
    async fn what_shows_again_is_planned_anew(world: World) {
        world.versioning("enabled").await;
        world.rules(&[r#"RuleId:"r" ObsoleteExpirationDays:1"#]).await;
        let [(loser, _), (_, two)] = two_roots(world, "x").await;
        assert_eq!(world.row(loser).await.expires_at, Some(world.now().plus(DAY)));
        purge(world, vec![pair("x", &[two])]).await;
        assert_eq!(world.row(loser).await.expires_at, None);
        world.later(2 * DAY);
        assert_eq!(world.reads("x").await.as_deref(), Some("loser"));
    }

    /// Ids without versions go with what led to them.
    async fn what_is_remembered_without_a_version_goes_too(world: World) {
        let first = put(world, "x", "1").await;
        world.delete("x").await.unwrap();
        // Its row gets a revision of its own, and the one it had stays known.
        world.restore("x").await.unwrap();
        let end = leaves(world, "x").await[0];
        assert_eq!(end.generation, 3);
        let tree = &world.m.revision_trees(world.bucket, &["x".to_owned()]).await.unwrap()["x"];
        assert_eq!(tree.ancestry(end, 9), [end, Revision::deleted(Some(first)), first]);
        assert_eq!(world.ask("SELECT name FROM ancestry").await, ["x"]);
        purge(world, vec![pair("x", &[end])]).await;
        assert!(world.ask("SELECT name FROM ancestry").await.is_empty());
    }

    async fn a_bucket_that_is_gone_is_none(world: World) {
        let end = put(world, "x", "1").await;
        world.remove_bucket().await.unwrap();
        let refused = answer(world.m.purge_revisions(order(world, vec![pair("x", &[end])])).await);
        assert_eq!(refused.unwrap_err(), Refusal::NoSuchBucket);
        world.restore_bucket().await.unwrap();
        assert_eq!(world.reads("x").await.as_deref(), Some("1"));
    }

    async fn while_purging_is_halted_nothing_is_purged(world: World) {
        let end = put(world, "x", "1").await;
        world.m.halt_purging("a test".to_owned()).await.unwrap();
        let refused = world.m.purge_revisions(order(world, vec![pair("x", &[end])])).await.unwrap_err();
        assert!(refused.to_string().contains("halted"), "{refused}");
        assert_eq!(world.reads("x").await.as_deref(), Some("1"));
    }

    /// A dry run decides by the same statements, and leaves nothing.
    async fn a_rehearsal_says_what_would_go(world: World) {
        let end = put(world, "x", "1").await;
        let would = world.m.rehearsal().purge_revisions(order(world, vec![pair("x", &[end])])).await.unwrap();
        assert_eq!((went(&would), would.versions), (vec![texts(&[end])], 1));
        assert_eq!((world.reads("x").await.as_deref(), counters(world).await), (Some("1"), (1, 0)));
    }
}

racing_on_both_engines! {
    /// Of a purge and an overwrite one comes first: either the new version is alone, or the purge found an end that was none.
    async fn a_purge_and_an_overwrite_come_one_after_the_other(world: World) {
        let callers = world.callers(2).await;
        for round in 0..20 {
            let name = format!("x{round}");
            let first = put(world, &name, "1").await;
            let (purger, writer) = (callers[0].clone(), callers[1].clone());
            let order = order(world, vec![pair(&name, &[first])]);
            let (purged, written) = tokio::join!(
                tokio::spawn(async move { purger.m.purge_revisions(order).await.unwrap() }),
                tokio::spawn({
                    let name = name.clone();
                    async move { writer.put(&name).body("2").await.unwrap() }
                }),
            );
            let (purged, written) = (purged.unwrap(), written.unwrap());
            let second = revision(world, written.version).await;
            let wanted = if went(&purged)[0].is_empty() { 2 } else { 1 };
            assert_eq!((second.generation, leaves(world, &name).await), (wanted, vec![second]));
            assert_eq!(world.reads(&name).await.as_deref(), Some("2"));
        }
    }
}
