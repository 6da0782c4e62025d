//! Lifecycle rules as S3 says them: planned as things arrive, are covered, get other tags or lose their last sibling, and
//! removed in time, never through a guard.

use crate::concurrency::{all, spread};
use crate::world::*;
use lifecycle::{Cause, Refusal, State, Time, VersionId};
use metadata::{Foretelling, NewUpload, VersionsOrder, Which};
use std::time::Duration;

const EVERYTHING_AFTER_A_DAY: &str = r#"[{"ID":"r","Status":"Enabled","Filter":{},"Expiration":{"Days":1}}]"#;
const OLD_ONES_BUT_TWO: &str = r#"[{"ID":"old","Status":"Enabled","Filter":{},
    "NoncurrentVersionExpiration":{"NoncurrentDays":1,"NewerNoncurrentVersions":2}}]"#;
const LONE_MARKERS: &str = r#"[{"ID":"lone","Status":"Enabled","Filter":{},
    "Expiration":{"ExpiredObjectDeleteMarker":true}}]"#;
const TAGGED: &str = r#"[{"ID":"tagged","Status":"Enabled","Filter":{"Tag":{"Key":"a","Value":"1"}},
    "Expiration":{"Days":3}}]"#;
const TAGS: &str = r#"[["a","1"]]"#;
const ALL_KINDS: &str = r#"[
    {"ID":"current","Status":"Enabled","Filter":{},"Expiration":{"Days":300}},
    {"ID":"tagged","Status":"Enabled","Filter":{"Tag":{"Key":"a","Value":"1"}},"Expiration":{"Days":100}},
    {"ID":"lone","Status":"Enabled","Filter":{"Prefix":"n"},"Expiration":{"ExpiredObjectDeleteMarker":true}},
    {"ID":"old","Status":"Enabled","Filter":{},
        "NoncurrentVersionExpiration":{"NoncurrentDays":100,"NewerNoncurrentVersions":1}},
    {"ID":"small","Status":"Enabled","Filter":{"ObjectSizeLessThan":2},
        "NoncurrentVersionExpiration":{"NoncurrentDays":50,"NewerNoncurrentVersions":3}}]"#;

/// The first midnight after so many days from `at`.
fn midnight(at: Time, days: u32) -> Time {
    let day = i64::try_from(DAY.as_micros()).unwrap();
    Time::from_micros((at.plus(days * DAY).micros().div_euclid(day) + 1) * day)
}

async fn planned(world: &World, version: VersionId) -> Option<(Time, String)> {
    let row = world.row(version).await;
    Some((row.expires_at?, row.expiry_rule?))
}

async fn rule_of(world: &World, version: VersionId) -> Option<String> {
    planned(world, version).await.map(|(_, rule)| rule)
}

async fn versions(world: &World) -> Vec<(String, bool)> {
    let order = VersionsOrder { limit: 1_000, ..VersionsOrder::default() };
    let page = world.m.list_page_of_versions(world.contents().await, &order).await.unwrap();
    page.items.into_iter().map(|version| (version.name, version.marker)).collect()
}

/// Covers `name` so many times, and gives the versions, the oldest first.
async fn pile(world: &World, name: &str, count: usize) -> Vec<VersionId> {
    let mut put = Vec::new();
    for _ in 0..count {
        put.push(world.put(name).await.unwrap().version);
        world.later(SECOND);
    }
    put
}

on_both_engines! {
    async fn what_is_current_goes_at_the_midnight_after_its_days(world: World) {
        let old = world.put("old").await.unwrap();
        assert_eq!(world.configure(EVERYTHING_AFTER_A_DAY).await, 1);
        let at = midnight(world.now(), 1);
        assert_eq!(planned(world, old.version).await, Some((at, "r".to_owned())));
        let new = world.put("new").await.unwrap();
        assert_eq!(new.expires, Some((at, "r".to_owned())), "whoever writes is told");
        world.later(at.since(world.now()) - Duration::from_micros(1));
        assert_eq!(world.lists().await.len(), 2);
        world.later(Duration::from_micros(1));
        assert_eq!(world.lists().await.len(), 0, "in the second it falls due");
        assert_eq!(world.sweep().await, 2);
        let row = world.row(old.version).await;
        assert_eq!((row.state, row.cause), (State::Removed, Some(Cause::Lifecycle)));
        assert_eq!(row.actor.as_deref(), Some("lifecycle:r"));
        assert_eq!(row.purge_after, Some(world.now().plus(OBJECT_GRACE)), "restorable like any other");
    }

    async fn other_tags_are_another_plan_in_the_same_moment(world: World) {
        world.configure(TAGGED).await;
        let plain = world.put("x").await.unwrap().version;
        let tagged = world.put("y").tags(TAGS).await.unwrap();
        let at = midnight(world.now(), 3);
        assert_eq!((planned(world, plain).await, tagged.expires), (None, Some((at, "tagged".to_owned()))));
        let set = async |name: &str, tags: Option<&str>| {
            world.m.set_tags(world.domain, world.bucket, name, Which::Current, tags.map(str::to_owned)).await.unwrap();
        };
        set("x", Some(TAGS)).await;
        set("y", None).await;
        assert_eq!(rule_of(world, plain).await.as_deref(), Some("tagged"));
        assert_eq!(planned(world, tagged.version).await, None);
        world.later(5 * DAY);
        assert_eq!(world.lists().await, ["y"]);
    }

    async fn tags_of_an_older_version_plan_it_where_it_stands(world: World) {
        world.versioning("enabled").await;
        world.configure(r#"[{"ID":"old","Status":"Enabled","Filter":{"Tag":{"Key":"a","Value":"1"}},
            "NoncurrentVersionExpiration":{"NoncurrentDays":1,"NewerNoncurrentVersions":1}}]"#).await;
        let put = pile(world, "x", 4).await;
        for version in &put[..3] {
            let which = Which::Version(*version);
            world.m.set_tags(world.domain, world.bucket, "x", which, Some(TAGS.to_owned())).await.unwrap();
        }
        let rules = [rule_of(world, put[0]).await, rule_of(world, put[1]).await, rule_of(world, put[2]).await];
        let old = Some("old".to_owned());
        assert_eq!(rules, [old.clone(), old, None], "the newest that is not current stays");
    }

    async fn the_newest_older_versions_stay_whatever_their_age(world: World) {
        world.versioning("enabled").await;
        world.configure(OLD_ONES_BUT_TWO).await;
        let put = pile(world, "x", 5).await;
        let planned_rules = async || {
            let mut rules = Vec::new();
            for version in &put {
                rules.push(rule_of(world, *version).await.is_some());
            }
            rules
        };
        assert_eq!(planned_rules().await, [true, true, false, false, false]);
        // One of those that were kept goes by hand: another one takes its place among them.
        world.delete("x").version(put[3]).await.unwrap();
        assert_eq!(planned_rules().await[..3], [true, false, false]);
        world.later(30 * DAY);
        assert_eq!(world.sweep().await, 1);
        assert_eq!(world.state(put[0]).await, State::Removed);
        assert_eq!(versions(world).await.len(), 3);
        world.put("x").await.unwrap();
        world.put("x").await.unwrap();
        assert_eq!(planned_rules().await[1..3], [true, true], "two newer ones are there again");
    }

    async fn a_walk_in_small_steps_plans_the_same(world: World) {
        world.versioning("enabled").await;
        let mut all = Vec::new();
        for name in ["a", "b", "c"] {
            all.extend(pile(world, name, 7).await);
        }
        world.delete("b").await.unwrap();
        assert_eq!(world.configure(OLD_ONES_BUT_TWO).await, 4 + 5 + 4);
        assert_eq!(world.configure("[]").await, 13, "a document without rules says nothing");
        assert_eq!(world.configure("").await, 0);
    }

    async fn a_marker_that_hides_nothing_goes(world: World) {
        world.versioning("enabled").await;
        world.configure(LONE_MARKERS).await;
        let put = world.put("x").await.unwrap().version;
        let marker = world.delete("x").await.unwrap().marker.unwrap();
        assert_eq!(planned(world, marker).await, None, "it hides something");
        let noon = world.now();
        world.delete("x").version(put).await.unwrap();
        assert_eq!(planned(world, marker).await, Some((midnight(noon, 0), "lone".to_owned())));
        world.put("x").await.unwrap();
        assert_eq!(planned(world, marker).await, None, "it is an older version now");
        let again = world.delete("x").await.unwrap().marker.unwrap();
        let over_nothing = world.delete("nothing").stacking().await.unwrap().version;
        assert_eq!(rule_of(world, over_nothing).await.as_deref(), Some("lone"));
        world.later(DAY);
        assert_eq!(versions(world).await.iter().filter(|(name, _)| name == "nothing").count(), 0);
        assert_eq!(world.sweep().await, 1);
        assert_eq!((world.state(over_nothing).await, world.state(again).await), (State::Removed, State::Live));
        let row = world.row(over_nothing).await;
        assert_eq!((row.cause, row.actor.as_deref()), (Some(Cause::Lifecycle), Some("lifecycle:lone")));
    }

    async fn older_markers_are_older_versions_and_the_last_is_a_lone_one(world: World) {
        world.versioning("enabled").await;
        world.configure(r#"[{"ID":"all","Status":"Enabled","Filter":{},
            "NoncurrentVersionExpiration":{"NoncurrentDays":1}},
            {"ID":"lone","Status":"Enabled","Filter":{},"Expiration":{"ExpiredObjectDeleteMarker":true}}]"#).await;
        for _ in 0..3 {
            world.put("x").await.unwrap();
            world.delete("x").await.unwrap();
        }
        assert_eq!(versions(world).await.len(), 6);
        world.later(3 * DAY);
        assert_eq!(world.sweep().await, 5, "all but the marker that hides them");
        assert_eq!(world.sweep().await, 1, "which then hides nothing");
        assert_eq!(versions(world).await, []);
        assert_eq!(world.counted(State::Live).await.0, 0);
        world.remove_bucket().only_if_empty().await.expect("nothing is left");
    }

    async fn where_versions_are_kept_a_rule_lays_a_marker(world: World) {
        world.versioning("enabled").await;
        world.configure(EVERYTHING_AFTER_A_DAY).await;
        let put = world.put("x").await.unwrap().version;
        world.later(3 * DAY);
        assert_eq!((world.reads("x").await, world.sweep().await), (None, 1));
        assert_eq!(world.state(put).await, State::Live);
        assert_eq!(versions(world).await, [("x".to_owned(), true), ("x".to_owned(), false)]);
        // The marker goes when it is as old as what is current may be, once it is alone.
        world.delete("x").version(put).await.unwrap();
        world.later(3 * DAY);
        assert_eq!(world.sweep().await, 1);
        assert_eq!(versions(world).await, []);
    }

    async fn a_guard_is_never_passed(world: World) {
        world.configure(EVERYTHING_AFTER_A_DAY).await;
        world.put("kept").kept_for(10 * DAY).await.unwrap();
        world.put("held").held().await.unwrap();
        world.later(5 * DAY);
        assert_eq!((world.sweep().await, world.lists().await.len()), (0, 2));
        world.later(6 * DAY);
        assert_eq!((world.lists().await, world.sweep().await), (vec!["held".to_owned()], 1));
        world.versioning("enabled").await;
        world.configure(r#"[{"ID":"all","Status":"Enabled","Filter":{},
            "NoncurrentVersionExpiration":{"NoncurrentDays":1}}]"#).await;
        world.put("v").kept_for(10 * DAY).await.unwrap();
        world.put("v").await.unwrap();
        world.later(5 * DAY);
        assert_eq!((world.sweep().await, versions(world).await.len()), (0, 3));
        world.later(6 * DAY);
        assert_eq!(world.sweep().await, 1);
    }

    async fn open_uploads_end_as_a_rule_says(world: World) {
        let own = world.now().plus(90 * DAY);
        let begin = async |name: &str| {
            let new = NewUpload { expires_at: own, ..world.new_upload(name) };
            (new.id, world.m.begin_upload(new).await.unwrap())
        };
        let (before, ends) = begin("logs/before").await;
        assert_eq!((ends.at, ends.rule), (own, None));
        let (other, _) = begin("other").await;
        let rules = r#"[{"ID":"abort","Status":"Enabled","Filter":{"Prefix":"logs/"},
            "AbortIncompleteMultipartUpload":{"DaysAfterInitiation":2}}]"#;
        assert_eq!(world.configure(rules).await, 1);
        let at = midnight(world.now(), 2);
        let (after, ends) = begin("logs/after").await;
        assert_eq!((ends.at, ends.rule.as_deref()), (at, Some("abort")));
        let upload = world.m.upload(before).await.unwrap().unwrap();
        assert_eq!((upload.expires_at, upload.expiry_rule.as_deref()), (at, Some("abort")));
        assert_eq!(world.m.upload(other).await.unwrap().unwrap().expires_at, own);
        world.part(after, 1, b"part").await;
        world.later(at.since(world.now()));
        assert!(world.m.upload(after).await.unwrap().is_none(), "in the second it falls due");
        assert_eq!(world.m.expire_uploads(10).await.unwrap(), 2);
        let (late, _) = begin("logs/late").await;
        assert_eq!(world.configure("").await, 1, "the rule is taken back");
        assert_eq!(world.m.upload(late).await.unwrap().unwrap().expires_at, own);
    }

    async fn both_doors_say_rules_and_each_changes_its_own(world: World) {
        let scsp = r#"RuleId:"scsp" NamePrefix:"s" ExpirationDays:5"#;
        world.configure(EVERYTHING_AFTER_A_DAY).await;
        world.rules(&[scsp]).await;
        let ids = async || {
            let said = world.m.lifecycle(world.bucket).await.unwrap();
            let in_force = said.in_force.iter().map(|rule| rule.id.clone()).collect::<Vec<_>>();
            (said.configuration.is_some(), said.policy.len(), in_force, said.holds)
        };
        assert_eq!(ids().await, (true, 1, vec!["scsp".to_owned(), "r".to_owned()], Some(true)));
        let put = world.put("s").await.unwrap();
        assert_eq!(put.expires, Some((midnight(world.now(), 1), "r".to_owned())), "the earliest counts");
        world.configure("").await;
        assert_eq!(ids().await, (false, 1, vec!["scsp".to_owned()], Some(true)));
        assert_eq!(planned(world, put.version).await, Some((world.now().plus(5 * DAY), "scsp".to_owned())));
        world.configure(EVERYTHING_AFTER_A_DAY).await;
        world.rules(&[]).await;
        assert_eq!(ids().await, (true, 0, vec!["r".to_owned()], Some(true)));
    }

    async fn a_domain_that_lets_no_rules_hold_lets_none_of_either_door_hold(world: World) {
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
        world.configure(EVERYTHING_AFTER_A_DAY).await;
        let put = world.put("x").await.unwrap().version;
        let said = world.m.lifecycle(world.bucket).await.unwrap();
        assert_eq!((said.holds, said.configuration.is_some(), planned(world, put).await), (Some(false), true, None));
        assert_eq!(say(Some(true)).await, 1);
        assert!(planned(world, put).await.is_some());
        assert_eq!(say(Some(false)).await, 1);
        assert_eq!(planned(world, put).await, None);
    }

    async fn a_document_that_cannot_be_read_applies_nothing(world: World) {
        world.configure(EVERYTHING_AFTER_A_DAY).await;
        let put = world.put("x").await.unwrap().version;
        world.put_wrong("UPDATE bucket_settings SET content = '{\"Rules\":[{\"Mode\":1}]}' WHERE kind = 'lifecycle'").await;
        // Whatever puts the rules of the bucket into force next finds none in it.
        world.rules(&[]).await;
        assert_eq!(planned(world, put).await, None);
        world.configure(EVERYTHING_AFTER_A_DAY).await;
        world.put_wrong("UPDATE buckets SET lifecycle = '[{\"id\":\"r\",\"enabled\":true,\"prefix\":\"\",\"current\":{\"hours\":1}}]'").await;
        assert_eq!(world.put("y").await.unwrap().expires, None);
        world.later(9 * DAY);
        assert_eq!(world.sweep().await, 0, "a plan that nothing stands behind any more keeps");
    }

    async fn a_marker_that_comes_back_where_nothing_else_is_left_goes_as_one_that_was_left_alone(world: World) {
        world.versioning("enabled").await;
        world.configure(LONE_MARKERS).await;
        let under = world.put("x").await.unwrap().version;
        let marker = world.delete("x").await.unwrap().marker.unwrap();
        world.delete("x").version(marker).await.unwrap();
        world.delete("x").version(under).await.unwrap();
        world.restore_version(marker).await.unwrap();
        assert_eq!(rule_of(world, marker).await.as_deref(), Some("lone"));
        // Over something it hides that, and stays.
        world.delete("x").version(marker).await.unwrap();
        world.restore_version(under).await.unwrap();
        world.restore_version(marker).await.unwrap();
        assert_eq!(rule_of(world, marker).await, None);
    }

    async fn a_plan_that_is_not_true_any_more_keeps_and_is_made_anew(world: World) {
        world.versioning("enabled").await;
        world.configure(OLD_ONES_BUT_TWO).await;
        let put = pile(world, "x", 3).await;
        world.put_wrong("UPDATE versions SET expires_at = 1, expiry_rule = 'old' WHERE is_current = 0").await;
        let late = world.delete("x").version(put[0]).cause(Cause::Lifepoint).await;
        assert!(matches!(late, Err(Refusal::NotDue { .. })), "{late:?}");
        assert_eq!((planned(world, put[0]).await, planned(world, put[1]).await), (None, None));
        assert_eq!(versions(world).await.len(), 3);
    }

    async fn what_a_preview_counts_is_what_goes(world: World) {
        world.versioning("enabled").await;
        for name in ["a", "b", "logs/c"] {
            pile(world, name, 4).await;
        }
        world.delete("b").await.unwrap();
        world.put("held").held().await.unwrap();
        world.delete("nothing").stacking().await.unwrap();
        let upload = NewUpload { expires_at: world.now().plus(90 * DAY), ..world.new_upload("up") };
        world.m.begin_upload(upload).await.unwrap();
        let rules = r#"[{"ID":"current","Status":"Enabled","Filter":{"Prefix":"logs/"},"Expiration":{"Days":1}},
            {"ID":"old","Status":"Enabled","Filter":{},
                "NoncurrentVersionExpiration":{"NoncurrentDays":2,"NewerNoncurrentVersions":1}},
            {"ID":"lone","Status":"Enabled","Filter":{},"Expiration":{"ExpiredObjectDeleteMarker":true}},
            {"ID":"up","Status":"Enabled","Filter":{},"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":1}}]"#;
        let text = format!("{{\"Rules\":{rules}}}");
        let configuration: lifecycle::lifecycle_rules::Configuration = serde_json::from_str(&text).unwrap();
        let until = vec![world.now(), world.now().plus(2 * DAY), world.now().plus(30 * DAY)];
        let asked = Foretelling { rules: configuration.compile().unwrap(), soon: until[1], until };
        let told = world.m.foretell(world.bucket, &asked).await.unwrap();
        let amounts = |of: &[lifecycle::brake::Amount]| of.iter().map(|sum| sum.objects).collect::<Vec<_>>();
        assert_eq!(amounts(&told.rules["current"].hidden), [0, 1, 1]);
        // Of a and logs/c two each, of b three: what its marker hides is not current.
        assert_eq!(amounts(&told.rules["old"].removed), [0, 0, 7]);
        assert_eq!(told.rules["lone"].markers, [0, 1, 1]);
        assert_eq!(told.rules["up"].uploads, [0, 1, 1]);
        assert_eq!((told.newly.objects, told.newly.bytes), (1, 6));
        assert_eq!(world.lists().await.len(), 3, "nothing has changed");
        world.configure(rules).await;
        let told = world.m.foretell(world.bucket, &asked).await.unwrap();
        assert_eq!(told.newly.objects, 0, "what is in force already is nothing new");
        world.later(3 * DAY);
        assert_eq!(world.m.expire_uploads(10).await.unwrap(), 1);
        assert_eq!(world.sweep().await, 1 + 7 + 1);
    }

    async fn progress_shows_and_a_walk_goes_on_where_it_stopped(world: World) {
        for name in ["a", "b", "c", "d", "e"] {
            world.put(name).await.unwrap();
        }
        assert_eq!(world.m.replan_progress(world.bucket).await.unwrap(), None);
        world.configured(EVERYTHING_AFTER_A_DAY).await;
        let pending = world.m.replan_progress(world.bucket).await.unwrap().unwrap();
        assert_eq!((pending.pending, pending.looked), (true, 0));
        let replan = world.m.buckets_to_replan(None, 10).await.unwrap()[0];
        let at = world.m.replan_at(replan).await.unwrap();
        let first = world.m.replan(replan, at, 2).await.unwrap();
        assert_eq!((first.looked, first.changed), (2, 2));
        let halfway = world.m.replan_progress(world.bucket).await.unwrap().unwrap();
        assert_eq!((halfway.pending, halfway.looked, halfway.ended_at), (true, 2, None));
        assert_eq!(Some(world.m.replan_at(replan).await.unwrap()), first.next, "as whoever comes next finds it");
        assert_eq!(world.replan().await, 3);
        let done = world.m.replan_progress(world.bucket).await.unwrap().unwrap();
        assert_eq!((done.pending, done.looked, done.changed), (false, 5, 5));
        assert_eq!(done.ended_at, Some(world.now()));
    }

    /// Whatever happens to names, their plans are those that a walk over all of them would make.
    async fn plans_are_true_after_every_change(world: World) {
        let mut seed = any_seed();
        eprintln!("seed {seed}");
        let mut draw = move |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        world.versioning("enabled").await;
        world.configure(ALL_KINDS).await;
        let mut made = Vec::new();
        for round in 0..120_u32 {
            let name = ["n1", "n2", "o1"][usize::try_from(draw(3)).unwrap()];
            match draw(12) {
                0..=3 => {
                    let mut put = world.put(name).body(if draw(2) == 0 { "1" } else { "22" });
                    if draw(2) == 0 {
                        put = put.tags(TAGS);
                    }
                    made.push((name, put.await.unwrap().version));
                }
                4..=5 => made.extend(world.delete(name).stacking().await.ok().map(|gone| (name, gone.version))),
                6..=8 if !made.is_empty() => {
                    let (name, version) = made[usize::try_from(draw(made.len() as u64)).unwrap()];
                    drop(world.delete(name).version(version).await);
                }
                9 if !made.is_empty() => {
                    let (_, version) = made[usize::try_from(draw(made.len() as u64)).unwrap()];
                    drop(world.restore_version(version).await);
                }
                10 if !made.is_empty() => {
                    let (name, version) = made[usize::try_from(draw(made.len() as u64)).unwrap()];
                    let (which, tags) = (Which::Version(version), (draw(2) == 0).then(|| TAGS.to_owned()));
                    drop(world.m.set_tags(world.domain, world.bucket, name, which, tags).await);
                }
                _ => world.later(HOUR),
            }
            if round % 10 == 9 {
                world.put_wrong("UPDATE buckets SET replan = replan + 1 WHERE hidden = 0").await;
                assert_eq!(world.replan().await, 0, "round {round}: a walk would plan otherwise");
            }
        }
    }
}

racing_on_both_engines! {
    /// Rules change, a walk plans anew, and clients write and tag meanwhile: in the end every plan is by the last rules.
    async fn writers_race_a_walk(world: World) {
        world.versioning("enabled").await;
        let callers = world.callers(4).await;
        for round in 0..4_u32 {
            let rules = [TAGGED, OLD_ONES_BUT_TWO, ALL_KINDS, LONE_MARKERS][usize::try_from(round % 4).unwrap()];
            world.configured(rules).await;
            let walker = callers[0].clone();
            let walk = tokio::spawn(async move {
                for replan in walker.m.buckets_to_replan(None, 10).await.unwrap() {
                    let mut at = Some(walker.m.replan_at(replan).await.unwrap());
                    while let Some(from) = at {
                        at = walker.m.replan(replan, from, 3).await.unwrap().next;
                    }
                    walker.m.replanned(replan).await.unwrap();
                }
            });
            let writes = spread(&callers, 32, |caller, n| async move {
                let name = format!("n{}", n % 4);
                match n % 8 {
                    0..=3 => drop(caller.put(&name).tags(if n % 2 == 0 { TAGS } else { "[]" }).await),
                    4 => drop(caller.delete(&name).stacking().await),
                    _ => {
                        let tags = (n % 2 == 0).then(|| TAGS.to_owned());
                        drop(caller.m.set_tags(caller.domain, caller.bucket, &name, Which::Current, tags).await);
                    }
                }
            });
            all(writes).await;
            walk.await.unwrap();
            world.put_wrong("UPDATE buckets SET replan = replan + 1 WHERE hidden = 0").await;
            assert_eq!(world.replan().await, 0, "round {round}: something was planned by other rules, or tags");
        }
    }

    /// Two sweeps and a client who deletes versions by hand: what a rule keeps is never less than it says.
    async fn sweeps_race_each_other_and_deletes(world: World) {
        world.versioning("enabled").await;
        world.configure(OLD_ONES_BUT_TWO).await;
        for name in ["a", "b", "c"] {
            pile(world, name, 8).await;
        }
        world.later(10 * DAY);
        let callers = world.callers(4).await;
        let contents = world.contents().await;
        let expired = world.m.list_expired((Time::from_micros(0), VersionId::from_bytes([0; 16])), 100).await.unwrap();
        assert_eq!(expired.len(), 15);
        let sweeps = spread(&callers, 2 * expired.len(), |caller, n| {
            let one = expired[n % expired.len()].clone();
            async move { caller.delete(&one.name).version(one.version).cause(Cause::Lifepoint).await.is_ok() }
        });
        let gone = all(sweeps).await.into_iter().filter(|gone| *gone).count();
        assert_eq!(gone, 15, "each once");
        let order = VersionsOrder { limit: 100, ..VersionsOrder::default() };
        let left = world.m.list_page_of_versions(contents, &order).await.unwrap().items;
        assert_eq!(left.len(), 9, "of each name the current one and two more");
    }
}
