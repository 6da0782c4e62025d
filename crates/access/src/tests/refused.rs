//! What is no policy, and what is a public one.

use crate::policy::{BadPolicy, POLICY_MAX, Policy};

fn refused(text: &str) -> String {
    match Policy::read(&text.replace('\'', "\""), "bucket") {
        Ok(_) => "taken".to_owned(),
        Err(BadPolicy::Malformed(text)) => text,
        Err(BadPolicy::Unbuilt(key)) => format!("unbuilt {key}"),
    }
}

const GOOD: &str =
    "'Effect':'Allow','Principal':'*','Action':'s3:GetObject','Resource':'arn:aws:s3:::bucket/*'";

#[test]
fn what_is_no_policy_is_refused_in_awss_words() {
    const SYNTAX: &str = "Invalid policy syntax.";
    let with = |rest: &str| format!("{{'Version':'2012-10-17','Statement':[{{{GOOD}{rest}}}]}}");
    let change = |from: &str, to: &str| with("").replace(from, to);
    for (text, wanted) in [
        (with(""), "taken"),
        (format!("{{'Statement':{{{GOOD}}}}}"), "taken"),
        (with(",'Sid':'a'"), "taken"),
        (String::new(), "Policies must be valid JSON and the first byte must be '{'"),
        ("[]".to_owned(), "Policies must be valid JSON and the first byte must be '{'"),
        ("{".to_owned(), "This policy contains invalid Json"),
        (with("") + "x", "This policy contains invalid Json"),
        (with(",'Effect':'Deny'"), "This policy contains invalid Json"),
        ("{}".to_owned(), "Missing required field Statement"),
        ("{'Statement':[]}".to_owned(), "Could not parse the policy: Statement is empty!"),
        ("{'Statement':['x']}".to_owned(), SYNTAX),
        ("{'Statement':[null]}".to_owned(), SYNTAX),
        (change("2012-10-17", "2012-10-18"), "The policy must contain a valid version string"),
        (with("").replace("'Statement'", "'Statements'"), "Unknown field Statements"),
        (with(",'Foo':1"), "Unknown field Foo"),
        (change("'Allow'", "'allow'"), "Invalid effect: allow"),
        (change("'Effect':'Allow',", ""), "Missing required field Effect"),
        (change("'Principal':'*',", ""), "Missing required field Principal"),
        (change("'Action':'s3:GetObject',", ""), "Missing required field Action"),
        (change(",'Resource':'arn:aws:s3:::bucket/*'", ""), "Missing required field Resource"),
        (with(",'NotPrincipal':'*'"), SYNTAX),
        (with(",'NotAction':'s3:*'"), SYNTAX),
        (with(",'NotResource':'arn:aws:s3:::bucket'"), SYNTAX),
        (change("'Principal'", "'NotPrincipal'"), "Allow with NotPrincipal is not allowed."),
        (change("'Principal':'*'", "'Principal':'a1'"), "Invalid principal in policy"),
        (change("'Principal':'*'", "'Principal':{}"), "Invalid principal in policy"),
        (change("'Principal':'*'", "'Principal':{'AWS':[]}"), "Invalid principal in policy"),
        (change("'Principal':'*'", "'Principal':{'AWS':'a*'}"), "Invalid principal in policy"),
        (change("'Principal':'*'", "'Principal':{'AWS':1}"), "Invalid principal in policy"),
        (change("'Principal':'*'", "'Principal':{'GCP':'a'}"), "Invalid principal in policy"),
        (
            change("'Principal':'*'", "'Principal':{'AWS':'arn:aws:iam::a1:user/*'}"),
            "Invalid principal in policy",
        ),
        (
            change("'Principal':'*'", "'Principal':{'AWS':'arn:aws:iam::*:root'}"),
            "Invalid principal in policy",
        ),
        (
            change("'Principal':'*'", "'Principal':{'AWS':'arn:aws:iam::a1:group/x'}"),
            "Invalid principal in policy",
        ),
        (change("'Principal':'*'", "'Principal':{'AWS':'arn:aws:s3:::a1'}"), "Invalid principal in policy"),
        (change("s3:GetObject", "s3:FlyObject"), "Policy has invalid action"),
        (change("s3:GetObject", "s3:Fly*"), "Policy has invalid action"),
        (change("s3:GetObject", "ec2:GetObject"), "Policy has invalid action"),
        (change("s3:GetObject", "GetObject"), "Policy has invalid action"),
        (change("'s3:GetObject'", "[]"), "Policy has invalid action"),
        (change("'s3:GetObject'", "[1]"), "Policy has invalid action"),
        (change("s3:GetObject", "s3:ListBucket"), "Action does not apply to any resource(s) in statement"),
        (change("bucket/*", "bucket"), "Action does not apply to any resource(s) in statement"),
        (change("bucket/*", "other/*"), "Policy has invalid resource"),
        (change("bucket/*", "bucket2/*"), "Policy has invalid resource"),
        (change("arn:aws:s3:::bucket/*", "bucket/*"), "Policy has invalid resource"),
        (change("'arn:aws:s3:::bucket/*'", "[]"), "Policy has invalid resource"),
        (change("bucket/*", "bucket/${x}"), "Policy has invalid resource"),
        (with(",'Condition':[]"), SYNTAX),
        (with(",'Condition':{'StringEquals':'x'}"), SYNTAX),
        (with(",'Condition':{'StringEquals':{'aws:Referer':[]}}"), SYNTAX),
        (with(",'Condition':{'StringEquals':{'aws:Referer':{}}}"), SYNTAX),
        (with(",'Condition':{'StringIs':{'aws:Referer':'x'}}"), "Invalid Condition type : StringIs"),
        (
            with(",'Condition':{'ForSome:StringEquals':{'aws:Referer':'x'}}"),
            "Invalid Condition type : ForSome:StringEquals",
        ),
        (with(",'Condition':{'StringEquals':{'aws:Moon':'x'}}"), "Policy has an invalid condition key"),
        (
            with(",'Condition':{'StringEquals':{'s3:ExistingObjectTag/':'x'}}"),
            "Policy has an invalid condition key",
        ),
        (with(",'Condition':{'StringEquals':{'s3:TlsVersion':'x'}}"), "unbuilt s3:TlsVersion"),
        (
            with(",'Condition':{'StringEquals':{'s3:prefix':'x'}}"),
            "Conditions do not apply to combination of actions and resources in statement",
        ),
        (
            with(",'Condition':{'IpAddress':{'aws:SourceIp':'x'}}"),
            "Invalid value for the condition type IpAddress",
        ),
        (
            with(",'Condition':{'IpAddress':{'aws:SourceIp':'10.0.0.0/33'}}"),
            "Invalid value for the condition type IpAddress",
        ),
        (
            with(",'Condition':{'Bool':{'aws:SecureTransport':'yes'}}"),
            "Invalid value for the condition type Bool",
        ),
        (
            with(",'Condition':{'NumericEquals':{'aws:EpochTime':'x'}}"),
            "Invalid value for the condition type NumericEquals",
        ),
        (
            with(",'Condition':{'NumericEquals':{'aws:EpochTime':'inf'}}"),
            "Invalid value for the condition type NumericEquals",
        ),
        (
            with(",'Condition':{'DateEquals':{'aws:CurrentTime':'today'}}"),
            "Invalid value for the condition type DateEquals",
        ),
        (
            with(",'Condition':{'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::*'}}"),
            "Invalid value for the condition type ArnLike",
        ),
        (
            format!("{{'Statement':[{{{GOOD},'Sid':'a'}},{{{GOOD},'Sid':'a'}}]}}"),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            with(&format!(",'Sid':'{}'", "a".repeat(POLICY_MAX))),
            "Policy exceeds the maximum allowed document size.",
        ),
    ] {
        assert_eq!(refused(&text), wanted, "{}", &text[..text.len().min(400)]);
    }
}

#[test]
fn a_policy_is_public_if_it_opens_to_people_that_nobody_could_count() {
    let public = |principal: &str, effect: &str, condition: &str| {
        let text = format!(
            "{{'Version':'2012-10-17','Statement':{{'Effect':'{effect}','Principal':{principal},'Action':'s3:GetObject',\
             'Resource':'arn:aws:s3:::bucket/*','Condition':{{{condition}}}}}}}"
        );
        Policy::read(&text.replace('\'', "\""), "bucket").unwrap().is_public()
    };
    assert!(public("'*'", "Allow", ""));
    assert!(public("{'AWS':'*'}", "Allow", ""));
    assert!(public("{'AWS':['a1','*']}", "Allow", ""));
    assert!(!public("'*'", "Deny", ""));
    assert!(!public("{'AWS':'a1'}", "Allow", ""));
    assert!(!public("{'Service':'x.amazonaws.com'}", "Allow", ""));
    for (condition, is) in [
        ("'StringLike':{'aws:Referer':'x'}", true),
        ("'StringEquals':{'aws:SourceVpc':'vpc-91237329'}", false),
        ("'StringLike':{'aws:SourceVpc':'vpc-*'}", true),
        ("'StringNotEquals':{'aws:SourceVpc':'vpc-91237329'}", true),
        ("'StringEqualsIfExists':{'aws:SourceVpc':'vpc-91237329'}", true),
        ("'StringEquals':{'aws:userid':'AK1'}", false),
        ("'StringLike':{'aws:userid':'AK*'}", true),
        ("'StringEquals':{'aws:userid':'${aws:userid}'}", true),
        ("'IpAddress':{'aws:SourceIp':'192.0.2.0/24'}", false),
        ("'IpAddress':{'aws:SourceIp':['192.0.2.0/24','0.0.0.0/1']}", true),
        ("'IpAddress':{'aws:SourceIp':'10.0.0.0/8'}", false),
        ("'IpAddress':{'aws:SourceIp':'2001:db8::/31'}", true),
        ("'NotIpAddress':{'aws:SourceIp':'192.0.2.0/24'}", true),
        ("'ArnEquals':{'aws:SourceArn':'arn:aws:s3:::x'}", false),
        ("'ArnLike':{'aws:SourceArn':'arn:aws:s3:::*'}", true),
        ("'Bool':{'aws:SecureTransport':'true'}", true),
        ("'StringEquals':{'s3:ExistingObjectTag/a':'b'}", true),
        ("'ForAllValues:StringEquals':{'aws:SourceVpc':'vpc-1'}", true),
    ] {
        assert_eq!(public("'*'", "Allow", condition), is, "{condition}");
    }
}
