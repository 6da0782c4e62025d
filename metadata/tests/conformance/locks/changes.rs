//! Retentions and holds change, and what waits for them with them; buckets with locks, and what their versions get.

use super::*;
use lifecycle::RetentionMode::{Compliance, Governance};
use lifecycle::{Cause, Guard, Refusal, State};

async fn last_change(world: &World) -> i64 {
    let bucket = world.literal(world.bucket);
    let query = format!("SELECT CAST(change_seq AS TEXT) FROM buckets WHERE id = {bucket}");
    world.ask(&query).await[0].parse().unwrap()
}

on_both_engines! {
    async fn a_lock_is_changed_by_whoever_may_and_stands_in_the_row(world: World) {
        world.versioning("enabled").await;
        let put = world.put("x").await.unwrap();
        let before = last_change(world).await;
        let (near, far) = (world.now().plus(HOUR), world.now().plus(DAY));
        let locked = set(world, "x", put.version, retain(until(Governance, far))).await.unwrap();
        assert_eq!((locked.from.retention, locked.to.retention), (None, until(Governance, far)));
        let row = world.row(put.version).await;
        assert_eq!((row.retention, row.guard.until, row.seq), (until(Governance, far), Some(far), Some(put.seq)));
        assert_eq!(last_change(world).await, before + 1, "a follower notices");
        // Shorter, gone, or otherwise: only for whoever may pass by it.
        let refused = Refusal::Guarded { until: Some(far), hold: false };
        for to in [None, until(Governance, near), until(Compliance, far)] {
            assert_eq!(set(world, "x", put.version, retain(to)).await, Err(refused.clone()));
        }
        assert_eq!(world.row(put.version).await.retention, until(Governance, far));
        set(world, "x", put.version, past(until(Governance, near))).await.unwrap();
        assert_eq!(world.row(put.version).await.guard.until, Some(near));
        set(world, "x", put.version, past(None)).await.unwrap();
        assert_eq!(world.row(put.version).await.guard, Guard::NONE);
        // COMPLIANCE: for nobody, and longer for everybody.
        set(world, "x", put.version, retain(until(Compliance, near))).await.unwrap();
        for to in [None, until(Compliance, near.minus(SECOND)), until(Governance, far)] {
            assert!(set(world, "x", put.version, past(to)).await.is_err());
        }
        set(world, "x", put.version, retain(until(Compliance, far))).await.unwrap();
        // The hold comes and goes beside it.
        set(world, "x", put.version, LockChange::Hold(true)).await.unwrap();
        let held = Guard { from: None, until: Some(far), hold: true };
        assert_eq!(world.row(put.version).await.guard, held);
        set(world, "x", put.version, LockChange::Hold(false)).await.unwrap();
        assert_eq!(world.row(put.version).await.guard, Guard { hold: false, ..held });
        world.later(DAY);
        set(world, "x", put.version, retain(None)).await.expect("it has lapsed");
    }

    async fn what_is_not_there_has_no_lock(world: World) {
        world.versioning("enabled").await;
        let hold = LockChange::Hold(true);
        assert_eq!(set_by(world, "x", Which::Current, hold).await, Err(Refusal::NoSuchObject { marker: None }));
        assert_eq!(set(world, "x", VersionId::random(), hold).await, Err(Refusal::NoSuchVersion));
        let version = world.put("x").await.unwrap().version;
        assert_eq!(set(world, "y", version, hold).await, Err(Refusal::NoSuchVersion), "it is another's");
        let marker = world.delete("x").await.unwrap().marker.unwrap();
        for which in [Which::Current, Which::Version(marker)] {
            let refused = Refusal::NoSuchObject { marker: Some(marker) };
            assert_eq!(set_by(world, "x", which, hold).await, Err(refused));
        }
        world.remove_bucket().await.unwrap();
        assert_eq!(set(world, "x", version, hold).await, Err(Refusal::ContainerGone));
    }

    /// What a lifepoint forbids stays, whatever becomes of the retention beside it.
    async fn a_lifepoint_beside_a_retention_stays(world: World) {
        let (near, far) = (world.now().plus(HOUR), world.now().plus(DAY));
        let near = Time::from_secs(near.micros() / 1_000_000);
        let headers = serde_json::json!([["lifepoint", format!("[{}] deletable=no", near.to_http_date())]]);
        let guard = Guard { from: None, until: Some(near), hold: false };
        world.versioning("enabled").await;
        let put = world.put("x").headers(&headers.to_string()).guard(guard).retained(until(Governance, far));
        let version = put.await.unwrap().version;
        assert_eq!(world.row(version).await.guard.until, Some(far));
        let refused = world.delete("x").version(version).bypassing(true).await;
        assert_eq!(refused, Err(Refusal::Guarded { until: Some(near), hold: false }));
        set(world, "x", version, past(None)).await.unwrap();
        assert_eq!(world.row(version).await.guard, guard);
    }

    /// What is passed by does not hold the purge back, and comes back with the version.
    async fn a_delete_that_passes_by_a_retention(world: World) {
        world.versioning("enabled").await;
        let far = world.now().plus(30 * DAY);
        let version = world.put("x").retained(until(Governance, far)).await.unwrap().version;
        let kept = world.put("y").retained(until(Governance, far)).await.unwrap().version;
        world.delete("x").version(version).await.unwrap_err();
        world.delete("x").version(version).bypassing(true).await.unwrap();
        let row = world.row(version).await;
        assert_eq!((row.state, row.guard, row.retention), (State::Removed, Guard::NONE, until(Governance, far)));
        world.restore_version(version).await.unwrap();
        assert_eq!(world.row(version).await.guard.until, Some(far), "restored, it has its lock again");
        world.delete("x").version(version).await.unwrap_err();
        world.delete("x").version(version).bypassing(true).await.unwrap();
        // A hold on what is removed holds its purge back, and that alone.
        set(world, "x", version, LockChange::Hold(true)).await.unwrap();
        world.later(2 * OBJECT_GRACE);
        assert_eq!(world.reclaim().await, 0);
        set(world, "x", version, LockChange::Hold(false)).await.unwrap();
        assert_eq!(world.reclaim().await, 1);
        let row = world.row(version).await;
        assert_eq!((row.state, row.retention, row.guard), (State::Purged, None, Guard::NONE));
        assert_eq!(world.row(kept).await.state, State::Live);
    }

    async fn a_lock_on_what_is_removed_moves_its_purge_and_not_its_promise(world: World) {
        let version = world.put("x").await.unwrap().version;
        world.delete("x").await.unwrap();
        let promise = world.row(version).await.purge_after;
        set(world, "x", version, retain(until(Compliance, world.now().plus(9 * DAY)))).await.unwrap();
        assert_eq!(world.row(version).await.purge_after, promise);
        world.later(2 * DAY);
        assert_eq!(world.reclaim().await, 0);
        assert_eq!(world.m.next_due().await.unwrap(), Some(world.now().plus(7 * DAY)));
        assert!(matches!(world.remove_bucket().await, Err(Refusal::HoldsGuarded { count: 1, .. })));
        world.later(7 * DAY);
        assert_eq!(world.reclaim().await, 1);
    }

    /// What may not be deleted does not become unreadable either, and goes when it may.
    async fn what_goes_by_itself_waits_for_the_lock(world: World) {
        let version = world.put("x").expires_in(HOUR).await.unwrap().version;
        let first = world.row(version).await.expires_at;
        set(world, "x", version, LockChange::Hold(true)).await.unwrap();
        assert_eq!(world.row(version).await.expires_at, None);
        world.later(DAY);
        assert_eq!(world.reads("x").await.as_deref(), Some("x"));
        let kept = world.put("y").retained(until(Compliance, world.now().plus(DAY))).expires_in(HOUR);
        let kept = kept.await.unwrap().version;
        world.later(2 * HOUR);
        assert_eq!(world.reads("y").await.as_deref(), Some("y"));
        world.later(DAY);
        assert_eq!(world.reads("y").await, None);
        world.delete("y").version(kept).cause(Cause::Lifepoint).await.unwrap();
        assert!(first.is_some());
    }

    async fn a_rule_waits_for_the_lock(world: World) {
        world.rules(&[r#"RuleId:"r" ExpirationDays:1"#]).await;
        let version = world.put("x").await.unwrap().version;
        let by_rule = world.row(version).await.expires_at.unwrap();
        let far = world.now().plus(30 * DAY);
        set(world, "x", version, retain(until(Governance, far))).await.unwrap();
        assert_eq!(world.row(version).await.expires_at, Some(far));
        assert_eq!(world.row(version).await.expiry_rule.as_deref(), Some("r"));
        set(world, "x", version, past(None)).await.unwrap();
        assert_eq!(world.row(version).await.expires_at, Some(by_rule));
    }
}
