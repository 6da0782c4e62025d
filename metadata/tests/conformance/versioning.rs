//! Buckets that keep versions: what covers what, what a delete marker hides, and what comes back.

use crate::world::*;
use lifecycle::{Cause, Condition, Guard, Kind, Refusal, State};
use metadata::Deleted;

/// The live versions of a name, the newest first, as the words in which cases speak of them: a marker is `-`.
async fn history(world: &World, name: &str) -> String {
    let rows = world
        .ask(&format!(
            "SELECT CASE WHEN marker = 1 THEN '-' ELSE CAST(size AS TEXT) END FROM versions
             WHERE name = '{name}' AND state = 'live' ORDER BY seq DESC"
        ))
        .await;
    rows.join(" ")
}

fn hidden(deleted: &Deleted) -> bool {
    deleted.marker.is_some() && deleted.purge_after.is_none()
}

on_both_engines! {
    async fn every_write_keeps_the_one_before(world: World) {
        world.versioning("enabled").await;
        let first = world.put("x").body("1").await.unwrap();
        let second = world.put("x").body("22").await.unwrap();
        assert_eq!((second.replaced, history(world, "x").await.as_str()), (Some(first.version), "2 1"));
        assert_eq!(world.reads("x").await.as_deref(), Some("22"));
        assert_eq!(world.counted(State::Live).await, (2, 3));
        let old = world.row(first.version).await;
        assert!(old.state == State::Live && !old.is_current && !old.null_version);
        assert_eq!(world.lists().await, ["x"], "older versions are in no listing");
    }

    async fn a_marker_hides_and_its_removal_shows_again(world: World) {
        world.versioning("enabled").await;
        let first = world.put("x").body("1").await.unwrap();
        let deleted = world.delete("x").await.unwrap();
        assert!(hidden(&deleted) && deleted.version == first.version);
        assert_eq!((world.reads("x").await, world.lists().await.len()), (None, 0));
        assert_eq!(history(world, "x").await, "- 1");
        // A second delete is acknowledged, and changes nothing.
        let again = world.delete("x").await.unwrap();
        assert_eq!((again.marker, history(world, "x").await.as_str()), (deleted.marker, "- 1"));
        // Removing the marker undeletes.
        let marker = deleted.marker.unwrap();
        let undeleted = world.delete("x").version(marker).await.unwrap();
        assert_eq!((undeleted.was_marker, undeleted.uncovered), (true, Some(first.version)));
        assert_eq!(world.reads("x").await.as_deref(), Some("1"));
        // And restoring it deletes again.
        assert_eq!(world.state(marker).await, State::Removed);
        world.restore_version(marker).await.unwrap();
        assert_eq!((world.reads("x").await, history(world, "x").await.as_str()), (None, "- 1"));
    }

    async fn a_name_that_never_was_has_no_marker_unless_markers_are_stacked(world: World) {
        world.versioning("enabled").await;
        assert_eq!(world.delete("x").await.unwrap_err(), Refusal::NoSuchObject { marker: None });
        assert!(hidden(&world.delete("x").stacking().await.unwrap()));
        assert!(hidden(&world.delete("x").stacking().await.unwrap()));
        assert_eq!(history(world, "x").await, "- -");
        let put = world.put("x").body("1").await.unwrap();
        assert_eq!(put.replaced, None);
        assert_eq!(history(world, "x").await, "1 - -");
    }

    async fn a_version_goes_for_good_and_the_one_below_shows(world: World) {
        world.versioning("enabled").await;
        let first = world.put("x").body("1").await.unwrap().version;
        let second = world.put("x").body("22").await.unwrap().version;
        let third = world.put("x").body("333").await.unwrap().version;
        let gone = world.delete("x").version(second).await.unwrap();
        assert_eq!((gone.uncovered, world.state(second).await), (None, State::Removed));
        let gone = world.delete("x").version(third).await.unwrap();
        assert_eq!(gone.uncovered, Some(first), "the newest that is left");
        assert_eq!(world.reads("x").await.as_deref(), Some("1"));
        assert_eq!(world.delete("x").version(third).await.unwrap_err(), Refusal::NoSuchVersion);
        assert_eq!(world.delete("y").version(first).await.unwrap_err(), Refusal::NoSuchVersion);
        // They come back to their places.
        let back = world.restore_version(second).await.unwrap();
        assert!(back.is_current, "it is newer than what is left");
        let back = world.restore_version(third).await.unwrap();
        assert!(back.is_current);
        assert_eq!(history(world, "x").await, "3 2 1");
        world.delete("x").version(first).await.unwrap();
        assert!(!world.restore_version(first).await.unwrap().is_current);
        assert_eq!((history(world, "x").await.as_str(), world.reads("x").await.as_deref()), ("3 2 1", Some("333")));
    }

    async fn beneath_a_marker_a_version_goes_without_a_trace(world: World) {
        world.versioning("enabled").await;
        let first = world.put("x").body("1").await.unwrap().version;
        let second = world.put("x").body("22").await.unwrap().version;
        let marker = world.delete("x").await.unwrap().marker.unwrap();
        let gone = world.delete("x").version(second).await.unwrap();
        assert_eq!((gone.uncovered, gone.marker), (None, None));
        assert_eq!(world.reads("x").await, None);
        assert_eq!(world.delete("x").version(marker).await.unwrap().uncovered, Some(first));
        assert!(world.restore_version(second).await.unwrap().is_current);
        assert_eq!(world.reads("x").await.as_deref(), Some("22"));
    }

    async fn two_markers_are_taken_off_one_by_one(world: World) {
        world.versioning("enabled").await;
        let put = world.put("x").body("1").await.unwrap().version;
        let lower = world.delete("x").stacking().await.unwrap().marker.unwrap();
        let upper = world.delete("x").stacking().await.unwrap().marker.unwrap();
        let gone = world.delete("x").version(upper).await.unwrap();
        assert_eq!((gone.uncovered, gone.marker), (None, Some(lower)));
        assert_eq!(world.reads("x").await, None);
        assert_eq!(world.delete("x").version(lower).await.unwrap().uncovered, Some(put));
    }

    async fn while_suspended_one_null_version_takes_the_place_of_the_other(world: World) {
        let before = world.put("x").body("1").await.unwrap().version;
        world.versioning("enabled").await;
        let kept = world.put("x").body("22").await.unwrap().version;
        world.versioning("suspended").await;
        let null = world.put("x").body("333").await.unwrap().version;
        assert_eq!(history(world, "x").await, "3 2");
        let row = world.row(before).await;
        assert_eq!((row.state, row.cause), (State::Removed, Some(Cause::Overwrite)), "the null version of old");
        let next = world.put("x").body("4444").await.unwrap().version;
        assert_eq!((history(world, "x").await.as_str(), world.state(null).await), ("4 2", State::Removed));
        // A delete puts a null marker there; what was written while versions were kept stays.
        let deleted = world.delete("x").await.unwrap();
        assert!(deleted.marker.is_some());
        assert_eq!((history(world, "x").await.as_str(), world.state(next).await), ("- 2", State::Removed));
        assert_eq!(world.row(kept).await.state, State::Live);
        // It cannot come back beside another null version.
        assert_eq!(world.restore_version(next).await.unwrap_err(), Refusal::NameInUse);
        let back = world.restore_version(next).await;
        assert!(back.is_err());
        world.delete("x").version(deleted.marker.unwrap()).await.unwrap();
        assert_eq!(world.reads("x").await.as_deref(), Some("22"));
        assert!(world.restore_version(next).await.unwrap().is_current);
        assert_eq!(world.reads("x").await.as_deref(), Some("4444"));
    }

    async fn a_restored_null_version_replaces_the_other_if_it_may(world: World) {
        world.versioning("suspended").await;
        let old = world.put("x").body("1").await.unwrap().version;
        world.versioning("enabled").await;
        world.put("x").body("22").await.unwrap();
        world.versioning("suspended").await;
        let null = world.put("x").body("333").await.unwrap().version;
        let back = world.restore_version(old).replace().await.unwrap();
        assert_eq!((back.is_current, back.replaced), (false, Some(null)));
        assert_eq!((history(world, "x").await.as_str(), world.reads("x").await.as_deref()), ("2 1", Some("22")));
    }

    async fn a_guarded_version_is_covered_and_stays(world: World) {
        world.versioning("enabled").await;
        let guarded = world.put("x").body("1").kept_for(DAY).await.unwrap().version;
        world.put("x").body("22").await.unwrap();
        let refused = world.delete("x").version(guarded).await.unwrap_err();
        assert!(matches!(refused, Refusal::Guarded { .. }));
        world.delete("x").await.unwrap();
        // SCSP refuses to hide a guarded version itself, S3 hides it.
        world.put("y").body("1").kept_for(DAY).await.unwrap();
        assert!(matches!(world.delete("y").await.unwrap_err(), Refusal::Guarded { .. }));
        assert!(hidden(&world.delete("y").stacking().await.unwrap()));
        assert!(matches!(world.remove_bucket().await.unwrap_err(), Refusal::HoldsGuarded { count: 2, .. }));
    }

    async fn an_expired_version_does_not_give_way_to_an_older_one(world: World) {
        world.versioning("enabled").await;
        world.put("x").body("1").await.unwrap();
        let short = world.put("x").body("22").expires_in(HOUR).await.unwrap().version;
        world.later(HOUR);
        assert_eq!(world.reads("x").await, None);
        world.delete("x").version(short).cause(Cause::Lifepoint).await.unwrap();
        assert_eq!((world.reads("x").await, history(world, "x").await.as_str()), (None, "- 1"));
        // Alone, it needs no marker.
        let alone = world.put("y").body("1").expires_in(HOUR).await.unwrap().version;
        world.later(HOUR);
        world.delete("y").version(alone).cause(Cause::Lifepoint).await.unwrap();
        assert_eq!(history(world, "y").await, "");
    }

    async fn switched_off_older_versions_go_with_their_grace(world: World) {
        world.versioning("enabled").await;
        let first = world.put("x").body("1").await.unwrap().version;
        world.put("x").body("22").await.unwrap();
        world.put("y").body("1").await.unwrap();
        world.delete("y").await.unwrap();
        let guarded = world.put("z").body("1").kept_for(10 * DAY).await.unwrap().version;
        world.put("z").body("22").await.unwrap();
        assert!(world.versioning("disabled").await, "history goes");
        assert_eq!(world.m.buckets_erasing(None, 10).await.unwrap(), [world.bucket]);
        assert_eq!(world.delete("x").version(first).await.unwrap_err(), Refusal::NoSuchVersion, "at once");
        let step = world.m.erase_history(world.bucket, OBJECT_GRACE, 2).await.unwrap();
        assert_eq!((step.removed, step.guarded), (2, 0), "what is guarded stands behind the rest");
        let step = world.m.erase_history(world.bucket, OBJECT_GRACE, 100).await.unwrap();
        assert_eq!((step.removed, step.guarded), (1, 1));
        let row = world.row(first).await;
        assert_eq!((row.state, row.cause), (State::Removed, Some(Cause::Versioning)));
        assert_eq!(row.purge_after, Some(world.now().plus(OBJECT_GRACE)));
        assert_eq!((world.reads("x").await.as_deref(), world.reads("y").await), (Some("22"), None));
        assert_eq!(world.m.buckets_erasing(None, 10).await.unwrap(), [world.bucket], "the guarded one is left");
        world.later(10 * DAY);
        world.m.erase_history(world.bucket, OBJECT_GRACE, 100).await.unwrap();
        world.m.erase_history(world.bucket, OBJECT_GRACE, 100).await.unwrap();
        assert_eq!(world.state(guarded).await, State::Removed);
        assert_eq!(world.m.buckets_erasing(None, 10).await.unwrap(), []);
        // What is regretted comes back, as another object or in the place of what is there.
        assert!(world.restore_version(guarded).under("old-z").await.unwrap().is_current);
    }

    async fn switched_on_again_what_was_erased_stays_away(world: World) {
        world.versioning("enabled").await;
        let first = world.put("x").body("1").await.unwrap().version;
        let second = world.put("x").body("22").await.unwrap().version;
        world.put("hidden").await.unwrap();
        world.delete("hidden").await.unwrap();
        world.versioning("disabled").await;
        world.versioning("enabled").await;
        let hidden = world.m.marker(world.contents().await, "hidden").await.unwrap();
        assert!(hidden.is_none(), "a marker goes like the rest");
        assert_eq!(world.delete("hidden").await.unwrap_err(), Refusal::NoSuchObject { marker: None });
        assert_eq!(world.delete("x").version(first).await.unwrap_err(), Refusal::NoSuchVersion);
        world.put("x").body("333").await.unwrap();
        let gone = world.delete("x").await.unwrap();
        world.delete("x").version(gone.marker.unwrap()).await.unwrap();
        let third = world.found("x", true).await.version.id;
        let uncovered = world.delete("x").version(third).await.unwrap().uncovered;
        assert_eq!(uncovered, Some(second), "what was current when it was switched off is kept");
        assert_eq!(world.delete("x").version(second).await.unwrap().uncovered, None);
        assert_eq!(world.reads("x").await, None, "and nothing older shows");
        while world.m.erase_history(world.bucket, OBJECT_GRACE, 1).await.unwrap().removed > 0 {}
        assert_eq!(world.state(first).await, State::Removed);
        assert_eq!(world.m.buckets_erasing(None, 10).await.unwrap(), []);
    }

    async fn a_policy_of_the_domain_reaches_its_buckets(world: World) {
        use metadata::{ContainerKind, ContextChange};
        let of_domain = async |policy: &str| {
            let change = ContextChange { versioning: None,
                headers: "[]".to_owned(),
                policies: metadata::Policies {
                    versioning: Some(policy.parse_policy()),
                    ..metadata::Policies::default()
                },
                allowed: EVERYTHING,
                actor: "alice".to_owned(),
                ..ContextChange::default()
            };
            world.m.change_context(ContainerKind::Domain, world.domain, change).await.unwrap().erases_history
        };
        let now = async || world.bucket_row().await.versioning.unwrap().to_string();
        assert_eq!(now().await, "disabled");
        assert!(!of_domain("enabled").await);
        assert_eq!(now().await, "enabled");
        let later = world.in_bucket(&world.create_bucket("later").await.unwrap());
        assert_eq!(later.bucket_row().await.versioning.unwrap().to_string(), "disabled", "only where it is allowed");
        world.versioning("suspended").await;
        assert_eq!(now().await, "suspended");
        of_domain("enabled anchored").await;
        assert_eq!(now().await, "enabled", "the domain's word is the last");
        assert!(of_domain("disabled").await);
        assert_eq!(now().await, "suspended");
        world.change_bucket("[]", Condition::NONE).await.unwrap();
        assert_eq!(now().await, "disabled");
    }

    async fn unnamed_objects_have_no_versions_and_aliases_do(world: World) {
        world.versioning("enabled").await;
        let unnamed = world.put("u").kind(Kind::Unnamed).await.unwrap();
        let deleted = world.delete("u").await.unwrap();
        assert_eq!((deleted.marker, world.state(unnamed.version).await), (None, State::Removed));
        let alias = world.put("a").kind(Kind::Alias).await.unwrap();
        assert!(hidden(&world.delete("a").await.unwrap()));
        assert_eq!(world.state(alias.version).await, State::Live);
        assert_eq!(world.m.alias_marker("a").await.unwrap().map(|found| found.version.name).as_deref(), Some("a"));
        world.put("a").kind(Kind::Alias).body("22").await.unwrap();
        assert!(world.m.alias_marker("a").await.unwrap().is_none());
    }

    async fn a_change_of_headers_takes_the_bytes_over(world: World) {
        let first = world.put("x").body("1").headers(r#"[["a","1"]]"#).await.unwrap();
        let changed = world.put("x").headers(r#"[["a","2"]]"#).taking_over(first.version).await.unwrap();
        assert_eq!((changed.size, changed.replaced), (1, Some(first.version)));
        assert_eq!(world.reads("x").await.as_deref(), Some("1"));
        let old = world.row(first.version).await;
        assert_eq!((old.state, old.cause, old.forget_after), (State::Purged, Some(Cause::Metadata), Some(world.now().plus(MEMORY))));
        assert_eq!(world.counted(State::Live).await, (1, 1));
        assert_eq!(world.counted(State::Purged).await, (1, 0));
        let stale = world.put("x").taking_over(first.version).await;
        assert_eq!(stale.unwrap_err(), Refusal::Conflict, "it is not current any more");
    }

    async fn bytes_pass_on_only_where_nothing_older_is_kept(world: World) {
        let null = world.put("x").body("1").await.unwrap();
        world.versioning("enabled").await;
        assert_eq!(world.put("x").taking_over(null.version).await.unwrap_err(), Refusal::Conflict);
        let kept = world.put("x").body("22").await.unwrap();
        world.versioning("suspended").await;
        assert_eq!(world.put("x").taking_over(kept.version).await.unwrap_err(), Refusal::Conflict);
        let null = world.put("x").body("333").await.unwrap();
        let changed = world.put("x").taking_over(null.version).await.unwrap();
        assert_eq!((changed.size, history(world, "x").await.as_str()), (3, "3 2"));
    }

    async fn a_guard_is_not_shortened_by_a_change_of_headers(world: World) {
        let first = world.put("x").kept_for(DAY).await.unwrap();
        let refused = world.put("x").taking_over(first.version).await.unwrap_err();
        assert_eq!(refused, Refusal::GuardShortened);
        let shorter = world.put("x").kept_for(HOUR).taking_over(first.version).await.unwrap_err();
        assert_eq!(shorter, Refusal::GuardShortened);
        let longer = world.put("x").kept_for(2 * DAY).taking_over(first.version).await.unwrap();
        assert!(matches!(world.delete("x").await.unwrap_err(), Refusal::Guarded { .. }));
        let open = world.put("x").guard(Guard::NONE).taking_over(longer.version).shortening_guards();
        open.await.unwrap();
        world.delete("x").await.unwrap();
    }

    async fn a_rename_leaves_nothing_behind_where_nothing_is_kept(world: World) {
        let first = world.put("x").body("1").await.unwrap();
        world.put("taken").await.unwrap();
        let refused = world.rename("x", "taken").taking_over(first.version).await;
        assert_eq!(refused.unwrap_err(), Refusal::NameInUse);
        assert_eq!(world.rename("nothing", "y").await.unwrap_err(), Refusal::NoSuchObject { marker: None });
        world.rename("x", "y").taking_over(first.version).await.unwrap();
        assert_eq!((world.reads("x").await, world.reads("y").await.as_deref()), (None, Some("1")));
        assert_eq!(world.restore("x").await.unwrap_err(), Refusal::Unknown, "its bytes went along");
        // With other content, the old one is removed with its grace.
        world.rename("y", "z").body("22").await.unwrap();
        assert_eq!(world.reads("z").await.as_deref(), Some("22"));
        world.restore("y").await.unwrap();
        assert_eq!(world.reads("y").await.as_deref(), Some("1"));
    }

    async fn a_rename_where_versions_are_kept_leaves_a_marker(world: World) {
        world.versioning("enabled").await;
        let first = world.put("x").body("1").await.unwrap();
        let refused = world.rename("x", "y").taking_over(first.version).await;
        assert_eq!(refused.unwrap_err(), Refusal::Conflict, "the version that stays keeps its bytes");
        let moved = world.rename("x", "y").body("1").await.unwrap();
        assert_eq!((history(world, "x").await.as_str(), history(world, "y").await.as_str()), ("- 1", "1"));
        assert!(moved.seq > first.seq + 1, "the marker has a position of its own");
    }

    async fn contents_that_come_back_bring_no_history_that_went_meanwhile(world: World) {
        for as_bucket in [None, Some("other")] {
            let world = world.in_bucket(&world.create_bucket(as_bucket.unwrap_or("home")).await.unwrap());
            world.versioning("enabled").await;
            let first = world.put("x").body("1").await.unwrap().version;
            world.put("x").body("22").await.unwrap();
            let emptied = world.contents().await;
            world.empty_bucket().await.unwrap();
            world.versioning("disabled").await;
            while world.m.erase_history(world.bucket, OBJECT_GRACE, 10).await.unwrap().removed > 0 {}
            let back = world.restore_contents(emptied, as_bucket.map(|_| "another")).await.unwrap();
            let world = world.in_bucket(&back);
            world.versioning("enabled").await;
            assert_eq!(world.delete("x").version(first).await.unwrap_err(), Refusal::NoSuchVersion);
            world.m.erase_history(world.bucket, OBJECT_GRACE, 10).await.unwrap();
            assert_eq!(world.state(first).await, State::Removed, "with its grace, and not for ever invisible");
        }
    }

    async fn history_goes_only_where_somebody_says_so(world: World) {
        world.versioning("enabled").await;
        let first = world.put("x").body("1").await.unwrap().version;
        world.put("x").body("22").await.unwrap();
        let changed = world.change_bucket("[]", Condition::NONE).await.unwrap();
        assert_eq!(changed.versioning.unwrap().to_string(), "suspended", "a header that was not sent again");
        assert_eq!(world.m.buckets_erasing(None, 10).await.unwrap(), []);
        assert!(world.delete("x").version(first).await.is_ok(), "it is there still");
        let plain = world.in_bucket(&world.create_bucket("plain").await.unwrap());
        let changed = plain.change_bucket("[1]", Condition::NONE).await.unwrap();
        assert_eq!(changed.versioning.unwrap().to_string(), "disabled", "where none are kept, nothing begins");
    }

    async fn a_rename_does_not_hide_what_is_guarded(world: World) {
        world.versioning("enabled").await;
        world.put("x").body("1").kept_for(DAY).await.unwrap();
        let refused = world.rename("x", "y").body("1").await.unwrap_err();
        assert!(matches!(refused, Refusal::Guarded { .. }));
        assert!(world.reads("x").await.is_some());
        // To itself it is no rename, and stands in nobody's way.
        assert!(world.rename("x", "x").body("1").await.is_err());
    }

    async fn of_several_that_went_together_the_newest_comes_back_by_name(world: World) {
        world.versioning("enabled").await;
        for body in ["1", "22", "333"] {
            world.put("x").body(body).await.unwrap();
        }
        world.delete("x").await.unwrap();
        world.versioning("disabled").await;
        world.m.erase_history(world.bucket, OBJECT_GRACE, 100).await.unwrap();
        world.restore("x").await.unwrap();
        assert_eq!(world.reads("x").await.as_deref(), Some("333"));
    }

    async fn an_emptied_bucket_takes_its_history_along(world: World) {
        world.versioning("enabled").await;
        world.put("x").body("1").await.unwrap();
        world.put("x").body("22").await.unwrap();
        world.delete("x").await.unwrap();
        assert_eq!(world.remove_bucket().only_if_empty().await.unwrap_err(), Refusal::NotEmpty, "history is something");
        let emptied = world.empty_bucket().await.unwrap();
        assert_eq!(emptied.objects, 3);
        world.remove_bucket().only_if_empty().await.unwrap();
        world.restore_bucket().await.unwrap();
        assert_eq!(world.bucket_row().await.versioning.unwrap().to_string(), "enabled");
    }
}

trait ParsePolicy {
    fn parse_policy(&self) -> lifecycle::VersioningPolicy;
}

impl ParsePolicy for str {
    fn parse_policy(&self) -> lifecycle::VersioningPolicy {
        lifecycle::VersioningPolicy::parse(self).unwrap()
    }
}

/// On a database that has not looked at its tables yet, each of these once walked all versions for each name.
#[tokio::test]
async fn writing_over_versions_costs_about_what_writing_does() {
    for world in [World::sqlite().await, World::postgres().await] {
        world.versioning("enabled").await;
        let all = async |command: &dyn Fn(&str) -> metadata::ObjectCommand| {
            let began = world.boot();
            let commands = (0..2_000).map(|n| command(&format!("n{n}"))).collect();
            assert!(world.m.objects(commands, false).await.iter().all(Result::is_ok));
            world.boot().saturating_sub(began)
        };
        let first = all(&|name| world.put(name).command()).await;
        let most = 12 * first + SECOND;
        assert!(all(&|name| world.delete(name).command()).await < most);
        assert!(all(&|name| world.put(name).command()).await < most);
        assert!(all(&|name| world.put(name).command()).await < most);
    }
}
