//! Removals among writes, restores among purges, and deaths among answers.

use super::{Cluster, Member, SLACK, within};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// BX-08: an acknowledgement is before the removal, and a restore shows it; or there is none, and it shows nothing.
#[test]
fn a_thousand_writes_race_a_removal_and_a_restore_shows_the_acknowledged_ones() {
    const WRITES: usize = 1_000;
    const WRITERS: usize = 50;
    let cluster = Cluster::new();
    let members = [cluster.gateway("a"), cluster.gateway("b")];
    let [a, b] = &members;
    a.create("raced");
    let (next, acknowledged) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let write = |member: &Member| {
        let mut told = Vec::new();
        loop {
            let n = next.fetch_add(1, Ordering::SeqCst);
            if n >= WRITES {
                return told;
            }
            let name = format!("n{n:04}");
            let status = member.put("raced", &name, name.as_bytes()).status;
            acknowledged.fetch_add(usize::from(status == 201), Ordering::SeqCst);
            told.push((name, status));
        }
    };
    let told: Vec<(String, u16)> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (write, member) = (&write, &members[writer % 2]);
                scope.spawn(move || write(member))
            })
            .collect();
        within(SLACK * 5, "some are through", || (acknowledged.load(Ordering::SeqCst) > 200).then_some(()));
        b.remove("raced");
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    a.restore("raced").is(200);
    let shown: BTreeSet<String> =
        b.s3().get("/raced?list-type=2&max-keys=1000").is(200).all("Key").into_iter().collect();
    let (yes, no): (Vec<_>, Vec<_>) = told.into_iter().partition(|(_, status)| *status == 201);
    // An SCSP write makes no bucket by itself: 412 where it found none at first, 404 where it went meanwhile.
    let odd: Vec<_> = no.iter().filter(|(_, status)| !matches!(status, 404 | 412)).collect();
    assert!(odd.is_empty(), "{odd:?}");
    assert!(!no.is_empty(), "the removal came when all was over");
    let acknowledged: BTreeSet<String> = yes.into_iter().map(|(name, _)| name).collect();
    assert_eq!(shown, acknowledged);
    for name in acknowledged.iter().step_by(37) {
        assert_eq!(a.get("raced", name).is(200).body, name.as_bytes());
    }
    cluster.is_sound(a);
}

/// BX-17: at the end of a grace either the restore wins or the purge, and whoever loses is told so.
#[test]
fn of_a_restore_and_a_purge_at_the_end_of_a_grace_one_wins() {
    let cluster = Cluster::new();
    let (a, b, _p) = (cluster.gateway("a"), cluster.gateway("b"), cluster.processor("p"));
    let rounds: Vec<String> = (0..12).map(|round| format!("round-{round}")).collect();
    for bucket in &rounds {
        a.create(bucket);
        a.put(bucket, "object", bucket.as_bytes()).is(201);
    }
    let race = |bucket: &str, after: Duration| {
        let id = a.remove_for(bucket, "1s")["id"].as_str().unwrap().to_owned();
        std::thread::sleep(after);
        let answer = b.restore(&id);
        if answer.status == 200 {
            return true;
        }
        let refused = answer.says(409, "ERR");
        assert!(refused["reason"] == "PURGE_STARTED" || refused["reason"] == "PURGED", "{refused}");
        false
    };
    let restored: Vec<bool> = std::thread::scope(|scope| {
        let races: Vec<_> = rounds
            .iter()
            .zip(0..)
            .map(|(bucket, n)| {
                let race = &race;
                // From well before the end to well after it.
                scope.spawn(move || race(bucket, Duration::from_millis(700 + 120 * n)))
            })
            .collect();
        races.into_iter().map(|race| race.join().unwrap()).collect()
    });
    assert!(restored[0], "a restore in time is a restore");
    std::thread::sleep(Duration::from_secs(2));
    for (bucket, restored) in rounds.iter().zip(restored) {
        for member in [&a, &b] {
            let answer = member.get(bucket, "object");
            if restored {
                assert_eq!(answer.is(200).body, bucket.as_bytes());
            } else {
                answer.is(404);
            }
        }
    }
    cluster.is_sound(&a);
}

/// BX-14: a purge whose answer nobody heard has happened, and anybody tells.
#[test]
fn a_member_that_dies_between_the_point_of_no_return_and_its_answer_has_passed_it() {
    let cluster = Cluster::new();
    let link = cluster.link();
    let (mut a, b) = (cluster.gateway_behind("a", &link), cluster.gateway("b"));
    a.create("doomed");
    a.put("doomed", "object", b"here").is(201);
    let removed = a.remove("doomed");
    let (id, deletion) = (removed["id"].as_str().unwrap(), removed["deletion_id"].as_str().unwrap());
    within(SLACK, "nobody has to be waited for", || {
        let told = b.operate("GET", "/v1/barrier", &serde_json::Value::Null).is(200).json();
        (told["satisfied"] == true).then_some(())
    });
    // With the end that a command has on the wire: the isolation level is called READ COMMITTED.
    link.swallow_answer_to(b"COMMIT\0");
    std::thread::scope(|scope| {
        let path = format!("/v1/domains/barrow.local/buckets/{id}/purge");
        let admin = a.doors().admin;
        let asking = scope.spawn(move || super::Ask::new("POST", &path).body(b"{}").try_of(admin));
        within(SLACK, "the purge is committed", || {
            (link.has_swallowed() && b.deletion(deletion)["state"] == "purging").then_some(())
        });
        a.kill();
        assert!(asking.join().unwrap().is_none(), "nobody was told");
    });
    assert_eq!(b.shows(id).is(200).json()["state"], "purging");
    b.purge(id, Duration::ZERO).says(404, "NOSUCHBUCKET");
    b.restore(id).says(409, "ERR");
    b.get("doomed", "object").is(404);
    let _p = cluster.processor("p");
    within(SLACK * 2, "it is carried on", || (b.deletion(deletion)["state"] == "purged").then_some(()));
    a.start();
    a.get("doomed", "object").is(404);
    cluster.is_sound(&a);
}
