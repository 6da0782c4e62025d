//! Rules as S3 says them: judged, compiled, and what they let go and when.

use super::*;

fn at(text: &str) -> Time {
    Time::parse_rfc3339(text).expect("a date of these tests")
}

fn configuration(rules: &str) -> Configuration {
    serde_json::from_str(&format!("{{\"Rules\":{rules}}}")).unwrap_or_else(|bad| panic!("{rules}: {bad}"))
}

/// The rules of one rule's text, which is enabled and about everything.
fn rule(action: &str) -> Vec<ExpiryRule> {
    scoped("{}", action)
}

fn scoped(filter: &str, action: &str) -> Vec<ExpiryRule> {
    configuration(&format!("[{{\"ID\":\"r\",\"Status\":\"Enabled\",\"Filter\":{filter},{action}}}]"))
        .compile()
        .unwrap_or_else(|bad| panic!("{filter} {action}: {bad}"))
}

#[test]
fn days_end_at_the_midnight_that_follows() {
    for (days, created, goes) in [
        // As the AWS documentation has it.
        (3, "2014-01-15T10:30:00Z", "2014-01-19T00:00:00Z"),
        (1, "2014-01-15T23:59:59.999999Z", "2014-01-17T00:00:00Z"),
        // In the middle of the night a day has just begun.
        (1, "2014-01-15T00:00:00Z", "2014-01-17T00:00:00Z"),
        (1, "2014-01-14T23:59:59.999999Z", "2014-01-16T00:00:00Z"),
        (1, "2024-02-28T12:00:00Z", "2024-03-01T00:00:00Z"),
        (365, "2023-12-31T00:00:01Z", "2024-12-31T00:00:00Z"),
        (1, "1969-12-31T12:00:00Z", "1970-01-02T00:00:00Z"),
    ] {
        let rules = rule(&format!("\"Expiration\":{{\"Days\":{days}}}"));
        let found = expires(&rules, &Subject::new("o", 1, None), at(created));
        assert_eq!(found, Some((at(goes), "r")), "{days} days after {created}");
        let rules = rule(&format!("\"NoncurrentVersionExpiration\":{{\"NoncurrentDays\":{days}}}"));
        let found = expires_noncurrent(&rules, &Subject::new("o", 1, None), at(created), Some(0));
        assert_eq!(found, Some((at(goes), "r")), "{days} days after it was superseded at {created}");
        let rules = rule(&format!("\"AbortIncompleteMultipartUpload\":{{\"DaysAfterInitiation\":{days}}}"));
        let found = aborts(&rules, &Subject::new("o", 0, None), at(created));
        assert_eq!(found, Some((at(goes), "r")), "{days} days after it began at {created}");
    }
    let endless = rule("\"Expiration\":{\"Days\":2147483647}");
    assert!(expires(&endless, &Subject::new("o", 1, None), Time::from_micros(i64::MAX - 7)).is_none());
}

#[test]
fn a_date_goes_on_holding_after_it_has_passed() {
    let rules = rule("\"Expiration\":{\"Date\":\"2024-06-01T00:00:00Z\"}");
    for (created, goes) in [
        ("2024-01-01T12:00:00Z", "2024-06-01T00:00:00Z"),
        ("2024-05-31T23:59:59Z", "2024-06-01T00:00:00Z"),
        ("2024-06-01T00:00:00Z", "2024-06-02T00:00:00Z"),
        ("2024-07-04T15:00:00Z", "2024-07-05T00:00:00Z"),
    ] {
        let found = expires(&rules, &Subject::new("o", 1, None), at(created));
        assert_eq!(found, Some((at(goes), "r")), "{created}");
    }
    let by_day = rule("\"Expiration\":{\"Date\":\"2024-06-01\"}");
    assert_eq!(by_day[0].current, rules[0].current, "the day alone is its midnight");
}

#[test]
fn a_filter_takes_what_meets_all_of_it() {
    let tags = |pairs: &[(&str, &str)]| serde_json::to_string(pairs).expect("plain");
    let (none, a, ab) = (tags(&[]), tags(&[("a", "1")]), tags(&[("a", "1"), ("b", "")]));
    let table: &[(&str, &str, u64, Option<&str>, bool)] = &[
        ("{}", "anything", 0, None, true),
        (r#"{"Prefix":""}"#, "anything", 0, None, true),
        (r#"{"Prefix":"logs/"}"#, "logs/a", 0, None, true),
        (r#"{"Prefix":"logs/"}"#, "log", 0, None, false),
        (r#"{"Prefix":"logs/"}"#, "Logs/a", 0, None, false),
        (r#"{"Tag":{"Key":"a","Value":"1"}}"#, "o", 0, Some(&a), true),
        (r#"{"Tag":{"Key":"a","Value":"1"}}"#, "o", 0, Some(&ab), true),
        (r#"{"Tag":{"Key":"a","Value":"2"}}"#, "o", 0, Some(&ab), false),
        (r#"{"Tag":{"Key":"A","Value":"1"}}"#, "o", 0, Some(&ab), false),
        (r#"{"Tag":{"Key":"b","Value":""}}"#, "o", 0, Some(&ab), true),
        (r#"{"Tag":{"Key":"a","Value":"1"}}"#, "o", 0, Some(&none), false),
        (r#"{"Tag":{"Key":"a","Value":"1"}}"#, "o", 0, None, false),
        // Of tags that cannot be read nothing is known.
        (r#"{"Tag":{"Key":"a","Value":"1"}}"#, "o", 0, Some("a=1"), false),
        (r#"{"ObjectSizeGreaterThan":10}"#, "o", 10, None, false),
        (r#"{"ObjectSizeGreaterThan":10}"#, "o", 11, None, true),
        (r#"{"ObjectSizeGreaterThan":0}"#, "o", 0, None, false),
        (r#"{"ObjectSizeLessThan":10}"#, "o", 10, None, false),
        (r#"{"ObjectSizeLessThan":10}"#, "o", 9, None, true),
        (r#"{"And":{"ObjectSizeGreaterThan":1,"ObjectSizeLessThan":3}}"#, "o", 2, None, true),
        (r#"{"And":{"ObjectSizeGreaterThan":1,"ObjectSizeLessThan":3}}"#, "o", 3, None, false),
        (r#"{"And":{"Prefix":"x","Tags":[{"Key":"a","Value":"1"}]}}"#, "x1", 0, Some(&a), true),
        (r#"{"And":{"Prefix":"x","Tags":[{"Key":"a","Value":"1"}]}}"#, "y", 0, Some(&a), false),
        (r#"{"And":{"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":""}]}}"#, "o", 0, Some(&a), false),
        (r#"{"And":{"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":""}]}}"#, "o", 0, Some(&ab), true),
    ];
    for (filter, name, size, tags, fits) in table {
        let rules = scoped(filter, "\"Expiration\":{\"Days\":1}");
        let found = expires(&rules, &Subject::new(name, *size, *tags), at("2024-01-01T12:00:00Z"));
        assert_eq!(found.is_some(), *fits, "{filter} of {name:?}, {size} bytes, tags {tags:?}");
    }
}

#[test]
fn the_newest_that_are_not_current_stay_whatever_their_age() {
    let rules = rule("\"NoncurrentVersionExpiration\":{\"NoncurrentDays\":1,\"NewerNoncurrentVersions\":2}");
    let old = at("2000-01-01T00:00:00Z");
    for (newer, goes) in [(None, false), (Some(0), false), (Some(1), false), (Some(2), true), (Some(9), true)]
    {
        let subject = Subject::new("o", 1, None);
        assert_eq!(expires_noncurrent(&rules, &subject, old, newer).is_some(), goes, "{newer:?} newer");
        assert_eq!(expires_old_marker(&rules, &subject, old, newer).is_some(), goes, "marker, {newer:?}");
    }
    let scsp = parse(["RuleId:\"r\" ObsoleteExpirationDays:1"]).expect("a rule");
    assert!(expires_old_marker(&scsp, &Subject::new("o", 0, None), old, Some(5)).is_none());
}

#[test]
fn a_lone_marker_goes_at_the_next_midnight_or_at_the_age_of_what_is_current() {
    let created = at("2024-01-01T12:00:00Z");
    let lone = |action: &str| {
        expires_lone_marker(&rule(action), &Subject::new("o", 0, None), created).map(|(at, _)| at)
    };
    assert_eq!(lone("\"Expiration\":{\"ExpiredObjectDeleteMarker\":true}"), Some(at("2024-01-02T00:00:00Z")));
    assert_eq!(lone("\"Expiration\":{\"ExpiredObjectDeleteMarker\":false}"), None);
    assert_eq!(lone("\"Expiration\":{\"Days\":10}"), Some(at("2024-01-12T00:00:00Z")));
    assert_eq!(lone("\"NoncurrentVersionExpiration\":{\"NoncurrentDays\":1}"), None);
    let scsp = parse(["RuleId:\"r\" ExpirationDays:1"]).expect("a rule");
    assert!(expires_lone_marker(&scsp, &Subject::new("o", 0, None), created).is_none());
}

#[test]
fn what_is_wrong_is_refused_as_aws_refuses_it() {
    use Fault::{InvalidArgument as A, InvalidRequest as R, MalformedXml as M, NotImplemented as N};
    const DAYS: &str = r#""Expiration":{"Days":1}"#;
    let long = "x".repeat(256);
    let of = |inside: &str| format!("[{{{inside}}}]");
    let fine = |inside: &str| of(&format!(r#""ID":"r","Status":"Enabled",{inside}"#));
    let acts = |filter: &str| fine(&format!("\"Filter\":{filter},{DAYS}"));
    let does = |action: &str| fine(&format!("\"Filter\":{{}},{action}"));
    for (rules, fault, says) in [
        ("[]".to_owned(), M, "no rule"),
        (of(&format!("\"Status\":\"enabled\",\"Filter\":{{}},{DAYS}")), M, "Status"),
        (of(&format!("\"Filter\":{{}},{DAYS}")), M, "Status"),
        (fine(DAYS), M, "a rule has a Filter"),
        (fine(&format!("\"Prefix\":\"a\",\"Filter\":{{}},{DAYS}")), M, "old Prefix"),
        (does("\"Transitions\":[]"), R, "At least one action"),
        (acts(r#"{"Prefix":"a","Tag":{"Key":"a","Value":"b"}}"#), M, "And"),
        (acts(r#"{"And":{"Prefix":"a"}}"#), M, "two conditions"),
        (acts(r#"{"And":{"Tags":[{"Key":"a","Value":"1"},{"Key":"a","Value":"2"}]}}"#), R, "Duplicate Tag"),
        (acts(r#"{"Tag":{"Key":"","Value":"b"}}"#), R, "TagKey"),
        (acts(&format!(r#"{{"Tag":{{"Key":"a","Value":"{long}x"}}}}"#)), R, "TagValue"),
        (acts(r#"{"ObjectSizeGreaterThan":-1}"#), R, "ObjectSizeGreaterThan"),
        (acts(r#"{"ObjectSizeLessThan":0}"#), R, "ObjectSizeLessThan"),
        (acts(r#"{"And":{"ObjectSizeGreaterThan":5,"ObjectSizeLessThan":5}}"#), R, "greater than"),
        (acts(&format!(r#"{{"Prefix":"{}"}}"#, "x".repeat(1_025))), R, "prefix"),
        (does(r#""Expiration":{}"#), M, "one of Days"),
        (does(r#""Expiration":{"Days":0}"#), A, "'Days'"),
        (does(r#""Expiration":{"Days":-1}"#), A, "'Days'"),
        (does(r#""Expiration":{"Days":2147483648}"#), A, "'Days'"),
        (does(r#""Expiration":{"Days":1,"Date":"2024-01-01T00:00:00Z"}"#), M, "one of Days"),
        (does(r#""Expiration":{"Days":1,"ExpiredObjectDeleteMarker":true}"#), M, "one of Days"),
        (does(r#""Expiration":{"Date":"2024-01-01T00:00:01Z"}"#), A, "midnight"),
        (does(r#""Expiration":{"Date":"tomorrow"}"#), M, "Date"),
        (
            fine(
                r#""Filter":{"Tag":{"Key":"a","Value":"b"}},"Expiration":{"ExpiredObjectDeleteMarker":true}"#,
            ),
            R,
            "ExpiredObjectDeleteMarker",
        ),
        (does(r#""NoncurrentVersionExpiration":{"NewerNoncurrentVersions":3}"#), M, "NoncurrentDays"),
        (does(r#""NoncurrentVersionExpiration":{"NoncurrentDays":0}"#), A, "'NoncurrentDays'"),
        (
            does(r#""NoncurrentVersionExpiration":{"NoncurrentDays":1,"NewerNoncurrentVersions":0}"#),
            A,
            "between 1 and 100",
        ),
        (
            does(r#""NoncurrentVersionExpiration":{"NoncurrentDays":1,"NewerNoncurrentVersions":101}"#),
            A,
            "between 1 and 100",
        ),
        (does(r#""AbortIncompleteMultipartUpload":{}"#), M, "DaysAfterInitiation"),
        (does(r#""AbortIncompleteMultipartUpload":{"DaysAfterInitiation":0}"#), A, "'DaysAfterInitiation'"),
        (
            fine(
                r#""Filter":{"Tag":{"Key":"a","Value":"b"}},"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":1}"#,
            ),
            R,
            "Tags",
        ),
        (
            fine(
                r#""Filter":{"ObjectSizeLessThan":9},"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":1}"#,
            ),
            R,
            "Object Size",
        ),
        (does(&format!("{DAYS},\"Transitions\":[{{\"Days\":1}}]")), N, "Transition is not implemented"),
        (
            does(&format!("{DAYS},\"NoncurrentVersionTransitions\":[{{}}]")),
            N,
            "NoncurrentVersionTransition is not implemented",
        ),
        (of(&format!("\"ID\":\"{long}\",\"Status\":\"Enabled\",\"Filter\":{{}},{DAYS}")), A, "255"),
        (of(&format!("\"ID\":\"a\\n\",\"Status\":\"Enabled\",\"Filter\":{{}},{DAYS}")), A, "control"),
    ] {
        let bad = configuration(&rules).compile().expect_err(&rules);
        assert_eq!(bad.fault, fault, "{rules}: {bad}");
        assert!(bad.reason.contains(says), "{rules}: {bad}");
    }
    let one = format!(r#"{{"ID":"r","Status":"Enabled","Filter":{{}},{DAYS}}}"#);
    let twice = configuration(&format!("[{one},{one}]")).compile().expect_err("named twice");
    assert_eq!(twice.fault, A);
    let many = |count: usize| {
        let unnamed = format!(r#"{{"Status":"Enabled","Filter":{{}},{DAYS}}}"#);
        configuration(&format!("[{}]", vec![unnamed; count].join(",")))
    };
    assert!(many(RULES_MAX).compile().is_ok() && many(RULES_MAX + 1).compile().is_err());
    let odd = r#"{"Rules":[{"Status":"Enabled","Filter":{},"Expiration":{"Day":1}}]}"#;
    assert!(serde_json::from_str::<Configuration>(odd).is_err(), "a misspelt word is none");
}

#[test]
fn rules_without_names_are_given_some_and_the_others_keep_theirs() {
    let mut named = configuration(
        r#"[{"ID":"mine","Status":"Enabled","Filter":{},"Expiration":{"Days":1}},
            {"Status":"Disabled","Prefix":"old/","Expiration":{"Days":2}},
            {"ID":"","Status":"Enabled","Filter":{"Prefix":"x"},"Expiration":{"Days":3}}]"#,
    );
    let mut number = 0;
    named.name_rules(|| {
        number += 1;
        format!("made-{number}")
    });
    let rules = named.compile().expect("all fine");
    let told: Vec<(&str, bool, &str)> =
        rules.iter().map(|rule| (rule.id.as_str(), rule.enabled, rule.prefix.as_str())).collect();
    assert_eq!(told, [("mine", true, ""), ("made-1", false, "old/"), ("made-2", true, "x")]);
}

#[test]
fn what_is_stored_is_read_again_and_what_is_not_known_is_not() {
    let rules = scoped(
        r#"{"And":{"Prefix":"p","Tags":[{"Key":"k","Value":"v"}],"ObjectSizeGreaterThan":1}}"#,
        r#""Expiration":{"Days":1},"NoncurrentVersionExpiration":{"NoncurrentDays":2,"NewerNoncurrentVersions":3}"#,
    );
    let stored = serde_json::to_string(&rules).expect("plain");
    assert_eq!(serde_json::from_str::<Vec<ExpiryRule>>(&stored).expect("as stored"), rules);
    let newer = stored.replace("\"s3\":true", "\"s3\":true,\"only_if\":1");
    assert!(serde_json::from_str::<Vec<ExpiryRule>>(&newer).is_err(), "half a rule deletes the wrong things");
    assert_eq!(
        rules[0].to_string(),
        "RuleId:\"r\" Enabled:true NamePrefix:\"p\" ExpirationMidnights:1 ObsoleteExpirationMidnights:2 \
         Tag:\"k=v\" SizeGreaterThan:1 NewerObsoleteKept:3"
    );
}
