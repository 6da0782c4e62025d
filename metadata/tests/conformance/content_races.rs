//! Conditions by content under many writers: of those who may, exactly one does.

use crate::concurrency::{all, spread};
use crate::world::*;
use lifecycle::condition::content_tag;
use lifecycle::{Refusal, State, VersionId};

const FIRST: [u8; 16] = [1; 16];

/// A digest of its own for each of many writers.
fn of(n: usize) -> [u8; 16] {
    [u8::try_from(n + 100).unwrap(); 16]
}

fn the_winner<T>(answers: &[Answer<T>]) -> &T {
    let won: Vec<&T> = answers.iter().flatten().collect();
    assert_eq!(won.len(), 1, "exactly one wins");
    won[0]
}

racing_on_both_engines! {
    async fn of_many_creators_one_wins_and_the_others_learn_of_it(world: World) {
        let callers = world.callers(2).await;
        for round in 0..4 {
            let name = format!("x{round}");
            let puts = spread(&callers, 32, |caller, n| {
                let put = caller.put(&name).md5(of(n)).by_content().if_none_match("*");
                async move { put.await }
            });
            let answers = all(puts).await;
            let lost = Refusal::ConditionFailed { current: Some(the_winner(&answers).version) };
            assert!(answers.iter().filter_map(|a| a.as_ref().err()).all(|refusal| *refusal == lost));
        }
        assert_eq!((world.counted(State::Live).await.0, world.counted(State::Removed).await.0), (4, 0));
    }

    async fn of_many_who_change_the_same_content_one_wins(world: World) {
        let callers = world.callers(2).await;
        for policy in ["disabled", "enabled", "suspended"] {
            world.versioning(policy).await;
            world.put("x").md5(FIRST).await.unwrap();
            let tag = content_tag(FIRST, None);
            let puts = spread(&callers, 32, |caller, n| {
                let put = caller.put("x").md5(of(n)).by_content().if_match(&tag);
                async move { put.await }
            });
            let answers = all(puts).await;
            let won = the_winner(&answers).version;
            assert_eq!(world.found("x", false).await.version.id, won, "{policy}");
        }
    }

    async fn of_many_conditional_deletes_one_wins(world: World) {
        let callers = world.callers(2).await;
        for policy in ["disabled", "enabled", "suspended"] {
            world.versioning(policy).await;
            let put = world.put("x").md5(FIRST).await.unwrap().version;
            let tag = content_tag(FIRST, None);
            let deletes = spread(&callers, 32, |caller, _| {
                let delete = caller.delete("x").stacking().by_content().if_match(&tag);
                async move { delete.await }
            });
            let answers = all(deletes).await;
            assert_eq!(the_winner(&answers).version, put, "{policy}");
            let nothing = Refusal::ConditionFailed { current: None };
            assert!(answers.iter().filter_map(|a| a.as_ref().err()).all(|refusal| *refusal == nothing), "{policy}");
        }
    }

    /// Of a conditional write and a conditional delete of the same content, one finds it.
    async fn a_write_and_a_delete_of_the_same_content_never_both_win(world: World) {
        let callers = world.callers(2).await;
        for round in 0..16 {
            let name = format!("x{round}");
            world.put(&name).md5(FIRST).await.unwrap();
            let tag = content_tag(FIRST, None);
            let put = callers[0].put(&name).md5(of(1)).by_content().if_match(&tag);
            let delete = callers[1].delete(&name).stacking().by_content().if_match(&tag);
            let (put, delete) =
                tokio::join!(tokio::spawn(put.into_future()), tokio::spawn(delete.into_future()));
            let (put, delete) = (put.unwrap(), delete.unwrap());
            assert!(put.is_ok() != delete.is_ok(), "{put:?} {delete:?}");
            assert_eq!(world.reads(&name).await.is_some(), put.is_ok());
        }
    }

    async fn of_many_who_complete_one_upload_over_the_same_content_one_wins(world: World) {
        let callers = world.callers(2).await;
        world.put("x").md5(FIRST).await.unwrap();
        let tag = content_tag(FIRST, None);
        let mut uploads = Vec::new();
        for _ in 0..8 {
            let upload = world.upload("x").await;
            uploads.push((upload, world.part(upload, 1, b"one").await));
        }
        let completions = spread(&callers, 8, |caller, n| {
            let (upload, part) = uploads[n];
            let put = caller.put("x").md5(of(n)).assembled(upload, vec![(1, part)]).by_content().if_match(&tag);
            async move { put.await }
        });
        let won: VersionId = the_winner(&all(completions).await).version;
        assert_eq!(world.found("x", false).await.version.id, won);
    }
}
