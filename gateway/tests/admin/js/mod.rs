//! The door of a message stream, through real sockets.

mod consumers;
mod purge;
mod stream;

use crate::common::{ROOT, World};
use lifecycle::ContainerId;
use serde_json::{Value, json};

/// A bucket in which every write makes a version.
pub(super) async fn stream(w: &World, name: &str) -> ContainerId {
    let bucket = w.bucket(name).await;
    w.versioning(bucket, "enabled").await;
    bucket
}

/// Asks with this payload, and gives the status with the reply.
pub(super) async fn call(w: &World, call: &str, payload: &str) -> (u16, Value) {
    let target = format!("/_js/api/STREAM.{call}");
    let answer = w.ask_as(Some(ROOT), "POST", &target, payload).await;
    let reply: Value = serde_json::from_slice(&answer.body).unwrap();
    if answer.status >= 400 {
        assert_eq!(reply["error"]["code"], answer.status, "{reply}");
        assert!(reply["error"]["description"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(reply.get("success").is_none());
    }
    (answer.status, reply)
}

/// The status and JetStream's number of a refusal.
pub(super) async fn refused(w: &World, what: &str, payload: &str) -> (u16, u64) {
    let (status, reply) = call(w, what, payload).await;
    (status, reply["error"]["err_code"].as_u64().unwrap_or_else(|| panic!("{what} {payload}: {reply}")))
}

pub(super) async fn purge(w: &World, name: &str, payload: Value) -> Value {
    let (status, reply) = call(w, &format!("PURGE.{name}"), &payload.to_string()).await;
    assert_eq!((status, &reply["success"]), (200, &json!(true)), "{payload}: {reply}");
    assert_eq!(reply["type"], "io.nats.jetstream.api.v1.stream_purge_response");
    reply
}

/// Messages, first and last sequence.
pub(super) async fn msgs(w: &World, name: &str) -> (u64, u64, u64) {
    let (status, info) = call(w, &format!("INFO.{name}"), "").await;
    assert_eq!(status, 200, "{info}");
    let number = |field: &str| info["state"][field].as_u64().unwrap();
    (number("messages"), number("first_seq"), number("last_seq"))
}

pub(super) async fn put_all<'a>(w: &World, bucket: ContainerId, names: impl IntoIterator<Item = &'a str>) {
    for name in names {
        w.put(bucket, name).await;
    }
}
