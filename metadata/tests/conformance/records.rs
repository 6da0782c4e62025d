//! What an operator can ask afterwards: deletions, tasks, usage.

use crate::world::*;
use lifecycle::State;
use metadata::ContainerKind;

on_both_engines! {
    async fn every_removal_is_recorded_with_door_actor_reason_and_size(world: World) {
        world.put("x").body("12345").await.unwrap();
        let removed_at = world.now();
        world.remove_bucket().because("cleaning up").await.unwrap();
        let record = world.m.deletions(None, 10).await.unwrap().remove(0);
        assert_eq!((record.kind.as_str(), record.target, record.name.as_str()), ("bucket", world.bucket, "photos"));
        assert_eq!((record.parent, record.door.as_str(), record.actor.as_str()), (Some(world.domain), "scsp", "bob"));
        assert_eq!((record.reason.as_deref(), record.state.as_str()), (Some("cleaning up"), "removed"));
        assert_eq!((record.objects, record.bytes), (1, 5));
        assert_eq!((record.removed_at, record.purge_after), (removed_at, removed_at.plus(CONTAINER_GRACE)));
        assert_eq!((record.ended_at, record.ended_by), (None, None));

        world.later(HOUR);
        world.restore_bucket().await.unwrap();
        let record = world.m.deletions(Some("restored"), 10).await.unwrap().remove(0);
        assert_eq!((record.ended_at, record.ended_by.as_deref()), (Some(world.now()), Some("olga")));
    }

    async fn each_removal_has_a_record_of_its_own_newest_first(world: World) {
        world.remove_bucket().because("first").await.unwrap();
        world.restore_bucket().await.unwrap();
        world.later(SECOND);
        world.remove_bucket().because("second").await.unwrap();
        let records = world.m.deletions(None, 10).await.unwrap();
        let told: Vec<_> = records.iter().map(|r| (r.reason.as_deref().unwrap(), r.state.as_str())).collect();
        assert_eq!(told, [("second", "removed"), ("first", "restored")]);
        assert_eq!(world.m.deletions(None, 1).await.unwrap().len(), 1);
    }

    async fn a_record_follows_its_container_to_the_end_and_stays(world: World) {
        world.put("x").await.unwrap();
        world.remove_bucket().early().await.unwrap();
        world.purge_containers().await;
        assert_eq!(world.m.deletions(Some("purging"), 10).await.unwrap().len(), 1);
        world.purge_all_due().await;
        let record = world.m.deletions(Some("purged"), 10).await.unwrap().remove(0);
        assert_eq!(record.ended_at, Some(world.now()));
        world.later(2 * MEMORY);
        world.forget().await;
        world.forget().await;
        assert_eq!(world.m.container(ContainerKind::Bucket, world.bucket).await.unwrap(), None);
        assert_eq!(world.m.deletions(None, 10).await.unwrap().len(), 1);
    }

    async fn emptying_is_recorded_by_its_contents(world: World) {
        world.put("x").await.unwrap();
        let old = world.contents().await;
        world.empty_bucket().await.unwrap();
        let record = world.m.deletions(Some("removed"), 10).await.unwrap().remove(0);
        assert_eq!((record.kind.as_str(), record.target, record.parent), ("contents", old, Some(world.bucket)));
        world.restore_contents(old, None).await.unwrap();
        assert_eq!(world.m.deletions(Some("restored"), 10).await.unwrap().len(), 1);
    }

    /// Went wrong elsewhere: what the counters say is what is there, by the effective state.
    async fn usage_is_told_by_bucket_and_effective_state(world: World) {
        world.put("a").body("1").await.unwrap();
        world.put("b").body("22").await.unwrap();
        world.delete("b").await.unwrap();
        world.stage("c").await;
        let states = async || {
            let mut rows = world.m.usage().await.unwrap();
            rows.sort_by_key(|row| row.state);
            rows.into_iter().map(|r| (r.bucket, r.container_state, r.state, r.objects, r.bytes)).collect::<Vec<_>>()
        };
        let photos = |above, state, objects, bytes| ("photos".to_owned(), above, state, objects, bytes);
        use State::{Live, Removed, Staged};
        let live = [photos(Live, Staged, 1, 0), photos(Live, Live, 1, 1), photos(Live, Removed, 1, 2)];
        assert_eq!(states().await, live);
        world.remove_bucket().await.unwrap();
        let mut removed = states().await;
        removed.sort_by_key(|row| row.4);
        assert_eq!(removed, [0, 1, 2].map(|bytes| photos(Removed, Removed, 1, bytes)));
        world.restore_bucket().await.unwrap();
        assert_eq!(states().await, live);
    }

    async fn a_task_leaves_its_last_report(world: World) {
        let report = serde_json::json!({"purged": 3});
        let (began, ended) = (world.now(), world.now().plus(SECOND));
        world.m.record_task("reclaim", began, ended, Some(ended.plus(HOUR)), &report).await.unwrap();
        world.m.record_task("forget", began, ended, None, &report).await.unwrap();
        world.m.record_task("reclaim", ended, ended.plus(SECOND), None, &serde_json::json!({})).await.unwrap();
        let tasks = world.m.tasks().await.unwrap();
        assert_eq!(tasks.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["forget", "reclaim"]);
        assert_eq!((tasks[0].started_at, tasks[0].report.as_ref()), (Some(began), Some(&report)));
        assert_eq!((tasks[1].finished_at, tasks[1].next_at), (Some(ended.plus(SECOND)), None));
    }

    async fn drift_and_strays_are_found(world: World) {
        world.put("x").await.unwrap();
        let found = async || world.m.check_whole().await.unwrap().into_iter().map(|v| v.rule).collect::<Vec<_>>();
        assert_eq!(found().await, Vec::<&str>::new());
        let mendable = [
            ("UPDATE usage SET objects = objects + 1", "UPDATE usage SET objects = objects - 1", "R11"),
            ("UPDATE blobs SET place = 'store', part_no = 1, owner = name", "UPDATE blobs SET place = 'inline', part_no = 0, owner = (SELECT id FROM versions)", "R1"),
            ("UPDATE inline_bytes SET blob = bytes", "UPDATE inline_bytes SET blob = (SELECT name FROM blobs)", "R1"),
        ];
        for (wrong, right, rule) in mendable {
            world.put_wrong(wrong).await;
            let rules = found().await;
            assert!(rules.contains(&rule), "{wrong}: {rules:?}");
            world.put_wrong(right).await;
        }
        world.put_wrong("UPDATE contents SET state = 'purged'").await;
        assert!(found().await.contains(&"R5"), "what is not a tombstone outlives its contents");
        world.put_wrong("UPDATE contents SET state = 'live'").await;
    }
}
