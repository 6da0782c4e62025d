//! What went wrong in other stores, one test for each kind: request authentication, the HTTP edge, names and documents.
//! What `payloads` and `authentication` go through form by form stands here once more by its consequence.

use crate::client::{Ask, Framing, Key, Wire};
use crate::house::{House, WITNESS};
use crate::sign::{STREAMING, STREAMING_TRAILER, STREAMING_UNSIGNED_TRAILER, encoded};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt;
use lifecycle::Right;
use md5::{Digest, Md5};
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

crate::on_both_engines!(
    no_form_of_a_body_gets_past_the_signature_on_any_operation,
    chunks_are_verified_on_every_operation_that_takes_an_objects_bytes,
    a_document_is_not_taken_from_a_body_that_is_not_what_was_signed,
    an_unsigned_body_is_held_to_its_checksum_wherever_that_stands,
    the_forms_that_clients_choose_by_themselves_are_taken,
    an_encoded_slash_opens_no_other_bucket,
    an_encoded_slash_is_decoded_once,
    a_presigned_address_is_bound_to_its_host,
    an_unknown_key_and_a_wrong_secret_learn_nothing_of_objects,
    no_secret_and_no_signature_is_logged,
    a_head_of_more_than_32_kib_is_refused,
    metadata_of_more_than_2_kib_is_refused,
    a_body_that_drips_is_given_up_and_its_upload_with_it,
    a_request_too_many_is_told_to_slow_down,
    ambiguous_lengths_are_refused_and_the_connection_closed,
    documents_are_limited_before_they_are_read,
    a_document_with_a_type_declaration_is_malformed,
    a_document_with_entities_of_its_own_is_malformed,
    a_deeply_nested_document_is_malformed_at_once,
    a_document_with_an_unknown_element_is_malformed_and_does_nothing,
    a_document_with_an_element_twice_is_malformed,
    a_document_that_is_cut_or_followed_by_more_is_malformed,
    a_key_in_a_document_is_read_as_xml_reads_it,
    a_key_has_at_most_1024_bytes,
    keys_are_bytes_and_never_paths,
    keys_are_not_normalised_and_list_in_byte_order,
    an_error_never_carries_markup_of_the_clients,
);

const HOUR: Duration = Duration::from_secs(3_600);
const CRC32: &str = "x-amz-checksum-crc32";
const CHUNKED: [&str; 3] = [STREAMING, STREAMING_TRAILER, STREAMING_UNSIGNED_TRAILER];

fn md5(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

/// DeleteObjects.
fn deletion(house: &House, document: &str) -> Ask {
    house.post("/other?delete").header("Content-MD5", md5(document)).body(document)
}

/// Every operation that takes a body, with one in this form that would do something.
async fn operations(house: &House, form: Option<&'static str>) -> Vec<Ask> {
    let begun = house.post("/bucket/part?uploads").await.is(200);
    let upload = begun.find("UploadId").expect("an upload");
    let list = "<Delete><Object><Key>witness</Key></Object></Delete>";
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let parts = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"x\"</ETag></Part></CompleteMultipartUpload>";
    [
        ("PUT", "/bucket/key".to_owned(), "123456789"),
        ("PUT", format!("/bucket/part?partNumber=1&uploadId={upload}"), "123456789"),
        ("POST", "/other?delete".to_owned(), list),
        ("PUT", "/other/witness?tagging".to_owned(), tags),
        ("PUT", "/other?tagging".to_owned(), tags),
        ("PUT", "/other?versioning".to_owned(), versioning),
        ("POST", format!("/bucket/part?uploadId={upload}"), parts),
        ("PUT", "/new-bucket".to_owned(), ""),
    ]
    .map(|(method, target, body)| {
        let ask = house.ask(method, &target);
        match form {
            None => ask.body(body),
            Some(STREAMING) => ask.chunks(STREAMING, [body.as_bytes()]),
            Some(form) => ask.chunks(form, [body.as_bytes()]).trailer(CRC32, "y/Q5Jg=="),
        }
    })
    .to_vec()
}

/// Nothing that [`operations`] would have done was done.
async fn nothing_happened(house: &House) {
    house.get("/other/witness").await.is(200).brings(WITNESS);
    house.get("/other?tagging").await.refused(404, "NoSuchTagSet");
    let tags = house.get("/other/witness?tagging").await.is(200);
    assert_eq!(tags.find("Key"), None, "{}", tags.text());
    assert_eq!(house.get("/other?versioning").await.is(200).find("Status"), None);
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
    house.get("/bucket/part").await.refused(404, "NoSuchKey");
    house.head("/new-bucket").await.is(404);
    let uploads = house.get("/bucket?uploads").await.is(200);
    for upload in uploads.all("UploadId") {
        let parts = house.get(&format!("/bucket/part?uploadId={upload}")).await.is(200);
        assert_eq!(parts.find("PartNumber"), None, "{}", parts.text());
    }
}

/// CVE-2026-40344: one form was forgotten in one handler, and an access key alone was enough to write.
async fn no_form_of_a_body_gets_past_the_signature_on_any_operation(house: &mut House) {
    let thief = Key { id: house.key.id.clone(), secret: "guessed".to_owned() };
    for form in [None, Some(STREAMING), Some(STREAMING_TRAILER), Some(STREAMING_UNSIGNED_TRAILER)] {
        for ask in operations(house, form).await {
            // A document in chunks is refused unread.
            let unread = (501, "NotImplemented");
            let wire = ask.clone().key(&thief).ready();
            house.refuses_with_one_of(wire, &[(403, "SignatureDoesNotMatch"), unread]).await;
            // In the target, with the header of the form beside: signed by nobody who has the secret.
            let wire = ask.clone().key(&thief).presigned(HOUR).ready();
            house.refuses(wire, 403, "SignatureDoesNotMatch").await;
            let mut naked = ask.ready();
            naked.drop_header("Authorization");
            house.refuses_with_one_of(naked, &[(403, "AccessDenied"), unread]).await;
        }
    }
    nothing_happened(house).await;
}

async fn chunks_are_verified_on_every_operation_that_takes_an_objects_bytes(house: &mut House) {
    for form in CHUNKED {
        for ask in operations(house, Some(form)).await.into_iter().take(2) {
            let mut wire = ask.ready();
            wire.chunks()[0].bytes[4] = b'x';
            let answer = wire.send().await;
            let expected =
                if form == STREAMING_UNSIGNED_TRAILER { "BadDigest" } else { "SignatureDoesNotMatch" };
            assert_eq!(answer.code(), expected, "{form}: {}", answer.text());
        }
    }
    nothing_happened(house).await;
}

async fn a_document_is_not_taken_from_a_body_that_is_not_what_was_signed(house: &mut House) {
    for ask in operations(house, None).await.into_iter().skip(2) {
        let document = ask.clone().ready().rendered();
        if document.is_empty() {
            continue;
        }
        // As well-formed as what was signed, and as long.
        let mut wire = ask.clone().body([&document[..], b" "].concat()).ready();
        wire.body = Framing::Whole([&document[..], b"\n"].concat());
        house.refuses(wire, 400, "XAmzContentSHA256Mismatch").await;
        house.refuses(ask.header("Content-MD5", md5("another")).ready(), 400, "BadDigest").await;
    }
    for form in CHUNKED {
        for ask in operations(house, Some(form)).await.into_iter().skip(2).take(4) {
            let mut wire = ask.ready();
            let last = wire.chunks()[0].bytes.len() - 1;
            wire.chunks()[0].bytes[last] = b' ';
            let ways = [
                (403, "SignatureDoesNotMatch"),
                (400, "BadDigest"),
                (400, "MalformedXML"),
                (400, "InvalidRequest"),
                (400, "IncompleteBody"),
                (501, "NotImplemented"),
            ];
            house.refuses_with_one_of(wire, &ways).await;
        }
    }
    nothing_happened(house).await;
}

async fn an_unsigned_body_is_held_to_its_checksum_wherever_that_stands(house: &mut House) {
    let ask = house.put("/bucket/key").chunks(STREAMING_UNSIGNED_TRAILER, [b"four".as_slice()]);
    for (place, value, status, code) in [
        ("x-amz-trailer", CRC32, 400, "MalformedTrailerError"),
        (CRC32, "y/Q5Jg==", 400, "BadDigest"),
        ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=", 400, "BadDigest"),
        ("Content-MD5", "mZ28zTzmbhyTXnjpcl+kJQ==", 400, "BadDigest"),
    ] {
        house.refuses_to_store(ask.clone().header(place, value).ready(), status, code).await;
    }
    // AWS takes one without any checksum as it takes UNSIGNED-PAYLOAD; one may refuse it, but not take less than all.
    let bare = ask.await;
    if bare.status == 200 {
        house.get("/bucket/key").await.is(200).brings("four");
    } else {
        bare.is(400);
        house.stored_nothing().await;
    }
}

/// Clients send checksums and trailers unless they are told not to.
async fn the_forms_that_clients_choose_by_themselves_are_taken(house: &mut House) {
    let nine = b"123456789".as_slice();
    for (name, algorithm, value) in [
        (CRC32, "CRC32", "y/Q5Jg=="),
        ("x-amz-checksum-crc32c", "CRC32C", "4waSgw=="),
        ("x-amz-checksum-crc64nvme", "CRC64NVME", "rosUhgp5mIg="),
        ("x-amz-checksum-sha1", "SHA1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ("x-amz-checksum-sha256", "SHA256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ] {
        let put = || house.put("/bucket/key").header("x-amz-sdk-checksum-algorithm", algorithm);
        for ask in [
            put().body(nine).header(name, value),
            put().unsigned_body(nine).header(name, value),
            put().chunks(STREAMING_TRAILER, [nine]).trailer(name, value),
            put().chunks(STREAMING_UNSIGNED_TRAILER, [nine]).trailer(name, value),
        ] {
            ask.await.is(200);
            let read =
                house.get("/bucket/key").header("x-amz-checksum-mode", "ENABLED").await.is(200).brings(nine);
            assert_eq!(read.header(name), Some(value), "{:?}", read.headers);
        }
        let wrong = put().body("123456780").header(name, value).ready();
        house.refuses(wrong, 400, "BadDigest").await;
        house.get("/bucket/key").await.is(200).brings(nine);
    }
    house.delete("/bucket/key").await.is(204);
}

/// CVE-2026-42882: authorisation saw `%2F`, the handler saw `/`.
async fn an_encoded_slash_opens_no_other_bucket(house: &mut House) {
    let bucket = house.bucket("bucket").await;
    let key = house.made_key(&Right::ALL, |key| key.bucket = Some(bucket)).await;
    for target in [
        "/other/witness",
        "/other%2Fwitness",
        "/other%2fwitness",
        "/%6Fther/witness",
        "/bucket/../other/witness",
        "/bucket/%2E%2E/other/witness",
        "/bucket/..%2Fother%2Fwitness",
        "/bucket%2F..%2Fother%2Fwitness",
        "/bucket/%2E%2E%2Fother%2Fwitness",
        "/bucket/..%252Fother%252Fwitness",
        "/bucket/..\\other\\witness",
        "//other/witness",
        "/./other/witness",
        "/%2Fother/witness",
        "/%2E/other/witness",
        "/bucket/%00/../../other/witness",
        "/bucket;/other/witness",
        "/bucket?/other/witness",
        "/bucket%3F/../other/witness",
    ] {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let answer = house.ask(method, target).key(&key).await;
            assert_ne!(answer.text(), WITNESS, "{method} {target}");
            assert!(answer.status < 500, "{method} {target}: {}", answer.text());
        }
        house.get("/other/witness").await.is(200).brings(WITNESS);
    }
    let listed = house.get("/other?list-type=2").await.is(200);
    assert_eq!(listed.all("Key"), ["witness"]);
}

async fn an_encoded_slash_is_decoded_once(house: &mut House) {
    house.put("/bucket/a%2Fb").body("slash").await.is(200);
    house.get("/bucket/a/b").await.is(200).brings("slash");
    house.put("/bucket/a%252Fb").body("percent").await.is(200);
    house.get("/bucket/a%252Fb").await.is(200).brings("percent");
    house.get("/bucket/a/b").await.is(200).brings("slash");
    let listed = house.get("/bucket?list-type=2").await.is(200);
    assert_eq!(listed.all("Key"), ["a%2Fb", "a/b"]);
    for broken in
        ["/bucket/%", "/bucket/%2", "/bucket/%zz", "/bucket/%ff", "/bucket/%C0%AF", "/bucket/%ED%A0%80"]
    {
        let answer = house.put(broken).body("four").await;
        assert!((400..500).contains(&answer.status), "{broken}: {} {}", answer.status, answer.text());
    }
    for key in ["a%2Fb", "a%252Fb"] {
        house.delete(&format!("/bucket/{key}")).await.is(204);
    }
    assert!(house.get("/bucket?list-type=2").await.is(200).all("Key").is_empty());
}

async fn a_presigned_address_is_bound_to_its_host(house: &mut House) {
    let good = house.get("/other/witness").presigned(HOUR).ready();
    for host in ["localhost", "s3.example", "bucket.s3.example", "127.0.0.1"] {
        let mut wire = good.clone();
        wire.set("Host", host);
        house.refuses(wire, 403, "SignatureDoesNotMatch").await;
    }
    // In virtual-hosted style, the host names the bucket.
    let mut elsewhere = house.get("/witness").host("bucket.s3.example").presigned(HOUR).ready();
    elsewhere.clone().send().await.refused(404, "NoSuchKey");
    elsewhere.set("Host", "other.s3.example");
    house.refuses(elsewhere, 403, "SignatureDoesNotMatch").await;
    let right = house.get("/witness").host("other.s3.example").presigned(HOUR);
    right.await.is(200).brings(WITNESS);
    let mut two = good;
    two.push("Host", "other.s3.example");
    let answer = two.send().await;
    assert!(matches!(answer.status, 400 | 403), "{} {}", answer.status, answer.text());
}

async fn an_unknown_key_and_a_wrong_secret_learn_nothing_of_objects(house: &mut House) {
    let wrong = Key { id: house.key.id.clone(), secret: "wrong".to_owned() };
    let unknown = Key { id: "BKunknown".to_owned(), secret: "wrong".to_owned() };
    let stranger =
        house.made_key(&[Right::Read], |key| key.bucket = Some(lifecycle::ContainerId::random())).await;
    for (key, code) in
        [(wrong, "SignatureDoesNotMatch"), (unknown, "InvalidAccessKeyId"), (stranger, "AccessDenied")]
    {
        let there = house.get("/other/witness").key(&key).await.refused(403, code);
        let missing = house.get("/other/none").key(&key).await.refused(403, code);
        assert_eq!(there.find("Message"), missing.find("Message"));
        house.head("/other/witness").key(&key).await.is(403);
        house.head("/other/none").key(&key).await.is(403);
    }
}

async fn no_secret_and_no_signature_is_logged(house: &mut House) {
    let log = Log::default();
    let listening = tracing::subscriber::set_default(log.clone());
    let secret = house.key.secret.clone();
    let thief = Key { id: house.key.id.clone(), secret: "canary-of-the-thief".to_owned() };
    let mut right = Vec::new();
    for form in [None, Some(STREAMING), Some(STREAMING_TRAILER), Some(STREAMING_UNSIGNED_TRAILER)] {
        for ask in operations(house, form).await {
            ask.clone().key(&thief).await;
            let mut wire = ask.ready();
            right.push(wire.line("Authorization").split("Signature=").nth(1).expect("signed").to_owned());
            wire.spoil_signature();
            wire.send().await;
        }
    }
    for ask in
        [house.get("/other/witness"), house.put("/bucket/key").unsigned_body("four"), house.get("/none/x")]
    {
        ask.clone().presigned(HOUR).await;
        ask.clone().key(&thief).presigned(HOUR).await;
        ask.at(house.now().minus(HOUR)).await;
    }
    let form = [("key".to_owned(), "key".to_owned())];
    let form = [&form[..], &house.signer().form(r#"["starts-with","$key",""]"#, HOUR)].concat();
    house.post("/bucket").form(&form, b"four").await;
    drop(listening);
    let said = log.0.lock().expect("nobody panics with it").clone();
    assert!(!said.is_empty(), "nothing was captured");
    for (level, line) in said {
        for canary in [secret.as_str(), thief.secret.as_str()] {
            assert!(!line.contains(canary), "{level}: {line}");
        }
        // What a caller without the secret would have had to send: with it, whoever reads the log can ask.
        if level <= tracing::Level::INFO {
            for signature in &right {
                assert!(!line.contains(signature.as_str()), "{level}: {line}");
            }
        }
    }
}

async fn a_head_of_more_than_32_kib_is_refused(house: &mut House) {
    let put = house.put("/bucket/key").body("four");
    let long = put.clone().open_header("X-Long", "x".repeat(33 << 10)).ready();
    assert_eq!(long.send().await.status, 431);
    let mut many = put.ready();
    for at in 0..600 {
        many.push(&format!("X-{at}"), "1");
    }
    assert_eq!(many.send().await.status, 431);
    house.stored_nothing().await;
}

async fn metadata_of_more_than_2_kib_is_refused(house: &mut House) {
    let put =
        |length: usize| house.put("/bucket/key").body("four").header("x-amz-meta-a", "v".repeat(length));
    house.refuses_to_store(put(2_048).ready(), 400, "MetadataTooLarge").await;
    // Name and value are counted.
    put(2_047).await.is(200);
    house.delete("/bucket/key").await.is(204);
}

async fn a_body_that_drips_is_given_up_and_its_upload_with_it(house: &mut House) {
    house
        .limit(|limits| {
            limits.body_window = Duration::from_millis(200);
            limits.body_rate = 1 << 20;
        })
        .await;
    let wire = house.put("/bucket/key").body(vec![b'x'; 200_000]).ready();
    let mut connection = house.connection().await;
    connection.try_send(&wire.head(false)).await;
    for piece in wire.rendered().chunks(20_000).take(5) {
        connection.try_send(piece).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let answers = connection.answers(&[&wire]).await;
    assert_eq!(answers.len(), 1);
    answers[0].clone().refused(400, "RequestTimeout");
    house.stored_nothing().await;
}

async fn a_request_too_many_is_told_to_slow_down(house: &mut House) {
    house.limit(|limits| limits.in_flight = 1).await;
    let mut busy = house.connection().await;
    let slow = house.put("/bucket/key").body(vec![b'x'; 100_000]).ready();
    busy.try_send(&slow.head(true)).await;
    busy.try_send(&slow.rendered()[..50_000]).await;
    let told = testkit::world::soon("the place is taken", async || {
        let answer = house.get("/other/witness").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert!(told.header("retry-after").is_some(), "{:?}", told.headers);
    told.refused(503, "SlowDown");
    busy.try_send(&slow.rendered()[50_000..]).await;
    busy.answers(&[&slow]).await.swap_remove(0).is(200);
    house.delete("/bucket/key").await.is(204);
}

async fn ambiguous_lengths_are_refused_and_the_connection_closed(house: &mut House) {
    let smuggled = "GET /other/witness HTTP/1.1\r\nHost: h\r\n\r\n";
    let good = house.put("/bucket/key").body("four").ready();
    let with = |lines: &[(&str, &str)], body: &str| {
        let mut wire = good.clone();
        lines.iter().for_each(|(name, value)| wire.push(name, *value));
        wire.body = Framing::Whole(body.as_bytes().to_vec());
        wire
    };
    let chunked = format!("0\r\n\r\n{smuggled}");
    let four = format!("four{smuggled}");
    let mut passed = Vec::new();
    for wire in [
        with(&[("Content-Length", "4"), ("Transfer-Encoding", "chunked")], &chunked),
        with(&[("Transfer-Encoding", "chunked"), ("Content-Length", "4")], &chunked),
        with(&[("Transfer-Encoding", "identity"), ("Content-Length", "4")], &four),
        with(&[("Transfer-Encoding", "chunked, identity")], &chunked),
        with(&[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], &chunked),
        with(&[("Transfer-Encoding", "xchunked")], &chunked),
        with(&[("Content-Length", "4"), ("Content-Length", "5")], &four),
        with(&[("Content-Length", "+4")], &four),
        with(&[("Content-Length", "-4")], &four),
        with(&[("Content-Length", "4, 5")], &four),
        with(&[("Content-Length", "0x4")], &four),
        with(&[("Content-Length", "")], &four),
        with(&[("Content-Length", "99999999999999999999")], &four),
        with(&[("Content-Length", "4"), ("X-Folded", "a\r\n b")], &four),
        with(&[("Content-Length ", "4")], &four),
    ] {
        let asked = String::from_utf8_lossy(&wire.head(false)).into_owned();
        let mut connection = house.connection().await;
        connection.try_send(&wire.bytes(false)).await;
        let said = String::from_utf8_lossy(&connection.rest().await).into_owned();
        // What stands behind must not be read as a request.
        if !(said.starts_with("HTTP/1.1 4") || said.is_empty()) || said.matches("HTTP/1.1 ").count() > 1 {
            passed.push((asked, said));
        }
    }
    assert!(passed.is_empty(), "{passed:#?}");
    house.stored_nothing().await;
}

async fn documents_are_limited_before_they_are_read(house: &mut House) {
    // A list of keys may be long, 4 MiB; no other document is.
    for (target, most) in
        [("/other?delete", 4 << 20), ("/other?versioning", 64 << 10), ("/other?tagging", 64 << 10)]
    {
        let method = if target.ends_with("delete") { "POST" } else { "PUT" };
        let padded = format!("<a>{}", " ".repeat(most));
        let mut wire = house.ask(method, target).header("Content-MD5", md5(&padded)).body(padded).ready();
        wire.push("Expect", "100-continue");
        let mut connection = house.connection().await;
        connection.try_send(&wire.head(true)).await;
        let answer = connection.answers(&[&wire]).await.swap_remove(0).is(400);
        assert!(
            ["MaxMessageLengthExceeded", "EntityTooLarge", "MalformedXML"].contains(&answer.code().as_str()),
            "{target}: {}",
            answer.text()
        );
    }
    let keys: String = (0..1_001).map(|at| format!("<Object><Key>{at}</Key></Object>")).collect();
    let wire = deletion(house, &format!("<Delete>{keys}</Delete>")).ready();
    house.refuses(wire, 400, "MalformedXML").await;
    nothing_happened(house).await;
}

/// The document is refused in no time, and what it names is still there.
async fn malformed(house: &House, document: &str) {
    let wire = deletion(house, document).ready();
    let shown = document.get(..200).unwrap_or(document);
    quickly(house, wire, shown).await;
    let versioning = document.replace("Delete>", "VersioningConfiguration>");
    let wire = house.put("/other?versioning").body(versioning).ready();
    quickly(house, wire, shown).await;
}

async fn quickly(house: &House, wire: Wire, shown: &str) {
    let refused = tokio::time::timeout(Duration::from_secs(3), wire.clone().send());
    let answer = refused.await.unwrap_or_else(|_| panic!("{shown}: takes long"));
    // AWS has a code of its own for a document that does not say which versioning it wants.
    let codes = ["MalformedXML", "IllegalVersioningConfigurationException"];
    if answer.status != 400 || !codes.contains(&answer.code().as_str()) {
        house.complain(&wire, "[(400, \"MalformedXML\")], at once", &answer);
    }
    let witness = house.get("/other/witness").await;
    if witness.status != 200 {
        house.complain(&wire, "nothing to be done", &witness);
        house.put("/other/witness").body(WITNESS).await.is(200);
    }
    let versioning = house.get("/other?versioning").await.is(200);
    if versioning.find("Status").is_some_and(|status| status == "Enabled") {
        house.complain(&wire, "nothing to be done", &versioning);
        let document = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
        house.put("/other?versioning").body(document).await.is(200);
    }
}

const WITNESS_OBJECT: &str = "<Object><Key>witness</Key></Object>";

async fn a_document_with_a_type_declaration_is_malformed(house: &mut House) {
    for declared in [
        "<!DOCTYPE Delete>",
        "<!DOCTYPE Delete SYSTEM \"file:///etc/passwd\">",
        "<!DOCTYPE Delete [<!ELEMENT Delete ANY>]>",
    ] {
        malformed(house, &format!("{declared}<Delete>{WITNESS_OBJECT}</Delete>")).await;
    }
}

async fn a_document_with_entities_of_its_own_is_malformed(house: &mut House) {
    let mut bomb = String::from("<!DOCTYPE Delete [<!ENTITY a0 \"witness\">");
    for at in 1..40 {
        let _ = write!(bomb, "<!ENTITY a{at} \"&a{};&a{};\">", at - 1, at - 1);
    }
    for document in [
        format!("{bomb}]><Delete><Object><Key>&a39;</Key></Object></Delete>"),
        "<!DOCTYPE Delete [<!ENTITY w SYSTEM \"file:///etc/passwd\">]><Delete><Object><Key>&w;</Key></Object></Delete>"
            .to_owned(),
        "<Delete><Object><Key>&unknown;</Key></Object></Delete>".to_owned(),
        "<Delete><Object><Key>&#xFFFFFFFF;</Key></Object></Delete>".to_owned(),
    ] {
        malformed(house, &document).await;
    }
}

async fn a_deeply_nested_document_is_malformed_at_once(house: &mut House) {
    let (open, close) = ("<Object>".repeat(100_000), "</Object>".repeat(100_000));
    let wire = deletion(house, &format!("<Delete>{open}{close}{WITNESS_OBJECT}</Delete>")).ready();
    quickly(house, wire, "nested objects").await;
    let (open, close) = ("<a>".repeat(100_000), "</a>".repeat(100_000));
    let wire = deletion(house, &format!("<Delete>{open}{close}{WITNESS_OBJECT}</Delete>")).ready();
    quickly(house, wire, "nested unknown elements").await;
    let wire = deletion(house, &format!("{open}{close}")).ready();
    quickly(house, wire, "nothing but nested elements").await;
    malformed(house, &format!("<Delete>{}", "<Object>".repeat(1_000))).await;
    let (open, close) = ("<a>".repeat(17), "</a>".repeat(17));
    malformed(house, &format!("<Delete>{open}{close}</Delete>")).await;
}

/// A misspelt element that is skipped turns a careful request into a careless one.
async fn a_document_with_an_unknown_element_is_malformed_and_does_nothing(house: &mut House) {
    for document in [
        "<Delete><Object><Key>witness</Key><VersionID>00</VersionID></Object></Delete>",
        "<Delete><Object><Key>witness</Key><Etag>x</Etag></Object></Delete>",
        "<Delete><Object><Key>witness</Key></Object><Dryrun>true</Dryrun></Delete>",
        "<Delete><Objects><Key>witness</Key></Objects></Delete>",
        "<DeleteObjects><Object><Key>witness</Key></Object></DeleteObjects>",
        "<Delete><Object><key>witness</key></Object></Delete>",
        "<Delete></Delete>",
        "<Delete/>",
        "witness",
    ] {
        quickly(house, deletion(house, document).ready(), document).await;
    }
    let empty = deletion(house, "").ready();
    house.refuses_with_one_of(empty, &[(400, "MissingRequestBodyError"), (400, "MalformedXML")]).await;
    for document in [
        "<VersioningConfiguration><Status>Enabled</Status><MfaDelet>Enabled</MfaDelet></VersioningConfiguration>",
        "<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>",
        "<VersioningConfiguration><status>Enabled</status></VersioningConfiguration>",
        "<Versioning><Status>Enabled</Status></Versioning>",
    ] {
        quickly(house, house.put("/other?versioning").body(document).ready(), document).await;
    }
}

async fn a_document_with_an_element_twice_is_malformed(house: &mut House) {
    for document in [
        "<Delete><Object><Key>a</Key><Key>witness</Key></Object></Delete>",
        "<Delete><Object><Key>witness</Key><VersionId>null</VersionId><VersionId>00</VersionId></Object></Delete>",
        "<Delete><Quiet>true</Quiet><Quiet>false</Quiet><Object><Key>witness</Key></Object></Delete>",
    ] {
        quickly(house, deletion(house, document).ready(), document).await;
    }
    let twice = "<VersioningConfiguration><Status>Suspended</Status><Status>Enabled</Status></VersioningConfiguration>";
    quickly(house, house.put("/other?versioning").body(twice).ready(), twice).await;
}

async fn a_document_that_is_cut_or_followed_by_more_is_malformed(house: &mut House) {
    let good = format!("<Delete>{WITNESS_OBJECT}</Delete>");
    for end in [1, 8, 20, 30, good.len() - 9, good.len() - 1] {
        quickly(house, deletion(house, &good[..end]).ready(), &good[..end]).await;
    }
    for more in ["<Delete></Delete>", "x", "</Delete>", "<a>"] {
        let document = format!("{good}{more}");
        quickly(house, deletion(house, &document).ready(), &document).await;
    }
    for not in
        ["<Delete><Object><Key>witness</Object></Key></Delete>", "<Delete><Object Key=witness></Delete>"]
    {
        quickly(house, deletion(house, not).ready(), not).await;
    }
}

async fn a_key_in_a_document_is_read_as_xml_reads_it(house: &mut House) {
    for (written, key) in [
        ("<![CDATA[witness]]>", "witness"),
        ("wit<!-- a comment -->ness", "witness"),
        ("&#119;itness", "witness"),
        ("&#x77;itness", "witness"),
        ("a&amp;b&lt;c&gt;d&quot;e&apos;f", "a&b<c>d\"e'f"),
        (" witness", " witness"),
        ("wit ness ", "wit ness "),
    ] {
        let target = format!("/other/{}", encoded(key.as_bytes(), false));
        house.put(&target).body(WITNESS).await.is(200);
        let wire =
            deletion(house, &format!("<Delete><Object><Key>{written}</Key></Object></Delete>")).ready();
        let answer = wire.clone().send().await;
        // Read rightly or not at all: never as another key.
        let rightly =
            answer.status == 200 && answer.all("Key") == [key] && house.get(&target).await.status == 404;
        if !rightly && answer.code() != "MalformedXML" {
            house.complain(&wire, &format!("{key:?} to be deleted, and nothing else"), &answer);
        }
        house.put("/other/witness").body(WITNESS).await.is(200);
    }
}

async fn a_key_has_at_most_1024_bytes(house: &mut House) {
    for (unit, most) in [("k", 1_024), ("\u{e9}", 512), ("\u{1f5ff}", 256), ("/", 1_024)] {
        let target = |count: usize| format!("/bucket/{}", encoded(unit.repeat(count).as_bytes(), false));
        house.put(&target(most)).body("four").await.is(200);
        house.get(&target(most)).await.is(200).brings("four");
        house.delete(&target(most)).await.is(204);
        for method in ["PUT", "GET", "DELETE"] {
            house.refuses(house.ask(method, &target(most + 1)).ready(), 400, "KeyTooLongError").await;
        }
    }
    let fields = [("key".to_owned(), "k".repeat(1_025))];
    let fields = [&fields[..], &house.signer().form(r#"["starts-with","$key",""]"#, HOUR)].concat();
    house.post("/bucket").form(&fields, b"four").await.refused(400, "KeyTooLongError");
    house.stored_nothing().await;
}

async fn keys_are_bytes_and_never_paths(house: &mut House) {
    // Long enough to become a file where bytes become files.
    let bytes = |key: &str| [key.as_bytes(), &[b'x'; 20_000]].concat();
    let keys = [
        ".",
        "..",
        "./a",
        "../a",
        "../../../../etc/passwd",
        "a/../b",
        "a/./b",
        "a/..",
        "/",
        "//",
        "/a",
        "//a",
        "a/",
        "a//",
        "a//b",
        "a/b",
        "%2F",
        "%2e%2e",
        "%",
        "+",
        "a+b",
        " ",
        " a ",
        "a b",
        "\\",
        "..\\a",
        "C:\\a",
        "a:b",
        "~",
        "*",
        "?",
        "#",
        "a?b#c&d=e",
        "\"'<>&",
        "\u{1}\u{1f}\u{7f}",
        "\n",
        "\t",
        "\u{e9}",
        "\u{1f5ff}",
        "\u{202e}",
        "CON",
        ".barrow",
        "blobs",
    ];
    for key in keys {
        let target = format!("/bucket/{}", encoded(key.as_bytes(), false));
        house.put(&target).body(bytes(key)).await.is(200);
    }
    for key in keys {
        for slash in [false, true] {
            let target = format!("/bucket/{}", encoded(key.as_bytes(), slash));
            house.get(&target).await.is(200).brings(bytes(key));
        }
    }
    let mut sorted: Vec<String> = keys.iter().map(|key| encoded(key.as_bytes(), false)).collect();
    sorted.sort_unstable();
    let listed = house.get("/bucket?list-type=2&encoding-type=url").await.is(200);
    let mut found: Vec<String> = listed.all("Key").iter().map(|key| key.replace('+', "%20")).collect();
    found.sort_unstable();
    assert_eq!(found, sorted);
    let stored: Vec<blobs::Listed> = house.world.blobs().list().try_collect().await.expect("the store lists");
    let foreign = |listed: &blobs::Listed| matches!(listed, blobs::Listed::Foreign(_));
    assert!(!stored.iter().any(foreign), "keys became paths: {stored:?}");
    for key in keys {
        let target = format!("/bucket/{}", encoded(key.as_bytes(), false));
        house.delete(&target).await.is(204);
        house.get(&target).await.refused(404, "NoSuchKey");
    }
}

async fn keys_are_not_normalised_and_list_in_byte_order(house: &mut House) {
    let mut keys = [
        "e\u{301}",
        "\u{e9}",
        "E",
        "e",
        "\u{fb01}",
        "fi",
        "\u{212b}",
        "\u{c5}",
        "A\u{30a}",
        "z",
        "\u{10000}",
        "\u{ffff}",
        "\u{e000}",
        "a",
        "a-",
        "a/",
        "a0",
        "B",
        "ss",
        "\u{df}",
    ];
    for (at, key) in keys.iter().enumerate() {
        let target = format!("/bucket/{}", encoded(key.as_bytes(), false));
        house.put(&target).body(at.to_string()).await.is(200);
    }
    for (at, key) in keys.iter().enumerate() {
        let target = format!("/bucket/{}", encoded(key.as_bytes(), false));
        house.get(&target).await.is(200).brings(at.to_string());
    }
    keys.sort_unstable();
    let (mut found, mut after) = (Vec::new(), String::new());
    while found.len() < keys.len() {
        let more = if after.is_empty() { String::new() } else { format!("&start-after={after}") };
        let page = house.get(&format!("/bucket?list-type=2&max-keys=3{more}")).await.is(200).all("Key");
        after = encoded(page.last().expect("there is more").as_bytes(), true);
        found.extend(page);
    }
    assert_eq!(found, keys);
}

async fn an_error_never_carries_markup_of_the_clients(house: &mut House) {
    let script = "%3Cscript%3Ealert(1)%3C/script%3E%26%22";
    for target in [
        format!("/bucket/{script}"),
        format!("/{script}"),
        format!("/{script}/key"),
        format!("/bucket?list-type=2&max-keys={script}"),
        format!("/bucket?list-type=2&encoding-type={script}"),
        format!("/bucket?list-type=2&continuation-token={script}"),
        format!("/bucket/key?versionId={script}"),
        format!("/bucket/key?uploadId={script}"),
        format!("/bucket/key?partNumber={script}"),
    ] {
        let answer = house.get(&target).await;
        assert!((400..500).contains(&answer.status), "{target}: {} {}", answer.status, answer.text());
        assert!(!answer.text().contains("<script"), "{target}: {}", answer.text());
        assert_eq!(answer.need("content-type"), "application/xml");
    }
}

/// Keeps every field of every line of the log and of every span, with its level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(tracing::Level, String)>>>);

struct Text(String);

impl tracing::field::Visit for Text {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl Log {
    fn keep(&self, level: tracing::Level, record: impl FnOnce(&mut Text)) {
        let mut text = Text(String::new());
        record(&mut text);
        self.0.lock().expect("nobody panics with it").push((level, text.0));
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        self.keep(*span.metadata().level(), |text| span.record(text));
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        self.keep(tracing::Level::INFO, |text| values.record(text));
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        self.keep(*event.metadata().level(), |text| event.record(text));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
