//! Kronotop's two-phase deletion at the admin door: BUCKET.REMOVE, BUCKET.PURGE and their like for domains, on both engines.
//! The cases are those of the specification, KP-01 to KP-37; where the design settles one otherwise, the case says so.

use super::{BUCKETS, code, names, reason};
use crate::common::{DAY, ROOT, World};
use lifecycle::{Guard, MemberId, State, Time};
use metadata::{ClaimOrder, Metadata, Settings};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::Database;

const USERS: &str = "/v1/domains/barrow.local/buckets/users";

macro_rules! on_both_engines {
    ($($(#[doc = $doc:literal])* async fn $name:ident($world:ident: World) $body:block)*) => {$(
        $(#[doc = $doc])*
        mod $name {
            use super::*;

            async fn case($world: &World) $body

            #[tokio::test]
            async fn sqlite() {
                case(&World::on(Database::sqlite()).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                case(&World::on(Database::postgres().await).await).await;
            }
        }
    )*};
}

/// The bucket `users` with one object.
async fn users(w: &World) -> lifecycle::ContainerId {
    let id = w.bucket("users").await;
    w.put(id, "ann").await;
    id
}

async fn remove(w: &World) -> Value {
    w.post(&format!("{USERS}/remove"), json!({})).await
}

async fn purge(w: &World, order: Value, status: u16) -> Value {
    w.ask("POST", &format!("{USERS}/purge"), order, status).await
}

/// Destroys what is inside of containers that are being purged, as the health processor does.
async fn bury(w: &World) {
    let metadata = &w.gateway.metadata;
    let order = ClaimOrder { holder: MemberId::random(), limit: 1_000, lease: DAY, drain: Duration::ZERO };
    for waiting in metadata.contents_to_cascade().await.unwrap() {
        loop {
            let claims = metadata.claim_cascade(waiting.contents, order).await.unwrap();
            if claims.is_empty() {
                break;
            }
            metadata.finish(claims, 14 * DAY).await.unwrap();
        }
    }
}

on_both_engines! {
    async fn kp_01_to_05_removing(w: World) {
        let id = users(w).await;
        let before = w.get(USERS).await;
        let removed = remove(w).await;
        assert_eq!((&removed["state"], &removed["purge_after"]), (&json!("removed"), &json!("never")));
        assert_eq!(removed["meta_version"].as_i64(), before["meta_version"].as_i64().map(|version| version + 1));
        let epoch = removed["epoch"].as_i64().unwrap();
        assert!(epoch > 0 && before["epoch"].is_null());
        assert_eq!(w.get(USERS).await["state"], "removed");
        let deletion = format!("/v1/deletions/{}", removed["deletion_id"].as_str().unwrap());
        let deletion = w.get(&deletion).await;
        assert_eq!((&deletion["id"], &deletion["state"]), (&json!(id.to_string()), &json!("removed")));

        assert_eq!(code(&w.ask("POST", &format!("{BUCKETS}/nope/remove"), json!({}), 404).await), "NOSUCHBUCKET");
        w.clock.advance(DAY);
        let again = w.ask("POST", &format!("{USERS}/remove"), json!({ "grace": "8days" }), 409).await;
        assert_eq!((code(&again), &again["error"]["target"]), ("BUCKETBEINGREMOVED", &json!("users")));
        let after = w.get(USERS).await;
        for field in ["epoch", "meta_version", "purge_after"] {
            assert_eq!(after[field], removed[field], "{field}");
        }
        let nowhere = w.ask("POST", "/v1/domains/nope/buckets/users/remove", json!({}), 404).await;
        assert_eq!(code(&nowhere), "NOSUCHNAMESPACE");

        w.ask("POST", "/v1/domains", json!({ "name": "acme" }), 201).await;
        w.ask("POST", "/v1/domains/acme/buckets", json!({ "name": "b" }), 201).await;
        w.post("/v1/domains/acme/remove", json!({})).await;
        let inside = w.ask("POST", "/v1/domains/acme/buckets/b/remove", json!({}), 409).await;
        assert_eq!((code(&inside), &inside["error"]["target"]), ("NAMESPACEBEINGREMOVED", &json!("acme")));
    }

    async fn kp_09_to_13_purging(w: World) {
        let id = users(w).await;
        let live = purge(w, json!({}), 409).await;
        assert_eq!(reason(&live), ("ERR", "NOT_REMOVED"));
        assert_eq!(w.get(USERS).await["state"], "live");
        assert_eq!(code(&w.ask("POST", &format!("{BUCKETS}/nope/purge"), json!({}), 404).await), "NOSUCHBUCKET");

        let removed = remove(w).await;
        let purged = purge(w, json!({ "if_epoch": removed["epoch"] }), 200).await;
        assert_eq!((&purged["state"], &purged["versions"], &purged["reclaim"]), (&json!("purging"), &json!(1), &json!("pending")));
        assert_eq!(code(&w.ask("GET", USERS, Value::Null, 404).await), "NOSUCHBUCKET");
        assert_eq!(w.get(&format!("{BUCKETS}/{id}")).await["state"], "purging", "by its UUID it is told");
        assert_eq!(reason(&purge(w, json!({}), 404).await), ("NOSUCHBUCKET", "PURGE_STARTED"));
        let restore = w.ask("POST", &format!("{USERS}/restore"), json!({}), 409).await;
        assert_eq!(reason(&restore), ("ERR", "PURGE_STARTED"), "BX-18");
        let deletion = w.get(&format!("/v1/deletions/{}", removed["deletion_id"].as_str().unwrap())).await;
        assert_eq!(deletion["state"], "purging", "BX-14: whoever lost the answer asks for the removal");
    }

    /// KP-14 to KP-16: what does not let go is named, nothing has changed, and asking again is enough.
    async fn kp_14_to_16_the_barrier(w: World) {
        let id = users(w).await;
        let contents = w.gateway.metadata.container(metadata::ContainerKind::Bucket, id).await.unwrap().unwrap();
        let busy = w.gateway.metadata.pin_write(contents.parent.unwrap(), id, contents.contents.unwrap(), "GET").unwrap();
        remove(w).await;
        let answer = w.ask_as(Some(ROOT), "POST", &format!("{USERS}/purge"), r#"{"wait_ms":0}"#).await;
        assert_eq!((answer.status, answer.header("retry-after")), (409, Some("1")));
        let refused: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(code(&refused), "BARRIERNOTSATISFIED");
        assert!(refused["error"]["retry_after_ms"].as_u64().is_some_and(|after| after > 0));
        let waiting = &refused["error"]["details"]["waiting"];
        assert_eq!(waiting.as_array().map(Vec::len), Some(1));
        assert_eq!((&waiting[0]["holdouts"][0]["what"], &waiting[0]["holdouts"][0]["count"]), (&json!("GET"), &json!(1)));
        assert_eq!(w.get(USERS).await["state"], "removed");
        let why = w.get("/v1/why?bucket=users").await;
        assert!(why["blocks"].as_array().unwrap().iter().any(|block| block["kind"] == "barrier"), "{why}");

        let began = lifecycle::Clock::boot(&lifecycle::SystemClock);
        let refused = purge(w, json!({ "wait_ms": 400 }), 409).await;
        let took = lifecycle::Clock::boot(&lifecycle::SystemClock) - began;
        assert!((Duration::from_millis(390)..Duration::from_secs(5)).contains(&took), "{took:?}");
        assert!(refused["error"]["details"]["attempts"].as_u64().is_some_and(|attempts| attempts > 2));

        let shown = purge(w, json!({ "dry_run": true }), 200).await;
        assert_eq!((&shown["state"], &shown["versions"]), (&json!("removed"), &json!(1)));
        assert_eq!(shown["barrier"]["waiting"].as_array().map(Vec::len), Some(1));
        let left = purge(w, json!({ "mode": "async" }), 202).await;
        assert_eq!((&left["state"], &left["purge_requested"]), (&json!("removed"), &json!(true)));
        drop(busy);
        assert_eq!(purge(w, json!({}), 200).await["state"], "purging");
    }

    /// KP-22, KP-24, KP-25: the name is kept until the purge, and what is made then is new.
    async fn kp_22_to_26_the_name(w: World) {
        let old = users(w).await;
        remove(w).await;
        let refused = w.ask("POST", BUCKETS, json!({ "name": "users" }), 409).await;
        assert_eq!(code(&refused), "BUCKETBEINGREMOVED");
        assert_eq!(names(&w.get(&format!("{BUCKETS}?state=removed")).await), ["users"]);
        let plan = purge(w, json!({ "dry_run": true }), 200).await;
        purge(w, json!({ "plan_token": plan["plan_token"] }), 200).await;
        // The health processor closes it; its name is free when nothing is left of it.
        for _ in 0..3 {
            w.gateway.metadata.purge_containers(10, 14 * DAY).await.unwrap();
            bury(w).await;
        }
        assert!(names(&w.get(&format!("{BUCKETS}?state=removed")).await).is_empty());
        let made = w.ask("POST", BUCKETS, json!({ "name": "users" }), 201).await;
        assert_ne!(made["id"], json!(old.to_string()));
        assert!(names(&w.get(&format!("{USERS}/objects")).await).is_empty());
        let taken = w.ask("POST", BUCKETS, json!({ "name": "users" }), 409).await;
        assert_eq!(code(&taken), "BUCKETALREADYEXISTS");
    }

    async fn kp_27_to_33_domains(w: World) {
        let remove = |domain: &str| format!("/v1/domains/{domain}/remove");
        let purge = |domain: &str| format!("/v1/domains/{domain}/purge");
        assert_eq!(code(&w.ask("POST", &remove("nope"), json!({}), 404).await), "NOSUCHNAMESPACE");
        assert_eq!(code(&w.ask("POST", &purge("nope"), json!({}), 404).await), "NOSUCHNAMESPACE");
        for target in [remove("barrow.local")] {
            assert_eq!(reason(&w.ask("POST", &target, json!({}), 403).await), ("ERR", "DEFAULT_NAMESPACE"));
        }
        // The default domain is never removed, and what is live is not purged.
        assert_eq!(reason(&w.ask("POST", &purge("barrow.local"), json!({}), 409).await), ("ERR", "NOT_REMOVED"));
        let made = w.ask("POST", "/v1/domains", json!({ "name": "acme" }), 201).await;
        assert_eq!(made["meta_version"], 0);
        assert_eq!(reason(&w.ask("POST", &purge("acme"), json!({}), 409).await), ("ERR", "NOT_REMOVED"));
        let removed = w.post(&remove("acme"), json!({})).await;
        assert_eq!((&removed["meta_version"], &removed["purge_after"]), (&json!(1), &json!("never")));
        assert_eq!(code(&w.ask("POST", &remove("acme"), json!({}), 409).await), "NAMESPACEBEINGREMOVED");
        assert_eq!(
            code(&w.ask("POST", "/v1/domains", json!({ "name": "acme" }), 409).await),
            "NAMESPACEBEINGREMOVED"
        );
        // KP-32: asked whether it exists, it says what it is, and never "no".
        assert_eq!(w.get("/v1/domains/acme").await["state"], "removed");
        w.gateway.metadata.beat_now().await.unwrap();
        let members = w.get("/v1/members").await;
        assert!(members["members"][0]["drained_epoch"].as_i64() >= removed["epoch"].as_i64(), "KP-29");
        assert_eq!(w.ask("POST", &purge("acme"), json!({}), 200).await["state"], "purging");
        assert_eq!(code(&w.ask("GET", "/v1/domains/acme", Value::Null, 404).await), "NOSUCHNAMESPACE", "KP-31");
    }

    /// KP-35: what is removed is a container, and no name that begins like its own. KP-36 is settled otherwise: nothing
    /// inside a removed domain moves on its own.
    async fn kp_35_36_containers_are_not_names(w: World) {
        for domain in ["a", "ab", "a2"] {
            w.ask("POST", "/v1/domains", json!({ "name": domain }), 201).await;
            w.ask("POST", &format!("/v1/domains/{domain}/buckets"), json!({ "name": "b" }), 201).await;
        }
        w.post("/v1/domains/a/buckets/b/remove", json!({})).await;
        w.post("/v1/domains/a/remove", json!({})).await;
        for other in ["ab", "a2"] {
            assert_eq!(w.get(&format!("/v1/domains/{other}/buckets/b")).await["state"], "live");
        }
        let inside = w.ask("POST", "/v1/domains/a/buckets/b/purge", json!({}), 409).await;
        assert_eq!(code(&inside), "NAMESPACEBEINGREMOVED");
        w.post("/v1/domains/a/restore", json!({})).await;
        assert_eq!(w.get("/v1/domains/a/buckets/b").await["state"], "removed", "BX-21: with its own grace");
    }

    /// KP-41: of two purges at once both are told of the same one.
    async fn kp_41_two_at_once(w: World) {
        users(w).await;
        remove(w).await;
        let body = "{}";
        let target = format!("{USERS}/purge");
        let (one, two) = tokio::join!(
            w.ask_as(Some(ROOT), "POST", &target, body),
            w.ask_as(Some(ROOT), "POST", &target, body)
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert!(matches!(statuses, [200, 200 | 404]), "{statuses:?}");
    }

    async fn orders_that_mean_nothing_change_nothing(w: World) {
        users(w).await;
        remove(w).await;
        for bad in [
            json!({ "mode": "later" }),
            json!({ "wait_ms": -1 }),
            json!({ "wait_ms": 60_001 }),
            json!({ "wait": 5 }),
            json!({ "dry_run": true, "plan_token": "x" }),
            json!({ "if_epoch": "x" }),
            json!([]),
        ] {
            assert_eq!(reason(&purge(w, bad.clone(), 400).await), ("ERR", "BAD_REQUEST"), "{bad}");
        }
        for stale in [json!({ "if_epoch": 0 }), json!({ "plan_token": "1-2" })] {
            assert_eq!(code(&purge(w, stale.clone(), 412).await), "EPOCHCHANGED", "{stale}");
        }
        assert_eq!(w.get(USERS).await["state"], "removed");
        for (target, status) in [
            ("/v1/members/x/fence", 400),
            ("/v1/members/00000000000000000000000000000000/fence", 404),
            ("/v1/members/00000000000000000000000000000000/fenced", 404),
        ] {
            w.ask("POST", target, json!({}), status).await;
        }
        for target in ["/v1/barrier/x", "/v1/barrier/-1", "/v1/deletions/x"] {
            w.ask("GET", target, Value::Null, 400).await;
        }
    }

    /// What holds one thing inside holds the whole: BX-22.
    async fn a_guard_inside_keeps_a_bucket(w: World) {
        let id = users(w).await;
        w.put_as(id, "kept", |put| put.guard = Guard { until: Some(Time::NEVER), ..Guard::NONE }).await;
        let refused = w.ask("POST", &format!("{USERS}/remove"), json!({}), 403).await;
        assert_eq!(reason(&refused), ("ERR", "PROTECTED"));
        assert!(refused["error"]["message"].as_str().unwrap().starts_with("1 versions inside"), "{refused}");
        assert_eq!(w.get(USERS).await["state"], "live");
    }

    async fn members_and_their_barrier_are_shown(w: World) {
        let members = w.get("/v1/members").await;
        let me = &members["members"][0];
        assert_eq!((&me["this"], &me["state"]), (&json!(true), &json!("active")));
        assert_eq!(me["id"], json!(w.gateway.metadata.member_id().to_string()));
        let barrier = w.get("/v1/barrier").await;
        assert_eq!((&barrier["satisfied"], &barrier["epoch"]), (&json!(true), &w.get("/v1/members").await["epoch"]));
        let far = w.get("/v1/barrier/1000000").await;
        assert_eq!((&far["satisfied"], far["waiting"].as_array().map(Vec::len)), (&json!(false), Some(1)));
        let text = w.ask_as(None, "GET", "/metrics", "").await;
        let text = String::from_utf8(text.body).unwrap();
        for line in ["barrow_members{state=\"active\"} 1", "barrow_serving 1", "barrow_database_up 1", "barrow_holdouts 0"] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }
}

/// A member that may not answer says so with a code of its own, and its probe says that it is not ready; what it counts itself
/// it still tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fenced_member_says_so() {
    let db = Database::postgres().await;
    let settings = db.settings();
    let w = World::on(db).await;
    w.bucket("photos").await;
    w.gateway.metadata.goodbye().await.unwrap();
    let refused = w.ask_as(Some(ROOT), "GET", BUCKETS, "").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(code(&serde_json::from_slice(&refused.body).unwrap()), "FENCED");
    assert_eq!(w.ask_as(None, "GET", "/readyz", "").await.status, 503);
    assert_eq!(w.ask_as(None, "GET", "/healthz", "").await.status, 200);
    let metrics = w.ask_as(None, "GET", "/metrics", "").await;
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(
        metrics.status == 200 && text.contains("barrow_serving 0") && text.contains("barrow_database_up 0"),
        "{text}"
    );
    // Another member serves what this one does not.
    let settings = Settings { member: Default::default(), ..settings };
    let other = Metadata::open(&settings, w.clock.clone()).await.unwrap();
    let domain = other.default_domain().unwrap();
    assert_eq!(other.bucket_named(domain, "photos").await.unwrap().unwrap().state, State::Live);
}
