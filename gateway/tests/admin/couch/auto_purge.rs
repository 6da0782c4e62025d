//! `_auto_purge`.

use super::{ask, read, told};
use crate::common::World;
use serde_json::{Value, json};

const TTL: &str = "/_couch/photos/_auto_purge";

/// CP-55: what is said is kept, and nothing else is taken.
#[tokio::test]
async fn a_bucket_says_when_what_is_deleted_goes() {
    let w = World::new().await;
    w.bucket("photos").await;
    assert_eq!(told(&w, "GET", TTL, Value::Null, 200).await, json!({}));
    let set = json!({ "deleted_document_ttl": "90_min" });
    assert_eq!(told(&w, "PUT", TTL, set.clone(), 201).await, json!({ "ok": true }));
    for bad in [
        json!({}),
        json!([]),
        json!({ "deleted_document_ttl": 5 }),
        json!({ "deleted_document_ttl": "soon" }),
        json!({ "deleted_document_ttl": "0_min" }),
        json!({ "deleted_document_ttl": "1_hour", "other": 1 }),
    ] {
        let answer = ask(&w, "PUT", TTL, &bad).await;
        assert_eq!((answer.status, &read(&answer)["error"]), (400, &json!("bad_request")), "{bad}");
    }
    assert_eq!(told(&w, "GET", TTL, Value::Null, 200).await, set);
    told(&w, "PUT", TTL, json!({ "deleted_document_ttl": "infinity" }), 201).await;
    assert_eq!(told(&w, "GET", TTL, Value::Null, 200).await, json!({}));
    // Where nothing may be purged, nothing is promised to be.
    w.ask("PUT", "/v1/domains/barrow.local/buckets/photos/stream", json!({ "deny_purge": true }), 200).await;
    told(&w, "PUT", TTL, set, 403).await;
}
