//! What consumers of a stream see of purges and of what goes by itself. A consumer is a follower: it has been given what was
//! changed up to its cursor, and has acknowledged that when it moves the cursor there. Purges are told by the ledger.

use super::*;
use crate::changes::on_both_engines;
use crate::common::DAY;
use crate::revisions::{arriving, bring, told};
use lifecycle::Clock;
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::Database;

const CHANGES: &str = "/v1/domains/barrow.local/buckets/photos/changes";
const PURGES: &str = "/v1/domains/barrow.local/buckets/photos/purges";
const FOLLOWERS: &str = "/v1/domains/barrow.local/buckets/photos/followers";

/// The positions of what is there and was changed behind `since`, by the beginnings of its names.
async fn pending(w: &World, since: i64, folder: &str) -> Vec<i64> {
    let page = w.get(&format!("{CHANGES}?since={since}&limit=1000")).await;
    let changes = page["changes"].as_array().unwrap().iter();
    let there = changes.filter(|change| change["deleted"] == false);
    there
        .filter(|change| change["name"].as_str().unwrap().starts_with(folder))
        .map(|change| change["position"].as_i64().unwrap())
        .collect()
}

async fn head(w: &World) -> i64 {
    w.get(CHANGES).await["change_seq"].as_i64().unwrap()
}

async fn acknowledge(w: &World, who: &str, cursor: i64) {
    w.ask("PUT", &format!("{FOLLOWERS}/{who}"), json!({ "change_seq": cursor }), 200).await;
}

async fn cursor(w: &World, who: &str) -> i64 {
    w.get(&format!("{FOLLOWERS}/{who}")).await["change_seq"].as_i64().unwrap()
}

/// As many names in a folder.
fn named(folder: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{folder}/{number}")).collect()
}

async fn put_named(w: &World, bucket: lifecycle::ContainerId, names: &[String]) {
    put_all(w, bucket, names.iter().map(String::as_str)).await;
}

on_both_engines! {
    /// JP-37: a purge of one's own names leaves nothing to one, and all of theirs to the others.
    async fn a_purge_moves_nobody_elses_place(w: World) {
        let bucket = stream(w, "photos").await;
        for who in ["adam", "eve", "all"] {
            acknowledge(w, who, 0).await;
        }
        put_named(w, bucket, &named("adam", 10)).await;
        put_named(w, bucket, &named("eve", 10)).await;
        purge(w, "photos", json!({ "filter": "adam.>" })).await;
        assert_eq!(pending(w, 0, "adam/").await.len(), 0);
        assert_eq!(pending(w, 0, "eve/").await.len(), 10);
        assert_eq!(pending(w, 0, "").await.len(), 10);
        assert_eq!((cursor(w, "adam").await, cursor(w, "eve").await, cursor(w, "all").await), (0, 0, 0));
    }

    /// JP-38: what was given and not acknowledged is given again, but for what is gone; then what is new.
    async fn what_was_not_acknowledged_is_given_again_if_it_is_there(w: World) {
        let bucket = stream(w, "photos").await;
        acknowledge(w, "worker", 0).await;
        for (one, other) in named("foo", 5).into_iter().zip(named("bar", 5)) {
            put_named(w, bucket, &[one, other]).await;
        }
        assert_eq!(pending(w, 0, "").await.len(), 10);
        purge(w, "photos", json!({ "filter": "foo.>" })).await;
        assert_eq!(pending(w, cursor(w, "worker").await, "").await, [2, 4, 6, 8, 10]);
        put_named(w, bucket, &named("foo/new", 5)).await;
        assert_eq!(pending(w, 0, "foo/").await.len(), 5);
        assert_eq!(pending(w, 0, "").await.len(), 10);
    }

    /// JP-39: whoever has acknowledged everything has nothing to come after a purge, and is told what went.
    async fn what_was_acknowledged_is_not_given_again(w: World) {
        let bucket = stream(w, "photos").await;
        put_named(w, bucket, &named("kv", 100)).await;
        acknowledge(w, "worker", head(w).await).await;
        let reply = purge(w, "photos", json!({ "keep": 50 })).await;
        assert_eq!((&reply["purged"], &reply["first_seq"]), (&json!(50), &json!(51)));
        assert_eq!(pending(w, cursor(w, "worker").await, "").await.len(), 0);
        assert_eq!(w.get(PURGES).await["last"], 1);
        acknowledge(w, "worker", head(w).await).await;
        assert_eq!(pending(w, 0, "").await.len(), 50);
    }

    /// JP-40.
    async fn after_a_purge_of_all_what_is_new_is_given(w: World) {
        let bucket = stream(w, "photos").await;
        put_named(w, bucket, &named("kv", 10)).await;
        acknowledge(w, "worker", 3).await;
        purge(w, "photos", json!({})).await;
        put_named(w, bucket, &named("new", 1)).await;
        assert_eq!(pending(w, cursor(w, "worker").await, "").await, [11]);
    }

    /// JP-41: the key of an idempotent write is its revision. What was purged under it is not written again.
    async fn a_repeated_write_of_what_was_purged_is_none(w: World) {
        let bucket = stream(w, "photos").await;
        w.put(bucket, "b").await;
        let head = arriving("content");
        assert_eq!(bring(w, "a", &head, "content", "").await.status, 201);
        assert_eq!(bring(w, "a", &head, "content", "").await.status, 200, "there already");
        let reply = purge(w, "photos", json!({ "filter": "a" })).await;
        assert_eq!(reply["purged"], 1);
        let again = bring(w, "a", &head, "content", "").await;
        assert_eq!((again.status, crate::code(&told(&again))), (409, "Remembered"));
        assert_eq!(w.current(bucket).await.into_keys().collect::<Vec<_>>(), ["b"]);
        w.check().await;
    }

    /// JP-52 to 54: of what goes by its age a marker stays, which goes by its own. That an older version does not show needs no
    /// ttl to be raised: the marker hides it for as long as it is there. A marker that goes leaves none behind.
    async fn what_ages_leaves_a_marker_that_ages(w: World) {
        let bucket = stream(w, "photos").await;
        w.ask("PUT", "/_couch/photos/_auto_purge", json!({ "deleted_document_ttl": "2_hour" }), 201).await;
        w.put(bucket, "a").await;
        let soon = w.clock.now().plus(Duration::from_secs(60));
        w.put_as(bucket, "a", |version| version.expires_at = Some(soon)).await;
        w.put(bucket, "b").await;
        assert_eq!(msgs(w, "photos").await, (3, 1, 3));
        w.clock.advance(Duration::from_secs(61));
        assert_eq!(w.current(bucket).await.into_keys().collect::<Vec<_>>(), ["b"], "in the second it falls due");
        w.process().await;
        let names = || async { w.current(bucket).await.into_keys().collect::<BTreeSet<_>>() };
        assert_eq!(names().await, ["b".to_owned()].into());
        let (messages, _, last) = msgs(w, "photos").await;
        assert_eq!((messages, last), (3, 4), "what fell due is gone, and the marker has a position of its own");
        w.clock.advance(DAY);
        w.process().await;
        assert_eq!(names().await, ["b".to_owned()].into(), "the older one does not come back");
        let (messages, _, last) = msgs(w, "photos").await;
        assert_eq!((messages, last), (1, 4), "the marker is gone with what it hid, and left none");
        w.check().await;
    }
}
