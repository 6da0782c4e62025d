//! One process of an installation: started, frozen, killed, asked.

use super::ask::{Answer, Ask, ROOT, SECRET};
use super::installation::Variable;
use super::within;
use crate::client::{Key, S3};
use crate::house::{House, Outcome};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

/// How long a process may take to start, and to stop.
const START: Duration = Duration::from_secs(30);

pub(crate) struct Member {
    pub(crate) node: String,
    role: &'static str,
    house: House,
    environment: Vec<Variable>,
    child: Option<Child>,
    /// Where its doors are, if it has any and runs.
    doors: Option<Doors>,
    starts: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Doors {
    pub(crate) admin: SocketAddr,
    pub(crate) scsp: SocketAddr,
    pub(crate) s3: SocketAddr,
}

impl Member {
    pub(crate) fn new(role: &'static str, node: &str, environment: Vec<Variable>) -> Self {
        let house = House::new();
        Member { node: node.to_owned(), role, house, environment, child: None, doors: None, starts: 0 }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.house.data()
    }

    // --- its life ----------------------------------------------------------------------------------------------------------

    /// Starts it and waits until it is ready; a health processor, until it has registered.
    pub(crate) fn start(&mut self) {
        self.spawn();
        match self.role {
            "health-processor" => {
                within(START, "a health processor at work", || {
                    self.has_not_ended();
                    self.log().contains("working without doors").then_some(())
                });
            }
            _ => {
                let (doors, _) = within(START, "doors", || {
                    self.has_not_ended();
                    self.written_doors()
                });
                self.doors = Some(doors);
                within(START, "a gateway that is ready", || {
                    let ready =
                        Ask::new("GET", "/readyz").patience(Duration::from_secs(5)).try_of(doors.admin);
                    ready.filter(|ready| ready.status == 200)
                });
            }
        }
    }

    /// Starts it, and waits for nothing.
    pub(crate) fn spawn(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.node);
        self.starts += 1;
        let log = self.house.path().join("stderr");
        if log.exists() {
            std::fs::rename(&log, self.house.path().join(format!("stderr.{}", self.starts))).unwrap();
        }
        let _ = std::fs::remove_file(self.data().join("addresses.json"));
        let environment: Vec<(&str, &str)> =
            self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.child = Some(self.house.spawn(self.role, &environment));
    }

    fn written_doors(&self) -> Option<Doors> {
        let text = std::fs::read_to_string(self.data().join("addresses.json")).ok()?;
        let at: Value = serde_json::from_str(&text).ok()?;
        let door = |name: &str| at[name].as_str()?.parse().ok();
        Some(Doors { admin: door("admin")?, scsp: door("scsp")?, s3: door("s3")? })
    }

    fn has_not_ended(&mut self) {
        if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
            panic!("{} ended: {status}: {}", self.node, self.log());
        }
    }

    /// What it has said since it was started the last time.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.house.path().join("stderr")).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    /// Lets it stand still wherever it is (SIGSTOP).
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
        self.stands_still(START);
    }

    /// Waits until it stands still, whoever stopped it.
    pub(crate) fn stands_still(&self, limit: Duration) {
        let stat = format!("/proc/{}/stat", self.child.as_ref().unwrap().id());
        within(limit, "a process that stands still", || {
            let stat = std::fs::read_to_string(&stat).ok()?;
            stat.rsplit_once(") ")?.1.starts_with('T').then_some(())
        });
    }

    /// Lets it go on (SIGCONT).
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills it in the middle of whatever it does (SIGKILL).
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        self.doors = None;
    }

    /// Asks it to stop (SIGTERM).
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits until it has ended, and tells its exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let child = self.child.as_mut().unwrap();
        let (status, _) = within(START, "the end of a process", || child.try_wait().unwrap());
        (self.child, self.doors) = (None, None);
        status.code()
    }

    /// Asks it to stop, and waits for that.
    pub(crate) fn stop(&mut self) {
        self.terminate();
        assert_eq!(self.ended(), Some(0), "{}: {}", self.node, self.log());
    }

    // --- what it is asked --------------------------------------------------------------------------------------------------

    #[track_caller]
    pub(crate) fn doors(&self) -> Doors {
        self.doors.unwrap_or_else(|| panic!("{} has no doors", self.node))
    }

    /// One of the operator's commands, asked of this member.
    pub(crate) fn command(&self, args: &[&str]) -> Outcome {
        let admin = format!("http://{}", self.doors().admin);
        let command = self.house.command(&["--admin", &admin]).args(args);
        command.env("BARROW_KEY", ROOT).env("BARROW_SECRET", SECRET).outcome()
    }

    pub(crate) fn s3(&self) -> S3 {
        S3 { at: self.doors().s3, key: Key { id: ROOT.to_owned(), secret: SECRET.to_owned() } }
    }

    pub(crate) fn create(&self, bucket: &str) {
        let target = format!("/{bucket}");
        let ask = Ask::new("POST", &target).header("Content-Type", "application/castorcontext");
        ask.of(self.doors().scsp).is(201);
    }

    pub(crate) fn put(&self, bucket: &str, name: &str, body: &[u8]) -> Answer {
        Ask::new("POST", &format!("/{bucket}/{name}")).body(body).of(self.doors().scsp)
    }

    pub(crate) fn get(&self, bucket: &str, name: &str) -> Answer {
        Ask::new("GET", &format!("/{bucket}/{name}")).of(self.doors().scsp)
    }

    pub(crate) fn delete(&self, bucket: &str, name: &str) -> Answer {
        Ask::new("DELETE", &format!("/{bucket}/{name}")).of(self.doors().scsp)
    }

    /// Whether it may answer, as it says itself.
    pub(crate) fn serves(&self) -> bool {
        let ready = Ask::new("GET", "/readyz").patience(Duration::from_secs(5)).try_of(self.doors().admin);
        ready.is_some_and(|ready| ready.status == 200)
    }

    /// A call of the operators' door.
    pub(crate) fn operate(&self, method: &str, path: &str, order: &Value) -> Answer {
        let body = if order.is_null() { String::new() } else { order.to_string() };
        let ask = Ask::new(method, path).patience(Duration::from_secs(90)).body(body.as_bytes());
        ask.of(self.doors().admin)
    }

    fn bucket(&self, bucket: &str, verb: &str, order: &Value) -> Answer {
        self.operate("POST", &format!("/v1/domains/barrow.local/buckets/{bucket}/{verb}"), order)
    }

    /// Removes a bucket until somebody purges it; the answer's body.
    #[track_caller]
    pub(crate) fn remove(&self, bucket: &str) -> Value {
        self.bucket(bucket, "remove", &json!({})).is(200).json()
    }

    /// Removes a bucket for so long.
    #[track_caller]
    pub(crate) fn remove_for(&self, bucket: &str, grace: &str) -> Value {
        self.bucket(bucket, "remove", &json!({ "grace": grace })).is(200).json()
    }

    pub(crate) fn restore(&self, bucket: &str) -> Answer {
        self.bucket(bucket, "restore", &json!({}))
    }

    /// Purges a removed bucket, if members let go of it in time.
    pub(crate) fn purge(&self, bucket: &str, wait: Duration) -> Answer {
        self.bucket(bucket, "purge", &json!({ "wait_ms": wait.as_millis() }))
    }

    /// The bucket itself, by its name or UUID.
    pub(crate) fn shows(&self, bucket: &str) -> Answer {
        self.operate("GET", &format!("/v1/domains/barrow.local/buckets/{bucket}"), &Value::Null)
    }

    /// The record of a removal.
    pub(crate) fn deletion(&self, id: &str) -> Value {
        self.operate("GET", &format!("/v1/deletions/{id}"), &Value::Null).is(200).json()
    }

    /// Every member there is or was, as this one tells.
    pub(crate) fn members(&self) -> Vec<Value> {
        let told = self.operate("GET", "/v1/members", &Value::Null).is(200).json();
        told["members"].as_array().unwrap().clone()
    }

    /// What it counts under this name.
    #[track_caller]
    pub(crate) fn gauge(&self, name: &str) -> u64 {
        let metrics = Ask::new("GET", "/metrics").of(self.doors().admin).is(200).text();
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{name} is not in {metrics}"))
    }

    /// The youngest member of this name.
    #[track_caller]
    pub(crate) fn knows(&self, node: &str) -> Value {
        let of_that_name = self.members().into_iter().filter(|member| member["node"] == node);
        of_that_name.max_by_key(|member| member["incarnation"].as_i64()).unwrap()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let from = log.len().saturating_sub(4_000);
            let tail: String = log.chars().skip(log[..from].chars().count()).collect();
            eprintln!("--- the last that {} said:\n{tail}", self.node);
        }
    }
}

/// Whom a refused purge says that it waits for.
pub(crate) fn waits_for(refusal: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let waiting = refusal["details"]["waiting"].as_array().unwrap_or_else(|| panic!("{refusal}"));
    waiting.iter().map(|one| (text(&one["member"]), text(&one["why"]))).collect()
}
