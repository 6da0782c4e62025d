//! Accounts, their keys and quotas at the admin door.

use super::{BUCKETS, code, names};
use crate::common::{ROOT, World};
use lifecycle::Right;
use serde_json::{Value, json};
use std::time::Duration;

/// Every operation on accounts, keys and quotas once, for the test that everything described is answered.
pub(crate) async fn everything(w: &World) {
    let ann = w.ask("POST", "/v1/accounts", json!({ "name": "ann", "email": "ann@a.example" }), 201).await;
    w.get("/v1/accounts?prefix=a&limit=1").await;
    let account = format!("/v1/accounts/{}", ann["id"].as_str().unwrap());
    w.get("/v1/accounts/ann").await;
    w.ask("PATCH", &account, json!({ "display_name": "Ann B.", "email": null }), 200).await;
    let key = w.ask("POST", &format!("{account}/keys"), json!({}), 201).await;
    w.get(&format!("{account}/keys")).await;
    let key = format!("/v1/keys/{}", key["id"].as_str().unwrap());
    w.post(&format!("{key}/disable"), json!({})).await;
    w.post(&format!("{key}/enable"), json!({})).await;
    w.post(&format!("{key}/expire"), json!({ "after": "30days" })).await;
    let new = w.ask("POST", &format!("{key}/rotate"), json!({ "old_expires_in": "1day" }), 201).await;
    w.ask("PUT", &format!("{account}/quota"), json!({ "bytes": 100, "counting": "live+removed" }), 200).await;
    w.get(&format!("{account}/quota")).await;
    w.get("/v1/usage").await;
    w.ask("DELETE", &format!("{account}/quota"), Value::Null, 200).await;
    w.post(&format!("{key}/revoke"), json!({})).await;
    w.post(&format!("/v1/keys/{}/revoke", new["id"].as_str().unwrap()), json!({})).await;
    w.ask("DELETE", &account, Value::Null, 200).await;
    w.bucket("limited").await;
    let quota = format!("{BUCKETS}/limited/quota");
    w.ask("PUT", &quota, json!({ "objects": 1 }), 200).await;
    w.get(&quota).await;
    w.ask("DELETE", &quota, Value::Null, 200).await;
}

#[tokio::test]
async fn an_account_is_made_found_changed_and_deleted() {
    let w = World::new().await;
    let ann = w.ask("POST", "/v1/accounts", json!({ "name": "ann", "display_name": "Ann" }), 201).await;
    let id = ann["id"].as_str().unwrap();
    assert!(lifecycle::ids::is_account_id(id));
    for name in ["bob", "carl"] {
        w.ask("POST", "/v1/accounts", json!({ "name": name }), 201).await;
    }
    let first = w.get("/v1/accounts?limit=2").await;
    assert_eq!(names(&first), ["ann", "bob"]);
    let next = first["next"].as_str().unwrap();
    assert_eq!(names(&w.get(&format!("/v1/accounts?after={next}")).await), ["carl"]);
    assert_eq!(w.get("/v1/accounts/ann").await, ann);
    assert_eq!(w.get(&format!("/v1/accounts/{id}")).await, ann);
    let renamed = w.ask("PATCH", "/v1/accounts/ann", json!({ "name": "anne", "email": "a@b.c" }), 200).await;
    assert_eq!(
        (&renamed["id"], &renamed["display_name"], &renamed["email"]),
        (&ann["id"], &json!("Ann"), &json!("a@b.c"))
    );
    assert_eq!(code(&w.ask("GET", "/v1/accounts/ann", Value::Null, 404).await), "NoSuchAccount");
    for (bad, status) in [
        (json!({ "name": "anne" }), 409),
        (json!({ "name": "dan", "email": "a@b.c" }), 409),
        (json!({ "name": "a b" }), 400),
        (json!({ "name": id }), 400),
        (json!({ "name": "dan", "email": "nowhere" }), 400),
        (json!({ "name": "dan", "rights": "all" }), 400),
        (json!({}), 400),
    ] {
        w.ask("POST", "/v1/accounts", bad, status).await;
    }
    w.ask("PATCH", "/v1/accounts/anne", json!({ "name": "bob" }), 409).await;
    assert_eq!(names(&w.get("/v1/accounts").await), ["anne", "bob", "carl"], "nothing came of any of it");
    w.ask("DELETE", "/v1/accounts/carl", Value::Null, 200).await;
    assert_eq!(names(&w.get("/v1/accounts").await), ["anne", "bob"]);
}

#[tokio::test]
async fn an_account_with_keys_or_buckets_stays() {
    let w = World::new().await;
    let ann = w.ask("POST", "/v1/accounts", json!({ "name": "ann" }), 201).await;
    let key = w.ask("POST", "/v1/accounts/ann/keys", json!({ "label": "laptop" }), 201).await;
    assert_eq!(
        (&key["account"], &key["account_id"], &key["standing"]),
        (&json!("ann"), &ann["id"], &json!("valid"))
    );
    assert_eq!(key["rights"], "read,write,delete,delete-version,remove,bypass-governance");
    let refused = w.ask("DELETE", "/v1/accounts/ann", Value::Null, 409).await;
    assert_eq!(code(&refused), "AccountInUse");
    assert!(refused["error"]["message"].as_str().unwrap().starts_with("1 keys"), "{refused}");
    let id = key["id"].as_str().unwrap();
    w.post(&format!("/v1/keys/{id}/revoke"), json!({})).await;
    w.ask("DELETE", "/v1/accounts/ann", Value::Null, 200).await;
    let keys = w.get("/v1/keys").await;
    let left = keys["items"].as_array().unwrap().iter().find(|left| left["id"] == id).unwrap();
    assert_eq!(
        (&left["account"], &left["account_id"], &left["standing"]),
        (&Value::Null, &ann["id"], &json!("revoked"))
    );
    for bad in [json!({ "account": "ann" }), json!({ "account": ann["id"] })] {
        assert_eq!(code(&w.ask("POST", "/v1/keys", bad, 404).await), "NoSuchAccount");
    }
}

#[tokio::test]
async fn a_key_is_brought_along_from_elsewhere() {
    let w = World::new().await;
    let order = json!({ "rights": "admin", "access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "wJalrXUtnFEMI/K7MDENG" });
    let made = w.ask("POST", "/v1/keys", order.clone(), 201).await;
    assert_eq!((&made["id"], &made["secret"]), (&order["access_key"], &order["secret_key"]));
    let answer =
        w.ask_as(Some(("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG")), "GET", "/v1/domains", "").await;
    assert_eq!(answer.status, 200);
    let before = w.get("/v1/keys").await;
    for (bad, status) in [
        (order, 409),
        (json!({ "rights": "read", "access_key": "alone" }), 400),
        (json!({ "rights": "read", "secret_key": "12345678" }), 400),
        (json!({ "rights": "read", "access_key": "a:b", "secret_key": "12345678" }), 400),
        (json!({ "rights": "read", "access_key": "short", "secret_key": "1234567" }), 400),
        (json!({ "label": "no rights" }), 400),
    ] {
        w.ask("POST", "/v1/keys", bad, status).await;
    }
    assert_eq!(w.get("/v1/keys").await, before);
}

#[tokio::test]
async fn a_key_of_an_account_does_not_run_the_installation() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    w.ask("POST", "/v1/accounts", json!({ "name": "ann" }), 201).await;
    for bad in
        [json!({ "rights": "admin" }), json!({ "domain": "barrow.local" }), json!({ "account": "ann" })]
    {
        w.ask("POST", "/v1/accounts/ann/keys", bad, 400).await;
    }
    let order = json!({ "rights": "read,write,delete,remove,restore,purge,import", "access_key": "anns", "secret_key": "secret-of-ann" });
    w.ask("POST", "/v1/accounts/ann/keys", order, 201).await;
    for route in gateway::admin::routes().filter(|route| route.right.is_some()) {
        let target = route.path.replace("{domain}", "barrow.local").replace("{bucket}", "photos");
        let target =
            target.replace("{account}", "ann").replace("{key}", "anns").replace("{stream}", "photos");
        let answer = w.ask_as(Some(("anns", "secret-of-ann")), route.method, &target, "").await;
        assert_eq!(answer.status, 403, "{} {target}", route.method);
    }
    assert!(w.gateway.metadata.container(metadata::ContainerKind::Bucket, bucket).await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_disabled_is_refused_from_the_answer_on() {
    let w = World::new().await;
    w.key("K", &[Right::Admin]).await;
    let status = async || w.ask_as(Some(("K", "secret")), "GET", "/v1/domains", "").await.status;
    assert_eq!(status().await, 200);
    let standing = w.post("/v1/keys/K/disable", json!({})).await;
    assert_eq!((&standing["valid"], &standing["standing"]), (&json!(false), &json!("disabled")));
    assert_eq!(status().await, 401);
    w.post("/v1/keys/K/enable", json!({})).await;
    assert_eq!(status().await, 200);
    w.post("/v1/keys/K/expire", json!({ "after": "1h" })).await;
    assert_eq!(status().await, 200);
    w.clock.advance(Duration::from_secs(3_600));
    assert_eq!(status().await, 401);
    assert_eq!(code(&w.ask("POST", "/v1/keys/nobody/disable", json!({}), 404).await), "Unknown");
    w.ask("POST", "/v1/keys/K/expire", json!({}), 400).await;
    w.ask("POST", "/v1/keys/K/expire", json!({ "after": "soon" }), 400).await;
}

#[tokio::test]
async fn a_rotated_key_gives_way_to_one_that_may_do_the_same() {
    let w = World::new().await;
    let old = w.ask("POST", "/v1/keys", json!({ "rights": "read,admin", "label": "backup" }), 201).await;
    let path = format!("/v1/keys/{}", old["id"].as_str().unwrap());
    let new = w.ask("POST", &format!("{path}/rotate"), json!({ "old_expires_in": "1h" }), 201).await;
    assert_eq!(
        (&new["rights"], &new["label"], &new["old"]["standing"]),
        (&old["rights"], &old["label"], &json!("valid"))
    );
    let status = async |key: &Value| {
        let (id, secret) = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
        w.ask_as(Some((id, secret)), "GET", "/v1/domains", "").await.status
    };
    assert_eq!((status(&old).await, status(&new).await), (200, 200));
    w.clock.advance(Duration::from_secs(3_600));
    assert_eq!((status(&old).await, status(&new).await), (401, 200));
    let path = format!("/v1/keys/{}", new["id"].as_str().unwrap());
    let third = w.ask("POST", &format!("{path}/rotate"), json!({}), 201).await;
    assert_eq!((status(&new).await, status(&third).await), (401, 200), "at once, where nothing is said");
    let path = format!("/v1/keys/{}", third["id"].as_str().unwrap());
    w.post(&format!("{path}/revoke"), json!({})).await;
    assert_eq!(code(&w.ask("POST", &format!("{path}/rotate"), json!({}), 409).await), "KeyRevoked");
}

#[tokio::test]
async fn quotas_are_set_shown_and_lifted() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let quota = format!("{BUCKETS}/photos/quota");
    w.put(bucket, "a").await;
    let none = w.get(&quota).await;
    assert_eq!((&none["quota"], &none["used"]), (&Value::Null, &json!({ "objects": 1, "bytes": 4 })));
    let set = w.ask("PUT", &quota, json!({ "bytes": 7 }), 200).await;
    assert_eq!(set["quota"], json!({ "objects": null, "bytes": 7, "counting": "live" }));
    assert_eq!((&set["bucket"], &set["exceeded"]), (&json!("photos"), &json!(false)));
    for bad in [
        json!({}),
        json!({ "bytes": -1 }),
        json!({ "bytes": "7" }),
        json!({ "objects": 1, "counting": "all" }),
        json!({ "files": 1 }),
    ] {
        w.ask("PUT", &quota, bad, 400).await;
    }
    w.ask("PUT", &format!("{BUCKETS}/nothing/quota"), json!({ "bytes": 1 }), 404).await;
    w.ask("PUT", "/v1/accounts/nobody/quota", json!({ "bytes": 1 }), 404).await;
    assert_eq!(w.get(&quota).await["quota"], set["quota"]);
    let usage = w.get("/v1/usage").await;
    assert_eq!(usage["buckets"][0]["quota"], set["quota"]);
    w.ask("PUT", &quota, json!({ "objects": 1, "bytes": 100 }), 200).await;
    let scraped = w.ask_as(None, "GET", "/metrics", "").await;
    let scraped = String::from_utf8(scraped.body).unwrap();
    assert!(scraped.contains("barrow_quotas_full{of=\"bucket\"} 1"), "{scraped}");
    w.ask("DELETE", &quota, Value::Null, 200).await;
    assert_eq!(w.get(&quota).await["quota"], Value::Null);
}

#[tokio::test]
async fn what_comes_back_above_a_quota_is_told_of() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    w.put(bucket, "a").await;
    w.delete(bucket, "a").await;
    w.ask("PUT", &format!("{BUCKETS}/photos/quota"), json!({ "bytes": 3 }), 200).await;
    let restore = format!("{BUCKETS}/photos/objects/restore");
    let report = w.post(&restore, json!({ "names": ["a"], "dry_run": true })).await;
    assert_eq!((&report["restored"], &report["over_quota"]), (&json!(1), &json!(true)));
    let report = w.post(&restore, json!({ "names": ["a"] })).await;
    assert_eq!((&report["restored"], &report["over_quota"]), (&json!(1), &json!(true)));
    w.post(&format!("{BUCKETS}/photos/remove"), json!({})).await;
    let restored = w.post(&format!("{BUCKETS}/photos/restore"), json!({})).await;
    assert_eq!((&restored["name"], &restored["over_quota"]), (&json!("photos"), &json!(true)));
    w.ask("PUT", &format!("{BUCKETS}/photos/quota"), json!({ "bytes": 4 }), 200).await;
    w.post(&format!("{BUCKETS}/photos/remove"), json!({})).await;
    let restored = w.post(&format!("{BUCKETS}/photos/restore"), json!({})).await;
    assert_eq!(restored.get("over_quota"), None);
    assert_eq!(w.ask_as(Some(ROOT), "GET", &format!("{BUCKETS}/photos/quota"), "").await.status, 200);
}
