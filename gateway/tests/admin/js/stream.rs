//! One message, and the whole stream.

use super::*;
use lifecycle::State;

#[tokio::test]
async fn messages_are_deleted_one_by_one() {
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    put_all(&w, bucket, std::iter::repeat_n("a", 10)).await;
    for (seq, first) in [(5, 1), (1, 2), (10, 2), (3, 2), (2, 4)] {
        let (status, reply) = call(&w, "MSG.DELETE.photos", &json!({ "seq": seq }).to_string()).await;
        assert_eq!(
            (status, &reply["success"], &reply["erase"]),
            (200, &json!(true), &json!("delete")),
            "{reply}"
        );
        assert_eq!((&reply["first_seq"], &reply["last_seq"]), (&json!(first), &json!(10)));
    }
    assert_eq!(refused(&w, "MSG.DELETE.photos", r#"{"seq":5}"#).await, (400, 10_043));
    assert_eq!(refused(&w, "MSG.DELETE.photos", r#"{"seq":99}"#).await, (400, 10_043));
    for payload in ["", "{}", r#"{"seq":0}"#, "7"] {
        assert_eq!(refused(&w, "MSG.DELETE.photos", payload).await, (400, 10_003), "{payload}");
    }
    assert_eq!(refused(&w, "MSG.DELETE.photos", r#"{"sequence":4}"#).await, (400, 10_025));
    assert_eq!(msgs(&w, "photos").await, (5, 4, 10));
    w.check().await;
}

#[tokio::test]
async fn what_is_erased_does_not_come_back_and_the_rest_does() {
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    let first = w.put(bucket, "a").await;
    let second = w.put(bucket, "a").await;
    let third = w.put(bucket, "a").await;
    let (_, reply) = call(&w, "MSG.DELETE.photos", r#"{"seq":2,"no_erase":false}"#).await;
    assert_eq!(reply["erase"], "delete");
    let state = async |version| w.gateway.metadata.version(version).await.unwrap().unwrap().state;
    assert_eq!(state(second).await, State::Purging);
    let (_, info) = call(&w, "INFO.photos", "").await;
    assert_eq!((&info["state"]["num_deleted"], &info["state"]["messages"]), (&json!(1), &json!(2)));
    let (_, reply) = call(&w, "MSG.DELETE.photos", r#"{"seq":3,"no_erase":true}"#).await;
    assert_eq!(reply["erase"], "none");
    assert_eq!(state(third).await, State::Removed);
    // What it covered is the current one.
    assert_eq!(w.current(bucket).await["a"], first);
    w.put(bucket, "b").await;
    assert_eq!(msgs(&w, "photos").await, (2, 1, 4));
    w.check().await;
}

#[tokio::test]
async fn a_stream_is_removed_with_its_grace() {
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    w.put(bucket, "a").await;
    assert_eq!(refused(&w, "DELETE.photos", r#"{"now":true}"#).await, (400, 10_025));
    let (status, reply) = call(&w, "DELETE.photos", "").await;
    assert_eq!((status, &reply["success"]), (200, &json!(true)));
    assert!(reply["purge_after"].as_str().is_some_and(|at| at != "never"));
    let deletion = w.get(&format!("/v1/deletions/{}", reply["deletion_id"].as_str().unwrap())).await;
    assert_eq!((&deletion["kind"], &deletion["door"]), (&json!("bucket"), &json!("jetstream")));
    w.post("/v1/domains/barrow.local/buckets/photos/restore", json!({})).await;
    assert_eq!(msgs(&w, "photos").await, (1, 1, 1));
}

#[tokio::test]
async fn what_is_not_built_says_so_by_its_name() {
    let w = World::new().await;
    for what in ["STREAM.CREATE.photos", "STREAM.MSG.GET.photos", "CONSUMER.LIST.photos", "INFO"] {
        let target = format!("/_js/api/{what}");
        let answer = w.ask_as(Some(ROOT), "POST", &target, "").await;
        let text = String::from_utf8(answer.body).unwrap();
        assert!(answer.status == 501 && text.contains(what), "{what}: {text}");
    }
    let get = w.ask_as(Some(ROOT), "GET", "/_js/api/STREAM.INFO.photos", "").await;
    assert_eq!(get.status, 405);
}
