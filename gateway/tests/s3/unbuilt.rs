//! What is not built answers 501 with the call's name, and changes nothing: a client that was told "done" would rely on it.

use crate::calls::content_md5;
use crate::house::{House, WITNESS};

crate::on_both_engines!(
    what_is_not_built_says_so_by_name,
    a_header_that_asks_for_what_is_not_built_is_refused_by_name,
);

const WEBSITE: &str =
    "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>";
const LOGGING: &str = "<BucketLoggingStatus><LoggingEnabled><TargetBucket>bucket</TargetBucket><TargetPrefix>log/</TargetPrefix>\
                       </LoggingEnabled></BucketLoggingStatus>";
const NOTIFICATION: &str = "<NotificationConfiguration><EventBridgeConfiguration></EventBridgeConfiguration></NotificationConfiguration>";
const ENCRYPTION: &str = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256\
                          </SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";
const PAYMENT: &str = "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>";
const ACCELERATE: &str = "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>";

/// Method, target, body, and AWS's name for the call.
const CALLS: &[(&str, &str, &str, &str)] = &[
    ("PUT", "/other?website", WEBSITE, "PutBucketWebsite"),
    ("PUT", "/other?encryption", ENCRYPTION, "PutBucketEncryption"),
    ("PUT", "/other?accelerate", ACCELERATE, "PutBucketAccelerateConfiguration"),
    ("PUT", "/other?logging", LOGGING, "PutBucketLogging"),
    ("PUT", "/other?notification", NOTIFICATION, "EventBridge"),
    ("PUT", "/other?requestPayment", PAYMENT, "PutBucketRequestPayment"),
    (
        "PUT",
        "/other?replication",
        "<ReplicationConfiguration><Role>r</Role><Rule><Status>Enabled</Status><Destination>\
      <Bucket>arn:aws:s3:::b</Bucket></Destination></Rule></ReplicationConfiguration>",
        "PutBucketReplication",
    ),
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
