//! Answers that say no, in AWS's words and form. `s3s` writes `Code` and `Message`; the fields that clients quote to their
//! operators (`Resource`, `RequestId`, `HostId`, and those of `details`) are put in here, in one place for all errors.

use super::details::Field;
use super::error::Trouble;
use crate::audit::RequestId;
use crate::http::Body;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Response, StatusCode};
use quick_xml::escape::{escape, unescape};
use std::fmt::Write;

/// What an error's answer is made of.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) headers: HeaderMap,
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        Refused {
            status: trouble.status_code().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: trouble.code().as_str().to_owned(),
            message: trouble.message().unwrap_or_default().to_owned(),
            headers: trouble.headers().cloned().unwrap_or_default(),
        }
    }
}

impl Refused {
    /// Reads what `s3s` has written.
    pub(super) fn read(status: StatusCode, headers: HeaderMap, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            let (inside, _) = rest.split_once(&format!("</{name}>"))?;
            unescape(inside).ok().map(|inside| inside.into_owned())
        };
        let code = element("Code").unwrap_or_else(|| "InternalError".to_owned());
        let message = element("Message").unwrap_or_default();
        // What `s3s` finds no call for, AWS calls a method that is not allowed.
        if code == "NotImplemented" && message == "Unknown operation" {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Refused { status, code: "MethodNotAllowed".to_owned(), message: String::new(), headers };
        }
        if message == "missing presigned url v4 fields" {
            let message = "The parameters of the signature are not valid.".to_owned();
            return Refused {
                status,
                code: "AuthorizationQueryParametersError".to_owned(),
                message,
                headers,
            };
        }
        Refused { status, code, message, headers }
    }

    /// The answer. One to HEAD has no body, and says nothing of one.
    pub(super) fn answer(
        mut self,
        method: &Method,
        path: &str,
        fields: Vec<Field>,
        (request, host): (RequestId, &str),
    ) -> Response<Body> {
        if self.message.is_empty() {
            self.message = default_message(&self.code).to_owned();
        }
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
        let mut put = |name: &str, value: &str| {
            let _ = write!(xml, "<{name}>{}</{name}>", escape(printable(value)));
        };
        put("Code", &self.code);
        put("Message", &self.message);
        for (name, value) in fields {
            put(name, &value);
        }
        put("Resource", if path.is_empty() { "/" } else { path });
        put("RequestId", &request.to_string());
        put("HostId", host);
        xml.push_str("</Error>");
        if self.code == "SlowDown" {
            self.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        let bodiless = method == Method::HEAD || self.status == StatusCode::NOT_MODIFIED;
        let body = if bodiless { Body::Empty } else { Body::Full(Bytes::from(xml)) };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        headers.remove(TRANSFER_ENCODING);
        if bodiless {
            headers.remove(CONTENT_TYPE);
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        }
        response
    }
}

/// A document with the control characters of names as AWS writes them. `s3s` lets them stand: a carriage return would then be
/// read as another character, which is another name.
pub(super) fn escaped(document: Bytes) -> Bytes {
    let odd = |byte: u8| byte < b' ' && byte != b'\n' && byte != b'\t';
    if !document.iter().any(|byte| odd(*byte)) {
        return document;
    }
    let mut text = Vec::with_capacity(document.len() + 64);
    for byte in document {
        match odd(byte) {
            true => text.extend_from_slice(format!("&#x{byte:X};").as_bytes()),
            false => text.push(byte),
        }
    }
    text.into()
}

/// XML knows no other control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\t' | '\n' | '\r') { '?' } else { c }).collect()
}

/// AWS's words where `s3s` has none.
fn default_message(code: &str) -> &'static str {
    match code {
        "SignatureDoesNotMatch" => {
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
        }
        "MalformedXML" => {
            "The XML you provided was not well-formed or did not validate against our published schema"
        }
        "MissingRequestBodyError" => "Request Body is empty",
        "InvalidURI" => "Couldn't parse the specified URI.",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "KeyTooLongError" => "Your key is too long.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "MaxMessageLengthExceeded" => "Your request was too big.",
        "IncompleteBody" => {
            "You did not provide the number of bytes specified by the Content-Length HTTP header."
        }
        "NotImplemented" => "A header or query you provided implies functionality that is not implemented.",
        _ => "The request could not be carried out.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_names_stand_as_references() {
        let plain = Bytes::from_static(b"<Key>a\tb\n</Key>");
        assert_eq!(escaped(plain.clone()), plain);
        assert_eq!(escaped(Bytes::from_static(b"<Key>a\r\x01</Key>")), "<Key>a&#xD;&#x1;</Key>");
    }

    #[test]
    fn what_s3s_wrote_is_read_back() {
        let xml =
            b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>a &lt;b&gt;</Message></Error>";
        let refused = Refused::read(StatusCode::NOT_FOUND, HeaderMap::new(), xml);
        assert_eq!((refused.code.as_str(), refused.message.as_str()), ("NoSuchKey", "a <b>"));
        let unknown = b"<Error><Code>NotImplemented</Code><Message>Unknown operation</Message></Error>";
        let unknown = Refused::read(StatusCode::NOT_IMPLEMENTED, HeaderMap::new(), unknown);
        assert_eq!((unknown.status.as_u16(), unknown.code.as_str()), (405, "MethodNotAllowed"));
        let broken = Refused::read(StatusCode::INTERNAL_SERVER_ERROR, HeaderMap::new(), b"oops");
        assert_eq!(broken.code, "InternalError");
    }
}
