//! `_purge` and `_purged_infos`.

use super::{JSON, ask, ends, post, put, read, told, two_branches};
use crate::common::{DAY, ROOT, World};
use lifecycle::{Clock, Guard, Right, State};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const PURGE: &str = "/_couch/photos/_purge";
const INFOS: &str = "/_couch/photos/_purged_infos";

/// CP-01, CP-04, CP-05: the seed's dialect tells a number, and names stand in the order of the request.
#[tokio::test]
async fn revisions_go_and_the_number_of_the_purge_is_told() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let (foo, bar) = (put(&w, bucket, "foo", 1).await, put(&w, bucket, "bar", 2).await);
    let wakes = w.background.wakes.load(Ordering::Relaxed);
    let answer = ask(&w, "POST", PURGE, &json!({})).await;
    assert_eq!((answer.status, read(&answer)), (200, json!({ "purge_seq": 0, "purged": {} })));
    assert_eq!(answer.header("barrow-reclaim"), Some("none"));
    assert_eq!(w.background.wakes.load(Ordering::Relaxed), wakes);

    let body = format!("{{\"foo\":[\"{foo}\",\"{foo}\"],\"bar\":[\"1-x\",\"{bar}\"],\"another\":[\"0-0\"]}}");
    let answer = w.ask_with(Some(ROOT), "POST", PURGE, JSON, &body).await;
    let wanted = format!(
        "{{\"purge_seq\":3,\"purged\":{{\"foo\":[\"{foo}\"],\"bar\":[\"{bar}\"],\"another\":[]}}}}\n"
    );
    assert_eq!(String::from_utf8(answer.body.clone()).unwrap(), wanted, "in the order of the request");
    assert_eq!((answer.status, answer.header("barrow-reclaim")), (200, Some("pending")));
    assert_eq!(w.background.wakes.load(Ordering::Relaxed), wakes + 1, "somebody gives the bytes back");
    assert!(w.current(bucket).await.is_empty());
    w.check().await;
}

/// CP-16: today's dialect. Bytes that are still there are no 202.
#[tokio::test]
async fn the_third_dialect_tells_no_number_and_the_worst_status() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let foo = put(&w, bucket, "foo", 1).await;
    let target = format!("{PURGE}?dialect=3");
    let purged = told(&w, "POST", &target, json!({ "foo": [foo] }), 201).await;
    assert_eq!(purged, json!({ "purge_seq": null, "purged": { "foo": [foo] } }));
    let usage = w.gateway.metadata.usage().await.unwrap();
    assert!(usage.iter().any(|row| row.state == State::Purging && row.objects == 1));
    assert_eq!(told(&w, "POST", &target, json!({ "foo": [foo] }), 201).await["purged"]["foo"], json!([]));
    told(&w, "POST", &format!("{PURGE}?dialect=2"), json!({}), 400).await;
}

/// CP-08, CP-51: what conflicted wins when the winner goes, and is to be purged in its turn.
#[tokio::test]
async fn the_branches_of_a_conflict_go_one_after_the_other() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    w.versioning(bucket, "enabled").await;
    let [loser, winner] = two_branches(&w, bucket, "foo").await;
    assert_eq!(ends(&w, bucket, "foo").await, [winner.clone(), loser.clone()]);
    let purged = post(&w, PURGE, json!({ "foo": [winner] })).await;
    assert_eq!(purged["purged"]["foo"], json!([winner]));
    let current = w.current(bucket).await;
    let current = w.gateway.metadata.version(current["foo"]).await.unwrap().unwrap();
    assert_eq!(current.revision.unwrap().to_string(), loser);
    let purged = post(&w, PURGE, json!({ "foo": [loser] })).await;
    assert_eq!(purged["purged"]["foo"], json!([loser]));
    let purged = post(&w, PURGE, json!({ "foo": [loser, winner] })).await;
    assert_eq!(purged, json!({ "purge_seq": 3, "purged": { "foo": [] } }));
    w.check().await;
}

/// A name under a guard is told of by itself; the others go.
#[tokio::test]
async fn what_a_guard_protects_is_forbidden_by_name() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let until = w.clock.now().plus(DAY);
    let guards = [
        ("dated", Guard { from: None, until: Some(until), hold: false }),
        ("held", Guard { from: None, until: None, hold: true }),
        ("free", Guard::NONE),
    ];
    let mut asked = serde_json::Map::new();
    for (name, guard) in guards {
        w.put_as(bucket, name, |publish| publish.guard = guard).await;
        asked.insert(name.to_owned(), json!(ends(&w, bucket, name).await));
    }
    let purged = post(&w, PURGE, Value::Object(asked.clone())).await;
    let (dated, held) = (&purged["purged"]["dated"], &purged["purged"]["held"]);
    assert_eq!(
        (&dated["error"], &dated["hold"], &dated["until"]),
        (&json!("forbidden"), &json!(false), &json!(until.to_rfc3339()))
    );
    assert_eq!(
        (&held["error"], &held["hold"], &held["until"]),
        (&json!("forbidden"), &json!(true), &Value::Null)
    );
    assert_eq!((&purged["purged"]["free"], &purged["purge_seq"]), (&asked["free"], &json!(1)));
    assert_eq!(w.current(bucket).await.len(), 2);
    told(&w, "POST", &format!("{PURGE}?dialect=3"), Value::Object(asked.clone()), 403).await;
    w.clock.advance(DAY);
    let purged = post(&w, PURGE, Value::Object(asked.clone())).await;
    assert_eq!(purged["purged"]["dated"], asked["dated"], "its guard is over");
}

/// CP-33, CP-34: validate all, then act.
#[tokio::test]
async fn one_thing_that_is_not_meant_and_nothing_is_purged() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let foo = put(&w, bucket, "foo", 1).await;
    let twice = format!("{{\"foo\":[\"{foo}\"],\"foo\":[]}}");
    for body in [
        format!("{{\"foo\":[\"{foo}\"],\"bar\":[\"abc\"]}}"),
        format!("{{\"foo\":\"{foo}\"}}"),
        format!("{{\"foo\":[\"{foo}\"],\"bar\":true}}"),
        format!("{{\"foo\":[\"{foo}\"],\"bar\":[true]}}"),
        format!("{{\"foo\":[\"{foo}\"],\"\":[]}}"),
        format!("{{\"foo\":[\"{foo}\"],\"a\\u0000b\":[]}}"),
        format!("{{\"foo\":[\"{foo}\"]}} x"),
        format!("{{\"foo\":[\"{foo}\"]"),
        format!("[\"{foo}\"]"),
        String::new(),
        "null".to_owned(),
        twice,
    ] {
        let answer = w.ask_with(Some(ROOT), "POST", PURGE, JSON, &body).await;
        assert_eq!((answer.status, &read(&answer)["error"]), (400, &json!("bad_request")), "{body}");
    }
    let body = json!({ "foo": [foo] }).to_string();
    for media in [&[][..], &[("content-type", "text/plain")], &[("content-type", "application/jsonx")]] {
        let answer = w.ask_with(Some(ROOT), "POST", PURGE, media, &body).await;
        assert_eq!((answer.status, &read(&answer)["error"]), (415, &json!("bad_content_type")));
    }
    assert_eq!(told(&w, "GET", INFOS, Value::Null, 200).await, json!({ "purged_infos": [] }));
    let with_more = [("content-type", "Application/JSON; charset=utf-8")];
    assert_eq!(w.ask_with(Some(ROOT), "POST", PURGE, &with_more, &body).await.status, 200);
}

/// CP-35: the limit is the configuration's, and it is told.
#[tokio::test]
async fn more_revisions_than_are_allowed_are_refused_as_a_whole() {
    let w = World::limited(|limits| limits.purge_revisions = 1).await;
    let bucket = w.bucket("photos").await;
    let foo = put(&w, bucket, "foo", 1).await;
    for body in [
        json!({ "foo": [foo, "1-a", "1-b", "1-c"] }),
        json!({ "foo": [foo], "bar": ["1-a"] }),
        json!({ "a": [], "b": [] }),
    ] {
        let refused = told(&w, "POST", PURGE, body, 400).await;
        assert!(refused["reason"].as_str().unwrap().contains("at most 1"), "{refused}");
    }
    assert_eq!(
        post(&w, PURGE, json!({ "foo": [foo, foo] })).await["purged"]["foo"],
        json!([foo]),
        "said twice is asked once"
    );
}

/// CP-36: before the body is read, or it could not be told from one that is not allowed.
#[tokio::test]
async fn who_may_not_purge_is_told_so_before_anything_is_read() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    put(&w, bucket, "foo", 1).await;
    w.key("deleter", &[Right::Read, Right::Write, Right::Delete, Right::DeleteVersion]).await;
    // It is not even JSON.
    let answer = w.ask_with(None, "POST", PURGE, &[], "{").await;
    assert_eq!((answer.status, &read(&answer)["error"]), (401, &json!("unauthorized")));
    assert!(answer.header("www-authenticate").is_some());
    for target in [PURGE, "/_couch/nothing/_purge"] {
        let answer = w.ask_with(Some(("deleter", "secret")), "POST", target, &[], "{").await;
        assert_eq!((answer.status, &read(&answer)["error"]), (403, &json!("forbidden")), "{target}");
    }
    w.key("purger", &[Right::Purge]).await;
    let answer = w.ask_with(Some(("purger", "secret")), "POST", PURGE, JSON, "{}").await;
    assert_eq!(answer.status, 200);
}

/// CP-29: each purge by itself, the first one first, whatever it found.
#[tokio::test]
async fn what_was_purged_is_remembered_pair_by_pair() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    assert_eq!(told(&w, "GET", INFOS, Value::Null, 200).await, json!({ "purged_infos": [] }));
    let mut wanted = Vec::new();
    for (name, letter) in [("foo1", 1), ("foo2", 1), ("foo1", 2)] {
        let rev = put(&w, bucket, name, letter).await;
        post(&w, PURGE, json!({ name: [rev, "9-nothing"] })).await;
        wanted.push(json!({ "id": name, "revs": [rev, "9-nothing"] }));
    }
    assert_eq!(told(&w, "GET", INFOS, Value::Null, 200).await, json!({ "purged_infos": wanted }));
    // More of them than are held in memory at once.
    let last = "z";
    let many: serde_json::Map<String, Value> = (0..2_499)
        .map(|at| format!("n{at}"))
        .chain([last.to_owned()])
        .map(|name| (name, json!(["1-x"])))
        .collect();
    assert_eq!(post(&w, PURGE, Value::Object(many)).await["purge_seq"], 2_503);
    let infos = told(&w, "GET", INFOS, Value::Null, 200).await;
    let infos = infos["purged_infos"].as_array().unwrap();
    assert_eq!(infos.len(), 2_503);
    assert_eq!((&infos[2], &infos[2_502]["id"]), (&wanted[2], &json!(last)));
}

/// What is purged is written down: who, where, how much.
#[tokio::test]
async fn a_purge_leaves_an_audit_record() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    let rev = put(&w, bucket, "foo", 1).await;
    w.audit.take();
    post(&w, PURGE, json!({ "foo": [rev], "bar": ["1-x"] })).await;
    let record = w.audit.take().into_iter().find(|record| record.operation == "COUCH_PURGE").unwrap();
    assert_eq!(
        (record.bucket.as_deref(), record.user.as_deref(), record.status),
        (Some("photos"), Some("root"), Some(200))
    );
    assert_eq!(
        (record.objects, record.bytes, record.detail.as_deref()),
        (Some(1), Some(4), Some("names=2 revisions=2"))
    );
}
