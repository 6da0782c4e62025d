//! Everything at once for a few seconds, by several processes: nothing is lost, nothing fails, nobody waits for ever.

use crate::world::*;
use lifecycle::{Refusal, State, VersionId};
use metadata::{ContainerKind, Failure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long the load runs.
const LENGTH: Duration = Duration::from_millis(2_500);

/// What one caller knows to have been acknowledged.
#[derive(Default)]
struct Done {
    published: Vec<VersionId>,
    seqs: Vec<(lifecycle::ContainerId, i64)>,
    calls: u64,
}

/// A refusal is an answer; anything else is not.
fn tolerated<T>(result: Result<T, Failure>, what: &str, seed: u64) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Failure::Refused(_)) => None,
        Err(other) => panic!("{what} (seed {seed}): {other}"),
    }
}

async fn client(caller: Caller, buckets: Vec<Caller>, seed: u64, stop: Arc<AtomicBool>) -> Done {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut done = Done::default();
    while !stop.load(Ordering::Relaxed) {
        done.calls += 1;
        let here = &buckets[rng.random_range(0..buckets.len())];
        let here = Caller { m: caller.m.clone(), me: caller.me, ..here.clone() };
        let name = format!("x{}", rng.random_range(0..12));
        match rng.random_range(0..100) {
            0..30 => {
                if let Ok(put) = here.put(&name).await {
                    done.published.push(put.version);
                    done.seqs.push((here.bucket, put.seq));
                }
            }
            30..45 => drop(here.delete(&name).at_once().await),
            45..50 => drop(here.restore(&name).replace().await),
            50..53 => drop(here.delete(&name).stacking().await),
            53..55 => {
                if let Some(version) = done.published.last() {
                    drop(here.delete(&name).version(*version).await);
                }
            }
            55..60 => drop(here.restore(&name).under("other").await),
            60..65 => {
                let upload = here.stage_in(here.contents().await, &name).await;
                if let Ok(upload) = upload
                    && let Ok(put) = here.put_staged(&name, upload, 3).await
                {
                    done.published.push(put.version);
                }
            }
            65..80 => {
                let claims =
                    tolerated(here.m.claim_due(here.waiting().await, here.order()).await, "claim", seed);
                let claims = claims.unwrap_or_default();
                if rng.random_bool(0.2) {
                    tolerated(here.m.release(claims).await, "release", seed);
                } else {
                    tolerated(here.m.finish(claims, MEMORY).await, "finish", seed);
                }
            }
            80..84 => {
                let lapsed = here.m.claim_lapsed(here.contents().await, here.order()).await;
                tolerated(
                    here.m.finish(tolerated(lapsed, "lapsed", seed).unwrap_or_default(), MEMORY).await,
                    "finish",
                    seed,
                );
            }
            84..88 => drop(here.remove_bucket().await),
            88..92 => drop(here.restore_bucket().await),
            92..94 => drop(here.empty_bucket().await),
            94..96 => drop(here.remove_domain().await),
            96..98 => drop(here.restore_domain().await),
            98 => drop(tolerated(here.m.purge_containers(10, MEMORY).await, "purge", seed)),
            _ => drop(here.lists().await),
        }
    }
    done
}

async fn everything_at_once(world: World) {
    let seed = any_seed();
    eprintln!("seed {seed}");
    let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
    let mut buckets = vec![(*world).clone()];
    for name in ["a", "b"] {
        buckets.push(acme.in_bucket(&acme.create_bucket(name).await.unwrap()));
    }
    // One of them keeps its versions.
    buckets[2].versioning("enabled").await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    let callers = world.callers(6).await;
    for (n, caller) in callers.iter().enumerate() {
        for k in 0..2_u64 {
            let seed = seed.wrapping_add(n as u64 * 2 + k);
            clients.push(tokio::spawn(client(caller.clone(), buckets.clone(), seed, stop.clone())));
        }
    }
    tokio::time::sleep(LENGTH).await;
    stop.store(true, Ordering::Relaxed);
    let mut all = Done::default();
    for client in clients {
        // A caller that still waits long after everybody was told to stop waits for ever.
        let done = tokio::time::timeout(Duration::from_secs(10), client)
            .await
            .expect("nobody waits for ever")
            .unwrap();
        all.published.extend(done.published);
        all.seqs.extend(done.seqs);
        all.calls += done.calls;
    }
    eprintln!("{} calls, {} published", all.calls, all.published.len());
    let unique: BTreeSet<_> = all.seqs.iter().collect();
    assert_eq!(unique.len(), all.seqs.len(), "a position was given twice (seed {seed})");
    for version in &all.published {
        assert_ne!(world.state(*version).await, State::Forgotten, "{version} was acknowledged (seed {seed})");
    }
    let again: u64 = callers.iter().map(|caller| caller.m.transactions_run_again()).sum();
    assert_eq!(again, 0, "transactions that stood in each other's way (seed {seed})");
    // Whatever state it was left in, what is removed can be restored and what is live can be read.
    for bucket in &buckets {
        if bucket.domain != world.domain {
            let domain = bucket.restore_domain().await;
            assert!(domain.is_ok() || domain == Err(Refusal::AlreadyLive));
        }
        let restored = bucket.restore_container(ContainerKind::Bucket, bucket.bucket, None).await;
        assert!(restored.is_ok() || restored == Err(Refusal::AlreadyLive), "{restored:?} (seed {seed})");
        for name in bucket.lists().await {
            assert!(bucket.reads(&name).await.is_some(), "{name} is listed and cannot be read (seed {seed})");
        }
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite() {
    everything_at_once(World::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres() {
    everything_at_once(World::postgres().await).await;
}
