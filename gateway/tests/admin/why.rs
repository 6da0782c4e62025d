//! The question why, of names, versions, buckets and domains, on both engines.

use crate::common::{DAY, ROOT, World};
use crate::{BUCKETS, code};
use lifecycle::{ContainerId, Guard};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::Database;

async fn both(case: impl AsyncFn(World, ContainerId)) {
    for db in Database::both().await {
        let w = World::on(db).await;
        let bucket = w.bucket("photos").await;
        case(w, bucket).await;
    }
}

fn kinds(why: &Value) -> Vec<&str> {
    why["blocks"].as_array().unwrap().iter().map(|block| block["kind"].as_str().unwrap()).collect()
}

fn roles(why: &Value) -> Vec<&str> {
    why["versions"].as_array().unwrap().iter().map(|version| version["is"].as_str().unwrap()).collect()
}

fn answer(why: &Value) -> &str {
    why["answer"].as_str().unwrap()
}

const X: &str = "/v1/why?bucket=photos&name=x";

#[tokio::test]
async fn a_name_is_told_from_its_birth_to_its_tombstone() {
    both(async |w, bucket| {
        let nothing = w.ask("GET", X, Value::Null, 404).await;
        let message = nothing["error"]["message"].as_str().unwrap();
        assert!(message.contains("tombstones") && message.contains("barrow.local/photos"), "{message}");

        w.put(bucket, "x").await;
        let live = w.get(X).await;
        assert_eq!((answer(&live), roles(&live)), ("It is live and current.", vec!["current"]));
        assert_eq!((&live["space"]["expected_at"], &live["restore"]), (&Value::Null, &Value::Null));

        w.clock.advance(Duration::from_secs(60));
        w.put(bucket, "x").await;
        w.clock.advance(Duration::from_secs(60));
        w.delete(bucket, "x").await;
        let gone = w.get(X).await;
        assert_eq!((roles(&gone), kinds(&gone)), (vec!["removed", "removed"], vec!["grace", "drain"]));
        let newest = gone["versions"][0]["version"].as_str().unwrap();
        assert_eq!(gone["versions"][0]["cause"], "delete", "the one removed last stands first");
        assert_eq!(
            (&gone["by"], &gone["cause"], &gone["since"], &gone["restorable_until"]),
            (
                &json!("test"),
                &json!("delete"),
                &json!("2026-03-03T09:02:00.000Z"),
                &json!("2026-03-04T09:02:00.000Z")
            )
        );
        let restore = format!("barrow trash restore barrow.local/photos --version {newest}");
        assert_eq!((&gone["restorable"], &gone["restore"]), (&json!(true), &json!(restore)));
        assert_eq!(gone["space"]["expected_at"], "2026-03-04T09:02:00.000Z");
        assert!(
            answer(&gone).contains(&restore) && answer(&gone).contains("space is expected back at"),
            "{gone}"
        );
        assert_eq!(w.get(&format!("/v1/why?id={newest}")).await["answer"], gone["answer"]);
        assert_eq!(w.get(&format!("{X}&version={newest}")).await["version"], newest);

        w.clock.advance(2 * DAY);
        let due = w.get(X).await;
        // Two wait, and nobody has measured anything.
        assert_eq!((kinds(&due), &due["space"]["expected_at"]), (vec!["backlog"], &Value::Null));
        let report = json!({ "purged": 10 });
        let now = lifecycle::Clock::now(&*w.clock);
        let began = now.minus(Duration::from_secs(10));
        let next = Some(now.plus(Duration::from_secs(60)));
        w.gateway.metadata.record_task("reclaim", began, now, next, &report).await.unwrap();
        let due = w.get(X).await;
        assert_eq!(
            due["space"]["expected_at"], "2026-03-05T09:03:02.000Z",
            "the next run, and two at one a second"
        );

        w.reclaim().await;
        let purged = w.get(X).await;
        assert_eq!((roles(&purged), kinds(&purged)), (vec!["tombstone", "tombstone"], vec![]));
        assert_eq!((&purged["state"], &purged["restore"]), (&json!("purged"), &Value::Null));
        assert!(answer(&purged).contains("purged at 2026-03-05T09:02:00.000Z"), "{purged}");
    })
    .await;
}

#[tokio::test]
async fn guards_holds_and_halts_are_named_beside_the_grace() {
    both(async |w, bucket| {
        let until = lifecycle::Clock::now(&*w.clock).plus(30 * DAY);
        // Guarded content cannot be deleted; a bucket may be removed with what will be guarded only later.
        w.put_as(bucket, "x", |put| {
            put.guard = Guard { from: Some(until.minus(29 * DAY)), until: Some(until), hold: false };
        })
        .await;
        w.delete(bucket, "x").await;
        w.gateway.metadata.halt_purging("the clock ran ahead".to_owned()).await.unwrap();
        let why = w.get(X).await;
        assert_eq!(kinds(&why), ["grace", "guard", "halted", "drain"]);
        assert_eq!(why["blocks"][1]["until"], until.to_rfc3339());
        assert_eq!(why["blocks"][2]["until"], Value::Null);
        assert_eq!(why["space"]["expected_at"], Value::Null);
        assert!(why["space"]["reason"].as_str().unwrap().contains("the clock ran ahead"), "{why}");

        w.post("/v1/resume", json!({})).await;
        let reason = format!("{} at least 9 objects", metadata::BRAKE_SAYS);
        w.gateway.metadata.halt_purging(reason).await.unwrap();
        assert_eq!(kinds(&w.get(X).await), ["grace", "guard", "brake", "drain"]);
        w.post("/v1/resume", json!({})).await;
        assert_eq!(w.get(X).await["space"]["expected_at"], until.to_rfc3339());

        w.put_as(bucket, "held", |put| put.guard = Guard { hold: true, ..Guard::NONE }).await;
        let held = w.get("/v1/why?bucket=photos&name=held").await;
        assert_eq!((&held["state"], kinds(&held)), (&json!("live"), vec!["hold"]));
    })
    .await;
}

#[tokio::test]
async fn what_went_with_its_bucket_tells_who_removed_that_and_what_comes_first() {
    both(async |w, bucket| {
        w.put(bucket, "x").await;
        w.put(bucket, "y").await;
        w.delete(bucket, "y").await;
        w.post(&format!("{BUCKETS}/photos/remove"), json!({ "reason": "moved", "grace": "default" })).await;
        let restore = format!("barrow bucket restore barrow.local/{bucket}");
        let why = w.get(X).await;
        assert_eq!(
            (&why["state"], &why["own_state"], kinds(&why)),
            (&json!("removed"), &json!("live"), vec!["container"])
        );
        assert_eq!(
            (&why["by"], &why["door"], &why["reason"], &why["restorable"], &why["restore"]),
            (&json!("root"), &json!("admin"), &json!("moved"), &json!(false), &json!(restore))
        );
        assert_eq!(why["space"]["expected_at"], "2026-03-10T09:00:00.000Z");
        let own = w.get("/v1/why?bucket=photos&name=y").await;
        assert_eq!(kinds(&own), ["grace", "container", "drain"]);

        let of_bucket = w.get("/v1/why?bucket=photos").await;
        assert_eq!(w.get(&format!("/v1/why?id={bucket}")).await, of_bucket);
        assert_eq!(w.get(&format!("/v1/why?bucket={bucket}&domain=barrow.local")).await, of_bucket);
        assert_eq!((&of_bucket["kind"], kinds(&of_bucket)), (&json!("bucket"), vec!["grace", "drain"]));
        assert_eq!((&of_bucket["restorable"], &of_bucket["restore"]), (&json!(true), &json!(restore)));
        let text = answer(&of_bucket);
        for part in
            ["by root (recursive) through the admin door: \"moved\"", "with 2 objects of 8 bytes", &restore]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        w.post(&format!("{BUCKETS}/photos/restore"), json!({})).await;
        assert_eq!(w.get(X).await["answer"], "It is live and current.");
    })
    .await;
}

#[tokio::test]
async fn a_domain_is_asked_about_and_what_is_in_it_comes_back_from_the_outside_in() {
    both(async |w, _| {
        w.ask("POST", "/v1/domains", json!({ "name": "acme.example" }), 201).await;
        let made = w.ask("POST", "/v1/domains/acme.example/buckets", json!({ "name": "b" }), 201).await;
        w.post("/v1/domains/acme.example/buckets/b/remove", json!({})).await;
        w.post("/v1/domains/acme.example/remove", json!({ "grace": "none until purged" })).await;
        let domain = w.get("/v1/why?domain=acme.example").await;
        assert_eq!((&domain["kind"], &domain["blocks"][0]["until"]), (&json!("domain"), &Value::Null));
        assert_eq!(domain["space"]["expected_at"], Value::Null);
        let restore = format!("barrow domain restore {}", domain["id"].as_str().unwrap());
        assert_eq!(domain["restore"], restore);
        let bucket = w.get(&format!("/v1/why?id={}", made["id"].as_str().unwrap())).await;
        assert_eq!((&bucket["restore"], &bucket["restorable"]), (&json!(restore), &json!(false)));
        assert_eq!(kinds(&bucket), ["grace", "container", "drain"]);
    })
    .await;
}

#[tokio::test]
async fn markers_covered_and_expired_versions_say_so() {
    both(async |w, bucket| {
        let now = lifecycle::Clock::now(&*w.clock);
        w.put_as(bucket, "brief", |put| put.expires_at = Some(now.plus(DAY))).await;
        w.versioning(bucket, "enabled").await;
        w.put(bucket, "x").await;
        w.put(bucket, "x").await;
        let covered = w.get(X).await;
        assert_eq!(roles(&covered), ["current", "covered"]);
        w.delete(bucket, "x").await;
        let hidden = w.get(X).await;
        assert_eq!(roles(&hidden), ["marker", "covered", "covered"]);
        assert!(answer(&hidden).contains("delete marker"), "{hidden}");
        w.clock.advance(2 * DAY);
        let brief = w.get("/v1/why?bucket=photos&name=brief").await;
        assert_eq!(roles(&brief), ["expired"]);
        assert!(answer(&brief).contains("has not removed it yet"), "{brief}");
    })
    .await;
}

#[tokio::test]
async fn what_an_emptying_took_out_is_told_with_what_brings_it_back() {
    both(async |w, bucket| {
        w.put(bucket, "x").await;
        let emptied = w.post(&format!("{BUCKETS}/photos/empty"), json!({ "reason": "afresh" })).await;
        let contents = emptied["contents"].as_str().unwrap();
        let why = w.get(X).await;
        assert_eq!((&why["state"], kinds(&why)), (&json!("removed"), vec!["container"]));
        assert_eq!(why["restore"], format!("barrow trash restore barrow.local/photos --contents {contents}"));
        assert_eq!((&why["by"], &why["reason"]), (&json!("root"), &json!("afresh")));
    })
    .await;
}

#[tokio::test]
async fn a_question_is_read_strictly_and_answered_to_who_may_ask() {
    let w = World::new().await;
    let (photos, music) = (w.bucket("photos").await, w.bucket("music").await);
    let version = w.put(photos, "x").await;
    w.put(music, "x").await;
    for bad in [
        "",
        "name=x",
        "version=1",
        "bucket=photos&version=1",
        "id=x",
        &format!("id={photos}&bucket=b"),
        "x=y",
    ] {
        w.ask("GET", &format!("/v1/why?{bad}"), Value::Null, 400).await;
    }
    for unknown in [
        "bucket=nothing".to_owned(),
        "domain=nowhere".to_owned(),
        format!("id={}", "0".repeat(32)),
        format!("bucket=music&version={version}"),
        format!("bucket=photos&name=y&version={version}"),
    ] {
        let refused = w.ask("GET", &format!("/v1/why?{unknown}"), Value::Null, 404).await;
        assert_eq!(code(&refused), "Unknown", "{unknown}");
        assert!(refused["error"]["message"].as_str().unwrap().contains("looked"), "{refused}");
    }
    let order = json!({ "rights": "admin", "domain": "barrow.local", "bucket": "photos" });
    let key = w.ask("POST", "/v1/keys", order, 201).await;
    let key = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
    for (target, status) in [
        (X.to_owned(), 200),
        ("/v1/why?bucket=photos".to_owned(), 200),
        ("/v1/why?bucket=music&name=x".to_owned(), 403),
        ("/v1/why?domain=barrow.local".to_owned(), 403),
        (format!("/v1/why?id={version}"), 403),
    ] {
        assert_eq!(w.ask_as(Some(key), "GET", &target, "").await.status, status, "{target}");
    }
    assert_eq!(w.ask_as(Some(ROOT), "GET", X, "").await.status, 200);
}
