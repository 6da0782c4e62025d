//! Versions: kept, hidden behind markers, named, deleted one by one, brought back.

use crate::calls::{delete_objects, deletion, etag, history, pattern, table, versioning};
use crate::house::House;
use lifecycle::{Right, State};

crate::on_both_engines!(
    versioning_is_off_until_it_is_switched_on,
    versioning_means_what_it_says_or_nothing,
    every_write_is_a_version,
    a_marker_hides_the_object_and_goes_with_its_version_id,
    a_marker_is_nobodys_to_read,
    every_delete_leaves_a_marker,
    a_version_is_deleted_by_its_id,
    a_version_that_is_not_there_is_not_deleted,
    what_was_there_before_is_the_null_version,
    in_a_suspended_bucket_one_null_version_is_replaced,
    in_a_suspended_bucket_a_delete_leaves_a_null_marker,
    the_null_version_is_deleted_by_its_name,
    without_versions_null_names_the_object,
    a_version_comes_back_by_a_copy,
    a_version_belongs_to_its_key_and_bucket,
    a_version_is_deleted_by_who_may,
    versions_are_deleted_many_at_a_time,
    a_deleted_version_is_restorable,
    versions_of_every_size_are_read,
);

/// Writes an object and gives its version.
async fn put(house: &House, body: &str) -> String {
    house.put("/bucket/key").body(body).await.is(200).need("x-amz-version-id").to_owned()
}

/// Deletes the object and gives the marker.
async fn hide(house: &House) -> String {
    let hidden = house.delete("/bucket/key").await.is(204).brings("");
    assert_eq!(hidden.need("x-amz-delete-marker"), "true");
    hidden.need("x-amz-version-id").to_owned()
}

fn of(version: &str) -> String {
    format!("/bucket/key?versionId={version}")
}

/// The history of the one key: id and whether it is a marker, the newest first.
async fn ids(house: &House) -> Vec<String> {
    let listed = history(house, "bucket").await;
    let latest: Vec<_> = listed.iter().filter(|row| row.3).collect();
    assert!(latest.len() == 1 || listed.is_empty(), "one is the latest: {listed:?}");
    listed.into_iter().map(|(_, id, _, _)| id).collect()
}

async fn versioning_is_off_until_it_is_switched_on(house: &mut House) {
    let answer = house.get("/bucket?versioning").await.is(200);
    assert!(answer.text().contains("<VersioningConfiguration"), "{}", answer.text());
    assert_eq!(answer.find("Status"), None);
    for status in ["Enabled", "Suspended", "Enabled", "Enabled"] {
        versioning(house, "bucket", status).await;
        assert_eq!(house.get("/bucket?versioning").await.is(200).find("Status").as_deref(), Some(status));
    }
    // Nobody else is concerned.
    assert_eq!(house.get("/other?versioning").await.is(200).find("Status"), None);
}

async fn versioning_means_what_it_says_or_nothing(house: &mut House) {
    let document = |inside: &str| format!("<VersioningConfiguration>{inside}</VersioningConfiguration>");
    for (body, status, code) in [
        (document("<Status>Disabled</Status>"), 400, "MalformedXML"),
        (document("<Status>enabled</Status>"), 400, "MalformedXML"),
        (document("<Status></Status>"), 400, "MalformedXML"),
        (document("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>"), 501, "NotImplemented"),
        ("nonsense".to_owned(), 400, "MalformedXML"),
        (document(""), 400, "IllegalVersioningConfigurationException"),
    ] {
        house.put("/bucket?versioning").body(body).await.refused(status, code);
        assert_eq!(house.get("/bucket?versioning").await.is(200).find("Status"), None);
    }
    let mfa = house.put("/bucket?versioning").header("x-amz-mfa", "device 123456");
    mfa.body(document("<Status>Enabled</Status>")).await.refused(501, "NotImplemented");
    house.delete("/other/witness").header("x-amz-mfa", "device 123456").await.refused(501, "NotImplemented");
    house.head("/other/witness").await.is(200);
    house
        .put("/bucket?versioning")
        .body(document("<Status>Enabled</Status><MfaDelete>Disabled</MfaDelete>"))
        .await
        .is(200);
    let reader = house.key_with(&[Right::Read]).await;
    let refused = house.put("/bucket?versioning").key(&reader).body(document("<Status>Suspended</Status>"));
    refused.await.refused(403, "AccessDenied");
}

async fn every_write_is_a_version(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let mut all = Vec::new();
    for body in ["one", "two", "two", "three"] {
        all.push((put(house, body).await, body));
    }
    let read = house.get("/bucket/key").await.is(200).brings("three");
    assert_eq!(read.need("x-amz-version-id"), all[3].0);
    for (id, body) in &all {
        let read = house.get(&of(id)).await.is(200).brings(body);
        assert_eq!((read.need("x-amz-version-id"), read.need("etag")), (id.as_str(), etag(body).as_str()));
        assert_eq!(house.head(&of(id)).await.is(200).need("content-length"), body.len().to_string());
    }
    all.reverse();
    assert_eq!(ids(house).await, all.into_iter().map(|(id, _)| id).collect::<Vec<_>>());
    assert_eq!(house.get("/bucket").await.is(200).all("Key"), ["key"]);
}

async fn a_marker_hides_the_object_and_goes_with_its_version_id(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let version = put(house, "bytes").await;
    let marker = hide(house).await;
    let hidden = house.get("/bucket/key").await.refused(404, "NoSuchKey");
    assert_eq!(hidden.need("x-amz-delete-marker"), "true");
    assert_eq!(hidden.need("x-amz-version-id"), marker);
    let hidden = house.head("/bucket/key").await.is(404).brings("");
    assert_eq!(
        (hidden.need("x-amz-delete-marker"), hidden.need("x-amz-version-id")),
        ("true", marker.as_str())
    );
    house.get(&of(&version)).await.is(200).brings("bytes");
    let expected =
        [("key".to_owned(), version.clone(), false, false), ("key".to_owned(), marker.clone(), true, true)];
    assert_eq!(history(house, "bucket").await, expected);
    let gone = house.delete(&of(&marker)).await.is(204);
    assert_eq!((gone.need("x-amz-delete-marker"), gone.need("x-amz-version-id")), ("true", marker.as_str()));
    let read = house.get("/bucket/key").await.is(200).brings("bytes");
    assert_eq!((read.need("x-amz-version-id"), read.header("x-amz-delete-marker")), (version.as_str(), None));
    assert_eq!(ids(house).await, [version]);
}

async fn a_marker_is_nobodys_to_read(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    put(house, "bytes").await;
    let marker = hide(house).await;
    let refused = house.get(&of(&marker)).await.refused(405, "MethodNotAllowed");
    for answer in [refused, house.head(&of(&marker)).await.is(405).brings("")] {
        assert_eq!(
            (answer.need("x-amz-delete-marker"), answer.need("x-amz-version-id")),
            ("true", marker.as_str())
        );
        assert_eq!(answer.need("allow"), "DELETE");
        assert!(answer.header("last-modified").is_some());
    }
    let copy = house.put("/bucket/copy").header("x-amz-copy-source", of(&marker));
    copy.await.refused(400, "InvalidRequest");
    house.get(&format!("{}&tagging", of(&marker))).await.refused(405, "MethodNotAllowed");
    house.put("/bucket/copy").header("x-amz-copy-source", "/bucket/key").await.refused(404, "NoSuchKey");
}

async fn every_delete_leaves_a_marker(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let version = put(house, "bytes").await;
    let (first, second) = (hide(house).await, hide(house).await);
    assert_ne!(first, second);
    assert_eq!(
        ids(house).await,
        [version.clone(), second.clone(), first.clone()],
        "versions are told before markers"
    );
    house.delete(&of(&second)).await.is(204);
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
    house.delete(&of(&first)).await.is(204);
    house.get("/bucket/key").await.is(200).brings("bytes");
    // Even of what never was.
    let never = house.delete("/bucket/never").await.is(204);
    assert_eq!(never.need("x-amz-delete-marker"), "true");
    assert_eq!(history(house, "bucket").await.len(), 2);
}

async fn a_version_is_deleted_by_its_id(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let (one, two, three) = (put(house, "one").await, put(house, "two").await, put(house, "three").await);
    let gone = house.delete(&of(&two)).await.is(204);
    assert_eq!((gone.need("x-amz-version-id"), gone.header("x-amz-delete-marker")), (two.as_str(), None));
    house.get(&of(&two)).await.refused(404, "NoSuchVersion");
    assert_eq!(ids(house).await, [three.clone(), one.clone()]);
    house.get("/bucket/key").await.is(200).brings("three");
    house.delete(&of(&three)).await.is(204);
    assert_eq!(house.get("/bucket/key").await.is(200).brings("one").need("x-amz-version-id"), one);
    house.delete(&of(&one)).await.is(204);
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
    assert!(history(house, "bucket").await.is_empty());
}

async fn a_version_that_is_not_there_is_not_deleted(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let version = put(house, "bytes").await;
    // Gone is what was wanted.
    house.delete(&of("00000000000000000000000000000001")).await.is(204);
    house.delete(&of("null")).await.is(204);
    house.delete(&format!("/bucket/other?versionId={version}")).await.is(204);
    house.delete(&of("nonsense")).await.refused(400, "InvalidArgument");
    assert_eq!(ids(house).await, std::slice::from_ref(&version));
    house.delete(&of(&version)).await.is(204);
    house.delete(&of(&version)).await.is(204);
    house.get(&of("00000000000000000000000000000001")).await.refused(404, "NoSuchVersion");
    house.get(&of("null")).await.refused(404, "NoSuchVersion");
}

async fn what_was_there_before_is_the_null_version(house: &mut House) {
    let put_plain = house.put("/bucket/key").body("before").await.is(200);
    assert_eq!(put_plain.header("x-amz-version-id"), None);
    versioning(house, "bucket", "Enabled").await;
    assert_eq!(house.get("/bucket/key").await.is(200).brings("before").need("x-amz-version-id"), "null");
    let version = put(house, "after").await;
    house.get(&of("null")).await.is(200).brings("before");
    assert_eq!(ids(house).await, [version, "null".to_owned()]);
    let marker = hide(house).await;
    assert_ne!(marker, "null");
    house.get(&of("null")).await.is(200).brings("before");
}

async fn in_a_suspended_bucket_one_null_version_is_replaced(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let kept = put(house, "kept").await;
    versioning(house, "bucket", "Suspended").await;
    for body in ["one", "two", "three"] {
        house.put("/bucket/key").body(body).await.is(200);
        assert_eq!(house.get("/bucket/key").await.is(200).brings(body).need("x-amz-version-id"), "null");
        assert_eq!(ids(house).await, ["null".to_owned(), kept.clone()]);
    }
    versioning(house, "bucket", "Enabled").await;
    let new = put(house, "new").await;
    assert_eq!(ids(house).await, [new, "null".to_owned(), kept.clone()]);
    house.get(&of("null")).await.is(200).brings("three");
    house.get(&of(&kept)).await.is(200).brings("kept");
}

async fn in_a_suspended_bucket_a_delete_leaves_a_null_marker(house: &mut House) {
    house.put("/bucket/key").body("null").await.is(200);
    versioning(house, "bucket", "Enabled").await;
    let kept = put(house, "kept").await;
    versioning(house, "bucket", "Suspended").await;
    let hidden = house.delete("/bucket/key").await.is(204);
    assert_eq!((hidden.need("x-amz-delete-marker"), hidden.need("x-amz-version-id")), ("true", "null"));
    let missing = house.get("/bucket/key").await.refused(404, "NoSuchKey");
    assert_eq!((missing.need("x-amz-delete-marker"), missing.need("x-amz-version-id")), ("true", "null"));
    // The null version that was there went.
    let expected =
        [("key".to_owned(), kept.clone(), false, false), ("key".to_owned(), "null".to_owned(), true, true)];
    assert_eq!(history(house, "bucket").await, expected);
    house.get(&of("null")).await.refused(405, "MethodNotAllowed");
    // Once more, it is one marker.
    house.delete("/bucket/key").await.is(204);
    assert_eq!(history(house, "bucket").await, expected);
    let gone = house.delete(&of("null")).await.is(204);
    assert_eq!((gone.need("x-amz-delete-marker"), gone.need("x-amz-version-id")), ("true", "null"));
    house.get("/bucket/key").await.is(200).brings("kept");
    // A write takes the marker's place.
    house.delete("/bucket/key").await.is(204);
    house.put("/bucket/key").body("again").await.is(200);
    assert_eq!(ids(house).await, ["null".to_owned(), kept]);
}

async fn the_null_version_is_deleted_by_its_name(house: &mut House) {
    house.put("/bucket/key").body("null").await.is(200);
    versioning(house, "bucket", "Enabled").await;
    let kept = put(house, "kept").await;
    let gone = house.delete(&of("null")).await.is(204);
    assert_eq!((gone.need("x-amz-version-id"), gone.header("x-amz-delete-marker")), ("null", None));
    house.get(&of("null")).await.refused(404, "NoSuchVersion");
    assert_eq!(ids(house).await, [kept]);
}

async fn without_versions_null_names_the_object(house: &mut House) {
    house.put("/bucket/key").body("bytes").await.is(200);
    house.get(&of("null")).await.is(200).brings("bytes");
    house.head(&of("null")).await.is(200);
    assert_eq!(ids(house).await, ["null"]);
    let copy = house.put("/bucket/copy").header("x-amz-copy-source", of("null"));
    copy.await.is(200);
    house.delete("/bucket/copy").await.is(204);
    house.delete(&of("null")).await.is(204);
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
    assert!(history(house, "bucket").await.is_empty());
    // And a plain delete leaves nothing to list either.
    house.put("/bucket/key").body("bytes").await.is(200);
    let gone = house.delete("/bucket/key").await.is(204);
    assert_eq!((gone.header("x-amz-version-id"), gone.header("x-amz-delete-marker")), (None, None));
    assert!(history(house, "bucket").await.is_empty());
}

async fn a_version_comes_back_by_a_copy(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let first = house
        .put("/bucket/key")
        .header("content-type", "text/plain")
        .header("x-amz-tagging", "a=b")
        .body("one");
    let one = first.await.is(200).need("x-amz-version-id").to_owned();
    let two = put(house, "two").await;
    let copy = house.put("/bucket/key").header("x-amz-copy-source", of(&one)).await.is(200);
    let three = copy.need("x-amz-version-id").to_owned();
    assert_eq!(copy.need("x-amz-copy-source-version-id"), one);
    assert!(three != one && three != two);
    let read = house.get("/bucket/key").await.is(200).brings("one");
    assert_eq!((read.need("content-type"), read.need("x-amz-tagging-count")), ("text/plain", "1"));
    assert_eq!(ids(house).await, [three, two.clone(), one.clone()]);
    // Behind a marker as well.
    hide(house).await;
    house.put("/bucket/key").header("x-amz-copy-source", of(&two)).await.is(200);
    house.get("/bucket/key").await.is(200).brings("two");
    house.get(&of(&one)).await.is(200).brings("one");
}

async fn a_version_belongs_to_its_key_and_bucket(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    versioning(house, "other", "Enabled").await;
    let version = put(house, "bytes").await;
    house.put("/bucket/sister").body("sister").await.is(200);
    for target in ["/bucket/sister", "/bucket/none", "/other/key", "/other/witness"] {
        let target = format!("{target}?versionId={version}");
        house.get(&target).await.refused(404, "NoSuchVersion");
        house.head(&target).await.is(404).brings("");
        house.delete(&target).await.is(204);
        house.put("/bucket/copy").header("x-amz-copy-source", target).await.refused(404, "NoSuchVersion");
    }
    house.get(&of(&version)).await.is(200).brings("bytes");
}

async fn a_version_is_deleted_by_who_may(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let version = put(house, "bytes").await;
    let hider = house.key_with(&[Right::Read, Right::Write, Right::Delete]).await;
    let eraser = house.key_with(&[Right::Read, Right::Write, Right::DeleteVersion]).await;
    house.delete(&of(&version)).key(&hider).await.refused(403, "AccessDenied");
    house.delete(&of("null")).key(&hider).await.refused(403, "AccessDenied");
    house.delete("/bucket/key").key(&eraser).await.refused(403, "AccessDenied");
    let marker = house.delete("/bucket/key").key(&hider).await.is(204).need("x-amz-version-id").to_owned();
    house.delete(&of(&marker)).key(&hider).await.refused(403, "AccessDenied");
    house.delete(&of(&marker)).key(&eraser).await.is(204);
    house.delete(&of(&version)).key(&eraser).await.is(204);
    assert!(history(house, "bucket").await.is_empty());
}

async fn versions_are_deleted_many_at_a_time(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let (one, two) = (put(house, "one").await, put(house, "two").await);
    let marker = hide(house).await;
    let document = deletion(&[("key", Some(&one)), ("key", Some(&marker)), ("never", None)], false);
    let answer = delete_objects(house, "bucket", &document).await.is(200);
    let told = table(&answer, "Deleted", ["Key", "VersionId", "DeleteMarker", "DeleteMarkerVersionId"]);
    assert_eq!(told[0], ["key", &one, "", ""].map(str::to_owned));
    assert_eq!(told[1], ["key", &marker, "true", &marker].map(str::to_owned));
    assert_eq!(&told[2][..3], ["never", "", "true"].map(str::to_owned));
    assert_eq!(house.get("/bucket/key").await.is(200).brings("two").need("x-amz-version-id"), two);
    let history = history(house, "bucket").await;
    assert_eq!(history[1], ("never".to_owned(), told[2][3].clone(), true, true));
}

async fn a_deleted_version_is_restorable(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let (one, two) = (put(house, "one").await, put(house, "two").await);
    house.delete(&of(&one)).await.is(204);
    let removed = house.version(&one).await;
    assert_eq!(removed.state, State::Removed);
    let what = metadata::RestoreWhat::Version(one.parse().expect("a version's id"));
    house.restore_object("bucket", what).await.expect("its grace is not over");
    assert_eq!(ids(house).await, [two, one.clone()], "at the place where it was");
    house.get(&of(&one)).await.is(200).brings("one");
    house.get("/bucket/key").await.is(200).brings("two");
}

async fn versions_of_every_size_are_read(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let mut all = Vec::new();
    for size in [0, 1, 16_384, 16_385, 100_000] {
        let put = house.put("/bucket/key").body(pattern(size)).await.is(200);
        all.push((put.need("x-amz-version-id").to_owned(), size));
    }
    for (id, size) in &all {
        house.get(&of(id)).await.is(200).brings(pattern(*size));
        if *size > 10 {
            house
                .get(&of(id))
                .header("range", "bytes=-10")
                .await
                .is(206)
                .brings(&pattern(*size)[size - 10..]);
        }
    }
}
