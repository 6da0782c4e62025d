//! Several processes on one Postgres, many tasks on SQLite: races that exactly one may win, and sums that must be right
//! whoever does.

use crate::world::*;
use futures_util::future::join_all;
use lifecycle::invariants::check_durable;
use lifecycle::{Refusal, State, VersionId};
use metadata::ContainerKind;
use std::collections::{BTreeMap, BTreeSet};

/// Runs them all at once, each on a task of its own, and gives their results in order.
pub(crate) async fn all<T: Send + 'static>(doing: Vec<impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    join_all(doing.into_iter().map(tokio::spawn)).await.into_iter().map(|done| done.unwrap()).collect()
}

/// Spreads `count` pieces of work over the callers.
pub(crate) fn spread<F>(callers: &[Caller], count: usize, make: impl Fn(Caller, usize) -> F) -> Vec<F> {
    (0..count).map(|n| make(callers[n % callers.len()].clone(), n)).collect()
}

racing_on_both_engines! {
    async fn of_many_creators_exactly_one_wins(world: World) {
        let callers = world.callers(8).await;
        for round in 0..5 {
            let name = format!("x{round}");
            let puts = spread(&callers, 32, |caller, n| {
                let put = caller.put(&name).body(&n.to_string()).if_none_match("*");
                async move { put.await }
            });
            let answers = all(puts).await;
            let won: Vec<VersionId> = answers.iter().flatten().map(|put| put.version).collect();
            assert_eq!(won.len(), 1);
            let lost = Refusal::ConditionFailed { current: Some(won[0]) };
            assert!(answers.iter().filter_map(|a| a.as_ref().err()).all(|refusal| *refusal == lost));
        }
        assert_eq!((world.counted(State::Live).await.0, world.counted(State::Removed).await.0), (5, 0));
    }

    async fn of_many_if_match_writers_each_version_is_succeeded_once(world: World) {
        let callers = world.callers(4).await;
        let first = world.put("x").await.unwrap().version;
        let tag = first.to_string();
        let puts = spread(&callers, 16, |caller, _| {
            let put = caller.put("x").if_match(&tag);
            async move { put.await }
        });
        assert_eq!(all(puts).await.iter().flatten().count(), 1);
        assert_eq!(world.counted(State::Removed).await.0, 1);
    }

    async fn of_many_deletes_one_wins(world: World) {
        let callers = world.callers(8).await;
        for round in 0..5 {
            let name = format!("x{round}");
            world.put(&name).await.unwrap();
            let deletes = spread(&callers, 16, |caller, _| {
                let delete = caller.delete(&name);
                async move { delete.await }
            });
            let answers = all(deletes).await;
            assert_eq!(answers.iter().flatten().count(), 1);
            let missing = Refusal::NoSuchObject { marker: None };
            assert!(answers.iter().filter_map(|a| a.as_ref().err()).all(|refusal| *refusal == missing));
        }
    }

    async fn of_many_who_create_a_bucket_one_wins(world: World) {
        let callers = world.callers(6).await;
        let creates = spread(&callers, 12, |caller, _| async move { caller.create_bucket("new").await.map(|b| b.id) });
        let answers = all(creates).await;
        assert_eq!(answers.iter().flatten().count(), 1);
        assert!(answers.iter().filter_map(|a| a.as_ref().err()).all(|refusal| *refusal == Refusal::NameInUse));
    }

    async fn of_many_who_remove_or_restore_a_bucket_one_wins(world: World) {
        let callers = world.callers(6).await;
        world.put("x").await.unwrap();
        let removals = spread(&callers, 12, |caller, _| async move { caller.remove_bucket().await.map(drop) });
        assert_eq!(all(removals).await.iter().flatten().count(), 1);
        let restores = spread(&callers, 12, |caller, _| async move { caller.restore_bucket().await.map(drop) });
        let answers = all(restores).await;
        assert_eq!(answers.iter().flatten().count(), 1);
        assert!(answers.iter().filter_map(|a| a.as_ref().err()).all(|refusal| *refusal == Refusal::AlreadyLive));
        assert_eq!(world.reads("x").await.as_deref(), Some("x"));
    }

    /// R6: restore and purge cannot both win, and one of them does.
    async fn a_restore_and_a_claim_never_both_win(world: World) {
        let callers = world.callers(4).await;
        let names: Vec<String> = (0..60).map(|n| format!("x{n}")).collect();
        let mut versions = Vec::new();
        for name in &names {
            versions.push(world.put(name).await.unwrap().version);
            world.delete(name).at_once().await.unwrap();
        }
        let claimers = spread(&callers, 8, |caller, _| async move {
            let mut won = Vec::new();
            for _ in 0..12 {
                let order = metadata::ClaimOrder { limit: 3, ..caller.order() };
                won.extend(caller.m.claim_due(caller.waiting().await, order).await.unwrap());
                tokio::task::yield_now().await;
            }
            won
        });
        let restores = names.iter().rev().map(|name| callers[name.len() % 4].restore(name));
        let restorers: Vec<_> = restores.map(|restore| async move { restore.await.ok() }).collect();
        let (claims, restored) = tokio::join!(all(claimers), all(restorers));
        let restored: BTreeSet<VersionId> = restored.into_iter().flatten().map(|back| back.version).collect();
        let claims: Vec<_> = claims.into_iter().flatten().collect();
        let claimed: BTreeSet<VersionId> = ids(&claims).into_iter().collect();
        assert_eq!(claimed.len(), claims.len(), "nothing was claimed twice");
        assert_eq!(claimed.intersection(&restored).count(), 0, "nothing was both restored and claimed");
        for version in &versions {
            let expected = match (restored.contains(version), claimed.contains(version)) {
                (true, _) => State::Live,
                (_, true) => State::Purging,
                _ => State::Removed,
            };
            assert_eq!(world.state(*version).await, expected);
        }
    }

    async fn two_thousand_rows_are_each_claimed_once_by_eight_claimers(world: World) {
        let callers = world.callers(8).await;
        let names: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
        let puts = names.iter().map(|name| world.put(name).body("12").command()).collect();
        assert!(world.m.objects(puts, false).await.iter().all(Result::is_ok));
        let deletes = names.iter().map(|name| world.delete(name).at_once().command()).collect();
        assert!(world.m.objects(deletes, false).await.iter().all(Result::is_ok));
        let claimers = spread(&callers, 8, |caller, _| async move {
            let mut won = Vec::new();
            loop {
                let order = metadata::ClaimOrder { limit: 70, ..caller.order() };
                let claims = caller.m.claim_due(caller.waiting().await, order).await.unwrap();
                if claims.is_empty() {
                    break won;
                }
                won.extend(ids(&claims));
                assert!(caller.finish_claims(claims).await.0 > 0, "what it claimed is its own to finish");
            }
        });
        let won: Vec<VersionId> = all(claimers).await.into_iter().flatten().collect();
        assert_eq!(won.len(), 2_000);
        assert_eq!(won.into_iter().collect::<BTreeSet<_>>().len(), 2_000);
        assert_eq!((world.counted(State::Purged).await, world.counted(State::Purging).await), ((2_000, 0), (0, 0)));
    }

    async fn a_lapsed_claim_is_taken_over_by_one(world: World) {
        let callers = world.callers(6).await;
        for n in 0..40 {
            world.put(&n.to_string()).await.unwrap();
            world.delete(&n.to_string()).at_once().await.unwrap();
        }
        let stalled = world.claim_due().await;
        assert_eq!(stalled.len(), 40);
        world.later(LEASE);
        let takers = spread(&callers, 12, |caller, _| async move {
            let order = metadata::ClaimOrder { limit: 9, ..caller.order() };
            let claims = caller.m.claim_lapsed(caller.contents().await, order).await.unwrap();
            let count = ids(&claims).len();
            (count, caller.finish_claims(claims).await.0)
        });
        let (late, taken) = tokio::join!(world.m.finish(stalled, MEMORY), all(takers));
        let (claimed, finished) = taken.iter().fold((0, 0), |sum, one| (sum.0 + one.0 as u64, sum.1 + one.1));
        assert_eq!(claimed, finished, "who holds the claim finishes");
        let rest = world.claim_lapsed().await;
        let all = late.unwrap().0 + finished + world.finish_claims(rest).await.0;
        assert_eq!(all, 40, "each was finished once");
    }

    async fn positions_are_unique_and_rise_with_the_commits(world: World) {
        let callers = world.callers(6).await;
        let writers = spread(&callers, 12, |caller, n| async move {
            let mut seqs = Vec::new();
            for k in 0..20 {
                // Half of them fight for one name, half have their own.
                let name = if n % 2 == 0 { "shared".to_owned() } else { format!("{n}-{k}") };
                seqs.push(caller.put(&name).await.unwrap().seq);
            }
            seqs
        });
        let seqs = all(writers).await;
        for own in &seqs {
            assert!(own.windows(2).all(|pair| pair[0] < pair[1]), "a later write has a later position");
        }
        let unique: BTreeSet<i64> = seqs.iter().flatten().copied().collect();
        assert_eq!(unique.len(), 240);
        let shared = world.found("shared", false).await;
        let last = seqs.iter().step_by(2).flatten().max().copied();
        assert_eq!(shared.version.seq, last, "the current version is the one with the last position");
        assert_eq!(shared.version.revision.unwrap().generation, 120);
    }

    /// What was acknowledged is there, what was refused is not, whatever was removed around it meanwhile.
    async fn a_publish_races_the_removal_of_its_bucket_and_domain(world: World) {
        let callers = world.callers(6).await;
        for round in 0..6 {
            let domain = world.create_domain(&format!("d{round}.example")).await.unwrap();
            let bucket = world.in_domain(&domain).create_bucket("b").await.unwrap();
            let by: Vec<Caller> = callers.iter().map(|caller| caller.in_bucket(&bucket)).collect();
            let writers = spread(&by, 12, |caller, n| async move {
                let mut done = Vec::new();
                for k in 0..6 {
                    match caller.put(&format!("{n}-{k}")).await {
                        Ok(put) => done.push(put.version),
                        Err(refusal) => assert_eq!(refusal, Refusal::ContainerGone),
                    }
                }
                done
            });
            let removers = vec![by[0].clone(), by[1].clone()].into_iter().enumerate().map(|(n, caller)| async move {
                for _ in 0..round {
                    tokio::task::yield_now().await;
                }
                if n == 0 { caller.remove_bucket().await } else { caller.remove_domain().await }.map(drop)
            });
            let (done, removed) = tokio::join!(all(writers), all(removers.collect()));
            assert!(removed[1].is_ok());
            assert!(removed[0].is_ok() || removed[0] == Err(Refusal::NoSuchBucket));
            let by = &by[2];
            assert_eq!(by.put("late").await, Err(Refusal::ContainerGone));
            assert_eq!(by.lists().await, Vec::<String>::new());
            by.restore_domain().await.unwrap();
            if removed[0].is_ok() {
                by.restore_bucket().await.unwrap();
            }
            let done: Vec<VersionId> = done.into_iter().flatten().collect();
            let mut found = BTreeMap::new();
            for version in &done {
                found.insert(*version, by.state(*version).await);
            }
            assert_eq!(check_durable(&done, &found), []);
            assert_eq!(by.lists().await.len(), done.len(), "all that was acknowledged, and nothing else");
        }
    }

    async fn an_upload_races_its_sweep(world: World) {
        let callers = world.callers(4).await;
        let mut uploads = Vec::new();
        for n in 0..30 {
            uploads.push((format!("x{n}"), world.stage(&format!("x{n}")).await));
        }
        let contents = world.contents().await;
        let publishes: Vec<_> = uploads
            .iter()
            .enumerate()
            .map(|(n, (name, upload))| callers[n % 3].put_staged(name, *upload, 9))
            .map(|put| async move { put.await })
            .collect();
        let sweeper = callers[3].clone();
        let sweep = async move {
            let mut swept = Vec::new();
            for _ in 0..10 {
                let order = metadata::ClaimOrder { limit: 3, ..sweeper.order() };
                swept.extend(sweeper.m.claim_abandoned(contents, sweeper.now(), order).await.unwrap());
            }
            swept
        };
        let (published, swept) = tokio::join!(all(publishes), sweep);
        assert_eq!(published.iter().flatten().count() + swept.len(), 30, "each went one way");
        assert!(published.iter().filter_map(|a| a.as_ref().err()).all(|r| *r == Refusal::Conflict), "{published:?}");
    }

    async fn emptying_races_writers_and_loses_nothing(world: World) {
        let callers = world.callers(4).await;
        let writers = spread(&callers, 8, |caller, n| async move {
            for k in 0..10 {
                caller.put(&format!("{n}-{k}")).await.unwrap();
            }
        });
        let emptier = world.callers(1).await.remove(0);
        let empty = async move {
            for _ in 0..5 {
                emptier.empty_bucket().await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(all(writers), empty);
        let (live, removed) = (world.counted(State::Live).await.0, world.counted(State::Removed).await.0);
        assert_eq!(live + removed, 80);
        assert_eq!(live, world.lists().await.len() as i64);
    }

    async fn a_purge_races_a_restore_of_the_same_bucket(world: World) {
        let callers = world.callers(4).await;
        for round in 0..8 {
            let bucket = world.in_bucket(&world.create_bucket(&format!("b{round}")).await.unwrap());
            bucket.put("x").await.unwrap();
            bucket.remove_bucket().grace(std::time::Duration::ZERO).await.unwrap();
            let (id, one, other) = (bucket.bucket, callers[0].clone(), callers[1].clone());
            let (step, restored) = tokio::join!(
                tokio::spawn(async move { one.m.purge_containers(100, MEMORY).await.unwrap() }),
                tokio::spawn(async move { other.restore_container(ContainerKind::Bucket, id, None).await }),
            );
            let (step, restored) = (step.unwrap(), restored.unwrap());
            let state = world.container(ContainerKind::Bucket, id).await.state;
            match restored {
                Ok(_) => assert_eq!((step.begun, state), (0, State::Live)),
                Err(refusal) => assert_eq!((refusal, state), (Refusal::PurgeStarted, State::Purging)),
            }
        }
    }
}
