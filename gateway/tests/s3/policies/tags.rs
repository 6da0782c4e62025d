//! Tags in policies: of what is there, and of what is brought.

use super::*;

crate::on_both_engines!(tags_decide, tags_of_a_write_are_allowed_by_themselves,);

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
