//! Versions handed to another installation and taken in from one, through the door.

use super::{BUCKETS, code};
use crate::common::{ROOT, World};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lifecycle::revision::{Described, Revision};
use lifecycle::{Right, VersionId};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use testkit::load::http::Kept;

/// A first version with this content, as another installation describes it.
pub(crate) fn arriving(content: &str) -> Value {
    let md5: [u8; 16] = Md5::digest(content).into();
    let described = Described {
        parent: None,
        content_md5: Some(md5),
        size: content.len() as u64,
        headers: "[]",
        marker: false,
    };
    json!({
        "revision": Revision::of(&described).to_string(),
        "history": [],
        "stored": {
            "version": VersionId::random().to_string(),
            "deleted": false,
            "origin": "9".repeat(32),
            "origin_seq": 4,
            "created_at": 1_772_528_400_000_000_i64,
            "size": content.len(),
            "md5": format!("{:032x}", u128::from_be_bytes(md5)),
            "whole_md5": null,
            "parts": null,
            "pieces": [],
            "headers": "[]",
            "tags": null,
            "checksum": null,
            "owner": "olga",
            "guard": { "from": null, "until": null, "hold": false },
        },
    })
}

/// The same as it is handed on: its bytes are known.
fn proved(stored: &Value) -> Value {
    let mut stored = stored.clone();
    stored["whole_md5"] = stored["md5"].clone();
    stored
}

pub(crate) async fn bring(w: &World, name: &str, head: &Value, content: &str, more: &str) -> Kept {
    let head = head.to_string();
    let target = format!("{BUCKETS}/photos/revisions?name={name}&head={}{more}", head.len());
    w.ask_as(Some(ROOT), "PUT", &target, &format!("{head}{content}")).await
}

pub(crate) fn told(answer: &Kept) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// Everything that the document promises of these operations.
pub(crate) async fn all_of_them(w: &World) {
    let head = arriving("content");
    let dry = bring(w, "r", &head, "", "&dry_run=true").await;
    assert_eq!((dry.status, &told(&dry)["state"]), (200, &json!("current")));
    assert_eq!(
        w.ask_as(Some(ROOT), "GET", &format!("{BUCKETS}/photos/revisions?name=r"), "").await.status,
        404
    );
    let arrived = bring(w, "r", &head, "content", "").await;
    assert_eq!((arrived.status, &told(&arrived)["state"]), (201, &json!("current")), "{:?}", told(&arrived));
    let again = bring(w, "r", &head, "content", "").await;
    assert_eq!((again.status, &told(&again)["state"]), (200, &json!("known")));
    let rev = head["revision"].as_str().unwrap();
    let tree = w.get(&format!("{BUCKETS}/photos/revisions?name=r")).await;
    assert_eq!((&tree["winner"], &tree["leaves"][0]["current"]), (&json!(rev), &json!(true)));
    let diff = json!({ "names": { "r": [rev, "9-x"], "s": [rev] } });
    let lacking = w.post(&format!("{BUCKETS}/photos/revisions/diff"), diff).await;
    assert_eq!(lacking["names"]["r"]["missing"], json!(["9-x"]));
    assert_eq!(lacking["names"]["r"]["possible_ancestors"], json!([rev]));
    assert_eq!(lacking["names"]["s"]["missing"], json!([rev]));
    let entry = json!({ "purges": [{
        "purge_id": "8".repeat(32), "name": "r", "revs": [rev], "upto_seq": 3, "origin": "9".repeat(32),
    }]});
    let spared = w.post(&format!("{BUCKETS}/photos/purges"), entry).await;
    assert_eq!(spared["purges"][0]["purged"], json!([]), "it was written later than that: {spared}");
    let entry = json!({ "purges": [{
        "purge_id": "7".repeat(32), "name": "r", "revs": [rev], "upto_seq": 4, "origin": "9".repeat(32),
    }]});
    let purged = w.post(&format!("{BUCKETS}/photos/purges"), entry).await;
    assert_eq!(purged["purges"][0]["purged"], json!([rev]));
    let back = bring(w, "r", &head, "content", "").await;
    assert_eq!((back.status, code(&told(&back))), (409, "Remembered"));
    let mut other = head.clone();
    other["stored"]["version"] = json!(VersionId::random().to_string());
    let back = bring(w, "r", &other, "content", "").await;
    assert_eq!((back.status, code(&told(&back))), (409, "PurgedHere"), "under whatever id");
}

#[tokio::test]
async fn what_goes_out_comes_in_elsewhere_as_it_was() {
    let (here, there) = (World::new().await, World::new().await);
    let bucket = here.bucket("photos").await;
    there.bucket("photos").await;
    let head = arriving("content");
    let version = head["stored"]["version"].clone();
    assert_eq!(bring(&here, "x", &head, "content", "").await.status, 201);
    let tree = here.get(&format!("{BUCKETS}/photos/revisions?name=x")).await;
    let rev = tree["winner"].as_str().unwrap();
    let out =
        here.ask_as(Some(ROOT), "GET", &format!("{BUCKETS}/photos/revisions?name=x&rev={rev}"), "").await;
    assert_eq!(
        (out.status, out.header("barrow-revision"), out.header("barrow-history")),
        (200, Some(rev), Some(""))
    );
    let stored = STANDARD.decode(out.header("barrow-stored").unwrap()).unwrap();
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    assert_eq!(stored, proved(&head["stored"]), "where it was written first it was written still");
    let content = String::from_utf8(out.body).unwrap();
    let head = json!({ "revision": rev, "history": [], "stored": stored });
    assert_eq!(bring(&there, "x", &head, &content, "").await.status, 201);
    let copy = there.get(&format!("{BUCKETS}/photos/revisions?name=x")).await;
    assert_eq!((&copy["winner"], &copy["leaves"][0]["version"]), (&json!(rev), &version));
    here.delete(bucket, "x").await;
    let tree = here.get(&format!("{BUCKETS}/photos/revisions?name=x")).await;
    let rev = tree["winner"].as_str().unwrap();
    assert_eq!((&tree["leaves"][0]["deleted"], &tree["leaves"][0]["version"]), (&json!(true), &Value::Null));
    let out =
        here.ask_as(Some(ROOT), "GET", &format!("{BUCKETS}/photos/revisions?name=x&rev={rev}"), "").await;
    let stored = STANDARD.decode(out.header("barrow-stored").unwrap()).unwrap();
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    assert_eq!((out.status, &stored["deleted"], out.body.len()), (200, &json!(true), 0));
    let history = [out.header("barrow-history").unwrap()];
    let head = json!({ "revision": rev, "history": history, "stored": stored });
    let deleted = bring(&there, "x", &head, "", "").await;
    assert_eq!((deleted.status, &told(&deleted)["state"]), (201, &json!("deleted")));
    there.check().await;
}

#[tokio::test]
async fn what_is_not_what_was_said_of_it_is_not_taken() {
    let w = World::new().await;
    w.bucket("photos").await;
    let good = arriving("content");
    let with = |field: &str, value: Value| {
        let mut head = good.clone();
        match head["stored"].get(field) {
            Some(_) => head["stored"][field] = value,
            None => head[field] = value,
        }
        head
    };
    let cases = [
        ("another content", good.clone(), "CONTENT"),
        ("too little", good.clone(), "conten"),
        ("too much", good.clone(), "content."),
        ("no revision", with("revision", json!("7")), "content"),
        ("a gap in its history", with("history", json!([format!("3-{}", "a".repeat(32))])), "content"),
        ("no id", with("version", Value::Null), "content"),
        ("no headers", with("headers", json!("{}")), "content"),
        ("no md5", with("md5", Value::Null), "content"),
        ("no such origin", with("origin", json!("here")), "content"),
        ("a field that nobody knows", with("colour", json!("red")), "content"),
        ("a tombstone with bytes", with("deleted", json!(true)), "content"),
    ];
    for (what, head, content) in cases {
        let answer = bring(&w, "x", &head, content, "").await;
        assert_eq!((answer.status, code(&told(&answer))), (400, "BadRequest"), "{what}: {}", told(&answer));
    }
    let short =
        w.ask_as(Some(ROOT), "PUT", &format!("{BUCKETS}/photos/revisions?name=x&head=500"), "{}").await;
    assert_eq!(short.status, 400);
    for rest in
        ["revisions?name=x", "revisions?head=2", "revisions?name=x&head=x", "revisions?name=x&head=2&no=1"]
    {
        let answer = w.ask_as(Some(ROOT), "PUT", &format!("{BUCKETS}/photos/{rest}"), "{}").await;
        assert_eq!(answer.status, 400, "{rest}");
    }
    assert_eq!(
        w.ask_as(Some(ROOT), "GET", &format!("{BUCKETS}/photos/revisions?name=x"), "").await.status,
        404
    );
    assert_eq!(w.ask_as(Some(ROOT), "GET", &format!("{BUCKETS}/photos/revisions"), "").await.status, 400);
    w.key("writer", &[Right::Write, Right::Admin]).await;
    w.check().await;
}

#[tokio::test]
async fn an_object_of_parts_is_proved_by_its_parts() {
    let w = World::new().await;
    w.bucket("photos").await;
    let over: [u8; 16] = {
        let mut all = Md5::new();
        [&b"cont"[..], b"en", b"t"].iter().for_each(|piece| all.update(Md5::digest(piece)));
        all.finalize().into()
    };
    let mut head = arriving("content");
    head["stored"]["parts"] = json!(3);
    head["stored"]["md5"] = json!(format!("{:032x}", u128::from_be_bytes(over)));
    head["stored"]["pieces"] = json!([[1, 4], [1, 2], [1, 1]]);
    let wrong = bring(&w, "x", &head, "c0ntent", "").await;
    assert_eq!(wrong.status, 400, "{}", told(&wrong));
    let right = bring(&w, "x", &head, "content", "").await;
    assert_eq!(right.status, 201, "{}", told(&right));
    let rev = head["revision"].as_str().unwrap();
    let out = w.ask_as(Some(ROOT), "GET", &format!("{BUCKETS}/photos/revisions?name=x&rev={rev}"), "").await;
    assert_eq!((out.status, out.body), (200, b"content".to_vec()));
    w.check().await;
}
