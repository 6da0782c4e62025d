//! Lifepoints: what they end is removed, with a grace, and what a guard protects is kept.

use crate::world::{GRACE, MINUTE, World, number, run};
use lifecycle::{Clock, State};

#[tokio::test]
async fn what_a_lifepoint_ends_is_removed_with_a_grace_and_then_purged() {
    for mut world in World::both().await {
        world.settings.batch = 4;
        let bucket = world.bucket().await;
        let soon = world.clock.now().plus(MINUTE);
        world.put_many(&bucket, 10, Some(soon)).await;
        world
            .put_with(&bucket, "guarded", |publish| {
                publish.expires_at = Some(soon);
                publish.guard.until = Some(soon.plus(MINUTE));
            })
            .await;
        world.process().await;
        assert_eq!(world.count(State::Live).await, 11);

        world.clock.advance(MINUTE);
        let processor = world.processor();
        // What a guard protects stays readable until that ends, and is not due before.
        assert_eq!(number(&processor.run_now("expire", true).await.unwrap(), "/removed"), 10);
        let report = run(&processor, "expire").await;
        assert_eq!((number(&report, "/expired"), number(&report, "/removed")), (10, 10), "{report}");
        assert!(processor.run_all_until_idle().await);
        assert_eq!((world.count(State::Live).await, world.count(State::Removed).await), (1, 10));

        world.clock.advance(GRACE);
        assert!(processor.run_all_until_idle().await);
        assert_eq!((world.count(State::Removed).await, world.count(State::Purged).await), (1, 10));
        world.check().await;
    }
}
