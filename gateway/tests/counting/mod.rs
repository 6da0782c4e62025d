//! What the admin door counts and shows, and what it leaves in the audit trail.

use crate::common::{DAY, World};
use lifecycle::audit::{PURGE_START, RESTORE};
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
        &["barrow_purge_objects_total 7", "barrow_purge_bytes_total 28", "barrow_audit_dropped_total 0"],
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
    w.ask("POST", &format!("{BUCKETS}/photos/purge"), json!({}), 202).await;
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
async fn restores_are_counted_by_their_result_and_written_down() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    for name in ["a", "b"] {
        w.put(bucket, name).await;
    }
    w.delete(bucket, "a").await;
    w.post(&format!("{BUCKETS}/photos/objects/restore"), json!({ "names": ["a", "none"] })).await;
    let records = w.audit.take();
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!((records[0].operation, records[0].user.as_deref()), (RESTORE, Some("root")));
    assert_eq!((records[0].objects, records[0].bytes), (Some(1), Some(4)));
    let place = (records[0].domain.as_deref(), records[0].bucket.as_deref());
    assert_eq!(place, (Some("barrow.local"), Some("photos")));

    w.post(&format!("{BUCKETS}/photos/remove"), json!({})).await;
    w.post(&format!("{BUCKETS}/photos/restore"), json!({ "as": "pictures" })).await;
    let records = w.audit.take();
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!((records[0].operation, records[0].uuid.clone()), (RESTORE, Some(bucket.to_string())));
    assert_eq!((records[0].objects, records[0].bytes), (Some(2), Some(8)));
    assert_eq!(records[0].bucket.as_deref(), Some("pictures"), "the name it has now");

    let emptied = w.post(&format!("{BUCKETS}/pictures/empty"), json!({})).await;
    let contents = emptied["contents"].as_str().unwrap();
    w.post(&format!("{BUCKETS}/pictures/contents/{contents}/restore"), json!({})).await;
    let records = w.audit.take();
    assert_eq!((records.len(), records[0].uuid.as_deref()), (1, Some(contents)), "{records:#?}");

    w.ask("POST", &format!("{BUCKETS}/pictures/restore"), json!({}), 409).await;
    assert_eq!(w.audit.all(), [], "what did not happen is not an event");
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
    w.ask("POST", &format!("{BUCKETS}/photos/purge"), json!({}), 202).await;
    let records = w.audit.take();
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!((records[0].operation, records[0].uuid.clone()), (PURGE_START, Some(bucket.to_string())));
    assert_eq!(records[0].user.as_deref(), Some("root"));
    assert_eq!((records[0].objects, records[0].bytes), (Some(1), Some(4)));
}
