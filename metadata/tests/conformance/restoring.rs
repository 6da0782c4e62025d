//! Restoring objects: by name, by version, under another name, over something.

use crate::world::*;
use lifecycle::{Cause, Refusal, State, VersionId};

on_both_engines! {
    async fn by_name_the_version_removed_last_comes_back(world: World) {
        world.put("x").body("one").await.unwrap();
        let second = world.put("x").body("two").headers(r#"[["a","b"]]"#).await.unwrap();
        world.delete("x").await.unwrap();
        let restored = world.restore("x").await.unwrap();
        assert_eq!((restored.version, restored.replaced), (second.version, None));
        assert_eq!(world.reads("x").await.as_deref(), Some("two"));
        let row = world.row(second.version).await;
        assert_eq!((row.state, row.is_current, row.seq), (State::Live, true, Some(second.seq)));
        assert_eq!((row.removed_at, row.purge_after, row.cause, row.actor), (None, None, None, None));
        assert_eq!(row.headers, r#"[["a","b"]]"#);
    }

    /// The order of removals is the bucket's, not the clock's: that may stand still or go backwards.
    async fn removed_last_means_last_even_when_the_clock_went_backwards(world: World) {
        let a = world.put("x").body("a").await.unwrap().version;
        world.delete("x").await.unwrap();
        let b = world.put("x").body("b").await.unwrap().version;
        world.delete("x").await.unwrap();
        world.restore_version(a).await.unwrap();
        world.clock.set_wall(world.now().minus(HOUR));
        world.delete("x").await.unwrap();
        assert_eq!(world.restore("x").await.unwrap().version, a);
        assert_eq!(world.state(b).await, State::Removed);
    }

    async fn any_removed_version_comes_back_by_its_id(world: World) {
        let first = world.put("x").body("one").await.unwrap();
        world.put("x").body("two").await.unwrap();
        world.delete("x").await.unwrap();
        assert_eq!(world.restore_version(first.version).await.unwrap().name, "x");
        assert_eq!(world.reads("x").await.as_deref(), Some("one"));
    }

    async fn over_something_live_it_is_refused_unless_told_to_replace(world: World) {
        let old = world.put("x").body("old").await.unwrap().version;
        let new = world.put("x").body("new").await.unwrap().version;
        assert_eq!(world.restore("x").await, Err(Refusal::NameInUse));
        let restored = world.restore("x").replace().await.unwrap();
        assert_eq!((restored.version, restored.replaced), (old, Some(new)));
        assert_eq!(world.reads("x").await.as_deref(), Some("old"));
        let displaced = world.row(new).await;
        assert_eq!((displaced.cause, displaced.actor.as_deref()), (Some(Cause::Restore), Some("olga")));
        assert_eq!(displaced.purge_after, Some(world.now().plus(OBJECT_GRACE)));
    }

    async fn under_another_name_both_are_there(world: World) {
        world.put("x").body("old").await.unwrap();
        world.put("x").body("new").await.unwrap();
        assert_eq!(world.restore("x").under("x (restored)").await.unwrap().name, "x (restored)");
        assert_eq!(world.lists().await, ["x", "x (restored)"]);
        world.put("taken").await.unwrap();
        world.delete("x").await.unwrap();
        assert_eq!(world.restore("x").under("taken").await, Err(Refusal::NameInUse));
    }

    async fn under_its_own_name_said_twice_it_comes_back_as_ever(world: World) {
        let put = world.put("x").await.unwrap();
        world.delete("x").await.unwrap();
        assert_eq!(world.restore("x").under("x").await.unwrap().version, put.version);
        world.delete("x").await.unwrap();
        assert_eq!(world.restore_version(put.version).under("x").await.unwrap().name, "x");
    }

    async fn what_is_not_removed_is_not_restored(world: World) {
        let live = world.put("x").await.unwrap().version;
        assert_eq!(world.restore_version(live).await, Err(Refusal::AlreadyLive));
        assert_eq!(world.restore_version(VersionId::random()).await, Err(Refusal::Unknown));
        assert_eq!(world.restore("nothing").await, Err(Refusal::Unknown));
    }

    async fn until_the_last_moment_and_beyond_it_while_nobody_has_claimed_it(world: World) {
        world.put("x").await.unwrap();
        world.delete("x").await.unwrap();
        world.later(3 * OBJECT_GRACE);
        world.restore("x").await.expect("due, but not claimed");
        world.delete("x").await.unwrap();
        world.later(OBJECT_GRACE);
        let claims = world.claim_due().await;
        let version = claims[0].version();
        assert_eq!(world.restore_version(version).await, Err(Refusal::PurgeStarted));
        world.finish_claims(claims).await;
        assert_eq!(world.restore_version(version).await, Err(Refusal::Purged));
        assert_eq!(world.restore("x").await, Err(Refusal::Unknown), "nothing of this name is removed");
    }

    async fn a_version_of_another_bucket_or_of_contents_taken_out_does_not_come_back_here(world: World) {
        let other = world.in_bucket(&world.create_bucket("other").await.unwrap());
        let theirs = other.put("x").await.unwrap().version;
        other.delete("x").await.unwrap();
        assert_eq!(world.restore_version(theirs).await, Err(Refusal::ContainerGone));
        let mine = world.put("x").await.unwrap().version;
        world.delete("x").await.unwrap();
        world.empty_bucket().await.unwrap();
        assert_eq!(world.restore_version(mine).await, Err(Refusal::ContainerGone));
    }

    async fn nothing_comes_back_into_a_removed_bucket_or_domain(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        bucket.put("x").await.unwrap();
        bucket.delete("x").await.unwrap();
        bucket.remove_bucket().await.unwrap();
        assert_eq!(bucket.restore("x").await, Err(Refusal::ContainerGone));
        bucket.restore_bucket().await.unwrap();
        acme.remove_domain().await.unwrap();
        assert_eq!(bucket.restore("x").await, Err(Refusal::ContainerGone));
        acme.restore_domain().await.unwrap();
        bucket.restore("x").await.unwrap();
    }

    async fn restores_in_one_batch_know_of_each_other(world: World) {
        let a = world.put("x").body("a").await.unwrap().version;
        let b = world.put("x").body("b").await.unwrap().version;
        world.delete("x").await.unwrap();
        let commands = vec![world.restore_version(a).command(), world.restore_version(b).command()];
        let answers = world.m.objects(commands, false).await;
        assert!(answers[0].is_ok());
        assert_eq!(answers[1].as_ref().unwrap_err().refusal(), Some(&Refusal::NameInUse));
        assert_eq!(world.reads("x").await.as_deref(), Some("a"));
    }

    async fn a_refused_restore_takes_no_name_from_its_neighbour(world: World) {
        let lost = world.put("x").await.unwrap().version;
        world.delete("x").at_once().await.unwrap();
        world.reclaim().await;
        let kept = world.put("x").body("kept").await.unwrap().version;
        world.delete("x").await.unwrap();
        let commands = vec![world.restore_version(lost).command(), world.restore_version(kept).command()];
        let answers = world.m.objects(commands, false).await;
        assert_eq!(answers[0].as_ref().unwrap_err().refusal(), Some(&Refusal::Purged));
        assert!(answers[1].is_ok(), "{:?}", answers[1]);
        assert_eq!(world.reads("x").await.as_deref(), Some("kept"));
    }

    async fn a_delete_and_a_restore_over_the_same_object_in_one_batch_both_happen(world: World) {
        let old = world.put("x").body("old").await.unwrap().version;
        let new = world.put("x").body("new").await.unwrap().version;
        let commands = vec![
            world.delete("x").command(),
            world.restore_version(old).replace().command(),
            world.put("y").command(),
        ];
        let answers = world.m.objects(commands, false).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(world.state(new).await, State::Removed);
        assert_eq!(world.reads("x").await.as_deref(), Some("old"));
    }

    async fn a_write_and_a_restore_by_version_in_one_batch_keep_their_order(world: World) {
        let old = world.put("x").body("old").await.unwrap().version;
        world.delete("x").await.unwrap();
        let commands = vec![world.put("x").body("new").command(), world.restore_version(old).command()];
        let answers = world.m.objects(commands, false).await;
        assert!(answers[0].is_ok());
        assert_eq!(answers[1].as_ref().unwrap_err().refusal(), Some(&Refusal::NameInUse));
        assert_eq!(world.reads("x").await.as_deref(), Some("new"));
    }
}
