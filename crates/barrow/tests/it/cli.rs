//! The real program: a server in a directory of its own, and every command asked of it.

use crate::house::{House, Outcome, http};
use lifecycle::{Clock, SystemClock};
use std::os::unix::fs::PermissionsExt;

#[test]
fn the_first_start_shows_the_root_key_once() {
    let house = House::new();
    let server = house.serve();
    let banner = server.stdout();
    let (key, secret) = house.root();
    let doors = [server.s3, server.scsp, server.admin].map(|door| format!("http://{door}"));
    for shown in [&key, &secret].into_iter().chain(&doors) {
        assert!(banner.contains(shown.as_str()), "{shown} in {banner}");
    }
    assert_eq!(banner.matches("curl ").count(), 3, "{banner}");
    let mode = std::fs::metadata(house.data().join("root.credentials")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(server.stop(), Some(0));
    assert!(!house.data().join("addresses.json").exists());

    let server = house.serve();
    assert_eq!(server.stdout(), "");
    assert!(!server.stderr().contains(&secret));
    let asked = http(server.admin, "GET", "/v1/usage", Some((&key, &secret)), "", "");
    assert_eq!(asked.0, 200);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_banner_s_commands_work_as_printed() {
    let house = House::new();
    let server = house.serve();
    let (key, secret) = house.root();
    let root = Some((key.as_str(), secret.as_str()));
    let context = "Content-Type: application/castorcontext\r\n";
    assert_eq!(http(server.scsp, "POST", "/photos", root, context, "").0, 201);
    assert_eq!(http(server.scsp, "POST", "/photos/hello.txt", root, "", "hello").0, 201);
    let (status, usage) = http(server.admin, "GET", "/v1/usage", root, "", "");
    assert_eq!(status, 200);
    let usage: serde_json::Value = serde_json::from_str(&usage).unwrap();
    assert_eq!(usage["total"]["live"], serde_json::json!({ "objects": 1, "bytes": 5 }));
}

#[test]
fn wrong_credentials_are_turned_away_and_health_needs_none() {
    let house = House::new();
    let server = house.serve();
    let (key, _) = house.root();
    assert_eq!(http(server.admin, "GET", "/v1/usage", None, "", "").0, 401);
    assert_eq!(http(server.admin, "GET", "/v1/usage", Some((&key, "guessed")), "", "").0, 401);
    for open in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(http(server.admin, "GET", open, None, "", "").0, 200, "{open}");
    }
    let refused = house.command(&["usage"]).env("BARROW_KEY", &key).env("BARROW_SECRET", "guessed").outcome();
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("CredentialsInvalid"), "{}", refused.stderr);
    let half = house.command(&["usage"]).env("BARROW_KEY", &key).outcome();
    assert_eq!(half.code, 2);
    assert!(half.stderr.contains("BARROW_SECRET"), "{}", half.stderr);
}

#[test]
fn a_root_key_of_the_environment_needs_no_file() {
    let house = House::new();
    let root = [("BARROW_AUTH__ROOT_KEY", "root"), ("BARROW_AUTH__ROOT_SECRET", "not-a-secret")];
    let server = house.serve_with(&root);
    assert_eq!(server.stdout(), "");
    assert!(!house.data().join("root.credentials").exists());
    let mut usage = house.command(&["usage", "--json"]);
    for (name, value) in root {
        usage = usage.env(name, value);
    }
    assert_eq!(usage.outcome().json()["total"]["live"]["objects"], 0);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let house = House::new();
    let _server = house.serve();
    let second = house.command(&["serve"]).outcome();
    assert_eq!(second.code, 1);
    assert!(second.stderr.contains("is in use by another process"), "{}", second.stderr);
    assert_eq!(second.stdout, "");
}

#[test]
fn an_address_in_use_is_named_with_its_setting() {
    let house = House::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    let refused = house.command(&["serve", "--set", &format!("listen.admin={at}")]).outcome();
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains(&format!("listen.admin = \"{at}\"")), "{}", refused.stderr);
    // The one showing of the root key is not spent on a start that failed.
    let server = house.serve();
    assert!(server.stdout().contains("secret"), "{}", server.stdout());
}

#[test]
fn a_bad_configuration_names_key_value_and_what_is_allowed() {
    let house = House::new();
    for command in [&["serve"][..], &["config", "check"], &["usage"]] {
        let refused = house.command(command).args(&["--set", "health.object_delete_delay=soon"]).outcome();
        assert_eq!(refused.code, 2, "{command:?}");
        for said in ["health.object_delete_delay", "\"soon\"", "allowed is a duration"] {
            assert!(refused.stderr.contains(said), "{said} in {}", refused.stderr);
        }
        assert_eq!(refused.stdout, "");
    }
    let unknown = house.command(&["serve", "--set", "health.object_delay=1h"]).outcome();
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("the nearest is health.object_delete_delay"), "{}", unknown.stderr);
    assert_eq!(house.command(&["fly"]).outcome().code, 2);
}

#[test]
fn config_check_and_show_need_no_server() {
    let house = House::new();
    let check = house.command(&["config", "check", "--set", "cache.realm_stale_timeout=5min"]).outcome();
    assert_eq!(check.code, 0, "{}", check.stderr);
    assert!(check.stdout.contains("warning: cache.realm_stale_timeout has no effect"), "{}", check.stdout);
    assert!(check.stdout.ends_with("ok\n"));
    let show = house.command(&["config", "show"]).outcome();
    assert!(show.stdout.contains("admin = \"127.0.0.1:0\"  # file "), "{}", show.stdout);
}

#[test]
fn several_processes_need_postgres() {
    let house = House::new();
    for role in ["gateway", "health-processor"] {
        let refused = house.command(&[role]).outcome();
        assert_eq!(refused.code, 2);
        assert!(refused.stderr.contains("needs Postgres"), "{}", refused.stderr);
    }
}

#[test]
fn nobody_at_the_door_is_told_apart() {
    let house = House::new();
    let alone = house.command(&["usage"]).outcome();
    assert_eq!(alone.code, 4);
    assert!(alone.stderr.contains("no running server"), "{}", alone.stderr);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let alone = house.command(&["usage", "--admin", &format!("http://{closed}")]).outcome();
    assert_eq!(alone.code, 4);
    assert!(alone.stderr.contains("does not answer"), "{}", alone.stderr);
    assert_eq!(house.command(&["usage", "--admin", "ftp://127.0.0.1:1"]).outcome().code, 2);
}

#[test]
fn buckets_go_come_back_and_are_purged() {
    let house = House::new();
    let server = house.serve();
    let done = |args: &[&str]| house.command(args).outcome().done();
    assert!(done(&["bucket", "create", "photos"]).contains("barrow.local/photos"));
    let listed = done(&["bucket", "list"]);
    assert!(listed.starts_with("NAME") && listed.contains("photos") && listed.contains("live"), "{listed}");

    let removed = done(&["bucket", "remove", "photos", "--reason", "moved", "--grace", "default"]);
    assert!(removed.contains("purged in 7d 0h"), "{removed}");
    assert!(removed.contains("barrow bucket restore barrow.local/photos"), "{removed}");
    let reserved = house.command(&["bucket", "create", "photos"]).outcome();
    assert_eq!(reserved.code, 1);
    assert!(
        reserved.stderr.contains("BUCKETBEINGREMOVED") && reserved.stderr.contains("next:"),
        "{}",
        reserved.stderr
    );
    let trash = done(&["trash", "list"]);
    assert!(trash.contains("barrow.local/photos") && trash.contains("moved"), "{trash}");
    done(&["bucket", "restore", "barrow.local/photos", "--as", "pictures"]);
    assert!(done(&["bucket", "grace", "pictures", "1h"]).contains("for 1h"));
    done(&["bucket", "grace", "pictures", "default"]);

    let kept = done(&["bucket", "remove", "pictures"]);
    assert!(kept.contains("until somebody purges it") && kept.contains("barrow bucket restore"), "{kept}");
    let asked = house.command(&["bucket", "purge", "pictures"]).outcome();
    assert_eq!(asked.code, 1);
    assert!(asked.stderr.contains("cannot be undone") && asked.stderr.contains("--yes"), "{}", asked.stderr);
    let state = || house.command(&["bucket", "list", "--json"]).outcome().json()["items"][0]["state"].clone();
    assert_eq!(state(), "removed");
    assert!(done(&["bucket", "purge", "pictures", "--yes"]).contains("purging"));
    assert_eq!(house.command(&["bucket", "restore", "pictures"]).outcome().code, 1);
    assert_ne!(state(), "removed");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn domains_go_and_come_back() {
    let house = House::new();
    let _server = house.serve();
    let done = |args: &[&str]| house.command(args).outcome().done();
    done(&["domain", "create", "acme.example"]);
    done(&["bucket", "create", "acme.example/photos"]);
    assert!(done(&["domain", "list", "--prefix", "acme"]).contains("acme.example"));
    done(&["domain", "remove", "acme.example"]);
    assert!(done(&["domain", "list", "--state", "removed"]).contains("acme.example"));
    done(&["domain", "restore", "acme.example"]);
    assert!(done(&["bucket", "list", "acme.example"]).contains("photos"));
    done(&["domain", "remove", "acme.example", "--free-name"]);
    done(&["domain", "purge", "acme.example", "--yes"]);
    assert_eq!(house.command(&["domain", "remove", "barrow.local"]).outcome().code, 1);
}

#[test]
fn objects_are_found_in_the_trash_and_brought_back() {
    let house = House::new();
    let server = house.serve();
    let done = |args: &[&str]| house.command(args).outcome().done();
    done(&["bucket", "create", "photos"]);
    let (key, secret) = house.root();
    let root = Some((key.as_str(), secret.as_str()));
    for name in ["a", "b", "dir/c", "dir/d"] {
        assert_eq!(http(server.scsp, "POST", &format!("/photos/{name}"), root, "", "bytes").0, 201);
        assert_eq!(http(server.scsp, "DELETE", &format!("/photos/{name}"), root, "", "").0, 200);
    }
    assert!(done(&["trash", "list"]).contains("barrow.local/photos"));
    let listed = house.command(&["trash", "list", "photos", "--json"]).outcome().json();
    let versions: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|item| item["version"].as_str().unwrap()).collect();
    assert_eq!(versions.len(), 4);
    let why = done(&["why", versions[1]]);
    assert!(why.contains("photos/b") && why.contains(&format!("by {key} (delete)")), "{why}");

    done(&["trash", "restore", "photos", "a"]);
    done(&["trash", "restore", "photos", "--version", versions[1], "--as", "b2"]);
    done(&["trash", "restore", "photos", "--prefix", "dir/"]);
    let nothing = house.command(&["trash", "restore", "photos", "nothing"]).outcome();
    assert_eq!(nothing.code, 1);
    assert!(nothing.stdout.contains("failed 1") && nothing.stdout.contains("Unknown"), "{}", nothing.stdout);
    let (status, body) = http(server.scsp, "GET", "/photos/b2", root, "", "");
    assert_eq!((status, body.as_str()), (200, "bytes"));

    let emptied = done(&["bucket", "empty", "photos"]);
    let contents = emptied.split("--contents ").nth(1).unwrap().trim();
    assert_eq!(http(server.scsp, "GET", "/photos/a", root, "", "").0, 404);
    done(&["trash", "restore", "photos", "--contents", contents]);
    assert_eq!(http(server.scsp, "GET", "/photos/a", root, "", "").0, 200);

    let usage = done(&["usage"]);
    assert!(usage.contains("barrow.local/photos") && usage.contains("total"), "{usage}");
    let check = done(&["check", "--blobs"]);
    assert!(check.starts_with("0 violations"), "{check}");
}

#[test]
fn versions_are_purged_as_they_were_counted() {
    let house = House::new();
    let server = house.serve();
    let done = |args: &[&str]| house.command(args).outcome().done();
    done(&["bucket", "create", "photos"]);
    let (key, secret) = house.root();
    let root = Some((key.as_str(), secret.as_str()));
    for name in ["kv/a", "kv/b", "kv/c", "other"] {
        assert_eq!(http(server.scsp, "POST", &format!("/photos/{name}"), root, "", "bytes").0, 201);
    }
    let status = |name: &str| http(server.scsp, "GET", &format!("/photos/{name}"), root, "", "").0;
    let would = done(&["purge", "photos", "--filter", "kv/*", "--dry-run"]);
    assert!(would.contains("would purge 3 versions") && would.contains("--expect 3"), "{would}");
    let asked = house.command(&["purge", "photos", "--filter", "kv/*"]).outcome();
    assert_eq!(asked.code, 1);
    assert!(asked.stderr.contains("until the grace is over"), "{}", asked.stderr);
    let other = house.command(&["purge", "photos", "--filter", "kv/*", "--expect", "4", "--yes"]).outcome();
    assert_eq!(other.code, 1);
    assert!(other.stderr.contains("COUNTCHANGED"), "{}", other.stderr);
    assert_eq!(status("kv/a"), 200);
    let purged = done(&["purge", "photos", "--filter", "kv/*", "--expect", "3", "--yes", "--follow"]);
    assert!(purged.contains("purged 3 versions in barrow.local/photos"), "{purged}");
    assert_eq!((status("kv/a"), status("other")), (404, 200));
    done(&["trash", "restore", "photos", "kv/a"]);
    let last = done(&["purge", "photos", "--name", "kv/a", "--final", "--yes"]);
    assert!(last.contains("nothing of it can be restored"), "{last}");
    assert_eq!(house.command(&["trash", "restore", "photos", "kv/a"]).outcome().code, 1);
    let listed = done(&["deletions"]);
    assert!(listed.contains("versions"), "{listed}");
    for wrong in [
        &["purge", "photos", "--keep", "1", "--yes"][..],
        &["purge", "photos", "--filter", "a", "--prefix", "b", "--yes"],
        &["purge", "photos", "--filter", "a", "--keep", "1", "--before-seq", "2", "--yes"],
        &["purge", "--filter", "a", "--yes"],
        &["purge", "photos", "--filter", "a", "--plan"],
    ] {
        assert_eq!(house.command(wrong).outcome().code, 2, "{wrong:?}");
    }
    assert!(done(&["check", "--blobs"]).starts_with("0 violations"));
}

#[test]
fn why_is_answered_and_a_bucket_becomes_what_it_was() {
    let house = House::new();
    let server = house.serve();
    let done = |args: &[&str]| house.command(args).outcome().done();
    done(&["bucket", "create", "photos"]);
    let (key, secret) = house.root();
    let root = Some((key.as_str(), secret.as_str()));
    let put = |name: &str, body: &str| {
        assert_eq!(http(server.scsp, "POST", &format!("/photos/{name}"), root, "", body).0, 201);
    };
    let body = |name: &str| http(server.scsp, "GET", &format!("/photos/{name}"), root, "", "").1;
    put("a", "first");
    put("b", "first");
    // A moment between: what is answered is rounded to a millisecond, and time really passes here.
    std::thread::sleep(std::time::Duration::from_millis(20));
    let moment = SystemClock.now().to_rfc3339();
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(http(server.scsp, "DELETE", "/photos/a", root, "", "").0, 200);
    put("b", "second");
    put("c", "new");

    for words in [
        &["why", "photos", "a"][..],
        &["why", "barrow.local/photos/a"],
        &["why", "photos/a", "--domain", "barrow.local"],
    ] {
        let why = done(words);
        assert!(why.starts_with("barrow.local/photos/a (removed)"), "{why}");
        assert!(
            why.contains(&format!("by {key} (delete)"))
                && why.contains("Restore it with: barrow trash restore"),
            "{why}"
        );
    }
    let nothing = house.command(&["why", "photos", "nothing"]).outcome();
    assert_eq!(nothing.code, 1);
    assert!(nothing.stderr.contains("looked for a current version"), "{}", nothing.stderr);
    assert_eq!(house.command(&["why", "barrow.local/photos/"]).outcome().code, 2);

    let restore = ["trash", "restore", "photos", "--as-of", &moment];
    let would = house.command(&restore).args(&["--replace", "--dry-run"]).outcome().done();
    assert!(would.starts_with("would have: restored 2, failed 0, removed 2, kept 0, lost 0"), "{would}");
    assert_eq!((body("b").as_str(), body("c").as_str()), ("second", "new"));
    let kept = house.command(&restore).outcome();
    assert_eq!(kept.code, 1, "b does not come back");
    assert!(
        kept.stdout.contains("restored 1, failed 1") && kept.stdout.contains("c: was written since"),
        "{}",
        kept.stdout
    );
    house.command(&restore).args(&["--replace"]).outcome().done();
    assert_eq!((body("a").as_str(), body("b").as_str()), ("first", "first"));
    assert_eq!(http(server.scsp, "GET", "/photos/c", root, "", "").0, 404);
    assert_eq!(house.command(&["trash", "restore", "photos", "--as-of", "soon"]).outcome().code, 1);
    done(&["check", "--blobs"]);
}

#[test]
fn containers_come_back_from_the_trash_and_removals_are_followed() {
    let house = House::new();
    let _server = house.serve();
    let done = |args: &[&str]| house.command(args).outcome().done();
    done(&["bucket", "create", "photos"]);
    done(&["domain", "create", "acme.example"]);
    done(&["bucket", "remove", "photos", "--reason", "moved"]);
    done(&["domain", "remove", "acme.example"]);
    assert!(done(&["why", "photos"]).contains("through the admin door: \"moved\""));
    assert!(done(&["why", "--domain", "acme.example"]).contains("Restore it with: barrow domain restore"));
    let would = done(&["trash", "restore", "photos", "--dry-run"]);
    assert!(would.starts_with("would restore bucket photos"), "{would}");
    assert!(done(&["trash", "list"]).contains("photos"));

    let record = done(&["deletions"]);
    let at = |text: &str, part: &str| text.find(part).unwrap_or_else(|| panic!("{part} in {text}"));
    assert!(record.starts_with("KIND") && at(&record, "acme.example") < at(&record, "photos"), "{record}");
    let mut following = house.follow(&["deletions", "--follow"]);
    let first = following.until("acme.example");
    assert!(first.contains("removed bucket barrow.local/photos") && first.contains(": moved"), "{first}");
    done(&["trash", "restore", "photos"]);
    done(&["trash", "restore", "--domain", "acme.example", "--as", "acme.test"]);
    following.until("restored domain");
    assert!(done(&["bucket", "list"]).contains("live") && done(&["domain", "list"]).contains("acme.test"));
    assert!(done(&["deletions", "--state", "restored", "--since", "1h"]).contains("photos"));
    assert_eq!(house.command(&["deletions", "--follow", "--state", "purging"]).outcome().code, 2);
    assert_eq!(house.command(&["trash", "restore", "photos", "--replace"]).outcome().code, 2);
}

#[test]
fn what_a_uuid_or_a_name_was_is_told() {
    let house = House::new();
    let server = house.serve();
    let done = |args: &[&str]| house.command(args).outcome().done();
    done(&["bucket", "create", "photos"]);
    let (key, secret) = house.root();
    let root = Some((key.as_str(), secret.as_str()));
    for _ in 0..2 {
        assert_eq!(http(server.scsp, "POST", "/photos/cat.txt", root, "", "bytes").0, 201);
        assert_eq!(http(server.scsp, "DELETE", "/photos/cat.txt", root, "", "").0, 200);
    }
    let all = done(&["tombstones", "--name", "cat.txt", "--bucket", "photos"]);
    assert_eq!(all.lines().count(), 3, "{all}");
    assert!(all.starts_with("KIND") && all.contains("barrow.local/photos/cat.txt"), "{all}");
    assert!(all.contains("removed") && all.contains(&key) && all.contains("delete"), "{all}");
    let by_name = ["tombstones", "--name", "cat.txt", "--bucket", "barrow.local/photos", "--json"];
    let told = house.command(&by_name).outcome().json();
    let uuid = told["items"][0]["uuid"].as_str().unwrap();
    assert!(done(&["tombstones", "--uuid", uuid]).contains(uuid));

    done(&["bucket", "remove", "photos"]);
    let buckets = done(&["tombstones", "--name", "photos", "--domain", "barrow.local"]);
    assert!(buckets.contains("bucket") && buckets.contains("recursive"), "{buckets}");
    for (which, said) in [
        (["--name", "nothing"], "nothing dead of the name \"nothing\""),
        (["--uuid", "xyz"], "\"xyz\" is not 32 hexadecimal digits"),
    ] {
        let refused = house.command(&["tombstones", which[0], which[1]]).outcome();
        assert_eq!(refused.code, 1);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
}

#[test]
fn a_check_that_finds_something_says_so_by_its_exit_code() {
    let house = House::new();
    let server = house.serve();
    house.command(&["bucket", "create", "photos"]).outcome().done();
    let (key, secret) = house.root();
    let large = "x".repeat(100_000);
    let root = Some((key.as_str(), secret.as_str()));
    assert_eq!(http(server.scsp, "POST", "/photos/large", root, "", &large).0, 201);
    house.command(&["check", "--blobs"]).outcome().done();
    for file in house.blobs() {
        std::fs::remove_file(file).unwrap();
    }
    house.command(&["check"]).outcome().done();
    let found = house.command(&["check", "--blobs"]).outcome();
    assert_eq!(found.code, 3, "{}", found.stderr);
    assert!(found.stdout.contains("R1: version "), "{}", found.stdout);
}

#[test]
fn keys_are_made_listed_and_revoked() {
    let house = House::new();
    let server = house.serve();
    house.command(&["bucket", "create", "photos"]).outcome().done();
    let made = house.command(&[
        "key", "create", "--rights", "remove", "--bucket", "photos", "--label", "carol", "--json",
    ]);
    let made = made.outcome().json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let listed = house.command(&["key", "list"]).outcome().done();
    assert!(listed.contains(id) && listed.contains("carol") && !listed.contains(secret), "{listed}");
    let as_carol = |args: &[&str]| -> Outcome {
        house.command(args).env("BARROW_KEY", id).env("BARROW_SECRET", secret).outcome()
    };
    let refused = as_carol(&["usage"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("RightMissing"), "{}", refused.stderr);
    as_carol(&["bucket", "remove", "photos"]).done();
    house.command(&["key", "revoke", id]).outcome().done();
    let remove = "/v1/domains/barrow.local/buckets/photos/remove";
    assert_eq!(http(server.admin, "POST", remove, Some((id, secret)), "", "").0, 401);
    let text = house.command(&["key", "create", "--rights", "read", "--expires-in", "1h"]).outcome().done();
    assert!(text.contains("not shown again"), "{text}");
    let bad = house.command(&["key", "create", "--rights", "fly"]).outcome();
    assert_eq!(bad.code, 1);
    assert!(bad.stderr.contains("\"fly\" is no right"), "{}", bad.stderr);
}

#[test]
fn tasks_are_shown_run_and_resumed() {
    let house = House::new();
    let _server = house.serve();
    let done = |args: &[&str]| house.command(args).outcome().done();
    let tasks = done(&["tasks"]);
    assert!(tasks.starts_with("TASK") && tasks.contains("reclaim"), "{tasks}");
    let dry = house.command(&["tasks", "run", "reclaim", "--dry-run", "--json"]).outcome().json();
    assert_eq!((&dry["task"], &dry["dry_run"]), (&"reclaim".into(), &true.into()));
    done(&["tasks", "run", "reclaim"]);
    assert_eq!(house.command(&["tasks", "run", "repaint"]).outcome().code, 1);
    assert!(done(&["resume", "--release", "2h"]).contains("it was not halted"));
}

#[test]
fn what_was_removed_is_purged_by_the_running_server() {
    let house = House::new();
    let server = house.serve();
    let done = |args: &[&str]| house.command(args).outcome().done();
    done(&["bucket", "create", "photos"]);
    let (key, secret) = house.root();
    let root = Some((key.as_str(), secret.as_str()));
    assert_eq!(http(server.scsp, "POST", "/photos/a", root, "", "bytes").0, 201);
    done(&["bucket", "remove", "photos"]);
    done(&["bucket", "purge", "photos", "--yes"]);
    // The doors wake the health processor; nobody has to wait for its interval.
    let state = crate::house::eventually(|| {
        let listed = house.command(&["bucket", "list", "--json"]).outcome().json();
        let state = listed["items"][0]["state"].as_str().unwrap_or("gone").to_owned();
        (state != "purging").then_some(state)
    });
    assert_eq!(state, "purged");
    done(&["check", "--blobs"]);
}
