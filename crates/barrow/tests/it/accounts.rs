//! Accounts, keys and quotas as an operator works with them.

use crate::house::{House, Outcome, http};
use serde_json::json;
use std::io::Write;

#[test]
fn accounts_are_made_shown_renamed_and_deleted() {
    let house = House::new();
    let _server = house.serve();
    let ask = |args: &[&str]| house.command(args).outcome();
    let made = ask(&["account", "create", "ann", "--email", "ann@a.example", "--json"]).json();
    let id = made["id"].as_str().unwrap();
    let text = ask(&["account", "create", "bob"]).done();
    assert!(text.contains("barrow key create --account bob"), "{text}");
    let key = ask(&["key", "create", "--account", "ann", "--label", "laptop", "--json"]).json();
    let shown = ask(&["account", "show", "ann"]).done();
    for said in [id, "ann@a.example", "laptop", "none"] {
        assert!(shown.contains(said), "{said} in {shown}");
    }
    let listed = ask(&["account", "list", "--json"]).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert!(ask(&["account", "rename", id, "anne", "--email", ""]).done().contains("anne now"));
    let shown = ask(&["account", "show", "anne", "--json"]).json();
    assert_eq!((&shown["account"]["id"], &shown["account"]["email"]), (&json!(id), &json!(null)));
    let refused = ask(&["account", "delete", "anne"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("AccountInUse"), "{}", refused.stderr);
    ask(&["key", "revoke", key["id"].as_str().unwrap()]).done();
    ask(&["account", "delete", "anne"]).done();
    let gone = ask(&["account", "show", "anne"]);
    assert_eq!(gone.code, 1);
    assert!(gone.stderr.contains("barrow account list"), "{}", gone.stderr);
}

#[test]
fn keys_are_disabled_enabled_rotated_and_brought_along() {
    let house = House::new();
    let server = house.serve();
    let ask = |args: &[&str]| -> Outcome { house.command(args).outcome() };
    let status =
        |id: &str, secret: &str| http(server.admin, "GET", "/v1/usage", Some((id, secret)), "", "").0;
    let args =
        ["key", "create", "--rights", "admin", "--access-key", "minioadmin", "--secret-key", "minio-secret"];
    ask(&args).done();
    assert_eq!(status("minioadmin", "minio-secret"), 200);
    assert_eq!(ask(&args).code, 1, "it is in use");
    ask(&["key", "disable", "minioadmin"]).done();
    assert_eq!(status("minioadmin", "minio-secret"), 401);
    assert!(ask(&["key", "list"]).done().contains("disabled"));
    ask(&["key", "enable", "minioadmin"]).done();
    assert_eq!(status("minioadmin", "minio-secret"), 200);
    let new = ask(&["key", "rotate", "minioadmin", "--old-expires-in", "1h", "--json"]).json();
    let (id, secret) = (new["id"].as_str().unwrap(), new["secret"].as_str().unwrap());
    assert_eq!((status("minioadmin", "minio-secret"), status(id, secret)), (200, 200));
    let text = ask(&["key", "rotate", id]).done();
    assert!(
        text.contains("not shown again") && text.contains(&format!("the old key {id}: disabled")),
        "{text}"
    );
    assert_eq!(status(id, secret), 401);
    assert!(ask(&["key", "expire", "minioadmin", "--after", "2h"]).done().contains("minioadmin ends in "));
    assert_eq!(ask(&["key", "create"]).code, 2, "it belongs to the installation, and may do nothing");
    assert_eq!(ask(&["key", "create", "--rights", "read", "--access-key", "alone"]).code, 2);

    let piped = ["key", "create", "--rights", "admin", "--access-key", "piped", "--secret-key", "-"];
    let mut child = house.command(&piped).piped().spawn();
    child.stdin.take().unwrap().write_all(b"not-on-the-command-line\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(status("piped", "not-on-the-command-line"), 200);
}

#[test]
fn quotas_are_set_kept_and_lifted() {
    let house = House::new();
    let server = house.serve();
    let ask = |args: &[&str]| -> Outcome { house.command(args).outcome() };
    let (key, secret) = house.root();
    ask(&["bucket", "create", "photos"]).done();
    let put = |name: &str, body: &str| {
        http(server.scsp, "POST", &format!("/photos/{name}"), Some((&key, &secret)), "", body)
    };
    let set = ask(&["quota", "set", "photos", "--bytes", "10B", "--objects", "3"]).done();
    assert!(set.contains("quota of bucket photos: 3 objects, 10 B"), "{set}");
    assert_eq!(put("a", "123456").0, 201);
    let refused = put("b", "12345");
    assert_eq!(refused.0, 507);
    assert!(refused.1.contains("quota of this bucket is 10 bytes"), "{}", refused.1);
    let shown = ask(&["quota", "show", "photos", "--json"]).json();
    assert_eq!((&shown["used"], &shown["exceeded"]), (&json!({ "objects": 1, "bytes": 6 }), &json!(false)));
    let usage = ask(&["usage"]).done();
    assert!(usage.contains("3 objects, 10 B"), "{usage}");
    ask(&["quota", "clear", "photos"]).done();
    assert_eq!(put("b", "12345").0, 201);
    let set = ask(&["quota", "set", "photos", "--bytes", "1KiB", "--counting", "live+removed"]).done();
    assert!(set.contains("what is removed included"), "{set}");

    ask(&["account", "create", "ann"]).done();
    ask(&["quota", "set", "--account", "ann", "--bytes", "1GiB"]).done();
    assert!(ask(&["quota", "show", "--account", "ann"]).done().contains("quota of account ann: 1.0 GiB"));
    assert!(ask(&["usage"]).done().contains("account ann"));
    ask(&["quota", "clear", "--account", "ann"]).done();
    for bad in [
        &["quota", "set", "photos"][..],
        &["quota", "show"],
        &["quota", "set", "photos", "--bytes", "ten"],
        &["quota", "set", "photos", "--account", "ann", "--bytes", "1"],
    ] {
        assert_eq!(ask(bad).code, 2, "{bad:?}");
    }
    assert_eq!(ask(&["quota", "set", "nothing", "--bytes", "1"]).code, 1);
}
