//! What is locked stays, whatever comes due and whoever confirms it.

use crate::world::{DAY, GRACE, HOUR, MINUTE, World, number, run};
use lifecycle::{Clock, Retention, RetentionMode, State, SystemClock, VersionId};
use metadata::{Container, LockChange, LockOrder, Which};

fn kept(world: &World, mode: RetentionMode, by: std::time::Duration) -> Option<Retention> {
    Some(Retention { mode, until: world.clock.now().plus(by) })
}

/// Changes the lock of the version that has this name, be it live or removed.
async fn set(world: &World, bucket: &Container, name: &str, change: LockChange) -> VersionId {
    let lives = world.metadata.lives_of(bucket.id, name, 10).await.unwrap();
    let version = lives[0].version.id;
    let order = LockOrder {
        domain: world.domain,
        bucket: bucket.id,
        name: name.to_owned(),
        which: Which::Version(version),
        removed_too: true,
        change,
    };
    world.metadata.set_lock(order).await.unwrap();
    version
}

async fn state(world: &World, version: VersionId) -> State {
    world.metadata.version(version).await.unwrap().unwrap().state
}

#[tokio::test]
async fn grace_runs_out_over_what_is_locked_and_its_bytes_stay() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        for name in ["held", "kept", "free"] {
            world.put_stored(&bucket, name).await;
            world.delete(&bucket, name).await;
        }
        let held = set(&world, &bucket, "held", LockChange::Hold(true)).await;
        let retention = kept(&world, RetentionMode::Compliance, GRACE + DAY);
        let kept = set(&world, &bucket, "kept", LockChange::Retention { to: retention, bypass: false }).await;
        world.clock.advance(GRACE);
        world.process().await;
        assert_eq!((world.count(State::Removed).await, world.count(State::Purged).await), (2, 1));
        assert_eq!(world.stored().await, 2);
        world.clock.advance(DAY);
        world.process().await;
        assert_eq!((state(&world, held).await, state(&world, kept).await), (State::Removed, State::Purged));
        set(&world, &bucket, "held", LockChange::Hold(false)).await;
        world.process().await;
        assert_eq!((world.count(State::Purged).await, world.stored().await), (3, 0));
        world.check().await;
    }
}

/// Whoever lets the brake go confirms a number, and no lock.
#[tokio::test]
async fn the_brake_that_is_let_go_passes_no_lock() {
    for mut world in World::both().await {
        world.settings.brake_min_objects = 10;
        world.settings.brake_objects = 1_000;
        let bucket = world.bucket().await;
        world.put_many(&bucket, 20, Some(world.clock.now().plus(MINUTE))).await;
        world.clock.advance(MINUTE);
        world.process().await;
        let held = set(&world, &bucket, "many-000007", LockChange::Hold(true)).await;
        world.clock.advance(GRACE);
        let processor = world.processor();
        assert!(run(&processor, "reclaim").await["halted"].is_string());
        world.metadata.resume_purging(HOUR).await.unwrap();
        assert!(processor.run_all_until_idle().await);
        assert_eq!((world.count(State::Removed).await, world.count(State::Purged).await), (1, 19));
        assert_eq!(state(&world, held).await, State::Removed);
        world.check().await;
    }
}

/// By lifepoint and by rule alike: neither the bytes go, nor what readers are given.
#[tokio::test]
async fn what_is_locked_does_not_expire() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.policies(&bucket, "disabled", &[r#"RuleId:"r" ExpirationDays:1"#]).await;
        let until = kept(&world, RetentionMode::Governance, 3 * DAY);
        let soon = world.clock.now().plus(HOUR);
        world
            .put_with(&bucket, "lifepoint", |put| (put.retention, put.expires_at) = (until, Some(soon)))
            .await;
        world.put_with(&bucket, "rule", |put| put.retention = until).await;
        world.put_with(&bucket, "held", |put| put.guard.hold = true).await;
        world.put(&bucket, "free").await;
        world.clock.advance(2 * DAY);
        world.process().await;
        assert_eq!((world.count(State::Live).await, world.count(State::Removed).await), (3, 1));
        let contents = bucket.contents.unwrap();
        let listed = world.metadata.list_objects(contents, "", "", 10).await.unwrap();
        assert_eq!(listed.len(), 3, "and readers find it");
        world.clock.advance(DAY);
        world.process().await;
        assert_eq!(world.count(State::Live).await, 1, "what is held stays");
        world.check().await;
    }
}

#[tokio::test]
async fn a_history_that_is_erased_keeps_what_is_locked() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.policies(&bucket, "enabled", &[]).await;
        let until = kept(&world, RetentionMode::Compliance, 3 * DAY);
        world.put_with(&bucket, "a", |put| put.retention = until).await;
        world.put(&bucket, "a").await;
        world.put(&bucket, "a").await;
        world.policies(&bucket, "disabled", &[]).await;
        world.process().await;
        assert_eq!((world.count(State::Live).await, world.count(State::Removed).await), (2, 1));
        world.clock.advance(3 * DAY);
        world.process().await;
        assert_eq!(world.count(State::Live).await, 1);
        world.check().await;
    }
}

/// Bytes that a row names are nobody's to destroy, whoever says so; those of a locked version least of all.
#[tokio::test]
async fn what_is_told_to_destroy_destroys_nothing_that_is_locked() {
    for world in World::both().await {
        world.clock.set_wall(SystemClock.now());
        let bucket = world.bucket().await;
        world.put_stored(&bucket, "locked").await;
        let retention = kept(&world, RetentionMode::Compliance, 90 * DAY);
        set(&world, &bucket, "locked", LockChange::Retention { to: retention, bypass: false }).await;
        for _ in 0..3 {
            let report = world.processor().run_told("reconcile").await.flatten().unwrap();
            assert_eq!(number(&report, "/orphans_destroyed"), 0, "{report}");
            world.clock.advance(10 * DAY);
        }
        assert_eq!(world.stored().await, 1);
        world.check().await;
    }
}
