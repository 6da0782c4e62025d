//! What a request asks for that `s3s` would pass over. An argument or a condition that was meant must not be ignored: a PUT
//! that names a version would overwrite another, a part without its upload would become an object.

use super::error::{Trouble, invalid, trouble};
use super::target::Named;
use http::Method;
use http::request::Parts;

/// Passes if nothing of the request would be passed over.
///
/// # Errors
/// `InvalidArgument`; `MissingContentLength`, `MalformedTrailerError` for what frames a body and says nothing.
pub(super) fn check(parts: &Parts, named: &Named) -> Result<(), Trouble> {
    for name in ["if-match", "if-none-match", "x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match"]
    {
        if parts.headers.get(name).is_some_and(|value| value.as_bytes().trim_ascii().is_empty()) {
            return Err(invalid(format!(
                "The header {name} is empty: a condition names an entity tag, or *."
            )));
        }
    }
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
    let form = parts.headers.get("x-amz-content-sha256").map(|form| form.as_bytes()).unwrap_or_default();
    // Of signatures that are not built, that is what is told.
    let built = !form.starts_with(b"STREAMING-AWS4-ECDSA");
    if built && form.ends_with(b"-TRAILER") && !parts.headers.contains_key("x-amz-trailer") {
        return Err(trouble(
            "MalformedTrailerError",
            "The header x-amz-trailer does not say what comes behind the body.",
        ));
    }
    let query = parts.uri.query().unwrap_or_default();
    let has = |argument: &str| query.split('&').any(|pair| pair.split('=').next() == Some(argument));
    if query.split('&').any(|pair| pair == "versionId=" || pair == "versionId") {
        return Err(invalid("Version id cannot be the empty string"));
    }
    if parts.method == Method::PUT && named.key.is_some() {
        if has("versionId") && !["tagging", "acl", "retention", "legal-hold"].into_iter().any(has) {
            return Err(invalid("This operation does not accept a version-id."));
        }
        if has("partNumber") != has("uploadId") {
            return Err(invalid("A part is named by both partNumber and uploadId."));
        }
    }
    Ok(())
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
        check(&parts, &Named::read(&parts, None).unwrap()).is_ok()
    }

    #[test]
    fn what_was_meant_is_not_passed_over() {
        for (method, uri) in [
            ("GET", "/b/k?versionId="),
            ("DELETE", "/b/k?versionId"),
            ("PUT", "/b/k?versionId=abc"),
            ("PUT", "/b/k?partNumber=1"),
            ("PUT", "/b/k?uploadId=1"),
        ] {
            assert!(!passes(method, uri, &[]), "{method} {uri}");
        }
        assert!(!passes("PUT", "/b/k", &[("if-none-match", "")]));
        assert!(!passes("DELETE", "/b/k", &[("if-match", " ")]));
        for (method, uri) in [
            ("GET", "/b/k?versionId=abc&partNumber=2"),
            ("PUT", "/b/k?tagging&versionId=abc"),
            ("PUT", "/b/k?partNumber=1&uploadId=2"),
            ("PUT", "/b?versioning"),
        ] {
            assert!(passes(method, uri, &[("if-match", "*")]), "{method} {uri}");
        }
    }
}
