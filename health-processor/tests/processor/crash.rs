//! A processor that dies at each of its failpoints, and another one that finishes its work.

use crate::world::{GRACE, MINUTE, World};
use health_processor::HealthProcessor;
use health_processor::failpoint::{Blow, NAMES};
use lifecycle::{Clock, State};
use testkit::Database;

const TASKS: [&str; 10] = [
    "lifecycle",
    "expire",
    "history",
    "auto-purge",
    "uploads",
    "containers",
    "reclaim",
    "staged",
    "forget",
    "ledger",
];

/// Work of every kind, all of it due.
async fn make_work(world: &World) {
    let (bucket, removed) = (world.bucket().await, world.bucket().await);
    world.put(&bucket, "small").await;
    world.put_stored(&bucket, "large").await;
    world.delete(&bucket, "small").await;
    world.delete(&bucket, "large").await;
    let soon = world.clock.now().plus(MINUTE);
    world.put_with(&bucket, "expiring", |publish| publish.expires_at = Some(soon)).await;
    world.stage(&bucket, "given up").await;
    world.put(&removed, "small").await;
    world.put_stored(&removed, "large").await;
    world.remove(&removed, GRACE).await;
    world.upload(&bucket, "never completed").await;
    // What was kept while versions were, and goes because they are not any more.
    let kept = world.bucket().await;
    world.policies(&kept, "enabled", &[]).await;
    world.put(&kept, "twice").await;
    world.put_stored(&kept, "twice").await;
    world.delete(&kept, "twice").await;
    world.policies(&kept, "disabled", &[]).await;
    // A rule for what is there already.
    let ruled = world.bucket().await;
    world.put(&ruled, "old").await;
    world.policies(&ruled, "disabled", &[r#"RuleId:"r" ExpirationDays:1"#]).await;
    // What a marker has hidden for long enough.
    let hidden = world.bucket().await;
    world.policies(&hidden, "enabled", &[]).await;
    world.put_stored(&hidden, "hidden").await;
    world.delete(&hidden, "hidden").await;
    world.metadata.set_marker_ttl(hidden.id, Some(MINUTE), "olga").await.unwrap();
    // A ledger with more in it than is to be kept.
    let purged = world.bucket().await;
    world.purges(&purged, 3, 1).await;
    world.clock.advance(world.settings.staged_expiry + GRACE);
}

/// Lets a processor with one armed failpoint work until it is struck there.
async fn work_until_struck(world: &World, processor: &HealthProcessor, failpoint: &str) {
    for _ in 0..4 {
        for task in TASKS {
            let report = processor.run_now(task, false).await.unwrap();
            if report["failed"].as_str().is_some_and(|why| why.contains(failpoint)) {
                return;
            }
        }
        world.clock.advance(world.settings.drain_timeout);
    }
    panic!("nothing came past failpoint {failpoint}");
}

/// A new processor, some time later, is left with nothing to do.
async fn converge(world: &World, failpoint: &str) {
    for _ in 0..4 {
        world.clock.advance(world.settings.lease.max(GRACE));
        world.process().await;
    }
    for state in [State::Staged, State::Live, State::Removed, State::Purging] {
        assert_eq!(world.count(state).await, 0, "{state} after {failpoint}");
    }
    assert_eq!(world.stored().await, 0, "bytes are left after {failpoint}");
    world.check().await;
}

async fn dies_everywhere(db: Database, blow: Blow) {
    let world = World::on(db).await;
    // The other tasks find nothing to do in this work, and die in tests of their own.
    let apart = ["reconcile.", "scrub.", "purges.", "events."];
    let theirs = |name: &&&str| apart.iter().any(|task| name.starts_with(task));
    for failpoint in NAMES.iter().filter(|name| !theirs(name)) {
        make_work(&world).await;
        if failpoint.starts_with("lapsed") {
            let first = world.processor();
            first.failpoints().arm("reclaim.after_claim", Blow::Error);
            work_until_struck(&world, &first, "reclaim.after_claim").await;
            world.clock.advance(world.settings.lease);
        }
        if failpoint.starts_with("forget") {
            converge(&world, "nothing").await;
            world.clock.advance(world.settings.deletion_memory);
        }
        let dying = world.processor();
        dying.failpoints().arm(failpoint, blow);
        work_until_struck(&world, &dying, failpoint).await;
        drop(dying);
        world.check().await;
        converge(&world, failpoint).await;
    }
}

#[tokio::test]
async fn a_processor_may_die_at_every_failpoint_on_sqlite() {
    dies_everywhere(Database::sqlite(), Blow::Error).await;
}

#[tokio::test]
async fn a_processor_may_die_at_every_failpoint_on_postgres() {
    dies_everywhere(Database::postgres().await, Blow::Error).await;
}

#[tokio::test]
async fn a_task_may_panic_at_every_failpoint() {
    dies_everywhere(Database::sqlite(), Blow::Panic).await;
}

#[tokio::test]
async fn nobody_takes_over_a_claim_before_it_has_lapsed() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_stored(&bucket, "large").await;
        world.delete(&bucket, "large").await;
        world.clock.advance(GRACE);
        let dying = world.processor();
        dying.failpoints().arm("reclaim.after_destroy", Blow::Error);
        work_until_struck(&world, &dying, "reclaim.after_destroy").await;
        assert_eq!((world.count(State::Purging).await, world.stored().await), (1, 0));
        world.clock.advance(world.settings.lease - MINUTE / 2);
        world.process().await;
        assert_eq!(world.count(State::Purging).await, 1);
        world.clock.advance(MINUTE / 2);
        world.process().await;
        assert_eq!(world.count(State::Purged).await, 1);
        world.check().await;
    }
}
