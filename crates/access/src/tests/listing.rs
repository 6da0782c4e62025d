//! Access lists as they are named, written in headers and stored.

use crate::acl::{Acl, BadGrant, Canned, Grantee, Group, Permission, Unresolved};

#[test]
fn canned_lists_say_what_aws_says() {
    let object = |name: &str| Canned::named(name).unwrap().of_object(Some("w"), Some("b"));
    let grants = |acl: &Acl| -> Vec<(String, &'static str)> {
        let who = |to: &Grantee| match to {
            Grantee::Id(id) => id.clone(),
            Grantee::Group(group) => format!("{group:?}"),
        };
        acl.grants.iter().map(|grant| (who(&grant.to), grant.may.as_str())).collect()
    };
    let owner = ("w".to_owned(), "FULL_CONTROL");
    for (name, more) in [
        ("private", vec![]),
        ("public-read", vec![("AllUsers", "READ")]),
        ("public-read-write", vec![("AllUsers", "READ"), ("AllUsers", "WRITE")]),
        ("authenticated-read", vec![("AuthenticatedUsers", "READ")]),
        ("aws-exec-read", vec![]),
        ("bucket-owner-read", vec![("b", "READ")]),
        ("bucket-owner-full-control", vec![("b", "FULL_CONTROL")]),
        ("log-delivery-write", vec![]),
    ] {
        let more = more.into_iter().map(|(who, may)| (who.to_owned(), may));
        let wanted: Vec<_> = [owner.clone()].into_iter().chain(more).collect();
        let acl = object(name);
        assert_eq!(grants(&acl), wanted, "{name}");
        assert_eq!(Acl::decode(&acl.encode()), Some(acl), "{name}");
    }
    assert_eq!(Canned::named("public"), None);
    let own = Canned::BucketOwnerFullControl.of_object(Some("b"), Some("b"));
    assert_eq!(own, Acl::private(Some("b")), "once is enough");
    let logs = Canned::LogDeliveryWrite.of_bucket(Some("b"));
    assert_eq!(logs.grants.len(), 3);
    assert!(
        !logs.is_public() && object("public-read").is_public() && object("authenticated-read").is_public()
    );
    assert!(!object("bucket-owner-read").opens_beyond(&[Some("w"), Some("b")]));
    assert!(object("bucket-owner-read").opens_beyond(&[Some("w")]));
    assert!(Acl::private(None).grants.is_empty());
}

#[test]
fn grants_stand_in_headers() {
    let id = |id: &str| Unresolved::Id(id.to_owned());
    for (text, wanted) in [
        ("id=\"a\"", Ok(vec![id("a")])),
        ("id=a", Ok(vec![id("a")])),
        ("ID = \"a\" , id=b", Ok(vec![id("a"), id("b")])),
        ("emailAddress=\"a@b\"", Ok(vec![Unresolved::Email("a@b".to_owned())])),
        (
            "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\",id=\"a\"",
            Ok(vec![Unresolved::Group(Group::AllUsers), id("a")]),
        ),
        ("uri=http://acs.amazonaws.com/groups/global/Everyone", Err(BadGrant::Uri)),
        ("", Err(BadGrant::Format)),
        ("a", Err(BadGrant::Format)),
        ("id=", Err(BadGrant::Format)),
        ("id=\"a", Err(BadGrant::Format)),
        ("id=\"a\"b", Err(BadGrant::Format)),
        ("id=\"a\",", Err(BadGrant::Format)),
        ("name=\"a\"", Err(BadGrant::Format)),
    ] {
        assert_eq!(Unresolved::read(text), wanted, "{text}");
    }
    for word in ["READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"] {
        assert_eq!(Permission::named(word).map(Permission::as_str), Some(word));
    }
    assert_eq!(Permission::named("read"), None);
}
