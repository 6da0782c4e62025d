//! Tombstones: kept as long as deletions are remembered, then gone.

use crate::world::{DAY, GRACE, MINUTE, World, number, run};
use lifecycle::State;

#[tokio::test]
async fn tombstones_go_when_their_memory_has_run_out_and_containers_after_them() {
    for mut world in World::both().await {
        world.settings.batch = 4;
        let (bucket, removed) = (world.bucket().await, world.bucket().await);
        world.put_many(&bucket, 10, None).await;
        world.delete_many(&bucket, 10).await;
        world.put_stored(&removed, "large").await;
        world.remove(&removed, GRACE).await;
        world.clock.advance(GRACE);
        world.process().await;
        world.clock.advance(world.settings.drain_timeout);
        world.process().await;
        assert_eq!(world.count(State::Purged).await, 11);
        assert_eq!(world.bucket_state(&removed).await, Some(State::Purged));

        world.clock.advance(world.settings.deletion_memory - MINUTE);
        world.process().await;
        assert_eq!(world.count(State::Purged).await, 11);

        world.clock.advance(DAY);
        let report = run(&world.processor(), "forget").await;
        assert_eq!((number(&report, "/versions"), number(&report, "/containers")), (11, 2), "{report}");
        assert_eq!(world.count(State::Purged).await, 0);
        assert_eq!(world.bucket_state(&removed).await, None);
        assert_eq!(world.bucket_state(&bucket).await, Some(State::Live));
        world.check().await;
    }
}
