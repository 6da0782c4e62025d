//! No door of the operator's passes a lock, whatever rights its key holds: every way into removal and purge, under every lock,
//! before and after its end. What may go is told by the one predicate.

use super::{BUCKETS, code};
use crate::common::{ROOT, World};
use crate::revisions::{arriving, bring, told};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lifecycle::{Clock, ContainerId, Guard, Lock, Retention, RetentionMode, State, Time, VersionId};
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// A way, and what is asked: method, target and body, of the bucket `{b}`, its domain `{d}` and the revision `{r}`.
const WAYS: &[(&str, &str, &str)] = &[
    ("POST", "/v1/domains/{d}/buckets/{b}/versions/purge", r#"{"names":["x"]}"#),
    ("POST", "/v1/domains/{d}/buckets/{b}/versions/purge", r#"{"names":["x"],"final":true}"#),
    ("POST", "/v1/domains/{d}/buckets/{b}/versions/purge", r#"{"filter":">"}"#),
    ("POST", "/v1/domains/{d}/buckets/{b}/versions/purge", r#"{"filter":">","final":true}"#),
    ("POST", "/_couch/{b}/_purge", r#"{"x":["{r}"]}"#),
    ("POST", "/_js/api/STREAM.PURGE.{b}", ""),
    ("POST", "/_js/api/STREAM.PURGE.{b}", r#"{"filter":"x"}"#),
    ("POST", "/_js/api/STREAM.MSG.DELETE.{b}", r#"{"seq":1}"#),
    ("POST", "/_js/api/STREAM.MSG.DELETE.{b}", r#"{"seq":1,"no_erase":true}"#),
    ("POST", "/_js/api/STREAM.DELETE.{b}", ""),
    ("POST", "/v1/domains/{d}/buckets/{b}/remove", "{}"),
    ("POST", "/v1/domains/{d}/buckets/{b}/remove", r#"{"grace":"0s"}"#),
    ("POST", "/v1/domains/{d}/buckets/{b}/empty", "{}"),
    ("POST", "/v1/domains/{d}/remove", "{}"),
];

fn locks(until: Time) -> [Lock; 4] {
    let kept = |mode| Lock { retention: Some(Retention { mode, until }), ..Lock::default() };
    let lifepoint = Guard { from: None, until: Some(until), hold: false };
    [
        kept(RetentionMode::Governance),
        kept(RetentionMode::Compliance),
        Lock { hold: true, ..Lock::default() },
        Lock { lifepoint, ..Lock::default() },
    ]
}

/// Puts the version under its lock, into a bucket of its own.
async fn prepare(w: &World, domain: &str, bucket: &str, lock: Lock) -> (ContainerId, VersionId, String) {
    if domain != "barrow.local" {
        w.ask("POST", "/v1/domains", json!({ "name": domain }), 201).await;
    }
    let made = w.ask("POST", &format!("/v1/domains/{domain}/buckets"), json!({ "name": bucket }), 201).await;
    let id: ContainerId = made["id"].as_str().unwrap().parse().unwrap();
    let parent: ContainerId = made["domain_id"].as_str().unwrap_or_default().parse().unwrap_or(w.domain());
    w.versioning(id, "enabled").await;
    let version = w
        .put_as(id, "x", |put| {
            put.domain = parent;
            put.guard = Guard { hold: lock.hold, ..lock.lifepoint };
            put.retention = lock.retention;
        })
        .await;
    let row = w.gateway.metadata.version(version).await.unwrap().unwrap();
    (id, version, row.revision.unwrap().to_string())
}

async fn is_gone(w: &World, bucket: ContainerId, version: VersionId) -> bool {
    let metadata = &w.gateway.metadata;
    let row = metadata.version(version).await.unwrap().unwrap();
    let bucket = metadata.container(metadata::ContainerKind::Bucket, bucket).await.unwrap().unwrap();
    let parent = bucket.parent.unwrap();
    let domain = metadata.container(metadata::ContainerKind::Domain, parent).await.unwrap().unwrap();
    row.state != State::Live
        || bucket.contents != Some(row.contents)
        || bucket.state != State::Live
        || domain.state != State::Live
}

#[tokio::test]
async fn no_way_passes_a_lock() {
    let w = World::new().await;
    let mut wrong = Vec::new();
    for (at, (method, target, body)) in WAYS.iter().enumerate() {
        for which in 0..4 {
            for after in [false, true] {
                let until = w.clock.now().plus(HOUR);
                let lock = locks(until)[which];
                let bucket = format!("b{at}-{which}-{after}");
                let domain = match target.contains("{b}") {
                    true => "barrow.local".to_owned(),
                    false => format!("d{at}-{which}-{after}.example"),
                };
                let (id, version, revision) = prepare(&w, &domain, &bucket, lock).await;
                if after {
                    w.clock.advance(HOUR);
                }
                let fill = |text: &str| {
                    text.replace("{b}", &bucket).replace("{d}", &domain).replace("{r}", &revision)
                };
                let json = [("content-type", "application/json")];
                let answer = w.ask_with(Some(ROOT), method, &fill(target), &json, &fill(body)).await;
                let expected = lock.permits_removal(false, w.clock.now()).is_ok();
                let gone = is_gone(&w, id, version).await;
                if gone != expected {
                    let text = String::from_utf8_lossy(&answer.body).into_owned();
                    wrong.push(format!("{target} {body} {lock:?} after {after}: {} {text}", answer.status));
                }
                let row = w.gateway.metadata.version(version).await.unwrap().unwrap();
                if !gone {
                    assert_eq!((row.guard, row.retention), (lock.guard(), lock.retention), "{target}");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    w.check().await;
}

/// With a number, and the date of the last of them.
#[tokio::test]
async fn a_container_that_holds_locks_says_how_many_and_until_when() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let (near, far) = (w.clock.now().plus(HOUR), w.clock.now().plus(9 * HOUR));
    for (name, mode, until) in [("a", RetentionMode::Governance, near), ("b", RetentionMode::Compliance, far)]
    {
        w.put_as(bucket, name, |put| put.retention = Some(Retention { mode, until })).await;
    }
    for target in ["remove", "empty"] {
        let refused = w.ask("POST", &format!("{BUCKETS}/photos/{target}"), json!({}), 403).await;
        let text = refused.to_string();
        assert!(text.contains("2 ") && text.contains(&far.to_rfc3339()), "{text}");
    }
    assert_eq!(w.current(bucket).await.len(), 2);
    w.check().await;
}

#[tokio::test]
async fn a_retention_travels_with_its_version() {
    let (here, there) = (World::new().await, World::new().await);
    let bucket = here.bucket("photos").await;
    let elsewhere = there.bucket("photos").await;
    let until = here.clock.now().plus(HOUR);
    let mut head = arriving("content");
    head["stored"]["retention"] = json!({ "mode": "compliance", "until": until.micros() });
    for (bad, why) in [
        (json!({ "mode": "COMPLIANCE", "until": 1 }), "mode"),
        (json!({ "mode": "compliance" }), "until"),
        (json!({ "mode": "compliance", "until": 1, "more": 1 }), "more"),
    ] {
        let mut head = head.clone();
        head["stored"]["retention"] = bad;
        let refused = bring(&here, "x", &head, "content", "").await;
        assert_eq!((refused.status, code(&told(&refused))), (400, "BadRequest"), "{}", told(&refused));
        assert!(told(&refused).to_string().contains(why));
    }
    assert!(here.current(bucket).await.is_empty());
    assert_eq!(bring(&here, "x", &head, "content", "").await.status, 201);
    let is = async |w: &World, bucket: ContainerId| {
        let version = w.current(bucket).await["x"];
        let row = w.gateway.metadata.version(version).await.unwrap().unwrap();
        (row.retention.unwrap(), row.guard.until)
    };
    let retention = Retention { mode: RetentionMode::Compliance, until };
    assert_eq!(is(&here, bucket).await, (retention, Some(until)));
    let rev = head["revision"].as_str().unwrap();
    let out =
        here.ask_as(Some(ROOT), "GET", &format!("{BUCKETS}/photos/revisions?name=x&rev={rev}"), "").await;
    let stored = STANDARD.decode(out.header("barrow-stored").unwrap()).unwrap();
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    assert_eq!(stored["retention"], head["stored"]["retention"]);
    assert_eq!(stored["guard"]["until"], until.micros(), "and the guard takes it in");
    let head = json!({ "revision": rev, "history": [], "stored": stored });
    assert_eq!(bring(&there, "x", &head, "content", "").await.status, 201);
    assert_eq!(is(&there, elsewhere).await, (retention, Some(until)));
    // What is deleted at home is refused where it is locked, and nothing changes.
    let why = there.get(&format!("/v1/versions/{}", there.current(elsewhere).await["x"])).await;
    assert_eq!((&why["retention"], &why["hold"]), (&json!("compliance"), &json!(false)), "{why}");
    there.check().await;
}
