//! Rules as they are written, refused, applied and written again.

use super::*;

fn at(text: &str) -> Time {
    let at = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").expect("a date of these tests");
    Time::from_micros(at.and_utc().timestamp_micros())
}

fn rules(headers: &[&str]) -> Vec<ExpiryRule> {
    parse(headers.iter().copied()).unwrap_or_else(|bad| panic!("{bad}"))
}

fn rule(id: &str, prefix: &str, current: Option<After>, noncurrent: Option<After>) -> ExpiryRule {
    ExpiryRule {
        id: id.to_owned(),
        enabled: true,
        prefix: prefix.to_owned(),
        current,
        noncurrent,
        ..ExpiryRule::default()
    }
}

#[test]
fn a_rule_is_a_list_of_attributes() {
    let new_year = Some(After::Date(at("2024-01-01T00:00:00")));
    for (header, expected) in [
        (
            r#"RuleId:"rule5" ExpirationDays:1825 ObsoleteExpirationDays:365"#,
            rule("rule5", "", Some(After::Days(1825)), Some(After::Days(365))),
        ),
        (r#"  ruleid : "a"   EXPIRATIONDAYS :  1 "#, rule("a", "", Some(After::Days(1)), None)),
        (
            r#"ExpirationDays:007 NamePrefix:"logs%2Fold%20%C3%A9" RuleId:"50%25""#,
            rule("50%", "logs/old é", Some(After::Days(7)), None),
        ),
        (
            r#"RuleId:"a, b: c" NamePrefix:"" ExpirationDays:1"#,
            rule("a, b: c", "", Some(After::Days(1)), None),
        ),
        (r#"RuleId:"a+b" ObsoleteExpirationDays:0"#, rule("a+b", "", None, Some(After::Days(0)))),
        (r#"RuleId:"a" ExpirationDate:2024-01-01"#, rule("a", "", new_year, None)),
        (r#"RuleId:"a" ExpirationDate:2024-01-01T00:00:00"#, rule("a", "", new_year, None)),
        (r#"RuleId:"a" ExpirationDate:2024-01-01T00:00:00Z"#, rule("a", "", new_year, None)),
        (r#"RuleId:"a" ObsoleteExpirationDate:2024-01-01T00:00:00.000Z"#, rule("a", "", None, new_year)),
        (r#"RuleId:"a" ExpirationDate:"2024-01-01" Enabled:TRUE"#, rule("a", "", new_year, None)),
    ] {
        assert_eq!(rules(&[header]), [expected], "{header}");
    }
    assert!(!rules(&[r#"RuleId:"a" Enabled:false ExpirationDays:1"#])[0].enabled);
}

#[test]
fn several_rules_stand_in_several_headers_or_between_commas() {
    let several = rules(&[r#"RuleId:"a" ExpirationDays:1"#, r#"RuleId:"b" ExpirationDays:2"#]);
    assert_eq!(several.len(), 2);
    assert_eq!(rules(&[r#"RuleId:"a" ExpirationDays:1, RuleId:"b" ExpirationDays:2"#]), several);
    assert_eq!(rules(&[r#", RuleId:"a" ExpirationDays:1,,RuleId:"b" ExpirationDays:2 ,"#]), several);
    assert_eq!(rules(&[]), []);
    assert_eq!(rules(&["", " , "]), []);
}

#[test]
fn what_is_not_understood_is_refused_and_located() {
    for (header, text, reason) in [
        ("RuleId:\"a\"", "", "rule 1 (\"a\"): no attribute says when"),
        ("ExpirationDays:1", "", "rule 1: RuleId is missing"),
        ("RuleId:\"\" ExpirationDays:1", "", "rule 1: RuleId has 1 to 255 bytes"),
        ("RuleId:a ExpirationDays:1", "a", "rule 1: the value of RuleId stands in double quotes"),
        (
            "RuleId:\"a\" NamePrefix:x ExpirationDays:1",
            "x",
            "the value of NamePrefix stands in double quotes",
        ),
        ("RuleId:\"a\" NamePrefix:\"/x\" ExpirationDays:1", "/x", "does not begin with a slash"),
        ("RuleId:\"a\" NamePrefix:\"%2Fx\" ExpirationDays:1", "%2Fx", "does not begin with a slash"),
        ("RuleId:\"a\" NamePrefix:\"x ExpirationDays:1", "x ExpirationDays:1", "no closing quote"),
        ("RuleId:\"a\"ExpirationDays:1", "ExpirationDays:1", "a space stands between attributes"),
        ("RuleId:\"a%\" ExpirationDays:1", "a%", "two hexadecimal digits"),
        ("RuleId:\"%zz\" ExpirationDays:1", "%zz", "two hexadecimal digits"),
        ("RuleId:\"%C3\" ExpirationDays:1", "%C3", "not UTF-8"),
        ("RuleId:\"%0a\" ExpirationDays:1", "%0a", "control character"),
        ("RuleId:\"a\" NamePrefix:\"%00\" ExpirationDays:1", "%00", "NUL character"),
        ("RuleId:\"a\" RuleId:\"b\" ExpirationDays:1", "RuleId", "stands twice"),
        ("RuleId:\"a\" Enabled:true Enabled:true ExpirationDays:1", "Enabled", "stands twice"),
        ("RuleId:\"a\" NamePrefix:\"\" NamePrefix:\"x\" ExpirationDays:1", "NamePrefix", "stands twice"),
        ("RuleId:\"a\" Enabled:yes ExpirationDays:1", "yes", "Enabled is true or false"),
        ("RuleId:\"a\" ExpirationDays:0", "0", "at least 1"),
        ("RuleId:\"a\" ExpirationDays:-1", "-1", "a number of days"),
        ("RuleId:\"a\" ExpirationDays:+1", "+1", "a number of days"),
        ("RuleId:\"a\" ExpirationDays:", "", "a number of days"),
        ("RuleId:\"a\" ExpirationDays:1.5", "1.5", "a number of days"),
        ("RuleId:\"a\" ExpirationDays:4294967296", "4294967296", "a number of days"),
        ("RuleId:\"a\" ExpirationDate:2024-02-30", "2024-02-30", "a date is written"),
        ("RuleId:\"a\" ExpirationDate:2024-1-1", "2024-1-1", "a date is written"),
        ("RuleId:\"a\" ExpirationDate:tomorrow", "tomorrow", "a date is written"),
        (
            "RuleId:\"a\" ExpirationDate:2024-01-01T00:00:00+01:00",
            "2024-01-01T00:00:00+01:00",
            "a date is written",
        ),
        ("RuleId:\"a\" ExpirationDays:1 ExpirationDate:2024-01-01", "ExpirationDate", "only one attribute"),
        ("RuleId:\"a\" ExpirationDays:1 ExpirationDays:1", "ExpirationDays", "only one attribute"),
        (
            "RuleId:\"a\" ObsoleteExpirationDays:1 ObsoleteExpirationDate:2024-01-01",
            "ObsoleteExpirationDate",
            "only one attribute",
        ),
        ("RuleId:\"a\" TransitionDays:1", "TransitionDays", "unknown attribute; allowed are RuleId, "),
        ("RuleId:\"a\" ObsoleteEnabled:true ExpirationDays:1", "ObsoleteEnabled", "unknown attribute"),
        ("RuleId:\"a\" ExpirationDays", "ExpirationDays", "a name, a colon and a value"),
        ("disabled", "disabled", "a name, a colon and a value"),
        ("RuleId:\"a\" ;ExpirationDays:1", ";ExpirationDays:1", "a name, a colon and a value"),
        ("RuleId:\"a\" oops ExpirationDays:1", "oops", "a name, a colon and a value"),
        (": ", ":", "a name, a colon and a value"),
        ("RuleId:\"a\" ExpirationDays:1, RuleId:\"b\"", "", "rule 2 (\"b\"): no attribute says when"),
        ("RuleId:\"a\" ExpirationDays:1, RuleId:\"%61\" ExpirationDays:2", "a", "rule 2: another rule"),
    ] {
        let bad = parse([header]).expect_err(header);
        assert_eq!(bad.text, text, "{header}: {bad}");
        assert!(bad.reason.contains(reason), "{header}: {bad}");
    }
    let twice = parse(["RuleId:\"a\" ExpirationDays:1", "RuleId:\"a\" ExpirationDays:2"]);
    assert!(twice.is_err(), "ids are unique over all headers");
    assert!(parse([format!("RuleId:\"{}\" ExpirationDays:1", "x".repeat(256)).as_str()]).is_err());
}

#[test]
fn the_earliest_rule_that_fits_the_name_counts() {
    let rules = rules(&[
        r#"RuleId:"all" ExpirationDays:30"#,
        r#"RuleId:"logs" NamePrefix:"logs/" ExpirationDays:7"#,
        r#"RuleId:"off" Enabled:false ExpirationDays:1"#,
        r#"RuleId:"again" NamePrefix:"logs/" ExpirationDays:7"#,
        r#"RuleId:"new%20year" NamePrefix:"cards/" ExpirationDate:2024-01-01"#,
        r#"RuleId:"history" ObsoleteExpirationDays:2"#,
    ]);
    let christmas = "2023-12-24T18:00:00";
    for (name, created, expected) in [
        ("photo", christmas, Some(("2024-01-23T18:00:00", "all"))),
        ("logs/today", christmas, Some(("2023-12-31T18:00:00", "logs"))),
        ("logs", christmas, Some(("2024-01-23T18:00:00", "all"))),
        ("Logs/today", christmas, Some(("2024-01-23T18:00:00", "all"))),
        ("cards/santa", christmas, Some(("2024-01-01T00:00:00", "new year"))),
        // Written when the date had passed already.
        ("cards/late", "2024-01-01T00:00:00", Some(("2024-01-31T00:00:00", "all"))),
    ] {
        let expected = expected.map(|(when, id)| (at(when), id));
        assert_eq!(expires(&rules, &Subject::new(name, 0, None), at(created)), expected, "{name}");
    }
    assert_eq!(
        expires_noncurrent(&rules, &Subject::new("photo", 0, None), at(christmas), None),
        Some((at("2023-12-26T18:00:00"), "history"))
    );
    assert_eq!(expires(&[], &Subject::new("photo", 0, None), at(christmas)), None);
    assert_eq!(expires_noncurrent(&rules[..5], &Subject::new("photo", 0, None), at(christmas), None), None);
}

#[test]
fn a_date_beyond_all_dates_is_never() {
    let endless = [rule("a", "", Some(After::Days(u32::MAX)), None)];
    assert_eq!(expires(&endless, &Subject::new("o", 0, None), Time::from_secs(0)), None);
    assert_eq!(
        expires(
            &[rule("a", "", Some(After::Days(1)), None)],
            &Subject::new("o", 0, None),
            Time::from_micros(i64::MAX - 5)
        ),
        None
    );
}

#[test]
fn what_is_rendered_and_what_is_stored_is_read_back() {
    let written = rules(&[
        r#"RuleId:"a%22b%2C%20%C3%A9" Enabled:false NamePrefix:"x y/%25" ExpirationDate:2024-01-01"#,
        r#"RuleId:"b" ExpirationDays:1 ObsoleteExpirationDays:0"#,
    ]);
    assert_eq!(
        written[0].to_string(),
        r#"RuleId:"a%22b%2C%20%C3%A9" Enabled:false NamePrefix:"x%20y/%25" ExpirationDate:2024-01-01T00:00:00.000Z"#
    );
    assert_eq!(
        written[1].to_string(),
        r#"RuleId:"b" Enabled:true ExpirationDays:1 ObsoleteExpirationDays:0"#
    );
    let rendered: Vec<String> = written.iter().map(ToString::to_string).collect();
    assert_eq!(parse(rendered.iter().map(String::as_str)), Ok(written.clone()));

    let stored = serde_json::to_string(&written).expect("plain values");
    assert!(stored.contains(r#""current":{"days":1},"noncurrent":{"days":0}"#), "{stored}");
    assert_eq!(serde_json::from_str::<Vec<ExpiryRule>>(&stored).expect("what was stored"), written);
}

#[test]
fn a_domain_switches_its_buckets_rules_within_what_the_cluster_allows() {
    assert_eq!(parse_domain(" Enabled "), Ok(true));
    assert_eq!(parse_domain("disabled"), Ok(false));
    for bad in ["", "on", "enabled anchored", "RuleId:\"a\" ExpirationDays:1"] {
        assert!(parse_domain(bad).is_err(), "{bad}");
    }
    for (cluster, domain, holds) in [
        (true, None, true),
        (true, Some(true), true),
        (true, Some(false), false),
        (false, None, false),
        (false, Some(true), false),
    ] {
        assert_eq!(in_force(cluster, domain), holds, "{cluster} {domain:?}");
    }
}
