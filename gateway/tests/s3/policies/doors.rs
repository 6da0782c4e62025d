//! One policy for S3 and SCSP.

use super::*;

crate::on_both_engines!(a_policy_holds_at_both_doors, an_account_has_its_buckets_at_both_doors,);

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
