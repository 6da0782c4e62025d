//! Bucket policies through the door: what they open, what they shut, and what they cannot.

mod doors;
mod owners;
mod requests;
mod tags;

use crate::calls::versioning;
use crate::client::Ask;
use crate::house::{House, WITNESS};
use crate::users::{copy, nobody, policy, statement, user, user_with};
use gateway::Anonymous;
use lifecycle::Right;
use std::time::Duration;

crate::on_both_engines!(
    users_are_strangers_until_a_policy_says_otherwise,
    a_policy_is_kept_given_back_and_taken_away,
    what_is_no_policy_is_refused_and_changes_nothing,
    a_key_without_the_right_has_nothing_of_a_policy,
);

const ALL: &str = "['arn:aws:s3:::ann','arn:aws:s3:::ann/*']";

async fn users_are_strangers_until_a_policy_says_otherwise(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    ann.put(house, "/ann").await.is(200);
    ann.put(house, "/ann/a").body("four").await.is(200);
    let strangers = async |house: &House| {
        for (method, target) in [
            ("GET", "/ann/a"),
            ("GET", "/ann/missing"),
            ("GET", "/ann"),
            ("GET", "/ann?versions"),
            ("GET", "/ann?uploads"),
            ("GET", "/ann?policy"),
            ("GET", "/ann?acl"),
            ("GET", "/ann/a?acl"),
            ("GET", "/ann/a?tagging"),
            ("GET", "/ann?location"),
            ("PUT", "/ann/a"),
            ("PUT", "/ann/b"),
            ("DELETE", "/ann/a"),
            ("DELETE", "/ann"),
            ("POST", "/ann/b?uploads"),
            ("PUT", "/ann?policy"),
            ("DELETE", "/ann?policy"),
        ] {
            bob.ask(house, method, target).await.refused(403, "AccessDenied");
            nobody(house, method, target).await.refused(403, "AccessDenied");
        }
        bob.ask(house, "HEAD", "/ann/a").await.is(403);
        bob.ask(house, "HEAD", "/ann").await.is(403);
    };
    strangers(house).await;
    let bobs = format!("{{'AWS':'arn:aws:iam::{}:root'}}", bob.id);
    ann.says(house, "ann", &statement("Allow", &bobs, "'s3:GetObject'", ALL, "")).await;
    bob.get(house, "/ann/a").await.is(200).brings("four");
    bob.ask(house, "HEAD", "/ann/a").await.is(200);
    bob.put(house, "/ann/a").body("five").await.refused(403, "AccessDenied");
    nobody(house, "GET", "/ann/a").await.refused(403, "AccessDenied");
    let by_key = format!("{{'AWS':'arn:aws:iam::{}:user/{}'}}", bob.id, bob.key.id);
    ann.says(house, "ann", &statement("Allow", &by_key, "['s3:PutObject','s3:DeleteObject']", ALL, "")).await;
    bob.get(house, "/ann/a").await.refused(403, "AccessDenied");
    bob.put(house, "/ann/a").body("five").await.is(200);
    // What he writes is his: neither the policy, which speaks for the bucket's owner, nor that one itself may read it.
    ann.get(house, "/ann/a").await.refused(403, "AccessDenied");
    bob.delete(house, "/ann/a").await.is(204);
    ann.says(house, "ann", &statement("Allow", "'*'", "'s3:GetObject'", ALL, "")).await;
    ann.put(house, "/ann/a").body("four").await.is(200);
    nobody(house, "GET", "/ann/a").await.is(200).brings("four");
    nobody(house, "HEAD", "/ann/a").await.is(200);
    bob.get(house, "/ann/a").await.is(200).brings("four");
    ann.delete(house, "/ann?policy").await.is(204);
    strangers(house).await;
    ann.get(house, "/ann/a").await.is(200).brings("four");
    // What is in other buckets was never anybody's business.
    bob.get(house, "/other/witness").await.refused(403, "AccessDenied");
}

async fn a_policy_is_kept_given_back_and_taken_away(house: &mut House) {
    let ann = user(house, "ann").await;
    ann.put(house, "/ann").await.is(200);
    for target in ["/ann?policy", "/ann?policyStatus"] {
        ann.get(house, target).await.refused(404, "NoSuchBucketPolicy");
    }
    ann.delete(house, "/ann?policy").await.is(204);
    let public = |is: &str| format!("<IsPublic>{is}</IsPublic>");
    for (principal, more, is) in [
        ("'*'", "", "true"),
        ("{'AWS':'*'}", ",'Condition':{'IpAddress':{'aws:SourceIp':'127.0.0.0/8'}}", "false"),
        ("'*'", ",'Condition':{'StringLike':{'aws:Referer':'*'}}", "true"),
    ] {
        let said = statement("Allow", principal, "'s3:GetObject'", ALL, more);
        // In whatever way it was written.
        let text = policy(&said).replace(',', " ,\n");
        ann.put(house, "/ann?policy").body(text.clone()).await.is(204);
        let back = ann.get(house, "/ann?policy").await.is(200);
        assert_eq!((back.text(), back.need("content-type")), (text, "application/json"));
        let status = ann.get(house, "/ann?policyStatus").await.is(200).text();
        assert!(status.contains(&public(is)), "{status}");
    }
    ann.delete(house, "/ann?policy").await.is(204);
    ann.get(house, "/ann?policy").await.refused(404, "NoSuchBucketPolicy");
    ann.get(house, "/ann?policy")
        .header("x-amz-expected-bucket-owner", "x")
        .await
        .refused(403, "AccessDenied");
}

async fn what_is_no_policy_is_refused_and_changes_nothing(house: &mut House) {
    let ann = user(house, "ann").await;
    let good = statement("Allow", "'*'", "'s3:GetObject'", ALL, "");
    ann.has(house, "ann", &good).await;
    let twice = policy(&good).replace("\"Effect\":\"Allow\"", "\"Effect\":\"Deny\",\"Effect\":\"Allow\"");
    for (text, code) in [
        (String::new(), "MalformedPolicy"),
        ("x".to_owned(), "MalformedPolicy"),
        ("{".to_owned(), "MalformedPolicy"),
        (policy(""), "MalformedPolicy"),
        (twice, "MalformedPolicy"),
        (policy(&good.replace("ann", "bob")), "MalformedPolicy"),
        (policy(&good.replace("GetObject", "EatObject")), "MalformedPolicy"),
        (policy(&good.replace("'*',", "'everyone',")), "MalformedPolicy"),
        (
            policy(&statement(
                "Allow",
                "'*'",
                "'s3:GetObject'",
                ALL,
                ",'Condition':{'Bool':{'s3:TlsVersion':'true'}}",
            )),
            "NotImplemented",
        ),
        (policy(&good).replace("2012-10-17", "2020-01-01"), "MalformedPolicy"),
        (format!("{}{}", policy(&good), " ".repeat(20 << 10)), "MalformedPolicy"),
    ] {
        let status = if code == "NotImplemented" { 501 } else { 400 };
        ann.put(house, "/ann?policy").body(text).await.refused(status, code);
    }
    assert_eq!(ann.get(house, "/ann?policy").await.is(200).text(), policy(&good));
}

async fn a_key_without_the_right_has_nothing_of_a_policy(house: &mut House) {
    let (ann, reader) = (user(house, "ann").await, user_with(house, "bob", &[Right::Read]).await);
    let none = user_with(house, "cid", &[]).await;
    ann.has(house, "ann", &statement("Allow", "'*'", "'s3:*'", ALL, "")).await;
    ann.put(house, "/ann/a").body("four").await.is(200);
    reader.get(house, "/ann/a").await.is(200).brings("four");
    reader.put(house, "/ann/a").body("five").await.refused(403, "AccessDenied");
    reader.delete(house, "/ann/a").await.refused(403, "AccessDenied");
    reader.delete(house, "/ann").await.refused(403, "AccessDenied");
    none.get(house, "/ann/a").await.refused(403, "AccessDenied");
    // To whoever shows no credentials it is open as it says.
    nobody(house, "PUT", "/ann/b").body("five").await.is(200);
    nobody(house, "DELETE", "/ann/b").await.is(204);
    nobody(house, "DELETE", "/ann").await.refused(403, "AccessDenied");
    ann.get(house, "/ann/a").await.is(200).brings("four");
}
