//! What is locked is not deleted, whoever asks and by whatever way.

use super::*;
use crate::calls::{Upload, delete_objects, deletion, history, table};
use lifecycle::{Retention, RetentionMode, Right, State};
use std::time::Duration;

crate::on_both_engines!(
    what_is_locked_is_not_deleted,
    a_marker_lies_over_what_is_locked,
    scsp_meets_the_same_lock,
    a_restored_version_has_its_lock_again,
    a_lock_where_no_versions_are_kept_is_handed_on_or_refuses,
);

async fn what_is_locked_is_not_deleted(house: &mut House) {
    make(house).await;
    let writer = house.key_with(&[Right::Read, Right::Write, Right::Delete, Right::DeleteVersion]).await;
    let governed = put(house, "governed", "GOVERNANCE", DAY).await;
    let complied = put(house, "complied", "COMPLIANCE", DAY).await;
    let one = |key: &str, version: &str| house.delete(&format!("/locked/{key}?versionId={version}"));
    let many =
        |key: &str, version: &str| delete_objects(house, "locked", &deletion(&[(key, Some(version))], false));
    let refused = |answer: Answer| {
        let answer = answer.is(200);
        assert_eq!(table(&answer, "Error", ["Code"]), [["AccessDenied".to_owned()]], "{}", answer.text());
    };
    for (key, version) in [("governed", &governed), ("complied", &complied)] {
        locked_out(one(key, version).await);
        refused(many(key, version).await);
        // The word without the right.
        bypassing(one(key, version).key(&writer)).await.refused(403, "AccessDenied");
        bypassing(many(key, version).key(&writer)).await.refused(403, "AccessDenied");
        house.get(&format!("/locked/{key}?versionId={version}")).await.is(200).brings(key);
    }
    locked_out(bypassing(one("complied", &complied)).await);
    refused(bypassing(many("complied", &complied)).await);
    one("governed", &governed)
        .header("x-amz-bypass-governance-retention", "maybe")
        .await
        .refused(400, "InvalidArgument");
    one("governed", &governed)
        .header("x-amz-bypass-governance-retention", "false")
        .await
        .refused(403, "AccessDenied");
    bypassing(one("governed", &governed)).await.is(204);
    house.get(&format!("/locked/governed?versionId={governed}")).await.is(404);
    let again = put(house, "governed", "GOVERNANCE", DAY).await;
    assert!(table(&bypassing(many("governed", &again)).await.is(200), "Error", ["Code"]).is_empty());
    // Until its end, and no longer.
    house.advance(DAY);
    house.advance(Duration::from_secs(1));
    one("complied", &complied).await.is(204);
    assert!(history(house, "locked").await.is_empty());
    house.advance(DAY);
    house.purge().await;
    assert_eq!(house.version(&complied).await.state, State::Purged);
    assert_eq!(house.version(&complied).await.retention, None, "of what is purged nothing is kept");
}

async fn a_marker_lies_over_what_is_locked(house: &mut House) {
    make(house).await;
    let version = put(house, "key", "COMPLIANCE", DAY).await;
    let marker = house.delete("/locked/key").await.is(204).need("x-amz-version-id").to_owned();
    house.get("/locked/key").await.refused(404, "NoSuchKey");
    house.get(&format!("/locked/key?versionId={version}")).await.is(200).brings("key");
    house.delete(&format!("/locked/key?versionId={marker}")).await.is(204);
    house.get("/locked/key").await.is(200).brings("key");
    let newer = house.put("/locked/key").body("newer").await.is(200).need("x-amz-version-id").to_owned();
    locked_out(house.delete(&format!("/locked/key?versionId={version}")).await);
    house.delete(&format!("/locked/key?versionId={newer}")).await.is(204);
    house.get("/locked/key").await.is(200).brings("key");
}

async fn scsp_meets_the_same_lock(house: &mut House) {
    make(house).await;
    let version = put(house, "key", "COMPLIANCE", DAY).await;
    let read = house.scsp("HEAD", "/locked/key").await.is(200);
    assert!(
        read.need("barrow-retention").starts_with("compliance; until="),
        "{:?}",
        read.header("barrow-retention")
    );
    assert_eq!(read.header("barrow-legal-hold"), None);
    assert_eq!(house.scsp("DELETE", "/locked/key").await.status, 403);
    assert_eq!(house.scsp("DELETE", &format!("/locked/key?version={version}")).await.status, 403);
    house.get(&format!("/locked/key?versionId={version}")).await.is(200).brings("key");
    // Another version lies over it, and it stays.
    house.scsp("COPY", "/locked/key").header("x-a-meta-b", "c").await.is(201);
    house.scsp("PUT", "/locked/key").body("more").await.is(201);
    house.get(&format!("/locked/key?versionId={version}")).await.is(200).brings("key");
    assert_eq!(house.version(&version).await.state, State::Live);
    // A lifepoint guards too, and is no lock of S3's.
    let lifepoint = format!("[{}] deletable=no", house.clock_now().plus(DAY).to_http_date());
    house.scsp("POST", "/bucket/guarded").header("Lifepoint", lifepoint).body("guarded").await.is(201);
    let head = house.head("/bucket/guarded").await.is(200);
    assert_eq!(
        (head.header("x-amz-object-lock-mode"), head.header("x-amz-object-lock-legal-hold")),
        (None, None)
    );
    locked_out(house.delete("/bucket/guarded").await);
    locked_out(bypassing(house.delete("/bucket/guarded")).await);
}

async fn a_restored_version_has_its_lock_again(house: &mut House) {
    make(house).await;
    let version = put(house, "key", "GOVERNANCE", DAY).await;
    bypassing(house.delete(&format!("/locked/key?versionId={version}"))).await.is(204);
    let what = metadata::RestoreWhat::Version(version.parse().expect("a version's id"));
    house.restore_object("locked", what).await.expect("it comes back");
    assert_eq!(house.head("/locked/key").await.is(200).need("x-amz-object-lock-mode"), "GOVERNANCE");
    locked_out(house.delete(&format!("/locked/key?versionId={version}")).await);
}

/// Where no versions are kept a lock comes from another installation only. No way to change or delete such an object loses
/// it: either the way is refused, or what takes the bytes over is locked by the same.
async fn a_lock_where_no_versions_are_kept_is_handed_on_or_refuses(house: &mut House) {
    use metadata::{LockChange, LockOrder, Which};
    let until = house.clock_now().plus(DAY);
    for (mode, held) in [(RetentionMode::Governance, false), (RetentionMode::Compliance, true)] {
        let name = mode.as_str();
        let target = format!("/bucket/{name}");
        house.put(&target).body("bytes").await.is(200);
        let retention = Retention { mode, until };
        for change in [LockChange::Retention { to: Some(retention), bypass: false }, LockChange::Hold(held)] {
            let order = LockOrder {
                domain: house.domain(),
                bucket: house.bucket("bucket").await,
                name: name.to_owned(),
                which: Which::Current,
                removed_too: false,
                change,
            };
            house.metadata().set_lock(order).await.expect("it is locked");
        }
        let is = async |name: &str| {
            let read = house.get(&format!("/bucket/{name}")).await.is(200).brings("bytes");
            assert_eq!(read.need("x-amz-object-lock-mode"), name_of(mode));
            assert_eq!(read.header("x-amz-object-lock-legal-hold").is_some(), held);
        };
        for (method, argument) in [("DELETE", ""), ("POST", ""), ("PUT", ""), ("APPEND", "")] {
            let ask = house.scsp(method, &format!("{target}{argument}")).body("more");
            let ask = if method == "DELETE" { house.scsp(method, &target) } else { ask };
            let refused = ask.await;
            assert_eq!(refused.status, 403, "{method}: {}", refused.text());
        }
        locked_out(house.put(&target).body("more").await);
        locked_out(house.delete(&target).await);
        let document = deletion(&[(name, None)], false);
        let many = delete_objects(house, "bucket", &document).await.is(200);
        assert_eq!(table(&many, "Error", ["Code"]), [["AccessDenied".to_owned()]]);
        let upload = Upload::begin(house, &target).await;
        let tag = upload.part(1, "part").await;
        locked_out(upload.complete(&[(1, &tag)]).await);
        upload.abort().await.is(204);
        is(name).await;
        // Only its headers change, and its name.
        house.scsp("COPY", &target).header("x-a-meta-b", "c").await.is(201);
        is(name).await;
        let onto = house.put(&target).header("x-amz-copy-source", format!("/bucket/{name}"));
        onto.header("x-amz-metadata-directive", "REPLACE").header("x-amz-meta-a", "b").await.is(200);
        is(name).await;
        house.scsp("COPY", &format!("{target}?newname={name}-moved")).await.is(201);
        is(&format!("{name}-moved")).await;
        locked_out(house.delete(&format!("{target}-moved")).await);
    }
}

fn name_of(mode: RetentionMode) -> &'static str {
    match mode {
        RetentionMode::Governance => "GOVERNANCE",
        RetentionMode::Compliance => "COMPLIANCE",
    }
}
