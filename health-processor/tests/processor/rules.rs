//! Lifecycle rules of S3's: a change is planned in the background, and what rules let go goes in time, uploads with it.

use crate::world::{World, number, run};
use lifecycle::{Clock, State};
use metadata::{Allowed, LifecycleChange};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3_600);
const RULES: &str = r#"{"Rules":[{"ID":"r","Status":"Enabled","Filter":{"Prefix":"o"},"Expiration":{"Days":1},
    "AbortIncompleteMultipartUpload":{"DaysAfterInitiation":1}}]}"#;

#[tokio::test]
async fn a_change_is_planned_step_by_step_and_then_done() {
    for mut world in World::both().await {
        world.settings.batch = 4;
        let bucket = world.bucket().await;
        world.put_many(&bucket, 10, None).await;
        world.process().await;
        let allowed = Allowed { versioning: true, lifecycle: true };
        let order = LifecycleChange {
            configuration: Some(RULES.replace("\"o\"", "\"\"")),
            allowed,
            actor: "somebody".to_owned(),
        };
        world.metadata.set_lifecycle(bucket.id, order).await.unwrap();
        let processor = world.processor();
        let report = run(&processor, "lifecycle").await;
        assert_eq!((number(&report, "/looked"), number(&report, "/changed")), (10, 10), "{report}");
        let progress = world.metadata.replan_progress(bucket.id).await.unwrap().unwrap();
        assert_eq!(
            (progress.pending, progress.looked, progress.ended_at),
            (false, 10, Some(world.clock.now()))
        );
        assert!(processor.run_all_until_idle().await);
        assert_eq!(world.count(State::Live).await, 10);
        world.clock.advance(3 * DAY);
        let report = run(&processor, "expire").await;
        assert_eq!((number(&report, "/expired"), number(&report, "/removed")), (10, 10), "{report}");
        assert!(processor.run_all_until_idle().await);
        assert_eq!(world.count(State::Live).await, 0);
        world.check().await;
    }
}
