//! A store that fails: what cannot be destroyed is given back, and goes later.

use crate::world::{GRACE, World, number, run};
use lifecycle::State;
use testkit::faulty::{Fault, Op};

#[tokio::test]
async fn what_could_not_be_destroyed_is_released_and_goes_in_a_later_run() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        for name in ["one", "two", "three"] {
            world.put_stored(&bucket, name).await;
            world.delete(&bucket, name).await;
        }
        world.put(&bucket, "small").await;
        world.delete(&bucket, "small").await;
        world.clock.advance(GRACE);
        world.store.next(Op::Delete, 1, Fault::ErrorBefore);

        let processor = world.processor();
        let report = run(&processor, "reclaim").await;
        assert_eq!((number(&report, "/claimed"), number(&report, "/purged")), (4, 3), "{report}");
        assert_eq!((number(&report, "/released"), number(&report, "/failures/unavailable")), (1, 1));
        assert_eq!((world.count(State::Purging).await, world.stored().await), (1, 1));
        world.check().await;

        assert_eq!(processor.lapsed_claims(), 0);
        let report = run(&processor, "reclaim").await;
        assert_eq!((number(&report, "/lapsed"), number(&report, "/purged")), (1, 1), "{report}");
        assert_eq!(processor.lapsed_claims(), 1);
        assert_eq!((world.count(State::Purged).await, world.stored().await), (4, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn a_store_that_is_away_holds_up_nothing_that_lies_inline_and_loses_nothing() {
    for mut world in World::both().await {
        world.settings.batch = 2;
        let (bucket, small) = (world.bucket().await, world.bucket().await);
        for nth in 0..12 {
            world.put_stored(&bucket, &format!("many-{nth:06}")).await;
        }
        world.delete_many(&bucket, 12).await;
        world.put_many(&small, 4, None).await;
        world.delete_many(&small, 4).await;
        world.clock.advance(GRACE);
        world.store.set(Op::Delete, Fault::ErrorBefore, 1.0);

        let processor = world.processor();
        assert!(processor.run_all_until_idle().await, "it does not hammer at it for ever");
        assert_eq!((world.count(State::Purged).await, world.stored().await), (4, 12));
        let report = run(&processor, "reclaim").await;
        let tried = number(&report, "/failures/unavailable");
        assert!((1..12).contains(&tried), "it stops after a few batches: {report}");
        world.check().await;

        world.store.calm();
        assert!(processor.run_all_until_idle().await);
        assert_eq!((world.count(State::Purged).await, world.stored().await), (16, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn without_the_mark_of_the_installation_nothing_counts_as_destroyed() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_stored(&bucket, "large").await;
        world.delete(&bucket, "large").await;
        world.clock.advance(GRACE);
        world.store.set(Op::Get, Fault::NotFound, 1.0);
        let report = run(&world.processor(), "reclaim").await;
        assert_eq!((number(&report, "/purged"), number(&report, "/released")), (0, 1), "{report}");
        world.store.calm();
        assert_eq!((world.count(State::Purging).await, world.stored().await), (1, 1));
        world.process().await;
        assert_eq!((world.count(State::Purged).await, world.stored().await), (1, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn in_bad_weather_everything_goes_in_the_end_and_nothing_is_forgotten() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        for nth in 0..30 {
            world.put_stored(&bucket, &format!("many-{nth:06}")).await;
        }
        world.delete_many(&bucket, 30).await;
        world.clock.advance(GRACE);
        for fault in [Fault::ErrorBefore, Fault::AnswerLost, Fault::SlowDown, Fault::NotFound] {
            world.store.set(Op::Delete, fault, 0.15);
            world.store.set(Op::Get, fault, 0.02);
        }
        let processor = world.processor();
        for _ in 0..50 {
            processor.run_all_until_idle().await;
        }
        world.store.calm();
        assert!(processor.run_all_until_idle().await);
        assert_eq!((world.count(State::Purged).await, world.stored().await), (30, 0));
        world.check().await;
    }
}
