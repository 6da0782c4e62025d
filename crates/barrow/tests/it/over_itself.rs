//! Barrow over another Barrow: the lower one is the store of the upper one's bytes, reached by S3 like any other.

use crate::client::{Answer, Key, S3};
use crate::house::{House, Server, eventually};
use std::io::Write;
use testkit::Database;

const MIB: usize = 1 << 20;
/// All that lies in the lower bucket when the upper installation holds nothing there.
const BARE: &[&str] = &["upper/barrow-installation"];
/// What the upper one's key may do below, in its bucket and nowhere else.
const RIGHTS: &str = "read,write,delete";

/// A variable of a process's environment.
type Variable = (&'static str, String);

/// The installation below, with a bucket for the one above.
struct Lower {
    house: House,
    server: Server,
    environment: Vec<Variable>,
    /// The upper one's.
    key: Key,
}

/// The installation above.
struct Upper {
    house: House,
    server: Server,
    s3: S3,
}

/// Bytes that are at no two places the same for long.
fn pattern(length: usize, seed: u32) -> Vec<u8> {
    let mut next = seed.wrapping_mul(2_654_435_761) | 1;
    let mut bytes = Vec::with_capacity(length);
    for _ in 0..length {
        next ^= next << 13;
        next ^= next >> 17;
        next ^= next << 5;
        bytes.push(next.to_le_bytes()[0]);
    }
    bytes
}

fn borrowed(environment: &[Variable]) -> Vec<(&'static str, &str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

impl Lower {
    fn new(environment: &[Variable]) -> Self {
        let house = House::new();
        let server = house.serve_with(&borrowed(environment));
        let root = S3 { at: server.s3, key: house.root().into() };
        root.put("/backend", b"").is(200);
        let made = house.command(&["--json", "key", "create", "--rights", RIGHTS, "--bucket", "backend"]);
        let made = made.outcome().json();
        let field = |name: &str| made[name].as_str().unwrap().to_owned();
        let key = Key { id: field("id"), secret: field("secret") };
        let mut environment = environment.to_vec();
        // Whoever comes back must be found where they were.
        environment.push(("BARROW_LISTEN__S3", server.s3.to_string()));
        Lower { house, server, environment, key }
    }

    fn operator(&self) -> S3 {
        S3 { at: self.server.s3, key: self.house.root().into() }
    }

    /// What the environment of the installation above says of this one.
    fn environment(&self) -> Vec<Variable> {
        vec![
            ("AWS_ACCESS_KEY_ID", self.key.id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.key.secret.clone()),
            ("AWS_ENDPOINT", format!("http://{}", self.server.s3)),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("NO_PROXY", "127.0.0.1".to_owned()),
        ]
    }

    /// The keys of the objects in its bucket.
    fn keeps(&self) -> Vec<String> {
        self.operator().get("/backend?list-type=2").is(200).all("Key")
    }

    /// The names of the removed objects in its bucket.
    fn removed(&self) -> Vec<String> {
        let list = self.house.command(&["--json", "trash", "list", "backend"]).outcome().json();
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The uploads that were begun in its bucket and never ended.
    fn pending(&self) -> Vec<(String, String)> {
        let answer = self.operator().get("/backend?uploads").is(200);
        answer.all("Key").into_iter().zip(answer.all("UploadId")).collect()
    }

    fn start(&mut self) {
        self.server = self.house.serve_with(&borrowed(&self.environment));
    }

    fn end(self) {
        no_violation(&self.house);
        no_error(&self.server);
        assert_eq!(self.server.stop(), Some(0));
    }
}

impl Upper {
    fn house() -> House {
        let house = House::new();
        house.configure(
            "object_delete_delay = \"1s\"\ninterval = \"1s\"\n[blobs]\nurl = \"s3://backend/upper\"\n",
        );
        house
    }

    /// An installation over `lower`, with a bucket.
    fn over(lower: &Lower, environment: &[Variable]) -> Self {
        let house = Upper::house();
        let environment = [environment, &lower.environment()].concat();
        let server = house.serve_with(&borrowed(&environment));
        let s3 = S3 { at: server.s3, key: house.root().into() };
        s3.put("/photos", b"").is(200);
        Upper { house, server, s3 }
    }

    /// Stores an object in parts.
    fn put_in_parts(&self, target: &str, parts: &[&[u8]]) {
        let begun = self.s3.ask("POST", &format!("{target}?uploads"), &[], b"").is(200);
        let id = begun.all("UploadId").remove(0);
        let mut list = String::new();
        for (part, number) in parts.iter().zip(1..) {
            let put = self.s3.put(&format!("{target}?partNumber={number}&uploadId={id}"), part).is(200);
            let etag = put.header("etag").unwrap();
            list += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        }
        let list = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
        self.s3.ask("POST", &format!("{target}?uploadId={id}"), &[], list.as_bytes()).is(200);
    }

    /// Passes if the object holds these bytes, as a whole and in these ranges.
    fn reads(&self, target: &str, bytes: &[u8], ranges: &[(usize, usize)]) {
        self.s3.get(target).is(200).brings(bytes);
        for (first, last) in ranges {
            let range = format!("bytes={first}-{last}");
            let read = self.s3.ask("GET", target, &[("range", &range)], b"").is(206);
            read.brings(&bytes[*first..=*last]);
        }
    }

    fn end(self) {
        no_violation(&self.house);
        no_error(&self.server);
        assert_eq!(self.server.stop(), Some(0));
    }
}

/// Every rule holds, and every object has its bytes; what is on its way out may take a moment more.
fn no_violation(house: &House) {
    eventually(|| (house.command(&["check", "--blobs"]).outcome().code == 0).then_some(()));
}

fn no_error(server: &Server) {
    let log = server.stderr();
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

/// The same with both installations on each engine.
fn on_both_engines(test: impl Fn(&[Variable], &[Variable])) {
    test(&[], &[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let databases = [runtime.block_on(Database::postgres()), runtime.block_on(Database::postgres())];
    let [lower, upper] =
        databases.each_ref().map(|database| [("BARROW_METADATA__URL", database.settings().url)]);
    test(&lower, &upper);
}

#[test]
fn what_is_reclaimed_above_is_removed_below() {
    on_both_engines(|below, above| {
        let lower = Lower::new(below);
        let upper = Upper::over(&lower, above);
        upper.s3.put("/photos/small", b"a cat").is(200);
        assert_eq!(lower.keeps(), BARE, "what is small stays in the upper one's database");
        let (one, two) = (pattern(MIB, 1), pattern(MIB, 2));
        upper.s3.put("/photos/one", &one).is(200);
        let parts = pattern(11 * MIB, 3);
        let cut: Vec<&[u8]> = parts.chunks(5 * MIB).collect();
        assert_eq!(cut.len(), 3);
        upper.put_in_parts("/photos/parts", &cut);
        upper.s3.ask("PUT", "/photos/copy", &[("x-amz-copy-source", "/photos/parts")], b"").is(200);

        upper.reads("/photos/small", b"a cat", &[(2, 4)]);
        upper.reads("/photos/one", &one, &[(0, 0), (1_000, 500_000), (MIB - 1, MIB - 1)]);
        // Across the ends of parts, too.
        let ranges = [(0, 9), (5 * MIB - 5, 5 * MIB + 4), (4 * MIB, 10 * MIB + 7)];
        upper.reads("/photos/parts", &parts, &ranges);
        upper.reads("/photos/copy", &parts, &ranges);
        upper.s3.put("/photos/one", &two).is(200);
        upper.reads("/photos/one", &two, &[(7, 70_000)]);
        no_violation(&upper.house);

        for key in ["small", "one", "parts", "copy"] {
            upper.s3.delete(&format!("/photos/{key}")).is(204);
            upper.s3.get(&format!("/photos/{key}")).is(404);
        }
        eventually(|| (lower.keeps() == BARE).then_some(()));
        no_violation(&upper.house);

        // For the upper one these bytes are gone: their tombstones say so. The lower one has removed objects of its own, and
        // keeps a promise of its own about them: within its grace its operator can bring them back. Who wants an end at the
        // upper one's word sets the grace of the lower bucket to 0s.
        let mut removed = lower.removed();
        removed.sort_unstable();
        removed.dedup();
        // The object and what it was before, three parts, and at least one of the copy.
        assert!(removed.len() >= 6, "{removed:?}");
        let name = removed.remove(0);
        lower.house.command(&["trash", "restore", "backend", &name]).outcome().done();
        assert!(lower.keeps().contains(&name));
        upper.s3.delete("/photos").is(204);
        upper.end();
        lower.end();
    });
}

#[test]
fn a_lower_one_that_is_killed_in_the_middle_of_an_upload_loses_nothing_and_shows_nothing() {
    on_both_engines(|below, above| {
        let mut lower = Lower::new(below);
        let upper = Upper::over(&lower, above);
        let (before, film) = (pattern(MIB, 4), pattern(20 * MIB, 5));
        upper.s3.put("/photos/before", &before).is(200);
        upper.s3.put("/photos/unwanted", &before).is(200);

        let mut under_way = upper.s3.begin("PUT", "/photos/film", &[], film.len());
        // More than two of the parts in which bytes go down.
        under_way.write_all(&film[..17 * MIB]).unwrap();
        eventually(|| (!lower.pending().is_empty()).then_some(()));
        lower.server.kill();
        // Whoever has given up already does not read the rest.
        let _refused = under_way.write_all(&film[17 * MIB..]);
        Answer::read(under_way).is(503);

        // Nobody is told that something is not there because it cannot be read now. A delete needs no bytes.
        upper.s3.get("/photos/before").is(503);
        upper.s3.get("/photos/film").is(404);
        upper.s3.delete("/photos/unwanted").is(204);
        let listed = upper.s3.get("/photos?list-type=2").is(200);
        assert_eq!(listed.all("Key"), ["before"]);
        assert!(upper.s3.get("/photos?uploads").is(200).all("Key").is_empty());

        lower.start();
        // Without asking for it again, nothing of it appears.
        upper.s3.get("/photos/film").is(404);
        upper.reads("/photos/before", &before, &[(10, 20)]);
        upper.s3.put("/photos/film", &film).is(200);
        upper.reads("/photos/film", &film, &[(8 * MIB - 1, 16 * MIB)]);
        // The deleted object's bytes go, now that there is somebody to take the word.
        eventually(|| (lower.keeps().len() == BARE.len() + 2).then_some(()));
        // Of the upload that broke off, the lower one may hold parts that nobody will complete. That is the lower one's to
        // end: here by hand, else after its upload_expiry.
        let pending = lower.pending();
        assert!(pending.len() <= 1, "{pending:?}");
        for (key, id) in pending {
            lower.operator().delete(&format!("/backend/{key}?uploadId={id}")).is(204);
        }
        upper.end();
        lower.end();
    });
}

#[test]
fn a_store_that_does_not_let_in_is_named_at_the_start() {
    let lower = Lower::new(&[]);
    let guessed = "guessed-and-not-to-be-shown";
    for (name, value, said) in [
        ("AWS_SECRET_ACCESS_KEY", guessed, "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "nobody", "InvalidAccessKeyId"),
        ("BARROW_BLOBS__URL", "s3://elsewhere/upper", "NoSuchBucket"),
    ] {
        let house = Upper::house();
        let mut command = house.command(&["serve"]);
        for (name, value) in lower.environment() {
            command = command.env(name, &value);
        }
        let refused = command.env(name, value).outcome();
        assert_eq!(refused.code, 1, "{name}: {}", refused.stderr);
        for said in ["blobs.url: ", said] {
            assert!(refused.stderr.contains(said), "{name}: {said} in {}", refused.stderr);
        }
        assert!(!refused.stderr.contains(guessed) && !refused.stderr.contains(&lower.key.secret));
        assert!(!house.data().join("root.credentials").exists(), "before the root key is shown");
    }
    assert!(lower.keeps().is_empty(), "nothing was written");
    lower.end();
}
