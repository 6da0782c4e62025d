//! How the couch door speaks: methods, places, and what is not there.

use super::{JSON, ask, post, put, read, told};
use crate::common::{ROOT, World};
use serde_json::{Value, json};

/// CP-32.
#[tokio::test]
async fn each_call_has_its_methods_and_tells_them() {
    let w = World::new().await;
    w.bucket("photos").await;
    for (method, call, allow) in [
        ("PUT", "_purge", "POST"),
        ("GET", "_purge", "POST"),
        ("POST", "_purged_infos", "GET"),
        ("POST", "_purged_infos_limit", "GET, PUT"),
        ("DELETE", "_revs_limit", "GET, PUT"),
        ("GET", "_revs_diff", "POST"),
        ("PUT", "_missing_revs", "POST"),
    ] {
        let answer = ask(&w, method, &format!("/_couch/photos/{call}"), &json!({})).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{method} {call}");
        assert_eq!(read(&answer)["error"], "method_not_allowed");
    }
}

#[tokio::test]
async fn what_is_not_built_says_so_by_its_name() {
    let w = World::new().await;
    w.bucket("photos").await;
    for target in [
        "/_couch",
        "/_couch/",
        "/_couch/photos",
        "/_couch/photos/_compact",
        "/_couch/photos/_bulk_docs",
        "/_couch/photos/foo",
    ] {
        let refused = told(&w, "GET", target, Value::Null, 501).await;
        assert_eq!(refused["error"], "not_implemented");
        assert!(refused["reason"].as_str().unwrap().contains(target), "{refused}");
    }
    assert_eq!(w.ask("GET", "/_couchdb", Value::Null, 404).await["error"]["code"], "NoSuchPath");
}

/// A bucket that is removed is, to these clients, one that is not there.
#[tokio::test]
async fn what_is_not_there_or_not_any_more_is_not_found() {
    let w = World::new().await;
    w.bucket("photos").await;
    w.post("/v1/domains/barrow.local/buckets/photos/remove", json!({})).await;
    for bucket in ["photos", "nothing"] {
        for (method, call, body) in [
            ("POST", "_purge", json!({ "a": ["1-a"] })),
            ("GET", "_purged_infos", Value::Null),
            ("GET", "_revs_limit", Value::Null),
            ("PUT", "_purged_infos_limit", json!(1)),
            ("POST", "_revs_diff", json!({})),
        ] {
            let refused = told(&w, method, &format!("/_couch/{bucket}/{call}"), body, 404).await;
            assert_eq!(refused["error"], "not_found", "{bucket} {call}");
        }
    }
    told(&w, "GET", "/_couch/photos/_revs_limit?domain=nowhere", Value::Null, 404).await;
    told(&w, "GET", "/_couch/photos/_revs_limit?colour=red", Value::Null, 404).await;
    w.post("/v1/domains/barrow.local/buckets/photos/restore", json!({})).await;
    told(&w, "GET", "/_couch/photos/_revs_limit?colour=red", Value::Null, 400).await;
}

/// The domain is the Host's, if that is one; what is asked for goes before it.
#[tokio::test]
async fn the_domain_comes_from_host_or_argument() {
    let w = World::new().await;
    w.bucket("photos").await;
    w.ask("POST", "/v1/domains", json!({ "name": "acme.example" }), 201).await;
    w.ask("POST", "/v1/domains/acme.example/buckets", json!({ "name": "photos" }), 201).await;
    told(&w, "PUT", "/_couch/photos/_revs_limit?domain=acme.example", json!(7), 200).await;
    let limit = async |host: &str, target: &str| {
        let answer = w.ask_with(Some(ROOT), "GET", target, &[("host", host)], "").await;
        assert_eq!(answer.status, 200, "{host} {target}");
        read(&answer)
    };
    let here = "/_couch/photos/_revs_limit";
    assert_eq!(limit("acme.example", here).await, 7);
    assert_eq!(limit("ACME.example:9090", here).await, 7);
    assert_eq!(limit("barrow.local", here).await, 1_000);
    assert_eq!(limit("127.0.0.1:9090", here).await, 1_000, "no domain: the default one");
    assert_eq!(limit("acme.example", &format!("{here}?domain=barrow.local")).await, 1_000);
    assert_eq!(limit("barrow.local", &format!("{here}?domain=Acme.Example")).await, 7);
}

#[tokio::test]
async fn a_page_of_another_site_purges_nothing() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let rev = put(&w, bucket, "foo", 1).await;
    let body = json!({ "foo": [rev] }).to_string();
    let headers = [JSON[0], ("origin", "http://evil.example")];
    let answer = w.ask_with(Some(ROOT), "POST", "/_couch/photos/_purge", &headers, &body).await;
    assert_eq!((answer.status, &read(&answer)["error"]), (403, &json!("forbidden")));
    assert_eq!(w.current(bucket).await.len(), 1);
    post(&w, "/_couch/photos/_purge", json!({ "foo": [rev] })).await;
}
