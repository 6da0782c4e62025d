//! Copies: from anywhere to anywhere, with what describes the source or with something else, and never sharing bytes.

use crate::calls::{PART, etag, pattern, put_in_parts, tags, versioning};
use crate::client::Ask;
use crate::house::{House, OBJECT_GRACE, WITNESS};
use crate::sign::encoded;
use lifecycle::{Clock, Right, State};
use std::time::Duration;

crate::on_both_engines!(
    a_copy_brings_bytes_and_description_along,
    a_copy_of_every_size_and_name,
    a_copy_may_be_described_anew,
    a_copy_may_be_tagged_anew,
    a_directive_is_one_of_two_words,
    an_object_is_not_copied_onto_itself_without_a_change,
    an_object_copied_onto_itself_is_described_anew,
    a_source_names_a_bucket_and_a_key,
    a_source_that_is_not_there_is_not_copied,
    a_copy_outlives_its_source,
    a_copy_replaces_what_is_there,
    a_copy_of_an_object_in_parts_is_in_one_piece,
    a_copy_makes_a_version,
    a_copy_needs_reading_there_and_writing_here,
    a_copy_may_be_given_a_checksum,
    the_owner_of_a_source_may_be_expected,
    copies_onto_one_object_at_once_leave_one_of_them,
);

fn copy(house: &House, from: &str, to: &str) -> Ask {
    house.put(to).header("x-amz-copy-source", from)
}

/// A source with all that describes it.
async fn described(house: &House, target: &str, bytes: &[u8]) {
    house
        .put(target)
        .header("content-type", "text/plain")
        .header("cache-control", "max-age=7")
        .header("content-language", "de")
        .header("x-amz-meta-colour", "blue")
        .header("x-amz-tagging", "team=storage")
        .header("x-amz-website-redirect-location", "/elsewhere")
        .body(bytes)
        .await
        .is(200);
}

fn team() -> Vec<(String, String)> {
    vec![("team".to_owned(), "storage".to_owned())]
}

async fn a_copy_brings_bytes_and_description_along(house: &mut House) {
    described(house, "/other/source", b"bytes").await;
    house.advance(Duration::from_secs(5));
    for (from, to) in [
        ("/other/source", "/bucket/copy"),
        ("other/source", "/bucket/copy"),
        ("/other/source", "/other/copy"),
        ("other%2Fsource", "/bucket/copy"),
    ] {
        let copied = copy(house, from, to).await.is(200);
        assert!(copied.text().contains("<CopyObjectResult"), "{}", copied.text());
        assert_eq!(copied.find("ETag"), Some(etag("bytes")));
        assert!(copied.find("LastModified").is_some_and(|time| time.ends_with('Z')));
        assert_eq!(
            (copied.header("x-amz-version-id"), copied.header("x-amz-copy-source-version-id")),
            (None, None)
        );
        let read = house.get(to).await.is(200).brings("bytes");
        for (name, value) in [
            ("content-type", "text/plain"),
            ("cache-control", "max-age=7"),
            ("content-language", "de"),
            ("x-amz-meta-colour", "blue"),
            ("x-amz-tagging-count", "1"),
        ] {
            assert_eq!(read.need(name), value, "{from} {to}");
        }
        assert_eq!(read.header("x-amz-website-redirect-location"), None, "it is not copied");
        assert_eq!(read.need("last-modified"), house.world.clock().now().to_http_date());
        assert_eq!(tags(&house.get(&format!("{to}?tagging")).await.is(200)), team());
        house.delete(to).await.is(204);
    }
}

async fn a_copy_of_every_size_and_name(house: &mut House) {
    for (name, size) in [
        ("plain", 0),
        ("a b", 1),
        ("a+b", 16_384),
        ("a%2Fb", 16_385),
        ("ü/\u{1F980}", 100_000),
        ("/lead//and/../dots/", 7),
        ("q?versionId=x&y#z", 3),
    ] {
        let encoded = encoded(name.as_bytes(), false);
        let bytes = pattern(size);
        house.put(&format!("/other/{encoded}")).body(bytes.clone()).await.is(200);
        let copied = copy(house, &format!("/other/{encoded}"), &format!("/bucket/{encoded}")).await.is(200);
        assert_eq!(copied.find("ETag"), Some(etag(&bytes)));
        house.get(&format!("/bucket/{encoded}")).await.is(200).brings(&bytes);
    }
}

async fn a_copy_may_be_described_anew(house: &mut House) {
    described(house, "/other/source", b"bytes").await;
    let anew = copy(house, "/other/source", "/bucket/copy").header("x-amz-metadata-directive", "REPLACE");
    anew.header("content-language", "fr").header("x-amz-meta-shape", "round").await.is(200);
    let read = house.get("/bucket/copy").await.is(200).brings("bytes");
    assert_eq!((read.need("content-language"), read.need("x-amz-meta-shape")), ("fr", "round"));
    assert_eq!(read.need("content-type"), "binary/octet-stream");
    assert_eq!((read.header("x-amz-meta-colour"), read.header("cache-control")), (None, None));
    // The tags have a word of their own.
    assert_eq!(tags(&house.get("/bucket/copy?tagging").await.is(200)), team());
    // Without the word, what the request says of the object does not count.
    let kept = copy(house, "/other/source", "/bucket/copy").header("x-amz-metadata-directive", "COPY");
    kept.header("content-type", "image/png").header("x-amz-meta-shape", "round").await.is(200);
    let read = house.get("/bucket/copy").await.is(200).brings("bytes");
    assert_eq!((read.need("content-type"), read.need("x-amz-meta-colour")), ("text/plain", "blue"));
    assert_eq!(read.header("x-amz-meta-shape"), None);
    let much = copy(house, "/other/source", "/bucket/copy").header("x-amz-metadata-directive", "REPLACE");
    much.header("x-amz-meta-k", "v".repeat(2_048)).await.refused(400, "MetadataTooLarge");
}

async fn a_copy_may_be_tagged_anew(house: &mut House) {
    described(house, "/other/source", b"bytes").await;
    let anew = || copy(house, "/other/source", "/bucket/copy").header("x-amz-tagging-directive", "REPLACE");
    anew().header("x-amz-tagging", "a=1&b=2").await.is(200);
    let told = tags(&house.get("/bucket/copy?tagging").await.is(200));
    assert_eq!(told, [("a", "1"), ("b", "2")].map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(house.head("/bucket/copy").await.is(200).need("x-amz-meta-colour"), "blue");
    anew().await.is(200);
    assert!(tags(&house.get("/bucket/copy?tagging").await.is(200)).is_empty());
    let eleven: Vec<String> = (0..11).map(|n| format!("k{n}=v")).collect();
    let refused = anew().header("x-amz-tagging", eleven.join("&")).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
}

async fn a_directive_is_one_of_two_words(house: &mut House) {
    for name in ["x-amz-metadata-directive", "x-amz-tagging-directive"] {
        for word in ["copy", "Replace", "MERGE"] {
            copy(house, "/other/witness", "/bucket/copy")
                .header(name, word)
                .await
                .refused(400, "InvalidArgument");
        }
    }
    house.head("/bucket/copy").await.is(404);
}

async fn an_object_is_not_copied_onto_itself_without_a_change(house: &mut House) {
    copy(house, "/other/witness", "/other/witness").await.refused(400, "InvalidRequest");
    let named = copy(house, "/other/witness", "/other/witness").header("x-amz-metadata-directive", "COPY");
    named.await.refused(400, "InvalidRequest");
    house.get("/other/witness").await.is(200).brings(WITNESS);
}

async fn an_object_copied_onto_itself_is_described_anew(house: &mut House) {
    for size in [5, 40_000] {
        let bytes = pattern(size);
        described(house, "/bucket/key", &bytes).await;
        house.advance(Duration::from_secs(5));
        let anew = copy(house, "/bucket/key", "/bucket/key").header("x-amz-metadata-directive", "REPLACE");
        let copied = anew.header("x-amz-meta-shape", "round").await.is(200);
        assert_eq!(copied.find("ETag"), Some(etag(&bytes)));
        let read = house.get("/bucket/key").await.is(200).brings(&bytes);
        assert_eq!((read.need("x-amz-meta-shape"), read.header("x-amz-meta-colour")), ("round", None));
        assert_eq!(read.need("last-modified"), house.world.clock().now().to_http_date());
        assert_eq!(tags(&house.get("/bucket/key?tagging").await.is(200)), team());
    }
    house.purge().await;
    house.get("/bucket/key").await.is(200).brings(pattern(40_000));
}

async fn a_source_names_a_bucket_and_a_key(house: &mut House) {
    for bad in ["", "/", "nonsense", "/bucket", "/bucket/", "//key", "/%ff/key", "/other/%ZZ", "/other/%1"] {
        copy(house, bad, "/bucket/copy").await.refused(400, "InvalidArgument");
    }
    for method in [House::get, House::head, House::delete] {
        let ask = method(house, "/other/witness").header("x-amz-copy-source", "/other/witness");
        ask.await.is(400);
    }
    // Nothing is written instead, as a plain PUT without a body would do.
    house.stored_nothing().await;
}

async fn a_source_that_is_not_there_is_not_copied(house: &mut House) {
    copy(house, "/other/none", "/bucket/copy").await.refused(404, "NoSuchKey");
    copy(house, "/none/key", "/bucket/copy").await.refused(404, "NoSuchBucket");
    copy(house, "/other/witness?versionId=00000000000000000000000000000001", "/bucket/copy")
        .await
        .refused(404, "NoSuchVersion");
    copy(house, "/other/witness?versionId=nonsense", "/bucket/copy").await.refused(400, "InvalidArgument");
    copy(house, "/other/witness", "/none/copy").await.refused(404, "NoSuchBucket");
    house.stored_nothing().await;
}

async fn a_copy_outlives_its_source(house: &mut House) {
    for (name, size) in [("small", 10), ("large", 60_000)] {
        house.put(&format!("/other/{name}")).body(pattern(size)).await.is(200);
        copy(house, &format!("/other/{name}"), &format!("/bucket/{name}")).await.is(200);
        house.delete(&format!("/other/{name}")).await.is(204);
    }
    house.advance(OBJECT_GRACE);
    house.purge().await;
    assert_eq!(house.count(State::Removed).await, 0);
    house.get("/bucket/small").await.is(200).brings(pattern(10));
    house.get("/bucket/large").await.is(200).brings(pattern(60_000));
}

async fn a_copy_replaces_what_is_there(house: &mut House) {
    described(house, "/bucket/copy", b"before").await;
    copy(house, "/other/witness", "/bucket/copy").await.is(200);
    let read = house.get("/bucket/copy").await.is(200).brings(WITNESS);
    assert_eq!((read.header("x-amz-meta-colour"), read.header("x-amz-tagging-count")), (None, None));
    assert_eq!(house.count(State::Removed).await, 1);
}

async fn a_copy_of_an_object_in_parts_is_in_one_piece(house: &mut House) {
    let whole = pattern(PART + 100);
    put_in_parts(house, "/other/source", &[&whole[..PART], &whole[PART..]]).await;
    let copied = copy(house, "/other/source", "/bucket/copy").await.is(200);
    assert_eq!(copied.find("ETag"), Some(etag(&whole)));
    let read = house.get("/bucket/copy").await.is(200).brings(&whole);
    assert_eq!(read.need("etag"), etag(&whole));
    house.get("/bucket/copy?partNumber=2").await.refused(416, "InvalidPartNumber");
    // Onto itself, what is told of it is what it has.
    let anew = copy(house, "/other/source", "/other/source").header("x-amz-metadata-directive", "REPLACE");
    let copied = anew.header("x-amz-meta-a", "1").await.is(200);
    let read = house.get("/other/source").await.is(200).brings(&whole);
    assert_eq!(copied.find("ETag").as_deref(), read.header("etag"));
    assert_eq!(read.need("x-amz-meta-a"), "1");
}

async fn a_copy_makes_a_version(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let first = copy(house, "/other/witness", "/bucket/copy").await.is(200);
    let second = copy(house, "/bucket/copy", "/bucket/copy").header("x-amz-metadata-directive", "REPLACE");
    let second = second.header("x-amz-meta-a", "1").await.is(200);
    let (first, second_id) = (first.need("x-amz-version-id"), second.need("x-amz-version-id"));
    assert_ne!(first, second_id);
    assert_eq!(second.need("x-amz-copy-source-version-id"), first);
    let old = house.get(&format!("/bucket/copy?versionId={first}")).await.is(200).brings(WITNESS);
    assert_eq!(old.header("x-amz-meta-a"), None);
    let new = house.get("/bucket/copy").await.is(200).brings(WITNESS);
    assert_eq!((new.need("x-amz-meta-a"), new.need("x-amz-version-id")), ("1", second_id));
}

async fn a_copy_needs_reading_there_and_writing_here(house: &mut House) {
    let reader = house.key_with(&[Right::Read]).await;
    let writer = house.key_with(&[Right::Write]).await;
    let both = house.key_with(&[Right::Read, Right::Write]).await;
    for key in [&reader, &writer] {
        copy(house, "/other/witness", "/bucket/copy").key(key).await.refused(403, "AccessDenied");
    }
    copy(house, "/other/none", "/bucket/copy").key(&writer).await.refused(403, "AccessDenied");
    house.head("/bucket/copy").await.is(404);
    copy(house, "/other/witness", "/bucket/copy").key(&both).await.is(200);
    let listed = house.get("/bucket?list-type=2&fetch-owner=true").await.is(200);
    assert_eq!(listed.find("ID"), Some(both.id), "it belongs to whoever copied");
}

async fn a_copy_may_be_given_a_checksum(house: &mut House) {
    house.put("/other/nine").body("123456789").await.is(200);
    let copied =
        copy(house, "/other/nine", "/bucket/copy").header("x-amz-checksum-algorithm", "CRC32").await.is(200);
    assert_eq!(copied.find("ChecksumCRC32").as_deref(), Some("y/Q5Jg=="));
    let read = house.head("/bucket/copy").header("x-amz-checksum-mode", "ENABLED").await.is(200);
    assert_eq!(
        (read.need("x-amz-checksum-crc32"), read.need("x-amz-checksum-type")),
        ("y/Q5Jg==", "FULL_OBJECT")
    );
    // One that the source has goes along.
    let copied = copy(house, "/bucket/copy", "/bucket/again").await.is(200);
    assert_eq!(copied.find("ChecksumCRC32").as_deref(), Some("y/Q5Jg=="));
    let bad = copy(house, "/other/nine", "/bucket/copy").header("x-amz-checksum-algorithm", "MD4");
    bad.await.refused(400, "InvalidRequest");
}

async fn the_owner_of_a_source_may_be_expected(house: &mut House) {
    const OWNER: &str = "x-amz-source-expected-bucket-owner";
    let wrong = copy(house, "/other/witness", "/bucket/copy").header(OWNER, "111122223333");
    wrong.await.refused(403, "AccessDenied");
    house.head("/bucket/copy").await.is(404);
    copy(house, "/other/witness", "/bucket/copy").header(OWNER, &house.key.id).await.is(200);
}

async fn copies_onto_one_object_at_once_leave_one_of_them(house: &mut House) {
    described(house, "/bucket/key", &pattern(20_000)).await;
    let asks = (0..16).map(|n| {
        let anew = copy(house, "/bucket/key", "/bucket/key").header("x-amz-metadata-directive", "REPLACE");
        anew.header("x-amz-meta-n", n.to_string()).into_future()
    });
    let mut done = 0;
    for answer in futures_util::future::join_all(asks).await {
        // Whoever finds the object changed under its hands may be asked to try again.
        assert!([200, 409].contains(&answer.status), "{}", answer.text());
        done += usize::from(answer.status == 200);
    }
    assert!(done > 0);
    let read = house.get("/bucket/key").await.is(200).brings(pattern(20_000));
    assert!(read.need("x-amz-meta-n").parse::<u8>().is_ok_and(|n| n < 16));
    house.purge().await;
    house.get("/bucket/key").await.is(200).brings(pattern(20_000));
}
