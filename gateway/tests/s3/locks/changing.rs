//! Who may change the lock of a version into which.

use super::*;
use lifecycle::Right;

crate::on_both_engines!(
    a_retention_is_changed_by_whoever_may,
    a_hold_comes_and_goes,
    what_is_changed_is_written_down,
    a_policy_sees_what_the_document_orders,
);

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

/// Conditions are about the lock that is ordered, be it in a header of a PUT or in the document of its own call.
async fn a_policy_sees_what_the_document_orders(house: &mut House) {
    make(house).await;
    let key = put(house, "key", "GOVERNANCE", DAY).await;
    let deny = |action: &str, condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*","Action":"{action}",
                "Resource":"arn:aws:s3:::locked/*","Condition":{condition}}}]}}"#
        )
    };
    let retain = |mode: &str, by: Duration| {
        let document = retention(mode, &ahead(house, by));
        bypassing(sealed(house, &format!("/locked/key?retention&versionId={key}"), &document))
    };
    let says = async |policy: String| house.put("/locked?policy").body(policy).await.is(204);
    says(deny("s3:PutObjectRetention", r#"{"StringEquals":{"s3:object-lock-mode":"COMPLIANCE"}}"#)).await;
    retain("COMPLIANCE", 2 * DAY).await.refused(403, "AccessDenied");
    retain("GOVERNANCE", 2 * DAY).await.is(200);
    let days = r#"{"NumericGreaterThan":{"s3:object-lock-remaining-retention-days":"10"}}"#;
    says(deny("s3:PutObjectRetention", days)).await;
    retain("GOVERNANCE", 12 * DAY).await.refused(403, "AccessDenied");
    retain("GOVERNANCE", 9 * DAY).await.is(200);
    let until = ahead(house, 5 * DAY);
    let date = format!(r#"{{"DateGreaterThan":{{"s3:object-lock-retain-until-date":"{until}"}}}}"#);
    says(deny("s3:PutObjectRetention", &date)).await;
    retain("GOVERNANCE", 6 * DAY).await.refused(403, "AccessDenied");
    retain("GOVERNANCE", 4 * DAY).await.is(200);
    says(deny("s3:PutObjectLegalHold", r#"{"StringEquals":{"s3:object-lock-legal-hold":"ON"}}"#)).await;
    let hold = |word: &str| {
        let document = format!("<LegalHold><Status>{word}</Status></LegalHold>");
        sealed(house, "/locked/key?legal-hold", &document)
    };
    hold("ON").await.refused(403, "AccessDenied");
    hold("OFF").await.is(200);
    let told = house.get("/locked/key?retention").await.is(200);
    assert_eq!(told.find("Mode").as_deref(), Some("GOVERNANCE"), "what was refused changed nothing");
}
