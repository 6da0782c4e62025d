//! The server through real sockets: what a client sees, byte by byte.

use super::{Body, BodyReader, Connection, Limits, Peer, ReadError, serve};
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);

/// A server with a handler that does what the path says.
struct Door {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
    asked: Arc<AtomicUsize>,
    /// Why bodies could not be read.
    refused: mpsc::UnboundedReceiver<ReadError>,
    go_on: Arc<Notify>,
}

impl Door {
    async fn open(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let (refusals, refused) = mpsc::unbounded_channel();
        let (asked, go_on, limits) =
            (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()), Arc::new(limits));
        let handler = {
            let (asked, go_on, limits) = (Arc::clone(&asked), Arc::clone(&go_on), Arc::clone(&limits));
            move |request: Request<Incoming>, peer: Peer| {
                asked.fetch_add(1, Ordering::Relaxed);
                assert!(peer.0.ip().is_loopback());
                answer(request, Arc::clone(&limits), Arc::clone(&go_on), refusals.clone())
            }
        };
        let served = tokio::spawn(serve(listener, limits, handler, stopped));
        Door { address, stop, served, asked, refused, go_on }
    }

    async fn client(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// Everything the server says to `bytes` until it closes.
    async fn all(&self, bytes: &str) -> String {
        let mut client = self.client().await;
        client.send(bytes).await;
        client.rest().await
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    async fn until_asked(&self, times: usize) {
        while self.asked() < times {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    limits: Arc<Limits>,
    go_on: Arc<Notify>,
    refusals: mpsc::UnboundedSender<ReadError>,
) -> Response<Body> {
    let version = format!("{:?}", request.version());
    let (head, body) = request.into_parts();
    let mut reader = BodyReader::new(body, &limits);
    let chunks = |chunks: Vec<Result<&'static str, &'static str>>| {
        stream::iter(chunks.into_iter().map(|chunk| chunk.map(Bytes::from)))
    };
    let body = match head.uri.path() {
        "/panic" => panic!("as asked"),
        "/version" => Body::from(version),
        "/wait" => {
            go_on.notified().await;
            Body::from("waited")
        }
        "/cut" => Body::stream(8, chunks(vec![Ok("four"), Err("the disk is gone")])),
        "/cut-chunked" => Body::chunked(chunks(vec![Ok("four"), Err("the disk is gone")])),
        "/stream" => Body::stream(8, chunks(vec![Ok("four"), Ok("more")])),
        "/chunked" => Body::chunked(chunks(vec![Ok("four"), Ok("more")])),
        "/unread" => Body::from("not read"),
        "/big" => Body::from(Bytes::from(vec![b'x'; 64 << 20])),
        "/held" => {
            let (here, go_on) = (Connection::here().unwrap(), Arc::clone(&go_on));
            tokio::spawn(async move {
                go_on.notified().await;
                here.hang_up();
            });
            Body::from(Bytes::from(vec![b'x'; 64 << 20]))
        }
        "/head" => {
            return Response::builder().header("content-length", "4").body(Body::Empty).unwrap();
        }
        _ => match reader.collect(1 << 20).await {
            Ok(all) => {
                let trailer = reader.trailers().and_then(|trailers| trailers.get("x-sum")).cloned();
                let mut response = Response::new(Body::from(all));
                response
                    .headers_mut()
                    .extend(trailer.map(|sum| (http::HeaderName::from_static("x-sum"), sum)));
                return response;
            }
            Err(error) => {
                let _ = refusals.send(error);
                let mut response = Response::new(Body::Empty);
                *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
                return response;
            }
        },
    };
    Response::new(body)
}

struct Client(TcpStream);

impl Client {
    async fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// What comes until `end` has come.
    async fn until(&mut self, end: &str) -> String {
        let mut seen = Vec::new();
        let reading = async {
            while !seen.ends_with(end.as_bytes()) {
                let byte = self.0.read_u8().await;
                seen.push(byte.unwrap_or_else(|_| panic!("closed before {end:?}")));
            }
        };
        timeout(SOON, reading).await.expect("the server says something");
        String::from_utf8(seen).unwrap()
    }

    /// What comes until the server closes.
    async fn rest(&mut self) -> String {
        let mut seen = Vec::new();
        let closed = timeout(SOON, self.0.read_to_end(&mut seen)).await.expect("the server closes");
        if let Err(error) = closed {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
        }
        String::from_utf8(seen).unwrap()
    }
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

fn quick() -> Limits {
    let ms = Duration::from_millis;
    Limits {
        header_deadline: ms(300),
        body_idle: ms(200),
        body_window: ms(250),
        shutdown: ms(300),
        ..Limits::default()
    }
}

const GET: &str = "GET /version HTTP/1.1\r\nHost: h\r\n\r\n";
const OK: &str = "HTTP/1.1";

#[tokio::test]
async fn requests_follow_one_another_on_a_connection_and_both_versions_are_told_apart() {
    let door = Door::open(Limits::default()).await;
    let mut client = door.client().await;
    for _ in 0..3 {
        client.send(GET).await;
        assert!(client.until(OK).await.starts_with("HTTP/1.1"));
        assert_eq!(client.until("\r\n\r\nHTTP/1.1").await.matches("content-length: 8").count(), 1);
    }
    let old = door.all("GET /version HTTP/1.0\r\n\r\n").await;
    assert!(status(&old) == "200" && old.ends_with("HTTP/1.0"), "{old}");
    // the library answers for itself: no service can say 505
    assert_eq!(status(&door.all("GET /version HTTP/1.2\r\nHost: h\r\n\r\n").await), "400");
}

#[tokio::test]
async fn a_dripped_head_is_closed_at_the_deadline_and_so_is_an_idle_connection() {
    let door = Door::open(quick()).await;
    let (mut drip, mut idle) = (door.client().await, door.client().await);
    let dripping = async {
        for byte in GET.bytes().cycle() {
            if drip.0.write_u8(byte & 0x5f).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(2), dripping).await.expect("closed long before");
    assert_eq!(idle.rest().await, "");
    assert_eq!(door.asked(), 0);
}

#[tokio::test]
async fn ambiguous_heads_are_refused_and_their_connections_closed() {
    let door = Door::open(Limits::default()).await;
    for head in [
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "DELETE /report#2 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /version HTTP/1.1\nHost: h\n\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\nabc",
        "POST /echo HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /version HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n",
        "GET /version HTTP/1.1\r\nHost : h\r\n\r\n",
    ] {
        let answer = door.all(&format!("{head}{GET}")).await;
        assert_eq!(status(&answer), "400", "{head}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "what follows is not believed: {head}");
    }
    assert_eq!(door.asked(), 0);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_each_is_looked_at() {
    let door = Door::open(Limits::default()).await;
    let put = "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n#a\n";
    let answers = door.all(&format!("{GET}{put}{GET}DELETE /a#b HTTP/1.1\r\nHost: h\r\n\r\n{GET}")).await;
    let statuses: Vec<_> = answers.match_indices("HTTP/1.1 ").map(|(at, _)| status(&answers[at..])).collect();
    assert_eq!(statuses, ["200", "200", "200", "400"], "{answers}");
}

#[tokio::test]
async fn heads_that_are_too_large_are_answered_431() {
    let door = Door::open(Limits::default()).await;
    let long = "x".repeat(33 * 1024);
    assert_eq!(
        status(&door.all(&format!("GET /version HTTP/1.1\r\nHost: h\r\nX: {long}\r\n\r\n")).await),
        "431"
    );
    let fits = "x".repeat(31 * 1024);
    let mut client = door.client().await;
    client.send(&format!("GET /version HTTP/1.1\r\nHost: h\r\nX: {fits}\r\n\r\n")).await;
    assert_eq!(status(&client.until("\r\n\r\nHTTP/1.1").await), "200");
    for (lines, expected) in [(499, "200"), (500, "431")] {
        let head = format!("GET /version HTTP/1.1\r\nConnection: close\r\n{}\r\n", "X: y\r\n".repeat(lines));
        assert_eq!(status(&door.all(&head).await), expected, "{lines}");
    }
}

#[tokio::test]
async fn bodies_arrive_whole_with_their_trailers_and_after_a_hundred() {
    let door = Door::open(Limits::default()).await;
    let mut client = door.client().await;
    client.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc").await;
    client.send("def").await;
    client.until("\r\n\r\nabcdef").await;
    let chunked = "3\r\nabc\r\n1\r\nd\r\n0\r\nX-Sum: 7\r\n\r\n";
    let head = "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
    client.send(&format!("{head}{chunked}")).await;
    assert!(client.until("\r\n\r\nabcd").await.contains("x-sum: 7"));
    client.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n").await;
    client.until("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send("ok").await;
    client.until("\r\n\r\nok").await;
    // behind a chunked body the next head is looked at again
    client.send("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(status(&client.rest().await), "400");
}

#[tokio::test]
async fn a_silent_body_is_too_slow() {
    let mut door = Door::open(quick()).await;
    let mut client = door.client().await;
    client.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc").await;
    assert_eq!(status(&client.rest().await), "408");
    assert!(matches!(door.refused.recv().await.unwrap(), ReadError::TooSlow { rate: 1024, .. }));
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_a_body_is_disconnected() {
    let mut door = Door::open(Limits::default()).await;
    for head in ["Content-Length: 6\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
        let mut client = door.client().await;
        client.send(&format!("PUT /echo HTTP/1.1\r\nHost: h\r\n{head}")).await;
        drop(client);
        let refusal = timeout(SOON, door.refused.recv()).await.unwrap().unwrap();
        assert_eq!(refusal, ReadError::Disconnected, "{head}");
    }
}

#[tokio::test]
async fn chunks_that_are_none_are_malformed() {
    let mut door = Door::open(Limits::default()).await;
    for chunk in ["zz\r\nabc\r\n", "3\r\nabcd\r\n", "fffffffffffffffff\r\n", "+3\r\nabc\r\n"] {
        let head = "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        let _ = door.all(&format!("{head}{chunk}")).await;
        let refusal = timeout(SOON, door.refused.recv()).await.unwrap().unwrap();
        assert!(matches!(refusal, ReadError::Malformed(_)), "{chunk}: {refusal:?}");
    }
}

#[tokio::test]
async fn a_panic_is_one_answer_and_the_next_request_works() {
    let door = Door::open(Limits { in_flight: 1, ..Limits::default() }).await;
    let mut client = door.client().await;
    client.send("GET /panic HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(status(&client.until("it has been logged\n").await), "500");
    client.send(GET).await;
    assert_eq!(status(&client.until("\r\n\r\nHTTP/1.1").await), "200");
}

#[tokio::test]
async fn a_body_that_fails_is_cut() {
    let door = Door::open(Limits::default()).await;
    let cut = door.all("GET /cut HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(cut.contains("content-length: 8") || cut.is_empty(), "{cut}");
    assert!(cut.rsplit("\r\n\r\n").next().unwrap().len() < 8, "{cut}");
    let cut = door.all("GET /cut-chunked HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(!cut.contains("0\r\n\r\n"), "no final chunk: {cut}");
}

#[tokio::test]
async fn streams_are_sent_with_their_length_or_in_chunks_and_head_keeps_its_length() {
    let door = Door::open(Limits::default()).await;
    let mut client = door.client().await;
    client.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(client.until("\r\n\r\nfourmore").await.contains("content-length: 8"));
    client.send("GET /chunked HTTP/1.1\r\nHost: h\r\n\r\n").await;
    client.until("4\r\nfour\r\n4\r\nmore\r\n0\r\n\r\n").await;
    client.send("HEAD /head HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(client.until("\r\n\r\n").await.contains("content-length: 4"));
    client.send(GET).await;
    client.until("\r\n\r\nHTTP/1.1").await;
}

#[tokio::test]
async fn a_stop_finishes_running_requests_closes_idle_connections_and_takes_no_new_ones() {
    let mut door = Door::open(Limits::default()).await;
    let (mut idle, mut busy) = (door.client().await, door.client().await);
    idle.send(GET).await;
    idle.until("\r\n\r\nHTTP/1.1").await;
    busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n").await;
    door.until_asked(2).await;
    door.stop.send(true).unwrap();
    assert_eq!(idle.rest().await, "");
    assert!(TcpStream::connect(door.address).await.is_err());
    assert!(!door.served.is_finished());
    door.go_on.notify_one();
    let answer = busy.rest().await;
    assert!(answer.contains("connection: close") && answer.ends_with("waited"), "{answer}");
    timeout(SOON, &mut door.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let mut door = Door::open(quick()).await;
    let mut busy = door.client().await;
    busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n").await;
    door.until_asked(1).await;
    door.stop.send(true).unwrap();
    timeout(SOON, &mut door.served).await.unwrap().unwrap();
    assert_eq!(busy.rest().await, "");
}

#[tokio::test]
async fn beyond_the_requests_in_flight_the_answer_is_503_until_one_is_finished() {
    let door = Door::open(Limits { in_flight: 1, ..Limits::default() }).await;
    let (mut busy, mut other) = (door.client().await, door.client().await);
    busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n").await;
    door.until_asked(1).await;
    other.send(GET).await;
    let answer = other.until("try again\n").await;
    assert!(status(&answer) == "503" && answer.contains("retry-after: 1"), "{answer}");
    door.go_on.notify_one();
    busy.until("waited").await;
    other.send(GET).await;
    assert_eq!(status(&other.until("\r\n\r\nHTTP/1.1").await), "200");
}

#[tokio::test]
async fn a_client_that_leaves_gives_its_place_back() {
    let door = Door::open(Limits { in_flight: 1, ..Limits::default() }).await;
    let mut busy = door.client().await;
    busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n").await;
    door.until_asked(1).await;
    drop(busy);
    let mut other = door.client().await;
    let served = async {
        loop {
            other.send(GET).await;
            let answer = other.until("\r\n\r\n").await;
            if status(&answer) == "200" {
                break;
            }
            other.until("try again\n").await;
        }
    };
    timeout(SOON, served).await.expect("the place is free again");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut() {
    let mut door = Door::open(Limits { shutdown: 10 * SOON, ..quick() }).await;
    let mut lazy = door.client().await;
    lazy.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n").await;
    door.until_asked(1).await;
    door.stop.send(true).unwrap();
    timeout(SOON, &mut door.served).await.expect("cut").unwrap();
}

#[tokio::test]
async fn what_must_not_flow_on_is_ended_though_its_client_takes_nothing() {
    assert!(Connection::here().is_none(), "nobody is answered here");
    let door = Door::open(Limits::default()).await;
    let mut client = door.client().await;
    client.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await;
    client.until("\r\n\r\n").await;
    door.go_on.notify_one();
    assert!(client.rest().await.len() < 64 << 20, "it went on");
    assert_eq!(
        status(&door.all("GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await),
        "200"
    );
}

#[tokio::test]
async fn connections_beyond_the_limits_are_closed() {
    for limits in
        [Limits { per_peer: 1, ..Limits::default() }, Limits { connections: 1, ..Limits::default() }]
    {
        let door = Door::open(limits).await;
        let mut first = door.client().await;
        first.send(GET).await;
        first.until("\r\n\r\nHTTP/1.1").await;
        assert_eq!(door.client().await.rest().await, "");
        drop(first);
        let again = async {
            loop {
                let mut next = door.client().await;
                let _ = next.0.write_all(GET.as_bytes()).await;
                if next.0.read_u8().await.is_ok() {
                    break;
                }
            }
        };
        timeout(SOON, again).await.expect("the place is free again");
    }
}

#[tokio::test]
async fn a_body_left_unread_is_not_taken_for_the_next_request() {
    let door = Door::open(Limits::default()).await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    for (length, sent) in [(smuggled.len(), smuggled), (1 << 20, smuggled)] {
        let mut client = door.client().await;
        let head = format!("PUT /unread HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
        client.send(&format!("{head}{sent}")).await;
        client.until("not read").await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(door.asked(), 2);
}
