//! Deletes: what is gone for S3, what an operator can bring back, and who may.

use crate::calls::{
    content_md5, delete_objects, deletion, etag, history, pattern, rows, table, tags, versioning,
};
use crate::house::{House, OBJECT_GRACE, WITNESS};
use futures_util::future::join_all;
use lifecycle::{Cause, Refusal, Right, State};
use metadata::RestoreWhat;
use std::collections::BTreeSet;
use std::time::Duration;

crate::on_both_engines!(
    what_is_deleted_is_gone_and_gone_again,
    what_never_was_is_gone_as_well,
    a_deleted_object_comes_back_as_it_was,
    an_overwritten_object_comes_back_as_it_was,
    a_deleted_object_is_final_when_its_grace_is_over,
    nothing_of_a_removed_object_shows,
    a_thousand_keys_go_in_one_call,
    a_thousand_and_one_keys_do_not,
    a_quiet_call_tells_of_errors_alone,
    each_key_has_its_own_outcome,
    a_key_that_is_named_twice_goes_once,
    names_of_every_kind_go_in_one_call,
    a_list_that_is_not_what_its_digest_says_deletes_nothing,
    a_list_that_is_no_list_deletes_nothing,
    a_list_needs_a_digest,
    rights_are_asked_of_each_key,
    deletes_at_once_leave_one_marker_each,
    many_at_once_delete_everything_once,
    a_read_that_has_begun_ends_although_its_object_is_deleted,
);

async fn what_is_deleted_is_gone_and_gone_again(house: &mut House) {
    // Case 111 of the SCSP specification.
    house.put("/bucket/key").body("bytes").await.is(200);
    for _ in 0..2 {
        let gone = house.delete("/bucket/key").await.is(204).brings("");
        assert_eq!((gone.header("x-amz-delete-marker"), gone.header("x-amz-version-id")), (None, None));
        house.get("/bucket/key").await.refused(404, "NoSuchKey");
        house.head("/bucket/key").await.is(404);
    }
    assert_eq!(house.count(State::Removed).await, 1);
}

async fn what_never_was_is_gone_as_well(house: &mut House) {
    house.delete("/bucket/never").await.is(204);
    house.delete("/bucket/never?versionId=null").await.is(204);
    house.delete("/bucket/never?versionId=00000000000000000000000000000001").await.is(204);
    assert!(history(house, "bucket").await.is_empty(), "without versioning there are no markers");
    let document = deletion(&[("never", None)], false);
    let answer = delete_objects(house, "bucket", &document).await.is(200);
    assert_eq!(table(&answer, "Deleted", ["Key"]).concat(), ["never"]);
    assert!(rows(&answer, "Error").is_empty());
}

async fn a_deleted_object_comes_back_as_it_was(house: &mut House) {
    for (key, size, together) in
        [("one", 5, false), ("two", 40_000, false), ("three", 5, true), ("four", 40_000, true)]
    {
        let target = format!("/bucket/{key}");
        let put = house
            .put(&target)
            .header("content-type", "text/plain")
            .header("x-amz-meta-colour", "blue")
            .header("x-amz-tagging", "team=storage");
        put.body(pattern(size)).await.is(200);
        let before = house.head(&target).await.is(200);
        let listed = house.get("/bucket?versions").await.is(200);
        let versions: Vec<_> = house.world.versions().await.iter().map(|checked| checked.facts.id).collect();
        match together {
            true => drop(delete_objects(house, "bucket", &deletion(&[(key, None)], false)).await.is(200)),
            false => drop(house.delete(&target).await.is(204)),
        }
        house.get(&target).await.refused(404, "NoSuchKey");
        house.advance(OBJECT_GRACE - Duration::from_secs(1));
        house.purge_not_yet().await;
        house
            .restore_object("bucket", RestoreWhat::Latest(key.to_owned()))
            .await
            .expect("its grace is not over");
        let after = house.get(&target).await.is(200).brings(pattern(size));
        for name in ["etag", "last-modified", "content-type", "x-amz-meta-colour", "x-amz-tagging-count"] {
            assert_eq!(after.need(name), before.need(name), "{name}");
        }
        let told = tags(&house.get(&format!("{target}?tagging")).await.is(200));
        assert_eq!(told, [("team".to_owned(), "storage".to_owned())]);
        assert_eq!(rows(&house.get("/bucket?versions").await.is(200), "Version"), rows(&listed, "Version"));
        let now: Vec<_> = house.world.versions().await.iter().map(|checked| checked.facts.id).collect();
        assert_eq!(now, versions, "the same versions by the same ids");
    }
}

impl House {
    /// The health processor looks, and finds nothing due.
    async fn purge_not_yet(&self) {
        let before = self.count(State::Purged).await;
        self.process().await;
        assert_eq!(self.count(State::Purged).await, before);
    }
}

async fn an_overwritten_object_comes_back_as_it_was(house: &mut House) {
    house.put("/bucket/key").body("one").await.is(200);
    house.put("/bucket/key").body("two").await.is(200);
    let versions = house.world.versions().await;
    let removed: Vec<_> = versions.iter().filter(|checked| checked.facts.state == State::Removed).collect();
    assert_eq!(removed.len(), 1);
    let id = removed[0].facts.id;
    assert_eq!(house.version(&id.to_string()).await.cause, Some(Cause::Overwrite));
    let refused =
        house.restore_object("bucket", RestoreWhat::Version(id)).await.expect_err("the name is taken");
    assert_eq!(refused.refusal(), Some(&Refusal::NameInUse));
    house.delete("/bucket/key").await.is(204);
    house.restore_object("bucket", RestoreWhat::Version(id)).await.expect("its grace is not over");
    assert_eq!(house.get("/bucket/key").await.is(200).brings("one").need("etag"), etag("one"));
}

async fn a_deleted_object_is_final_when_its_grace_is_over(house: &mut House) {
    house.put("/bucket/small").body("small").await.is(200);
    house.put("/bucket/large").body(pattern(40_000)).await.is(200);
    let document = deletion(&[("small", None), ("large", None)], false);
    delete_objects(house, "bucket", &document).await.is(200);
    house.advance(OBJECT_GRACE);
    house.purge().await;
    assert_eq!((house.count(State::Removed).await, house.count(State::Purged).await), (0, 2));
    assert!(house.world.stored().await.is_empty());
    for key in ["small", "large"] {
        let what = RestoreWhat::Latest(key.to_owned());
        house.restore_object("bucket", what).await.expect_err("it is gone");
    }
}

async fn nothing_of_a_removed_object_shows(house: &mut House) {
    house.put("/bucket/dir/key").body("bytes").await.is(200);
    house.delete("/bucket/dir/key").await.is(204);
    for target in [
        "/bucket?list-type=2",
        "/bucket",
        "/bucket?versions",
        "/bucket?delimiter=/",
        "/bucket?versions&delimiter=/",
    ] {
        let listed = house.get(target).await.is(200);
        for name in ["Contents", "Version", "DeleteMarker", "CommonPrefixes"] {
            assert!(rows(&listed, name).is_empty(), "{target}: {}", listed.text());
        }
    }
    house.get("/bucket/dir/key?tagging").await.refused(404, "NoSuchKey");
    house.get("/bucket/dir/key?versionId=null").await.refused(404, "NoSuchVersion");
    house.put("/bucket/copy").header("x-amz-copy-source", "/bucket/dir/key").await.refused(404, "NoSuchKey");
    house.put("/bucket/dir/key").header("if-none-match", "*").body("new").await.is(200);
}

async fn a_thousand_keys_go_in_one_call(house: &mut House) {
    let keys: Vec<String> = (0..1_000).map(|n| format!("dir/{n:04}")).collect();
    for lot in keys.chunks(100) {
        let puts =
            lot.iter().map(|key| house.put(&format!("/bucket/{key}")).body(key.as_bytes()).into_future());
        for answer in join_all(puts).await {
            answer.is(200);
        }
    }
    house.put("/bucket/stays").body("stays").await.is(200);
    let list: Vec<(&str, Option<&str>)> = keys.iter().map(|key| (key.as_str(), None)).collect();
    let answer = delete_objects(house, "bucket", &deletion(&list, false)).await.is(200);
    assert!(answer.text().contains("<DeleteResult"), "{}", &answer.text()[..200]);
    assert_eq!(table(&answer, "Deleted", ["Key"]).concat(), keys);
    assert!(rows(&answer, "Error").is_empty());
    assert_eq!(house.get("/bucket").await.is(200).all("Key"), ["stays"]);
    assert_eq!(house.count(State::Removed).await, 1_000);
    let what = RestoreWhat::Latest("dir/0500".to_owned());
    house.restore_object("bucket", what).await.expect("its grace is not over");
    house.get("/bucket/dir/0500").await.is(200).brings("dir/0500");
}

async fn a_thousand_and_one_keys_do_not(house: &mut House) {
    house.put("/bucket/0000").body("bytes").await.is(200);
    let keys: Vec<String> = (0..1_001).map(|n| format!("{n:04}")).collect();
    let list: Vec<(&str, Option<&str>)> = keys.iter().map(|key| (key.as_str(), None)).collect();
    delete_objects(house, "bucket", &deletion(&list, false)).await.refused(400, "MalformedXML");
    house.get("/bucket/0000").await.is(200).brings("bytes");
}

async fn a_quiet_call_tells_of_errors_alone(house: &mut House) {
    for key in ["one", "two"] {
        house.put(&format!("/bucket/{key}")).body(key).await.is(200);
    }
    let document = deletion(&[("one", None), ("never", None), ("two", Some("nonsense"))], true);
    let answer = delete_objects(house, "bucket", &document).await.is(200);
    assert!(rows(&answer, "Deleted").is_empty(), "{}", answer.text());
    assert_eq!(table(&answer, "Error", ["Key", "VersionId"]), [["two", "nonsense"].map(str::to_owned)]);
    house.head("/bucket/one").await.is(404);
    house.head("/bucket/two").await.is(200);
}

async fn each_key_has_its_own_outcome(house: &mut House) {
    house.put("/bucket/free").body("free").await.is(200);
    house
        .scsp("POST", "/bucket/guarded")
        .header("Lifepoint", "[] deletable=no")
        .body("guarded")
        .await
        .is(201);
    let document = deletion(&[("free", None), ("guarded", None), ("never", None)], false);
    let answer = delete_objects(house, "bucket", &document).await.is(200);
    assert_eq!(table(&answer, "Deleted", ["Key"]).concat(), ["free", "never"]);
    assert_eq!(table(&answer, "Error", ["Key", "Code"]), [["guarded", "AccessDenied"].map(str::to_owned)]);
    assert!(answer.find("Message").is_some_and(|message| !message.is_empty()));
    house.get("/bucket/guarded").await.is(200).brings("guarded");
}

async fn a_key_that_is_named_twice_goes_once(house: &mut House) {
    house.put("/bucket/key").body("bytes").await.is(200);
    let document = deletion(&[("key", None), ("key", None), ("key", None)], false);
    let answer = delete_objects(house, "bucket", &document).await.is(200);
    assert!(rows(&answer, "Error").is_empty(), "{}", answer.text());
    assert_eq!(house.count(State::Removed).await, 1);
    versioning(house, "bucket", "Enabled").await;
    let version = house.put("/bucket/key").body("bytes").await.is(200).need("x-amz-version-id").to_owned();
    let document = deletion(&[("key", Some(&version)), ("key", Some(&version)), ("key", None)], false);
    let answer = delete_objects(house, "bucket", &document).await.is(200);
    assert!(rows(&answer, "Error").is_empty(), "{}", answer.text());
    let left = history(house, "bucket").await;
    assert_eq!(left.iter().map(|row| row.2).collect::<Vec<_>>(), [true], "{left:?}");
}

async fn names_of_every_kind_go_in_one_call(house: &mut House) {
    let names = [
        "a b",
        " lead",
        "trail ",
        "a+b",
        "%2F",
        "a//b",
        "../x",
        "ü/日本語",
        "\u{1F980}",
        "a&b<c>\"d'",
        "x/",
        "]]>",
        "a\tb",
    ];
    for name in names {
        house
            .put(&format!("/bucket/{}", crate::sign::encoded(name.as_bytes(), false)))
            .body(name)
            .await
            .is(200);
    }
    let list = names.map(|name| (name, None));
    let answer = delete_objects(house, "bucket", &deletion(&list, false)).await.is(200);
    assert_eq!(table(&answer, "Deleted", ["Key"]).concat(), names);
    assert_eq!(house.get("/bucket?list-type=2").await.find("KeyCount").as_deref(), Some("0"));
}

async fn a_list_that_is_not_what_its_digest_says_deletes_nothing(house: &mut House) {
    let document = deletion(&[("witness", None)], false);
    let post = || house.post("/other?delete").body(document.clone());
    post().header("Content-MD5", content_md5("other")).await.refused(400, "BadDigest");
    post().header("Content-MD5", "nonsense").await.refused(400, "InvalidDigest");
    for (name, wrong) in [
        ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-checksum-crc32c", "AAAAAA=="),
        ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="),
        ("x-amz-checksum-sha1", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("x-amz-checksum-sha256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ] {
        post().header(name, wrong).await.refused(400, "BadDigest");
        post().header(name, "nonsense!").await.refused(400, "InvalidRequest");
    }
    house.get("/other/witness").await.is(200).brings(WITNESS);
}

async fn a_list_that_is_no_list_deletes_nothing(house: &mut House) {
    let good = "<Object><Key>witness</Key></Object>";
    for bad in [
        "nonsense".to_owned(),
        "<Delete></Delete>".to_owned(),
        "<Delete>".to_owned(),
        format!("<Delete>{good}"),
        format!("<Delete>{good}<Object></Object></Delete>"),
        format!("<Other>{good}</Other>"),
        "{\"Objects\":[]}".to_owned(),
    ] {
        delete_objects(house, "other", &bad).await.refused(400, "MalformedXML");
    }
    let nameless = format!("<Delete>{good}<Object><Key></Key></Object></Delete>");
    delete_objects(house, "other", &nameless).await.refused(400, "MalformedXML");
    house.get("/other/witness").await.is(200).brings(WITNESS);
}

async fn a_list_needs_a_digest(house: &mut House) {
    let document = deletion(&[("witness", None)], false);
    let post = house.post("/other?delete").body(document.clone());
    post.await.refused(400, "InvalidRequest");
    house.get("/other/witness").await.is(200).brings(WITNESS);
    // Any of AWS's checksums does as well.
    let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, document.as_bytes());
    let sum = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &sum.to_be_bytes()[4..]);
    house.post("/other?delete").header("x-amz-checksum-crc32", sum).body(document).await.is(200);
    house.head("/other/witness").await.is(404);
}

async fn rights_are_asked_of_each_key(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let version = house.put("/bucket/one").body("1").await.is(200).need("x-amz-version-id").to_owned();
    house.put("/bucket/two").body("2").await.is(200);
    let both = deletion(&[("one", Some(&version)), ("two", None)], false);
    let none = house.key_with(&[Right::Read, Right::Write]).await;
    delete_objects(house, "bucket", &both).key(&none).await.refused(403, "AccessDenied");
    let hider = house.key_with(&[Right::Delete]).await;
    let answer = delete_objects(house, "bucket", &both).key(&hider).await.is(200);
    assert_eq!(table(&answer, "Deleted", ["Key"]).concat(), ["two"]);
    assert_eq!(table(&answer, "Error", ["Key", "Code"]), [["one", "AccessDenied"].map(str::to_owned)]);
    let eraser = house.key_with(&[Right::DeleteVersion]).await;
    let alone = deletion(&[("one", Some(&version))], false);
    let answer = delete_objects(house, "bucket", &alone).key(&eraser).await.is(200);
    assert_eq!(table(&answer, "Deleted", ["Key"]).concat(), ["one"]);
    house.delete("/bucket/two").key(&eraser).await.refused(403, "AccessDenied");
    house.delete("/bucket/two").key(&none).await.refused(403, "AccessDenied");
    house.delete("/bucket").key(&hider).await.refused(403, "AccessDenied");
    // Passing by a lock is a right of its own.
    let bypass = house.delete("/bucket/two").key(&hider).header("x-amz-bypass-governance-retention", "true");
    bypass.await.refused(403, "AccessDenied");
    house.delete("/bucket/two").header("x-amz-bypass-governance-retention", "true").await.is(204);
}

async fn deletes_at_once_leave_one_marker_each(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    house.put("/bucket/key").body("bytes").await.is(200);
    let deletes = (0..16).map(|_| house.delete("/bucket/key").into_future());
    let markers: BTreeSet<String> = join_all(deletes)
        .await
        .into_iter()
        .map(|answer| answer.is(204).need("x-amz-version-id").to_owned())
        .collect();
    assert_eq!(markers.len(), 16);
    let listed = history(house, "bucket").await;
    assert_eq!(listed.iter().filter(|row| row.2).map(|row| row.1.clone()).collect::<BTreeSet<_>>(), markers);
    assert_eq!(listed.iter().filter(|row| row.3).count(), 1);
}

async fn many_at_once_delete_everything_once(house: &mut House) {
    let keys: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
    let puts = keys.iter().map(|key| house.put(&format!("/bucket/{key}")).body("x").into_future());
    for answer in join_all(puts).await {
        answer.is(200);
    }
    let list: Vec<(&str, Option<&str>)> = keys.iter().map(|key| (key.as_str(), None)).collect();
    let document = deletion(&list, false);
    let calls = (0..8).map(|_| delete_objects(house, "bucket", &document).into_future());
    for answer in join_all(calls).await {
        let answer = answer.is(200);
        assert!(rows(&answer, "Error").is_empty(), "{}", answer.text());
        assert_eq!(table(&answer, "Deleted", ["Key"]).concat(), keys);
    }
    assert_eq!(house.count(State::Removed).await, 100);
    assert_eq!(house.get("/bucket?list-type=2").await.find("KeyCount").as_deref(), Some("0"));
}

async fn a_read_that_has_begun_ends_although_its_object_is_deleted(house: &mut House) {
    let bytes = pattern(4 << 20);
    house.put("/bucket/key").body(bytes.clone()).await.is(200);
    let wire = house.get("/bucket/key").ready();
    let mut connection = house.connection().await;
    connection.try_send(&wire.bytes(true)).await;
    let head = connection.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    house.delete("/bucket/key").await.is(204);
    house.advance(OBJECT_GRACE);
    house.process().await;
    assert!(connection.rest().await == bytes);
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
}
