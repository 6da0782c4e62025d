//! The load generator against the bare hyper child: the two ends of every benchmark.

use std::path::Path;
use std::time::Duration;
use testkit::load::floors::{BareHyper, durable_appends, sqlite_commits};
use testkit::load::{Load, drive};

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn child() -> BareHyper {
    BareHyper::start(Path::new(env!("CARGO_BIN_EXE_barrow-bench"))).expect("it starts")
}

#[test]
fn bare_hyper_answers_every_request_and_its_costs_are_seen() {
    let hyper = child();
    block_on(async {
        let load = Load { connections: 16, operations: u64::MAX, time: Duration::from_millis(300) };
        let (measured, cpu) = hyper.measure(load).await.unwrap();
        assert_eq!(measured.troubles(), None);
        assert_eq!(measured.done(), measured.asked);
        assert!(measured.done() > 100, "{} answers in 300 ms", measured.done());
        assert!(measured.elapsed >= load.time && measured.percentile(50) <= measured.percentile(99));
        assert!(cpu > Duration::ZERO && cpu < Duration::from_secs(3));
        assert!(hyper.process.peak_memory().unwrap() >= 1 << 20);
        hyper.process.stop(Duration::from_secs(10)).await.unwrap();
    });
}

#[test]
fn operations_are_bounded_and_bodies_of_every_size_arrive() {
    let hyper = child();
    block_on(async {
        let door = &hyper.door;
        for size in [0, 1 << 10, 1 << 20] {
            let put = door.numbered("POST", "/k").body(vec![b'x'; size].into());
            let measured = drive(door, &put, Load::all(4, 50)).await.unwrap().flawless("posting").unwrap();
            assert_eq!((measured.asked, measured.done()), (50, 50), "{size} bytes");
        }
        let head =
            drive(door, &door.same("HEAD", "/"), Load::all(3, 20)).await.unwrap().flawless("HEAD").unwrap();
        assert_eq!(head.done(), 20);
        let kept = door.ask(&door.same("GET", "/")).await.unwrap();
        assert_eq!((kept.status, kept.body.len()), (200, 1024));
    });
}

#[test]
fn the_disk_and_sqlite_have_floors() {
    let dir = tempfile::tempdir().unwrap();
    let (appends, elapsed) = durable_appends(dir.path(), Duration::from_millis(50)).unwrap();
    assert!(appends > 0 && elapsed >= Duration::from_millis(50));
    let (commits, _) = block_on(sqlite_commits(dir.path(), Duration::from_millis(50))).unwrap();
    assert!(commits > 0);
}
