//! What metrics and the audit trail ask: counts of containers, and the removal that a purge goes back to.

use crate::world::*;
use lifecycle::State::{self, Live, Purged, Purging, Removed};
use metadata::ContainerKind;

/// Kind, own state, effective state and how many, in a fixed order.
async fn counts(world: &World) -> Vec<(ContainerKind, State, State, u64)> {
    let counts = world.m.container_counts().await.unwrap();
    let mut counts: Vec<_> = counts.iter().map(|c| (c.kind, c.own, c.effective, c.count)).collect();
    counts.sort();
    counts
}

const DOMAIN: ContainerKind = ContainerKind::Domain;
const BUCKET: ContainerKind = ContainerKind::Bucket;
const CONTENTS: ContainerKind = ContainerKind::Contents;

on_both_engines! {
    async fn containers_are_counted_by_own_and_effective_state(world: World) {
        assert_eq!(counts(world).await, [(DOMAIN, Live, Live, 1), (BUCKET, Live, Live, 1)]);
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        acme.create_bucket("c").await.unwrap();
        bucket.put("y").await.unwrap();
        bucket.remove_bucket().await.unwrap();
        acme.remove_domain().await.unwrap();
        world.put("x").await.unwrap();
        world.empty_bucket().await.unwrap();
        assert_eq!(
            counts(world).await,
            [
                (DOMAIN, Live, Live, 1),
                (DOMAIN, Removed, Removed, 1),
                (BUCKET, Live, Live, 1),
                (BUCKET, Live, Removed, 1),
                (BUCKET, Removed, Removed, 1),
                (CONTENTS, Removed, Removed, 1),
            ],
            "the hidden buckets are not buckets"
        );
        world.later(2 * CONTAINER_GRACE);
        world.purge_containers().await;
        let purging = counts(world).await;
        assert!(purging.contains(&(DOMAIN, Purging, Purging, 1)), "{purging:?}");
        world.purge_all_due().await;
        assert_eq!(
            counts(world).await,
            [(DOMAIN, Live, Live, 1), (DOMAIN, Purged, Purged, 1), (BUCKET, Live, Live, 1), (BUCKET, Purged, Purged, 2)]
        );
    }

    async fn the_oldest_removal_of_a_state_is_told(world: World) {
        let oldest = async || {
            let counts = world.m.container_counts().await.unwrap();
            let removed = counts.iter().filter(|count| count.effective == Removed);
            removed.filter_map(|count| count.oldest_removal).min()
        };
        assert_eq!(oldest().await, None);
        let first = world.now();
        world.empty_bucket().await.unwrap();
        world.later(HOUR);
        let second = world.now();
        world.remove_bucket().await.unwrap();
        assert_eq!(oldest().await, Some(first));
        world.restore_bucket().await.unwrap();
        world.later(HOUR);
        assert_eq!(oldest().await, Some(first));
        world.remove_bucket().await.unwrap();
        world.later(CONTAINER_GRACE - 2 * HOUR);
        assert_ne!(oldest().await, Some(second), "a removal that was undone is none");
    }

    async fn what_should_have_been_purged_is_told_since_it_is_due(world: World) {
        let overdue = async || world.m.oldest_overdue(world.now()).await.unwrap();
        let other = world.in_bucket(&world.create_bucket("videos").await.unwrap());
        for name in ["a", "b", "c"] {
            world.put(name).await.unwrap();
            other.put(name).await.unwrap();
        }
        world.delete("a").await.unwrap();
        assert_eq!(overdue().await, None, "its grace has just begun");
        world.later(OBJECT_GRACE);
        let first = world.now();
        assert_eq!(overdue().await, Some(first));
        world.later(HOUR);
        world.delete("b").await.unwrap();
        assert_eq!(overdue().await, Some(first), "the oldest of them");

        // With its bucket it waits for that.
        world.remove_bucket().await.unwrap();
        assert_eq!(overdue().await, None);
        other.delete("a").grace(20 * DAY).await.unwrap();
        let promise = world.now().plus(CONTAINER_GRACE);
        other.remove_bucket().await.unwrap();
        world.later(CONTAINER_GRACE + HOUR);
        assert_eq!(overdue().await, Some(promise), "one of the buckets holds nothing that was promised more");
        world.restore_bucket().await.unwrap();
        assert_eq!(overdue().await, Some(first));
        world.reclaim().await;
        assert_eq!(overdue().await, None, "the other one holds something that was promised more");
        world.later(13 * DAY);
        assert_eq!(overdue().await, Some(promise));
        other.purge_early(BUCKET, other.bucket).await.unwrap();
        assert_eq!(overdue().await, None);

        let contents = world.contents().await;
        let emptied = world.empty_bucket().await.unwrap().container.purge_after;
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        world.later(HOUR);
        let removed = acme.remove_domain().await.unwrap().container.purge_after;
        assert_eq!(overdue().await, None);
        world.later(2 * CONTAINER_GRACE);
        assert_eq!(overdue().await, emptied);
        world.restore_contents(contents, None).await.unwrap();
        assert_eq!(overdue().await, removed);
        world.purge_containers().await;
        assert_eq!(overdue().await, None);
    }

    async fn a_removal_is_told_with_the_names_around_it(world: World) {
        assert_eq!(world.m.removal(world.bucket).await.unwrap(), None);
        world.put("x").body("12345").await.unwrap();
        let contents = world.contents().await;
        world.empty_bucket().await.unwrap();
        let emptied = world.m.removal(contents).await.unwrap().unwrap();
        assert_eq!((emptied.kind, emptied.objects, emptied.bytes), (CONTENTS, 1, 5));
        assert_eq!((emptied.domain.as_deref(), emptied.bucket.as_deref()), (Some("barrow.local"), Some("photos")));

        world.remove_bucket().await.unwrap();
        world.restore_bucket().await.unwrap();
        world.later(SECOND);
        let promise = world.remove_bucket().await.unwrap().container.purge_after.unwrap();
        let removal = world.m.removal(world.bucket).await.unwrap().unwrap();
        assert_eq!((removal.kind, removal.target, removal.purge_after), (BUCKET, world.bucket, promise));
        assert_eq!((removal.domain.as_deref(), removal.bucket.as_deref()), (Some("barrow.local"), Some("photos")));
        assert_eq!(removal.actor, "bob");

        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        acme.remove_domain().await.unwrap();
        let removal = world.m.removal(acme.domain).await.unwrap().unwrap();
        assert_eq!((removal.kind, removal.domain.as_deref(), removal.bucket), (DOMAIN, Some("acme.example"), None));
    }

    async fn a_purge_tells_what_it_began_and_ended_and_what_it_goes_back_to(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        bucket.put("x").await.unwrap();
        let (alone, inside) = (world.contents().await, bucket.contents().await);
        world.put("y").await.unwrap();
        world.remove_bucket().await.unwrap();
        bucket.remove_bucket().await.unwrap();
        acme.remove_domain().await.unwrap();
        assert_eq!(world.m.removal_around(alone).await.unwrap(), None, "nothing is being purged yet");

        world.later(2 * CONTAINER_GRACE);
        let mut started = world.purge_containers().await.started;
        started.sort();
        let mut expected = [world.bucket, acme.domain];
        expected.sort();
        assert_eq!(started, expected, "what followed has not begun by itself");
        let around = async |contents| world.m.removal_around(contents).await.unwrap().unwrap().target;
        assert_eq!(around(alone).await, world.bucket);
        assert_eq!(around(inside).await, acme.domain, "the outermost of the two");

        while world.cascade().await > 0 {}
        let ended = world.purge_containers().await.ended;
        for id in [world.bucket, acme.domain, bucket.bucket, alone, inside] {
            assert!(ended.contains(&id));
        }
        assert_eq!(world.purge_containers().await, metadata::PurgeStep::default());
    }
}
