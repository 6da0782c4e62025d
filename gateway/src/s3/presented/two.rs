//! Presigned URLs of version 2: method, path, expiry and `x-amz-*` headers under HMAC-SHA1.
//!
//! `s3s` verifies them, and compares what is said with what is right from the first character on. Whoever can measure that
//! learns a signature piece by piece. So the same is calculated here, compared in constant time, and only what is right goes
//! on.

use super::{PRESIGNED_MAX, argument, bad_query};
use crate::auth::Auth;
use crate::s3::error::{Told, Trouble, denied, trouble};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use lifecycle::Time;
use percent_encoding::percent_decode_str;
use sha1::Sha1;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use subtle::ConstantTimeEq;

/// Arguments that are part of what is signed, in their order.
const SIGNED: [&str; 35] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// A presigned URL of version 2.
pub(in crate::s3) struct Url<'a> {
    key: String,
    said: Vec<u8>,
    expires: String,
    parts: &'a Parts,
    /// The bucket, where Host names it.
    bucket: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// `AccessDenied` for one that is incomplete or has expired, `AuthorizationQueryParametersError` for one that holds
    /// longer than a week.
    pub(super) fn read(
        parts: &'a Parts,
        query: &str,
        bucket: Option<&'a str>,
        now: Time,
    ) -> Result<Self, Trouble> {
        // What is signed of the arguments must be all that there is: one that stands twice, or in other letters, is not.
        let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
        let mut seen = BTreeSet::new();
        for name in names {
            let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
            let other = SIGNED.iter().any(|known| known.eq_ignore_ascii_case(&name) && *known != name);
            if other || !seen.insert(name) {
                return Err(denied("The arguments of this URL are not those that were signed."));
            }
        }
        let need = |name: &str| {
            argument(query, name)?.ok_or_else(|| {
                denied(
                    "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
                )
            })
        };
        let (key, signature, expires) = (need("AWSAccessKeyId")?, need("Signature")?, need("Expires")?);
        let at: i64 = expires.parse().map_err(|_| denied("Invalid date (should be seconds since epoch)"))?;
        let now = now.micros().div_euclid(1_000_000);
        if at < now {
            return Err(denied("Request has expired"));
        }
        if at.saturating_sub(now) > i64::try_from(PRESIGNED_MAX).unwrap_or(i64::MAX) {
            return Err(bad_query("Expires must be less than a week away"));
        }
        Ok(Url { key, said: STANDARD.decode(signature).unwrap_or_default(), expires, parts, bucket })
    }

    /// The key.
    pub(in crate::s3) fn key(&self) -> &str {
        &self.key
    }

    /// Passes if the key's holder made it.
    ///
    /// # Errors
    /// `SignatureDoesNotMatch`, `InvalidAccessKeyId`.
    pub(in crate::s3) async fn verify(&self, auth: &Auth) -> Result<(), Trouble> {
        let secret = auth.secret(&self.key).await.told()?;
        match self.is_signed_with(secret.expose()) {
            true => Ok(()),
            false => Err(trouble(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and signing \
                 method.",
            )),
        }
    }

    fn is_signed_with(&self, secret: &[u8]) -> bool {
        let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(secret).expect("an HMAC takes keys of any length");
        let is = mac.chain_update(self.text().as_bytes()).finalize().into_bytes();
        is.as_slice().ct_eq(&self.said).into()
    }

    /// What is signed.
    fn text(&self) -> String {
        let headers = &self.parts.headers;
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut text = format!(
            "{}\n{}\n{}\n{}\n",
            self.parts.method,
            header("content-md5"),
            header("content-type"),
            self.expires
        );
        let mut amazons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in headers.iter().filter(|(name, _)| name.as_str().starts_with("x-amz-")) {
            let value = std::str::from_utf8(value.as_bytes()).unwrap_or_default();
            amazons.entry(name.as_str()).or_default().push(value.trim());
        }
        for (name, values) in amazons {
            let _ = writeln!(text, "{name}:{}", values.join(","));
        }
        if let Some(bucket) = self.bucket {
            let _ = write!(text, "/{bucket}");
        }
        text.push_str(self.parts.uri.path());
        let query = self.parts.uri.query().unwrap_or_default().replace('+', "%20");
        let signed = SIGNED.into_iter().filter_map(|name| Some((name, argument(&query, name).ok()??)));
        for (number, (name, value)) in signed.enumerate() {
            text.push(if number == 0 { '?' } else { '&' });
            text.push_str(name);
            if !value.is_empty() {
                let _ = write!(text, "={value}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const NOW: Time = Time::from_secs(1_175_139_000);

    fn parts(method: &str, uri: &str, headers: &[(&'static str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    /// The example of AWS's documentation ("Signing and authenticating REST requests"), with the signature that its string and
    /// its secret do make: the one printed there is of something else.
    #[test]
    fn a_url_is_signed_by_one_secret() {
        let uri = "/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&\
                   Signature=1No4mq5ETf02z8aet9voy6gui6E%3D&Expires=1175139620";
        let parts = parts("GET", uri, &[]);
        let query = parts.uri.query().unwrap();
        let url = Url::read(&parts, query, Some("awsexamplebucket1"), NOW).ok().unwrap();
        assert_eq!(url.text(), "GET\n\n\n1175139620\n/awsexamplebucket1/photos/puppy.jpg");
        assert!(url.is_signed_with(b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
        assert!(!url.is_signed_with(b"other"));
    }

    #[test]
    fn a_url_ends_and_holds_a_week_at_most() {
        let code = |expires: &str| {
            let parts = parts("GET", &format!("/b/k?AWSAccessKeyId=k&Signature=AA==&Expires={expires}"), &[]);
            let query = parts.uri.query().unwrap().to_owned();
            Url::read(&parts, &query, None, NOW)
                .map_or_else(|trouble| trouble.code().as_str().to_owned(), |_| "fine".to_owned())
        };
        assert_eq!(code("1175139001"), "fine");
        assert_eq!(code("1175138999"), "AccessDenied");
        assert_eq!(code("soon"), "AccessDenied");
        assert_eq!(code("1175743801"), "AuthorizationQueryParametersError");
    }

    #[test]
    fn headers_and_subresources_are_part_of_it() {
        let uri = "/b/k?versionId=v&AWSAccessKeyId=k&Signature=AA==&Expires=1175139620&acl&other=1";
        let parts = parts(
            "PUT",
            uri,
            &[("x-amz-meta-b", " 2 "), ("x-amz-acl", "private"), ("content-type", "text/plain")],
        );
        let url = Url::read(&parts, parts.uri.query().unwrap(), None, NOW).ok().unwrap();
        let signed = "PUT\n\ntext/plain\n1175139620\nx-amz-acl:private\nx-amz-meta-b:2\n/b/k?acl&versionId=v";
        assert_eq!(url.text(), signed);
    }
}
