//! `kill -9` anywhere, again and again: whatever was acknowledged is there afterwards, and no rule is broken.
//!
//! A control run that answers before it commits must be found out; a harness that does not see that sees nothing.

use crate::house::House;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a client knows of one name.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    put_acknowledged: bool,
    delete_sent: bool,
    delete_acknowledged: bool,
    size: usize,
}

type History = Arc<Mutex<BTreeMap<String, Known>>>;

const CLIENTS: usize = 6;
/// How long it may take until the first of them is answered.
const START: Duration = Duration::from_secs(30);

/// One request on a connection of its own; `None` when the server went away in the middle.
fn ask(
    at: SocketAddr,
    auth: &str,
    method: &str,
    target: &str,
    headers: &str,
    body: &[u8],
) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(at).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: barrow.local\r\nAuthorization: {auth}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = answer[end + 4..].to_vec();
    // A body that was cut is no answer.
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
    match length.and_then(|length| length.parse::<usize>().ok()) {
        Some(length) if length != body.len() => None,
        _ => Some((status, body)),
    }
}

fn content(name: &str, size: usize) -> Vec<u8> {
    name.bytes().cycle().take(size).collect()
}

/// Puts and deletes until told to stop or until the server goes away.
fn client(at: SocketAddr, auth: &str, prefix: &str, history: &History, stop: &AtomicBool) {
    for n in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let name = format!("{prefix}-{n}");
        // Most bodies go into the database, some into files.
        let size = if n % 5 == 4 { 40_000 } else { 700 };
        let known = |change: &dyn Fn(&mut Known)| {
            change(history.lock().unwrap().entry(name.clone()).or_insert(Known { size, ..Known::default() }));
        };
        known(&|_| {});
        match ask(at, auth, "POST", &format!("/crash/{name}"), "", &content(&name, size)) {
            Some((201, _)) => known(&|known| known.put_acknowledged = true),
            Some(other) => panic!("{name}: {other:?}"),
            None => return,
        }
        if n % 3 == 0 {
            known(&|known| known.delete_sent = true);
            match ask(at, auth, "DELETE", &format!("/crash/{name}"), "", &[]) {
                Some((200, _)) => known(&|known| known.delete_acknowledged = true),
                Some(other) => panic!("{name}: {other:?}"),
                None => return,
            }
        }
    }
}

/// Waits until something is so.
fn within(limit: Duration, is_so: impl Fn() -> bool) {
    const STEP: Duration = Duration::from_millis(2);
    let mut waited = Duration::ZERO;
    while !is_so() {
        assert!(waited < limit, "the server did nothing");
        std::thread::sleep(STEP);
        waited += STEP;
    }
}

/// What was acknowledged and is not so.
fn broken(at: SocketAddr, auth: &str, history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, known) in history.lock().unwrap().iter() {
        let (status, body) = ask(at, auth, "GET", &format!("/crash/{name}"), "", &[]).unwrap();
        let whole = status == 200 && body == content(name, known.size);
        let wrong = match known {
            Known { delete_acknowledged: true, .. } => status != 404,
            Known { put_acknowledged: true, delete_sent: false, .. } => !whole,
            // Nobody was told: either is right, but never half of it.
            _ => status != 404 && !whole,
        };
        if wrong {
            broken.push(format!("{name}: {known:?}, and the answer is {status} with {} bytes", body.len()));
        }
    }
    broken
}

/// Runs clients against a server that is killed after a while, `rounds` times over the same data; gives what was broken
/// after any of the kills, and the house.
///
/// A round is on its way once somebody was told what `begun` looks for.
fn rounds(
    house: &House,
    environment: &[(&str, &str)],
    rounds: u64,
    begun: fn(&Known) -> bool,
) -> Vec<String> {
    let mut server = house.serve_with(environment);
    let (key, secret) = house.root();
    let auth = format!("Bearer {key}:{secret}");
    let made = ask(server.scsp, &auth, "POST", "/crash", "Content-Type: application/castorcontext\r\n", &[]);
    assert_eq!(made.unwrap().0, 201);
    for round in 0..rounds {
        let (history, stop) = (History::default(), Arc::new(AtomicBool::new(false)));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|id| {
                let (at, auth, history, stop) =
                    (server.scsp, auth.clone(), Arc::clone(&history), Arc::clone(&stop));
                std::thread::spawn(move || client(at, &auth, &format!("r{round}c{id}"), &history, &stop))
            })
            .collect();
        // A different moment each round, so that the kill falls into every part of the work, which has begun by then.
        within(START, || history.lock().unwrap().values().any(begun));
        std::thread::sleep(Duration::from_millis(37 * (round % 9)));
        server.kill();
        stop.store(true, Ordering::SeqCst);
        clients.into_iter().for_each(|client| client.join().unwrap());
        server = house.serve_with(environment);
        let found = broken(server.scsp, &auth, &history);
        if !found.is_empty() {
            return found;
        }
    }
    let check = house.command(&["check", "--blobs", "--json"]).outcome();
    assert_eq!(check.code, 0, "{}{}", check.stdout, check.stderr);
    assert_eq!(server.stop(), Some(0));
    Vec::new()
}

#[test]
fn nothing_acknowledged_is_lost_on_sqlite() {
    assert_eq!(rounds(&House::new(), &[], 8, |known| known.put_acknowledged), Vec::<String>::new());
}

#[test]
fn nothing_acknowledged_is_lost_on_postgres() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = runtime.block_on(async { testkit::Database::postgres().await.settings().url });
    let postgres = [("BARROW_METADATA__URL", url.as_str())];
    assert_eq!(rounds(&House::new(), &postgres, 5, |known| known.put_acknowledged), Vec::<String>::new());
}

#[test]
fn a_server_that_answers_before_it_commits_is_found_out() {
    // It commits a fifth of a second after its answer: a delete that was answered comes to nothing if it dies before. (Of what is
    // written first each name is deleted next, which makes either answer right.)
    let early = [("BARROW_TESTING_ANSWER_EARLY", "1")];
    let found = rounds(&House::new(), &early, 5, |known| known.delete_acknowledged);
    assert!(!found.is_empty(), "the control run lost nothing: this harness would notice nothing");
}

/// Case 67: the process dies in the middle of a purge, and the next one carries it to its end; nothing else is touched.
#[test]
fn a_purge_that_is_killed_in_the_middle_is_carried_on() {
    for failpoint in
        ["cascade.after_claim", "cascade.after_destroy", "cascade.before_finish", "cascade.after_finish"]
    {
        let house = House::new();
        let soon = [("BARROW_HEALTH__CLAIM_LEASE", "1s"), ("BARROW_HEALTH__INTERVAL", "1s")];
        let mut server = house.serve_with(&[soon[0], soon[1], ("BARROW_FAILPOINT", failpoint)]);
        let (key, secret) = house.root();
        let auth = format!("Bearer {key}:{secret}");
        let context = "Content-Type: application/castorcontext\r\n";
        for bucket in ["doomed", "crash"] {
            assert_eq!(ask(server.scsp, &auth, "POST", &format!("/{bucket}"), context, &[]).unwrap().0, 201);
            for n in 0..40 {
                let name = format!("o-{n}");
                let body = content(&name, if n % 2 == 0 { 40_000 } else { 700 });
                let put = ask(server.scsp, &auth, "POST", &format!("/{bucket}/{name}"), "", &body);
                assert_eq!(put.unwrap().0, 201);
            }
        }
        let removed = ask(server.scsp, &auth, "DELETE", "/doomed?recursive=now", "", &[]);
        // It may die before it has answered; what it promised to purge is purged either way.
        assert!(removed.is_none_or(|(status, _)| status == 200), "{failpoint}");
        assert!(server.died(), "{failpoint} was never passed");
        let server = house.serve_with(&soon);
        crate::house::eventually(|| {
            let usage = house.command(&["usage", "--json"]).outcome();
            assert_eq!(usage.code, 0, "{failpoint}: {}{}", usage.stdout, usage.stderr);
            let rows: serde_json::Value = serde_json::from_str(&usage.stdout).unwrap();
            // All that is left are the eighty objects of which forty are tombstones.
            let total = |state: &str| rows["total"][state]["objects"].as_i64();
            let expected = (Some(40), Some(40), Some(0), Some(0));
            ((total("live"), total("purged"), total("purging"), total("removed")) == expected).then_some(())
        });
        assert_eq!(ask(server.scsp, &auth, "GET", "/doomed", "", &[]).unwrap().0, 404);
        for n in 0..40 {
            let name = format!("o-{n}");
            let (status, body) = ask(server.scsp, &auth, "GET", &format!("/crash/{name}"), "", &[]).unwrap();
            let size = if n % 2 == 0 { 40_000 } else { 700 };
            assert!(status == 200 && body == content(&name, size), "{failpoint}: {name} was touched");
        }
        let check = house.command(&["check", "--blobs", "--json"]).outcome();
        assert_eq!(check.code, 0, "{failpoint}: {}{}", check.stdout, check.stderr);
        assert_eq!(server.stop(), Some(0));
    }
}
