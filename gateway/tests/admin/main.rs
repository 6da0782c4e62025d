//! The admin door through real sockets.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod accounts;
mod as_of;
mod changes;
#[path = "../common/mod.rs"]
mod common;
mod containers;
mod couch;
#[path = "../counting/mod.rs"]
mod counting;
mod js;
mod lifecycles;
mod locks;
mod openapi;
mod purge_versions;
mod revisions;
mod why;

use common::{DAY, ROOT, World};
use lifecycle::Right;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

const BUCKETS: &str = "/v1/domains/barrow.local/buckets";

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap()
}

/// The code and the reason beside it.
fn reason(answer: &Value) -> (&str, &str) {
    (code(answer), answer["error"]["reason"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn every_route_wants_its_right_and_no_other() {
    let w = World::new().await;
    w.bucket("photos").await;
    let others = |right| -> Vec<Right> {
        Right::ALL.into_iter().filter(|other| *other != right && *other != Right::Admin).collect()
    };
    for route in gateway::admin::routes() {
        let target = route.path.replace("{domain}", "barrow.local").replace("{bucket}", "photos");
        let target = target.replace("{contents}", &"1".repeat(32)).replace("{version}", &"2".repeat(32));
        let target = target.replace("{key}", "nobody").replace("{task}", "none");
        let target = target.replace("{deletion}", &"3".repeat(32)).replace("{member}", &"4".repeat(32));
        let target =
            target.replace("{epoch}", "1").replace("{stream}", "photos").replace("{account}", "none");
        let asked = format!("{} {target}", route.method);
        let Some(right) = route.right else {
            let open = w.ask_as(None, route.method, &target, "").await;
            assert_eq!(open.status, 200, "{asked}");
            continue;
        };
        let nobody = w.ask_as(None, route.method, &target, "").await;
        assert_eq!(nobody.status, 401, "{asked}");
        assert!(
            nobody.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Basic")),
            "{asked}"
        );
        let wrong = w.ask_as(Some((ROOT.0, "guessed")), route.method, &target, "").await;
        assert_eq!(wrong.status, 401, "{asked}");

        let (with, without) = (format!("with {asked}"), format!("without {asked}"));
        w.key(&with, &[right]).await;
        w.key(&without, &others(right)).await;
        let refused = w.ask_as(Some((&without, "secret")), route.method, &target, "").await;
        assert_eq!(refused.status, 403, "{asked}: {}", String::from_utf8_lossy(&refused.body));
        // The body is malformed on purpose where one is taken: what the right lets through changes nothing.
        let body = if matches!(route.method, "GET" | "DELETE") { "" } else { r#"{"no such field":1}"# };
        let let_in = w.ask_as(Some((&with, "secret")), route.method, &target, body).await;
        assert!(!matches!(let_in.status, 401 | 403 | 405 | 500..), "{asked}: {}", let_in.status);
    }
}

#[tokio::test]
async fn who_lacks_the_right_is_not_told_what_exists() {
    let w = World::new().await;
    w.key("reader", &[Right::Read]).await;
    for target in ["/v1/domains/nowhere/remove", "/v1/domains/barrow.local/buckets/nothing/remove"] {
        assert_eq!(w.ask_as(Some(("reader", "secret")), "POST", target, "").await.status, 403, "{target}");
        assert_eq!(w.ask_as(Some(ROOT), "POST", target, "").await.status, 404, "{target}");
    }
}

#[tokio::test]
async fn health_and_metrics_are_open() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    w.put(bucket, "a").await;
    w.put(bucket, "b").await;
    w.delete(bucket, "b").await;
    assert_eq!(w.get("/healthz").await["status"], "ok");
    assert_eq!(w.get("/readyz").await["status"], "ready");
    let metrics = w.ask_as(None, "GET", "/metrics", "").await;
    let text = String::from_utf8(metrics.body).unwrap();
    for line in [
        "barrow_objects{state=\"live\"} 1",
        "barrow_objects{state=\"removed\"} 1",
        "barrow_grace_bytes 4",
        "barrow_halted 0",
        "barrow_grace_overdue_seconds 0",
        "barrow_containers{kind=\"bucket\",state=\"live\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    w.clock.advance(2 * DAY);
    let metrics = w.ask_as(None, "GET", "/metrics", "").await;
    assert!(String::from_utf8_lossy(&metrics.body).contains("barrow_grace_overdue_seconds 86400"));
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let w = World::new().await;
    w.bucket("photos").await;
    assert_eq!(code(&w.ask("GET", "/v2/usage", Value::Null, 404).await), "NoSuchPath");
    let answer = w.ask_as(Some(ROOT), "DELETE", BUCKETS, "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, POST")));
    for (method, target, body) in [
        ("GET", format!("{BUCKETS}?stat=removed"), ""),
        ("GET", format!("{BUCKETS}?state=dead"), ""),
        ("GET", format!("{BUCKETS}?limit=0"), ""),
        ("GET", format!("{BUCKETS}?after=x"), ""),
        ("GET", "/v1/domains/%zz".to_owned(), ""),
        ("POST", BUCKETS.to_owned(), "{}"),
        ("POST", BUCKETS.to_owned(), "[]"),
        ("POST", BUCKETS.to_owned(), "{\"name\":\"a/b\"}"),
        ("POST", format!("{BUCKETS}/photos/remove"), "{\"grace\":\"soon\"}"),
        ("POST", format!("{BUCKETS}/photos/remove"), "{\"reserve_name\":true}"),
        ("PUT", format!("{BUCKETS}/photos/grace"), "{}"),
        ("PUT", format!("{BUCKETS}/photos/stream"), "{\"sealed\":\"yes\"}"),
        ("PUT", format!("{BUCKETS}/photos/stream"), "{\"max_per_name\":0}"),
        ("PUT", format!("{BUCKETS}/photos/stream"), "{\"seal\":true}"),
    ] {
        let answer = w.ask_as(Some(ROOT), method, &target, body).await;
        let text = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.status, 400, "{method} {target} {body}: {text}");
        assert!(text.contains("\"message\""), "{text}");
    }
    let large = format!("{{\"name\":\"{}\"}}", "a".repeat(70_000));
    assert_eq!(w.ask_as(Some(ROOT), "POST", BUCKETS, &large).await.status, 413);
}

#[tokio::test]
async fn a_bucket_is_removed_restored_and_purged() {
    let w = World::new().await;
    let id = w.bucket("photos").await;
    w.put(id, "a").await;
    let removed =
        w.post(&format!("{BUCKETS}/photos/remove"), json!({ "reason": "moved", "grace": "default" })).await;
    assert_eq!(
        (&removed["state"], &removed["objects"], &removed["bytes"]),
        (&json!("removed"), &json!(1), &json!(4))
    );
    assert_eq!(removed["purge_after"], "2026-03-10T09:00:00.000Z");
    assert_eq!(w.background.wakes.load(Ordering::Relaxed), 1);

    // The name is reserved, and says by what.
    let refused = w.ask("POST", BUCKETS, json!({ "name": "photos" }), 409).await;
    assert_eq!((code(&refused), &refused["error"]["state"]), ("BUCKETBEINGREMOVED", &json!("removed")));
    assert_eq!(names(&w.get(&format!("{BUCKETS}?state=removed")).await), ["photos"]);
    assert!(names(&w.get(&format!("{BUCKETS}?state=live")).await).is_empty());

    let restored = w.post(&format!("{BUCKETS}/photos/restore"), json!({ "as": "pictures" })).await;
    assert_eq!((&restored["id"], &restored["name"]), (&json!(id.to_string()), &json!("pictures")));
    assert_eq!(w.get(&format!("{BUCKETS}/{id}")).await["state"], "live");
    assert_eq!(
        reason(&w.ask("POST", &format!("{BUCKETS}/pictures/purge"), json!({}), 409).await),
        ("ERR", "NOT_REMOVED")
    );

    w.post(&format!("{BUCKETS}/pictures/remove"), json!({ "grace": "none until purged" })).await;
    assert_eq!(w.get(&format!("{BUCKETS}/pictures")).await["purge_after"], "never");
    let purging = w.ask("POST", &format!("{BUCKETS}/pictures/purge"), json!({}), 200).await;
    assert_eq!(purging["state"], "purging");
    assert_eq!(
        reason(&w.ask("POST", &format!("{BUCKETS}/pictures/restore"), json!({}), 409).await),
        ("ERR", "PURGE_STARTED")
    );
}

#[tokio::test]
async fn a_name_means_the_live_one_and_to_restore_the_one_removed_last() {
    let w = World::new().await;
    let remove = format!("{BUCKETS}/photos/remove");
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(w.bucket("photos").await.to_string());
        w.post(&remove, json!({ "reserves_name": false })).await;
        w.clock.advance(Duration::from_secs(1));
    }
    let live = w.bucket("photos").await.to_string();
    assert_eq!(w.get(&format!("{BUCKETS}/photos")).await["id"], live.as_str());
    let refused = w.ask("POST", &format!("{BUCKETS}/photos/restore"), json!({}), 409).await;
    assert_eq!(code(&refused), "BUCKETALREADYEXISTS");
    let restored = w.post(&format!("{BUCKETS}/photos/restore"), json!({ "as": "second" })).await;
    assert_eq!(restored["id"], ids[1].as_str());
    let restored = w.post(&format!("{BUCKETS}/{}/restore", ids[0]), json!({ "as": "first" })).await;
    assert_eq!(restored["id"], ids[0].as_str());
    // Another domain's bucket is not found under this one.
    w.ask("POST", "/v1/domains", json!({ "name": "other" }), 201).await;
    w.ask("GET", &format!("/v1/domains/other/buckets/{live}"), Value::Null, 404).await;
}

#[tokio::test]
async fn a_shorter_grace_than_configured_takes_the_purge_right() {
    let w = World::new().await;
    w.bucket("photos").await;
    w.key("remover", &[Right::Remove]).await;
    let remove = format!("{BUCKETS}/photos/remove");
    let asked = |body: &'static str| w.ask_as(Some(("remover", "secret")), "POST", &remove, body);
    assert_eq!(asked("{\"grace\":\"0s\"}").await.status, 403);
    assert_eq!(asked("{\"grace\":\"6days\"}").await.status, 403);
    assert_eq!(asked("{\"grace\":\"8days\"}").await.status, 200);
}

#[tokio::test]
async fn a_domain_goes_and_comes_back_with_its_buckets() {
    let w = World::new().await;
    w.ask("POST", "/v1/domains", json!({ "name": "Acme.Example" }), 201).await;
    let buckets = "/v1/domains/acme.example/buckets";
    w.ask("POST", buckets, json!({ "name": "photos" }), 201).await;
    w.post("/v1/domains/acme.example/remove", json!({})).await;
    let bucket = w.get(&format!("{buckets}/photos")).await;
    assert_eq!((&bucket["state"], &bucket["own_state"]), (&json!("removed"), &json!("live")));
    assert_eq!(
        code(&w.ask("POST", &format!("{buckets}/photos/remove"), json!({}), 409).await),
        "NAMESPACEBEINGREMOVED"
    );
    w.post("/v1/domains/acme.example/restore", json!({})).await;
    assert_eq!(w.get(&format!("{buckets}/photos")).await["state"], "live");
    let default = w.ask("POST", "/v1/domains/barrow.local/remove", json!({}), 403).await;
    assert_eq!(reason(&default), ("ERR", "DEFAULT_NAMESPACE"));
    assert_eq!(names(&w.get("/v1/domains?prefix=ac").await), ["acme.example"]);
}

#[tokio::test]
async fn lists_go_on_page_by_page() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    for name in ["a b", "c+d", "e/f", "é"] {
        w.put(bucket, name).await;
    }
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = w.get(&format!("{BUCKETS}/photos/objects?limit=1&after={after}")).await;
        found.extend(names(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            // As every client must, byte by byte.
            Some(next) => after = next.bytes().map(|byte| format!("%{byte:02x}")).collect(),
            None => break,
        }
    }
    assert_eq!(found, ["a b", "c+d", "e/f", "é"]);
}

#[tokio::test]
async fn deleted_objects_are_listed_and_restored_one_by_one() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let objects = format!("{BUCKETS}/photos/objects");
    let restore = format!("{objects}/restore");
    for name in ["a", "b", "c"] {
        w.put(bucket, name).await;
        w.delete(bucket, name).await;
    }
    w.put(bucket, "b").await;
    let removed = w.get(&format!("{objects}?state=removed")).await;
    assert_eq!(names(&removed), ["a", "b", "c"]);
    assert_eq!(removed["items"][0]["cause"], "delete");
    assert_eq!(removed["items"][0]["purge_after"], "2026-03-04T09:00:00.000Z");

    let report = w.post(&restore, json!({ "names": ["a", "b", "nothing"] })).await;
    assert_eq!((&report["restored"], &report["failed"]), (&json!(1), &json!(2)));
    assert_eq!(report["items"][0]["ok"], true);
    assert_eq!(report["items"][1]["error"]["code"], "NameInUse");
    assert_eq!(report["items"][2]["error"]["code"], "Unknown");

    let renamed = w.post(&restore, json!({ "names": ["b"], "as": "b.old" })).await;
    assert_eq!(renamed["items"][0]["name"], "b.old");
    let version = removed["items"][2]["version"].clone();
    w.put(bucket, "c").await;
    let replaced = w.post(&restore, json!({ "versions": [version], "replace": true })).await;
    assert_eq!((&replaced["restored"], &replaced["items"][0]["version"]), (&json!(1), &version));
    assert_eq!(names(&w.get(&objects).await), ["a", "b", "b.old", "c"]);
    // The one that was replaced can be restored in its turn.
    assert_eq!(names(&w.get(&format!("{objects}?state=removed")).await), ["c"]);
}

#[tokio::test]
async fn everything_under_a_prefix_comes_back_and_what_fails_is_counted() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    for at in 0..1_203 {
        let name = format!("2026/{at:04}");
        w.put(bucket, &name).await;
        w.delete(bucket, &name).await;
    }
    w.put(bucket, "2026/0007").await;
    w.put(bucket, "other").await;
    w.delete(bucket, "other").await;
    let restore = format!("{BUCKETS}/photos/objects/restore");
    let report = w.post(&restore, json!({ "prefix": "2026/" })).await;
    assert_eq!((&report["restored"], &report["failed"]), (&json!(1_202), &json!(1)));
    assert_eq!(report["items"].as_array().unwrap().len(), 1);
    assert_eq!(report["items"][0]["name"], "2026/0007");
    let usage = w.get("/v1/usage").await;
    assert_eq!(usage["total"]["live"]["objects"], 1_203);
    assert_eq!(usage["total"]["removed"]["objects"], 2);
}

#[tokio::test]
async fn a_bucket_is_emptied_and_its_contents_come_back() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    w.put(bucket, "a").await;
    let out = w.post(&format!("{BUCKETS}/photos/empty"), json!({ "reason": "a fresh start" })).await;
    assert_eq!((&out["objects"], &out["purge_after"]), (&json!(1), &json!("2026-03-04T09:00:00.000Z")));
    assert!(names(&w.get(&format!("{BUCKETS}/photos/objects")).await).is_empty());
    let contents = out["contents"].as_str().unwrap();
    let trash = w.get("/v1/trash").await;
    let entry = &trash["containers"][0];
    assert_eq!(
        (&entry["kind"], &entry["id"], &entry["domain"]),
        (&json!("contents"), &json!(contents), &json!("barrow.local"))
    );

    // Contents of one bucket are nothing to another.
    w.bucket("other").await;
    let refused =
        w.ask("POST", &format!("{BUCKETS}/other/contents/{contents}/restore"), json!({}), 404).await;
    assert_eq!(code(&refused), "Unknown");
    w.put(bucket, "b").await;
    let refused =
        w.ask("POST", &format!("{BUCKETS}/photos/contents/{contents}/restore"), json!({}), 409).await;
    assert_eq!(code(&refused), "NotEmpty");
    w.post(&format!("{BUCKETS}/photos/contents/{contents}/restore"), json!({ "as": "old-photos" })).await;
    assert_eq!(names(&w.get(&format!("{BUCKETS}/old-photos/objects")).await), ["a"]);
}

#[tokio::test]
async fn a_bucket_has_a_grace_of_its_own() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let grace = format!("{BUCKETS}/photos/grace");
    let set = w.ask("PUT", &grace, json!({ "object_delete_delay": "90min" }), 200).await;
    assert_eq!(set["object_delete_delay"], "1h 30m");
    w.put(bucket, "a").await;
    w.delete(bucket, "a").await;
    let removed = w.get(&format!("{BUCKETS}/photos/objects?state=removed")).await;
    assert_eq!(removed["items"][0]["purge_after"], "2026-03-03T10:30:00.000Z");
    let unset = w.ask("PUT", &grace, json!({ "object_delete_delay": null }), 200).await;
    assert!(unset["object_delete_delay"].is_null());
}

#[tokio::test]
async fn what_is_forbidden_in_a_bucket_stays_forbidden() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let stream = format!("{BUCKETS}/photos/stream");
    let open = w.get(&stream).await;
    assert_eq!((&open["sealed"], &open["max_per_name"]), (&json!(false), &Value::Null));
    w.put(bucket, "a").await;
    let set = w.ask("PUT", &stream, json!({ "deny_purge": true, "max_per_name": 3 }), 200).await;
    assert_eq!((&set["deny_purge"], &set["deny_delete"]), (&json!(true), &json!(false)));
    let refused = w.ask("PUT", &stream, json!({ "deny_purge": false }), 403).await;
    assert_eq!(code(&refused), "SealBroken");
    let purge = json!({ "filter": ">" });
    assert_eq!(
        reason(&w.ask("POST", &format!("{BUCKETS}/photos/versions/purge"), purge, 403).await),
        ("ERR", "PROTECTED")
    );
    let sealed = w.ask("PUT", &stream, json!({ "sealed": true }), 200).await;
    assert_eq!((&sealed["deny_delete"], &sealed["max_per_name"]), (&json!(true), &json!(3)));
    w.ask("PUT", &stream, json!({ "max_per_name": null }), 403).await;
    assert_eq!(w.get(&stream).await, sealed);
    w.post(&format!("{BUCKETS}/photos/remove"), json!({})).await;
}

#[tokio::test]
async fn usage_shows_the_effective_state_and_counts_each_object_once() {
    let w = World::new().await;
    let (kept, gone) = (w.bucket("kept").await, w.bucket("gone").await);
    w.put(kept, "a").await;
    w.put(kept, "b").await;
    w.delete(kept, "b").await;
    w.put(gone, "c").await;
    w.post(&format!("{BUCKETS}/gone/remove"), json!({})).await;
    let usage = w.get("/v1/usage").await;
    assert_eq!(usage["total"]["live"], json!({ "objects": 1, "bytes": 4 }));
    assert_eq!(usage["total"]["removed"], json!({ "objects": 2, "bytes": 8 }));
    assert_eq!(usage["total"]["purging"]["objects"], 0);
    let gone = usage["buckets"].as_array().unwrap().iter().find(|row| row["bucket"] == "gone").unwrap();
    assert_eq!((&gone["live_objects"], &gone["removed_objects"]), (&json!(0), &json!(1)));
    let trash = w.get("/v1/trash").await;
    assert_eq!(trash["objects"].as_array().unwrap().len(), 1);
    assert_eq!(trash["objects"][0]["bucket"], "kept");
}

#[tokio::test]
async fn a_tombstone_tells_who_when_and_why() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let version = w.put(bucket, "a").await;
    assert_eq!(w.get(&format!("/v1/versions/{version}")).await["answer"], "It is live and current.");
    w.delete(bucket, "a").await;
    let why = w.get(&format!("/v1/versions/{version}")).await;
    assert_eq!(
        (&why["restorable"], &why["actor"], &why["cause"]),
        (&json!(true), &json!("test"), &json!("delete"))
    );
    let answer = why["answer"].as_str().unwrap();
    assert!(answer.contains("by test (delete); kept until 2026-03-04T09:00:00.000Z"), "{answer}");
    w.post(&format!("{BUCKETS}/photos/remove"), json!({})).await;
    let why = w.get(&format!("/v1/versions/{version}")).await;
    assert_eq!((&why["restorable"], &why["own_state"]), (&json!(false), &json!("removed")));
    assert!(why["answer"].as_str().unwrap().contains("restore that first, with: barrow bucket restore"));
    assert_eq!(
        code(&w.ask("GET", &format!("/v1/versions/{}", "0".repeat(32)), Value::Null, 404).await),
        "Unknown"
    );
}

#[tokio::test]
async fn removals_are_remembered_with_their_end() {
    let w = World::new().await;
    w.bucket("photos").await;
    w.post(&format!("{BUCKETS}/photos/remove"), json!({ "reason": "by mistake" })).await;
    w.post(&format!("{BUCKETS}/photos/restore"), json!({})).await;
    let record = w.get("/v1/deletions?state=restored").await;
    let entry = &record["items"][0];
    assert_eq!(
        (&entry["name"], &entry["reason"], &entry["actor"]),
        (&json!("photos"), &json!("by mistake"), &json!("root"))
    );
    assert_eq!((&entry["door"], &entry["ended_by"]), (&json!("admin"), &json!("root")));
    assert!(w.get("/v1/deletions?state=removed").await["items"].as_array().unwrap().is_empty());
    w.ask("GET", "/v1/deletions?state=live", Value::Null, 400).await;
}

#[tokio::test]
async fn the_record_is_read_page_by_page_and_followed() {
    let w = World::new().await;
    for name in ["one", "two", "three"] {
        w.bucket(name).await;
        w.post(&format!("{BUCKETS}/{name}/remove"), json!({})).await;
        w.clock.advance(Duration::from_secs(60));
    }
    let read = async |arguments: &str| {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = w.get(&format!("/v1/deletions?limit=1{arguments}&after={after}")).await;
            found.extend(names(&page).into_iter().map(str::to_owned));
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => return found,
            }
        }
    };
    assert_eq!(read("").await, ["three", "two", "one"]);
    assert_eq!(read("&since=1h").await, ["one", "two", "three"]);
    assert_eq!(read("&since=2min").await, ["two", "three"]);
    // What comes to its end changes last.
    w.post(&format!("{BUCKETS}/one/restore"), json!({})).await;
    assert_eq!(read("&since=2026-03-03T10:01:00%2B01:00").await, ["two", "three", "one"]);
    assert_eq!(read("&since=1h&state=restored").await, ["one"]);
    for bad in ["since=soon", "since=2126-03-03T09:00:00Z", "after=x"] {
        w.ask("GET", &format!("/v1/deletions?{bad}"), Value::Null, 400).await;
    }
}

#[tokio::test]
async fn a_dry_run_of_a_restore_answers_as_the_restore_and_changes_nothing() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let version = w.put(bucket, "a").await;
    w.post(&format!("{BUCKETS}/photos/remove"), json!({ "reserves_name": false })).await;
    let restore = format!("{BUCKETS}/photos/restore");
    let would = w.post(&restore, json!({ "dry_run": true })).await;
    assert_eq!(
        (&would["dry_run"], &would["state"], &would["objects"]),
        (&json!(true), &json!("live"), &json!(1))
    );
    assert_eq!(w.get(&format!("{BUCKETS}/{bucket}")).await["state"], "removed");
    w.bucket("photos").await;
    let refused = w.ask("POST", &restore, json!({ "dry_run": true }), 409).await;
    assert_eq!(code(&refused), "BUCKETALREADYEXISTS");
    w.post(&restore, json!({ "as": "old", "dry_run": true })).await;
    w.post(&restore, json!({ "as": "old" })).await;

    let emptied = w.post(&format!("{BUCKETS}/old/empty"), json!({})).await;
    let back = format!("{BUCKETS}/old/contents/{}/restore", emptied["contents"].as_str().unwrap());
    assert_eq!(w.post(&back, json!({ "dry_run": true })).await["dry_run"], true);
    assert!(names(&w.get(&format!("{BUCKETS}/old/objects")).await).is_empty());
    w.post(&back, json!({})).await;

    w.delete(bucket, "a").await;
    let objects = format!("{BUCKETS}/old/objects/restore");
    for body in
        [json!({ "names": ["a", "b"] }), json!({ "prefix": "" }), json!({ "versions": [version, version] })]
    {
        let mut rehearsed = body.clone();
        rehearsed["dry_run"] = true.into();
        let would = w.post(&objects, rehearsed.clone()).await;
        assert_eq!(w.post(&objects, rehearsed).await, would, "nothing was changed by saying so");
        let did = w.post(&objects, body.clone()).await;
        assert_eq!((&would["restored"], &would["failed"]), (&did["restored"], &did["failed"]), "{body}");
        assert_eq!((&would["items"][0]["ok"], &would["items"][0]["name"]), (&json!(true), &json!("a")));
        w.delete(bucket, "a").await;
    }
    w.ask("POST", "/v1/domains", json!({ "name": "acme.example" }), 201).await;
    w.post("/v1/domains/acme.example/remove", json!({})).await;
    let would = w.post("/v1/domains/acme.example/restore", json!({ "dry_run": true })).await;
    assert_eq!((&would["name"], &would["state"]), (&json!("acme.example"), &json!("live")));
    assert_eq!(w.get("/v1/domains/acme.example").await["state"], "removed");
}

#[tokio::test]
async fn keys_are_made_scoped_listed_and_revoked_at_once() {
    let w = World::new().await;
    w.bucket("photos").await;
    w.bucket("music").await;
    let order =
        json!({ "rights": "remove,restore", "label": "carol", "domain": "barrow.local", "bucket": "photos" });
    let key = w.ask("POST", "/v1/keys", order, 201).await;
    let (id, secret) = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
    let remove = |bucket: &str| format!("{BUCKETS}/{bucket}/remove");
    assert_eq!(w.ask_as(Some((id, secret)), "POST", &remove("music"), "").await.status, 403);
    assert_eq!(w.ask_as(Some((id, secret)), "POST", &remove("photos"), "").await.status, 200);

    let list = w.get("/v1/keys").await;
    assert_eq!((&list["items"][0]["label"], &list["items"][0]["valid"]), (&json!("carol"), &json!(true)));
    assert!(!list.to_string().contains(secret));
    let revoked = w.post(&format!("/v1/keys/{id}/revoke"), json!({})).await;
    assert_eq!(revoked["valid"], false);
    assert_eq!(w.ask_as(Some((id, secret)), "POST", &remove("photos"), "").await.status, 401);

    let brief = w.ask("POST", "/v1/keys", json!({ "rights": "admin", "expires_in": "1h" }), 201).await;
    let brief = (brief["id"].as_str().unwrap().to_owned(), brief["secret"].as_str().unwrap().to_owned());
    assert_eq!(w.ask_as(Some((&brief.0, &brief.1)), "GET", "/v1/usage", "").await.status, 200);
    w.clock.advance(Duration::from_secs(3_600));
    assert_eq!(w.ask_as(Some((&brief.0, &brief.1)), "GET", "/v1/usage", "").await.status, 401);

    for bad in
        [json!({ "rights": "fly" }), json!({ "rights": "" }), json!({ "rights": "read", "bucket": "photos" })]
    {
        w.ask("POST", "/v1/keys", bad, 400).await;
    }
    w.ask("POST", "/v1/keys/nobody/revoke", json!({}), 404).await;
}

#[tokio::test]
async fn tasks_are_shown_and_run_and_a_halt_is_ended() {
    let w = World::new().await;
    assert_eq!(w.get("/v1/tasks").await["tasks"][0]["name"], "reclaim");
    let run = w.post("/v1/tasks/reclaim/run", json!({ "dry_run": true })).await;
    assert_eq!(run["report"]["purged"], 0);
    assert_eq!(code(&w.ask("POST", "/v1/tasks/repaint/run", json!({}), 404).await), "NoSuchTask");

    let told = w.post("/v1/tasks/reconcile/run", json!({ "destroy": true })).await;
    assert_eq!(told["report"]["told"], true);
    assert_eq!(w.post("/v1/tasks/reconcile/run", json!({})).await["report"]["told"], false);
    for (task, order) in [
        ("reclaim", json!({ "destroy": true })),
        ("reconcile", json!({ "destroy": true, "dry_run": true })),
        ("reconcile", json!({ "destroys": true })),
    ] {
        let refused = w.ask("POST", &format!("/v1/tasks/{task}/run"), order, 400).await;
        assert_eq!(code(&refused), "BadRequest", "{refused}");
    }

    w.gateway.metadata.halt_purging("the clock ran ahead".to_owned()).await.unwrap();
    assert_eq!(w.get("/v1/tasks").await["halted"]["reason"], "the clock ran ahead");
    let resumed = w.post("/v1/resume", json!({ "release": "2h" })).await;
    assert_eq!(resumed["brake_released_until"], "2026-03-03T11:00:00.000Z");
    assert!(w.get("/v1/tasks").await["halted"].is_null());
}

#[tokio::test]
async fn a_check_finds_what_is_broken_and_nothing_else() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    for at in 0..5 {
        w.put(bucket, &format!("whole {at}")).await;
    }
    let clean = w.get("/v1/check?blobs=true").await;
    assert_eq!((&clean["violations_found"], &clean["versions_checked"]), (&json!(0), &json!(5)));
    let broken = w.put_without_bytes(bucket, "broken").await;
    assert_eq!(w.get("/v1/check").await["violations_found"], 0);
    let found = w.get("/v1/check?blobs=true").await;
    assert_eq!((&found["violations_found"], &found["blobs_looked_for"]), (&json!(1), &json!(1)));
    assert_eq!(found["violations"][0]["rule"], "R1");
    assert!(found["violations"][0]["finding"].as_str().unwrap().contains(&broken.to_string()));
    w.ask("GET", "/v1/check?blobs=perhaps", Value::Null, 400).await;
}

#[tokio::test]
async fn what_a_uuid_or_a_name_was_is_told_until_it_is_forgotten() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let version = w.put(bucket, "cat & dog.txt").await;
    let by_uuid = format!("/v1/tombstones?uuid={version}");
    assert_eq!(code(&w.ask("GET", &by_uuid, Value::Null, 404).await), "Unknown");
    w.delete(bucket, "cat & dog.txt").await;
    let dead = w.get(&by_uuid).await["items"][0].clone();
    assert_eq!(
        dead,
        json!({
            "kind": "named", "uuid": version, "version": version, "name": "cat & dog.txt",
            "domain": "barrow.local", "domain_id": w.domain(), "bucket": "photos", "bucket_id": bucket,
            "state": "removed", "own_state": "removed", "size": 4, "created_at": "2026-03-03T09:00:00.000Z",
            "removed_at": "2026-03-03T09:00:00.000Z", "removed_by": "test", "cause": "delete",
            "purge_after": "2026-03-04T09:00:00.000Z", "purged_at": null, "forget_after": null,
        })
    );
    for scope in ["", "&bucket=photos", "&bucket=photos&domain=barrow.local", &format!("&bucket={bucket}")] {
        let named = w.get(&format!("/v1/tombstones?name=cat%20%26%20dog.txt{scope}")).await;
        assert_eq!((&named["items"], &named["next"]), (&json!([dead]), &Value::Null), "{scope}");
    }

    w.clock.advance(2 * DAY);
    w.reclaim().await;
    let purged = w.get(&by_uuid).await["items"][0].clone();
    assert_eq!((&purged["state"], &purged["removed_by"]), (&json!("purged"), &json!("test")));
    assert_eq!(purged["purged_at"], "2026-03-05T09:00:00.000Z");
    assert_eq!(purged["forget_after"], "2026-03-19T09:00:00.000Z");
    w.clock.advance(15 * DAY);
    w.forget().await;
    assert_eq!(code(&w.ask("GET", &by_uuid, Value::Null, 404).await), "Unknown");
    let by_name = "/v1/tombstones?name=cat%20%26%20dog.txt&bucket=photos";
    assert_eq!(code(&w.ask("GET", by_name, Value::Null, 404).await), "Unknown");
}

#[tokio::test]
async fn the_dead_of_a_name_are_told_page_by_page_containers_first() {
    let w = World::new().await;
    w.ask("POST", "/v1/domains", json!({ "name": "photos" }), 201).await;
    w.post("/v1/domains/photos/remove", json!({})).await;
    let other = w.bucket("other").await;
    for _ in 0..2 {
        let bucket = w.bucket("photos").await;
        w.put(bucket, "x").await;
        w.post(&format!("{BUCKETS}/photos/remove"), json!({ "reserves_name": false })).await;
        w.put(other, "photos").await;
        w.delete(other, "photos").await;
        w.clock.advance(Duration::from_secs(1));
    }
    let (mut kinds, mut after) = (Vec::new(), String::new());
    loop {
        let page = w.get(&format!("/v1/tombstones?name=photos&limit=2&after={after}")).await;
        for item in page["items"].as_array().unwrap() {
            kinds.push(item["kind"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(kinds, ["domain", "bucket", "bucket", "named", "named"]);
    // A domain that is named has no domains in it; and a name outlives the bucket that bore it.
    let of_domain = w.get("/v1/tombstones?name=photos&domain=barrow.local").await;
    assert_eq!(of_domain["items"].as_array().unwrap().len(), 4);
    let within = w.get("/v1/tombstones?name=x&bucket=photos").await;
    assert_eq!(within["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&within["items"][0]["state"], &within["items"][0]["own_state"]),
        (&json!("removed"), &json!("live"))
    );
    assert_eq!(within["items"][0]["removed_by"], "root");
}

#[tokio::test]
async fn tombstones_are_asked_for_by_uuid_or_by_name() {
    let w = World::new().await;
    w.bucket("photos").await;
    let uuid = "0".repeat(32);
    for (arguments, said) in [
        (String::new(), "give uuid, or name"),
        ("?bucket=photos".to_owned(), "give uuid, or name"),
        ("?uuid=&name=".to_owned(), "give uuid, or name"),
        (format!("?uuid={uuid}&name=x"), "exclude each other"),
        (format!("?uuid={uuid}&bucket=photos"), "bucket goes with name"),
        (format!("?uuid={uuid}&limit=5"), "limit goes with name"),
        ("?uuid=xyz".to_owned(), "\"xyz\" is not 32 hexadecimal digits"),
        ("?name=x&limit=0".to_owned(), "limit cannot be \"0\""),
        ("?name=x&after=y".to_owned(), "after must be"),
        ("?name=x&state=purged".to_owned(), "\"state\" is not known"),
    ] {
        let refused = w.ask("GET", &format!("/v1/tombstones{arguments}"), Value::Null, 400).await;
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains(said), "{arguments}: {message}");
    }
    for (arguments, token) in [
        (format!("uuid={uuid}"), "Unknown"),
        ("name=x".to_owned(), "Unknown"),
        ("name=x&bucket=photos".to_owned(), "Unknown"),
        ("name=x&bucket=nothing".to_owned(), "NoSuchBucket"),
        ("name=x&domain=nowhere".to_owned(), "NoSuchDomain"),
    ] {
        let refused = w.ask("GET", &format!("/v1/tombstones?{arguments}"), Value::Null, 404).await;
        assert_eq!(code(&refused), token, "{arguments}");
    }
}

#[tokio::test]
async fn an_operator_of_one_bucket_learns_of_its_dead_alone() {
    let w = World::new().await;
    let (photos, music) = (w.bucket("photos").await, w.bucket("music").await);
    let (mine, theirs) = (w.put(photos, "x").await, w.put(music, "x").await);
    w.delete(photos, "x").await;
    w.delete(music, "x").await;
    let order = json!({ "rights": "admin", "domain": "barrow.local", "bucket": "photos" });
    let key = w.ask("POST", "/v1/keys", order, 201).await;
    let key = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
    let status = async |arguments: String| {
        w.ask_as(Some(key), "GET", &format!("/v1/tombstones?{arguments}"), "").await.status
    };
    assert_eq!(status(format!("uuid={mine}")).await, 200);
    // As what never was.
    assert_eq!(status(format!("uuid={theirs}")).await, 404);
    assert_eq!(status("name=x&bucket=photos".to_owned()).await, 200);
    assert_eq!(status("name=x&bucket=music".to_owned()).await, 403);
    assert_eq!(status("name=x".to_owned()).await, 403);
}
