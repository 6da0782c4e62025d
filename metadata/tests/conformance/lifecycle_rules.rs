//! Lifecycle rules: what goes by itself, when, and what is seen of it in the meantime.

use crate::world::*;
use lifecycle::{Cause, Condition, Kind, Refusal, State, VersionId};

/// Sweeps what has expired, as the health processor does.
async fn sweep(world: &World) -> usize {
    let start = (lifecycle::Time::from_micros(i64::MIN), VersionId::from_bytes([0; 16]));
    let expired = world.m.list_expired(start, 100).await.unwrap();
    for one in &expired {
        world.delete(&one.name).version(one.version).cause(Cause::Lifepoint).await.unwrap();
    }
    expired.len()
}

on_both_engines! {
    async fn a_rule_lets_objects_go_by_their_age(world: World) {
        world.put("logs/old").await.unwrap();
        world.later(DAY);
        let changed = world.rules(&[r#"RuleId:"r" NamePrefix:"logs/" ExpirationDays:3"#]).await;
        assert_eq!(changed, 1, "what was there is planned too");
        let new = world.put("logs/new").await.unwrap();
        world.put("kept").await.unwrap();
        world.put("u").kind(Kind::Unnamed).await.unwrap();
        assert_eq!(world.row(new.version).await.expires_at, Some(world.now().plus(3 * DAY)));
        world.later(2 * DAY);
        assert_eq!(world.lists().await, ["kept", "logs/new", "u"], "in the second it falls due");
        assert_eq!(sweep(world).await, 1);
        world.later(DAY);
        assert_eq!(world.reads("logs/new").await, None);
        sweep(world).await;
        let row = world.row(new.version).await;
        assert_eq!((row.state, row.cause, row.actor.as_deref()), (State::Removed, Some(Cause::Lifecycle), Some("lifecycle:r")));
        assert_eq!(row.purge_after, Some(world.now().plus(OBJECT_GRACE)), "restorable like any other");
        world.restore("logs/new").await.unwrap();
        assert!(world.reads("logs/new").await.is_some());
    }

    async fn a_rule_that_is_taken_back_lets_nothing_go_any_more(world: World) {
        let rule = r#"RuleId:"r" ExpirationDays:3"#;
        world.rules(&[rule]).await;
        let lifepoint = r#"[["lifepoint","[Sun, 01 Jan 2040 00:00:00 GMT] reps=1, [] delete"]]"#;
        let both = world.put("both").headers(lifepoint).expires_in(1000 * DAY).await.unwrap().version;
        world.put("rule").await.unwrap();
        assert_eq!(world.row(both).await.expires_at, Some(world.now().plus(3 * DAY)), "the earlier one counts");
        assert_eq!(world.rules(&[]).await, 2);
        let row = world.row(both).await;
        assert_eq!(row.expires_at.map(|at| at.to_http_date()).as_deref(), Some("Sun, 01 Jan 2040 00:00:00 GMT"));
        world.later(10 * DAY);
        assert_eq!(world.lists().await, ["both", "rule"]);
        // A disabled one neither.
        assert_eq!(world.rules(&[&format!("{rule} Enabled:false")]).await, 0);
    }

    async fn where_versions_are_kept_a_rule_hides_and_older_versions_have_a_rule_of_their_own(world: World) {
        world.versioning("enabled").await;
        world.rules(&[r#"RuleId:"r" ExpirationDays:10 ObsoleteExpirationDays:2"#]).await;
        let first = world.put("x").body("1").await.unwrap().version;
        world.later(DAY);
        let second = world.put("x").body("22").await.unwrap().version;
        assert_eq!(world.row(first).await.expires_at, Some(world.now().plus(2 * DAY)), "from when it was covered");
        world.later(2 * DAY);
        let host = (None, "barrow.local");
        assert!(world.m.find_version(host, "photos", "x", first, false).await.unwrap().is_none());
        sweep(world).await;
        assert_eq!(world.state(first).await, State::Removed);
        assert_eq!(world.reads("x").await.as_deref(), Some("22"));
        world.later(8 * DAY);
        assert_eq!(world.reads("x").await, None);
        assert!(world.m.find_version(host, "photos", "x", second, false).await.unwrap().is_some(), "it is only hidden");
        sweep(world).await;
        let row = world.row(second).await;
        assert!(row.state == State::Live && !row.is_current);
        assert_eq!(row.expires_at, Some(world.now().plus(2 * DAY)));
        let marker = world.m.marker(world.contents().await, "x").await.unwrap().unwrap();
        world.delete("x").version(marker.id).await.unwrap();
        assert_eq!(world.reads("x").await, None, "it is older than the rule lets it be");
    }

    async fn a_domain_says_whether_rules_hold(world: World) {
        use metadata::{ContainerKind, ContextChange, Policies};
        let say = async |hold: Option<bool>| {
            let change = ContextChange { versioning: None,
                headers: "[]".to_owned(),
                policies: Policies { rules_hold: hold, ..Policies::default() },
                allowed: EVERYTHING,
                actor: "alice".to_owned(),
                ..ContextChange::default()
            };
            world.m.change_context(ContainerKind::Domain, world.domain, change).await.unwrap();
            world.replan().await
        };
        say(Some(false)).await;
        world.rules(&[r#"RuleId:"r" ExpirationDays:3"#]).await;
        let put = world.put("x").await.unwrap().version;
        assert_eq!((world.row(put).await.expires_at, world.bucket_row().await.rules.len()), (None, 0));
        assert_eq!(say(Some(true)).await, 1);
        assert!(world.row(put).await.expires_at.is_some());
        assert_eq!(say(Some(false)).await, 1);
        assert_eq!(say(None).await, 1);
    }

    async fn a_rule_that_was_withdrawn_while_the_bucket_was_removed_lets_nothing_go_after_its_return(world: World) {
        use metadata::{ContainerKind, ContextChange, Policies};
        world.rules(&[r#"RuleId:"r" ExpirationDays:1"#]).await;
        world.put("x").await.unwrap();
        world.remove_bucket().await.unwrap();
        let change = ContextChange { versioning: None,
            headers: "[]".to_owned(),
            policies: Policies { rules_hold: Some(false), ..Policies::default() },
            allowed: EVERYTHING,
            actor: "alice".to_owned(),
            ..ContextChange::default()
        };
        world.m.change_context(ContainerKind::Domain, world.domain, change).await.unwrap();
        world.replan().await;
        world.restore_bucket().await.unwrap();
        assert_eq!(world.replan().await, 1, "what could not be planned then is planned now");
        world.later(2 * DAY);
        assert!(world.reads("x").await.is_some());
    }

    async fn contents_and_objects_come_back_under_the_rules_of_the_day(world: World) {
        let rule = r#"RuleId:"r" ExpirationDays:5"#;
        world.rules(&[rule]).await;
        world.put("x").await.unwrap();
        let emptied = world.contents().await;
        world.empty_bucket().await.unwrap();
        world.put("y").await.unwrap();
        world.delete("y").await.unwrap();
        world.rules(&[]).await;
        world.restore("y").await.unwrap();
        assert_eq!(world.found("y", false).await.version.expires_at, None);
        world.delete("y").at_once().await.unwrap();
        world.restore_contents(emptied, None).await.unwrap();
        world.replan().await;
        world.later(10 * DAY);
        assert!(world.reads("x").await.is_some());
    }

    async fn the_sweep_asks_the_rules_again(world: World) {
        world.rules(&[r#"RuleId:"r" ExpirationDays:1"#]).await;
        let put = world.put("x").await.unwrap().version;
        world.later(DAY);
        // Withdrawn, and not planned anew yet.
        world.change_bucket("[]", Condition::NONE).await.unwrap();
        let refused = world.delete("x").version(put).cause(Cause::Lifepoint).await.unwrap_err();
        assert!(matches!(refused, Refusal::NotDue { .. }), "{refused:?}");
        world.replan().await;
        assert!(world.reads("x").await.is_some());
    }

    async fn what_is_guarded_is_readable_until_its_guard_ends(world: World) {
        world.rules(&[r#"RuleId:"r" ExpirationDays:1"#]).await;
        world.put("x").kept_for(10 * DAY).await.unwrap();
        world.put("held").held().await.unwrap();
        world.later(2 * DAY);
        assert!(world.reads("x").await.is_some());
        world.later(8 * DAY);
        assert_eq!(world.lists().await, ["held"]);
    }

    async fn a_kept_version_is_covered_and_not_removed_by_whoever_comes_before_the_sweep(world: World) {
        for stacking in [false, true] {
            let name = if stacking { "a" } else { "b" };
            world.versioning("enabled").await;
            world.rules(&[r#"RuleId:"r" ExpirationDays:1"#]).await;
            let kept = world.put(name).await.unwrap().version;
            world.versioning(if stacking { "enabled" } else { "suspended" }).await;
            world.rules(&[r#"RuleId:"r" ExpirationDays:1"#]).await;
            world.later(DAY);
            assert_eq!(world.reads(name).await, None);
            match stacking {
                true => drop(world.delete(name).stacking().await.unwrap()),
                false => drop(world.put(name).body("new").await.unwrap()),
            }
            assert_eq!(world.state(kept).await, State::Live, "stacking: {stacking}");
        }
    }

    async fn an_older_version_that_has_lapsed_does_not_come_back_because_the_sweep_is_late(world: World) {
        world.versioning("enabled").await;
        world.rules(&[r#"RuleId:"r" ObsoleteExpirationDays:1"#]).await;
        world.put("x").body("1").await.unwrap();
        let second = world.put("x").body("22").await.unwrap().version;
        world.later(2 * DAY);
        let gone = world.delete("x").version(second).await.unwrap();
        assert_eq!((gone.uncovered, world.reads("x").await), (None, None));
        sweep(world).await;
        assert_eq!(world.reads("x").await, None);
    }
}
