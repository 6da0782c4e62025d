//! Buckets with locks: how they come about, what they give to new versions, and that they stay.

use super::*;
use crate::calls::{Upload, content_md5, versioning};
use lifecycle::Right;
use std::time::Duration;

crate::on_both_engines!(
    a_bucket_is_made_with_locks_and_keeps_versions_for_good,
    a_bucket_with_versions_gets_locks,
    a_configuration_that_means_nothing_changes_nothing,
    a_bucket_without_locks_has_none,
    new_versions_get_what_the_bucket_gives,
    a_bucket_that_holds_locks_is_not_removed,
);

async fn a_bucket_is_made_with_locks_and_keeps_versions_for_good(house: &mut House) {
    house.get("/bucket?object-lock").await.refused(404, "ObjectLockConfigurationNotFoundError");
    make(house).await;
    let told = house.get("/locked?object-lock").await.is(200);
    assert_eq!(told.find("ObjectLockEnabled").as_deref(), Some("Enabled"));
    assert_eq!(told.find("Rule"), None);
    let is = house.get("/locked?versioning").await.is(200);
    assert_eq!(is.find("Status").as_deref(), Some("Enabled"));
    let suspended = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    house.put("/locked?versioning").body(suspended).await.refused(409, "InvalidBucketState");
    versioning(house, "locked", "Enabled").await;
    let is = house.get("/locked?versioning").await.is(200);
    assert_eq!(is.find("Status").as_deref(), Some("Enabled"));
    // Nor by SCSP, whether it says so or says nothing.
    for policy in ["disabled", "suspended"] {
        let refused = house.scsp("PUT", "/locked").header("Policy-Versioning", policy).await;
        assert_eq!(refused.status, 403, "{}", refused.text());
    }
    // Made again, it is there; without locks it is another.
    house.put("/locked").header("x-amz-bucket-object-lock-enabled", "true").await.is(200);
    house
        .put("/other")
        .header("x-amz-bucket-object-lock-enabled", "true")
        .await
        .refused(409, "BucketAlreadyOwnedByYou");
    house.get("/other?object-lock").await.refused(404, "ObjectLockConfigurationNotFoundError");
    house.delete("/locked").await.is(204);
}

async fn a_bucket_with_versions_gets_locks(house: &mut House) {
    let document = default_of("GOVERNANCE", "<Days>3</Days>");
    for status in ["", "Suspended"] {
        if !status.is_empty() {
            versioning(house, "bucket", status).await;
        }
        sealed(house, "/bucket?object-lock", &document).await.refused(409, "InvalidBucketState");
    }
    house.get("/bucket?object-lock").await.refused(404, "ObjectLockConfigurationNotFoundError");
    versioning(house, "bucket", "Enabled").await;
    sealed(house, "/bucket?object-lock", &document).await.is(200).brings("");
    let told = house.get("/bucket?object-lock").await.is(200);
    for (name, value) in [("Mode", Some("GOVERNANCE")), ("Days", Some("3")), ("Years", None)] {
        assert_eq!(told.find(name).as_deref(), value, "{}", told.text());
    }
    sealed(house, "/bucket?object-lock", &default_of("COMPLIANCE", "<Years>1</Years>")).await.is(200);
    let told = house.get("/bucket?object-lock").await.is(200);
    assert_eq!((told.find("Years").as_deref(), told.find("Days")), (Some("1"), None));
    sealed(house, "/bucket?object-lock", &configuration("")).await.is(200);
    assert_eq!(house.get("/bucket?object-lock").await.is(200).find("Rule"), None);
}

async fn a_configuration_that_means_nothing_changes_nothing(house: &mut House) {
    make(house).await;
    let good = default_of("GOVERNANCE", "<Days>3</Days>");
    sealed(house, "/locked?object-lock", &good).await.is(200);
    for (document, code) in [
        (default_of("GOVERNANCE", "<Days>1</Days><Years>1</Years>"), "MalformedXML"),
        (default_of("GOVERNANCE", ""), "MalformedXML"),
        (default_of("governance", "<Days>1</Days>"), "MalformedXML"),
        (default_of("GOVERNANCE", "<Weeks>1</Weeks>"), "MalformedXML"),
        (default_of("GOVERNANCE", "<Days>0</Days>"), "InvalidArgument"),
        (default_of("GOVERNANCE", "<Days>-1</Days>"), "InvalidArgument"),
        (default_of("GOVERNANCE", "<Days>36501</Days>"), "InvalidArgument"),
        (default_of("COMPLIANCE", "<Years>101</Years>"), "InvalidArgument"),
        (configuration("<Rule></Rule>"), "MalformedXML"),
        (good.replace("Enabled<", "Disabled<"), "MalformedXML"),
        ("<ObjectLockConfiguration></ObjectLockConfiguration>".to_owned(), "MalformedXML"),
        ("<Other></Other>".to_owned(), "MalformedXML"),
    ] {
        let refused = sealed(house, "/locked?object-lock", &document).await.refused(400, code);
        assert!(refused.find("Message").is_some(), "{document}");
    }
    house.put("/locked?object-lock").body(good.clone()).await.refused(400, "InvalidRequest");
    let reader = house.key_with(&[Right::Read]).await;
    sealed(house, "/locked?object-lock", &configuration("")).key(&reader).await.refused(403, "AccessDenied");
    assert_eq!(house.get("/locked?object-lock").await.is(200).find("Days").as_deref(), Some("3"));
}

async fn a_bucket_without_locks_has_none(house: &mut House) {
    let far = ahead(house, DAY);
    for (method, target, document) in [
        ("GET", "/other/witness?retention", String::new()),
        ("GET", "/other/witness?legal-hold", String::new()),
        ("PUT", "/other/witness?retention", retention("GOVERNANCE", &far)),
        ("PUT", "/other/witness?legal-hold", hold("ON")),
    ] {
        let ask = house.ask(method, target);
        let ask = match document.is_empty() {
            true => ask,
            false => ask.header("Content-MD5", content_md5(&document)).body(document),
        };
        let refused = ask.await.refused(400, "InvalidRequest");
        let message = refused.find("Message");
        assert_eq!(message.as_deref(), Some("Bucket is missing Object Lock Configuration"));
    }
    let ask = house.put("/bucket/key").header("Content-MD5", content_md5("x")).body("x");
    ask.header("x-amz-object-lock-legal-hold", "ON").await.refused(400, "InvalidRequest");
    house.stored_nothing().await;
    house.delete("/other/witness").await.is(204);
}

async fn new_versions_get_what_the_bucket_gives(house: &mut House) {
    make(house).await;
    sealed(house, "/locked?object-lock", &default_of("COMPLIANCE", "<Days>2</Days>")).await.is(200);
    house.put("/locked/key").body("x").await.refused(400, "InvalidRequest");
    house.put("/locked/key").header("Content-MD5", content_md5("x")).body("x").await.is(200);
    let is = house.head("/locked/key").await.is(200);
    assert_eq!(is.need("x-amz-object-lock-mode"), "COMPLIANCE");
    let until = house.version(is.need("x-amz-version-id")).await.retention.expect("it has one").until;
    let promised = house.clock_now().plus(2 * DAY);
    assert!(promised <= until && until <= promised.plus(Duration::from_secs(1)));
    // Its own goes first; SCSP says nothing, and gets it too; and so do parts, from their completion on.
    put(house, "own", "GOVERNANCE", DAY).await;
    assert_eq!(house.head("/locked/own").await.is(200).need("x-amz-object-lock-mode"), "GOVERNANCE");
    house.scsp("POST", "/locked/scsp").body("scsp").await.is(201);
    assert_eq!(house.head("/locked/scsp").await.is(200).need("x-amz-object-lock-mode"), "COMPLIANCE");
    let upload = Upload::begin(house, "/locked/parts").await;
    let tag = upload.part(1, "part").await;
    house.advance(DAY);
    upload.complete(&[(1, &tag)]).await.is(200);
    let is = house.head("/locked/parts").await.is(200);
    let until = house.version(is.need("x-amz-version-id")).await.retention.expect("it has one").until;
    assert!(house.clock_now().plus(2 * DAY) <= until);
}

async fn a_bucket_that_holds_locks_is_not_removed(house: &mut House) {
    make(house).await;
    put(house, "key", "COMPLIANCE", DAY).await;
    house.delete("/locked").await.refused(409, "BucketNotEmpty");
    for recursive in ["yes", "now"] {
        let refused = house.scsp("DELETE", &format!("/locked?recursive={recursive}")).await;
        assert_eq!(refused.status, 403, "{}", refused.text());
    }
    house.get("/locked/key").await.is(200).brings("key");
    house.advance(DAY);
    house.advance(Duration::from_secs(1));
    house.scsp("DELETE", "/locked?recursive=yes").await.is(200);
}
