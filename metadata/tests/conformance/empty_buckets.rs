//! Removing a bucket only if it is empty: what counts, and what happens when somebody writes at the same moment.

use crate::world::*;
use lifecycle::{Refusal, State};

fn not_empty<T: std::fmt::Debug>(answer: Answer<T>) {
    assert_eq!(answer.unwrap_err(), Refusal::NotEmpty);
}

on_both_engines! {
    async fn markers_and_older_versions_count(world: World) {
        world.versioning("enabled").await;
        let put = world.put("x").await.unwrap().version;
        let marker = world.delete("x").stacking().await.unwrap().marker.unwrap();
        not_empty(world.remove_bucket().only_if_empty().await);
        world.delete("x").version(put).await.unwrap();
        not_empty(world.remove_bucket().only_if_empty().await);
        world.versioning("suspended").await;
        not_empty(world.remove_bucket().only_if_empty().await);
        world.delete("x").version(marker).await.unwrap();
        world.remove_bucket().only_if_empty().await.expect("what is removed does not count");
    }

    async fn what_has_expired_does_not(world: World) {
        world.put("x").expires_in(HOUR).await.unwrap();
        not_empty(world.remove_bucket().only_if_empty().await);
        world.later(HOUR);
        world.remove_bucket().only_if_empty().await.unwrap();
        let kept = world.in_bucket(&world.create_bucket("kept").await.unwrap());
        kept.versioning("enabled").await;
        kept.put("x").expires_in(HOUR).await.unwrap();
        kept.put("x").expires_in(HOUR).await.unwrap();
        not_empty(kept.remove_bucket().only_if_empty().await);
        kept.later(HOUR);
        kept.remove_bucket().only_if_empty().await.expect("neither does an older version");
    }

    async fn what_a_rule_only_hides_does(world: World) {
        world.versioning("enabled").await;
        world.rules(&[r#"RuleId:"r" ExpirationDays:1"#]).await;
        world.put("x").await.unwrap();
        world.later(DAY);
        assert_eq!(world.reads("x").await, None);
        not_empty(world.remove_bucket().only_if_empty().await);
    }

    async fn history_that_was_given_up_does_not(world: World) {
        world.versioning("enabled").await;
        world.put("x").await.unwrap();
        let current = world.put("x").await.unwrap().version;
        world.versioning("disabled").await;
        world.versioning("enabled").await;
        not_empty(world.remove_bucket().only_if_empty().await);
        world.delete("x").version(current).await.unwrap();
        world.remove_bucket().only_if_empty().await.unwrap();
    }

    async fn an_upload_counts_until_it_ends(world: World) {
        world.upload("x").await;
        not_empty(world.remove_bucket().only_if_empty().await);
        world.later(7 * DAY);
        world.remove_bucket().only_if_empty().await.expect("it has ended, swept or not");
        world.restore_bucket().await.unwrap();
        let done = world.upload("y").await;
        let part = world.part(done, 1, b"one").await;
        world.put("y").assembled(done, vec![(1, part)]).await.unwrap();
        world.delete("y").await.unwrap();
        world.remove_bucket().only_if_empty().await.expect("it has become an object, and that is gone");
    }

    async fn that_it_is_not_empty_is_said_before_that_it_is_protected(world: World) {
        world.put("x").kept_for(DAY).await.unwrap();
        not_empty(world.remove_bucket().only_if_empty().await);
        assert!(matches!(world.remove_bucket().await.unwrap_err(), Refusal::HoldsGuarded { .. }));
    }
}

racing_on_both_engines! {
    async fn either_the_write_wins_or_the_removal(world: World) {
        let callers = world.callers(2).await;
        let (mut written, mut removed) = (0, 0);
        for round in 0..32 {
            let bucket = world.create_bucket(&format!("b{round}")).await.unwrap();
            let (writer, remover) = (callers[0].in_bucket(&bucket), callers[1].in_bucket(&bucket));
            let put = tokio::spawn(async move {
                for _ in 0..round % 4 {
                    tokio::task::yield_now().await;
                }
                writer.put("x").await
            });
            let removal = tokio::spawn(async move { remover.remove_bucket().only_if_empty().await });
            let (put, removal) = (put.await.unwrap(), removal.await.unwrap());
            let after = world.in_bucket(&bucket);
            match (put, removal) {
                (Ok(_), Err(refusal)) => {
                    assert_eq!((refusal, after.reads("x").await.as_deref()), (Refusal::NotEmpty, Some("x")));
                    written += 1;
                }
                (Err(refusal), Ok(gone)) => {
                    assert_eq!((refusal, gone.objects), (Refusal::ContainerGone, 0));
                    assert_eq!(after.bucket_row().await.state, State::Removed);
                    removed += 1;
                }
                (put, removal) => panic!("round {round}: {put:?} {removal:?}"),
            }
        }
        assert_eq!(written + removed, 32);
    }

    async fn either_the_upload_begins_or_the_bucket_goes(world: World) {
        let callers = world.callers(2).await;
        for round in 0..16 {
            let bucket = world.create_bucket(&format!("b{round}")).await.unwrap();
            let (writer, remover) = (callers[0].in_bucket(&bucket), callers[1].in_bucket(&bucket));
            let begin = tokio::spawn(async move { answer(writer.m.begin_upload(writer.new_upload("x")).await) });
            let removal = tokio::spawn(async move { remover.remove_bucket().only_if_empty().await.map(drop) });
            match (begin.await.unwrap(), removal.await.unwrap()) {
                (Ok(_), removal) => not_empty(removal),
                (Err(refusal), removal) => assert_eq!((refusal, removal), (Refusal::ContainerGone, Ok(()))),
            }
        }
    }
}
