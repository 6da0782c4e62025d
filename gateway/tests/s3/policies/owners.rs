//! What stays the owner's, and what an owner may do.

use super::*;

crate::on_both_engines!(
    a_deny_binds_the_owner_and_never_the_policy_itself,
    no_policy_opens_the_policy_itself,
    nobody_changes_what_a_bucket_is_set_to,
    who_may_write_objects_may_not_open_a_bucket,
    an_owner_gives_their_bucket_rules_and_others_do_not,
    whoever_is_not_named_is_shut_out,
    a_new_bucket_of_the_name_has_nothing_of_the_old_policy,
);

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
