//! Who is told what happens in a bucket: what of a configuration is taken, and what is told of each call.

use crate::calls::{Upload, delete_objects, deletion, versioning};
use crate::house::House;

crate::on_both_engines!(
    a_configuration_is_kept_as_it_was_written,
    a_configuration_that_cannot_be_met_is_refused,
    each_call_is_told_as_what_it_did,
    what_happens_behind_the_other_door_is_told_too,
    a_call_that_is_refused_is_not_told,
);

const ARN: &str = "arn:barrow:sqs::hook:webhook";

fn queue(id: &str, arn: &str, events: &[&str], filter: &[(&str, &str)]) -> String {
    let id = if id.is_empty() { String::new() } else { format!("<Id>{id}</Id>") };
    let events: String = events.iter().map(|event| format!("<Event>{event}</Event>")).collect();
    let rule = |(name, value): &(&str, &str)| {
        format!("<FilterRule><Name>{name}</Name><Value>{value}</Value></FilterRule>")
    };
    let filter = match filter {
        [] => String::new(),
        filter => {
            let rules: String = filter.iter().map(rule).collect();
            format!("<Filter><S3Key>{rules}</S3Key></Filter>")
        }
    };
    format!("<QueueConfiguration>{id}<Queue>{arn}</Queue>{events}{filter}</QueueConfiguration>")
}

fn document(inside: &str) -> String {
    format!("<NotificationConfiguration>{inside}</NotificationConfiguration>")
}

async fn set(house: &House, inside: &str) {
    house.put("/bucket?notification").body(document(inside)).await.is(200);
}

/// What is told of `bucket` since the last time this was asked: the event's last words, and the object.
async fn told(house: &House) -> Vec<String> {
    let notices = house.metadata().notices(1_000).await.expect("the database answers");
    let line = |notice: &metadata::Notice| {
        let (_, event) = notice.event.split_once(':').expect("a kind of event");
        format!("{event} {}", notice.name)
    };
    let lines = notices.iter().map(line).collect();
    let done = notices.into_iter().map(|notice| (notice, Vec::new())).collect();
    house.metadata().address(done).await.expect("nobody else does");
    lines
}

async fn a_configuration_is_kept_as_it_was_written(house: &mut House) {
    let none = house.get("/bucket?notification").await.is(200);
    assert!(
        none.text().contains("<NotificationConfiguration") && !none.text().contains("Queue"),
        "{}",
        none.text()
    );
    let filter = [("prefix", "in/"), ("Suffix", ".png")];
    let topic = "<TopicConfiguration><Id>t</Id><Topic>arn:barrow:sns:eu-west-1:other:webhook</Topic>\
                 <Event>barrow:Purged</Event></TopicConfiguration>";
    let function = "<CloudFunctionConfiguration><CloudFunction>arn:barrow:lambda::hook:webhook</CloudFunction>\
                    <Event>s3:LifecycleExpiration:*</Event></CloudFunctionConfiguration>";
    let queue = queue("q", ARN, &["s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"], &filter);
    set(house, &format!("{topic}{queue}{function}")).await;
    let told = house.get("/bucket?notification").await.is(200);
    assert_eq!(told.all("Queue"), [ARN]);
    assert_eq!(told.all("Topic"), ["arn:barrow:sns:eu-west-1:other:webhook"]);
    assert_eq!(told.all("CloudFunction"), ["arn:barrow:lambda::hook:webhook"]);
    let mut events = told.all("Event");
    events.sort();
    assert_eq!(
        events,
        ["barrow:Purged", "s3:LifecycleExpiration:*", "s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"]
    );
    assert_eq!(
        (told.all("Name"), told.all("Value")),
        (vec!["Prefix".to_owned(), "Suffix".to_owned()], vec!["in/".to_owned(), ".png".to_owned()])
    );
    let ids = told.all("Id");
    assert!(ids.len() == 3 && ids.iter().all(|id| !id.is_empty()), "{ids:?}");
    house.restart().await;
    assert_eq!(house.get("/bucket?notification").await.is(200).text(), told.text());
    set(house, "").await;
    assert_eq!(house.get("/bucket?notification").await.is(200).text(), none.text());
    house.put("/bucket/key").body("bytes").await.is(200);
    assert_eq!(self::told(house).await, [""; 0]);
}

async fn a_configuration_that_cannot_be_met_is_refused(house: &mut House) {
    set(house, &queue("kept", ARN, &["s3:ObjectCreated:*"], &[])).await;
    let created = &["s3:ObjectCreated:*"][..];
    let one = |id: &str, filter: &[(&str, &str)]| queue(id, ARN, created, filter);
    for (inside, status, code) in [
        (queue("", "arn:barrow:sqs::none:webhook", created, &[]), 400, "InvalidArgument"),
        (queue("", "arn:aws:sqs:us-east-1:123456789012:queue", created, &[]), 400, "InvalidArgument"),
        (queue("", "hook", created, &[]), 400, "InvalidArgument"),
        (queue("", ARN, &["s3:Nothing"], &[]), 400, "InvalidArgument"),
        (queue("", ARN, &["s3:ObjectRestore:*"], &[]), 501, "NotImplemented"),
        (queue("", ARN, &["s3:ObjectTagging:*"], &[]), 501, "NotImplemented"),
        (queue("", ARN, &[], &[]), 400, "MalformedXML"),
        (one(&"x".repeat(256), &[]), 400, "InvalidArgument"),
        (one("a", &[("infix", "b")]), 400, "InvalidArgument"),
        (one("a", &[("prefix", "b"), ("prefix", "c")]), 400, "InvalidArgument"),
        (one("a", &[("prefix", &"x".repeat(1_025))]), 400, "InvalidArgument"),
        (one("a", &[("prefix", "a/")]) + &one("b", &[("prefix", "a/b/")]), 400, "InvalidArgument"),
        (one("a", &[("prefix", "a/")]) + &one("a", &[("prefix", "b/")]), 400, "InvalidArgument"),
        ("<EventBridgeConfiguration></EventBridgeConfiguration>".to_owned(), 501, "NotImplemented"),
        ("<QueueConfiguration><Queu>x</Queu></QueueConfiguration>".to_owned(), 400, "MalformedXML"),
    ] {
        house.refuses(house.put("/bucket?notification").body(document(&inside)).ready(), status, code).await;
    }
    assert_eq!(house.get("/bucket?notification").await.is(200).all("Id"), ["kept"], "nothing has changed");
    house.put("/none?notification").body(document("")).await.refused(404, "NoSuchBucket");
}

async fn each_call_is_told_as_what_it_did(house: &mut House) {
    set(house, &queue("", ARN, &["s3:ObjectCreated:*"], &[])).await;
    house.put("/bucket/a%20b").body("bytes").await.is(200);
    house.put("/bucket/copy").header("x-amz-copy-source", "/bucket/a%20b").await.is(200);
    let same = house.put("/bucket/copy").header("x-amz-copy-source", "/bucket/copy");
    same.header("x-amz-metadata-directive", "REPLACE").header("x-amz-meta-a", "b").await.is(200);
    let mut fields = vec![("key".to_owned(), "form".to_owned())];
    let conditions = r#"{"bucket":"bucket"},["starts-with","$key",""]"#;
    fields.extend(house.signer().form(conditions, std::time::Duration::from_secs(60)));
    house.post("/bucket").form(&fields, b"four").await.is(204);
    let upload = Upload::begin(house, "/bucket/parts").await;
    let part = upload.part(1, "bytes").await;
    assert_eq!(told(house).await.len(), 4, "a part is no object");
    upload.complete(&[(1, &part)]).await.is(200);
    assert_eq!(told(house).await, ["ObjectCreated:CompleteMultipartUpload parts"]);
    house.delete("/bucket/parts").await.is(204);
    delete_objects(house, "bucket", &deletion(&[("copy", None), ("none", None), ("form", None)], false))
        .await
        .is(200);
    let mut gone = told(house).await;
    gone.sort();
    assert_eq!(
        gone,
        ["ObjectRemoved:Delete copy", "ObjectRemoved:Delete form", "ObjectRemoved:Delete parts"]
    );
    versioning(house, "bucket", "Enabled").await;
    house.delete("/bucket/a%20b").await.is(204);
    let marker = house.delete("/bucket/none").await.is(204).need("x-amz-version-id").to_owned();
    house.delete(&format!("/bucket/none?versionId={marker}")).await.is(204);
    assert_eq!(
        told(house).await,
        [
            "ObjectRemoved:DeleteMarkerCreated a b",
            "ObjectRemoved:DeleteMarkerCreated none",
            "ObjectRemoved:Delete none"
        ]
    );
    house.put("/other/key").body("bytes").await.is(200);
    assert_eq!(told(house).await, [""; 0], "nobody listens there");
}

async fn what_happens_behind_the_other_door_is_told_too(house: &mut House) {
    set(house, &queue("", ARN, &["s3:ObjectCreated:*"], &[])).await;
    house.scsp("POST", "/bucket/scsp").body("bytes").await.is(201);
    house.scsp("DELETE", "/bucket/scsp").await.is(200);
    assert_eq!(told(house).await, ["ObjectCreated:Put scsp", "ObjectRemoved:Delete scsp"]);
}

async fn a_call_that_is_refused_is_not_told(house: &mut House) {
    set(house, &queue("", ARN, &["s3:ObjectCreated:*"], &[])).await;
    house.put("/bucket/key").body("bytes").await.is(200);
    told(house).await;
    house
        .put("/bucket/key")
        .header("If-None-Match", "*")
        .body("other")
        .await
        .refused(412, "PreconditionFailed");
    house
        .put("/bucket/key")
        .header("Content-MD5", crate::calls::content_md5("no"))
        .body("yes")
        .await
        .refused(400, "BadDigest");
    house.put("/bucket/key").nobody().body("other").await.refused(403, "AccessDenied");
    house.delete("/bucket/none").await.is(204);
    assert_eq!(told(house).await, [""; 0]);
}
