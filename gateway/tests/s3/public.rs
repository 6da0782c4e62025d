//! The public access block: what may not be opened to everybody, and what is shut though it was.

use crate::client::Answer;
use crate::house::House;
use crate::users::{User, nobody, policy, statement, user};

crate::on_both_engines!(
    a_block_is_kept_given_back_and_taken_away,
    a_block_takes_no_public_lists,
    a_block_ignores_public_lists,
    a_block_takes_no_public_policy,
    a_block_shuts_public_buckets_to_others,
);

const SWITCHES: [&str; 4] =
    ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

fn block(on: &[&str]) -> String {
    let switches: String =
        SWITCHES.iter().map(|name| format!("<{name}>{}</{name}>", on.contains(name))).collect();
    format!("<PublicAccessBlockConfiguration>{switches}</PublicAccessBlockConfiguration>")
}

fn on(answer: &Answer) -> Vec<&'static str> {
    SWITCHES.into_iter().filter(|name| answer.find(name).as_deref() == Some("true")).collect()
}

async fn set(house: &House, user: &User, switches: &[&str]) {
    user.put(house, "/ann?publicAccessBlock").body(block(switches)).await.is(200);
}

async fn two(house: &House) -> (User, User) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    ann.put(house, "/ann").await.is(200);
    ann.put(house, "/ann/a").body("four").await.is(200);
    (ann, bob)
}

async fn a_block_is_kept_given_back_and_taken_away(house: &mut House) {
    let (ann, bob) = two(house).await;
    let target = "/ann?publicAccessBlock";
    ann.get(house, target).await.refused(404, "NoSuchPublicAccessBlockConfiguration");
    for switches in [&SWITCHES[..], &[], &SWITCHES[1..2], &SWITCHES[2..]] {
        set(house, &ann, switches).await;
        assert_eq!(on(&ann.get(house, target).await.is(200)), switches);
    }
    for bad in [
        "<PublicAccessBlockConfiguration><Block>true</Block></PublicAccessBlockConfiguration>",
        "x",
        "<PublicAccessBlockConfiguration><BlockPublicAcls>yes</BlockPublicAcls></PublicAccessBlockConfiguration>",
    ] {
        ann.put(house, target).body(bad).await.refused(400, "MalformedXML");
    }
    assert_eq!(on(&ann.get(house, target).await.is(200)), SWITCHES[2..]);
    bob.put(house, target).body(block(&[])).await.refused(403, "AccessDenied");
    bob.delete(house, target).await.refused(403, "AccessDenied");
    ann.delete(house, target).await.is(204);
    ann.get(house, target).await.refused(404, "NoSuchPublicAccessBlockConfiguration");
}

async fn a_block_takes_no_public_lists(house: &mut House) {
    let (ann, bob) = two(house).await;
    ann.put(house, "/ann/open").header("x-amz-acl", "public-read").body("x").await.is(200);
    set(house, &ann, &["BlockPublicAcls"]).await;
    for name in ["public-read", "public-read-write", "authenticated-read"] {
        ann.put(house, "/ann?acl").header("x-amz-acl", name).await.refused(403, "AccessDenied");
        ann.put(house, "/ann/a?acl").header("x-amz-acl", name).await.refused(403, "AccessDenied");
        ann.put(house, "/ann/b").header("x-amz-acl", name).body("x").await.refused(403, "AccessDenied");
        ann.ask(house, "POST", "/ann/b?uploads").header("x-amz-acl", name).await.refused(403, "AccessDenied");
    }
    ann.get(house, "/ann/b").await.refused(404, "NoSuchKey");
    ann.put(house, "/ann/a?acl").header("x-amz-grant-read", format!("id={}", bob.id)).await.is(200);
    bob.get(house, "/ann/a").await.is(200);
    // What was open before stays.
    nobody(house, "GET", "/ann/open").await.is(200);
}

async fn a_block_ignores_public_lists(house: &mut House) {
    let (ann, bob) = two(house).await;
    ann.put(house, "/ann?acl").header("x-amz-acl", "public-read").await.is(200);
    ann.put(house, "/ann/a?acl").header("x-amz-acl", "public-read").await.is(200);
    ann.put(house, "/ann/b").header("x-amz-grant-read", format!("id={}", bob.id)).body("x").await.is(200);
    set(house, &ann, &["IgnorePublicAcls"]).await;
    for target in ["/ann", "/ann/a"] {
        nobody(house, "GET", target).await.refused(403, "AccessDenied");
        bob.get(house, target).await.refused(403, "AccessDenied");
        ann.get(house, target).await.is(200);
    }
    bob.get(house, "/ann/b").await.is(200);
    // They may be written, and count once they are no longer ignored.
    ann.put(house, "/ann/c").header("x-amz-acl", "public-read").body("x").await.is(200);
    nobody(house, "GET", "/ann/c").await.refused(403, "AccessDenied");
    ann.delete(house, "/ann?publicAccessBlock").await.is(204);
    for target in ["/ann", "/ann/a", "/ann/c"] {
        nobody(house, "GET", target).await.is(200);
    }
}

async fn a_block_takes_no_public_policy(house: &mut House) {
    let (ann, _) = two(house).await;
    set(house, &ann, &["BlockPublicPolicy"]).await;
    let public = policy(&statement("Allow", "'*'", "'s3:GetObject'", "'arn:aws:s3:::ann/*'", ""));
    ann.put(house, "/ann?policy").body(public).await.refused(403, "AccessDenied");
    ann.get(house, "/ann?policy").await.refused(404, "NoSuchBucketPolicy");
    let home = ",'Condition':{'IpAddress':{'aws:SourceIp':'127.0.0.0/8'}}";
    ann.says(house, "ann", &statement("Allow", "'*'", "'s3:GetObject'", "'arn:aws:s3:::ann/*'", home)).await;
    nobody(house, "GET", "/ann/a").await.is(200).brings("four");
    let away = home.replace("127.0.0.0", "10.0.0.0");
    ann.says(house, "ann", &statement("Allow", "'*'", "'s3:GetObject'", "'arn:aws:s3:::ann/*'", &away)).await;
    nobody(house, "GET", "/ann/a").header("X-Forwarded-For", "10.0.0.1").await.refused(403, "AccessDenied");
    ann.says(
        house,
        "ann",
        &statement(
            "Deny",
            "'*'",
            "'s3:GetObject'",
            "'arn:aws:s3:::ann/*'",
            ",'Condition':{'Bool':{'aws:SecureTransport':'false'}}",
        ),
    )
    .await;
    ann.get(house, "/ann/a").header("X-Forwarded-Proto", "https").await.refused(403, "AccessDenied");
}

async fn a_block_shuts_public_buckets_to_others(house: &mut House) {
    let (ann, bob) = two(house).await;
    ann.says(house, "ann", &statement("Allow", "'*'", "'s3:GetObject'", "'arn:aws:s3:::ann/*'", "")).await;
    nobody(house, "GET", "/ann/a").await.is(200);
    set(house, &ann, &["RestrictPublicBuckets"]).await;
    nobody(house, "GET", "/ann/a").await.refused(403, "AccessDenied");
    bob.get(house, "/ann/a").await.refused(403, "AccessDenied");
    ann.get(house, "/ann/a").await.is(200);
    let bobs = format!("{{'AWS':'{}'}}", bob.id);
    ann.says(house, "ann", &statement("Allow", &bobs, "'s3:GetObject'", "'arn:aws:s3:::ann/*'", "")).await;
    bob.get(house, "/ann/a").await.is(200).brings("four");
    nobody(house, "GET", "/ann/a").await.refused(403, "AccessDenied");
}
