//! Versions of other installations: in whatever order they come, the same one wins; and what was deleted or purged here does
//! not come back.

use crate::world::*;
use bytes::Bytes;
use lifecycle::revision::{Described, Revision};
use lifecycle::{BlobName, Cause, Guard, InstallationId, Refusal, State, VersionId};
use metadata::{Import, ImportBody, ImportState, Imported, VersionsOrder};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

/// Another installation.
const THERE: InstallationId = InstallationId::from_bytes([9; 16]);

/// One version of a tree that grew elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grown {
    revision: Revision,
    parent: Option<Revision>,
    deleted: bool,
}

/// A version behind `parent`, with a content of its own, or a tombstone.
fn grown(parent: Option<Revision>, content: u8, deleted: bool) -> Grown {
    let revision = match deleted {
        true => Revision::deleted(parent),
        false => Revision::of(&Described {
            parent,
            content_md5: Some([content; 16]),
            size: 1,
            headers: "[]",
            marker: false,
        }),
    };
    Grown { revision, parent, deleted }
}

fn live(parent: Option<&Grown>, content: u8) -> Grown {
    grown(parent.map(|parent| parent.revision), content, false)
}

fn dead(parent: &Grown) -> Grown {
    grown(Some(parent.revision), 0, true)
}

/// All that came before a version, the nearest first.
fn history(of: &Grown, tree: &[Grown]) -> Vec<Revision> {
    let mut path = Vec::new();
    let mut next = of.parent;
    while let Some(revision) = next {
        path.push(revision);
        next = tree.iter().find(|grown| grown.revision == revision).and_then(|grown| grown.parent);
    }
    path
}

fn import(world: &Caller, name: &str, of: &Grown, tree: &[Grown]) -> Import {
    let whole = Bytes::from_static(b"x");
    Import {
        domain: world.domain,
        bucket: world.bucket,
        name: name.to_owned(),
        version: Some(VersionId::random()),
        revision: of.revision,
        history: history(of, tree),
        deleted: of.deleted,
        origin: (THERE, 7),
        created_at: world.now().minus(HOUR),
        size: u64::from(!of.deleted),
        md5: (!of.deleted).then_some([1; 16]),
        parts: None,
        headers: "[]".to_owned(),
        tags: None,
        checksum: None,
        retention: None,
        guard: Guard::NONE,
        owner: None,
        actor: "replica".to_owned(),
        grace: OBJECT_GRACE,
        memory: MEMORY,
        body: match of.deleted {
            true => ImportBody::None,
            false => ImportBody::Inline { blob: BlobName::random(), format: 0, bytes: whole, md5: [1; 16] },
        },
    }
}

/// A first version of `name`, as it comes from there.
pub(crate) async fn arrive(world: &Caller, name: &str) {
    bring(world, import(world, name, &live(None, 1), &[])).await.unwrap();
}

async fn bring(world: &Caller, import: Import) -> Answer<Imported> {
    answer(world.m.import(import).await)
}

async fn state(world: &Caller, name: &str, of: &Grown, tree: &[Grown]) -> ImportState {
    bring(world, import(world, name, of, tree)).await.unwrap().state
}

/// The ends of a tree, the winner first: what everybody must come to.
fn ends(tree: &[Grown]) -> Vec<Grown> {
    let inner: Vec<Revision> = tree.iter().filter_map(|grown| grown.parent).collect();
    let mut ends: Vec<Grown> =
        tree.iter().filter(|grown| !inner.contains(&grown.revision)).copied().collect();
    ends.sort_by_key(|end| (end.deleted, std::cmp::Reverse(end.revision)));
    ends
}

/// The revision that readers are given, and those of the other live ends, as the rows tell.
async fn rows(world: &World, name: &str) -> (Option<Revision>, Vec<Revision>) {
    let (mut current, mut others) = (None, Vec::new());
    let order = VersionsOrder { limit: 1_000, prefix: name, ..VersionsOrder::default() };
    let listed = world.m.list_page_of_versions(world.contents().await, &order).await.unwrap();
    let mut latest = 0;
    for item in listed.items.into_iter().filter(|item| item.name == name) {
        let row = world.row(item.id).await;
        latest += u32::from(item.is_latest);
        if row.is_current {
            current = row.revision;
        }
        if item.conflict {
            others.extend(row.revision);
        }
    }
    assert!(latest <= 1, "one version of {name} is the latest");
    others.sort();
    others.reverse();
    (current, others)
}

/// A tree of up to `most` versions; every fourth a tombstone, if there are to be any.
fn random_tree(rng: &mut StdRng, most: usize, tombstones: bool) -> Vec<Grown> {
    let mut tree: Vec<Grown> = Vec::new();
    for content in 0..rng.random_range(1..=most) {
        let parent = tree.get(rng.random_range(0..=tree.len())).map(|parent| parent.revision);
        let deleted = tombstones && parent.is_some() && rng.random_range(0..4) == 0;
        let next = grown(parent, u8::try_from(content).unwrap(), deleted);
        if !tree.contains(&next) {
            tree.push(next);
        }
    }
    tree
}

on_both_engines! {
    async fn what_a_quota_leaves_no_room_for_stays_elsewhere_but_for_deletes(world: World) {
        let first = live(None, 1);
        let second = live(Some(&first), 2);
        let tree = [first, second, dead(&second)];
        let quota = lifecycle::Quota { bytes: Some(1), ..lifecycle::Quota::default() };
        world.m.set_bucket_quota(world.bucket, Some(quota)).await.unwrap();
        assert_eq!(state(world, "x", &tree[0], &tree).await, ImportState::Current);
        let other = bring(world, import(world, "y", &tree[0], &tree)).await;
        assert!(matches!(other, Err(Refusal::QuotaExceeded(_))), "{other:?}");
        assert_eq!(state(world, "x", &tree[1], &tree).await, ImportState::Current, "in the place of the other");
        assert_eq!(state(world, "x", &tree[2], &tree).await, ImportState::Deleted);
        assert_eq!((world.reads("x").await, world.reads("y").await), (None, None));
    }

    async fn in_any_order_the_same_end_wins_and_the_others_stay_where_versions_are_kept(world: World) {
        world.versioning("enabled").await;
        let seed = any_seed();
        eprintln!("seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        for round in 0..12 {
            let tree = random_tree(&mut rng, 9, true);
            let expected = ends(&tree);
            let winner = expected.first().filter(|end| !end.deleted).map(|end| end.revision);
            let mut others: Vec<Revision> = expected.iter().skip(1).map(|end| end.revision).collect();
            others.sort();
            others.reverse();
            for turn in 0..3 {
                let name = format!("{round}/{turn}");
                let mut order = tree.clone();
                order.shuffle(&mut rng);
                for grown in &order {
                    state(world, &name, grown, &tree).await;
                }
                assert_eq!(rows(world, &name).await, (winner, others.clone()), "{tree:?} in {order:?}");
                for grown in &order {
                    assert_eq!(state(world, &name, grown, &tree).await, ImportState::Known, "twice is once");
                }
            }
        }
    }

    async fn a_tombstone_on_a_path_that_lost_hides_nothing_though_it_came_last(world: World) {
        world.versioning("enabled").await;
        let first = live(None, 1);
        let (kept, gone) = (live(Some(&first), 2), dead(&first));
        let behind = dead(&gone);
        let tree = [first, kept, gone, behind];
        for one in &tree {
            state(world, "x", one, &tree).await;
        }
        assert_eq!(rows(world, "x").await, (Some(kept.revision), vec![behind.revision]));
    }

    async fn in_any_order_the_same_version_wins_where_none_are_kept(world: World) {
        let seed = any_seed();
        eprintln!("seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        for round in 0..12 {
            let tree = random_tree(&mut rng, 9, false);
            let winner = ends(&tree).first().map(|end| end.revision);
            for turn in 0..3 {
                let name = format!("{round}/{turn}");
                let mut order = tree.clone();
                order.shuffle(&mut rng);
                for grown in &order {
                    state(world, &name, grown, &tree).await;
                }
                assert_eq!(rows(world, &name).await, (winner, Vec::new()), "{tree:?} in {order:?}");
                for grown in &order {
                    assert_eq!(state(world, &name, grown, &tree).await, ImportState::Known, "twice is once");
                }
            }
        }
    }

    async fn what_takes_a_place_and_what_loses_go_with_their_grace(world: World) {
        let first = live(None, 1);
        let (a, b) = (live(Some(&first), 2), live(Some(&first), 3));
        let (winner, loser) = if a.revision > b.revision { (a, b) } else { (b, a) };
        let tree = [first, winner, loser];
        let one = import(world, "x", &first, &tree);
        let row = bring(world, one.clone()).await.unwrap();
        assert_eq!((row.state, row.seq), (ImportState::Current, Some(1)));
        let kept = world.row(one.version.unwrap()).await;
        assert_eq!((kept.created_at, kept.revision), (one.created_at, Some(first.revision)), "as it says");
        let two = import(world, "x", &winner, &tree);
        let imported = bring(world, two.clone()).await.unwrap();
        assert_eq!((imported.state, imported.replaced), (ImportState::Current, one.version));
        let gone = world.row(one.version.unwrap()).await;
        assert_eq!((gone.state, gone.cause), (State::Removed, Some(Cause::Overwrite)));
        assert_eq!(gone.purge_after, Some(world.now().plus(OBJECT_GRACE)));
        let three = import(world, "x", &loser, &tree);
        assert_eq!(bring(world, three.clone()).await.unwrap().state, ImportState::Conflict);
        let lost = world.row(three.version.unwrap()).await;
        assert_eq!((lost.state, lost.cause), (State::Removed, Some(Cause::Conflict)));
        assert_eq!(world.reads("x").await.as_deref(), Some("x"));
        world.later(OBJECT_GRACE);
        assert_eq!(world.reclaim().await, 2);
        assert_eq!(state(world, "x", &loser, &tree).await, ImportState::Known, "its id is known still");
        assert_eq!(bring(world, three).await.unwrap().state, ImportState::Remembered);
    }

    async fn a_tombstone_deletes_what_it_was_made_of_and_nothing_else(world: World) {
        for policy in ["disabled", "enabled"] {
            world.versioning(policy).await;
            let name = |rest: &str| format!("{policy}/{rest}");
            let first = live(None, 1);
            let (next, gone) = (live(Some(&first), 2), dead(&first));
            let tree = [first, next, gone];
            state(world, &name("a"), &first, &tree).await;
            assert_eq!(state(world, &name("a"), &gone, &tree).await, ImportState::Deleted);
            assert_eq!(world.reads(&name("a")).await, None);
            assert_eq!(state(world, &name("a"), &gone, &tree).await, ImportState::Known);
            assert_eq!(state(world, &name("a"), &next, &tree).await, ImportState::Current, "live wins");
            assert_eq!(rows(world, &name("a")).await.0, Some(next.revision));

            state(world, &name("b"), &next, &tree).await;
            assert_eq!(state(world, &name("b"), &gone, &tree).await, ImportState::Conflict);
            assert_eq!(rows(world, &name("b")).await.0, Some(next.revision));
            assert_eq!(state(world, &name("b"), &gone, &tree).await, ImportState::Known);

            assert_eq!(state(world, &name("c"), &gone, &tree).await, ImportState::Deleted, "of what never was");
            assert_eq!(state(world, &name("c"), &first, &tree).await, ImportState::Known, "nor comes");
            assert_eq!(world.reads(&name("c")).await, None);
        }
    }

    /// A delete that left no marker, and one that came, are the same tombstone.
    async fn a_delete_here_and_a_delete_there_are_one(world: World) {
        let first = live(None, 1);
        let gone = dead(&first);
        let tree = [first, gone];
        state(world, "x", &first, &tree).await;
        world.delete("x").await.unwrap();
        assert_eq!(state(world, "x", &gone, &tree).await, ImportState::Deleted);
        let again = world.put("x").body("2").await.unwrap().version;
        let revision = world.row(again).await.revision.unwrap();
        assert_eq!(revision.generation, 3, "it goes on behind the tombstone");
    }

    async fn what_is_guarded_is_neither_overwritten_nor_deleted(world: World) {
        for policy in ["disabled", "enabled"] {
            world.versioning(policy).await;
            let first = live(None, 1);
            let (next, gone) = (live(Some(&first), 2), dead(&first));
            let tree = [first, next, gone];
            let mut held = import(world, policy, &first, &tree);
            held.guard = Guard { from: None, until: Some(world.now().plus(HOUR)), hold: false };
            bring(world, held).await.unwrap();
            let refused = bring(world, import(world, policy, &gone, &tree)).await;
            assert!(matches!(refused, Err(Refusal::Guarded { .. })), "{refused:?}");
            let over = bring(world, import(world, policy, &next, &tree)).await;
            match policy {
                "disabled" => assert!(matches!(over, Err(Refusal::Guarded { .. })), "{over:?}"),
                _ => assert_eq!(over.unwrap().state, ImportState::Current, "nothing is lost by covering"),
            }
            world.later(HOUR);
            if policy == "disabled" {
                assert_eq!(state(world, policy, &gone, &tree).await, ImportState::Deleted, "later it is free");
            }
        }
    }

    async fn what_died_here_does_not_come_back(world: World) {
        let first = live(None, 1);
        let one = import(world, "x", &first, &[first]);
        bring(world, one.clone()).await.unwrap();
        assert_eq!(bring(world, one.clone()).await.unwrap().state, ImportState::Known);
        let next = world.create_bucket("next").await.unwrap();
        let mut other = import(&world.in_bucket(&next), "x", &first, &[first]);
        other.version = one.version;
        assert_eq!(bring(world, other.clone()).await.unwrap().state, ImportState::Elsewhere);
        world.delete("x").await.unwrap();
        for state in [State::Removed, State::Purged] {
            assert_eq!(world.state(one.version.unwrap()).await, state);
            assert_eq!(bring(world, one.clone()).await.unwrap().state, ImportState::Remembered);
            assert_eq!(bring(world, other.clone()).await.unwrap().state, ImportState::Remembered);
            world.later(OBJECT_GRACE);
            world.reclaim().await;
        }
    }

    /// A restore gives a version another revision, behind the delete; it is news to whoever heard of the delete.
    async fn what_was_restored_elsewhere_comes_under_another_id(world: World) {
        let first = live(None, 1);
        let gone = dead(&first);
        let back = live(Some(&gone), 1);
        let tree = [first, gone, back];
        let one = import(world, "x", &first, &tree);
        bring(world, one.clone()).await.unwrap();
        state(world, "x", &gone, &tree).await;
        assert_eq!(world.reads("x").await, None);
        let mut again = import(world, "x", &back, &tree);
        again.version = one.version;
        let imported = bring(world, again.clone()).await.unwrap();
        assert_eq!(imported.state, ImportState::Current);
        assert_ne!(Some(imported.version), one.version, "an id is used once");
        assert_eq!(bring(world, again).await.unwrap().state, ImportState::Known);
        let mut renamed = import(world, "y", &first, &tree);
        renamed.version = one.version;
        assert_eq!(bring(world, renamed).await.unwrap().state, ImportState::Current, "restored under another name");
    }

    async fn the_ledger_refuses_what_it_names_and_not_what_was_written_again(world: World) {
        let first = live(None, 1);
        let bucket = world.literal(world.bucket);
        let id = |byte: &str| match world.is_sqlite() {
            true => format!("x'{}'", byte.repeat(16)),
            false => format!("'\\x{}'::bytea", byte.repeat(16)),
        };
        let entry = format!(
            "INSERT INTO purges (bucket_id, purge_seq, purge_id, at, door, actor, name, revs, purged, selector, upto_seq, origin)
             VALUES ({bucket}, 1, {}, 0, 'couch', 'olga', 'x', '[\"{}\"]', '[]', NULL, 10, {})",
            id("01"),
            first.revision,
            id("09"),
        );
        world.put_wrong(&entry).await;
        world.put_wrong("UPDATE buckets SET purge_seq = 1 WHERE name = 'photos'").await;
        let mut one = import(world, "x", &first, &[first]);
        one.origin.1 = 10;
        assert_eq!(bring(world, one.clone()).await.unwrap().state, ImportState::Purged);
        one.origin.0 = InstallationId::from_bytes([8; 16]);
        assert_eq!(bring(world, one.clone()).await.unwrap().state, ImportState::Current, "of somebody else");
        world.delete("x").await.unwrap();
        let mut again = import(world, "y", &first, &[first]);
        again.origin.1 = 11;
        assert_eq!(bring(world, again).await.unwrap().state, ImportState::Current);
    }

    async fn what_was_emptied_out_does_not_come_back_from_elsewhere(world: World) {
        let first = live(None, 1);
        for name in ["a", "b"] {
            world.put(name).await.unwrap();
        }
        world.empty_bucket().await.unwrap();
        let mut one = import(world, "a", &first, &[first]);
        one.origin = (world.m.installation(), 1);
        assert_eq!(bring(world, one.clone()).await.unwrap().state, ImportState::Purged);
        one.origin.1 = 3;
        assert_eq!(bring(world, one).await.unwrap().state, ImportState::Current, "written later, or elsewhere");
    }

    async fn as_many_ancestors_are_remembered_as_the_bucket_says(world: World) {
        let bucket = world.literal(world.bucket);
        world.put_wrong(&format!("UPDATE buckets SET revs_limit = 3 WHERE id = {bucket}")).await;
        let mut line = vec![live(None, 0)];
        for content in 1..8 {
            line.push(live(line.last(), content));
        }
        assert_eq!(state(world, "x", &line[7], &line).await, ImportState::Current);
        let known = world.ask("SELECT CAST(generation AS TEXT) FROM ancestry ORDER BY generation").await;
        assert_eq!(known, ["6", "7"]);
    }

    async fn a_body_in_the_store_passes_to_the_version(world: World) {
        let first = live(None, 1);
        let staged = world.stage("x").await;
        let mut one = import(world, "x", &first, &[first]);
        one.size = 5;
        one.body = ImportBody::Staged { row: staged, format: 0, md5: [1; 16] };
        let imported = bring(world, one.clone()).await.unwrap();
        assert_eq!((imported.state, imported.keeps_bytes), (ImportState::Current, true));
        assert_eq!(world.m.version(staged).await.unwrap().map(|row| row.state), None);
        world.check().await;
        let mut lost = import(world, "y", &first, &[first]);
        lost.body = ImportBody::Staged { row: staged, format: 0, md5: [1; 16] };
        assert_eq!(bring(world, lost).await, Err(Refusal::Conflict), "taken back meanwhile");
        let twice = world.stage("x").await;
        one.body = ImportBody::Staged { row: twice, format: 0, md5: [1; 16] };
        let known = bring(world, one).await.unwrap();
        assert_eq!((known.state, known.keeps_bytes), (ImportState::Known, false));
        assert_eq!(world.state(twice).await, State::Staged, "its writer takes it back");
    }

    /// After a delete, or when one version goes, the best of what is left is what readers are given.
    async fn deleting_the_winner_of_a_conflict_shows_the_other(world: World) {
        world.versioning("enabled").await;
        let first = live(None, 1);
        let (a, b) = (live(Some(&first), 2), live(Some(&first), 3));
        let (winner, loser) = if a.revision > b.revision { (a, b) } else { (b, a) };
        let tree = [first, winner, loser];
        for grown in [&first, &winner, &loser] {
            state(world, "x", grown, &tree).await;
        }
        assert_eq!(rows(world, "x").await, (Some(winner.revision), vec![loser.revision]));
        world.delete("x").await.unwrap();
        let (current, others) = rows(world, "x").await;
        assert_eq!(current, Some(loser.revision), "nobody has deleted that");
        assert_eq!(others, [Revision::deleted(Some(winner.revision))]);
        world.delete("x").await.unwrap();
        assert_eq!(rows(world, "x").await.0, None);
        assert_eq!(world.reads("x").await, None);

        for grown in [&first, &winner, &loser] {
            state(world, "y", grown, &tree).await;
        }
        let top = world.found("y", false).await.version.id;
        world.delete("y").version(top).await.unwrap();
        assert_eq!(rows(world, "y").await, (Some(loser.revision), vec![]), "1-a leads to it");
        world.put("y").body("2").await.unwrap();
        assert_eq!(rows(world, "y").await.1, Vec::<Revision>::new());
    }
}

racing_on_both_engines! {
    async fn imported_by_several_at_once_a_tree_is_the_same(world: World) {
        world.versioning("enabled").await;
        let seed = any_seed();
        eprintln!("seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let callers = world.callers(4).await;
        for round in 0..6 {
            let tree = random_tree(&mut rng, 9, true);
            let name = format!("r{round}");
            // The same ids everywhere, as peers have them.
            let imports: Vec<Import> = tree.iter().map(|grown| import(world, &name, grown, &tree)).collect();
            let mut tasks = Vec::new();
            for caller in &callers {
                let (caller, mut imports) = (caller.clone(), imports.clone());
                imports.shuffle(&mut rng);
                tasks.push(tokio::spawn(async move {
                    for mut import in imports {
                        if let ImportBody::Inline { blob, .. } = &mut import.body {
                            *blob = BlobName::random();
                        }
                        bring(&caller, import).await.unwrap();
                    }
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            let expected = ends(&tree);
            let winner = expected.first().filter(|end| !end.deleted).map(|end| end.revision);
            let mut others: Vec<Revision> = expected.iter().skip(1).map(|end| end.revision).collect();
            others.sort();
            others.reverse();
            assert_eq!(rows(world, &name).await, (winner, others), "{tree:?}");
        }
    }
}
