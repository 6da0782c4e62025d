//! What a request asks for that `s3s` would pass over. An argument or a condition that was meant must not be ignored: a PUT
//! that names a version would overwrite another, a part without its upload would become an object, and a DELETE of an
//! object's lock would delete the object.

use super::arguments::Arguments;
use super::error::{Trouble, invalid, trouble, unbuilt};
use super::subresources;
use super::tags::is_encoded;
use super::target::Named;
use super::trailers::UNSIGNED_TRAILER;
use http::Method;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;

/// Headers that are a condition, or say whom or what is meant: an empty one was meant as something.
const NEVER_EMPTY: [&str; 14] = [
    "if-match",
    "if-none-match",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-range",
    "x-amz-expected-bucket-owner",
    "x-amz-source-expected-bucket-owner",
    "x-amz-if-match-last-modified-time",
    "x-amz-if-match-size",
    "x-amz-if-match-initiated-time",
    "x-amz-mfa",
    "x-amz-mp-object-size",
];

/// Passes if nothing of the request would be passed over.
///
/// # Errors
/// `InvalidArgument`, `MethodNotAllowed`, `NotImplemented`; `MissingContentLength`, `MalformedTrailerError` for what frames a
/// body and says nothing.
pub(super) fn check(parts: &Parts, named: &Named, arguments: &Arguments) -> Result<(), Trouble> {
    if parts.headers.get_all(HOST).iter().count() > 1 {
        return Err(trouble("InvalidRequest", "The header host stands more than once."));
    }
    for name in NEVER_EMPTY {
        if parts.headers.get(name).is_some_and(|value| value.as_bytes().trim_ascii().is_empty()) {
            return Err(invalid(format!("The header {name} is empty.")));
        }
    }
    frame(parts)?;
    copies(parts)?;
    subresources::check(&parts.method, named, arguments)?;
    unevaluated(parts, named)?;
    if arguments.get("versionId") == Some("") {
        return Err(invalid("Version id cannot be the empty string"));
    }
    if parts.method == Method::PUT && named.key.is_some() {
        if arguments.has("versionId")
            && !["tagging", "acl", "retention", "legal-hold"].into_iter().any(|name| arguments.has(name))
        {
            return Err(invalid("This operation does not accept a version-id."));
        }
        if arguments.has("partNumber") != arguments.has("uploadId") {
            return Err(invalid("A part is named by both partNumber and uploadId."));
        }
    }
    Ok(())
}

/// What is to be copied.
fn copies(parts: &Parts) -> Result<(), Trouble> {
    let Some(source) = parts.headers.get("x-amz-copy-source") else { return Ok(()) };
    if parts.method != Method::PUT {
        return Err(invalid("You can only specify a copy source header for copy requests."));
    }
    let source = source.to_str().unwrap_or("%");
    if !is_encoded(source) {
        return Err(invalid("Invalid copy source encoding"));
    }
    let path = source.split('?').next().unwrap_or_default();
    let path = path.strip_prefix('/').unwrap_or(path);
    let named = path.split_once('/').is_some_and(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
    // Access points name theirs in another way.
    if !named && !path.starts_with("arn") && !path.contains("%2F") && !path.contains("%2f") {
        return Err(invalid("Copy Source must mention the source bucket and key: sourcebucket/sourcekey"));
    }
    Ok(())
}

/// What says how a body is framed, and signed.
fn frame(parts: &Parts) -> Result<(), Trouble> {
    let length = parts.headers.get("x-amz-decoded-content-length").map(|length| length.as_bytes());
    let is_number = |text: &[u8]| {
        let text =
            std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        text.is_some_and(|text| text.parse::<u64>().is_ok())
    };
    if length.is_some_and(|length| !is_number(length)) {
        return Err(trouble(
            "MissingContentLength",
            "You must provide the x-amz-decoded-content-length HTTP header.",
        ));
    }
    let Some(form) = parts.headers.get("x-amz-content-sha256").map(|form| form.as_bytes()) else {
        return Ok(());
    };
    // Of signatures that are not built, that is what is told; without a signature, a trailer may bring a checksum and need not.
    let built = !form.starts_with(b"STREAMING-AWS4-ECDSA") && form.starts_with(b"STREAMING-AWS4");
    if built && form.ends_with(b"-TRAILER") && !parts.headers.contains_key("x-amz-trailer") {
        return Err(trouble(
            "MalformedTrailerError",
            "The header x-amz-trailer does not say what comes behind the body.",
        ));
    }
    Ok(())
}

/// Passes if somebody will look at what the request says of its body: `s3s` where there is a signature of version 4, but in a
/// URL not for chunks; and `wire` where nobody has signed it, for a digest and for chunks without signatures.
///
/// # Errors
/// `InvalidRequest`, `NotImplemented`.
pub(super) fn verified(parts: &Parts) -> Result<(), Trouble> {
    let Some(form) = parts.headers.get("x-amz-content-sha256").map(|form| form.as_bytes()) else {
        return Ok(());
    };
    let in_query = parts.uri.query().unwrap_or_default().contains("X-Amz-Signature");
    let in_chunks = form.starts_with(b"STREAMING-");
    match parts.headers.contains_key(AUTHORIZATION) || form == b"UNSIGNED-PAYLOAD" {
        true => Ok(()),
        false if in_query && in_chunks => Err(unbuilt("A presigned URL for a body in chunks")),
        false if in_query => Ok(()),
        // Without it the frames would be taken for what is in them.
        false if in_chunks && !parts.headers.contains_key("x-amz-decoded-content-length") => Err(trouble(
            "MissingContentLength",
            "You must provide the x-amz-decoded-content-length HTTP header.",
        )),
        false if in_chunks && form != UNSIGNED_TRAILER => Err(trouble(
            "InvalidRequest",
            "Anonymous requests don't support this x-amz-content-sha256 value. Please use UNSIGNED-PAYLOAD or \
             STREAMING-UNSIGNED-PAYLOAD-TRAILER.",
        )),
        false => Ok(()),
    }
}

/// Conditions that nobody would look at.
fn unevaluated(parts: &Parts, named: &Named) -> Result<(), Trouble> {
    if named.key.is_none() {
        return Ok(());
    }
    let names: &[&str] = match parts.method {
        Method::PUT => &["if-unmodified-since", "x-amz-if-match-size", "x-amz-if-match-last-modified-time"],
        Method::DELETE => &["if-unmodified-since", "if-none-match"],
        _ => &[],
    };
    match names.iter().find(|name| parts.headers.contains_key(**name)) {
        Some(name) => Err(unbuilt(&format!("{name} on {}", parts.method))),
        None if parts.headers.contains_key("x-amz-copy-source-range")
            && !parts.uri.query().unwrap_or_default().contains("partNumber") =>
        {
            Err(invalid("x-amz-copy-source-range is for the parts of an upload."))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn passes(method: &str, uri: &str, headers: &[(&'static str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let arguments = Arguments::read(parts.uri.query()).unwrap();
        check(&parts, &Named::read(&parts, None).unwrap(), &arguments).is_ok() && verified(&parts).is_ok()
    }

    #[test]
    fn what_was_meant_is_not_passed_over() {
        for (method, uri) in [
            ("GET", "/b/k?versionId="),
            ("DELETE", "/b/k?versionId"),
            ("PUT", "/b/k?versionId=abc"),
            ("PUT", "/b/k?partNumber=1"),
            ("PUT", "/b/k?uploadId=1"),
            ("PUT", "/b/k?%75ploadId=1"),
            ("PUT", "/b/k?restore"),
            ("DELETE", "/b/k?acl"),
            ("DELETE", "/b/k?Tagging"),
            ("DELETE", "/b?uploads"),
            ("PUT", "/b?versions"),
            ("HEAD", "/b/k?acl"),
        ] {
            assert!(!passes(method, uri, &[]), "{method} {uri}");
        }
        for bad in ["", "/", "b", "/b/", "b/%ZZ", "b/%1", "/k", "b?versionId=1"] {
            assert!(!passes("PUT", "/b/k", &[("x-amz-copy-source", bad)]), "{bad}");
        }
        for good in ["b/k", "/b/k%20x?versionId=1", "b%2Fk", "arn:aws:s3:r:1:accesspoint/a/object/k"] {
            assert!(passes("PUT", "/b/k", &[("x-amz-copy-source", good)]), "{good}");
            assert!(!passes("GET", "/b/k", &[("x-amz-copy-source", good)]), "{good}");
        }
        assert!(!passes("PUT", "/b/k", &[("if-none-match", "")]));
        assert!(!passes("DELETE", "/b/k", &[("if-match", " ")]));
        assert!(!passes("DELETE", "/b/k", &[("if-none-match", "*")]));
        let signed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
        assert!(!passes("PUT", "/b/k", &[("x-amz-content-sha256", signed)]), "nobody has signed it");
        for (method, uri) in [
            ("GET", "/b/k?versionId=abc&partNumber=2"),
            ("PUT", "/b/k?tagging&versionId=abc"),
            ("PUT", "/b/k?partNumber=1&uploadId=2"),
            ("PUT", "/b?versioning"),
            ("GET", "/b?versions&x-id=ListObjectVersions"),
            ("DELETE", "/b/k?x-id=DeleteObject"),
        ] {
            assert!(
                passes(method, uri, &[("if-match", "*"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]),
                "{method} {uri}"
            );
        }
    }
}
