//! What error documents say beside code and message: the fields by which a person sees what was wrong with a request. They are
//! found out where a request is refused, from its head and from what the answer says already.

use super::target::Named;
use http::header::{AUTHORIZATION, CONTENT_RANGE, DATE, RANGE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use lifecycle::Time;
use percent_encoding::percent_decode_str;

/// By how much a request's time may differ, in milliseconds.
const SKEW_MAX: &str = "900000";
/// What a request can make its answer depend on.
const CONDITIONS: [&str; 8] = [
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-unmodified-since",
];

/// A field of a document: its name, its text.
pub(super) type Field = (&'static str, String);

/// As much of a request's head as refusals tell of. To copy it copies no text.
pub(super) struct Head {
    method: Method,
    uri: Uri,
    authorization: Option<HeaderValue>,
    date: Option<HeaderValue>,
    range: Option<HeaderValue>,
    /// The one condition, if there is one and no other.
    condition: Option<&'static str>,
}

impl Head {
    pub(super) fn of(parts: &Parts) -> Self {
        let header = |name: HeaderName| parts.headers.get(name).cloned();
        let mut conditions = CONDITIONS.into_iter().filter(|name| parts.headers.contains_key(*name));
        let condition = conditions.next().filter(|_| conditions.next().is_none());
        Head {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            authorization: header(AUTHORIZATION),
            date: header(HeaderName::from_static("x-amz-date")).or_else(|| header(DATE)),
            range: header(RANGE),
            condition,
        }
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// The fields of a refusal with `code` and `message`, whose answer has these `headers`.
    pub(super) fn fields(
        &self,
        (status, code, message): (StatusCode, &str, &str),
        named: &Named,
        headers: &HeaderMap,
        now: Time,
    ) -> Vec<Field> {
        let mut fields = Fields(Vec::new());
        match code {
            "NoSuchKey" | "NoSuchVersion" | "NoSuchUpload" => {
                fields.add("Key", named.key.clone().filter(|_| code != "NoSuchUpload"));
                fields.add("VersionId", self.argument("versionId").filter(|_| code == "NoSuchVersion"));
                fields.add("UploadId", self.argument("uploadId").filter(|_| code == "NoSuchUpload"));
            }
            "MethodNotAllowed" => {
                fields.add("Method", Some(self.method.to_string()));
                let kind = match (&named.key, &named.bucket) {
                    (Some(_), _) => "OBJECT",
                    (None, Some(_)) => "BUCKET",
                    (None, None) => "SERVICE",
                };
                fields.add("ResourceType", Some(kind.to_owned()));
            }
            "BucketNotEmpty"
            | "BucketAlreadyExists"
            | "BucketAlreadyOwnedByYou"
            | "InvalidBucketName"
            | "NoSuchBucket" => fields.add("BucketName", named.bucket.clone()),
            // Something that the bucket could be set to, and is not.
            _ if status == StatusCode::NOT_FOUND && named.key.is_none() => {
                fields.add("BucketName", named.bucket.clone());
            }
            "InvalidRange" => {
                fields.add("RangeRequested", text(self.range.as_ref()));
                let size = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
                let size = size.and_then(|range| range.strip_prefix("bytes */"));
                fields.add("ActualObjectSize", size.map(str::to_owned));
            }
            "PreconditionFailed" => fields.add("Condition", self.condition.map(str::to_owned)),
            "InvalidAccessKeyId" => fields.add("AWSAccessKeyId", self.access_key()),
            "SignatureDoesNotMatch" => {
                fields.add("AWSAccessKeyId", self.access_key());
                fields.add("SignatureProvided", self.signature());
            }
            "RequestTimeTooSkewed" => {
                let date = text(self.date.as_ref()).or_else(|| self.argument("X-Amz-Date"));
                fields.add("RequestTime", date);
                fields.add("ServerTime", Some(now.to_rfc3339()));
                fields.add("MaxAllowedSkewMilliseconds", Some(SKEW_MAX.to_owned()));
            }
            "AccessDenied" if message.starts_with("Request has expired") => {
                fields.add("X-Amz-Expires", self.argument("X-Amz-Expires"));
                fields.add("Expires", self.argument("Expires"));
                fields.add("ServerTime", Some(now.to_rfc3339()));
            }
            _ => {}
        }
        fields.0
    }

    fn argument(&self, name: &str) -> Option<String> {
        let mut pairs = self.uri.query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let (_, value) = pairs.find(|(known, _)| *known == name)?;
        Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
    }

    /// What stands in the header of a signature behind this word.
    fn of_header(&self, word: &str) -> Option<String> {
        let header = self.authorization.as_ref()?.to_str().ok()?;
        let (_, rest) = header.split_once(word)?;
        Some(rest.split([',', ' ']).next().unwrap_or_default().to_owned())
    }

    fn access_key(&self) -> Option<String> {
        let credential = self.of_header("Credential=").or_else(|| self.argument("X-Amz-Credential"));
        let key = credential.and_then(|credential| Some(credential.split('/').next()?.to_owned()));
        key.or_else(|| self.argument("AWSAccessKeyId"))
    }

    fn signature(&self) -> Option<String> {
        let header = self.of_header("Signature=");
        header.or_else(|| self.argument("X-Amz-Signature")).or_else(|| self.argument("Signature"))
    }
}

struct Fields(Vec<Field>);

impl Fields {
    /// What is not known is not told.
    fn add(&mut self, name: &'static str, value: Option<String>) {
        self.0.extend(value.map(|value| (name, value)));
    }
}

fn text(value: Option<&HeaderValue>) -> Option<String> {
    Some(value?.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn told(
        uri: &str,
        headers: &[(&str, &str)],
        (status, code, message): (u16, &str, &str),
        answer: &[(&'static str, &'static str)],
    ) -> String {
        let mut request = Request::builder().method(Method::PUT).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let named = Named::read(&parts, None).unwrap();
        let answer = answer
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let status = StatusCode::from_u16(status).unwrap();
        let fields =
            Head::of(&parts).fields((status, code, message), &named, &answer, Time::from_secs(1_700_000_000));
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        fields.join(" ")
    }

    #[test]
    fn a_refusal_tells_what_it_is_about() {
        let signed =
            "AWS4-HMAC-SHA256 Credential=AK/20260101/r/s3/aws4_request, SignedHeaders=host, Signature=00ff";
        let by_header: &[(&str, &str)] = &[("authorization", signed), ("x-amz-date", "20260101T000000Z")];
        for (uri, headers, refusal, answer, fields) in [
            ("/b/k", &[][..], (404, "NoSuchKey", ""), &[][..], "Key=k"),
            ("/b/k%20x?versionId=7", &[], (404, "NoSuchVersion", ""), &[], "Key=k x VersionId=7"),
            ("/b/k?uploadId=u%2B", &[], (404, "NoSuchUpload", ""), &[], "UploadId=u+"),
            ("/b", &[], (404, "NoSuchBucket", ""), &[], "BucketName=b"),
            ("/b?policy", &[], (404, "NoSuchBucketPolicy", ""), &[], "BucketName=b"),
            ("/b/k", &[], (405, "MethodNotAllowed", ""), &[], "Method=PUT ResourceType=OBJECT"),
            ("/b", &[], (405, "MethodNotAllowed", ""), &[], "Method=PUT ResourceType=BUCKET"),
            (
                "/b/k",
                &[("range", "bytes=9-")],
                (416, "InvalidRange", ""),
                &[("content-range", "bytes */5")],
                "RangeRequested=bytes=9- ActualObjectSize=5",
            ),
            ("/b/k", &[("if-match", "x")], (412, "PreconditionFailed", ""), &[], "Condition=If-Match"),
            (
                "/b/k",
                &[("if-match", "x"), ("if-unmodified-since", "y")],
                (412, "PreconditionFailed", ""),
                &[],
                "",
            ),
            ("/b/k", by_header, (403, "InvalidAccessKeyId", ""), &[], "AWSAccessKeyId=AK"),
            (
                "/b/k",
                by_header,
                (403, "SignatureDoesNotMatch", ""),
                &[],
                "AWSAccessKeyId=AK SignatureProvided=00ff",
            ),
            (
                "/b/k?X-Amz-Credential=AK%2F20260101%2Fr&X-Amz-Signature=ab",
                &[],
                (403, "SignatureDoesNotMatch", ""),
                &[],
                "AWSAccessKeyId=AK SignatureProvided=ab",
            ),
            (
                "/b/k",
                by_header,
                (403, "RequestTimeTooSkewed", ""),
                &[],
                "RequestTime=20260101T000000Z ServerTime=2023-11-14T22:13:20.000Z MaxAllowedSkewMilliseconds=900000",
            ),
            (
                "/b/k?X-Amz-Expires=60",
                &[],
                (403, "AccessDenied", "Request has expired"),
                &[],
                "X-Amz-Expires=60 ServerTime=2023-11-14T22:13:20.000Z",
            ),
            ("/b/k", by_header, (403, "AccessDenied", "Access Denied"), &[], ""),
        ] {
            assert_eq!(told(uri, headers, refusal, answer), fields, "{uri} {refusal:?}");
        }
    }
}
