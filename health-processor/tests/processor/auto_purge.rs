//! Objects that delete markers have hidden for as long as their bucket says.

use crate::world::{HOUR, World, number, run};
use std::time::Duration;

const MONTH: Duration = Duration::from_secs(30 * 24 * 3_600);

async fn hidden(world: &World) -> metadata::Container {
    let bucket = world.bucket().await;
    world.policies(&bucket, "enabled", &[]).await;
    for name in ["old", "old", "back", "kept"] {
        world.put(&bucket, name).await;
    }
    world.delete(&bucket, "old").await;
    world.delete(&bucket, "back").await;
    world.clock.advance(HOUR);
    world.put(&bucket, "back").await;
    world.delete(&bucket, "kept").await;
    bucket
}

/// CP-55.
#[tokio::test]
async fn what_is_hidden_long_enough_goes_with_all_that_is_under_it() {
    for mut world in World::both().await {
        world.settings.batch = 4;
        let bucket = hidden(&world).await;
        let counts = |report: &serde_json::Value| (number(report, "/buckets"), number(report, "/purged"));
        assert_eq!(counts(&run(&world.processor(), "auto-purge").await), (0, 0), "nobody has asked for it");
        world.metadata.set_marker_ttl(bucket.id, Some(HOUR), "olga").await.unwrap();
        let would = world.processor().run_now("auto-purge", true).await.unwrap();
        assert_eq!(counts(&would), (1, 1), "{would}");
        assert_eq!(
            world.metadata.purges(bucket.id, None, 10).await.unwrap().last,
            0,
            "a dry run changes nothing"
        );
        let report = run(&world.processor(), "auto-purge").await;
        assert_eq!(counts(&report), (1, 1), "{report}");
        let purges = world.metadata.purges(bucket.id, None, 10).await.unwrap().purges;
        assert_eq!((purges.len(), purges[0].actor.as_str()), (1, "auto-purge"));
        // Two versions of "back" and its marker, and "kept" with the marker that is too young.
        assert_eq!(world.count(lifecycle::State::Live).await, 5);
        world.clock.advance(HOUR);
        assert_eq!(counts(&run(&world.processor(), "auto-purge").await), (1, 1));
        world.clock.advance(MONTH);
        world.metadata.set_marker_ttl(bucket.id, None, "olga").await.unwrap();
        world.delete(&bucket, "back").await;
        world.clock.advance(MONTH);
        assert_eq!(counts(&run(&world.processor(), "auto-purge").await), (0, 0));
        world.check().await;
    }
}

/// CP-55: what is protected stays with all of its name.
#[tokio::test]
async fn a_guard_under_the_marker_keeps_the_object() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.policies(&bucket, "enabled", &[]).await;
        world.put_with(&bucket, "held", |publish| publish.guard.hold = true).await;
        world.put(&bucket, "held").await;
        world.delete(&bucket, "held").await;
        world.metadata.set_marker_ttl(bucket.id, Some(HOUR), "olga").await.unwrap();
        world.clock.advance(HOUR);
        let report = run(&world.processor(), "auto-purge").await;
        assert_eq!((number(&report, "/purged"), number(&report, "/protected")), (0, 1), "{report}");
        assert_eq!(world.count(lifecycle::State::Live).await, 3);
    }
}

/// CP-55: it does nothing, and says why.
#[tokio::test]
async fn while_a_member_is_silent_nothing_goes() {
    for world in World::both().await {
        let bucket = hidden(&world).await;
        world.metadata.set_marker_ttl(bucket.id, Some(HOUR), "olga").await.unwrap();
        let url = world.db.settings().url;
        let lost = "INSERT INTO members (id, incarnation, node, role, standing, registered_epoch, observed_epoch,
                drained_epoch, registered_at, beat_at, lease_until, holdouts, reads)
             SELECT id, 1000, 'elsewhere', 'gateway', 'fenced', 0, 0, 0, 0, 0, 0, '[]', '[]' FROM installation";
        metadata::testing::run(&url, lost).await.unwrap();
        let report = run(&world.processor(), "auto-purge").await;
        assert_eq!(report["waiting_for"][0], "elsewhere (gateway)", "{report}");
        assert_eq!(number(&report, "/purged"), 0);
        metadata::testing::run(&url, "UPDATE members SET standing = 'left' WHERE node = 'elsewhere'")
            .await
            .unwrap();
        assert_eq!(number(&run(&world.processor(), "auto-purge").await, "/purged"), 1);
    }
}
