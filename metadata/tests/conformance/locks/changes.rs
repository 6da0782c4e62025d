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

    async fn a_bucket_with_locks_keeps_versions_for_good(world: World) {
        let none = answer(world.m.set_object_lock(world.bucket, None, "olga").await);
        assert_eq!(none, Err(Refusal::Protected), "without versions there are no locks");
        assert!(!world.bucket_row().await.object_lock);
        assert_eq!(world.m.object_lock(world.bucket).await.unwrap(), None, "and nothing is said of them");
        world.versioning("enabled").await;
        world.m.set_object_lock(world.bucket, Some(days(Governance, 3)), "olga").await.unwrap();
        assert!(world.bucket_row().await.object_lock);
        assert_eq!(world.m.object_lock(world.bucket).await.unwrap(), Some(Some(days(Governance, 3))));
        // Not by its own policy, not by its domain's, and not by saying nothing any more.
        for policy in ["suspended", "disabled"] {
            let change = metadata::ContextChange {
                headers: "[]".to_owned(),
                policies: metadata::Policies {
                    versioning: Some(lifecycle::VersioningPolicy::parse(policy).unwrap()),
                    ..metadata::Policies::default()
                },
                allowed: EVERYTHING,
                ..metadata::ContextChange::default()
            };
            let bucket = metadata::ContainerKind::Bucket;
            let refused = world.m.change_context(bucket, world.bucket, change.clone()).await;
            assert_eq!(answer(refused).unwrap_err(), Refusal::Protected);
            let mut anchored = change;
            anchored.policies.versioning =
                Some(lifecycle::VersioningPolicy::parse(&format!("{policy} anchored")).unwrap());
            world.m.change_context(metadata::ContainerKind::Domain, world.domain, anchored).await.unwrap();
            assert_eq!(world.bucket_row().await.versioning, Some(lifecycle::Versioning::Enabled));
        }
        world.change_bucket("[]", lifecycle::Condition::NONE).await.unwrap();
        assert_eq!(world.bucket_row().await.versioning, Some(lifecycle::Versioning::Enabled));
    }

    async fn new_versions_get_what_their_bucket_gives(world: World) {
        world.versioning("enabled").await;
        let early = world.put("early").await.unwrap().version;
        world.m.set_object_lock(world.bucket, Some(days(Compliance, 2)), "olga").await.unwrap();
        world.later(HOUR);
        let version = world.put("x").await.unwrap().version;
        let given = days(Compliance, 2).of(world.now());
        assert_eq!(world.row(version).await.retention, Some(given));
        assert_eq!(world.row(version).await.guard.until, Some(given.until));
        let own = until(Governance, world.now().plus(HOUR));
        let version = world.put("x").retained(own).await.unwrap().version;
        assert_eq!(world.row(version).await.retention, own, "its own goes first");
        // An upload's counts from its end.
        let upload = world.upload("parts").await;
        let part = world.part(upload, 1, b"part").await;
        world.later(DAY);
        let version = world.put("parts").assembled(upload, vec![(1, part)]).await.unwrap().version;
        assert_eq!(world.row(version).await.retention, Some(days(Compliance, 2).of(world.now())));
        // A marker has none, and what was there before neither.
        let marker = world.delete("early").stacking().await.unwrap().marker.unwrap();
        assert_eq!((world.row(early).await.retention, world.row(marker).await.retention), (None, None));
        world.delete("early").version(marker).await.unwrap();
        world.m.set_object_lock(world.bucket, None, "olga").await.unwrap();
        let version = world.put("free").await.unwrap().version;
        assert_eq!(world.row(version).await.retention, None);
    }

    /// A change of headers hands the bytes over, and what they are locked by with them.
    async fn what_takes_over_the_bytes_takes_over_the_lock(world: World) {
        let far = world.now().plus(DAY);
        for (name, mode, hold) in [("a", Governance, false), ("b", Compliance, true)] {
            let guard = Guard { hold, ..Guard::NONE };
            let old = world.put(name).retained(until(mode, far)).guard(guard).await.unwrap().version;
            let new = world.put(name).taking_over(old).await.unwrap().version;
            // Whoever may drop what headers say does not drop this.
            let new = world.put(name).taking_over(new).shortening_guards().await.unwrap().version;
            let row = world.row(new).await;
            assert_eq!((row.retention, row.guard.hold, row.guard.until), (until(mode, far), hold, Some(far)));
            assert_eq!((world.row(old).await.retention, world.row(old).await.guard), (None, Guard::NONE));
            let moved = world.rename(name, &format!("{name}{name}")).taking_over(new).shortening_guards();
            let moved = moved.await.unwrap().version;
            assert_eq!(world.row(moved).await.retention, until(mode, far));
            // A shorter one of its own is refused as anywhere else.
            let shorter = world.put(&format!("{name}{name}")).taking_over(moved).shortening_guards();
            let shorter = shorter.retained(until(mode, far.minus(HOUR))).await;
            assert!(matches!(shorter, Err(Refusal::Guarded { .. })));
        }
    }

    /// What is held in contents that give way to others lies apart with them, and is not purged with them.
    async fn what_is_held_in_contents_that_give_way_stays(world: World) {
        world.put("old").await.unwrap();
        let first = world.contents().await;
        world.empty_bucket().await.unwrap();
        let version = world.put("x").await.unwrap().version;
        world.delete("x").at_once().await.unwrap();
        set(world, "x", version, LockChange::Hold(true)).await.unwrap();
        world.restore_contents(first, None).await.unwrap();
        world.later(CONTAINER_GRACE);
        world.later(CONTAINER_GRACE);
        world.purge_all_due().await;
        assert_eq!(world.state(version).await, State::Removed);
        assert!(world.row(version).await.guard.hold);
    }

    /// Contents that are restored as another bucket are in a bucket with locks again.
    async fn locks_go_with_what_a_bucket_held(world: World) {
        world.versioning("enabled").await;
        world.m.set_object_lock(world.bucket, Some(days(Governance, 1)), "olga").await.unwrap();
        world.put("x").await.unwrap();
        let contents = world.contents().await;
        assert!(matches!(world.empty_bucket().await, Err(Refusal::HoldsGuarded { count: 1, .. })));
        world.later(2 * DAY);
        world.empty_bucket().await.unwrap();
        let other = world.restore_contents(contents, Some("other")).await.unwrap();
        assert!(other.object_lock);
        assert_eq!(world.m.object_lock(other.id).await.unwrap(), Some(Some(days(Governance, 1))));
        assert_eq!(other.versioning, Some(lifecycle::Versioning::Enabled));
    }
}

racing_on_both_engines! {
    /// Of a hold and a delete that meet, one wins: what is held lives, and what is gone is not held.
    async fn a_hold_and_a_delete_meet(world: World) {
        world.versioning("enabled").await;
        let callers = world.callers(2).await;
        for round in 0..12 {
            let name = format!("x{round}");
            let version = world.put(&name).await.unwrap().version;
            let order = LockOrder {
                domain: world.domain,
                bucket: world.bucket,
                name: name.clone(),
                which: Which::Version(version),
                removed_too: false,
                change: LockChange::Hold(true),
            };
            let (held, deleted) =
                tokio::join!(callers[0].m.set_lock(order), callers[1].delete(&name).version(version));
            let row = world.row(version).await;
            match (answer(held), deleted) {
                (Ok(_), Err(refused)) => {
                    assert_eq!(refused, Refusal::Guarded { until: None, hold: true });
                    assert_eq!((row.state, row.guard.hold), (State::Live, true));
                }
                (Err(refused), Ok(_)) => {
                    assert_eq!(refused, Refusal::NoSuchVersion);
                    assert_eq!((row.state, row.guard.hold), (State::Removed, false));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Of a hold on what is removed and its purge, one wins: what is held has its bytes.
    async fn a_hold_and_a_purge_meet(world: World) {
        let callers = world.callers(2).await;
        for round in 0..12 {
            let name = format!("x{round}");
            let version = world.put(&name).await.unwrap().version;
            world.delete(&name).at_once().await.unwrap();
            let (held, claims) = tokio::join!(
                set(&callers[0], &name, version, LockChange::Hold(true)),
                callers[1].claim_due()
            );
            let row = world.row(version).await;
            match held {
                Ok(_) => assert_eq!((claims.len(), row.state, row.guard.hold), (0, State::Removed, true)),
                Err(refused) => {
                    assert_eq!(refused, Refusal::NoSuchVersion);
                    assert_eq!((claims.len(), row.state), (1, State::Purging));
                }
            }
            callers[1].finish_claims(claims).await;
        }
    }
}
