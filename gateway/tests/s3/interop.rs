//! Two doors of one house: what S3 writes SCSP reads, and the other way round; what one of them deletes, forbids or
//! switches holds for the other.

use crate::calls::{
    PART, delete_objects, deletion, etag, history, pattern, put_in_parts, rows, table, tagging, versioning,
};
use crate::client::Answer;
use crate::house::{House, OBJECT_GRACE, WITNESS};
use lifecycle::{Right, State};
use std::time::Duration;

crate::on_both_engines!(
    what_s3_writes_scsp_reads,
    what_scsp_writes_s3_reads,
    names_are_the_same_at_both_doors,
    an_object_has_an_entity_tag_of_each_kind,
    a_range_is_the_same_at_both_doors,
    an_object_in_parts_is_one_object_at_both_doors,
    an_object_that_scsp_appended_to_is_read,
    a_bucket_is_one_bucket_whoever_made_it,
    versioning_is_switched_by_either_door,
    versions_and_markers_are_the_same,
    what_one_door_deletes_the_other_misses,
    case_109_a_bucket_that_scsp_removed_is_no_bucket,
    case_110_a_bucket_that_s3_deletes_is_empty_and_comes_back,
    what_was_deleted_by_s3_comes_back_for_both,
    a_guarded_object_is_guarded_at_both_doors,
    case_95_a_guarded_version_is_not_erased,
    case_96_a_guarded_current_version_is_hidden_by_a_marker,
    what_scsp_reserves_is_reserved,
    what_scsp_reserves_on_a_bucket_is_reserved,
    a_key_does_the_same_at_both_doors,
    tags_are_s3s_alone_and_survive_scsp,
    an_object_that_expires_is_gone_at_both_doors,
);

/// The entity tag without quotes.
fn bare(answer: &Answer) -> String {
    answer.need("etag").trim_matches('"').to_owned()
}

async fn what_s3_writes_scsp_reads(house: &mut House) {
    for size in [0, 5, 40_000] {
        let bytes = pattern(size);
        let put = house
            .put("/bucket/dir/key")
            .header("content-type", "text/plain")
            .header("content-language", "de")
            .header("cache-control", "max-age=7")
            .header("x-amz-meta-colour", "blue");
        put.body(bytes.clone()).await.is(200);
        let read = house.scsp("GET", "/bucket/dir/key").await.is(200).brings(&bytes);
        assert_eq!((read.need("content-type"), read.need("content-language")), ("text/plain", "de"));
        assert_eq!((read.need("cache-control"), read.need("x-amz-meta-colour")), ("max-age=7", "blue"));
        assert_eq!(read.need("content-length"), size.to_string());
        let head = house.scsp("HEAD", "/bucket/dir/key").await.is(200);
        assert_eq!(head.need("etag"), read.need("etag"));
        assert_eq!(
            read.need("last-modified"),
            house.head("/bucket/dir/key").await.is(200).need("last-modified")
        );
    }
    let listed = house.scsp("GET", "/bucket?format=json&fields=name").await.is(200).text();
    assert_eq!(listed, r#"[{"name":"dir/key"}]"#);
}

async fn what_scsp_writes_s3_reads(house: &mut House) {
    for size in [0, 5, 40_000] {
        let bytes = pattern(size);
        let written = house
            .scsp("POST", "/bucket/dir/key")
            .header("Content-Type", "text/plain")
            .header("Content-Language", "de")
            .header("X-Amz-Meta-Colour", "blue")
            .header("X-Acme-Meta-Camera", "d850")
            .body(bytes.clone());
        written.await.is(201);
        let read = house.get("/bucket/dir/key").await.is(200).brings(&bytes);
        assert_eq!((read.need("content-type"), read.need("content-language")), ("text/plain", "de"));
        assert_eq!(read.need("x-amz-meta-colour"), "blue");
        assert_eq!(read.need("etag"), etag(&bytes), "the MD5 of the content");
        assert_eq!(read.need("content-length"), size.to_string());
        // What is SCSP's own does not stand in the way.
        for name in ["castor-system-cid", "castor-system-name", "content-uuid", "lifepoint"] {
            assert_eq!(read.header(name), None, "{name}");
        }
        let listed = house.get("/bucket?list-type=2").await.is(200);
        assert_eq!(
            table(&listed, "Contents", ["Key", "Size", "ETag"]),
            [["dir/key".to_owned(), size.to_string(), etag(&bytes)]]
        );
    }
    house.put("/bucket/copy").header("x-amz-copy-source", "/bucket/dir/key").await.is(200);
    let copy = house.get("/bucket/copy").await.is(200).brings(pattern(40_000));
    assert_eq!(copy.need("x-amz-meta-colour"), "blue");
}

async fn names_are_the_same_at_both_doors(house: &mut House) {
    for (target, key) in [
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("a%2Bb", "a+b"),
        ("dir/sub/", "dir/sub/"),
        ("%C3%BC", "ü"),
        ("%F0%9F%A6%80", "\u{1F980}"),
        ("a%25b", "a%b"),
    ] {
        house.put(&format!("/bucket/{target}")).body(key).await.is(200);
        house.scsp("GET", &format!("/bucket/{target}")).await.is(200).brings(key);
        house.scsp("DELETE", &format!("/bucket/{target}")).await.is(200);
        house.head(&format!("/bucket/{target}")).await.is(404);
        house.scsp("POST", &format!("/bucket/{target}")).body(key).await.is(201);
        house.get(&format!("/bucket/{target}")).await.is(200).brings(key);
        assert_eq!(house.get("/bucket").await.is(200).all("Key"), [key]);
        house.delete(&format!("/bucket/{target}")).await.is(204);
        house.scsp("GET", &format!("/bucket/{target}")).await.is(404);
    }
}

async fn an_object_has_an_entity_tag_of_each_kind(house: &mut House) {
    house.put("/bucket/key").body("bytes").await.is(200);
    let (s3, scsp) =
        (house.head("/bucket/key").await.is(200), house.scsp("HEAD", "/bucket/key").await.is(200));
    assert_eq!(s3.need("etag"), etag("bytes"));
    assert_ne!(bare(&s3), bare(&scsp), "SCSP's is the version's id");
    assert_eq!(bare(&scsp).len(), 32);
    // Each door knows its own.
    house.get("/bucket/key").header("if-none-match", s3.need("etag")).await.is(304);
    house.get("/bucket/key").header("if-none-match", scsp.need("etag")).await.is(200);
    house.scsp("GET", "/bucket/key").header("If-None-Match", scsp.need("etag")).await.is(304);
    house.scsp("GET", "/bucket/key").header("If-None-Match", s3.need("etag")).await.is(200);
    house
        .put("/bucket/key")
        .header("if-match", scsp.need("etag"))
        .body("x")
        .await
        .refused(412, "PreconditionFailed");
    house.put("/bucket/key").header("if-match", s3.need("etag")).body("next").await.is(200);
    house.scsp("PUT", "/bucket/key").header("If-Match", scsp.need("etag")).body("x").await.is(412);
    let scsp = house.scsp("HEAD", "/bucket/key").await.is(200);
    house.scsp("PUT", "/bucket/key").header("If-Match", scsp.need("etag")).body("last").await.is(201);
    house.get("/bucket/key").await.is(200).brings("last");
}

async fn a_range_is_the_same_at_both_doors(house: &mut House) {
    house.scsp("POST", "/bucket/key").body(pattern(40_000)).await.is(201);
    for range in ["bytes=0-0", "bytes=100-20000", "bytes=-7"] {
        let s3 = house.get("/bucket/key").header("range", range).await.is(206);
        let scsp = house.scsp("GET", "/bucket/key").header("Range", range).await.is(206);
        assert!(s3.body == scsp.body, "{range}");
        assert_eq!(s3.need("content-range"), scsp.need("content-range"));
    }
}

async fn an_object_in_parts_is_one_object_at_both_doors(house: &mut House) {
    let whole = pattern(PART + 10);
    let tag = put_in_parts(house, "/bucket/of-s3", &[&whole[..PART], &whole[PART..]]).await;
    house.scsp("GET", "/bucket/of-s3").await.is(200).brings(&whole);
    assert_eq!(house.head("/bucket/of-s3").await.is(200).need("etag"), tag);
    // SCSP's parts may be of any size.
    let begun = house.scsp("POST", "/bucket/of-scsp?uploads").await.is(201);
    let id = begun.need("castor-system-uploadid").to_owned();
    let mut parts = Vec::new();
    for (number, bytes) in (1..).zip(["one", "two"]) {
        let target = format!("/bucket/of-scsp?uploadid={id}&partnumber={number}");
        let part = house.scsp("POST", &target).body(bytes).await.is(201);
        parts.push(format!(r#"{{"partNumber":{number},"uuid":"{}"}}"#, part.need("content-uuid")));
    }
    // An upload of one door is none of the other's.
    house.get(&format!("/bucket/of-scsp?uploadId={id}")).await;
    let list = format!(r#"{{"parts":[{}]}}"#, parts.join(","));
    let complete = house.scsp("POST", &format!("/bucket/of-scsp?uploadid={id}"));
    complete.header("Content-Type", "application/json").body(list).await.is(201);
    let read = house.get("/bucket/of-scsp").await.is(200).brings("onetwo");
    assert!(read.need("etag").ends_with("-2\""), "{}", read.need("etag"));
    house.get("/bucket/of-scsp?partNumber=2").await.is(206).brings("two");
    house.get("/bucket/of-scsp").header("range", "bytes=2-3").await.is(206).brings("et");
    let listed = house.get("/bucket").await.is(200);
    assert_eq!(table(&listed, "Contents", ["Key", "Size"])[1], ["of-scsp", "6"].map(str::to_owned));
}

async fn an_object_that_scsp_appended_to_is_read(house: &mut House) {
    house.put("/bucket/key").header("x-amz-meta-colour", "blue").body("first ").await.is(200);
    house.scsp("APPEND", "/bucket/key").body("second").await.is(201);
    let read = house.get("/bucket/key").await.is(200).brings("first second");
    assert_eq!(read.need("x-amz-meta-colour"), "blue");
    let tag = read.need("etag").to_owned();
    assert_eq!(house.get("/bucket").await.is(200).find("ETag"), Some(tag.clone()));
    house.get("/bucket/key").header("if-match", tag).await.is(200);
}

async fn a_bucket_is_one_bucket_whoever_made_it(house: &mut House) {
    house.scsp("POST", "/made-by-scsp").header("Content-Type", "application/castorcontext").await.is(201);
    house.head("/made-by-scsp").await.is(200);
    house.put("/made-by-scsp/key").body("bytes").await.is(200);
    house.scsp("GET", "/made-by-scsp/key").await.is(200).brings("bytes");
    house.put("/made-by-s3").await.is(200);
    let head = house.scsp("HEAD", "/made-by-s3").await.is(200);
    assert_eq!(head.need("castor-system-alias"), house.bucket("made-by-s3").await.to_string());
    house.scsp("POST", "/made-by-s3/key").body("bytes").await.is(201);
    house.get("/made-by-s3/key").await.is(200).brings("bytes");
    let names = house.get("/").await.is(200).all("Name");
    assert_eq!(names, ["bucket", "made-by-s3", "made-by-scsp", "other"]);
    // A name that S3 would not give, but SCSP did.
    house.scsp("POST", "/Strange_Name").header("Content-Type", "application/castorcontext").await.is(201);
    house.put("/Strange_Name/key").body("bytes").await.is(200);
    house.get("/Strange_Name/key").await.is(200).brings("bytes");
    house.delete("/Strange_Name/key").await.is(204);
    house.delete("/Strange_Name").await.is(204);
}

async fn versioning_is_switched_by_either_door(house: &mut House) {
    let policy = |policy: &str| {
        let copy = house.scsp("COPY", "/bucket?preserve").header("Content-Type", "application/castorcontext");
        copy.header("Policy-Versioning", policy)
    };
    for (word, status) in [("enabled", "Enabled"), ("suspended", "Suspended")] {
        policy(word).await.is(201);
        assert_eq!(house.get("/bucket?versioning").await.is(200).find("Status").as_deref(), Some(status));
    }
    for (status, word) in [("Enabled", "enabled"), ("Suspended", "suspended")] {
        versioning(house, "bucket", status).await;
        let head = house.scsp("HEAD", "/bucket").await.is(200);
        assert_eq!((head.need("policy-versioning"), head.need("policy-versioning-evaluated")), (word, word));
    }
    // What SCSP has told the bucket besides stays.
    let told = house.scsp("COPY", "/bucket?preserve").header("Content-Type", "application/castorcontext");
    told.header("X-Acme-Meta-Team", "storage").await.is(201);
    versioning(house, "bucket", "Enabled").await;
    let head = house.scsp("HEAD", "/bucket").await.is(200);
    assert_eq!((head.need("x-acme-meta-team"), head.need("policy-versioning")), ("storage", "enabled"));
    policy("disabled").await.is(201);
    assert_eq!(house.get("/bucket?versioning").await.is(200).find("Status"), None);
}

async fn versions_and_markers_are_the_same(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let one = house.put("/bucket/key").body("one").await.is(200).need("x-amz-version-id").to_owned();
    let two = bare(&house.scsp("POST", "/bucket/key").body("two").await.is(201));
    assert_eq!(house.get("/bucket/key").await.is(200).brings("two").need("x-amz-version-id"), two);
    assert_eq!(
        bare(&house.scsp("GET", &format!("/bucket/key?version={one}")).await.is(200).brings("one")),
        one
    );
    house.get(&format!("/bucket/key?versionId={two}")).await.is(200).brings("two");
    // A marker of S3's.
    let marker = house.delete("/bucket/key").await.is(204).need("x-amz-version-id").to_owned();
    let hidden = house.scsp("GET", "/bucket/key").await.is(404);
    assert_eq!(bare(&hidden), marker);
    house.scsp("DELETE", &format!("/bucket/key?version={marker}")).await.is(200);
    house.get("/bucket/key").await.is(200).brings("two");
    // A marker of SCSP's.
    let deleted = house.scsp("DELETE", "/bucket/key").await.is(200);
    let marker = deleted.need("castor-system-delete-marker-etag").trim_matches('"').to_owned();
    let hidden = house.get("/bucket/key").await.refused(404, "NoSuchKey");
    assert_eq!(
        (hidden.need("x-amz-delete-marker"), hidden.need("x-amz-version-id")),
        ("true", marker.as_str())
    );
    let expected = [(two.as_str(), false, false), (&one, false, false), (&marker, true, true)]
        .map(|(id, marker, latest)| ("key".to_owned(), id.to_owned(), marker, latest));
    assert_eq!(history(house, "bucket").await, expected);
    let gone = house.delete(&format!("/bucket/key?versionId={marker}")).await.is(204);
    assert_eq!(gone.need("x-amz-delete-marker"), "true");
    house.scsp("GET", "/bucket/key").await.is(200).brings("two");
    house.scsp("DELETE", &format!("/bucket/key?version={two}")).await.is(200);
    house.get("/bucket/key").await.is(200).brings("one");
}

async fn what_one_door_deletes_the_other_misses(house: &mut House) {
    house.put("/bucket/key").body("bytes").await.is(200);
    house.scsp("DELETE", "/bucket/key").await.is(200);
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
    house.scsp("POST", "/bucket/key").body("bytes").await.is(201);
    house.delete("/bucket/key").await.is(204);
    house.scsp("GET", "/bucket/key").await.is(404);
    for key in ["one", "two"] {
        house.scsp("POST", &format!("/bucket/{key}")).body("x").await.is(201);
    }
    let document = deletion(&[("one", None), ("two", None)], true);
    delete_objects(house, "bucket", &document).await.is(200);
    assert_eq!(house.scsp("GET", "/bucket?format=json&fields=name").await.is(200).text(), "[]");
    assert_eq!(house.count(State::Removed).await, 4);
}

async fn case_109_a_bucket_that_scsp_removed_is_no_bucket(house: &mut House) {
    house.scsp("DELETE", "/other?recursive").await.is(200);
    house.get("/other/witness").await.refused(404, "NoSuchBucket");
    house.get("/other").await.refused(404, "NoSuchBucket");
    house.get("/other?list-type=2").await.refused(404, "NoSuchBucket");
    house.head("/other").await.is(404).brings("");
    assert_eq!(house.get("/").await.is(200).all("Name"), ["bucket"]);
}

async fn case_110_a_bucket_that_s3_deletes_is_empty_and_comes_back(house: &mut House) {
    house.delete("/other").await.refused(409, "BucketNotEmpty");
    house.scsp("HEAD", "/other/witness").await.is(200);
    let id = house.bucket("other").await;
    house.delete("/other/witness").await.is(204);
    house.delete("/other").await.is(204);
    house.scsp("HEAD", "/other").await.is(404);
    let back = house.scsp("POST", &format!("/other?recreatecid={id}"));
    back.header("Content-Type", "application/castorcontext").await.is(201);
    assert_eq!(house.bucket("other").await, id);
    house.head("/other").await.is(200);
}

async fn what_was_deleted_by_s3_comes_back_for_both(house: &mut House) {
    house.put("/bucket/key").header("x-amz-meta-colour", "blue").body("bytes").await.is(200);
    let before = bare(&house.scsp("HEAD", "/bucket/key").await.is(200));
    house.delete("/bucket/key").await.is(204);
    assert_eq!(house.version(&before).await.state, State::Removed);
    let what = metadata::RestoreWhat::Latest("key".to_owned());
    house.restore_object("bucket", what).await.expect("its grace is not over");
    let s3 = house.get("/bucket/key").await.is(200).brings("bytes");
    let scsp = house.scsp("GET", "/bucket/key").await.is(200).brings("bytes");
    assert_eq!((s3.need("etag"), bare(&scsp)), (etag("bytes").as_str(), before));
    assert_eq!((s3.need("x-amz-meta-colour"), scsp.need("x-amz-meta-colour")), ("blue", "blue"));
}

/// The HTTP date that lies an hour ahead.
fn in_an_hour(house: &House) -> String {
    house.clock_now().plus(Duration::from_secs(3_600)).to_http_date()
}

async fn a_guarded_object_is_guarded_at_both_doors(house: &mut House) {
    let lifepoint = format!("[{}] reps=1, deletable=no", in_an_hour(house));
    house.scsp("POST", "/bucket/key").header("Lifepoint", &lifepoint).body("guarded").await.is(201);
    house.delete("/bucket/key").await.refused(403, "AccessDenied");
    house.delete("/bucket/key?versionId=null").await.refused(403, "AccessDenied");
    house.put("/bucket/key").body("other").await.refused(403, "AccessDenied");
    house.put("/bucket/key").header("x-amz-copy-source", "/other/witness").await.refused(403, "AccessDenied");
    let upload = crate::calls::Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, "parts").await;
    upload.complete(&[(1, &part)]).await.refused(403, "AccessDenied");
    upload.abort().await.is(204);
    let answer = delete_objects(house, "bucket", &deletion(&[("key", None)], false)).await.is(200);
    assert_eq!(table(&answer, "Error", ["Code"]).concat(), ["AccessDenied"]);
    let read = house.get("/bucket/key").await.is(200).brings("guarded");
    assert_eq!(read.need("etag"), etag("guarded"));
    house.delete("/bucket").await.refused(409, "BucketNotEmpty");
    // A copy of it is not guarded.
    house.put("/bucket/copy").header("x-amz-copy-source", "/bucket/key").await.is(200);
    house.delete("/bucket/copy").await.is(204);
    house.advance(Duration::from_secs(3_600));
    house.delete("/bucket/key").await.is(204);
}

async fn case_95_a_guarded_version_is_not_erased(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let lifepoint = format!("[{}] reps=1, deletable=no", in_an_hour(house));
    let guarded =
        bare(&house.scsp("POST", "/bucket/key").header("Lifepoint", &lifepoint).body("one").await.is(201));
    house.put("/bucket/key").body("two").await.is(200);
    let target = format!("/bucket/key?versionId={guarded}");
    house.delete(&target).await.refused(403, "AccessDenied");
    let answer = delete_objects(house, "bucket", &deletion(&[("key", Some(&guarded))], false)).await.is(200);
    assert_eq!(
        table(&answer, "Error", ["Code", "VersionId"]),
        [["AccessDenied".to_owned(), guarded.clone()]]
    );
    house.get(&target).await.is(200).brings("one");
    house.advance(Duration::from_secs(3_600));
    house.delete(&target).await.is(204);
    house.get(&target).await.refused(404, "NoSuchVersion");
}

async fn case_96_a_guarded_current_version_is_hidden_by_a_marker(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let lifepoint = format!("[{}] reps=1, deletable=no", in_an_hour(house));
    let guarded =
        bare(&house.scsp("POST", "/bucket/key").header("Lifepoint", &lifepoint).body("one").await.is(201));
    house.scsp("DELETE", "/bucket/key").await.is(403);
    let hidden = house.delete("/bucket/key").await.is(204);
    assert_eq!(hidden.need("x-amz-delete-marker"), "true");
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
    house.get(&format!("/bucket/key?versionId={guarded}")).await.is(200).brings("one");
    house.delete(&format!("/bucket/key?versionId={guarded}")).await.refused(403, "AccessDenied");
    house.delete(&format!("/bucket/key?versionId={}", hidden.need("x-amz-version-id"))).await.is(204);
    house.get("/bucket/key").await.is(200).brings("one");
    house.put("/bucket/key").body("two").await.is(200);
    house.get(&format!("/bucket/key?versionId={guarded}")).await.is(200).brings("one");
}

async fn what_scsp_reserves_is_reserved(house: &mut House) {
    let all: Vec<Right> = Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect();
    let (ann, bob) = (house.key_with(&all).await, house.key_with(&all).await);
    let store = async |spec: &str| {
        let post = house.scsp_as(&ann, "POST", "/bucket/key").header("Castor-Authorization", spec);
        post.body("bytes").await.is(201);
    };
    store("view=owner@").await;
    house.get("/bucket/key").key(&ann).await.is(200).brings("bytes");
    house.get("/bucket/key").key(&bob).await.refused(403, "AccessDenied");
    house.head("/bucket/key").key(&bob).await.is(403).brings("");
    house.get("/bucket/key?tagging").key(&bob).await.refused(403, "AccessDenied");
    house
        .put("/bucket/copy")
        .key(&bob)
        .header("x-amz-copy-source", "/bucket/key")
        .await
        .refused(403, "AccessDenied");
    let upload = crate::calls::Upload::begin(house, "/bucket/parts").await;
    let part = upload.ask_part(1).key(&bob).header("x-amz-copy-source", "/bucket/key");
    part.await.refused(403, "AccessDenied");
    upload.abort().await.is(204);
    let attributes = house.get("/bucket/key?attributes").key(&bob).header("x-amz-object-attributes", "ETag");
    attributes.await.refused(403, "AccessDenied");
    store("change=owner@").await;
    house.get("/bucket/key").key(&bob).await.is(200).brings("bytes");
    house.put("/bucket/key").key(&bob).body("other").await.refused(403, "AccessDenied");
    house
        .put("/bucket/key")
        .key(&bob)
        .header("x-amz-copy-source", "/other/witness")
        .await
        .refused(403, "AccessDenied");
    house
        .put("/bucket/key?tagging")
        .key(&bob)
        .body(tagging(&[("k", "v")]))
        .await
        .refused(403, "AccessDenied");
    house.delete("/bucket/key?tagging").key(&bob).await.refused(403, "AccessDenied");
    house.delete("/bucket/key").key(&bob).await.refused(403, "AccessDenied");
    house.delete("/bucket/key?versionId=null").key(&bob).await.refused(403, "AccessDenied");
    let upload =
        crate::calls::Upload::begun(house, "/bucket/key", house.post("/bucket/key?uploads").key(&bob)).await;
    let tag = upload.ask_part(1).key(&bob).body("parts").await.is(200).need("etag").to_owned();
    upload.ask_complete(&[(1, &tag)]).key(&bob).await.refused(403, "AccessDenied");
    upload.abort().await.is(204);
    let answer = delete_objects(house, "bucket", &deletion(&[("key", None)], false)).key(&bob).await.is(200);
    assert_eq!(table(&answer, "Error", ["Code"]).concat(), ["AccessDenied"]);
    house.get("/bucket/key").await.is(200).brings("bytes");
    house.delete("/bucket/key").key(&ann).await.is(204);
}

async fn what_scsp_reserves_on_a_bucket_is_reserved(house: &mut House) {
    let all: Vec<Right> = Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect();
    let (ann, bob) = (house.key_with(&all).await, house.key_with(&all).await);
    let context = |key, method: &str, spec: &str| {
        let ask = house.scsp_as(key, method, "/reserved").header("Content-Type", "application/castorcontext");
        ask.header("Castor-Authorization", spec)
    };
    context(&ann, "POST", "view=owner@").await.is(201);
    house.put("/reserved/key").key(&bob).body("bytes").await.is(200);
    for target in [
        "/reserved",
        "/reserved?list-type=2",
        "/reserved?versions",
        "/reserved?uploads",
        "/reserved?location",
    ] {
        house.get(target).key(&bob).await.refused(403, "AccessDenied");
        house.get(target).key(&ann).await.is(200);
    }
    house.head("/reserved").key(&bob).await.is(403);
    // A spec holds for the bucket, and for nothing inside of it.
    house.get("/reserved/key").key(&bob).await.is(200).brings("bytes");
    context(&ann, "PUT", "post=owner@, change=owner@").await.is(201);
    house.put("/reserved/more").key(&bob).body("bytes").await.refused(403, "AccessDenied");
    house.post("/reserved/more?uploads").key(&bob).await.refused(403, "AccessDenied");
    house
        .put("/reserved/more")
        .key(&bob)
        .header("x-amz-copy-source", "/other/witness")
        .await
        .refused(403, "AccessDenied");
    house.put("/reserved?tagging").key(&bob).body(tagging(&[("k", "v")])).await.refused(403, "AccessDenied");
    let document = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    house.put("/reserved?versioning").key(&bob).body(document).await.refused(403, "AccessDenied");
    house.delete("/reserved/key").key(&ann).await.is(204);
    house.delete("/reserved").key(&bob).await.refused(403, "AccessDenied");
    house.delete("/reserved").key(&ann).await.is(204);
}

async fn a_key_does_the_same_at_both_doors(house: &mut House) {
    let reader = house.key_with(&[Right::Read]).await;
    house.get("/other/witness").key(&reader).await.is(200).brings(WITNESS);
    house.scsp_as(&reader, "GET", "/other/witness").await.is(200).brings(WITNESS);
    house.put("/bucket/key").key(&reader).body("x").await.refused(403, "AccessDenied");
    house.scsp_as(&reader, "POST", "/bucket/key").body("x").await.is(403);
    house.revoke(&reader).await;
    house.get("/other/witness").key(&reader).await.refused(403, "InvalidAccessKeyId");
    house.scsp_as(&reader, "GET", "/other/witness").await.is(401);
}

async fn tags_are_s3s_alone_and_survive_scsp(house: &mut House) {
    house.put("/bucket/key").header("x-amz-tagging", "team=storage").body("bytes").await.is(200);
    house.scsp("GET", "/bucket/key").await.is(200).brings("bytes");
    assert_eq!(rows(&house.get("/bucket/key?tagging").await.is(200), "Tag").len(), 1);
    house.put("/bucket?tagging").body(tagging(&[("team", "storage")])).await;
    let told = house.scsp("COPY", "/bucket?preserve").header("Content-Type", "application/castorcontext");
    told.header("X-Acme-Meta-Team", "storage").await.is(201);
    assert_eq!(rows(&house.get("/bucket?tagging").await.is(200), "Tag").len(), 1);
}

async fn an_object_that_expires_is_gone_at_both_doors(house: &mut House) {
    let lifepoint = format!("[{}] reps=1, [] delete", in_an_hour(house));
    house.scsp("POST", "/bucket/key").header("Lifepoint", lifepoint).body("bytes").await.is(201);
    house.get("/bucket/key").await.is(200).brings("bytes");
    house.advance(Duration::from_secs(3_600));
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
    assert_eq!(house.get("/bucket?list-type=2").await.find("KeyCount").as_deref(), Some("0"));
    house.put("/bucket/key").header("if-none-match", "*").body("new").await.is(200);
    house.get("/bucket/key").await.is(200).brings("new");
    house.advance(OBJECT_GRACE);
    house.purge().await;
    house.get("/bucket/key").await.is(200).brings("new");
}
