//! Fuzz targets: decoding never panics, never decodes twice, and what it accepts can be written again.

use super::*;
use crate::fuzzing::{A_MOMENT, encoded, text};
use bolero::check;

const FRAGMENTS: &[&str] = &[
    "/",
    "//",
    "?",
    "&",
    "=",
    "+",
    "%",
    "%%",
    "%2",
    "%25",
    "%2F",
    "%2f",
    "%252F",
    "%26",
    "%3D",
    "%00",
    "%0a",
    "%20",
    "%C3",
    "%A9",
    "%C3%A9",
    "%C0%AF",
    "%ff",
    "%zz",
    ".",
    "..",
    "domain",
    "Domain=",
    "domain=d.example",
    "recursive",
    "RECURSIVE=now",
    "recursive=maybe",
    "alias=no",
    "\u{e9}",
    "\u{130}",
];

#[test]
fn fuzz_http_path() {
    check!().with_test_time(A_MOMENT).with_max_len(24).for_each(|bytes: &[u8]| {
        let raw = text(bytes, FRAGMENTS);
        if let Ok(name) = decode_path(&raw) {
            assert!(!name.contains('\0'));
            assert_eq!(decode_path(&encoded(&name)).as_deref(), Ok(name.as_ref()), "written again");
            // Once: as many percent signs are left as were encoded.
            let sent = raw.to_uppercase().matches("%25").count();
            assert_eq!(name.matches('%').count(), sent, "{raw:?} became {name:?}");
        }
        // And whatever a client encodes arrives as it was meant.
        if !raw.contains('\0') {
            assert_eq!(decode_path(&encoded(&raw)).as_deref(), Ok(raw.as_str()));
        }
    });
}

#[test]
fn fuzz_http_query() {
    check!().with_test_time(A_MOMENT).with_max_len(40).for_each(|bytes: &[u8]| {
        let raw = text(bytes, FRAGMENTS);
        let Ok(query) = Query::parse(Some(&raw)) else { return };
        let written: Vec<String> =
            query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        assert_eq!(Query::parse(Some(&written.join("&"))).as_ref(), Ok(&query), "written again");
        for (name, value) in query.iter() {
            assert!(!name.bytes().any(|b| b.is_ascii_uppercase()));
            assert_eq!(query.iter().filter(|(other, _)| *other == name).count(), 1, "a name stands once");
            assert_eq!(query.get(&name.to_ascii_uppercase()), Some(value));
            // A flag is on, off or refused; never guessed.
            match query.flag(name) {
                Ok(true) => assert!(["", "yes", "true"].contains(&value.to_ascii_lowercase().as_str())),
                Ok(false) => assert!(["no", "false"].contains(&value.to_ascii_lowercase().as_str())),
                Err(_) => {}
            }
        }
    });
}
