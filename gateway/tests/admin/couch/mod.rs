//! The couch door: what CouchDB's purge family asks for.

mod auto_purge;
mod changes;
mod diff;
mod limits;
mod purge;
mod speech;

use crate::common::{ROOT, World};
use lifecycle::{ContainerId, Guard};
use serde_json::{Value, json};
use testkit::load::http::Kept;

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// Asks as root, with a body of JSON.
async fn ask(w: &World, method: &str, target: &str, body: &Value) -> Kept {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    w.ask_with(Some(ROOT), method, target, JSON, &body).await
}

fn read(answer: &Kept) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// The same, and expects a status.
async fn told(w: &World, method: &str, target: &str, body: Value, status: u16) -> Value {
    let answer = ask(w, method, target, &body).await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, status, "{method} {target} {body}: {text}");
    read(&answer)
}

async fn post(w: &World, target: &str, body: Value) -> Value {
    told(w, "POST", target, body, 200).await
}

/// Puts an object of four bytes whose content is told apart by `letter`, and gives its revision.
async fn put(w: &World, bucket: ContainerId, name: &str, letter: u8) -> String {
    let version = w.put_as(bucket, name, |publish| publish.md5 = [letter; 16]).await;
    w.gateway.metadata.version(version).await.unwrap().unwrap().revision.unwrap().to_string()
}

/// The ends of a name's tree.
async fn ends(w: &World, bucket: ContainerId, name: &str) -> Vec<String> {
    let trees = w.gateway.metadata.revision_trees(bucket, &[name.to_owned()]).await.unwrap();
    trees[name].leaves().iter().map(|leaf| leaf.revision.to_string()).collect()
}

/// 1 ← 2-bb…, and 1 ← 2-cc…, which wins. The bucket has to keep versions.
async fn two_branches(w: &World, bucket: ContainerId, name: &str) -> [String; 2] {
    put(w, bucket, name, 1).await;
    let mut ids = Vec::new();
    for (letter, hash, conflict) in [(2, "bb", 1), (3, "cc", 0)] {
        let version = w.put_as(bucket, name, |publish| publish.md5 = [letter; 16]).await;
        let hash = hash.repeat(16);
        let touched = w
            .put_wrong(&format!(
                "UPDATE versions SET generation = 2, revision = x'{hash}', conflict = {conflict},
                    parent_revision = (SELECT r.revision FROM versions r WHERE r.name = '{name}' AND r.generation = 1)
                 WHERE id = x'{version}'"
            ))
            .await;
        assert_eq!(touched, 1);
        ids.push(format!("2-{hash}"));
    }
    [ids[0].clone(), ids[1].clone()]
}

/// Every way in which one of these operations says that it is done.
pub(crate) async fn everything(w: &World, bucket: ContainerId) {
    let rev = put(w, bucket, "couch", 1).await;
    post(w, "/_couch/photos/_revs_diff?purged=true", json!({ "couch": ["3-x"], "nobody": ["1-x"] })).await;
    told(w, "GET", "/_couch/photos/_changes?include_docs=true&style=all_docs", Value::Null, 200).await;
    post(w, "/_couch/photos/_changes?since=now", json!({})).await;
    post(w, "/_couch/photos/_missing_revs", json!({ "couch": [rev, "3-x"] })).await;
    let hold = Guard { hold: true, ..Guard::NONE };
    w.put_as(bucket, "held", |publish| publish.guard = hold).await;
    let held = ends(w, bucket, "held").await.remove(0);
    post(w, "/_couch/photos/_purge", json!({ "couch": [rev], "held": [held] })).await;
    told(w, "POST", "/_couch/photos/_purge?dialect=3", json!({ "couch": [rev] }), 201).await;
    told(w, "POST", "/_couch/photos/_purge?dialect=3&domain=barrow.local", json!({ "held": [held] }), 403)
        .await;
    told(w, "GET", "/_couch/photos/_purged_infos", Value::Null, 200).await;
    for limit in ["_purged_infos_limit", "_revs_limit"] {
        let target = format!("/_couch/photos/{limit}");
        told(w, "GET", &target, Value::Null, 200).await;
        told(w, "PUT", &target, json!(500), 200).await;
    }
    let text = format!("UPDATE versions SET hold = 0 WHERE name = 'held' AND hold = {}", 1);
    assert_eq!(w.put_wrong(&text).await, 1, "or the bucket could not be removed");
}
