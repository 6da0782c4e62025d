//! What a request asks for is done, or refused: nothing of it is passed over, and nothing is done for another that was meant.

use crate::calls::{Upload, delete_objects, deletion, pattern, sha256};
use crate::house::{House, WITNESS};
use lifecycle::Right;

crate::on_both_engines!(
    a_call_on_a_part_of_an_object_never_meets_the_object,
    a_condition_that_says_nothing_is_no_condition,
    a_condition_that_nobody_would_look_at_is_not_built,
    an_argument_stands_once_and_by_its_exact_name,
    the_keys_of_a_list_are_keys,
    the_names_and_the_number_of_other_buckets_are_not_told,
    a_digest_that_nobody_would_look_at_is_refused,
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

async fn a_digest_that_nobody_would_look_at_is_refused(house: &mut House) {
    house.let_in(gateway::Anonymous::Full).await;
    let digest = crate::sign::hashed(b"another");
    let ask = || house.put("/bucket/key").nobody();
    ask().header("x-amz-content-sha256", digest).body("four").await.refused(400, "InvalidRequest");
    house.head("/bucket/key").await.is(404);
    ask().header("x-amz-content-sha256", "UNSIGNED-PAYLOAD").body("four").await.is(200);
    house.get("/bucket/key").await.is(200).brings("four");
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
