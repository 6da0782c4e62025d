//! What policies say.

use super::Said;
use crate::action::{Action, Level};
use crate::policy::{Policy, Says};
use crate::principal::Caller;

const ALICE: Caller<'_> = Caller { account: Some("a1"), account_name: Some("alice"), user: Some("AK1") };
const BOB: Caller<'_> = Caller { account: Some("b1"), account_name: Some("bob"), user: Some("BK1") };
const NOBODY: Caller<'_> = Caller::NOBODY;

/// What a policy of these statements says.
fn says(statements: &str, caller: Caller<'_>, action: Action, key: &str, said: &[(&str, &str)]) -> Says {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#).replace('\'', "\"");
    let policy = Policy::read(&text, "bucket").unwrap_or_else(|bad| panic!("{text}: {bad}"));
    let path = match action.level() {
        Level::Bucket => "bucket".to_owned(),
        Level::Object => format!("bucket/{key}"),
    };
    policy.says(action, &path, &caller, &Said::of(said))
}

/// A statement that allows what `rest` says.
fn allow(rest: &str) -> String {
    format!("{{'Effect':'Allow',{rest}}}")
}

/// An Allow for everyone of reading, under this condition.
fn reading(condition: &str) -> String {
    allow(&format!(
        "'Principal':'*','Action':'s3:GetObject','Resource':'arn:aws:s3:::bucket/*','Condition':{{{condition}}}"
    ))
}

#[test]
fn principals() {
    for (principal, alice, bob, nobody) in [
        ("'*'", true, true, true),
        ("{'AWS':'*'}", true, true, true),
        ("{'AWS':['*']}", true, true, true),
        ("{'AWS':'a1'}", true, false, false),
        ("{'CanonicalUser':'a1'}", true, false, false),
        ("{'CanonicalUser':['a1','b1']}", true, true, false),
        ("{'AWS':'arn:aws:iam::a1:root'}", true, false, false),
        ("{'AWS':'arn:aws:iam::alice:root'}", true, false, false),
        ("{'AWS':'arn:aws:iam::a1:user/AK1'}", true, false, false),
        ("{'AWS':'arn:aws:iam::a1:user/some/path/AK1'}", true, false, false),
        ("{'AWS':'arn:aws:iam::a1:user/BK1'}", false, false, false),
        ("{'AWS':'arn:aws:iam::b1:user/AK1'}", false, false, false),
        ("{'AWS':'arn:aws:iam:::user/alice'}", true, false, false),
        ("{'AWS':'arn:aws:iam:::user/AK1'}", true, false, false),
        ("{'AWS':'arn:aws:iam:::user/a1'}", true, false, false),
        ("{'AWS':'arn:aws:iam::a1:role/AK1'}", false, false, false),
        ("{'Service':'logging.s3.amazonaws.com'}", false, false, false),
        ("{'AWS':'a1','Service':'x.amazonaws.com','CanonicalUser':'b1'}", true, true, false),
        ("{'AWS':'AK1'}", false, false, false),
        ("{'AWS':'A1'}", false, false, false),
    ] {
        let statement = allow(&format!(
            "'Principal':{principal},'Action':'s3:GetObject','Resource':'arn:aws:s3:::bucket/*'"
        ));
        for (caller, is) in [(ALICE, alice), (BOB, bob), (NOBODY, nobody)] {
            let wanted = if is { Says::Allow } else { Says::Nothing };
            assert_eq!(
                says(&statement, caller, Action::GetObject, "k", &[]),
                wanted,
                "{principal} {caller:?}"
            );
        }
    }
}

#[test]
fn whoever_is_not_named_is_denied() {
    let deny = |principal: &str| {
        format!(
            "{{'Effect':'Deny','NotPrincipal':{principal},'Action':'s3:*','Resource':['arn:aws:s3:::bucket','arn:aws:s3:::bucket/*']}}"
        )
    };
    for (principal, caller, wanted) in [
        ("{'AWS':'arn:aws:iam::a1:root'}", ALICE, Says::Nothing),
        ("{'AWS':'arn:aws:iam::a1:root'}", BOB, Says::Deny),
        ("{'AWS':'arn:aws:iam::a1:root'}", NOBODY, Says::Deny),
        ("{'AWS':['a1','b1']}", BOB, Says::Nothing),
        ("'*'", NOBODY, Says::Nothing),
        ("{'Service':'x.amazonaws.com'}", ALICE, Says::Deny),
    ] {
        for action in [Action::GetObject, Action::ListBucket, Action::PutBucketPolicy] {
            assert_eq!(says(&deny(principal), caller, action, "k", &[]), wanted, "{principal} {caller:?}");
        }
    }
}

#[test]
fn actions_and_resources() {
    const B: &str = "'arn:aws:s3:::bucket'";
    const O: &str = "'arn:aws:s3:::bucket/*'";
    for (action, resource, asked, key, is) in [
        ("'s3:GetObject'", O, Action::GetObject, "k", true),
        ("'S3:getobject'", O, Action::GetObject, "k", true),
        ("'s3:GetObject'", O, Action::GetObjectVersion, "k", false),
        ("'s3:GetObject'", O, Action::GetObjectAcl, "k", false),
        ("'s3:GetObject*'", O, Action::GetObjectAcl, "k", true),
        ("'s3:Get*'", O, Action::GetObjectTagging, "k", true),
        ("'s3:Get*'", O, Action::PutObject, "k", false),
        ("'s3:*'", O, Action::PutObject, "k", true),
        ("'*'", O, Action::DeleteObjectVersion, "k", true),
        ("'s3:*Object'", O, Action::DeleteObject, "k", true),
        ("'s3:*Object'", O, Action::DeleteObjectVersion, "k", false),
        ("'s3:?etObject'", O, Action::GetObject, "k", true),
        ("['s3:PutObject','s3:GetObject']", O, Action::GetObject, "k", true),
        ("'s3:*'", O, Action::ListBucket, "", false),
        ("'s3:*'", B, Action::ListBucket, "", true),
        ("'s3:*'", B, Action::GetObject, "k", false),
        ("'s3:ListBucket'", B, Action::ListBucketVersions, "", false),
        ("'s3:*'", "['arn:aws:s3:::bucket','arn:aws:s3:::bucket/*']", Action::GetObject, "k", true),
        ("'s3:*'", "'arn:aws:s3:::bucket*'", Action::GetObject, "k", true),
        ("'s3:*'", "'arn:aws:s3:::bucket*'", Action::ListBucket, "", true),
        ("'s3:*'", "'arn:aws:s3:::*'", Action::ListBucket, "", true),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/a'", Action::GetObject, "a", true),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/a'", Action::GetObject, "a/", false),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/a'", Action::GetObject, "A", false),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/a/*'", Action::GetObject, "a/b/c", true),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/a/*'", Action::GetObject, "a/", true),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/a/*'", Action::GetObject, "a", false),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/a/*'", Action::GetObject, "ab/c", false),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/a/*'", Action::GetObject, "/a/c", false),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/a/*'", Action::GetObject, "a%2Fc", false),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/*/c'", Action::GetObject, "a/b/c", true),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/?'", Action::GetObject, "/", true),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/?'", Action::GetObject, "ab", false),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/*.jpg'", Action::GetObject, "a.jpg", true),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/*.jpg'", Action::GetObject, "a.jpg.exe", false),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/a b+ä'", Action::GetObject, "a b+ä", true),
        ("'s3:GetObject'", "'arn:aws:s3:::bucket/..'", Action::GetObject, "..", true),
    ] {
        let statement = allow(&format!("'Principal':'*','Action':{action},'Resource':{resource}"));
        let wanted = if is { Says::Allow } else { Says::Nothing };
        assert_eq!(says(&statement, BOB, asked, key, &[]), wanted, "{action} {resource} {asked:?} {key}");
    }
    for (rest, asked, key, is) in [
        ("'NotAction':'s3:Get*','Resource':'arn:aws:s3:::bucket/*'", Action::PutObject, "k", true),
        ("'NotAction':'s3:Get*','Resource':'arn:aws:s3:::bucket/*'", Action::GetObject, "k", false),
        ("'Action':'s3:GetObject','NotResource':'arn:aws:s3:::bucket/a/*'", Action::GetObject, "b", true),
        ("'Action':'s3:GetObject','NotResource':'arn:aws:s3:::bucket/a/*'", Action::GetObject, "a/b", false),
    ] {
        let statement = allow(&format!("'Principal':'*',{rest}"));
        let wanted = if is { Says::Allow } else { Says::Nothing };
        assert_eq!(says(&statement, BOB, asked, key, &[]), wanted, "{rest} {asked:?} {key}");
    }
}

#[test]
fn a_deny_wins_wherever_it_stands() {
    let allow = allow("'Principal':'*','Action':'s3:GetObject','Resource':'arn:aws:s3:::bucket/*'");
    let deny =
        "{'Effect':'Deny','Principal':'*','Action':'s3:GetObject','Resource':'arn:aws:s3:::bucket/secret/*'}";
    for statements in
        [format!("{allow},{deny}"), format!("{deny},{allow}"), format!("{allow},{deny},{allow}")]
    {
        assert_eq!(says(&statements, BOB, Action::GetObject, "open", &[]), Says::Allow);
        assert_eq!(says(&statements, BOB, Action::GetObject, "secret/k", &[]), Says::Deny);
        assert_eq!(says(&statements, BOB, Action::PutObject, "secret/k", &[]), Says::Nothing);
    }
}

#[test]
fn conditions() {
    for (condition, said, is) in [
        ("'StringEquals':{'aws:Referer':'x'}", &[("Referer", "x")][..], true),
        ("'StringEquals':{'aws:Referer':'x'}", &[("Referer", "X")], false),
        ("'StringEquals':{'aws:Referer':['y','x']}", &[("Referer", "x")], true),
        ("'StringEquals':{'aws:Referer':'x*'}", &[("Referer", "xy")], false),
        ("'StringEquals':{'AWS:REFERER':'x'}", &[("Referer", "x")], true),
        ("'StringEquals':{'aws:Referer':'x'}", &[], false),
        ("'StringEqualsIfExists':{'aws:Referer':'x'}", &[], true),
        ("'StringEqualsIfExists':{'aws:Referer':'x'}", &[("Referer", "y")], false),
        ("'StringNotEquals':{'aws:Referer':'x'}", &[], true),
        ("'StringNotEquals':{'aws:Referer':['x','y']}", &[("Referer", "y")], false),
        ("'StringNotEquals':{'aws:Referer':['x','y']}", &[("Referer", "z")], true),
        ("'StringEqualsIgnoreCase':{'aws:Referer':'ÄX'}", &[("Referer", "äx")], true),
        ("'StringNotEqualsIgnoreCase':{'aws:Referer':'X'}", &[("Referer", "x")], false),
        ("'StringLike':{'aws:Referer':'https://*.example/*'}", &[("Referer", "https://a.example/b/c")], true),
        ("'StringLike':{'aws:Referer':'https://*.example/*'}", &[("Referer", "http://a.example/")], false),
        ("'StringNotLike':{'aws:Referer':'a*'}", &[("Referer", "ab")], false),
        ("'StringNotLike':{'aws:Referer':'a*'}", &[("Referer", "ba")], true),
        ("'StringEquals':{'aws:Referer':'x','aws:UserAgent':'u'}", &[("Referer", "x")], false),
        (
            "'StringEquals':{'aws:Referer':'x'},'Bool':{'aws:SecureTransport':'true'}",
            &[("Referer", "x"), ("SecureTransport", "true")],
            true,
        ),
        (
            "'StringEquals':{'aws:Referer':'x'},'Bool':{'aws:SecureTransport':'true'}",
            &[("Referer", "x"), ("SecureTransport", "false")],
            false,
        ),
        ("'Bool':{'aws:SecureTransport':false}", &[("SecureTransport", "false")], true),
        ("'Bool':{'aws:SecureTransport':'False'}", &[("SecureTransport", "false")], true),
        ("'Bool':{'aws:SecureTransport':'true'}", &[], false),
        ("'BoolIfExists':{'aws:MultiFactorAuthPresent':'true'}", &[], true),
        ("'Bool':{'aws:MultiFactorAuthPresent':'false'}", &[], false),
        ("'Null':{'aws:Referer':'true'}", &[], true),
        ("'Null':{'aws:Referer':'true'}", &[("Referer", "x")], false),
        ("'Null':{'aws:Referer':false}", &[("Referer", "x")], true),
        ("'IpAddress':{'aws:SourceIp':'192.0.2.0/24'}", &[("SourceIp", "192.0.2.77")], true),
        ("'IpAddress':{'aws:SourceIp':'192.0.2.0/24'}", &[("SourceIp", "192.0.3.1")], false),
        ("'IpAddress':{'aws:SourceIp':'192.0.2.0/24'}", &[("SourceIp", "::ffff:192.0.2.77")], true),
        ("'IpAddress':{'aws:SourceIp':'192.0.2.9'}", &[("SourceIp", "192.0.2.9")], true),
        ("'IpAddress':{'aws:SourceIp':'0.0.0.0/0'}", &[("SourceIp", "203.0.113.1")], true),
        ("'IpAddress':{'aws:SourceIp':'0.0.0.0/0'}", &[("SourceIp", "2001:db8::1")], false),
        (
            "'IpAddress':{'aws:SourceIp':['2001:db8::/32','10.0.0.0/8']}",
            &[("SourceIp", "2001:db8:1::1")],
            true,
        ),
        ("'IpAddress':{'aws:SourceIp':'192.0.2.0/24'}", &[("SourceIp", "nonsense")], false),
        ("'NotIpAddress':{'aws:SourceIp':'192.0.2.0/24'}", &[("SourceIp", "192.0.2.77")], false),
        ("'NotIpAddress':{'aws:SourceIp':['192.0.2.0/24','10.0.0.0/8']}", &[("SourceIp", "11.0.0.1")], true),
        (
            "'DateGreaterThan':{'aws:CurrentTime':'2026-01-01T00:00:00Z'}",
            &[("CurrentTime", "2026-06-01T00:00:00Z")],
            true,
        ),
        (
            "'DateLessThan':{'aws:CurrentTime':'2026-01-01'}",
            &[("CurrentTime", "2026-06-01T00:00:00Z")],
            false,
        ),
        (
            "'DateLessThanEquals':{'aws:CurrentTime':'2026-06-01T00:00Z'}",
            &[("CurrentTime", "2026-06-01T00:00:00Z")],
            true,
        ),
        (
            "'DateNotEquals':{'aws:CurrentTime':'2026-06-01'}",
            &[("CurrentTime", "2026-06-01T00:00:00Z")],
            false,
        ),
        ("'DateLessThan':{'aws:EpochTime':'1700000000'}", &[("EpochTime", "1600000000")], true),
        ("'NumericLessThan':{'aws:EpochTime':1700000000}", &[("EpochTime", "1600000000")], true),
        ("'NumericEquals':{'aws:EpochTime':'5'}", &[("EpochTime", "5.0")], true),
        ("'NumericNotEquals':{'aws:EpochTime':'5'}", &[("EpochTime", "6")], true),
        ("'NumericGreaterThanEquals':{'aws:EpochTime':'5'}", &[("EpochTime", "5")], true),
        ("'NumericGreaterThan':{'aws:EpochTime':'5'}", &[("EpochTime", "five")], false),
        (
            "'ArnEquals':{'aws:PrincipalArn':'arn:aws:iam::a1:user/AK1'}",
            &[("PrincipalArn", "arn:aws:iam::a1:user/AK1")],
            true,
        ),
        (
            "'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::*:user/*'}",
            &[("PrincipalArn", "arn:aws:iam::a1:user/AK1")],
            true,
        ),
        (
            "'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::b1:*'}",
            &[("PrincipalArn", "arn:aws:iam::a1:user/AK1")],
            false,
        ),
        (
            "'ArnNotLike':{'aws:PrincipalArn':'arn:aws:iam::a1:*'}",
            &[("PrincipalArn", "arn:aws:iam::a1:user/AK1")],
            false,
        ),
        ("'StringEquals':{'s3:ExistingObjectTag/public':'yes'}", &[("existing/public", "yes")], true),
        ("'StringEquals':{'s3:ExistingObjectTag/public':'yes'}", &[("existing/Public", "yes")], false),
        ("'StringEquals':{'s3:ExistingObjectTag/public':'yes'}", &[], false),
        ("'StringEquals':{'aws:SourceVpc':'vpc-1'}", &[], false),
        ("'StringNotEquals':{'aws:SourceVpc':'vpc-1'}", &[], true),
        (
            "'StringEquals':{'aws:Referer':'${aws:username}'}",
            &[("Referer", "bob"), ("Username", "bob")],
            true,
        ),
        ("'StringEquals':{'aws:Referer':'${aws:username}'}", &[("Referer", "")], false),
        ("'StringLike':{'aws:Referer':'${aws:username}'}", &[("Referer", "bob"), ("Username", "*")], false),
        ("'StringEquals':{'aws:Referer':'${aws:username, 'x'}'}", &[("Referer", "x")], true),
        ("'StringEquals':{'aws:Referer':'${*}'}", &[("Referer", "*")], true),
    ] {
        // A default stands in quotes of its own.
        let condition = condition.replace("'x'}'", "\u{1}x\u{1}}'");
        let text = reading(&condition).replace('\'', "\"").replace('\u{1}', "'");
        let policy = Policy::read(&format!(r#"{{"Version":"2012-10-17","Statement":{text}}}"#), "bucket");
        let policy = policy.unwrap_or_else(|bad| panic!("{condition}: {bad}"));
        let wanted = if is { Says::Allow } else { Says::Nothing };
        let is = policy.says(Action::GetObject, "bucket/k", &BOB, &Said::of(said));
        assert_eq!(is, wanted, "{condition} {said:?}");
    }
}

#[test]
fn keys_with_many_values() {
    for (condition, keys, is) in [
        ("'ForAllValues:StringEquals':{'s3:RequestObjectTagKeys':['a','b']}", Some("a|b"), true),
        ("'ForAllValues:StringEquals':{'s3:RequestObjectTagKeys':['a','b']}", Some("a|c"), false),
        ("'ForAllValues:StringEquals':{'s3:RequestObjectTagKeys':['a']}", None, true),
        ("'ForAnyValue:StringEquals':{'s3:RequestObjectTagKeys':['a']}", Some("c|a"), true),
        ("'ForAnyValue:StringEquals':{'s3:RequestObjectTagKeys':['a']}", Some("c|d"), false),
        ("'ForAnyValue:StringEquals':{'s3:RequestObjectTagKeys':['a']}", None, false),
        ("'ForAllValues:StringNotEquals':{'s3:RequestObjectTagKeys':['a']}", Some("c|a"), false),
        ("'ForAnyValue:StringNotEquals':{'s3:RequestObjectTagKeys':['a']}", Some("c|a"), true),
        ("'ForAnyValue:StringLikeIfExists':{'s3:RequestObjectTagKeys':['a*']}", None, true),
        ("'StringNotEquals':{'s3:RequestObjectTagKeys':['a']}", Some("c|a"), false),
    ] {
        let statement = allow(&format!(
            "'Principal':'*','Action':'s3:PutObject','Resource':'arn:aws:s3:::bucket/*','Condition':{{{condition}}}"
        ));
        let said: Vec<(&str, &str)> = keys.map(|keys| ("RequestObjectTagKeys", keys)).into_iter().collect();
        let wanted = if is { Says::Allow } else { Says::Nothing };
        assert_eq!(says(&statement, BOB, Action::PutObject, "k", &said), wanted, "{condition} {keys:?}");
    }
}

#[test]
fn variables_in_resources_are_taken_literally() {
    let home = allow(
        "'Principal':'*','Action':'s3:GetObject','Resource':'arn:aws:s3:::bucket/home/${aws:username}/*'",
    );
    for (name, key, is) in [
        ("bob", "home/bob/a", true),
        ("bob", "home/alice/a", false),
        ("*", "home/alice/a", false),
        ("*", "home/*/a", true),
        ("bob/../alice", "home/alice/a", false),
    ] {
        let wanted = if is { Says::Allow } else { Says::Nothing };
        assert_eq!(says(&home, BOB, Action::GetObject, key, &[("Username", name)]), wanted, "{name} {key}");
    }
    assert_eq!(says(&home, NOBODY, Action::GetObject, "home//a", &[]), Says::Nothing);
    let old = home.replace('\'', "\"");
    let old = Policy::read(&format!(r#"{{"Version":"2008-10-17","Statement":{old}}}"#), "bucket").unwrap();
    let said = Said::of(&[("Username", "bob")]);
    assert_eq!(old.says(Action::GetObject, "bucket/home/bob/a", &BOB, &said), Says::Nothing);
    assert_eq!(old.says(Action::GetObject, "bucket/home/${aws:username}/a", &BOB, &said), Says::Allow);
}
