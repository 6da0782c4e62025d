//! S3's null version: the one that was written while versioning was not enabled, wherever it stands.

use crate::world::*;
use lifecycle::{Cause, Refusal, VersionId};

/// What a reader of `versionId=null` meets: its id, and whether it is a delete marker.
async fn null(world: &World, name: &str) -> Option<(VersionId, bool)> {
    let found = world.m.find_null((None, "barrow.local"), "photos", name, true).await.unwrap()?;
    assert!(found.version.null_version && found.version.name == name);
    Some((found.version.id, found.version.marker))
}

on_both_engines! {
    async fn where_versions_were_never_kept_it_is_the_only_one(world: World) {
        let put = world.put("x").body("1").await.unwrap().version;
        assert_eq!((null(world, "x").await, null(world, "y").await), (Some((put, false)), None));
        let found = world.m.find_null((None, "barrow.local"), "photos", "x", true).await.unwrap().unwrap();
        assert_eq!(found.inline.as_deref(), Some(b"1".as_slice()));
        let found = world.m.find_null((Some("no.such"), "barrow.local"), "photos", "x", false).await.unwrap().unwrap();
        assert_eq!(found.inline, None);
        let gone = world.delete("x").null().await.unwrap();
        assert_eq!((gone.version, gone.marker), (put, None));
        assert!(gone.purge_after.is_some() && null(world, "x").await.is_none());
        assert_eq!(world.delete("x").null().await.unwrap_err(), Refusal::NoSuchVersion);
        world.restore("x").await.unwrap();
        assert_eq!(null(world, "x").await, Some((put, false)));
    }

    async fn it_is_found_and_deleted_among_older_versions(world: World) {
        let first = world.put("x").await.unwrap().version;
        world.versioning("enabled").await;
        let second = world.put("x").await.unwrap().version;
        assert_eq!(null(world, "x").await, Some((first, false)));
        let gone = world.delete("x").null().await.unwrap();
        assert_eq!((gone.version, gone.uncovered), (first, None));
        assert_eq!(world.found("x", false).await.version.id, second);
        assert_eq!(null(world, "x").await, None);
        assert_eq!(world.delete("x").stacking().null().await.unwrap_err(), Refusal::NoSuchVersion);
        assert_eq!(world.found("x", false).await.version.id, second, "and nothing else goes instead");
    }

    async fn current_it_gives_way_to_what_it_covered(world: World) {
        world.versioning("enabled").await;
        let kept = world.put("x").await.unwrap().version;
        world.versioning("suspended").await;
        let first = world.put("x").await.unwrap().version;
        let second = world.put("x").await.unwrap().version;
        assert_eq!(null(world, "x").await, Some((second, false)));
        let gone = world.delete("x").null().await.unwrap();
        assert_eq!((gone.version, gone.uncovered), (second, Some(kept)));
        assert_eq!(world.delete("x").version(first).await.unwrap_err(), Refusal::NoSuchVersion);
    }

    async fn a_null_marker_is_one_too(world: World) {
        world.versioning("enabled").await;
        let kept = world.put("x").await.unwrap().version;
        world.versioning("suspended").await;
        world.put("x").await.unwrap();
        let marker = world.delete("x").stacking().await.unwrap().marker.unwrap();
        assert_eq!(null(world, "x").await, Some((marker, true)));
        let gone = world.delete("x").stacking().null().await.unwrap();
        assert_eq!((gone.version, gone.was_marker, gone.uncovered), (marker, true, Some(kept)));
        assert_eq!(null(world, "x").await, None);
    }

    async fn beneath_a_marker_it_goes_without_a_trace(world: World) {
        let first = world.put("x").await.unwrap().version;
        world.versioning("enabled").await;
        let marker = world.delete("x").stacking().await.unwrap().marker.unwrap();
        let gone = world.delete("x").null().await.unwrap();
        assert_eq!((gone.version, gone.uncovered, gone.marker), (first, None, None));
        assert_eq!(world.delete("x").version(marker).await.unwrap().uncovered, None);
        assert_eq!(world.reads("x").await, None);
    }

    async fn expired_or_given_up_it_is_none(world: World) {
        let old = world.put("x").await.unwrap().version;
        world.versioning("enabled").await;
        world.put("x").await.unwrap();
        world.versioning("disabled").await;
        world.versioning("enabled").await;
        assert_eq!(null(world, "x").await, None, "history went when versions were switched off");
        assert_eq!(world.delete("x").null().await.unwrap_err(), Refusal::NoSuchVersion);
        assert_ne!(world.found("x", false).await.version.id, old);
        world.versioning("suspended").await;
        world.put("short").expires_in(HOUR).await.unwrap();
        world.later(HOUR);
        assert_eq!(null(world, "short").await, None);
        assert_eq!(world.delete("short").null().await.unwrap_err(), Refusal::NoSuchVersion);
    }

    async fn a_guard_protects_it(world: World) {
        let put = world.put("x").kept_for(DAY).await.unwrap().version;
        world.versioning("enabled").await;
        world.put("x").await.unwrap();
        assert!(matches!(world.delete("x").null().await.unwrap_err(), Refusal::Guarded { .. }));
        assert_eq!(null(world, "x").await, Some((put, false)));
    }

    /// What a rule hides is there until the sweep has covered it, and a client that names it means it.
    async fn what_a_rule_hides_goes_for_good_by_its_id(world: World) {
        world.versioning("enabled").await;
        world.rules(&[r#"RuleId:"r" NamePrefix:"x" ExpirationDays:1"#]).await;
        let below = world.put("x").await.unwrap().version;
        let hidden = world.put("x").await.unwrap().version;
        let alone = world.put("x/alone").await.unwrap().version;
        world.later(DAY);
        assert_eq!(world.reads("x").await, None);
        let gone = world.delete("x").version(hidden).await.unwrap();
        assert_eq!((gone.version, gone.uncovered), (hidden, None));
        assert_eq!(world.row(hidden).await.cause, Some(Cause::Delete), "a client has deleted it, and not the rule");
        assert_eq!(world.reads("x").await, None, "what was hidden does not show because of that");
        let marker = gone.marker.expect("a marker hides the rest");
        assert_eq!(world.row(below).await.state, lifecycle::State::Live);
        assert_eq!(world.delete("x").version(marker).await.unwrap().uncovered, Some(below));
        assert_eq!(world.delete("x/alone").version(alone).await.unwrap().marker, None, "nothing is left to be hidden");
    }
}
