//! Who is waited for, and for how long: members that come, die, leave, and are declared dead.

use super::ask::Ask;
use super::member::waits_for;
use super::{Cluster, HEARTBEAT, LEASE, MARGIN, SLACK, Watch, within};
use crate::house::House;
use serde_json::json;
use std::time::Duration;

/// BX-11: whoever registers after a removal has seen nothing that it could hold.
#[test]
fn a_member_that_comes_after_the_removal_is_not_waited_for() {
    let cluster = Cluster::new();
    let a = cluster.gateway("a");
    a.create("doomed");
    a.remove("doomed");
    let c = cluster.gateway("c");
    c.freeze();
    // It cannot say anything, and need not.
    a.purge("doomed", Duration::ZERO).is(200);
    c.thaw();
}

/// KP-39, with a member that is dead: the purge waits for its lease and the margin, and fences it.
#[test]
fn a_dead_member_is_waited_for_until_its_lease_is_over() {
    let cluster = Cluster::new();
    let (a, mut b) = (cluster.gateway("a"), cluster.gateway("b"));
    a.create("doomed");
    a.create("kept");
    b.kill();
    let died = Watch::start();
    a.remove("doomed");
    a.purge("doomed", Duration::from_millis(200)).says(409, "BARRIERNOTSATISFIED");
    // No read and no write waits for it.
    a.put("kept", "object", b"here").is(201);
    a.purge("doomed", Duration::from_secs(20)).is(200);
    let waited = died.elapsed();
    assert!(waited >= LEASE + MARGIN - HEARTBEAT * 2, "fenced too early, after {waited:?}");
    assert!(waited < LEASE + MARGIN + SLACK, "{waited:?}");
    let dead = a.knows("b");
    assert_eq!((&dead["state"], &dead["ended_by"]), (&json!("fenced"), &json!("its lease was over")));
    // Nobody waits for it a second time.
    a.remove("kept");
    a.purge("kept", Duration::ZERO).is(200);
    b.start();
    assert!(a.knows("b")["incarnation"].as_i64() > dead["incarnation"].as_i64());
}

/// BX-11b, a member that lags: fencing it by hand ends its commits, and not yet the bytes that may flow out of it.
#[test]
fn a_member_fenced_by_hand_is_waited_for_until_its_lease_is_over() {
    let cluster = Cluster::new();
    let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
    a.create("doomed");
    b.freeze();
    let frozen = Watch::start();
    a.remove("doomed");
    let id = a.knows("b")["id"].as_str().unwrap().to_owned();
    let fence = format!("/v1/members/{id}/fence");
    a.operate("POST", &fence, &json!({})).is(200);
    assert_eq!(a.knows("b")["state"], "fenced");
    let refused = a.purge("doomed", Duration::from_millis(100)).says(409, "BARRIERNOTSATISFIED");
    assert!(waits_for(&refused)[0].1.contains("its lease is not over"), "{refused}");
    a.purge("doomed", Duration::from_secs(10)).is(200);
    let waited = frozen.elapsed();
    assert!(waited >= LEASE + MARGIN - HEARTBEAT * 2 && waited < LEASE + MARGIN + SLACK, "{waited:?}");
    // A second time there is nobody to fence.
    a.operate("POST", &fence, &json!({})).is(404);
    b.thaw();
    within(SLACK, "it has come back by itself", || b.serves().then_some(()));
}

/// BX-11b, a member that lives: its commits are refused from that moment until it has registered anew.
#[test]
fn a_living_member_that_is_fenced_commits_nothing_until_it_has_registered_anew() {
    let cluster = Cluster::with(&[
        ("BARROW_CLUSTER__HEARTBEAT", "5s"),
        ("BARROW_CLUSTER__LEASE", "15s"),
        ("BARROW_CLUSTER__NOTIFICATIONS", "false"),
    ]);
    let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
    a.create("kept");
    b.put("kept", "before", b"here").is(201);
    let before = a.knows("b");
    // Just after a heartbeat, so that it finds out by its commit.
    within(SLACK * 2, "it has just beaten", || (a.knows("b")["beat_at"] != before["beat_at"]).then_some(()));
    let id = before["id"].as_str().unwrap();
    a.operate("POST", &format!("/v1/members/{id}/fence"), &json!({})).is(200);
    b.put("kept", "refused", b"never").is(503);
    a.get("kept", "refused").is(404);
    within(Duration::from_secs(10), "it has registered anew", || {
        let after = a.knows("b");
        (after["incarnation"].as_i64() > before["incarnation"].as_i64() && b.serves()).then_some(())
    });
    b.put("kept", "after", b"there").is(201);
    assert_eq!(a.get("kept", "after").is(200).body, b"there");
    a.get("kept", "refused").is(404);
}

/// Two processes of one name: the younger one goes on, and the older one ends and says why.
#[test]
fn of_two_processes_with_one_name_the_younger_goes_on() {
    let cluster = Cluster::new();
    let (a, mut older) = (cluster.gateway("a"), cluster.gateway("twin"));
    a.create("kept");
    let first = a.knows("twin");
    let younger = cluster.gateway("twin");
    let code = older.ended();
    assert!(code.is_some_and(|code| code != 0), "{code:?}");
    let log = older.log();
    for said in
        ["another gateway process with cluster.node = \"twin\"", "Give every process a node name of its own"]
    {
        assert!(log.contains(said), "{said} in {log}");
    }
    let second = a.knows("twin");
    assert!(second["incarnation"].as_i64() > first["incarnation"].as_i64() && second["state"] == "active");
    younger.put("kept", "object", b"here").is(201);
    assert_eq!(a.get("kept", "object").is(200).body, b"here");
    // One name in two roles is no conflict: a machine may run both.
    let _processor = cluster.processor("twin");
    assert!(younger.serves());
}

/// A member that is asked to stop says goodbye, and nobody waits for it.
#[test]
fn a_member_that_says_goodbye_is_not_waited_for() {
    let cluster = Cluster::with(&[("BARROW_CLUSTER__LEASE", "60s")]);
    let (a, mut b, mut p) = (cluster.gateway("a"), cluster.gateway("b"), cluster.processor("p"));
    a.create("doomed");
    b.put("doomed", "object", b"here").is(201);
    b.stop();
    p.stop();
    for node in ["b", "p"] {
        let left = a.knows(node);
        assert_eq!((&left["state"], &left["ended_by"]), (&json!("left"), &json!("said goodbye")));
    }
    a.remove("doomed");
    a.purge("doomed", Duration::ZERO).is(200);
}

/// A request under way when its member is asked to stop is answered.
#[test]
fn a_member_that_is_asked_to_stop_finishes_what_it_has_begun() {
    let cluster = Cluster::new();
    let (a, mut b) = (cluster.gateway("a"), cluster.gateway("b"));
    a.create("kept");
    let body = super::slow::large(5);
    let upload = super::slow::Upload::begin(&b, "kept", "large", &body);
    std::thread::sleep(HEARTBEAT);
    let old = b.doors();
    b.terminate();
    within(SLACK, "it takes nobody in any more", || {
        Ask::new("GET", "/readyz").patience(Duration::from_secs(2)).try_of(old.admin).is_none().then_some(())
    });
    assert_eq!(upload.finish().unwrap().status, 201);
    assert_eq!(b.ended(), Some(0), "{}", b.log());
    assert!(a.get("kept", "large").is(200).body == body);
    cluster.is_sound(&a);
}

/// BX-37: a SQLite file is for one process.
#[test]
fn a_second_process_on_a_sqlite_file_is_refused() {
    let house = House::new();
    let server = house.serve();
    let second = house.command(&["serve"]).outcome();
    assert_eq!(second.code, 1, "{}", second.stderr);
    assert!(second.stderr.contains("in use"), "{}", second.stderr);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(house.serve().stop(), Some(0), "when the first one has gone there is room");
}
