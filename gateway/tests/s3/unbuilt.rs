//! What is not built answers 501 with the call's name, and changes nothing: a client that was told "done" would rely on it.

use crate::calls::content_md5;
use crate::house::{House, WITNESS};

crate::on_both_engines!(
    what_is_not_built_says_so_by_name,
    a_header_that_asks_for_what_is_not_built_is_refused_by_name,
);

const LIFECYCLE: &str = "<LifecycleConfiguration><Rule><ID>all</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>\
                         <Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;
const ACL: &str = "<AccessControlPolicy><Owner><ID>x</ID></Owner><AccessControlList></AccessControlList></AccessControlPolicy>";
const WEBSITE: &str =
    "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>";
const LOGGING: &str = "<BucketLoggingStatus></BucketLoggingStatus>";
const NOTIFICATION: &str = "<NotificationConfiguration></NotificationConfiguration>";
const ENCRYPTION: &str = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256\
                          </SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";
const OWNERSHIP: &str = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>";
const BLOCK: &str = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
const PAYMENT: &str = "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>";
const ACCELERATE: &str = "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>";

/// Method, target, body, and AWS's name for the call.
const CALLS: &[(&str, &str, &str, &str)] = &[
    ("GET", "/other?lifecycle", "", "GetBucketLifecycleConfiguration"),
    ("PUT", "/other?lifecycle", LIFECYCLE, "PutBucketLifecycleConfiguration"),
    ("DELETE", "/other?lifecycle", "", "DeleteBucketLifecycle"),
    ("GET", "/other?policy", "", "GetBucketPolicy"),
    ("PUT", "/other?policy", POLICY, "PutBucketPolicy"),
    ("DELETE", "/other?policy", "", "DeleteBucketPolicy"),
    ("GET", "/other?policyStatus", "", "GetBucketPolicyStatus"),
    ("GET", "/other?acl", "", "GetBucketAcl"),
    ("PUT", "/other?acl", ACL, "PutBucketAcl"),
    ("GET", "/other/witness?acl", "", "GetObjectAcl"),
    ("PUT", "/other/witness?acl", ACL, "PutObjectAcl"),
    ("GET", "/other?website", "", "GetBucketWebsite"),
    ("PUT", "/other?website", WEBSITE, "PutBucketWebsite"),
    ("DELETE", "/other?website", "", "DeleteBucketWebsite"),
    ("GET", "/other?logging", "", "GetBucketLogging"),
    ("PUT", "/other?logging", LOGGING, "PutBucketLogging"),
    ("GET", "/other?notification", "", "GetBucketNotificationConfiguration"),
    ("PUT", "/other?notification", NOTIFICATION, "PutBucketNotificationConfiguration"),
    ("GET", "/other?encryption", "", "GetBucketEncryption"),
    ("PUT", "/other?encryption", ENCRYPTION, "PutBucketEncryption"),
    ("DELETE", "/other?encryption", "", "DeleteBucketEncryption"),
    ("GET", "/other?ownershipControls", "", "GetBucketOwnershipControls"),
    ("PUT", "/other?ownershipControls", OWNERSHIP, "PutBucketOwnershipControls"),
    ("DELETE", "/other?ownershipControls", "", "DeleteBucketOwnershipControls"),
    ("GET", "/other?publicAccessBlock", "", "GetPublicAccessBlock"),
    ("PUT", "/other?publicAccessBlock", BLOCK, "PutPublicAccessBlock"),
    ("DELETE", "/other?publicAccessBlock", "", "DeletePublicAccessBlock"),
    ("GET", "/other?requestPayment", "", "GetBucketRequestPayment"),
    ("PUT", "/other?requestPayment", PAYMENT, "PutBucketRequestPayment"),
    ("GET", "/other?accelerate", "", "GetBucketAccelerateConfiguration"),
    ("PUT", "/other?accelerate", ACCELERATE, "PutBucketAccelerateConfiguration"),
    ("GET", "/other?replication", "", "GetBucketReplication"),
    ("DELETE", "/other?replication", "", "DeleteBucketReplication"),
    ("GET", "/other?inventory", "", "ListBucketInventoryConfigurations"),
    ("GET", "/other?analytics", "", "ListBucketAnalyticsConfigurations"),
    ("GET", "/other?metrics", "", "ListBucketMetricsConfigurations"),
    ("GET", "/other/witness?torrent", "", "GetObjectTorrent"),
    ("POST", "/other/witness?restore", "<RestoreRequest><Days>1</Days></RestoreRequest>", "RestoreObject"),
];

async fn what_is_not_built_says_so_by_name(house: &mut House) {
    let before = house.head("/other/witness").await.is(200);
    let mut wrong = Vec::new();
    for (method, target, body, name) in CALLS {
        let mut ask = house.ask(method, target);
        if !body.is_empty() {
            ask = ask.header("Content-MD5", content_md5(body)).body(*body);
        }
        let answer = ask.await;
        let message = answer.find("Message").unwrap_or_default();
        if (answer.status, answer.code().as_str()) != (501, "NotImplemented") || !message.contains(name) {
            wrong.push(format!("{method} {target}: {} {} {message:?}", answer.status, answer.code()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Nothing of it has any effect on what is built.
    let after = house.head("/other/witness").await.is(200);
    for name in ["etag", "last-modified", "content-type", "content-length"] {
        assert_eq!(after.need(name), before.need(name));
    }
    for name in
        ["x-amz-expiration", "x-amz-object-lock-mode", "x-amz-server-side-encryption", "x-amz-restore"]
    {
        assert_eq!(after.header(name), None);
    }
    house.get("/other/witness").await.is(200).brings(WITNESS);
    house.get("/other/witness").nobody().await.refused(403, "AccessDenied");
    house.put("/other/more").body("more").await.is(200);
    house.get("/other/more").header("Origin", "http://example.com").await.is(200).brings("more");
    house.delete("/other/more").await.is(204);
    house.delete("/other/witness").await.is(204);
}

async fn a_header_that_asks_for_what_is_not_built_is_refused_by_name(house: &mut House) {
    for (name, value) in [
        ("x-amz-acl", "public-read"),
        ("x-amz-acl", "authenticated-read"),
        ("x-amz-grant-read", "id=\"x\""),
        ("x-amz-grant-full-control", "id=\"x\""),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
    ] {
        let asks = [
            house.put("/bucket/key").body("bytes"),
            house.post("/bucket/key?uploads"),
            house.put("/bucket/key").header("x-amz-copy-source", "/other/witness"),
        ];
        for ask in asks {
            let refused = ask.header(name, value).await.refused(501, "NotImplemented");
            let message = refused.find("Message").unwrap_or_default();
            assert!(message.contains(name), "{message}");
        }
    }
    house
        .put("/bucket/key")
        .header("x-amz-storage-class", "COLD")
        .body("x")
        .await
        .refused(400, "InvalidStorageClass");
    house.stored_nothing().await;
    // What asks for nothing but what is so anyway is no obstacle.
    for (name, value) in [
        ("x-amz-acl", "private"),
        ("x-amz-acl", "bucket-owner-full-control"),
        ("x-amz-storage-class", "STANDARD"),
    ] {
        house.put("/bucket/key").header(name, value).body("bytes").await.is(200);
    }
    house
        .put("/bucket/key")
        .header("x-amz-object-lock-legal-hold", "ON")
        .body("x")
        .await
        .refused(400, "InvalidRequest");
    house.get("/bucket/key").await.is(200).brings("bytes");
}
