//! A search index beside a running server: it is killed, starved of history and lied to by nobody, and what is gone is never
//! found again.

use crate::house::{House, Server, eventually, http};
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

const CONTEXT: &str = "Content-Type: application/castorcontext\r\n";
/// A word that every object has in a header.
const EACH: &str = "X-Word-Meta-Note: everywhere\r\n";

/// A server with one bucket, `photos`.
struct Photos {
    house: House,
    server: Server,
    key: (String, String),
}

impl Photos {
    fn new() -> Self {
        Photos::with("")
    }

    fn with(configuration: &str) -> Self {
        let house = House::new();
        house.configure(configuration);
        let server = house.serve();
        let key = house.root();
        let photos = Photos { house, server, key };
        assert_eq!(photos.scsp("POST", "/photos", CONTEXT, "").0, 201);
        photos
    }

    fn ask(&self, at: SocketAddr, method: &str, target: &str, headers: &str, body: &str) -> (u16, String) {
        http(at, method, target, Some((&self.key.0, &self.key.1)), headers, body)
    }

    fn scsp(&self, method: &str, target: &str, headers: &str, body: &str) -> (u16, String) {
        self.ask(self.server.scsp, method, target, headers, body)
    }

    /// Asks the admin door something that it does.
    fn admin(&self, method: &str, target: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let kind = "Content-Type: application/json\r\n";
        let (status, answer) = self.ask(self.server.admin, method, target, kind, &body);
        assert!(status < 300, "{method} {target}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or(Value::Null)
    }

    fn put(&self, name: &str, note: &str) {
        let headers = format!("{EACH}X-Note-Meta-Note: {note}\r\n");
        assert_eq!(self.scsp("POST", &format!("/photos/{name}"), &headers, "bytes").0, 201, "{name}");
    }

    fn delete(&self, name: &str) {
        assert_eq!(self.scsp("DELETE", &format!("/photos/{name}"), "", "").0, 200, "{name}");
    }

    /// The names that a search finds when it has caught up.
    fn found(&self, query: &str) -> BTreeSet<String> {
        names(
            &self.house.command(&["search", "photos", query, "--limit", "100000", "--json"]).outcome().json(),
        )
    }

    /// The same, of what the file holds.
    fn found_stale(&self, query: &str) -> BTreeSet<String> {
        let stale = ["search", "photos", query, "--limit", "100000", "--json", "--stale"];
        names(&self.house.command(&stale).outcome().json())
    }

    /// The names that are there.
    fn there(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut after = String::new();
        loop {
            let target = format!("/v1/domains/barrow.local/buckets/photos/objects?limit=1000&after={after}");
            let page = self.admin("GET", &target, &Value::Null);
            names.extend(page["items"].as_array().unwrap().iter().map(|item| text(&item["name"])));
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => return names,
            }
        }
    }

    /// The winning revision of every name.
    fn revisions(&self) -> Vec<(String, String)> {
        let target = "/v1/domains/barrow.local/buckets/photos/changes?since=0&limit=1000";
        let page = self.admin("GET", target, &Value::Null);
        assert_eq!(page["pending"], 0);
        let live = page["changes"].as_array().unwrap().iter().filter(|change| change["deleted"] == false);
        live.map(|change| (text(&change["name"]), text(&change["rev"]))).collect()
    }

    fn file(&self) -> std::path::PathBuf {
        self.house.data().join("index/barrow.local/photos.db")
    }

    /// Whether any of the file's bytes say so.
    fn file_holds(&self, text: &str) -> bool {
        let dir = std::fs::read_dir(self.file().parent().unwrap()).unwrap();
        dir.map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn names(answer: &Value) -> BTreeSet<String> {
    answer["items"].as_array().unwrap().iter().map(|item| text(&item["name"])).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn objects_are_found_by_name_type_header_and_tag_until_they_are_deleted() {
    let photos = Photos::new();
    photos.put("2026/cat.jpg", "a red car");
    photos.put("2026/dog.jpg", "a blue car");
    let made = photos.house.command(&["search", "photos", "car AND red"]).outcome();
    let table = made.done();
    assert!(table.starts_with("NAME") && table.contains("2026/cat.jpg") && table.contains("5 B"), "{table}");
    assert!(table.contains("a red car") && !table.contains("dog"), "{table}");
    assert_eq!(photos.found("\"dog.jpg\""), set(&["2026/dog.jpg"]));
    assert_eq!(photos.found("name: ca*"), set(&["2026/cat.jpg"]));
    photos.put("2026/cat.jpg", "green");
    assert_eq!(photos.found("red"), set(&[]), "what was overwritten is gone");
    assert_eq!(photos.found("green"), set(&["2026/cat.jpg"]));
    photos.delete("2026/cat.jpg");
    assert_eq!(photos.found("green OR cat"), set(&[]));
    let restore = "/v1/domains/barrow.local/buckets/photos/objects/restore";
    photos.admin("POST", restore, &json!({ "names": ["2026/cat.jpg"] }));
    assert_eq!(photos.found("green"), set(&["2026/cat.jpg"]), "restored");

    let bad = photos.house.command(&["search", "photos", "cat.jpg"]).outcome();
    assert_eq!(bad.code, 2);
    assert!(bad.stderr.contains("is no query") && bad.stderr.contains("'\"cat.jpg\"'"), "{}", bad.stderr);
    let nothing = photos.house.command(&["search", "photos", "zebra"]).outcome().done();
    assert_eq!(nothing, "nothing in barrow.local/photos matches\n");
    let missing = photos.house.command(&["search", "nowhere", "x"]).outcome();
    assert_eq!(missing.code, 1);
}

#[test]
fn without_a_server_only_what_is_there_is_searched_and_its_age_is_told() {
    let photos = Photos::new();
    photos.put("cat", "red");
    let none = photos.house.command(&["search", "photos", "cat", "--stale"]).outcome();
    assert_eq!(none.code, 1);
    assert!(none.stderr.contains("there is no index"), "{}", none.stderr);
    assert_eq!(photos.found("cat"), set(&["cat"]));
    photos.put("dog", "red");
    assert_eq!(photos.found_stale("red"), set(&["cat"]));
    let admin = format!("http://{}", photos.server.admin);
    let house = photos.house;
    assert_eq!(photos.server.stop(), Some(0));
    let away = house.command(&["--admin", &admin, "search", "photos", "red"]).outcome();
    assert_eq!(away.code, 4);
    assert!(away.stderr.contains("--stale"), "{}", away.stderr);
    let stale = house.command(&["--admin", &admin, "search", "photos", "red", "--stale"]).outcome();
    assert!(stale.stderr.contains("the index is as of"), "{}", stale.stderr);
    assert!(stale.done().contains("cat"));
}

/// JP-40, and what a bucket's own life means to its index.
#[test]
fn a_bucket_that_is_emptied_removed_and_made_anew() {
    let photos = Photos::new();
    for n in 0..20 {
        photos.put(&format!("secret{n:04}word"), "red");
    }
    assert_eq!(photos.found("red").len(), 20);
    photos.house.command(&["bucket", "empty", "photos"]).outcome().done();
    photos.put("new", "red");
    assert_eq!(photos.found("everywhere"), set(&["new"]));
    assert!(!photos.file_holds("secret0007word"), "what was emptied out is not in the file");
    let contents = photos.admin("GET", "/v1/deletions", &Value::Null)["items"][0].clone();
    photos.delete("new");
    let restore =
        format!("/v1/domains/barrow.local/buckets/photos/contents/{}/restore", text(&contents["id"]));
    photos.admin("POST", &restore, &json!({}));
    assert_eq!(photos.found("everywhere").len(), 20, "hung back in");

    photos.house.command(&["bucket", "remove", "photos"]).outcome().done();
    let gone = photos.house.command(&["search", "photos", "red"]).outcome();
    assert_eq!((gone.code, gone.stdout.as_str()), (1, ""), "{}", gone.stderr);
    assert_eq!(photos.found_stale("red"), set(&[]), "nothing of a removed bucket is found");
    assert!(!photos.file_holds("secret0007word"));
    photos.house.command(&["bucket", "restore", "photos"]).outcome().done();
    assert_eq!(photos.found("red").len(), 20);
    photos.house.command(&["bucket", "remove", "photos", "--free-name"]).outcome().done();
    photos.house.command(&["bucket", "create", "photos"]).outcome().done();
    photos.put("other", "red");
    let other = photos.house.command(&["search", "photos", "red"]).outcome();
    assert!(other.stderr.contains("another bucket"), "{}", other.stderr);
    assert!(other.stdout.contains("other") && !other.stdout.contains("secret"), "{}", other.stdout);
}

/// CP-17 to CP-21: purges of CouchDB's door, one by one.
#[test]
fn what_couchdb_s_door_purges_is_not_found_and_not_in_the_file() {
    let photos = Photos::new();
    for n in 0..9 {
        photos.put(&format!("secret{n:04}word"), &format!("note{n:04}word"));
    }
    assert_eq!(photos.found("everywhere").len(), 9);
    let revisions = photos.revisions();
    let purge = |range: std::ops::Range<usize>| {
        let asked: serde_json::Map<String, Value> =
            revisions[range].iter().map(|(name, rev)| (name.clone(), json!([rev]))).collect();
        photos.admin("POST", "/_couch/photos/_purge", &Value::Object(asked))
    };
    let purged = purge(0..3);
    assert_eq!(purged["purged"][&revisions[0].0], json!([revisions[0].1]), "{purged}");
    purge(3..7);
    photos.admin("POST", "/_couch/photos/_purge", &json!({ "unknown": [revisions[0].1] }));
    // Written again with the same bytes under a forgotten name: the same revision, and another object.
    photos.put(&revisions[1].0, "note0001word");
    let expected = set(&[&revisions[1].0, &revisions[7].0, &revisions[8].0]);
    let told = photos.house.command(&["index", "photos", "--json"]).outcome();
    assert!(!told.stderr.contains("anew"), "nothing is read again: {}", told.stderr);
    let told = told.json();
    assert_eq!((&told["purge_seq"], &told["purges"]), (&8.into(), &8.into()), "{told}");
    assert_eq!(photos.found("everywhere"), expected);
    for (at, (name, _)) in revisions.iter().enumerate() {
        assert_eq!(photos.file_holds(name), expected.contains(name), "{name}");
        assert_eq!(photos.file_holds(&format!("note{at:04}word")), expected.contains(name), "{name}");
    }
    let followers = photos.admin("GET", "/v1/domains/barrow.local/buckets/photos/followers", &Value::Null);
    assert_eq!(
        (&followers["items"][0]["kind"], &followers["items"][0]["purge_seq"]),
        (&"index".into(), &8.into())
    );
    assert_eq!(followers["items"][0]["memo"]["file"], photos.file().display().to_string());
}

/// JP-37: purges by selector, and what they leave.
#[test]
fn what_a_selector_purges_is_not_found_and_what_it_leaves_is() {
    let photos = Photos::new();
    for n in 0..10 {
        photos.put(&format!("adam/{n}"), "red");
        photos.put(&format!("eve/{n}"), "red");
    }
    assert_eq!(photos.found("everywhere").len(), 20);
    let purge = |order: Value| {
        let target = "/v1/domains/barrow.local/buckets/photos/versions/purge";
        photos.admin("POST", target, &order)
    };
    assert_eq!(purge(json!({ "filter": "adam/*", "keep": 2 }))["purged"], 8);
    assert_eq!(photos.found("adam"), set(&["adam/8", "adam/9"]));
    assert_eq!(purge(json!({ "names": ["eve/3", "eve/4", "adam/8"], "final": true }))["purged"], 3);
    assert_eq!(photos.found("everywhere"), photos.there());
    assert_eq!(photos.found("everywhere").len(), 9);
    // What went with a grace comes back where it stood, behind the purge.
    let restore = "/v1/domains/barrow.local/buckets/photos/objects/restore";
    photos.admin("POST", restore, &json!({ "names": ["adam/1"] }));
    assert_eq!(photos.found("adam"), set(&["adam/1", "adam/9"]));
    purge(json!({ "filter": ">" }));
    photos.put("after", "red");
    assert_eq!(photos.found("everywhere"), set(&["after"]));
}

/// CP-28: history that is gone, and a follower that was taken off the register.
#[test]
fn a_follower_that_was_deregistered_and_comes_too_late_begins_anew() {
    let photos = Photos::new();
    for n in 0..9 {
        photos.put(&format!("n{n}"), "red");
    }
    assert_eq!(photos.found("everywhere").len(), 9);
    let followers = "/v1/domains/barrow.local/buckets/photos/followers";
    let listed = photos.admin("GET", followers, &Value::Null);
    photos.admin("DELETE", &format!("{followers}/{}", text(&listed["items"][0]["id"])), &Value::Null);
    let limit = "Content-Type: application/json\r\n";
    let set_limit = photos.ask(photos.server.admin, "PUT", "/_couch/photos/_purged_infos_limit", limit, "2");
    assert_eq!(set_limit.0, 200, "{}", set_limit.1);
    for (name, rev) in photos.revisions().into_iter().take(5) {
        photos.admin("POST", "/_couch/photos/_purge", &json!({ name: [rev] }));
    }
    photos.house.command(&["tasks", "run", "ledger"]).outcome().done();
    let search = photos.house.command(&["search", "photos", "everywhere", "--json"]).outcome();
    assert!(search.stderr.contains("the index begins anew"), "{}", search.stderr);
    assert_eq!(names(&search.json()), photos.there());
    assert_eq!(photos.there().len(), 4);
}

#[test]
fn an_index_that_is_no_longer_wanted_leaves_the_register() {
    let photos = Photos::new();
    photos.put("cat", "red");
    photos.house.command(&["index", "photos"]).outcome().done();
    let followers = "/v1/domains/barrow.local/buckets/photos/followers";
    let count = || photos.admin("GET", followers, &Value::Null)["items"].as_array().unwrap().len();
    assert_eq!(count(), 1);
    photos.house.command(&["index", "photos", "--rebuild"]).outcome().done();
    assert_eq!((count(), photos.found("red").len()), (1, 1));
    photos.house.command(&["index", "photos", "--remove"]).outcome().done();
    assert_eq!(count(), 0);
    assert!(!photos.file().exists());
    assert_eq!(photos.house.command(&["index", "photos", "--remove"]).outcome().code, 1);
}

#[test]
fn an_index_that_follows_sees_what_happens() {
    let photos = Photos::new();
    let mut following = photos.house.follow(&["index", "photos", "--follow"]);
    following.until("0 objects");
    photos.put("cat", "red");
    following.until("1 objects");
    assert_eq!(photos.found_stale("red"), set(&["cat"]));
    photos.delete("cat");
    following.until("taken out 1");
    assert_eq!(photos.found_stale("red"), set(&[]));
}

/// Kills the follower again and again while it reads a thousand objects of which many go, in every way there is. Whenever it
/// has caught up, what is found is what is there.
#[test]
fn a_follower_that_is_killed_anywhere_never_finds_what_is_gone() {
    let photos = Photos::new();
    const ALL: usize = 1_000;
    std::thread::scope(|scope| {
        for part in 0..4 {
            let photos = &photos;
            scope.spawn(move || {
                (part..ALL).step_by(4).for_each(|n| photos.put(&format!("kv/n{n:04}word"), "red"))
            });
        }
    });
    let mut random = SmallRng::seed_from_u64(40);
    let killed = |random: &mut SmallRng| {
        let follower = photos.house.follow(&["index", "photos", "--follow"]);
        std::thread::sleep(Duration::from_millis(random.random_range(5..400)));
        drop(follower);
    };
    let mut gone = BTreeSet::new();
    for round in 0..6 {
        killed(&mut random);
        let mut revisions = photos.revisions();
        revisions.shuffle(&mut random);
        for (name, rev) in revisions.iter().take(30) {
            match random.random_range(0..3) {
                0 => photos.delete(name),
                1 => drop(photos.admin("POST", "/_couch/photos/_purge", &json!({ name.as_str(): [rev] }))),
                _ => {
                    let order = json!({ "names": [name], "final": random.random_bool(0.5) });
                    photos.admin("POST", "/v1/domains/barrow.local/buckets/photos/versions/purge", &order);
                }
            }
            gone.insert(name.clone());
            if random.random_bool(0.05) {
                killed(&mut random);
            }
        }
        // Some of them are written again.
        let again: Vec<String> = gone.iter().cloned().collect();
        for name in again.choose_multiple(&mut random, 5) {
            photos.put(name, "red");
            gone.remove(name);
        }
        killed(&mut random);
        let (found, there) = (photos.found("everywhere"), photos.there());
        assert_eq!(there.len(), ALL - gone.len());
        assert!(
            found == there,
            "round {round}: {:?}",
            found.symmetric_difference(&there).collect::<Vec<_>>()
        );
        assert!(found.is_disjoint(&gone));
    }
    let mut following = photos.house.follow(&["index", "photos", "--follow"]);
    following.until("objects");
    photos.house.command(&["bucket", "empty", "photos"]).outcome().done();
    photos.put("last", "red");
    eventually(|| (photos.found_stale("everywhere") == set(&["last"])).then_some(()));
    drop(following);
    // It may have been killed between applying that and sweeping the file: whoever comes next does it.
    assert_eq!(photos.found("everywhere"), set(&["last"]));
    assert!((0..ALL).step_by(50).all(|n| !photos.file_holds(&format!("n{n:04}word"))));
}
