//! Uploads that were begun and never finished.

use crate::world::{MINUTE, World, number, run};
use lifecycle::State;

#[tokio::test]
async fn an_upload_that_was_never_finished_goes_and_a_younger_one_stays() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.stage(&bucket, "given up").await;
        world.clock.advance(world.settings.staged_expiry - MINUTE);
        world.process().await;
        world.stage(&bucket, "under way").await;
        assert_eq!((world.count(State::Staged).await, world.stored().await), (2, 2));

        world.clock.advance(MINUTE);
        let processor = world.processor();
        assert_eq!(number(&processor.run_now("staged", true).await.unwrap(), "/buckets"), 1);
        assert_eq!(number(&run(&processor, "staged").await, "/purged"), 1);
        assert_eq!((world.count(State::Staged).await, world.stored().await), (1, 1));
        world.check().await;
    }
}
