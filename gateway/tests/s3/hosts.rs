//! Which bucket and which domain a host names.

use crate::calls::{Upload, delete_objects, deletion};
use crate::house::{House, OWN_HOST, WITNESS};
use crate::sign::Line;
use std::time::Duration;

crate::on_both_engines!(
    a_bucket_is_a_host_of_its_own,
    a_bucket_with_dots_is_a_host_of_its_own,
    every_call_works_at_the_buckets_own_host,
    the_installations_own_names_say_nothing_of_buckets,
    a_host_that_is_a_domain_leads_there,
    a_host_that_is_no_domain_leads_to_the_default_one,
    a_form_is_posted_to_the_buckets_own_host,
);

fn virtual_host(bucket: &str) -> String {
    format!("{bucket}.{OWN_HOST}")
}

async fn a_bucket_is_a_host_of_its_own(house: &mut House) {
    for host in [virtual_host("other"), format!("{}:9000", virtual_host("other")), virtual_host("OTHER")] {
        house.get("/witness").host(&host).await.is(200).brings(WITNESS);
        house.head("/witness").host(&host).await.is(200);
        house.get("/witness").host(&host).presigned(Duration::from_secs(60)).await.is(200).brings(WITNESS);
        assert_eq!(house.get("/").host(&host).await.is(200).all("Key"), ["witness"]);
        house.head("/").host(&host).await.is(200);
        // There is no second bucket in the path.
        house.get("/other/witness").host(&host).await.refused(404, "NoSuchKey");
    }
    let missing = house.get("/key").host(&virtual_host("none")).await.refused(404, "NoSuchBucket");
    assert_eq!(missing.find("BucketName").as_deref(), Some("none"));
    house.put("/a/b/c").host(&virtual_host("bucket")).body("bytes").await.is(200);
    house.get("/bucket/a/b/c").await.is(200).brings("bytes");
    for (key, target) in [("a b", "/a%20b"), ("/lead", "//lead"), ("../x", "/../x")] {
        house.put(target).host(&virtual_host("bucket")).body(key).await.is(200);
        house.get(&format!("/bucket{target}")).await.is(200).brings(key);
    }
}

async fn a_bucket_with_dots_is_a_host_of_its_own(house: &mut House) {
    house.put("/").host(&virtual_host("my.bucket.name")).await.is(200);
    house.put("/key").host(&virtual_host("my.bucket.name")).body("bytes").await.is(200);
    house.get("/my.bucket.name/key").await.is(200).brings("bytes");
}

async fn every_call_works_at_the_buckets_own_host(house: &mut House) {
    let host = virtual_host("bucket");
    house.put("/key").host(&host).body("bytes").await.is(200);
    house.put("/copy").host(&host).header("x-amz-copy-source", "/bucket/key").await.is(200);
    house.get("/copy").host(&host).await.is(200).brings("bytes");
    house.get("/?versioning").host(&host).await.is(200);
    house.get("/?location").host(&host).await.is(200);
    assert_eq!(house.get("/?list-type=2&prefix=c").host(&host).await.is(200).all("Key"), ["copy"]);
    let begun = house.post("/parts?uploads").host(&host).await.is(200);
    let id = begun.find("UploadId").expect("an upload's id");
    let part =
        house.put(&format!("/parts?partNumber=1&uploadId={id}")).host(&host).body("parts").await.is(200);
    let list = crate::calls::completion(&[(1, part.need("etag"))]);
    let made = house.post(&format!("/parts?uploadId={id}")).host(&host).body(list).await.is(200);
    assert_eq!(made.find("Location"), Some(format!("http://{host}/parts")));
    house.get("/bucket/parts").await.is(200).brings("parts");
    let upload = Upload::begin(house, "/bucket/given-up").await;
    house.delete(&format!("/given-up?uploadId={}", upload.id)).host(&host).await.is(204);
    let document = deletion(&[("key", None), ("copy", None)], false);
    let md5 = crate::calls::content_md5(&document);
    let answer = house.post("/?delete").host(&host).header("Content-MD5", md5).body(document).await.is(200);
    assert_eq!(answer.all("Key"), ["key", "copy"]);
    house.delete("/parts").host(&host).await.is(204);
    house.delete("/").host(&host).await.is(204);
    house.head("/bucket").await.is(404);
    delete_objects(house, "other", &deletion(&[("none", None)], true)).await.is(200);
}

async fn the_installations_own_names_say_nothing_of_buckets(house: &mut House) {
    let port = house.address().port();
    for host in [
        OWN_HOST.to_owned(),
        format!("{OWN_HOST}:9000"),
        OWN_HOST.to_uppercase(),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        "localhost".to_owned(),
        format!("localhost:{port}"),
        "gateway".to_owned(),
    ] {
        house.get("/other/witness").host(&host).await.is(200).brings(WITNESS);
        assert_eq!(house.get("/").host(&host).await.is(200).all("Name"), ["bucket", "other"], "{host}");
    }
}

async fn a_host_that_is_a_domain_leads_there(house: &mut House) {
    house
        .scsp("POST", "/?domain=d.example")
        .header("Content-Type", "application/castorcontext")
        .await
        .is(201);
    let d = |method: &str, target: &str| house.ask(method, target).host("d.example");
    assert!(d("GET", "/").await.is(200).all("Name").is_empty());
    d("GET", "/other/witness").await.refused(404, "NoSuchBucket");
    d("PUT", "/other").await.is(200);
    d("PUT", "/other/witness").body("of the domain").await.is(200);
    d("GET", "/other/witness").await.is(200).brings("of the domain");
    house.ask("GET", "/other/witness").host("D.Example:9000").await.is(200).brings("of the domain");
    house.get("/other/witness").await.is(200).brings(WITNESS);
    assert_eq!(d("GET", "/").await.is(200).all("Name"), ["other"]);
    assert_eq!(house.get("/").await.is(200).all("Name"), ["bucket", "other"]);
    // A copy stays in its domain.
    d("PUT", "/other/copy").header("x-amz-copy-source", "/bucket/key").await.refused(404, "NoSuchBucket");
    d("PUT", "/other/copy").header("x-amz-copy-source", "/other/witness").await.is(200);
    d("GET", "/other/copy").await.is(200).brings("of the domain");
}

async fn a_host_that_is_no_domain_leads_to_the_default_one(house: &mut House) {
    for host in ["no.such.domain", "barrow.local", "s3.amazonaws.com", "storage.example.com:443"] {
        house.get("/other/witness").host(host).await.is(200).brings(WITNESS);
    }
}

async fn a_form_is_posted_to_the_buckets_own_host(house: &mut House) {
    let mut fields: Vec<Line> = vec![("key".to_owned(), "key".to_owned())];
    let conditions = r#"{"bucket":"bucket"},["starts-with","$key",""]"#;
    fields.extend(house.signer().form(conditions, Duration::from_secs(60)));
    house.post("/").host(&virtual_host("bucket")).form(&fields, b"four").await.is(204);
    house.get("/bucket/key").await.is(200).brings("four");
    house.post("/").host(&virtual_host("other")).form(&fields, b"four").await.refused(403, "AccessDenied");
}
