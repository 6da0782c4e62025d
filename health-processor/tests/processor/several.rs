//! Two processors at one installation: claims keep them apart.

use crate::world::{GRACE, World, number};
use health_processor::HealthProcessor;
use lifecycle::State;
use std::sync::Arc;
use testkit::Database;

/// Runs reclaim until it finds nothing more, and tells how much it finished.
async fn reclaim_all(processor: HealthProcessor) -> (u64, u64) {
    let (mut purged, mut overtaken, mut empty) = (0, 0, 0);
    while empty < 3 {
        let report = processor.run_now("reclaim", false).await.unwrap();
        assert!(report.get("failed").is_none(), "{report}");
        let more = number(&report, "/purged");
        empty = if more == 0 { empty + 1 } else { 0 };
        purged += more;
        overtaken += number(&report, "/overtaken");
    }
    (purged, overtaken)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processors_on_one_postgres_never_finish_the_same_version_twice() {
    let mut world = World::on(Database::postgres().await).await;
    world.settings.batch = 16;
    for _ in 0..3 {
        let bucket = world.bucket().await;
        world.put_many(&bucket, 150, None).await;
        for nth in 0..30 {
            world.put_stored(&bucket, &format!("many-{:06}", 200 + nth)).await;
            world.delete(&bucket, &format!("many-{:06}", 200 + nth)).await;
        }
        world.delete_many(&bucket, 150).await;
    }
    world.clock.advance(GRACE);
    let elsewhere = world.db.open(Arc::clone(&world.clock) as _).await;
    let one = world.processor();
    let two = HealthProcessor::at_rest(
        elsewhere,
        world.blobs.clone(),
        Arc::clone(&world.clock) as _,
        world.settings.clone(),
        world.audit.clone(),
        world.stop.subscribe(),
    );
    let (one, two) = tokio::join!(tokio::spawn(reclaim_all(one)), tokio::spawn(reclaim_all(two)));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.0 + two.0, 540, "one did {one:?}, the other {two:?}");
    assert_eq!((one.1, two.1), (0, 0), "no claim was lost under a time that stands still");
    assert_eq!((world.count(State::Purged).await, world.count(State::Purging).await), (540, 0));
    assert_eq!(world.stored().await, 0);
    world.check().await;
}
