//! Ledgers keep what they are to keep, and followers that fall behind are told of.

use crate::world::{DAY, HOUR, World, number, run};
use metadata::FollowOrder;

#[tokio::test]
async fn entries_beyond_the_limit_go_when_every_follower_has_passed_them() {
    for mut world in World::both().await {
        world.settings.batch = 4;
        let (bucket, other) = (world.bucket().await, world.bucket().await);
        world.purges(&bucket, 15, 5).await;
        world.purges(&other, 3, 5).await;
        let order = |at| FollowOrder { id: "index".to_owned(), purge_seq: at, ..FollowOrder::default() };
        world.metadata.follow(bucket.id, order(None)).await.unwrap();

        let report = run(&world.processor(), "ledger").await;
        let counted = |report: &serde_json::Value| {
            (number(report, "/buckets"), number(report, "/dropped"), number(report, "/held"))
        };
        assert_eq!(counted(&report), (1, 0, 10), "{report}");
        world.metadata.follow(bucket.id, order(Some(6))).await.unwrap();
        let would = world.processor().run_now("ledger", true).await.unwrap();
        assert_eq!(counted(&would), (1, 6, 4), "{would}");
        let report = run(&world.processor(), "ledger").await;
        assert_eq!(counted(&report), (1, 6, 4), "{report}");
        assert!(report["lagging"].as_array().unwrap().is_empty());

        world.clock.advance(DAY + HOUR);
        let report = run(&world.processor(), "ledger").await;
        let lagging = &report["lagging"][0];
        assert_eq!(
            (lagging["follower"].as_str(), number(&report, "/lagging/0/purges_behind")),
            (Some("index"), 9)
        );
        assert_eq!(lagging["bucket"].as_str(), Some(bucket.name.as_str()));
        assert!(world.metadata.deregister(bucket.id, "index").await.unwrap());
        let report = run(&world.processor(), "ledger").await;
        assert_eq!(counted(&report), (1, 4, 0), "{report}");
        let kept = world.metadata.purges(bucket.id, None, 100).await.unwrap();
        assert_eq!((kept.oldest, kept.last, kept.purges.len()), (11, 15, 5));
        world.check().await;
    }
}

#[tokio::test]
async fn a_cursor_that_cannot_be_read_keeps_its_own_ledger_alone() {
    let world = World::on(testkit::Database::sqlite()).await;
    let (bucket, other) = (world.bucket().await, world.bucket().await);
    world.purges(&bucket, 5, 2).await;
    world.purges(&other, 5, 2).await;
    let order = FollowOrder { id: "index".to_owned(), ..FollowOrder::default() };
    world.metadata.follow(bucket.id, order).await.unwrap();
    let url = world.db.settings().url;
    metadata::testing::run(&url, "UPDATE followers SET purge_seq = 'soon'").await.unwrap();
    let report = world.processor().run_now("ledger", false).await.unwrap();
    assert!(report["failed"].as_str().is_some(), "{report}");
    metadata::testing::run(&url, "DELETE FROM followers").await.unwrap();
    let kept = async |id| world.metadata.purges(id, None, 100).await.unwrap().purges.len();
    assert_eq!((kept(bucket.id).await, kept(other.id).await), (5, 2));
    assert_eq!(number(&report, "/unreadable"), 1);
}
