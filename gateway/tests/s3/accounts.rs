//! Accounts at this door: whose buckets and objects are, and how much of them there may be.

use crate::calls::{Upload, rows, table, versioning};
use crate::client::Key;
use crate::house::House;
use lifecycle::{Quota, Right};
use metadata::{Account, ContainerKind, KeyAccount, NewAccount, Secret};
use std::sync::Arc;

crate::on_both_engines!(
    an_account_makes_and_lists_buckets_of_its_own,
    a_bucket_of_another_account_is_not_made_again,
    owners_are_shown_by_id_and_name,
    a_bucket_is_expected_to_be_an_accounts,
    a_disabled_account_is_turned_away,
    one_byte_more_than_the_quota_is_refused,
    an_account_has_its_quota_in_all_of_its_buckets,
    a_quota_is_kept_on_every_way_in,
);

/// All that S3 knows.
const RIGHTS: [Right; 5] = [Right::Read, Right::Write, Right::Delete, Right::DeleteVersion, Right::Remove];

async fn account(house: &House, name: &str) -> (Account, Key) {
    let new = NewAccount { name: name.to_owned(), display_name: format!("The {name}"), email: None };
    let made = house.metadata().create_account(new).await.expect("an account is made");
    let of = KeyAccount::Known(Arc::new(made.clone()));
    let key = house.made_key(&RIGHTS, |key| key.account = Some(of)).await;
    (made, key)
}

async fn owner(house: &House, bucket: &str) -> Option<String> {
    let id = house.bucket(bucket).await;
    let found = house.metadata().container(ContainerKind::Bucket, id).await.expect("the database answers");
    found.expect("the bucket is there").owner
}

async fn limit(house: &House, bucket: &str, bytes: u64) {
    let id = house.bucket(bucket).await;
    let quota = Quota { bytes: Some(bytes), ..Quota::default() };
    house.metadata().set_bucket_quota(id, Some(quota)).await.expect("it is set");
}

async fn an_account_makes_and_lists_buckets_of_its_own(house: &mut House) {
    let ((ann, anns), (_, bobs)) = (account(house, "ann").await, account(house, "bob").await);
    for name in ["ann-1", "ann-2"] {
        house.put(&format!("/{name}")).key(&anns).await.is(200);
    }
    house.put("/bob-1").key(&bobs).await.is(200);
    assert_eq!(owner(house, "ann-1").await, Some(ann.id.clone()));
    let listed = house.get("/").key(&anns).await.is(200);
    assert_eq!(table(&listed, "Bucket", ["Name"]), [["ann-1"], ["ann-2"]]);
    assert_eq!(table(&listed, "Owner", ["ID", "DisplayName"]), [[ann.id.as_str(), "The ann"]]);
    let page = house.get("/?max-buckets=1").key(&anns).await.is(200);
    assert_eq!(table(&page, "Bucket", ["Name"]), [["ann-1"]]);
    let token = page.find("ContinuationToken").expect("there is more");
    let page = house.get(&format!("/?max-buckets=1&continuation-token={token}")).key(&anns).await.is(200);
    assert_eq!(table(&page, "Bucket", ["Name"]), [["ann-2"]]);
    let listed = house.get("/?prefix=bob").key(&anns).await.is(200);
    assert!(rows(&listed, "Bucket").is_empty());
    let all = house.get("/").await.is(200);
    assert_eq!(table(&all, "Bucket", ["Name"]), [["ann-1"], ["ann-2"], ["bob-1"], ["bucket"], ["other"]]);
    // A key that may not read lists nothing.
    let of = KeyAccount::Known(Arc::new(ann));
    let writer = house.made_key(&[Right::Write], |key| key.account = Some(of)).await;
    house.get("/").key(&writer).await.refused(403, "AccessDenied");
}

async fn a_bucket_of_another_account_is_not_made_again(house: &mut House) {
    let ((_, anns), (_, bobs)) = (account(house, "ann").await, account(house, "bob").await);
    house.put("/ours").key(&anns).await.is(200);
    let before = (house.bucket("ours").await, owner(house, "ours").await);
    house.put("/ours").key(&anns).await.is(200);
    house.put("/ours").key(&bobs).await.refused(409, "BucketAlreadyExists");
    house.put("/ours").await.refused(409, "BucketAlreadyExists");
    house.put("/bucket").key(&anns).await.refused(409, "BucketAlreadyExists");
    assert_eq!((house.bucket("ours").await, owner(house, "ours").await), before);
    // Another key of the same account is the same owner.
    let account = house.metadata().account_by_name("ann").await.expect("asked").expect("is there");
    let of = KeyAccount::Known(Arc::new(account));
    let other = house.made_key(&RIGHTS, |key| key.account = Some(of)).await;
    house.put("/ours").key(&other).await.is(200);
}

async fn owners_are_shown_by_id_and_name(house: &mut House) {
    let (ann, anns) = account(house, "ann").await;
    house.put("/ours").key(&anns).await.is(200);
    versioning(house, "ours", "Enabled").await;
    house.put("/ours/by-key").body("1").await.is(200);
    // What a key of the account writes belongs to the account; here a key stands for it that may write everywhere.
    let own = Key { id: ann.id.clone(), secret: "secret".to_owned() };
    let made = house.made_key(&RIGHTS, |key| (key.id, key.secret) = (own.id.clone(), Secret::new("secret")));
    made.await;
    house.put("/ours/by-ann").key(&own).body("1").await.is(200);
    let (key, id) = (house.key.id.clone(), ann.id.as_str());
    let expected = [["by-ann", id, "The ann"], ["by-key", &key, &key]];
    for listing in ["/ours", "/ours?list-type=2&fetch-owner=true"] {
        let listed = house.get(listing).await.is(200);
        assert_eq!(table(&listed, "Contents", ["Key", "ID", "DisplayName"]), expected, "{listing}");
    }
    let listed = house.get("/ours?list-type=2").await.is(200);
    assert!(rows(&listed, "Owner").is_empty());
    house.delete("/ours/by-ann").await.is(204);
    let listed = house.get("/ours?versions").await.is(200);
    assert_eq!(table(&listed, "Version", ["Key", "ID", "DisplayName"]), expected);
    let shown = table(&listed, "DeleteMarker", ["Key", "ID", "DisplayName"]);
    assert_eq!(shown, [["by-ann", id, "The ann"]], "a marker belongs to whom the object does");
}

async fn a_bucket_is_expected_to_be_an_accounts(house: &mut House) {
    let ((ann, anns), (bob, _)) = (account(house, "ann").await, account(house, "bob").await);
    house.put("/ours").key(&anns).await.is(200);
    let expecting = |owner: &str| house.get("/ours?list-type=2").header("x-amz-expected-bucket-owner", owner);
    expecting(&ann.id).await.is(200);
    expecting(&bob.id).await.refused(403, "AccessDenied");
    expecting("ann").await.refused(403, "AccessDenied");
}

async fn a_disabled_account_is_turned_away(house: &mut House) {
    let (ann, anns) = account(house, "ann").await;
    house.put("/ours").key(&anns).await.is(200);
    house.disable(&ann, true).await;
    house.get("/").key(&anns).await.refused(403, "InvalidAccessKeyId");
    house.put("/more").key(&anns).await.refused(403, "InvalidAccessKeyId");
    house.head("/more").await.is(404);
    house.disable(&ann, false).await;
    house.get("/").key(&anns).await.is(200);
}

async fn one_byte_more_than_the_quota_is_refused(house: &mut House) {
    limit(house, "bucket", 10).await;
    house.put("/bucket/a").body("123456").await.is(200);
    let refused = house.put("/bucket/b").body("12345").await.refused(403, "QuotaExceeded");
    let message = refused.find("Message").expect("it says why");
    assert!(message.contains("bucket") && message.contains("10 bytes"), "{message}");
    house.head("/bucket/b").await.is(404);
    house.put("/bucket/b").body("1234").await.is(200);
    house.put("/bucket/a").body("654321").await.is(200);
    house.put("/bucket/a").body("1234567").await.refused(403, "QuotaExceeded");
    house.get("/bucket/a").await.is(200).brings("654321");
    house.delete("/bucket/b").await.is(204);
    house.put("/bucket/a").body("1234567").await.is(200);
    house.put("/other/big").body("123456789012").await.is(200);
}

async fn an_account_has_its_quota_in_all_of_its_buckets(house: &mut House) {
    let (ann, anns) = account(house, "ann").await;
    house.put("/one").key(&anns).await.is(200);
    let quota = Quota { bytes: Some(10), objects: Some(3), ..Quota::default() };
    house.metadata().set_account_quota(&ann.id, Some(quota)).await.expect("it is set");
    house.put("/two").key(&anns).await.is(200);
    house.put("/one/a").body("123456").await.is(200);
    let refused = house.put("/two/b").body("12345").await.refused(403, "QuotaExceeded");
    assert!(refused.find("Message").is_some_and(|message| message.contains("account")));
    house.put("/two/b").body("1234").await.is(200);
    house.put("/two/c").body("").await.is(200);
    house.put("/one/d").body("").await.refused(403, "QuotaExceeded");
}

async fn a_quota_is_kept_on_every_way_in(house: &mut House) {
    limit(house, "bucket", 20).await;
    house.put("/other/twenty-one").body("123456789012345678901").await.is(200);
    let copy = house.put("/bucket/copy").header("x-amz-copy-source", "/other/twenty-one");
    copy.await.refused(403, "QuotaExceeded");
    // Larger than what is kept beside its row: the bytes have gone to the store by then, and are taken back.
    house.put("/bucket/large").body("x".repeat(100_000)).await.refused(403, "QuotaExceeded");
    let upload = Upload::begin(house, "/bucket/parts").await;
    let part = upload.part(1, "x".repeat(30)).await;
    upload.complete(&[(1, &part)]).await.refused(403, "QuotaExceeded");
    limit(house, "bucket", 30).await;
    upload.complete(&[(1, &part)]).await.is(200);
    let listed = house.get("/bucket?list-type=2").await.is(200);
    assert_eq!(table(&listed, "Contents", ["Key"]), [["parts"]]);
    let standing = house.metadata().bucket_quota(house.bucket("bucket").await).await.expect("it is told");
    assert_eq!((standing.used().objects, standing.used().bytes), (1, 30));
}
