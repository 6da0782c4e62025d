//! Downloads under way, in what is removed and purged.

use super::member::waits_for;
use super::slow::{Download, LARGE, Upload, large};
use super::{Cluster, DRAIN, HEARTBEAT, SLACK, Watch, within};
use std::time::Duration;

/// BX-09 and BX-10: a download keeps the purge of its own bucket waiting, and of no other one; and not for ever, whether its
/// client reads slowly or not at all.
fn a_download_is_waited_for_and_cut(reads_on: bool) {
    let cluster = Cluster::new();
    let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
    a.create("watched");
    a.create("unrelated");
    a.put("watched", "film", &large(1)).is(201);
    a.put("unrelated", "object", b"here").is(201);
    let film = Download::begin(&b, "watched", "film");
    std::thread::scope(|scope| {
        // Slower than the time it is given.
        let watching = scope.spawn(move || {
            if !reads_on {
                std::thread::sleep(DRAIN * 4);
            }
            film.trickle(Duration::from_millis(20)).len()
        });
        a.remove("watched");
        let removed = Watch::start();
        within(SLACK, "somebody is known to be busy", || {
            let held = a.knows("b")["holdouts"].as_array()?.len();
            (held == 1).then_some(())
        });
        let refused = a.purge("watched", Duration::ZERO).says(409, "BARRIERNOTSATISFIED");
        let (member, why) = waits_for(&refused).remove(0);
        assert!(member == "b" && why.contains("1 GET"), "{member}: {why}");
        let held = &refused["details"]["waiting"][0]["holdouts"][0];
        assert!(held["what"] == "GET" && held["count"] == 1, "{refused}");

        a.remove("unrelated");
        let asked = Watch::start();
        a.purge("unrelated", SLACK).is(200);
        assert!(asked.elapsed() < Duration::from_millis(1_500), "it waited for a download elsewhere");
        assert!(removed.elapsed() < DRAIN, "this machine is too busy for this test");

        a.purge("watched", Duration::from_secs(10)).is(200);
        let waited = removed.elapsed();
        assert!(waited >= DRAIN, "it was not given its time: {waited:?}");
        assert!(waited < DRAIN + SLACK, "{waited:?}");
        let came = watching.join().unwrap();
        assert!(came < LARGE, "the download was not cut");
    });
    b.get("watched", "film").is(404);
}

#[test]
fn a_slow_download_is_waited_for_and_cut() {
    a_download_is_waited_for_and_cut(true);
}

#[test]
fn a_download_that_nobody_reads_is_waited_for_and_cut() {
    a_download_is_waited_for_and_cut(false);
}

/// An upload keeps the purge of its bucket waiting, too, and is refused when its time is over, though its client sends nothing.
#[test]
fn an_upload_that_stands_still_is_waited_for_and_refused() {
    let cluster = Cluster::new();
    let (a, b, _p) = (cluster.gateway("a"), cluster.gateway("b"), cluster.processor("p"));
    a.create("doomed");
    let body = large(6);
    let upload = Upload::begin(&b, "doomed", "large", &body);
    within(SLACK, "bytes of it in the store", || (!cluster.bytes().is_empty()).then_some(()));
    a.remove("doomed");
    let removed = Watch::start();
    within(SLACK, "somebody is known to be busy", || {
        (a.knows("b")["holdouts"].as_array()?.len() == 1).then_some(())
    });
    let refused = a.purge("doomed", Duration::ZERO).says(409, "BARRIERNOTSATISFIED");
    assert!(waits_for(&refused)[0].1.contains("1 PUT"), "{refused}");
    a.purge("doomed", Duration::from_secs(10)).is(200);
    let waited = removed.elapsed();
    assert!(waited >= DRAIN && waited < DRAIN + SLACK, "{waited:?}");
    let status = upload.finish().map(|answer| answer.status);
    assert!(status.is_none_or(|status| status >= 400), "{status:?}");
    cluster.holds(0, SLACK * 2);
    cluster.is_sound(&a);
}

/// A download that ends in time is whole, and the purge begins when it has ended.
#[test]
fn a_download_that_ends_in_time_is_whole() {
    let cluster = Cluster::with(&[("BARROW_HEALTH__DRAIN_TIMEOUT", "30s")]);
    let (a, b) = (cluster.gateway("a"), cluster.gateway("b"));
    a.create("watched");
    let whole = large(2);
    a.put("watched", "film", &whole).is(201);
    let film = Download::begin(&b, "watched", "film");
    a.remove("watched");
    a.purge("watched", Duration::from_millis(500)).says(409, "BARRIERNOTSATISFIED");
    std::thread::scope(|scope| {
        let purging = scope.spawn(|| a.purge("watched", Duration::from_secs(20)).is(200));
        std::thread::sleep(HEARTBEAT);
        assert!(film.rest() == whole, "it was not whole");
        let ended = Watch::start();
        purging.join().unwrap();
        assert!(ended.elapsed() < SLACK, "nobody told that it had ended");
    });
}

/// BX-11c: an object that is purged while somebody reads it keeps its bytes until the read has ended, or was cut; and nobody
/// else's purge waits for that.
#[test]
fn bytes_stay_as_long_as_they_are_read() {
    let cluster = Cluster::with(&[("BARROW_HEALTH__OBJECT_DELETE_DELAY", "0s")]);
    let (a, b, _p) = (cluster.gateway("a"), cluster.gateway("b"), cluster.processor("p"));
    a.create("watched");
    a.create("other");
    let whole = large(4);
    a.put("watched", "film", &whole).is(201);
    cluster.holds(1, SLACK);

    // One that ends in time is whole.
    let film = Download::begin(&b, "watched", "film");
    a.delete("watched", "film").is(200);
    b.get("watched", "film").is(404);
    assert!(film.rest() == whole);
    cluster.holds(0, DRAIN + SLACK * 2);

    // One that does not is cut, and only then do the bytes go.
    a.put("watched", "film", &whole).is(201);
    cluster.holds(1, SLACK);
    let film = Download::begin(&b, "watched", "film");
    let reading = || b.gauge("barrow_transfers");
    assert_eq!(reading(), 1);
    a.delete("watched", "film").is(200);
    let deleted = Watch::start();
    a.remove("other");
    let asked = Watch::start();
    a.purge("other", SLACK).is(200);
    assert!(asked.elapsed() < Duration::from_millis(1_500), "it waited for a download elsewhere");
    std::thread::scope(|scope| {
        let watching = scope.spawn(move || film.trickle(Duration::from_millis(20)).len());
        within(DRAIN * 3 + SLACK * 2, "the bytes are gone", || {
            let read = reading();
            let gone = cluster.bytes().is_empty();
            assert!(!gone || read == 0 || reading() == 0, "bytes were destroyed while they were read");
            gone.then_some(())
        });
        assert!(deleted.elapsed() >= DRAIN, "it was not given its time");
        assert!(watching.join().unwrap() < LARGE, "it was not cut");
    });
    cluster.is_sound(&a);
}
