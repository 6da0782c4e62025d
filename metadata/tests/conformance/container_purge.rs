//! Purging containers: from the top, at the latest promise inside, and forgotten from the bottom.

use crate::world::*;
use lifecycle::{Cause, Refusal, State};
use metadata::ContainerKind;

const BUCKET: ContainerKind = ContainerKind::Bucket;
const DOMAIN: ContainerKind = ContainerKind::Domain;

on_both_engines! {
    async fn a_removed_bucket_is_purged_when_promised_and_not_before(world: World) {
        let x = world.put("x").await.unwrap();
        world.m.set_bucket_tags(world.bucket, Some("t".to_owned())).await.unwrap();
        let promised = world.remove_bucket().await.unwrap().container.purge_after.unwrap();
        assert_eq!(world.m.next_due().await.unwrap(), Some(promised));
        world.clock.set_wall(promised.minus(SECOND));
        assert_eq!(world.purge_containers().await.begun, 0);
        world.clock.set_wall(promised);
        let step = world.purge_containers().await;
        assert_eq!((step.begun, step.cascaded, step.purged), (1, 1, 0));
        assert_eq!(world.bucket_row().await.state, State::Purging);
        assert_eq!(world.state(x.version).await, State::Live, "what is inside follows by claims");
        assert_eq!(world.cascade().await, 1);
        assert_eq!(world.purge_containers().await.purged, 2);
        let row = world.bucket_row().await;
        assert_eq!((row.state, row.headers.as_str(), row.tags), (State::Purged, "[]", None));
        assert_eq!(row.forget_after, Some(world.now().plus(MEMORY)));
        assert_eq!(world.counted(State::Purged).await, (1, 0));
    }

    async fn it_waits_for_the_latest_promise_inside(world: World) {
        world.m.set_object_grace(world.bucket, Some(30 * DAY)).await.unwrap();
        world.put("x").await.unwrap();
        let inside = world.delete("x").await.unwrap().purge_after.unwrap();
        world.remove_bucket().await.unwrap();
        world.clock.set_wall(inside.minus(SECOND));
        let step = world.purge_containers().await;
        assert_eq!((step.begun, step.cascaded), (0, 0));
        world.restore_bucket().await.expect("nothing has happened to it");
        world.remove_bucket().await.unwrap();
        world.later(CONTAINER_GRACE);
        assert_eq!(world.purge_containers().await.begun, 1);
    }

    async fn an_early_one_does_not_wait(world: World) {
        world.put("x").await.unwrap();
        world.delete("x").grace(30 * DAY).await.unwrap();
        world.remove_bucket().early().await.unwrap();
        assert_eq!(world.purge_containers().await.begun, 1);
    }

    async fn a_domain_waits_for_a_bucket_in_grace_inside_it_unless_early(world: World) {
        for (early, begun) in [(false, 0), (true, 1)] {
            let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
            let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
            bucket.remove_bucket().grace(30 * DAY).await.unwrap();
            let removal = acme.remove_domain();
            if early { removal.early() } else { removal }.await.unwrap();
            world.later(CONTAINER_GRACE);
            assert_eq!(world.purge_containers().await.begun, begun, "early: {early}");
            world.later(30 * DAY);
            world.purge_all_due().await;
            assert_eq!(world.container(DOMAIN, acme.domain).await.state, State::Purged);
        }
    }

    async fn a_domain_waits_for_contents_taken_out_and_objects_deleted_inside_it(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        bucket.put("x").await.unwrap();
        bucket.empty_bucket().grace(20 * DAY).await.unwrap();
        bucket.put("y").await.unwrap();
        bucket.delete("y").grace(30 * DAY).await.unwrap();
        acme.remove_domain().await.unwrap();
        for (days, begun) in [(7, 0), (13, 0), (9, 0), (1, 1)] {
            world.later(days * DAY);
            assert_eq!(world.purge_containers().await.begun, begun);
        }
    }

    /// What waits for a promise inside does not hold up what waits for none.
    async fn containers_that_have_to_wait_do_not_starve_the_rest(world: World) {
        for name in ["a", "b", "c"] {
            let bucket = world.in_bucket(&world.create_bucket(name).await.unwrap());
            bucket.put("x").await.unwrap();
            bucket.delete("x").grace(30 * DAY).await.unwrap();
            bucket.remove_bucket().grace(SECOND).await.unwrap();
        }
        world.later(HOUR);
        world.remove_bucket().grace(SECOND).await.unwrap();
        world.later(HOUR);
        world.m.purge_containers(2, MEMORY).await.unwrap();
        assert_ne!(world.bucket_row().await.state, State::Removed);
    }

    async fn timers_never_act_inside_a_removed_domain(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        bucket.put("x").await.unwrap();
        bucket.delete("x").at_once().await.unwrap();
        bucket.put("y").await.unwrap();
        bucket.empty_bucket().grace(SECOND).await.unwrap();
        bucket.remove_bucket().grace(SECOND).await.unwrap();
        acme.remove_domain().grace(30 * DAY).await.unwrap();
        let removed_at = world.now();
        world.later(10 * DAY);
        assert_eq!(world.purge_containers().await.begun, 0);
        assert_eq!(bucket.claim_due().await.len(), 0);
        let wake = world.m.next_due().await.unwrap();
        assert_eq!(wake, Some(removed_at.plus(30 * DAY)), "and there is nothing to wake up for before");
        acme.restore_domain().await.unwrap();
        assert_eq!(world.purge_containers().await.begun, 1);
    }

    async fn the_purge_right_ends_a_grace_now(world: World) {
        world.put("x").await.unwrap();
        assert_eq!(world.purge_early(BUCKET, world.bucket).await.unwrap_err(), Refusal::NotRemoved);
        world.delete("x").grace(30 * DAY).await.unwrap();
        world.remove_bucket().until_purged().await.unwrap();
        world.later(36_500 * DAY);
        assert_eq!(world.purge_containers().await.begun, 0, "no timer ends a removal without one");
        assert_eq!(world.purge_early(BUCKET, world.bucket).await.unwrap().state, State::Purging);
        assert_eq!(world.purge_early(BUCKET, world.bucket).await.unwrap().state, State::Purging, "asked twice");
        assert_eq!(world.restore_bucket().await.unwrap_err(), Refusal::PurgeStarted);
        world.purge_all_due().await;
        assert_eq!(world.purge_early(BUCKET, world.bucket).await.unwrap_err(), Refusal::Purged);
    }

    async fn the_purge_right_reaches_nothing_inside_a_domain_that_may_come_back(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        bucket.remove_bucket().await.unwrap();
        acme.remove_domain().await.unwrap();
        assert_eq!(world.purge_early(BUCKET, bucket.bucket).await.unwrap_err(), Refusal::ContainerGone);
        world.purge_early(DOMAIN, acme.domain).await.unwrap();
        assert_eq!(world.purge_early(BUCKET, bucket.bucket).await.unwrap_err(), Refusal::PurgeStarted);
    }

    async fn a_domain_takes_everything_in_it_down_to_tombstones(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let (a, b) = (acme.create_bucket("a").await.unwrap(), acme.create_bucket("b").await.unwrap());
        let (a, b) = (acme.in_bucket(&a), acme.in_bucket(&b));
        let live = a.put("live").await.unwrap().version;
        let deleted = a.put("deleted").await.unwrap().version;
        a.delete("deleted").await.unwrap();
        let staged = a.stage("staged").await;
        let taken = b.put("taken").await.unwrap().version;
        b.empty_bucket().await.unwrap();
        b.remove_bucket().await.unwrap();
        acme.remove_domain().early().await.unwrap();
        world.purge_all_due().await;
        for version in [live, deleted, staged, taken] {
            let row = world.row(version).await;
            assert_eq!((row.state, row.headers.as_str()), (State::Purged, ""));
        }
        let cause = |version| async move { world.row(version).await.cause };
        assert_eq!((cause(live).await, cause(deleted).await), (Some(Cause::Cascade), Some(Cause::Delete)));
        for bucket in [a.bucket, b.bucket] {
            assert_eq!(world.container(BUCKET, bucket).await.state, State::Purged);
        }
        assert_eq!(world.container(DOMAIN, acme.domain).await.state, State::Purged);
        let records = world.m.deletions(None, 10).await.unwrap();
        assert!(records.iter().all(|record| record.state == "purged"), "{records:?}");
    }

    async fn what_was_removed_by_itself_is_recorded_as_purging_with_its_domain(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        bucket.put("x").await.unwrap();
        bucket.remove_bucket().grace(30 * DAY).await.unwrap();
        acme.remove_domain().early().await.unwrap();
        world.purge_containers().await;
        let records = world.m.deletions(Some("purging"), 10).await.unwrap();
        assert_eq!(records.len(), 2, "nobody is told that the bucket can be restored");
    }

    async fn the_cascade_waits_for_reads_that_began_before(world: World) {
        world.put("x").await.unwrap();
        let contents = world.contents().await;
        world.remove_bucket().early().await.unwrap();
        world.purge_containers().await;
        let mut order = world.order();
        order.drain = 30 * SECOND;
        assert_eq!(world.m.claim_cascade(contents, order).await.unwrap().len(), 0);
        world.later(30 * SECOND);
        assert_eq!(world.m.claim_cascade(contents, order).await.unwrap().len(), 1);
    }

    async fn containers_are_forgotten_from_the_bottom_after_their_memory(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        let x = bucket.put("x").await.unwrap().version;
        acme.remove_domain().early().await.unwrap();
        world.purge_all_due().await;
        world.later(MEMORY - SECOND);
        assert_eq!(world.forget().await, (0, 0));
        world.later(SECOND);
        let tombstones_first = world.m.forget_containers(100).await.unwrap();
        assert_eq!(tombstones_first, 2, "only the hidden bucket and its contents, which never held anything");
        assert_eq!(world.state(x).await, State::Purged);
        let (versions, containers) = world.forget().await;
        assert_eq!((versions, containers), (1, 3), "contents, bucket and domain");
        assert_eq!(world.m.container(DOMAIN, acme.domain).await.unwrap(), None);
        assert_eq!(world.state(x).await, State::Forgotten);
    }

    /// R9: a tombstone is kept at least as long as what it hides could have been restored.
    async fn a_container_purged_early_is_remembered_as_long_as_was_promised(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        let promised = bucket.remove_bucket().grace(60 * DAY).await.unwrap().container.purge_after.unwrap();
        acme.remove_domain().early().await.unwrap();
        world.purge_all_due().await;
        let row = world.container(BUCKET, bucket.bucket).await;
        assert_eq!(row.forget_after, Some(promised.plus(MEMORY)));
    }

    async fn a_clock_that_goes_backwards_moves_no_promise(world: World) {
        let promised = world.remove_bucket().await.unwrap().container.purge_after;
        world.clock.set_wall(world.now().minus(30 * DAY));
        assert_eq!(world.purge_containers().await.begun, 0);
        assert_eq!(world.bucket_row().await.purge_after, promised);
        world.clock.set_wall(promised.unwrap());
        assert_eq!(world.purge_containers().await.begun, 1);
    }

    async fn a_step_is_bounded(world: World) {
        for n in 0..5 {
            let bucket = world.in_bucket(&world.create_bucket(&format!("b{n}")).await.unwrap());
            bucket.remove_bucket().early().await.unwrap();
        }
        let step = world.m.purge_containers(2, MEMORY).await.unwrap();
        assert_eq!(step.begun, 2);
        for _ in 0..5 {
            world.m.purge_containers(2, MEMORY).await.unwrap();
        }
        let left = world.m.list_containers(Some(world.domain), Some(State::Removed), "", None, 10).await.unwrap();
        assert_eq!(left.items.len(), 0);
    }
}
