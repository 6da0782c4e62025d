//! Removed buckets: purged from the top, emptied by cascade, closed from the bottom, with all their bytes.

use crate::world::{DAY, GRACE, MINUTE, World, number, removal, run};
use lifecycle::{Clock, Refusal, State};
use metadata::ContainerKind;

/// Lets the processor work through drains until nothing changes any more.
async fn settle(world: &World) {
    for _ in 0..3 {
        world.process().await;
        world.clock.advance(world.settings.drain_timeout);
    }
    world.process().await;
}

#[tokio::test]
async fn a_removed_bucket_goes_with_everything_inside_when_its_time_has_come() {
    for world in World::both().await {
        let (bucket, other) = (world.bucket().await, world.bucket().await);
        world.put(&bucket, "small").await;
        world.put_stored(&bucket, "large").await;
        world.put_stored(&bucket, "deleted before").await;
        world.delete(&bucket, "deleted before").await;
        world.stage(&bucket, "never finished").await;
        world.put_stored(&other, "of another bucket").await;
        world.remove(&bucket, DAY).await;

        world.clock.advance(DAY - MINUTE);
        world.process().await;
        assert_eq!(world.bucket_state(&bucket).await, Some(State::Removed), "not before its time");
        assert_eq!(world.stored().await, 4);

        world.clock.advance(MINUTE);
        world.process().await;
        assert_eq!(world.bucket_state(&bucket).await, Some(State::Purging));
        let late = world.metadata.restore(ContainerKind::Bucket, bucket.id, Default::default()).await;
        assert_eq!(late.unwrap_err().refusal(), Some(&Refusal::PurgeStarted));

        settle(&world).await;
        assert_eq!(world.bucket_state(&bucket).await, Some(State::Purged));
        assert_eq!(world.count(State::Purged).await, 4);
        assert_eq!((world.count(State::Live).await, world.stored().await), (1, 1), "the other bucket's");
        world.check().await;
    }
}

#[tokio::test]
async fn a_bucket_waits_for_the_guard_that_began_inside_it() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        let now = world.clock.now();
        world
            .put_with(&bucket, "guarded", |publish| {
                publish.guard.from = Some(now.plus(MINUTE));
                publish.guard.until = Some(now.plus(10 * DAY));
            })
            .await;
        world.remove(&bucket, DAY).await;
        world.clock.advance(2 * DAY);
        let report = run(&world.processor(), "containers").await;
        assert_eq!((number(&report, "/kept"), number(&report, "/begun")), (1, 0), "{report}");
        settle(&world).await;
        assert_eq!(world.bucket_state(&bucket).await, Some(State::Removed));
        world.clock.advance(8 * DAY);
        settle(&world).await;
        assert_eq!(world.bucket_state(&bucket).await, Some(State::Purged));
        world.check().await;
    }
}

#[tokio::test]
async fn emptied_contents_go_in_their_time_and_the_bucket_stays() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        let soon = world.clock.now().plus(MINUTE);
        world.put_stored(&bucket, "large").await;
        world.put_with(&bucket, "expiring", |publish| publish.expires_at = Some(soon)).await;
        world.metadata.empty_bucket(bucket.id, removal(GRACE)).await.unwrap();
        world.put(&bucket, "new").await;

        world.clock.advance(GRACE / 2);
        let report = run(&world.processor(), "expire").await;
        assert_eq!((number(&report, "/skipped"), number(&report, "/removed")), (1, 0), "{report}");
        assert!(report["refused"].as_object().unwrap().is_empty());

        world.clock.advance(GRACE);
        settle(&world).await;
        assert_eq!(world.bucket_state(&bucket).await, Some(State::Live));
        assert_eq!((world.count(State::Live).await, world.count(State::Purged).await), (1, 2));
        assert_eq!(world.stored().await, 0);
        world.check().await;
    }
}

#[tokio::test]
async fn a_purge_asked_for_now_takes_only_as_long_as_reads_may_run() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_stored(&bucket, "large").await;
        world.remove(&bucket, 30 * DAY).await;
        world
            .metadata
            .purge_early(ContainerKind::Bucket, bucket.id, metadata::PurgeOrder::at_once("root"))
            .await
            .unwrap();
        world.process().await;
        assert_eq!(world.stored().await, 1);
        world.clock.advance(world.settings.drain_timeout);
        world.process().await;
        assert_eq!((world.bucket_state(&bucket).await, world.stored().await), (Some(State::Purged), 0));
        world.check().await;
    }
}
