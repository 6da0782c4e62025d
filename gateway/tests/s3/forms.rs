//! What browsers post: an object as a form, by a policy that somebody signed for them.

use crate::calls::{etag, pattern, tags, versioning};
use crate::client::Ask;
use crate::house::{House, WITNESS};
use crate::sign::Line;
use std::time::Duration;

crate::on_both_engines!(
    a_form_stores_its_file,
    a_form_says_how_it_wants_to_be_answered,
    a_form_wants_to_be_sent_elsewhere,
    a_form_names_its_object_after_the_file,
    a_form_describes_its_object,
    a_form_without_a_key_is_refused,
    a_form_has_a_short_front,
    a_file_has_the_size_that_the_policy_allows,
    a_policy_that_is_over_admits_nobody,
    a_policy_admits_what_it_says_alone,
    a_form_for_a_bucket_that_is_not_there_is_refused,
    what_a_form_asks_for_beyond_what_is_built_is_refused,
    a_form_makes_a_version,
);

const HOUR: Duration = Duration::from_secs(3_600);

fn line(name: &str, value: &str) -> Line {
    (name.to_owned(), value.to_owned())
}

/// A form of these fields, by a policy that allows each of them to be anything.
fn any(house: &House, fields: &[(&str, &str)]) -> Vec<Line> {
    let conditions: Vec<String> =
        fields.iter().map(|(name, _)| format!(r#"["starts-with","${name}",""]"#)).collect();
    let mut all: Vec<Line> = fields.iter().map(|(name, value)| line(name, value)).collect();
    all.extend(house.signer().form(&format!(r#"{{"bucket":"bucket"}},{}"#, conditions.join(",")), HOUR));
    all
}

fn post(house: &House, fields: &[(&str, &str)], file: &[u8]) -> Ask {
    house.post("/bucket").form(&any(house, fields), file)
}

async fn a_form_stores_its_file(house: &mut House) {
    for bytes in [Vec::new(), b"four".to_vec(), pattern(40_000), pattern(1 << 20)] {
        let stored = post(house, &[("key", "dir/a b+ü")], &bytes).await.is(204).brings("");
        assert_eq!(stored.need("etag"), etag(&bytes));
        house.get("/bucket/dir/a%20b%2B%C3%BC").await.is(200).brings(&bytes);
    }
    // At the address of the bucket with a slash behind it as well.
    house.post("/bucket/").form(&any(house, &[("key", "key")]), b"four").await.is(204);
    house.get("/bucket/key").await.is(200).brings("four");
}

async fn a_form_says_how_it_wants_to_be_answered(house: &mut House) {
    for (wanted, status) in
        [("200", 200), ("201", 201), ("204", 204), ("404", 204), ("nonsense", 204), ("", 204)]
    {
        let answer =
            post(house, &[("key", "a b"), ("success_action_status", wanted)], b"four").await.is(status);
        if status == 201 {
            assert!(answer.text().contains("<PostResponse"), "{}", answer.text());
            for (name, value) in [("Bucket", "bucket"), ("Key", "a b"), ("ETag", etag("four").as_str())] {
                assert_eq!(answer.find(name).as_deref(), Some(value), "{name}");
            }
            let location = answer.find("Location").expect("a location");
            assert_eq!(location, format!("http://{}/bucket/a%20b", house.address()));
        } else {
            answer.brings("");
        }
    }
}

async fn a_form_wants_to_be_sent_elsewhere(house: &mut House) {
    let go = |to: &str| post(house, &[("key", "a b"), ("success_action_redirect", to)], b"four");
    let tag = format!("%22{}%22", etag("four").trim_matches('"'));
    let there = go("http://example.com/done").await.is(303);
    let location = there.need("location").replace('+', "%20");
    assert_eq!(location, format!("http://example.com/done?bucket=bucket&key=a%20b&etag={tag}"));
    let there = go("http://example.com/done?a=b").await.is(303);
    assert!(there.need("location").starts_with("http://example.com/done?a=b&bucket=bucket&"), "{there:?}");
    house.get("/bucket/a%20b").await.is(200).brings("four");
    // An address that is none is passed over.
    house.delete("/bucket/a%20b").await.is(204);
    let ignored = go("not an address").await;
    let stored = house.head("/bucket/a%20b").await.status == 200;
    assert!((ignored.status == 204) == stored, "what is refused is not stored: {} {stored}", ignored.status);
}

async fn a_form_names_its_object_after_the_file(house: &mut House) {
    post(house, &[("key", "uploads/${filename}")], b"four").await.is(204);
    house.get("/bucket/uploads/a.txt").await.is(200).brings("four");
}

async fn a_form_describes_its_object(house: &mut House) {
    let fields = [
        ("key", "key"),
        ("content-type", "image/png"),
        ("cache-control", "max-age=7"),
        ("content-disposition", "inline"),
        ("content-encoding", "gzip"),
        ("x-amz-meta-colour", "blue"),
        ("x-amz-website-redirect-location", "/elsewhere"),
    ];
    post(house, &fields, b"four").await.is(204);
    let read = house.head("/bucket/key").await.is(200);
    for (name, value) in &fields[1..] {
        assert_eq!(read.need(name), *value);
    }
    post(house, &[("key", "key"), ("Expires", "Thu, 01 Dec 2044 16:00:00 GMT")], b"four").await.is(204);
    let read = house.head("/bucket/key").await.is(200);
    assert_eq!(read.need("expires"), "Thu, 01 Dec 2044 16:00:00 GMT");
    let sum = crate::checksums::sum("CRC32", b"four");
    let fields = [("key", "key"), ("x-amz-checksum-crc32", sum.as_str())];
    let stored = post(house, &fields, b"four").await.is(204);
    assert_eq!(
        (stored.need("x-amz-checksum-crc32"), stored.need("x-amz-checksum-type")),
        (sum.as_str(), "FULL_OBJECT")
    );
    let astray = [("key", "key"), ("x-amz-website-redirect-location", "elsewhere")];
    post(house, &astray, b"four").await.refused(400, "InvalidRedirectLocation");
    let document = crate::calls::tagging(&[("team", "storage")]);
    post(house, &[("key", "key"), ("tagging", &document)], b"four").await.is(204);
    let told = tags(&house.get("/bucket/key?tagging").await.is(200));
    assert_eq!(told, [("team".to_owned(), "storage".to_owned())]);
}

/// The front is held in memory, and so is what comes before it.
async fn a_form_has_a_short_front(house: &mut House) {
    let much = "x".repeat(30_000);
    let long = house.post("/bucket").form(&any(house, &[("key", "key"), ("x-ignore-much", &much)]), b"four");
    house.refuses_to_store(long.ready(), 400, "MaxPostPreDataLengthExceeded").await;
    // Without its boundary, a form is all front.
    let kind = "multipart/form-data; boundary=other";
    let all = vec![b'x'; 1 << 20];
    let ask = house.post("/bucket").nobody().header("Content-Type", kind).unsigned_body(all);
    let refused = ask.await.is(400);
    assert!(
        ["MaxPostPreDataLengthExceeded", "IncompleteBody"].contains(&refused.code().as_str()),
        "{refused:?}"
    );
    house.stored_nothing().await;
}

async fn a_form_without_a_key_is_refused(house: &mut House) {
    for fields in [&[][..], &[("key", "")]] {
        let conditions = [("x-amz-meta-a", "b")];
        let mut all = any(house, &conditions);
        all.extend(fields.iter().map(|(name, value)| line(name, value)));
        let refused = house.post("/bucket").form(&all, b"four").await;
        let way = (refused.status, refused.code());
        assert!(
            [(400, "InvalidArgument".to_owned()), (403, "AccessDenied".to_owned())].contains(&way),
            "{way:?}"
        );
    }
    let long = "x".repeat(1_025);
    post(house, &[("key", &long)], b"four").await.refused(400, "KeyTooLongError");
    house.stored_nothing().await;
}

async fn a_file_has_the_size_that_the_policy_allows(house: &mut House) {
    let conditions = r#"{"bucket":"bucket"},["eq","$key","key"],["content-length-range",3,5]"#;
    let mut fields = vec![line("key", "key")];
    fields.extend(house.signer().form(conditions, HOUR));
    let send = |file: &str| house.post("/bucket").form(&fields, file.as_bytes()).ready();
    house.refuses_to_store(send("12"), 400, "EntityTooSmall").await;
    house.refuses_to_store(send("123456"), 400, "EntityTooLarge").await;
    for good in ["123", "12345"] {
        send(good).send().await.is(204);
        house.get("/bucket/key").await.is(200).brings(good);
    }
}

async fn a_policy_that_is_over_admits_nobody(house: &mut House) {
    let mut signer = house.signer();
    signer.at = signer.at.minus(HOUR);
    let mut fields = vec![line("key", "key")];
    fields.extend(signer.form(r#"{"bucket":"bucket"},["starts-with","$key",""]"#, Duration::from_secs(60)));
    house.refuses_to_store(house.post("/bucket").form(&fields, b"four").ready(), 403, "AccessDenied").await;
}

async fn a_policy_admits_what_it_says_alone(house: &mut House) {
    let bucket = r#"{"bucket":"bucket"}"#;
    for (conditions, more) in [
        (r#"["eq","$key","other"]"#.to_owned(), None),
        (r#"["starts-with","$key","user/"]"#.to_owned(), None),
        (r#"{"key":"other"}"#.to_owned(), None),
        (
            r#"["starts-with","$key",""],{"success_action_status":"200"}"#.to_owned(),
            Some(("success_action_status", "201")),
        ),
        (
            r#"["starts-with","$key",""],["eq","$content-type","image/png"]"#.to_owned(),
            Some(("content-type", "text/html")),
        ),
        (r#"["starts-with","$key",""],["starts-with","$content-type","image/"]"#.to_owned(), None),
        (r#"["starts-with","$key",""]"#.to_owned(), Some(("x-amz-meta-extra", "1"))),
    ] {
        let mut fields = vec![line("key", "key")];
        fields.extend(more.map(|(name, value)| line(name, value)));
        fields.extend(house.signer().form(&format!("{bucket},{conditions}"), HOUR));
        house
            .refuses_to_store(house.post("/bucket").form(&fields, b"four").ready(), 403, "AccessDenied")
            .await;
    }
    // Fields that no policy needs to know.
    let mut fields = vec![line("key", "key"), line("x-ignore-this", "1"), line("submit", "Send")];
    fields.extend(house.signer().form(&format!(r#"{bucket},["starts-with","$key",""]"#), HOUR));
    let posted = house.post("/bucket").form(&fields, b"four").await;
    assert!([204, 403].contains(&posted.status), "{}", posted.text());
}

async fn a_form_for_a_bucket_that_is_not_there_is_refused(house: &mut House) {
    let mut fields = vec![line("key", "key")];
    fields.extend(house.signer().form(r#"{"bucket":"none"},["starts-with","$key",""]"#, HOUR));
    house.refuses(house.post("/none").form(&fields, b"four").ready(), 404, "NoSuchBucket").await;
}

async fn what_a_form_asks_for_beyond_what_is_built_is_refused(house: &mut House) {
    for (name, value, status, code) in [
        ("x-amz-server-side-encryption", "AES256", 501, "NotImplemented"),
        ("x-amz-storage-class", "COLD", 400, "InvalidStorageClass"),
    ] {
        post(house, &[("key", "key"), (name, value)], b"four").await.refused(status, code);
        house.stored_nothing().await;
    }
    for (name, value) in [("acl", "private"), ("x-amz-storage-class", "STANDARD")] {
        post(house, &[("key", "key"), (name, value)], b"four").await.is(204);
    }
    house.get("/other/witness").await.is(200).brings(WITNESS);
}

async fn a_form_makes_a_version(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let first = post(house, &[("key", "key")], b"one").await.is(204).need("x-amz-version-id").to_owned();
    let second = post(house, &[("key", "key")], b"two").await.is(204).need("x-amz-version-id").to_owned();
    assert_ne!(first, second);
    house.get(&format!("/bucket/key?versionId={first}")).await.is(200).brings("one");
    assert_eq!(house.get("/bucket/key").await.is(200).brings("two").need("x-amz-version-id"), second);
}
