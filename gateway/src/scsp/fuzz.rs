//! Fuzz target: whatever the request line and Host say, the request is refused or about what they name.

use super::ops::delete_context::{Recursive, recursive};
use super::request::{Operation, Target, decode};
use crate::fuzzing::{A_MOMENT, encoded, text};
use crate::http::{Query, decode_path};
use bolero::check;
use http::Request;
use http::request::Parts;
use lifecycle::DomainName;

const METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "DELETE", "DELETE", "COPY", "APPEND", "SEND", "BREW"];

const PATHS: &[&str] = &[
    "/",
    "/",
    "//",
    "b",
    "bucket",
    "o.txt",
    "0123456789abcdef0123456789ABCDEF",
    "0123456789abcdef0123456789abcde",
    ".",
    "..",
    "%",
    "%2F",
    "%2f",
    "%252F",
    "%00",
    "%20",
    "%C3%A9",
    "%ff",
    "+",
    ":",
    "$BUCKET",
];

const ARGUMENTS: &[&str] = &[
    "&",
    "&",
    "=",
    "domain=",
    "domain=e.example",
    "DOMAIN=E.Example",
    "%64omain=e.example",
    "domain=e..example",
    "domain=127.0.0.1",
    "domain=e.example%2F",
    "domain",
    "recursive",
    "Recursive=",
    "recursive=yes",
    "recursive=TRUE",
    "recursive=now",
    "recursive=now%20",
    "recursive=maybe",
    "recursive=no",
    "recursive=1",
    "cid=0123456789abcdef0123456789abcdef",
    "recreatecid=0123456789abcdef0123456789abcdef",
    "format=json",
    "alias",
    "version=x",
    "%",
    "+",
    "%26",
];

const HOSTS: &[&str] = &[
    "d.example",
    "D.Example",
    ":",
    "8080",
    ".",
    "-",
    "127.0.0.1",
    "[::1]",
    "e.example",
    "/",
    "@",
    " ",
    "\u{e9}",
];

/// A request as the door gets it, if the HTTP library lets it through.
fn request(method: u8, path: &str, query: Option<&str>, host: &str, context: bool) -> Option<Parts> {
    let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let content_type = if context { "application/castorcontext" } else { "text/plain" };
    let request = Request::builder()
        .method(METHODS[usize::from(method) % METHODS.len()])
        .uri(target)
        .header("host", host)
        .header("content-type", content_type)
        .body(());
    Some(request.ok()?.into_parts().0)
}

/// The path that a careful client would write for the same thing.
fn path_of(target: &Target) -> String {
    match target {
        Target::Root => "/".to_owned(),
        Target::Uuid(uuid) => format!("/{uuid}"),
        Target::Bucket(bucket) => format!("/{}", encoded(bucket.as_str())),
        Target::Object(bucket, name) => format!("/{}/{}", encoded(bucket.as_str()), encoded(name.as_str())),
        Target::Child(name) => format!("/{}", encoded(name)),
    }
}

/// The last value of `name` in the raw query, found without the door's own reader.
fn last_argument(raw: &str, name: &str) -> Option<String> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut arguments = raw.rsplit('&').map(|one| one.split_once('=').unwrap_or((one, "")));
    arguments.find(|(known, _)| decode(known).eq_ignore_ascii_case(name)).map(|(_, value)| decode(value))
}

#[test]
fn fuzz_scsp_request() {
    type Given = (u8, Vec<u8>, Vec<u8>, Vec<u8>, bool);
    check!().with_type::<Given>().with_test_time(A_MOMENT).for_each(
        |(method, path, query, host, context)| {
            let short = |bytes: &[u8], fragments| text(&bytes[..bytes.len().min(8)], fragments);
            let path = format!("/{}", short(path, PATHS));
            let query = (!query.is_empty()).then(|| short(query, ARGUMENTS));
            let host = short(host, HOSTS);
            let Some(parts) = request(*method, &path, query.as_deref(), &host, *context) else { return };
            // The door before this one refuses a '#', at which the library cuts the rest off.
            if path.contains('#') || query.as_ref().is_some_and(|query| query.contains('#')) {
                return;
            }
            let Ok((operation, asked)) = decode(&parts) else { return };
            let raw = parts.uri.query().unwrap_or_default();

            // The argument names the domain, or nothing does but the Host.
            match last_argument(raw, "domain") {
                Some(domain) => {
                    let named = DomainName::parse(&domain).expect("a bad one is refused");
                    assert_eq!((asked.domain.name.as_ref(), asked.domain.explicit), (Some(&named), true));
                }
                None => {
                    assert!(!asked.domain.explicit);
                    if let Some(name) = &asked.domain.name {
                        let host = host.trim().to_ascii_lowercase();
                        assert!(
                            host == name.as_str() || host.starts_with(&format!("{name}:")),
                            "{host}: {name}"
                        );
                    }
                }
            }

            // What destroys was said in so many words.
            let said = last_argument(raw, "recursive").map(|value| value.to_ascii_lowercase());
            let meaning = match said.as_deref() {
                None | Some("no" | "false") => Some(Recursive::No),
                Some("" | "yes" | "true") => Some(Recursive::Yes),
                Some("now") => Some(Recursive::Now),
                Some(_) => None,
            };
            assert_eq!(recursive(asked.query.get("recursive")).ok(), meaning, "{raw}");

            // A whole domain is meant only by the path `/`, and a bucket only by a path of one name.
            let decoded = decode_path(parts.uri.path()).expect("it was accepted");
            let names: Vec<&str> = decoded.split('/').filter(|name| !name.is_empty()).collect();
            if operation == Operation::DeleteContext {
                match &asked.target {
                    Target::Root => {
                        assert_eq!(decoded, "/");
                        assert!(asked.domain.explicit || *context || said.is_some());
                    }
                    Target::Bucket(bucket) => assert_eq!(names, [bucket.as_str()]),
                    other => panic!("DELETE of a context at {other:?}"),
                }
            }
            if let Target::Object(bucket, name) = &asked.target {
                assert!(
                    decoded.ends_with(&format!("{bucket}/{name}")),
                    "{decoded} is not {bucket} and {name}"
                );
            }

            // What was accepted, written carefully, is the same again.
            let arguments: Vec<String> = asked
                .query
                .iter()
                .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
                .collect();
            let arguments = arguments.join("&");
            let again = request(*method, &path_of(&asked.target), Some(&arguments), &host, *context)
                .expect("well-formed by construction");
            let (same_operation, same) =
                decode(&again).unwrap_or_else(|_| panic!("{} was accepted", again.uri));
            assert_eq!(
                (same_operation, &same.target, &same.domain),
                (operation, &asked.target, &asked.domain)
            );
            assert_eq!(Query::parse(again.uri.query()).as_ref(), Ok(&asked.query));
        },
    );
}
