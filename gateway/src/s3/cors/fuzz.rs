//! Fuzz target: rules that are taken are stored and shown as they came, and say yes to nothing that none of them names.

use super::matching::Asked;
use super::rules::Rules;
use crate::fuzzing::{A_MOMENT, text};
use crate::s3::documents::Kind;
use bolero::check;
use s3s::dto::CORSConfiguration;
use s3s::xml::{Deserialize, Deserializer};

const FRAGMENTS: &[&str] = &[
    "<CORSRule>",
    "</CORSRule>",
    "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>",
    "<AllowedMethod>GET</AllowedMethod>",
    "<AllowedMethod>PUT</AllowedMethod>",
    "<AllowedMethod>",
    "</AllowedMethod>",
    "<AllowedOrigin>",
    "</AllowedOrigin>",
    "<AllowedOrigin>http://*.a</AllowedOrigin>",
    "<AllowedHeader>x-*</AllowedHeader>",
    "<AllowedHeader/>",
    "<ExposeHeader>ETag</ExposeHeader>",
    "<ExposeHeader>",
    "</ExposeHeader>",
    "<MaxAgeSeconds>60</MaxAgeSeconds>",
    "<MaxAgeSeconds>-1</MaxAgeSeconds>",
    "<ID>one</ID>",
    "<ID>",
    "</ID>",
    "<![CDATA[*]]>",
    "<!-- * -->",
    "&#42;",
    "&amp;",
    "&other;",
    "*",
    "http://a",
    "GET",
    "DELETE",
    "null",
    " ",
    "\u{1f600}",
];

#[test]
fn fuzz_cors_rules() {
    check!().with_test_time(A_MOMENT).with_max_len(24).for_each(|bytes: &[u8]| {
        let document = format!("<CORSConfiguration>{}</CORSConfiguration>", text(bytes, FRAGMENTS));
        if Kind::Cors.check(document.as_bytes()).is_err() {
            return;
        }
        let mut reader = Deserializer::new(document.as_bytes());
        let Ok(configuration) = CORSConfiguration::deserialize(&mut reader) else { return };
        let Ok(rules) = Rules::of(configuration) else { return };
        let stored = rules.stored().expect("plain values");
        assert_eq!(Rules::read(&stored).as_ref(), Some(&rules), "stored as {stored}");
        let shown = CORSConfiguration { cors_rules: rules.clone().shown() };
        assert_eq!(Rules::of(shown).as_ref().ok(), Some(&rules), "shown as it came");
        for origin in ["http://a", "http://b.a", "null", ""] {
            for method in ["GET", "PUT", "DELETE", "PATCH"] {
                for headers in [&[][..], &["x-a".to_owned()], &["y".to_owned()]] {
                    let Some(said) = rules.say(Asked { origin, method, headers }) else { continue };
                    assert_ne!(method, "PATCH");
                    assert!(document.contains(method), "{method} by {document}");
                    let value =
                        |name: &str| said.iter().find(|(known, _)| known == name).map(|(_, value)| value);
                    let told = value("access-control-allow-origin").expect("whom it is for");
                    let any = told == "*";
                    assert!(any || told == origin);
                    assert_ne!(any, value("access-control-allow-credentials").is_some());
                    assert_eq!(headers.is_empty(), value("access-control-allow-headers").is_none());
                }
            }
        }
    });
}
