//! What the tasks write down: a purge from its beginning to its end, and what lifepoints end. No record per object.

use crate::world::{DAY, GRACE, MINUTE, World, removal, run};
use lifecycle::audit::{LIFEPOINT_DELETE, PURGE_DONE, PURGE_PROGRESS, PURGE_START, Record};
use lifecycle::{Cause, Clock, DomainName};
use metadata::{ContainerKind, NewContainer};
use std::time::Duration;

/// Operation, uuid, objects and bytes.
type Told<'a> = (&'a str, Option<&'a str>, Option<u64>, Option<u64>);

fn told(records: &[Record]) -> Vec<Told<'_>> {
    let mut told = Vec::new();
    for Record { operation, uuid, objects, bytes, request, source, status, .. } in records {
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
