//! Object Lock at the S3 door: what is locked stays, whoever asks and by whatever way; and who may unlock it.

use crate::calls::{Upload, content_md5, delete_objects, deletion, history, table, versioning};
use crate::client::{Answer, Ask};
use crate::house::House;
use lifecycle::{Retention, RetentionMode, Right, State, Time};
use std::time::Duration;

crate::on_both_engines!(
    a_bucket_is_made_with_locks_and_keeps_versions_for_good,
    a_bucket_with_versions_gets_locks,
    a_configuration_that_means_nothing_changes_nothing,
    a_version_is_locked_as_it_is_written,
    an_upload_in_parts_is_locked_when_it_is_completed,
    a_copy_has_the_lock_that_it_is_given,
    a_form_brings_a_lock,
    a_lock_that_means_nothing_stores_nothing,
    a_bucket_without_locks_has_none,
    a_retention_is_changed_by_whoever_may,
    a_hold_comes_and_goes,
    what_is_locked_is_not_deleted,
    a_marker_lies_over_what_is_locked,
    new_versions_get_what_the_bucket_gives,
    what_is_changed_is_written_down,
    scsp_meets_the_same_lock,
    a_bucket_that_holds_locks_is_not_removed,
    a_restored_version_has_its_lock_again,
    a_lock_where_no_versions_are_kept_is_handed_on_or_refuses,
);

const DAY: Duration = Duration::from_secs(86_400);

/// A date of the house's clock, as documents have it.
fn date(at: Time) -> String {
    let text = at.to_rfc3339();
    format!("{}Z", text.split('.').next().expect("a date"))
}

fn ahead(house: &House, by: Duration) -> String {
    date(house.clock_now().plus(by))
}

fn retention(mode: &str, until: &str) -> String {
    format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>")
}

fn hold(status: &str) -> String {
    format!("<LegalHold><Status>{status}</Status></LegalHold>")
}

fn configuration(inside: &str) -> String {
    format!(
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{inside}</ObjectLockConfiguration>"
    )
}

fn default_of(mode: &str, length: &str) -> String {
    configuration(&format!("<Rule><DefaultRetention><Mode>{mode}</Mode>{length}</DefaultRetention></Rule>"))
}

/// A document with the digest that it needs.
fn sealed(house: &House, target: &str, document: &str) -> Ask {
    house.put(target).header("Content-MD5", content_md5(document)).body(document)
}

/// The bucket `locked`, in which versions can be.
async fn make(house: &House) {
    house.put("/locked").header("x-amz-bucket-object-lock-enabled", "true").await.is(200);
}

/// Writes a version under a lock, and gives its id.
async fn put(house: &House, key: &str, mode: &str, by: Duration) -> String {
    let ask = house.put(&format!("/locked/{key}")).header("Content-MD5", content_md5(key)).body(key);
    let ask = ask.header("x-amz-object-lock-mode", mode);
    let answer = ask.header("x-amz-object-lock-retain-until-date", ahead(house, by)).await.is(200);
    answer.need("x-amz-version-id").to_owned()
}

fn bypassing(ask: Ask) -> Ask {
    ask.header("x-amz-bypass-governance-retention", "true")
}

fn locked_out(answer: Answer) {
    let refused = answer.refused(403, "AccessDenied");
    let message = refused.find("Message");
    assert_eq!(message.as_deref(), Some("Access Denied because object protected by object lock."));
}

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

async fn a_retention_is_changed_by_whoever_may(house: &mut House) {
    make(house).await;
    let (near, far) = (ahead(house, DAY), ahead(house, 9 * DAY));
    put(house, "key", "GOVERNANCE", 2 * DAY).await;
    let writer = house.key_with(&[Right::Read, Right::Write, Right::DeleteVersion]).await;
    let set = |document: &str| sealed(house, "/locked/key?retention", document);
    let is = async || {
        let told = house.get("/locked/key?retention").await.is(200);
        (told.find("Mode").unwrap_or_default(), told.find("RetainUntilDate").unwrap_or_default())
    };
    let before = is().await;
    // Not shorter, not off, not otherwise; and whoever says the word must hold the right.
    for document in
        [retention("GOVERNANCE", &near), "<Retention></Retention>".to_owned(), retention("COMPLIANCE", &far)]
    {
        locked_out(set(&document).key(&writer).await);
        locked_out(set(&document).await);
        bypassing(set(&document).key(&writer)).await.refused(403, "AccessDenied");
    }
    for (document, code) in [
        (retention("GOVERNANCE", &date(house.clock_now().minus(DAY))), "InvalidArgument"),
        (retention("governance", &far), "MalformedXML"),
        ("<Retention><Mode>GOVERNANCE</Mode></Retention>".to_owned(), "MalformedXML"),
        (format!("<Retention><RetainUntilDate>{far}</RetainUntilDate></Retention>"), "MalformedXML"),
        (retention("GOVERNANCE", "tomorrow"), "MalformedXML"),
        ("<Retention><Mod>GOVERNANCE</Mod></Retention>".to_owned(), "MalformedXML"),
    ] {
        set(&document).await.refused(400, code);
    }
    house
        .put("/locked/key?retention")
        .body(retention("GOVERNANCE", &far))
        .await
        .refused(400, "InvalidRequest");
    sealed(house, "/locked/none?retention", &retention("GOVERNANCE", &far)).await.refused(404, "NoSuchKey");
    assert_eq!(is().await, before);
    // Longer for everybody, and anything for whoever may pass by it and says so.
    set(&retention("GOVERNANCE", &far)).key(&writer).await.is(200).brings("");
    assert_eq!(is().await.1, far.replace('Z', ".000Z"));
    bypassing(set(&retention("GOVERNANCE", &near))).await.is(200);
    assert_eq!(is().await.1, near.replace('Z', ".000Z"));
    bypassing(set("<Retention></Retention>")).await.is(200);
    house.get("/locked/key?retention").await.refused(404, "NoSuchObjectLockConfiguration");
    set(&retention("COMPLIANCE", &near)).key(&writer).await.is(200);
    // COMPLIANCE is for nobody, and what was told can be set again.
    for document in [retention("GOVERNANCE", &far), "<Retention></Retention>".to_owned()] {
        locked_out(bypassing(set(&document)).await);
    }
    let (_, told) = is().await;
    set(&retention("COMPLIANCE", &told)).await.is(200);
    set(&retention("COMPLIANCE", &far)).await.is(200);
    locked_out(bypassing(set(&retention("COMPLIANCE", &near))).await);
    house.advance(10 * DAY);
    set(&retention("GOVERNANCE", &ahead(house, DAY))).await.is(200);
}

async fn a_hold_comes_and_goes(house: &mut House) {
    make(house).await;
    let version = house.put("/locked/key").body("bytes").await.is(200).need("x-amz-version-id").to_owned();
    let target = format!("/locked/key?legal-hold&versionId={version}");
    assert_eq!(house.get(&target).await.is(200).find("Status").as_deref(), Some("OFF"));
    for bad in ["on", "", "MAYBE"] {
        sealed(house, &target, &hold(bad)).await.refused(400, "MalformedXML");
    }
    sealed(house, &target, "<LegalHold></LegalHold>").await.refused(400, "MalformedXML");
    house.put(&target).body(hold("ON")).await.refused(400, "InvalidRequest");
    let reader = house.key_with(&[Right::Read]).await;
    sealed(house, &target, &hold("ON")).key(&reader).await.refused(403, "AccessDenied");
    assert_eq!(house.get(&target).await.is(200).find("Status").as_deref(), Some("OFF"));
    sealed(house, &target, &hold("ON")).await.is(200).brings("");
    assert_eq!(house.get(&target).await.is(200).find("Status").as_deref(), Some("ON"));
    locked_out(bypassing(house.delete(&format!("/locked/key?versionId={version}"))).await);
    house.advance(36_500 * DAY);
    locked_out(house.delete(&format!("/locked/key?versionId={version}")).await);
    sealed(house, &target, &hold("OFF")).await.is(200);
    house.delete(&format!("/locked/key?versionId={version}")).await.is(204);
    // A marker has neither, and cannot have.
    let marker = house.delete("/locked/key").await.is(204).need("x-amz-version-id").to_owned();
    let target = format!("/locked/key?legal-hold&versionId={marker}");
    sealed(house, &target, &hold("ON")).await.refused(405, "MethodNotAllowed");
}

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

async fn what_is_changed_is_written_down(house: &mut House) {
    make(house).await;
    put(house, "key", "GOVERNANCE", 2 * DAY).await;
    let near = ahead(house, DAY);
    bypassing(sealed(house, "/locked/key?retention", &retention("GOVERNANCE", &near))).await.is(200);
    sealed(house, "/locked/key?legal-hold", &hold("ON")).await.is(200);
    let told = |operation: &str| {
        let record = house.audit.of(operation).pop().expect("it is written down");
        assert!(record.user.is_some(), "by whom");
        record.detail.expect("from what to what")
    };
    let retained = told("PutObjectRetention");
    assert!(retained.contains("governance until") && retained.contains("->"), "{retained}");
    let held = told("PutObjectLegalHold");
    assert!(held.contains("legal hold"), "{held}");
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
