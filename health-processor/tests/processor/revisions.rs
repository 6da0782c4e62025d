//! What was purged by its revision, final at once: its bytes go by themselves, whoever dies in between, and not from under
//! those who read them.

use crate::world::{World, number, run};
use health_processor::failpoint::Blow;
use lifecycle::State;
use metadata::{Container, PurgePair, RevisionPurge};
use std::time::Duration;
use testkit::Database;

/// Purges every end of these names.
async fn purge(world: &World, bucket: &Container, names: &[String]) -> u64 {
    let trees = world.metadata.revision_trees(bucket.id, names).await.unwrap();
    let pairs = trees.into_iter().map(|(name, tree)| {
        let revs = tree.leaves().iter().map(|leaf| leaf.revision.into()).collect();
        PurgePair { name, revs, purge_id: None }
    });
    let (domain, bucket, pairs) = (world.domain, bucket.id, pairs.collect());
    let order = RevisionPurge { domain, bucket, pairs, door: "couch", actor: "olga".to_owned() };
    world.metadata.purge_revisions(order).await.unwrap().versions
}

/// CP-53: the purge is done when it has been answered. Whoever dies behind it leaves bytes that another one destroys.
#[tokio::test]
async fn who_dies_behind_a_purge_leaves_what_another_one_finishes() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_stored(&bucket, "large").await;
        world.put(&bucket, "small").await;
        world.put_stored(&bucket, "kept").await;
        assert_eq!(purge(&world, &bucket, &["large".to_owned(), "small".to_owned()]).await, 2);
        let tree = world.metadata.revision_trees(bucket.id, &["large".to_owned()]).await.unwrap();
        assert!(tree["large"].leaves().is_empty(), "nothing is known of it");
        assert_eq!((world.count(State::Purging).await, world.stored().await), (2, 2));
        for failpoint in ["lapsed.after_claim", "lapsed.after_destroy", "lapsed.before_finish"] {
            let first = world.processor();
            first.failpoints().arm(failpoint, Blow::Error);
            world.clock.advance(world.settings.lease.max(world.settings.drain_timeout));
            let report = run(&first, "reclaim").await;
            assert!(report["failed"].as_str().is_some_and(|why| why.contains(failpoint)), "{report}");
            assert_eq!(world.count(State::Purging).await, 2, "there is no third state");
            world.check().await;
        }
        world.clock.advance(world.settings.lease);
        let report = run(&world.processor(), "reclaim").await;
        assert_eq!(number(&report, "/purged"), 2, "{report}");
        assert_eq!((world.count(State::Purged).await, world.count(State::Live).await), (2, 1));
        assert_eq!(world.stored().await, 1);
        world.check().await;
    }
}

#[tokio::test]
async fn bytes_stay_while_reads_that_began_before_the_purge_may_run() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_stored(&bucket, "large").await;
        purge(&world, &bucket, &["large".to_owned()]).await;
        world.process().await;
        assert_eq!((world.count(State::Purging).await, world.stored().await), (1, 1));
        world.clock.advance(world.settings.drain_timeout - Duration::from_secs(1));
        world.process().await;
        assert_eq!(world.stored().await, 1);
        world.clock.advance(Duration::from_secs(1));
        world.process().await;
        assert_eq!((world.count(State::Purging).await, world.stored().await), (0, 0));
        world.check().await;
    }
}

/// CP-56: space comes back without anybody asking for it.
#[tokio::test]
async fn three_quarters_of_a_bucket_are_purged_and_their_space_comes_back() {
    let world = World::on(Database::sqlite()).await;
    let bucket = world.bucket().await;
    let names: Vec<String> = (0..200).map(|nth| format!("n{nth:03}")).collect();
    for name in &names {
        world.put_stored(&bucket, name).await;
    }
    assert_eq!(world.stored().await, 200);
    assert_eq!(purge(&world, &bucket, &names[..150]).await, 150);
    world.clock.advance(world.settings.drain_timeout);
    world.process().await;
    assert_eq!((world.stored().await, world.count(State::Live).await), (50, 50));
    world.check().await;
}
