//! Following a bucket from the command line.

use crate::house::{House, Server, http};
use serde_json::Value;

fn put(house: &House, server: &Server, name: &str) {
    let (key, secret) = house.root();
    let answer = http(server.scsp, "POST", &format!("/photos/{name}"), Some((&key, &secret)), "", "bytes");
    assert_eq!(answer.0, 201, "{}", answer.1);
}

fn delete(house: &House, server: &Server, name: &str) {
    let (key, secret) = house.root();
    let answer = http(server.scsp, "DELETE", &format!("/photos/{name}"), Some((&key, &secret)), "", "");
    assert_eq!(answer.0, 200, "{}", answer.1);
}

#[test]
fn what_changed_is_listed() {
    let house = House::new();
    let server = house.serve();
    let done = |args: &[&str]| house.command(args).outcome().done();
    done(&["bucket", "create", "photos"]);
    for name in ["a", "b", "c"] {
        put(&house, &server, name);
    }
    delete(&house, &server, "b");
    let told = done(&["changes", "photos"]);
    let words: Vec<Vec<&str>> = told.lines().map(|line| line.split_whitespace().take(3).collect()).collect();
    assert_eq!(words[0], ["SEQ", "CHANGE", "NAME"]);
    assert_eq!(words[1..], [["1", "written", "a"], ["3", "written", "c"], ["4", "deleted", "b"]]);
    let told =
        house.command(&["changes", "photos", "--since", "1", "--limit", "1", "--json"]).outcome().json();
    assert_eq!(
        (&told["changes"][0]["name"], &told["last_seq"], &told["more"]),
        (&"c".into(), &3.into(), &true.into())
    );
    assert!(!done(&["changes", "photos", "--domain", "barrow.local", "--since", "3"]).contains("written"));
    let ahead = house.command(&["changes", "photos", "--since", "99"]).outcome();
    assert_eq!(ahead.code, 1);
    assert!(ahead.stderr.contains("CHANGESTRUNCATED"), "{}", ahead.stderr);
    assert_eq!(house.command(&["changes", "nothing"]).outcome().code, 1);
    assert_eq!(house.command(&["changes", "photos", "--follow", "--limit", "3"]).outcome().code, 2);
}

#[test]
fn following_goes_on_through_a_restart_and_ends_when_interrupted() {
    let house = House::new();
    let mut server = house.serve();
    house.command(&["bucket", "create", "photos"]).outcome().done();
    put(&house, &server, "early");
    let mut following = house.follow(&["changes", "photos", "--follow"]);
    following.until("written early");
    put(&house, &server, "later");
    following.until("written later");
    server.kill();
    drop(server);
    let server = house.serve();
    put(&house, &server, "after");
    let said = following.until("written after");
    assert_eq!(said.matches("written early").count(), 1, "{said}");
    delete(&house, &server, "after");
    following.until("deleted after");
    assert_eq!(following.interrupted(), Some(0));
}

#[test]
fn purges_are_told_before_what_changed_behind_them() {
    let house = House::new();
    let server = house.serve();
    house.command(&["bucket", "create", "photos"]).outcome().done();
    put(&house, &server, "a");
    let mut following = house.follow(&["changes", "photos", "--follow", "--json"]);
    following.until("\"change\"");
    let (key, secret) = house.root();
    let empty = "/v1/domains/barrow.local/buckets/photos/empty";
    let json = "Content-Type: application/json\r\n";
    assert_eq!(http(server.admin, "POST", empty, Some((&key, &secret)), json, "{}").0, 200);
    put(&house, &server, "b");
    let said = following.until("\"name\":\"b\"");
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["change"]["name"], "a");
    assert_eq!(lines[1]["purge"]["selector"]["filter"], ">");
    assert_eq!(lines[2]["change"]["name"], "b");
}

#[test]
fn followers_are_listed_and_forgotten() {
    let house = House::new();
    let server = house.serve();
    let done = |args: &[&str]| house.command(args).outcome().done();
    done(&["bucket", "create", "photos"]);
    let (key, secret) = house.root();
    let target = "/v1/domains/barrow.local/buckets/photos/followers/search-1";
    let json = "Content-Type: application/json\r\n";
    let put =
        http(server.admin, "PUT", target, Some((&key, &secret)), json, r#"{"kind":"index","purge_seq":0}"#);
    assert_eq!(put.0, 200, "{}", put.1);
    let told = done(&["followers", "photos"]);
    assert!(told.contains("search-1") && told.contains("index"), "{told}");
    let told = house.command(&["followers", "photos", "--json"]).outcome().json();
    assert_eq!(told["items"][0]["id"], "search-1");
    let unasked = house.command(&["followers", "photos", "deregister", "search-1"]).outcome();
    assert_ne!(unasked.code, 0, "whoever cannot be asked has not said yes");
    assert!(done(&["followers", "photos", "deregister", "search-1", "--yes"]).contains("no longer"));
    let gone = house.command(&["followers", "photos", "deregister", "search-1", "--yes"]).outcome();
    assert_eq!(gone.code, 1);
    assert!(gone.stderr.contains("NoSuchFollower"), "{}", gone.stderr);
}
