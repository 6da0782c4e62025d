//! Members that cannot reach the database, and are reached by clients all the same.

use super::ask::Ask;
use super::member::waits_for;
use super::slow::{Download, LARGE, large};
use super::{Cluster, HEARTBEAT, LEASE, MARGIN, Member, SLACK, Watch, within};
use std::time::Duration;
use testkit::Proxy;

/// What a member answers from which the database is cut off; nothing, where no whole answer comes in time.
fn answer(member: &Member) -> Option<u16> {
    let ask = Ask::new("GET", "/kept/object").patience(Duration::from_secs(4));
    ask.try_of(member.doors().scsp).map(|answer| answer.status)
}

/// BX-03. `part` takes the link away.
fn a_member_without_the_database_falls_silent_in_time(part: impl Fn(&Proxy)) {
    let cluster = Cluster::new();
    let link = cluster.link();
    let (a, b) = (cluster.gateway("a"), cluster.gateway_behind("b", &link));
    for bucket in ["kept", "doomed"] {
        a.create(bucket);
        b.put(bucket, "object", b"here").is(201);
    }
    let whole = large(3);
    b.put("doomed", "large", &whole).is(201);
    let before = a.knows("b")["incarnation"].as_i64().unwrap();
    let flowing = Download::begin(&b, "doomed", "large");

    part(&link);
    let parted = Watch::start();
    a.remove("doomed");
    let refused = a.purge("doomed", Duration::from_millis(200)).says(409, "BARRIERNOTSATISFIED");
    assert_eq!(waits_for(&refused).len(), 1, "{refused}");
    assert_eq!(waits_for(&refused)[0].0, "b");

    // Until its own deadline it may answer or say that it cannot; from then on it says that it cannot.
    while parted.elapsed() < LEASE - MARGIN {
        let status = answer(&b);
        assert!(matches!(status, Some(200 | 503) | None), "{status:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let silent = Watch::start();
    for _ in 0..5 {
        let began = Watch::start();
        assert_eq!(answer(&b), Some(503), "{:?} after its deadline", silent.elapsed());
        assert!(began.elapsed() < Duration::from_secs(2), "it took {:?} to say no", began.elapsed());
    }
    assert!(!b.serves(), "it says so to whoever balances load");
    let came = flowing.rest().len();
    assert!(came < LARGE, "what flowed from a removed bucket must not flow on past the deadline");

    // Nobody else waits longer than lease and margin.
    a.purge("doomed", Duration::from_secs(10)).is(200);
    let waited = parted.elapsed();
    assert!(waited >= LEASE + MARGIN - HEARTBEAT * 2, "fenced too early, after {waited:?}");
    assert!(waited < LEASE + MARGIN + SLACK + Duration::from_secs(6), "{waited:?}");
    assert_eq!(a.knows("b")["state"], "fenced");
    a.create("doomed");

    link.heal();
    let (now, _) = within(Duration::from_secs(20), "it is back", || {
        let now = a.knows("b");
        (now["state"] == "active").then_some(now)
    });
    assert!(now["incarnation"].as_i64().unwrap() > before, "{now}");
    within(Duration::from_secs(20), "it serves again", || b.serves().then_some(()));
    // A connection that broke is found out by whoever uses it next, and that one is told to try again.
    let comes_to = |bucket: &str, status: u16| {
        let what = format!("GET of {bucket} is {status}");
        let look = || Some(b.get(bucket, "object")).filter(|answer| answer.status == status);
        within(SLACK, &what, look).0.body
    };
    assert_eq!(comes_to("kept", 200), b"here");
    comes_to("doomed", 404);
    within(SLACK, "it writes", || (b.put("kept", "another", b"there").status == 201).then_some(()));
    assert_eq!(a.get("kept", "another").is(200).body, b"there");
    cluster.is_sound(&a);
}

#[test]
fn a_member_that_is_cut_off_from_the_database_falls_silent_in_time() {
    a_member_without_the_database_falls_silent_in_time(Proxy::cut);
}

#[test]
fn a_member_whose_packets_to_the_database_are_lost_falls_silent_in_time() {
    a_member_without_the_database_falls_silent_in_time(Proxy::stall);
}
