//! Tags of objects and buckets.

use crate::calls::{content_md5, etag, tagging, tags, versioning};
use crate::client::Answer;
use crate::house::House;
use lifecycle::Right;

crate::on_both_engines!(
    tags_are_put_read_and_deleted,
    tags_of_a_bucket_are_put_read_and_deleted,
    tags_come_with_the_object,
    tags_of_any_script_and_sign_come_back,
    tags_that_are_none_are_refused,
    tags_in_a_header_that_are_none_are_refused,
    tags_that_are_no_document_are_refused,
    what_is_not_there_has_no_tags,
    tags_do_not_change_the_object,
    tags_are_a_versions_own,
    a_marker_has_no_tags,
    tags_are_for_those_who_may,
    a_document_that_is_not_what_its_digest_says_is_not_taken,
);

/// As they are told: by key.
fn pairs(tags: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> =
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    pairs.sort_unstable();
    pairs
}

async fn put(house: &House, target: &str, tags: &[(&str, &str)]) -> Answer {
    house.put(&format!("{target}?tagging")).body(tagging(tags)).await
}

async fn of(house: &House, target: &str) -> Vec<(String, String)> {
    let answer = house.get(&format!("{target}?tagging")).await.is(200);
    assert!(answer.text().contains("<Tagging") && answer.text().contains("<TagSet"), "{}", answer.text());
    tags(&answer)
}

async fn tags_are_put_read_and_deleted(house: &mut House) {
    house.put("/bucket/key").body("bytes").await.is(200);
    assert!(of(house, "/bucket/key").await.is_empty());
    put(house, "/bucket/key", &[("team", "storage"), ("empty", "")]).await.is(200);
    assert_eq!(of(house, "/bucket/key").await, pairs(&[("team", "storage"), ("empty", "")]));
    assert_eq!(house.head("/bucket/key").await.is(200).need("x-amz-tagging-count"), "2");
    // The new ones take the place of all others.
    put(house, "/bucket/key", &[("one", "1")]).await.is(200);
    assert_eq!(of(house, "/bucket/key").await, pairs(&[("one", "1")]));
    put(house, "/bucket/key", &[]).await.is(200);
    assert!(of(house, "/bucket/key").await.is_empty());
    put(house, "/bucket/key", &[("one", "1")]).await.is(200);
    house.delete("/bucket/key?tagging").await.is(204).brings("");
    assert!(of(house, "/bucket/key").await.is_empty());
    assert_eq!(house.head("/bucket/key").await.is(200).header("x-amz-tagging-count"), None);
    house.delete("/bucket/key?tagging").await.is(204);
    house.get("/bucket/key").await.is(200).brings("bytes");
}

async fn tags_of_a_bucket_are_put_read_and_deleted(house: &mut House) {
    house.get("/bucket?tagging").await.refused(404, "NoSuchTagSet");
    put(house, "/bucket", &[("team", "storage"), ("cost", "42")]).await.is(204).brings("");
    assert_eq!(of(house, "/bucket").await, pairs(&[("team", "storage"), ("cost", "42")]));
    house.get("/other?tagging").await.refused(404, "NoSuchTagSet");
    let fifty: Vec<String> = (0..51).map(|n| format!("k{n:02}")).collect();
    let fifty: Vec<(&str, &str)> = fifty.iter().map(|key| (key.as_str(), "v")).collect();
    let refused = put(house, "/bucket", &fifty).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(of(house, "/bucket").await.len(), 2);
    put(house, "/bucket", &fifty[..50]).await.is(204);
    assert_eq!(of(house, "/bucket").await, pairs(&fifty[..50]));
    house.delete("/bucket?tagging").await.is(204);
    house.get("/bucket?tagging").await.refused(404, "NoSuchTagSet");
    for (target, body) in [
        ("/bucket?tagging", tagging(&[("aws:k", "v")])),
        ("/bucket?tagging", tagging(&[("k", "1"), ("k", "2")])),
    ] {
        house.put(target).body(body).await.refused(400, "InvalidTag");
    }
}

async fn tags_come_with_the_object(house: &mut House) {
    let put = house.put("/bucket/key").header("x-amz-tagging", "a=1&b%20c=d%2Be+f&empty=&bare");
    put.body("bytes").await.is(200);
    let expected = pairs(&[("a", "1"), ("b c", "d+e f"), ("empty", ""), ("bare", "")]);
    assert_eq!(of(house, "/bucket/key").await, expected);
    let get = house.get("/bucket/key").await.is(200).brings("bytes");
    assert_eq!(get.need("x-amz-tagging-count"), "4");
    house.put("/bucket/key").body("bytes").await.is(200);
    assert!(of(house, "/bucket/key").await.is_empty(), "they go with the object that had them");
}

async fn tags_of_any_script_and_sign_come_back(house: &mut House) {
    house.put("/bucket/key").body("bytes").await.is(200);
    let (long_key, long_value) = ("k".repeat(128), "v".repeat(256));
    let wide_key = "ü".repeat(128);
    let all = [
        ("grün", "日本語"),
        ("_.:/=+-@", "+ - = . _ : / @"),
        ("Case", "a"),
        ("case", "b"),
        (" lead", "trail "),
        (long_key.as_str(), long_value.as_str()),
        (wide_key.as_str(), ""),
        ("1", "2"),
    ];
    put(house, "/bucket/key", &all).await.is(200);
    assert_eq!(of(house, "/bucket/key").await, pairs(&all));
}

async fn tags_that_are_none_are_refused(house: &mut House) {
    house.put("/bucket/key").header("x-amz-tagging", "kept=1").body("bytes").await.is(200);
    let eleven: Vec<String> = (0..11).map(|n| format!("k{n}")).collect();
    let eleven: Vec<(&str, &str)> = eleven.iter().map(|key| (key.as_str(), "v")).collect();
    put(house, "/bucket/key", &eleven).await.refused(400, "BadRequest");
    let (long_key, long_value) = ("k".repeat(129), "v".repeat(257));
    for bad in [
        vec![("", "v")],
        vec![(long_key.as_str(), "v")],
        vec![("k", long_value.as_str())],
        vec![("aws:k", "v")],
        vec![("k", "1"), ("k", "2")],
        vec![("k", "<v>")],
        vec![("k!", "v")],
        vec![("k", "\u{1F980}")],
    ] {
        put(house, "/bucket/key", &bad).await.refused(400, "InvalidTag");
    }
    assert_eq!(of(house, "/bucket/key").await, pairs(&[("kept", "1")]));
    put(house, "/bucket/key", &eleven[..10]).await.is(200);
    assert_eq!(of(house, "/bucket/key").await, pairs(&eleven[..10]));
}

async fn tags_in_a_header_that_are_none_are_refused(house: &mut House) {
    let eleven: Vec<String> = (0..11).map(|n| format!("k{n}=v")).collect();
    let (long_key, long_value) = (format!("{}=v", "k".repeat(129)), format!("k={}", "v".repeat(257)));
    for (header, codes) in [
        (eleven.join("&"), &["BadRequest", "InvalidTag"][..]),
        (long_key, &["InvalidTag"]),
        (long_value, &["InvalidTag"]),
        ("=v".to_owned(), &["InvalidArgument"]),
        ("=".to_owned(), &["InvalidArgument"]),
        ("key%".to_owned(), &["InvalidArgument"]),
        ("k=%4".to_owned(), &["InvalidArgument"]),
        ("aws:k=v".to_owned(), &["InvalidTag"]),
        ("k=1&k=2".to_owned(), &["InvalidArgument", "InvalidTag"]),
        ("k=%ff".to_owned(), &["InvalidArgument"]),
    ] {
        for ask in [house.put("/bucket/key").body("bytes"), house.post("/bucket/key?uploads")] {
            let refused = ask.header("x-amz-tagging", &header).await;
            assert!(
                refused.status == 400 && codes.contains(&refused.code().as_str()),
                "{header}: {} {}",
                refused.status,
                refused.text()
            );
        }
    }
    house.stored_nothing().await;
}

async fn tags_that_are_no_document_are_refused(house: &mut House) {
    house.put("/bucket/key").header("x-amz-tagging", "kept=1").body("bytes").await.is(200);
    for bad in [
        "nonsense",
        "<Tagging></Tagging>",
        "<Tagging><TagSet><Tag><Value>v</Value></Tag></TagSet></Tagging>",
        "<Tagging><TagSet>",
        "<Other></Other>",
    ] {
        let refused = house.put("/bucket/key?tagging").body(bad).await;
        let code = refused.code();
        assert!(
            refused.status == 400 && ["MalformedXML", "InvalidTag"].contains(&code.as_str()),
            "{bad}: {}",
            refused.text()
        );
    }
    assert_eq!(of(house, "/bucket/key").await, pairs(&[("kept", "1")]));
}

async fn what_is_not_there_has_no_tags(house: &mut House) {
    house.get("/bucket/none?tagging").await.refused(404, "NoSuchKey");
    put(house, "/bucket/none", &[("k", "v")]).await.refused(404, "NoSuchKey");
    house.delete("/bucket/none?tagging").await.refused(404, "NoSuchKey");
    house
        .get("/bucket/none?tagging&versionId=00000000000000000000000000000001")
        .await
        .refused(404, "NoSuchVersion");
}

async fn tags_do_not_change_the_object(house: &mut House) {
    house.put("/bucket/key").header("x-amz-meta-a", "1").body("bytes").await.is(200);
    let before = house.head("/bucket/key").await.is(200);
    house.advance(std::time::Duration::from_secs(60));
    put(house, "/bucket/key", &[("k", "v")]).await.is(200);
    let after = house.head("/bucket/key").await.is(200);
    for name in ["etag", "last-modified", "content-length", "x-amz-meta-a"] {
        assert_eq!(before.need(name), after.need(name));
    }
    assert_eq!(after.need("etag"), etag("bytes"));
}

async fn tags_are_a_versions_own(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let first = house.put("/bucket/key").header("x-amz-tagging", "n=1").body("one").await.is(200);
    let second = house.put("/bucket/key").header("x-amz-tagging", "n=2").body("two").await.is(200);
    let (first, second) = (first.need("x-amz-version-id"), second.need("x-amz-version-id"));
    let target = |version: &str| format!("/bucket/key?tagging&versionId={version}");
    for (version, n) in [(first, "1"), (second, "2")] {
        let told = house.get(&target(version)).await.is(200);
        assert_eq!((tags(&told), told.need("x-amz-version-id")), (pairs(&[("n", n)]), version));
    }
    assert_eq!(house.get("/bucket/key?tagging").await.is(200).need("x-amz-version-id"), second);
    let put = house.put(&target(first)).body(tagging(&[("n", "one")])).await.is(200);
    assert_eq!(put.need("x-amz-version-id"), first);
    assert_eq!(tags(&house.get(&target(first)).await.is(200)), pairs(&[("n", "one")]));
    assert_eq!(of(house, "/bucket/key").await, pairs(&[("n", "2")]));
    let gone = house.delete(&target(first)).await.is(204);
    assert_eq!(gone.need("x-amz-version-id"), first);
    assert!(tags(&house.get(&target(first)).await.is(200)).is_empty());
    assert_eq!(of(house, "/bucket/key").await, pairs(&[("n", "2")]));
}

async fn a_marker_has_no_tags(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    house.put("/bucket/key").header("x-amz-tagging", "n=1").body("one").await.is(200);
    let marker = house.delete("/bucket/key").await.is(204).need("x-amz-version-id").to_owned();
    for target in ["/bucket/key?tagging".to_owned(), format!("/bucket/key?tagging&versionId={marker}")] {
        for method in ["GET", "PUT", "DELETE"] {
            let ask = house.ask(method, &target);
            let ask = if method == "PUT" { ask.body(tagging(&[("k", "v")])) } else { ask };
            ask.await.refused(405, "MethodNotAllowed");
        }
    }
}

async fn tags_are_for_those_who_may(house: &mut House) {
    house.put("/bucket/key").header("x-amz-tagging", "kept=1").body("bytes").await.is(200);
    let reader = house.key_with(&[Right::Read]).await;
    house.get("/bucket/key?tagging").key(&reader).await.is(200);
    for target in ["/bucket/key?tagging", "/bucket?tagging"] {
        house.put(target).key(&reader).body(tagging(&[("k", "v")])).await.refused(403, "AccessDenied");
        house.delete(target).key(&reader).await.refused(403, "AccessDenied");
    }
    let nothing = house.key_with(&[Right::Delete]).await;
    house.get("/bucket/key?tagging").key(&nothing).await.refused(403, "AccessDenied");
    assert_eq!(of(house, "/bucket/key").await, pairs(&[("kept", "1")]));
}

async fn a_document_that_is_not_what_its_digest_says_is_not_taken(house: &mut House) {
    house.put("/bucket/key").header("x-amz-tagging", "kept=1").body("bytes").await.is(200);
    let document = tagging(&[("k", "v")]);
    for target in ["/bucket/key?tagging", "/bucket?tagging"] {
        let put = || house.put(target).body(document.clone());
        put().header("Content-MD5", content_md5("other")).await.refused(400, "BadDigest");
        put().header("Content-MD5", "nonsense").await.refused(400, "InvalidDigest");
        put().header("x-amz-checksum-crc32", "AAAAAA==").await.refused(400, "BadDigest");
    }
    assert_eq!(of(house, "/bucket/key").await, pairs(&[("kept", "1")]));
    house.get("/bucket?tagging").await.refused(404, "NoSuchTagSet");
    house
        .put("/bucket/key?tagging")
        .header("Content-MD5", content_md5(&document))
        .body(document)
        .await
        .is(200);
    assert_eq!(of(house, "/bucket/key").await, pairs(&[("k", "v")]));
}
