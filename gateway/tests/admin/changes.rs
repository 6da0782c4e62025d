//! Following a bucket: its changes, its ledger, and who follows it.

use super::{BUCKETS, code};
use crate::common::{DAY, World};
use lifecycle::Clock;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::Database;

/// Of a minute that a client wants to wait.
const AT_ONCE: Duration = Duration::from_secs(20);
const CHANGES: &str = "/v1/domains/barrow.local/buckets/photos/changes";
const PURGES: &str = "/v1/domains/barrow.local/buckets/photos/purges";
const FOLLOWERS: &str = "/v1/domains/barrow.local/buckets/photos/followers";

macro_rules! on_both_engines {
    ($($(#[doc = $doc:literal])* async fn $name:ident($world:ident: World) $body:block)*) => {$(
        $(#[doc = $doc])*
        mod $name {
            #[allow(unused_imports, reason = "each case takes what it needs")]
            use super::*;

            async fn case($world: &World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                case(&World::on(Database::sqlite()).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                case(&World::on(Database::postgres().await).await).await;
            }
        }
    )*};
}
pub(crate) use on_both_engines;

/// `name`, with a `-` before it if it is told deleted.
fn words(page: &Value) -> Vec<String> {
    let word = |change: &Value| {
        let minus = if change["deleted"] == true { "-" } else { "" };
        format!("{minus}{}", change["name"].as_str().unwrap())
    };
    page["changes"].as_array().unwrap().iter().map(word).collect()
}

on_both_engines! {
    async fn a_page_of_changes_tells_what_each_name_is(w: World) {
        let bucket = w.bucket("photos").await;
        let a = w.put(bucket, "a").await;
        w.put(bucket, "b").await;
        w.delete(bucket, "b").await;
        let page = w.get(CHANGES).await;
        assert_eq!((&page["bucket_id"], &page["last_seq"], &page["change_seq"]), (&json!(bucket), &json!(3), &json!(3)));
        assert_eq!((&page["purge_seq"], &page["pending"]), (&json!(0), &json!(0)));
        assert_eq!(words(&page), ["a", "-b"]);
        let (first, second) = (&page["changes"][0], &page["changes"][1]);
        assert_eq!((&first["version"], &first["position"], &first["size"]), (&json!(a), &json!(1), &json!(4)));
        assert!(first["rev"].as_str().unwrap().starts_with("1-") && first.get("leaves").is_none());
        assert_eq!((&second["version"], &second["position"], &second["size"]), (&Value::Null, &Value::Null, &json!(0)));
        assert!(second["rev"].as_str().unwrap().starts_with("2-"));
        let page = w.get(&format!("{CHANGES}?since=1&limit=1&all_leaves=true")).await;
        assert_eq!(words(&page), ["-b"]);
        assert_eq!(page["changes"][0]["leaves"], json!([page["changes"][0]["rev"]]));
        assert!(words(&w.get(&format!("{CHANGES}?since=3")).await).is_empty());
    }

    async fn whoever_waits_is_answered_when_something_changes(w: World) {
        let bucket = w.bucket("photos").await;
        w.put(bucket, "a").await;
        let page = w.get(&format!("{CHANGES}?since=1&wait_ms=50")).await;
        assert!(words(&page).is_empty() && page["last_seq"] == 1);
        let target = format!("{CHANGES}?since=1&wait_ms=60000");
        let waiting = w.get(&target);
        let writing = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            w.put(bucket, "b").await;
        };
        let both = async { tokio::join!(waiting, writing) };
        let (page, ()) = tokio::time::timeout(AT_ONCE, both).await.expect("it was woken");
        assert_eq!(words(&page), ["b"]);
    }

    async fn a_stop_waits_for_nobody_who_waits(w: World) {
        let bucket = w.bucket("photos").await;
        w.put(bucket, "a").await;
        let target = format!("{CHANGES}?since=1&wait_ms=60000");
        let waiting = w.get(&target);
        let stopping = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            w.stop();
        };
        let both = async { tokio::join!(waiting, stopping) };
        let (page, ()) = tokio::time::timeout(AT_ONCE, both).await.expect("it was answered at once");
        assert_eq!((words(&page).len(), &page["last_seq"]), (0, &json!(1)));
    }

    async fn what_was_purged_is_told_in_order(w: World) {
        let bucket = w.bucket("photos").await;
        assert_eq!(w.get(PURGES).await, json!({ "oldest": 1, "last": 0, "purges": [] }));
        w.put(bucket, "a").await;
        w.post(&format!("{BUCKETS}/photos/empty"), json!({})).await;
        w.post(&format!("{BUCKETS}/photos/empty"), json!({})).await;
        let page = w.get(PURGES).await;
        assert_eq!((&page["oldest"], &page["last"]), (&json!(1), &json!(2)));
        let first = &page["purges"][0];
        assert_eq!((&first["purge_seq"], first["purge_id"].as_str().map(str::len)), (&json!(1), Some(32)));
        assert_eq!((&first["selector"], &first["upto_seq"]), (&json!({ "filter": ">" }), &json!(1)));
        assert_eq!((&first["name"], &first["actor"], &first["origin"]), (&Value::Null, &json!("root"), &Value::Null));
        assert_eq!(w.get(&format!("{PURGES}?since=1&limit=5")).await["purges"].as_array().unwrap().len(), 1);
        assert_eq!(w.get(CHANGES).await["purge_seq"], 2);
        // CP-28
        let m = &w.gateway.metadata;
        w.put_wrong("UPDATE buckets SET purged_infos_limit = 1").await;
        assert_eq!(m.prune_ledger(bucket, 10).await.unwrap().dropped, 1);
        let gone = w.ask("GET", &format!("{PURGES}?since=0"), Value::Null, 410).await;
        assert_eq!((code(&gone), &gone["error"]["details"]), ("PURGEHISTORYTRUNCATED", &json!({ "oldest": 2 })));
        assert_eq!(w.get(PURGES).await["oldest"], 2);
    }

    async fn changes_that_may_be_missing_are_refused(w: World) {
        let bucket = w.bucket("photos").await;
        w.put(bucket, "a").await;
        w.delete(bucket, "a").await;
        w.clock.advance(2 * DAY);
        w.reclaim().await;
        w.clock.advance(15 * DAY);
        w.forget().await;
        let gone = w.ask("GET", &format!("{CHANGES}?since=1"), Value::Null, 410).await;
        assert_eq!((code(&gone), &gone["error"]["details"]), ("CHANGESTRUNCATED", &json!({ "oldest": 2 })));
        let gone = w.ask("GET", &format!("{CHANGES}?since=1&wait_ms=60000"), Value::Null, 410).await;
        assert_eq!(code(&gone), "CHANGESTRUNCATED");
        assert!(words(&w.get(CHANGES).await).is_empty());
    }

    async fn followers_register_move_on_and_go(w: World) {
        let bucket = w.bucket("photos").await;
        w.put(bucket, "a").await;
        assert_eq!(w.get(FOLLOWERS).await, json!({ "items": [], "next": null }));
        let mine = format!("{FOLLOWERS}/search-1");
        assert_eq!(code(&w.ask("GET", &mine, Value::Null, 404).await), "NoSuchFollower");
        let new = w.ask("PUT", &mine, json!({ "kind": "index", "memo": { "file": "x" } }), 200).await;
        assert_eq!((&new["id"], &new["kind"], &new["memo"]), (&json!("search-1"), &json!("index"), &json!({ "file": "x" })));
        assert_eq!((&new["change_seq"], &new["purge_seq"], &new["changes_behind"]), (&Value::Null, &Value::Null, &json!(1)));
        assert_eq!((&new["registered_by"], &new["lagging"]), (&json!("root"), &json!(false)));
        let moved = w.ask("PUT", &mine, json!({ "change_seq": 1, "purge_seq": 0 }), 200).await;
        assert_eq!((&moved["kind"], &moved["change_seq"], &moved["changes_behind"]), (&json!("index"), &json!(1), &json!(0)));
        for bad in [json!({ "change_seq": 0 }), json!({ "change_seq": 2 }), json!({ "purge_seq": 1 })] {
            assert_eq!(code(&w.ask("PUT", &mine, bad, 400).await), "CURSOROUTOFRANGE");
        }
        for bad in [json!({ "kind": "spy" }), json!({ "cursor": 1 }), json!({ "change_seq": "1" }), json!({ "memo": [] })] {
            assert_eq!(code(&w.ask("PUT", &mine, bad, 400).await), "BadRequest");
        }
        assert_eq!(code(&w.ask("PUT", &format!("{FOLLOWERS}/a%20b"), json!({}), 400).await), "BadRequest");
        assert_eq!(w.get(&mine).await, moved);
        w.ask("PUT", &format!("{FOLLOWERS}/other"), json!({}), 200).await;
        let page = w.get(&format!("{FOLLOWERS}?limit=1")).await;
        assert_eq!((&page["items"][0]["id"], &page["next"]), (&json!("other"), &json!("other")));
        let page = w.get(&format!("{FOLLOWERS}?after=other")).await;
        assert_eq!((&page["items"][0]["id"], &page["next"]), (&json!("search-1"), &Value::Null));
        assert_eq!(w.ask("DELETE", &mine, Value::Null, 200).await, json!({ "deregistered": "search-1" }));
        assert_eq!(code(&w.ask("DELETE", &mine, Value::Null, 404).await), "NoSuchFollower");
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told_so() {
    let w = World::new().await;
    w.bucket("photos").await;
    for (target, said) in [
        (format!("{CHANGES}?since=-1"), "since cannot be \"-1\""),
        (format!("{CHANGES}?since=now"), "since cannot be \"now\""),
        (format!("{CHANGES}?limit=0"), "limit cannot be \"0\""),
        (format!("{CHANGES}?wait_ms=60001"), "wait_ms cannot be \"60001\""),
        (format!("{CHANGES}?feed=longpoll"), "\"feed\" is not known"),
        (format!("{CHANGES}?all_leaves=perhaps"), "all_leaves"),
        (format!("{PURGES}?since=x"), "since cannot be \"x\""),
        (format!("{PURGES}?wait_ms=1"), "\"wait_ms\" is not known"),
    ] {
        let refused = w.ask("GET", &target, Value::Null, 400).await;
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains(said), "{target}: {message}");
    }
    let ahead = w.ask("GET", &format!("{CHANGES}?since=1"), Value::Null, 410).await;
    assert_eq!(code(&ahead), "CHANGESTRUNCATED", "a number that was never given out");
    for target in ["changes", "purges", "followers"] {
        let nothing = w.ask("GET", &format!("{BUCKETS}/music/{target}"), Value::Null, 404).await;
        assert_eq!(code(&nothing), "NoSuchBucket");
    }
    w.post(&format!("{BUCKETS}/photos/remove"), json!({})).await;
    for target in [CHANGES, PURGES, FOLLOWERS] {
        assert_eq!(code(&w.ask("GET", target, Value::Null, 409).await), "ContainerGone");
    }
}

#[tokio::test]
async fn only_an_admin_of_the_bucket_follows_it() {
    let w = World::new().await;
    w.bucket("photos").await;
    w.bucket("music").await;
    let key = async |order: Value| {
        let key = w.ask("POST", "/v1/keys", order, 201).await;
        (key["id"].as_str().unwrap().to_owned(), key["secret"].as_str().unwrap().to_owned())
    };
    let mine = key(json!({ "rights": "admin", "domain": "barrow.local", "bucket": "photos" })).await;
    let reader = key(json!({ "rights": "read,write,delete,purge" })).await;
    let status = async |key: &(String, String), method: &str, target: &str| {
        w.ask_as(Some((&key.0, &key.1)), method, target, "").await.status
    };
    assert_eq!(status(&mine, "GET", CHANGES).await, 200);
    assert_eq!(status(&mine, "GET", &format!("{BUCKETS}/music/changes")).await, 403);
    for (method, target) in [("GET", CHANGES), ("GET", PURGES), ("GET", FOLLOWERS)] {
        assert_eq!(status(&reader, method, target).await, 403, "{target}");
    }
    let follower = format!("{FOLLOWERS}/x");
    for method in ["PUT", "DELETE", "GET"] {
        assert_eq!(status(&reader, method, &follower).await, 403, "{method}");
    }
    assert_eq!(w.ask_as(None, "GET", CHANGES, "").await.status, 401);
    assert!(w.clock.now().micros() > 0);
}
