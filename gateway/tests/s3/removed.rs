//! What is asked of a bucket that an operator has removed: every call is told the same as of one that never was, through this
//! door and through the other, and nothing changes. KP-06 to KP-08, BX-27, and the rows of table 4.9 that are built.

use crate::calls::{Upload, delete_objects, field, rows};
use crate::client::Ask;
use crate::house::House;
use lifecycle::{Cause, Condition, Grace, State};
use metadata::{ContainerKind, RemoveOrder};

crate::on_both_engines!(
    every_call_on_a_removed_bucket_is_told_that_there_is_none,
    the_name_is_kept_until_the_purge,
    a_list_does_not_go_on_behind_a_removal,
    parts_that_were_brought_before_do_not_become_an_object,
);

/// The bucket `bucket` is removed as BUCKET.REMOVE does: until somebody purges it, and with its name.
async fn remove(house: &House) {
    let order = RemoveOrder {
        grace: Grace::UntilPurged,
        early: false,
        reserves_name: true,
        only_empty: None,
        condition: Condition::NONE,
        cause: Cause::Recursive,
        door: "admin",
        actor: "an operator".to_owned(),
        reason: None,
    };
    let id = house.bucket("bucket").await;
    house.metadata().remove(ContainerKind::Bucket, id, order).await.expect("it is live");
}

async fn filled(house: &House) {
    for name in ["one", "three", "two"] {
        house.put(&format!("/bucket/{name}")).body(name).await.is(200);
    }
    house.put("/other/x").body("x").await.is(200);
}

async fn every_call_on_a_removed_bucket_is_told_that_there_is_none(house: &mut House) {
    filled(house).await;
    let upload = Upload::begin(house, "/bucket/large").await;
    let part = upload.part(1, "part").await;
    let id = house.bucket("bucket").await;
    let uploads = format!("uploadId={}", upload.id);
    remove(house).await;
    let before = house.container(id).await;

    let copy = |target: &str, from: &str| house.put(target).header("x-amz-copy-source", from.to_owned());
    let many = "<Delete><Object><Key>one</Key></Object></Delete>";
    let asked: Vec<(&str, Ask)> = vec![
        ("put", house.put("/bucket/four").body("four")),
        ("get", house.get("/bucket/one")),
        ("delete", house.delete("/bucket/one")),
        ("create upload", house.post("/bucket/new?uploads")),
        ("part", house.put(&format!("/bucket/large?partNumber=2&{uploads}")).body("more")),
        ("parts", house.get(&format!("/bucket/large?{uploads}"))),
        ("complete", upload.ask_complete(&[(1, &part)])),
        ("abort", house.delete(&format!("/bucket/large?{uploads}"))),
        ("list", house.get("/bucket?list-type=2")),
        ("list, v1", house.get("/bucket")),
        ("list versions", house.get("/bucket?versions")),
        ("list uploads", house.get("/bucket?uploads")),
        ("copy to", copy("/bucket/copy", "/other/x")),
        ("copy from", copy("/other/copy", "/bucket/one")),
        ("delete many", delete_objects(house, "bucket", many)),
        ("versioning", house.get("/bucket?versioning")),
        ("tags", house.get("/bucket?tagging")),
        ("delete the bucket", house.delete("/bucket")),
    ];
    for (what, ask) in asked {
        let answer = ask.await.is(404);
        assert_eq!((what, answer.find("Code").as_deref()), (what, Some("NoSuchBucket")));
    }
    house.head("/bucket/one").await.is(404);
    house.head("/bucket").await.is(404);
    for (method, target) in [
        ("GET", "/bucket/one"),
        ("HEAD", "/bucket/one"),
        ("DELETE", "/bucket/one"),
        ("GET", "/bucket?format=json"),
        ("DELETE", "/bucket?recursive=yes"),
    ] {
        house.scsp(method, target).await.is(404);
    }
    house.scsp("POST", "/bucket/four").body("four").await.is(412);
    assert_eq!(house.container(id).await, before, "nothing of all that has changed anything");
    house.restore_bucket(id).await.expect("it is restored");
    let listed = house.get("/bucket?list-type=2").await.is(200);
    assert_eq!(rows(&listed, "Contents").len(), 3);
    upload.complete(&[(1, &part)]).await.is(200);
}

async fn the_name_is_kept_until_the_purge(house: &mut House) {
    filled(house).await;
    let id = house.bucket("bucket").await;
    remove(house).await;
    house.put("/bucket").await.is(409);
    house.scsp("POST", "/bucket").header("Content-Type", "application/castorcontext").await.is(409);
    let listed = house.get("/").await.is(200);
    let names: Vec<String> = rows(&listed, "Bucket").iter().map(|row| field(row, "Name")).collect();
    assert!(!names.contains(&"bucket".to_owned()) && names.contains(&"other".to_owned()), "{names:?}");

    let order = metadata::PurgeOrder::at_once("an operator");
    house.metadata().purge_early(ContainerKind::Bucket, id, order).await.expect("nobody holds it");
    house.put("/bucket").await.is(200);
    house.get("/bucket/one").await.is(404);
    house.purge().await;
    assert_eq!(house.container(id).await.state, State::Purged);
    house.get("/bucket").await.is(200);
}

async fn a_list_does_not_go_on_behind_a_removal(house: &mut House) {
    filled(house).await;
    let first = house.get("/bucket?list-type=2&max-keys=1").await.is(200);
    let token = first.find("NextContinuationToken").expect("there are more");
    remove(house).await;
    let next = house.get(&format!("/bucket?list-type=2&continuation-token={token}")).await.is(404);
    assert_eq!(next.find("Code").as_deref(), Some("NoSuchBucket"));
}

async fn parts_that_were_brought_before_do_not_become_an_object(house: &mut House) {
    filled(house).await;
    let id = house.bucket("bucket").await;
    let upload = Upload::begin(house, "/bucket/large").await;
    let part = upload.part(1, vec![7; 100_000]).await;
    remove(house).await;
    upload.complete(&[(1, &part)]).await.is(404);
    let order = metadata::PurgeOrder::at_once("an operator");
    house.metadata().purge_early(ContainerKind::Bucket, id, order).await.expect("nobody holds it");
    house.purge().await;
    assert_eq!(house.container(id).await.state, State::Purged);
    assert!(house.world.stored().await.is_empty(), "no byte of a part is left");
}
