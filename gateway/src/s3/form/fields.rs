//! The fields of a form: everything that stands in front of the file. What stands behind it is not looked at, as in AWS.

use super::{broken, malformed};
use crate::http::BodyReader;
use crate::s3::error::{Trouble, invalid, trouble};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use multer::{Constraints, Field, Multipart, SizeLimit};

/// The most bytes of one field.
const FIELD_MAX: u64 = 20 << 10;
/// The most fields.
const FIELDS_MAX: usize = 100;
/// The name of the field that is the file.
const FILE: &str = "file";

/// The fields in front of the file: names in lower case, values.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pairs: Vec<(String, String)>,
    host: Option<String>,
}

impl Fields {
    /// Reads the fields, up to the file.
    ///
    /// # Errors
    /// `MalformedPOSTRequest`, `MaxPostPreDataLengthExceeded`, `InvalidArgument` without a file.
    pub(super) async fn read(parts: &Parts, reader: BodyReader) -> Result<(Self, Field<'static>), Trouble> {
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(kind).map_err(|_| malformed())?;
        let chunks = stream::try_unfold(reader, |mut reader| async move {
            let next: Option<Bytes> = reader.next().await?;
            Ok::<_, crate::http::ReadError>(next.map(|bytes| (bytes, reader)))
        });
        let limits = SizeLimit::new().per_field(FIELD_MAX).for_field(FILE, u64::MAX);
        let mut form = Multipart::with_constraints(chunks, boundary, Constraints::new().size_limit(limits));
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
        let mut fields = Fields { pairs: Vec::new(), host };
        while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
            let name = field.name().unwrap_or_default().to_ascii_lowercase();
            if name == FILE {
                return Ok((fields, field));
            }
            if fields.pairs.len() == FIELDS_MAX {
                return Err(trouble(
                    "MaxPostPreDataLengthExceeded",
                    "Your POST request fields preceding the upload file were too large.",
                ));
            }
            let value = field.bytes().await.map_err(|error| broken(&error))?;
            let value = String::from_utf8(value.to_vec()).map_err(|_| malformed())?;
            if name.is_empty() || fields.get(&name).is_some() {
                return Err(invalid(format!(
                    "The form's field {name:?} has no name, or stands more than once."
                )));
            }
            fields.pairs.push((name, value));
        }
        Err(invalid("POST requires exactly one file upload per request."))
    }

    /// A field's value. `name` in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The host that the form was sent to.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The object's key, in which `${filename}` stands for the file's name.
    ///
    /// # Errors
    /// `InvalidArgument` without one.
    pub(super) fn key(&self, file: Option<&str>) -> Result<String, Trouble> {
        let key = self.get("key").ok_or_else(|| {
            invalid("Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.")
        })?;
        // Some browsers send the whole path.
        let file = file.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
        Ok(key.replace("${filename}", file))
    }

    /// User metadata.
    pub(super) fn metadata(&self) -> Vec<(String, String)> {
        let named = self.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("x-amz-meta-").filter(|name| !name.is_empty())?;
            Some((name.to_owned(), value.to_owned()))
        });
        named.collect()
    }

    /// The fields that are headers in a PUT.
    ///
    /// # Errors
    /// `InvalidArgument` for a value that no header has.
    pub(super) fn as_headers(&self) -> Result<HeaderMap, Trouble> {
        const PLAIN: [&str; 7] = [
            "cache-control",
            "content-disposition",
            "content-encoding",
            "content-language",
            "content-md5",
            "content-type",
            "expires",
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in self.iter() {
            let name = match name {
                "acl" => "x-amz-acl",
                // What the signature is made of, and the user's own words, are no orders.
                "x-amz-algorithm"
                | "x-amz-credential"
                | "x-amz-date"
                | "x-amz-signature"
                | "x-amz-security-token" => continue,
                _ if name.starts_with("x-amz-meta-") => continue,
                _ if PLAIN.contains(&name) || name.starts_with("x-amz-") => name,
                _ => continue,
            };
            let bad = || invalid(format!("The form's field {name:?} holds what no header can."));
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?;
            headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?, value);
        }
        Ok(headers)
    }

    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Fields { pairs: pairs.collect(), host: None }
    }
}
