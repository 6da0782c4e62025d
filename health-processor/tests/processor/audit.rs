//! What the tasks write down: a purge from its beginning to its end, and whatever else they change, batch by batch. No record
//! per object.

use crate::world::{DAY, GRACE, MINUTE, World, removal, run};
use lifecycle::audit::{
    FORGET, FORGET_CONTAINERS, HISTORY_DELETE, LIFECYCLE_PLAN, LIFEPOINT_DELETE, PURGE_DONE, PURGE_HALT,
    PURGE_PROGRESS, PURGE_START, Record, UPLOAD_EXPIRE,
};
use lifecycle::{Cause, Clock, DomainName};
use metadata::{ContainerKind, NewContainer};
use std::time::Duration;

/// Operation, uuid, objects and bytes.
type Told<'a> = (&'a str, Option<&'a str>, Option<u64>, Option<u64>);

fn told(records: &[Record]) -> Vec<Told<'_>> {
    let mut told = Vec::new();
    for Record { operation, door, uuid, objects, bytes, request, source, status, .. } in records {
        assert!(!door.is_empty(), "the task that did it is named: {operation}");
        assert_eq!(
            (request, source, status),
            (&None, &None, &None),
            "what has no request has nothing of one"
        );
        told.push((*operation, uuid.as_deref(), *objects, *bytes));
    }
    told
}

async fn settle(world: &World) {
    for _ in 0..3 {
        world.process().await;
        world.clock.advance(world.settings.drain_timeout);
    }
    world.process().await;
}

#[tokio::test]
async fn a_purge_is_told_of_from_its_beginning_to_its_end() {
    for mut world in World::both().await {
        world.settings.batch = 4;
        let bucket = world.bucket().await;
        world.put_many(&bucket, 20, None).await;
        world.put_stored(&bucket, "large").await;
        world.remove(&bucket, DAY).await;
        settle(&world).await;
        assert_eq!(world.audit.all(), [], "nothing is told before its time");

        world.clock.advance(DAY);
        settle(&world).await;
        let (records, uuid) = (world.audit.take(), bucket.id.to_string());
        let (uuid, bytes) = (Some(uuid.as_str()), Some(20 * 4 + 5_000));
        let expected = [
            (PURGE_START, uuid, Some(21), bytes),
            (PURGE_PROGRESS, uuid, Some(21), bytes),
            (PURGE_DONE, uuid, Some(21), bytes),
        ];
        assert_eq!(told(&records), expected, "one of each, and none for each object");
        for record in &records {
            assert_eq!(record.domain.as_deref(), Some("barrow.local"));
            assert_eq!(record.bucket.as_deref(), Some(bucket.name.as_str()));
            assert!(record.purge_after.is_some());
        }
        let by: Vec<_> = records.iter().map(|record| (record.door, record.cause)).collect();
        let cascade = Some(Cause::Cascade);
        assert_eq!(by, [("containers", None), ("reclaim", cascade), ("containers", None)]);
        world.check().await;
    }
}

#[tokio::test]
async fn of_a_domain_only_the_domain_is_told() {
    for mut world in World::both().await {
        let name = DomainName::parse("acme.example").unwrap();
        world.domain = world.metadata.create_domain(&name, NewContainer::default()).await.unwrap().id;
        let (domain, bucket) = (world.domain, world.bucket().await);
        world.put_many(&bucket, 3, None).await;
        world.metadata.remove(ContainerKind::Domain, domain, removal(DAY)).await.unwrap();
        world.clock.advance(DAY);
        settle(&world).await;
        let (records, uuid) = (world.audit.take(), domain.to_string());
        let uuid = Some(uuid.as_str());
        let expected = [
            (PURGE_START, uuid, Some(3), Some(12)),
            (PURGE_PROGRESS, uuid, Some(3), Some(12)),
            (PURGE_DONE, uuid, Some(3), Some(12)),
        ];
        assert_eq!(told(&records), expected);
        assert_eq!((records[0].domain.as_deref(), &records[0].bucket), (Some("acme.example"), &None));
        world.check().await;
    }
}

#[tokio::test]
async fn deleted_objects_are_told_of_together_and_counted() {
    for world in World::both().await {
        let (one, two) = (world.bucket().await, world.bucket().await);
        for bucket in [&one, &two] {
            world.put_many(bucket, 5, None).await;
            world.delete_many(bucket, 5).await;
        }
        world.clock.advance(GRACE);
        let processor = world.processor();
        assert_eq!(processor.purged(), (0, 0));
        run(&processor, "reclaim").await;
        assert_eq!(told(&world.audit.take()), [(PURGE_PROGRESS, None, Some(10), Some(40))]);
        assert_eq!(processor.purged(), (10, 40));
        world.check().await;
    }
}

#[tokio::test]
async fn a_long_purge_tells_how_far_it_is() {
    for mut world in World::both().await {
        (world.settings.batch, world.settings.lease) = (1, 1_000 * DAY);
        world.settings.tranquility = 0;
        let bucket = world.bucket().await;
        for name in ["a", "b", "c"] {
            world.put_stored(&bucket, name).await;
        }
        world.remove(&bucket, GRACE).await;
        world.clock.advance(GRACE);
        run(&world.processor(), "containers").await;
        world.clock.advance(world.settings.drain_timeout);
        let processor = world.processor();
        let clock = world.clock.clone();
        // Every batch takes more than a minute.
        let ticking = tokio::spawn(async move {
            loop {
                clock.advance(MINUTE);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        run(&processor, "reclaim").await;
        ticking.abort();
        let progress = world.audit.of(PURGE_PROGRESS);
        assert!(progress.len() > 1, "{progress:?}");
        assert_eq!(progress.iter().filter_map(|record| record.objects).sum::<u64>(), 3);
    }
}

#[tokio::test]
async fn what_lifepoints_end_is_told_of_batch_by_batch() {
    for mut world in World::both().await {
        world.settings.batch = 4;
        let bucket = world.bucket().await;
        let soon = world.clock.now().plus(MINUTE);
        world.put_many(&bucket, 6, Some(soon)).await;
        world.clock.advance(MINUTE);
        let processor = world.processor();
        processor.run_now("expire", true).await.unwrap();
        assert_eq!(world.audit.all(), [], "a rehearsal changes nothing");
        run(&processor, "expire").await;
        let records = world.audit.take();
        let expected =
            [(LIFEPOINT_DELETE, None, Some(4), Some(16)), (LIFEPOINT_DELETE, None, Some(2), Some(8))];
        assert_eq!(told(&records), expected);
        assert!(records.iter().all(|record| record.cause == Some(Cause::Lifepoint)));
        world.check().await;
    }
}

/// What one task has written down: task, operation, cause, objects and bytes.
type Done = (&'static str, &'static str, Option<Cause>, Option<u64>, Option<u64>);

async fn done(world: &World, task: &str) -> Vec<Done> {
    run(&world.processor(), task).await;
    let records = world.audit.take();
    records.iter().map(|r| (r.door, r.operation, r.cause, r.objects, r.bytes)).collect()
}

#[tokio::test]
async fn what_a_task_changes_is_told_with_its_cause_and_counts() {
    for mut world in World::both().await {
        world.settings.batch = 4;
        let (ruled, kept) = (world.bucket().await, world.bucket().await);
        world.put_many(&ruled, 6, None).await;
        world.policies(&ruled, "disabled", &[r#"RuleId:"r" ExpirationDays:1"#]).await;
        world.policies(&kept, "enabled", &[]).await;
        for _ in 0..6 {
            world.put(&kept, "often").await;
        }
        world.policies(&kept, "disabled", &[]).await;
        world.upload(&kept, "given up").await;
        world.stage(&kept, "cut").await;
        assert_eq!(world.audit.take(), []);

        let rules = Some(Cause::Lifecycle);
        let planned = [4, 2].map(|objects| ("lifecycle", LIFECYCLE_PLAN, rules, Some(objects), None));
        assert_eq!(done(&world, "lifecycle").await, planned);
        let switched = Some(Cause::Versioning);
        let erased =
            [4, 1].map(|objects| ("history", HISTORY_DELETE, switched, Some(objects), Some(4 * objects)));
        assert_eq!(done(&world, "history").await, erased);

        world.clock.advance(world.settings.staged_expiry);
        let abandoned = Some(Cause::Abandoned);
        assert_eq!(done(&world, "uploads").await, [("uploads", UPLOAD_EXPIRE, abandoned, Some(1), None)]);
        let staged = [("staged", PURGE_PROGRESS, abandoned, Some(1), None)];
        assert_eq!(done(&world, "staged").await, staged);
        world.process().await;
        world.audit.take();

        world.clock.advance(world.settings.deletion_memory + GRACE);
        world.process().await;
        let records = world.audit.take();
        assert!(records.iter().any(|record| record.operation == FORGET), "{records:#?}");
        world.clock.advance(world.settings.deletion_memory + GRACE);
        world.remove(&ruled, GRACE).await;
        world.clock.advance(GRACE);
        settle(&world).await;
        world.clock.advance(world.settings.deletion_memory);
        world.audit.take();
        let forgotten = done(&world, "forget").await;
        let containers = ("forget", FORGET_CONTAINERS, None, Some(2), None);
        assert_eq!(forgotten.last(), Some(&containers), "{forgotten:?}");
        assert!(forgotten[..forgotten.len() - 1].iter().all(|done| done.1 == FORGET && done.3 > Some(0)));
        world.check().await;
    }
}

#[tokio::test]
async fn a_run_that_changes_nothing_leaves_nothing() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put_many(&bucket, 3, None).await;
        settle(&world).await;
        assert_eq!(world.audit.all(), []);
    }
}

#[tokio::test]
async fn that_the_brake_has_tripped_is_told_once_and_why() {
    for mut world in World::both().await {
        (world.settings.brake_min_objects, world.settings.brake_objects) = (10, 1_000);
        let bucket = world.bucket().await;
        world.put_many(&bucket, 20, Some(world.clock.now().plus(MINUTE))).await;
        world.clock.advance(MINUTE);
        world.process().await;
        world.clock.advance(GRACE);
        world.audit.take();
        settle(&world).await;
        let records = world.audit.take();
        let [halt] = records.as_slice() else { panic!("{records:#?}") };
        assert_eq!((halt.door, halt.operation), ("reclaim", PURGE_HALT));
        assert_eq!((halt.objects, halt.bytes), (Some(20), Some(80)));
        let reason = world.metadata.halt().await.unwrap().unwrap().reason;
        assert_eq!(halt.detail, Some(reason));
    }
}
