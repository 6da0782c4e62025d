//! A bucket's lifecycle: what is put is given back and does what it says, and what is none changes nothing.

use crate::calls::{Upload, field, history, rows, tagging, versioning};
use crate::client::{Answer, Ask};
use crate::house::House;
use lifecycle::Right;
use metadata::RestoreWhat;
use std::time::Duration;

crate::on_both_engines!(
    a_configuration_is_put_given_back_and_deleted,
    a_configuration_that_is_none_changes_nothing,
    whoever_writes_and_reads_is_told_when_it_goes,
    what_a_rule_lets_go_is_gone_and_restorable,
    where_versions_are_kept_rules_hide_and_tidy_up,
    uploads_are_given_up_and_their_clients_told,
    a_rule_is_written_by_whoever_may_delete,
    both_doors_say_rules_and_neither_overwrites_the_other,
    what_would_remove_much_is_to_be_confirmed,
);

const DAY: Duration = Duration::from_secs(24 * 3_600);
const EXPIRES: &str = "x-amz-expiration";

fn document(rules: &str) -> String {
    format!(
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</LifecycleConfiguration>"
    )
}

fn rule(id: &str, action: &str) -> String {
    format!("<Rule><ID>{id}</ID><Filter></Filter><Status>Enabled</Status>{action}</Rule>")
}

fn days(days: u32) -> String {
    format!("<Expiration><Days>{days}</Days></Expiration>")
}

fn put(house: &House, rules: &str) -> Ask {
    house.put("/bucket?lifecycle").body(document(rules))
}

async fn told(house: &House) -> Answer {
    house.get("/bucket?lifecycle").await.is(200)
}

async fn a_configuration_is_put_given_back_and_deleted(house: &mut House) {
    house.get("/bucket?lifecycle").await.refused(404, "NoSuchLifecycleConfiguration");
    house.delete("/bucket?lifecycle").await.is(204);
    let rules = "<Rule><ID>old &amp; tagged</ID><Status>Enabled</Status><Filter><And><Prefix>logs/</Prefix>\
        <Tag><Key>team</Key><Value>a b</Value></Tag><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan></And></Filter>\
        <Expiration><Days>30</Days></Expiration>\
        <NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays><NewerNoncurrentVersions>3\
        </NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>\
        <Rule><ID>by date</ID><Prefix>old/</Prefix><Status>Disabled</Status><Expiration><Date>2030-01-01T00:00:00.000Z</Date>\
        </Expiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation>\
        </AbortIncompleteMultipartUpload></Rule>\
        <Rule><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration>\
        <ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>";
    put(house, rules)
        .header("x-amz-transition-default-minimum-object-size", "varies_by_storage_class")
        .await
        .is(200);
    let answer = told(house).await;
    assert_eq!(answer.need("x-amz-transition-default-minimum-object-size"), "varies_by_storage_class");
    let said = rows(&answer, "Rule");
    assert_eq!(said.len(), 3);
    for (at, name, value) in [
        (0, "ID", "old & tagged"),
        (0, "Prefix", "logs/"),
        (0, "Value", "a b"),
        (0, "ObjectSizeGreaterThan", "10"),
        (0, "Days", "30"),
        (0, "NoncurrentDays", "7"),
        (0, "NewerNoncurrentVersions", "3"),
        (1, "Prefix", "old/"),
        (1, "Status", "Disabled"),
        (1, "DaysAfterInitiation", "2"),
        (2, "ExpiredObjectDeleteMarker", "true"),
    ] {
        assert_eq!(field(&said[at], name), value, "{name} of {}", said[at]);
    }
    assert!(said[1].contains("2030-01-01T00:00:00") && !said[1].contains("Filter"), "{}", said[1]);
    assert!(!field(&said[2], "ID").is_empty(), "a name was given to it");
    // What was got can be put again.
    house.put("/bucket?lifecycle").body(answer.text()).await.is(200);
    assert_eq!(rows(&told(house).await, "Rule"), said);
    house.delete("/bucket?lifecycle").await.is(204).brings("");
    house.get("/bucket?lifecycle").await.refused(404, "NoSuchLifecycleConfiguration");
    house.get("/nothing?lifecycle").await.refused(404, "NoSuchBucket");
}

async fn a_configuration_that_is_none_changes_nothing(house: &mut House) {
    put(house, &rule("kept", &days(99))).await.is(200);
    let before = told(house).await.text();
    let scoped =
        |filter: &str| format!("<Rule><Filter>{filter}</Filter><Status>Enabled</Status>{}</Rule>", days(1));
    let tag = "<Tag><Key>a</Key><Value>b</Value></Tag>";
    let abort = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    let many: String = (0..1_001).map(|n| rule(&n.to_string(), &days(1))).collect();
    for (rules, status, code) in [
        (String::new(), 400, "MalformedXML"),
        (many, 400, "MalformedXML"),
        ("<Rule><Status>Enabled</Status></Rule>".to_owned(), 400, "MalformedXML"),
        (format!("<Rule><Filter/><Status>on</Status>{}</Rule>", days(1)), 400, "MalformedXML"),
        (format!("<Rule><Filter/><Prefix/><Status>Enabled</Status>{}</Rule>", days(1)), 400, "MalformedXML"),
        (rule("a", "<Expiraton><Days>1</Days></Expiraton>"), 400, "MalformedXML"),
        (rule("a", "<Expiration><Days>many</Days></Expiration>"), 400, "MalformedXML"),
        (rule("a", "<Expiration><Days>1</Days><Days>2</Days></Expiration>"), 400, "MalformedXML"),
        (rule("a", "<Expiration><Date>tomorrow</Date></Expiration>"), 400, "MalformedXML"),
        (
            rule(
                "a",
                "<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
            ),
            400,
            "MalformedXML",
        ),
        (rule("a", "<![CDATA[x]]>"), 400, "MalformedXML"),
        (scoped(&format!("<Prefix>a</Prefix>{tag}")), 400, "MalformedXML"),
        (scoped("<And><Prefix>a</Prefix></And>"), 400, "MalformedXML"),
        (rule("a", ""), 400, "InvalidRequest"),
        (scoped(&format!("<And>{tag}{tag}</And>")), 400, "InvalidRequest"),
        (
            scoped(
                "<And><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan></And>",
            ),
            400,
            "InvalidRequest",
        ),
        (
            format!("<Rule><Filter>{tag}</Filter><Status>Enabled</Status>{abort}</Rule>"),
            400,
            "InvalidRequest",
        ),
        (rule("a", &days(0)), 400, "InvalidArgument"),
        (rule("a", "<Expiration><Date>2030-01-01T10:00:00Z</Date></Expiration>"), 400, "InvalidArgument"),
        (
            rule(
                "a",
                "<NoncurrentVersionExpiration><NoncurrentDays>0</NoncurrentDays></NoncurrentVersionExpiration>",
            ),
            400,
            "InvalidArgument",
        ),
        (
            rule(
                "a",
                "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>101\
                 </NewerNoncurrentVersions></NoncurrentVersionExpiration>",
            ),
            400,
            "InvalidArgument",
        ),
        (format!("{}{}", rule("a", &days(1)), rule("a", &days(2))), 400, "InvalidArgument"),
        (rule(&"x".repeat(256), &days(1)), 400, "InvalidArgument"),
        (
            rule("a", "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>"),
            501,
            "NotImplemented",
        ),
        (
            rule(
                "a",
                "<NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays><StorageClass>GLACIER</StorageClass>\
                 </NoncurrentVersionTransition>",
            ),
            501,
            "NotImplemented",
        ),
    ] {
        let refused = put(house, &rules).await;
        let shown: String = rules.chars().take(300).collect();
        assert_eq!((refused.status, refused.code().as_str()), (status, code), "{shown}: {}", refused.text());
        if status == 501 {
            assert!(refused.text().contains("Transition"), "{}", refused.text());
        }
    }
    house.put("/bucket?lifecycle").await.is(400);
    put(house, &rule("a", &days(1)))
        .header("x-amz-transition-default-minimum-object-size", "large")
        .await
        .refused(400, "InvalidArgument");
    put(house, &rule("a", &days(1)))
        .header("x-barrow-confirm-removal", "all")
        .await
        .refused(400, "InvalidArgument");
    put(house, &rule("a", &days(1))).nobody().await.refused(403, "AccessDenied");
    assert_eq!(told(house).await.text(), before);
    house.put("/bucket/x").body("x").await.is(200);
    house.process().await;
    house.get("/bucket/x").await.is(200);
}

async fn whoever_writes_and_reads_is_told_when_it_goes(house: &mut House) {
    house.put("/bucket/before").body("x").await.is(200);
    put(house, &rule("a rule/1", &days(3))).await.is(200);
    house.process().await;
    let said = house.head("/bucket/before").await.is(200).need(EXPIRES).to_owned();
    assert!(said.starts_with("expiry-date=\"") && said.contains(" 00:00:00 GMT\""), "{said}");
    assert!(said.ends_with(", rule-id=\"a%20rule%2F1\""), "{said}");
    let stored = house.put("/bucket/x").body("x").await.is(200);
    assert_eq!(stored.need(EXPIRES), said);
    assert_eq!(house.get("/bucket/x").await.is(200).need(EXPIRES), said);
    assert_eq!(house.get("/bucket/x").header("Range", "bytes=0-0").await.is(206).need(EXPIRES), said);
    let copied = house.put("/bucket/y").header("x-amz-copy-source", "/bucket/x").await.is(200);
    assert_eq!(copied.need(EXPIRES), said);
    let upload = Upload::begin(house, "/bucket/parts").await;
    let tag = upload.part(1, "part").await;
    assert_eq!(upload.complete(&[(1, &tag)]).await.is(200).need(EXPIRES), said);
    // Asked again, it is told the same.
    assert_eq!(upload.complete(&[(1, &tag)]).await.is(200).need(EXPIRES), said);
    assert_eq!(house.head("/other/witness").await.is(200).header(EXPIRES), None);
    // Tags decide at once.
    let tagged = "<Rule><ID>tagged</ID><Filter><Tag><Key>a</Key><Value>1</Value></Tag></Filter><Status>Enabled</Status>";
    put(house, &format!("{tagged}{}</Rule>", days(9))).await.is(200);
    house.process().await;
    assert_eq!(house.head("/bucket/x").await.is(200).header(EXPIRES), None);
    house.put("/bucket/x?tagging").body(tagging(&[("a", "1")])).await.is(200);
    assert!(house.head("/bucket/x").await.is(200).need(EXPIRES).ends_with("rule-id=\"tagged\""));
    house.delete("/bucket/x?tagging").await.is(204);
    assert_eq!(house.head("/bucket/x").await.is(200).header(EXPIRES), None);
    let stored = house.put("/bucket/z").header("x-amz-tagging", "a=1").body("z").await.is(200);
    assert!(stored.need(EXPIRES).ends_with("rule-id=\"tagged\""));
}

async fn what_a_rule_lets_go_is_gone_and_restorable(house: &mut House) {
    put(house, &rule("r", &days(1))).await.is(200);
    house.put("/bucket/x").body("x").await.is(200);
    house.put("/bucket/small").body("").await.is(200);
    house.advance(2 * DAY);
    // Before anything has swept it.
    house.get("/bucket/x").await.refused(404, "NoSuchKey");
    house.head("/bucket/x").await.is(404);
    assert!(rows(&house.get("/bucket").await.is(200), "Contents").is_empty());
    house.process().await;
    let what = RestoreWhat::Latest("x".to_owned());
    house.restore_object("bucket", what).await.expect("it is in its grace");
    house.get("/bucket/x").await.is(200).brings("x");
}

async fn where_versions_are_kept_rules_hide_and_tidy_up(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    let rules = format!(
        "{}{}",
        rule("current", &days(1)),
        rule(
            "old",
            "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>"
        )
    );
    put(house, &rules).await.is(200);
    house.put("/bucket/x").body("1").await.is(200);
    house.put("/bucket/x").body("2").await.is(200);
    house.advance(2 * DAY);
    house.process().await;
    let left = history(house, "bucket").await;
    assert_eq!(left.iter().map(|(_, _, marker, _)| *marker).collect::<Vec<_>>(), [false, true], "{left:?}");
    let gone = house.get("/bucket/x").await.refused(404, "NoSuchKey");
    assert_eq!(gone.need("x-amz-delete-marker"), "true");
    // The version that it hides goes as an older one, and the marker when it is alone.
    house.advance(2 * DAY);
    house.process().await;
    house.advance(2 * DAY);
    house.process().await;
    assert_eq!(history(house, "bucket").await, []);
    house.delete("/bucket").await.is(204);
}

async fn uploads_are_given_up_and_their_clients_told(house: &mut House) {
    let own = house.post("/bucket/x?uploads").await.is(200);
    assert_eq!(own.header("x-amz-abort-rule-id"), None);
    let abort = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    put(house, &rule("abort", abort)).await.is(200);
    let begun = house.post("/bucket/x?uploads").await.is(200);
    assert_eq!(begun.need("x-amz-abort-rule-id"), "abort");
    assert!(begun.need("x-amz-abort-date").ends_with(" 00:00:00 GMT"), "{}", begun.need("x-amz-abort-date"));
    house.process().await;
    let id = own.find("UploadId").expect("an id");
    let parts = house.get(&format!("/bucket/x?uploadId={id}")).await.is(200);
    assert_eq!(parts.need("x-amz-abort-rule-id"), "abort", "what was open is planned, too");
    house.advance(3 * DAY);
    house.get(&format!("/bucket/x?uploadId={id}")).await.refused(404, "NoSuchUpload");
    house.process().await;
    assert!(rows(&house.get("/bucket?uploads").await.is(200), "Upload").is_empty());
}

async fn a_rule_is_written_by_whoever_may_delete(house: &mut House) {
    let old = "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    let read = house.key_with(&[Right::Read]).await;
    let write = house.key_with(&[Right::Read, Right::Write]).await;
    let delete = house.key_with(&[Right::Read, Right::Write, Right::Delete]).await;
    put(house, &rule("r", &days(9))).key(&read).await.refused(403, "AccessDenied");
    put(house, &rule("r", &days(9))).key(&write).await.refused(403, "AccessDenied");
    put(house, &rule("r", old)).key(&delete).await.refused(403, "AccessDenied");
    house.get("/bucket?lifecycle").await.refused(404, "NoSuchLifecycleConfiguration");
    put(house, &rule("r", &days(9))).key(&delete).await.is(200);
    house.get("/bucket?lifecycle").key(&read).await.is(200);
    house.delete("/bucket?lifecycle").key(&read).await.refused(403, "AccessDenied");
    house.delete("/bucket?lifecycle").key(&write).await.is(204);
}

async fn both_doors_say_rules_and_neither_overwrites_the_other(house: &mut House) {
    use metadata::{ContainerKind, ContextChange, Policies};
    let id = house.bucket("bucket").await;
    let change = ContextChange {
        headers: r#"[["policy-lifecycle","RuleId:\"scsp\" ExpirationDays:2"]]"#.to_owned(),
        policies: Policies {
            rules: lifecycle::lifecycle_rules::parse(["RuleId:\"scsp\" ExpirationDays:2"]).expect("a rule"),
            ..Policies::default()
        },
        allowed: metadata::Allowed { versioning: true, lifecycle: true },
        actor: "somebody".to_owned(),
        ..ContextChange::default()
    };
    house.metadata().change_context(ContainerKind::Bucket, id, change).await.expect("it is live");
    house.get("/bucket?lifecycle").await.refused(404, "NoSuchLifecycleConfiguration");
    let by = |answer: Answer| answer.need(EXPIRES).to_owned();
    assert!(by(house.put("/bucket/x").body("x").await.is(200)).ends_with("rule-id=\"scsp\""));
    put(house, &rule("s3", &days(9))).await.is(200);
    let answer = told(house).await;
    assert_eq!(rows(&answer, "Rule").len(), 1, "S3 shows what S3 was told");
    assert_eq!(answer.need("x-barrow-policy-lifecycle-rules"), "1", "and that there is more");
    assert!(
        by(house.put("/bucket/x").body("x").await.is(200)).ends_with("rule-id=\"scsp\""),
        "the earlier one"
    );
    house.delete("/bucket?lifecycle").await.is(204);
    assert!(by(house.put("/bucket/x").body("x").await.is(200)).ends_with("rule-id=\"scsp\""));
    // Versioning by S3 writes the headers anew, and loses none of it.
    put(house, &rule("s3", &days(1))).await.is(200);
    versioning(house, "bucket", "Enabled").await;
    assert!(by(house.put("/bucket/x").body("x").await.is(200)).ends_with("rule-id=\"s3\""));
}

async fn what_would_remove_much_is_to_be_confirmed(house: &mut House) {
    house
        .brake(lifecycle::brake::Brake { share: 5, objects: 1_000, min_objects: 3, min_bytes: 1 << 40 })
        .await;
    for name in ["a", "b", "c", "d"] {
        house.put(&format!("/bucket/{name}")).body(vec![b'x'; 1_000]).await.is(200);
    }
    // Nothing goes within a day.
    put(house, &rule("later", &days(30))).await.is(200);
    house.advance(10 * DAY);
    let refused = put(house, &rule("now", &days(1))).await.refused(409, "RemovalNotConfirmed");
    for part in ["4 objects", "barrow lifecycle preview", "x-barrow-confirm-removal: 4"] {
        assert!(refused.text().contains(part), "{part} is missing in {}", refused.text());
    }
    assert_eq!(field(&rows(&told(house).await, "Rule")[0], "ID"), "later", "nothing has changed");
    let confirmed =
        |count: &str| put(house, &rule("now", &days(1))).header("x-barrow-confirm-removal", count.to_owned());
    confirmed("3").await.refused(409, "RemovalNotConfirmed");
    house.process().await;
    house.get("/bucket/a").await.is(200);
    confirmed("4").await.is(200);
    house.process().await;
    house.get("/bucket/a").await.refused(404, "NoSuchKey");
    // What the rules in force let go anyway needs no second confirmation.
    put(house, &rule("now too", &days(1))).await.is(200);
}
