//! Two installations, and what goes from one to the other.

use crate::house::{House, Outcome, Server, eventually, http};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use std::path::Path;

/// An installation that runs, and its root key.
struct Home {
    house: House,
    server: Option<Server>,
    key: (String, String),
}

impl Home {
    /// With a bucket `photos`; `versions`: that keeps older ones.
    fn new(versions: bool) -> Home {
        let house = House::new();
        house.configure("[policy]\nversioning = \"allowed\"\n");
        let server = house.serve();
        let key = house.root();
        let home = Home { house, server: Some(server), key };
        let policy = if versions { "Policy-Versioning: enabled\r\n" } else { "" };
        let headers = format!("Content-Type: application/castorcontext\r\n{policy}");
        assert_eq!(home.scsp("POST", "/photos", &headers, "").0, 201);
        home
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn as_root(&self) -> Option<(&str, &str)> {
        Some((self.key.0.as_str(), self.key.1.as_str()))
    }

    fn scsp(&self, method: &str, target: &str, headers: &str, body: &str) -> (u16, String) {
        http(self.server().scsp, method, target, self.as_root(), headers, body)
    }

    fn admin(&self, method: &str, rest: &str, body: &str) -> (u16, Value) {
        let target = format!("/v1/domains/barrow.local/buckets/photos{rest}");
        let json = "Content-Type: application/json\r\n";
        let (status, body) = http(self.server().admin, method, &target, self.as_root(), json, body);
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    fn put(&self, name: &str, body: &str) {
        let (status, answer) = self.scsp("POST", &format!("/photos/{name}"), "", body);
        assert_eq!(status, 201, "{name}: {answer}");
    }

    fn delete(&self, name: &str) {
        assert_eq!(self.scsp("DELETE", &format!("/photos/{name}"), "", "").0, 200, "{name}");
    }

    /// What a client reads.
    fn reads(&self, name: &str) -> Option<String> {
        let (status, body) = self.scsp("GET", &format!("/photos/{name}"), "", "");
        assert!(matches!(status, 200 | 404), "{name}: {status}");
        (status == 200).then_some(body)
    }

    fn winner(&self, name: &str) -> Option<String> {
        let (status, tree) = self.admin("GET", &format!("/revisions?name={name}"), "");
        (status == 200).then(|| tree["winner"].as_str().unwrap_or_default().to_owned())
    }

    fn versions(&self, name: &str) -> Vec<String> {
        let tree = self.admin("GET", &format!("/revisions?name={name}"), "").1;
        let versions = tree["versions"].as_array().unwrap().iter();
        versions.map(|version| version["rev"].as_str().unwrap().to_owned()).collect()
    }

    /// Purges all ends of a name, as a client of CouchDB does.
    fn purge(&self, name: &str) {
        let tree = self.admin("GET", &format!("/revisions?name={name}"), "").1;
        let leaves = tree["leaves"].as_array().unwrap().iter();
        let revs: Vec<&Value> = leaves.map(|leaf| &leaf["rev"]).collect();
        let (status, answer) = self.couch("POST", "_purge", &serde_json::json!({ name: revs }).to_string());
        assert_eq!((status, answer["purged"][name].as_array().unwrap().len()), (200, revs.len()), "{answer}");
    }

    fn couch(&self, method: &str, call: &str, body: &str) -> (u16, Value) {
        let json = "Content-Type: application/json\r\n";
        let target = format!("/_couch/photos/{call}");
        let (status, body) = http(self.server().admin, method, &target, self.as_root(), json, body);
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    fn url(&self) -> String {
        format!("http://{}", self.server().admin)
    }

    /// Carries everything from here over there.
    fn to(&self, other: &Home, more: &[&str]) -> Outcome {
        self.replicate(other, more).outcome()
    }

    fn replicate(&self, other: &Home, more: &[&str]) -> crate::house::Asked {
        let (from, to) = (self.url(), other.url());
        self.house
            .command(&["replicate", "--json", "--from", &from, "--to", &to, "--bucket", "photos"])
            .args(more)
            .env("BARROW_KEY", &self.key.0)
            .env("BARROW_SECRET", &self.key.1)
            .env("BARROW_TO_KEY", &other.key.0)
            .env("BARROW_TO_SECRET", &other.key.1)
    }

    fn stop(&mut self) {
        assert_eq!(self.server.take().unwrap().stop(), Some(0));
    }

    fn start(&mut self) {
        self.server = Some(self.house.serve());
    }

    /// A copy of all it has, as a backup at rest.
    fn back_up(&mut self, to: &Path) {
        self.stop();
        copy(&self.house.data(), to);
        self.start();
    }

    fn set_back(&mut self, from: &Path) {
        self.stop();
        std::fs::remove_dir_all(self.house.data()).unwrap();
        copy(from, &self.house.data());
        self.start();
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

/// Both ways until neither has anything for the other.
fn settle(a: &Home, b: &Home) {
    for _ in 0..6 {
        let sent = |outcome: Outcome| {
            let told = outcome.json();
            told["sent"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>()
        };
        if sent(a.to(b, &[])) + sent(b.to(a, &[])) == 0 {
            return;
        }
    }
    panic!("it does not become quiet");
}

#[test]
fn what_is_written_and_deleted_on_either_side_is_so_on_both() {
    for versions in [(false, false), (true, true), (true, false)] {
        let (a, b) = (Home::new(versions.0), Home::new(versions.1));
        let large = "large ".repeat(400_000);
        a.put("kept", "1");
        a.put("kept", "2");
        a.put("large", &large);
        a.put("gone", "1");
        b.put("other", "b");
        b.put("empty", "");
        settle(&a, &b);
        for home in [&a, &b] {
            assert_eq!(home.reads("kept").as_deref(), Some("2"), "{versions:?}");
            assert_eq!(home.reads("large").as_deref(), Some(large.as_str()));
            assert_eq!(home.reads("other").as_deref(), Some("b"));
            assert_eq!(home.reads("empty").as_deref(), Some(""));
        }
        b.delete("gone");
        b.put("kept", "3");
        a.delete("other");
        settle(&a, &b);
        for home in [&a, &b] {
            assert_eq!(home.reads("gone"), None, "{versions:?}");
            assert_eq!(home.reads("other"), None);
            assert_eq!(home.reads("kept").as_deref(), Some("3"));
        }
        // A restore is news, too. Where a marker hides it, there is nothing to restore.
        let restored = (!versions.0).then_some("b");
        if restored.is_some() {
            let (status, restored) = a.admin("POST", "/objects/restore", r#"{"names":["other"]}"#);
            assert_eq!((status, a.reads("other").as_deref()), (200, Some("b")), "{restored}");
        }
        a.put("gone", "again");
        settle(&a, &b);
        assert_eq!(a.reads("other").as_deref(), restored, "{versions:?}");
        assert_eq!(b.reads("other").as_deref(), restored, "{versions:?}");
        assert_eq!(b.reads("gone").as_deref(), Some("again"), "{versions:?}");
        assert_eq!(a.winner("gone"), b.winner("gone"));
        if versions == (true, true) {
            assert_eq!(a.versions("kept").len(), 3);
            assert_eq!(a.versions("kept"), b.versions("kept"), "those before the last go too, in order");
        }
        let told = a.to(&b, &["--from-start"]).json();
        assert_eq!(told["bytes"], 0, "compared anew, and nothing is missing: {told}");
    }
}

#[test]
fn what_both_wrote_has_one_winner_on_both() {
    for versions in [false, true] {
        let (a, b) = (Home::new(versions), Home::new(versions));
        for name in ["one", "two", "three"] {
            a.put(name, &format!("{name} of a"));
            b.put(name, &format!("{name} of b"));
        }
        a.put("longer", "1");
        a.put("longer", "2");
        b.put("longer", "of b");
        settle(&a, &b);
        for name in ["one", "two", "three", "longer"] {
            assert_eq!(a.winner(name), b.winner(name), "{name}");
            assert_eq!(a.reads(name), b.reads(name), "{name}");
            assert!(a.reads(name).is_some());
        }
        assert_eq!(b.reads("longer").as_deref(), Some("2"), "the longer path wins");
        let drawn = a.house.command(&["revisions", "photos", "one", "--admin", &a.url()]).outcome().done();
        assert!(drawn.contains("current") && drawn.contains(&a.winner("one").unwrap()), "{drawn}");
        assert_eq!(drawn.contains("conflict"), versions, "{drawn}");
    }
}

#[test]
fn it_goes_on_after_being_killed_anywhere() {
    let (a, mut b) = (Home::new(false), Home::new(false));
    for at in 0..60 {
        a.put(&format!("n{at}"), &format!("{at}"));
    }
    // The program, in the middle of it.
    for at in 1..4 {
        let mut running = a.replicate(&b, &["--batch", "3", "--at-once", "2", "--continuous"]).spawn();
        eventually(|| b.reads(&format!("n{}", at * 8)));
        running.kill().unwrap();
        running.wait().unwrap();
    }
    // The target, in the middle of it; the program waits for it.
    let mut running = a.replicate(&b, &["--batch", "3", "--continuous"]).spawn();
    eventually(|| b.reads("n40"));
    let port = b.server().admin;
    b.server.as_mut().unwrap().kill();
    b.server = None;
    running.kill().unwrap();
    running.wait().unwrap();
    b.start();
    assert_ne!(port.port(), 0);
    a.delete("n3");
    settle(&a, &b);
    for at in (0..60).filter(|at| *at != 3) {
        assert_eq!(b.reads(&format!("n{at}")), Some(format!("{at}")));
    }
    assert_eq!(b.reads("n3"), None);
}

#[test]
fn what_is_purged_at_one_side_does_not_come_back_and_does_not_travel() {
    let (a, b) = (Home::new(false), Home::new(false));
    a.put("x", "1");
    a.put("y", "1");
    settle(&a, &b);
    b.purge("x");
    assert_eq!(b.winner("x"), None);
    // CP-50, and back again.
    for more in [&[][..], &["--from-start"][..]] {
        let told = a.to(&b, more).json();
        assert_eq!(told["sent"], serde_json::json!({}), "{told}");
        assert_eq!(b.reads("x"), None);
        b.to(&a, more).done();
        assert_eq!(a.reads("x").as_deref(), Some("1"), "a purge is of one side alone");
    }
    let told = a.to(&b, &["--from-start"]).json();
    assert_eq!(told["refused"]["Remembered"], 1, "and it is told: {told}");
    // Written on: that is something new.
    a.put("x", "2");
    settle(&a, &b);
    assert_eq!(b.reads("x").as_deref(), Some("2"));
}

#[test]
fn purges_travel_if_they_are_asked_to_and_spare_what_was_written_again() {
    let (a, b) = (Home::new(false), Home::new(false));
    for name in ["x", "again", "own"] {
        a.put(name, "1");
    }
    settle(&a, &b);
    a.purge("x");
    a.purge("again");
    a.put("again", "1");
    // The same bytes, and so the same revision, written on the other side.
    b.purge("own");
    b.put("own", "1");
    assert_eq!(a.winner("own"), b.winner("own"));
    a.purge("own");
    b.to(&a, &[]).done();
    assert_eq!(a.reads("x"), None, "what was written here and purged here does not come back");
    let told = a.to(&b, &["--with-purges"]).json();
    assert_eq!(told["purged"], 2, "{told}");
    assert_eq!(b.reads("x"), None);
    assert_eq!(b.reads("again").as_deref(), Some("1"), "CP-54");
    assert_eq!(b.reads("own").as_deref(), Some("1"), "written by b, and not meant");
    let told = a.to(&b, &["--with-purges", "--from-start"]).json();
    assert_eq!(told["purged"], 2, "told again, and applied once: {told}");
    assert_eq!(b.reads("again").as_deref(), Some("1"));
}

#[test]
fn a_side_that_was_set_back_brings_nothing_deleted_back_and_loses_nothing() {
    let (mut a, mut b) = (Home::new(false), Home::new(false));
    a.put("deleted", "1");
    a.put("kept", "1");
    b.put("of%20b", "1");
    settle(&a, &b);
    let backups = tempfile::tempdir().unwrap();
    b.back_up(&backups.path().join("b"));
    a.back_up(&backups.path().join("a"));
    a.delete("deleted");
    a.put("kept", "2");
    b.put("later", "1");
    settle(&a, &b);
    assert_eq!(a.reads("later").as_deref(), Some("1"));

    b.set_back(&backups.path().join("b"));
    assert_eq!(b.reads("deleted").as_deref(), Some("1"), "as it was");
    b.put("since", "1");
    b.to(&a, &[]).done();
    assert_eq!(a.reads("deleted"), None, "the older side does not bring it back");
    settle(&a, &b);
    for home in [&a, &b] {
        assert_eq!(home.reads("deleted"), None);
        assert_eq!(home.reads("kept").as_deref(), Some("2"));
        assert_eq!(home.reads("later").as_deref(), Some("1"), "it was at the other side");
        assert_eq!(home.reads("since").as_deref(), Some("1"));
        assert_eq!(home.reads("of%20b").as_deref(), Some("1"));
    }

    a.set_back(&backups.path().join("a"));
    a.put("since%20then", "1");
    settle(&a, &b);
    for home in [&a, &b] {
        assert_eq!(home.reads("deleted"), None);
        assert_eq!(home.reads("kept").as_deref(), Some("2"));
        assert_eq!(home.reads("later").as_deref(), Some("1"));
        assert_eq!(home.reads("since%20then").as_deref(), Some("1"));
    }
}

#[test]
fn what_is_guarded_is_told_and_holds_nothing_else_up() {
    let (a, b) = (Home::new(false), Home::new(false));
    a.put("x", "1");
    settle(&a, &b);
    let guard = "Lifepoint: [] deletable=no\r\n";
    assert_eq!(b.scsp("PUT", "/photos/x", guard, "guarded").0, 201);
    for body in ["2", "3", "4"] {
        a.put("x", body);
    }
    a.put("y", "1");
    let outcome = a.to(&b, &[]);
    assert!(outcome.stderr.contains("protected"), "{}", outcome.stderr);
    let told = outcome.json();
    assert_eq!((&told["guarded"], &told["sent"]["current"]), (&1.into(), &1.into()), "{told}");
    assert_eq!(b.reads("x").as_deref(), Some("guarded"));
    assert_eq!(b.reads("y").as_deref(), Some("1"));
    let told = a.to(&b, &[]).json();
    assert_eq!(told["guarded"], 1, "it is offered again: {told}");
}

#[test]
fn what_cannot_work_is_said_at_once() {
    let a = Home::new(false);
    let b = Home::new(false);
    let itself = a.to(&a, &[]);
    assert_eq!(itself.code, 2, "{}", itself.stderr);
    assert!(itself.stderr.contains("one installation"), "{}", itself.stderr);
    let nowhere = a.to(&b, &["--to-bucket", "nowhere"]);
    assert_eq!(nowhere.code, 1, "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("no such bucket"), "{}", nowhere.stderr);
    let strangers = a.replicate(&b, &[]).env("BARROW_TO_SECRET", "guessed").outcome();
    assert_eq!(strangers.code, 1);
    assert!(strangers.stderr.contains("CredentialsInvalid"), "{}", strangers.stderr);
    let half = a.house.command(&["replicate", "--from", &a.url(), "--to", &b.url(), "--bucket", "photos"]);
    assert_eq!(half.env("BARROW_TO_KEY", "x").outcome().code, 2);
}

/// CP-48: where more was edited between two replications than ids are remembered, an ordinary update is a conflict.
#[test]
fn a_short_memory_of_ancestors_makes_conflicts() {
    // The source keeps nothing but the last version, as a database does; the target keeps what has lost.
    let (a, b) = (Home::new(false), Home::new(true));
    for home in [&a, &b] {
        assert_eq!(home.couch("PUT", "_revs_limit", "5").0, 200);
    }
    let edit = |from: u32, to: u32| (from..=to).for_each(|at| a.put("x", &format!("{at}")));
    let tree = |home: &Home| home.admin("GET", "/revisions?name=x", "").1;
    let ends = |home: &Home| -> Vec<String> {
        let tree = tree(home);
        let leaves = tree["leaves"].as_array().unwrap().iter();
        leaves.map(|leaf| leaf["rev"].as_str().unwrap().to_owned()).collect()
    };
    edit(1, 1);
    a.to(&b, &[]).done();
    edit(2, 5);
    assert_eq!(tree(&a)["ancestry"][&ends(&a)[0]].as_array().unwrap().len(), 5);
    a.to(&b, &[]).done();
    assert_eq!(ends(&b), ends(&a), "no conflict");
    let before = ends(&b);
    edit(6, 11);
    a.to(&b, &[]).done();
    assert_eq!(ends(&b), [ends(&a), before].concat(), "what was the last is the loser");
    assert_eq!(b.reads("x").as_deref(), Some("11"));
}

/// Whatever is done on either side, and whenever somebody carries it over: in the end both show the same.
/// `BARROW_TEST_SEED` repeats a run.
#[test]
fn in_the_end_both_sides_show_the_same() {
    let seed = std::env::var("BARROW_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| {
        let id = lifecycle::VersionId::random();
        u64::from_be_bytes(id.as_bytes()[..8].try_into().unwrap())
    });
    eprintln!("BARROW_TEST_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    for versions in [false, true] {
        let (a, b) = (Home::new(versions), Home::new(versions));
        for step in 0..120_u32 {
            let (one, other) = if rng.random() { (&a, &b) } else { (&b, &a) };
            let name = format!("n{}", rng.random_range(0..5));
            match rng.random_range(0..10) {
                0..=4 => one.put(&name, &format!("{step}")),
                5..=7 if one.reads(&name).is_some() => one.delete(&name),
                5..=7 => {}
                _ => drop(one.to(other, &["--batch", "2"]).done()),
            }
        }
        settle(&a, &b);
        for name in (0..5).map(|at| format!("n{at}")) {
            assert_eq!(a.winner(&name), b.winner(&name), "{name} {versions}");
            assert_eq!(a.reads(&name), b.reads(&name), "{name} {versions}");
        }
        for home in [&a, &b] {
            home.house.command(&["check", "--blobs"]).outcome().done();
        }
    }
}
