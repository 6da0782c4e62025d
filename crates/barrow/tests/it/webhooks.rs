//! Webhooks, from outside: what a receiver gets, signed, and what a `kill -9` in the middle leaves untold. Nothing.

use crate::house::{House, Server, eventually, http};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECRET: &str = "a secret of the receiver's";

/// One message as it came.
#[derive(Clone, Debug)]
struct Message {
    id: String,
    signature: Option<String>,
    body: String,
}

impl Message {
    fn record(&self) -> Value {
        serde_json::from_str::<Value>(&self.body).unwrap()["Records"][0].take()
    }

    fn name(&self) -> String {
        self.record()["s3"]["object"]["key"].as_str().unwrap().to_owned()
    }
}

/// A receiver on loopback that answers with `status`, after a while.
#[derive(Clone)]
struct Receiver {
    at: SocketAddr,
    took: Arc<Mutex<Vec<Message>>>,
    answer: Arc<Mutex<(u16, Duration)>>,
}

impl Receiver {
    fn new(status: u16) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Receiver {
            at: listener.local_addr().unwrap(),
            took: Arc::default(),
            answer: Arc::new(Mutex::new((status, Duration::ZERO))),
        };
        let serving = receiver.clone();
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.take(stream.unwrap()));
            }
        });
        receiver
    }

    fn take(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let (mut id, mut signature, mut length, mut first) = (String::new(), None, 0, String::new());
        reader.read_line(&mut first).ok()?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "barrow-event-id" => value.clone_into(&mut id),
                "barrow-signature" => signature = Some(value.to_owned()),
                "content-length" => length = value.parse().ok()?,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        assert_eq!(first.trim_end(), "POST /told?by=barrow HTTP/1.1");
        let (status, after) = *self.answer.lock().unwrap();
        if (200..300).contains(&status) {
            let body = String::from_utf8(body).unwrap();
            self.took.lock().unwrap().push(Message { id, signature, body });
        }
        std::thread::sleep(after);
        let location = format!("http://{}/elsewhere", self.at);
        let mut stream = stream;
        write!(
            stream,
            "HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        .ok()
    }

    fn answers(&self, status: u16, after: Duration) {
        *self.answer.lock().unwrap() = (status, after);
    }

    fn took(&self) -> Vec<Message> {
        self.took.lock().unwrap().clone()
    }
}

/// A house with the target `hook`, and a bucket that has it told everything.
fn listening(receiver: &Receiver, more: &str) -> (House, Server) {
    let house = House::new();
    let secret = house.path().join("hook.secret");
    std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
    house.configure(&format!(
        "[events]\ntimeout = \"2s\"\n[events.targets.hook]\nurl = \"http://{}/told?by=barrow\"\nsecret_file = {:?}\n{more}",
        receiver.at,
        secret.display().to_string()
    ));
    let server = house.serve();
    let rules = "<NotificationConfiguration><QueueConfiguration><Queue>arn:barrow:sqs::hook:webhook</Queue>\
                 <Event>s3:ObjectCreated:*</Event><Event>s3:ObjectRemoved:*</Event></QueueConfiguration></NotificationConfiguration>";
    assert_eq!(s3(&house, &server, "PUT", "/bucket", ""), 200);
    assert_eq!(s3(&house, &server, "PUT", "/bucket?notification", rules), 200);
    (house, server)
}

/// One request to the S3 door, presigned; its status.
fn s3(house: &House, server: &Server, method: &str, target: &str, body: &str) -> u16 {
    let (id, secret) = house.root();
    let now = lifecycle::Clock::now(&lifecycle::SystemClock);
    let signer = crate::sign::Signer::new(&crate::client::Key { id, secret }, now);
    let host = [("Host".to_owned(), server.s3.to_string())];
    let target = signer.presigned(method, target, &host, Duration::from_secs(60));
    http(server.s3, method, &target, None, "", body).0
}

#[test]
fn a_receiver_gets_signed_messages() {
    let receiver = Receiver::new(204);
    let (house, server) = listening(&receiver, "");
    assert_eq!(s3(&house, &server, "PUT", "/bucket/a%20b", "bytes"), 200);
    assert_eq!(s3(&house, &server, "DELETE", "/bucket/a%20b", ""), 204);
    let took = eventually(|| Some(receiver.took()).filter(|took| took.len() == 2));
    let events: Vec<String> =
        took.iter().map(|one| one.record()["eventName"].as_str().unwrap().to_owned()).collect();
    assert_eq!(events, ["ObjectCreated:Put", "ObjectRemoved:Delete"]);
    for message in &took {
        assert_eq!(message.name(), "a+b");
        let signature = message.signature.clone().unwrap();
        let (at, hex) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{at}.{}", message.body).as_bytes());
        let wanted: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, wanted);
    }
    // They are counted once the answers are in, which the receiver does not see.
    eventually(|| {
        let (status, metrics) = http(server.admin, "GET", "/metrics", None, "", "");
        assert_eq!(status, 200);
        metrics.contains("barrow_events_delivered_total 2\n").then_some(())
    });
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn what_a_receiver_does_not_take_is_told_again() {
    let receiver = Receiver::new(500);
    let (house, server) = listening(&receiver, "");
    assert_eq!(s3(&house, &server, "PUT", "/bucket/a", "bytes"), 200);
    eventually(|| server.stderr().contains("it answered 500").then_some(()));
    // Nobody is led elsewhere.
    receiver.answers(307, Duration::ZERO);
    eventually(|| server.stderr().contains("redirections are not followed").then_some(()));
    // Nor waited for longer than was said.
    receiver.answers(200, Duration::from_secs(6));
    eventually(|| server.stderr().contains("no answer within 2s").then_some(()));
    receiver.answers(200, Duration::ZERO);
    let (_, metrics) = http(server.admin, "GET", "/metrics", None, "", "");
    assert!(metrics.contains("barrow_events_waiting{target=\"hook\"} 1\n"), "{metrics}");
    eventually(|| {
        let (_, metrics) = http(server.admin, "GET", "/metrics", None, "", "");
        metrics.contains("barrow_events_delivered_total 1\n").then_some(())
    });
    let ids: BTreeSet<String> = receiver.took().into_iter().map(|message| message.id).collect();
    assert_eq!(ids.len(), 1, "the same message under the same id");
    assert_eq!(server.stop(), Some(0));
}

/// The lease of one that was killed runs out before another tells.
fn within_a_minute(is: impl Fn() -> bool) {
    for _ in 0..600 {
        if is() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_a_kill_interrupts_is_told_all_the_same() {
    let receiver = Receiver::new(200);
    receiver.answers(200, Duration::from_millis(20));
    let (house, mut server) = listening(&receiver, "");
    let mut names = BTreeSet::new();
    for round in 0..2 {
        for n in 0..30 {
            let name = format!("r{round}-{n}");
            assert_eq!(s3(&house, &server, "PUT", &format!("/bucket/{name}"), "bytes"), 200);
            names.insert(name);
        }
        // Somewhere in the middle of telling.
        let before = receiver.took().len();
        within_a_minute(|| receiver.took().len() > before);
        server.kill();
        server = house.serve();
    }
    let told = || receiver.took().iter().map(Message::name).collect::<BTreeSet<String>>();
    within_a_minute(|| told() == names);
    let missing: Vec<String> = names.difference(&told()).cloned().collect();
    assert!(missing.is_empty(), "untold: {missing:?}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_target_that_cannot_be_used_is_no_start() {
    let house = House::new();
    house.configure("[events.targets.hook]\nurl = \"http://127.0.0.1:1/\"\nsecret_file = \"./none\"\n");
    let outcome = house.command(&["serve"]).outcome();
    assert_ne!(outcome.code, 0);
    assert!(outcome.stderr.contains("events.targets.hook.secret_file"), "{}", outcome.stderr);
}
