//! Purges of versions that nobody waits for.

use crate::world::{GRACE, World, number, run};
use health_processor::failpoint::Blow;
use lifecycle::{ContainerId, State};
use metadata::{Accepted, Container, PurgeJob, PurgeNames, PurgeSelector, PurgeState, PurgeVersions};

/// More than one transaction takes.
const MANY: usize = 2_500;

/// Every name of one segment goes: by name, which takes several steps.
async fn accepted(world: &World, bucket: &Container, is_final: bool) -> PurgeJob {
    let order = PurgeVersions {
        domain: world.domain,
        bucket: bucket.id,
        selector: PurgeSelector {
            names: PurgeNames::Filter(lifecycle::Filter::parse("*").unwrap()),
            bound: None,
        },
        is_final,
        advance: false,
        grace: GRACE,
        purge_id: None,
        if_change: None,
        door: "test",
        actor: "olga".to_owned(),
        reason: None,
    };
    match world.metadata.purge_versions(order).await.unwrap() {
        Accepted::Begun(job) => job,
        other => panic!("{other:?}"),
    }
}

async fn job(world: &World, id: ContainerId) -> PurgeJob {
    world.metadata.purge_job(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_the_asker_left_is_carried_on() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_many(&bucket, MANY, None).await;
        world.put(&bucket, "another/one").await;
        let begun = accepted(&world, &bucket, false).await;
        assert_eq!(begun.state, PurgeState::Running);
        let processor = world.processor();
        assert_eq!(number(&processor.run_now("purges", true).await.unwrap(), "/running"), 1);
        let report = run(&processor, "purges").await;
        assert_eq!((number(&report, "/running"), number(&report, "/done")), (1, 1), "{report}");
        assert_eq!(number(&report, "/purged"), MANY as u64 - begun.purged, "{report}");
        let done = job(&world, begun.id).await;
        assert_eq!((done.state, done.purged), (PurgeState::Done, MANY as u64));
        assert_eq!(world.count(State::Live).await, 1);
        assert_eq!(number(&run(&processor, "purges").await, "/running"), 0);
        world.check().await;
        // And when the grace is over, that is the end of it.
        world.clock.advance(2 * GRACE);
        assert!(processor.run_all_until_idle().await);
        assert_eq!(world.count(State::Purged).await, MANY as i64);
        assert_eq!(world.metadata.deletion(begun.id).await.unwrap().unwrap().state, "purged");
    }
}

#[tokio::test]
async fn a_processor_may_die_between_two_steps() {
    for world in World::both().await {
        for (failpoint, blow) in [
            ("purges.before", Blow::Error),
            ("purges.after", Blow::Error),
            ("purges.before", Blow::Panic),
            ("purges.after", Blow::Panic),
        ] {
            let bucket = world.bucket().await;
            world.put_many(&bucket, MANY, None).await;
            let begun = accepted(&world, &bucket, true).await;
            let dying = world.processor();
            dying.failpoints().arm(failpoint, blow);
            let report = dying.run_now("purges", false).await.unwrap();
            assert!(report["failed"].as_str().is_some_and(|why| why.contains(failpoint)), "{report}");
            drop(dying);
            let left = job(&world, begun.id).await;
            assert_eq!(left.state, PurgeState::Running, "{failpoint}");
            assert_eq!(left.purged > begun.purged, failpoint == "purges.after");
            world.check().await;
            let next = world.processor();
            run(&next, "purges").await;
            let done = job(&world, begun.id).await;
            assert_eq!((done.state, done.purged), (PurgeState::Done, MANY as u64), "{failpoint}");
            assert_eq!(world.count(State::Live).await, 0);
            world.clock.advance(GRACE);
            assert!(next.run_all_until_idle().await);
            assert_eq!(world.count(State::Purging).await, 0, "{failpoint} {blow:?}");
            world.check().await;
        }
    }
}

#[tokio::test]
async fn nothing_goes_on_while_a_clock_is_in_doubt() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_many(&bucket, MANY, None).await;
        let begun = accepted(&world, &bucket, false).await;
        world.metadata.halt_purging("a clock ran ahead".to_owned()).await.unwrap();
        let processor = world.processor();
        let report = run(&processor, "purges").await;
        assert_eq!(report["halted"], "a clock ran ahead");
        assert_eq!(job(&world, begun.id).await.purged, begun.purged);
        world.metadata.resume_purging(GRACE).await.unwrap();
        assert_eq!(number(&run(&processor, "purges").await, "/done"), 1);
    }
}

#[tokio::test]
async fn in_a_removed_bucket_it_waits() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_many(&bucket, MANY, None).await;
        let begun = accepted(&world, &bucket, false).await;
        world.remove(&bucket, 10 * GRACE).await;
        let processor = world.processor();
        let report = run(&processor, "purges").await;
        assert_eq!((number(&report, "/waiting"), number(&report, "/purged")), (1, 0), "{report}");
        assert_eq!(job(&world, begun.id).await.state, PurgeState::Running);
    }
}
