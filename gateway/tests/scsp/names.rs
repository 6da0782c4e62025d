//! Names: bytes of UTF-8, decoded once, never normalised, never a path of ours.

use crate::house::House;
use lifecycle::State;

crate::on_both_engines!(
    an_odd_name_is_a_name_and_nobody_elses,
    one_name_may_be_spelled_in_several_ways,
    a_location_leads_back,
    text_that_is_no_name_is_refused,
    the_longest_name_is_8000_bytes,
    odd_buckets_are_buckets,
    a_name_that_begins_with_a_slash_is_read_by_the_buckets_uuid_too,
);

/// As sent, and as decoded.
const ODD: [(&str, &str); 17] = [
    ("..", ".."),
    (".", "."),
    ("../b/plain", "../b/plain"),
    ("%2E%2E/x", "../x"),
    ("/x", "/x"),
    ("//x", "//x"),
    ("x/", "x/"),
    ("x//y", "x//y"),
    ("x", "x"),
    ("X", "X"),
    ("a+b", "a+b"),
    ("a%20b%3Fc%26d%23e", "a b?c&d#e"),
    ("%25", "%"),
    ("%2525", "%25"),
    ("%C3%A4", "\u{e4}"),
    ("a%CC%88", "a\u{308}"),
    ("%F0%9F%97%91%0A%09%22%27%5C", "\u{1f5d1}\n\t\"'\\"),
];

async fn an_odd_name_is_a_name_and_nobody_elses(house: &mut House) {
    for (sent, decoded) in ODD {
        house.post(&format!("/b/{sent}")).header("If-None-Match", "*").body(decoded).await.is(201);
    }
    let listed = house.get("/b?format=json&fields=name").await.is(200).json();
    let mut names: Vec<&str> = ODD.iter().map(|(_, decoded)| *decoded).collect();
    names.sort_unstable();
    let rows = listed.as_array().expect("a list");
    assert_eq!(rows.iter().map(|row| row["name"].as_str().expect("text")).collect::<Vec<_>>(), names);
    for (sent, decoded) in ODD {
        house.get(&format!("/b/{sent}")).await.is(200).brings(decoded);
    }
    let mut left = ODD.len();
    for (sent, _) in ODD {
        house.delete(&format!("/b/{sent}")).await.is(200);
        left -= 1;
        assert_eq!(house.count(State::Live).await, left, "{sent} and nothing else");
    }
}

async fn one_name_may_be_spelled_in_several_ways(house: &mut House) {
    house.post("/b/x%2Fy%20z").body("four").await.is(201);
    for same in ["/b/x/y%20z", "/%62/x%2fy%20z", "/b%2Fx/y%20z", "//b/x/y%20z"] {
        let read = house.get(same).await.is(200).brings("four");
        assert_eq!(read.need("castor-system-name"), "x/y%20z", "{same}");
        assert_eq!(read.need("castor-system-path"), "/d.example/b/x/y%20z", "{same}");
    }
    for other in ["/b/x%252Fy%20z", "/b/x/y+z", "/b/./x/y%20z", "/c/../b/x/y%20z"] {
        house.get(other).await.refused(404, "NotFound");
    }
}

async fn a_location_leads_back(house: &mut House) {
    for (sent, decoded) in ODD {
        let written = house.post(&format!("/b/{sent}")).body(decoded).await.is(201);
        let location = written.need("location").strip_prefix("http://d.example").expect("ours").to_owned();
        assert!(location.is_ascii() && !location.contains([' ', '#']), "{location}");
        let read = house.get(&location).await.is(200).brings(decoded);
        let named = format!("/b/{}?domain=d.example", read.need("castor-system-name"));
        assert_eq!(location, named);
    }
}

async fn text_that_is_no_name_is_refused(house: &mut House) {
    for bad in ["/b/%", "/b/%4", "/b/%zz", "/b/%FF", "/b/%C3", "/b/a%00b", "/%00", "/b%0Ac", "/%"] {
        for method in ["GET", "POST", "DELETE"] {
            let refused = house.ask(method, bad).await.refused(400, "BadName");
            assert!(refused.text().is_ascii(), "{}", refused.text());
        }
    }
    for bad in ["/b/o?domain=a..b", "/b/o?domain=-a", "/b/o?domain=10.0.0.1", "/b/o?domain=a_%C3%A4"] {
        house.get(bad).await.refused(400, "BadName");
    }
    for bad in ["/b/o?x=%", "/b/o?%zz"] {
        house.get(bad).await.refused(400, "BadArgument");
    }
}

async fn the_longest_name_is_8000_bytes(house: &mut House) {
    let longest = "x".repeat(8_000);
    house.post(&format!("/b/{longest}")).body("four").await.is(201);
    house.get(&format!("/b/{longest}")).await.is(200).brings("four");
    let refused = house.post(&format!("/b/{longest}y")).body("four").await.refused(400, "BadName");
    assert!(refused.text().contains("8000 bytes"), "{}", refused.text());
}

async fn odd_buckets_are_buckets(house: &mut House) {
    for (sent, shown) in
        [("..", ".."), ("%C3%BC", "%C3%BC"), ("a%20b", "a%20b"), ("0123", "0123"), ("B", "B")]
    {
        let made = house.post(&format!("/{sent}")).context().await.is(201);
        assert_eq!(made.need("location"), format!("http://d.example/{shown}"));
        house.post(&format!("/{sent}/o")).body(sent).await.is(201);
        house.get(&format!("/{sent}/o")).await.is(200).brings(sent);
        let deleted = house.delete(&format!("/{sent}?recursive")).await.is(200);
        assert_eq!(deleted.need("castor-system-name"), shown);
    }
    house.head("/b").await.is(200);
}

async fn a_name_that_begins_with_a_slash_is_read_by_the_buckets_uuid_too(house: &mut House) {
    house.post("/b//lead").body("slash").await.is(201);
    house.post("/b/lead").body("plain").await.is(201);
    let by_uuid = |name: &str| house.get(&format!("/{name}?cid={}", house.bu));
    by_uuid("/lead").await.is(200).brings("slash");
    by_uuid("%2Flead").await.is(200).brings("slash");
    by_uuid("lead").await.is(200).brings("plain");
}
