//! Batches that are larger than one chunk of any statement.

use crate::concurrency::all;
use crate::world::*;
use lifecycle::{Refusal, State};
use metadata::{Failure, Outcome};

async fn fill(world: &Caller, names: &[String]) {
    for names in names.chunks(1_000) {
        let puts = names.iter().map(|name| world.put(name).body("1234").command()).collect();
        assert!(world.m.objects(puts, false).await.iter().all(Result::is_ok));
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{n:05}")).collect()
}

on_both_engines! {
    async fn a_batch_of_a_thousand_is_done_to_the_last(world: World) {
        let names = names(1_003);
        fill(world, &names).await;
        assert_eq!(world.counted(State::Live).await, (1_003, 4_012));
        let deletes = names.iter().map(|name| world.delete(name).command()).collect();
        assert!(world.m.objects(deletes, true).await.iter().all(Result::is_ok));
        assert_eq!(world.counted(State::Removed).await, (1_003, 4_012));
        let restores = names.iter().take(600).map(|name| world.restore(name).command()).collect();
        assert!(world.m.objects(restores, false).await.iter().all(Result::is_ok));
        assert_eq!(world.lists().await.len(), 600);
        world.later(OBJECT_GRACE);
        assert_eq!(world.reclaim().await, 403);
        world.later(MEMORY);
        assert_eq!(world.forget().await.0, 403);
        assert_eq!(world.counted(State::Purged).await, (0, 0));
    }

    /// As S3's DeleteObjects: a thousand keys, among them some that are not there and some that come twice.
    async fn a_thousand_keys_go_at_once_and_each_has_its_own_answer(world: World) {
        for policy in ["disabled", "enabled"] {
            world.versioning(policy).await;
            let there = names(980);
            fill(world, &there).await;
            let guarded = world.put("guarded").kept_for(DAY).await.unwrap().version;
            let missing: Vec<String> = (0..9).map(|n| format!("missing-{n}")).collect();
            let twice = &there[..10];
            let keys: Vec<&String> = there.iter().chain(&missing).chain(twice).collect();
            let mut commands: Vec<_> = keys.iter().map(|key| world.delete(key).stacking().command()).collect();
            commands.push(world.delete("guarded").version(guarded).command());
            assert_eq!(commands.len(), 1_000);
            let answers: Vec<Result<Outcome, Failure>> = world.m.objects(commands, false).await;
            let done = |answer: &Result<Outcome, Failure>| matches!(answer, Ok(Outcome::Deleted(_)));
            assert!(answers[..980].iter().all(done), "{policy}: what was there");
            let rest = &answers[980..999];
            match policy {
                "disabled" => {
                    let nothing = Refusal::NoSuchObject { marker: None };
                    assert!(rest.iter().all(|a| a.as_ref().is_err_and(|f| f.refusal() == Some(&nothing))));
                }
                _ => assert!(rest.iter().all(done), "each with a marker of its own"),
            }
            let refused = answers[999].as_ref().unwrap_err().refusal().cloned();
            assert!(matches!(refused, Some(Refusal::Guarded { .. })), "{refused:?}");
            assert_eq!(world.lists().await, ["guarded"]);
            if !world.is_sqlite() && policy == "disabled" {
                let transactions = "SELECT CAST(COUNT(DISTINCT xmin::text) AS TEXT) FROM versions WHERE state = 'removed'";
                assert_eq!(world.ask(transactions).await, ["1"]);
            }
        }
    }

    async fn a_refused_key_takes_no_other_with_it(world: World) {
        let names = names(600);
        fill(world, &names).await;
        let commands = names
            .iter()
            .enumerate()
            .map(|(n, name)| if n % 2 == 0 { world.delete(name) } else { world.delete(name).if_match("\"no\"") })
            .map(Del::command)
            .collect();
        let answers = world.m.objects(commands, false).await;
        assert!(answers.iter().enumerate().all(|(n, answer)| answer.is_ok() == (n % 2 == 0)));
        assert_eq!(world.counted(State::Live).await.0, 300);
    }
}

racing_on_both_engines! {
    /// Shows how many keys a second go; how many must, a benchmark says.
    async fn two_callers_delete_a_thousand_keys_at_a_time(world: World) {
        const BATCHES: usize = 4;
        let callers = world.callers(2).await;
        let names = names(2 * BATCHES * 1_000);
        fill(world, &names).await;
        let began = world.boot();
        let deleting = names.chunks(BATCHES * 1_000).zip(callers).map(|(mine, caller)| {
            let mine = mine.to_vec();
            async move {
                for batch in mine.chunks(1_000) {
                    let commands = batch.iter().map(|name| caller.delete(name).stacking().command()).collect();
                    assert!(caller.m.objects(commands, false).await.iter().all(Result::is_ok));
                }
            }
        });
        all(deleting.collect()).await;
        let took = world.boot().saturating_sub(began);
        eprintln!("{:.0} keys a second", names.len() as f64 / took.as_secs_f64());
        assert_eq!(world.counted(State::Removed).await, (8_000, 32_000));
        assert_eq!(world.counted(State::Live).await, (0, 0));
    }
}
