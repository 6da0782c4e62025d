//! Buckets with locks, what their versions get, and what is handed on with bytes and contents.

use super::*;
use lifecycle::RetentionMode::{Compliance, Governance};
use lifecycle::{Guard, Refusal, State};

on_both_engines! {
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
