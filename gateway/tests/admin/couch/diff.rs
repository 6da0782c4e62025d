//! `_missing_revs` and `_revs_diff`.

use super::{ask, ends, post, put, read, two_branches};
use crate::common::{ROOT, World};
use serde_json::json;

const DIFF: &str = "/_couch/photos/_revs_diff";
const MISSING: &str = "/_couch/photos/_missing_revs";

/// CP-37, CP-38, CP-41, CP-44.
#[tokio::test]
async fn what_is_unknown_is_missing_and_what_is_not_asked_is_not_told() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    for body in [json!({}), json!({ "a": [], "nope": [] })] {
        assert_eq!(post(&w, DIFF, body.clone()).await, json!({}));
        assert_eq!(post(&w, MISSING, body).await, json!({ "missing_revs": {} }));
    }
    assert_eq!(
        post(&w, DIFF, json!({ "nope": ["1-rev"] })).await,
        json!({ "nope": { "missing": ["1-rev"] } })
    );
    put(&w, bucket, "x", 1).await;
    assert_eq!(post(&w, DIFF, json!({ "x": ["1-pqr"] })).await, json!({ "x": { "missing": ["1-pqr"] } }));
}

/// CP-39, CP-40, CP-44.
#[tokio::test]
async fn ends_with_smaller_numbers_are_possible_ancestors() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    w.versioning(bucket, "enabled").await;
    let [b, c] = two_branches(&w, bucket, "x").await;
    assert_eq!(post(&w, DIFF, json!({ "x": [b, c] })).await, json!({}));
    let asked = json!({ "x": [b, "1-xyz", "2-def", "3-klm"] });
    let missing = json!(["1-xyz", "2-def", "3-klm"]);
    let told = post(&w, DIFF, asked.clone()).await;
    assert_eq!(told, json!({ "x": { "missing": missing, "possible_ancestors": [c, b] } }));
    assert_eq!(post(&w, MISSING, asked).await, json!({ "missing_revs": { "x": missing } }));
}

/// CP-42, CP-43.
#[tokio::test]
async fn a_deleted_end_is_one_like_any_other() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let mut revs = Vec::new();
    for letter in 1..=4 {
        revs.push(put(&w, bucket, "x", letter).await);
    }
    let told = post(&w, DIFF, json!({ "x": ["3-bb", revs[3], "5-06"] })).await;
    assert_eq!(told, json!({ "x": { "missing": ["3-bb", "5-06"], "possible_ancestors": [revs[3]] } }));
    assert_eq!(post(&w, DIFF, json!({ "x": revs })).await, json!({}), "ancestors are known");
    w.delete(bucket, "x").await;
    let gone = ends(&w, bucket, "x").await;
    assert!(gone[0].starts_with("5-"), "{gone:?}");
    let told = post(&w, DIFF, json!({ "x": ["6-q", gone[0]] })).await;
    assert_eq!(told, json!({ "x": { "missing": ["6-q"], "possible_ancestors": gone } }));
}

/// CP-45.
#[tokio::test]
async fn what_is_no_list_of_revisions_is_refused() {
    let w = World::new().await;
    w.bucket("photos").await;
    for target in [DIFF, MISSING] {
        for body in
            [json!({ "a": true }), json!({ "a": [true] }), json!({ "a": ["x"] }), json!([]), json!("a")]
        {
            let answer = ask(&w, "POST", target, &body).await;
            assert_eq!(
                (answer.status, &read(&answer)["error"]),
                (400, &json!("bad_request")),
                "{target} {body}"
            );
        }
        let answer = w.ask_with(Some(ROOT), "POST", target, &[], "{}").await;
        assert_eq!(answer.status, 415);
        let many: serde_json::Map<String, serde_json::Value> =
            (0..10_001).map(|at| (format!("n{at}"), json!([]))).collect();
        let answer = ask(&w, "POST", target, &json!(many)).await;
        assert_eq!(answer.status, 400);
    }
}

/// A peer that asks whether what it has was purged here need not send it again.
#[tokio::test]
async fn what_was_purged_is_told_on_request() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let rev = put(&w, bucket, "x", 1).await;
    post(&w, "/_couch/photos/_purge", json!({ "x": [rev] })).await;
    let asked = json!({ "x": [rev, "2-y"] });
    assert_eq!(post(&w, DIFF, asked.clone()).await, json!({ "x": { "missing": [rev, "2-y"] } }));
    let told = post(&w, &format!("{DIFF}?purged=true"), asked).await;
    assert_eq!(told, json!({ "x": { "missing": [rev, "2-y"], "purged": [rev] } }));
}
