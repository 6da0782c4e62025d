//! Buckets: made, found, listed, deleted, and what an operator can bring back of them.

use crate::calls::{Upload, delete_objects, deletion, rows, tagging, tags, versioning};
use crate::house::{GRACE, House};
use crate::sign::encoded;
use futures_util::future::join_all;
use lifecycle::{Refusal, Right, State};

crate::on_both_engines!(
    a_bucket_is_made_found_and_deleted,
    a_bucket_made_again_by_its_owner_stays_as_it_is,
    a_bucket_of_another_is_not_made_again,
    names_of_buckets_follow_the_rules,
    a_location_is_named_where_a_bucket_is_made,
    a_bucket_is_tagged_as_it_is_made,
    buckets_are_listed_by_name,
    buckets_are_listed_by_prefix_and_page,
    a_key_of_one_bucket_sees_that_one,
    a_bucket_belongs_to_whom_the_caller_expects,
    a_bucket_that_is_not_there_is_not_found_by_any_call,
    a_bucket_with_something_in_it_is_not_deleted,
    an_open_upload_goes_and_comes_back_with_its_bucket,
    a_bucket_with_nothing_but_removed_things_is_deleted,
    a_deleted_bucket_comes_back_as_it_was,
    a_name_is_free_at_once,
    nothing_of_a_deleted_bucket_is_reached,
    of_many_who_make_a_bucket_at_once_one_owns_it,
    a_bucket_is_not_deleted_under_an_object_that_is_written,
    answers_are_documents_of_s3s_namespace,
);

async fn a_bucket_is_made_found_and_deleted(house: &mut House) {
    house.head("/fresh").await.is(404).brings("");
    let made = house.put("/fresh").await.is(200).brings("");
    assert_eq!(made.need("location"), "/fresh");
    let found = house.head("/fresh").await.is(200).brings("");
    assert_eq!(found.need("x-amz-bucket-region"), "us-east-1");
    let location = house.get("/fresh?location").await.is(200).text();
    assert!(location.contains("<LocationConstraint"), "{location}");
    assert!(!location.contains("us-east-1"), "of its first region AWS says nothing: {location}");
    let listed = house.get("/fresh?list-type=2").await.is(200);
    assert_eq!(listed.find("Name").as_deref(), Some("fresh"));
    assert_eq!(listed.find("KeyCount").as_deref(), Some("0"));
    house.delete("/fresh").await.is(204).brings("");
    house.head("/fresh").await.is(404).brings("");
    let gone = house.get("/fresh").await.refused(404, "NoSuchBucket");
    assert_eq!(gone.find("BucketName").as_deref(), Some("fresh"));
    assert_eq!(gone.find("Resource").as_deref(), Some("/fresh"));
    house.delete("/fresh").await.refused(404, "NoSuchBucket");
}

async fn a_bucket_made_again_by_its_owner_stays_as_it_is(house: &mut House) {
    let before = house.bucket("other").await;
    versioning(house, "other", "Enabled").await;
    assert_eq!(house.put("/other").await.is(200).need("location"), "/other");
    assert_eq!(house.bucket("other").await, before);
    house.get("/other/witness").await.is(200).brings(crate::house::WITNESS);
    assert_eq!(house.get("/other?versioning").await.find("Status").as_deref(), Some("Enabled"));
}

async fn a_bucket_of_another_is_not_made_again(house: &mut House) {
    let stranger = house.key_with(&[Right::Read, Right::Write]).await;
    let refused = house.put("/other").key(&stranger).await.refused(409, "BucketAlreadyExists");
    assert_eq!(refused.find("BucketName").as_deref(), Some("other"));
    house.get("/other/witness").await.is(200).brings(crate::house::WITNESS);
    // And one whose maker was that other key.
    house.put("/theirs").key(&stranger).await.is(200);
    house.put("/theirs").await.refused(409, "BucketAlreadyExists");
    house.put("/theirs").key(&stranger).await.is(200);
}

async fn names_of_buckets_follow_the_rules(house: &mut House) {
    let long = "a".repeat(63);
    for good in ["abc", "123", "a-b", "a.b.c", "my-bucket.example.com", "1.2.3.a", "a--b", &long] {
        house.put(&format!("/{good}")).await.is(200);
        house.head(&format!("/{good}")).await.is(200);
        house.delete(&format!("/{good}")).await.is(204);
    }
    let too_long = "a".repeat(64);
    for bad in [
        "a",
        "ab",
        &too_long,
        "Abc",
        "aBC",
        "ABC",
        "a_b",
        "a..b",
        "a.-b",
        "a-.b",
        "-ab",
        "ab-",
        ".ab",
        "ab.",
        "192.168.5.4",
        "10.0.0.1",
        "xn--abc",
        "sthree-abc",
        "abc-s3alias",
        "abc--ol-s3",
        "abc.mrap",
        "a b",
        "a+b",
        "a:b",
        "a\\b",
        "a*b",
        "bücher",
        "\u{1F4E6}box",
        "a\nb",
    ] {
        let target = format!("/{}", encoded(bad.as_bytes(), true));
        house.put(&target).await.refused(400, "InvalidBucketName");
        house.head(&target).await.is(404).brings("");
    }
    let names = house.get("/").await.is(200).all("Name");
    assert_eq!(names, ["bucket", "other"]);
}

async fn a_location_is_named_where_a_bucket_is_made(house: &mut House) {
    let document = |location: &str| {
        format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{location}</LocationConstraint></CreateBucketConfiguration>"
        )
    };
    for (name, body, region) in [
        ("one-1", document("eu-west-1"), "eu-west-1"),
        ("two-2", document("EU"), "us-east-1"),
        ("three-3", "<CreateBucketConfiguration></CreateBucketConfiguration>".to_owned(), "us-east-1"),
        ("four-4", String::new(), "auto"),
    ] {
        house.put(&format!("/{name}")).region(region).body(body).await.is(200);
        house.head(&format!("/{name}")).await.is(200);
    }
    house.put("/five-5").body(document("us-east-1")).await.refused(400, "InvalidLocationConstraint");
    house.put("/five-5").await.is(200);
}

async fn a_bucket_is_tagged_as_it_is_made(house: &mut House) {
    let document = |tags: &str| {
        let location = "<LocationConstraint>eu-west-1</LocationConstraint>";
        format!("<CreateBucketConfiguration>{location}<Tags>{tags}</Tags></CreateBucketConfiguration>")
    };
    let tag = |key: &str, value: &str| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let many: String = (0..51).map(|number| tag(&format!("k{number}"), "v")).collect();
    for (tags, code) in [
        (tag("", "v"), "InvalidTag"),
        (tag("aws:k", "v"), "InvalidTag"),
        (tag("k", "1") + &tag("k", "2"), "InvalidTag"),
        (tag(&"k".repeat(129), "v"), "InvalidTag"),
        (many, "BadRequest"),
        ("<Tag><Key>k</Key></Tag>".to_owned(), "MalformedXML"),
        ("<Tag><Kee>k</Kee></Tag>".to_owned(), "MalformedXML"),
    ] {
        house.put("/tagged").body(document(&tags)).await.refused(400, code);
        house.head("/tagged").await.is(404);
    }
    house.put("/tagged").body(document(&(tag("team", "a + b") + &tag("env", "")))).await.is(200);
    let told = crate::calls::tags(&house.get("/tagged?tagging").await.is(200));
    assert_eq!(told, [("env".to_owned(), String::new()), ("team".to_owned(), "a + b".to_owned())]);
    for malformed in ["<CreateBucketConfiguration>", "nonsense", "<Other></Other>"] {
        house.put("/five-5").body(malformed).await.refused(400, "MalformedXML");
    }
    house.head("/five-5").await.is(404);
}

async fn buckets_are_listed_by_name(house: &mut House) {
    for name in ["zebra", "a.b", "a-b", "a0b"] {
        house.put(&format!("/{name}")).await.is(200);
    }
    let listed = house.get("/").await.is(200);
    assert!(listed.text().contains("ListAllMyBucketsResult"), "{}", listed.text());
    assert_eq!(listed.all("Name"), ["a-b", "a.b", "a0b", "bucket", "other", "zebra"]);
    assert_eq!(listed.find("ID"), Some(house.key.id.clone()));
    for created in listed.all("CreationDate") {
        assert_eq!((created.len(), &created[23..]), (24, "Z"), "{created}");
    }
}

async fn buckets_are_listed_by_prefix_and_page(house: &mut House) {
    let names = ["page-1", "page-2", "page-3", "page-4", "page-5"];
    for name in names {
        house.put(&format!("/{name}")).await.is(200);
    }
    let listed = house.get("/?prefix=page-").await.is(200);
    assert_eq!(listed.all("Name"), names);
    assert_eq!(listed.find("Prefix").as_deref(), Some("page-"));
    assert!(house.get("/?prefix=none").await.is(200).all("Name").is_empty());
    for size in 1..=6 {
        let (mut seen, mut token) = (Vec::new(), None::<String>);
        for _ in 0..10 {
            let more = token.map(|token| format!("&continuation-token={}", encoded(token.as_bytes(), true)));
            let target = format!("/?prefix=page-&max-buckets={size}{}", more.unwrap_or_default());
            let page = house.get(&target).await.is(200);
            let names = page.all("Name");
            assert!(names.len() <= size);
            seen.extend(names);
            token = page.find("ContinuationToken").filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, names, "pages of {size}");
    }
    for bad in
        ["max-buckets=0", "max-buckets=-1", "max-buckets=10001", "max-buckets=x", "continuation-token=%21"]
    {
        house.get(&format!("/?{bad}")).await.refused(400, "InvalidArgument");
    }
}

async fn a_key_of_one_bucket_sees_that_one(house: &mut House) {
    let (domain, bucket) = (house.domain(), house.bucket("bucket").await);
    let key = house
        .made_key(&Right::ALL, |key| {
            (key.domain, key.bucket) = (Some(domain), Some(bucket));
        })
        .await;
    assert_eq!(house.get("/").key(&key).await.is(200).all("Name"), ["bucket"]);
    house.head("/bucket").key(&key).await.is(200);
    house.head("/other").key(&key).await.is(403).brings("");
    house.get("/other").key(&key).await.refused(403, "AccessDenied");
    house.get("/other/witness").key(&key).await.refused(403, "AccessDenied");
    house.put("/another").key(&key).await.refused(403, "AccessDenied");
    house.delete("/other").key(&key).await.refused(403, "AccessDenied");
    // Copying from elsewhere is reading there.
    let copy = house.put("/bucket/stolen").key(&key).header("x-amz-copy-source", "/other/witness");
    copy.await.refused(403, "AccessDenied");
    house.head("/bucket/stolen").await.is(404);
}

async fn a_bucket_belongs_to_whom_the_caller_expects(house: &mut House) {
    const OWNER: &str = "x-amz-expected-bucket-owner";
    let mine = house.key.id.clone();
    for target in ["/other", "/other?list-type=2", "/other?versioning", "/other?location"] {
        house.get(target).header(OWNER, &mine).await.is(200);
        house.get(target).header(OWNER, "111122223333").await.refused(403, "AccessDenied");
    }
    house.head("/other").header(OWNER, "111122223333").await.is(403);
    house.put("/other/witness").header(OWNER, "111122223333").body("x").await.refused(403, "AccessDenied");
    house.delete("/other/witness").header(OWNER, "111122223333").await.refused(403, "AccessDenied");
    house.delete("/other").header(OWNER, "111122223333").await.refused(403, "AccessDenied");
    house.get("/other/witness").header(OWNER, "111122223333").await.refused(403, "AccessDenied");
    house.head("/other/witness").header(OWNER, "111122223333").await.is(403);
    house.get("/other/witness").header(OWNER, mine).await.is(200).brings(crate::house::WITNESS);
}

async fn a_bucket_that_is_not_there_is_not_found_by_any_call(house: &mut House) {
    let tags = tagging(&[("a", "b")]);
    let list = deletion(&[("key", None)], false);
    let upload = "00000000000000000000000000000001";
    for (method, target, body) in [
        ("GET", "/none", ""),
        ("GET", "/none?list-type=2", ""),
        ("GET", "/none?versions", ""),
        ("GET", "/none?uploads", ""),
        ("GET", "/none?location", ""),
        ("GET", "/none?versioning", ""),
        ("GET", "/none?tagging", ""),
        ("PUT", "/none?tagging", tags.as_str()),
        ("DELETE", "/none?tagging", ""),
        (
            "PUT",
            "/none?versioning",
            "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        ),
        ("DELETE", "/none", ""),
        ("POST", "/none?delete", list.as_str()),
        ("GET", "/none/key", ""),
        ("GET", "/none/key?versionId=null", ""),
        ("PUT", "/none/key", "bytes"),
        ("DELETE", "/none/key", ""),
        ("DELETE", "/none/key?versionId=null", ""),
        ("GET", "/none/key?tagging", ""),
        ("PUT", "/none/key?tagging", tags.as_str()),
        ("DELETE", "/none/key?tagging", ""),
        ("POST", "/none/key?uploads", ""),
        ("PUT", &format!("/none/key?partNumber=1&uploadId={upload}"), "bytes"),
        ("GET", &format!("/none/key?uploadId={upload}"), ""),
        ("DELETE", &format!("/none/key?uploadId={upload}"), ""),
    ] {
        let mut ask = house.ask(method, target);
        if !body.is_empty() {
            ask = ask.header("Content-MD5", crate::calls::content_md5(body)).body(body);
        }
        let refused = ask.await.refused(404, "NoSuchBucket");
        assert_eq!(refused.find("BucketName").as_deref(), Some("none"), "{method} {target}");
    }
    house.head("/none/key").await.is(404).brings("");
    house.put("/none/key").header("x-amz-copy-source", "/other/witness").await.refused(404, "NoSuchBucket");
    house.put("/bucket/key").header("x-amz-copy-source", "/none/witness").await.refused(404, "NoSuchBucket");
}

async fn a_bucket_with_something_in_it_is_not_deleted(house: &mut House) {
    let refused = house.delete("/other").await.refused(409, "BucketNotEmpty");
    assert_eq!(refused.find("BucketName").as_deref(), Some("other"));
    house.get("/other/witness").await.is(200).brings(crate::house::WITNESS);
    // A delete marker alone.
    versioning(house, "bucket", "Enabled").await;
    let marker = house.delete("/bucket/never").await.is(204).need("x-amz-version-id").to_owned();
    house.delete("/bucket").await.refused(409, "BucketNotEmpty");
    house.delete(&format!("/bucket/never?versionId={marker}")).await.is(204);
    // An older version that nobody sees.
    let old = house.put("/bucket/key").body("one").await.is(200).need("x-amz-version-id").to_owned();
    let marker = house.delete("/bucket/key").await.is(204).need("x-amz-version-id").to_owned();
    house.delete(&format!("/bucket/key?versionId={marker}")).await.is(204);
    house.delete("/bucket").await.refused(409, "BucketNotEmpty");
    house.delete(&format!("/bucket/key?versionId={old}")).await.is(204);
    house.delete("/bucket").await.is(204);
    house.head("/bucket").await.is(404);
}

/// What was never completed is no object; and it comes back as the rest of a bucket does.
async fn an_open_upload_goes_and_comes_back_with_its_bucket(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/parts").await;
    let part = upload.part(1, "bytes").await;
    let id = house.bucket("bucket").await;
    house.delete("/bucket").await.is(204);
    upload.complete(&[(1, &part)]).await.refused(404, "NoSuchBucket");
    house.restore_bucket(id).await.expect("its grace is not over");
    upload.complete(&[(1, &part)]).await.is(200);
    house.get("/bucket/parts").await.is(200).brings("bytes");
}

async fn a_bucket_with_nothing_but_removed_things_is_deleted(house: &mut House) {
    house.put("/bucket/one").body("1").await.is(200);
    house.put("/bucket/one").body("2").await.is(200);
    house.put("/bucket/two").body("2").await.is(200);
    let document = deletion(&[("one", None), ("two", None)], false);
    delete_objects(house, "bucket", &document).await.is(200);
    assert_eq!(house.count(State::Removed).await, 3);
    house.delete("/bucket").await.is(204);
}

async fn a_deleted_bucket_comes_back_as_it_was(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    house.put("/bucket?tagging").body(tagging(&[("team", "storage")])).await.is(204);
    let id = house.bucket("bucket").await;
    house.delete("/bucket").await.is(204);
    house.get("/bucket?tagging").await.refused(404, "NoSuchBucket");
    let removed = house.container(id).await;
    assert_eq!(removed.state, State::Removed);
    assert_eq!(removed.purge_after, Some(house.clock_now().plus(GRACE)));
    house.advance(GRACE - std::time::Duration::from_secs(1));
    house.process().await;
    let restored = house.restore_bucket(id).await.expect("its grace is not over");
    assert_eq!((restored.id, restored.name.as_str()), (id, "bucket"));
    house.head("/bucket").await.is(200);
    assert_eq!(
        tags(&house.get("/bucket?tagging").await.is(200)),
        [("team".to_owned(), "storage".to_owned())]
    );
    assert_eq!(house.get("/bucket?versioning").await.find("Status").as_deref(), Some("Enabled"));
    house.put("/bucket/key").body("bytes").await.is(200).need("x-amz-version-id");
    // Deleted once more, and this time for good.
    let listed = house.get("/bucket?versions").await.is(200);
    let version = rows(&listed, "Version").first().map(|row| crate::calls::field(row, "VersionId"));
    let version = version.expect("a version");
    house.delete(&format!("/bucket/key?versionId={version}")).await.is(204);
    house.delete("/bucket").await.is(204);
    // The object was promised an hour.
    house.advance(crate::house::OBJECT_GRACE);
    house.purge().await;
    house.purge().await;
    assert_eq!(house.container(id).await.state, State::Purged);
    let refused = house.restore_bucket(id).await.expect_err("it is gone");
    assert_eq!(refused.refusal(), Some(&Refusal::Purged));
}

async fn a_name_is_free_at_once(house: &mut House) {
    let before = house.bucket("bucket").await;
    house.delete("/bucket").await.is(204);
    house.put("/bucket").await.is(200);
    let now = house.bucket("bucket").await;
    assert_ne!(now, before);
    house.put("/bucket/key").body("new").await.is(200);
    let refused = house.restore_bucket(before).await.expect_err("the name is taken");
    assert_eq!(refused.refusal(), Some(&Refusal::NameInUse));
    house.get("/bucket/key").await.is(200).brings("new");
}

async fn nothing_of_a_deleted_bucket_is_reached(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/parts").await;
    let part = upload.part(1, "bytes").await;
    // What lies in it is removed with it by another door.
    let id = house.bucket("bucket").await;
    house.put("/bucket/key").body("bytes").await.is(200);
    let deleted = house.scsp("DELETE", "/bucket?recursive=yes").await.is(200);
    assert!(deleted.header("barrow-purge-after").is_some(), "{deleted:?}");
    for target in
        ["/bucket", "/bucket?versions", "/bucket?uploads", "/bucket/key", "/bucket/key?versionId=null"]
    {
        house.get(target).await.refused(404, "NoSuchBucket");
    }
    house.put("/bucket/key").body("late").await.refused(404, "NoSuchBucket");
    house.delete("/bucket/key").await.refused(404, "NoSuchBucket");
    upload.ask_part(2).body("late").await.refused(404, "NoSuchBucket");
    upload.complete(&[(1, &part)]).await.refused(404, "NoSuchBucket");
    house.restore_bucket(id).await.expect("its grace is not over");
    house.get("/bucket/key").await.is(200).brings("bytes");
    upload.complete(&[(1, &part)]).await.is(200);
    house.get("/bucket/parts").await.is(200).brings("bytes");
}

async fn of_many_who_make_a_bucket_at_once_one_owns_it(house: &mut House) {
    let mut keys = Vec::new();
    for _ in 0..8 {
        keys.push(house.key_with(&[Right::Read, Right::Write]).await);
    }
    let puts = keys.iter().flat_map(|key| [house.put("/fresh").key(key), house.put("/fresh").key(key)]);
    let answers = join_all(puts.map(IntoFuture::into_future)).await;
    let owner = house.bucket("fresh").await;
    let owner = house.container(owner).await.owner.expect("whoever made it");
    for (key, answers) in keys.iter().zip(answers.chunks(2)) {
        for answer in answers {
            match key.id == owner {
                true => assert_eq!(answer.status, 200, "{}", answer.text()),
                false => assert_eq!((answer.status, answer.code().as_str()), (409, "BucketAlreadyExists")),
            }
        }
    }
    assert_eq!(house.get("/").await.is(200).all("Name"), ["bucket", "fresh", "other"]);
}

async fn a_bucket_is_not_deleted_under_an_object_that_is_written(house: &mut House) {
    for round in 0..12 {
        let put =
            house.put("/bucket/key").body(crate::calls::pattern(if round % 2 == 0 { 10 } else { 20_000 }));
        let (put, delete) = tokio::join!(put.into_future(), house.delete("/bucket").into_future());
        match (put.status, delete.status) {
            (200, 409) => {
                house.get("/bucket/key").await.is(200);
                house.delete("/bucket/key").await.is(204);
            }
            (404, 204) => {
                house.put("/bucket").await.is(200);
                house.get("/bucket/key").await.refused(404, "NoSuchKey");
            }
            other => panic!("{round}: {other:?}: {} {}", put.text(), delete.text()),
        }
    }
}

async fn answers_are_documents_of_s3s_namespace(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/parts").await;
    let documents = [
        ("GET", "/".to_owned(), "ListAllMyBucketsResult"),
        ("GET", "/other".to_owned(), "ListBucketResult"),
        ("GET", "/other?list-type=2".to_owned(), "ListBucketResult"),
        ("GET", "/other?versions".to_owned(), "ListVersionsResult"),
        ("GET", "/bucket?uploads".to_owned(), "ListMultipartUploadsResult"),
        ("GET", format!("/bucket/parts?uploadId={}", upload.id), "ListPartsResult"),
        ("GET", "/other?location".to_owned(), "LocationConstraint"),
        ("GET", "/other?versioning".to_owned(), "VersioningConfiguration"),
        ("GET", "/other/witness?tagging".to_owned(), "Tagging"),
        ("POST", "/bucket/more?uploads".to_owned(), "InitiateMultipartUploadResult"),
    ];
    for (method, target, root) in documents {
        let answer = house.ask(method, &target).await.is(200);
        let text = answer.text();
        assert_eq!(answer.need("content-type"), "application/xml", "{target}");
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"), "{target}: {text}");
        let opening = format!("<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"");
        assert!(text.contains(&opening), "{target}: {text}");
    }
}
