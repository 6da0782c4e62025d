//! Listings read what readers read: nothing removed, nothing expired, every acknowledged write.

use crate::house::House;

crate::on_both_engines!(
    case_97_a_listing_holds_what_is_readable,
    case_98_paging_names_each_object_once,
    case_99_without_a_format_a_bucket_is_an_object,
    case_100_fields_are_renamed,
    a_prefix_narrows_a_listing,
    names_are_listed_in_the_order_of_their_bytes,
    domains_list_their_buckets,
    a_listing_that_is_not_built_is_refused,
);

fn names(listing: &serde_json::Value) -> Vec<&str> {
    let rows = listing.as_array().expect("a list");
    rows.iter().map(|row| row["name"].as_str().expect("a name")).collect()
}

async fn store(house: &House, names: &[&str]) {
    for name in names {
        house.post(&format!("/b/{name}")).body(*name).await.is(201);
    }
}

async fn case_97_a_listing_holds_what_is_readable(house: &mut House) {
    store(house, &["a", "b", "c"]).await;
    house.delete("/b/b").await.is(200);
    let listed = house.get("/b?format=json").await.is(200);
    assert_eq!(listed.need("content-type"), "application/json; charset=utf-8");
    assert_eq!(names(&listed.json()), ["a", "c"]);
    assert_eq!(house.get("/b/?FORMAT=JSON").await.is(200).json(), listed.json());
    store(house, &["b"]).await;
    assert_eq!(names(&house.get("/b?format=json").await.json()), ["a", "b", "c"]);
    house.delete("/b?recursive").await.is(200);
    house.get("/b?format=json").await.refused(404, "NotFound");
}

async fn case_98_paging_names_each_object_once(house: &mut House) {
    store(house, &["a", "b/c", "b/d", "e"]).await;
    let (mut seen, mut marker) = (Vec::new(), String::new());
    loop {
        let page = house.get(&format!("/b?format=json&size=1&marker={marker}")).await.is(200).json();
        let Some(name) = names(&page).first().map(|name| (*name).to_owned()) else { break };
        assert_eq!(names(&page).len(), 1);
        marker.clone_from(&name);
        seen.push(name);
    }
    assert_eq!(seen, ["a", "b/c", "b/d", "e"]);
    for size in ["0", "10001", "-1", "many", ""] {
        house.get(&format!("/b?format=json&size={size}")).await.refused(400, "BadArgument");
    }
}

async fn case_99_without_a_format_a_bucket_is_an_object(house: &mut House) {
    house.store_o().await;
    let bucket = house.get("/b").await.is(200).brings("");
    assert_eq!(bucket.alias(), house.bu);
    assert_eq!(bucket.need("content-length"), "0");
}

async fn case_100_fields_are_renamed(house: &mut House) {
    let written =
        house.post("/b/o").header("Content-Type", "text/plain").header("X-A-Meta-K", "v").body("four");
    let etag = written.await.is(201).etag();
    let listed = house.get("/b?format=json&fields=name,content-length,tmBorn").await.is(200);
    assert_eq!(listed.text(), r#"[{"name":"o","bytes":4,"last_modified":"2026-03-03T09:00:00.000Z"}]"#);
    let listed = house.get("/b?format=json&fields=hash,content-type,x-a-meta-k").await.is(200);
    let row = &listed.json()[0];
    assert_eq!(row["hash"], etag.as_str());
    assert_eq!((&row["content_type"], &row["x-a-meta-k"]), (&"text/plain".into(), &"v".into()));
    house.get("/b?format=json&fields=name,colour").await.refused(501, "NotImplemented");
}

async fn a_prefix_narrows_a_listing(house: &mut House) {
    store(house, &["a/1", "a/2", "ab", "b/1"]).await;
    let listed = async |arguments: &str| {
        let page = house.get(&format!("/b?format=json&fields=name&{arguments}")).await.is(200).json();
        names(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed("prefix=a/").await, ["a/1", "a/2"]);
    assert_eq!(listed("prefix=a%2F&marker=a/1").await, ["a/2"]);
    assert_eq!(listed("prefix=a").await, ["a/1", "a/2", "ab"]);
    assert_eq!(listed("prefix=a/1").await, ["a/1"]);
    assert_eq!(listed("prefix=b&marker=a").await, ["b/1"]);
    assert!(listed("prefix=a&marker=c").await.is_empty());
    assert!(listed("prefix=z").await.is_empty());
}

async fn names_are_listed_in_the_order_of_their_bytes(house: &mut House) {
    let sorted = ["A", "Z", "a", "a/b", "aa", "%C3%A4", "%F0%9F%8C%8D"];
    for name in sorted.iter().rev() {
        house.post(&format!("/b/{name}")).body("x").await.is(201);
    }
    let listed = house.get("/b?format=json&fields=name").await.is(200).json();
    assert_eq!(names(&listed), ["A", "Z", "a", "a/b", "aa", "\u{e4}", "\u{1f30d}"]);
}

async fn domains_list_their_buckets(house: &mut House) {
    for name in ["a", "c", "ca"] {
        house.post(&format!("/{name}")).context().await.is(201);
    }
    house.post("/").body("unnamed").await.is(201);
    house.post("/other?domain=barrow.local").context().await.is(201);
    let listed = house.get("/?format=json").await.is(200).json();
    assert_eq!(names(&listed), ["a", "b", "c", "ca"], "neither hidden nor another domain's");
    assert_eq!(listed[1]["uuid"], house.bu.to_string());
    assert_eq!(names(&house.get("/?format=json&size=2&marker=a").await.json()), ["b", "c"]);
    assert_eq!(names(&house.get("/?format=json&prefix=c").await.json()), ["c", "ca"]);
    assert_eq!(names(&house.get("/?format=json&domain=barrow.local").await.json()), ["other"]);
}

async fn a_listing_that_is_not_built_is_refused(house: &mut House) {
    house.get("/b?format=xml").await.refused(501, "NotImplemented");
    house.get("/b?format=yaml").await.refused(400, "BadArgument");
    house.get("/b?format").await.refused(400, "BadArgument");
    for argument in ["delimiter=/", "versions", "du", "sort=name", "stype=bucket"] {
        house.get(&format!("/b?format=json&{argument}")).await.refused(501, "NotImplemented");
    }
}
