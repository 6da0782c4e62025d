//! Members that stand still in the middle of something, are declared dead, and wake.

use super::member::waits_for;
use super::slow::{Upload, large};
use super::{Cluster, HEARTBEAT, LEASE, MARGIN, Member, SLACK, Watch, within};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Locks what is counted of a bucket, which is the last thing that a write touches.
const COUNTED: &str = "UPDATE usage SET objects = objects WHERE contents_id IN
    (SELECT c.id FROM contents c JOIN buckets b ON b.id = c.bucket_id WHERE b.name = 'doomed')";
/// How many wait for that.
const WAITING: &str = "SELECT CAST(count(*) AS TEXT) FROM pg_locks w JOIN pg_locks r ON r.pid = w.pid
    WHERE NOT w.granted AND r.relation = 'usage'::regclass";
/// How many live versions the other one holds.
const LIVE: &str = "SELECT CAST(count(*) AS TEXT) FROM versions v JOIN contents c ON c.id = v.contents_id
    JOIN buckets b ON b.id = c.bucket_id WHERE b.name = 'busy' AND v.state = 'live'";
/// After this the server ends a transaction whose client says nothing.
const IDLE: Duration = Duration::from_secs(5);

/// BX-04 and BX-05. The write is held up at its last statement, its process frozen, and the statement let through: the
/// transaction is open then, holds the bucket's row, and nobody will commit it.
#[test]
fn a_member_that_freezes_inside_a_commit_keeps_a_removal_waiting_and_its_write_never_happens() {
    let lease = Duration::from_secs(12);
    let cluster = Cluster::with(&[("BARROW_CLUSTER__LEASE", "12s")]);
    let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
    for bucket in ["doomed", "kept"] {
        a.create(bucket);
        a.put(bucket, "object", b"here").is(201);
    }
    let incarnation = a.knows("b")["incarnation"].as_i64().unwrap();
    std::thread::scope(|scope| {
        let (b, cluster) = (&b, &cluster);
        let writing = cluster.holding(COUNTED, || {
            let writing = scope.spawn(move || b.put("doomed", "late", b"never"));
            within(SLACK, "the write waits at its last statement", || {
                (cluster.asks_the_database(WAITING) != ["0"]).then_some(())
            });
            b.freeze();
            writing
        });
        let frozen = Watch::start();
        a.remove("doomed");
        let waited = frozen.elapsed();
        assert!(waited > IDLE / 2, "nobody was in the way: the removal took {waited:?}");
        assert!(waited < IDLE + SLACK, "{waited:?}");

        let refused = a.purge("doomed", Duration::from_millis(300)).says(409, "BARRIERNOTSATISFIED");
        assert_eq!(waits_for(&refused)[0].0, "b");
        a.purge("doomed", Duration::from_secs(20)).is(200);
        let waited = frozen.elapsed();
        assert!(waited >= lease + MARGIN - HEARTBEAT * 2 && waited < lease + MARGIN + SLACK, "{waited:?}");
        assert_eq!(a.knows("b")["state"], "fenced");

        b.thaw();
        let told = writing.join().unwrap().status;
        assert!(told >= 400, "the write was acknowledged: {told}");
    });
    assert_eq!(cluster.asks_the_database("SELECT name FROM versions WHERE name = 'late'"), [""; 0]);
    within(SLACK, "it has registered anew", || {
        (a.knows("b")["incarnation"].as_i64()? > incarnation && b.serves()).then_some(())
    });
    b.get("doomed", "object").is(404);
    b.put("kept", "another", b"there").is(201);
    assert_eq!(a.get("kept", "another").is(200).body, b"there");
    assert_eq!(b.get("kept", "object").is(200).body, b"here");
    cluster.is_sound(&b);
}

/// The same from outside: many writes in flight, a freeze past the lease, and a restore that shows who was told the truth.
#[test]
fn what_a_frozen_member_had_acknowledged_is_there_and_nothing_appears_after_it_was_fenced() {
    let cluster = Cluster::new();
    let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
    a.create("busy");
    a.create("doomed");
    let sent = AtomicU32::new(0);
    let write = |member: &Member, writer: u32| {
        let mut told = Vec::new();
        for n in 0..40 {
            let name = format!("w{writer}-{n}");
            sent.fetch_add(1, Ordering::SeqCst);
            let status = member.put("busy", &name, name.as_bytes()).status;
            told.push((name, status));
        }
        told
    };
    let told: Vec<(String, u16)> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..12)
            .map(|writer| {
                scope.spawn({
                    let (b, write) = (&b, &write);
                    move || write(b, writer)
                })
            })
            .collect();
        within(SLACK * 2, "the writers are at work", || (sent.load(Ordering::SeqCst) > 100).then_some(()));
        b.freeze();
        let removed = a.remove("busy");
        a.remove("doomed");
        a.purge("doomed", Duration::from_secs(20)).is(200);
        assert_eq!(a.knows("b")["state"], "fenced");
        let held = removed["objects"].as_i64().unwrap();
        b.thaw();
        let told = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        // Whatever it did when it woke, it did not write into what is removed.
        assert_eq!(cluster.asks_the_database(LIVE), [held.to_string()]);
        told
    });
    a.restore("busy").is(200);
    let mut refused = 0;
    for (name, status) in told {
        let there = a.get("busy", &name);
        match status {
            201 => assert_eq!(there.is(200).body, name.as_bytes(), "{name} was acknowledged"),
            404 | 412 => assert_eq!(there.status, 404, "{name} was refused"),
            // Whether it had got through nobody could say; half of it is never there.
            _ => assert!(there.status == 404 || there.body == name.as_bytes(), "{name}: {status}"),
        }
        refused += u32::from(status != 201);
    }
    assert!(refused > 0, "nobody was in the middle of anything");
    cluster.is_sound(&a);
}

/// BX-06: bytes that are on their way when their bucket goes come to nothing, and nothing of them stays.
#[test]
fn an_upload_that_was_frozen_while_its_bucket_was_purged_leaves_nothing() {
    let cluster = Cluster::new();
    let (a, b, _p) = (cluster.gateway("a"), cluster.gateway("b"), cluster.processor("p"));
    a.create("doomed");
    let body = large(7);
    let upload = Upload::begin(&b, "doomed", "large", &body);
    within(SLACK, "bytes of it in the store", || (!cluster.bytes().is_empty()).then_some(()));
    b.freeze();
    let frozen = Watch::start();
    a.remove("doomed");
    a.purge("doomed", Duration::from_secs(20)).is(200);
    assert!(frozen.elapsed() >= LEASE + MARGIN - HEARTBEAT * 2, "nobody waited for it");
    a.create("doomed");
    b.thaw();
    let status = upload.finish().map(|answer| answer.status);
    assert!(
        status.is_none_or(|status| status >= 400),
        "an upload into what is purged was acknowledged: {status:?}"
    );
    cluster.holds(0, Duration::from_secs(20));
    within(SLACK, "it has come back", || b.serves().then_some(()));
    b.get("doomed", "large").is(404);
    a.get("doomed", "large").is(404);
    cluster.is_sound(&a);
}

/// BX-07: whoever has claimed what is to be destroyed, and sleeps longer than its claim holds, finds it done by another, and
/// its own blows meet nothing that came since.
#[test]
fn a_reaper_that_froze_over_its_batch_harms_nothing_when_it_wakes() {
    const CLAIMED: &str =
        "SELECT CAST(count(*) AS TEXT) FROM versions WHERE state = 'purging' AND claim_by IS NOT NULL";
    const OLD: usize = 30;
    const NEW: usize = 20;
    let (old, new) = (vec![1; 40_000], vec![2; 40_000]);
    let cluster = Cluster::new();
    let a = cluster.gateway("a");
    a.create("doomed");
    for n in 0..OLD {
        a.put("doomed", &format!("n{n}"), &old).is(201);
    }
    let b =
        cluster.member("health-processor", "b", None, &[("BARROW_FAILPOINT", "cascade.after_claim:freeze")]);
    let removed = a.remove("doomed");
    a.purge("doomed", Duration::from_secs(20)).is(200);
    b.stands_still(SLACK * 2);
    assert_eq!(cluster.asks_the_database(CLAIMED), [OLD.to_string()]);
    assert_eq!(cluster.bytes().len(), OLD, "it has claimed all of it, and destroyed nothing");

    a.create("doomed");
    for n in 0..NEW {
        a.put("doomed", &format!("n{n}"), &new).is(201);
    }
    let mut other = cluster.processor("c");
    let id = removed["deletion_id"].as_str().unwrap();
    within(SLACK * 3, "another one has done it", || (a.deletion(id)["state"] == "purged").then_some(()));
    assert_eq!(cluster.bytes().len(), NEW);
    other.stop();
    b.thaw();
    // Nobody else is there to do this, and it comes to it only when it is through with what it had in its hands.
    a.create("more");
    a.put("more", "object", &old).is(201);
    a.remove("more");
    a.purge("more", Duration::from_secs(20)).is(200);
    cluster.holds(NEW, Duration::from_secs(20));
    for n in 0..NEW {
        assert_eq!(a.get("doomed", &format!("n{n}")).is(200).body, new, "n{n}");
    }
    cluster.is_sound(&a);
}

/// BX-16: a timer waits for the barrier like anybody else.
#[test]
fn a_grace_that_ends_while_a_member_is_frozen_is_followed_by_the_purge_after_its_fence() {
    let cluster = Cluster::new();
    let (a, b, _p) = (cluster.gateway("a"), cluster.gateway("b"), cluster.processor("p"));
    a.create("doomed");
    b.put("doomed", "object", b"here").is(201);
    b.freeze();
    let frozen = Watch::start();
    let removed = a.remove_for("doomed", "1s");
    let id = removed["deletion_id"].as_str().unwrap();
    within(LEASE + MARGIN + SLACK * 2, "the purge has begun", || {
        // In this order: what is not fenced yet was not fenced when the purge had not begun.
        let begun = a.deletion(id)["state"] != "removed";
        let fenced = a.knows("b")["state"] == "fenced";
        assert!(!begun || fenced, "purged while a member that has seen nothing may serve");
        begun.then_some(())
    });
    let waited = frozen.elapsed();
    assert!(waited >= LEASE + MARGIN - HEARTBEAT * 2, "{waited:?}");
    b.thaw();
    within(SLACK, "it has come back", || b.serves().then_some(()));
    b.get("doomed", "object").is(404);
    within(SLACK * 2, "nothing is left", || (a.deletion(id)["state"] == "purged").then_some(()));
    cluster.is_sound(&b);
}
