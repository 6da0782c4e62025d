//! Versions that are locked as they are written, by whatever way they come.

use super::*;
use crate::calls::{Upload, content_md5, history};
use std::time::Duration;

crate::on_both_engines!(
    a_version_is_locked_as_it_is_written,
    an_upload_in_parts_is_locked_when_it_is_completed,
    a_copy_has_the_lock_that_it_is_given,
    a_form_brings_a_lock,
    a_lock_that_means_nothing_stores_nothing,
);

async fn a_version_is_locked_as_it_is_written(house: &mut House) {
    make(house).await;
    let until = ahead(house, DAY);
    let version = put(house, "key", "COMPLIANCE", DAY).await;
    for answer in [house.head("/locked/key").await.is(200), house.get("/locked/key").await.is(200)] {
        assert_eq!(answer.need("x-amz-object-lock-mode"), "COMPLIANCE");
        assert_eq!(answer.need("x-amz-object-lock-retain-until-date"), until.replace('Z', ".000Z"));
        assert_eq!(answer.header("x-amz-object-lock-legal-hold"), None);
    }
    let told = house.get(&format!("/locked/key?retention&versionId={version}")).await.is(200);
    assert_eq!(told.find("Mode").as_deref(), Some("COMPLIANCE"));
    assert_eq!(told.find("RetainUntilDate"), Some(until.replace('Z', ".000Z")));
    // A hold beside it, or alone.
    let ask = house.put("/locked/held").header("Content-MD5", content_md5("held")).body("held");
    ask.header("x-amz-object-lock-legal-hold", "ON").await.is(200);
    let held = house.head("/locked/held").await.is(200);
    assert_eq!(held.need("x-amz-object-lock-legal-hold"), "ON");
    assert_eq!(held.header("x-amz-object-lock-mode"), None);
    house.get("/locked/held?retention").await.refused(404, "NoSuchObjectLockConfiguration");
    let told = house.get("/locked/held?legal-hold").await.is(200);
    assert_eq!(told.find("Status").as_deref(), Some("ON"));
    // What nothing locks says nothing of locks.
    house.put("/locked/free").body("free").await.is(200);
    let free = house.head("/locked/free").await.is(200);
    assert_eq!(
        (free.header("x-amz-object-lock-mode"), free.header("x-amz-object-lock-legal-hold")),
        (None, None)
    );
}

async fn an_upload_in_parts_is_locked_when_it_is_completed(house: &mut House) {
    make(house).await;
    let until = ahead(house, 2 * DAY);
    let ask = house.post("/locked/key?uploads").header("x-amz-object-lock-mode", "GOVERNANCE");
    let ask = ask.header("x-amz-object-lock-retain-until-date", until.clone());
    let upload = Upload::begun(house, "/locked/key", ask.header("x-amz-object-lock-legal-hold", "ON")).await;
    let tag = upload.part(1, "part").await;
    upload.complete(&[(1, &tag)]).await.is(200);
    let is = house.head("/locked/key").await.is(200);
    assert_eq!(is.need("x-amz-object-lock-mode"), "GOVERNANCE");
    assert_eq!(is.need("x-amz-object-lock-retain-until-date"), until.replace('Z', ".000Z"));
    assert_eq!(is.need("x-amz-object-lock-legal-hold"), "ON");
    let past = house.post("/locked/other?uploads").header("x-amz-object-lock-mode", "GOVERNANCE");
    let past = past.header("x-amz-object-lock-retain-until-date", date(house.clock_now().minus(DAY)));
    past.await.refused(400, "InvalidArgument");
    let listed = house.get("/locked?uploads").await.is(200);
    assert_eq!(listed.find("UploadId"), None);
}

async fn a_copy_has_the_lock_that_it_is_given(house: &mut House) {
    make(house).await;
    put(house, "key", "COMPLIANCE", DAY).await;
    house.put("/locked/plain").header("x-amz-copy-source", "/locked/key").await.is(200);
    assert_eq!(house.head("/locked/plain").await.is(200).header("x-amz-object-lock-mode"), None);
    let copy = house.put("/locked/kept").header("x-amz-copy-source", "/locked/key");
    let copy = copy.header("x-amz-object-lock-mode", "GOVERNANCE");
    copy.header("x-amz-object-lock-retain-until-date", ahead(house, DAY)).await.is(200);
    assert_eq!(house.head("/locked/kept").await.is(200).need("x-amz-object-lock-mode"), "GOVERNANCE");
    // Onto itself: another version, and the first one stays what it is.
    let onto = house.put("/locked/key").header("x-amz-copy-source", "/locked/key");
    onto.header("x-amz-metadata-directive", "REPLACE").header("x-amz-meta-a", "b").await.is(200);
    let versions = history(house, "locked").await.into_iter().filter(|row| row.0 == "key").count();
    assert_eq!(versions, 2);
    house
        .put("/bucket/key")
        .header("x-amz-copy-source", "/locked/key")
        .header("x-amz-object-lock-legal-hold", "ON")
        .await
        .refused(400, "InvalidRequest");
    house.head("/bucket/key").await.is(404);
}

async fn a_form_brings_a_lock(house: &mut House) {
    make(house).await;
    let form = |fields: &[(&str, &str)]| {
        let named = [&[("key", "form")], fields].concat();
        let conditions = named.iter().map(|(name, _)| format!(r#",["starts-with","${name}",""]"#));
        let policy = format!(r#"{{"bucket":"locked"}}{}"#, conditions.collect::<String>());
        let mut all: Vec<_> =
            named.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.extend(house.signer().form(&policy, Duration::from_secs(3_600)));
        house.post("/locked").form(&all, b"posted")
    };
    let (until, seal) = (ahead(house, DAY), content_md5("posted"));
    let lock =
        [("x-amz-object-lock-mode", "GOVERNANCE"), ("x-amz-object-lock-retain-until-date", until.as_str())];
    form(&lock).await.refused(400, "InvalidRequest");
    form(&lock[..1]).await.refused(400, "InvalidArgument");
    house.head("/locked/form").await.is(404);
    form(&[lock[0], lock[1], ("content-md5", &seal)]).await.is(204);
    let is = house.head("/locked/form").await.is(200);
    assert_eq!(is.need("x-amz-object-lock-mode"), "GOVERNANCE");
}

async fn a_lock_that_means_nothing_stores_nothing(house: &mut House) {
    make(house).await;
    let (mode, until, hold) =
        ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold");
    let (far, past) = (ahead(house, DAY), date(house.clock_now().minus(DAY)));
    let must = "The retain until date must be in the future!";
    for (headers, message) in [
        (vec![(mode, "GOVERNANCE")], "must both be supplied"),
        (vec![(until, far.as_str())], "must both be supplied"),
        (vec![(mode, "governance"), (until, &far)], "Unknown wormMode"),
        (vec![(mode, "GOVERNANCE"), (until, &past)], must),
        (vec![(mode, "COMPLIANCE"), (until, &past)], must),
        (vec![(mode, "GOVERNANCE"), (until, "tomorrow")], "retain"),
        (vec![(hold, "on")], "'ON' or 'OFF'"),
        (vec![(hold, "")], "'ON' or 'OFF'"),
    ] {
        let asks = [
            house.put("/locked/key").header("Content-MD5", content_md5("x")).body("x"),
            house.post("/locked/key?uploads"),
            house.put("/locked/key").header("x-amz-copy-source", "/other/witness"),
        ];
        for ask in asks {
            let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, *value));
            let refused = ask.await.refused(400, "InvalidArgument");
            let said = refused.find("Message").unwrap_or_default();
            assert!(said.contains(message), "{headers:?}: {said}");
        }
    }
    // What is to be kept must be what was sent.
    let ask = house.put("/locked/key").header(hold, "ON").body("x");
    ask.await.refused(400, "InvalidRequest");
    house.head("/locked/key").await.is(404);
    assert!(history(house, "locked").await.is_empty());
    assert_eq!(house.get("/locked?uploads").await.is(200).find("UploadId"), None);
}
