//! A purge that takes more than one transaction: carried on by anybody, stopped by anybody, known by its id.

use super::*;
use crate::world::DAY;
use lifecycle::Refusal;

async fn fill_many(world: &World, count: usize) {
    world.versioning("enabled").await;
    let names: Vec<String> = (0..count).map(|n| format!("kv/{:04}", n % 2_000)).collect();
    fill(world, names.iter().map(String::as_str)).await;
}

/// By name, in several steps.
fn large(by: &Caller) -> PurgeVersions {
    PurgeVersions { selector: selector("kv.*", None), ..order(by) }
}

on_both_engines! {
    /// Between two steps there is nothing but the row: another process goes on.
    async fn somebody_else_carries_it_on(world: World) {
        fill_many(world, 6_000).await;
        let job = begin(world, large(world)).await;
        assert_eq!(job.state, PurgeState::Running);
        assert!(0 < job.purged && job.purged < 6_000);
        let running = world.m.purges_running(None, 10).await.unwrap();
        assert_eq!(running, [(job.accepted_at, job.id)]);
        // What arrives meanwhile is not meant.
        fill(world, ["kv/0001", "kv/new"]).await;
        let other = world.callers(1).await.remove(0);
        let mut ahead = step(&other, job.id).await.unwrap();
        while ahead.state == PurgeState::Running {
            ahead = step(&other, job.id).await.unwrap();
        }
        assert_eq!((ahead.purged, ahead.upto_seq), (6_000, 6_000));
        assert_eq!(world.lists().await, ["kv/0001", "kv/new"]);
        assert_eq!(msgs(world).await, (2, 6_001, 6_002));
        assert!(world.m.purges_running(None, 10).await.unwrap().is_empty());
        // Asked once more, nothing happens.
        assert_eq!(step(world, job.id).await.unwrap(), ahead);
    }

    /// What was purged before somebody stopped it stays purged; of each name the newest are left.
    async fn it_can_be_stopped(world: World) {
        fill_many(world, 6_000).await;
        let job = begin(world, large(world)).await;
        let stopped = world.m.cancel_purge(job.id, "olga".to_owned()).await.unwrap();
        assert_eq!((stopped.state, stopped.purged), (PurgeState::Cancelled, job.purged));
        assert_eq!(step(world, job.id).await.unwrap().purged, job.purged);
        assert_eq!(msgs(world).await.0, 6_000 - job.purged);
        world.check().await;
        let again = answer(world.m.cancel_purge(job.id, "olga".to_owned()).await);
        assert_eq!(again.unwrap_err(), Refusal::Conflict);
        let none = answer(world.m.cancel_purge(world.bucket, "olga".to_owned()).await);
        assert_eq!(none.unwrap_err(), Refusal::Unknown);
    }

    /// In a bucket that was removed nothing happens until it comes back.
    async fn it_waits_for_its_bucket(world: World) {
        fill_many(world, 6_000).await;
        let job = begin(world, large(world)).await;
        world.remove_bucket().await.unwrap();
        let waits = step(world, job.id).await.unwrap();
        assert!(waits.waits && waits.purged == job.purged);
        world.restore_bucket().await.unwrap();
        let mut job = step(world, job.id).await.unwrap();
        while job.state == PurgeState::Running {
            job = step(world, job.id).await.unwrap();
        }
        assert_eq!(job.purged, 6_000);
    }

    /// And where that never comes back, there is nothing left to purge.
    async fn it_ends_with_its_bucket(world: World) {
        fill_many(world, 6_000).await;
        let job = begin(world, large(world)).await;
        world.remove_bucket().grace(std::time::Duration::ZERO).early().await.unwrap();
        world.later(DAY);
        world.purge_containers().await;
        let job = step(world, job.id).await.unwrap();
        assert_eq!(job.state, PurgeState::Done);
        world.purge_all_due().await;
    }

    /// The same id is the same purge: it is answered, and not done again.
    async fn an_id_is_one_purge(world: World) {
        fill_many(world, 10).await;
        let asked = PurgeVersions { purge_id: Some([5; 16]), ..large(world) };
        let done = purge_as(world, asked.clone()).await;
        fill(world, ["kv/0001"]).await;
        assert_eq!(world.m.purge_versions(asked.clone()).await.unwrap(), Accepted::Known(done));
        assert_eq!(world.lists().await, ["kv/0001"]);
        let all = PurgeVersions { selector: selector("", None), ..asked.clone() };
        assert_eq!(world.m.purge_versions(all.clone()).await.unwrap(), Accepted::Another);
        let last = PurgeVersions { is_final: true, ..asked };
        assert_eq!(world.m.purge_versions(last).await.unwrap(), Accepted::Another);
        // So is the one that takes all out at once.
        let all = PurgeVersions { purge_id: Some([6; 16]), ..all };
        let Accepted::Begun(done) = world.m.purge_versions(all.clone()).await.unwrap() else { panic!() };
        assert_eq!(world.m.purge_versions(all).await.unwrap(), Accepted::Known(done));
    }

    /// Nothing goes if anything has changed since it was counted.
    async fn only_what_was_counted(world: World) {
        fill_many(world, 10).await;
        let count = world.m.count_purge(&large(world)).await.unwrap();
        fill(world, ["other"]).await;
        let asked = PurgeVersions { if_change: Some(count.change_seq), ..large(world) };
        assert_eq!(world.m.purge_versions(asked.clone()).await.unwrap(), Accepted::Moved);
        let count = world.m.count_purge(&large(world)).await.unwrap();
        let asked = PurgeVersions { if_change: Some(count.change_seq), ..asked };
        assert_eq!(purge_as(world, asked).await.purged, 10);
    }

    /// It stands in the record of deletions, and in none of the lists of containers.
    async fn it_is_on_record(world: World) {
        fill_many(world, 6_000).await;
        let job = purge_as(world, PurgeVersions { reason: Some("too many".to_owned()), ..large(world) }).await;
        let row = world.m.deletion(job.id).await.unwrap().unwrap();
        assert_eq!((row.kind.as_str(), row.target, row.parent), ("versions", job.id, Some(world.bucket)));
        assert_eq!((row.objects, row.state.as_str()), (6_000, "removed"));
        assert_eq!(row.reason.as_deref(), Some("too many"));
        assert!(world.m.deletions(Some("removed"), 10).await.unwrap().is_empty());
        assert!(world.m.removal(job.id).await.unwrap().is_none());
        assert_eq!(world.m.close_purges().await.unwrap(), 0);
        world.later(2 * DAY);
        assert_eq!(world.m.close_purges().await.unwrap(), 1);
        assert_eq!(world.m.deletion(job.id).await.unwrap().unwrap().state, "purged");
    }

    /// How it went is known as long as its entry of the ledger; that it was, for as long as deletions are.
    async fn it_is_forgotten_with_its_entry(world: World) {
        fill_many(world, 10).await;
        let first = purge_as(world, large(world)).await;
        fill_many(world, 10).await;
        let second = purge_as(world, large(world)).await;
        world.put_wrong("UPDATE buckets SET purged_infos_limit = 1 WHERE name = 'photos'").await;
        world.m.prune_ledger(world.bucket, 64).await.unwrap();
        assert_eq!(world.m.purge_job(first.id).await.unwrap(), None);
        assert_eq!(world.m.purge_job(second.id).await.unwrap(), Some(second));
        assert_eq!(world.m.deletion(first.id).await.unwrap().unwrap().objects, 10);
    }

    async fn only_in_a_bucket_that_is_there(world: World) {
        let gone = world.remove_bucket().await.unwrap();
        assert_eq!(gone.container.id, world.bucket);
        assert_eq!(answer(world.m.purge_versions(order(world)).await).unwrap_err(), Refusal::NoSuchBucket);
        assert_eq!(answer(world.m.count_purge(&order(world)).await).unwrap_err(), Refusal::NoSuchBucket);
        assert_eq!(answer(world.m.stream_state(world.bucket).await).unwrap_err(), Refusal::NoSuchBucket);
    }
}
