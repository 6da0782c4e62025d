//! Listings read what readers read: nothing removed, nothing expired, every acknowledged write.

use crate::client::Answer;
use crate::house::{GRACE, House};
use gateway::Anonymous;
use lifecycle::{ContainerId, Right, State};
use serde_json::{Value, json};
use std::time::Duration;

crate::on_both_engines!(
    case_97_a_listing_holds_what_is_readable,
    case_98_paging_names_each_object_once,
    case_99_without_a_format_a_bucket_is_an_object,
    case_100_fields_are_renamed,
    a_prefix_narrows_a_listing,
    names_are_listed_in_the_order_of_their_bytes,
    a_listing_is_sorted_by_name_either_way,
    what_an_expired_object_was_is_not_listed,
    xml_says_what_json_says,
    a_head_tells_what_a_get_would_bring,
    a_delimiter_groups_names,
    versions_and_markers_are_listed_the_newest_first,
    versions_are_paged_by_name_and_version,
    domains_list_their_buckets,
    buckets_are_grouped_too,
    domains_list_what_has_no_name,
    the_cluster_lists_its_domains,
    a_context_is_found_by_argument_too,
    a_removed_context_is_listed_by_its_uuid,
    disk_use_is_told_by_state,
    deleted_contexts_are_listed_for_administrators,
    listings_for_administrators_are_for_nobody_else,
    what_cannot_be_listed_is_refused_and_named,
);

fn names(listing: &Value) -> Vec<&str> {
    let rows = listing.as_array().expect("a list");
    rows.iter().map(|row| row["name"].as_str().expect("a name")).collect()
}

fn column(listing: &Value, name: &str) -> Vec<Value> {
    listing.as_array().expect("a list").iter().map(|row| row[name].clone()).collect()
}

async fn store(house: &House, names: &[&str]) {
    for name in names {
        house.post(&format!("/b/{name}")).body(*name).await.is(201);
    }
}

/// The names that a listing of the bucket gives.
async fn listed(house: &House, arguments: &str) -> Vec<String> {
    let page = house.get(&format!("/b?format=json&{arguments}")).await.is(200).json();
    names(&page).into_iter().map(str::to_owned).collect()
}

async fn case_97_a_listing_holds_what_is_readable(house: &mut House) {
    store(house, &["a", "b", "c"]).await;
    house.delete("/b/b").await.is(200);
    let listed = house.get("/b?format=json").await.is(200);
    assert_eq!(listed.need("content-type"), "application/json; charset=utf-8");
    assert_eq!(names(&listed.json()), ["a", "c"]);
    assert_eq!((listed.need("castor-object-count"), listed.need("castor-bytes-used")), ("2", "2"));
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
    let listed = house.get("/b?format=json&fields=hash,version,content-type,x-a-meta-k,x-a-meta-z").await;
    let row = &listed.is(200).json()[0];
    assert_eq!((&row["hash"], &row["version"]), (&json!(etag), &json!(etag)));
    assert_eq!((&row["content_type"], &row["x-a-meta-k"]), (&"text/plain".into(), &"v".into()));
    assert_eq!(row.get("x-a-meta-z"), None, "what is not there is left out");
    let listed = house.get("/b?format=json&fields=is_latest,delete_marker").await.is(200);
    assert_eq!(listed.text(), r#"[{"is_latest":true,"delete_marker":false}]"#);
    let refused = house.get("/b?format=json&fields=name,colour").await.refused(400, "BadArgument");
    assert!(refused.text().contains("colour") && refused.text().contains("tmBorn"), "{}", refused.text());
}

async fn a_prefix_narrows_a_listing(house: &mut House) {
    store(house, &["a/1", "a/2", "ab", "b/1"]).await;
    assert_eq!(listed(house, "fields=name&prefix=a/").await, ["a/1", "a/2"]);
    assert_eq!(listed(house, "fields=name&prefix=a%2F&marker=a/1").await, ["a/2"]);
    assert_eq!(listed(house, "prefix=a").await, ["a/1", "a/2", "ab"]);
    assert_eq!(listed(house, "prefix=a/1").await, ["a/1"]);
    assert_eq!(listed(house, "prefix=b&marker=a").await, ["b/1"]);
    assert!(listed(house, "prefix=a&marker=c").await.is_empty());
    assert!(listed(house, "prefix=z").await.is_empty());
}

async fn names_are_listed_in_the_order_of_their_bytes(house: &mut House) {
    let sorted = ["A", "Z", "a", "a/b", "aa", "%C3%A4", "%F0%9F%8C%8D"];
    for name in sorted.iter().rev() {
        house.post(&format!("/b/{name}")).body("x").await.is(201);
    }
    assert_eq!(listed(house, "fields=name").await, ["A", "Z", "a", "a/b", "aa", "\u{e4}", "\u{1f30d}"]);
}

async fn a_listing_is_sorted_by_name_either_way(house: &mut House) {
    store(house, &["a", "b", "c", "d"]).await;
    for upwards in ["sort=name", "sort=NAME:ASC", "sort="] {
        assert_eq!(listed(house, upwards).await, ["a", "b", "c", "d"]);
    }
    assert_eq!(listed(house, "sort=name:desc").await, ["d", "c", "b", "a"]);
    assert_eq!(listed(house, "sort=name:desc&size=2").await, ["d", "c"]);
    assert_eq!(listed(house, "sort=name:desc&size=2&marker=c").await, ["b", "a"]);
    assert!(listed(house, "sort=name:desc&marker=a").await.is_empty());
    for other in ["tmBorn", "content-length:desc", "x-a-meta-k", "name:up", "name,tmBorn"] {
        let refused = house.get(&format!("/b?format=json&sort={other}")).await.refused(400, "BadArgument");
        assert!(refused.text().contains("sort"), "{}", refused.text());
    }
}

async fn what_an_expired_object_was_is_not_listed(house: &mut House) {
    let until = house.in_secs(60);
    let lifepoint = format!("[{until}] reps=1");
    let put = house.post("/b/a/x").header("Lifepoint", lifepoint).header("Lifepoint", "[] delete");
    put.body("x").await.is(201);
    store(house, &["b"]).await;
    house.advance(Duration::from_secs(61));
    assert_eq!(listed(house, "").await, ["b"]);
    assert_eq!(listed(house, "delimiter=/").await, ["b"]);
    assert_eq!(listed(house, "versions").await, ["b"]);
}

async fn xml_says_what_json_says(house: &mut House) {
    let put = house.post("/b/a%3C%26%22b").header("Content-Type", "text/plain").header("X-A-Meta-K", "<v>");
    let etag = put.body("four").await.is(201).etag();
    house.post("/b/c%01").body("").await.is(201);
    house.post("/b/d/e").body("").await.is(201);
    let arguments = "fields=name,content-length,hash,tmBorn,content-type,x-a-meta-k&delimiter=/";
    let listed = house.get(&format!("/b?format=xml&{arguments}")).await.is(200);
    assert_eq!(listed.need("content-type"), "application/xml; charset=utf-8");
    let (text, born) = (listed.text(), "<last_modified>2026-03-03T09:00:00.000Z</last_modified>");
    assert!(
        text.starts_with(&format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<listing><row><name>a&lt;&amp;&quot;b</name><bytes>4</bytes>\
             <hash>{etag}</hash>{born}<content_type>text/plain</content_type>\
             <meta name=\"x-a-meta-k\">&lt;v&gt;</meta></row><row><name encoding=\"percent\">c%01</name>"
        )),
        "{text}"
    );
    assert!(text.ends_with("<row><name>d/</name><subdir>true</subdir></row></listing>"), "{text}");
    let count = |text: &str, what: &str| text.matches(what).count();
    for arguments in ["", "versions", "delimiter=/", "du"] {
        let json = house.get(&format!("/b?format=json&{arguments}")).await.is(200).json();
        let xml = house.get(&format!("/b?format=XML&{arguments}")).await.is(200).text();
        assert_eq!(count(&xml, "<row>"), json.as_array().expect("rows").len(), "{arguments}");
    }
    for target in ["/?format=xml", "/?format=xml&domains", "/?format=xml&deleted&admin"] {
        let listed = house.get(target).await.is(200);
        assert_eq!(listed.need("content-type"), "application/xml; charset=utf-8");
    }
    house.delete("/b/d/e").await.is(200);
    let empty = house.get("/b?format=xml&prefix=z").await.is(200);
    assert_eq!(empty.text(), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<listing></listing>");
}

async fn a_head_tells_what_a_get_would_bring(house: &mut House) {
    store(house, &["a", "b"]).await;
    for target in
        ["/b?format=json", "/b?format=xml", "/b?format=json&du", "/?format=json", "/b?format=xml&versions"]
    {
        let (get, head) = (house.get(target).await.is(200), house.head(target).await.is(200));
        assert_eq!(get.lasting_headers(), head.lasting_headers(), "{target}");
    }
}

async fn a_delimiter_groups_names(house: &mut House) {
    store(house, &["a", "p/1", "p/2", "p/q/1", "p/q/2", "z"]).await;
    let page = house.get("/b?format=json&delimiter=/&fields=name,content-length").await.is(200).json();
    assert_eq!(
        page,
        json!([{"name": "a", "bytes": 1}, {"name": "p/", "subdir": true}, {"name": "z", "bytes": 1}])
    );
    let page = house.get("/b?format=json&delimiter=%2F&fields=hash").await.is(200).json();
    assert_eq!(
        page[1],
        json!({"name": "p/", "subdir": true}),
        "its name is what the next page is asked for with"
    );
    assert_eq!(listed(house, "delimiter=/&prefix=p/").await, ["p/1", "p/2", "p/q/"]);
    assert_eq!(listed(house, "delimiter=/&prefix=p").await, ["p/"]);
    assert_eq!(listed(house, "delimiter=q/&prefix=p/").await, ["p/1", "p/2", "p/q/"]);
    assert_eq!(listed(house, "delimiter=/&size=1&marker=a").await, ["p/"]);
    assert_eq!(listed(house, "delimiter=/&size=1&marker=p/").await, ["z"], "a prefix row's name is a marker");
    assert_eq!(
        listed(house, "delimiter=/&marker=p/q/1").await,
        ["z"],
        "one inside of the group is behind its row"
    );
    assert_eq!(listed(house, "delimiter=/&sort=name:desc").await, ["z", "p/", "a"]);
    assert_eq!(listed(house, "delimiter=/&sort=name:desc&marker=p/").await, ["a"]);
    assert_eq!(listed(house, "delimiter=").await.len(), 6, "an empty one groups nothing");
    house.delete("/b/p/q/1").await.is(200);
    house.delete("/b/p/q/2").await.is(200);
    assert_eq!(listed(house, "delimiter=/&prefix=p/").await, ["p/1", "p/2"], "the dead make no group");
    house.get("/b?format=json&delimiter=/&versions").await.refused(400, "BadArgument");
    house.get("/b?format=json&delimiter=%F4%8F%BF%BF").await.refused(400, "BadArgument");
}

/// The bucket keeps versions from now on.
async fn keep_versions(house: &House) {
    house.put("/b").context().header("Policy-Versioning", "enabled").await.is(201);
}

async fn versions_and_markers_are_listed_the_newest_first(house: &mut House) {
    keep_versions(house).await;
    let first = house.post("/b/o").body("1").await.is(201).etag();
    let second = house.post("/b/o").body("22").await.is(201).etag();
    store(house, &["a"]).await;
    let gone = house.post("/b/p").body("333").await.is(201).etag();
    let marker = house.delete("/b/p").await.is(200);
    let marker = marker.need("castor-system-delete-marker-etag").trim_matches('"').to_owned();
    let plain = house.get("/b?format=json").await.is(200).json();
    assert_eq!(names(&plain), ["a", "o"], "a marker is no object");
    let all = house.get("/b?format=json&versions").await.is(200);
    assert_eq!((all.need("castor-object-count"), all.need("castor-bytes-used")), ("5", "7"));
    let all = all.json();
    assert_eq!(names(&all), ["a", "o", "o", "p", "p"]);
    assert_eq!(column(&all, "version")[1..], [json!(second), json!(first), json!(marker), json!(gone)]);
    assert_eq!(column(&all, "hash"), column(&all, "version"));
    assert_eq!(column(&all, "bytes"), [json!(1), json!(2), json!(1), json!(0), json!(3)]);
    let flags = |name: &str| {
        column(&all, name).iter().map(|flag| flag.as_bool().expect("a flag")).collect::<Vec<_>>()
    };
    assert_eq!(flags("is_latest"), [true, true, false, true, false]);
    assert_eq!(flags("delete_marker"), [false, false, false, true, false]);
    let some = house.get("/b?format=json&versions=yes&prefix=p&fields=name,delete_marker").await.is(200);
    assert_eq!(
        some.json(),
        json!([{"name": "p", "delete_marker": true}, {"name": "p", "delete_marker": false}])
    );
    house.put("/b").context().header("Policy-Versioning", "disabled").await.is(201);
    let left = house.get("/b?format=json&versions").await.is(200).json();
    assert_eq!(names(&left), ["a", "o"], "history is being erased and shows no more");
}

async fn versions_are_paged_by_name_and_version(house: &mut House) {
    keep_versions(house).await;
    for _ in 0..3 {
        store(house, &["a", "b", "c/d"]).await;
    }
    house.delete("/b/b").await.is(200);
    let whole = column(&house.get("/b?format=json&versions").await.is(200).json(), "version");
    assert_eq!(whole.len(), 10);
    for size in [1, 2, 3, 10] {
        let (mut seen, mut behind) = (Vec::new(), String::new());
        loop {
            let page =
                house.get(&format!("/b?format=json&versions&size={size}{behind}")).await.is(200).json();
            let Some(last) = page.as_array().expect("rows").last() else { break };
            let text = |field: &str| last[field].as_str().expect("a text").to_owned();
            behind = format!("&marker={}&marker-version={}", text("name"), text("version"));
            seen.extend(column(&page, "version"));
        }
        assert_eq!(seen, whole, "by {size}");
    }
    assert_eq!(listed(house, "versions&marker=b").await, ["c/d", "c/d", "c/d"], "behind all of the name");
    house.get("/b?format=json&versions&size=2000").await.is(200);
    house.get("/b?format=json&versions&size=2001").await.refused(400, "BadArgument");
    let of_a = whole[0].as_str().expect("an id");
    for arguments in [
        &format!("versions&marker=b&marker-version={of_a}"),
        "versions&marker=a&marker-version=0123456789abcdef0123456789abcdef",
        "versions&marker=a&marker-version=none",
        &format!("versions&marker-version={of_a}"),
        &format!("marker=a&marker-version={of_a}"),
    ] {
        let refused = house.get(&format!("/b?format=json&{arguments}")).await.refused(400, "BadArgument");
        assert!(refused.text().contains("marker-version"), "{}", refused.text());
    }
}

async fn domains_list_their_buckets(house: &mut House) {
    for name in ["a", "c", "ca"] {
        house.post(&format!("/{name}")).context().await.is(201);
    }
    house.post("/").body("unnamed").await.is(201);
    house.post("/other?domain=barrow.local").context().await.is(201);
    let listed = house.get("/?format=json").await.is(200);
    assert_eq!((listed.need("castor-object-count"), listed.need("castor-bytes-used")), ("1", "7"));
    let listed = listed.json();
    assert_eq!(names(&listed), ["a", "b", "c", "ca"], "neither hidden nor another domain's");
    assert_eq!(listed[1]["uuid"], house.bu.to_string());
    assert_eq!(names(&house.get("/?format=json&size=2&marker=a").await.json()), ["b", "c"]);
    assert_eq!(names(&house.get("/?format=json&prefix=c").await.json()), ["c", "ca"]);
    assert_eq!(
        names(&house.get("/?format=json&stype=Bucket&sort=name:desc&size=2").await.json()),
        ["ca", "c"]
    );
    assert_eq!(names(&house.get("/?format=json&domain=barrow.local").await.json()), ["other"]);
    house.get("/?format=json&domain=none.example").await.refused(404, "NotFound");
    house.delete("/c?recursive").await.is(200);
    assert_eq!(names(&house.get("/?format=json").await.json()), ["a", "b", "ca"]);
}

async fn buckets_are_grouped_too(house: &mut House) {
    for name in ["logs-1", "logs-2", "x"] {
        house.post(&format!("/{name}")).context().await.is(201);
    }
    let page = house.get("/?format=json&delimiter=-").await.is(200).json();
    assert_eq!(names(&page), ["b", "logs-", "x"]);
    assert_eq!(page[1], json!({"name": "logs-", "subdir": true}));
    assert_eq!(names(&house.get("/?format=json&delimiter=-&size=1&marker=logs-").await.json()), ["x"]);
}

async fn domains_list_what_has_no_name(house: &mut House) {
    let uuid = |answer: &Answer| answer.need("content-uuid").to_owned();
    let mut unnamed = Vec::new();
    for _ in 0..3 {
        unnamed.push(uuid(&house.post("/").body("x").await.is(201)));
    }
    unnamed.sort();
    let alias = uuid(&house.post("/?alias").body("y").await.is(201));
    let listed = async |arguments: &str| {
        let page = house.get(&format!("/?format=json&fields=name&{arguments}")).await.is(200).json();
        names(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed("stype=unnamed").await, unnamed);
    assert_eq!(listed("stype=unnamed&size=1&sort=name:desc").await, unnamed[2..]);
    assert_eq!(listed(&format!("stype=unnamed&size=2&marker={}", unnamed[0])).await, unnamed[1..]);
    assert_eq!(listed("stype=alias").await, std::slice::from_ref(&alias));
    let mut all = [unnamed.clone(), vec![alias, "b".to_owned()]].concat();
    all.sort();
    assert_eq!(listed("stype=all").await, all);
    let (mut paged, mut marker) = (Vec::new(), String::new());
    while let Some(name) = listed(&format!("stype=all&size=1&marker={marker}")).await.first() {
        marker.clone_from(name);
        paged.push(name.clone());
    }
    assert_eq!(paged, all);
    house.delete(&format!("/{}", unnamed[0])).await.is(200);
    assert_eq!(listed("stype=unnamed").await, unnamed[1..]);
    for arguments in ["stype=named", "stype=unnamed&delimiter=a", "versions", "versions&stype=alias"] {
        house.get(&format!("/?format=json&{arguments}")).await.refused(400, "BadArgument");
    }
    for kind in ["bucket", "unnamed", "alias"] {
        house.get(&format!("/b?format=json&stype={kind}")).await.refused(400, "BadArgument");
    }
    let refused = house.get("/?format=json&domain=").await.is(400);
    assert_eq!(refused.token(), "BadName", "what lies in no domain: there is nothing like it");
}

async fn the_cluster_lists_its_domains(house: &mut House) {
    house.post("/?domain=e.example").context().await.is(201);
    let page = house.get("/?format=json&domains").await.is(200).json();
    assert_eq!(names(&page), ["barrow.local", "d.example", "e.example"]);
    assert_eq!(page[1]["uuid"], house.du.to_string());
    assert_eq!(names(&house.get("/?format=json&domains&prefix=D").await.json()), ["d.example"]);
    assert_eq!(
        names(&house.get("/?format=json&domains&size=1&marker=d.example").await.json()),
        ["e.example"]
    );
    house.delete("/?domain=e.example&recursive").await.is(200);
    assert_eq!(names(&house.get("/?format=json&domains").await.json()), ["barrow.local", "d.example"]);
    house.get("/b?format=json&domains").await.refused(400, "BadArgument");
}

async fn a_context_is_found_by_argument_too(house: &mut House) {
    store(house, &["a", "c"]).await;
    let wanted = house.get("/b?format=json").await.is(200).json();
    for context in ["context=b", "context=d.example/b", "context=D.example/b&domain=d.example"] {
        assert_eq!(house.get(&format!("/?format=json&{context}")).await.is(200).json(), wanted, "{context}");
    }
    let by_id = format!("/?format=json&contextid={}", house.bu);
    assert_eq!(house.get(&by_id).await.is(200).json(), wanted);
    assert_eq!(names(&house.get(&format!("{by_id}&marker=a&versions")).await.is(200).json()), ["c"]);
    let domain = house.get(&format!("/?format=json&contextid={}", house.du)).await.is(200).json();
    assert_eq!(names(&domain), ["b"]);
    house.get("/?format=json&context=none").await.refused(404, "NotFound");
    house.get("/?format=json&context=none.example/b").await.refused(404, "NotFound");
    house.get(&format!("/?format=json&contextid={}", ContainerId::random())).await.refused(404, "NotFound");
    for bad in
        ["context=b*", "context=%3E=b", "context%3C=b", "context=", "context=d.example/", "contextid=b"]
    {
        let refused = house.get(&format!("/?format=json&{bad}")).await.refused(400, "BadArgument");
        assert!(refused.text().contains("context"), "{}", refused.text());
    }
    house.get("/?format=json&context=e.example/b&domain=d.example").await.refused(400, "BadArgument");
    house.get("/b?format=json&context=b").await.refused(400, "BadArgument");
    house.get(&format!("/b?format=json&contextid={}", house.bu)).await.refused(400, "BadArgument");
}

async fn a_removed_context_is_listed_by_its_uuid(house: &mut House) {
    store(house, &["a", "c"]).await;
    house.delete("/b?recursive").await.is(200);
    let target = format!("/?format=json&contextid={}", house.bu);
    let listed = house.get(&target).await.is(200);
    assert_eq!(names(&listed.json()), ["a", "c"]);
    house.delete("/?domain=d.example&recursive").await.is(200);
    assert_eq!(names(&house.get(&target).await.is(200).json()), ["a", "c"]);
    house.get(&format!("/?format=json&contextid={}", house.du)).await.is(200).brings("[]");
    house.advance(GRACE + Duration::from_secs(1));
    house.purge().await;
    house.get(&target).await.refused(404, "NotFound");
}

async fn disk_use_is_told_by_state(house: &mut House) {
    store(house, &["a", "bb", "ccc"]).await;
    house.post("/").body("unnamed").await.is(201);
    house.delete("/b/ccc").await.is(200);
    let state =
        |state: &str, objects: u32, bytes: u32| json!({"state": state, "objects": objects, "bytes": bytes});
    for size in ["", "&size=0"] {
        let of_bucket = house.get(&format!("/b?format=json&du{size}")).await.is(200);
        assert_eq!(of_bucket.json(), json!([state("live", 2, 3), state("removed", 1, 3)]));
        assert_eq!((of_bucket.need("castor-object-count"), of_bucket.need("castor-bytes-used")), ("2", "3"));
    }
    let of_domain = house.get("/?format=json&du").await.is(200).json();
    assert_eq!(of_domain, json!([state("live", 3, 10), state("removed", 1, 3)]));
    house.delete("/b?recursive").await.is(200);
    let of_domain = house.get("/?format=json&du").await.is(200).json();
    assert_eq!(of_domain, json!([state("live", 1, 7), state("removed", 3, 6)]), "by the effective state");
    let of_removed = house.get(&format!("/?format=json&du&contextid={}", house.bu)).await.is(200).json();
    assert_eq!(of_removed, json!([state("live", 0, 0), state("removed", 3, 6)]));
    for arguments in ["du&size=1", "du&prefix=a", "du&delimiter=/", "du&versions", "du&fields=name", "size=0"]
    {
        house.get(&format!("/?format=json&{arguments}")).await.refused(400, "BadArgument");
    }
}

async fn deleted_contexts_are_listed_for_administrators(house: &mut House) {
    store(house, &["a", "bb"]).await;
    assert_eq!(house.get("/?format=json&deleted&admin").await.is(200).text(), "[]");
    house.delete("/b?recursive").await.is(200);
    let (gone, due) = (house.now(), house.now().plus(GRACE));
    let deleted = house.get("/?format=json&deleted&admin").await.is(200).json();
    assert_eq!(
        deleted,
        json!([{
            "name": "b",
            "kind": "bucket",
            "uuid": house.bu.to_string(),
            "parent": house.du.to_string(),
            "deleted_at": gone.to_rfc3339(),
            "deleted_by": "anonymous",
            "purge_after": due.to_rfc3339(),
            "objects": 2,
            "bytes": 3,
            "state": "removed",
        }])
    );
    assert_eq!(house.bucket(house.bu).await.state, State::Removed);
    house.advance(Duration::from_secs(1));
    let other = house.post("/?domain=e.example").context().await.is(201).alias();
    house.delete("/?domain=e.example&recursive").await.is(200);
    let deleted = house.get("/?format=json&deleted&admin").await.is(200).json();
    assert_eq!(names(&deleted), ["e.example", "b"], "the last first");
    assert_eq!((&deleted[0]["kind"], &deleted[0]["parent"]), (&json!("domain"), &json!("f".repeat(32))));
    let page = async |arguments: &str| {
        house.get(&format!("/?format=json&deleted&admin&{arguments}")).await.is(200).json()
    };
    assert_eq!(names(&page("size=1").await), ["e.example"]);
    assert_eq!(names(&page(&format!("size=1&marker={other}")).await), ["b"]);
    assert!(names(&page(&format!("marker={}", house.bu)).await).is_empty());
    assert_eq!(names(&page("prefix=e").await), ["e.example"]);
    assert_eq!(names(&page("domain=d.example").await), ["b"]);
    for arguments in
        ["sort=name", "fields=name", "delimiter=/", "stype=bucket", "versions", "marker=b", "size=0"]
    {
        house.get(&format!("/?format=json&deleted&admin&{arguments}")).await.refused(400, "BadArgument");
    }
    house.get("/?format=json&deleted").await.refused(400, "BadArgument");
    house.get("/b?format=json&deleted&admin").await.refused(400, "BadArgument");
    house.post(&format!("/b?recreatecid={}&admin", house.bu)).context().await.is(201);
    assert_eq!(names(&page("").await), ["e.example"], "what was restored is deleted no more");
    house.advance(GRACE);
    house.purge().await;
    assert_eq!(page("").await, json!([]), "nor is what is gone");
}

async fn listings_for_administrators_are_for_nobody_else(house: &mut House) {
    store(house, &["a"]).await;
    house.delete("/b/a").await.is(200);
    let reader = house.key(&[Right::Read, Right::Remove, Right::Restore]).await;
    let of_domain = house.scoped_key(&[Right::Admin], Some(house.du), None).await;
    let of_bucket = house.scoped_key(&[Right::Read], Some(house.du), Some(house.bu)).await;
    let by_id = format!("/?format=json&contextid={}", house.bu);
    house.let_in(Anonymous::None).await;
    for target in ["/?format=json&domains", "/?format=json&deleted&admin", &by_id] {
        house.get(target).await.refused(401, "Unauthorized");
        house.get(target).key(&reader).await.refused(403, "Forbidden");
        house.get(target).key(&of_domain).await.refused(403, "Forbidden");
    }
    house.get("/?format=json&deleted&admin&domain=d.example").key(&of_domain).await.is(200).brings("[]");
    for target in ["/b?format=json", "/b?format=xml&versions", "/b?format=json&du", "/?format=json&context=b"]
    {
        house.get(target).await.refused(401, "Unauthorized");
        house.get(target).key(&of_bucket).await.is(200);
    }
    for target in ["/?format=json", "/?format=json&du", "/?format=json&stype=unnamed"] {
        house.get(target).key(&of_bucket).await.refused(403, "Forbidden");
        house.get(target).key(&reader).await.is(200);
    }
}

async fn what_cannot_be_listed_is_refused_and_named(house: &mut House) {
    store(house, &["a"]).await;
    let before =
        house.metadata().version(house.head("/b/a").await.is(200).etag().parse().expect("an id")).await;
    for (arguments, names) in [
        ("format=yaml", "format"),
        ("format", "format"),
        ("format=json&x-a-meta-k=v", "x-a-meta-k"),
        ("format=json&X-A-Meta-K=v*", "x-a-meta-k"),
        ("format=json&decorates=0123456789abcdef0123456789abcdef", "decorates"),
        ("format=json&versions=perhaps", "versions"),
        ("format=json&versions&domains", "versions"),
        ("format=json&stype=tenant", "stype"),
        ("format=json&fields=,", "fields"),
        ("format=json&marker=%ff", "UTF-8"),
    ] {
        for target in ["/b", "/"] {
            let refused = house.get(&format!("{target}?{arguments}")).await.refused(400, "BadArgument");
            assert!(refused.text().contains(names), "{arguments}: {}", refused.text());
        }
    }
    house.get("/b?format=json&colour=red").await.is(200);
    let after =
        house.metadata().version(house.head("/b/a").await.is(200).etag().parse().expect("an id")).await;
    assert_eq!(format!("{before:?}"), format!("{after:?}"), "nothing changed");
}
