//! Fuzz targets: whatever a policy or a header of grants says, it is refused or evaluated, without an end that does not come;
//! and what a policy that says Deny everything denies, nothing opens.

use crate::acl::Unresolved;
use crate::action::Action;
use crate::policy::{Policy, Says};
use crate::principal::Caller;
use crate::tests::Said;
use bolero::check;
use std::time::Duration;

const A_MOMENT: Duration = Duration::from_millis(200);

const FRAGMENTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "*",
    "?",
    "${",
    "aws:username",
    "/",
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::",
    "\"Statement\":",
    "\"Effect\":\"Allow\"",
    "\"Effect\":\"Deny\"",
    "\"Principal\":\"*\"",
    "\"Principal\":{\"AWS\":",
    "\"NotPrincipal\":",
    "\"Action\":\"s3:*\"",
    "\"Action\":\"s3:GetObject\"",
    "\"NotAction\":",
    "\"Resource\":",
    "\"NotResource\":",
    "\"Condition\":{",
    "\"StringLike\":{",
    "\"IpAddress\":{",
    "\"ForAnyValue:StringEquals\":{",
    "\"aws:SourceIp\":",
    "\"s3:prefix\":",
    "\"10.0.0.0/8\"",
    "\"Version\":\"2012-10-17\"",
    "1",
    "null",
    "true",
    "id=",
    "uri=",
    "emailAddress=",
    "http://acs.amazonaws.com/groups/global/AllUsers",
];

const DENY: &str = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}"#;

fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            0..=200 => text.push_str(FRAGMENTS[usize::from(*byte) % FRAGMENTS.len()]),
            201..=255 => text.push(char::from(byte - 129)),
        }
    }
    text
}

#[test]
fn fuzz_any_policy() {
    let caller = Caller { account: Some("a1"), account_name: None, user: Some("AK1") };
    let said = Said::of(&[("Username", "AK1"), ("SourceIp", "10.0.0.1"), ("Prefix", "a/")]);
    check!().with_test_time(A_MOMENT).for_each(|bytes: &[u8]| {
        let text = text(bytes);
        for document in [
            text.clone(),
            format!("{{\"Statement\":[{{{text}}}]}}"),
            format!("{{\"Statement\":[{DENY},{{{text}}}]}}"),
        ] {
            let Ok(policy) = Policy::read(&document, "bucket") else { continue };
            let denies = document.contains(DENY);
            for (action, path) in [(Action::GetObject, "bucket/a/b"), (Action::ListBucket, "bucket")] {
                for caller in [caller, Caller::NOBODY] {
                    let says = policy.says(action, path, &caller, &said);
                    assert!(!denies || says == Says::Deny, "{document}");
                    assert!(says != Says::Allow || document.contains("Allow"), "{document}");
                }
            }
        }
    });
}

#[test]
fn fuzz_any_statement_with_everything_in_it() {
    let said = Said::of(&[("Username", "AK1"), ("SourceIp", "10.0.0.1")]);
    check!().with_test_time(A_MOMENT).for_each(|bytes: &[u8]| {
        let text = text(bytes).replace('"', "'").replace('\\', "/");
        let document = format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\
             \"Resource\":\"arn:aws:s3:::bucket/{text}\"}}}}"
        );
        if let Ok(policy) = Policy::read(&document, "bucket") {
            let _ = policy.says(Action::GetObject, &format!("bucket/{text}"), &Caller::NOBODY, &said);
            let _ = policy.is_public();
        }
    });
}

#[test]
fn fuzz_any_header_of_grants() {
    check!().with_test_time(A_MOMENT).for_each(|bytes: &[u8]| {
        if let Ok(read) = Unresolved::read(&text(bytes)) {
            assert!(!read.is_empty());
        }
    });
}
