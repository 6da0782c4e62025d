//! POST of a list of keys to delete: reading the list, writing what became of them.

use super::documents::Kind;
use super::error::{Trouble, denied, invalid, trouble};
use super::exchange::Exchange;
use super::ops::delete_objects::delete_objects;
use super::wire::DOCUMENT_MAX;
use crate::http::Body;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Limited};
use lifecycle::Right;
use s3s::dto::{Delete, DeleteObjectsInput};
use s3s::xml::{Deserialize, Deserializer, Serialize, Serializer};

/// Deletes what the list in the body names.
pub(super) async fn delete(
    exchange: Exchange<'_>,
    body: s3s::Body,
) -> Result<(StatusCode, HeaderMap, Body), Trouble> {
    // Of whoever shows no credentials nothing is read where nothing can be open to them.
    if exchange.principal.holds_nothing() {
        let bucket = exchange.named.bucket.as_deref().unwrap_or_default();
        if exchange.located(bucket, Right::Delete).await?.settings.is_none() {
            return Err(denied("Access Denied"));
        }
    }
    let input = DeleteObjectsInput {
        bucket: exchange.named.bucket.clone().unwrap_or_default(),
        bypass_governance_retention: bypass(&exchange.headers)?,
        checksum_algorithm: None,
        delete: list(&exchange, body).await?,
        expected_bucket_owner: text(&exchange.headers, "x-amz-expected-bucket-owner"),
        mfa: text(&exchange.headers, "x-amz-mfa"),
        request_payer: None,
    };
    let output = delete_objects(exchange, input).await?;
    let mut xml = Vec::with_capacity(1024);
    let mut writer = Serializer::new(&mut xml);
    writer.decl().and_then(|()| output.serialize(&mut writer)).map_err(Trouble::internal_error)?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    Ok((StatusCode::OK, headers, Body::Full(super::answer::escaped(xml.into()))))
}

/// The list. Why a body that is none did not arrive is known where it is watched (see `wire`).
async fn list(exchange: &Exchange<'_>, body: s3s::Body) -> Result<Delete, Trouble> {
    let most = usize::try_from(DOCUMENT_MAX).unwrap_or(usize::MAX);
    let whole = Limited::new(body, most).collect().await.map_err(|_| match exchange.broken.get() {
        Some(broken) => broken.trouble(),
        None => trouble("IncompleteBody", "The list of keys did not arrive as it was signed."),
    })?;
    let whole = whole.to_bytes();
    if whole.is_empty() {
        return Err(trouble("MissingRequestBodyError", "Request Body is empty"));
    }
    let malformed = |why: String| {
        trouble(
            "MalformedXML",
            format!(
                "The XML you provided was not well-formed or did not validate against our published schema: {why}"
            ),
        )
    };
    let plain = Kind::Delete.rewrite(&whole).map_err(|bad| malformed(bad.to_string()))?;
    let mut reader = Deserializer::new(plain.as_bytes());
    let read = Delete::deserialize(&mut reader).and_then(|list| reader.expect_eof().map(|()| list));
    read.map_err(|bad| malformed(bad.to_string()))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().unwrap_or_default().to_owned())
}

/// Whether GOVERNANCE is to be passed by, as a request says; `None`: it says nothing.
pub(super) fn bypass(headers: &HeaderMap) -> Result<Option<bool>, Trouble> {
    match text(headers, "x-amz-bypass-governance-retention").map(|word| word.to_ascii_lowercase()).as_deref()
    {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(invalid("x-amz-bypass-governance-retention is true or false")),
    }
}
