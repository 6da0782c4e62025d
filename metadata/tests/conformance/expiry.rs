//! Expired counts as absent everywhere, in the second it falls due, swept or not.

use crate::world::*;
use lifecycle::{Cause, Refusal, State, Time, VersionId};

const NO_OBJECT: Refusal = Refusal::NoSuchObject { marker: None };

on_both_engines! {
    async fn an_expired_object_is_neither_read_nor_listed(world: World) {
        world.put("x").expires_in(HOUR).await.unwrap();
        world.put("y").await.unwrap();
        world.later(HOUR - SECOND);
        assert_eq!(world.lists().await, ["x", "y"]);
        world.later(SECOND);
        assert_eq!(world.reads("x").await, None);
        assert_eq!(world.lists().await, ["y"]);
        let found = world.m.find_in(world.bucket, "x", false).await.unwrap();
        assert!(found.is_none(), "nor by the bucket's UUID");
    }

    async fn an_expired_object_fills_no_page(world: World) {
        for name in ["a", "b", "c"] {
            world.put(name).expires_in(HOUR).await.unwrap();
        }
        world.put("d").await.unwrap();
        world.later(HOUR);
        let page = world.m.list_objects(world.contents().await, "", "", 1).await.unwrap();
        assert_eq!(page[0].name, "d");
    }

    async fn conditions_do_not_see_an_expired_object(world: World) {
        let old = world.put("x").expires_in(HOUR).await.unwrap();
        world.later(HOUR);
        assert_eq!(world.put("x").if_match("*").await, Err(Refusal::ConditionFailed { current: None }));
        assert_eq!(world.put("x").only_if_there().await, Err(NO_OBJECT));
        let new = world.put("x").if_none_match("*").body("new").await.unwrap();
        assert_eq!(new.replaced, None, "nothing visible was replaced");
        let swept = world.row(old.version).await;
        assert_eq!((swept.state, swept.cause), (State::Removed, Some(Cause::Lifepoint)));
        assert_eq!(world.reads("x").await.as_deref(), Some("new"));
    }

    async fn a_client_cannot_delete_it_and_the_sweeper_can(world: World) {
        let put = world.put("x").expires_in(HOUR).await.unwrap();
        let swept = || world.delete("x").version(put.version).cause(Cause::Lifepoint);
        assert_eq!(swept().await, Err(Refusal::NoSuchVersion), "it is not its time yet");
        world.later(HOUR);
        assert_eq!(world.delete("x").await, Err(NO_OBJECT));
        assert_eq!(swept().await.unwrap().purge_after, Some(world.now().plus(OBJECT_GRACE)));
    }

    async fn a_sweep_that_comes_late_spares_what_was_written_since(world: World) {
        let old = world.put("x").expires_in(HOUR).await.unwrap();
        world.later(HOUR);
        world.put("x").body("new").await.unwrap();
        let late = world.delete("x").version(old.version).cause(Cause::Lifepoint).await;
        assert_eq!(late, Err(Refusal::NoSuchVersion));
        assert_eq!(world.reads("x").await.as_deref(), Some("new"));
    }

    async fn a_bucket_of_expired_objects_is_empty(world: World) {
        world.put("x").expires_in(HOUR).await.unwrap();
        assert_eq!(world.remove_bucket().only_if_empty().await.unwrap_err(), Refusal::NotEmpty);
        world.later(HOUR);
        world.remove_bucket().only_if_empty().await.expect("nothing visible is inside");
    }

    async fn a_restored_object_stays_although_its_time_had_passed(world: World) {
        let put = world.put("x").expires_in(HOUR).await.unwrap();
        world.later(HOUR);
        world.delete("x").version(put.version).cause(Cause::Lifepoint).await.unwrap();
        world.restore("x").await.unwrap();
        assert_eq!(world.reads("x").await.as_deref(), Some("x"));
        assert_eq!(world.row(put.version).await.expires_at, None);
    }

    async fn a_restored_object_keeps_an_expiry_that_lies_ahead(world: World) {
        let put = world.put("x").expires_in(2 * HOUR).await.unwrap();
        world.delete("x").await.unwrap();
        world.restore("x").await.unwrap();
        assert_eq!(world.row(put.version).await.expires_at, Some(world.now().plus(2 * HOUR)));
    }

    async fn an_expired_object_gives_way_to_a_restored_one(world: World) {
        let old = world.put("x").body("old").await.unwrap();
        world.put("x").expires_in(HOUR).await.unwrap();
        world.later(HOUR);
        world.restore_version(old.version).await.expect("nothing visible is in the way");
        assert_eq!(world.reads("x").await.as_deref(), Some("old"));
    }

    /// Lateness is bounded by an index over the due times, not by a scan: the sweeper is told the earliest.
    async fn the_sweeper_is_told_what_expired_earliest_first(world: World) {
        let late = world.put("late").expires_in(2 * HOUR).await.unwrap().version;
        let soon = world.put("soon").expires_in(HOUR).await.unwrap().version;
        assert_eq!(world.m.next_due().await.unwrap(), Some(world.now().plus(HOUR)));
        world.later(2 * HOUR);
        let start = (Time::from_micros(0), VersionId::from_bytes([0; 16]));
        let found = world.m.list_expired(start, 10).await.unwrap();
        assert_eq!(found.iter().map(|e| e.version).collect::<Vec<_>>(), [soon, late]);
        let rest = world.m.list_expired((found[0].at, found[0].version), 10).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert_eq!((rest[0].bucket, rest[0].domain, rest[0].above), (world.bucket, world.domain, State::Live));
    }

    async fn what_expires_in_a_dead_container_is_marked_and_wakes_nobody(world: World) {
        world.put("x").expires_in(HOUR).await.unwrap();
        world.empty_bucket().grace(30 * DAY).await.unwrap();
        world.later(HOUR);
        let start = (Time::from_micros(0), VersionId::from_bytes([0; 16]));
        let found = world.m.list_expired(start, 10).await.unwrap();
        assert_eq!(found[0].above, State::Removed, "its contents were taken out");
        assert_eq!(world.m.next_due().await.unwrap(), Some(world.now().minus(HOUR).plus(30 * DAY)));
    }
}
