//! Batches that are larger than one chunk of any statement.

use crate::world::*;
use lifecycle::State;

on_both_engines! {
    async fn a_batch_of_a_thousand_is_done_to_the_last(world: World) {
        let names: Vec<String> = (0..1_003).map(|n| format!("{n:04}")).collect();
        let puts = names.iter().map(|name| world.put(name).body("1234").command()).collect();
        assert!(world.m.objects(puts, false).await.iter().all(Result::is_ok));
        assert_eq!(world.counted(State::Live).await, (1_003, 4_012));
        let deletes = names.iter().map(|name| world.delete(name).command()).collect();
        assert!(world.m.objects(deletes, true).await.iter().all(Result::is_ok));
        assert_eq!(world.counted(State::Removed).await, (1_003, 4_012));
        let restores = names.iter().take(600).map(|name| world.restore(name).command()).collect();
        assert!(world.m.objects(restores, false).await.iter().all(Result::is_ok));
        assert_eq!(world.lists().await.len(), 600);
        world.later(OBJECT_GRACE);
        assert_eq!(world.reclaim().await, 403);
        world.later(MEMORY);
        assert_eq!(world.forget().await.0, 403);
        assert_eq!(world.counted(State::Purged).await, (0, 0));
    }
}
