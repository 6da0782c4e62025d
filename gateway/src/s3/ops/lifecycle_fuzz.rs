//! Fuzz target: a lifecycle document is refused, or it is the configuration that is given back, and no rule that it compiles to
//! lets anything go before its time.

use super::*;
use bolero::check;
use lifecycle::lifecycle_rules::{Subject, aborts, expires, expires_noncurrent};

const FRAGMENTS: &[&str] = &[
    "<LifecycleConfiguration>",
    "</LifecycleConfiguration>",
    "<Rule>",
    "</Rule>",
    "<Rule><Status>Enabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule>",
    "<Rule><Status>Enabled</Status><Prefix>x</Prefix><Expiration><Days>1</Days></Expiration></Rule>",
    "<ID>a</ID>",
    "<ID/>",
    "<Status>Enabled</Status>",
    "<Status>Disabled</Status>",
    "<Prefix>x/</Prefix>",
    "<Filter>",
    "</Filter>",
    "<Filter/>",
    "<And>",
    "</And>",
    "<Tag><Key>k</Key><Value>v</Value></Tag>",
    "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>",
    "<ObjectSizeLessThan>9</ObjectSizeLessThan>",
    "<Expiration>",
    "</Expiration>",
    "<Days>1</Days>",
    "<Days>-1</Days>",
    "<Days>99999999999</Days>",
    "<Date>2030-01-01T00:00:00Z</Date>",
    "<Date>2030-01-01T00:00:01Z</Date>",
    "<Date>2030-02-30</Date>",
    "<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>",
    "<NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays></NoncurrentVersionExpiration>",
    "<NewerNoncurrentVersions>3</NewerNoncurrentVersions>",
    "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
    "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>",
    "<!-- -->",
    "<![CDATA[x]]>",
    "&amp;",
    "&#x1f600;",
    "<",
    " ",
    "\u{e9}",
];

fn text(bytes: &[u8]) -> String {
    crate::fuzzing::text(bytes, FRAGMENTS)
}

#[test]
fn fuzz_lifecycle_documents() {
    check!().with_test_time(crate::fuzzing::A_MOMENT).with_max_len(24).for_each(|bytes: &[u8]| {
        for document in [
            text(bytes),
            format!("<LifecycleConfiguration>{}</LifecycleConfiguration>", text(bytes)),
            format!(
                "<LifecycleConfiguration><Rule><Status>Enabled</Status>{}</Rule></LifecycleConfiguration>",
                text(bytes)
            ),
            String::from_utf8_lossy(bytes).into_owned(),
        ] {
            let Ok(mut configuration) = read(document.as_bytes()) else { continue };
            let mut number = 0;
            configuration.name_rules(|| {
                number += 1;
                format!("made {number}")
            });
            let Ok(rules) = configuration.compile() else { continue };
            assert!(!rules.is_empty(), "{document}");
            let stored = serde_json::to_string(&configuration).expect("plain values");
            let stored: Configuration = serde_json::from_str(&stored).expect("what was stored");
            assert_eq!(stored, configuration);
            let told = stored.rules.clone().into_iter().map(shown).map(rule).collect::<Vec<_>>();
            let again = Configuration { rules: told, transition_default_minimum_object_size: None };
            assert_eq!(again.compile().as_ref(), Ok(&rules), "{document}");
            let now = Time::from_secs(1_704_067_200 + i64::try_from(bytes.len()).expect("short"));
            let of = Subject::new("x/y", 5, Some(r#"[["k","v"]]"#));
            for (at, _) in [
                expires(&rules, &of, now),
                expires_noncurrent(&rules, &of, now, Some(9)),
                aborts(&rules, &of, now),
            ]
            .into_iter()
            .flatten()
            {
                assert!(at > now, "gone at once: {document}");
            }
        }
    });
}
