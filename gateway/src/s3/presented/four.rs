//! Signatures of version 4: what `s3s` takes for granted of them.

use super::{PRESIGNED_MAX, SKEW_MAX, argument, bad_query};
use crate::s3::error::{Trouble, denied, trouble};
use http::header::{DATE, HeaderName};
use http::request::Parts;
use lifecycle::Time;
use percent_encoding::percent_decode_str;

/// Whether the query has any of the arguments of a presigned URL.
pub(super) fn is_presigned(query: &str) -> bool {
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    names.into_iter().any(|name| {
        let name = percent_decode_str(name).decode_utf8_lossy();
        matches!(name.as_ref(), "X-Amz-Signature" | "X-Amz-Credential" | "X-Amz-Algorithm")
    })
}

/// `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
pub(super) fn check_header(parts: &Parts, header: &str) -> Result<(), Trouble> {
    let Some(rest) = header.strip_prefix("AWS4-HMAC-SHA256") else {
        return Err(trouble("NotImplemented", "Only AWS4-HMAC-SHA256 signatures are implemented."));
    };
    let date =
        date(parts).ok_or_else(|| denied("AWS authentication requires a valid Date or x-amz-date header"))?;
    let date = date.as_str();
    let field = |name: &str| {
        let mut fields = rest.split(',').map(str::trim);
        fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
    };
    let (Some(credential), Some(signed), Some(signature)) =
        (field("Credential"), field("SignedHeaders"), field("Signature"))
    else {
        return Err(malformed("The authorization header that you provided is not valid."));
    };
    if rest.split(',').count() != 3 {
        return Err(malformed("The authorization header that you provided is not valid."));
    }
    let digits = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !rest.starts_with(' ') || signed.is_empty() || !digits(signature) {
        return Err(malformed("The authorization header that you provided is not valid."));
    }
    scope(credential, date).map_err(malformed)?;
    let signs = |name: &str| signed.split(';').any(|known| known.eq_ignore_ascii_case(name));
    if !parts.headers.contains_key("x-amz-date") && !signs("date") {
        return Err(denied("There were headers present in the request which were not signed: date"));
    }
    covers(parts, signed)
}

/// The arguments of a presigned URL.
pub(super) fn check_query(parts: &Parts, query: &str, now: Time) -> Result<(), Trouble> {
    let need = |name: &str| {
        argument(query, name)?.ok_or_else(|| {
            bad_query(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, \
                 X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            )
        })
    };
    need("X-Amz-Signature")?;
    if need("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
        return Err(bad_query("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
    }
    let date = need("X-Amz-Date")?;
    if !is_date(&date) {
        return Err(bad_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""));
    }
    scope(&need("X-Amz-Credential")?, &date).map_err(bad_query)?;
    if moment(&date).is_some_and(|at| at > now.plus(SKEW_MAX)) {
        return Err(denied("Request is not yet valid"));
    }
    let expires = need("X-Amz-Expires")?;
    match expires.parse::<u64>() {
        // Of no time at all, it has expired.
        Ok(seconds) if seconds <= PRESIGNED_MAX => {}
        Err(_) if expires.starts_with('-') => return Err(bad_query("X-Amz-Expires must be non-negative")),
        Err(_) => return Err(bad_query("X-Amz-Expires should be a number")),
        Ok(_) => {
            return Err(bad_query(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
                 604800 seconds",
            ));
        }
    }
    covers(parts, &need("X-Amz-SignedHeaders")?)
}

/// Whether a credential is `KEY/DAY/REGION/s3/aws4_request`, of the day of the request.
fn scope(credential: &str, date: &str) -> Result<(), &'static str> {
    // A key may hold a slash.
    let mut words = credential.rsplit('/');
    match (words.next(), words.next(), words.next(), words.next(), words.next()) {
        (Some("aws4_request"), Some(service), Some(_), Some(day), Some(_)) => {
            if service != "s3" {
                Err("incorrect service: this endpoint belongs to \"s3\"")
            } else if day.len() != 8 || !date.starts_with(day) {
                Err("Invalid credential date: it must be that of the request.")
            } else {
                Ok(())
            }
        }
        _ => Err(
            "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        ),
    }
}

/// The moment of such a date.
fn moment(date: &str) -> Option<Time> {
    let of = |range| date.get(range).unwrap_or_default();
    let (day, time) =
        ([of(0..4), of(4..6), of(6..8)].join("-"), [of(9..11), of(11..13), of(13..15)].join(":"));
    Time::parse_rfc3339(&format!("{day}T{time}Z"))
}

/// Whether this is a date such as `20260102T030405Z`.
fn is_date(date: &str) -> bool {
    let is = |(at, byte): (usize, u8)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    date.len() == 16 && date.bytes().enumerate().all(is)
}

/// When a request was signed: `x-amz-date`, or `Date` where there is none.
pub(super) fn date(parts: &Parts) -> Option<String> {
    match parts.headers.get("x-amz-date") {
        Some(date) => date.to_str().ok().filter(|date| is_date(date)).map(str::to_owned),
        None => {
            let date = parts.headers.get(DATE)?.to_str().ok()?;
            let at = Time::parse_http_date(date)?.to_rfc3339();
            // To the second, and without its signs.
            let seconds: String = at.chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
            Some(format!("{seconds}Z")).filter(|date| is_date(date))
        }
    }
}

/// Passes if the list of signed headers names `host` and every `x-amz-*` header of the request.
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

fn malformed(text: &'static str) -> Trouble {
    trouble("AuthorizationHeaderMalformed", text)
}
