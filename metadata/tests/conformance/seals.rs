//! What is forbidden in a bucket for good, and how many versions of a name it keeps.

use crate::purges::{begin, order};
use crate::world::*;
use lifecycle::{Asked, Cause, Refusal, Seal, Sealed, State};
use metadata::{ContainerKind, PurgePair, RevisionPurge, StreamRules};

async fn set(by: &Caller, seal: Seal) -> Answer<()> {
    let rules = StreamRules { seal, ..StreamRules::default() };
    answer(by.m.set_stream_rules(by.bucket, rules, "olga").await)
}

async fn keep(by: &Caller, most: u32) {
    let rules = StreamRules { max_per_name: Some(most), ..StreamRules::default() };
    by.m.set_stream_rules(by.bucket, rules, "olga").await.unwrap();
}

async fn purge_revision(world: &World, name: &str) -> Answer<()> {
    let revision = world.found(name, false).await.version.revision.unwrap();
    let pair = PurgePair { name: name.to_owned(), revs: vec![Asked::from(revision)], purge_id: None };
    let (domain, bucket) = (world.domain, world.bucket);
    let order = RevisionPurge { domain, bucket, pairs: vec![pair], door: "couch", actor: "olga".to_owned() };
    answer(world.m.purge_revisions(order).await).map(drop)
}

async fn purge_all(world: &World) -> Answer<()> {
    answer(world.m.purge_versions(order(world)).await).map(drop)
}

const CHANGES: Refusal = Refusal::Sealed(Sealed::Changes);
const DELETES: Refusal = Refusal::Sealed(Sealed::Deletes);
const PURGES: Refusal = Refusal::Sealed(Sealed::Purges);

on_both_engines! {
    /// JP-44.
    async fn in_a_sealed_bucket_nothing_changes(world: World) {
        for versioning in ["enabled", "suspended"] {
            world.versioning(versioning).await;
            world.put("x").await.unwrap();
        }
        let gone = world.put("gone").await.unwrap().version;
        world.delete("gone").version(gone).await.unwrap();
        let upload = world.upload("big").await;
        let part = world.part(upload, 1, b"part").await;
        set(world, Seal::new(true, false, false)).await.unwrap();
        let rules = world.m.stream_rules(world.bucket).await.unwrap();
        assert!(rules.seal.denies_delete() && rules.seal.denies_purge(), "it forbids the rest as well");

        let x = world.found("x", false).await.version.id;
        let before = (world.counted(State::Live).await, world.counted(State::Removed).await);
        assert_eq!(world.put("x").await.unwrap_err(), CHANGES);
        assert_eq!(world.put("new").await.unwrap_err(), CHANGES);
        assert_eq!(world.put("big").assembled(upload, vec![(1, part)]).await.unwrap_err(), CHANGES);
        assert_eq!(world.delete("x").await.unwrap_err(), CHANGES);
        assert_eq!(world.delete("x").version(x).await.unwrap_err(), CHANGES);
        assert_eq!(world.delete("x").null().await.unwrap_err(), CHANGES);
        assert_eq!(world.restore_version(gone).await.unwrap_err(), CHANGES);
        assert_eq!(purge_all(world).await.unwrap_err(), CHANGES);
        assert_eq!(purge_revision(world, "x").await.unwrap_err(), CHANGES);
        assert_eq!(world.empty_bucket().await.unwrap_err(), CHANGES);
        let tags = world.m.set_tags(world.domain, world.bucket, "x", metadata::Which::Current, None).await;
        assert_eq!(answer(tags).unwrap_err(), CHANGES);
        let begun = world.m.begin_upload(world.new_upload("more")).await;
        assert_eq!(answer(begun).unwrap_err(), CHANGES);
        assert!(!world.versioning("disabled").await, "history stays");
        assert_eq!((world.counted(State::Live).await, world.counted(State::Removed).await), before);
        assert_eq!(world.reads("x").await.as_deref(), Some("x"));

        assert_eq!(set(world, Seal::default()).await, Err(Refusal::SealBroken));
        assert_eq!(set(world, Seal::new(false, true, true)).await, Err(Refusal::SealBroken));
        set(world, Seal::new(true, false, false)).await.unwrap();
    }

    async fn a_sealed_bucket_is_removed_and_waits_for_its_time(world: World) {
        world.put("x").await.unwrap();
        set(world, Seal::new(true, false, false)).await.unwrap();
        assert_eq!(world.remove_bucket().early().await.unwrap_err(), CHANGES);
        world.remove_bucket().await.unwrap();
        assert_eq!(world.purge_early(ContainerKind::Bucket, world.bucket).await.unwrap_err(), CHANGES);
        world.restore_bucket().await.unwrap();
        assert_eq!(world.put("x").await.unwrap_err(), CHANGES, "it comes back as it was");
        world.remove_bucket().await.unwrap();
        world.later(CONTAINER_GRACE);
        world.purge_all_due().await;
        assert_eq!(world.container(ContainerKind::Bucket, world.bucket).await.state, State::Purged);
    }

    async fn a_domain_with_a_sealed_bucket_waits_for_its_time_too(world: World) {
        let domain = world.create_domain("other.example").await.unwrap();
        let by = world.in_domain(&domain);
        let bucket = by.create_bucket("sealed").await.unwrap();
        set(&by.in_bucket(&bucket), Seal::new(false, false, true)).await.unwrap();
        assert_eq!(by.remove_domain().early().await.unwrap_err(), PURGES);
        by.remove_domain().await.unwrap();
        assert_eq!(world.purge_early(ContainerKind::Domain, domain.id).await.unwrap_err(), PURGES);
    }

    async fn what_falls_due_by_itself_goes_from_a_sealed_bucket_too(world: World) {
        let id = world.put("x").expires_in(HOUR).await.unwrap().version;
        set(world, Seal::new(true, false, false)).await.unwrap();
        world.later(HOUR);
        world.delete("x").version(id).cause(Cause::Lifepoint).await.unwrap();
        assert_eq!(world.state(id).await, State::Removed);
    }

    /// JP-45.
    async fn where_deletes_are_denied_versions_stay_and_markers_hide(world: World) {
        world.versioning("enabled").await;
        let first = world.put("x").await.unwrap().version;
        world.put("x").body("second").await.unwrap();
        set(world, Seal::new(false, true, false)).await.unwrap();
        assert_eq!(world.delete("x").version(first).await.unwrap_err(), DELETES);
        assert_eq!(purge_revision(world, "x").await.unwrap_err(), DELETES);
        assert!(!world.versioning("disabled").await, "history stays");
        world.delete("x").await.unwrap();
        assert_eq!(world.reads("x").await, None);
        assert_eq!(set(world, Seal::new(false, false, true)).await, Err(Refusal::SealBroken));
        purge_all(world).await.unwrap();
    }

    async fn where_deletes_are_denied_what_is_not_kept_is_overwritten_and_not_deleted(world: World) {
        world.put("x").await.unwrap();
        set(world, Seal::new(false, true, false)).await.unwrap();
        assert_eq!(world.delete("x").await.unwrap_err(), DELETES);
        world.put("x").body("second").await.unwrap();
        assert_eq!(world.reads("x").await.as_deref(), Some("second"));
    }

    async fn where_purges_are_denied_a_version_can_be_deleted(world: World) {
        world.versioning("enabled").await;
        let first = world.put("x").await.unwrap().version;
        world.put("x").await.unwrap();
        set(world, Seal::new(false, false, true)).await.unwrap();
        assert_eq!(purge_all(world).await.unwrap_err(), PURGES);
        assert_eq!(purge_revision(world, "x").await.unwrap_err(), PURGES);
        assert_eq!(world.empty_bucket().await.unwrap_err(), PURGES);
        assert_eq!(world.remove_bucket().early().await.unwrap_err(), PURGES);
        world.delete("x").version(first).await.unwrap();
        assert_eq!(set(world, Seal::default()).await, Err(Refusal::SealBroken));
        set(world, Seal::new(false, true, true)).await.unwrap();
    }

    /// JP-43.
    async fn so_many_versions_of_a_name_are_kept_and_the_count_begins_anew_after_a_purge(world: World) {
        world.versioning("enabled").await;
        keep(world, 5).await;
        for _ in 0..2 {
            let mut written = Vec::new();
            for turn in 0..8 {
                written.push(world.put("x").body(&turn.to_string()).await.unwrap().version);
                world.put("y").await.unwrap();
            }
            for (place, id) in written.iter().enumerate() {
                let state = if place < 3 { State::Removed } else { State::Live };
                assert_eq!(world.state(*id).await, state, "{place}");
            }
            let row = world.row(written[0]).await;
            assert_eq!((row.cause, row.purge_after.is_some()), (Some(Cause::Overwrite), true));
            assert_eq!(world.counted(State::Live).await.0, 10);
            let job = begin(world, order(world)).await;
            assert_eq!(job.purged, 10);
        }
    }

    async fn what_is_protected_is_kept_beyond_the_number(world: World) {
        world.versioning("enabled").await;
        keep(world, 2).await;
        let held = world.put("x").held().await.unwrap().version;
        let mut last = held;
        for _ in 0..4 {
            last = world.put("x").await.unwrap().version;
        }
        assert_eq!((world.state(held).await, world.state(last).await), (State::Live, State::Live));
        assert_eq!(world.counted(State::Live).await.0, 3);
    }

    async fn a_lower_number_takes_hold_when_the_next_version_arrives(world: World) {
        world.versioning("enabled").await;
        for _ in 0..6 {
            world.put("x").await.unwrap();
        }
        keep(world, 1).await;
        assert_eq!(world.counted(State::Live).await.0, 6);
        world.put("x").await.unwrap();
        assert_eq!(world.counted(State::Live).await.0, 1);
    }
}

racing_on_both_engines! {
    /// Whatever was answered before the seal is there, and nothing is after it.
    async fn writes_race_the_seal(world: World) {
        let callers = world.callers(3).await;
        let writes = futures_util::future::join_all((0..30).map(|turn| {
            let by = &callers[turn % 2];
            async move { by.put(&format!("n{turn}")).await.is_ok() }
        }));
        let (written, sealed) = futures_util::join!(writes, set(&callers[2], Seal::new(true, false, false)));
        sealed.unwrap();
        let count = written.iter().filter(|done| **done).count();
        assert_eq!(usize::try_from(world.counted(State::Live).await.0).unwrap(), count);
        assert_eq!(world.put("late").await.unwrap_err(), CHANGES);
    }
}
