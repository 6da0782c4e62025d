//! Removed objects: purged at their time, not before, and only where timers may act.

use crate::world::{DAY, GRACE, HOUR, MINUTE, World, number, run};
use lifecycle::{Clock, State};
use metadata::ContainerKind;
use std::time::Duration;

#[tokio::test]
async fn a_removed_object_is_purged_at_its_time_and_not_before() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put(&bucket, "small").await;
        world.put_stored(&bucket, "large").await;
        world.put(&bucket, "kept").await;
        world.delete(&bucket, "small").await;
        world.delete(&bucket, "large").await;

        world.clock.advance(GRACE - Duration::from_secs(1));
        world.process().await;
        assert_eq!((world.count(State::Removed).await, world.stored().await), (2, 1));

        world.clock.advance(Duration::from_secs(1));
        let report = run(&world.processor(), "reclaim").await;
        assert_eq!((number(&report, "/claimed"), number(&report, "/purged")), (2, 2), "{report}");
        assert_eq!(number(&report, "/bytes"), 5_004);
        assert_eq!((world.count(State::Purged).await, world.count(State::Live).await), (2, 1));
        assert_eq!(world.stored().await, 0);
        world.check().await;
    }
}

#[tokio::test]
async fn bytes_stay_while_reads_that_began_before_the_delete_may_run() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_stored(&bucket, "large").await;
        world.delete_with(&bucket, "large", Duration::ZERO).await;
        world.process().await;
        assert_eq!((world.count(State::Removed).await, world.stored().await), (1, 1));
        world.clock.advance(world.settings.drain_timeout);
        world.process().await;
        assert_eq!((world.count(State::Removed).await, world.stored().await), (0, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn timers_leave_alone_what_lies_in_a_removed_bucket() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put(&bucket, "deleted").await;
        world.stage(&bucket, "never finished").await;
        let soon = world.clock.now().plus(MINUTE);
        world.put_with(&bucket, "expiring", |publish| publish.expires_at = Some(soon)).await;
        world.delete(&bucket, "deleted").await;
        world.remove(&bucket, 30 * DAY).await;
        world.clock.advance(20 * DAY);
        world.process().await;
        let states = [State::Removed, State::Live, State::Staged, State::Purging, State::Purged];
        let mut counts = Vec::new();
        for state in states {
            counts.push(world.count(state).await);
        }
        assert_eq!(counts, [1, 1, 1, 0, 0]);
        let report = run(&world.processor(), "reclaim").await;
        assert_eq!(number(&report, "/kept/container_not_live"), 1);

        world.metadata.restore(ContainerKind::Bucket, bucket.id, Default::default()).await.unwrap();
        world.process().await;
        assert_eq!((world.count(State::Purged).await, world.count(State::Removed).await), (2, 1));
        world.check().await;
    }
}

#[tokio::test]
async fn a_guard_that_begins_during_the_grace_keeps_until_it_ends() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        let now = world.clock.now();
        world
            .put_with(&bucket, "guarded", |publish| {
                publish.guard.from = Some(now.plus(MINUTE));
                publish.guard.until = Some(now.plus(2 * DAY));
            })
            .await;
        world.delete(&bucket, "guarded").await;
        world.clock.advance(DAY);
        world.process().await;
        assert_eq!(world.count(State::Removed).await, 1);
        world.clock.advance(DAY);
        world.process().await;
        assert_eq!(world.count(State::Purged).await, 1);
        world.check().await;
    }
}

#[tokio::test]
async fn a_dry_run_tells_what_is_due_and_claims_nothing() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_many(&bucket, 3, None).await;
        world.delete_many(&bucket, 2).await;
        world.clock.advance(GRACE);
        let processor = world.processor();
        let report = processor.run_now("reclaim", true).await.unwrap();
        assert_eq!(number(&report, "/due/objects"), 2);
        assert_eq!(number(&report, "/kept/dry_run"), 2);
        assert_eq!(report["dry_run"], true);
        assert_eq!(world.count(State::Removed).await, 2);
        for task in processor.tasks() {
            assert!(processor.run_now(task.name, true).await.is_some(), "{}", task.name);
        }
        assert!(processor.run_now("lunch", true).await.is_none());
        assert_eq!((world.count(State::Removed).await, world.count(State::Live).await), (2, 1));
        world.check().await;
    }
}

#[tokio::test]
async fn small_batches_go_around_the_buckets_and_leave_nothing() {
    for mut world in World::both().await {
        world.settings.batch = 3;
        for _ in 0..4 {
            let bucket = world.bucket().await;
            world.put_many(&bucket, 10, None).await;
            world.delete_many(&bucket, 10).await;
        }
        world.clock.advance(GRACE + HOUR);
        let report = run(&world.processor(), "reclaim").await;
        assert_eq!(number(&report, "/purged"), 40);
        world.check().await;
    }
}

/// For a look at the rate: `cargo nextest run -p health-processor --run-ignored only rate`.
#[tokio::test]
#[ignore = "a measurement, not a test"]
async fn rate_of_reclaiming_small_objects() {
    for mut world in World::both().await {
        world.settings.brake_min_objects = u64::MAX;
        world.settings.brake_min_bytes = u64::MAX;
        let bucket = world.bucket().await;
        world.put_many(&bucket, 20_000, Some(world.clock.now())).await;
        let clock = lifecycle::SystemClock;
        run(&world.processor(), "expire").await;
        world.clock.advance(GRACE + GRACE);
        let began = clock.boot();
        let report = run(&world.processor(), "reclaim").await;
        let took = clock.boot() - began;
        let rate = number(&report, "/purged") as f64 / took.as_secs_f64();
        eprintln!("{:?}: {rate:.0} objects/s", world.engine());
    }
}
