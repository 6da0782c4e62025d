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

/// JP-44.
#[tokio::test]
async fn a_sealed_stream_lets_nothing_be_deleted_and_can_be_removed() {
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    w.put(bucket, "a").await;
    let (status, reply) = call(&w, "UPDATE.photos", r#"{"name":"photos","sealed":true}"#).await;
    let config = &reply["config"];
    assert_eq!((status, &config["sealed"]), (200, &json!(true)), "{reply}");
    assert_eq!((&config["deny_delete"], &config["deny_purge"]), (&json!(true), &json!(true)));
    assert_eq!(reply["type"], "io.nats.jetstream.api.v1.stream_update_response");
    assert_eq!(refused(&w, "PURGE.photos", "").await, (400, 10_109));
    assert_eq!(refused(&w, "MSG.DELETE.photos", r#"{"seq":1}"#).await, (400, 10_109));
    assert_eq!(refused(&w, "MSG.DELETE.photos", r#"{"seq":1,"no_erase":true}"#).await, (400, 10_109));
    for payload in [r#"{"sealed":false}"#, r#"{"deny_delete":false}"#, r#"{"deny_purge":false}"#] {
        assert_eq!(refused(&w, "UPDATE.photos", payload).await, (500, 10_052), "{payload}");
    }
    assert_eq!(msgs(&w, "photos").await, (1, 1, 1));
    let (status, _) = call(&w, "DELETE.photos", "").await;
    assert_eq!(status, 200);
    w.check().await;
}

/// JP-45.
#[tokio::test]
async fn what_is_denied_stays_denied() {
    let w = World::new().await;
    for (name, flag, what, payload, number) in [
        ("one", "deny_purge", "PURGE", "", 10_110),
        ("two", "deny_delete", "MSG.DELETE", r#"{"seq":1}"#, 10_057),
        ("three", "deny_delete", "MSG.DELETE", r#"{"seq":1,"no_erase":true}"#, 10_057),
    ] {
        let bucket = stream(&w, name).await;
        w.put(bucket, "a").await;
        let update = format!("UPDATE.{name}");
        call(&w, &update, &json!({ flag: true }).to_string()).await;
        assert_eq!(refused(&w, &format!("{what}.{name}"), payload).await, (500, number), "{name}");
        assert_eq!(refused(&w, &update, &json!({ flag: false }).to_string()).await, (500, 10_052));
        assert_eq!(msgs(&w, name).await, (1, 1, 1));
        let (_, info) = call(&w, &format!("INFO.{name}"), "").await;
        assert_eq!(info["config"][flag], true);
    }
    assert_eq!(refused(&w, "UPDATE.one", r#"{"max_age":0}"#).await, (400, 10_025));
    assert_eq!(refused(&w, "UPDATE.one", r#"{"name":"other"}"#).await, (500, 10_052));
    assert_eq!(refused(&w, "UPDATE.one", r#"{"max_msgs_per_subject":-5}"#).await, (500, 10_052));
    w.check().await;
}

/// JP-46.
#[tokio::test]
async fn roll_ups_are_not_permitted_where_purges_are_denied() {
    let w = World::new().await;
    stream(&w, "photos").await;
    let both = r#"{"allow_rollup_hdrs":true,"deny_purge":true}"#;
    assert_eq!(refused(&w, "UPDATE.photos", both).await, (500, 10_052));
    let (status, reply) = call(&w, "UPDATE.photos", r#"{"allow_rollup_hdrs":true}"#).await;
    assert_eq!((status, &reply["config"]["allow_rollup_hdrs"]), (200, &json!(true)), "{reply}");
    assert_eq!(refused(&w, "UPDATE.photos", r#"{"deny_purge":true}"#).await, (500, 10_052));
    let (_, info) = call(&w, "INFO.photos", "").await;
    assert_eq!(
        (&info["config"]["allow_rollup_hdrs"], &info["config"]["deny_purge"]),
        (&json!(true), &json!(false))
    );
    // It can be taken back, and then purges can be denied; and sealing takes it back by itself.
    let (status, _) = call(&w, "UPDATE.photos", r#"{"allow_rollup_hdrs":false,"deny_purge":true}"#).await;
    assert_eq!(status, 200);
    assert_eq!(refused(&w, "UPDATE.photos", r#"{"allow_rollup_hdrs":true}"#).await, (500, 10_052));
    stream(&w, "other").await;
    call(&w, "UPDATE.other", r#"{"allow_rollup_hdrs":true}"#).await;
    assert_eq!(
        refused(&w, "UPDATE.other", r#"{"allow_rollup_hdrs":true,"sealed":true}"#).await,
        (500, 10_052)
    );
    let (status, reply) = call(&w, "UPDATE.other", r#"{"sealed":true}"#).await;
    assert_eq!((status, &reply["config"]["allow_rollup_hdrs"]), (200, &json!(false)), "{reply}");
    w.check().await;
}

/// JP-43.
#[tokio::test]
async fn so_many_messages_of_a_subject_are_kept() {
    let w = World::new().await;
    let bucket = stream(&w, "photos").await;
    let (_, reply) = call(&w, "UPDATE.photos", r#"{"max_msgs_per_subject":5}"#).await;
    assert_eq!(reply["config"]["max_msgs_per_subject"], 5, "{reply}");
    put_all(&w, bucket, std::iter::repeat_n("a", 9).chain(["b"])).await;
    assert_eq!(msgs(&w, "photos").await, (6, 5, 10));
    assert_eq!(purge(&w, "photos", json!({ "filter": "a" })).await["purged"], 5);
    put_all(&w, bucket, std::iter::repeat_n("a", 5)).await;
    assert_eq!(msgs(&w, "photos").await, (6, 10, 15));
    call(&w, "UPDATE.photos", r#"{"max_msgs_per_subject":-1}"#).await;
    put_all(&w, bucket, ["a"]).await;
    assert_eq!(msgs(&w, "photos").await.0, 7);
    w.check().await;
}
