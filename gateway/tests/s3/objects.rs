//! Objects: every name, every header that describes them, every size; what a write is refused for.

use crate::calls::{content_md5, etag, pattern, rows};
use crate::client::{Answer, Framing};
use crate::house::{House, WITNESS};
use crate::sign::{STREAMING_UNSIGNED_TRAILER, encoded};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway::Anonymous;
use lifecycle::Clock;
use percent_encoding::percent_decode_str;
use std::collections::BTreeSet;

crate::on_both_engines!(
    every_name_names_an_object_of_its_own,
    every_size_is_stored_and_read_back,
    a_later_write_takes_the_place_of_an_earlier_one,
    what_describes_the_content_is_kept,
    what_describes_the_content_goes_with_an_overwrite,
    metadata_is_two_kilobytes_at_most,
    metadata_of_one_name_is_one_value,
    metadata_in_other_scripts_comes_back_as_a_header_can_carry_it,
    the_framing_of_a_body_is_not_its_coding,
    an_answer_says_what_the_request_wants_of_its_headers,
    nobody_wants_an_answer_to_say_anything_else,
    a_head_says_what_a_get_says,
    errors_of_a_head_have_no_body,
    a_body_that_is_not_what_its_digest_says_is_not_stored,
    a_digest_that_is_none_is_refused,
    a_body_says_how_long_it_is,
    a_client_may_wait_to_be_told_to_go_on,
    errors_say_what_they_are_about,
    writers_at_once_leave_one_of_their_objects,
);

/// Names of all kinds.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "a",
        "a/",
        "a//b",
        "//",
        "/",
        "/a",
        "//a",
        "a/b/",
        ".",
        "..",
        "./a",
        "../a",
        "a/.",
        "a/..",
        "a/./b",
        "a/../b",
        "%2F",
        "a%2Fb",
        "%",
        "%%",
        "%zz",
        "a+b",
        "a b",
        " a",
        "a ",
        " ",
        "+",
        "a?b",
        "a#b",
        "a&b=c",
        "a;b",
        "a:b",
        "a,b",
        "a=b",
        "a@b",
        "a$b",
        "a!b",
        "a'b",
        "a\"b",
        "a<b>c",
        "a\\b",
        "a|b",
        "a*b",
        "a~b",
        "a^b",
        "a`b",
        "{a}",
        "[a]",
        "(a)",
        "ü",
        "u\u{308}",
        "日本語",
        "\u{1F980}",
        "a\u{1F980}/\u{10FFFF}",
        "\u{FFFD}",
        "\u{200B}",
        "\u{7F}",
        "\u{1}",
        "a\u{1F}b",
        "a\tb",
        "a\nb",
        "a\rb",
        "\u{85}",
        "A",
        "soap",
        "null",
        "?versionId=x",
        "acl",
        "uploads",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(1_024));
    names.push("ü".repeat(512));
    names.push("\u{1F980}".repeat(256));
    names.push(format!("{}/", "d/".repeat(511)));
    names
}

async fn every_name_names_an_object_of_its_own(house: &mut House) {
    let names = names();
    let target = |name: &str| format!("/bucket/{}", encoded(name.as_bytes(), false));
    for name in &names {
        house.put(&target(name)).body(name.as_bytes()).await.is(200);
    }
    for name in &names {
        house.get(&target(name)).await.is(200).brings(name.as_bytes());
        assert_eq!(house.head(&target(name)).await.is(200).need("etag"), etag(name), "{name:?}");
        // However much of it is encoded.
        let all: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        house.get(&format!("/bucket/{all}")).await.is(200).brings(name.as_bytes());
    }
    let listed = house.get("/bucket?list-type=2&encoding-type=url").await.is(200);
    let decode = |name: &String| percent_decode_str(name).decode_utf8().expect("text").into_owned();
    let is: Vec<String> = listed.all("Key").iter().map(decode).collect();
    let expected: BTreeSet<&String> = names.iter().collect();
    assert_eq!(is.iter().collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
    for name in &names {
        house.delete(&target(name)).await.is(204);
        house.head(&target(name)).await.is(404);
    }
    assert_eq!(house.get("/bucket?list-type=2").await.find("KeyCount").as_deref(), Some("0"));
    let long = "x".repeat(1_025);
    house.put(&target(&long)).body("x").await.refused(400, "KeyTooLongError");
    house.get(&target(&long)).await.refused(400, "KeyTooLongError");
}

async fn every_size_is_stored_and_read_back(house: &mut House) {
    const INLINE: usize = 16 << 10;
    for size in [0, 1, INLINE - 1, INLINE, INLINE + 1, 100_000, 5 << 20] {
        let bytes = pattern(size);
        let put = house.put("/bucket/key").body(bytes.clone()).await.is(200).brings("");
        assert_eq!(put.need("etag"), etag(&bytes));
        let read = house.get("/bucket/key").await.is(200).brings(&bytes);
        assert_eq!(read.need("etag"), etag(&bytes));
        assert_eq!(read.need("content-length"), size.to_string());
        assert_eq!(read.need("accept-ranges"), "bytes");
        assert_eq!(read.need("content-type"), "binary/octet-stream");
        assert_eq!(read.need("last-modified"), house.world.clock().now().to_http_date());
        assert_eq!(read.header("x-amz-version-id"), None, "a bucket that never had versions tells of none");
        let listed = house.get("/bucket?list-type=2").await.is(200);
        assert_eq!(listed.find("Size"), Some(size.to_string()));
        assert_eq!(listed.find("ETag"), Some(etag(&bytes)));
    }
}

async fn a_later_write_takes_the_place_of_an_earlier_one(house: &mut House) {
    for bytes in [pattern(10), pattern(40_000), pattern(0), pattern(20_000), b"last".to_vec()] {
        house.put("/bucket/key").body(bytes.clone()).await.is(200);
        house.get("/bucket/key").await.is(200).brings(&bytes);
        let listed = house.get("/bucket?list-type=2").await.is(200);
        assert_eq!(listed.find("KeyCount").as_deref(), Some("1"));
    }
}

const DESCRIPTION: [(&str, &str); 8] = [
    ("cache-control", "max-age=60, public"),
    ("content-disposition", "attachment; filename=\"a b.txt\""),
    ("content-encoding", "gzip"),
    ("content-language", "de, en"),
    ("content-type", "text/plain; charset=utf-8"),
    ("expires", "Thu, 01 Dec 2044 16:00:00 GMT"),
    ("x-amz-meta-colour", "blue"),
    ("x-amz-website-redirect-location", "/elsewhere"),
];

async fn what_describes_the_content_is_kept(house: &mut House) {
    let mut put = house.put("/bucket/key").body("bytes");
    for (name, value) in DESCRIPTION {
        put = put.header(name, value);
    }
    put.header("X-Amz-Meta-Upper-Case", "Kept As It Is").header("x-amz-meta-empty", "").await.is(200);
    for answer in [house.get("/bucket/key").await.is(200), house.head("/bucket/key").await.is(200)] {
        for (name, value) in DESCRIPTION {
            assert_eq!(answer.need(name), value);
        }
        assert_eq!(answer.need("x-amz-meta-upper-case"), "Kept As It Is");
        assert_eq!(answer.need("x-amz-meta-empty"), "");
    }
    // An Expires that is no date is nobody's business here.
    house.put("/bucket/key").header("expires", "0").body("x").await.is(200);
    assert_eq!(house.head("/bucket/key").await.is(200).need("expires"), "0");
}

async fn what_describes_the_content_goes_with_an_overwrite(house: &mut House) {
    let put = house.put("/bucket/key").header("content-type", "text/plain").header("x-amz-meta-a", "1");
    put.header("x-amz-tagging", "a=b").body("one").await.is(200);
    house.put("/bucket/key").body("two").await.is(200);
    let read = house.get("/bucket/key").await.is(200).brings("two");
    assert_eq!(read.need("content-type"), "binary/octet-stream");
    assert_eq!((read.header("x-amz-meta-a"), read.header("x-amz-tagging-count")), (None, None));
}

async fn metadata_is_two_kilobytes_at_most(house: &mut House) {
    let put = |name: &str, size: usize| {
        house.put("/bucket/key").header(&format!("x-amz-meta-{name}"), "v".repeat(size)).body("bytes")
    };
    put("k", 2_047).await.is(200);
    assert_eq!(house.head("/bucket/key").await.need("x-amz-meta-k").len(), 2_047);
    house.delete("/bucket/key").await.is(204);
    put("k", 2_048).await.refused(400, "MetadataTooLarge");
    put("longer-name", 2_040).await.refused(400, "MetadataTooLarge");
    // All together.
    put("a", 1_024).header("x-amz-meta-b", "v".repeat(1_024)).await.refused(400, "MetadataTooLarge");
    let begun = house.post("/bucket/key?uploads").header("x-amz-meta-k", "v".repeat(2_048));
    begun.await.refused(400, "MetadataTooLarge");
    house.head("/bucket/key").await.is(404);
}

async fn metadata_of_one_name_is_one_value(house: &mut House) {
    let put = house.put("/bucket/key").header("x-amz-meta-list", "one").header("X-Amz-Meta-List", "two");
    put.body("bytes").await.is(200);
    assert_eq!(house.head("/bucket/key").await.is(200).need("x-amz-meta-list"), "one,two");
}

async fn metadata_in_other_scripts_comes_back_as_a_header_can_carry_it(house: &mut House) {
    let base64 = |text: &str| format!("=?UTF-8?B?{}?=", STANDARD.encode(text));
    for text in ["grün", "日本語", "\u{1F980}", "ascii and ü"] {
        house.put("/bucket/key").header("x-amz-meta-text", text).body("bytes").await.is(200);
        assert_eq!(house.head("/bucket/key").await.need("x-amz-meta-text"), base64(text), "{text}");
        // Sent in that form, it is the same text.
        house.put("/bucket/key").header("x-amz-meta-text", base64(text)).body("bytes").await.is(200);
        assert_eq!(house.head("/bucket/key").await.need("x-amz-meta-text"), base64(text), "{text}");
        let quoted: String = text.bytes().map(|byte| format!("={byte:02X}")).collect();
        let put = house.put("/bucket/key").header("x-amz-meta-text", format!("=?UTF-8?Q?{quoted}?="));
        put.body("bytes").await.is(200);
        let is = house.head("/bucket/key").await.need("x-amz-meta-text").to_owned();
        assert!(is == base64(text) || is == format!("=?UTF-8?Q?{quoted}?="), "{text}: {is}");
    }
}

async fn the_framing_of_a_body_is_not_its_coding(house: &mut House) {
    for (coding, kept) in [
        ("aws-chunked", None),
        ("gzip,aws-chunked", Some("gzip")),
        ("aws-chunked,gzip", Some("gzip")),
        ("aws-chunked, br", Some("br")),
    ] {
        let put = house
            .put("/bucket/key")
            .chunks(STREAMING_UNSIGNED_TRAILER, [b"123456789".as_slice()])
            .trailer("x-amz-checksum-crc32", "y/Q5Jg==")
            .header("Content-Encoding", coding);
        put.await.is(200);
        let read = house.get("/bucket/key").await.is(200).brings("123456789");
        assert_eq!(read.header("content-encoding"), kept, "{coding}");
    }
}

const OVERRIDES: [(&str, &str, &str); 6] = [
    ("response-content-type", "content-type", "text/html"),
    ("response-content-language", "content-language", "fr"),
    ("response-expires", "expires", "Thu, 01 Dec 2044 16:00:00 GMT"),
    ("response-cache-control", "cache-control", "no-cache"),
    ("response-content-disposition", "content-disposition", "attachment; filename=\"grün+1.txt\""),
    ("response-content-encoding", "content-encoding", "br"),
];

async fn an_answer_says_what_the_request_wants_of_its_headers(house: &mut House) {
    let put =
        house.put("/bucket/key").header("content-type", "text/plain").header("cache-control", "max-age=1");
    put.body("bytes").await.is(200);
    for (argument, header, value) in OVERRIDES {
        let target = format!("/bucket/key?{argument}={}", encoded(value.as_bytes(), true));
        let ascii = value.is_ascii();
        for answer in [
            house.get(&target).await.is(200).brings("bytes"),
            house.head(&target).await.is(200),
            house.get(&target).presigned(std::time::Duration::from_secs(60)).await.is(200).brings("bytes"),
        ] {
            if ascii {
                assert_eq!(answer.need(header), value, "{argument}");
            } else {
                assert!(answer.header(header).is_some(), "{argument}");
            }
        }
    }
    let both = "/bucket/key?response-content-type=a%2Fb&response-cache-control=private";
    let read = house.get(both).header("range", "bytes=1-2").await.is(206).brings("yt");
    assert_eq!((read.need("content-type"), read.need("cache-control")), ("a/b", "private"));
    let plain = house.get("/bucket/key").await.is(200);
    assert_eq!((plain.need("content-type"), plain.need("cache-control")), ("text/plain", "max-age=1"));
}

async fn nobody_wants_an_answer_to_say_anything_else(house: &mut House) {
    house.let_in(Anonymous::Read).await;
    house.get("/other/witness").nobody().await.is(200).brings(WITNESS);
    for (argument, _, _) in OVERRIDES {
        let target = format!("/other/witness?{argument}=x");
        house.get(&target).nobody().await.refused(400, "InvalidRequest");
    }
}

/// What of an answer to a read is the object's.
fn description(answer: &Answer) -> Vec<(String, String)> {
    const OTHER: [&str; 4] = ["date", "x-amz-request-id", "x-amz-id-2", "connection"];
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| !OTHER.contains(&name.as_str()));
    headers.sort();
    headers
}

async fn a_head_says_what_a_get_says(house: &mut House) {
    for size in [0, 5, 40_000] {
        let mut put = house.put("/bucket/key").body(pattern(size)).header("x-amz-tagging", "a=1&b=2");
        for (name, value) in DESCRIPTION {
            put = put.header(name, value);
        }
        put.header("x-amz-sdk-checksum-algorithm", "CRC32")
            .header("x-amz-checksum-crc32", STANDARD.encode(crc(&pattern(size))))
            .await
            .is(200);
        let tag = etag(pattern(size));
        for (name, value) in [
            ("x-none", ""),
            ("x-amz-checksum-mode", "ENABLED"),
            ("range", "bytes=1-2"),
            ("if-none-match", tag.as_str()),
            ("if-match", tag.as_str()),
        ] {
            let get = house.get("/bucket/key").header(name, value).await;
            let head = house.head("/bucket/key").header(name, value).await.brings("");
            assert_eq!(get.status, head.status, "{size} {name}");
            if get.status < 300 {
                assert_eq!(description(&get), description(&head), "{size} {name}");
            }
        }
    }
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes);
    u32::try_from(sum).expect("32 bits").to_be_bytes()
}

async fn errors_of_a_head_have_no_body(house: &mut House) {
    let wrong = crate::client::Key { id: house.key.id.clone(), secret: "wrong".to_owned() };
    for (ask, status) in [
        (house.head("/bucket/none"), 404),
        (house.head("/none/key"), 404),
        (house.head("/none"), 404),
        (house.head("/other/witness").key(&wrong), 403),
        (house.head("/other/witness").nobody(), 403),
        (house.head("/other/witness").header("range", "bytes=1000-"), 416),
        (house.head("/other/witness").header("if-match", "\"x\""), 412),
        (house.head("/other/witness?partNumber=x"), 400),
        (house.head("/other/witness?versionId=x"), 400),
        (house.head(&format!("/other/{}", "x".repeat(1_025))), 400),
    ] {
        let wire = ask.ready();
        // A second request on the same connection would show what stands behind the first answer.
        let next = house.get("/other/witness").ready();
        let mut connection = house.connection().await;
        connection.try_send(&[wire.bytes(false), next.bytes(true)].concat()).await;
        let answers = connection.answers(&[&wire, &next]).await;
        assert_eq!(answers[0].status, status, "{}", wire.target);
        assert_eq!(answers[0].header("transfer-encoding"), None);
        // Behind a wrong signature nothing more is read.
        let more = &answers[1..];
        assert!(more.len() == 1 || (more.is_empty() && status == 403), "{}", wire.target);
        for witness in more {
            witness.clone().is(200).brings(WITNESS);
        }
    }
}

async fn a_body_that_is_not_what_its_digest_says_is_not_stored(house: &mut House) {
    for bytes in [b"small".to_vec(), pattern(40_000)] {
        let put = house.put("/bucket/key").header("Content-MD5", content_md5("other")).body(bytes.clone());
        house.refuses_to_store(put.ready(), 400, "BadDigest").await;
        house.put("/bucket/key").header("Content-MD5", content_md5(&bytes)).body(bytes.clone()).await.is(200);
        house.get("/bucket/key").await.is(200).brings(&bytes);
        // What was there stays.
        let put = house.put("/bucket/key").header("Content-MD5", content_md5("other")).body("other bytes");
        put.await.refused(400, "BadDigest");
        house.get("/bucket/key").await.is(200).brings(&bytes);
        house.delete("/bucket/key").await.is(204);
    }
}

async fn a_digest_that_is_none_is_refused(house: &mut House) {
    let hex = "0123456789abcdef0123456789abcdef";
    let short = STANDARD.encode([0; 15]);
    let long = STANDARD.encode([0; 17]);
    for bad in ["", "x", "not base64!", hex, &short, &long, "1B2M2Y8AsgTpgAmY7PhCfg"] {
        let put = house.put("/bucket/key").header("Content-MD5", bad).body("bytes");
        put.await.refused(400, "InvalidDigest");
    }
    house.stored_nothing().await;
}

async fn a_body_says_how_long_it_is(house: &mut House) {
    let mut wire = house.put("/bucket/key").ready();
    wire.body = Framing::Nothing;
    house.refuses_to_store(wire, 411, "MissingContentLength").await;
    let mut wire = house.put("/bucket/key").claims("UNSIGNED-PAYLOAD").ready();
    wire.body = Framing::Whole(b"4\r\nfour\r\n0\r\n\r\n".to_vec());
    wire.push("Transfer-Encoding", "chunked");
    house.refuses_to_store_with_one_of(wire, &[(411, "MissingContentLength"), (501, "NotImplemented")]).await;
}

async fn a_client_may_wait_to_be_told_to_go_on(house: &mut House) {
    let bytes = pattern(40_000);
    let wire = house.put("/bucket/key").body(bytes.clone()).header("Expect", "100-continue").ready();
    let mut connection = house.connection().await;
    connection.try_send(&wire.head(true)).await;
    let go_on = connection.until("\r\n\r\n").await;
    assert!(go_on.starts_with("HTTP/1.1 100"), "{go_on}");
    connection.try_send(&wire.rendered()).await;
    connection.answers(&[&wire]).await.swap_remove(0).is(200);
    house.get("/bucket/key").await.is(200).brings(&bytes);
    // Who is refused is told before.
    let wire = house.put("/none/key").body(bytes).header("Expect", "100-continue").ready();
    let mut connection = house.connection().await;
    connection.try_send(&wire.head(true)).await;
    let refused = connection.until("\r\n\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 404"), "{refused}");
}

async fn errors_say_what_they_are_about(house: &mut House) {
    let missing = house.get("/bucket/a%20b%3Cc").await.refused(404, "NoSuchKey");
    assert_eq!(missing.find("Key").as_deref(), Some("a b<c"));
    assert_eq!(missing.find("Resource").as_deref(), Some("/bucket/a%20b%3Cc"));
    assert_eq!(missing.find("Message").as_deref(), Some("The specified key does not exist."));
    assert_eq!(missing.find("RequestId").as_deref(), missing.header("x-amz-request-id"));
    for (target, method) in [("/bucket/key?notACall=1", "POST"), ("/", "PUT"), ("/", "DELETE")] {
        let refused = house.ask(method, target).await;
        assert!([400, 405, 501].contains(&refused.status), "{method} {target}: {}", refused.text());
    }
    house.post("/bucket").await.refused(412, "PreconditionFailed");
    house.get("/bucket/key?versionId=nonsense").await.refused(400, "InvalidArgument");
    house.get("/bucket/key?versionId=00000000000000000000000000000001").await.refused(404, "NoSuchVersion");
}

async fn writers_at_once_leave_one_of_their_objects(house: &mut House) {
    let bodies: Vec<Vec<u8>> = (0..24_u8).map(|n| vec![n; if n % 2 == 0 { 100 } else { 20_000 }]).collect();
    let puts = bodies.iter().map(|body| house.put("/bucket/key").body(body.clone()).into_future());
    for answer in futures_util::future::join_all(puts).await {
        answer.is(200);
    }
    let read = house.get("/bucket/key").await.is(200);
    assert!(bodies.contains(&read.body));
    assert_eq!(read.need("etag"), etag(&read.body));
    let listed = house.get("/bucket?versions").await.is(200);
    assert_eq!(rows(&listed, "Version").len(), 1);
}
