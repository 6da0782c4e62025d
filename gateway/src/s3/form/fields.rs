//! The fields of a form: everything that stands in front of the file. What stands behind it is not looked at, as in AWS.

use super::{broken, front_too_long, malformed};
use crate::http::BodyReader;
use crate::s3::error::{Trouble, invalid};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use multer::{Field, Multipart};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The most bytes in front of the file, as in AWS; the reader of forms holds them all, and looks at them again with each piece
/// that comes.
const FRONT_MAX: u64 = 20_000;
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

/// The front of a form is too long.
#[derive(Debug, thiserror::Error)]
#[error("the fields in front of the file are more than {FRONT_MAX} bytes")]
pub(super) struct FrontTooLong;

/// The pieces of a form, of which no more are read than a front may have until its file has begun.
fn front(
    reader: BodyReader,
    at_file: Arc<AtomicBool>,
) -> impl Stream<Item = Result<Bytes, Box<dyn Error + Send + Sync>>> + Send {
    stream::try_unfold((reader, 0_u64, at_file), |(mut reader, read, at_file)| async move {
        // What came with the last of the front may be of the file already.
        if read > FRONT_MAX && !at_file.load(Ordering::Relaxed) {
            return Err(Box::new(FrontTooLong) as Box<dyn Error + Send + Sync>);
        }
        let next: Option<Bytes> = reader.next().await?;
        Ok(next.map(|bytes| {
            let read = read + bytes.len() as u64;
            (bytes, (reader, read, at_file))
        }))
    })
}

impl Fields {
    /// Reads the fields, up to the file.
    ///
    /// # Errors
    /// `MalformedPOSTRequest`, `MaxPostPreDataLengthExceeded`, `InvalidArgument` without a file.
    pub(super) async fn read(parts: &Parts, reader: BodyReader) -> Result<(Self, Field<'static>), Trouble> {
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(kind).map_err(|_| malformed())?;
        let at_file = Arc::new(AtomicBool::new(false));
        let mut form = Multipart::new(front(reader, Arc::clone(&at_file)), boundary);
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
        let mut fields = Fields { pairs: Vec::new(), host };
        while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
            let name = field.name().unwrap_or_default().to_ascii_lowercase();
            if name == FILE {
                at_file.store(true, Ordering::Relaxed);
                return Ok((fields, field));
            }
            if fields.pairs.len() == FIELDS_MAX {
                return Err(front_too_long());
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
