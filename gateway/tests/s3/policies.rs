//! Bucket policies through the door: what they open, what they shut, and what they cannot.

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
    a_deny_binds_the_owner_and_never_the_policy_itself,
    no_policy_opens_the_policy_itself,
    a_policy_asks_for_conditions,
    a_list_is_of_what_its_prefix_allows,
    who_may_not_list_learns_nothing_of_what_is_missing,
    versions_are_asked_for_by_their_own_actions,
    a_copy_needs_its_source_and_its_target,
    each_key_of_a_list_to_delete_is_judged_by_itself,
    a_key_is_one_key_however_it_is_written,
    a_virtual_host_is_the_same_bucket,
    tags_decide,
    tags_of_a_write_are_allowed_by_themselves,
    whoever_is_not_named_is_shut_out,
    an_upload_in_parts_is_a_write,
    a_form_is_a_write,
    nobody_changes_what_a_bucket_is_set_to,
    a_presigned_address_is_judged_as_its_signer,
    who_may_write_objects_may_not_open_a_bucket,
    a_new_bucket_of_the_name_has_nothing_of_the_old_policy,
    a_policy_holds_at_both_doors,
    an_account_has_its_buckets_at_both_doors,
    an_owner_gives_their_bucket_rules_and_others_do_not,
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

async fn a_deny_binds_the_owner_and_never_the_policy_itself(house: &mut House) {
    let ann = user(house, "ann").await;
    ann.put(house, "/ann").await.is(200);
    ann.put(house, "/ann/a").body("four").await.is(200);
    ann.says(house, "ann", &statement("Deny", "'*'", "'s3:*'", ALL, "")).await;
    for (method, target) in
        [("GET", "/ann/a"), ("PUT", "/ann/a"), ("DELETE", "/ann/a"), ("GET", "/ann"), ("GET", "/ann?acl")]
    {
        ann.ask(house, method, target).await.refused(403, "AccessDenied");
        // Also whoever holds every right there is.
        house.ask(method, target).await.refused(403, "AccessDenied");
    }
    house.get("/ann?policy").await.is(200);
    let reader = house.key_with(&[Right::Read, Right::Write]).await;
    house.get("/ann?policy").key(&reader).await.refused(403, "AccessDenied");
    ann.delete(house, "/ann?policy").await.is(204);
    ann.get(house, "/ann/a").await.is(200).brings("four");
}

/// A policy is its bucket's owner's: one that is too wide must not hand the bucket over.
async fn no_policy_opens_the_policy_itself(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    let all = "['arn:aws:s3:::ann','arn:aws:s3:::ann/*']";
    ann.has(house, "ann", &statement("Allow", "'*'", "'s3:*'", all, "")).await;
    bob.get(house, "/ann?policy").await.refused(405, "MethodNotAllowed");
    bob.put(house, "/ann?policy").body(policy("")).await.refused(405, "MethodNotAllowed");
    bob.delete(house, "/ann?policy").await.refused(405, "MethodNotAllowed");
    nobody(house, "GET", "/ann?policy").await.refused(405, "MethodNotAllowed");
    ann.get(house, "/ann?policy").await.is(200);
    // Nobody is let in without a name to begin an upload or to copy.
    nobody(house, "PUT", "/ann/a").body("four").await.is(200);
    nobody(house, "POST", "/ann/b?uploads").await.refused(403, "AccessDenied");
    copy(nobody(house, "PUT", "/ann/b"), "/ann/a").await.refused(403, "AccessDenied");
}

/// A bucket's owner may want every write to be conditional.
async fn a_policy_asks_for_conditions(house: &mut House) {
    let ann = user(house, "ann").await;
    let said =
        statement("Deny", "'*'", "'s3:PutObject'", ALL, ",'Condition':{'Null':{'s3:if-none-match':'true'}}");
    ann.has(house, "ann", &said).await;
    ann.put(house, "/ann/a").body("one").await.refused(403, "AccessDenied");
    house.scsp_as(&ann.key, "POST", "/ann/a").body("one").await.is(403);
    ann.put(house, "/ann/a").header("if-none-match", "*").body("one").await.is(200);
    ann.put(house, "/ann/a")
        .header("if-none-match", "*")
        .body("two")
        .await
        .refused(412, "PreconditionFailed");
}

async fn a_list_is_of_what_its_prefix_allows(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    let like = ",'Condition':{'StringLike':{'s3:prefix':['open/*','${aws:username}/']},'NumericLessThanEquals':{'s3:max-keys':'10'}}";
    ann.has(
        house,
        "ann",
        &statement("Allow", "'*'", "['s3:ListBucket','s3:ListBucketVersions']", "'arn:aws:s3:::ann'", like),
    )
    .await;
    ann.put(house, "/ann/open/a").body("a").await.is(200);
    ann.put(house, "/ann/shut/b").body("b").await.is(200);
    for target in ["/ann?list-type=2", "/ann?", "/ann?versions&"] {
        let target = format!("{}{}", target, if target.ends_with(['?', '&']) { "" } else { "&" });
        for (rest, is) in [
            ("prefix=open%2F&max-keys=10", true),
            ("prefix=open%2Fa&max-keys=1", true),
            ("%70refix=open/&max-keys=1", true),
            ("prefix=open/&max-keys=11", false),
            ("prefix=open/", false),
            ("prefix=ope&max-keys=1", false),
            ("prefix=&max-keys=1", false),
            ("max-keys=1", false),
            ("prefix=shut/&max-keys=1", false),
            ("Prefix=open/&max-keys=1", false),
            ("prefix=open%252F&max-keys=1", false),
        ] {
            let answer = bob.get(house, &format!("{target}{rest}")).await;
            match is {
                true => assert!(!answer.is(200).text().contains("shut"), "{target}{rest}"),
                false => drop(answer.refused(403, "AccessDenied")),
            }
        }
    }
    bob.get(house, &format!("/ann?list-type=2&max-keys=1&prefix={}/", bob.key.id)).await.is(200);
    bob.get(house, "/ann?list-type=2&max-keys=1&prefix=open/&prefix=shut/")
        .await
        .refused(400, "InvalidArgument");
    ann.get(house, "/ann?list-type=2").await.is(200);
}

async fn who_may_not_list_learns_nothing_of_what_is_missing(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    let read =
        statement("Allow", "'*'", "['s3:GetObject','s3:GetObjectVersion','s3:GetObjectTagging']", ALL, "");
    ann.has(house, "ann", &read).await;
    let missing = async |house: &House, status: u16, code: &str| {
        bob.get(house, "/ann/missing").await.refused(status, code);
        bob.get(house, "/ann/missing?tagging").await.refused(status, code);
        nobody(house, "GET", "/ann/missing").await.refused(status, code);
        nobody(house, "HEAD", "/ann/missing").await.is(status);
    };
    missing(house, 403, "AccessDenied").await;
    ann.get(house, "/ann/missing").await.refused(404, "NoSuchKey");
    let list = statement("Allow", "'*'", "'s3:ListBucket'", "'arn:aws:s3:::ann'", "");
    ann.says(house, "ann", &format!("{read},{list}")).await;
    missing(house, 404, "NoSuchKey").await;
    let unread = statement("Deny", "'*'", "'s3:GetObject*'", "'arn:aws:s3:::ann/miss*'", "");
    ann.says(house, "ann", &format!("{read},{list},{unread}")).await;
    missing(house, 403, "AccessDenied").await;
    // The same of a delete marker.
    ann.says(house, "ann", &read).await;
    versioning(house, "ann", "Enabled").await;
    ann.put(house, "/ann/missing").body("x").await.is(200);
    ann.delete(house, "/ann/missing").await.is(204);
    let hidden = nobody(house, "GET", "/ann/missing").await.refused(403, "AccessDenied");
    assert_eq!(hidden.header("x-amz-delete-marker"), None);
    // Of buckets that are not there nobody learns anything.
    nobody(house, "GET", "/nowhere/a").await.refused(403, "AccessDenied");
}

async fn versions_are_asked_for_by_their_own_actions(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    ann.put(house, "/ann").await.is(200);
    versioning(house, "ann", "Enabled").await;
    let id = ann.put(house, "/ann/a").body("one").await.is(200).need("x-amz-version-id").to_owned();
    ann.put(house, "/ann/a").body("two").await.is(200);
    let old = format!("/ann/a?versionId={id}");
    ann.says(
        house,
        "ann",
        &statement("Allow", "'*'", "['s3:GetObject','s3:DeleteObject','s3:ListBucket']", ALL, ""),
    )
    .await;
    bob.get(house, "/ann/a").await.is(200).brings("two");
    bob.get(house, &old).await.refused(403, "AccessDenied");
    bob.delete(house, &old).await.refused(403, "AccessDenied");
    for written in ["%76%65rsionId", "version%49d", "%76%65%72%73%69%6f%6e%49%64"] {
        let old = old.replace("versionId", written);
        bob.get(house, &old).await.refused(403, "AccessDenied");
        bob.delete(house, &old).await.refused(403, "AccessDenied");
    }
    ann.get(house, &old).await.is(200).brings("one");
    bob.get(house, "/ann?versions").await.refused(403, "AccessDenied");
    bob.get(house, "/ann?list-type=2").await.is(200);
    ann.says(
        house,
        "ann",
        &statement(
            "Allow",
            "'*'",
            "['s3:GetObjectVersion','s3:DeleteObjectVersion','s3:ListBucketVersions']",
            ALL,
            "",
        ),
    )
    .await;
    bob.get(house, "/ann/a").await.refused(403, "AccessDenied");
    bob.get(house, &old).await.is(200).brings("one");
    bob.get(house, "/ann?versions").await.is(200);
    bob.get(house, "/ann?list-type=2").await.refused(403, "AccessDenied");
    bob.delete(house, "/ann/a").await.refused(403, "AccessDenied");
    bob.delete(house, &old).await.is(204);
    ann.get(house, &old).await.refused(404, "NoSuchVersion");
    ann.get(house, "/ann/a").await.is(200).brings("two");
    let one = format!(
        "{},{}",
        statement("Allow", "'*'", "'s3:*'", ALL, ""),
        statement(
            "Deny",
            "'*'",
            "'s3:GetObjectVersion'",
            ALL,
            &format!(",'Condition':{{'StringNotEquals':{{'s3:VersionId':'{id}'}}}}")
        )
    );
    ann.says(house, "ann", &one).await;
    bob.get(house, "/ann/a?versionId=null").await.refused(403, "AccessDenied");
}

async fn a_copy_needs_its_source_and_its_target(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    ann.put(house, "/ann").await.is(200);
    for key in ["open/a", "shut/a"] {
        ann.put(house, &format!("/ann/{key}")).header("x-amz-tagging", "k=v").body(key).await.is(200);
    }
    bob.put(house, "/bob").await.is(200);
    let take = async |house: &House, source: &str| copy(bob.put(house, "/bob/taken"), source).await;
    take(house, "/ann/open/a").await.refused(403, "AccessDenied");
    let open =
        statement("Allow", "'*'", "['s3:GetObject','s3:GetObjectTagging']", "'arn:aws:s3:::ann/open/*'", "");
    ann.says(house, "ann", &open).await;
    take(house, "/ann/open/a").await.is(200);
    bob.get(house, "/bob/taken").await.is(200).brings("open/a");
    for source in [
        "/ann/shut/a",
        "ann/shut/a",
        "/ann/%73hut/a",
        "/ann/shut%2Fa",
        "/ann/open/../shut/a",
        "/ann/open%2F..%2Fshut/a",
        "/ann/missing",
    ] {
        take(house, source).await.refused(403, "AccessDenied");
    }
    // The target is judged as well, by what is copied.
    let into = format!(
        "{},{}",
        statement("Allow", "'*'", "'s3:PutObject'", "'arn:aws:s3:::ann/*'", ""),
        statement(
            "Deny",
            "'*'",
            "'s3:PutObject'",
            "'arn:aws:s3:::ann/*'",
            ",'Condition':{'StringLike':{'s3:x-amz-copy-source':'bob/secret/*'}}"
        )
    );
    ann.says(house, "ann", &into).await;
    for key in ["fine", "secret/x"] {
        bob.put(house, &format!("/bob/{key}")).body(key).await.is(200);
    }
    copy(bob.put(house, "/ann/into"), "/bob/fine").await.is(200);
    for source in ["/bob/secret/x", "bob/secret/x", "/bob/%73ecret%2Fx"] {
        copy(bob.put(house, "/ann/into2"), source).await.refused(403, "AccessDenied");
    }
    ann.get(house, "/ann/into2").await.refused(404, "NoSuchKey");
    // Parts that are copied are no other way in.
    ann.says(house, "ann", &open).await;
    let begun = bob.ask(house, "POST", "/bob/parts?uploads").await.is(200);
    let upload = begun.find("UploadId").expect("an upload");
    let part =
        |source: &str| copy(bob.put(house, &format!("/bob/parts?partNumber=1&uploadId={upload}")), source);
    part("/ann/shut/a").await.refused(403, "AccessDenied");
    part("/ann/open/a").await.is(200);
    let deny = statement("Deny", "'*'", "'s3:GetObject'", "'arn:aws:s3:::ann/open/*'", "");
    ann.says(house, "ann", &format!("{open},{deny}")).await;
    take(house, "/ann/open/a").await.refused(403, "AccessDenied");
    copy(ann.put(house, "/ann/own"), "/ann/open/a").await.refused(403, "AccessDenied");
}

async fn each_key_of_a_list_to_delete_is_judged_by_itself(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    ann.has(house, "ann", &statement("Allow", "'*'", "'s3:DeleteObject'", "'arn:aws:s3:::ann/open/*'", ""))
        .await;
    let list = "<Delete><Object><Key>open/a</Key></Object><Object><Key>shut/a</Key></Object>\
                <Object><Key>open/a</Key><VersionId>null</VersionId></Object></Delete>";
    let sealed =
        |ask: crate::client::Ask| ask.header("Content-MD5", crate::calls::content_md5(list)).body(list);
    for ask in [bob.ask(house, "POST", "/ann?delete"), nobody(house, "POST", "/ann?delete")] {
        for key in ["open/a", "shut/a"] {
            ann.put(house, &format!("/ann/{key}")).body("x").await.is(200);
        }
        let answer = sealed(ask).await.is(200);
        let text = answer.text();
        assert_eq!(text.matches("<Deleted>").count(), 1, "{text}");
        assert_eq!(text.matches("AccessDenied").count(), 2, "{text}");
        ann.get(house, "/ann/open/a").await.refused(404, "NoSuchKey");
        ann.get(house, "/ann/shut/a").await.is(200);
    }
    sealed(nobody(house, "POST", "/other?delete")).await.refused(403, "AccessDenied");
    sealed(bob.ask(house, "POST", "/other?delete")).await.refused(403, "AccessDenied");
    nobody(house, "POST", "/ann?delete").body("nonsense").await.is(400);
}

async fn a_key_is_one_key_however_it_is_written(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    let said = format!(
        "{},{}",
        statement("Allow", "'*'", "'s3:GetObject'", "'arn:aws:s3:::ann/*'", ""),
        statement(
            "Deny",
            "'*'",
            "'s3:GetObject'",
            "['arn:aws:s3:::ann/secret/*','arn:aws:s3:::ann/ä b+c']",
            ""
        )
    );
    ann.has(house, "ann", &said).await;
    for key in ["secret/a", "%C3%A4%20b%2Bc", "Secret/a", "open/secret/a", "/secret/a", "secret"] {
        ann.put(house, &format!("/ann/{key}")).body("x").await.is(200);
    }
    for shut in ["secret/a", "%73ecret/a", "secret%2Fa", "%73%65cret%2fa", "%C3%A4%20b%2Bc", "%c3%a4%20b+c"] {
        bob.get(house, &format!("/ann/{shut}")).await.refused(403, "AccessDenied");
        nobody(house, "GET", &format!("/ann/{shut}")).await.refused(403, "AccessDenied");
    }
    for open in ["Secret/a", "open/secret/a", "/secret/a", "secret"] {
        bob.get(house, &format!("/ann/{open}")).await.is(200);
    }
    for none in ["./secret/a", "secret//a", "open/../secret/a", "secret%252Fa"] {
        // Nothing is made another path of; what is not there is not there.
        bob.get(house, &format!("/ann/{none}")).await.refused(403, "AccessDenied");
        ann.get(house, &format!("/ann/{none}")).await.is(if none == "secret//a" { 403 } else { 404 });
    }
}

async fn a_virtual_host_is_the_same_bucket(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    ann.has(house, "ann", &statement("Allow", "'*'", "'s3:GetObject'", "'arn:aws:s3:::ann/open'", "")).await;
    ann.put(house, "/ann/open").body("open").await.is(200);
    ann.put(house, "/ann/shut").body("shut").await.is(200);
    ann.put(house, "/ann/ann/open").body("deep").await.is(200);
    for host in ["ann.s3.example", "ANN.s3.example", "ann.s3.example.", "ann.s3.example:80"] {
        bob.get(house, "/open").host(host).await.is(200).brings("open");
        nobody(house, "GET", "/open").host(host).await.is(200).brings("open");
        nobody(house, "GET", "/shut").host(host).await.refused(403, "AccessDenied");
        // The path is a key there, and names no bucket.
        nobody(house, "GET", "/ann/open").host(host).await.refused(403, "AccessDenied");
        nobody(house, "GET", "/other/witness").host(host).await.refused(403, "AccessDenied");
    }
    nobody(house, "GET", "/ann/open").host("other.s3.example").await.refused(403, "AccessDenied");
    nobody(house, "GET", "/ann/open").host("s3.example").await.is(200).brings("open");
}

async fn tags_decide(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    let said = format!(
        "{},{}",
        statement(
            "Allow",
            "'*'",
            "['s3:GetObject','s3:GetObjectTagging','s3:PutObjectTagging']",
            "'arn:aws:s3:::ann/*'",
            ",'Condition':{'StringEquals':{'s3:ExistingObjectTag/open':'yes'}}"
        ),
        statement(
            "Allow",
            "'*'",
            "['s3:PutObject','s3:PutObjectTagging']",
            "'arn:aws:s3:::ann/*'",
            ",'Condition':{'StringEquals':{'s3:RequestObjectTag/from':'bob'},'ForAllValues:StringEquals':{'s3:RequestObjectTagKeys':['from','x']}}"
        )
    );
    ann.has(house, "ann", &said).await;
    ann.put(house, "/ann/open").header("x-amz-tagging", "open=yes").body("x").await.is(200);
    ann.put(house, "/ann/shut").header("x-amz-tagging", "open=no").body("x").await.is(200);
    for (key, status) in [("open", 200), ("shut", 403)] {
        bob.get(house, &format!("/ann/{key}")).await.is(status);
        bob.get(house, &format!("/ann/{key}?tagging")).await.is(status);
        nobody(house, "HEAD", &format!("/ann/{key}")).await.is(status);
    }
    for (tags, status) in [
        ("from=bob", 200),
        ("from=bob&x=1", 200),
        ("from=bob&y=1", 403),
        ("from=ann", 403),
        ("From=bob", 403),
        ("%66rom=bob", 200),
    ] {
        bob.put(house, "/ann/new").header("x-amz-tagging", tags).body("x").await.is(status);
    }
    bob.put(house, "/ann/new").body("x").await.refused(403, "AccessDenied");
    let bare = "<Tagging><TagSet></TagSet></Tagging>";
    let seal = crate::calls::content_md5(bare);
    bob.put(house, "/ann/shut?tagging")
        .header("Content-MD5", seal.clone())
        .body(bare)
        .await
        .refused(403, "AccessDenied");
    bob.put(house, "/ann/open?tagging").header("Content-MD5", seal).body(bare).await.is(200);
    bob.get(house, "/ann/open").await.refused(403, "AccessDenied");
}

/// Rules and policies hang on tags: who may write objects may not give them any for that.
async fn tags_of_a_write_are_allowed_by_themselves(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    let allow = |actions: &str| statement("Allow", "'*'", actions, ALL, "");
    ann.has(house, "ann", &allow("['s3:GetObject','s3:PutObject']")).await;
    ann.put(house, "/ann/tagged").header("x-amz-tagging", "k=v").body("x").await.is(200);
    bob.put(house, "/ann/plain").body("x").await.is(200);
    let writes = |tagging: bool| {
        let tagged = |ask: Ask| if tagging { ask.header("x-amz-tagging", "k=v") } else { ask };
        let anew =
            copy(bob.put(house, "/ann/copy"), "/ann/tagged").header("x-amz-tagging-directive", "REPLACE");
        [
            tagged(bob.put(house, "/ann/new").body("x")),
            tagged(bob.ask(house, "POST", "/ann/new?uploads")),
            tagged(anew),
        ]
    };
    for ask in writes(false) {
        ask.await.is(200);
    }
    let along = || copy(bob.put(house, "/ann/copy"), "/ann/tagged");
    for ask in writes(true) {
        ask.await.refused(403, "AccessDenied");
    }
    along().await.refused(403, "AccessDenied");
    ann.says(house, "ann", &allow("['s3:GetObject','s3:PutObject','s3:PutObjectTagging']")).await;
    for ask in writes(true) {
        ask.await.is(200);
    }
    // Taken along, they are read as well.
    along().await.refused(403, "AccessDenied");
    let all = "['s3:GetObject','s3:PutObject','s3:PutObjectTagging','s3:GetObjectTagging']";
    ann.says(house, "ann", &allow(all)).await;
    along().await.is(200);
}

async fn whoever_is_not_named_is_shut_out(house: &mut House) {
    let (ann, bob, cid) = (user(house, "ann").await, user(house, "bob").await, user(house, "cid").await);
    let said = format!(
        "{},{{'Effect':'Deny','NotPrincipal':{{'AWS':['{}','{}']}},'Action':'s3:*','Resource':{ALL}}}",
        statement("Allow", "'*'", "'s3:GetObject'", ALL, ""),
        ann.id,
        bob.id
    );
    ann.has(house, "ann", &said).await;
    ann.put(house, "/ann/a").body("four").await.is(200);
    bob.get(house, "/ann/a").await.is(200).brings("four");
    cid.get(house, "/ann/a").await.refused(403, "AccessDenied");
    nobody(house, "GET", "/ann/a").await.refused(403, "AccessDenied");
    house.get("/ann/a").await.refused(403, "AccessDenied");
}

async fn an_upload_in_parts_is_a_write(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    ann.has(house, "ann", &statement("Allow", "'*'", "'s3:PutObject'", "'arn:aws:s3:::ann/open/*'", ""))
        .await;
    bob.ask(house, "POST", "/ann/shut/a?uploads").await.refused(403, "AccessDenied");
    let upload = bob.ask(house, "POST", "/ann/open/a?uploads").await.is(200).find("UploadId").expect("an id");
    let part = format!("/ann/open/a?partNumber=1&uploadId={upload}");
    let tag = bob.put(house, &part).body("part").await.is(200).need("etag").to_owned();
    bob.put(house, &part.replace("open", "shut")).body("part").await.refused(403, "AccessDenied");
    bob.get(house, &format!("/ann/open/a?uploadId={upload}")).await.refused(403, "AccessDenied");
    bob.delete(house, &format!("/ann/open/a?uploadId={upload}")).await.refused(403, "AccessDenied");
    bob.get(house, "/ann?uploads").await.refused(403, "AccessDenied");
    let parts = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
    );
    bob.ask(house, "POST", &format!("/ann/open/a?uploadId={upload}")).body(parts).await.is(200);
    // It is whose who wrote it.
    bob.get(house, "/ann/open/a").await.is(200).brings("part");
    ann.get(house, "/ann/open/a").await.refused(403, "AccessDenied");
}

async fn a_form_is_a_write(house: &mut House) {
    let ann = user(house, "ann").await;
    ann.has(house, "ann", &statement("Allow", "'*'", "'s3:PutObject'", "'arn:aws:s3:::ann/open/*'", ""))
        .await;
    let post = |key: &str| house.post("/ann").form(&[("key".to_owned(), key.to_owned())], b"four");
    post("open/a").await.is(204);
    post("shut/a").await.refused(403, "AccessDenied");
    post("/open/a").await.refused(403, "AccessDenied");
    ann.get(house, "/ann/open/a").await.is(200).brings("four");
    ann.get(house, "/ann/shut/a").await.refused(404, "NoSuchKey");
    house
        .post("/other")
        .form(&[("key".to_owned(), "open/a".to_owned())], b"four")
        .await
        .refused(403, "AccessDenied");
    house
        .post("/nowhere")
        .form(&[("key".to_owned(), "open/a".to_owned())], b"four")
        .await
        .refused(403, "AccessDenied");
}

async fn nobody_changes_what_a_bucket_is_set_to(house: &mut House) {
    let ann = user(house, "ann").await;
    let said = statement("Allow", "'*'", "'s3:*'", ALL, "");
    ann.has(house, "ann", &said).await;
    for (method, target) in [
        ("PUT", "/ann?acl"),
        ("PUT", "/ann?publicAccessBlock"),
        ("DELETE", "/ann?publicAccessBlock"),
        ("PUT", "/ann?ownershipControls"),
        ("PUT", "/ann?versioning"),
        ("PUT", "/ann?tagging"),
        ("DELETE", "/ann?tagging"),
        ("DELETE", "/ann"),
        ("PUT", "/new-bucket"),
        ("GET", "/"),
    ] {
        nobody(house, method, target).await.refused(403, "AccessDenied");
    }
    assert_eq!(ann.get(house, "/ann?policy").await.is(200).text(), policy(&said));
    // Whoever may do everything without credentials anyway still heeds what is denied.
    house.let_in(Anonymous::Full).await;
    nobody(house, "GET", "/other/witness").await.is(200).brings(WITNESS);
    ann.says(house, "ann", &statement("Deny", "'*'", "'s3:GetObject'", ALL, "")).await;
    nobody(house, "GET", "/ann/a").await.refused(403, "AccessDenied");
}

async fn a_presigned_address_is_judged_as_its_signer(house: &mut House) {
    const HOUR: Duration = Duration::from_secs(3_600);
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    let only = statement(
        "Allow",
        &format!("{{'AWS':'{}'}}", bob.name),
        "'s3:GetObject'",
        ALL,
        ",'Condition':{'StringEquals':{'s3:authType':'REST-QUERY-STRING'}}",
    );
    ann.has(house, "ann", &only).await;
    ann.put(house, "/ann/a").body("four").await.is(200);
    bob.get(house, "/ann/a").presigned(HOUR).await.is(200).brings("four");
    bob.get(house, "/ann/a").await.refused(403, "AccessDenied");
    let address = ann.get(house, "/ann/a").presigned(HOUR).ready();
    address.clone().send().await.is(200).brings("four");
    ann.says(house, "ann", &statement("Deny", "'*'", "'s3:GetObject'", ALL, "")).await;
    address.send().await.refused(403, "AccessDenied");
}

async fn who_may_write_objects_may_not_open_a_bucket(house: &mut House) {
    let writer = house.key_with(&[Right::Read, Right::Write, Right::Delete]).await;
    let open = policy(&statement("Allow", "'*'", "'s3:GetObject'", "'arn:aws:s3:::other/*'", ""));
    house.put("/other?policy").key(&writer).body(open.clone()).await.refused(403, "AccessDenied");
    house
        .put("/other?acl")
        .key(&writer)
        .header("x-amz-acl", "public-read")
        .await
        .refused(403, "AccessDenied");
    house
        .put("/other/witness?acl")
        .key(&writer)
        .header("x-amz-acl", "public-read")
        .await
        .refused(403, "AccessDenied");
    nobody(house, "GET", "/other/witness").await.refused(403, "AccessDenied");
    // What it makes is its own.
    house.put("/made").key(&writer).await.is(200);
    house.put("/made?policy").key(&writer).body(open.replace("other", "made")).await.is(204);
    house.put("/made/a").key(&writer).body("x").await.is(200);
    nobody(house, "GET", "/made/a").await.is(200);
    house.put("/other?policy").body(open).await.is(204);
    nobody(house, "GET", "/other/witness").await.is(200).brings(WITNESS);
}

async fn a_new_bucket_of_the_name_has_nothing_of_the_old_policy(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    ann.has(house, "ann", &statement("Allow", "'*'", "['s3:GetObject','s3:PutObject']", ALL, "")).await;
    bob.put(house, "/ann/a").body("x").await.is(200);
    ann.delete(house, "/ann/a").await.is(204);
    ann.delete(house, "/ann").await.is(204);
    // Another bucket of the name has nothing of it.
    let other = user(house, "cid").await;
    other.put(house, "/ann").await.is(200);
    bob.put(house, "/ann/a").body("x").await.refused(403, "AccessDenied");
    other.get(house, "/ann?policy").await.refused(404, "NoSuchBucketPolicy");
}

async fn a_policy_holds_at_both_doors(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    ann.put(house, "/ann").await.is(200);
    for key in ["open/a", "shut/a"] {
        ann.put(house, &format!("/ann/{key}")).body(key).await.is(200);
    }
    for (method, target) in [
        ("GET", "/ann/open/a"),
        ("HEAD", "/ann/open/a"),
        ("POST", "/ann/open/b"),
        ("PUT", "/ann/open/a"),
        ("APPEND", "/ann/open/a"),
        ("COPY", "/ann/open/a"),
        ("DELETE", "/ann/open/a"),
        ("GET", "/ann?format=json"),
        ("HEAD", "/ann"),
        ("DELETE", "/ann?recursive"),
    ] {
        let ask = house.scsp_as(&bob.key, method, target);
        let ask = if method == "APPEND" { ask.body("x") } else { ask };
        ask.await.is(403);
    }
    let open = "'arn:aws:s3:::ann/open/*'";
    let said = statement("Allow", "'*'", "['s3:GetObject','s3:PutObject','s3:DeleteObject']", open, "");
    ann.says(house, "ann", &said).await;
    house.scsp_as(&bob.key, "GET", "/ann/open/a").await.is(200).brings("open/a");
    house.scsp_as(&bob.key, "POST", "/ann/open/b").body("b").await.is(201);
    house.scsp_as(&bob.key, "PUT", "/ann/open/b").body("c").await.is(201);
    house.scsp_as(&bob.key, "APPEND", "/ann/open/b").body("d").await.is(201);
    ann.get(house, "/ann/open/b").await.is(200).brings("cd");
    house.scsp_as(&bob.key, "DELETE", "/ann/open/b").await.is(200);
    for (method, target) in [
        ("GET", "/ann/shut/a"),
        ("GET", "/ann/%73hut/a"),
        ("POST", "/ann/shut/b"),
        ("PUT", "/ann/shut/a"),
        ("APPEND", "/ann/shut/a"),
        ("COPY", "/ann/shut/a"),
        ("COPY", "/ann/shut/a?newname=open/c"),
        ("COPY", "/ann/open/a?newname=shut/c"),
        ("DELETE", "/ann/shut/a"),
        ("GET", "/ann?format=json"),
        ("DELETE", "/ann?recursive"),
    ] {
        let ask = house.scsp_as(&bob.key, method, target);
        let ask = if method == "APPEND" { ask.body("x") } else { ask };
        ask.await.is(403);
    }
    // What is denied is denied to whoever has every right, too.
    let deny = statement("Deny", "'*'", "['s3:GetObject','s3:DeleteObject','s3:ListBucket']", ALL, "");
    ann.says(house, "ann", &format!("{said},{deny}")).await;
    for key in [&house.key, &ann.key, &bob.key] {
        house.scsp_as(key, "GET", "/ann/open/a").await.is(403);
        house.scsp_as(key, "DELETE", "/ann/open/a").await.is(403);
        house.scsp_as(key, "COPY", "/ann/open/a?newname=open/c").await.is(403);
        house.scsp_as(key, "GET", "/ann?format=json").await.is(403);
    }
    ann.delete(house, "/ann?policy").await.is(204);
    ann.get(house, "/ann/open/a").await.is(200).brings("open/a");
    ann.get(house, "/ann/shut/a").await.is(200).brings("shut/a");
}

async fn an_account_has_its_buckets_at_both_doors(house: &mut House) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    let made = house.scsp_as(&ann.key, "POST", "/ann").header("Content-Type", "application/castorcontext");
    made.await.is(201);
    house.scsp_as(&ann.key, "POST", "/ann/a").body("four").await.is(201);
    ann.get(house, "/ann/a").await.is(200).brings("four");
    house.scsp_as(&ann.key, "GET", "/ann/a").await.is(200).brings("four");
    house.scsp_as(&ann.key, "GET", "/ann?format=json").await.is(200);
    // Another account neither changes nor takes it.
    for method in ["POST", "PUT", "COPY"] {
        let other =
            house.scsp_as(&bob.key, method, "/ann").header("Content-Type", "application/castorcontext");
        other.header("X-Acme-Meta-Team", "bob").await.is(403);
    }
    house.scsp_as(&ann.key, "GET", "/other/witness").await.is(403);
    ann.put(house, "/ann/a?acl").header("x-amz-acl", "public-read").await.is(200);
    house.scsp_as(&bob.key, "GET", "/ann/a").await.is(200).brings("four");
    house.scsp_as(&ann.key, "DELETE", "/ann/a").await.is(200);
    house.scsp_as(&ann.key, "DELETE", "/ann?recursive").await.is(200);
}

async fn an_owner_gives_their_bucket_rules_and_others_do_not(house: &mut House) {
    let rules = "<LifecycleConfiguration><Rule><ID>all</ID><Status>Enabled</Status><Filter><Prefix>old/</Prefix></Filter>\
                 <Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>";
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    ann.has(house, "ann", &statement("Allow", "'*'", "'s3:*'", ALL, "")).await;
    let put = |user: &crate::users::User| {
        let ask = user.put(house, "/ann?lifecycle");
        ask.header("Content-MD5", crate::calls::content_md5(rules)).body(rules)
    };
    // A rule deletes, and no policy lets anybody set what deletes for good.
    put(&bob).await.refused(403, "AccessDenied");
    ann.get(house, "/ann?lifecycle").await.refused(404, "NoSuchLifecycleConfiguration");
    put(&ann).await.is(200);
    let lock = bob.put(house, "/ann/locked").header("x-amz-object-lock-legal-hold", "ON").body("x");
    ann.says(house, "ann", &statement("Allow", "'*'", "'s3:PutObject'", ALL, "")).await;
    lock.await.refused(403, "AccessDenied");
}
