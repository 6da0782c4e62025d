//! What of a peer's revisions is not here, and how long paths are.

use crate::world::*;
use lifecycle::revision::Revision;
use lifecycle::{Asked, Refusal};
use metadata::{Lacking, MissingOrder, PurgePair, RevisionPurge};

async fn put(world: &World, name: &str, body: &str) -> Revision {
    let md5 = [body.bytes().fold(0_u8, u8::wrapping_add); 16];
    let version = world.put(name).body(body).md5(md5).await.unwrap().version;
    world.row(version).await.revision.unwrap()
}

fn order(world: &World, asked: &[(&str, &[&str])]) -> MissingOrder {
    let parse = |text: &&str| Asked::parse(text).unwrap();
    let asked = asked.iter().map(|(name, revs)| ((*name).to_owned(), revs.iter().map(parse).collect()));
    MissingOrder { bucket: world.bucket, asked: asked.collect(), ancestors: 100, purged: false }
}

async fn lacks(world: &World, asked: &[(&str, &[&str])]) -> Vec<Lacking> {
    world.m.missing_revisions(order(world, asked)).await.unwrap()
}

fn told(lacks: &Lacking) -> Vec<&str> {
    lacks.missing.iter().map(Asked::as_str).collect()
}

async fn purge(world: &World, name: &str, revs: &[Revision]) {
    let revs = revs.iter().map(|one| Asked::from(*one)).collect();
    let pairs = vec![PurgePair { name: name.to_owned(), revs, purge_id: None }];
    let (domain, bucket) = (world.domain, world.bucket);
    let order = RevisionPurge { domain, bucket, pairs, door: "couch", actor: "olga".to_owned() };
    world.m.purge_revisions(order).await.unwrap();
}

on_both_engines! {
    /// CP-37, CP-38, CP-41.
    async fn what_nobody_has_heard_of_is_missing(world: World) {
        assert!(lacks(world, &[]).await.is_empty());
        assert!(lacks(world, &[("a", &[]), ("nope", &[])]).await.is_empty());
        let found = lacks(world, &[("nope", &["1-rev"])]).await;
        assert_eq!((found.len(), told(&found[0]), found[0].ancestors.len()), (1, vec!["1-rev"], 0));
        put(world, "x", "1").await;
        let found = lacks(world, &[("x", &["1-pqr"])]).await;
        assert_eq!((told(&found[0]), found[0].ancestors.len()), (vec!["1-pqr"], 0), "1 is not smaller than 1");
    }

    /// CP-39, CP-42, CP-43: whatever is remembered is present, dead or alive; ends with smaller numbers may be ancestors.
    async fn everything_that_is_remembered_is_present(world: World) {
        let first = put(world, "x", "1").await;
        world.later(SECOND);
        let second = put(world, "x", "2").await;
        let (one, two) = (first.to_string(), second.to_string());
        assert!(lacks(world, &[("x", &[&two])]).await.is_empty());
        assert!(lacks(world, &[("x", &[&one, &two])]).await.is_empty(), "an ancestor in its grace is known");
        let found = lacks(world, &[("x", &["1-z", &two, "5-06", "5-06"])]).await;
        assert_eq!((told(&found[0]), found[0].ancestors.clone()), (vec!["1-z", "5-06"], vec![second]));

        world.delete("x").await.unwrap();
        let tombstone = Revision::deleted(Some(second));
        assert!(lacks(world, &[("x", &[&one, &two, &tombstone.to_string()])]).await.is_empty());
        let found = lacks(world, &[("x", &["4-q"])]).await;
        assert_eq!(found[0].ancestors, [tombstone], "a delete is an end like any other");
        world.later(2 * OBJECT_GRACE);
        world.reclaim().await;
        assert!(lacks(world, &[("x", &[&one, &two, &tombstone.to_string()])]).await.is_empty(), "its tombstone tells");
        // The path goes on behind it.
        let again = put(world, "x", "3").await;
        assert_eq!(again.generation, 4);
        assert!(lacks(world, &[("x", &[&one, &two, &tombstone.to_string(), &again.to_string()])]).await.is_empty());
        let trees = world.m.revision_trees(world.bucket, &["x".to_owned(), "no".to_owned()]).await.unwrap();
        assert_eq!(trees["x"].ancestry(again, 9), [again, tombstone, second, first]);
        assert!(trees["no"].leaves().is_empty());
    }

    /// What was purged is missing, and on request it is said that it was.
    async fn what_was_purged_is_missing(world: World) {
        let (x, y) = (put(world, "x", "1").await, put(world, "y", "1").await);
        purge(world, "x", &[x]).await;
        purge(world, "y", &[Revision { generation: 9, hash: [9; 16] }]).await;
        let (mine, gone) = (y.to_string(), x.to_string());
        let asked: &[(&str, &[&str])] = &[("y", &[&mine, "9-09090909090909090909090909090909"]), ("x", &["2-q", &gone])];
        let found = lacks(world, asked).await;
        assert_eq!((found[0].name.as_str(), found[1].name.as_str()), ("y", "x"), "in the order of the question");
        assert_eq!(told(&found[1]), ["2-q", &gone]);
        assert!(found.iter().all(|lacks| lacks.purged.is_empty()));
        let found = world.m.missing_revisions(MissingOrder { purged: true, ..order(world, asked) }).await.unwrap();
        assert_eq!((found[0].purged.len(), found[1].purged.clone()), (0, vec![Asked::from(x)]), "what was there, not what was asked for");
    }

    /// Many names at once, most of which are as the peer has them.
    async fn a_thousand_names_are_asked_about_at_once(world: World) {
        let mut asked = Vec::new();
        for at in 0..1_000_u32 {
            let name = format!("n{at:04}");
            let revs = match at % 10 {
                0 => vec![Asked::parse("1-unknown").unwrap()],
                1 => {
                    let first = put(world, &name, "1").await;
                    vec![first.into(), put(world, &name, "2").await.into()]
                }
                _ => vec![put(world, &name, "1").await.into()],
            };
            asked.push((name, revs));
        }
        let order = MissingOrder { asked, ..order(world, &[]) };
        let found = world.m.missing_revisions(order).await.unwrap();
        let wanted: Vec<String> = (0..1_000).step_by(10).map(|at| format!("n{at:04}")).collect();
        assert_eq!(found.iter().map(|lacks| lacks.name.clone()).collect::<Vec<_>>(), wanted);
    }

    /// CP-46, CP-47: a path is as long as the limit says, whenever it is said.
    async fn a_path_is_as_long_as_the_limit(world: World) {
        assert_eq!(world.m.revision_limits(world.bucket).await.unwrap().revs, 1_000);
        let mut revs = Vec::new();
        for body in ["1", "2", "3", "4", "5", "6"] {
            revs.push(put(world, "x", body).await);
        }
        let end = revs[5];
        let path = async || world.m.revision_trees(world.bucket, &["x".to_owned()]).await.unwrap()["x"].ancestry(end, 100).len();
        assert_eq!(path().await, 6);
        world.m.set_revs_limit(world.bucket, 5).await.unwrap();
        assert_eq!((path().await, world.m.revision_limits(world.bucket).await.unwrap().revs), (5, 5));
        let found = lacks(world, &[("x", &[&revs[0].to_string(), &revs[1].to_string()])]).await;
        assert_eq!(told(&found[0]), [revs[0].to_string()], "what lies further back is not known");
        // It is there all the same, and goes with its end.
        purge(world, "x", &[end]).await;
        assert_eq!(world.counted(lifecycle::State::Purging).await.0, 6);
    }

    /// CP-31, as far as the rows are concerned: a limit is one at least.
    async fn limits_are_the_buckets_own(world: World) {
        let limits = world.m.revision_limits(world.bucket).await.unwrap();
        assert_eq!((limits.revs, limits.purged_infos), (1_000, 1_000));
        world.m.set_purged_infos_limit(world.bucket, 2).await.unwrap();
        let other = world.in_bucket(&world.create_bucket("other").await.unwrap());
        assert_eq!(other.m.revision_limits(other.bucket).await.unwrap(), limits);
        assert_eq!(world.m.revision_limits(world.bucket).await.unwrap().purged_infos, 2);
        world.remove_bucket().await.unwrap();
        for refused in [
            answer(world.m.set_revs_limit(world.bucket, 9).await),
            answer(world.m.set_purged_infos_limit(world.bucket, 9).await),
            answer(world.m.revision_limits(world.bucket).await.map(drop)),
            answer(world.m.missing_revisions(order(world, &[])).await.map(drop)),
        ] {
            assert_eq!(refused, Err(Refusal::NoSuchBucket));
        }
    }

    /// CP-29: pair by pair, in the order in which they were purged.
    async fn what_was_purged_is_told_in_its_order(world: World) {
        for (name, body) in [("foo1", "1"), ("foo2", "1"), ("foo1", "2")] {
            let end = put(world, name, body).await;
            purge(world, name, &[end]).await;
        }
        let infos = world.m.purge_infos(world.bucket, 0, 10).await.unwrap();
        assert_eq!(infos.iter().map(|info| (info.purge_seq, info.name.as_str())).collect::<Vec<_>>(), [(1, "foo1"), (2, "foo2"), (3, "foo1")]);
        assert_ne!(infos[0].revs, infos[2].revs);
        assert_eq!(world.m.purge_infos(world.bucket, 1, 1).await.unwrap()[0].name, "foo2");
    }
}
