//! How requests of every kind are judged: lists, versions, copies, many keys, names, parts, forms, addresses.

use super::*;

crate::on_both_engines!(
    a_list_is_of_what_its_prefix_allows,
    who_may_not_list_learns_nothing_of_what_is_missing,
    versions_are_asked_for_by_their_own_actions,
    a_copy_needs_its_source_and_its_target,
    each_key_of_a_list_to_delete_is_judged_by_itself,
    a_key_is_one_key_however_it_is_written,
    a_virtual_host_is_the_same_bucket,
    an_upload_in_parts_is_a_write,
    a_form_is_a_write,
    a_presigned_address_is_judged_as_its_signer,
    a_policy_asks_for_conditions,
);

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
    // A bucket that is not there, or is there no more, is none to anybody.
    let user = user(house, "carl").await;
    user.put(house, "/gone").await.is(200);
    user.delete(house, "/gone").await.is(204);
    for bucket in ["nowhere", "gone"] {
        for (method, target) in [("GET", "/a"), ("GET", ""), ("PUT", "/a"), ("DELETE", "/a"), ("GET", "?acl")]
        {
            nobody(house, method, &format!("/{bucket}{target}")).await.refused(404, "NoSuchBucket");
        }
    }
    nobody(house, "PUT", "/nowhere").await.refused(403, "AccessDenied");
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
        .refused(404, "NoSuchBucket");
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
