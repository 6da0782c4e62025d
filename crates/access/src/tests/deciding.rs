//! The order in which things decide.

use crate::action::Action;
use crate::decide::{Ask, Bucket, Object, Standing, Verdict, decide};
use crate::key::NoFacts;
use crate::principal::Caller;
use crate::settings::Settings;

const BOB: Caller<'_> = Caller { account: Some("b1"), account_name: Some("bob"), user: Some("BK1") };

const OPEN: &str = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}}"#;
const SHUT: &str = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}}"#;
const FOR_BOB: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"b1"},"Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}}"#;
const READ_BY_ALL: &str = r#"[{"to":{"group":"all-users"},"may":"READ"}]"#;
const WRITE_BY_BOB: &str = r#"[{"to":{"id":"b1"},"may":"WRITE"}]"#;

const NONE: Standing = Standing { by_scope: false, holds: false, owns: false, administers: false };
const HOLDS: Standing = Standing { holds: true, ..NONE };
const BY_SCOPE: Standing = Standing { by_scope: true, ..HOLDS };
const OWNS: Standing = Standing { owns: true, ..HOLDS };

#[derive(Clone, Copy, Default)]
struct Set {
    policy: Option<&'static str>,
    acl: Option<&'static str>,
    block: Option<&'static str>,
    ownership: Option<&'static str>,
}

fn asked(
    set: Set,
    caller: Caller<'_>,
    standing: Standing,
    action: Action,
    object: Option<Object<'_>>,
) -> Verdict {
    let settings = Settings::read("bucket", set.policy, set.acl, set.block, set.ownership);
    decide(&Ask {
        action,
        caller,
        standing,
        bucket: Bucket { name: "bucket", settings: Some(&settings) },
        key: Some("k"),
        object,
        facts: &NoFacts,
    })
}

#[test]
fn a_deny_binds_everybody_and_never_the_policy_of_who_runs_the_bucket() {
    let set = Set { policy: Some(SHUT), ..Set::default() };
    for standing in [NONE, HOLDS, BY_SCOPE, OWNS, Standing { administers: true, ..BY_SCOPE }] {
        assert_eq!(asked(set, BOB, standing, Action::GetObject, None), Verdict::Denied);
        assert_eq!(asked(set, BOB, standing, Action::PutBucketAcl, None), Verdict::Denied);
    }
    for action in [Action::GetBucketPolicy, Action::PutBucketPolicy, Action::DeleteBucketPolicy] {
        assert_eq!(asked(set, BOB, OWNS, action, None), Verdict::Right);
        assert_eq!(asked(set, BOB, Standing { administers: true, ..BY_SCOPE }, action, None), Verdict::Right);
        assert_eq!(asked(set, BOB, BY_SCOPE, action, None), Verdict::Denied);
        assert_eq!(asked(set, BOB, Standing { owns: true, ..NONE }, action, None), Verdict::Nothing);
        assert_eq!(asked(set, Caller::NOBODY, NONE, action, None), Verdict::Denied);
    }
    let broken = Set { policy: Some("{"), ..Set::default() };
    assert_eq!(asked(broken, BOB, BY_SCOPE, Action::GetObject, None), Verdict::Denied);
    assert_eq!(asked(broken, BOB, OWNS, Action::DeleteBucketPolicy, None), Verdict::Right);
}

#[test]
fn whoever_signs_must_hold_the_right_that_a_policy_opens() {
    let open = Set { policy: Some(OPEN), ..Set::default() };
    for (caller, standing, wanted) in [
        (BOB, NONE, Verdict::Nothing),
        (BOB, HOLDS, Verdict::Opened),
        (BOB, BY_SCOPE, Verdict::Right),
        (BOB, OWNS, Verdict::Right),
        (Caller::NOBODY, NONE, Verdict::Opened),
    ] {
        assert_eq!(asked(open, caller, standing, Action::GetObject, None), wanted, "{standing:?}");
    }
    let bob = Set { policy: Some(FOR_BOB), ..Set::default() };
    assert_eq!(asked(bob, BOB, HOLDS, Action::PutObject, None), Verdict::Opened);
    assert_eq!(asked(bob, Caller::NOBODY, NONE, Action::PutObject, None), Verdict::Nothing);
}

#[test]
fn the_public_access_block_shuts_what_is_public() {
    const RESTRICT: &str = r#"{"block_public_acls":false,"ignore_public_acls":false,"block_public_policy":false,"restrict_public_buckets":true}"#;
    const IGNORE: &str = r#"{"block_public_acls":false,"ignore_public_acls":true,"block_public_policy":false,"restrict_public_buckets":false}"#;
    let shut = Set { policy: Some(OPEN), block: Some(RESTRICT), ..Set::default() };
    assert_eq!(asked(shut, BOB, HOLDS, Action::GetObject, None), Verdict::Nothing);
    assert_eq!(asked(shut, Caller::NOBODY, NONE, Action::GetObject, None), Verdict::Nothing);
    assert_eq!(asked(shut, BOB, OWNS, Action::GetObject, None), Verdict::Right);
    // What is for a few is not public, and is not shut.
    let bob = Set { policy: Some(FOR_BOB), block: Some(RESTRICT), ..Set::default() };
    assert_eq!(asked(bob, BOB, HOLDS, Action::GetObject, None), Verdict::Opened);
    let listed = Set { acl: Some(READ_BY_ALL), ..Set::default() };
    assert_eq!(asked(listed, Caller::NOBODY, NONE, Action::ListBucket, None), Verdict::Opened);
    for block in [IGNORE, "{"] {
        let ignored = Set { block: Some(block), ..listed };
        assert_eq!(asked(ignored, Caller::NOBODY, NONE, Action::ListBucket, None), Verdict::Nothing);
        let object = Some(Object { owner: Some("a1"), acl: Some(READ_BY_ALL) });
        assert_eq!(asked(ignored, Caller::NOBODY, NONE, Action::GetObject, object), Verdict::Nothing);
    }
}

#[test]
fn lists_open_what_they_grant() {
    let object = |acl| Some(Object { owner: Some("a1"), acl });
    let own = |acl| Some(Object { owner: Some("b1"), acl });
    let none = Set::default();
    let bucket = |acl| Set { acl: Some(acl), ..none };
    for (set, caller, action, object, is) in [
        (none, BOB, Action::GetObject, object(None), false),
        (none, BOB, Action::GetObject, own(None), true),
        (none, BOB, Action::GetObjectAcl, own(None), true),
        (none, BOB, Action::DeleteObject, own(None), false),
        (none, BOB, Action::GetObject, object(Some(READ_BY_ALL)), true),
        (none, Caller::NOBODY, Action::GetObject, object(Some(READ_BY_ALL)), true),
        (none, Caller::NOBODY, Action::GetObjectVersion, object(Some(READ_BY_ALL)), true),
        (none, Caller::NOBODY, Action::GetObjectAcl, object(Some(READ_BY_ALL)), false),
        (none, Caller::NOBODY, Action::GetObjectTagging, object(Some(READ_BY_ALL)), false),
        (none, Caller::NOBODY, Action::PutObject, object(Some(READ_BY_ALL)), false),
        (none, BOB, Action::PutObjectAcl, own(Some(READ_BY_ALL)), true),
        (none, BOB, Action::GetObject, own(Some("[]")), false),
        (none, BOB, Action::GetObject, object(Some("nonsense")), false),
        (none, Caller::NOBODY, Action::GetObject, Some(Object { owner: None, acl: None }), false),
        (bucket(READ_BY_ALL), Caller::NOBODY, Action::ListBucket, None, true),
        (bucket(READ_BY_ALL), Caller::NOBODY, Action::ListBucketVersions, None, true),
        (bucket(READ_BY_ALL), Caller::NOBODY, Action::GetObject, object(None), false),
        (bucket(READ_BY_ALL), Caller::NOBODY, Action::GetBucketAcl, None, false),
        (bucket(WRITE_BY_BOB), BOB, Action::PutObject, None, true),
        (bucket(WRITE_BY_BOB), BOB, Action::DeleteObject, None, true),
        (bucket(WRITE_BY_BOB), BOB, Action::DeleteObjectVersion, None, false),
        (bucket(WRITE_BY_BOB), BOB, Action::ListBucket, None, false),
        (bucket(WRITE_BY_BOB), BOB, Action::PutObjectAcl, object(None), false),
        (bucket(WRITE_BY_BOB), BOB, Action::PutBucketAcl, None, false),
        (bucket(WRITE_BY_BOB), BOB, Action::DeleteBucket, None, false),
        (bucket(WRITE_BY_BOB), Caller::NOBODY, Action::PutObject, None, false),
    ] {
        let wanted = if is { Verdict::Opened } else { Verdict::Nothing };
        let standing = if caller.is_anonymous() { NONE } else { HOLDS };
        let described = format!("{caller:?} {action:?} {object:?} {:?}", set.acl);
        assert_eq!(asked(set, caller, standing, action, object), wanted, "{described}");
        // Where lists mean nothing, they open nothing; and a key without the right has nothing of it.
        let enforced = Set { ownership: Some("BucketOwnerEnforced"), ..set };
        assert_eq!(asked(enforced, caller, standing, action, object), Verdict::Nothing, "{described}");
        if !caller.is_anonymous() {
            assert_eq!(asked(set, caller, NONE, action, object), Verdict::Nothing, "{described}");
        }
    }
}
