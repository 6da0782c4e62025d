//! `_revs_limit` and `_purged_infos_limit`.

use super::{ask, post, put, read, told};
use crate::common::World;
use serde_json::{Value, json};

const REVS: &str = "/_couch/photos/_revs_limit";
const INFOS: &str = "/_couch/photos/_purged_infos_limit";

/// CP-31, CP-46, CP-49: a thousand unless something is said; nothing but a positive whole number is taken.
#[tokio::test]
async fn a_limit_is_a_positive_whole_number() {
    let w = World::new().await;
    w.bucket("photos").await;
    for target in [REVS, INFOS] {
        assert_eq!(told(&w, "GET", target, Value::Null, 200).await, 1_000);
        assert_eq!(told(&w, "PUT", target, json!(5), 200).await, json!({ "ok": true }));
        for bad in
            [json!(0), json!("2"), json!(-1), json!(1.5), json!([2]), json!({}), json!(u64::MAX), Value::Null]
        {
            let answer = ask(&w, "PUT", target, &bad).await;
            assert_eq!(
                (answer.status, &read(&answer)["error"]),
                (400, &json!("bad_request")),
                "{target} {bad}"
            );
        }
        let answer = ask(&w, "PUT", target, &json!("7".repeat(2_000))).await;
        assert_eq!((answer.status, &read(&answer)["error"]), (413, &json!("too_large")));
        assert_eq!(told(&w, "GET", target, Value::Null, 200).await, 5, "{target}");
    }
}

/// CP-46, CP-47: it holds for what is there already.
#[tokio::test]
async fn a_path_is_no_longer_than_the_limit() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let mut revs = Vec::new();
    for letter in 1..=6 {
        revs.push(put(&w, bucket, "x", letter).await);
    }
    let asked = json!({ "x": revs });
    assert_eq!(post(&w, "/_couch/photos/_missing_revs", asked.clone()).await, json!({ "missing_revs": {} }));
    told(&w, "PUT", REVS, json!(5), 200).await;
    let told = post(&w, "/_couch/photos/_missing_revs", asked).await;
    assert_eq!(told, json!({ "missing_revs": { "x": [revs[0]] } }));
}
