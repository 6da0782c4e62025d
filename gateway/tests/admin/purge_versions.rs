//! Purging versions in the operators' own words.

use crate::common::{ROOT, World};
use crate::{code, reason};
use lifecycle::{ContainerId, Guard, Right};
use serde_json::{Value, json};

const PURGE: &str = "/v1/domains/barrow.local/buckets/photos/versions/purge";

async fn filled(w: &World, names: &[&str]) -> ContainerId {
    let bucket = w.bucket("photos").await;
    w.versioning(bucket, "enabled").await;
    for name in names {
        w.put(bucket, name).await;
    }
    bucket
}

async fn names(w: &World, bucket: ContainerId) -> Vec<String> {
    w.current(bucket).await.into_keys().collect()
}

#[tokio::test]
async fn what_is_meant_goes_and_the_answer_says_all_of_it() {
    let w = World::new().await;
    let bucket = filled(&w, &["kv/a", "kv/b", "kv/a", "other", "kv/c/d"]).await;
    let would = w.post(PURGE, json!({ "filter": "kv/*", "dry_run": true })).await;
    assert_eq!((&would["purged"], &would["bytes"], &would["dry_run"]), (&json!(3), &json!(12), &json!(true)));
    let done = w.post(PURGE, json!({ "filter": "kv/*", "expect_count": 3, "reason": "old" })).await;
    assert_eq!((&done["purged"], &done["bytes"], &done["protected"]), (&json!(3), &json!(12), &json!(0)));
    assert_eq!((&done["state"], &done["purge_seq"]), (&json!("done"), &json!(1)));
    assert_eq!((&done["first_seq"], &done["last_seq"], &done["upto_seq"]), (&json!(4), &json!(5), &json!(5)));
    assert_eq!(done["selector"], json!({ "filter": "kv/*" }));
    assert_eq!(names(&w, bucket).await, ["kv/c/d", "other"]);
    let record = w.get(&format!("/v1/deletions/{}", done["deletion_id"].as_str().unwrap())).await;
    assert_eq!(
        (&record["kind"], &record["objects"], &record["bucket_id"]),
        (&json!("versions"), &json!(3), &json!(bucket))
    );
    assert_eq!(
        (&record["domain"], &record["reason"], &record["name"]),
        (&json!("barrow.local"), &json!("old"), &json!("photos"))
    );
    assert_eq!(record["purge"], done);
    let listed = w.get("/v1/deletions").await;
    assert_eq!(listed["items"][0]["kind"], "versions");
    assert_eq!(w.get("/v1/trash").await["containers"], json!([]));
    let whole = w.post(PURGE, json!({ "filter": ">" })).await;
    assert_eq!((&whole["purged"], &whole["first_seq"]), (&json!(2), &json!(6)));
    let trash = w.get("/v1/trash").await;
    assert_eq!(trash["containers"][0]["kind"], "contents");
    let contents = trash["containers"][0]["id"].as_str().unwrap().to_owned();
    let back = format!("/v1/domains/barrow.local/buckets/photos/contents/{contents}/restore");
    w.post(&back, json!({})).await;
    assert_eq!(names(&w, bucket).await, ["kv/c/d", "other"]);
    w.check().await;
}

#[tokio::test]
async fn what_is_not_clear_is_refused() {
    let w = World::new().await;
    let bucket = filled(&w, &["a", "b"]).await;
    for order in [
        json!({}),
        json!({ "filter": "" }),
        json!({ "filter": "a*" }),
        json!({ "filter": "a/>/b" }),
        json!({ "prefix": "" }),
        json!({ "filter": "a", "prefix": "a" }),
        json!({ "filter": "a", "names": ["a"] }),
        json!({ "filter": "a", "keep": 1, "keep_per_name": 1 }),
        json!({ "filter": "a", "keep": 0 }),
        json!({ "filter": "a", "before_seq": 0 }),
        json!({ "filter": "a", "before_seq": 9 }),
        json!({ "filter": "a", "before_seq": 9, "advance": true }),
        json!({ "filter": ">", "advance": true }),
        json!({ "filter": "a", "older_than": "a while" }),
        json!({ "filter": "a", "scope": "branch" }),
        json!({ "filter": "a", "markers": "skip" }),
        json!({ "filter": "a", "purge_id": "1" }),
        json!({ "names": [] }),
        json!({ "names": [""] }),
        json!({ "names": { "a": ["1-00"] }, "scope": "version" }),
        json!({ "names": { "a": [] }, "scope": "version" }),
        json!({ "names": { "a": ["1-00000000000000000000000000000000"] } }),
        json!({ "filter": "a", "subject": "b" }),
        json!([]),
    ] {
        let answer = w.ask("POST", PURGE, order.clone(), 400).await;
        assert_eq!(reason(&answer), ("ERR", "BAD_REQUEST"), "{order}");
    }
    let counted = w.ask("POST", PURGE, json!({ "filter": ">", "expect_count": 3 }), 412).await;
    assert_eq!(code(&counted), "COUNTCHANGED");
    assert_eq!(names(&w, bucket).await, ["a", "b"]);
    w.post("/v1/domains/barrow.local/buckets/photos/remove", json!({})).await;
    let gone = w.ask("POST", PURGE, json!({ "filter": ">" }), 409).await;
    assert_eq!(code(&gone), "BUCKETBEINGREMOVED");
    let unknown = "/v1/domains/barrow.local/buckets/nothing/versions/purge";
    assert_eq!(code(&w.ask("POST", unknown, json!({ "filter": ">" }), 404).await), "NOSUCHBUCKET");
}

#[tokio::test]
async fn the_same_id_is_the_same_purge() {
    let w = World::new().await;
    let bucket = filled(&w, &["a", "b", "a"]).await;
    let id = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    let order = json!({ "filter": "a", "purge_id": id, "expect_count": 2 });
    let first = w.post(PURGE, order.clone()).await;
    w.put(bucket, "a").await;
    assert_eq!(w.post(PURGE, order).await, first);
    w.ask("POST", PURGE, json!({ "filter": "b", "purge_id": id }), 400).await;
    assert_eq!(names(&w, bucket).await, ["a", "b"]);
}

#[tokio::test]
async fn revisions_and_bounds() {
    let w = World::new().await;
    let bucket = filled(&w, &["a", "a", "b", "a"]).await;
    let at = w.gateway.metadata.at_position(bucket, 4).await.unwrap().unwrap();
    let rev = at.revision.unwrap().to_string();
    let done = w.post(PURGE, json!({ "names": { "a": [rev] }, "scope": "version", "final": true })).await;
    assert_eq!(
        (&done["purged"], &done["final"], &done["reclaim"]),
        (&json!(1), &json!(true), &json!("pending"))
    );
    assert_eq!(names(&w, bucket).await, ["a", "b"]);
    assert_eq!(w.post(PURGE, json!({ "filter": ">", "keep_per_name": 1 })).await["purged"], 1);
    assert_eq!(w.post(PURGE, json!({ "names": ["a", "x"], "older_than": "1h" })).await["purged"], 0);
    let ahead = w.post(PURGE, json!({ "filter": ">", "before_seq": 50, "advance": true })).await;
    assert_eq!(
        (&ahead["purged"], &ahead["first_seq"], &ahead["last_seq"]),
        (&json!(2), &json!(50), &json!(49))
    );
    let held = Guard { hold: true, ..Guard::NONE };
    w.put_as(bucket, "c", |put| put.guard = held).await;
    let kept = w.post(PURGE, json!({ "prefix": "c" })).await;
    assert_eq!((&kept["purged"], &kept["protected"]), (&json!(0), &json!(1)));
    w.check().await;
}

#[tokio::test]
async fn branches_go_with_what_they_come_from() {
    let w = World::new().await;
    let bucket = filled(&w, &["a", "a", "a", "b", "b", "c"]).await;
    let rev = async |seq| {
        let at = w.gateway.metadata.at_position(bucket, seq).await.unwrap().unwrap();
        at.revision.unwrap().to_string()
    };
    let (middle, end) = (rev(2).await, rev(3).await);
    for order in [
        json!({ "names": { "a": [end] }, "scope": "branch" }),
        json!({ "names": { "a": [end] }, "scope": "all", "final": true }),
        json!({ "names": ["a"], "scope": "branch", "final": true }),
        json!({ "filter": "a", "scope": "branch", "final": true }),
        json!({ "names": ["a"], "scope": "all", "final": true, "keep": 1 }),
        json!({ "names": ["a"], "scope": "all", "final": true, "expect_count": 3 }),
        json!({ "names": ["a", "b"], "scope": "all", "final": true, "purge_id": "7".repeat(32) }),
    ] {
        let answer = w.ask("POST", PURGE, order.clone(), 400).await;
        assert_eq!(reason(&answer), ("ERR", "BAD_REQUEST"), "{order}");
    }
    let order = json!({ "names": { "a": [end, middle] }, "scope": "branch", "final": true });
    let mut would = order.clone();
    would["dry_run"] = true.into();
    assert_eq!(w.post(PURGE, would).await["purged"], 3);
    assert_eq!(names(&w, bucket).await, ["a", "b", "c"]);
    // What is not an end of its tree does not count; the end takes along what it alone comes from.
    let done = w.post(PURGE, order).await;
    assert_eq!(
        (&done["purged"], &done["final"], &done["names"]),
        (&json!(3), &json!(true), &json!({ "a": [end] }))
    );
    assert_eq!(names(&w, bucket).await, ["b", "c"]);
    let held = Guard { hold: true, ..Guard::NONE };
    w.put_as(bucket, "d", |put| put.guard = held).await;
    let done = w.post(PURGE, json!({ "names": ["b", "d", "x"], "scope": "all", "final": true })).await;
    assert_eq!(done["purged"], 2, "{done}");
    assert!(done["protected"]["d"].as_str().is_some_and(|why| why.contains("hold")), "{done}");
    assert_eq!(names(&w, bucket).await, ["c", "d"]);
    w.check().await;
}

#[tokio::test]
async fn only_what_is_under_way_can_be_stopped() {
    let w = World::new().await;
    filled(&w, &["a"]).await;
    let done = w.post(PURGE, json!({ "filter": "a" })).await;
    let id = done["deletion_id"].as_str().unwrap();
    let cancel = format!("/v1/deletions/{id}/cancel");
    assert_eq!(code(&w.ask("POST", &cancel, Value::Null, 409).await), "PurgeEnded");
    let none = format!("/v1/deletions/{}/cancel", "7".repeat(32));
    w.ask("POST", &none, Value::Null, 404).await;
    // One that is too large for its first transaction is under way.
    let bucket = w.bucket("many").await;
    let names: Vec<String> = (0..3_000).map(|n| format!("kv/{n}")).collect();
    for name in &names {
        w.put(bucket, name).await;
    }
    let order = metadata::PurgeVersions {
        domain: w.domain(),
        bucket,
        selector: metadata::PurgeSelector {
            names: metadata::PurgeNames::Prefix("kv/".to_owned()),
            bound: None,
        },
        is_final: false,
        advance: false,
        grace: crate::common::DAY,
        purge_id: None,
        if_change: None,
        door: "test",
        actor: "test".to_owned(),
        reason: None,
    };
    let metadata::Accepted::Begun(job) = w.gateway.metadata.purge_versions(order).await.unwrap() else {
        panic!()
    };
    w.key("other", &[Right::Remove, Right::Restore, Right::Delete]).await;
    let cancel = format!("/v1/deletions/{}/cancel", job.id);
    assert_eq!(w.ask_as(Some(("other", "secret")), "POST", &cancel, "").await.status, 403);
    let shown = w.get(&format!("/v1/deletions/{}", job.id)).await;
    assert_eq!(shown["purge"]["state"], "running");
    let stopped = w.ask_as(Some(ROOT), "POST", &cancel, "").await;
    assert_eq!(stopped.status, 200);
    let shown = w.get(&format!("/v1/deletions/{}", job.id)).await;
    assert_eq!((&shown["purge"]["state"], &shown["objects"]), (&json!("cancelled"), &json!(job.purged)));
    w.check().await;
}

/// Beyond a number of versions nobody is kept waiting: it goes on by itself, and its deletion tells how far it is.
#[tokio::test]
async fn a_large_purge_is_not_waited_for() {
    let w = World::set(|settings| settings.purge_waited_for = 1_000).await;
    let bucket = w.bucket("photos").await;
    w.versioning(bucket, "enabled").await;
    for number in 0..1_200 {
        w.put_without_bytes(bucket, &format!("kv/{number}")).await;
    }
    w.put(bucket, "other").await;
    let begun = w.ask("POST", PURGE, json!({ "filter": "kv/*" }), 202).await;
    assert_eq!(begun["state"], "running", "{begun}");
    let purged = begun["purged"].as_u64().unwrap();
    assert!((1_000..1_200).contains(&purged), "{begun}");
    let shown = async || w.get(&format!("/v1/deletions/{}", begun["deletion_id"].as_str().unwrap())).await;
    assert_eq!(shown().await["purge"]["state"], "running");
    // What is written meanwhile was not meant.
    w.put(bucket, "kv/late").await;
    w.process().await;
    let done = shown().await;
    assert_eq!((&done["purge"]["state"], &done["purge"]["purged"]), (&json!("done"), &json!(1_200)));
    assert_eq!(names(&w, bucket).await, ["kv/late", "other"]);
    w.check().await;
}

#[tokio::test]
async fn it_is_written_down_who_purged_what() {
    let w = World::new().await;
    filled(&w, &["a", "b"]).await;
    w.audit.take();
    w.post(PURGE, json!({ "filter": "a" })).await;
    w.ask_as(Some(ROOT), "POST", "/_js/api/STREAM.PURGE.photos", "").await;
    let records = w.audit.take();
    let told: Vec<_> = records.iter().map(|r| (r.operation, r.objects, r.bucket.as_deref())).collect();
    assert_eq!(
        told,
        [("PURGE_VERSIONS", Some(1), Some("photos")), ("PURGE_STREAM", Some(1), Some("photos"))]
    );
}
