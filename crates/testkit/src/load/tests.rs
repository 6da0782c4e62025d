//! The client against answers of every shape, byte by byte.

use super::http::Connection;
use super::rows::floors::Floors;
use super::rows::following::Following;
use super::rows::kinds::Kinds;
use super::rows::objects::{Cost, Objects, Operations};
use super::rows::purges::Purges;
use super::rows::rules::Lateness;
use super::rows::s3::S3;
use super::rows::s3::governed::Governed;
use super::verdicts::{Found, of};
use super::{Door, Id, Load, Made, Payload, drive};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// A server that reads a head and writes the next of these answers, a few bytes at a time.
fn script(answers: Vec<&'static [u8]>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        for answer in answers {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or(0) == 0 {
                    return;
                }
                head.push(byte[0]);
            }
            for piece in answer.chunks(7) {
                stream.write_all(piece).unwrap();
            }
        }
    });
    at
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn every_way_to_end_an_answer_is_understood() {
    let at = script(vec![
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nX-Thing: a:b \r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
    ]);
    block_on(async {
        let mut connection = Connection::open(at).await.unwrap();
        let none = Payload::default();
        let five = connection.exchange(REQUEST, &none, false).await.unwrap();
        assert_eq!((five.status, five.length), (200, 5));
        assert_eq!(connection.exchange(REQUEST, &none, false).await.unwrap().status, 204);
        assert_eq!(connection.exchange(REQUEST, &none, false).await.unwrap().status, 201);
        assert_eq!(connection.exchange_kept(REQUEST, &none, false).await.unwrap().body, b"hello world");
        assert_eq!(connection.exchange(REQUEST, &none, true).await.unwrap().length, 0, "HEAD has no body");
        assert!(connection.reusable());
        let last = connection.exchange_kept(REQUEST, &none, false).await.unwrap();
        assert_eq!(
            (last.status, last.body.as_slice(), last.header("x-thing")),
            (404, &b"no"[..], Some("a:b"))
        );
        assert!(!connection.reusable());
        connection.exchange(REQUEST, &none, false).await.unwrap_err();
    });
}

#[test]
fn an_answer_without_an_end_or_sense_is_an_error() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel",
    ] {
        let at = script(vec![answer]);
        block_on(async {
            let mut connection = Connection::open(at).await.unwrap();
            connection.exchange(REQUEST, &Payload::default(), false).await.unwrap_err();
        });
    }
}

#[test]
fn unexpected_answers_and_broken_connections_are_counted() {
    let at = script(vec![
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ]);
    block_on(async {
        let door = Door::new(at, "x", None);
        let load = Load { connections: 1, operations: 3, time: Duration::from_secs(10) };
        let measured = drive(&door, &door.same("GET", "/"), load).await.unwrap();
        assert_eq!((measured.asked, measured.done(), measured.broken), (3, 2, 0));
        assert_eq!(measured.troubles().as_deref(), Some("1 x 503"));
        let told = measured.flawless("asking").unwrap_err();
        assert_eq!(told.to_string(), "asking: 1 x 503");
    });
}

#[test]
fn what_the_server_calls_an_object_is_kept_and_asked_for() {
    let at = script(vec![
        b"HTTP/1.1 201 Created\r\ncontent-uuid: 0123456789ABCDEF0123456789abcdef\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\nContent-UUID: ffffffffffffffffffffffffffffffff\r\n\r\nyes",
    ]);
    block_on(async {
        let door = Door::new(at, "x", None);
        let load = Load { connections: 1, operations: 3, time: Duration::from_secs(10) };
        let post = door.same("POST", "/").naming("Content-UUID");
        let mut measured = drive(&door, &post, load).await.unwrap();
        assert_eq!((measured.done(), measured.failed()), (2, 1));
        let made = measured.take_made();
        let id = |digits: &str| Id::read(digits.as_bytes()).unwrap();
        let first = Made { number: 0, id: id("0123456789abcdef0123456789abcdef") };
        let third = Made { number: 2, id: id(&"f".repeat(32)) };
        assert_eq!(*made, [first, third], "nothing was made by the one that failed");
        assert!(measured.take_made().is_empty());
    });
}

#[test]
fn a_version_is_kept_with_the_number_of_its_name() {
    let etag =
        b"HTTP/1.1 201 Created\r\nETag: \"ffffffffffffffffffffffffffffffff\"\r\nContent-Length: 0\r\n\r\n";
    let at = script(vec![etag; 3]);
    block_on(async {
        let door = Door::new(at, "x", None);
        let put = door.numbered("PUT", "/b/k").cycling(2).naming("ETag");
        let made = drive(&door, &put, Load::all(1, 3)).await.unwrap().take_made();
        assert_eq!(made.iter().map(|made| made.number).collect::<Vec<_>>(), [0, 0, 1]);
    });
}

#[test]
fn an_object_without_a_name_stops_the_load() {
    for answer in [
        &b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"[..],
        b"HTTP/1.1 201 Created\r\nContent-UUID: 42\r\nContent-Length: 0\r\n\r\n",
    ] {
        let at = script(vec![answer]);
        block_on(async {
            let door = Door::new(at, "x", None);
            let post = door.same("POST", "/").naming("Content-UUID");
            let told = drive(&door, &post, Load::all(1, 1)).await.unwrap_err().to_string();
            assert!(told.contains("status 201 has no Content-UUID"), "{told}");
        });
    }
}

/// A run in which SCSP's named objects are at 1,000/s and nothing else is anything.
fn found() -> Found {
    Found {
        floors: Floors { hyper_cpu: Duration::from_micros(10), appends: 1.0, commits: 1.0 },
        objects: Objects { small: all(1_000.0), middling_puts: 0.0 },
        kinds: Kinds::default(),
        s3: S3::default(),
        longest_container_move: Duration::ZERO,
        purges: Purges::default(),
        following: Following::default(),
        lateness: Lateness::default(),
        inline_reclaim: 0.0,
        file_reclaim: 0.0,
        listing_p99: Duration::ZERO,
        peak: 0,
        failed: 0,
        on_postgres: false,
        cluster: None,
    }
}

fn at(rate: f64) -> Cost {
    Cost { rate, ..Cost::default() }
}

fn all(rate: f64) -> Operations {
    Operations { put: at(rate), get: at(rate), head: at(rate), delete: at(rate) }
}

#[test]
fn unnamed_and_alias_objects_are_promised_to_be_as_fast_as_named_ones() {
    let kinds = Kinds { unnamed: all(900.0), alias: Operations { head: at(700.0), ..all(1_100.0) } };
    let verdicts = of(&Found { kinds, ..found() });
    let kinds: Vec<_> = verdicts.iter().filter(|verdict| verdict.what.ends_with("/ named's")).collect();
    assert_eq!(kinds.len(), 8);
    let broken: Vec<_> = kinds.iter().filter(|verdict| !verdict.kept()).collect();
    assert_eq!(broken.len(), 1);
    assert_eq!((broken[0].what.as_str(), broken[0].measured), ("HEAD 1 KiB, alias, rate / named's", 0.7));
}

#[test]
fn the_s3_door_is_promised_to_cost_little_more_than_the_other() {
    let get = |cpu| Operations { get: Cost { cpu: Duration::from_micros(cpu), rate: 1.0 }, ..all(1.0) };
    let objects = Objects { small: get(20), middling_puts: 0.0 };
    let judged = |cpu, listing, keys_deleted, governed| {
        let listing_p99 = Duration::from_millis(listing);
        let governed =
            Governed { free: Duration::from_micros(100), governed: Duration::from_micros(governed) };
        let s3 = S3 { small: get(cpu), listing_p99, keys_deleted, governed };
        let verdicts = of(&Found { objects, s3, ..found() });
        let of_s3 = |what: &str| what.contains("S3") || what.starts_with("DeleteObjects");
        let kept = verdicts.iter().filter(|verdict| of_s3(&verdict.what)).map(super::table::Verdict::kept);
        kept.collect::<Vec<_>>()
    };
    assert_eq!(judged(30, 5, 40_000.0, 110), [true; 4]);
    assert_eq!(judged(31, 6, 39_999.0, 111), [false; 4]);
}

#[test]
fn what_rules_let_go_is_promised_to_go_within_a_minute() {
    let lateness = |few, many| Lateness { few: Duration::from_secs(few), many: Duration::from_secs(many) };
    let judged = |lateness| {
        let verdicts = of(&Found { lateness, ..found() });
        let late = verdicts.iter().filter(|verdict| verdict.what.contains("lateness"));
        late.map(super::table::Verdict::kept).collect::<Vec<_>>()
    };
    assert_eq!(judged(lateness(1, 60)), [true, true]);
    assert_eq!(judged(lateness(61, 59)), [false, true]);
}
