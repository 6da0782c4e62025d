//! Fuzz targets: what `Policy-Lifecycle` accepts means the same once it is rendered, and deletes nothing before its
//! time.

use super::*;
use crate::fuzzing::{A_MOMENT, text};
use bolero::check;

const FRAGMENTS: &[&str] = &[
    " ",
    ",",
    ":",
    "\"",
    "%20",
    "%2F",
    "%22",
    "%C3%A9",
    "%",
    "RuleId:",
    "RuleId:\"a\" ",
    "RuleId:\"b\" ",
    ", RuleId:\"c\" ExpirationDays:3",
    "Enabled:",
    "Enabled:false ",
    "true",
    "NamePrefix:",
    "NamePrefix:\"x/\" ",
    "NamePrefix:\"%2Fx\" ",
    "ExpirationDays:",
    "ExpirationDays:1 ",
    "ExpirationDate:",
    "ExpirationDate:2024-01-01 ",
    "2024-02-30",
    "2024-01-01T00:00:00Z",
    "2024-01-01T23:59:60.999Z",
    "ObsoleteExpirationDays:",
    "ObsoleteExpirationDays:0 ",
    "ObsoleteExpirationDate:2030-12-31T00:00:00.000Z ",
    "Obsolete",
    "4294967295",
    "00",
    "\u{e9}",
];

#[test]
fn fuzz_policy_lifecycle() {
    check!().with_test_time(A_MOMENT).with_max_len(16).for_each(|bytes: &[u8]| {
        let text = text(bytes, FRAGMENTS);
        let Ok(rules) = parse(text.split('\n')) else { return };
        let rendered: Vec<String> = rules.iter().map(ToString::to_string).collect();
        assert_eq!(
            parse(rendered.iter().map(String::as_str)).as_ref(),
            Ok(&rules),
            "rendered as {rendered:?}"
        );
        let stored = serde_json::to_string(&rules).expect("plain values");
        assert_eq!(serde_json::from_str::<Vec<ExpiryRule>>(&stored).expect("what was stored"), rules);
        for rule in &rules {
            assert!(!rule.id.is_empty() && !rule.prefix.starts_with('/') && !rule.prefix.contains('\0'));
            assert!(rule.current.is_some() || rule.noncurrent.is_some());
            assert_eq!(rules.iter().filter(|other| other.id == rule.id).count(), 1, "ids are unique");
        }
        let created = Time::from_secs(1_704_067_200 + i64::try_from(text.len()).expect("short"));
        for name in ["x/y", "z"] {
            if let Some((at, id)) = expires(&rules, &Subject::new(name, 0, None), created) {
                assert!(at > created, "gone at once by {id}");
                let by = rules.iter().find(|rule| rule.id == id).expect("one of them");
                assert!(by.enabled && name.starts_with(&by.prefix) && by.current.is_some());
            }
            if let Some((at, _)) = expires_noncurrent(&rules, &Subject::new(name, 0, None), created, None) {
                assert!(at >= created);
            }
        }
    });
}

#[test]
fn fuzz_policy_versioning() {
    const WORDS: &[&str] = &[
        "enabled",
        "suspended",
        "DISABLED",
        "required",
        "anchored",
        "Anchored",
        " ",
        "\t",
        ",",
        "=",
        "\u{130}",
    ];
    check!().with_test_time(A_MOMENT).with_max_len(6).for_each(|bytes: &[u8]| {
        let text = text(bytes, WORDS);
        if let Ok(policy) = crate::VersioningPolicy::parse(&text) {
            assert_eq!(crate::VersioningPolicy::parse(&policy.to_string()), Ok(policy));
            assert!(
                !policy.anchored
                    || text.to_lowercase().contains("anchored")
                    || text.to_lowercase().contains("required")
            );
        }
        if let Ok(on) = parse_domain(&text) {
            assert_eq!(text.trim().eq_ignore_ascii_case("enabled"), on);
        }
    });
}
