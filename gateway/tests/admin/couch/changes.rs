//! `_changes`: in CouchDB's words what the operators' door tells, too.

use super::{post, put, told, two_branches};
use crate::common::World;
use lifecycle::{Clock, SystemClock};
use serde_json::{Value, json};
use std::time::Duration;

const CHANGES: &str = "/_couch/photos/_changes";

async fn get(w: &World, arguments: &str) -> Value {
    told(w, "GET", &format!("{CHANGES}{arguments}"), Value::Null, 200).await
}

#[tokio::test]
async fn each_name_is_told_once_as_it_is_now() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    put(&w, bucket, "a", 1).await;
    let a = put(&w, bucket, "a", 2).await;
    put(&w, bucket, "b", 1).await;
    w.delete(bucket, "b").await;
    let page = get(&w, "").await;
    assert_eq!((&page["last_seq"], &page["pending"], &page["purge_seq"]), (&json!(4), &json!(0), &json!(0)));
    assert_eq!(page["results"][0], json!({ "seq": 2, "id": "a", "changes": [{ "rev": a }] }));
    let gone = &page["results"][1];
    assert_eq!((&gone["id"], &gone["seq"], &gone["deleted"]), (&json!("b"), &json!(4), &json!(true)));
    assert!(gone["changes"][0]["rev"].as_str().unwrap().starts_with("2-"));
    assert_eq!(get(&w, "?limit=1").await["pending"], 2);
    assert_eq!(get(&w, "?since=2&limit=0").await["results"][0]["id"], "b");
    let now = get(&w, "?since=now").await;
    assert_eq!((&now["results"], &now["last_seq"]), (&json!([]), &json!(4)));
    let doc = get(&w, "?include_docs=true").await["results"][0]["doc"].clone();
    assert_eq!((&doc["_id"], &doc["_rev"], &doc["size"]), (&json!("a"), &json!(a), &json!(4)));
    assert_eq!(post(&w, CHANGES, json!({})).await, page);
}

#[tokio::test]
async fn all_ends_are_told_to_whoever_asks() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    w.versioning(bucket, "enabled").await;
    let [loser, winner] = two_branches(&w, bucket, "x").await;
    let revs = async |arguments: &str| get(&w, arguments).await["results"][0]["changes"].clone();
    assert_eq!(revs("?style=all_docs").await, json!([{ "rev": winner }, { "rev": loser }]));
    assert_eq!(revs("?style=main_only").await, json!([{ "rev": winner }]));
}

#[tokio::test]
async fn a_purge_moves_the_feed_and_leaves_no_entry() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let rev = put(&w, bucket, "a", 1).await;
    post(&w, "/_couch/photos/_purge", json!({ "a": [rev], "nobody": ["1-x"] })).await;
    let page = get(&w, "").await;
    assert_eq!((&page["results"], &page["purge_seq"]), (&json!([]), &json!(2)));
    assert_eq!(page["last_seq"], 2, "one request, one change");
    let told = w.get("/v1/domains/barrow.local/buckets/photos/purges?since=0").await;
    let first = &told["purges"][0];
    assert_eq!(
        (&first["name"], &first["purged"], &first["door"]),
        (&json!("a"), &json!([rev]), &json!("couch"))
    );
    assert_eq!(told["purges"][1]["purged"], json!([]));
}

#[tokio::test]
async fn whoever_polls_is_answered_by_the_next_change() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    put(&w, bucket, "a", 1).await;
    let began = SystemClock.boot();
    assert_eq!(get(&w, "?feed=longpoll&since=1&timeout=50").await["results"], json!([]));
    let writing = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        put(&w, bucket, "b", 1).await;
    };
    let (page, ()) = tokio::join!(get(&w, "?feed=longpoll&since=now"), writing);
    assert_eq!(page["results"][0]["id"], "b");
    assert!(SystemClock.boot() - began < Duration::from_secs(20), "it was woken");
}

#[tokio::test]
async fn what_is_not_honoured_is_refused() {
    let w = World::new().await;
    w.bucket("photos").await;
    for (arguments, said) in [
        ("?feed=continuous", "allowed are normal, longpoll"),
        ("?feed=eventsource", "allowed are normal, longpoll"),
        ("?style=some", "allowed are main_only, all_docs"),
        ("?since=yesterday", "a number from 0 on and now"),
        ("?since=-1", "a number from 0 on and now"),
        ("?timeout=60001", "a number from 0 to 60000"),
        ("?filter=_doc_ids", "is not known"),
        ("?descending=true", "is not known"),
    ] {
        let refused = told(&w, "GET", &format!("{CHANGES}{arguments}"), Value::Null, 400).await;
        let reason = refused["reason"].as_str().unwrap();
        assert!(refused["error"] == "bad_request" && reason.contains(said), "{arguments}: {reason}");
    }
    told(&w, "POST", CHANGES, json!({ "doc_ids": ["a"] }), 400).await;
    let gone = told(&w, "GET", &format!("{CHANGES}?since=7"), Value::Null, 410).await;
    assert_eq!(gone["error"], "gone");
    assert_eq!(told(&w, "GET", "/_couch/nothing/_changes", Value::Null, 404).await["error"], "not_found");
}
