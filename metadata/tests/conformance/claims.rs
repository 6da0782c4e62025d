//! Claims: the point of no return, what stands before it, and who may finish.

use crate::world::*;
use lifecycle::{Guard, MemberId, Place, Refusal, State, Time};
use std::time::Duration;

/// Bytes of what a row holds: a number counts as eight, which is the most that either engine takes for it.
const TOMBSTONE_LENGTH: &str = "SELECT CAST(16 + 16 + LENGTH(kind) + LENGTH(name) + LENGTH(state) + LENGTH(cause) + LENGTH(actor)
    + LENGTH(revision) + COALESCE(LENGTH(parent_revision), 16) + 8 * 11 AS TEXT) FROM versions WHERE state = 'purged'";

on_both_engines! {
    async fn nothing_is_claimed_before_it_is_due(world: World) {
        let put = world.put("x").await.unwrap();
        let promised = world.delete("x").await.unwrap().purge_after.unwrap();
        assert_eq!(world.m.next_due().await.unwrap(), Some(promised));
        world.clock.set_wall(promised.minus(Duration::from_micros(1)));
        assert_eq!(world.claim_due().await.len(), 0);
        world.clock.set_wall(promised);
        assert_eq!(world.m.count_due(world.contents().await, world.now(), 10).await.unwrap(), (1, 1));
        let claims = world.claim_due().await;
        assert_eq!(ids(&claims), [put.version]);
        assert_eq!(world.state(put.version).await, State::Purging);
        assert_eq!((claims[0].holder(), claims[0].until()), (world.me, world.now().plus(LEASE)));
        assert_eq!((claims[0].contents(), claims[0].blobs()[0].place), (world.contents().await, Place::Inline));
    }

    async fn a_live_version_is_never_claimed(world: World) {
        world.put("x").await.unwrap();
        world.later(36_500 * DAY);
        assert_eq!(world.claim_due().await.len(), 0);
        assert_eq!(world.claim_lapsed().await.len(), 0);
        let contents = world.contents().await;
        assert_eq!(world.m.claim_cascade(contents, world.order()).await.unwrap().len(), 0);
        assert_eq!(world.m.claim_abandoned(contents, world.now(), world.order()).await.unwrap().len(), 0);
    }

    async fn nothing_under_a_hold_is_claimed(world: World) {
        world.put("x").await.unwrap();
        world.delete("x").at_once().await.unwrap();
        // As a door would put a hold on a removed version, once one can; and as one that forgot the due time would.
        for due in ["NULL", "due_at"] {
            world.put_wrong(&format!("UPDATE versions SET hold = 1, due_at = {due}")).await;
            assert_eq!(world.claim_due().await.len(), 0, "due_at = {due}");
        }
        world.put_wrong("UPDATE versions SET hold = 0, due_at = purge_after").await;
        assert_eq!(world.claim_due().await.len(), 1);
    }

    /// DESIGN section 4: held rows never starve the rest.
    async fn guarded_versions_do_not_fill_the_limit(world: World) {
        let late = Guard { from: Some(world.now().plus(HOUR)), until: Some(world.now().plus(9 * DAY)), hold: false };
        for name in ["a", "b"] {
            world.put(name).guard(late).await.unwrap();
            world.delete(name).at_once().await.unwrap();
        }
        world.later(HOUR);
        let free = world.put("c").await.unwrap().version;
        world.delete("c").at_once().await.unwrap();
        let mut order = world.order();
        order.limit = 2;
        let claims = world.m.claim_due(world.waiting().await, order).await.unwrap();
        assert_eq!(ids(&claims), [free]);
    }

    async fn reads_that_began_before_the_delete_are_waited_for(world: World) {
        world.put("x").await.unwrap();
        world.delete("x").at_once().await.unwrap();
        let mut order = world.order();
        order.drain = 30 * SECOND;
        assert_eq!(world.m.claim_due(world.waiting().await, order).await.unwrap().len(), 0);
        world.later(30 * SECOND);
        assert_eq!(world.m.claim_due(world.waiting().await, order).await.unwrap().len(), 1);
    }

    async fn nothing_is_claimed_in_contents_that_are_not_what_a_live_bucket_holds(world: World) {
        world.put("x").await.unwrap();
        world.delete("x").at_once().await.unwrap();
        let from = world.waiting().await;
        world.remove_bucket().await.unwrap();
        assert_eq!(world.m.claim_due(from, world.order()).await.unwrap().len(), 0);
        world.restore_bucket().await.unwrap();
        world.empty_bucket().await.unwrap();
        assert_eq!(world.m.claim_due(from, world.order()).await.unwrap().len(), 0);
        world.restore_contents(from.contents, None).await.unwrap();
        assert_eq!(world.m.claim_due(from, world.order()).await.unwrap().len(), 1);
    }

    async fn a_claim_holds_until_it_lapses_and_then_anybody_claims_again(world: World) {
        let x = world.put("x").await.unwrap().version;
        world.delete("x").at_once().await.unwrap();
        let stalled = world.claim_due().await;
        let mut other = (**world).clone();
        other.me = MemberId::random();
        world.later(LEASE - SECOND);
        assert_eq!(other.claim_lapsed().await.len(), 0);
        world.later(SECOND);
        let again = other.claim_lapsed().await;
        assert_eq!((ids(&again), again[0].blobs().len()), (vec![x], 1));
        assert_eq!(world.m.finish(stalled, MEMORY).await.unwrap(), (0, 0), "the former holder finishes nothing");
        assert_eq!(world.state(x).await, State::Purging);
        assert_eq!(other.finish_claims(again).await, (1, 1));
        assert_eq!(world.state(x).await, State::Purged);
    }

    async fn a_former_holder_releases_nothing(world: World) {
        world.put("x").await.unwrap();
        world.delete("x").at_once().await.unwrap();
        let stalled = world.claim_due().await;
        let mut other = (**world).clone();
        other.me = MemberId::random();
        world.later(LEASE);
        let again = other.claim_lapsed().await;
        world.m.release(stalled).await.unwrap();
        assert_eq!(world.claim_lapsed().await.len(), 0, "the other one's claim still holds");
        assert_eq!(other.finish_claims(again).await.0, 1);
    }

    async fn a_released_version_stays_purging_and_claimable(world: World) {
        let x = world.put("x").await.unwrap().version;
        world.delete("x").at_once().await.unwrap();
        let claims = world.claim_due().await;
        world.m.release(claims).await.unwrap();
        assert_eq!(world.state(x).await, State::Purging);
        assert_eq!(world.restore_version(x).await, Err(Refusal::PurgeStarted));
        assert_eq!(ids(&world.claim_lapsed().await), [x]);
    }

    async fn after_the_point_of_no_return_every_restore_is_refused(world: World) {
        let x = world.put("x").await.unwrap().version;
        world.delete("x").at_once().await.unwrap();
        let claims = world.claim_due().await;
        assert_eq!(world.restore("x").await, Err(Refusal::Unknown), "no removed version has this name");
        assert_eq!(world.restore_version(x).replace().await, Err(Refusal::PurgeStarted));
        world.later(LEASE);
        assert_eq!(world.restore_version(x).await, Err(Refusal::PurgeStarted), "a lapsed claim leads back to claimable only");
        world.finish_claims(claims).await;
    }

    async fn a_finished_version_is_a_small_tombstone_without_bytes(world: World) {
        let headers = format!(r#"[["big","{}"]]"#, "x".repeat(5_000));
        let x = world.put("x").headers(&headers).body(&"b".repeat(10_000)).await.unwrap().version;
        world.delete("x").at_once().await.unwrap();
        assert_eq!(world.counted(State::Removed).await, (1, 10_000));
        let claims = world.claim_due().await;
        let blob = claims[0].blobs()[0].name;
        assert_eq!(world.counted(State::Purging).await, (1, 10_000));
        assert_eq!(world.finish_claims(claims).await, (1, 10_000));
        let row = world.row(x).await;
        assert_eq!((row.state, row.purged_at, row.forget_after), (State::Purged, Some(world.now()), Some(world.now().plus(MEMORY))));
        assert_eq!((row.headers.as_str(), row.owner, row.md5, row.expires_at), ("", None, None, None));
        assert_eq!((row.name.as_str(), row.actor.as_deref()), ("x", Some("alice")), "who deleted what is kept");
        assert!(!world.m.blob_is_known(blob).await.unwrap());
        assert_eq!(world.counted(State::Purged).await, (1, 0));
        let bare = world.put_wrong("UPDATE versions SET size = size WHERE headers IS NULL AND md5 IS NULL AND owner IS NULL
            AND tags IS NULL AND checksum IS NULL AND due_at IS NULL AND claim_by IS NULL AND claim_until IS NULL").await;
        assert_eq!(bare, 1, "nothing else fills the row");
        let length = world.ask(TOMBSTONE_LENGTH).await;
        assert!(length[0].parse::<u32>().unwrap() <= 200, "{length:?} bytes");
        assert_eq!(world.put_wrong("DELETE FROM inline_bytes").await, 0, "and the bytes are gone");
    }

    async fn a_tombstone_is_forgotten_after_its_memory_and_not_before(world: World) {
        let x = world.put("x").await.unwrap().version;
        world.delete("x").at_once().await.unwrap();
        world.reclaim().await;
        world.later(MEMORY - SECOND);
        assert_eq!(world.forget().await.0, 0);
        assert_eq!(world.state(x).await, State::Purged);
        world.later(SECOND);
        assert_eq!(world.forget().await.0, 1);
        assert_eq!(world.state(x).await, State::Forgotten);
        assert_eq!(world.counted(State::Purged).await, (0, 0));
    }

    /// R9: a version purged with its container before its own promise is remembered from that promise on.
    async fn a_tombstone_outlives_what_was_promised(world: World) {
        let x = world.put("x").await.unwrap().version;
        let promised = world.delete("x").grace(60 * DAY).await.unwrap().purge_after.unwrap();
        world.remove_bucket().early().await.unwrap();
        world.purge_all_due().await;
        assert_eq!(world.row(x).await.forget_after, Some(promised.plus(MEMORY)));
    }

    async fn claims_and_forgetting_are_bounded(world: World) {
        for n in 0..5 {
            world.put(&n.to_string()).await.unwrap();
            world.delete(&n.to_string()).at_once().await.unwrap();
        }
        let mut order = world.order();
        order.limit = 2;
        for expected in [2, 2, 1, 0] {
            let claims = world.m.claim_due(world.waiting().await, order).await.unwrap();
            assert_eq!(claims.len(), expected);
            world.finish_claims(claims).await;
        }
        world.later(MEMORY);
        let contents = world.contents().await;
        assert_eq!(world.m.forget(contents, 3).await.unwrap(), 3);
        assert_eq!(world.m.forget(contents, 3).await.unwrap(), 2);
    }

    async fn finishing_nothing_is_nothing(world: World) {
        assert_eq!(world.m.finish(Vec::new(), MEMORY).await.unwrap(), (0, 0));
        world.m.release(Vec::new()).await.unwrap();
    }

    /// R2: a process whose clock runs ahead purges and forgets nothing that the database's clock does not agree to.
    async fn a_purge_wants_both_clocks_to_agree(world: World) {
        let world = world.asking_the_database_too().await;
        let past = Time::from_secs(1_000_000_000);
        world.clock.set_wall(past);
        let x = world.put("x").await.unwrap().version;
        world.delete("x").at_once().await.unwrap();
        let claims = world.claim_due().await;
        assert_eq!(claims.len(), 1, "both clocks agree");
        world.m.finish(claims, 36_500 * DAY).await.unwrap();

        let far_ahead = past.plus(200 * 365 * DAY);
        world.clock.set_wall(far_ahead.minus(HOUR));
        let y = world.put("y").await.unwrap().version;
        world.delete("y").at_once().await.unwrap();
        let doomed = world.in_bucket(&world.create_bucket("doomed").await.unwrap());
        doomed.remove_bucket().early().await.unwrap();
        world.clock.set_wall(far_ahead);
        assert_eq!(world.claim_due().await.len(), 0);
        assert_eq!(world.purge_containers().await.begun, 0);
        assert_eq!(world.forget().await, (0, 0));
        assert_eq!((world.state(x).await, world.state(y).await), (State::Purged, State::Removed));
        world.restore("y").await.expect("the wrong clock destroyed nothing");
    }
}
