//! What describes an object, as S3's requests say it, as it is stored, and as answers say it. It is stored as headers under
//! the names that they have on the wire, so that SCSP reads what S3 wrote and the other way round.

use super::error::{Trouble, trouble, unbuilt};
use crate::objects::ROLLUP;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers that describe the content.
const CONTENT: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];
/// Kept as well, and given back.
const REDIRECT: &str = "x-amz-website-redirect-location";
/// A lock's mode.
pub(super) const MODE: &str = "x-amz-object-lock-mode";
/// When its retention ends.
pub(super) const UNTIL: &str = "x-amz-object-lock-retain-until-date";
/// Whether it is held.
pub(super) const HOLD: &str = "x-amz-object-lock-legal-hold";
/// The beginning of the names of locks.
const LOCK: &str = "x-amz-object-lock-";
/// The beginning of the names of user metadata.
const USER: &str = "x-amz-meta-";
/// The most bytes of user metadata, names and values together.
const USER_MAX: usize = 2048;
/// What an object without a content type is.
const DEFAULT_TYPE: &str = "binary/octet-stream";

/// A header as it is kept.
pub(super) type Pair = (String, String);

/// The headers to keep of a request that writes an object, with its user metadata.
///
/// # Errors
/// `MetadataTooLarge`; `InvalidArgument` for a value that is no text.
pub(super) fn kept(headers: &HeaderMap, user: &[Pair]) -> Result<Vec<Pair>, Trouble> {
    let mut kept = Vec::new();
    for name in CONTENT.iter().chain([&REDIRECT]) {
        let Some(value) = headers.get(*name) else { continue };
        let value = text(name, value)?;
        let value = match *name {
            "content-encoding" => without_framing(value),
            _ => value.to_owned(),
        };
        if *name == REDIRECT {
            place_to_go(&value)?;
        }
        if !value.is_empty() {
            kept.push(((*name).to_owned(), wire_form(&value)));
        }
    }
    let size = |(name, value): &Pair| name.len() + value.len();
    if user.iter().map(size).sum::<usize>() > USER_MAX {
        return Err(trouble(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        ));
    }
    kept.extend(user.iter().map(|(name, value)| (format!("{USER}{name}"), wire_form(value.trim()))));
    Ok(kept)
}

/// Passes if a page could lead there.
///
/// # Errors
/// `InvalidRedirectLocation` for what is neither a path nor a URL.
pub(super) fn place_to_go(location: &str) -> Result<(), Trouble> {
    match ["/", "http://", "https://"].into_iter().any(|start| location.starts_with(start)) {
        true => Ok(()),
        false => Err(trouble(
            "InvalidRedirectLocation",
            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
        )),
    }
}

/// The user metadata among headers, by name. A name that stands more than once has all of its values.
///
/// # Errors
/// `InvalidArgument` for a value that is no text.
pub(super) fn user(headers: &HeaderMap) -> Result<Vec<Pair>, Trouble> {
    let mut user = Vec::new();
    for name in headers.keys() {
        let Some(short) = name.as_str().strip_prefix(USER).filter(|short| !short.is_empty()) else {
            continue;
        };
        let values = headers.get_all(name).iter().map(|value| text(name.as_str(), value));
        user.push((short.to_owned(), values.collect::<Result<Vec<_>, _>>()?.join(",")));
    }
    user.sort();
    Ok(user)
}

fn text<'v>(name: &str, value: &'v HeaderValue) -> Result<&'v str, Trouble> {
    std::str::from_utf8(value.as_bytes())
        .map_err(|_| super::error::invalid(format!("The header {name} is not text.")))
}

/// `aws-chunked` says how the body was framed on the way here, not what it is.
fn without_framing(value: &str) -> String {
    let codings = value
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"));
    codings.collect::<Vec<_>>().join(", ")
}

/// A text as a header can carry it: other than ASCII as RFC 2047 has it, as AWS answers.
fn wire_form(value: &str) -> String {
    if value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
        return value.to_owned();
    }
    format!("=?UTF-8?B?{}?=", STANDARD.encode(value))
}

/// Puts what was kept into an answer.
pub(super) fn echo(kept: &[Pair], answer: &mut HeaderMap) {
    for (name, value) in kept {
        if !shown(name) {
            continue;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            answer.append(name, value);
        }
    }
    answer.entry("content-type").or_insert(HeaderValue::from_static(DEFAULT_TYPE));
}

/// Whether a header that was kept concerns S3's clients: what describes the content, and custom metadata of any door.
fn shown(name: &str) -> bool {
    CONTENT.contains(&name) || name == REDIRECT || (name.starts_with("x-") && name.contains("-meta"))
}

/// What of stored headers a copy takes along: everything that describes the object, nothing that says how it lives or who
/// may touch it.
pub(super) fn copied(stored: Vec<Pair>) -> Vec<Pair> {
    stored.into_iter().filter(|(name, _)| shown(name) && name != REDIRECT).collect()
}

/// Refuses what a request asks for beyond what is built, by name: nothing is passed over in silence.
///
/// # Errors
/// `NotImplemented`, `InvalidStorageClass`.
pub(super) fn refuse_unbuilt(headers: &HeaderMap) -> Result<(), Trouble> {
    match headers.contains_key(ROLLUP) {
        true => Err(unbuilt("Nats-Rollup beside another call than PutObject")),
        false => refuse_unbuilt_in_writing(headers),
    }
}

/// The same of PutObject.
///
/// # Errors
/// As [`refuse_unbuilt`].
pub(super) fn refuse_unbuilt_in_writing(headers: &HeaderMap) -> Result<(), Trouble> {
    for name in headers.keys().map(HeaderName::as_str) {
        let value = || headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match name {
            "x-amz-storage-class" if !matches!(value(), "STANDARD" | "") => {
                return Err(trouble("InvalidStorageClass", "The storage class you specified is not valid"));
            }
            // Who asks for a hold and hears nothing of it thinks that it holds.
            _ if name.starts_with(LOCK) && ![MODE, UNTIL, HOLD].contains(&name) => return Err(unbuilt(name)),
            "x-amz-bucket-namespace" => return Err(unbuilt(name)),
            "x-amz-write-offset-bytes" => return Err(unbuilt("x-amz-write-offset-bytes")),
            _ if name.starts_with("x-amz-server-side-encryption")
                || name.starts_with("x-amz-copy-source-server-side-encryption") =>
            {
                return Err(unbuilt(name));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_is_not_the_contents_coding() {
        assert_eq!(without_framing("aws-chunked"), "");
        assert_eq!(without_framing("gzip, aws-chunked"), "gzip");
        assert_eq!(without_framing("AWS-Chunked,gzip"), "gzip");
    }

    #[test]
    fn metadata_that_is_no_ascii_is_kept_as_a_header_can_carry_it() {
        let given = [("a".to_owned(), "grün".to_owned()), ("b".to_owned(), "plain".to_owned())];
        let stored = kept(&HeaderMap::new(), &given).unwrap();
        assert_eq!(stored[0], ("x-amz-meta-a".to_owned(), "=?UTF-8?B?Z3LDvG4=?=".to_owned()));
        assert_eq!(stored[1], ("x-amz-meta-b".to_owned(), "plain".to_owned()));
        let much = [("k".to_owned(), "v".repeat(2048))];
        assert_eq!(kept(&HeaderMap::new(), &much).unwrap_err().code().as_str(), "MetadataTooLarge");
    }

    #[test]
    fn what_is_not_built_is_refused_by_name() {
        let code = |name: &'static str, value: &'static str| {
            let headers =
                HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
            refuse_unbuilt(&headers)
                .map_or_else(|trouble| trouble.code().as_str().to_owned(), |()| "fine".to_owned())
        };
        assert_eq!(code("x-amz-server-side-encryption", "AES256"), "NotImplemented");
        assert_eq!(code("x-amz-object-lock-event-hold", "ON"), "NotImplemented");
        assert_eq!(code("x-amz-object-lock-legal-hold", "ON"), "fine");
        assert_eq!(code("x-amz-storage-class", "GLACIER"), "InvalidStorageClass");
    }
}
