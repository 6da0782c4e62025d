//! `STREAM.PURGE`: what it removes, and what it refuses.

use super::*;
use crate::common::DAY;
use lifecycle::{Guard, Right, State};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn everything_goes_and_positions_go_on() {
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    put_all(&w, bucket, std::iter::repeat_n("kv/foo", 100)).await;
    let (status, reply) = call(&w, "PURGE.photos", "").await;
    assert_eq!((status, &reply["success"], &reply["purged"]), (200, &json!(true), &json!(100)));
    assert_eq!(
        (&reply["first_seq"], &reply["last_seq"], &reply["protected"]),
        (&json!(101), &json!(100), &json!(0))
    );
    assert_eq!(msgs(&w, "photos").await, (0, 101, 100));
    let (_, info) = call(&w, "INFO.photos", "{}").await;
    assert_eq!(info["state"]["first_ts"], "0001-01-01T00:00:00Z");
    assert_eq!(info["config"]["name"], "photos");
    put_all(&w, bucket, ["kv/foo"]).await;
    let (_, info) = call(&w, "INFO.photos", "").await;
    assert_eq!(info["state"]["first_ts"], info["state"]["last_ts"]);
    assert_eq!((&info["state"]["num_subjects"], &info["state"]["bytes"]), (&json!(1), &json!(4)));
    assert_eq!(msgs(&w, "photos").await, (1, 101, 101));
    // An empty object means everything here, as in JetStream.
    assert_eq!(purge(&w, "photos", json!({})).await["purged"], 1);
    assert_eq!(purge(&w, "photos", json!({ "seq": 0, "keep": 0 })).await["purged"], 0);
    w.check().await;
}

#[tokio::test]
async fn filters_positions_and_numbers() {
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    put_all(&w, bucket, ["photos/a", "photos/b/c", "photos", "a.b/c", "x", "x", "x"]).await;
    assert_eq!(purge(&w, "photos", json!({ "filter": "photos.*" })).await["purged"], 1);
    assert_eq!(purge(&w, "photos", json!({ "filter": "photos.>" })).await["purged"], 1);
    assert_eq!(purge(&w, "photos", json!({ "filter": "a%2Eb.c" })).await["purged"], 1);
    assert_eq!(purge(&w, "photos", json!({ "filter": "nothing.here" })).await["purged"], 0);
    assert_eq!(purge(&w, "photos", json!({ "filter": "x", "keep": 2 })).await["purged"], 1);
    assert_eq!(purge(&w, "photos", json!({ "filter": "x", "seq": 7 })).await["purged"], 1);
    for payload in
        [json!({ "seq": 1 }), json!({ "seq": 1, "filter": ">" }), json!({ "seq": 1, "filter": "x" })]
    {
        assert_eq!(purge(&w, "photos", payload).await["purged"], 0);
    }
    assert_eq!(msgs(&w, "photos").await, (2, 3, 7));
    // With a filter nothing moves, however far ahead the position lies.
    assert_eq!(purge(&w, "photos", json!({ "filter": "x", "seq": 1_000 })).await["purged"], 1);
    assert_eq!(msgs(&w, "photos").await, (1, 3, 7));
    let reply = purge(&w, "photos", json!({ "seq": 100 })).await;
    assert_eq!(
        (&reply["purged"], &reply["first_seq"], &reply["last_seq"]),
        (&json!(1), &json!(100), &json!(99))
    );
    put_all(&w, bucket, ["a"]).await;
    assert_eq!(msgs(&w, "photos").await, (1, 100, 100));
    assert_eq!(purge(&w, "photos", json!({ "seq": 9_007_199_254_740_991_i64 })).await["purged"], 1);
    assert_eq!(refused(&w, "PURGE.photos", r#"{"seq":9007199254740992}"#).await, (400, 10_003));
    w.check().await;
}

#[tokio::test]
async fn what_is_misspelt_purges_nothing() {
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    put_all(&w, bucket, ["a", "b"]).await;
    for (payload, number) in [
        (r#"{"seq":10,"keep":10}"#, 10_003),
        ("[1]", 10_025),
        ("{bad", 10_025),
        ("{", 10_025),
        ("null", 10_003),
        ("5", 10_003),
        (r#""x""#, 10_003),
        ("purge please", 10_003),
        (r#"{"subject":"a"}"#, 10_025),
        (r#"{"filter":"a","purge":true}"#, 10_025),
        (r#"{"filter":"a.>.b"}"#, 10_003),
        (r#"{"filter":"a..b"}"#, 10_003),
        (r#"{"filter":".a"}"#, 10_003),
        (r#"{"filter":"a b"}"#, 10_003),
        (r#"{"filter":""}"#, 10_003),
        (r#"{"filter":"a*"}"#, 10_003),
        (r#"{"filter":"%61"}"#, 10_003),
        (r#"{"seq":-1}"#, 10_025),
        (r#"{"seq":"1"}"#, 10_025),
        (r#"{"keep":1.5}"#, 10_025),
    ] {
        assert_eq!(refused(&w, "PURGE.photos", payload).await, (400, number), "{payload}");
    }
    // What the payload says is looked at before the stream is.
    for payload in ["[1]", "{bad"] {
        assert_eq!(refused(&w, "PURGE.nothing", payload).await, (400, 10_025));
    }
    assert_eq!(msgs(&w, "photos").await, (2, 1, 2));
    let (status, reply) = call(&w, "PURGE.photos", "[1]").await;
    assert_eq!((status, &reply["purged"]), (400, &json!(0)));
    assert_eq!(reply["type"], "io.nats.jetstream.api.v1.stream_purge_response");
}

#[tokio::test]
async fn unknown_and_removed_are_one() {
    let w = World::new().await;
    stream(&w, "photos").await;
    assert_eq!(refused(&w, "PURGE.nothing", "").await, (404, 10_059));
    assert_eq!(refused(&w, "INFO.nothing", "").await, (404, 10_059));
    w.post("/v1/domains/barrow.local/buckets/photos/remove", json!({})).await;
    for what in ["PURGE.photos", "INFO.photos", "DELETE.photos"] {
        assert_eq!(refused(&w, what, "").await, (404, 10_059), "{what}");
    }
    assert_eq!(refused(&w, "MSG.DELETE.photos", r#"{"seq":1}"#).await, (404, 10_059));
}

#[tokio::test]
async fn what_is_protected_stays() {
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    let held = Guard { hold: true, ..Guard::NONE };
    w.put_as(bucket, "a", |put| put.guard = held).await;
    put_all(&w, bucket, ["a", "b"]).await;
    let reply = purge(&w, "photos", json!({})).await;
    assert_eq!(
        (&reply["purged"], &reply["protected"], &reply["first_seq"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(w.current(bucket).await.keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(refused(&w, "MSG.DELETE.photos", r#"{"seq":1}"#).await, (500, 10_057));
    assert_eq!(refused(&w, "MSG.DELETE.photos", r#"{"seq":1,"no_erase":true}"#).await, (500, 10_057));
    assert_eq!(refused(&w, "DELETE.photos", "").await, (500, 10_110));
    assert_eq!(msgs(&w, "photos").await.0, 1);
}

#[tokio::test]
async fn rights_are_asked_for_and_refusals_are_in_its_words() {
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    put_all(&w, bucket, ["a", "a"]).await;
    w.key("writer", &[Right::Read, Right::Write, Right::Delete]).await;
    w.key("deleter", &[Right::DeleteVersion]).await;
    let ask = async |key, what: &str, payload| {
        let target = format!("/_js/api/STREAM.{what}");
        let answer = w.ask_as(key, "POST", &target, payload).await;
        let reply: Value = serde_json::from_slice(&answer.body).unwrap();
        (answer.status, reply["error"]["code"].as_u64().unwrap_or_default())
    };
    assert_eq!(ask(None, "PURGE.photos", "").await, (401, 401));
    assert_eq!(ask(Some(("writer", "secret")), "PURGE.photos", "").await, (403, 403));
    assert_eq!(ask(Some(("writer", "secret")), "PURGE.nothing", "[").await, (403, 403));
    let erase = r#"{"seq":1}"#;
    assert_eq!(ask(Some(("deleter", "secret")), "MSG.DELETE.photos", erase).await, (403, 403));
    let no_erase = r#"{"seq":1,"no_erase":true}"#;
    assert_eq!(ask(Some(("deleter", "secret")), "MSG.DELETE.photos", no_erase).await, (200, 0));
    assert_eq!(msgs(&w, "photos").await, (1, 2, 2));
    let wakes = w.background.wakes.load(Ordering::Relaxed);
    purge(&w, "photos", json!({})).await;
    assert!(w.background.wakes.load(Ordering::Relaxed) > wakes);
}

#[tokio::test]
async fn it_goes_with_the_grace_of_the_bucket() {
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    let kept = w.put(bucket, "a").await;
    put_all(&w, bucket, ["b"]).await;
    purge(&w, "photos", json!({ "filter": "a" })).await;
    let row = w.gateway.metadata.version(kept).await.unwrap().unwrap();
    assert_eq!((row.state, row.purge_after), (State::Removed, Some(row.removed_at.unwrap().plus(DAY))));
    let restored = json!({ "names": ["a"] });
    w.post("/v1/domains/barrow.local/buckets/photos/objects/restore", restored).await;
    assert_eq!(w.current(bucket).await.keys().collect::<Vec<_>>(), ["a", "b"]);
}

/// BX-38: a purge is what was accepted, whether its asker waits or leaves.
#[tokio::test]
async fn whoever_leaves_has_asked_all_the_same() {
    use base64::Engine;
    use tokio::io::AsyncWriteExt;
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    for number in 0..1_200 {
        w.put_without_bytes(bucket, &format!("kv/{number}")).await;
    }
    w.put(bucket, "other").await;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", ROOT.0, ROOT.1));
    let body = r#"{"filter":"kv.>"}"#;
    let request = format!(
        "POST /_js/api/STREAM.PURGE.photos HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {basic}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = tokio::net::TcpStream::connect(w.at).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let deletion = async || {
        let page = w.get("/v1/deletions").await;
        page["items"].as_array().unwrap().iter().find(|deletion| deletion["kind"] == "versions").cloned()
    };
    let accepted = async {
        loop {
            if let Some(deletion) = deletion().await {
                return deletion;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let begun =
        tokio::time::timeout(std::time::Duration::from_secs(20), accepted).await.expect("it is accepted");
    drop(connection);
    w.put(bucket, "kv/late").await;
    w.process().await;
    let shown = w.get(&format!("/v1/deletions/{}", begun["id"].as_str().unwrap())).await;
    assert_eq!(
        (&shown["purge"]["state"], &shown["purge"]["purged"]),
        (&json!("done"), &json!(1_200)),
        "{shown}"
    );
    assert_eq!(w.current(bucket).await.into_keys().collect::<Vec<_>>(), ["kv/late", "other"]);
    w.check().await;
}
