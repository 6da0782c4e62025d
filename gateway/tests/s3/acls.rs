//! Access lists through the door: canned, in headers, as XML; of buckets and of objects; and who is whose.

use crate::calls::versioning;
use crate::client::Answer;
use crate::house::{House, WITNESS};
use crate::users::{User, copy, nobody, user, user_with};
use lifecycle::Right;

crate::on_both_engines!(
    what_has_no_list_is_private_to_its_owner,
    a_bucket_is_opened_by_a_canned_list,
    an_object_is_opened_by_a_canned_list,
    a_list_names_accounts,
    a_list_is_given_as_xml,
    a_list_that_is_none_is_refused_and_changes_nothing,
    a_list_comes_with_what_is_written,
    each_version_has_a_list_of_its_own,
    a_key_without_the_right_has_nothing_of_a_list,
    an_object_belongs_to_who_wrote_it,
    the_bucket_may_own_what_is_written_into_it,
    where_lists_mean_nothing_none_is_taken,
    a_bucket_is_made_with_its_list_and_ownership,
    who_may_write_may_not_give_away_what_is_not_theirs,
);

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";

/// What an answer grants: to whom and what, in its order.
fn granted(answer: &Answer) -> Vec<(String, String)> {
    let rows = answer.all("Grant");
    let field = |row: &str, name: &str| {
        let (_, rest) = row.split_once(&format!("<{name}>"))?;
        Some(rest.split_once('<')?.0.to_owned())
    };
    let row = |row: &String| {
        let who = field(row, "ID")
            .or_else(|| field(row, "URI").map(|uri| uri.rsplit('/').next().unwrap_or_default().to_owned()));
        (who.expect("a grantee"), field(row, "Permission").expect("a permission"))
    };
    rows.iter().map(row).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(who, may)| ((*who).to_owned(), (*may).to_owned())).collect()
}

/// An access list as XML: of this owner, with these grants by id.
fn list(owner: &str, grants: &[(&str, &str)]) -> String {
    let grants: String = grants
        .iter()
        .map(|(who, may)| {
            let grantee = match who.contains("://") {
                true => format!("<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\"><URI>{who}</URI></Grantee>"),
                false => format!("<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>{who}</ID></Grantee>"),
            };
            format!("<Grant>{grantee}<Permission>{may}</Permission></Grant>")
        })
        .collect();
    format!(
        "<AccessControlPolicy><Owner><ID>{owner}</ID></Owner><AccessControlList>{grants}</AccessControlList></AccessControlPolicy>"
    )
}

async fn canned(house: &House, user: &User, target: &str, name: &str) {
    user.put(house, &format!("{target}?acl")).header("x-amz-acl", name).await.is(200);
}

async fn two(house: &House) -> (User, User) {
    let (ann, bob) = (user(house, "ann").await, user(house, "bob").await);
    ann.put(house, "/ann").await.is(200);
    ann.put(house, "/ann/a").body("four").await.is(200);
    (ann, bob)
}

async fn what_has_no_list_is_private_to_its_owner(house: &mut House) {
    let (ann, _) = two(house).await;
    for target in ["/ann?acl", "/ann/a?acl"] {
        let answer = ann.get(house, target).await.is(200);
        assert_eq!(granted(&answer), pairs(&[(&ann.id, "FULL_CONTROL")]), "{target}");
        assert!(answer.text().contains("<Owner><DisplayName>"), "{}", answer.text());
        assert!(answer.text().contains("xsi:type=\"CanonicalUser\""), "{}", answer.text());
    }
    ann.get(house, "/ann/missing?acl").await.refused(404, "NoSuchKey");
}

async fn a_bucket_is_opened_by_a_canned_list(house: &mut House) {
    let (ann, bob) = two(house).await;
    for (name, lists, bob_lists, writes) in [
        ("public-read", true, true, false),
        ("public-read-write", true, true, true),
        ("authenticated-read", false, true, false),
        ("log-delivery-write", false, false, false),
        ("bucket-owner-read", false, false, false),
        ("private", false, false, false),
    ] {
        canned(house, &ann, "/ann", name).await;
        let status = |is: bool| if is { 200 } else { 403 };
        for target in ["/ann", "/ann?list-type=2", "/ann?versions", "/ann?uploads"] {
            nobody(house, "GET", target).await.is(status(lists));
            bob.get(house, target).await.is(status(bob_lists));
        }
        nobody(house, "HEAD", "/ann").await.is(status(lists));
        nobody(house, "PUT", "/ann/by-nobody").body("x").await.is(status(writes));
        bob.put(house, "/ann/by-bob").body("x").await.is(status(writes));
        bob.put(house, "/ann/a").body("five").await.is(status(writes));
        bob.delete(house, "/ann/by-nobody").await.is(if writes { 204 } else { 403 });
        // A bucket's list says nothing of what is in it.
        nobody(house, "GET", "/ann/a").await.refused(403, "AccessDenied");
        nobody(house, "GET", "/ann?acl").await.refused(403, "AccessDenied");
        bob.put(house, "/ann?acl").header("x-amz-acl", "private").await.refused(403, "AccessDenied");
        nobody(house, "GET", "/ann/missing").await.is(if lists { 404 } else { 403 });
    }
    let answer = ann.get(house, "/ann?acl").await.is(200);
    assert_eq!(granted(&answer), pairs(&[(&ann.id, "FULL_CONTROL")]));
}

async fn an_object_is_opened_by_a_canned_list(house: &mut House) {
    let (ann, bob) = two(house).await;
    for (name, anyone, bobs) in [
        ("public-read", true, true),
        ("public-read-write", true, true),
        ("authenticated-read", false, true),
        ("bucket-owner-read", false, false),
        ("bucket-owner-full-control", false, false),
        ("aws-exec-read", false, false),
        ("private", false, false),
    ] {
        canned(house, &ann, "/ann/a", name).await;
        let status = |is: bool| if is { 200 } else { 403 };
        nobody(house, "GET", "/ann/a").await.is(status(anyone));
        nobody(house, "HEAD", "/ann/a").await.is(status(anyone));
        bob.get(house, "/ann/a").await.is(status(bobs));
        nobody(house, "GET", "/ann/a?acl").await.refused(403, "AccessDenied");
        bob.put(house, "/ann/a").body("five").await.refused(403, "AccessDenied");
        nobody(house, "DELETE", "/ann/a").await.refused(403, "AccessDenied");
        nobody(house, "GET", "/ann").await.refused(403, "AccessDenied");
    }
    canned(house, &ann, "/ann/a", "public-read").await;
    let answer = ann.get(house, "/ann/a?acl").await.is(200);
    assert_eq!(granted(&answer), pairs(&[("AllUsers", "READ"), (&ann.id, "FULL_CONTROL")]));
    // What is written over it has a list of its own.
    ann.put(house, "/ann/a").body("five").await.is(200);
    nobody(house, "GET", "/ann/a").await.refused(403, "AccessDenied");
}

async fn a_list_names_accounts(house: &mut House) {
    let (ann, bob) = two(house).await;
    let cid = user(house, "cid").await;
    let grant = async |target: &str, name: &str, value: String| {
        ann.put(house, &format!("{target}?acl")).header(name, value).await.is(200);
    };
    for value in [
        format!("id=\"{}\"", bob.id),
        format!("emailAddress=\"{}@example.com\"", bob.name),
        format!("id={}, id=\"{}\"", ann.id, bob.id),
    ] {
        grant("/ann/a", "x-amz-grant-read", value).await;
        bob.get(house, "/ann/a").await.is(200).brings("four");
        bob.get(house, "/ann/a?acl").await.refused(403, "AccessDenied");
        cid.get(house, "/ann/a").await.refused(403, "AccessDenied");
        nobody(house, "GET", "/ann/a").await.refused(403, "AccessDenied");
        canned(house, &ann, "/ann/a", "private").await;
    }
    grant("/ann/a", "x-amz-grant-read-acp", format!("id={}", bob.id)).await;
    bob.get(house, "/ann/a?acl").await.is(200);
    bob.get(house, "/ann/a").await.refused(403, "AccessDenied");
    grant("/ann/a", "x-amz-grant-write-acp", format!("id={}", bob.id)).await;
    bob.get(house, "/ann/a?acl").await.refused(403, "AccessDenied");
    bob.put(house, "/ann/a?acl").header("x-amz-grant-full-control", format!("id={}", bob.id)).await.is(200);
    bob.get(house, "/ann/a").await.is(200);
    bob.get(house, "/ann/a?acl").await.is(200);
    // Its owner can always see and change it, whatever it says.
    canned(house, &ann, "/ann/a", "private").await;
    grant("/ann", "x-amz-grant-write", format!("id={}", bob.id)).await;
    bob.put(house, "/ann/b").body("x").await.is(200);
    bob.get(house, "/ann").await.refused(403, "AccessDenied");
    cid.put(house, "/ann/c").body("x").await.refused(403, "AccessDenied");
    grant("/ann", "x-amz-grant-full-control", format!("id={}", bob.id)).await;
    bob.get(house, "/ann").await.is(200);
    bob.put(house, "/ann?acl").header("x-amz-acl", "public-read").await.is(200);
    bob.put(house, "/ann?policy").body("{}").await.refused(403, "AccessDenied");
    bob.delete(house, "/ann").await.refused(403, "AccessDenied");
}

async fn a_list_is_given_as_xml(house: &mut House) {
    let (ann, bob) = two(house).await;
    for target in ["/ann?acl", "/ann/a?acl"] {
        let grants = [(ann.id.as_str(), "FULL_CONTROL"), (bob.id.as_str(), "READ"), (ALL_USERS, "READ_ACP")];
        let text = list(&ann.id, &grants);
        ann.put(house, target).body(text).await.is(200);
        let answer = ann.get(house, target).await.is(200);
        assert_eq!(
            granted(&answer),
            // Groups first, and less before more, however they were sent.
            pairs(&[("AllUsers", "READ_ACP"), (&bob.id, "READ"), (&ann.id, "FULL_CONTROL")])
        );
        assert!(answer.text().contains("<DisplayName>BOB</DisplayName>"), "{}", answer.text());
        // What is told can be sent back as it is.
        ann.put(house, target).body(answer.text()).await.is(200);
        assert_eq!(granted(&ann.get(house, target).await.is(200)), granted(&answer));
        nobody(house, "GET", target).await.is(200);
        bob.get(house, target.trim_end_matches("?acl")).await.is(200);
    }
    let mail = list(&ann.id, &[(&ann.id, "FULL_CONTROL")]).replace("CanonicalUser", "AmazonCustomerByEmail");
    let mail = mail.replace(&format!("<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"AmazonCustomerByEmail\"><ID>{}</ID>", ann.id),
        "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"AmazonCustomerByEmail\"><EmailAddress>bob@example.com</EmailAddress>");
    ann.put(house, "/ann/a?acl").body(mail).await.is(200);
    assert_eq!(granted(&ann.get(house, "/ann/a?acl").await.is(200)), pairs(&[(&bob.id, "FULL_CONTROL")]));
    // An owner without a grant still sees the list.
    ann.put(house, "/ann/a?acl").body(list(&ann.id, &[])).await.is(200);
    assert_eq!(granted(&ann.get(house, "/ann/a?acl").await.is(200)), Vec::new());
}

async fn a_list_that_is_none_is_refused_and_changes_nothing(house: &mut House) {
    let (ann, bob) = two(house).await;
    for target in ["/ann?acl", "/ann/a?acl"] {
        let before = ann.get(house, target).await.is(200).text();
        for (name, value, code) in [
            ("x-amz-acl", "public", "InvalidArgument"),
            ("x-amz-acl", "Public-Read", "InvalidArgument"),
            ("x-amz-grant-read", "bob", "InvalidArgument"),
            ("x-amz-grant-read", "id=nobody-knows", "InvalidArgument"),
            ("x-amz-grant-read", "uri=http://example.com/all", "InvalidArgument"),
            ("x-amz-grant-read", "emailAddress=who@example.com", "UnresolvableGrantByEmailAddress"),
            ("x-amz-grant-all", "id=x", "InvalidArgument"),
        ] {
            ann.put(house, target).header(name, value).await.refused(400, code);
        }
        let both = ann
            .put(house, target)
            .header("x-amz-acl", "private")
            .header("x-amz-grant-read", format!("id={}", bob.id));
        both.await.refused(400, "InvalidRequest");
        ann.put(house, target).await.refused(400, "MissingSecurityHeader");
        let good = list(&ann.id, &[(&bob.id, "READ")]);
        ann.put(house, target)
            .header("x-amz-acl", "private")
            .body(good.clone())
            .await
            .refused(400, "UnexpectedContent");
        let many: Vec<(&str, &str)> = (0..101).map(|_| (bob.id.as_str(), "READ")).collect();
        for (text, status, code) in [
            (list(&bob.id, &[(&bob.id, "READ")]), 403, "AccessDenied"),
            (good.replace("READ", "EAT"), 400, "MalformedACLError"),
            (good.replace("CanonicalUser", "Group"), 400, "MalformedACLError"),
            (good.replace("Permission>", "Permit>"), 400, "MalformedACLError"),
            (good.replace("<Owner>", "<Owners/><Owner>"), 400, "MalformedACLError"),
            (good.replace(&bob.id, "x"), 400, "InvalidArgument"),
            (list(&ann.id, &many), 400, "MalformedACLError"),
            ("<AccessControlPolicy></AccessControlPolicy>".to_owned(), 400, "MalformedACLError"),
            ("nonsense".to_owned(), 400, "MalformedACLError"),
        ] {
            ann.put(house, target).body(text).await.refused(status, code);
        }
        assert_eq!(ann.get(house, target).await.is(200).text(), before);
    }
    ann.put(house, "/ann/missing?acl").header("x-amz-acl", "private").await.refused(404, "NoSuchKey");
    ann.put(house, "/ann/a").header("x-amz-acl", "public").body("x").await.refused(400, "InvalidArgument");
    ann.get(house, "/ann/a").await.is(200).brings("four");
}

async fn a_list_comes_with_what_is_written(house: &mut House) {
    let (ann, bob) = two(house).await;
    let reads = async |house: &House, key: &str, is: bool| {
        nobody(house, "GET", &format!("/ann/{key}")).await.is(if is { 200 } else { 403 });
    };
    ann.put(house, "/ann/put").header("x-amz-acl", "public-read").body("x").await.is(200);
    reads(house, "put", true).await;
    copy(ann.put(house, "/ann/copied"), "/ann/put").await.is(200);
    reads(house, "copied", false).await;
    copy(ann.put(house, "/ann/copied"), "/ann/put").header("x-amz-acl", "public-read").await.is(200);
    reads(house, "copied", true).await;
    let again = copy(ann.put(house, "/ann/put"), "/ann/put").header("x-amz-metadata-directive", "REPLACE");
    again.await.is(200);
    reads(house, "put", false).await;
    let begun = ann
        .ask(house, "POST", "/ann/parts?uploads")
        .header("x-amz-grant-read", format!("uri=\"{ALL_USERS}\",id={}", bob.id));
    let upload = begun.await.is(200).find("UploadId").expect("an id");
    let part =
        ann.put(house, &format!("/ann/parts?partNumber=1&uploadId={upload}")).body("part").await.is(200);
    let parts = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        part.need("etag")
    );
    ann.ask(house, "POST", &format!("/ann/parts?uploadId={upload}")).body(parts).await.is(200);
    reads(house, "parts", true).await;
    let listed = ann.get(house, "/ann/parts?acl").await.is(200);
    assert_eq!(granted(&listed), pairs(&[("AllUsers", "READ"), (&bob.id, "READ")]));
    let both = ann
        .put(house, "/ann/put")
        .header("x-amz-acl", "private")
        .header("x-amz-grant-read", format!("id={}", bob.id))
        .body("x");
    both.await.refused(400, "InvalidRequest");
}

async fn each_version_has_a_list_of_its_own(house: &mut House) {
    let (ann, _) = two(house).await;
    versioning(house, "ann", "Enabled").await;
    let one = ann.put(house, "/ann/a").header("x-amz-acl", "public-read").body("one").await.is(200);
    let one = one.need("x-amz-version-id").to_owned();
    ann.put(house, "/ann/a").body("two").await.is(200);
    let old = format!("/ann/a?versionId={one}");
    nobody(house, "GET", "/ann/a").await.refused(403, "AccessDenied");
    nobody(house, "GET", &old).await.is(200).brings("one");
    let listed = ann.get(house, &format!("/ann/a?acl&versionId={one}")).await.is(200);
    assert_eq!((granted(&listed).len(), listed.need("x-amz-version-id")), (2, one.as_str()));
    ann.put(house, &format!("/ann/a?acl&versionId={one}")).header("x-amz-acl", "private").await.is(200);
    nobody(house, "GET", &old).await.refused(403, "AccessDenied");
    canned(house, &ann, "/ann/a", "public-read").await;
    nobody(house, "GET", "/ann/a").await.is(200).brings("two");
    nobody(house, "GET", "/ann/a?versionId=null").await.refused(403, "AccessDenied");
    ann.delete(house, "/ann/a").await.is(204);
    ann.get(house, "/ann/a?acl").await.refused(404, "NoSuchKey");
    ann.put(house, "/ann/a?acl").header("x-amz-acl", "private").await.refused(404, "NoSuchKey");
}

async fn a_key_without_the_right_has_nothing_of_a_list(house: &mut House) {
    let (ann, reader) = (user(house, "ann").await, user_with(house, "bob", &[Right::Read]).await);
    ann.put(house, "/ann").header("x-amz-acl", "public-read-write").await.is(200);
    reader.get(house, "/ann").await.is(200);
    reader.put(house, "/ann/a").body("x").await.refused(403, "AccessDenied");
    nobody(house, "PUT", "/ann/a").header("x-amz-acl", "public-read").body("x").await.is(200);
    reader.get(house, "/ann/a").await.is(200);
    let none = user_with(house, "cid", &[Right::Write]).await;
    none.get(house, "/ann/a").await.refused(403, "AccessDenied");
    // A key of one bucket may go where everybody may, as far as its rights go.
    let bucket = house.bucket("bucket").await;
    let confined = house.made_key(&[Right::Read], |key| key.bucket = Some(bucket)).await;
    house.get("/ann/a").key(&confined).await.is(200);
    house.get("/other/witness").key(&confined).await.refused(403, "AccessDenied");
}

async fn an_object_belongs_to_who_wrote_it(house: &mut House) {
    let (ann, bob) = two(house).await;
    canned(house, &ann, "/ann", "public-read-write").await;
    bob.put(house, "/ann/bobs").body("x").await.is(200);
    let listed = bob.get(house, "/ann/bobs?acl").await.is(200);
    assert_eq!(granted(&listed), pairs(&[(&bob.id, "FULL_CONTROL")]));
    bob.get(house, "/ann/bobs").await.is(200).brings("x");
    canned(house, &bob, "/ann/bobs", "public-read").await;
    nobody(house, "GET", "/ann/bobs").await.is(200);
    bob.put(house, "/ann/a?acl").header("x-amz-acl", "public-read").await.refused(403, "AccessDenied");
    bob.put(house, "/ann/shared").header("x-amz-acl", "bucket-owner-full-control").body("x").await.is(200);
    let listed = bob.get(house, "/ann/shared?acl").await.is(200);
    assert_eq!(granted(&listed), pairs(&[(&bob.id, "FULL_CONTROL"), (&ann.id, "FULL_CONTROL")]));
    // Whoever comes without credentials owns nothing.
    nobody(house, "PUT", "/ann/nobodys").body("x").await.is(200);
    nobody(house, "GET", "/ann/nobodys").await.refused(403, "AccessDenied");
    nobody(house, "GET", "/ann/nobodys?acl").await.refused(403, "AccessDenied");
    nobody(house, "PUT", "/ann/nobodys?acl")
        .header("x-amz-acl", "public-read")
        .await
        .refused(403, "AccessDenied");
    ann.get(house, "/ann/nobodys").await.is(200);
    // The bucket is private again, and what bob wrote is still his to read.
    canned(house, &ann, "/ann", "private").await;
    bob.get(house, "/ann/shared").await.is(200);
    bob.put(house, "/ann/bobs").body("y").await.refused(403, "AccessDenied");
}

fn owned(ownership: &str) -> String {
    format!(
        "<OwnershipControls><Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule></OwnershipControls>"
    )
}

async fn the_bucket_may_own_what_is_written_into_it(house: &mut House) {
    let (ann, bob) = two(house).await;
    ann.get(house, "/ann?ownershipControls").await.refused(404, "OwnershipControlsNotFoundError");
    canned(house, &ann, "/ann", "public-read-write").await;
    for (ownership, acl, owner, reads) in [
        ("ObjectWriter", "bucket-owner-full-control", &bob, 200),
        ("ObjectWriter", "private", &bob, 403),
        ("BucketOwnerPreferred", "bucket-owner-full-control", &ann, 200),
        ("BucketOwnerPreferred", "private", &bob, 403),
        ("BucketOwnerPreferred", "bucket-owner-read", &bob, 200),
    ] {
        ann.put(house, "/ann?ownershipControls").body(owned(ownership)).await.is(200);
        let told = ann.get(house, "/ann?ownershipControls").await.is(200);
        assert_eq!(told.find("ObjectOwnership").as_deref(), Some(ownership));
        bob.put(house, "/ann/b").header("x-amz-acl", acl).body("x").await.is(200);
        // What is another account's is not the bucket's owner's to read, unless it is shared with them.
        ann.get(house, "/ann/b").await.is(reads);
        ann.put(house, "/ann/b?acl")
            .header("x-amz-acl", "public-read")
            .await
            .is(if acl == "bucket-owner-full-control" { 200 } else { 403 });
        let listed = owner.get(house, "/ann/b?acl").await.is(200).text();
        let owner = &owner.id;
        assert!(
            listed.split("<AccessControlList>").next().is_some_and(|head| head.contains(owner.as_str()))
                || listed
                    .split("</AccessControlList>")
                    .nth(1)
                    .is_some_and(|tail| tail.contains(owner.as_str())),
            "{ownership} {acl}: {listed}"
        );
    }
    for bad in [
        owned("Nobody"),
        owned("ObjectWriter").replace("<Rule>", "<Rules>"),
        "<OwnershipControls></OwnershipControls>".to_owned(),
    ] {
        ann.put(house, "/ann?ownershipControls").body(bad).await.refused(400, "MalformedXML");
    }
    ann.delete(house, "/ann?ownershipControls").await.is(204);
    ann.get(house, "/ann?ownershipControls").await.refused(404, "OwnershipControlsNotFoundError");
}

async fn where_lists_mean_nothing_none_is_taken(house: &mut House) {
    let (ann, bob) = two(house).await;
    canned(house, &ann, "/ann/a", "public-read").await;
    canned(house, &ann, "/ann", "public-read").await;
    let enforced = ann.put(house, "/ann?ownershipControls").body(owned("BucketOwnerEnforced"));
    enforced.clone().await.refused(400, "InvalidBucketAclWithObjectOwnership");
    nobody(house, "GET", "/ann/a").await.is(200);
    canned(house, &ann, "/ann", "private").await;
    enforced.await.is(200);
    nobody(house, "GET", "/ann/a").await.refused(403, "AccessDenied");
    for target in ["/ann?acl", "/ann/a?acl"] {
        let listed = ann.get(house, target).await.is(200);
        assert_eq!(granted(&listed), pairs(&[(&ann.id, "FULL_CONTROL")]));
        ann.put(house, target)
            .header("x-amz-acl", "public-read")
            .await
            .refused(400, "AccessControlListNotSupported");
    }
    for (name, value, status) in [
        ("x-amz-acl", "public-read".to_owned(), 400),
        ("x-amz-acl", "private".to_owned(), 400),
        ("x-amz-grant-read", format!("id={}", bob.id), 400),
        ("x-amz-acl", "bucket-owner-full-control".to_owned(), 200),
        ("x-amz-grant-full-control", format!("id={}", ann.id), 200),
    ] {
        let answer = ann.put(house, "/ann/b").header(name, value).body("x").await.is(status);
        if status == 400 {
            assert_eq!(answer.code(), "AccessControlListNotSupported");
        }
    }
    ann.put(house, "/ann/b").body("x").await.is(200);
    // What others write by a policy is the bucket's owner's.
    let open = crate::users::statement("Allow", "'*'", "'s3:PutObject'", "'arn:aws:s3:::ann/*'", "");
    ann.says(house, "ann", &open).await;
    bob.put(house, "/ann/bobs").body("x").await.is(200);
    bob.get(house, "/ann/bobs").await.refused(403, "AccessDenied");
    ann.get(house, "/ann/bobs?acl").await.is(200);
    // Lists that were there count again once they mean something.
    ann.delete(house, "/ann?ownershipControls").await.is(204);
    nobody(house, "GET", "/ann/a").await.is(200).brings("four");
}

async fn a_bucket_is_made_with_its_list_and_ownership(house: &mut House) {
    let ann = user(house, "ann").await;
    ann.put(house, "/open").header("x-amz-acl", "public-read").await.is(200);
    nobody(house, "GET", "/open").await.is(200);
    ann.put(house, "/granted").header("x-amz-grant-read", format!("uri={ALL_USERS}")).await.is(200);
    nobody(house, "GET", "/granted").await.is(200);
    ann.put(house, "/owned").header("x-amz-object-ownership", "BucketOwnerEnforced").await.is(200);
    let told = ann.get(house, "/owned?ownershipControls").await.is(200);
    assert_eq!(told.find("ObjectOwnership").as_deref(), Some("BucketOwnerEnforced"));
    let both = ann
        .put(house, "/both")
        .header("x-amz-object-ownership", "BucketOwnerEnforced")
        .header("x-amz-acl", "public-read");
    both.await.refused(400, "InvalidBucketAclWithObjectOwnership");
    ann.put(house, "/both").header("x-amz-object-ownership", "Nobody").await.refused(400, "InvalidArgument");
    ann.put(house, "/both").header("x-amz-acl", "nonsense").await.refused(400, "InvalidArgument");
    ann.ask(house, "HEAD", "/both").await.is(404);
}

async fn who_may_write_may_not_give_away_what_is_not_theirs(house: &mut House) {
    let (ann, bob) = two(house).await;
    let write = crate::users::statement("Allow", "'*'", "'s3:PutObject'", "'arn:aws:s3:::ann/*'", "");
    ann.says(house, "ann", &write).await;
    bob.put(house, "/ann/b").body("x").await.is(200);
    bob.put(house, "/ann/b").header("x-amz-acl", "bucket-owner-full-control").body("x").await.is(200);
    bob.put(house, "/ann/b").header("x-amz-acl", "public-read").body("x").await.refused(403, "AccessDenied");
    bob.put(house, "/ann/a?acl").header("x-amz-acl", "public-read").await.refused(403, "AccessDenied");
    let lists = crate::users::statement(
        "Allow",
        "'*'",
        "['s3:PutObject','s3:PutObjectAcl']",
        "'arn:aws:s3:::ann/*'",
        "",
    );
    let deny = crate::users::statement(
        "Deny",
        "'*'",
        "['s3:PutObject','s3:PutObjectAcl']",
        "'arn:aws:s3:::ann/*'",
        ",'Condition':{'StringLike':{'s3:x-amz-acl':'public*'}}",
    );
    ann.says(house, "ann", &lists).await;
    bob.put(house, "/ann/b").header("x-amz-acl", "public-read").body("x").await.is(200);
    nobody(house, "GET", "/ann/b").await.is(200);
    ann.says(house, "ann", &format!("{lists},{deny}")).await;
    for user in [&ann, &bob] {
        user.put(house, "/ann/b")
            .header("x-amz-acl", "public-read")
            .body("x")
            .await
            .refused(403, "AccessDenied");
        user.put(house, "/ann/b?acl").header("x-amz-acl", "public-read").await.refused(403, "AccessDenied");
    }
    house.get("/other/witness").await.is(200).brings(WITNESS);
}
