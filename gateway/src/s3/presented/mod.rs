//! What the AWS reference asks of a signed request and `s3s` does not: looked at before `s3s` verifies the signature.
//!
//! - One mechanism, once. A header or argument that stands twice, or two mechanisms at a time, leave open which one counts.
//! - The signature covers `host` and every `x-amz-*` header that is there. `s3s` takes the client's list for granted.
//! - A presigned URL holds seven days at most.
//! - Version 2 is taken in presigned URLs and in forms (`form::signature`), which some clients still make unless they are told
//!   otherwise. `s3s` compares its signatures in a time that tells how much of one is right; so they are compared here first.
//!
//! | file | promise |
//! | --- | --- |
//! | `four` | signatures of version 4, in the header and in the query |
//! | `two` | presigned URLs of version 2 |

mod four;
mod two;

use super::error::{Trouble, denied, invalid, trouble};
use http::header::{AUTHORIZATION, HeaderName};
use http::request::Parts;
use lifecycle::Time;
use percent_encoding::percent_decode_str;
use std::time::Duration;
pub(super) use two::Url;

/// The longest life of a presigned URL, in seconds.
const PRESIGNED_MAX: u64 = 604_800;

/// So much the clocks of a client and ours may differ.
const SKEW_MAX: Duration = Duration::from_secs(15 * 60);

/// What a body may be said to be.
const FORMS: [&str; 6] = [
    "UNSIGNED-PAYLOAD",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
];

/// Looks at how a request says who sent it. A URL of version 2 is given back, for its signature to be compared.
///
/// # Errors
/// AWS's code for what is wrong.
pub(super) fn check<'a>(
    parts: &'a Parts,
    bucket_host: Option<&'a str>,
    now: Time,
) -> Result<Option<Url<'a>>, Trouble> {
    for name in [
        AUTHORIZATION,
        HeaderName::from_static("x-amz-content-sha256"),
        HeaderName::from_static("x-amz-date"),
        http::header::DATE,
    ] {
        if parts.headers.get_all(&name).iter().count() > 1 {
            return Err(trouble("InvalidRequest", format!("The header {name} stands more than once.")));
        }
    }
    if let Some(form) = parts.headers.get("x-amz-content-sha256") {
        let form = form.as_bytes();
        let digest = form.len() == 64 && form.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !digest && !FORMS.iter().any(|known| known.as_bytes() == form) {
            return Err(invalid(
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                 STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.",
            ));
        }
    }
    let query = parts.uri.query().unwrap_or_default();
    let four = four::is_presigned(query);
    let two = argument(query, "Signature")?.is_some() || argument(query, "AWSAccessKeyId")?.is_some();
    let header = parts.headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    match (header, four, two) {
        (None, false, false) => Ok(None),
        (Some(header), false, false) => match header {
            "" => Err(denied("Access Denied")),
            _ if header.starts_with("AWS ") => Err(trouble(
                "InvalidRequest",
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
            )),
            _ if header.starts_with("AWS4-") => four::check_header(parts, header).map(|()| None),
            _ => Err(invalid("Unsupported Authorization Type")),
        },
        (None, true, false) => four::check_query(parts, query, now).map(|()| None),
        (None, false, true) => Url::read(parts, query, bucket_host, now).map(Some),
        _ => Err(invalid(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter \
             or the Authorization header should be specified",
        )),
    }
}

/// Whether anybody has signed a request that was checked.
pub(super) fn is_signed(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    let two = || argument(query, "Signature").is_ok_and(|found| found.is_some());
    parts.headers.contains_key(AUTHORIZATION) || four::is_presigned(query) || two()
}

/// An argument of the query, decoded.
///
/// # Errors
/// It stands more than once.
fn argument(query: &str, name: &str) -> Result<Option<String>, Trouble> {
    let mut values = query.split('&').filter_map(|pair| {
        let (known, value) = pair.split_once('=').unwrap_or((pair, ""));
        // Names of arguments may be encoded as well.
        (percent_decode_str(known).decode_utf8_lossy() == name).then_some(value)
    });
    let first = values.next();
    if first.is_some() && values.next().is_some() {
        return Err(bad_query("an argument of the signature stands more than once"));
    }
    Ok(first.map(|value| percent_decode_str(value).decode_utf8_lossy().into_owned()))
}

fn bad_query(text: &'static str) -> Trouble {
    trouble("AuthorizationQueryParametersError", text)
}

/// `s3s` looks for the time of a signature in `x-amz-date` alone, so a request that was checked and says it in `Date` gets that
/// header, too.
pub(super) fn dated(parts: &mut Parts) {
    let name = HeaderName::from_static("x-amz-date");
    if parts.headers.contains_key(AUTHORIZATION)
        && !parts.headers.contains_key(&name)
        && let Some(date) = four::date(parts)
        && let Ok(date) = date.parse()
    {
        parts.headers.insert(name, date);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, \
                        SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn code(uri: &str, headers: &[(&'static str, &str)]) -> String {
        code_at(Time::from_secs(1_800_000_000), uri, headers)
    }

    fn code_at(now: Time, uri: &str, headers: &[(&'static str, &str)]) -> String {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts, None, now)
            .map_or_else(|trouble| trouble.code().as_str().to_owned(), |_| "fine".to_owned())
    }

    #[test]
    fn a_signature_covers_host_and_all_of_amazons_headers() {
        let base = [
            ("host", "h"),
            ("x-amz-date", "20260101T000000Z"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            ("authorization", GOOD),
        ];
        assert_eq!(code("/b/k", &base), "fine");
        assert_eq!(code("/b/k", &[&base[..], &[("x-amz-acl", "private")]].concat()), "AccessDenied");
        assert_eq!(code("/b/k", &[&base[..], &[("x-other", "1")]].concat()), "fine");
        assert_eq!(code("/b/k", &base[1..]), "SignatureDoesNotMatch", "a signed header that is not there");
        let unsigned = GOOD.replace("host;", "");
        assert_eq!(
            code("/b/k", &[&base[..3], &[("authorization", unsigned.as_str())]].concat()),
            "AccessDenied"
        );
        assert_eq!(code("/b/k", &[&base[..1], &base[2..]].concat()), "AccessDenied", "no date");
        assert_eq!(code("/b/k", &[("x-amz-content-sha256", "ABC")]), "InvalidArgument");
    }

    #[test]
    fn what_nobody_signed_is_not_taken_for_signed() {
        let signed = |uri: &str, headers: &[(&'static str, &str)]| {
            let mut request = Request::builder().uri(uri);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            is_signed(&request.body(()).unwrap().into_parts().0)
        };
        for uri in ["/b/k", "/b/k?prefix=Signature=", "/b/k?x=X-Amz-Signature=1", "/b/Signature=?a"] {
            assert!(!signed(uri, &[]), "{uri}");
        }
        assert!(signed("/b/k", &[("authorization", GOOD)]));
        for uri in
            ["/b/k?AWSAccessKeyId=k&Signature=s&Expires=1", "/b/k?X-Amz-Signature=s", "/b/k?Signatur%65=s"]
        {
            assert!(signed(uri, &[]), "{uri}");
        }
    }

    #[test]
    fn there_is_one_mechanism_at_a_time() {
        assert_eq!(code("/b/k", &[]), "fine");
        assert_eq!(code("/b/k", &[("authorization", "AWS k:sig")]), "InvalidRequest");
        assert_eq!(code("/b/k", &[("authorization", "Basic xyz")]), "InvalidArgument");
        let date = ("x-amz-date", "20260101T000000Z");
        assert_eq!(
            code("/b/k", &[date, ("authorization", "AWS4-HMAC-SHA256 x")]),
            "AuthorizationHeaderMalformed"
        );
        assert_eq!(code("/b/k", &[("authorization", "")]), "AccessDenied");
        assert_eq!(code("/b/k", &[("authorization", GOOD), ("authorization", GOOD)]), "InvalidRequest");
        assert_eq!(code("/b/k?AWSAccessKeyId=k&Signature=s", &[]), "AccessDenied", "without an end");
        assert_eq!(code("/b/k?X-Amz-Signature=s", &[("authorization", GOOD)]), "InvalidArgument");
        assert_eq!(code("/b/k?X%2DAmz-Signature=s", &[("authorization", GOOD)]), "InvalidArgument");
    }

    #[test]
    fn a_presigned_url_holds_a_week() {
        let url = |seconds: &str| {
            code(
                &format!(
                    "/b/k?X-Amz-Signature=s&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k/20260101/r/s3/aws4_request&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host\
                     &X-Amz-Expires={seconds}"
                ),
                &[("host", "h")],
            )
        };
        assert_eq!(url("604800"), "fine");
        assert_eq!(url("0"), "fine", "it has expired, which is looked at elsewhere");
        assert_eq!(code("/b/k?X-Amz-Signature=s", &[("host", "h")]), "AuthorizationQueryParametersError");
        // It was made at the beginning of 2026.
        let early = |seconds: i64| Time::from_secs(1_767_225_600 - seconds);
        let uri = "/b/k?X-Amz-Signature=s&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k/20260101/r/s3/aws4_request\
                   &X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Expires=60";
        assert_eq!(code_at(early(901), uri, &[("host", "h")]), "AccessDenied", "from the future");
        assert_eq!(code_at(early(900), uri, &[("host", "h")]), "fine", "clocks differ");
        for bad in ["604801", "-1", "x", ""] {
            assert_eq!(url(bad), "AuthorizationQueryParametersError", "{bad}");
        }
    }
}
