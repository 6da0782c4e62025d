//! What the AWS reference asks of a signed request and `s3s` does not: looked at before `s3s` verifies the signature.
//!
//! - One mechanism, once. A header or argument that stands twice, or two mechanisms at a time, leave open which one counts.
//! - Signature version 4 alone. `s3s` verifies version 2 too, with a comparison that takes longer the more of it is right.
//! - The signature covers `host` and every `x-amz-*` header that is there. `s3s` takes the client's list for granted.
//! - A presigned URL holds seven days at most.

use super::error::{Trouble, denied, invalid, trouble};
use http::header::{AUTHORIZATION, HeaderName};
use http::request::Parts;
use percent_encoding::percent_decode_str;

/// The longest life of a presigned URL, in seconds.
const PRESIGNED_MAX: u64 = 604_800;

/// Looks at how a request says who sent it.
///
/// # Errors
/// AWS's code for what is wrong.
pub(super) fn check(parts: &Parts) -> Result<(), Trouble> {
    for name in [
        AUTHORIZATION,
        HeaderName::from_static("x-amz-content-sha256"),
        HeaderName::from_static("x-amz-date"),
    ] {
        if parts.headers.get_all(&name).iter().count() > 1 {
            return Err(trouble("InvalidRequest", format!("The header {name} stands more than once.")));
        }
    }
    if let Some(form) = parts.headers.get("x-amz-content-sha256")
        && !is_form(form.as_bytes())
    {
        return Err(invalid(
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
             STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.",
        ));
    }
    let query = parts.uri.query().unwrap_or_default();
    let presigned = argument(query, "X-Amz-Signature")?;
    let old = argument(query, "Signature")?.is_some() && argument(query, "AWSAccessKeyId")?.is_some();
    let header = parts.headers.get(AUTHORIZATION).map(|value| value.to_str());
    if header.is_some() && (presigned.is_some() || old) {
        return Err(invalid(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter \
             or the Authorization header should be specified",
        ));
    }
    if old {
        return Err(only_version_4());
    }
    match (header, presigned) {
        (Some(header), _) => {
            let header = header.map_err(|_| malformed())?;
            if header.starts_with("AWS ") {
                return Err(only_version_4());
            }
            if !header.starts_with("AWS4-HMAC-SHA256") {
                return Err(match header {
                    "" => denied("Access Denied"),
                    _ if header.starts_with("AWS4-") => {
                        trouble("NotImplemented", "Only AWS4-HMAC-SHA256 signatures are implemented.")
                    }
                    _ => invalid("Unsupported Authorization Type"),
                });
            }
            dated(parts)?;
            let scope = header.split(['=', ',', ' ']).skip_while(|word| *word != "Credential").nth(1);
            if scope.and_then(|scope| scope.rsplit('/').nth(1)).is_some_and(|service| service != "s3") {
                return Err(trouble(
                    "AuthorizationHeaderMalformed",
                    "The authorization header is malformed; incorrect service. This endpoint belongs to \"s3\".",
                ));
            }
            let signed = header.split(['=', ',', ' ']).skip_while(|word| *word != "SignedHeaders").nth(1);
            covers(parts, signed.ok_or_else(malformed)?)
        }
        (None, Some(_)) => {
            for name in
                ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"]
            {
                if argument(query, name)?.is_none() {
                    return Err(bad_query(
                        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                         X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
                    ));
                }
            }
            let expires = argument(query, "X-Amz-Expires")?.unwrap_or_default();
            match expires.parse::<u64>() {
                // Of no time at all, it has expired.
                Ok(seconds) if seconds <= PRESIGNED_MAX => {}
                Err(_) if expires.starts_with('-') => {
                    return Err(bad_query("X-Amz-Expires must be non-negative"));
                }
                Err(_) => return Err(bad_query("X-Amz-Expires should be a number")),
                Ok(_) => {
                    return Err(bad_query(
                        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less \
                         than 604800 seconds",
                    ));
                }
            }
            covers(parts, &argument(query, "X-Amz-SignedHeaders")?.unwrap_or_default())
        }
        (None, None) => Ok(()),
    }
}

/// Whether a body may be said to be of this form.
fn is_form(form: &[u8]) -> bool {
    let digest = form.len() == 64 && form.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    digest || form == b"UNSIGNED-PAYLOAD" || form.starts_with(b"STREAMING-")
}

/// Whether `x-amz-date` is a date, as `20260102T030405Z`.
fn dated(parts: &Parts) -> Result<(), Trouble> {
    let date = parts.headers.get("x-amz-date").map(|date| date.as_bytes());
    let is = date.is_some_and(|date| {
        date.len() == 16
            && date.iter().enumerate().all(|(at, byte)| match at {
                8 => *byte == b'T',
                15 => *byte == b'Z',
                _ => byte.is_ascii_digit(),
            })
    });
    if is { Ok(()) } else { Err(denied("AWS authentication requires a valid Date or x-amz-date header")) }
}

/// Whether the list of signed headers names `host` and every `x-amz-*` header of the request.
fn covers(parts: &Parts, signed: &str) -> Result<(), Trouble> {
    let signed: Vec<&str> = signed.split(';').collect();
    let has = |name: &str| signed.iter().any(|known| known.eq_ignore_ascii_case(name));
    if !has("host") {
        return Err(denied("The header host must be signed."));
    }
    if let Some(name) = signed.iter().find(|name| !parts.headers.contains_key(**name)) {
        return Err(trouble(
            "SignatureDoesNotMatch",
            format!("The signed header {name:?} is not in the request."),
        ));
    }
    let open = parts.headers.keys().map(HeaderName::as_str);
    match open.into_iter().find(|name| name.starts_with("x-amz-") && !has(name)) {
        Some(name) => {
            Err(denied(format!("There were headers present in the request which were not signed: {name}")))
        }
        None => Ok(()),
    }
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

fn malformed() -> Trouble {
    trouble("AuthorizationHeaderMalformed", "The authorization header that you provided is not valid.")
}

fn only_version_4() -> Trouble {
    trouble(
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, \
                        SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00";

    fn code(uri: &str, headers: &[(&'static str, &str)]) -> String {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts).map_or_else(|trouble| trouble.code().as_str().to_owned(), |()| "fine".to_owned())
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
    fn there_is_one_mechanism_and_it_is_version_4() {
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
        assert_eq!(code("/b/k?AWSAccessKeyId=k&Signature=s", &[]), "InvalidRequest");
        assert_eq!(code("/b/k?X-Amz-Signature=s", &[("authorization", GOOD)]), "InvalidArgument");
        assert_eq!(code("/b/k?X%2DAmz-Signature=s", &[("authorization", GOOD)]), "InvalidArgument");
    }

    #[test]
    fn a_presigned_url_holds_a_week() {
        let url = |seconds: &str| {
            code(
                &format!(
                    "/b/k?X-Amz-Signature=s&X-Amz-Algorithm=a&X-Amz-Credential=c&X-Amz-Date=d&X-Amz-SignedHeaders=host\
                     &X-Amz-Expires={seconds}"
                ),
                &[("host", "h")],
            )
        };
        assert_eq!(url("604800"), "fine");
        assert_eq!(url("0"), "fine", "it has expired, which is looked at elsewhere");
        assert_eq!(code("/b/k?X-Amz-Signature=s", &[("host", "h")]), "AuthorizationQueryParametersError");
        for bad in ["604801", "-1", "x", ""] {
            assert_eq!(url(bad), "AuthorizationQueryParametersError", "{bad}");
        }
    }
}
