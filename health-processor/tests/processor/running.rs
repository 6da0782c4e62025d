//! The processor as it runs in service: by itself, woken, and stopped.

use crate::world::{World, run};
use health_processor::HealthProcessor;
use lifecycle::State;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn it_works_by_itself_when_it_is_woken_and_stops_when_it_is_told() {
    for mut world in World::both().await {
        world.settings.drain_timeout = Duration::ZERO;
        let processor = HealthProcessor::start(
            world.metadata.clone(),
            world.blobs.clone(),
            Arc::clone(&world.clock) as _,
            world.settings.clone(),
            world.audit.clone(),
            world.stop.subscribe(),
        );
        let bucket = world.bucket().await;
        world.put_stored(&bucket, "large").await;
        world.delete_with(&bucket, "large", Duration::ZERO).await;
        processor.wake();
        while world.count(State::Purged).await == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        world.stop.send_replace(true);
        processor.stopped().await;
        let tasks = processor.tasks();
        assert!(tasks.iter().all(|task| !task.running && !task.purpose.is_empty()));
        let reclaim = tasks.iter().find(|task| task.name == "reclaim").unwrap();
        assert!(reclaim.runs > 0 && reclaim.failed.is_none() && reclaim.next_at.is_some());
        let reconcile = tasks.iter().find(|task| task.name == "reconcile").unwrap();
        assert_eq!(reconcile.runs, 0, "it does not look at everything at every start");
        world.check().await;
    }
}

#[tokio::test]
async fn what_a_task_did_is_written_down_for_other_members() {
    for world in World::both().await {
        let processor = world.processor();
        let report = run(&processor, "reclaim").await;
        let rows = world.metadata.tasks().await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].name.as_str(), rows[0].report.as_ref()), ("reclaim", Some(&report)));
        assert!(rows[0].next_at > rows[0].finished_at);
        world.check().await;
    }
}

#[tokio::test]
async fn told_to_stop_it_claims_nothing_more() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_many(&bucket, 5, None).await;
        world.delete_many(&bucket, 5).await;
        world.clock.advance(crate::world::GRACE);
        world.stop.send_replace(true);
        run(&world.processor(), "reclaim").await;
        assert_eq!(world.count(State::Removed).await, 5);
        world.check().await;
    }
}
