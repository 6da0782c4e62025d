//! Multipart uploads: begun, brought in parts, completed, given up or forgotten, with nothing left of what is not the
//! object's.

use crate::calls::{
    PART, Upload, completion, content_md5, etag, etag_of_parts, pattern, put_in_parts, rows, table, tags,
    versioning,
};
use crate::house::{House, OBJECT_GRACE, WITNESS};
use futures_util::future::join_all;
use lifecycle::{Place, State};
use std::time::Duration;

crate::on_both_engines!(
    parts_become_an_object,
    an_object_may_be_one_small_part,
    parts_come_in_any_order_and_some_are_left_out,
    a_part_sent_again_takes_the_place_of_the_first,
    parts_are_listed,
    parts_are_listed_page_by_page,
    a_part_has_a_number,
    a_part_that_is_not_what_its_digest_says_is_not_stored,
    a_part_needs_its_upload,
    a_list_of_parts_that_is_wrong_completes_nothing,
    a_list_that_is_no_list_completes_nothing,
    a_part_too_small_completes_nothing,
    the_size_of_the_object_may_be_said,
    what_was_said_at_the_beginning_is_the_objects,
    completed_twice_is_answered_twice,
    completed_twice_at_once_is_one_object,
    nothing_is_seen_of_an_upload_before_it_completes,
    an_upload_replaces_what_is_there,
    uploads_of_one_key_do_not_know_each_other,
    an_upload_that_is_given_up_leaves_nothing,
    an_upload_that_is_given_up_while_a_part_comes_takes_it_along,
    an_upload_that_takes_too_long_leaves_nothing,
    an_upload_in_a_removed_bucket_completes_nothing,
    an_object_in_parts_is_deleted_with_all_of_them,
    a_part_may_be_a_copy,
    a_part_may_be_a_range_of_another_object,
    a_range_that_is_none_copies_nothing,
    a_part_is_copied_from_a_version,
    where_versions_are_kept_an_upload_makes_one,
    given_up_and_completed_at_once_it_is_one_of_both,
    a_part_says_how_long_it_is,
);

/// Blobs of versions and parts that are not live.
async fn left_over(house: &House) -> usize {
    let versions = house.world.versions().await;
    let not_live = versions.iter().filter(|checked| checked.facts.state != State::Live);
    not_live.map(|checked| checked.blobs.len()).sum()
}

async fn parts_become_an_object(house: &mut House) {
    let begun = house.post("/bucket/key?uploads").await.is(200);
    assert_eq!(
        (begun.find("Bucket").as_deref(), begun.find("Key").as_deref()),
        (Some("bucket"), Some("key"))
    );
    assert!(begun.text().contains("<InitiateMultipartUploadResult"), "{}", begun.text());
    let upload = Upload {
        house,
        target: "/bucket/key".to_owned(),
        id: begun.find("UploadId").expect("an upload's id"),
    };
    let (one, two) = (pattern(PART), b"and the rest".to_vec());
    let first = upload.ask_part(1).body(one.clone()).await.is(200).brings("");
    assert_eq!(first.need("etag"), etag(&one));
    let second = upload.part(2, two.clone()).await;
    let made = upload.complete(&[(1, first.need("etag")), (2, &second)]).await.is(200);
    let tag = etag_of_parts(&[&one, &two]);
    assert!(made.text().contains("<CompleteMultipartUploadResult"), "{}", made.text());
    assert_eq!(made.find("ETag"), Some(tag.clone()));
    assert_eq!((made.find("Bucket").as_deref(), made.find("Key").as_deref()), (Some("bucket"), Some("key")));
    assert_eq!(made.find("Location"), Some(format!("http://{}/bucket/key", house.address())));
    let whole = [one, two].concat();
    let read = house.get("/bucket/key").await.is(200).brings(&whole);
    assert_eq!(
        (read.need("etag"), read.need("content-length")),
        (tag.as_str(), whole.len().to_string().as_str())
    );
    let listed = house.get("/bucket").await.is(200);
    assert_eq!(table(&listed, "Contents", ["ETag", "Size"]), [[tag, whole.len().to_string()]]);
    assert!(rows(&house.get("/bucket?uploads").await.is(200), "Upload").is_empty());
    upload.parts().await.refused(404, "NoSuchUpload");
}

async fn an_object_may_be_one_small_part(house: &mut House) {
    for bytes in [Vec::new(), b"one".to_vec(), pattern(40_000)] {
        let tag = put_in_parts(house, "/bucket/key", &[&bytes]).await;
        assert_eq!(tag, etag_of_parts(&[&bytes]));
        assert_eq!(house.get("/bucket/key").await.is(200).brings(&bytes).need("etag"), tag);
    }
}

async fn parts_come_in_any_order_and_some_are_left_out(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let last = upload.part(10_000, "the end").await;
    let second = upload.part(7, vec![7; PART]).await;
    let first = upload.part(2, vec![2; PART]).await;
    upload.part(3, vec![3; 40_000]).await;
    upload.part(9, "nothing").await;
    upload.complete(&[(2, &first), (7, &second), (10_000, &last)]).await.is(200);
    let whole = [vec![2; PART], vec![7; PART], b"the end".to_vec()].concat();
    house.get("/bucket/key").await.is(200).brings(&whole);
    let read = house.get("/bucket/key?partNumber=3").await.is(206).brings("the end");
    assert_eq!(read.need("x-amz-mp-parts-count"), "3");
    house.purge().await;
    assert_eq!(left_over(house).await, 0, "parts that were left out are given back");
    house.get("/bucket/key").await.is(200).brings(&whole);
}

async fn a_part_sent_again_takes_the_place_of_the_first(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let old = upload.part(1, pattern(40_000)).await;
    let new = upload.part(1, pattern(50_000)).await;
    let listed = upload.parts().await.is(200);
    assert_eq!(
        table(&listed, "Part", ["PartNumber", "ETag", "Size"]),
        [["1".to_owned(), new.clone(), "50000".to_owned()]]
    );
    house.purge().await;
    let stored = house.world.stored().await.len();
    assert_eq!(stored, 1, "the first one is given back");
    upload.complete(&[(1, &old)]).await.refused(400, "InvalidPart");
    upload.complete(&[(1, &new)]).await.is(200);
    house.get("/bucket/key").await.is(200).brings(pattern(50_000));
}

async fn parts_are_listed(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let none = upload.parts().await.is(200);
    assert!(rows(&none, "Part").is_empty());
    let one = upload.part(1, "one").await;
    let five = upload.part(5, pattern(20_000)).await;
    let listed = upload.parts().await.is(200);
    assert!(listed.text().contains("<ListPartsResult"), "{}", listed.text());
    for (name, value) in [
        ("Bucket", "bucket"),
        ("Key", "key"),
        ("UploadId", upload.id.as_str()),
        ("PartNumberMarker", "0"),
        ("MaxParts", "1000"),
        ("IsTruncated", "false"),
        ("StorageClass", "STANDARD"),
    ] {
        assert_eq!(listed.find(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(table(&listed, "Owner", ["ID"]), [[house.key.id.clone()]]);
    assert_eq!(table(&listed, "Initiator", ["ID"]), [[house.key.id.clone()]]);
    let expected = [["1", &one, "3"], ["5", &five, "20000"]].map(|row| row.map(str::to_owned));
    assert_eq!(table(&listed, "Part", ["PartNumber", "ETag", "Size"]), expected);
    assert_eq!(rows(&listed, "Part").iter().filter(|row| row.contains("<LastModified>")).count(), 2);
}

async fn parts_are_listed_page_by_page(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let numbers = [1, 2, 3, 5, 8, 13, 21, 10_000];
    for number in numbers {
        upload.part(number, format!("part {number}")).await;
    }
    for size in [1, 3, 8, 9] {
        let (mut seen, mut after) = (Vec::new(), 0);
        for _ in 0..20 {
            let target =
                format!("/bucket/key?uploadId={}&max-parts={size}&part-number-marker={after}", upload.id);
            let page = house.get(&target).await.is(200);
            let told: Vec<u32> =
                page.all("PartNumber").iter().map(|number| number.parse().expect("a number")).collect();
            assert!(told.len() <= size);
            seen.extend(told);
            if page.find("IsTruncated").as_deref() != Some("true") {
                break;
            }
            after =
                page.find("NextPartNumberMarker").and_then(|number| number.parse().ok()).expect("a number");
        }
        assert_eq!(seen, numbers, "by {size}");
    }
    let target = |argument: &str| format!("/bucket/key?uploadId={}&{argument}", upload.id);
    let behind = house.get(&target("part-number-marker=13")).await.is(200);
    assert_eq!(behind.all("PartNumber"), ["21", "10000"]);
    let none = house.get(&target("max-parts=0")).await.is(200);
    assert_eq!((none.all("PartNumber").len(), none.find("IsTruncated").as_deref()), (0, Some("false")));
    for bad in ["max-parts=-1", "max-parts=x", "part-number-marker=-1", "part-number-marker=x"] {
        house.get(&target(bad)).await.refused(400, "InvalidArgument");
    }
}

async fn a_part_has_a_number(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    for bad in ["0", "-1", "10001", "x", "1.5", "", "99999999999"] {
        let target = format!("/bucket/key?partNumber={bad}&uploadId={}", upload.id);
        house.put(&target).body("bytes").await.refused(400, "InvalidArgument");
        house
            .put(&target)
            .header("x-amz-copy-source", "/other/witness")
            .await
            .refused(400, "InvalidArgument");
    }
    assert!(rows(&upload.parts().await.is(200), "Part").is_empty());
    house.head("/bucket/key").await.is(404);
}

async fn a_part_that_is_not_what_its_digest_says_is_not_stored(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    for (number, bytes) in [(1, b"small".to_vec()), (2, pattern(40_000))] {
        let before = rows(&upload.parts().await.is(200), "Part").len();
        let part = || upload.ask_part(number).body(bytes.clone());
        part().header("Content-MD5", content_md5("other")).await.refused(400, "BadDigest");
        part().header("Content-MD5", "nonsense").await.refused(400, "InvalidDigest");
        part().header("x-amz-checksum-crc32", "AAAAAA==").await.refused(400, "BadDigest");
        assert_eq!(rows(&upload.parts().await.is(200), "Part").len(), before);
        part().header("Content-MD5", content_md5(&bytes)).await.is(200);
        let other = upload.ask_part(number).header("Content-MD5", content_md5("other")).body("other bytes");
        other.await.refused(400, "BadDigest");
        let tags = table(&upload.parts().await.is(200), "Part", ["ETag"]).concat();
        assert_eq!(tags.last(), Some(&etag(&bytes)), "what was there stays");
    }
}

async fn a_part_needs_its_upload(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, "bytes").await;
    let never = "00000000000000000000000000000001";
    for (target, id) in [
        ("/bucket/other", upload.id.as_str()),
        ("/other/key", &upload.id),
        ("/bucket/key", never),
        ("/bucket/key", "nonsense"),
    ] {
        let stranger = Upload { house, target: target.to_owned(), id: id.to_owned() };
        stranger.ask_part(2).body("bytes").await.refused(404, "NoSuchUpload");
        let copy = stranger.ask_part(2).header("x-amz-copy-source", "/other/witness");
        copy.await.refused(404, "NoSuchUpload");
        stranger.complete(&[(1, &part)]).await.refused(404, "NoSuchUpload");
        stranger.parts().await.refused(404, "NoSuchUpload");
        stranger.abort().await.refused(404, "NoSuchUpload");
        house.head(target).await.is(404);
    }
    assert_eq!(rows(&upload.parts().await.is(200), "Part").len(), 1);
    upload.complete(&[(1, &part)]).await.is(200);
}

async fn a_list_of_parts_that_is_wrong_completes_nothing(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let one = upload.part(1, pattern(PART)).await;
    let two = upload.part(2, "two").await;
    for (list, code) in [
        (vec![(2, two.as_str()), (1, one.as_str())], "InvalidPartOrder"),
        (vec![(1, &one), (1, &one)], "InvalidPartOrder"),
        (vec![(1, &one), (3, &two)], "InvalidPart"),
        (vec![(1, &two), (2, &one)], "InvalidPart"),
        (vec![(1, &one), (2, "\"00000000000000000000000000000000\"")], "InvalidPart"),
        (vec![(1, &one), (2, "nonsense")], "InvalidPart"),
        (vec![], "MalformedXML"),
    ] {
        upload.complete(&list).await.refused(400, code);
    }
    for number in ["0", "10001", "-1"] {
        let document = completion(&[(1, &one)]).replace(">1<", &format!(">{number}<"));
        let refused = upload.ask_complete_with(&document).await;
        assert!(
            ["InvalidArgument", "InvalidPart", "MalformedXML"].contains(&refused.code().as_str()),
            "{}",
            refused.text()
        );
        assert_eq!(refused.status, 400);
    }
    house.head("/bucket/key").await.is(404);
    assert_eq!(rows(&upload.parts().await.is(200), "Part").len(), 2);
    // Entity tags with quotes, without, and escaped.
    let bare = one.trim_matches('"');
    upload.complete(&[(1, bare), (2, &two)]).await.is(200);
    house.get("/bucket/key").await.is(200).brings([pattern(PART), b"two".to_vec()].concat());
}

async fn a_list_that_is_no_list_completes_nothing(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, "bytes").await;
    for malformed in [
        "",
        "nonsense",
        "<CompleteMultipartUpload>",
        "<CompleteMultipartUpload></CompleteMultipartUpload>",
        "<Other></Other>",
        "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>y</ETag></Part></CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><ETag>y</ETag></Part></CompleteMultipartUpload>",
        "{\"parts\":[]}",
    ] {
        let refused = upload.ask_complete_with(malformed).await;
        let way = (refused.status, refused.code());
        let fine = [(400, "MalformedXML".to_owned()), (400, "InvalidRequest".to_owned())];
        assert!(way == fine[0] || (malformed.is_empty() && way == fine[1]), "{malformed}: {way:?}");
    }
    house.head("/bucket/key").await.is(404);
    let named = completion(&[(1, &part)]).replace(
        "<CompleteMultipartUpload>",
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
    );
    upload.ask_complete_with(&format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{named}")).await.is(200);
}

async fn a_part_too_small_completes_nothing(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let small = upload.part(1, pattern(PART - 1)).await;
    let enough = upload.part(2, pattern(PART)).await;
    let last = upload.part(3, "x").await;
    upload.complete(&[(1, &small), (3, &last)]).await.refused(400, "EntityTooSmall");
    upload.complete(&[(2, &enough), (3, &last)]).await.is(200);
    house.get("/bucket/key").await.is(200).brings([pattern(PART), b"x".to_vec()].concat());
}

async fn the_size_of_the_object_may_be_said(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, "bytes").await;
    let complete = |size: &str| upload.ask_complete(&[(1, &part)]).header("x-amz-mp-object-size", size);
    complete("4").await.refused(400, "InvalidRequest");
    house.head("/bucket/key").await.is(404);
    complete("5").await.is(200);
}

async fn what_was_said_at_the_beginning_is_the_objects(house: &mut House) {
    let begin = house
        .post("/bucket/key?uploads")
        .header("content-type", "image/png")
        .header("cache-control", "max-age=7")
        .header("content-disposition", "inline")
        .header("content-encoding", "gzip")
        .header("content-language", "de")
        .header("expires", "Thu, 01 Dec 2044 16:00:00 GMT")
        .header("x-amz-meta-colour", "blue")
        .header("x-amz-tagging", "team=storage&empty=");
    let upload = Upload::begun(house, "/bucket/key", begin).await;
    let part = upload.ask_part(1).header("content-type", "text/plain").body("bytes").await.is(200);
    upload.complete(&[(1, part.need("etag"))]).await.is(200);
    let read = house.head("/bucket/key").await.is(200);
    for (name, value) in [
        ("content-type", "image/png"),
        ("cache-control", "max-age=7"),
        ("content-disposition", "inline"),
        ("content-encoding", "gzip"),
        ("content-language", "de"),
        ("expires", "Thu, 01 Dec 2044 16:00:00 GMT"),
        ("x-amz-meta-colour", "blue"),
        ("x-amz-tagging-count", "2"),
    ] {
        assert_eq!(read.need(name), value);
    }
    let told = tags(&house.get("/bucket/key?tagging").await.is(200));
    assert_eq!(
        told,
        [("empty", ""), ("team", "storage")].map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
}

async fn completed_twice_is_answered_twice(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, "bytes").await;
    let first = upload.complete(&[(1, &part)]).await.is(200);
    let second = upload.complete(&[(1, &part)]).await.is(200);
    for name in ["ETag", "Bucket", "Key", "Location"] {
        assert_eq!(first.find(name), second.find(name), "{name}");
    }
    assert_eq!(rows(&house.get("/bucket?versions").await, "Version").len(), 1);
    // Nothing else can be done with it any more.
    upload.ask_part(2).body("late").await.refused(404, "NoSuchUpload");
    upload.parts().await.refused(404, "NoSuchUpload");
    let aborted = upload.abort().await;
    assert!([204, 404].contains(&aborted.status), "{}", aborted.text());
    house.get("/bucket/key").await.is(200).brings("bytes");
}

async fn completed_twice_at_once_is_one_object(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, "bytes").await;
    let asks = (0..16).map(|_| upload.ask_complete(&[(1, &part)]).into_future());
    let answers = join_all(asks).await;
    let first = answers[0].header("x-amz-version-id").expect("a version").to_owned();
    for answer in answers {
        assert_eq!(answer.is(200).need("x-amz-version-id"), first);
    }
    assert_eq!(rows(&house.get("/bucket?versions").await, "Version").len(), 1);
}

async fn nothing_is_seen_of_an_upload_before_it_completes(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    upload.part(1, pattern(40_000)).await;
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
    house.get("/bucket/key?partNumber=1").await.refused(404, "NoSuchKey");
    assert_eq!(house.get("/bucket?list-type=2").await.find("KeyCount").as_deref(), Some("0"));
    assert!(rows(&house.get("/bucket?versions").await, "Version").is_empty());
    let copy = house.put("/bucket/copy").header("x-amz-copy-source", "/bucket/key");
    copy.await.refused(404, "NoSuchKey");
}

async fn an_upload_replaces_what_is_there(house: &mut House) {
    let put = house.put("/bucket/key").header("x-amz-meta-a", "1").header("x-amz-tagging", "a=b");
    put.body("before").await.is(200);
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, "after").await;
    house.get("/bucket/key").await.is(200).brings("before");
    upload.complete(&[(1, &part)]).await.is(200);
    let read = house.get("/bucket/key").await.is(200).brings("after");
    assert_eq!((read.header("x-amz-meta-a"), read.header("x-amz-tagging-count")), (None, None));
    assert_eq!(house.count(State::Removed).await, 1);
}

async fn uploads_of_one_key_do_not_know_each_other(house: &mut House) {
    let (one, two) = (Upload::begin(house, "/bucket/key").await, Upload::begin(house, "/bucket/key").await);
    assert_ne!(one.id, two.id);
    let of_one = one.part(1, "one").await;
    let of_two = two.part(1, "two").await;
    two.complete(&[(1, &of_one)]).await.refused(400, "InvalidPart");
    two.complete(&[(1, &of_two)]).await.is(200);
    one.complete(&[(1, &of_one)]).await.is(200);
    house.get("/bucket/key").await.is(200).brings("one");
}

async fn an_upload_that_is_given_up_leaves_nothing(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, pattern(40_000)).await;
    upload.part(2, "small").await;
    upload.abort().await.is(204).brings("");
    upload.abort().await.refused(404, "NoSuchUpload");
    upload.parts().await.refused(404, "NoSuchUpload");
    upload.ask_part(3).body("late").await.refused(404, "NoSuchUpload");
    upload.complete(&[(1, &part)]).await.refused(404, "NoSuchUpload");
    assert!(rows(&house.get("/bucket?uploads").await.is(200), "Upload").is_empty());
    house.purge().await;
    assert!(house.world.stored().await.is_empty());
    assert_eq!(left_over(house).await, 0);
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
}

async fn an_upload_that_is_given_up_while_a_part_comes_takes_it_along(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let wire = upload.ask_part(1).body(pattern(60_000)).ready();
    let (head, body) = (wire.head(true), wire.rendered());
    let mut connection = house.connection().await;
    connection.try_send(&[head, body[..30_000].to_vec()].concat()).await;
    upload.abort().await.is(204);
    connection.try_send(&body[30_000..]).await;
    connection.answers(&[&wire]).await.swap_remove(0).refused(404, "NoSuchUpload");
    house.purge().await;
    assert!(house.world.stored().await.is_empty());
}

async fn an_upload_that_takes_too_long_leaves_nothing(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, pattern(40_000)).await;
    house.advance(Duration::from_secs(7 * 24 * 3_600) - Duration::from_secs(1));
    house.process().await;
    assert_eq!(rows(&upload.parts().await.is(200), "Part").len(), 1);
    house.advance(Duration::from_secs(1));
    house.process().await;
    upload.complete(&[(1, &part)]).await.refused(404, "NoSuchUpload");
    upload.parts().await.refused(404, "NoSuchUpload");
    assert!(rows(&house.get("/bucket?uploads").await.is(200), "Upload").is_empty());
    house.purge().await;
    assert!(house.world.stored().await.is_empty());
}

async fn an_upload_in_a_removed_bucket_completes_nothing(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, pattern(40_000)).await;
    let removed = house.bucket("bucket").await;
    house.scsp("DELETE", "/bucket?recursive=yes").await.is(200);
    upload.complete(&[(1, &part)]).await.refused(404, "NoSuchBucket");
    // Another one of that name is another one.
    house.put("/bucket").await.is(200);
    upload.complete(&[(1, &part)]).await.refused(404, "NoSuchUpload");
    upload.ask_part(2).body("late").await.refused(404, "NoSuchUpload");
    assert_eq!(house.get("/bucket?list-type=2").await.find("KeyCount").as_deref(), Some("0"));
    house.advance(crate::house::GRACE);
    house.purge().await;
    house.purge().await;
    assert_eq!(house.container(removed).await.state, State::Purged);
    assert!(house.world.stored().await.is_empty(), "the parts went with their bucket");
}

async fn an_object_in_parts_is_deleted_with_all_of_them(house: &mut House) {
    put_in_parts(house, "/bucket/key", &[&pattern(PART), &pattern(40_000)]).await;
    let of = |place: Place, versions: &[metadata::Checked]| {
        versions.iter().flat_map(|checked| &checked.blobs).filter(|blob| blob.place == place).count()
    };
    assert_eq!(of(Place::Store, &house.world.versions().await), 2);
    house.delete("/bucket/key").await.is(204);
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
    assert_eq!(house.world.stored().await.len(), 2, "kept for their grace");
    house.advance(OBJECT_GRACE);
    house.purge().await;
    assert!(house.world.stored().await.is_empty());
}

async fn a_part_may_be_a_copy(house: &mut House) {
    let source = pattern(60_000);
    house.put("/other/source%20with%20space+").body(source.clone()).await.is(200);
    let upload = Upload::begin(house, "/bucket/key").await;
    let copy =
        upload.ask_part(1).header("x-amz-copy-source", "/other/source%20with%20space%2B").await.is(200);
    assert!(copy.text().contains("<CopyPartResult"), "{}", copy.text());
    assert_eq!(copy.find("ETag"), Some(etag(&source)));
    assert!(copy.find("LastModified").is_some());
    let tag = copy.find("ETag").expect("an entity tag");
    assert_eq!(
        table(&upload.parts().await.is(200), "Part", ["ETag", "Size"]),
        [[tag.clone(), "60000".to_owned()]]
    );
    upload.complete(&[(1, &tag)]).await.is(200);
    house.get("/bucket/key").await.is(200).brings(&source);
    for (missing, code) in [("/other/none", "NoSuchKey"), ("/none/key", "NoSuchBucket")] {
        let upload = Upload::begin(house, "/bucket/key").await;
        upload.ask_part(1).header("x-amz-copy-source", missing).await.refused(404, code);
    }
}

async fn a_part_may_be_a_range_of_another_object(house: &mut House) {
    let source = pattern(2 * PART);
    put_in_parts(house, "/other/source", &[&source[..PART], &source[PART..]]).await;
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = async |number, from: usize, to: usize| {
        let ask = upload.ask_part(number).header("x-amz-copy-source", "/other/source");
        let copied = ask.header("x-amz-copy-source-range", format!("bytes={from}-{to}")).await.is(200);
        let tag = copied.find("ETag").expect("an entity tag");
        assert_eq!(tag, etag(&source[from..=to]));
        tag
    };
    // Across the border of the source's own parts.
    let first = part(1, 100, PART + 199).await;
    let second = part(2, PART, PART).await;
    let third = part(3, 2 * PART - 1, 2 * PART - 1).await;
    upload.complete(&[(1, &first), (3, &third)]).await.is(200);
    let whole = [&source[100..PART + 200], &source[2 * PART - 1..]].concat();
    house.get("/bucket/key").await.is(200).brings(&whole);
    assert_eq!(second, etag(&source[PART..=PART]));
}

async fn a_range_that_is_none_copies_nothing(house: &mut House) {
    let size = WITNESS.len();
    let upload = Upload::begin(house, "/bucket/key").await;
    let copy = |range: &str| {
        let ask = upload.ask_part(1).header("x-amz-copy-source", "/other/witness");
        ask.header("x-amz-copy-source-range", range)
    };
    for bad in
        ["bytes=5-", "bytes=-5", "bytes=5-2", "0-1", "bytes=a-b", "bytes=0-1,3-4", "nonsense", "bytes=+0-1"]
    {
        copy(bad).await.refused(400, "InvalidArgument");
    }
    copy(&format!("bytes=0-{size}")).await.refused(400, "InvalidArgument");
    copy(&format!("bytes={size}-{}", size + 5)).await.refused(400, "InvalidArgument");
    assert!(rows(&upload.parts().await.is(200), "Part").is_empty());
    copy(&format!("bytes=0-{}", size - 1)).await.is(200);
}

async fn a_part_is_copied_from_a_version(house: &mut House) {
    versioning(house, "other", "Enabled").await;
    let old = house.put("/other/key").body("old").await.is(200).need("x-amz-version-id").to_owned();
    house.put("/other/key").body("new").await.is(200);
    let upload = Upload::begin(house, "/bucket/key").await;
    let copy =
        upload.ask_part(1).header("x-amz-copy-source", format!("/other/key?versionId={old}")).await.is(200);
    assert_eq!(copy.need("x-amz-copy-source-version-id"), old);
    upload.complete(&[(1, &etag("old"))]).await.is(200);
    house.get("/bucket/key").await.is(200).brings("old");
}

async fn where_versions_are_kept_an_upload_makes_one(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let before = house.put("/bucket/key").body("before").await.is(200).need("x-amz-version-id").to_owned();
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, "after").await;
    let made = upload.complete(&[(1, &part)]).await.is(200);
    let version = made.need("x-amz-version-id").to_owned();
    assert_eq!(house.get("/bucket/key").await.brings("after").need("x-amz-version-id"), version);
    house.get(&format!("/bucket/key?versionId={before}")).await.is(200).brings("before");
    let listed = house.get("/bucket?versions").await.is(200);
    assert_eq!(table(&listed, "Version", ["VersionId"]).concat(), [version, before]);
}

async fn given_up_and_completed_at_once_it_is_one_of_both(house: &mut House) {
    for round in 0..10 {
        let upload = Upload::begin(house, "/bucket/key").await;
        let part = upload.part(1, pattern(20_000)).await;
        let (made, given_up) = tokio::join!(upload.ask_complete(&[(1, &part)]).into_future(), upload.abort());
        match (made.status, given_up.status) {
            (200, 204 | 404) => drop(house.get("/bucket/key").await.is(200).brings(pattern(20_000))),
            (404, 204) => drop(house.get("/bucket/key").await.refused(404, "NoSuchKey")),
            other => panic!("{round}: {other:?}: {} {}", made.text(), given_up.text()),
        }
        house.delete("/bucket/key").await.is(204);
        assert!(rows(&house.get("/bucket?uploads").await.is(200), "Upload").is_empty());
    }
    house.advance(OBJECT_GRACE);
    house.purge().await;
    assert!(house.world.stored().await.is_empty());
}

async fn a_part_says_how_long_it_is(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let mut wire = upload.ask_part(1).ready();
    wire.body = crate::client::Framing::Nothing;
    wire.send().await.refused(411, "MissingContentLength");
    assert!(rows(&upload.parts().await.is(200), "Part").is_empty());
}
