//! A name then and now, and what a rehearsal leaves behind: nothing.

use crate::world::*;
use lifecycle::{Refusal, State, Time, VersionId};
use metadata::{ContainerKind, RestoreOrder};

/// The version that was the newest of `name` at `at`, and the current one.
async fn then(world: &World, name: &str, at: Time) -> (Option<VersionId>, Option<VersionId>) {
    let page = world.m.past_page(world.contents().await, at, name, "", 10).await.unwrap();
    let past = page.into_iter().find(|past| past.name == name);
    past.map_or((None, None), |past| {
        (past.then.map(|then| then.version.id), past.current.map(|current| current.id))
    })
}

on_both_engines! {
    async fn a_version_was_there_from_its_writing_up_to_its_removal(world: World) {
        let before = world.now();
        world.later(SECOND);
        let (wrote, first) = (world.now(), world.put("x").await.unwrap().version);
        world.later(SECOND);
        let (overwrote, second) = (world.now(), world.put("x").await.unwrap().version);
        world.later(SECOND);
        let deleted = world.now();
        world.delete("x").await.unwrap();
        assert_eq!(then(world, "x", before).await, (None, None));
        assert_eq!(then(world, "x", wrote).await, (Some(first), None));
        assert_eq!(then(world, "x", overwrote).await, (Some(second), None));
        assert_eq!(then(world, "x", deleted).await, (None, None));
        world.later(2 * DAY);
        world.reclaim().await;
        assert_eq!(then(world, "x", wrote).await, (Some(first), None), "its tombstone tells");
        assert_eq!(world.state(first).await, State::Purged);
    }

    /// What was restored over a later one was there before that; what is removed and restored since counts as never removed.
    async fn of_two_that_were_there_by_their_rows_the_newer_was(world: World) {
        let (wrote, first) = (world.now(), world.put("x").await.unwrap().version);
        world.later(SECOND);
        let (overwrote, second) = (world.now(), world.put("x").await.unwrap().version);
        world.later(SECOND);
        world.restore_version(first).replace().await.unwrap();
        assert_eq!(then(world, "x", wrote).await, (Some(first), Some(first)));
        assert_eq!(then(world, "x", overwrote).await, (Some(second), Some(first)));
        assert_eq!(then(world, "x", world.now()).await, (Some(first), Some(first)));
    }

    /// The bytes of then belong to a later row, which stands for it.
    async fn where_only_headers_changed_the_heir_stands_for_what_was(world: World) {
        let (wrote, first) = (world.now(), world.put("x").await.unwrap().version);
        world.later(SECOND);
        let second = world.put("x").headers("[[\"a\",\"b\"]]").taking_over(first).await.unwrap().version;
        world.later(SECOND);
        let third = world.put("x").headers("[[\"a\",\"c\"]]").taking_over(second).await.unwrap().version;
        assert_eq!(world.state(first).await, State::Purged);
        assert_eq!(then(world, "x", wrote).await, (Some(third), Some(third)));
        world.later(SECOND);
        world.delete("x").await.unwrap();
        assert_eq!(then(world, "x", wrote).await, (Some(third), None));
    }

    async fn pages_hold_each_name_once_in_order_under_the_prefix(world: World) {
        let at = world.now();
        for name in ["a/1", "a/2", "a/3", "b"] {
            world.put(name).await.unwrap();
            world.put(name).await.unwrap();
        }
        world.later(SECOND);
        world.delete("a/2").await.unwrap();
        let (mut names, mut marker) = (Vec::new(), String::new());
        loop {
            let page = world.m.past_page(world.contents().await, at, "a/", &marker, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            marker.clone_from(&last.name);
            names.extend(page.into_iter().map(|past| past.name));
        }
        assert_eq!(names, ["a/1", "a/2", "a/3"]);
    }

    async fn a_rehearsal_answers_like_the_real_thing_and_leaves_nothing(world: World) {
        let first = world.put("x").await.unwrap().version;
        world.put("y").await.unwrap();
        world.delete("x").await.unwrap();
        let commands = || vec![
            world.restore_version(first).command(),
            world.put("x").command(),
            world.delete("x").command(),
            world.restore("nothing").command(),
        ];
        let (rows, events) = (world.ask("SELECT name FROM versions").await, world.ask("SELECT what FROM events").await);
        let would = world.m.rehearsal().objects(commands(), false).await;
        assert!(would[..3].iter().all(Result::is_ok), "each sees what came before it: {would:?}");
        assert_eq!(would[3].as_ref().unwrap_err().refusal(), Some(&Refusal::Unknown));
        assert_eq!(world.ask("SELECT name FROM versions").await, rows);
        assert_eq!((world.state(first).await, world.reads("x").await), (State::Removed, None));

        world.remove_bucket().await.unwrap();
        let order = RestoreOrder { actor: "olga".to_owned(), ..RestoreOrder::default() };
        let would = world.m.rehearsal().restore(ContainerKind::Bucket, world.bucket, order.clone()).await.unwrap();
        assert_eq!(would.state, State::Live);
        assert_eq!(world.bucket_row().await.state, State::Removed);
        assert_eq!(world.ask("SELECT what FROM events").await.len(), events.len() + 1, "the removal, and nothing else");
        let restored = world.m.restore(ContainerKind::Bucket, world.bucket, order).await.unwrap();
        assert_eq!(restored, would);
        world.check().await;
    }
}
