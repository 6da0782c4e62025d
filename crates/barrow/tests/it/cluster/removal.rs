//! A removal is seen everywhere at once; what a restore brings back, and when it is too late for one.

use super::ask::Ask;
use super::member::waits_for;
use super::{Cluster, HEARTBEAT, Member, SLACK, Watch, within};
use std::time::Duration;

/// Nothing of `bucket` is to be had at this member.
#[track_caller]
fn is_gone_at(member: &Member, bucket: &str) {
    let scsp = member.doors().scsp;
    let object = format!("/{bucket}/object");
    for (method, target) in [("GET", &object), ("HEAD", &object), ("DELETE", &object), ("POST", &object)] {
        let answer = Ask::new(method, target).body(if method == "POST" { b"late" } else { b"" }).try_of(scsp);
        match (method, answer.map(|answer| answer.status)) {
            // It tells the length of a body that it does not send.
            ("HEAD", None) => {}
            // An SCSP write makes no bucket by itself.
            ("POST", Some(404 | 412)) | (_, Some(404)) => {}
            (_, status) => panic!("{method} {target}: {status:?}"),
        }
    }
    let s3 = member.s3();
    s3.get(&format!("/{bucket}?list-type=2")).is(404);
    s3.get(&object).is(404);
    s3.put(&object, b"late").is(404);
}

/// BX-01, and BX-02 without notifications: every request begins with the catalogue, so there is no window at all; and what a
/// member has to let go of it hears with its next heartbeat.
fn a_removal_is_seen_everywhere_at_once(notifications: &str) {
    let cluster = Cluster::with(&[("BARROW_CLUSTER__NOTIFICATIONS", notifications)]);
    let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
    for round in 0..8 {
        let bucket = format!("round-{round}");
        a.create(&bucket);
        a.put(&bucket, "object", b"here").is(201);
        assert_eq!(b.get(&bucket, "object").is(200).body, b"here");
        let removed = a.remove(&bucket);
        is_gone_at(&b, &bucket);
        is_gone_at(&a, &bucket);
        let epoch = removed["epoch"].as_i64().unwrap();
        within(HEARTBEAT + SLACK, "the other member has seen the removal", || {
            (b.knows("b")["drained_epoch"].as_i64()? >= epoch).then_some(())
        });
        // And as quickly it is back.
        b.restore(&bucket).is(200);
        assert_eq!(a.get(&bucket, "object").is(200).body, b"here");
    }
    cluster.is_sound(&a);
}

#[test]
fn a_removal_is_seen_everywhere_at_once_with_notifications() {
    a_removal_is_seen_everywhere_at_once("true");
}

#[test]
fn a_removal_is_seen_everywhere_at_once_without_notifications() {
    a_removal_is_seen_everywhere_at_once("false");
}

/// Where nobody is told, a purge waits for a heartbeat, and no longer; where everybody is, it does not even wait for that.
#[test]
fn a_notification_spares_a_purge_the_wait_for_a_heartbeat_and_nothing_else() {
    let beats = Duration::from_secs(3);
    for (notifications, at_most) in [("true", Duration::from_millis(1_500)), ("false", beats + SLACK)] {
        let cluster = Cluster::with(&[
            ("BARROW_CLUSTER__NOTIFICATIONS", notifications),
            ("BARROW_CLUSTER__LEASE", "20s"),
            ("BARROW_CLUSTER__HEARTBEAT", "3s"),
        ]);
        let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
        let mut longest = Duration::ZERO;
        for bucket in ["first", "second", "third"] {
            b.create(bucket);
            a.remove(bucket);
            let began = Watch::start();
            a.purge(bucket, beats * 3).is(200);
            longest = longest.max(began.elapsed());
            // A name is free the moment its bearer is purged.
            b.create(bucket);
        }
        assert!(longest < at_most, "notifications {notifications}: {longest:?}");
        // Three times in a row there is no heartbeat by chance: somebody had to be waited for.
        assert!(notifications == "true" || longest > Duration::from_millis(300), "{longest:?}");
    }
}

/// BX-12, the whole life of a bucket in which members only hear of each other by heartbeats; and BX-18: restore is too late.
#[test]
fn without_notifications_everything_is_as_it_is_with_them() {
    let cluster = Cluster::with(&[("BARROW_CLUSTER__NOTIFICATIONS", "false")]);
    let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
    a.create("notes");
    a.put("notes", "one", b"1").is(201);
    let removed = b.remove("notes");
    let id = removed["id"].as_str().unwrap();
    // The name is taken until it is restored or purged, here and there.
    for member in [&a, &b] {
        let again = Ask::new("POST", "/notes").header("Content-Type", "application/castorcontext");
        again.of(member.doors().scsp).is(409);
    }
    a.restore("notes").is(200);
    assert_eq!(b.get("notes", "one").is(200).body, b"1");
    a.restore("notes").says(409, "ERR");
    b.purge("notes", Duration::ZERO).says(409, "ERR");
    a.remove("notes");
    b.purge("notes", Duration::from_secs(5)).is(200);
    for member in [&a, &b] {
        let refused = member.restore(id).says(409, "ERR");
        assert_eq!(refused["reason"], "PURGE_STARTED");
        member.purge(id, Duration::ZERO).says(404, "NOSUCHBUCKET");
        member.get("notes", "one").is(404);
    }
    a.create("notes");
    b.get("notes", "one").is(404);
    cluster.is_sound(&a);
}

/// BX-19: what a restore brings back is what was there, down to the ids, and what comes after is newer.
#[test]
fn a_restored_bucket_has_its_versions_and_goes_on_counting() {
    const ENABLED: &[u8] = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let cluster = Cluster::new();
    let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
    a.s3().put("/kept", b"").is(200);
    a.s3().put("/kept?versioning", ENABLED).is(200);
    for version in ["first", "second", "third"] {
        b.s3().put("/kept/story", version.as_bytes()).is(200);
    }
    let versions = |member: &Member| member.s3().get("/kept?versions").is(200).all("VersionId");
    let before = versions(&b);
    assert_eq!(before.len(), 3);
    a.remove("kept");
    b.s3().get("/kept?versions").is(404);
    b.restore("kept").is(200);
    assert_eq!(versions(&a), before);
    for (id, text) in before.iter().zip(["third", "second", "first"]) {
        a.s3().get(&format!("/kept/story?versionId={id}")).is(200).brings(text.as_bytes());
    }
    b.s3().put("/kept/story", b"fourth").is(200);
    let after = versions(&a);
    assert_eq!(after[1..], before, "the newest comes first");
    a.s3().get("/kept/story").is(200).brings(b"fourth");
    cluster.is_sound(&b);
}

/// BX-20: what a member drained for one removal says nothing about the next.
#[test]
fn a_second_removal_is_a_second_question() {
    let cluster = Cluster::new();
    let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
    a.create("twice");
    let first = a.remove("twice")["epoch"].as_i64().unwrap();
    within(SLACK, "the first removal is drained", || {
        (a.knows("b")["drained_epoch"].as_i64()? >= first).then_some(())
    });
    a.restore("twice").is(200);
    b.freeze();
    let second = a.remove("twice")["epoch"].as_i64().unwrap();
    assert!(second > first);
    let refused = a.purge("twice", Duration::from_millis(300)).says(409, "BARRIERNOTSATISFIED");
    let waiting = waits_for(&refused);
    assert!(waiting.len() == 1 && waiting[0].0 == "b", "{waiting:?}");
    b.thaw();
    a.purge("twice", Duration::from_secs(10)).is(200);
}

/// BX-27: whoever deletes at another door what is removed already finds nothing, and moves no promise.
#[test]
fn what_is_removed_cannot_be_deleted_through_another_door() {
    let cluster = Cluster::new();
    let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
    a.create("promised");
    let removed = a.remove_for("promised", "30days");
    let id = removed["deletion_id"].as_str().unwrap();
    let promise = b.deletion(id)["purge_after"].clone();
    assert!(promise.is_string());
    for member in [&a, &b] {
        member.s3().delete("/promised").is(404);
        for how in ["", "?recursive=yes", "?recursive=now"] {
            let target = format!("/promised{how}");
            let refused = Ask::new("DELETE", &target).of(member.doors().scsp).status;
            assert!(matches!(refused, 400 | 404), "{target}: {refused}");
        }
    }
    let now = a.deletion(id);
    assert_eq!((&now["purge_after"], &now["state"]), (&promise, &"removed".into()));
    a.restore("promised").is(200);
}
