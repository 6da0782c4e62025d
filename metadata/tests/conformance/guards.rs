//! Guards refuse every delete: of the object, of what would overwrite it, and of whatever it lies in.

use crate::world::*;
use lifecycle::{ContainerId, Guard, Refusal, State};
use metadata::ContainerKind;

on_both_engines! {
    async fn a_dated_guard_refuses_delete_and_overwrite_until_its_end(world: World) {
        world.put("x").kept_for(HOUR).await.unwrap();
        let refused = Refusal::Guarded { until: Some(world.now().plus(HOUR)), hold: false };
        assert_eq!(world.delete("x").await, Err(refused.clone()));
        assert_eq!(world.put("x").await, Err(refused));
        world.later(HOUR);
        world.put("x").await.expect("the guard has ended");
        world.delete("x").await.unwrap();
    }

    async fn a_hold_refuses_without_end(world: World) {
        world.put("x").held().await.unwrap();
        world.later(36_500 * DAY);
        assert_eq!(world.delete("x").await, Err(Refusal::Guarded { until: None, hold: true }));
    }

    async fn a_guard_that_begins_later_does_not_bind_yet(world: World) {
        let guard =
            Guard { from: Some(world.now().plus(HOUR)), until: Some(world.now().plus(2 * HOUR)), hold: false };
        world.put("x").guard(guard).await.unwrap();
        world.put("y").guard(guard).await.unwrap();
        world.delete("x").await.unwrap();
        world.later(HOUR);
        assert!(matches!(world.delete("y").await, Err(Refusal::Guarded { .. })));
    }

    async fn a_restore_does_not_replace_what_is_guarded(world: World) {
        let old = world.put("x").await.unwrap().version;
        world.put("x").kept_for(HOUR).await.unwrap();
        assert!(matches!(world.restore_version(old).replace().await, Err(Refusal::Guarded { .. })));
        world.restore_version(old).under("y").await.unwrap();
    }

    async fn a_container_with_guarded_content_is_not_removed_and_says_how_much_and_until_when(world: World) {
        let acme = world.create_domain("acme.example").await.unwrap();
        let acme = world.in_domain(&acme);
        let bucket = acme.in_bucket(&acme.create_bucket("kept").await.unwrap());
        bucket.put("a").kept_for(HOUR).await.unwrap();
        bucket.put("b").kept_for(2 * HOUR).await.unwrap();
        bucket.put("c").await.unwrap();
        let refused = Refusal::HoldsGuarded { count: 2, until: Some(world.now().plus(2 * HOUR)) };
        assert_eq!(bucket.remove_bucket().await.unwrap_err(), refused);
        assert_eq!(bucket.empty_bucket().await.unwrap_err(), refused);
        assert_eq!(acme.remove_domain().early().await.unwrap_err(), refused);
        assert_eq!(bucket.lists().await, ["a", "b", "c"]);
        world.later(2 * HOUR);
        acme.remove_domain().await.unwrap();
    }

    async fn a_hold_inside_is_told_without_a_date(world: World) {
        world.put("a").held().await.unwrap();
        let refused = Refusal::HoldsGuarded { count: 1, until: None };
        assert_eq!(world.remove_bucket().await.unwrap_err(), refused);
    }

    async fn counting_what_is_guarded_stops_at_a_thousand(world: World) {
        let puts = (0..1_020).map(|n| world.put(&format!("{n}")).body("").kept_for(HOUR).command()).collect();
        assert!(world.m.objects(puts, false).await.iter().all(Result::is_ok));
        let refusal = world.remove_bucket().await.unwrap_err();
        assert!(matches!(refusal, Refusal::HoldsGuarded { count: 1_000, .. }), "{refusal:?}");
        assert!(refusal.to_string().starts_with("1000+ "));
    }

    /// A guard that begins during the grace holds the purge back, not the removal.
    async fn a_removed_version_whose_guard_began_meanwhile_waits_for_its_end(world: World) {
        let guard = Guard { from: Some(world.now().plus(HOUR)), until: Some(world.now().plus(5 * DAY)), hold: false };
        let put = world.put("x").guard(guard).await.unwrap();
        world.delete("x").await.unwrap();
        world.later(2 * OBJECT_GRACE);
        assert_eq!(world.claim_due().await.len(), 0);
        assert_eq!(world.state(put.version).await, State::Removed);
        world.later(3 * DAY);
        assert_eq!(world.reclaim().await, 1);
    }

    async fn a_removed_container_whose_content_became_guarded_is_kept(world: World) {
        let guard = Guard { from: Some(world.now().plus(HOUR)), until: Some(world.now().plus(30 * DAY)), hold: false };
        world.put("x").guard(guard).await.unwrap();
        world.remove_bucket().await.unwrap();
        world.later(CONTAINER_GRACE);
        let step = world.purge_containers().await;
        assert_eq!((step.begun, step.kept), (0, 1));
        let early = world.purge_early(ContainerKind::Bucket, world.bucket).await.unwrap_err();
        assert_eq!(early, Refusal::HoldsGuarded { count: 1, until: Some(guard.until.unwrap()) });
        world.restore_bucket().await.expect("nothing has happened to it");
        assert_eq!(world.reads("x").await.as_deref(), Some("x"));
    }

    async fn a_guard_that_begins_during_the_cascade_keeps_that_version_and_no_other(world: World) {
        let guard = Guard { from: Some(world.now().plus(HOUR)), until: Some(world.now().plus(DAY)), hold: false };
        for name in ["a", "b"] {
            world.put(name).guard(guard).await.unwrap();
        }
        world.put("c").await.unwrap();
        let contents = world.contents().await;
        world.remove_bucket().early().await.unwrap();
        world.purge_containers().await;
        world.later(HOUR);
        let mut order = world.order();
        order.limit = 1;
        let claims = world.m.claim_cascade(contents, order).await.unwrap();
        assert_eq!(claims.len(), 1, "what is guarded does not stand in the way of the rest");
        world.finish_claims(claims).await;
        assert_eq!(world.m.claim_cascade(contents, order).await.unwrap().len(), 0);
        assert_eq!(world.purge_containers().await.purged, 0, "the container waits");
        world.later(DAY);
        world.purge_all_due().await;
        assert_eq!(world.bucket_row().await.state, State::Purged);
    }

    async fn an_unknown_container_is_missing_not_guarded(world: World) {
        let unknown = ContainerId::random();
        assert_eq!(world.purge_early(ContainerKind::Bucket, unknown).await.unwrap_err(), Refusal::Unknown);
    }
}
