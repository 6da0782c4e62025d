//! Publishing, overwriting and deleting objects; grace, cause and actor.

use crate::world::*;
use lifecycle::{Cause, Kind, Refusal, State, VersionId};
use metadata::Outcome;
use std::time::Duration;

const NO_OBJECT: Refusal = Refusal::NoSuchObject { marker: None };

on_both_engines! {
    async fn what_was_put_is_read_and_listed(world: World) {
        let put = world.put("a/b").body("hello").await.unwrap();
        assert_eq!(put.replaced, None);
        assert_eq!(world.reads("a/b").await.as_deref(), Some("hello"));
        assert_eq!(world.lists().await, ["a/b"]);
        let row = world.row(put.version).await;
        assert_eq!((row.state, row.is_current, row.size, row.seq), (State::Live, true, 5, Some(put.seq)));
        assert_eq!((row.cause, row.actor, row.purge_after), (None, None, None));
        assert_eq!(row.revision.unwrap().generation, 1);
        assert_eq!(world.counted(State::Live).await, (1, 5));
    }

    async fn an_empty_body_is_an_object_too(world: World) {
        world.put("empty").body("").await.unwrap();
        assert_eq!(world.reads("empty").await.as_deref(), Some(""));
    }

    async fn overwriting_keeps_the_old_version_restorable_and_says_why(world: World) {
        let first = world.put("x").body("one").await.unwrap();
        world.later(SECOND);
        let second = world.put("x").body("two!").actor("carol").await.unwrap();
        assert_eq!(second.replaced, Some(first.version));
        assert!(second.seq > first.seq);
        assert_eq!(world.reads("x").await.as_deref(), Some("two!"));
        let old = world.row(first.version).await;
        assert_eq!((old.state, old.is_current), (State::Removed, false));
        assert_eq!((old.cause, old.actor.as_deref()), (Some(Cause::Overwrite), Some("carol")));
        assert_eq!(old.removed_at, Some(world.now()));
        assert_eq!(old.purge_after, Some(world.now().plus(OBJECT_GRACE)));
        assert_eq!(world.row(second.version).await.revision.unwrap().generation, 2);
        assert_eq!((world.counted(State::Live).await, world.counted(State::Removed).await), ((1, 4), (1, 3)));
    }

    async fn deleting_hides_at_once_promises_a_grace_and_says_why(world: World) {
        let put = world.put("x").body("four").headers(r#"[["colour","red"]]"#).await.unwrap();
        world.later(SECOND);
        let deleted = world.delete("x").actor("dave").await.unwrap();
        assert_eq!((deleted.version, deleted.size), (put.version, 4));
        assert_eq!((deleted.headers.as_str(), deleted.created_at), (r#"[["colour","red"]]"#, put.at));
        assert_eq!(deleted.purge_after, Some(world.now().plus(OBJECT_GRACE)));
        assert_eq!(world.reads("x").await, None);
        assert_eq!(world.lists().await, Vec::<String>::new());
        let row = world.row(put.version).await;
        assert_eq!((row.state, row.cause), (State::Removed, Some(Cause::Delete)));
        assert_eq!((row.actor.as_deref(), row.removed_at), (Some("dave"), Some(world.now())));
        assert_eq!(world.delete("x").await, Err(NO_OBJECT));
    }

    async fn every_cause_a_door_can_name_is_kept(world: World) {
        for cause in [Cause::Delete, Cause::Lifecycle, Cause::Recursive, Cause::Purge] {
            let put = world.put(cause.as_str()).await.unwrap();
            world.delete(cause.as_str()).cause(cause).await.unwrap();
            assert_eq!(world.row(put.version).await.cause, Some(cause));
        }
    }

    async fn deleting_a_version_means_that_version_and_no_other(world: World) {
        let old = world.put("x").await.unwrap();
        let current = world.put("x").await.unwrap();
        assert_eq!(world.delete("x").version(old.version).await, Err(Refusal::NoSuchVersion));
        assert_eq!(world.delete("x").version(VersionId::random()).await, Err(Refusal::NoSuchVersion));
        assert_eq!(world.reads("x").await.as_deref(), Some("x"));
        world.delete("x").version(current.version).await.unwrap();
        assert_eq!(world.delete("x").version(current.version).await, Err(Refusal::NoSuchVersion));
    }

    async fn a_stored_allow_header_without_delete_refuses_it(world: World) {
        let headers = r#"[["content-type","x"],["allow","GET, HEAD"]]"#;
        world.put("kept").headers(headers).await.unwrap();
        world.put("free").headers(r#"[["allow","get, delete"]]"#).await.unwrap();
        let refused = Refusal::NotAllowed { allow: "GET, HEAD".to_owned() };
        assert_eq!(world.delete("kept").await, Err(refused));
        assert_eq!(world.reads("kept").await.as_deref(), Some("kept"));
        world.delete("free").await.unwrap();
    }

    async fn an_unnamed_object_never_changes_and_its_uuid_is_one_everywhere(world: World) {
        let domain = world.m.locate(None, "barrow.local", None).await.unwrap().unwrap();
        let mut hidden = (**world).clone();
        hidden.bucket = domain.hidden.0;
        let version = VersionId::random();
        let uuid = version.to_string();
        hidden.put(&uuid).version(version).kind(Kind::Unnamed).body("once").await.unwrap();
        let found = world.m.find_uuid(&uuid, true).await.unwrap().expect("found from any host");
        assert_eq!((found.version.id, found.inline.unwrap().as_ref()), (version, &b"once"[..]));
        assert_eq!(hidden.put(&uuid).kind(Kind::Unnamed).await, Err(Refusal::Immutable));
        assert_eq!(hidden.put(&uuid).kind(Kind::Alias).await, Err(Refusal::Immutable));

        let acme = world.create_domain("acme.example").await.unwrap();
        let theirs = world.m.locate(Some("acme.example"), "barrow.local", None).await.unwrap().unwrap();
        let mut other = world.in_domain(&acme);
        other.bucket = theirs.hidden.0;
        assert_eq!(other.put(&uuid).kind(Kind::Unnamed).await, Err(Refusal::Conflict));
        assert_eq!(hidden.delete(&uuid).await.unwrap().version, version);
        assert!(world.m.find_uuid(&uuid, false).await.unwrap().is_none());
    }

    async fn an_alias_may_change_but_not_into_another_kind(world: World) {
        let mut hidden = (**world).clone();
        hidden.bucket = world.m.locate(None, "barrow.local", None).await.unwrap().unwrap().hidden.0;
        let uuid = VersionId::random().to_string();
        hidden.put(&uuid).kind(Kind::Alias).body("1").await.unwrap();
        hidden.put(&uuid).kind(Kind::Alias).body("2").await.unwrap();
        assert_eq!(hidden.put(&uuid).kind(Kind::Unnamed).await, Err(Refusal::Immutable));
        assert_eq!(world.m.find_uuid(&uuid, true).await.unwrap().unwrap().inline.unwrap(), "2");
    }

    async fn a_version_id_is_used_once(world: World) {
        let put = world.put("x").await.unwrap();
        assert_eq!(world.put("y").version(put.version).await, Err(Refusal::Conflict));
        assert_eq!(world.lists().await, ["x"]);
    }

    async fn the_buckets_own_grace_counts_and_zero_is_a_grace(world: World) {
        world.m.set_object_grace(world.bucket, Some(HOUR)).await.unwrap();
        world.put("x").await.unwrap();
        assert_eq!(world.delete("x").await.unwrap().purge_after, Some(world.now().plus(HOUR)));
        world.m.set_object_grace(world.bucket, Some(Duration::ZERO)).await.unwrap();
        world.put("y").await.unwrap();
        assert_eq!(world.delete("y").await.unwrap().purge_after, Some(world.now()));
        world.m.set_object_grace(world.bucket, None).await.unwrap();
        world.put("z").await.unwrap();
        assert_eq!(world.delete("z").await.unwrap().purge_after, Some(world.now().plus(OBJECT_GRACE)));
        assert_eq!(world.reclaim().await, 1, "only y, which was given no grace");
    }

    /// R2: what was promised at removal stands, whatever is configured afterwards.
    async fn changing_the_grace_never_moves_a_promise(world: World) {
        let put = world.put("x").await.unwrap();
        let promised = world.delete("x").await.unwrap().purge_after.unwrap();
        world.m.set_object_grace(world.bucket, Some(Duration::ZERO)).await.unwrap();
        assert_eq!(world.row(put.version).await.purge_after, Some(promised));
        assert_eq!(world.reclaim().await, 0);
        world.m.set_object_grace(world.bucket, Some(30 * DAY)).await.unwrap();
        world.later(OBJECT_GRACE);
        assert_eq!(world.reclaim().await, 1);
    }

    async fn a_grace_without_end_is_never_due(world: World) {
        world.put("x").await.unwrap();
        world.delete("x").grace(Duration::MAX).await.unwrap();
        world.later(36_500 * DAY);
        assert_eq!(world.reclaim().await, 0);
        assert!(world.restore("x").await.is_ok());
    }

    async fn a_clock_that_goes_backwards_shortens_no_grace(world: World) {
        world.put("x").await.unwrap();
        let promised = world.delete("x").await.unwrap().purge_after.unwrap();
        world.clock.set_wall(world.now().minus(30 * DAY));
        assert_eq!(world.reclaim().await, 0);
        world.put("y").await.unwrap();
        world.delete("y").await.unwrap();
        world.clock.set_wall(promised.minus(SECOND));
        assert_eq!(world.reclaim().await, 1, "y, by the clock that was");
        world.later(SECOND);
        assert_eq!(world.reclaim().await, 1, "x, when it was promised");
    }

    /// Went wrong elsewhere: after deleting everything under a name and writing it anew, nothing old comes back.
    async fn a_name_used_again_shows_the_new_object_only(world: World) {
        for body in ["one", "two", "three"] {
            world.put("x").body(body).await.unwrap();
        }
        world.delete("x").await.unwrap();
        world.later(2 * OBJECT_GRACE);
        world.reclaim().await;
        world.put("x").body("anew").await.unwrap();
        world.later(2 * MEMORY);
        world.forget().await;
        assert_eq!(world.reads("x").await.as_deref(), Some("anew"));
        world.delete("x").await.unwrap();
        assert_eq!(world.reads("x").await, None);
    }

    /// Went wrong elsewhere: a batch is so many single commands, and nothing more.
    async fn a_batch_is_its_commands_one_by_one(world: World) {
        for name in ["a", "b", "c", "d"] {
            world.put(name).await.unwrap();
        }
        let commands = vec![
            world.delete("a").command(),
            world.delete("nothing").command(),
            world.put("e").command(),
            world.delete("b").command(),
            world.put("c").if_none_match("*").command(),
        ];
        let answers = world.m.objects(commands, false).await;
        assert!(matches!(answers[0], Ok(Outcome::Deleted(_))));
        assert_eq!(answers[1].as_ref().unwrap_err().refusal(), Some(&NO_OBJECT));
        assert!(matches!(answers[2], Ok(Outcome::Published(_))));
        assert!(matches!(answers[3], Ok(Outcome::Deleted(_))));
        assert!(matches!(answers[4].as_ref().unwrap_err().refusal(), Some(Refusal::ConditionFailed { .. })));
        assert_eq!(world.lists().await, ["c", "d", "e"]);
    }

    async fn commands_to_one_name_in_one_batch_keep_their_order(world: World) {
        let commands = vec![
            world.put("x").body("1").command(),
            world.delete("x").command(),
            world.delete("x").command(),
            world.put("x").body("2").command(),
            world.put("x").body("3").command(),
            world.restore("x").replace().command(),
        ];
        let answers = world.m.objects(commands, true).await;
        let refused: Vec<bool> = answers.iter().map(Result::is_err).collect();
        assert_eq!(refused, [false, false, true, false, false, false]);
        assert_eq!(world.reads("x").await.as_deref(), Some("2"), "the one removed last came back");
        assert_eq!(world.counted(State::Removed).await.0, 2);
    }

    async fn a_command_that_breaks_a_constraint_fails_alone(world: World) {
        let taken = world.put("x").await.unwrap().version;
        let commands = vec![
            world.put("a").command(),
            world.put("b").version(taken).command(),
            world.put("c").command(),
        ];
        let answers = world.m.objects(commands, false).await;
        assert!(answers[0].is_ok() && answers[2].is_ok());
        assert_eq!(answers[1].as_ref().unwrap_err().refusal(), Some(&Refusal::Conflict));
        assert_eq!(world.lists().await, ["a", "c", "x"]);
    }

    async fn seqs_rise_and_are_never_used_again(world: World) {
        let mut last = 0;
        for _ in 0..3 {
            let put = world.put("x").await.unwrap();
            assert!(put.seq > last);
            last = put.seq;
            world.delete("x").at_once().await.unwrap();
            world.reclaim().await;
            world.later(2 * MEMORY);
            world.forget().await;
        }
    }
}
