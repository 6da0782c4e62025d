//! When purging stands still: the brake, a clock that ran ahead, and the operator who lets it go on.

use crate::world::{GRACE, HOUR, MINUTE, World, number, run};
use lifecycle::{Clock, State};

fn tighten(world: &mut World) {
    world.settings.brake_min_objects = 10;
    world.settings.brake_objects = 1_000;
}

#[tokio::test]
async fn the_brake_stops_what_no_request_explains_until_an_operator_lets_go() {
    for mut world in World::both().await {
        tighten(&mut world);
        let bucket = world.bucket().await;
        world.put_many(&bucket, 20, Some(world.clock.now().plus(MINUTE))).await;
        world.put(&bucket, "asked for").await;
        world.delete(&bucket, "asked for").await;
        world.clock.advance(MINUTE);
        world.process().await;
        world.clock.advance(GRACE);

        let processor = world.processor();
        let report = run(&processor, "reclaim").await;
        let why = report["halted"].as_str().unwrap();
        assert!(why.contains("20 objects") && why.contains("barrow resume"), "{why}");
        assert_eq!(number(&report, "/kept/brake"), 21);
        assert!(processor.run_all_until_idle().await);
        assert_eq!((world.count(State::Removed).await, world.count(State::Purged).await), (21, 0));
        assert_eq!(world.metadata.halt().await.unwrap().unwrap().reason, why);
        for task in ["reclaim", "containers", "staged", "forget", "expire"] {
            assert_eq!(run(&processor, task).await["halted"], why, "{task}");
        }
        world.check().await;

        world.metadata.resume_purging(HOUR).await.unwrap();
        assert!(processor.run_all_until_idle().await);
        assert_eq!((world.count(State::Removed).await, world.count(State::Purged).await), (0, 21));
        world.check().await;
    }
}

#[tokio::test]
async fn deletes_that_were_asked_for_pass_whatever_their_number() {
    for mut world in World::both().await {
        tighten(&mut world);
        let bucket = world.bucket().await;
        world.put_many(&bucket, 50, None).await;
        world.delete_many(&bucket, 50).await;
        world.clock.advance(GRACE);
        world.process().await;
        assert_eq!(world.count(State::Purged).await, 50);
        world.check().await;
    }
}

#[tokio::test]
async fn a_clock_that_leaps_ahead_purges_nothing() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_stored(&bucket, "large").await;
        world.put_with(&bucket, "expiring", |p| p.expires_at = Some(world.clock.now().plus(HOUR))).await;
        world.delete(&bucket, "large").await;
        let processor = world.processor();
        assert!(processor.run_all_until_idle().await);

        let before = world.clock.now();
        world.clock.set_wall(before.plus(3 * HOUR));
        let report = run(&processor, "reclaim").await;
        assert!(report["halted"].as_str().is_some_and(|why| why.contains("clock of here")), "{report}");
        assert!(processor.run_all_until_idle().await);
        world.process().await;
        assert_eq!((world.count(State::Removed).await, world.count(State::Live).await), (1, 1));
        assert_eq!(world.stored().await, 1);

        // The operator sets the clock right, and confirms. Nothing was lost.
        world.clock.set_wall(before);
        world.metadata.resume_purging(HOUR).await.unwrap();
        assert!(processor.run_all_until_idle().await);
        assert_eq!((world.count(State::Removed).await, world.stored().await), (1, 1));
        world.clock.advance(GRACE);
        assert!(processor.run_all_until_idle().await);
        assert_eq!(world.stored().await, 0);
        world.check().await;
    }
}
