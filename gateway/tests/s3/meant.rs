//! What a request asks for is done, or refused: nothing of it is passed over, and nothing is done for another that was meant.

use crate::calls::{Upload, delete_objects, deletion, pattern, sha256};
use crate::house::{House, WITNESS};
use crate::sign::STREAMING_UNSIGNED_TRAILER;
use lifecycle::Right;

crate::on_both_engines!(
    a_call_on_a_part_of_an_object_never_meets_the_object,
    a_condition_that_says_nothing_is_no_condition,
    a_condition_that_nobody_would_look_at_is_not_built,
    an_argument_stands_once_and_by_its_exact_name,
    the_keys_of_a_list_are_keys,
    the_names_and_the_number_of_other_buckets_are_not_told,
    what_is_said_of_a_body_is_looked_at_without_a_signature,
    a_call_that_is_yet_to_be_thought_of_never_meets_the_object,
    a_body_in_one_chunk_needs_no_memory_of_its_size,
    what_scsp_begins_is_scsps,
);

async fn a_call_on_a_part_of_an_object_never_meets_the_object(house: &mut House) {
    for word in
        ["acl", "retention", "legal-hold", "restore", "uploads", "versions", "Tagging", "policy", "delete"]
    {
        for method in ["DELETE", "PUT", "POST"] {
            // What is an operation of this method has its own tests.
            let known = match method {
                "PUT" => ["acl", "retention", "legal-hold"].contains(&word),
                "POST" => ["restore", "uploads"].contains(&word),
                _ => false,
            };
            if !known {
                let target = format!("/other/witness?{word}");
                house.ask(method, &target).body("another").await.refused(405, "MethodNotAllowed");
            }
        }
    }
    for word in ["acl", "versioning", "uploads", "versions", "object-lock", "versionId=null"] {
        house.delete(&format!("/bucket?{word}")).await.refused(405, "MethodNotAllowed");
    }
    house.head("/bucket").await.is(200);
    house.get("/other/witness").await.is(200).brings(WITNESS);
}

/// AWS adds calls. One that is not known is not one on the object or bucket itself.
async fn a_call_that_is_yet_to_be_thought_of_never_meets_the_object(house: &mut House) {
    for query in
        ["annotation&annotationName=note", "annotation", "abac", "yet-to-come", "yet-to-come=&versionId=null"]
    {
        for method in ["DELETE", "PUT", "POST"] {
            for target in ["/other/witness", "/other", "/fresh", "/bucket"] {
                let ask = house.ask(method, &format!("{target}?{query}"));
                ask.body("another").await.refused(501, "NotImplemented");
            }
        }
    }
    for target in ["/other/witness?annotation", "/other?abac", "/other?metadataConfiguration"] {
        house.get(target).await.refused(501, "NotImplemented");
    }
    for word in ["delete", "attributes", "retention", "torrent", "uploadId=1", "restore"] {
        house.get(&format!("/other?{word}")).await.refused(405, "MethodNotAllowed");
    }
    house.head("/fresh").await.is(404);
    house.head("/bucket").await.is(200);
    house.get("/other/witness").await.is(200).brings(WITNESS);
    // An argument with a value is passed over, as AWS does.
    house.put("/bucket/key?x-id=PutObject&foo=bar").body("four").await.is(200);
    house.delete("/bucket/key?x-id=DeleteObject").await.is(204);
    let lock = house.put("/bucket/key").header("x-amz-object-lock-event-hold", "ON").body("four");
    lock.await.refused(501, "NotImplemented");
    house.stored_nothing().await;
}

async fn a_condition_that_says_nothing_is_no_condition(house: &mut House) {
    for name in ["if-match", "if-none-match", "x-amz-expected-bucket-owner"] {
        for method in ["GET", "PUT", "DELETE"] {
            let ask = house.ask(method, "/other/witness").header(name, "").body("another");
            ask.await.refused(400, "InvalidArgument");
        }
    }
    house.get("/other/witness").await.is(200).brings(WITNESS);
}

async fn a_condition_that_nobody_would_look_at_is_not_built(house: &mut House) {
    let date = "Sat, 01 Jan 2000 00:00:00 GMT";
    for (method, name, value) in [
        ("PUT", "if-unmodified-since", date),
        ("PUT", "x-amz-if-match-size", "1"),
        ("PUT", "x-amz-if-match-last-modified-time", date),
        ("DELETE", "if-unmodified-since", date),
        ("DELETE", "if-none-match", "*"),
    ] {
        let ask = house.ask(method, "/other/witness").header(name, value).body("another");
        let refused = ask.await.refused(501, "NotImplemented");
        assert!(refused.find("Message").is_some_and(|message| message.contains(name)), "{name}");
    }
    house.get("/other/witness").await.is(200).brings(WITNESS);
}

async fn an_argument_stands_once_and_by_its_exact_name(house: &mut House) {
    house.put("/bucket/b").body("b").await.is(200);
    for target in
        ["/bucket?prefix=a&prefix=b", "/bucket?prefix=a&%70refix=b", "/bucket/b?versionId=null&versionId=x"]
    {
        house.get(target).await.refused(400, "InvalidArgument");
    }
    house.delete("/bucket/b?versionId=null&versionId=null").await.refused(400, "InvalidArgument");
    house.delete("/bucket/b?versionid=null").await.refused(405, "MethodNotAllowed");
    house.get("/bucket/b").await.is(200).brings("b");
    let listed = house.get("/bucket?list-type=2&Prefix=zzz").await.is(200);
    assert_eq!(listed.all("Key"), ["b"], "no such argument, and so none that counts");
}

async fn the_keys_of_a_list_are_keys(house: &mut House) {
    house.put("/bucket/a").body("a").await.is(200);
    let long = "k".repeat(1_025);
    let answer =
        delete_objects(house, "bucket", &deletion(&[(&long, None), ("a", None)], false)).await.is(200);
    assert_eq!(answer.all("Code"), ["KeyTooLongError"]);
    assert_eq!(answer.all("Key"), ["a", &long]);
    house.head("/bucket/a").await.is(404);
    let none = deletion(&[("", None), ("witness", None)], false);
    delete_objects(house, "other", &none).await.refused(400, "MalformedXML");
    house.get("/other/witness").await.is(200).brings(WITNESS);
}

async fn the_names_and_the_number_of_other_buckets_are_not_told(house: &mut House) {
    let (domain, other) = (house.domain(), house.bucket("other").await);
    let key = house
        .made_key(&Right::ALL, |key| {
            (key.domain, key.bucket) = (Some(domain), Some(other));
        })
        .await;
    let list = |query: &str| house.get(&format!("/?{query}")).key(&key);
    let answer = list("max-buckets=1").await.is(200);
    assert_eq!(answer.all("Name"), ["other"]);
    assert_eq!(answer.find("ContinuationToken"), None, "a page that goes on tells of more");
    assert!(list("prefix=b").await.is(200).all("Name").is_empty());
    let whole = house.get("/?max-buckets=1").await.is(200);
    assert_eq!(whole.all("Name"), ["bucket"]);
    let token = whole.find("ContinuationToken").expect("there is another page");
    assert_eq!(list(&format!("continuation-token={token}")).await.is(200).all("Name"), ["other"]);
}

/// Clients say of a body what it is, also where nobody signs it: it is looked at.
async fn what_is_said_of_a_body_is_looked_at_without_a_signature(house: &mut House) {
    house.let_in(gateway::Anonymous::Full).await;
    const FORM: &str = "x-amz-content-sha256";
    let nobody = |method: &str| house.ask(method, "/bucket/key").nobody();
    let (right, wrong) = (crate::sign::hashed(b"four"), crate::sign::hashed(b"another"));
    nobody("PUT").header(FORM, &wrong).body("four").await.refused(400, "XAmzContentSHA256Mismatch");
    nobody("PUT").header(FORM, &wrong).body("").await.refused(400, "XAmzContentSHA256Mismatch");
    nobody("PUT").header(FORM, "nonsense").body("four").await.refused(400, "InvalidArgument");
    house.stored_nothing().await;
    for form in [right.as_str(), "UNSIGNED-PAYLOAD"] {
        nobody("PUT").header(FORM, form).body("four").await.is(200);
        nobody("GET").header(FORM, crate::sign::hashed(b"")).await.is(200).brings("four");
        house.delete("/bucket/key").await.is(204);
    }
    for signed in ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"] {
        let put = nobody("PUT").header(FORM, signed).chunks(signed, [b"four".as_slice()]);
        put.await.is(400);
    }
    let large = pattern(300_000);
    let sum = crate::checksums::sum("CRC32", &large);
    let chunks = |bytes: &[u8]| {
        let pieces: Vec<&[u8]> = bytes.chunks(70_000).collect();
        nobody("PUT").header(FORM, STREAMING_UNSIGNED_TRAILER).chunks(STREAMING_UNSIGNED_TRAILER, pieces)
    };
    let stored = chunks(&large).trailer("x-amz-checksum-crc32", &sum).await.is(200);
    assert_eq!(stored.need("x-amz-checksum-crc32"), sum);
    house.get("/bucket/key").await.is(200).brings(&large);
    chunks(b"four").await.is(200);
    house.get("/bucket/key").await.is(200).brings("four");
    house.delete("/bucket/key").await.is(204);
    chunks(b"").await.is(200);
    house.get("/bucket/key").await.is(200).brings("");
    house.delete("/bucket/key").await.is(204);
    let trailed = |value: &str| chunks(&large).trailer("x-amz-checksum-crc32", value);
    trailed("y/Q5Jg==").await.refused(400, "BadDigest");
    chunks(b"four")
        .silent_trailer("x-amz-checksum-crc32", "y/Q5Jg==")
        .await
        .refused(400, "MalformedTrailerError");
    let announced = chunks(b"four").header("x-amz-trailer", "x-amz-checksum-crc32");
    announced.await.refused(400, "MalformedTrailerError");
    chunks(b"four").header("x-amz-decoded-content-length", "5").await.is(400);
    let framed = nobody("PUT").header(FORM, STREAMING_UNSIGNED_TRAILER).body("4\r\nfour\r\n0\r\n\r\n");
    framed.await.refused(411, "MissingContentLength");
    house.stored_nothing().await;
}

async fn a_body_in_one_chunk_needs_no_memory_of_its_size(house: &mut House) {
    let body = pattern(9 << 20);
    let one = |form: &'static str| house.put("/bucket/key").chunks(form, [&body[..]]);
    let open = one("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    open.trailer("x-amz-checksum-sha256", &sha256(&body)).await.is(200);
    house.get("/bucket/key").await.is(200).brings(&body);
    // A signed chunk is held until its signature is seen to be right, so it has a limit.
    one("STREAMING-AWS4-HMAC-SHA256-PAYLOAD").await.refused(400, "InvalidRequest");
    house.get("/bucket/key").await.is(200).brings(&body);
}

async fn what_scsp_begins_is_scsps(house: &mut House) {
    house.put("/bucket/of-scsp").body("there").await.is(200);
    let begun = house.scsp("APPEND", "/bucket/of-scsp?uploads").await.is(201);
    let id = begun.need("castor-system-uploadid").to_owned();
    let upload = Upload { house, target: "/bucket/of-scsp".to_owned(), id };
    upload.ask_part(1).body("more").await.refused(404, "NoSuchUpload");
    upload.ask_complete(&[(1, "\"x\"")]).await.refused(404, "NoSuchUpload");
    house.delete(&format!("/bucket/of-scsp?uploadId={}", upload.id)).await.refused(404, "NoSuchUpload");
    assert!(house.get("/bucket?uploads").await.is(200).all("UploadId").is_empty());
    house.get("/bucket/of-scsp").await.is(200).brings("there");
}
