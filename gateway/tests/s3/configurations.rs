//! What buckets can be set to elsewhere: here each call tells truly that there is none, takes what says the same, and refuses
//! the rest.

use crate::house::{House, WITNESS};

crate::on_both_engines!(
    what_no_bucket_has_is_told_truly,
    what_says_the_same_is_taken,
    who_may_not_is_told_nothing,
);

/// Target, status and code of a GET, status of a DELETE.
const NONE: &[(&str, u16, &str, u16)] = &[
    ("website", 404, "NoSuchWebsiteConfiguration", 204),
    ("encryption", 404, "ServerSideEncryptionConfigurationNotFoundError", 204),
    ("replication", 404, "ReplicationConfigurationNotFoundError", 204),
    ("inventory&id=one", 404, "NoSuchConfiguration", 404),
    ("metrics&id=one", 404, "NoSuchConfiguration", 404),
    ("analytics&id=one", 404, "NoSuchConfiguration", 404),
    ("intelligent-tiering&id=one", 404, "NoSuchConfiguration", 404),
];
const LISTS: &[&str] = &["inventory", "metrics", "analytics", "intelligent-tiering"];

async fn what_no_bucket_has_is_told_truly(house: &mut House) {
    for (word, status, code, deleted) in NONE {
        house.get(&format!("/other?{word}")).await.refused(*status, code);
        house.delete(&format!("/other?{word}")).await.is(*deleted);
        house.get(&format!("/none?{word}")).await.refused(404, "NoSuchBucket");
        house.delete(&format!("/none?{word}")).await.refused(404, "NoSuchBucket");
    }
    for word in LISTS {
        let listed = house.get(&format!("/other?{word}")).await.is(200);
        assert_eq!(listed.find("IsTruncated").as_deref(), Some("false"), "{}", listed.text());
        assert!(!listed.text().contains("<Id>"), "{}", listed.text());
        house.get(&format!("/none?{word}")).await.refused(404, "NoSuchBucket");
    }
    let logging = house.get("/other?logging").await.is(200);
    assert!(logging.text().contains("BucketLoggingStatus") && !logging.text().contains("LoggingEnabled"));
    assert_eq!(
        house.get("/other?requestPayment").await.is(200).find("Payer").as_deref(),
        Some("BucketOwner")
    );
    let acceleration = house.get("/other?accelerate").await.is(200);
    assert_eq!(acceleration.find("Status"), None, "{}", acceleration.text());
    house.get("/other/witness").await.is(200).brings(WITNESS);
}

async fn what_says_the_same_is_taken(house: &mut House) {
    house.put("/other?logging").body("<BucketLoggingStatus></BucketLoggingStatus>").await.is(200);
    let payer = |who: &str| {
        format!("<RequestPaymentConfiguration><Payer>{who}</Payer></RequestPaymentConfiguration>")
    };
    house.put("/other?requestPayment").body(payer("BucketOwner")).await.is(200);
    house.put("/other?requestPayment").body(payer("Requester")).await.refused(501, "NotImplemented");
    house.put("/other?requestPayment").body(payer("Nobody")).await.refused(400, "MalformedXML");
    assert_eq!(
        house.get("/other?requestPayment").await.is(200).find("Payer").as_deref(),
        Some("BucketOwner")
    );
    let status = |status: &str| {
        format!("<AccelerateConfiguration><Status>{status}</Status></AccelerateConfiguration>")
    };
    house.put("/other?accelerate").body(status("Suspended")).await.is(200);
    house.put("/other?accelerate").body(status("Enabled")).await.refused(501, "NotImplemented");
    house.put("/other?accelerate").body(status("Fast")).await.refused(400, "MalformedXML");
    assert_eq!(house.get("/other?accelerate").await.is(200).find("Status").as_deref(), Some("Suspended"));
    for (word, document) in [
        ("logging", "<BucketLoggingStatus><Other/></BucketLoggingStatus>"),
        ("requestPayment", "<RequestPaymentConfiguration><Payee>a</Payee></RequestPaymentConfiguration>"),
        ("accelerate", "<Accelerate></Accelerate>"),
    ] {
        house.put(&format!("/other?{word}")).body(document).await.refused(400, "MalformedXML");
    }
}

async fn who_may_not_is_told_nothing(house: &mut House) {
    let reader = house.key_with(&[lifecycle::Right::Read]).await;
    let writer = house.key_with(&[lifecycle::Right::Write]).await;
    for word in [
        "website",
        "encryption",
        "replication",
        "inventory",
        "logging",
        "requestPayment",
        "accelerate",
        "notification",
    ] {
        let target = format!("/other?{word}");
        house.get(&target).nobody().await.refused(403, "AccessDenied");
        house.get(&target).key(&writer).await.refused(403, "AccessDenied");
        house
            .get(&target)
            .header("x-amz-expected-bucket-owner", "somebody")
            .await
            .refused(403, "AccessDenied");
    }
    for word in ["website", "encryption", "replication"] {
        house.delete(&format!("/other?{word}")).key(&reader).await.refused(403, "AccessDenied");
    }
    let body = "<NotificationConfiguration></NotificationConfiguration>";
    house.put("/other?notification").key(&reader).body(body).await.refused(403, "AccessDenied");
}
