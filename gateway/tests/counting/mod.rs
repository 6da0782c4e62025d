//! What the admin door counts and shows, and what it leaves in the audit trail.

use crate::common::{DAY, ROOT, World};
use lifecycle::Clock;
use lifecycle::audit::Record;
use serde_json::json;
use std::time::Duration;

const BUCKETS: &str = "/v1/domains/barrow.local/buckets";

async fn metrics(w: &World) -> String {
    let answer = w.ask_as(None, "GET", "/metrics", "").await;
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.body).unwrap()
}

#[track_caller]
fn says(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "{line} in {text}");
    }
}

#[tokio::test]
async fn every_metric_that_is_promised_is_there_once() {
    let w = World::new().await;
    let text = metrics(&w).await;
    for (name, kind) in [
        ("barrow_requests_total", "counter"),
        ("barrow_contexts", "gauge"),
        ("barrow_grace_bytes", "gauge"),
        ("barrow_purge_backlog_objects", "gauge"),
        ("barrow_purge_objects_total", "counter"),
        ("barrow_restores_total", "counter"),
        ("barrow_delete_refused_total", "counter"),
        ("barrow_oldest_grace_seconds", "gauge"),
        ("barrow_violations_total", "counter"),
        ("barrow_audit_dropped_total", "counter"),
        ("barrow_claims_lapsed_total", "counter"),
        ("barrow_resurrections_total", "counter"),
        ("barrow_violations_by_rule_total", "counter"),
        ("barrow_purge_lag_seconds", "gauge"),
        ("barrow_task_last_run_timestamp_seconds", "gauge"),
        ("barrow_task_next_run_timestamp_seconds", "gauge"),
        ("barrow_task_failed", "gauge"),
        ("barrow_reconcile_findings", "gauge"),
        ("barrow_build_info", "gauge"),
    ] {
        let head = format!("# TYPE {name} {kind}");
        assert_eq!(text.lines().filter(|line| **line == head).count(), 1, "{head}");
    }
    // One value to each name and labels, each a number.
    let mut names = std::collections::HashSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(names.insert(name), "{name} twice");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    says(
        &text,
        &[
            "barrow_purge_objects_total 7",
            "barrow_purge_bytes_total 28",
            "barrow_audit_dropped_total 0",
            "barrow_claims_lapsed_total 3",
            "barrow_violations_total 2",
            "barrow_violations_by_rule_total{rule=\"R1\"} 2",
            "barrow_resurrections_total 0",
            "barrow_purge_lag_seconds 0",
        ],
    );
}

#[tokio::test]
async fn requests_are_counted_by_operation_and_status() {
    let w = World::new().await;
    w.bucket("photos").await;
    w.get("/v1/usage").await;
    w.ask("GET", "/v1/nothing", json!(null), 404).await;
    w.ask("POST", &format!("{BUCKETS}/none/remove"), json!({}), 404).await;
    metrics(&w).await;
    says(
        &metrics(&w).await,
        &[
            "barrow_requests_total{proto=\"admin\",op=\"CREATE_BUCKET\",status=\"201\"} 1",
            "barrow_requests_total{proto=\"admin\",op=\"USAGE\",status=\"200\"} 1",
            "barrow_requests_total{proto=\"admin\",op=\"UNKNOWN\",status=\"404\"} 1",
            "barrow_requests_total{proto=\"admin\",op=\"REMOVE_BUCKET\",status=\"404\"} 1",
            "barrow_requests_total{proto=\"admin\",op=\"METRICS\",status=\"200\"} 1",
            "barrow_delete_refused_total{token=\"NoSuchBucket\"} 1",
        ],
    );
}

#[tokio::test]
async fn what_is_in_grace_and_what_is_being_purged_is_shown() {
    let w = World::new().await;
    let (photos, videos) = (w.bucket("photos").await, w.bucket("videos").await);
    for (bucket, name) in [(photos, "a"), (photos, "b"), (videos, "c")] {
        w.put(bucket, name).await;
    }
    says(
        &metrics(&w).await,
        &["barrow_contexts{state=\"live\"} 3", "barrow_oldest_grace_seconds 0", "barrow_grace_bytes 0"],
    );
    w.post(&format!("{BUCKETS}/photos/remove"), json!({})).await;
    w.clock.advance(Duration::from_secs(90));
    w.post(&format!("{BUCKETS}/videos/remove"), json!({})).await;
    says(
        &metrics(&w).await,
        &[
            "barrow_contexts{state=\"live\"} 1",
            "barrow_contexts{state=\"removed\"} 2",
            "barrow_contexts{state=\"purging\"} 0",
            "barrow_oldest_grace_seconds 90",
            "barrow_grace_bytes 12",
            "barrow_purge_backlog_objects 0",
        ],
    );
    w.ask("POST", &format!("{BUCKETS}/photos/purge"), json!({}), 200).await;
    w.clock.advance(DAY);
    says(
        &metrics(&w).await,
        &[
            "barrow_contexts{state=\"removed\"} 1",
            "barrow_contexts{state=\"purging\"} 1",
            "barrow_oldest_grace_seconds 86400",
            "barrow_grace_bytes 4",
            "barrow_purge_backlog_objects 2",
        ],
    );
}

#[tokio::test]
async fn how_long_the_oldest_due_thing_waits_is_shown() {
    let w = World::new().await;
    let photos = w.bucket("photos").await;
    w.put(photos, "a").await;
    w.delete(photos, "a").await;
    w.clock.advance(DAY);
    says(&metrics(&w).await, &["barrow_purge_lag_seconds 0"]);
    w.clock.advance(Duration::from_secs(90));
    says(&metrics(&w).await, &["barrow_purge_lag_seconds 90"]);
    w.post(&format!("{BUCKETS}/photos/remove"), json!({})).await;
    says(&metrics(&w).await, &["barrow_purge_lag_seconds 0"]);
}

#[tokio::test]
async fn what_tasks_wrote_down_is_shown() {
    let w = World::new().await;
    let now = w.clock.now();
    let (begun, next) = (now.minus(Duration::from_secs(2)), now.plus(Duration::from_secs(60)));
    let done = json!({ "purged": 3 });
    w.gateway.metadata.record_task("reclaim", begun, now, Some(next), &done).await.unwrap();
    let broken_off =
        json!({ "missing": { "count": 4, "bytes": 9, "first": [] }, "complete": false, "failed": "why" });
    w.gateway.metadata.record_task("reconcile", begun, now, None, &broken_off).await.unwrap();
    let (now, next) = (now.micros() / 1_000_000, next.micros() / 1_000_000);
    says(
        &metrics(&w).await,
        &[
            &format!("barrow_task_last_run_timestamp_seconds{{task=\"reclaim\"}} {now}"),
            &format!("barrow_task_next_run_timestamp_seconds{{task=\"reclaim\"}} {next}"),
            "barrow_task_failed{task=\"reclaim\"} 0",
            "barrow_task_failed{task=\"reconcile\"} 1",
            "barrow_reconcile_findings{kind=\"missing\"} 4",
        ],
    );
}

/// The one record that a request has left.
fn one(w: &World) -> Record {
    let mut records = w.audit.take();
    assert_eq!(records.len(), 1, "{records:#?}");
    let record = records.remove(0);
    assert_eq!(record.door, "admin");
    record
}

/// Operation, status, uuid, objects and bytes.
type Told<'a> = (&'a str, Option<u16>, Option<&'a str>, Option<u64>, Option<u64>);

#[track_caller]
fn is(record: &Record, told: Told<'_>) {
    let Record { operation, status, uuid, objects, bytes, .. } = record;
    assert_eq!((*operation, *status, uuid.as_deref(), *objects, *bytes), told, "{record:#?}");
    assert_eq!((record.user.as_deref(), record.domain.as_deref()), (Some("root"), Some("barrow.local")));
    assert!(record.request.is_some() && record.source.is_some() && record.elapsed.is_some() && !record.cut);
}

#[tokio::test]
async fn restores_are_counted_by_their_result_and_written_down() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let uuid = bucket.to_string();
    let uuid = Some(uuid.as_str());
    is(&one(&w), ("CREATE_BUCKET", Some(201), uuid, None, None));
    for name in ["a", "b"] {
        w.put(bucket, name).await;
    }
    w.delete(bucket, "a").await;
    w.post(&format!("{BUCKETS}/photos/objects/restore"), json!({ "names": ["a", "none"] })).await;
    let record = one(&w);
    is(&record, ("RESTORE_OBJECTS", Some(200), uuid, Some(1), Some(4)));
    assert_eq!(record.bucket.as_deref(), Some("photos"));

    w.post(&format!("{BUCKETS}/photos/remove"), json!({ "grace": "default" })).await;
    let record = one(&w);
    is(&record, ("REMOVE_BUCKET", Some(200), uuid, Some(2), Some(8)));
    assert_eq!(record.purge_after, Some(w.clock.now().plus(7 * DAY)));
    w.post(&format!("{BUCKETS}/photos/restore"), json!({ "as": "pictures" })).await;
    let record = one(&w);
    is(&record, ("RESTORE_BUCKET", Some(200), uuid, Some(2), Some(8)));
    assert_eq!(record.bucket.as_deref(), Some("pictures"), "the name it has now");

    let emptied = w.post(&format!("{BUCKETS}/pictures/empty"), json!({})).await;
    is(&one(&w), ("EMPTY_BUCKET", Some(200), uuid, Some(2), Some(8)));
    let contents = emptied["contents"].as_str().unwrap();
    w.post(&format!("{BUCKETS}/pictures/contents/{contents}/restore"), json!({})).await;
    is(&one(&w), ("RESTORE_CONTENTS", Some(200), Some(contents), Some(2), Some(8)));

    w.ask("POST", &format!("{BUCKETS}/pictures/restore"), json!({}), 409).await;
    let record = one(&w);
    is(&record, ("RESTORE_BUCKET", Some(409), uuid, None, None));
    assert!(record.token.is_some());
    says(
        &metrics(&w).await,
        &[
            "barrow_restores_total{result=\"restored\"} 3",
            "barrow_restores_total{result=\"refused\"} 2",
            "barrow_restores_total{result=\"failed\"} 0",
        ],
    );
}

#[tokio::test]
async fn an_early_purge_is_written_down_with_who_ordered_it() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    w.put(bucket, "a").await;
    w.post(&format!("{BUCKETS}/photos/remove"), json!({})).await;
    w.audit.take();
    w.ask("POST", &format!("{BUCKETS}/photos/purge"), json!({}), 200).await;
    let record = one(&w);
    is(&record, ("PURGE_BUCKET", Some(200), Some(&bucket.to_string()), Some(1), Some(4)));
    assert_eq!(record.purge_after, Some(w.clock.now()), "its grace is over");
}

/// A path in which every brace is filled with something that is not there.
fn filled(path: &str) -> String {
    let filled = |segment: &'static str| if segment.starts_with('{') { "none" } else { segment };
    let leaked: &'static str = Box::leak(path.to_owned().into_boxed_str());
    leaked.split('/').map(filled).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_request_that_is_to_change_something_leaves_one_record_and_no_other_does() {
    let w = World::new().await;
    let mut orders = 0;
    for route in gateway::admin::routes() {
        for key in [None, Some(("root", "wrong")), Some(ROOT)] {
            let answer = w.ask_as(key, route.method, &filled(route.path), "").await;
            let id = answer.header("gateway-request-id").expect("every answer has one").to_owned();
            if route.method == "GET" {
                assert_eq!(w.audit.take(), [], "{route:?} only reads");
                continue;
            }
            let record = one(&w);
            assert_eq!(record.request, Some(id));
            assert_eq!(record.status, Some(answer.status), "{route:?}");
            assert_eq!(record.token.is_some(), answer.status >= 400, "{route:?}: {record:#?}");
            assert_ne!(record.operation, "UNKNOWN");
            match key {
                Some(ROOT) => assert_eq!(record.user.as_deref(), Some("root")),
                _ => assert_eq!((record.status, record.user), (Some(401), None), "{route:?}"),
            }
            orders += 1;
        }
    }
    assert!(orders >= 3 * 15, "{orders}");
}

#[tokio::test]
async fn what_is_no_operation_is_told_as_it_was_sent() {
    let w = World::new().await;
    for (method, target, status) in
        [("POST", "/v1/nothing%0A", 404), ("DELETE", "/v1/domains", 405), ("BREW", "/", 404)]
    {
        w.ask("GET", "/v1/nothing", json!(null), 404).await;
        assert_eq!(w.ask_as(Some(ROOT), method, target, "").await.status, status);
        let record = one(&w);
        assert_eq!((record.operation, record.status), ("UNKNOWN", Some(status)));
        assert_eq!((record.path.as_deref(), record.user.as_deref()), (Some(target), None));
    }
}

#[tokio::test]
async fn what_an_operator_chose_is_told() {
    let w = World::new().await;
    w.bucket("photos").await;
    w.audit.take();
    let chose = |detail: &'static str| (one(&w).detail, Some(detail.to_owned()));
    w.ask("PUT", &format!("{BUCKETS}/photos/grace"), json!({ "object_delete_delay": "1h" }), 200).await;
    let (told, expected) = chose("object_delete_delay=1h");
    assert_eq!(told, expected);
    w.post("/v1/resume", json!({ "release": "2h" })).await;
    let (told, expected) = chose("release=2h");
    assert_eq!(told, expected);
    w.post("/v1/tasks/reclaim/run", json!({ "dry_run": true })).await;
    let record = one(&w);
    assert_eq!((record.operation, record.path.as_deref()), ("RUN_TASK", Some("reclaim")));
    assert_eq!(record.detail.as_deref(), Some("dry_run=true"));
    let made = w.ask("POST", "/v1/keys", json!({ "rights": "read,delete" }), 201).await;
    let (id, record) = (made["id"].as_str().unwrap(), one(&w));
    assert_eq!((record.operation, record.path.as_deref()), ("CREATE_KEY", Some(id)));
    assert_eq!(record.detail.as_deref(), Some("rights=read,delete"));
    assert!(!record.json().contains(made["secret"].as_str().unwrap()), "no secret is written down");
    w.post(&format!("/v1/keys/{id}/revoke"), json!({})).await;
    let record = one(&w);
    assert_eq!((record.operation, record.path.as_deref()), ("REVOKE_KEY", Some(id)));
}
