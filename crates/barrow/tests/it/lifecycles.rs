//! Rules that let objects go, as an operator lives with them: looked at before they hold, confirmed where they take much, and
//! what went by mistake brought back.

use crate::house::{House, eventually, http};
use lifecycle::{Clock, SystemClock};
use serde_json::json;
use std::time::Duration;

const CONTEXT: &str = "Content-Type: application/castorcontext\r\n";

/// A moment as a rule of SCSP's says it, so many seconds from now.
fn in_seconds(seconds: u64) -> String {
    let at = SystemClock.now().plus(Duration::from_secs(seconds)).to_rfc3339();
    format!("{}Z", &at[..19])
}

#[test]
fn a_rule_is_looked_at_confirmed_and_taken_back() {
    let house = House::new();
    house.configure("brake_min_objects = 2\nbrake_min_bytes = \"1B\"\n");
    let server = house.serve();
    let (key, secret) = house.root();
    let root = Some((key.as_str(), secret.as_str()));
    assert_eq!(http(server.scsp, "POST", "/photos", root, CONTEXT, "").0, 201);
    for name in ["logs/a", "logs/b", "logs/c", "kept"] {
        assert_eq!(http(server.scsp, "POST", &format!("/photos/{name}"), root, "", "12345678").0, 201);
    }
    let ask = |args: &[&str]| house.command(args).outcome();
    assert!(ask(&["lifecycle", "show", "photos"]).done().contains("S3 says nothing of the lifecycle of"));
    assert!(ask(&["lifecycle", "status", "photos"]).done().contains("never changed"));

    // What is a day away, or was long ago, takes all of it within a day.
    let file = house.path().join("rules.json");
    let rule = |prefix: &str| {
        json!({ "Rules": [{ "ID": "old-logs", "Status": "Enabled", "Filter": { "Prefix": prefix },
            "Expiration": { "Date": "2020-01-01T00:00:00Z" } }] })
    };
    std::fs::write(&file, rule("logs/").to_string()).unwrap();
    let path = file.to_str().unwrap();
    let preview = ask(&["lifecycle", "preview", "photos", path]).done();
    for said in ["old-logs", "nothing is changed", "3 objects", "--confirm 3"] {
        assert!(preview.contains(said), "{said} in {preview}");
    }
    let counted = ask(&["lifecycle", "preview", "photos", path, "--json"]).json();
    assert_eq!((&counted["newly_objects"], &counted["confirm"]), (&json!(3), &json!(3)));
    for unconfirmed in
        [&["lifecycle", "set", "photos", path][..], &["lifecycle", "set", "photos", path, "--confirm", "2"]]
    {
        let refused = ask(unconfirmed);
        assert_eq!(refused.code, 1, "{}", refused.stdout);
        assert!(refused.stderr.contains("3 objects"), "{}", refused.stderr);
    }
    assert!(ask(&["lifecycle", "show", "photos"]).done().contains("S3 says nothing"), "nothing has changed");
    assert!(
        ask(&["lifecycle", "set", "photos", path, "--confirm", "3"]).done().contains("1 rules are in force")
    );
    let shown = ask(&["lifecycle", "show", "photos"]).done();
    assert!(shown.contains("old-logs") && shown.contains("In force"), "{shown}");
    let planned = eventually(|| {
        let told = ask(&["lifecycle", "status", "photos", "--json"]).json();
        told["planning"]["ended_at"].is_string().then_some(told)
    });
    assert_eq!((&planned["planning"]["looked"], &planned["planning"]["changed"]), (&json!(4), &json!(3)));
    assert!(ask(&["lifecycle", "status", "photos"]).done().contains("3 go at another time"));
    assert!(ask(&["lifecycle", "delete", "photos"]).done().contains("no rule is in force"));
    let none = ask(&["lifecycle", "show", "nothing"]);
    assert_eq!(none.code, 1);
    std::fs::write(&file, "{\"Rules\":[{\"Status\":\"Enabled\",\"Filter\":{},\"Expiration\":{\"Days\":0}}]}")
        .unwrap();
    let bad = ask(&["lifecycle", "set", "photos", path]);
    assert!(bad.code != 0 && bad.stderr.contains("Days"), "{}", bad.stderr);
    assert_eq!(ask(&["lifecycle", "set", "photos", "/nowhere/rules.json"]).code, 2);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn what_a_rule_let_go_is_found_and_comes_back() {
    let house = House::new();
    let server = house.serve();
    let (key, secret) = house.root();
    let root = Some((key.as_str(), secret.as_str()));
    assert_eq!(http(server.scsp, "POST", "/photos", root, CONTEXT, "").0, 201);
    for name in ["logs/a", "kept"] {
        assert_eq!(http(server.scsp, "POST", &format!("/photos/{name}"), root, "", "four").0, 201);
    }
    let rule = format!(
        "Policy-Lifecycle: RuleId:\"old-logs\" NamePrefix:\"logs/\" ExpirationDate:{}\r\n",
        in_seconds(2)
    );
    let told = http(server.scsp, "COPY", "/photos", root, &format!("{CONTEXT}{rule}"), "");
    assert_eq!(told.0, 201, "{}", told.1);
    let read = |name: &str| http(server.scsp, "GET", &format!("/photos/{name}"), root, "", "").0;
    eventually(|| (read("logs/a") == 404).then_some(()));
    assert_eq!(read("kept"), 200);
    let ask = |args: &[&str]| house.command(args).outcome();
    let why = eventually(|| {
        let why = ask(&["why", "photos", "logs/a"]).done();
        why.contains("barrow trash restore").then_some(why)
    });
    assert!(why.contains("old-logs"), "it tells which rule: {why}");
    ask(&["trash", "restore", "photos", "logs/a"]).done();
    assert_eq!(read("logs/a"), 200, "whoever brings it back means it to stay");
    assert_eq!(server.stop(), Some(0));
}
