//! Emptying a bucket: its contents leave as a whole, and can come back as a whole.

use crate::world::*;
use lifecycle::{Cause, Refusal, State};
use metadata::ContainerKind;

on_both_engines! {
    async fn an_emptied_bucket_is_empty_at_once_and_goes_on(world: World) {
        let old = world.put("x").body("old").await.unwrap();
        let (before, bucket) = (world.contents().await, world.bucket_row().await);
        let emptied = world.empty_bucket().await.unwrap();
        assert_eq!((emptied.container.contents, emptied.objects, emptied.bytes), (Some(before), 1, 3));
        assert_eq!(emptied.container.purge_after, Some(world.now().plus(CONTAINER_GRACE)));
        assert_eq!(world.lists().await, Vec::<String>::new());
        assert_eq!(world.bucket_row().await.etag, bucket.etag, "the bucket itself is the same");
        let new = world.put("x").body("new").if_none_match("*").await.unwrap();
        assert!(new.seq > old.seq, "positions go on");
        assert_eq!(world.state(old.version).await, State::Live, "the children are untouched");
        assert_eq!(world.counted(State::Live).await, (1, 3), "and told by the effective state");
    }

    async fn contents_come_back_into_their_bucket_while_it_is_empty(world: World) {
        world.put("x").await.unwrap();
        let old = world.contents().await;
        world.empty_bucket().await.unwrap();
        let new = world.put("y").await.unwrap();
        assert_eq!(world.restore_contents(old, None).await.unwrap_err(), Refusal::NotEmpty);
        world.delete("y").await.unwrap();
        let back = world.restore_contents(old, None).await.unwrap();
        assert_eq!((back.id, back.contents), (world.bucket, Some(old)));
        assert_eq!(world.lists().await, ["x"]);
        let after = world.put("z").await.unwrap();
        assert!(after.seq > new.seq, "positions are used once, whatever the bucket holds");
    }

    async fn an_expired_object_is_not_in_the_way_of_contents(world: World) {
        world.put("x").await.unwrap();
        let old = world.contents().await;
        world.empty_bucket().await.unwrap();
        world.put("y").expires_in(HOUR).await.unwrap();
        world.later(HOUR);
        world.restore_contents(old, None).await.expect("the bucket holds nothing visible");
    }

    async fn what_gave_way_to_restored_contents_is_kept_and_recorded(world: World) {
        world.put("x").await.unwrap();
        let old = world.contents().await;
        world.empty_bucket().await.unwrap();
        let y = world.put("y").body("since").await.unwrap();
        world.delete("y").await.unwrap();
        let displaced = world.contents().await;
        world.later(SECOND);
        world.restore_contents(old, None).await.unwrap();
        assert_eq!(world.state(y.version).await, State::Removed);
        let record = world.m.deletions(Some("removed"), 10).await.unwrap();
        assert_eq!((record.len(), record[0].target, record[0].objects), (1, displaced, 1));
        assert_eq!(record[0].purge_after, world.now().plus(CONTAINER_GRACE));
        let other = world.in_bucket(&world.restore_contents(displaced, Some("since")).await.unwrap());
        other.restore("y").await.unwrap();
        assert_eq!(other.reads("y").await.as_deref(), Some("since"));
    }

    async fn contents_come_back_as_another_bucket(world: World) {
        let x = world.put("x").await.unwrap();
        let old = world.contents().await;
        world.empty_bucket().await.unwrap();
        world.put("y").await.unwrap();
        assert_eq!(world.restore_contents(old, Some("photos")).await.unwrap_err(), Refusal::NameInUse);
        let copy = world.in_bucket(&world.restore_contents(old, Some("photos-before")).await.unwrap());
        assert_eq!((copy.lists().await, world.lists().await), (vec!["x".to_owned()], vec!["y".to_owned()]));
        assert!(copy.put("z").await.unwrap().seq > x.seq);
        assert_eq!(world.restore_contents(old, None).await.unwrap_err(), Refusal::AlreadyLive);
    }

    async fn contents_taken_out_one_after_the_other_are_each_restorable(world: World) {
        let mut taken = Vec::new();
        for name in ["a", "b", "c"] {
            world.put(name).await.unwrap();
            taken.push(world.contents().await);
            world.empty_bucket().await.unwrap();
        }
        for (contents, name) in taken.iter().zip(["a", "b", "c"]).rev() {
            let copy = world.in_bucket(&world.restore_contents(*contents, Some(name)).await.unwrap());
            assert_eq!(copy.lists().await, [name]);
        }
    }

    async fn contents_of_a_bucket_that_is_not_live_stay_where_they_are(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        bucket.put("x").await.unwrap();
        let old = bucket.contents().await;
        bucket.empty_bucket().await.unwrap();
        bucket.remove_bucket().await.unwrap();
        for (destination, what) in [(None, "home"), (Some("other"), "elsewhere")] {
            let refused = bucket.restore_contents(old, destination).await.unwrap_err();
            assert_eq!(refused, Refusal::ContainerGone, "{what}");
        }
        bucket.restore_bucket().await.unwrap();
        acme.remove_domain().await.unwrap();
        assert_eq!(bucket.restore_contents(old, Some("other")).await.unwrap_err(), Refusal::ContainerGone);
    }

    /// A container is purged from the top: from then on nothing inside it is restored, cascaded already or not.
    async fn contents_of_a_purging_bucket_are_past_saving(world: World) {
        world.put("x").await.unwrap();
        let old = world.contents().await;
        world.empty_bucket().grace(30 * DAY).await.unwrap();
        world.remove_bucket().await.unwrap();
        world.purge_early(ContainerKind::Bucket, world.bucket).await.unwrap();
        assert_eq!(world.restore_contents(old, Some("other")).await.unwrap_err(), Refusal::PurgeStarted);
        world.purge_all_due().await;
        assert_eq!(world.restore_contents(old, Some("other")).await.unwrap_err(), Refusal::Purged);
    }

    async fn the_buckets_own_grace_counts_for_what_is_taken_out(world: World) {
        world.m.set_object_grace(world.bucket, Some(HOUR)).await.unwrap();
        world.put("x").await.unwrap();
        let emptied = world.empty_bucket().await.unwrap();
        assert_eq!(emptied.container.purge_after, Some(world.now().plus(HOUR)));
    }

    async fn the_purge_right_takes_out_without_any_grace(world: World) {
        world.m.set_object_grace(world.bucket, Some(HOUR)).await.unwrap();
        world.put("x").await.unwrap();
        let emptied = world.empty_bucket().early().await.unwrap();
        assert_eq!(emptied.container.purge_after, Some(world.now()));
        let old = emptied.container.contents.unwrap();
        world.purge_containers().await;
        assert_eq!(world.restore_contents(old, None).await.unwrap_err(), Refusal::PurgeStarted);
    }

    async fn contents_are_purged_when_their_time_has_come_and_the_bucket_lives_on(world: World) {
        let x = world.put("x").await.unwrap();
        let old = world.contents().await;
        world.empty_bucket().await.unwrap();
        world.put("y").await.unwrap();
        world.later(CONTAINER_GRACE - SECOND);
        assert_eq!(world.purge_containers().await.begun, 0);
        world.later(SECOND);
        world.purge_all_due().await;
        let row = world.row(x.version).await;
        assert_eq!((row.state, row.cause), (State::Purged, Some(Cause::Cascade)));
        assert_eq!(world.lists().await, ["y"]);
        assert_eq!(world.restore_contents(old, None).await.unwrap_err(), Refusal::Purged);
        world.later(2 * MEMORY);
        world.forget().await;
        assert_eq!(world.restore_contents(old, None).await.unwrap_err(), Refusal::Unknown);
    }
}
